"""Puts what a command made where the user wants it: into a file at once and whole, or on standard output."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from pysmon.errors import MisuseError

STDOUT = "-"


def deliver(data: bytes, to: str, *, binary: bool = False) -> None:
    """Write the bytes; `-` is standard output. A file keeps its old content until the new one is written whole."""
    must_have_a_name(to)
    if to != STDOUT:
        try:
            _replace(Path(to), data)
        except OSError as error:  # its file may be one of our own beside the one that the user knows
            raise OSError(error.errno, error.strerror, to) from error
        return
    if binary and sys.stdout.isatty():
        raise MisuseError("these are no bytes for a terminal", hint="-o FILE, or a pipe")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def must_have_a_name(to: str) -> None:
    """MisuseError if it has none: so it comes from a script whose variable is not set."""
    if not to:
        raise MisuseError("the file to write has an empty name", hint="`-` is standard output")


def must_be_another(to: str, *read: str) -> None:
    """MisuseError if the file to write is one of those that are read: it would hold something of another kind then."""
    with suppress(OSError, ValueError):
        if any(name != STDOUT and Path(to).samefile(name) for name in read):
            raise MisuseError(f"{to} is read, and would be lost", hint="name another file to write")


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():  # a device, a pipe
        path.write_bytes(data)
        return
    target = path.resolve()
    mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
