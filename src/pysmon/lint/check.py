"""What a check is: a code, what it means, an example that it speaks of, one that it does not, and a small function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pysmon.config.problems import Severity
from pysmon.errors import Place
from pysmon.lint.scene import Scene


class Found(NamedTuple):
    """Something that a check found: where, what, what would have been right, and what helps."""

    place: Place
    message: str
    expected: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of finding. `bad` is a configuration that has exactly this one; `good` is the same put right."""

    code: str
    severity: Severity
    title: str
    doc: str
    bad: str
    good: str
    find: Callable[[Scene], Iterable[Found]]


def filtering(body: str, version: str = "4.90", options: str = "") -> str:
    """An example: a whole configuration around this."""
    return f'<Sysmon schemaversion="{version}">\n{options}<EventFiltering>\n{body}\n</EventFiltering>\n</Sysmon>\n'


def include(tag: str, body: str, *, relation: str = "or", options: str = "") -> str:
    """An example with one include element."""
    return _one(tag, body, "include", relation, options)


def exclude(tag: str, body: str, *, relation: str = "or", options: str = "") -> str:
    """An example with one exclude element."""
    return _one(tag, body, "exclude", relation, options)


def _one(tag: str, body: str, onmatch: str, relation: str, options: str) -> str:
    element = f'<{tag} onmatch="{onmatch}">\n{body}\n</{tag}>'
    return filtering(f'<RuleGroup groupRelation="{relation}">\n{element}\n</RuleGroup>', options=options)
