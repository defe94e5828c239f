"""Files and folders that are whole or absent, and have their mode whatever the umask says."""

from __future__ import annotations

import os
import stat
from pathlib import Path

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600  # for root alone: command lines hold secrets


def make_folder(path: Path, mode: int = PRIVATE_FOLDER) -> None:
    """Make the folder, and those above it, if it is not there; a folder that is there gets the mode too."""
    path.mkdir(parents=True, exist_ok=True)
    set_mode(path, mode)


def set_mode(path: Path, mode: int) -> None:
    """Give it the mode, unless it has it: a disk that is read-only would refuse even that."""
    if stat.S_IMODE(path.stat().st_mode) != mode:
        path.chmod(mode)


def put_file(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """Write a file so that, whatever happens meanwhile, its name stands for the old content or the new, never a part.

    OSError if it cannot be written; the old content is then still there.
    """
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        with open(fd, "wb") as file:
            os.fchmod(fd, mode)
            file.write(data)
            file.flush()
            os.fsync(fd)
        aside.rename(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have the disk know which names are in the folder."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
