"""Content on its way from a reader to the sensor: in memory that nobody can change any more, and nothing else."""

from __future__ import annotations

import fcntl
import os

from pysmon.sensor.clipboard.change import LIMIT

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def sealed(content: bytes) -> int:
    """An open file with this content."""
    file = os.memfd_create("clipboard", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
    return file


def is_sealed(file: int, size: int) -> bool:
    """Is it what `sealed` makes, of that size? Anything else might hold up who reads it."""
    try:
        return fcntl.fcntl(file, fcntl.F_GET_SEALS) & _SEALS == _SEALS and os.fstat(file).st_size == size <= LIMIT
    except OSError:
        return False
