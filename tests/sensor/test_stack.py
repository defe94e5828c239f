"""How much stack the kernel programs take: before Linux 6.13 all functions in a row share 512 bytes.

A newer kernel loads what an older one refuses, so that this is counted here: in the instructions of the object.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache

import pytest

from pysmon.sensor.loader import OBJECT

LIMIT = 512
ROUND = 32  # the kernel counts the stack of a function in steps of it
FRAME, CALL, COPY, ADD = 10, 0x85, 0xBF, 0x07  # a register and operations (linux/bpf.h)
LOADS, STORES = {1}, {2, 3}  # classes of operations
SYMBOLS, RELOCATIONS, FUNCTION, SECTION = 2, 9, 2, 3  # ELF
INSTRUCTION, SYMBOL, SECTION_ROW, RELOCATION = (struct.Struct(f) for f in ("<BBhi", "<IBBHQQ", "<IIQQQQIIQQ", "<QQ"))


@dataclass
class Function:
    """What one function takes itself, and whom it calls."""

    stack: int = 0
    calls: set[str] = field(default_factory=set)


@cache
def functions() -> dict[str, Function]:
    """All functions of the object by name."""
    data = OBJECT.read_bytes()
    (at,), (count,) = struct.unpack_from("<Q", data, 40), struct.unpack_from("<H", data, 60)
    rows = [SECTION_ROW.unpack_from(data, at + i * SECTION_ROW.size) for i in range(count)]
    table = next(r for r in rows if r[1] == SYMBOLS)
    names = rows[table[6]][4]
    symbols = list(SYMBOL.iter_unpack(data[table[4] : table[4] + table[5]]))
    places = {(s[3], s[4]): name_at(data, names + s[0]) for s in symbols if s[1] & 15 == FUNCTION}
    targets: dict[tuple[int, int], str] = {}
    for row in (r for r in rows if r[1] == RELOCATIONS):
        for offset, info in RELOCATION.iter_unpack(data[row[4] : row[4] + row[5]]):
            symbol = symbols[info >> 32]
            known = places.get((symbol[3], symbol[4])) if symbol[1] & 15 == FUNCTION else None
            targets[row[7], offset] = known or f"section {symbol[3]}"
    found = {}
    for symbol in symbols:
        if symbol[1] & 15 == FUNCTION:
            section, begin, size = symbol[3], symbol[4], symbol[5]
            code = data[rows[section][4] + begin : rows[section][4] + begin + size]
            found[places[section, begin]] = read(code, section, begin, targets, places)
    return found


def name_at(data: bytes, place: int) -> str:
    return data[place : data.index(b"\0", place)].decode()


def read(
    code: bytes, section: int, begin: int, targets: dict[tuple[int, int], str], places: dict[tuple[int, int], str]
) -> Function:
    made, copied = Function(), -1
    for i, (operation, registers, offset, number) in enumerate(INSTRUCTION.iter_unpack(code)):
        to, source, kind = registers & 15, registers >> 4, operation & 7
        if (kind in LOADS and source == FRAME) or (kind in STORES and to == FRAME):
            made.stack = max(made.stack, -offset)
        if operation == ADD and to == copied:
            made.stack = max(made.stack, -number)
        copied = to if operation == COPY and source == FRAME else -1
        if operation == CALL and source == 1:
            place = begin + i * INSTRUCTION.size
            called = targets.get((section, place))
            if called is None or called.startswith("section "):
                base = int(called.split()[1]) if called else section
                start = 0 if called else place
                called = places[base, start + (number + 1) * INSTRUCTION.size]
            made.calls.add(called)
    return made


def depth(name: str) -> int:
    """The stack of a function and of the longest row of functions below it."""
    found = functions()[name]
    own = -(-max(found.stack, 1) // ROUND) * ROUND
    return own + max(map(depth, found.calls), default=0)


def test_no_row_of_calls_takes_more_stack_than_old_kernels_give() -> None:
    if not OBJECT.is_file():
        pytest.skip("the kernel object is not built")
    depths = {name: depth(name) for name in functions()}
    assert len(depths) > 50
    assert {name: size for name, size in depths.items() if size > LIMIT} == {}


def test_calls_and_stack_are_found_in_the_object() -> None:
    if not OBJECT.is_file():
        pytest.skip("the kernel object is not built")
    made = functions()
    assert "put_path" in made["accessed"].calls
    callers = defaultdict(set)
    for name, function in made.items():
        for called in function.calls:
            callers[called].add(name)
    assert callers["region_at"] >= {"put_frame", "injected", "begin_unlocking"}
    assert made["injected"].stack > 48  # its key alone takes as much
