"""A configuration for another schema version: what that does not know is said otherwise, or left out and told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from pysmon.config.events import LAST_OR
from pysmon.config.fmt import render
from pysmon.config.markup import Comment, Node, Text
from pysmon.config.model import Condition, Configuration, EventFilter, Filter, Relation, Rule
from pysmon.config.write import text as escaped
from pysmon.errors import MisuseError
from pysmon.rules.conditions import items, needles
from pysmon.schema.conditions import CONDITIONS
from pysmon.schema.lookup import by_tag
from pysmon.schema.options import OPTIONS
from pysmon.schema.version import SchemaVersion
from pysmon.schema.versions import SCHEMAS
from pysmon.workbench.edit import Draft, Note, remove, replace_node

_Spread: TypeAlias = Callable[[Node, Condition, Iterable[str]], list[Node]]

OLDEST = SchemaVersion(4, 20)  # the first with RuleGroup and Rule

_SINCE = {Condition(known.word): known.since for known in CONDITIONS}
_ALTERNATIVES = {  # conditions on a list that hold if the simple one holds for any of its parts
    Condition.IS_ANY: Condition.IS,
    Condition.CONTAINS_ANY: Condition.CONTAINS,
    Condition.EXCLUDES_ALL: Condition.EXCLUDES,
}
_TOGETHER = {  # and if it holds for all of its parts
    Condition.CONTAINS_ALL: Condition.CONTAINS,
    Condition.EXCLUDES_ANY: Condition.EXCLUDES,
}


@dataclass(frozen=True, slots=True)
class Converted:
    """The new text, and what was done."""

    text: str
    notes: tuple[Note, ...]


def convert(text: str, configuration: Configuration, target: SchemaVersion) -> Converted:
    """Rewrite a configuration for a schema version from 4.20 on; MisuseError for any other.

    How filters combine is written out where the version decides it. Lists under conditions that the version does not
    know become several filters where that means the same. A filter that cannot be said can never match: it is left out,
    and so is all that would match more without it.
    """
    known = [each.version for each in SCHEMAS if each.version >= OLDEST]
    if target not in known:
        versions = ", ".join(map(str, known))
        raise MisuseError(f"there is no schema version {target} to convert to", hint=f"there are {versions}")
    return _Conversion(Draft(text, configuration), target).run()


class _Conversion:
    def __init__(self, draft: Draft, target: SchemaVersion) -> None:
        self._draft = draft
        self._target = target
        self._notes: list[Note] = []

    def run(self) -> Converted:
        root = self._draft.document.root
        for element in self._draft.configuration.filters:
            self._relation(element)
            self._element(element)
        for node in root.nodes():
            if node.name != "EventFiltering":
                self._option(root, node)
        root.attributes["schemaversion"] = str(self._target)
        return Converted(render(self._draft.document), tuple(sorted(self._notes, key=lambda note: note.place)))

    def _tell(self, part: EventFilter | Filter | Rule, what: str, *, lost: bool = True) -> None:
        self._notes.append(Note(part.place, what, lost))

    def _relation(self, element: EventFilter) -> None:
        """Write "or" out where the old version meant it and the new one would not."""
        group = self._draft.group(element)
        if self._draft.configuration.schema_version > LAST_OR or (group and group.attributes.get("groupRelation")):
            return
        if group:
            group.attributes["groupRelation"] = "or"
            return
        self._draft.wrap(self._draft.node(element), Node("RuleGroup", {"name": "", "groupRelation": "or"}))
        self._tell(element, "its filters combine with 'or', which a RuleGroup now says", lost=False)

    def _element(self, element: EventFilter) -> None:
        (event,) = (each for each in by_tag(element.tag) if each.id == element.event_id)
        shape = event.at(self._target, "windows" if event.target == "windows" else "linux")
        if shape is None or shape.id != event.id:
            self._tell(element, f"the event {element.tag} came with {event.since} and is left out")
            self._drop_element(element)
            return
        fields = {field.name for field in shape.fields}
        lost = [entry for entry in element.entries if not self._entry(entry, element, fields)]
        if not lost:
            return
        effect = "fewer events are kept" if element.onmatch == "include" else "more events are kept"
        if element.relation is Relation.AND and self._fails(element, lost):
            self._tell(element, f"without that it can never match, and is left empty: {effect}")
            node = self._draft.node(element)
            node.children = [child for child in node.children if isinstance(child, Comment)]
            return
        for entry in lost:
            self._tell(entry, f"it is left out: {effect}")
            self._drop(entry)

    def _fails(self, element: EventFilter, lost: list[Filter | Rule]) -> bool:
        """Whether an "and" element can no more match: a Rule is lost, or all filters on one field."""
        gone = [id(entry) for entry in lost]
        left = {entry.field for entry in element.entries if isinstance(entry, Filter) and id(entry) not in gone}
        return any(isinstance(entry, Rule) or entry.field not in left for entry in lost)

    def _entry(self, entry: Filter | Rule, element: EventFilter, fields: set[str]) -> bool:
        """Whether the version can say it; a Rule may lose some of its filters on the way, and lists become several."""
        if isinstance(entry, Filter):
            alone = sum(isinstance(each, Filter) and each.field == entry.field for each in element.entries) == 1
            together = element.relation is Relation.OR or alone
            return self._filter(entry, fields, either=True, both=_as_rule if together else None)
        either, both = entry.relation is Relation.OR, None if entry.relation is Relation.OR else _as_filters
        lost = [each for each in entry.filters if not self._filter(each, fields, either=either, both=both)]
        if lost and (entry.relation is Relation.AND or len(lost) == len(entry.filters)):
            return False
        for each in lost:
            self._tell(each, "it is left out of its Rule")
            self._drop(each)
        return True

    def _filter(self, made: Filter, fields: set[str], *, either: bool, both: _Spread | None) -> bool:
        if made.field not in fields:
            self._tell(made, f"version {self._target} has no field {made.field} there")
            return False
        if _SINCE[made.condition] <= self._target:
            return True
        node = self._draft.node(made)
        if either and made.condition in _ALTERNATIVES:
            parts = items(made.value) if made.condition is Condition.IS_ANY else needles(made.value)
            others = _as_filters(node, _ALTERNATIVES[made.condition], parts)
        elif both and made.condition in _TOGETHER:
            others = both(node, _TOGETHER[made.condition], needles(made.value))
        else:
            since = _SINCE[made.condition]
            self._tell(made, f"the condition {made.condition.value!r} came with {since} and cannot be said otherwise")
            return False
        replace_node(self._draft.parent(node), node, others)
        self._tell(made, f"{made.condition.value!r} is said with filters of its parts", lost=False)
        return True

    def _drop(self, entry: Filter | Rule) -> None:
        node = self._draft.node(entry)
        remove(self._draft.parent(node), node)

    def _drop_element(self, element: EventFilter) -> None:
        node, group = self._draft.node(element), self._draft.group(element)
        remove(self._draft.parent(node), node)
        if group and not group.nodes():
            remove(self._draft.parent(group), group)

    def _option(self, root: Node, node: Node) -> None:
        name = node.name.removesuffix("Config")
        plain = name.replace("_", "")
        known = next((each for each in OPTIONS if each.name.replace("_", "") == plain), None)
        if plain.startswith("CopyOnDelete") and known:
            node.name = known.name if known.at(self._target) else plain
        elif known and not known.at(self._target):
            what = f"the option {node.name} came with {known.since} and is left out"
            self._notes.append(Note(self._draft.place(node), what, lost=True))
            remove(root, node)


def _as_filters(node: Node, condition: Condition, parts: Iterable[str]) -> list[Node]:
    attributes = {**node.attributes, "condition": condition.value}
    return [Node(node.name, dict(attributes), [Text(escaped(part))]) for part in parts]


def _as_rule(node: Node, condition: Condition, parts: Iterable[str]) -> list[Node]:
    return [Node("Rule", {"groupRelation": "and"}, list(_as_filters(node, condition, parts)))]
