"""Values from the bytes of their type, as Windows shows them. A kind of value is a table that fills itself.

The same image, user and guid come again and again: a text that was made before is also found faster by whoever looks
it up, since it knows its hash.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from pysmon.formats.clock import system_time
from pysmon.formats.evtx.layout import ValueType, unix_ns, unpack_sid

_MOST_KEPT = 32768  # values of a kind
_LONGEST_KEPT = 4096  # bytes of one: call traces are long, and come again
_MOST_BYTES = 8 << 20  # of all of a kind
_T = TypeVar("_T")


class Values(dict[bytes, _T], Generic[_T]):
    """Values by their bytes."""

    def __init__(self, read: Callable[[bytes], _T]) -> None:
        """`read` makes the value, or raises ValueError."""
        super().__init__()
        self._read = read
        self._bytes = 0

    def __missing__(self, data: bytes) -> _T:
        """Make the value, and keep it if it is likely to be asked for again."""
        value = self._read(data)
        if len(data) <= _LONGEST_KEPT:
            self._bytes += len(data)
            if len(self) >= _MOST_KEPT or self._bytes > _MOST_BYTES:
                self.clear()
                self._bytes = len(data)
            self[data] = value
        return value


def _string(data: bytes) -> str:
    if len(data) & 1:
        raise ValueError(f"a text of {len(data)} bytes (expected an even number)")
    return data.decode("utf-16-le", "surrogatepass").rstrip("\0")


def _guid(data: bytes) -> str:
    first, second, third = struct.unpack_from("<IHH", _sized(data, 16))
    return f"{{{first:08x}-{second:04x}-{third:04x}-{data[8:10].hex()}-{data[10:].hex()}}}"


def _sized(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise ValueError(f"a value of {len(data)} bytes (expected {size})")
    return data


def _unsigned(size: int) -> Callable[[bytes], int]:
    return lambda data: int.from_bytes(_sized(data, size), "little")


def _signed(size: int) -> Callable[[bytes], int]:
    return lambda data: int.from_bytes(_sized(data, size), "little", signed=True)


def _hex(size: int) -> Callable[[bytes], str]:
    return lambda data: f"0x{int.from_bytes(_sized(data, size), 'little'):x}"


def _systemtime(data: bytes) -> str:
    year, month, _, day, hour, minute, second, ms = struct.unpack("<8H", _sized(data, 16))
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"


def _real(form: str) -> Callable[[bytes], float]:
    shape = struct.Struct(form)
    return lambda data: float(shape.unpack(_sized(data, shape.size))[0])


def _filetime(data: bytes) -> str:
    try:
        return system_time(unix_ns(int.from_bytes(_sized(data, 8), "little")))
    except OverflowError as error:
        raise ValueError(f"no time: {data.hex()}") from error


STRING = Values(_string)
GUID = Values(_guid)
SID = Values(unpack_sid)
UINT16 = Values(_unsigned(2))
UINT32 = Values(_unsigned(4))

BY_TYPE: Mapping[int, Values[Any]] = {
    ValueType.STRING: STRING,
    ValueType.ANSI_STRING: Values(lambda data: data.decode("cp1252", "replace").rstrip("\0")),
    ValueType.INT8: Values(_signed(1)),
    ValueType.UINT8: Values(_unsigned(1)),
    ValueType.INT16: Values(_signed(2)),
    ValueType.UINT16: UINT16,
    ValueType.INT32: Values(_signed(4)),
    ValueType.UINT32: UINT32,
    ValueType.INT64: Values(_signed(8)),
    ValueType.UINT64: Values(_unsigned(8)),
    ValueType.REAL32: Values(_real("<f")),
    ValueType.REAL64: Values(_real("<d")),
    ValueType.BOOLEAN: Values(any),
    ValueType.BINARY: Values(lambda data: data.hex().upper()),
    ValueType.GUID: GUID,
    ValueType.SIZE: Values(lambda data: f"0x{int.from_bytes(data, 'little'):x}"),
    ValueType.FILETIME: Values(_filetime),
    ValueType.SYSTEMTIME: Values(_systemtime),
    ValueType.SID: SID,
    ValueType.HEX_INT32: Values(_hex(4)),
    ValueType.HEX_INT64: Values(_hex(8)),
}


def value_of(kind: int, data: bytes) -> Any:
    """A value of any type; None for null, texts of arrays with a comma between each two. ValueError if it is none."""
    if kind == ValueType.NULL:
        return None
    if kind & ValueType.ARRAY:
        return _array(kind & ~ValueType.ARRAY, data)
    table = BY_TYPE.get(kind)
    if table is None:
        raise ValueError(f"a value of the unknown type {kind:#x}")
    return table[data] if data else _EMPTY.get(kind)


_EMPTY: Mapping[int, str] = {ValueType.STRING: "", ValueType.ANSI_STRING: "", ValueType.BINARY: ""}
_ARRAY_SIZES = {
    **dict.fromkeys((ValueType.INT8, ValueType.UINT8), 1),
    **dict.fromkeys((ValueType.INT16, ValueType.UINT16), 2),
    **dict.fromkeys((ValueType.INT32, ValueType.UINT32, ValueType.REAL32, ValueType.BOOLEAN), 4),
    **dict.fromkeys((ValueType.INT64, ValueType.UINT64, ValueType.REAL64, ValueType.FILETIME), 8),
    **dict.fromkeys((ValueType.GUID, ValueType.SYSTEMTIME), 16),
    ValueType.HEX_INT32: 4,
    ValueType.HEX_INT64: 8,
}


def _array(kind: int, data: bytes) -> str:
    if kind == ValueType.STRING:
        return ", ".join(STRING[data].split("\0"))
    size = _ARRAY_SIZES.get(ValueType(kind))
    if size is None:
        raise ValueError(f"an array of the type {kind:#x}")
    return ", ".join(str(value_of(kind, data[at : at + size])) for at in range(0, len(data), size))
