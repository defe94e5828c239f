"""One configuration -> several, one for each event; each can be used, and `merge` makes the whole of them again."""

from __future__ import annotations

from collections.abc import Iterator

from pysmon.config.fmt import render
from pysmon.config.markup import Comment, Document, Node, Text
from pysmon.config.model import Configuration, EventFilter
from pysmon.schema.lookup import TAGS, by_tag
from pysmon.workbench.edit import Draft

OPTIONS = "00-options.xml"


def split(text: str, configuration: Configuration) -> dict[str, str]:
    """The texts by the names that their files should have: `01-ProcessCreate.xml`, and the options.

    The number is that of the event, or of the first of its series. RuleGroups that hold elements of several events are
    there in each of their files; comments go along with the element or the RuleGroup that they stand before.
    """
    draft = Draft(text, configuration)
    root = draft.document.root
    files = {}
    options = [child for child in root.children if not isinstance(child, Node) or child.name != "EventFiltering"]
    if any(isinstance(child, Node) for child in options):
        document = Document(
            draft.document.before, _root(draft, [*options, Node("EventFiltering")]), draft.document.after
        )
        files[OPTIONS] = render(document)
    for tag in TAGS:
        elements = [element for element in configuration.filters if element.tag == tag]
        if elements:
            filtering = Node("EventFiltering", children=[*_groups(draft, elements)])
            files[f"{by_tag(tag)[0].id:02}-{tag}.xml"] = render(Document([], _root(draft, [filtering]), []))
    return files


def _root(draft: Draft, children: list[Node | Comment | Text]) -> Node:
    return Node("Sysmon", dict(draft.document.root.attributes), children)


def _groups(draft: Draft, elements: list[EventFilter]) -> Iterator[Node | Comment | Text]:
    """The elements, each in its RuleGroup if it has one, with the comments before them."""
    last: Node | None = None
    inside: list[Node | Comment | Text] = []
    for element in elements:
        node, group = draft.node(element), draft.group(element)
        if group is None:
            yield from (*draft.comments_before(node), node)
            continue
        if group is not last:
            last, inside = group, []
            yield from draft.comments_before(group)
            yield Node(group.name, dict(group.attributes), inside, blank_before=group.blank_before)
        inside += [*draft.comments_before(node), node]
