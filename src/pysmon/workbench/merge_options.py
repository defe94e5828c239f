"""The options of several configurations as those of one."""

from __future__ import annotations

from pysmon.config.markup import Node, Text
from pysmon.workbench.edit import Draft, Note

_LISTS = {"HashAlgorithms", "FieldSizes", "PipeMonitoringConfig", "ProcessAccessConfig"}
_EVERYTHING = {"*", "all"}  # in place of a list of hash algorithms


def merge_options(drafts: list[Draft]) -> tuple[list[Node], list[Note]]:
    """Each option once, and what became of contradictions: lists are united, of other values the last holds."""
    found: dict[str, tuple[Draft, Node]] = {}
    notes: list[Note] = []
    for draft in drafts:
        for node in draft.document.root.nodes():
            if node.name == "EventFiltering":
                continue
            if node.name in found:
                notes += _unite(*found[node.name], draft, node)
            found[node.name] = (draft, node)
    nodes = [node for _, node in found.values()]
    for node in nodes:
        node.blank_before = False
    return nodes, notes


def _unite(before: Draft, first: Node, draft: Draft, second: Node) -> list[Note]:
    """Make the second node hold for both."""
    one, two = _value(first), _value(second)
    if one.lower() == two.lower():
        return []
    if second.name in _LISTS:
        listed = {each.lower(): each for value in (one, two) for each in value.split(",") if each}
        every = [each for each in listed if each in _EVERYTHING]
        second.children = [Text(",".join(every[:1] or listed.values()))]
        return []
    what = f"{second.name} is {one or 'set'} in {before.configuration.file} and {two or 'set'} here, which holds"
    return [Note(draft.place(second), what, lost=True)]


def _value(node: Node) -> str:
    return "".join(child.raw for child in node.children if isinstance(child, Text)).strip()
