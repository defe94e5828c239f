"""What is shipped: the wheel, the source archive, version and licences. Building is left to `make test-package`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from tests.conftest import ROOT

import pysmon

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and the wheel that was built from it on a machine without clang."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(out)], cwd=ROOT, check=True)
    (sdist,) = out.glob("*.tar.gz")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-cache-dir", "-w", str(out), str(sdist)]
    subprocess.run(pip, env=os.environ | {"CLANG": "no-clang-here"}, check=True)
    return out


def test_the_version_is_a_plain_one_and_the_same_everywhere() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", pysmon.__version__)
    assert "version" in PROJECT["dynamic"]


@pytest.mark.parametrize("source", sorted((ROOT / "src").rglob("*.bpf.[ch]")), ids=lambda p: p.name)
def test_every_kernel_source_says_its_licence_in_its_first_line(source: Path) -> None:
    assert "SPDX-License-Identifier: GPL-2.0-only OR MIT" in source.read_text().partition("\n")[0]


@pytest.mark.package
def test_the_wheel_runs_everywhere_and_holds_the_kernel_object_but_no_sources_of_it(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"pysmon-{pysmon.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert archive.read("pysmon/sensor/bpf/sensor.bpf.o").startswith(b"\x7fELF\x02\x01")
    assert [n for n in names if n.endswith((".c", ".h"))] == []
    assert {n.split("/")[0] for n in names} == {"pysmon", f"pysmon-{pysmon.__version__}.dist-info"}
    modules = {p.relative_to(ROOT / "src").as_posix() for p in (ROOT / "src").rglob("*.py")}
    assert modules - set(names) == set()


@pytest.mark.package
def test_the_source_archive_holds_all_that_a_build_needs_and_nothing_built(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    wanted = {"pyproject.toml", "hatch_build.py", "tools/build_bpf.py", "src/pysmon/sensor/bpf/sensor.bpf.c", "LICENSE"}
    assert wanted - names == set()
    assert [n for n in names if n.endswith((".o", ".gen.h"))] == []


@pytest.mark.package
def test_the_wheel_installs_into_an_empty_environment_and_answers(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", tmp_path], check=True)
    subprocess.run([tmp_path / "bin" / "pip", "install", "-q", wheel], check=True)
    answer = subprocess.run([tmp_path / "bin" / "pysmon", "--version"], capture_output=True, text=True, check=True)
    assert pysmon.__version__ in answer.stdout
