"""What commands say beside their answer: a line each on standard error, and their count at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from pysmon.cli.configuration import many
from pysmon.formats.visible import visible
from pysmon.sources.source import Tally

_MOST = 20  # lines before they are only counted


def tell(words: str) -> None:
    """Say it."""
    click.echo(f"pysmon: {visible(words)}", err=True)


def tell_all(lines: Iterable[str]) -> None:
    """Say the first of them, and how many more there are."""
    told = list(lines)
    for words in told[:_MOST]:
        tell(words)
    if len(told) > _MOST:
        tell(f"and {many(len(told) - _MOST, 'more line')} like these")


def tell_logs(tallies: Mapping[str, Tally], form: str | None = None) -> bool:
    """Say what there was in logs besides events, and of several the sum; whether all was well.

    `form` is the shape that was forced. All is well if nothing is damaged, and if there was any event of Sysmon.
    """
    tell_all(f"{name}: {words}" for name, tally in tallies.items() for words in tally.words())
    whole = Tally()
    for tally in tallies.values():
        whole.add(tally)
    damaged = sum(tally.damages > 0 for tally in tallies.values())
    if len(tallies) > 1 and damaged:
        tell(f"{damaged} of {len(tallies)} logs damaged, at {many(whole.damages, 'place')}")
    if tallies and not whole.entries:
        name = next(iter(tallies)) if len(tallies) == 1 else f"{len(tallies)} logs"
        forced = f", read as {form}; without --input-format the shape is found out" if form else ""
        tell(f"{name}: no event of Sysmon in it{forced}")
    return not damaged and whole.entries > 0
