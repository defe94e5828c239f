"""The tapes of this folder, played."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.conftest import ROOT

from pysmon.config.model import Configuration
from pysmon.config.read import read_configuration
from pysmon.errors import RecordError
from pysmon.pipeline.outcome import Outcome
from pysmon.pipeline.replay import Playback
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

E = TypeVar("E", bound=Event)

TAPES = Path(__file__).parent
_MORE = {
    "files": """<EventFiltering><WmiEvent onmatch="exclude"/><FileDeleteDetected onmatch="exclude"/>
<FileExecutableDetected onmatch="exclude"/><FileBlockExecutable onmatch="include">
<TargetFilename name="blocked" condition="end with">/refused</TargetFilename></FileBlockExecutable>
<FileBlockShredding onmatch="include"><Image name="shredder" condition="image">shred</Image></FileBlockShredding>""",
    "clipboard": '<CaptureClipboard/><EventFiltering><ClipboardChange onmatch="exclude"/>',
}


@dataclass(frozen=True)
class Played:
    """What came of a tape."""

    entries: list[Entry[Event]]
    outcome: Outcome

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in self.entries]

    def of(self, kind: type[E]) -> list[E]:
        """The events of one type, in their order."""
        return [e for e in self.events if isinstance(e, kind)]


def tape_of(name: str) -> Path:
    return TAPES / f"{name}.tape"


def everything() -> Configuration:
    """The example that keeps all events."""
    return configured((ROOT / "examples" / "everything.xml").read_text())


def rules_for(tape: str) -> Configuration:
    """By which a tape of this folder was recorded: some ask for more than the example does."""
    more = _MORE.get(tape, "<EventFiltering>")
    return configured((ROOT / "examples" / "everything.xml").read_text().replace("<EventFiltering>", more))


def configured(text: str) -> Configuration:
    reading = read_configuration(text.encode(), "test.xml")
    assert reading.configuration, reading.problems
    return reading.configuration


def play(tape: str | Path, configuration: Configuration | None = None) -> Played:
    """Play a tape of this folder by its name, or any by its path; by a configuration, or all of it."""
    path = tape_of(tape) if isinstance(tape, str) else tape
    try:
        playback = Playback(configuration or everything(), path)
    except RecordError as error:
        raise AssertionError(f"{error}\nIf a layout has changed: run tests/tapes/make.py as root") from None
    entries = [entry for batch in playback.batches(threading.Event()) for entry in batch]
    assert playback.outcome
    return Played(entries, playback.outcome)
