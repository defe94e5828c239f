"""What the processes of the clipboard and the sensor tell each other: small messages, some with an open file."""

from __future__ import annotations

import json
import socket
import struct
from dataclasses import asdict, dataclass

from pysmon.sensor.clipboard.change import READ, Change
from pysmon.sensor.clipboard.displays import Display, Session

# Of a reader: a change; changes that it had no room for; that it watches now.
CHANGED, LOST, WATCHING = range(1, 4)
# Of the process that finds displays: a reader has begun, whose messages come through the file; something is wrong.
READER, TROUBLE = range(10, 12)
# To that process: find displays from now on, and have them read; or stop that.
BEGIN, CEASE = range(20, 22)

_HEAD = struct.Struct("<HHIQQ")  # what, outcome, process, time, size
_LARGEST = 1 << 14  # bytes of one message
_TEXT = 4096  # of its text


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `file` is open and the receiver's to close, -1 for none."""

    what: int
    outcome: int = READ
    pid: int = 0
    time: int = 0  # ns since boot
    size: int = 0  # bytes of the content; of LOST: how many changes
    text: str = ""
    file: int = -1

    def send(self, channel: socket.socket) -> None:
        """Send; the file stays open here, too. OSError as send(2) has it."""
        head = _HEAD.pack(self.what, self.outcome, self.pid, self.time, self.size)
        data = head + self.text.encode("utf-8", "replace")[:_TEXT]
        socket.send_fds(channel, [data], [self.file] if self.file >= 0 else [])


def receive(channel: socket.socket) -> Message | None:
    """The next message; None at the end, or of what is none. BlockingIOError if there is none yet."""
    data, files, _, _ = socket.recv_fds(channel, _LARGEST, 1, socket.MSG_CMSG_CLOEXEC)
    file = files[0] if files else -1
    if len(data) < _HEAD.size:
        return None
    what, outcome, pid, time, size = _HEAD.unpack_from(data)
    return Message(what, outcome, pid, time, size, data[_HEAD.size :].decode("utf-8", "replace"), file)


def changed(change: Change, file: int) -> Message:
    """The message of a change, with its content in a file."""
    size = len(change.content) if change.content is not None else 0
    words = "\0".join((change.target, *change.targets))
    return Message(CHANGED, change.outcome, change.pid, change.time, size, words, file)


def display_text(display: Display) -> str:
    """A display as the text of a message."""
    return json.dumps(asdict(display))


def display_of(text: str) -> Display:
    """The inverse."""
    facts = json.loads(text)
    return Display(**{**facts, "session": Session(**facts["session"])})
