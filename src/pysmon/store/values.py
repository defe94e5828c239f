"""How a field's value lies in a column, by its kind; every value comes back equal, however odd.

* Text (and hex numbers, which are text) lies in a dictionary (`blocks.py`), the column holds its number. `-` is 0 and
  in no dictionary.
* A guid is 16 bytes, a time is milliseconds since 1970; one that is not written in the usual form is the bytes of its
  text, a guid's between marks if these are needed to make them other than 16.
* A number is an integer; one that 64 bits do not hold is its digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pysmon.schema.kinds import Kind

_MARK = b"\xff"  # in no text
_GUID_SIZE = 16
Column = int | str | bytes | None  # what SQLite keeps

NONE = "-"
INTERNED = {"text", "hexint32", "hexint64"}  # kinds whose columns hold numbers of the dictionary

_GUID = re.compile(r"\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.")  # to the second
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = range(-(1 << 63), 1 << 63)


def encoded(text: str) -> bytes:
    """A text as bytes; they hold no byte 0xff."""
    return text.encode("utf-8", "surrogatepass")


def all_encoded(texts: list[str]) -> list[bytes]:
    """The same of several."""
    try:
        return [*map(str.encode, texts)]
    except UnicodeEncodeError:
        return [*map(encoded, texts)]


def decoded(column: bytes) -> str:
    """The text that `encoded` was given."""
    return column.decode("utf-8", "surrogatepass")


def is_guid(text: str) -> bool:
    """Whether it is a guid in the usual form, which lies in a column as 16 bytes."""
    return _GUID.fullmatch(text) is not None


@lru_cache(4096)
def guid_to_column(text: str) -> bytes:
    """A guid as it lies in a column."""
    if is_guid(text):
        return bytes.fromhex(text[1:-1].replace("-", ""))
    odd = _MARK + encoded(text)
    return odd + _MARK if len(odd) == _GUID_SIZE else odd


@lru_cache(4096)
def guid_of_column(column: bytes) -> str:
    """The guid that `guid_to_column` was given."""
    if len(column) != _GUID_SIZE:
        return decoded(column.strip(_MARK))
    hexed = column.hex()
    return f"{{{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}}}"


def time_to_column(text: str) -> bytes | int:
    """A time as it lies in a column."""
    part = text[20:]
    if len(part) == 3 and part.isdigit() and text.isascii():
        seconds = _seconds(text[:20])
        if seconds is not None:
            return seconds * 1000 + int(part)
    return encoded(text)


def time_of_column(column: bytes | int) -> str:
    """The time that `time_to_column` was given."""
    return decoded(column) if isinstance(column, bytes) else f"{_written(column // 1000)}.{column % 1000:03}"


def number_to_column(number: int | None) -> Column:
    """A number or a boolean as it lies in a column."""
    return number if number is None or number in _INT64 else str(number)


def number_of_column(column: Column) -> Any:
    """The number that `number_to_column` was given."""
    return int(column) if isinstance(column, str) else column


def boolean_of_column(column: Column) -> bool | None:
    """The boolean that `number_to_column` was given."""
    return None if column is None else bool(column)


@lru_cache(256)
def _seconds(text: str) -> int | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        return (datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
    except ValueError:
        return None


@lru_cache(1024)
def _written(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(" ")


_TO: dict[str, Callable[[Any], Column]] = {"guid": guid_to_column, "time": time_to_column}
_OF: dict[str, Callable[[Any], Any]] = {
    "guid": guid_of_column,
    "time": time_of_column,
    "boolean": boolean_of_column,
}


def to_column(kind: Kind) -> Callable[[Any], Column]:
    """The way into a column of that kind, for all but texts."""
    return _TO.get(kind.name, number_to_column)


def of_column(kind: Kind) -> Callable[[Any], Any]:
    """The way back."""
    return _OF.get(kind.name, number_of_column)
