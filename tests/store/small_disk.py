"""A disk of a few hundred kilobytes, for tests: a tmpfs in a mount namespace of its own."""

from __future__ import annotations

import ctypes
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

_CLONE_NEWNS = 0x20000
_MS_RDONLY, _MS_REMOUNT, _MS_REC_PRIVATE = 0x1, 0x20, 0x44000
_UNABLE = 77


def on_small_disk(folder: Path, kilobytes: int, act: Callable[[Path], None]) -> None:
    """Run `act` on a new disk of that size, in a process of its own; its failure is the test's. Or skip."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        os._exit(_in_child(folder, kilobytes, act, theirs))
    os.close(theirs)
    with os.fdopen(ours) as told:
        words = told.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == _UNABLE:
        pytest.skip(f"cannot mount a small disk here: {words}")
    assert code == 0, words


def _in_child(folder: Path, kilobytes: int, act: Callable[[Path], None], theirs: int) -> int:
    try:
        _call("unshare", _CLONE_NEWNS)
        _mount("none", Path("/"), None, _MS_REC_PRIVATE, None)
        _mount("tmpfs", folder, "tmpfs", 0, f"size={kilobytes}k")
    except OSError as error:
        os.write(theirs, f"{error.filename}: {error.strerror}".encode())
        return _UNABLE
    try:
        act(folder)
    except BaseException:
        os.write(theirs, traceback.format_exc().encode()[-60_000:])
        return 1
    return 0


def make_read_only(folder: Path) -> None:
    """Let nothing more be written to the disk on which the files are open."""
    _mount("tmpfs", folder, "tmpfs", _MS_REMOUNT | _MS_RDONLY, None)


def make_writable(folder: Path) -> None:
    """Undo it."""
    _mount("tmpfs", folder, "tmpfs", _MS_REMOUNT, None)


def fill(folder: Path) -> Path:
    """Leave no byte free; the file to remove to have room again."""
    path = folder / "filler"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    for size in (65536, 4096):
        try:
            while True:
                os.write(fd, bytes(size))
        except OSError:
            continue
    os.close(fd)
    return path


def _mount(source: str, target: Path, kind: str | None, flags: int, data: str | None) -> None:
    texts = [t.encode() if t is not None else None for t in (kind, data)]
    _call("mount", source.encode(), os.fsencode(target), texts[0], ctypes.c_ulong(flags), texts[1])


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
