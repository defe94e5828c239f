"""What the process with fanotify and the sensor tell each other: small messages, some with an open file."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

# From the process with fanotify:
WRITTEN, RUN, OVERWRITE, LOST, ALIVE, TROUBLE = range(1, 7)
# To it:
WATCH, SETTLED, REMOVE, PING = range(10, 14)

# What is asked for with WATCH, one bit each.
PROGRAMS = 1  # tell of programs that were written
ALL = 2  # tell of everything that was written or run
KEEP_FROM_RUNNING = 4  # a program that was written must be settled before it can run
KEEP_FROM_OVERWRITING = 8  # who opens a file to write over its content waits until that is settled
NAMED = 16  # tell of everything that was written and has one of the given texts in its path

_HEAD = struct.Struct("<HHIQQI")  # what, flags, process, token, inode, device
LARGEST = 1 << 16  # bytes of one message


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `file` is open and the receiver's to close, -1 for none."""

    what: int
    flags: int = 0  # of WATCH: bits above; of SETTLED: 1 to allow it; of OVERWRITE: as for open(2), the lower 16 bits
    pid: int = 0
    token: int = 0  # what an answer is about, from 1 on; 0: nobody waits. Of LOST: how many at least
    inode: int = 0
    device: int = 0
    text: str = ""
    file: int = -1

    def send(self, channel: socket.socket) -> None:
        """Send; the file stays open here, too. OSError as send(2) has it."""
        head = _HEAD.pack(self.what, self.flags, self.pid, self.token, self.inode, self.device)
        data = head + self.text.encode("utf-8", "surrogateescape")
        socket.send_fds(channel, [data], [self.file] if self.file >= 0 else [])


def receive(channel: socket.socket) -> Message | None:
    """The next message; None at the end. BlockingIOError if there is none yet."""
    data, files, _, _ = socket.recv_fds(channel, LARGEST, 1)
    if not data:
        return None
    what, flags, pid, token, inode, device = _HEAD.unpack_from(data)
    text = data[_HEAD.size :].decode("utf-8", "surrogateescape")
    return Message(what, flags, pid, token, inode, device, text, files[0] if files else -1)
