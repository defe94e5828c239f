"""Logs of a megabyte of what begins and never ends: read in the time that any megabyte takes, not in its square."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sources.shapes import CREATE, evtx_dump

from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sources.open import SHAPES
from pysmon.sources.source import Tally
from pysmon.sources.streams import Bytes

SIZE = 1 << 20
OURS = b"<Event><System><Provider Name='Microsoft-Windows-Sysmon'/>"

ENDLESS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "tags": ("xml", lambda: b"<Event><System>" + b"<Provider " * (SIZE // 10) + b"</System></Event>"),
    "elements": ("xml", lambda: OURS + b"<EventID " * (SIZE // 9) + b"</System></Event>"),
    "CDATA": ("xml", lambda: b"<Event><System></System>" + b"<![CDATA[" * (SIZE // 9) + b"</Event>"),
    "comments": ("xml", lambda: b"<Event><System></System>" + b"<!--" * (SIZE // 4) + b"</Event>"),
    "events": ("xml", lambda: b"<Event " * (SIZE // 7)),
    "a text of quotes": ("evtx_dump", lambda: b'{"a":\n"' + b'\\"' * (SIZE // 2)),
    "objects": ("evtx_dump", lambda: b"{\n" * (SIZE // 2)),
    "lines": ("evtx_dump", lambda: b"{" + b"\n" * SIZE),
}


def read(form: str, path: Path, data: bytes) -> tuple[list[Entry[Event]], Tally]:
    path.write_bytes(data)
    tally = Tally()
    return [make() for _, _, make in SHAPES[form].read(Bytes(str(path), path), tally, {})], tally


@pytest.mark.parametrize(("form", "made"), ENDLESS.values(), ids=ENDLESS.keys())
def test_what_never_ends_is_read_to_its_end(form: str, made: Callable[[], bytes], tmp_path: Path) -> None:
    entries, tally = read(form, tmp_path / "log", made())
    assert entries == []
    assert tally.words()


def test_a_brace_in_a_text_ends_no_object_where_the_text_is_cut(tmp_path: Path) -> None:
    event = evtx_dump(CREATE)
    event["Event"]["EventData"]["CommandLine"] = "}" * (1 << 18)  # more than is read at once
    entries, tally = read("evtx_dump", tmp_path / "log", json.dumps([event, event], indent=1).encode())
    assert (len(entries), tally.damages) == (2, 0)


def test_after_an_object_that_does_not_end_the_next_one_is_read(tmp_path: Path) -> None:
    whole = json.dumps(evtx_dump(CREATE), indent=1)
    entries, tally = read("evtx_dump", tmp_path / "log", f'{{\n"a": "b\n{whole}\n{whole}\n'.encode())
    assert len(entries) >= 1
    assert tally.damages >= 1
