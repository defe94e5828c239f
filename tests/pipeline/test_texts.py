"""Texts of files on tapes: a playback tells what the recording told, on whatever machine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from pysmon.config.read import read_configuration
from pysmon.layout.record import Record
from pysmon.pipeline.replay import Playback
from pysmon.pipeline.texts import TapeTexts, noted
from pysmon.sensor.records import OPENED, RENAMED, FileCreateRecord, FileDeleteRecord, FileWrittenRecord, components_of
from pysmon.sensor.tape import Tape, TapeWriter

RULES = """<Sysmon schemaversion="4.90"><EventFiltering><WmiEvent onmatch="exclude"/>
<ProcessCreate onmatch="include"/><ProcessTerminate onmatch="include"/></EventFiltering></Sysmon>"""
UNIT = "/etc/systemd/system/evil.timer"
TIMER, LATER = "[Timer]\nOnCalendar=daily\n", "[Timer]\nOnBootSec=1\n"
Step = tuple[Record, str | None]


class Disk:
    """Texts by path."""

    def __init__(self, texts: dict[str, str], *, closes_told: bool = False) -> None:
        self.texts, self.closes_told = texts, closes_told

    def text(self, _tgids: Sequence[int], path: str, _device: int, _inode: int) -> str | None:
        return self.texts.get(path)


def created(how: int, time: int) -> Record:
    return FileCreateRecord.make(tgid=7, time=time, how=how, path=components_of(UNIT))


def removed(time: int) -> Record:
    return FileDeleteRecord.make(tgid=7, time=time, path=components_of(UNIT))


def written(time: int) -> Record:
    return FileWrittenRecord.make(tgid=7, time=time, path=components_of(UNIT))


def told(tape: Path) -> list[list[str]]:
    configuration = read_configuration(RULES.encode(), "texts.xml").configuration
    playback = Playback(configuration, tape)
    return [entry.event.texts()[3:] for batch in playback.batches(threading.Event()) for entry in batch]


def recorded(tape: Path, *steps: Step, closes_told: bool = False) -> Path:
    with TapeWriter(tape) as writer:
        writer.facts(closes_told=closes_told)
        for record, text in steps:
            writer.record(record.encode())
            if text is not None:
                writer.text(text)
    return tape


def test_what_is_read_goes_onto_the_tape_and_what_cannot_be_read_does_not(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "t") as writer:
        reader = noted(Disk({UNIT: TIMER}, closes_told=True), writer)
        writer.record(b"first")
        assert reader.text((), "/absent", 0, 0) is None
        writer.record(b"second")
        assert reader.text((), UNIT, 0, 0) == TIMER
        assert reader.closes_told
    tape = Tape(tmp_path / "t")
    assert (tape.texts, tape.facts) == ({1: TIMER}, {"closes_told": True})
    texts = TapeTexts(tape, closes_told=True)
    assert [texts.text((), UNIT, 0, 0), texts.closes_told] == [None, True]
    texts.record = 1
    assert texts.text((), "whatever it is called", 0, 0) == TIMER


def test_where_nothing_is_recorded_the_reader_stays_as_it_is() -> None:
    disk = Disk({})
    assert noted(disk, None) is disk


def test_a_playback_tells_what_the_unit_said_and_says_so_again_when_it_is_gone(tmp_path: Path) -> None:
    tape = recorded(tmp_path / "t", (created(RENAMED, 1), TIMER), (written(2), LATER), (removed(3), None))
    assert [(e[0], e[-1]) for e in told(tape)] == [
        ("Created", '"OnCalendar=daily"'),
        ("Modified", '"OnBootSec=1"'),
        ("Deleted", '"OnBootSec=1"'),
    ]


@pytest.mark.parametrize(("closes_told", "operation"), [(True, "Created"), (False, "Modified")])
def test_a_playback_waits_for_the_close_where_the_recording_did(
    tmp_path: Path, closes_told: bool, operation: str
) -> None:
    steps = [(created(OPENED, 1), None if closes_told else ""), (written(2), TIMER)]
    events = told(recorded(tmp_path / "t", *steps, closes_told=closes_told))
    assert (events[-1][0], events[-1][-1]) == (operation, '"OnCalendar=daily"')


def test_what_was_not_read_is_told_by_its_path_alone(tmp_path: Path) -> None:
    assert [(e[0], e[-2], e[-1]) for e in told(recorded(tmp_path / "t", (created(RENAMED, 1), None)))] == [
        ("Created", '"evil.timer"', "-")
    ]
