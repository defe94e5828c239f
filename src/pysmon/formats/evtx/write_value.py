"""Values as bytes of their type. A kind of value is a table from Python's value to bytes that fills itself.

The same image, user and guid come again and again: looking them up is several times as fast as making their bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from pysmon.formats.evtx.layout import ValueType
from pysmon.formats.visible import spelled

_MOST_KEPT = 8192  # values of a kind
_LONGEST_KEPT = 800  # bytes: longer texts hardly come again
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # by XML 1.0
_GUID = re.compile(r"\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}")
_HEX = re.compile("0x(?:0|[1-9a-f][0-9a-f]*)")
_DECIMAL = re.compile("0|[1-9][0-9]*")


class UnfitError(ValueError):
    """The value cannot be written as this type so that readers show it as it was."""


class Codec(dict[Any, bytes]):
    """Bytes by value, for one type."""

    def __init__(self, type_: ValueType, pack: Callable[[Any], bytes], *, longest: int = _LONGEST_KEPT) -> None:
        """`pack` makes the bytes, or raises UnfitError. What has more bytes than `longest` is made anew each time."""
        super().__init__()
        self.type = type_
        self._pack = pack
        self._longest = longest

    def __missing__(self, value: Any) -> bytes:
        """Make the bytes, and keep them if they are likely to be asked for again."""
        data = self._pack(value)
        if len(data) <= self._longest:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[value] = data
        return data


def shown(value: object) -> str:
    """The text of a value as it can be written: what XML 1.0 forbids, NUL and lone surrogates among it, spelled out."""
    text = value if isinstance(value, str) else "-" if value is None else str(value)
    return text if text.isprintable() else _FORBIDDEN.sub(lambda found: spelled(found[0]), text)


def _string(value: object) -> bytes:
    return shown(value).encode("utf-16-le")


def _guid(value: object) -> bytes:
    if not isinstance(value, str) or not _GUID.fullmatch(value):
        raise UnfitError
    return UUID(value).bytes_le


def _text_number(shape: re.Pattern[str], size: int) -> Callable[[object], bytes]:
    def pack(value: object) -> bytes:
        if not isinstance(value, str) or not shape.fullmatch(value) or len(value) > 20:
            raise UnfitError
        return _sized(int(value, 0), size)

    return pack


def _number(size: int) -> Callable[[object], bytes]:
    return lambda value: _sized(value, size)


def _sized(value: object, size: int) -> bytes:
    if not isinstance(value, int) or value < 0 or value >> 8 * size:
        raise UnfitError
    return value.to_bytes(size, "little")


def _boolean(value: object) -> bytes:
    if not isinstance(value, int) or value not in (0, 1):
        raise UnfitError
    return value.to_bytes(4, "little")


def _spelled(codecs: Sequence[Codec]) -> Codec:
    """Text for what fits none of them. It refuses what does, so that one odd value does not turn all into text."""

    def pack(value: object) -> bytes:
        if any(_fits(codec, value) for codec in codecs):
            raise UnfitError
        return _string(value)

    return Codec(ValueType.STRING, pack)


def _fits(codec: Codec, value: object) -> bool:
    try:
        return codec[value] is not None
    except (UnfitError, TypeError):  # TypeError: no value that could be looked up at all
        return False


def _typed(*codecs: Codec) -> tuple[Codec, ...]:
    return (*codecs, _spelled(codecs))


STRING = Codec(ValueType.STRING, _string)
_U16 = Codec(ValueType.UINT16, _number(2))
_U32 = Codec(ValueType.UINT32, _number(4))
_U64 = Codec(ValueType.UINT64, _number(8))
_HEX32 = Codec(ValueType.HEX_INT32, _text_number(_HEX, 4))
_HEX64 = Codec(ValueType.HEX_INT64, _text_number(_HEX, 8))
_DECIMAL64 = Codec(ValueType.UINT64, _text_number(_DECIMAL, 8))  # on Linux LogonId is a user id

# By the type that the manifest declares: that type, others that would do, and text.
CODECS: dict[str, tuple[Codec, ...]] = {
    "win:UnicodeString": (STRING,),
    "win:GUID": _typed(Codec(ValueType.GUID, _guid)),
    "win:HexInt32": _typed(_HEX32),
    "win:HexInt64": _typed(_HEX64, _DECIMAL64),
    "win:UInt16": _typed(_U16),
    "win:UInt32": _typed(_U32),
    "win:UInt64": _typed(_U64),
    "win:Boolean": _typed(Codec(ValueType.BOOLEAN, _boolean)),
}


def fitting(in_type: str, value: object) -> Codec:
    """The type to write a value as: what the manifest declares, or the nearest that shows it as it is."""
    return next((codec for codec in CODECS[in_type] if _fits(codec, value)), STRING)
