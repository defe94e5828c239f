"""Files that a command line names, as bytes: what is not there is misuse, what cannot be read is the environment's."""

from __future__ import annotations

import sys
from pathlib import Path

from pysmon.config.decode import LIMIT
from pysmon.errors import MisuseError

STDIN = "-"
NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError)  # ValueError: a zero in the name


def shown_name(name: str) -> str:
    """How the places in a file are named."""
    return "<stdin>" if name == STDIN else name


def bytes_of_configuration(name: str) -> bytes:
    """A configuration, or a byte more than one may have; `-` is standard input. MisuseError, OSError."""
    return bytes_of_file(name, LIMIT + 1)


def bytes_of_file(name: str, most: int = -1) -> bytes:
    """The first bytes, or all. MisuseError if there is no such file, OSError with its name if it cannot be read."""
    if name == STDIN:
        return sys.stdin.buffer.read(most)
    try:
        with Path(name).open("rb") as file:
            return file.read(most)
    except NOT_THERE as error:
        raise MisuseError(f"{name}: {getattr(error, 'strerror', None) or error}") from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error
