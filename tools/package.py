"""Build the packages of distributions: a .deb, and a .rpm where rpmbuild is, from pysmon's own wheel. `make package`.

The same source, epoch and target give the same bytes. What is inside and why: docs/packaging.md.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("src", "")]

from pysmon.release import VERSION  # noqa: E402 - only now it can be found
from tools.package_tree import FOLDER, ROOT, Target, make_tree  # noqa: E402
from tools.programs import ToolError, run  # noqa: E402

_SCRIPTS = ("postinst", "prerm", "postrm")


def build_wheel(folder: Path, epoch: int) -> Path:
    """The wheel, by the project's own build."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    run(command, folder=ROOT, environment=_clock(epoch))
    return folder / f"pysmon-{VERSION}-py3-none-any.whl"


def build_deb(tree: Path, folder: Path, target: Target) -> Path:
    """Pack the tree as a .deb; adds DEBIAN/ to it, for that long."""
    control = tree / "DEBIAN"
    control.mkdir()
    files = sorted(p for p in tree.rglob("*") if p.is_file())
    size = sum(-(-p.stat().st_size // 1024) for p in files) + sum(p.is_dir() for p in tree.rglob("*"))
    (control / "control").write_text(target.fill((FOLDER / "deb/control").read_text(), SIZE=str(size)))
    (control / "conffiles").write_text("/etc/pysmon/pysmon.toml\n")
    sums = [f"{hashlib.md5(p.read_bytes()).hexdigest()}  {p.relative_to(tree)}\n" for p in files]  # noqa: S324 - dpkg's
    (control / "md5sums").write_text("".join(line for line in sums if "  etc/" not in line))
    for name in _SCRIPTS:
        shutil.copyfile(FOLDER / "deb" / name, control / name)
    for path in control.iterdir():
        path.chmod(0o755 if path.name in _SCRIPTS else 0o644)
    control.chmod(0o755)
    made = folder / f"pysmon_{VERSION}-{target.revision}_{target.arch}.deb"
    pack = ["dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zxz", "--build"]
    run([*pack, tree, made], environment=_clock(target.epoch))
    shutil.rmtree(control)
    os.utime(tree, (target.epoch, target.epoch))
    return made


def build_rpm(tree: Path, folder: Path, target: Target, work: Path) -> Path:
    """Pack the tree as a .rpm."""
    spec = work / "pysmon.spec"
    text = (FOLDER / "rpm/pysmon.spec").read_text().replace("@VERSION@", VERSION)
    spec.write_text(target.fill(text, REVISION=str(target.revision), TREE=str(tree)))
    settings = {
        "_topdir": str(work / "rpm"),
        "_rpmdir": str(work / "rpms"),
        "_dbpath": str(work / "rpmdb"),
        "_buildhost": "localhost",
        "use_source_date_epoch_as_buildtime": "1",
        "clamp_mtime_to_source_date_epoch": "1",
        "_build_id_links": "none",
        "__os_install_post": "%{nil}",  # no stripping, no byte code: what was built is what is shipped
        "_binary_payload": "w6.xzdio",
    }
    defines = [word for name, value in settings.items() for word in ("--define", f"{name} {value}")]
    pack = ["rpmbuild", "-bb", "--quiet", "--target", target.machine]
    run([*pack, *defines, spec], environment=_clock(target.epoch))
    (made,) = (work / "rpms").rglob("*.rpm")
    return Path(shutil.copyfile(made, folder / made.name))


def _clock(epoch: int) -> dict[str, str]:
    return {"SOURCE_DATE_EPOCH": str(epoch)}


def last_change() -> int:
    """When the source was changed last, in s since 1970: SOURCE_DATE_EPOCH, else the time of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    if (ROOT / ".git").exists():
        return int(run(["git", "log", "-1", "--format=%ct"], folder=ROOT))
    return int((ROOT / "CHANGELOG.md").stat().st_mtime)


def machine_here() -> str:
    """Debian's name of this machine's kind."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def build(target: Target, folder: Path) -> list[Path]:
    """All packages that can be built here."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work, tree = Path(name), Path(name) / "tree"
        tree.mkdir()
        make_tree(tree, build_wheel(work, target.epoch), ROOT / "build" / "vendored", target)
        made = [build_deb(tree, folder, target)]
        if shutil.which("rpmbuild"):
            made.append(build_rpm(tree, folder, target, work))
        else:
            print("no .rpm: there is no rpmbuild here (package rpm of Debian, rpm-build of Fedora)", file=sys.stderr)
    return made


def main() -> int:
    """Command line: for which machine, the how-manieth package of this release, and where to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--arch", default=machine_here(), help="amd64 or arm64; this machine's if not given")
    parser.add_argument("--revision", type=int, default=1, help="which package of the same release this is")
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="the folder for the packages")
    given = parser.parse_args()
    try:
        for path in build(Target(given.arch, given.revision, last_change()), given.to):
            print(path)
    except ToolError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
