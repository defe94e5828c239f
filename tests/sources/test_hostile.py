"""Bytes of strangers: whatever is in a log, it is read or told as damage; nothing else happens."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sources.evtx_files import chunk_at, creations, evtx
from tests.sources.shapes import FILES

from pysmon.sources.open import SHAPES, shape_of
from pysmon.sources.order import in_order
from pysmon.sources.source import Tally
from pysmon.sources.streams import Bytes, bytes_of

FORMS = {kind: (form, data) for kind, (form, data) in FILES.items() if not kind.startswith("utf-16-")}
NASTY = [
    b'"',
    b"{",
    b"}",
    b"[",
    b"[]",
    b"\\",
    b"\xff",
    b"\0",
    b"\n",
    b"null",
    b"true",
    b"1e999",
    b"9" * 40,
    b'{"a":' * 50,
]
NASTY += [
    b"<",
    b">",
    b"&#x110000;",
    b"&#0;",
    b"<Event>",
    b"</Event>",
    b"<![CDATA[",
    b"\\ud800",
    b"LogName=",
    b"-1",
    b"0x",
]
FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(data: bytes) -> Path:
        path = tmp_path / "log"
        path.write_bytes(data)
        return path

    return written


def all_read(form: str, path: Path) -> Tally:
    """Read it to the end and look at what came."""
    tally = Tally()
    source = Bytes(str(path), path)
    shape_of(source)
    entries = [make() for _, _, make in SHAPES[form].read(source, tally, {})]
    assert tally.entries == len(entries)
    assert all(len(entry.event.texts()) and entry.time >= 0 for entry in entries)
    assert len(list(in_order(entries, part=2))) == len(entries)
    assert len(tally.damaged) <= tally.damages
    tally.words()
    return tally


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with some of them replaced, left out, doubled or swapped for nasty ones."""
    made = bytearray(data)
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, max(len(made) - 1, 0)))
        size = draw(st.integers(0, 40))
        piece = draw(st.one_of(st.sampled_from(NASTY), st.binary(max_size=8), st.just(bytes(made[at : at + size]))))
        made[at : at + draw(st.sampled_from([0, len(piece), size]))] = piece
    return bytes(made)


@pytest.mark.parametrize("kind", FORMS)
@FUZZ
@given(data=st.data())
def test_a_mutated_text_is_read_or_told(kind: str, data: st.DataObject, write: Write) -> None:
    form, text = FORMS[kind]
    all_read(form, write(data.draw(mutated(text))))


@pytest.mark.parametrize("form", [form for form in SHAPES if form != "store"])
@FUZZ
@given(data=st.one_of(st.binary(max_size=3000), st.text().map(str.encode)))
def test_any_bytes_are_read_or_told_in_any_shape(form: str, data: bytes, write: Write) -> None:
    all_read(form, write(data))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return evtx(tmp_path_factory.mktemp("evtx") / "x.evtx", creations(20)).read_bytes()


@settings(FUZZ, max_examples=400)
@given(data=st.data())
def test_a_mutated_evtx_file_is_read_or_told(data: st.DataObject, file: bytes, write: Write) -> None:
    made = bytearray(file)
    end = chunk_at(1) + int.from_bytes(file[chunk_at(1) + 48 : chunk_at(1) + 52], "little")
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.one_of(st.integers(0, 128), st.integers(chunk_at(1), end - 1)))
        size = data.draw(st.sampled_from([1, 1, 2, 4]))
        made[at : at + size] = data.draw(st.one_of(st.binary(min_size=size, max_size=size), st.just(b"\xff" * size)))
    path = write(bytes(made))
    all_read("evtx", path)
    tally = Tally()
    for number, values, make in SHAPES["evtx"].read(Bytes("x", path), tally, {1: ("Image", "ProcessId", "ParentUser")}):
        assert len(values) == (3 if number == 1 else 0)
        make()


@FUZZ
@given(data=st.data())
def test_a_mutated_archive_is_read_or_told(data: st.DataObject, write: Write) -> None:
    packed = data.draw(mutated(gzip.compress(FILES["security-datasets"][1])))
    path = write(b"\x1f\x8b" + packed[2:])
    for source in bytes_of(path):
        list(SHAPES["nxlog"].read(source, Tally(), {}))


def test_an_event_that_never_ends_is_not_kept_in_memory(write: Write) -> None:
    assert all_read("xml", write(b"<Event>" + b"x" * 5_000_000)).damages == 1
    assert all_read("nxlog", write(b'{"a": ["' + b"x" * 9_000_000)).damages >= 1
    assert all_read("nxlog", write(b'{"a":\n[' + b"1,\n" * 3_000_000)).damages >= 1
    assert all_read("splunk-classic", write(b"LogName=x\n" + b"x" * 5_000_000)).damages >= 1


def test_entities_of_a_document_type_are_not_put_in(write: Write) -> None:
    event = FILES["wevtutil"][1].split(b"\n")[0].replace(b"IEWIN7.lab", b"&a;")
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]>' + event
    assert all_read("xml", write(bomb)).entries == 1  # it stands before the event, and is not looked at
    inside = event.replace(b"<System>", b'<!DOCTYPE x [<!ENTITY a "b">]><System>')
    assert all_read("xml", write(inside)).damages == 1


def test_json_that_is_nested_too_deep_is_told(write: Write) -> None:
    assert all_read("nxlog", write(b'{"EventID":1,"Channel":' + b"[" * 100_000 + b"]" * 100_000 + b"}")).damages == 1
