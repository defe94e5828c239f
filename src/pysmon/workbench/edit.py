"""A configuration as text and as model at once: to each part of the one belongs a part of the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pysmon.config.markup import Comment, Document, Node, Text, parse_markup
from pysmon.config.model import Configuration, EventFilter, Filter, Rule
from pysmon.config.report import Source
from pysmon.errors import Place


@dataclass(frozen=True, slots=True)
class Note:
    """What a tool did that its user should know. `lost`: the new configuration does not do the same."""

    place: Place
    what: str
    lost: bool


class Draft:
    """A configuration that was read without errors, and the tree of its text, which a tool may change."""

    def __init__(self, text: str, configuration: Configuration) -> None:
        """The text is that of the file with line ends made `\\n`; the places of the model are places in it."""
        self.configuration = configuration
        self.document: Document = parse_markup(text)
        self._source = Source(configuration.file, text)

    @cached_property
    def _nodes(self) -> dict[Place, Node]:
        return {self._source.place(node.at): node for node in self.document.root.below()}

    @cached_property
    def _parents(self) -> dict[int, Node]:
        everything = [self.document.root, *self.document.root.below()]
        return {id(child): node for node in everything for child in node.nodes()}

    def node(self, part: EventFilter | Filter | Rule) -> Node:
        """The element of a part of the model."""
        return self._nodes[part.place]

    def parent(self, node: Node) -> Node:
        """The element around one."""
        return self._parents[id(node)]

    def group(self, element: EventFilter) -> Node | None:
        """The RuleGroup around an event's element."""
        parent = self.parent(self.node(element))
        return parent if parent.name.lower() == "rulegroup" else None

    def place(self, node: Node) -> Place:
        """Where an element stands in the file."""
        return self._source.place(node.at)

    def comments_before(self, node: Node) -> list[Node | Comment | Text]:
        """The comments directly before an element, on lines of their own."""
        siblings = self.parent(node).children
        at = next(n for n, child in enumerate(siblings) if child is node)
        found: list[Node | Comment | Text] = []
        for child in reversed(siblings[:at]):
            if isinstance(child, Node) or _is_of_others(child):
                break
            found.append(child)
        return found[::-1]

    def wrap(self, node: Node, around: Node) -> None:
        """Put an element into a new one that takes its place."""
        parent = self.parent(node)
        around.children = [node]
        replace_node(parent, node, [around])
        self._parents |= {id(node): around, id(around): parent}


def remove(parent: Node, node: Node) -> None:
    """Take an element out, with the comments beside it."""
    replace_node(parent, node, [])


def replace_node(parent: Node, node: Node, others: list[Node]) -> None:
    """Put other elements in the place of one; comments beside it stay only if there are some."""
    at = next(n for n, child in enumerate(parent.children) if child is node)
    end = at + 1
    while not others and end < len(parent.children) and _beside(parent.children[end]):
        end += 1
    if others:
        others[0].blank_before = node.blank_before
    parent.children[at:end] = others


def _is_of_others(child: Comment | Text) -> bool:
    return child.beside if isinstance(child, Comment) else bool(child.raw.strip())


def _beside(child: Node | Comment | Text) -> bool:
    return child.beside if isinstance(child, Comment) else isinstance(child, Text) and "\n" not in child.raw
