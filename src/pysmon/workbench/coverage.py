"""Which ATT&CK techniques a configuration speaks of: by the names of its rules, as a table and as a Navigator layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pysmon.config.model import Configuration, EventFilter, Filter, Rule
from pysmon.rules.retired_techniques import RETIRED
from pysmon.rules.techniques import tag
from pysmon.schema.lookup import by_tag

_LAYER = "4.5"  # version of the layer format
_NAVIGATOR = "5.1.0"  # the release that the layer is made for; others that know the format read it too
_GRADIENT = {"colors": ["#cfe8ff", "#0b5cad"], "minValue": 0}
_LISTED = 20  # lines of the file, of one technique
_GONE = "#c0392b"  # of techniques that only excludes name


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique that rules name. Conditions count; those of excludes keep no event and count apart."""

    id: str
    names: tuple[str, ...]  # that rules give to it, in the order of the file
    tags: tuple[str, ...]  # of the event elements that keep events for it
    includes: int
    excludes: int
    lines: tuple[int, ...]  # of the conditions, those of excludes among them
    now: str = ""  # the id that took its place, if it was revoked

    @property
    def kept(self) -> bool:
        """Whether any rule keeps events under its name."""
        return self.includes > 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the names say. `untagged` are the names of includes that have no technique, each with its first line."""

    techniques: tuple[Technique, ...]  # by id
    untagged: tuple[tuple[str, int], ...]
    unnamed: int  # conditions of includes without a name

    @property
    def kept(self) -> tuple[Technique, ...]:
        """Those that some rule keeps events for."""
        return tuple(technique for technique in self.techniques if technique.kept)


def coverage(configuration: Configuration) -> Coverage:
    """Read the names of all rules. That a rule names a technique says nothing of whether it finds it."""
    named: dict[str, list[tuple[EventFilter, Filter, str]]] = {}
    untagged: dict[str, int] = {}
    unnamed = 0
    for element, condition in _conditions(configuration):
        found = tag(condition.name)
        for technique in found.ids:
            named.setdefault(technique, []).append((element, condition, found.name))
        if element.onmatch == "include" and not condition.name:
            unnamed += 1
        elif element.onmatch == "include" and not found.ids:
            untagged.setdefault(condition.name, condition.place.line)
    techniques = tuple(_technique(technique, named[technique]) for technique in sorted(named))
    return Coverage(techniques, tuple(untagged.items()), unnamed)


def _conditions(configuration: Configuration) -> Iterator[tuple[EventFilter, Filter]]:
    for element in configuration.filters:
        for entry in element.entries:
            for condition in entry.filters if isinstance(entry, Rule) else (entry,):
                yield element, condition


def _technique(technique: str, found: list[tuple[EventFilter, Filter, str]]) -> Technique:
    includes = [element for element, _, _ in found if element.onmatch == "include"]
    return Technique(
        technique,
        tuple(dict.fromkeys(name for _, _, name in found if name)),
        tuple(dict.fromkeys(element.tag for element in includes)),
        len(includes),
        len(found) - len(includes),
        tuple(condition.place.line for _, condition, _ in found),
        RETIRED.get(technique, ""),
    )


def navigator_layer(found: Coverage, name: str) -> dict[str, object]:
    """A layer of the ATT&CK Navigator, format 4.5: the score of a technique is the number of its conditions."""
    by_id: dict[str, list[Technique]] = {}
    for technique in found.techniques:
        by_id.setdefault(technique.now or technique.id, []).append(technique)
    shown = [_shown(known, together) for known, together in sorted(by_id.items())]
    most = max((sum(each.includes for each in together) for together in by_id.values()), default=1)
    return {
        "name": name,
        "versions": {"navigator": _NAVIGATOR, "layer": _LAYER},
        "domain": "enterprise-attack",
        "description": "Techniques that the rules of a Sysmon configuration name. Score: conditions that keep events.",
        "sorting": 3,
        "hideDisabled": False,
        "techniques": shown,
        "gradient": {**_GRADIENT, "maxValue": most},
        "legendItems": [{"label": "named in excludes only", "color": _GONE}],
        "showTacticRowBackground": False,
        "selectTechniquesAcrossTactics": True,
        "selectSubtechniquesWithParent": False,
    }


def _shown(known: str, together: list[Technique]) -> dict[str, object]:
    """One technique of the layer, of all ids that it had."""
    lines = sorted(line for technique in together for line in technique.lines)
    tags = dict.fromkeys(tag for technique in together for tag in technique.tags)
    score = sum(technique.includes for technique in together)
    comments = dict.fromkeys(name for technique in together for name in technique.names)
    revoked = [f"named {technique.id}, revoked" for technique in together if technique.now]
    listed = ", ".join(map(str, lines[:_LISTED])) + (", ..." if len(lines) > _LISTED else "")
    shown: dict[str, object] = {
        "techniqueID": known,
        "comment": "; ".join([*comments, *revoked]),
        "enabled": True,
        "metadata": [
            {"name": "events", "value": ", ".join(f"{tag} ({_ids(tag)})" for tag in tags) or "none"},
            {"name": "conditions", "value": str(score)},
            {"name": "lines", "value": listed},
        ],
        "showSubtechniques": "." in known,
    }
    return {**shown, "score": score} if score else {**shown, "color": _GONE}


def _ids(tag_of_event: str) -> str:
    return ", ".join(str(event.id) for event in by_tag(tag_of_event))


def unique(techniques: Iterable[Technique]) -> int:
    """How many techniques these are, sub-techniques counted under their own ids and revoked ids under the new ones."""
    return len({technique.now or technique.id for technique in techniques})
