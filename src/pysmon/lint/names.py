"""Checks of rule names that are meant as ATT&CK tags: other tools read them (L701 to L704)."""

from __future__ import annotations

from collections.abc import Iterator

from pysmon.config.report import quoted
from pysmon.lint.check import Check, Found, include
from pysmon.lint.scene import Scene, Spot
from pysmon.rules.retired_techniques import RETIRED
from pysmon.rules.techniques import tag

_TOO_FEW = 5  # named rules, to say what is usual in a configuration


def _named(scene: Scene) -> Iterator[Spot]:
    """One condition for each name, in the order of the document."""
    seen = set()
    for spot in scene.spots:
        name = spot.filter.name
        if name and name not in seen:
            seen.add(name)
            yield spot


def _malformed(scene: Scene) -> Iterator[Found]:
    for spot in _named(scene):
        wrong = tag(spot.filter.name).wrong
        if wrong:
            message = f"{quoted(wrong)} in the name {quoted(spot.filter.name)} is no id of a technique"
            yield Found(spot.filter.place, message, "T and four digits, with .ddd for a sub-technique: T1059.001")


def _untagged(scene: Scene) -> Iterator[Found]:
    keepers = [spot for spot in _named(scene) if not spot.excludes]
    untagged = [spot for spot in keepers if not tag(spot.filter.name).ids and not tag(spot.filter.name).wrong]
    if len(keepers) < _TOO_FEW or len(untagged) * 2 >= len(keepers):
        return
    for spot in untagged:
        message = f"the name {quoted(spot.filter.name)} has no technique, those of most rules of this file have one"
        yield Found(spot.filter.place, message, "technique_id=T1059.001,technique_name=PowerShell")


def _retired(scene: Scene) -> Iterator[Found]:
    for spot in _named(scene):
        for known in tag(spot.filter.name).ids:
            if known in RETIRED:
                message = f"{known} in the name {quoted(spot.filter.name)} was revoked: it is {RETIRED[known]} now"
                yield Found(spot.filter.place, message, RETIRED[known])


def _two_names(scene: Scene) -> Iterator[Found]:
    first: dict[str, Spot] = {}
    told = set()
    for spot in _named(scene):
        found = tag(spot.filter.name)
        if not (found.ids and found.name):
            continue
        other = first.setdefault(found.ids[0], spot)
        before = tag(other.filter.name).name
        key = found.ids[0], found.name.casefold()
        if before.casefold() != found.name.casefold() and key not in told:
            told.add(key)
            there = f"{quoted(before)} in line {other.filter.place.line}"
            message = f"{found.ids[0]} is called {quoted(found.name)} here and {there}"
            yield Found(spot.filter.place, message, "one name for one technique", "is one of the ids wrong?")


_IMAGE = '<Image name="{}" condition="image">{}.exe</Image>'

CHECKS = (
    Check(
        "L701",
        "warning",
        "An id that is none of a technique",
        "The name is meant as a tag, but what should be an id is not written as ATT&CK writes them: no tool finds it.",
        include("ProcessCreate", _IMAGE.format("technique_id=T1059.1,technique_name=PowerShell", "powershell")),
        include("ProcessCreate", _IMAGE.format("technique_id=T1059.001,technique_name=PowerShell", "powershell")),
        _malformed,
    ),
    Check(
        "L702",
        "note",
        "A name without a technique, where most have one",
        "More than half of the named includes of the file say which technique they find; this one does not.",
        include(
            "ProcessCreate",
            "\n".join(
                _IMAGE.format(*pair)
                for pair in (
                    ("T1059.001", "powershell"),
                    ("T1059.003", "cmd"),
                    ("T1218.005", "mshta"),
                    ("T1047", "wmic"),
                    ("Suspicious", "bitsadmin"),
                )
            ),
        ),
        include("ProcessCreate", _IMAGE.format("T1197", "bitsadmin")),
        _untagged,
    ),
    Check(
        "L703",
        "warning",
        "A technique that was revoked",
        "ATT&CK has given the technique another id; tools that know only the new one leave the rule out. pysmon knows"
        " those that stand in published configurations.",
        include("ProcessCreate", _IMAGE.format("T1086", "powershell")),
        include("ProcessCreate", _IMAGE.format("T1059.001", "powershell")),
        _retired,
    ),
    Check(
        "L704",
        "note",
        "One technique under two names",
        "Two rules call the same id by different names. Often one of the ids was copied and not changed.",
        include(
            "ProcessCreate",
            _IMAGE.format("technique_id=T1059.001,technique_name=PowerShell", "powershell")
            + "\n"
            + _IMAGE.format("technique_id=T1059.001,technique_name=Windows Command Shell", "cmd"),
        ),
        include(
            "ProcessCreate",
            _IMAGE.format("technique_id=T1059.001,technique_name=PowerShell", "powershell")
            + "\n"
            + _IMAGE.format("technique_id=T1059.003,technique_name=Windows Command Shell", "cmd"),
        ),
        _two_names,
    ),
)
