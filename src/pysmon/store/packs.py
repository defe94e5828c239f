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
Coded = Sequence[Any]  # a column as it lies in a pack

_CODES = ((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"), (1 << 64, "Q"))
_FOREIGN = sys.byteorder == "big"
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[list[Any]])


def same(values: Values) -> bool:
    """Whether all are equal."""
    return bool(values[0] == values[-1] and values.count(values[0]) == len(values))


def packed(columns: Sequence[Coded]) -> bytes:
    """The columns as one value; the first two are positions and record ids, these `apart` from those."""
    return _ENCODER.encode(columns)


def apart(record_ids: Values, positions: Values) -> Coded:
    """A column of record ids."""
    return coded([*map(sub, record_ids, positions)])


def distinct(column: Coded) -> Collection[Any]:
    """The values of a column that holds no numbers, each once."""
    return column if len(column) == 1 else column[1]


def coded(values: Values) -> Coded:
    """A column of these values; one of `[value]` is ready, if all are known to be the same."""
    if same(values):
        return [values[0]]
    if isinstance(values[0], bytes):
        return _places(values)
    try:
        return numbers(values, min(values), max(values))
    except (TypeError, OverflowError, struct.error):
        return _places(values)


def numbers(values: Values, least: int, most: int) -> Coded:
    """A column of whole numbers, of which the least and the greatest are known; OverflowError beyond 64 bits."""
    if least == most:
        return [least]
    code = _code(most - least)
    if least >= 0 and _code(most) == code:
        least = 0
    if least:
        values = [value - least for value in values]
    return [code, least, _raw(code, values)]


def _places(values: Values) -> list[object]:
    distinct = list(dict.fromkeys(values))
    places: Values = range(len(values))
    if len(distinct) < len(values):
        places = [*map(dict(zip(distinct, places, strict=False)).__getitem__, values)]
    code = _code(len(distinct) - 1)
    return [code, distinct, _raw(code, places)]


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
        self._numbers: dict[str, array[int]] = {}
        self._positions: Values = ()

    def __len__(self) -> int:
        """How many rows it holds."""
        return len(self.positions)

    @property
    def positions(self) -> Values:
        """Where in the log its rows stand; DamagedError."""
        if not self._positions:
            coded = self.names[self._position]
            self._positions = coded if len(coded) == 1 else self.values(self._position, None)
        return self._positions

    def distinct(self, name: str) -> Collection[Any]:
        """The values of a column, each once; DamagedError."""
        coded = self.names[name]
        if name == self._record_id:
            return set(self.column(name))
        if len(coded) == 1:
            return coded
        if isinstance(coded[1], list):
            return coded[1]
        numbers, least = set(self._numbers_of(name)), coded[1]
        return {number + least for number in numbers} if least else numbers

    def column(self, name: str) -> Values:
        """All values of a column; DamagedError."""
        found = self.values(name, None)
        if len(found) != len(self):
            raise DamagedError(f"{name} of a pack has {len(found)} values for {len(self)} rows")
        return found

    def values(self, name: str, places: Sequence[int] | None) -> Values:
        """The values of a column at these places, or all; DamagedError."""
        coded = self.names[name]
        try:
            if len(coded) == 1:
                found = coded * len(self if places is None else places)
            else:
                numbers, said = self._numbers_of(name), coded[1]
                chosen = numbers if places is None else [numbers[place] for place in places]
                if isinstance(said, list):
                    found = [said[number] for number in chosen]
                else:
                    found = [number + said for number in chosen]
            if name == self._record_id:
                found = [*map(add, found, self.values(self._position, places))]
        except (LookupError, TypeError) as error:
            raise DamagedError(f"{name} of a pack cannot be read: {error}") from error
        return found

    def _numbers_of(self, name: str) -> array[int]:
        found = self._numbers.get(name)
        if found is None:
            try:
                code, _, raw = self.names[name]
                found = array(code)
                found.frombytes(raw)
            except (TypeError, ValueError) as error:
                raise DamagedError(f"{name} of a pack cannot be read: {error}") from error
            self._numbers[name] = _in_order(found)
        return found
