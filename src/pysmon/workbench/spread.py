"""An element whose filters combine with "and", said as alternatives: Rules of which one must match."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, product
from math import prod

from pysmon.config.markup import Node
from pysmon.config.model import EventFilter, Filter, Relation, Rule
from pysmon.workbench.edit import Draft

MOST_RULES = 64  # that one element may become


@dataclass(frozen=True, slots=True)
class Piece:
    """One event element of one configuration."""

    draft: Draft
    element: EventFilter

    @property
    def node(self) -> Node:
        """Its element in the text."""
        return self.draft.node(self.element)

    @property
    def group_name(self) -> str:
        """The name of the RuleGroup around it as it is written; "" if there is none."""
        group = self.draft.group(self.element)
        return group.attributes.get("name", "") if group else ""

    @property
    def is_and(self) -> bool:
        """Whether more than one thing must match."""
        return self.element.relation is Relation.AND and len(self.element.entries) > 1


def fields_of(element: EventFilter) -> Iterator[str]:
    """The fields that its filters speak of."""
    return (
        each.field for entry in element.entries for each in (entry.filters if isinstance(entry, Rule) else (entry,))
    )


def spread(piece: Piece) -> list[Node] | None:
    """Rules of which one matches where the element does; None if there would be more than 64.

    In an "and" element the filters on one field are alternatives, and so are those of an "or" Rule: for each choice
    among them there is one Rule, in which all must hold.
    """
    choices: dict[object, list[tuple[Filter, ...]]] = {}
    for entry in piece.element.entries:
        if isinstance(entry, Filter):
            choices.setdefault(entry.field, []).append((entry,))
        elif entry.filters:
            choices[id(entry)] = [entry.filters] if entry.relation is Relation.AND else [(f,) for f in entry.filters]
    if prod(len(each) for each in choices.values()) > MOST_RULES:
        return None
    rules = []
    for chosen in product(*choices.values()) if choices else ():
        filters = sorted(chain.from_iterable(chosen), key=lambda each: each.place)
        rules.append(Node("Rule", {"groupRelation": "and"}, [_named(piece, each) for each in filters]))
    return rules


def _named(piece: Piece, made: Filter) -> Node:
    """A filter's element once more, with the name that it has where it stands."""
    node = piece.draft.node(made)
    around = piece.draft.parent(node)
    inherited = around.attributes.get("name") if around.name.lower() == "rule" else ""
    name = node.attributes.get("name") or inherited or piece.group_name
    attributes = {**node.attributes, "name": name} if name else dict(node.attributes)
    return replace(node, attributes=attributes, children=list(node.children), blank_before=False)
