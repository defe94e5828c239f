"""Running a program and waiting for what it says."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Said(NamedTuple):
    """What came of it."""

    code: int
    out: str
    err: str


def call(line: Sequence[str], *, patience: float, environment: Mapping[str, str] | None = None) -> Said:
    """Run it in `/`, without input. OSError if it cannot be started, or does not end within `patience` seconds."""
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours or root's, and no shell reads them
            line,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            errors="replace",
            env=environment,
            cwd="/",
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no end after {patience:g} s") from error
    return Said(done.returncode, done.stdout, done.stderr)
