"""Short ways to write configurations in tests, and to say what was wrong with them."""

from __future__ import annotations

from pysmon.config.model import Configuration, EventFilter
from pysmon.config.problems import Problem
from pysmon.config.read import Reading, read_configuration


def sysmon(body: str, version: str = "4.90") -> str:
    return f'<Sysmon schemaversion="{version}">\n{body}\n</Sysmon>'


def filtering(body: str, version: str = "4.90") -> str:
    return sysmon(f"<EventFiltering>\n{body}\n</EventFiltering>", version)


def create(body: str, version: str = "4.90") -> str:
    """One ProcessCreate include element; its body begins on line 4."""
    return filtering(f'<ProcessCreate onmatch="include">\n{body}\n</ProcessCreate>', version)


def read(text: str) -> Reading:
    return read_configuration(text.encode(), "a.xml")


def configuration(text: str) -> Configuration:
    """The configuration of a text that has no problems."""
    reading = read(text)
    assert reading.problems == ()
    assert reading.configuration is not None
    return reading.configuration


def events(text: str) -> tuple[EventFilter, ...]:
    """The event filters of a text, with whatever warnings."""
    found = read(text).configuration
    assert found is not None
    return found.filters


def problems(text: str) -> list[str]:
    """What is wrong with a text: `C401 4:1`."""
    return [spot(problem) for problem in read(text).problems]


def problem(text: str) -> Problem:
    """The only problem of a text."""
    (found,) = read(text).problems
    return found


def spot(found: Problem) -> str:
    return f"{found.code} {found.place.line}:{found.place.column}"
