"""The packages of distributions: what they hold, that they come out the same, and that nothing in them is stale."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tools.package_settings import settings_text
from tools.package_tree import FOLDER, PROGRAM, PYTHONS, Target, changelog_text
from tools.programs import ToolError, run

from pysmon.release import VERSION
from pysmon.service.paths import Paths
from pysmon.service.settings import Queue, Settings, default_outputs, read_settings
from pysmon.service.unit import unit_text
from pysmon.sinks.kinds import OUTPUTS
from tools import package

HERE = Target(package.machine_here(), revision=1, epoch=1_700_000_000)
SCRIPTS = sorted((FOLDER / "deb").glob("p*"))


def settings(text: str, folder: Path) -> Settings:
    """What the service makes of a settings file."""
    paths = Paths.under(folder)
    paths.settings.parent.mkdir(parents=True, exist_ok=True)
    paths.settings.write_text(text)
    return read_settings(paths)


def in_use(text: str, begin: str) -> str:
    """The part of the settings that begins so, up to an empty line, with its settings in use."""
    part = text[text.index(begin) :].partition("\n\n")[0]
    return "\n".join(line.removeprefix("#") for line in part.splitlines() if not line.startswith("# "))


def test_the_settings_of_a_package_change_nothing(tmp_path: Path) -> None:
    found = settings(settings_text(), tmp_path)
    assert (found.queue, found.outputs) == (Queue(), default_outputs(Paths.under(tmp_path)))


def test_the_queue_in_the_settings_is_the_one_by_default(tmp_path: Path) -> None:
    part = in_use(settings_text(), "#[queue]")
    assert tomllib.loads(part)["queue"].keys() == set(Queue.__slots__)
    assert settings(part, tmp_path).queue == Queue()


@pytest.mark.parametrize("kind", OUTPUTS)
def test_the_settings_tell_each_option_of_an_output_with_its_default(kind: str) -> None:
    (output,) = tomllib.loads(in_use(settings_text(), f"# {kind}: "))["output"]
    assert output.pop("type") == kind
    assert output.keys() == {option.name for option in OUTPUTS[kind].options}
    for option in OUTPUTS[kind].options:
        if option.default is not None:
            assert option.read(output[option.name]) == option.default


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_of_the_package_is_one_that_a_shell_reads(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    assert script.read_text().startswith("#!/bin/sh\n")
    assert "\nset -e\n" in script.read_text()


def test_a_name_in_a_template_that_nobody_knows_is_refused() -> None:
    assert HERE.fill("@VERSION@") == f"{VERSION}-1"
    with pytest.raises(ToolError, match="@NOBODY@"):
        HERE.fill("@NOBODY@")


def test_a_machine_that_no_package_is_for_is_refused() -> None:
    with pytest.raises(ToolError, match="sparc"):
        assert Target("sparc", 1, 0).machine


def test_the_changelog_tells_the_version_and_when() -> None:
    text = changelog_text(HERE)
    assert text.startswith(f"pysmon ({VERSION}-1) ")
    assert text.endswith("  Tue, 14 Nov 2023 22:13:20 +0000\n")


def test_the_oldest_python_is_the_one_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={PYTHONS[0]}"


def test_everything_that_pysmon_needs_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = re.findall(r"^([\w-]+)==", (FOLDER / "vendored.txt").read_text(), re.MULTILINE)
    assert {re.split(r"\W", wanted)[0] for wanted in project["dependencies"]} <= set(pinned)


def test_the_reason_why_a_program_failed_is_told() -> None:
    with pytest.raises(ToolError, match="no-such-file"):
        run(["ls", "no-such-file"])
    with pytest.raises(ToolError, match="there is no no-such-program here"):
        run(["no-such-program"])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The packages of this machine."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("no dpkg-deb here")
    return package.build(HERE, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def unpacked(built: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the .deb puts into the system."""
    folder = tmp_path_factory.mktemp("tree")
    subprocess.run(["dpkg-deb", "-x", built[0], folder], check=True)
    return folder


@pytest.mark.package
def test_the_same_source_gives_the_same_packages(built: list[Path], tmp_path: Path) -> None:
    again = package.build(HERE, tmp_path)
    assert [p.name for p in again] == [p.name for p in built]
    assert [hashlib.sha256(p.read_bytes()).hexdigest() for p in again] == [
        hashlib.sha256(p.read_bytes()).hexdigest() for p in built
    ]


@pytest.mark.package
def test_the_package_says_what_it_needs_and_what_is_a_setting(built: list[Path]) -> None:
    control = run(["dpkg-deb", "-f", built[0]])
    assert f"Version: {VERSION}-1\n" in control
    assert f"Depends: python3 (>= {PYTHONS[0]}), python3 (<< 3.15), libbpf1" in control
    assert run(["dpkg-deb", "-I", built[0], "conffiles"]) == "/etc/pysmon/pysmon.toml\n"


@pytest.mark.package
def test_what_is_in_the_package_belongs_to_root_and_nobody_else_may_write_it(built: list[Path]) -> None:
    for line in run(["dpkg-deb", "-c", built[0]]).splitlines():
        assert re.match(r"(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x) root/root ", line), line


@pytest.mark.package
def test_the_unit_runs_the_program_of_the_package(unpacked: Path) -> None:
    assert (unpacked / "usr/lib/systemd/system/pysmon.service").read_text() == unit_text([PROGRAM])
    assert (unpacked / PROGRAM.lstrip("/")).stat().st_mode & 0o777 == 0o755


@pytest.mark.package
def test_the_wheel_in_the_package_is_ours_with_all_that_it_needs(unpacked: Path) -> None:
    library = unpacked / "usr/lib/pysmon"
    parts = {p.name for p in library.iterdir() if not p.name.endswith(".dist-info")}
    assert parts == {"pysmon", "click", "rich", "msgspec", "markdown_it", "mdurl", "pygments", "yaml"}
    assert (library / "pysmon/sensor/bpf/sensor.bpf.o").read_bytes().startswith(b"\x7fELF")
    compiled = {p.relative_to(library).as_posix() for p in library.rglob("*.so")}
    tags = [f"cpython-{python.replace('.', '')}-{HERE.machine}-linux-gnu" for python in PYTHONS]
    assert compiled == {f"msgspec/_core.{tag}.so" for tag in tags}


@pytest.mark.package
def test_the_program_of_the_package_hears_nothing_but_its_own_folder(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise SystemExit('somebody else')")
    text = (unpacked / PROGRAM.lstrip("/")).read_text()
    assert text.startswith("#!/usr/bin/python3 -IS\n")
    moved = tmp_path / "pysmon"
    moved.write_text(text.replace("/usr/lib/pysmon", str(unpacked / "usr/lib/pysmon")))
    line = ["python3", "-IS", str(moved), "--version"]
    done = subprocess.run(line, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, VERSION in done.stdout) == (0, True), done.stderr


@pytest.mark.package
def test_every_part_in_the_package_comes_with_its_licence(unpacked: Path) -> None:
    text = (unpacked / "usr/share/doc/pysmon/copyright").read_text()
    files = " ".join(re.findall(r"^Files: (.*)$", text, re.MULTILINE)).split()
    parts = {f"usr/lib/pysmon/{p.name}/*" for p in (unpacked / "usr/lib/pysmon").iterdir()}
    ours = {f"usr/lib/pysmon/{name}/*" for name in ("pysmon", f"pysmon-{VERSION}.dist-info")}
    assert {*files} == {"*", *parts - ours}
    assert gzip.decompress((unpacked / "usr/share/doc/pysmon/changelog.Debian.gz").read_bytes())
