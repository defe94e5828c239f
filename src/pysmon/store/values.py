"""How a field's value lies in a column, by its kind; every value comes back equal, however odd.

* Text (and hex numbers, which are text) lies in a dictionary (`blocks.py`), the column holds its number. `-` is 0 and
  in no dictionary.
* A guid is 16 bytes, a time is milliseconds since 1970; one that is not written in the usual form is the bytes of its
  text, a guid's between marks if these are needed to make them other than 16.
* A number is an integer; one that 64 bits do not hold is its digits.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pysmon.schema.kinds import Kind

_MARK = b"\xff"  # in no text
GUID_SIZE = 16
Column = int | str | bytes | None  # what SQLite keeps

NONE = "-"
INTERNED = {"text", "hexint32", "hexint64"}  # kinds whose columns hold numbers of the dictionary

_GUID = re.compile(r"\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}")
_FORM = b"{00000000-0000-0000-0000-000000000000}"
_SAME_DIGITS = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_BREAK = b"\n"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.")  # to the second
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
_MILLIS = {f"{number:03}": number for number in range(1000)}


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
    return odd + _MARK if len(odd) == GUID_SIZE else odd


def guids_to_columns(texts: Sequence[str]) -> list[bytes]:
    """The same of several: each once, and all together if they are in the usual form."""
    distinct = dict.fromkeys(texts)
    if len(distinct) < len(texts):
        known = dict(zip(distinct, guids_to_columns(tuple(distinct)), strict=True))
        return [*map(known.__getitem__, texts)]
    try:
        joined = "\n".join(texts).encode("ascii")
    except UnicodeEncodeError:
        return [*map(guid_to_column, texts)]
    if joined.translate(_SAME_DIGITS) + _BREAK != (_FORM + _BREAK) * len(texts):
        return [*map(guid_to_column, texts)]
    found = unhexlify(joined.translate(None, b"{-}" + _BREAK))
    return [found[at : at + GUID_SIZE] for at in range(0, len(found), GUID_SIZE)]


@lru_cache(4096)
def guid_of_column(column: bytes) -> str:
    """The guid that `guid_to_column` was given."""
    if len(column) != GUID_SIZE:
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


def times_to_columns(texts: Sequence[str]) -> list[bytes | int]:
    """The same of several: each once, and many of them are in one second."""
    distinct = dict.fromkeys(texts)
    if len(distinct) * 2 <= len(texts):
        known = dict(zip(distinct, times_to_columns(tuple(distinct)), strict=True))
        return [*map(known.__getitem__, texts)]
    made: list[bytes | int] = []
    begin, millis = "", None
    for text in texts:
        if text[:20] != begin:
            begin = text[:20]
            seconds = _seconds(begin)
            millis = None if seconds is None else seconds * 1000
        part = _MILLIS.get(text[20:])
        made.append(time_to_column(text) if part is None or millis is None else millis + part)
    return made


def time_of_column(column: bytes | int) -> str:
    """The time that `time_to_column` was given."""
    return decoded(column) if isinstance(column, bytes) else f"{_written(column // 1000)}.{column % 1000:03}"


def number_to_column(number: int | None) -> Column:
    """A number or a boolean as it lies in a column."""
    return number if number is None or _LEAST <= number <= _MOST else str(number)


def numbers_to_columns(numbers: Sequence[Any]) -> Sequence[Column]:
    """The same of several."""
    try:
        if min(numbers) >= _LEAST and max(numbers) <= _MOST:
            return numbers
    except TypeError:  # one of them is None
        pass
    return [*map(number_to_column, numbers)]


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
_ALL_TO: dict[str, Callable[[Sequence[Any]], Sequence[Column]]] = {"guid": guids_to_columns, "time": times_to_columns}
_OF: dict[str, Callable[[Any], Any]] = {
    "guid": guid_of_column,
    "time": time_of_column,
    "boolean": boolean_of_column,
}


def to_column(kind: Kind) -> Callable[[Any], Column]:
    """The way into a column of that kind, for all but texts."""
    return _TO.get(kind.name, number_to_column)


def all_to_column(kind: Kind) -> Callable[[Sequence[Any]], Sequence[Column]]:
    """The same way, for several at once."""
    return _ALL_TO.get(kind.name, numbers_to_columns)


def of_column(kind: Kind) -> Callable[[Any], Any]:
    """The way back."""
    return _OF.get(kind.name, number_of_column)
