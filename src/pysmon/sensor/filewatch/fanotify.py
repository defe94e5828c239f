"""fanotify(7) by ctypes: a group, the file systems that it marks, its events, and answers to those that wait."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from pysmon.errors import SensorError

# linux/fanotify.h
CLOSE_WRITE, OPEN_EXEC = 0x8, 0x1000
OVERFLOW = 0x4000
OPEN_PERMISSION, OPEN_EXEC_PERMISSION = 0x10000, 0x40000
_CLOEXEC, _NONBLOCK, _CLASS_CONTENT = 0x1, 0x2, 0x4
_MARK_ADD, _MARK_REMOVE, _MARK_FILESYSTEM = 0x1, 0x2, 0x100
_ALLOW, _DENY = 1, 2
_VERSION = 3
_EVENT = struct.Struct("<8xQii")  # mask, descriptor, process; before them what is the same in all events of a group
_SAME = struct.Struct("<IB")  # length, version
_ANSWER = struct.Struct("<iI")
_ROOM = 1 << 14  # bytes of events that are read at once
_EVENT_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOATIME | 0o100000  # the last is O_LARGEFILE
_HERE = -100  # AT_FDCWD


# What happened to a file: its mask; the file, open, and the receiver's to close, -1 for OVERFLOW; the id of the process
# that did it, as this process counts.
Notice = tuple[int, int, int]


class Group:
    """A fanotify group. It is of the class that may be asked for permission, and is asked only where marks say so."""

    def __init__(self) -> None:
        """SensorError if the kernel refuses: it needs CAP_SYS_ADMIN."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self._libc.fanotify_init(
            ctypes.c_uint(_CLASS_CONTENT | _CLOEXEC | _NONBLOCK), ctypes.c_uint(_EVENT_FLAGS)
        )
        if self.fd < 0:
            raise SensorError(f"fanotify_init: {os.strerror(ctypes.get_errno())}", hint="it needs CAP_SYS_ADMIN")

    def mark(self, path: str, mask: int) -> None:
        """Tell of these events on the whole file system that `path` lies on; OSError if the kernel refuses."""
        self._mark(_MARK_ADD, path, mask)

    def unmark(self, path: str, mask: int) -> None:
        """Tell of them no longer; OSError if they were not marked."""
        self._mark(_MARK_REMOVE, path, mask)

    def mark_file(self, path: str, mask: int) -> None:
        """Tell of these events on this file alone; OSError if the kernel refuses."""
        self._mark(_MARK_ADD, path, mask, 0)

    def _mark(self, flags: int, path: str, mask: int, extent: int = _MARK_FILESYSTEM) -> None:
        result = self._libc.fanotify_mark(
            ctypes.c_int(self.fd),
            ctypes.c_uint(flags | extent),
            ctypes.c_uint64(mask),
            ctypes.c_int(_HERE),
            os.fsencode(path),
        )
        if result:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)

    def read(self) -> list[Notice]:
        """Events that came, some at a time; empty if there are none."""
        try:
            return _notices(os.read(self.fd, _ROOM))
        except BlockingIOError:
            return []
        except OSError as error:
            # The kernel could not open the file of the first event (it is gone from a network, or the file is being
            # written and is a program): that event is over, and the others can be read.
            if error.errno in (errno.ENXIO, errno.ESTALE, errno.ETXTBSY, errno.EACCES, errno.EPERM, errno.ENOENT):
                return [(OVERFLOW, -1, 0)]
            raise

    def answer(self, file: int, *, allow: bool) -> None:
        """Let the process go on that waits for permission, or refuse it."""
        os.write(self.fd, _ANSWER.pack(file, _ALLOW if allow else _DENY))

    def close(self) -> None:
        """Let go; the kernel allows whatever still waits."""
        os.close(self.fd)


def refusal() -> str:
    """Why files cannot be watched here; "" if they can. Tried on a file of our own, without a name."""
    try:
        group = Group()
    except SensorError as error:
        return str(error)
    import tempfile  # much to import, for what the service never does

    try:
        with tempfile.TemporaryFile() as file:
            group.mark_file(f"/proc/self/fd/{file.fileno()}", CLOSE_WRITE | OPEN_EXEC_PERMISSION)
    except OSError as error:
        return f"fanotify_mark: {error.strerror}"
    finally:
        group.close()
    return ""


def _notices(data: bytes) -> list[Notice]:
    """The events in what was read: of one length, since none has more to say in a group of this class."""
    length, version = _SAME.unpack_from(data)
    if version != _VERSION or length != _EVENT.size:
        raise SensorError(
            f"fanotify speaks version {version}, {length} bytes an event (expected {_VERSION}, {_EVENT.size})"
        )
    return list(_EVENT.iter_unpack(data))
