"""The Wayland protocol, as far as a reader of the clipboard speaks it: requests to bytes, bytes to messages.

wayland.xml; ext-data-control-v1.xml and its forerunner wlr-data-control-unstable-v1.xml, which number alike all that
is used here. Numbers go in the machine's own order.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from pysmon.sensor.clipboard.change import DisplayError

DISPLAY = 1  # the object that is always there
# Events, by the interface of the object.
DISPLAY_ERROR = 0
GLOBAL = 0
DATA_OFFER, SELECTION, FINISHED, PRIMARY = range(4)
OFFER = 0
_HEAD = struct.Struct("=IHH")  # object, opcode, size
_NAMES = 512  # bytes of a text at most


class Message(NamedTuple):
    """One event."""

    sender: int  # an object
    opcode: int
    body: bytes


def message_size(data: bytes | bytearray) -> int:
    """How long the message is that begins here; 0 if that is not known yet. DisplayError if it cannot be."""
    if len(data) < _HEAD.size:
        return 0
    size: int = _HEAD.unpack_from(data)[2]
    if size < _HEAD.size:
        raise DisplayError(f"it sent a message of {size} bytes")
    return size


def message(data: bytes) -> Message:
    """Read one."""
    sender, opcode, _ = _HEAD.unpack_from(data)
    return Message(sender, opcode, data[_HEAD.size :])


def number(body: bytes, at: int = 0) -> int:
    """32 bits; DisplayError if they are not there."""
    if at + 4 > len(body):
        raise DisplayError("it sent a message that is too short")
    (value,) = struct.unpack_from("=I", body, at)
    return int(value)


def text(body: bytes, at: int = 0) -> str:
    """A text, cut if it is very long."""
    size = min(number(body, at), _NAMES)
    return body[at + 4 : at + 4 + size].split(b"\0")[0].decode("utf-8", "replace")


def sync(callback: int) -> bytes:
    """Ask for an event of a new object once everything before was done."""
    return _request(DISPLAY, 0, struct.pack("=I", callback))


def get_registry(registry: int) -> bytes:
    """Ask for all that there is, as events of a new object."""
    return _request(DISPLAY, 1, struct.pack("=I", registry))


def bind(registry: int, name: int, interface: str, version: int, new: int) -> bytes:
    """Make a new object of what the registry has under that name."""
    data = interface.encode() + b"\0"
    words = struct.pack("=II", name, len(data)) + data + bytes(-len(data) % 4)
    return _request(registry, 0, words + struct.pack("=II", version, new))


def get_data_device(manager: int, new: int, seat: int) -> bytes:
    """Tell of the clipboard of a seat from now on, as events of a new object."""
    return _request(manager, 1, struct.pack("=II", new, seat))


def receive(offer: int, target: str) -> bytes:
    """Ask for content, to be written to the file that goes beside this."""
    data = target.encode() + b"\0"
    return _request(offer, 0, struct.pack("=I", len(data)) + data + bytes(-len(data) % 4))


def destroy_offer(offer: int) -> bytes:
    """Nobody asks it any more."""
    return _request(offer, 1, b"")


def _request(target: int, opcode: int, body: bytes) -> bytes:
    return _HEAD.pack(target, opcode, _HEAD.size + len(body)) + body
