"""Opening the outputs of the settings: mistakes end the start, trouble does not."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from tests.formats.entries import create

from pysmon.errors import MisuseError, SinkError
from pysmon.service.guard import Place, Watched
from pysmon.service.outputs import LateSink, event_log, open_outputs
from pysmon.service.settings import Output, Settings
from pysmon.sinks.sink import Reopens, Sink, WriteError
from pysmon.sinks.store import StoreSink


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


# ---- what somebody watches


def opened(path: Path, kind: str) -> tuple[Sink, Watched]:
    """An output at a path that is watched."""
    watched = Watched([Place(path, "place")])
    (sink,) = open_outputs(Settings((Output(kind, {"path": str(path)}),)), watched.changing)
    return sink, watched


def told(watched: Watched) -> list[str]:
    """What was done to the path, without the details."""
    return [description.split(": ")[1].split(" (")[0] for _, description in watched.look()]


@pytest.mark.parametrize("kind", ["store", "followers"])
def test_an_output_that_is_opened_late_makes_no_file_that_is_told_of(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "later" / "x"
    path.parent.touch()
    sink, watched = opened(path, kind)
    assert isinstance(sink, LateSink)
    path.parent.unlink()
    path.parent.mkdir(mode=0o700)
    sink.flush()
    assert path.exists()
    assert told(watched) == []
    sink.close()


@pytest.mark.parametrize("before", [True, False], ids=["it was told already", "it was not told yet"])
@pytest.mark.parametrize("kind", ["store", "followers"])
def test_that_somebody_removed_the_file_is_told_once_and_that_it_is_made_anew_is_not(
    tmp_path: Path, kind: str, before: bool
) -> None:
    sink, watched = opened(tmp_path / "x", kind)
    (tmp_path / "x").unlink()
    found = told(watched) if before else []
    sink.write([create()])
    if isinstance(sink, Reopens):
        sink.reopen()
    assert (tmp_path / "x").exists()
    assert found + told(watched) + told(watched) == ["was removed"]
    sink.close()


def test_a_damaged_log_that_is_put_aside_is_not_told_of(tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink, watched = opened(path, "store")
    sink.write([create()])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE state SET value = 'x' WHERE name = 'end'")
    connection.commit()
    connection.close()
    sink.close()
    sink, watched = opened(path, "store")
    log = event_log([sink])
    assert log
    assert log.damaged
    assert told(watched) == []
    assert isinstance(sink, StoreSink)
    sink.close()


def test_a_log_that_turns_out_to_be_damaged_while_it_is_written_is_not_told_of_when_it_is_put_aside(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log"
    sink, watched = opened(path, "store")
    sink.write([create()])
    watched.look()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE ProcessCreate")
    connection.execute("CREATE TABLE ProcessCreate (wrong)")
    connection.commit()
    connection.close()
    log = event_log([sink])
    assert log
    for _ in range(3):
        with suppress(WriteError):
            sink.write([create()])
    assert path.exists()
    assert told(watched) == []
    sink.close()
