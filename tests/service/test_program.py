"""The program of the service: that it starts without a shell, and that only root can change it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pysmon.service.program import ProgramError, changeable_by_others, check_program, service_program


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_this_pysmon_is_started_by_its_own_python() -> None:
    assert service_program()[0] == sys.executable
    assert service_program()[-2:] == ("-m", "pysmon")


def test_a_program_that_starts_is_fine(tmp_path: Path) -> None:
    check_program([str(script(tmp_path / "pysmon", '[ "$1" = --version ] && [ "$PWD" = / ] && [ -z "$HOME" ]'))])


def test_a_program_that_needs_the_callers_environment_is_told_with_its_last_word(tmp_path: Path) -> None:
    program = script(tmp_path / "pysmon", "echo Traceback >&2; echo No module named pysmon >&2; exit 1")
    with pytest.raises(ProgramError, match=f"could not start {program}: No module named pysmon") as error:
        check_program([str(program)])
    assert "install pysmon for the whole machine" in error.value.hint


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="No such file"):
        check_program([str(tmp_path / "pysmon")])


def test_a_program_that_fails_without_a_word_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="it gives no reason"):
        check_program([str(script(tmp_path / "pysmon", "exit 7"))])


def found(program: Path, below: Path) -> set[str]:
    return {str(p.relative_to(below)) for p in changeable_by_others([str(program)]) if p.is_relative_to(below)}


def test_a_program_of_root_in_folders_of_root_is_fine(tmp_path: Path) -> None:
    assert found(script(tmp_path / "pysmon", ""), tmp_path) == set()


@pytest.mark.parametrize("name", ["bin", "bin/pysmon"])
@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_what_others_may_write_is_told(tmp_path: Path, name: str, mode: int) -> None:
    (tmp_path / "bin").mkdir()
    program = script(tmp_path / "bin/pysmon", "")
    (tmp_path / name).chmod(mode)
    assert found(program, tmp_path) == {name}


def test_in_a_folder_like_tmp_nobody_can_replace_the_files_of_others(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = script(tmp_path / "bin/pysmon", "")
    (tmp_path / "bin").chmod(0o1777)
    assert found(program, tmp_path) == set()


def test_a_program_behind_a_link_is_looked_at_too(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    script(real / "pysmon", "").chmod(0o777)
    link = tmp_path / "pysmon"
    link.symlink_to(real / "pysmon")
    assert "real/pysmon" in found(link, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_program_of_somebody_else_is_told(tmp_path: Path) -> None:
    program = script(tmp_path / "pysmon", "")
    os.chown(program, 65534, 65534)
    assert found(program, tmp_path) == {"pysmon"}
