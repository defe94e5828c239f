"""A finding: one thing that was looked at, how it is, and what would help. Status and doctor speak in findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pysmon.formats.describe import Piece, Style
from pysmon.formats.visible import visible
from pysmon.views.words import Line, padded

Level = Literal["ok", "warn", "bad"]
_STYLES: dict[Level, Style] = {"ok": "name", "warn": "user", "bad": "alarm"}
_ORDER: tuple[Level, ...] = ("ok", "warn", "bad")
_WIDEST = 18  # columns that the names of what was looked at may take


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` names what was looked at, `text` says how it is, `remedy` what to do about it; empty if nothing is.

    `when` is the moment of what happened once, in ns since 1970; None for how it is now.
    """

    level: Level
    about: str
    text: str
    remedy: str = ""
    when: int | None = None


def worst(findings: Iterable[Finding]) -> Level:
    """The worst level among them; ok if there are none."""
    return max((finding.level for finding in findings), key=_ORDER.index, default="ok")


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first; what is alike stays in its order."""
    return sorted(findings, key=lambda finding: -_ORDER.index(finding.level))


def told(findings: Iterable[Finding]) -> Iterator[Line]:
    """A line for each: level, name, how it is; and a second one with the remedy."""
    findings = list(findings)
    about = min(max((len(finding.about) for finding in findings), default=0), _WIDEST)
    margin = len("warn") + 2 + about + 2
    for finding in findings:
        yield Line(
            [
                Piece(padded(finding.level, len("warn") + 2), _STYLES[finding.level]),
                Piece(padded(visible(finding.about), about) + "  ", "path"),
                Piece(visible(finding.text), "value"),
            ],
            margin,
        )
        if finding.remedy:
            yield Line([Piece(" " * margin + "-> ", "quiet"), Piece(visible(finding.remedy), "command")], margin + 3)
