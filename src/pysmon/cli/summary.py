"""What a run did, for the end of it: events by type, and the fate of every record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pysmon.pipeline.outcome import Outcome
from pysmon.schema.event import EVENTS


def summary(outcome: Outcome, unwritten: Mapping[str, int]) -> str:
    """A few tables of plain text, with a newline at the end. Families of which nothing came are left out."""
    ids = sorted({*outcome.kept, *outcome.filtered})
    events = [
        (str(i), EVENTS[i].cls.__name__, str(outcome.kept.get(i, 0)), str(outcome.filtered.get(i, 0))) for i in ids
    ]
    families = [
        (name, str(count.seen), str(count.kept), str(count.filtered), str(count.pushed_down), str(count.lost))
        for name, count in outcome.families.items()
        if count.seen or count.lost
    ]
    parts: list[str] = []
    if events:
        parts += _table(("id", "event", "kept", "filtered"), events)
    head = ("records", "seen", "kept", "filtered", "pushed down", "lost")
    parts += _table(head, families) if families else ["no records came"]
    if outcome.lost:
        parts.append(f"{outcome.lost} records were lost: events of theirs are missing from the output")
    parts += [f"{count} events could not be written to {name}" for name, count in unwritten.items() if count]
    parts += [f"not watched here: {lack}" for lack in outcome.lacks]
    return "\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of columns: words to the left, numbers to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if lines[-1][column].isdigit() else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
