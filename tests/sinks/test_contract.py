"""What every sink keeps to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.formats.entries import create
from tests.sinks.sinks_of import OUTLETS, Outlet

from pysmon.errors import SinkError


@pytest.fixture(params=OUTLETS.values(), ids=list(OUTLETS))
def outlet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outlet]:
    made = request.param(tmp_path)
    yield made
    made.sink.close()


def test_an_empty_batch_writes_nothing(outlet: Outlet) -> None:
    outlet.sink.write([])
    outlet.sink.flush()
    assert outlet.read() == b""


def test_entries_come_out_in_order_each_ended_by_a_newline(outlet: Outlet) -> None:
    outlet.sink.write([create(CommandLine=f"first-{n}") for n in range(3)])
    outlet.sink.write([create(CommandLine="last")])
    outlet.sink.flush()
    text = outlet.read()
    places = [text.index(word) for word in (b"first-0", b"first-1", b"first-2", b"last")]
    assert places == sorted(places)
    assert text.endswith(b"\n")


def test_text_of_any_script_comes_out(outlet: Outlet) -> None:
    outlet.sink.write([create(CommandLine="größe-日本-\U0001f600")])
    assert "größe-日本-\U0001f600" in outlet.read().decode()


def test_bytes_that_are_not_utf_8_do_not_stop_it(outlet: Outlet) -> None:
    outlet.sink.write([create(Image="/tmp/\udcff")])
    assert "\\xff" in outlet.read().decode().replace("\\\\", "\\")


def test_a_very_long_field_comes_out_whole(outlet: Outlet) -> None:
    outlet.sink.write([create(CommandLine="x" * 65536)])
    assert outlet.read().count(b"x") >= 65536


def test_a_second_close_does_nothing(outlet: Outlet) -> None:
    outlet.sink.write([create()])
    outlet.sink.close()
    outlet.sink.close()
    outlet.sink.flush()


def test_a_closed_sink_refuses_entries(outlet: Outlet) -> None:
    outlet.sink.close()
    with pytest.raises(SinkError, match="closed"):
        outlet.sink.write([create()])


def test_a_sink_has_a_name_for_messages(outlet: Outlet) -> None:
    assert outlet.sink.name
