"""Values that lie as they did before: taken out at once, and the same as one by one."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.formats.entries import any_event
from tests.sources.evtx_files import ORIGIN, TIME, evtx

from pysmon.formats.evtx.layout import ValueType
from pysmon.formats.evtx.read_value import STRING, UINT32
from pysmon.schema.entry import Entry
from pysmon.schema.event import EVENTS, Event
from pysmon.sources import evtx as sources_evtx
from pysmon.sources.evtx_cut import cut
from pysmon.sources.evtx_plan import Constant, Recipe, Table
from pysmon.sources.open import open_sources

RECIPE = Recipe(EVENTS[1], (), (), {}, (), ())
SIZES = (2, 4, 6)
DATA = b"...." + "a".encode("utf-16-le") + struct.pack("<I", 7) + "bcd".encode("utf-16-le")


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        ([], ()),
        ([(0, STRING)], ("a",)),
        ([(2, STRING)], ("bcd",)),
        ([(0, STRING), (1, UINT32), (2, STRING)], ("a", 7, "bcd")),
        ([(2, STRING), (0, STRING)], ("bcd", "a")),
        ([(2, STRING), (0, Constant(None)), (0, STRING), (1, UINT32)], ("bcd", None, "a", 7)),
    ],
)
def test_what_is_wanted_comes_in_the_order_in_which_it_is_wanted(
    wanted: list[tuple[int, Table]], values: tuple[object, ...]
) -> None:
    made = cut(RECIPE, wanted, SIZES)
    assert made is not None
    assert made.size == 12
    assert made.values(DATA, 4) == values


def test_what_is_no_value_is_left_to_who_looks_at_each() -> None:
    made = cut(RECIPE, [(0, UINT32)], SIZES)
    assert made is not None
    assert made.values(DATA, 4) is None


def test_nothing_is_cut_that_must_be_looked_at_each_time() -> None:
    assert cut(RECIPE, [(0, STRING), (0, STRING)], SIZES) is None
    odd = Recipe(EVENTS[1], (ValueType.STRING,), (), {}, (("New", 0),), ("New",))
    assert cut(odd, [(0, STRING)], (2,)) is None


def some(count: int) -> Iterator[Entry[Event]]:
    """Events of several types; many are as long as others."""
    foreign = ORIGIN.foreign
    assert foreign is not None
    for n in range(1, count + 1):
        made = EVENTS[(1, 3, 7, 10, 11)[n % 5]]
        values = {f.name: "2019-04-27 15:57:53.368" for f in made.fields if f.kind.name == "time"}
        values |= {f.name: f"0x{n % 9:x}" for f in made.fields if f.kind.name.startswith("hex")}
        values |= {f.name: f"C:\\{n % 7}\\{'x' * (n % 3)}" for f in made.fields if "Image" in f.name}
        said = replace(foreign, version=made.version, fields=tuple(f.name for f in made.fields))
        yield Entry(n, TIME, any_event(made, **values), replace(ORIGIN, foreign=said))


def test_events_are_the_same_the_first_time_and_ever_after(tmp_path: Path) -> None:
    entries = list(some(600))
    (source,) = open_sources([evtx(tmp_path / "x.evtx", entries)])
    wanted = {1: ("CommandLine", "Image", "ProcessId"), 7: ("Hashes", "Image"), 10: ("GrantedAccess",), 11: ("Image",)}
    assert list(source.entries()) == entries
    for (number, values, make), entry in zip(list(source.rows(wanted)), entries, strict=True):
        assert values == tuple(getattr(entry.event, name) for name in wanted.get(number, ()))
        assert make() == entry


def test_no_more_templates_are_kept_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = list(some(600))
    (source,) = open_sources([evtx(tmp_path / "x.evtx", entries)])
    kept: list[int] = []
    make_room = sources_evtx._make_room

    def watched(templates: dict[Any, Any]) -> None:
        make_room(templates)
        kept.append(len(templates))

    monkeypatch.setattr(sources_evtx, "_MOST_KEPT", 2)
    monkeypatch.setattr(sources_evtx, "_make_room", watched)
    assert list(source.entries()) == entries
    assert max(kept) == 1
