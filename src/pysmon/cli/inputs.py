"""Files that a command line names, as bytes: what is not there is misuse, what cannot be read is the environment's."""

from __future__ import annotations

from pathlib import Path

from pysmon.config.decode import LIMIT
from pysmon.errors import MisuseError
from pysmon.sources.open import shape_of_head
from pysmon.sources.streams import SAMPLE, standard_input

STDIN = "-"
NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError)  # ValueError: a zero in the name


def shown_name(name: str) -> str:
    """How the places in a file are named."""
    return "<stdin>" if name == STDIN else name


def refuse_log(data: bytes, name: str, hint: str = "a configuration is named first, then logs") -> None:
    """MisuseError if these bytes are a log: whoever swapped two arguments learns more from that than from its bytes."""
    shape = shape_of_head(data[:SAMPLE])
    if shape is not None:
        raise MisuseError(f"{name} is a log: {shape.about}", hint=hint)


def bytes_of_configuration(name: str) -> bytes:
    """A configuration, or a byte more than one may have; `-` is standard input. MisuseError, OSError."""
    return bytes_of_file(name, LIMIT + 1)


def bytes_of_file(name: str, most: int = -1) -> bytes:
    """The first bytes, or all. MisuseError if there is no such file, OSError with its name if it cannot be read."""
    if name == STDIN:
        return standard_input().read(most)
    if not name:
        raise MisuseError("a file to read has an empty name", hint="`-` is standard input")
    try:
        with Path(name).open("rb") as file:
            return file.read(most)
    except NOT_THERE as error:
        raise MisuseError(f"{name}: {getattr(error, 'strerror', None) or error}") from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error
