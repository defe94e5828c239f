"""Packs: entries of one type that came together, column by column, as one value.

A pack is the columns of as many rows (`tables.py`), in msgpack. One whose rows all say the same is `[value]`. Whole
numbers are `[code, least, bytes]`: what each is above the least, in as many bytes as `code` of the module `array`
says, the lowest first. Others are `[code, values, bytes]`: the distinct ones, and for each row its place among them.
A record id is told as what it is above the position, which mostly is the same for all.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Collection, Sequence
from operator import add, sub
from typing import Any

import msgspec

from pysmon.store.failure import DamagedError

Values = Sequence[Any]  # one for each row

_CODES = ((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"), (1 << 64, "Q"))
_FOREIGN = sys.byteorder == "big"
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[list[Any]])


def same(values: Values) -> bool:
    """Whether all are equal."""
    return bool(values[0] == values[-1] and values.count(values[0]) == len(values))


def packed(columns: Sequence[Values]) -> bytes:
    """The columns as one value; the first two are positions and record ids."""
    positions, record_ids, *others = columns
    return _ENCODER.encode([_column(c) for c in (positions, list(map(sub, record_ids, positions)), *others)])


def _column(values: Values) -> list[object]:
    if same(values):
        return [values[0]]
    try:
        return _numbers(values)
    except (TypeError, OverflowError):
        places = {value: place for place, value in enumerate(dict.fromkeys(values))}
        code, _, found = _numbers([*map(places.__getitem__, values)])
        return [code, list(places), found]


def _numbers(values: Values) -> list[object]:
    least, most = min(values), max(values)
    span = most - least
    code = _code(span)
    if least >= 0 and _code(most) == code:
        least = 0
    if least:
        values = [value - least for value in values]
    return [code, least, _raw(code, values)]


def _raw(code: str, values: Values) -> bytes:
    if code == "B":
        return bytes(values)
    if code == "H":
        return struct.pack(f"<{len(values)}H", *values)  # a third of what `array` takes for these
    return _in_order(array(code, values)).tobytes()


def _code(most: int) -> str:
    for bound, code in _CODES:
        if most < bound:
            return code
    raise OverflowError(most)


def _in_order(found: array[int]) -> array[int]:
    if _FOREIGN:
        found.byteswap()
    return found


class Pack:
    """A pack that was read. A column is taken apart when it is asked for."""

    def __init__(self, columns: bytes, names: Sequence[str]) -> None:
        """`names` are those of its columns, in their order; DamagedError."""
        try:
            self.names = dict(zip(names, _DECODER.decode(columns), strict=True))  # and what is under them
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            raise DamagedError(f"a pack that cannot be read: {error}") from error
        self._position, self._record_id = names[:2]
        self._known: dict[str, Values] = {}

    def __len__(self) -> int:
        """How many rows it holds."""
        return len(self.positions)

    @property
    def positions(self) -> Values:
        """Where in the log its rows stand."""
        return self.column(self._position)

    def distinct(self, name: str) -> Collection[Any]:
        """The values of a column, each once."""
        coded = self.names[name]
        if name == self._record_id or (len(coded) == 3 and not isinstance(coded[1], list)):
            return set(self.column(name))
        return coded if len(coded) == 1 else coded[1]

    def column(self, name: str) -> Values:
        """The values of a column; DamagedError."""
        found = self._known.get(name)
        if found is None:
            found = self._column(name, 0 if name == self._position else len(self))
            if name == self._record_id:
                found = [*map(add, found, self.positions)]
            self._known[name] = found
        return found

    def _column(self, name: str, rows: int) -> Values:
        try:
            found = _unpacked(self.names[name], rows)
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            raise DamagedError(f"{name} of a pack cannot be read: {error}") from error
        if rows and len(found) != rows:
            raise DamagedError(f"{name} of a pack has {len(found)} values for {rows} rows")
        return found


def _unpacked(coded: list[Any], rows: int) -> Values:
    if len(coded) == 1:
        return coded * max(rows, 1)
    code, said, raw = coded
    found = array(code)
    found.frombytes(raw)
    numbers = _in_order(found)
    if isinstance(said, list):
        return [said[place] for place in numbers]
    return [number + said for number in numbers] if said else numbers
