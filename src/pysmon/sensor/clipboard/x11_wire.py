"""The X11 protocol, as far as a reader of the clipboard speaks it: requests to bytes, bytes to packets.

X Window System Protocol, version 11; XFIXES 2.0; X-Resource 1.2. Numbers go in little-endian order, as asked for.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from pysmon.sensor.clipboard.change import LIMIT, DisplayError

ERROR, REPLY, PROPERTY_NOTIFY, SELECTION_NOTIFY = 0, 1, 28, 31
STRING, ANY = 31, 0  # an atom that every server has; any type
NEW_VALUE = 0  # state of a PROPERTY_NOTIFY
_GENERIC = 35  # an event of any length
_HEAD = 32  # bytes of every packet
_PROPERTY_CHANGES, _EVENT_MASK, _INPUT_ONLY = 1 << 22, 1 << 11, 2
_SELECTION_OWNER = 1  # XFIXES: tell of new owners
_LOCAL_PID = 2  # X-Resource: the process of a client
_ROOM = LIMIT + (1 << 16)  # bytes of the largest packet


class Setup(NamedTuple):
    """What the server tells first."""

    first_id: int  # of those that are ours to give
    root: int


class Property(NamedTuple):
    """A part of a property of a window."""

    type: int  # an atom
    data: bytes
    more: int  # bytes that were not asked for


def hello(name: bytes, data: bytes) -> bytes:
    """The first bytes, with what the authority file says."""
    return struct.pack("<cxHHHHxx", b"l", 11, 0, len(name), len(data)) + _padded(name) + _padded(data)


def setup_size(data: bytes | bytearray) -> int:
    """How long the answer to `hello` is; 0 if that is not known yet."""
    return 8 + 4 * int.from_bytes(data[6:8], "little") if len(data) >= 8 else 0


def setup(data: bytes) -> Setup:
    """Read the answer; DisplayError if it is a refusal."""
    if data[0] != 1:
        reason = data[8 : 8 + data[1]].decode("latin-1").strip()
        raise DisplayError(f"it refused the connection: {reason or 'no reason given'}")
    try:
        (first_id,) = struct.unpack_from("<I", data, 12)
        vendor, formats = struct.unpack_from("<H", data, 24)[0], data[29]
        (root,) = struct.unpack_from("<I", data, 40 + (vendor + 3) // 4 * 4 + 8 * formats)
    except (struct.error, IndexError) as error:
        raise DisplayError("its first answer is too short") from error
    return Setup(first_id, root)


def packet_size(data: bytes | bytearray) -> int:
    """How long the packet is that begins here; 0 if that is not known yet. DisplayError if it is out of bounds."""
    if len(data) < _HEAD:
        return 0
    more = 4 * int.from_bytes(data[4:8], "little") if data[0] & 0x7F in (REPLY, _GENERIC) else 0
    if more > _ROOM:
        raise DisplayError(f"it sent a packet of {more} bytes")
    return _HEAD + more


def number(data: bytes, at: int) -> int:
    """32 bits of a packet."""
    return int.from_bytes(data[at : at + 4], "little")


def property_of(reply: bytes) -> Property:
    """What GetProperty answered."""
    size = number(reply, 16) * reply[1] // 8
    return Property(number(reply, 8), reply[32 : 32 + size], number(reply, 12))


def process_of(reply: bytes) -> int:
    """The process that QueryClientIds answered, 0 if none."""
    return number(reply, 44) if number(reply, 8) and number(reply, 40) >= 4 else 0


def name_of(reply: bytes) -> str:
    """What GetAtomName answered."""
    return reply[32 : 32 + int.from_bytes(reply[8:10], "little")].decode("latin-1")


def query_extension(name: bytes) -> bytes:
    """Ask for the numbers of an extension."""
    return _request(98, 0, struct.pack("<Hxx", len(name)) + _padded(name))


def intern_atom(name: bytes) -> bytes:
    """Ask for the number of a name."""
    return _request(16, 0, struct.pack("<Hxx", len(name)) + _padded(name))


def get_atom_name(atom: int) -> bytes:
    """Ask for the name of a number."""
    return _request(17, 0, struct.pack("<I", atom))


def fixes_version(opcode: int) -> bytes:
    """Say which version of XFIXES is spoken."""
    return _request(opcode, 0, struct.pack("<II", 2, 0))


def tell_owners(opcode: int, window: int, selection: int) -> bytes:
    """Tell of new owners of a selection from now on."""
    return _request(opcode, 2, struct.pack("<III", window, selection, _SELECTION_OWNER))


def resource_version(opcode: int) -> bytes:
    """Say which version of X-Resource is spoken."""
    return _request(opcode, 0, struct.pack("<BBxx", 1, 2))


def query_process(opcode: int, window: int) -> bytes:
    """Ask for the process whose client has that window."""
    return _request(opcode, 4, struct.pack("<III", 1, window, _LOCAL_PID))


def create_window(window: int, parent: int) -> bytes:
    """Make a window that nobody sees, and tell of its properties."""
    body = struct.pack("<IIhhHHHHII", window, parent, -1, -1, 1, 1, 0, _INPUT_ONLY, 0, _EVENT_MASK)
    return _request(1, 0, body + struct.pack("<I", _PROPERTY_CHANGES))


def destroy_window(window: int) -> bytes:
    """Remove it, with its properties."""
    return _request(4, 0, struct.pack("<I", window))


def convert_selection(window: int, selection: int, target: int, name: int, time: int) -> bytes:
    """Ask the owner to put the selection into the property `name` of our window."""
    return _request(24, 0, struct.pack("<IIIII", window, selection, target, name, time))


def take_property(window: int, name: int) -> bytes:
    """Ask for a property, as much as is read at most, and remove it."""
    return _request(20, 1, struct.pack("<IIIII", window, name, ANY, 0, LIMIT // 4))


def _request(opcode: int, detail: int, body: bytes) -> bytes:
    return struct.pack("<BBH", opcode, detail, 1 + len(body) // 4) + body


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
