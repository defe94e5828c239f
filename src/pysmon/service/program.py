"""The program that the service will run: which it is, whether it starts without a shell, and who can change it."""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pysmon.errors import PysmonError
from pysmon.service.outside import call

_PATIENCE = 60  # s
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ProgramError(PysmonError):
    """The program of the service cannot be started as a service manager would."""


def service_program() -> tuple[str, ...]:
    """The words that start this very pysmon: its own Python, deaf for the environment and the current folder."""
    return (sys.executable, "-I", "-m", "pysmon")


def check_program(program: Sequence[str]) -> None:
    """Start it once as a service manager does, without the caller's environment; ProgramError if it does not work."""
    try:
        done = call([*program, "--version"], patience=_PATIENCE, environment={"PATH": _PATH})
        failed, told = done.code != 0, done.err.strip().rpartition("\n")[2]
    except OSError as error:
        failed, told = True, str(error)
    if failed:
        raise ProgramError(
            f"a service could not start {' '.join(program)}: {told or 'it gives no reason'}",
            hint="install pysmon for the whole machine (a package, or pip in a virtual environment of root)",
        )


def changeable_by_others(program: Sequence[str]) -> Iterator[Path]:
    """What of the program, and of the folders that lead to it, others than root can change: they could become root."""
    spec = importlib.util.find_spec("pysmon")
    package = [Path(spec.origin).parent] if spec and spec.origin else []
    seen: set[Path] = set()
    for start in [Path(program[0]), *package]:
        for path in (start.absolute(), *start.absolute().parents, start.resolve(), *start.resolve().parents):
            if path in seen or not path.exists():
                continue
            seen.add(path)
            state = path.stat()
            sticky = stat.S_ISDIR(state.st_mode) and state.st_mode & stat.S_ISVTX
            if state.st_uid not in (0, os.geteuid()) or (state.st_mode & _OTHERS and not sticky):
                yield path
