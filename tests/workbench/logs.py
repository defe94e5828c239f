"""Logs and readings for the tests of replay and diff."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from tests.formats.entries import entry

from pysmon.formats.json_line import json_line
from pysmon.schema.event import Event
from pysmon.sources.open import open_sources
from pysmon.sources.pieces import SIZE, Piece, pieces
from pysmon.workbench.readers import Reading
from pysmon.workbench.replay import Keep, Replay, Rules
from pysmon.workbench.tally import Account

_T = TypeVar("_T")


def written(path: Path, events: Iterable[Event]) -> Path:
    """A file of our JSON lines with these events."""
    path.write_bytes(b"".join(json_line(entry(made, number)) + b"\n" for number, made in enumerate(events, 1)))
    return path


def cut(*paths: Path, size: int = SIZE) -> list[Piece]:
    return [piece for source in open_sources(paths) for piece in pieces(source, size)]


def read(reading: Reading[_T]) -> list[_T]:
    for _ in reading:
        pass
    return reading.results


def replayed(rules: Rules, made: Sequence[Piece], *, keep: Keep | None = None, jobs: int = 1) -> Account:
    return Account.of(read(Reading(made, lambda: Replay(rules, keep), jobs)))


def numbers(account: Account) -> dict[tuple[int, bool, str], int]:
    """Events by id, whether they were kept, and RuleName."""
    found: dict[tuple[int, bool, str], int] = {}
    for (number, _, _, keep, name), count in account.counts.items():
        found[number, keep, name] = found.get((number, keep, name), 0) + count.events
    return found
