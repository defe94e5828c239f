"""Writing whole blocks to file descriptors, and telling what went wrong in words that help."""

from __future__ import annotations

import errno
import os
import select

_RIGHTS = "the user that runs pysmon may not write there; choose another place with -o, or run it with more rights"
_HINTS = {
    errno.ENOSPC: "free some space, or bound the log with --rotate and --keep",
    errno.EDQUOT: "the disk quota is used up: free some space, or bound the log with --rotate and --keep",
    errno.EFBIG: "the file has reached the limit of its file system or of ulimit -f; bound it with --rotate",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENOENT: "the folder must be there before pysmon starts",
    errno.EROFS: "the file system is mounted read-only; choose another place with -o",
    errno.ENXIO: "if it is a pipe (FIFO): somebody has to read it first",
    errno.EISDIR: "name a file, not a folder",
}


def write_fully(fd: int, block: bytes) -> tuple[int, OSError | None]:
    """Write the block, waiting for slow readers; how many bytes went out, and the error that stopped it."""
    view = memoryview(block)
    done = 0
    while done < len(view):
        try:
            done += os.write(fd, view[done:])
        except BlockingIOError:
            _wait(fd)
        except OSError as error:
            return done, error
    return done, None


def _wait(fd: int) -> None:
    slow = select.poll()
    slow.register(fd, select.POLLOUT)
    slow.poll()


def cause(error: OSError) -> str:
    """The error in the system's words."""
    return os.strerror(error.errno) if error.errno else str(error)


def hint(error: OSError) -> str:
    """What would help against it, or nothing."""
    return _HINTS.get(error.errno or 0, "")
