"""The files of a distribution's package, below a folder: the wheel, what it needs, unit, settings, manual."""

from __future__ import annotations

import gzip
import os
import re
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from pysmon.release import VERSION
from pysmon.service.unit import unit_text
from tools.package_settings import settings_text
from tools.programs import ToolError, run

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "packaging"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")  # Debian 12, Ubuntu 24.04, Debian 13, Fedora 43
PROGRAM = "/usr/bin/pysmon"
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # Debian's name: everybody else's
_LIBC = ("manylinux_2_17", "manylinux2014")
# Of PyYAML what is Python alone: it reads nothing but tests of configurations, and no C code has to read those as root.
_NOT_NEEDED = re.compile(r"\.dist-info/(RECORD|WHEEL|REQUESTED|INSTALLER)$|\.pyi$|(^|/)bin/|\.data/|(^|/)_yaml\b")


@dataclass(frozen=True, slots=True)
class Target:
    """For whom a package is built. `revision` counts packages of the same release; `epoch` is in s since 1970."""

    arch: str
    revision: int
    epoch: int

    @property
    def machine(self) -> str:
        """The name that the kernel, wheels and rpm have for it."""
        if self.arch not in _MACHINES:
            raise ToolError(f"there are no packages for {self.arch} (there are: {', '.join(_MACHINES)})")
        return _MACHINES[self.arch]

    def fill(self, text: str, **more: str) -> str:
        """A text of packaging/ with its @NAMES@ filled in."""
        names = {
            "VERSION": f"{VERSION}-{self.revision}",
            "ARCH": self.arch,
            "OLDEST": PYTHONS[0],
            "TOO_NEW": f"3.{int(PYTHONS[-1].partition('.')[2]) + 1}",
        }
        for name, value in (names | more).items():
            text = text.replace(f"@{name}@", value)
        if left := re.search(r"@[A-Z_]+@", text):
            raise ToolError(f"nothing is known for {left[0]}")
        return text


def make_tree(tree: Path, wheel: Path, downloads: Path, target: Target) -> None:
    """Fill the empty folder `tree`; `downloads` keeps what comes from the package index."""
    library = tree / "usr/lib/pysmon"
    wheels = fetch_vendored(downloads, target)
    for archive in (*wheels, wheel):
        _unpack(archive, library)
    _put(tree, PROGRAM, (FOLDER / "pysmon").read_bytes(), 0o755)
    _put(tree, "usr/lib/systemd/system/pysmon.service", unit_text([PROGRAM]).encode())
    _put(tree, "etc/pysmon/pysmon.toml", settings_text().encode())
    _put(tree, "usr/share/doc/pysmon/copyright", copyright_text(wheels, library).encode())
    _put(tree, "usr/share/doc/pysmon/changelog.Debian.gz", _zipped(changelog_text(target)))
    _put(tree, "usr/share/lintian/overrides/pysmon", (FOLDER / "deb/lintian-overrides").read_bytes())
    _put(tree, "usr/share/man/man8/pysmon.8.gz", _zipped((FOLDER / "pysmon.8").read_text()))
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == tree / PROGRAM.lstrip("/") else 0o644)
            os.utime(path, (target.epoch, target.epoch))


def fetch_vendored(downloads: Path, target: Target) -> list[Path]:
    """The wheels of packaging/vendored.txt, each for all Pythons; those that are there already are not fetched."""
    found: set[Path] = set()
    for version in PYTHONS:
        folder = downloads / f"{target.arch}-{version}"
        stamp = folder / "vendored.txt"
        wanted = (FOLDER / "vendored.txt").read_bytes()
        if not stamp.exists() or stamp.read_bytes() != wanted:
            for old in folder.glob("*.whl"):
                old.unlink()
            platforms = [f"--platform={libc}_{target.machine}" for libc in _LIBC]
            options = ["--only-binary=:all:", "--no-deps", "--require-hashes", f"--python-version={version}"]
            download = [sys.executable, "-m", "pip", "download", "-q", *options, *platforms]
            run([*download, "-d", folder, "-r", FOLDER / "vendored.txt"])
            stamp.write_bytes(wanted)
        found.update(folder.glob("*.whl"))
    return sorted({wheel.name: wheel for wheel in found}.values(), key=lambda wheel: wheel.name)


def copyright_text(wheels: Iterable[Path], library: Path) -> str:
    """What is in the package and under which licence, in Debian's machine-readable form."""
    said = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: pysmon\n",
        f"Files: *\nCopyright: 2026 The pysmon authors\nLicense: MIT\n{_indented((ROOT / 'LICENSE').read_text())}\n",
    ]
    parts: dict[str, set[str]] = {}
    for wheel in wheels:
        names = zipfile.ZipFile(wheel).namelist()
        tops = {name.partition("/")[0] for name in names if not _NOT_NEEDED.search(name)}
        parts.setdefault("-".join(wheel.name.split("-")[:2]), set()).update(tops)
    for name, tops in parts.items():
        info = library / f"{name}.dist-info"
        named = [p for p in sorted(info.rglob("*")) if p.name.upper().startswith(("LICENSE", "COPYING"))]
        texts = [p.read_text() for p in named if p.is_file()]
        if not texts:
            raise ToolError(f"{name} brings no licence")
        holders = dict.fromkeys(re.findall(r"Copyright.*\d{4}.*", "\n".join(texts)))
        owner = "\n ".join(line.strip() for line in holders) or "its authors"
        paths = " ".join(f"usr/lib/pysmon/{top}/*" for top in sorted(tops))
        licence = f"License: {name.partition('-')[0]}\n{_indented(chr(10).join(texts))}"
        said.append(f"Files: {paths}\nCopyright: {owner}\n{licence}\n")
    return "\n".join(said)


def changelog_text(target: Target) -> str:
    """Debian's form of it, with this one release."""
    when = format_datetime(datetime.fromtimestamp(target.epoch, UTC))
    version = f"{VERSION}-{target.revision}"
    body = "  * What has changed stands in CHANGELOG.md of the source."
    return f"pysmon ({version}) stable; urgency=medium\n\n{body}\n\n -- The pysmon authors <root@localhost>  {when}\n"


def _unpack(wheel: Path, library: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not _NOT_NEEDED.search(name):
                archive.extract(name, library)


def _put(tree: Path, name: str, content: bytes, mode: int = 0o644) -> None:
    path = tree / name.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def _zipped(text: str) -> bytes:
    return gzip.compress(text.encode(), 9, mtime=0)


def _indented(text: str) -> str:
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.strip().splitlines())
