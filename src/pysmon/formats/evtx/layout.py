"""What an EVTX file is made of: headers, records, the tokens and value types of binary XML. Reader and writer use it.

A file is a header of 4,096 bytes and chunks of 65,536. A chunk is a header of 512 bytes and records; every offset in it
counts from its own first byte, so that a chunk can be read without the rest of the file. A record is binary XML: an
instance of a template, whose definition lies where the chunk's first record with it does.

Microsoft documents the tokens (MS-EVEN6, 2.2.12), not the file. The rest is as in files that Windows wrote.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

FILE_MAGIC = b"ElfFile\0"
CHUNK_MAGIC = b"ElfChnk\0"
RECORD_MAGIC = b"**\0\0"
FILE_HEADER_SIZE = 4096
CHUNK_SIZE = 65536
CHUNK_HEADER_SIZE = 512
NAME_BUCKETS = 64  # a name lies in the list that its hash modulo this points to
TEMPLATE_BUCKETS = 32  # a template in the list that the first u32 of its GUID modulo this points to

RECORD = struct.Struct("<4sIQQ")  # magic, size, record id, FILETIME; the size stands once more in the last 4 bytes
NAME = struct.Struct("<IHH")  # next in bucket, hash, characters; then UTF-16 and a zero character
TEMPLATE = struct.Struct("<I16sI")  # next in bucket, GUID, size of the binary XML that follows
INSTANCE = struct.Struct("<BBII")  # token, 1, first u32 of the GUID, offset of the definition
DESCRIPTOR = struct.Struct("<HBB")  # size of a value, its type, 0; as many as the u32 before them says
FRAGMENT = b"\x0f\x01\x01\x00"  # what binary XML begins with: token, version 1.1, flags

_FILE = struct.Struct("<8sQQQIHHHH76xII")
_CHUNK = struct.Struct("<8sQQQQIIII64xII")
_NAME_TABLE = 128  # where in a chunk's header the buckets begin; up to here the checksum stands
_UNIX_EPOCH = 116_444_736_000_000_000  # in FILETIME: 100 ns since 1601
_DIRTY, _FULL = 1, 2


class Token(IntEnum):
    """What comes next in binary XML; `MORE` is added where attributes, or more of them, follow."""

    END = 0x00
    OPEN_ELEMENT = 0x01
    CLOSE_START = 0x02  # of a start tag: content follows
    CLOSE_EMPTY = 0x03  # of a start tag without content
    END_ELEMENT = 0x04
    VALUE = 0x05
    ATTRIBUTE = 0x06
    CDATA = 0x07
    CHARACTER_REFERENCE = 0x08
    ENTITY_REFERENCE = 0x09
    INSTRUCTION_TARGET = 0x0A
    INSTRUCTION_DATA = 0x0B
    TEMPLATE_INSTANCE = 0x0C
    SUBSTITUTION = 0x0D
    OPTIONAL_SUBSTITUTION = 0x0E  # leaves element or attribute out if the value is null
    FRAGMENT_HEADER = 0x0F
    MORE = 0x40


class ValueType(IntEnum):
    """How the bytes of a value are to be read; `ARRAY` is added for several of them."""

    NULL = 0x00
    STRING = 0x01  # UTF-16, without a zero at its end
    ANSI_STRING = 0x02
    INT8 = 0x03
    UINT8 = 0x04
    INT16 = 0x05
    UINT16 = 0x06
    INT32 = 0x07
    UINT32 = 0x08
    INT64 = 0x09
    UINT64 = 0x0A
    REAL32 = 0x0B
    REAL64 = 0x0C
    BOOLEAN = 0x0D  # 32 bits
    BINARY = 0x0E
    GUID = 0x0F
    SIZE = 0x10
    FILETIME = 0x11
    SYSTEMTIME = 0x12
    SID = 0x13
    HEX_INT32 = 0x14
    HEX_INT64 = 0x15
    BINARY_XML = 0x21
    ARRAY = 0x80


def name_hash(name: str) -> int:
    """The hash of the name of an element or attribute, 16 bits."""
    total = 0
    for (unit,) in struct.iter_unpack("<H", name.encode("utf-16-le")):
        total = total * 65599 + unit & 0xFFFFFFFF
    return total & 0xFFFF


def filetime(ns: int) -> int:
    """A FILETIME (100 ns since 1601) of nanoseconds since 1970; what is finer is cut off."""
    return ns // 100 + _UNIX_EPOCH


def unix_ns(filetime: int) -> int:
    """Nanoseconds since 1970 of a FILETIME."""
    return (filetime - _UNIX_EPOCH) * 100


def pack_sid(text: str) -> bytes:
    """The bytes of a security identifier: `S-1-5-18`; ValueError if it is none."""
    try:
        mark, revision, authority, *subs = text.split("-")
        if mark != "S" or len(subs) > 15:
            raise ValueError
        head = bytes([int(revision), len(subs)]) + int(authority, 0).to_bytes(6, "big")
        return head + struct.pack(f"<{len(subs)}I", *map(int, subs))
    except (ValueError, OverflowError, struct.error):
        raise ValueError(f"not a security identifier: {text!r} (expected S-1-5-18)") from None


def unpack_sid(data: bytes) -> str:
    """The text of a security identifier; ValueError if the bytes are none."""
    if len(data) < 8 or len(data) < 8 + 4 * data[1]:
        raise ValueError(f"a security identifier of {len(data)} bytes is cut short")
    authority = int.from_bytes(data[2:8], "big")
    return "-".join(map(str, ("S", data[0], authority, *struct.unpack_from(f"<{data[1]}I", data, 8))))


@dataclass(frozen=True, slots=True)
class FileHeader:
    """The first 128 bytes of a file. Windows brings it up to date late: a dirty one may know of too few chunks."""

    first_chunk: int
    last_chunk: int
    next_record: int
    chunks: int
    flags: int
    minor: int = 1
    sound: bool = True  # whether the checksum fitted when it was read

    @property
    def dirty(self) -> bool:
        """Whether the file was not closed in good order."""
        return bool(self.flags & _DIRTY)

    def pack(self) -> bytes:
        """The header with its checksum, 128 bytes."""
        sizes = (128, self.minor, 3, FILE_HEADER_SIZE, self.chunks)
        numbers = (FILE_MAGIC, self.first_chunk, self.last_chunk, self.next_record)
        data = _FILE.pack(*numbers, *sizes, self.flags, 0)
        return data[:124] + zlib.crc32(data[:120]).to_bytes(4, "little")

    @classmethod
    def unpack(cls, data: bytes) -> FileHeader:
        """Read it; ValueError if the bytes are no such header. A wrong checksum only makes it not `sound`."""
        if len(data) < _FILE.size or data[:8] != FILE_MAGIC:
            raise ValueError("it does not begin with ElfFile, as every EVTX file does")
        _, first, last, following, _, minor, major, _, chunks, flags, crc = _FILE.unpack_from(data)
        if major != 3:
            raise ValueError(f"it is of version {major}.{minor} (expected 3.1 or 3.2)")
        return cls(first, last, following, chunks, flags, minor, crc == zlib.crc32(data[:120]))


@dataclass(frozen=True, slots=True)
class ChunkHeader:
    """The header of a chunk. Numbers count the records of the file, ids are those that the records bear."""

    first_number: int
    last_number: int
    first_id: int
    last_id: int
    last_record: int  # offset
    free: int  # offset behind the last record
    data_crc: int  # of the bytes from the end of the header to `free`
    names: tuple[int, ...]  # offset of the newest name of each bucket, 0 for none
    templates: tuple[int, ...]  # offset of the newest template of each bucket
    flags: int = 1
    sound: bool = True  # whether the header's checksum fitted when it was read

    def pack(self) -> bytes:
        """The header with its checksum, 512 bytes."""
        numbers = (self.first_number, self.last_number, self.first_id, self.last_id)
        head = _CHUNK.pack(CHUNK_MAGIC, *numbers, 128, self.last_record, self.free, self.data_crc, self.flags, 0)
        tables = struct.pack(f"<{NAME_BUCKETS + TEMPLATE_BUCKETS}I", *self.names, *self.templates)
        return head[:124] + zlib.crc32(tables, zlib.crc32(head[:120])).to_bytes(4, "little") + tables

    @classmethod
    def unpack(cls, data: bytes) -> ChunkHeader:
        """Read it; ValueError if the bytes are no such header. A wrong checksum only makes it not `sound`."""
        if len(data) < CHUNK_HEADER_SIZE or data[:8] != CHUNK_MAGIC:
            raise ValueError("it does not begin with ElfChnk, as every chunk does")
        _, *numbers, _, last_record, free, data_crc, flags, crc = _CHUNK.unpack_from(data)
        tables = struct.unpack_from(f"<{NAME_BUCKETS + TEMPLATE_BUCKETS}I", data, _NAME_TABLE)
        sound = crc == zlib.crc32(data[_NAME_TABLE:CHUNK_HEADER_SIZE], zlib.crc32(data[:120]))
        names, templates = tables[:NAME_BUCKETS], tables[NAME_BUCKETS:]
        first, last, first_id, last_id = numbers
        return cls(first, last, first_id, last_id, last_record, free, data_crc, names, templates, flags, sound)
