"""What every sink keeps to, the real daemons at the other end included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from tests.formats.entries import create
from tests.pipeline.outputs import until
from tests.sinks.sinks_of import OUTLETS, REFUSING, WHOLE, WITH_FAR, Outlet

from pysmon.errors import SinkError
from pysmon.formats.visible import spelled
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sinks.sink import WriteError

PLANES = [chr((plane << 16) | 0x1234) for plane in range(17)]
_NUMBER = re.compile(rb"number-(\d{5})")
_TRIES = 400


@pytest.fixture
def outlet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outlet]:
    made = OUTLETS[request.param](tmp_path)
    yield made
    made.close()


every = pytest.mark.parametrize("outlet", OUTLETS, indirect=True)


def comes_out(outlet: Outlet, *words: str) -> None:
    until(
        lambda: all(word in outlet.read().decode().replace("\\\\", "\\") for word in words), f"{words} never came out"
    )


def numbered(first: int, count: int = 1) -> list[Entry[Event]]:
    return [create(CommandLine=f"number-{n:05}") for n in range(first, first + count)]


def numbers(outlet: Outlet) -> list[int]:
    return [int(found) for found in _NUMBER.findall(outlet.read())]


def ends_with(outlet: Outlet, number: int) -> bool:
    return numbers(outlet)[-1:] == [number]


def write_all(outlet: Outlet, entries: Sequence[Entry[Event]]) -> None:
    """Write them as a lane does: what was refused, again."""
    left = list(entries)
    for _ in range(_TRIES):
        try:
            outlet.sink.write(left)
        except WriteError as error:
            left = left[error.written :]
        else:
            return
    pytest.fail(f"{outlet.sink.name} refused for ever")


def written_until_refused(outlet: Outlet, first: int, count: int, more: str = "") -> tuple[int, WriteError]:
    """Write until it is refused: the number of the first entry that was, and what was said."""
    for _ in range(_TRIES):
        batch = [create(CommandLine=f"{entry.event.text('CommandLine')} {more}") for entry in numbered(first, count)]
        try:
            outlet.sink.write(batch)
        except WriteError as error:
            return first + error.written, error
        first += count
    pytest.fail(f"{outlet.sink.name} took everything")


@every
def test_an_empty_batch_writes_nothing(outlet: Outlet) -> None:
    outlet.sink.write([])
    outlet.sink.flush()
    assert outlet.read() == b""


@every
def test_entries_come_out_in_order(outlet: Outlet) -> None:
    outlet.sink.write(numbered(0, 3))
    outlet.sink.write(numbered(3))
    outlet.sink.flush()
    until(lambda: len(numbers(outlet)) == 4)
    assert numbers(outlet) == [0, 1, 2, 3]


@every
def test_text_of_every_plane_comes_out(outlet: Outlet) -> None:
    outlet.sink.write([create(CommandLine=" ".join(PLANES)), create(CommandLine="größe-日本-\U0001f600")])
    comes_out(outlet, "größe-日本-\U0001f600")
    text = outlet.read().decode()
    assert [char for char in PLANES if char not in text and spelled(char) not in text] == []


@every
def test_bytes_that_are_not_utf_8_and_control_characters_do_not_stop_it(outlet: Outlet) -> None:
    outlet.sink.write([create(Image="/tmp/\udcff\ud800\x00\x1b[1m\r\n\x85\u2028", CommandLine="after")])
    comes_out(outlet, "\\xff", "after")


@pytest.mark.parametrize("outlet", WHOLE, indirect=True)
def test_a_very_long_field_comes_out_whole(outlet: Outlet) -> None:
    outlet.sink.write([create(CommandLine="x" * 65536)])
    outlet.sink.flush()
    until(lambda: outlet.read().count(b"x") >= 65536)


@every
def test_a_second_close_does_nothing(outlet: Outlet) -> None:
    outlet.sink.write([create()])
    outlet.sink.close()
    outlet.sink.close()
    outlet.sink.flush()


@every
def test_a_closed_sink_refuses_entries(outlet: Outlet) -> None:
    outlet.sink.close()
    with pytest.raises(SinkError, match="closed"):
        outlet.sink.write([create()])


@every
def test_a_sink_has_a_name_for_messages(outlet: Outlet) -> None:
    assert outlet.sink.name


@pytest.mark.parametrize("outlet", REFUSING, indirect=True)
def test_a_refusal_is_told_with_what_would_help_and_nothing_is_lost_by_it(outlet: Outlet) -> None:
    outlet.sink.write(numbered(0, 3))
    outlet.sink.flush()
    until(lambda: len(numbers(outlet)) == 3)
    assert outlet.refusing
    with outlet.refusing():
        written, told = written_until_refused(outlet, 3, 5)
    assert outlet.sink.name in str(told)
    assert told.hint
    write_all(outlet, numbered(written, 3))
    outlet.sink.flush()
    until(lambda: {*range(3), *range(written, written + 3)} <= set(numbers(outlet)))


@pytest.mark.parametrize("outlet", [name for name in WITH_FAR if name != "followers"], indirect=True)
def test_a_receiver_that_reads_nothing_is_told_and_loses_nothing_by_that(outlet: Outlet) -> None:
    assert outlet.far
    outlet.far.stall()
    written, told = written_until_refused(outlet, 0, 50, "y" * 20_000)
    assert re.search(r"timed out|unavailable", str(told))
    outlet.far.resume()
    write_all(outlet, numbered(written, 3))
    outlet.sink.flush()
    until(lambda: set(numbers(outlet)) == set(range(written + 3)))


@pytest.mark.parametrize("outlet", WITH_FAR, indirect=True)
def test_a_receiver_that_dies_and_comes_back_gets_what_comes_then(outlet: Outlet) -> None:
    assert outlet.far
    outlet.sink.write(numbered(0, 3))
    until(lambda: len(numbers(outlet)) == 3)
    for turn in range(1, 4):
        outlet.far.die()
        outlet.far.come_back()
        write_all(outlet, numbered(turn * 100, 10))
        outlet.sink.flush()
        until(partial(ends_with, outlet, turn * 100 + 9))
    assert set(numbers(outlet)) == {0, 1, 2, *range(100, 110), *range(200, 210), *range(300, 310)}
