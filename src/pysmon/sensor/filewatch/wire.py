"""What the process with fanotify and the sensor tell each other: small messages, some with an open file.

One datagram holds a message with its text, or many messages that have an open file each and no text: their heads end to
end, and the files in the same order.
"""

from __future__ import annotations

import array
import socket
import struct
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

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
_MEMBERS = 6  # of a message, in its head
LARGEST = 1 << 16  # bytes of one datagram
TOGETHER = 64  # messages with a file in one datagram at most; the kernel takes 253 files
_RIGHTS = socket.CMSG_SPACE(TOGETHER * array.array("i").itemsize)


class Message(NamedTuple):
    """One message. `file` is open and the receiver's to close, -1 for none."""

    what: int
    flags: int = 0  # of WATCH: bits above; of SETTLED: 1 to allow it; of OVERWRITE: as for open(2), the lower 16 bits
    pid: int = 0
    token: int = 0  # what an answer is about, from 1 on; 0: nobody waits. Of LOST: how many at least
    inode: int = 0
    device: int = 0
    text: str = ""
    file: int = -1


def send(channel: socket.socket, messages: Sequence[Message]) -> int:
    """Send the first of these in one datagram; how many those were. Files stay open here, too. OSError as send(2)."""
    if messages[0].file < 0:
        first = messages[0]
        channel.send(_HEAD.pack(*first[:_MEMBERS]) + first.text.encode("utf-8", "surrogateescape"))
        return 1
    heads, files = [], array.array("i")
    for message in islice(messages, TOGETHER):
        if message.file < 0:
            break
        heads.append(_HEAD.pack(*message[:_MEMBERS]))
        files.append(message.file)
    channel.sendmsg([b"".join(heads)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    return len(heads)


def receive(channel: socket.socket) -> list[Message]:
    """The messages of the next datagram; none at the end. BlockingIOError if there is nothing yet."""
    data, ancillary, _, _ = channel.recvmsg(LARGEST, _RIGHTS)
    if not data:
        return []
    files = array.array("i")
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            files.frombytes(content[: len(content) - len(content) % files.itemsize])
    if not files:
        text = data[_HEAD.size :].decode("utf-8", "surrogateescape")
        return [Message._make((*_HEAD.unpack_from(data), text, -1))]
    return [Message._make((*head, "", file)) for head, file in zip(_HEAD.iter_unpack(data), files, strict=False)]
