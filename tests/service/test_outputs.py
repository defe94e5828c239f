"""Opening the outputs of the settings: mistakes end the start, trouble does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.formats.entries import create

from pysmon.errors import MisuseError, SinkError
from pysmon.service.outputs import LateSink, event_log, open_outputs
from pysmon.service.settings import Output, Settings
from pysmon.sinks.sink import Sink, WriteError


def test_a_type_that_there_is_not_is_a_mistake() -> None:
    with pytest.raises(MisuseError, match="no type of output called 'sieve'") as caught:
        open_outputs(Settings((Output("sieve"),)))
    assert "syslog" in caught.value.hint


def test_an_option_that_there_is_not_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match="no option 'pth'"):
        open_outputs(Settings((Output("file", {"pth": str(tmp_path)}),)))


def test_the_event_log_is_found_among_them(tmp_path: Path) -> None:
    named = str(tmp_path / "log")
    sinks = open_outputs(Settings((Output("file", {"path": str(tmp_path / "f")}), Output("store", {"path": named}))))
    log = event_log(sinks)
    assert log
    assert log.name == named
    assert event_log(sinks[:1]) is None
    late = LateSink("late", lambda: log)
    assert event_log([late]) is None
    late.flush()
    assert event_log([late]) is log
    for sink in sinks:
        sink.close()


def test_an_output_that_cannot_be_opened_yet_comes_later(tmp_path: Path) -> None:
    path = tmp_path / "later" / "events"
    (sink,) = open_outputs(Settings((Output("file", {"path": str(path), "format": "json"}),)))
    assert isinstance(sink, LateSink)
    assert sink.name == f"file {path}"
    with pytest.raises(WriteError, match="cannot open") as caught:
        sink.write([create()])
    assert caught.value.written == 0
    with pytest.raises(SinkError, match="cannot open"):
        sink.flush()
    sink.reopen()
    path.parent.mkdir()
    sink.write([create()])
    sink.flush()
    path.rename(path.with_name("moved"))
    sink.reopen()
    sink.write([create()])
    sink.close()
    sink.close()
    assert len(path.read_text().splitlines()) == len(path.with_name("moved").read_text().splitlines()) == 1
    with pytest.raises(SinkError, match="is closed"):
        sink.write([create()])
    sink.flush()


def test_one_that_never_came_can_be_closed() -> None:
    def never() -> Sink:
        raise SinkError("not today")

    sink = LateSink("x", never)
    assert sink.remarks() == []
    sink.close()
    with pytest.raises(WriteError, match="is closed"):
        sink.write([])
