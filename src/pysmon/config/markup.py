"""A configuration's text as a tree that forgets nothing: comments, blank lines, and values as they are written.

For tools that change a file and leave the rest of it alone. What a configuration means is the business of `read`; this
is only for texts that it found no error in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<comment><!--.*?-->)|(?P<instruction><\?.*?\?>)|(?P<section><!\[CDATA\[.*?\]\]>)"""
    r"""|</(?P<end>[^\s>]+)\s*>|<(?P<start>[^\s/>]+)(?P<attributes>(?:[^"'>]|"[^"]*"|'[^']*')*?)(?P<empty>/?)>""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(slots=True)
class Comment:
    """A comment with its `<!--` and `-->`. `beside`: it stands on the line on which what is before it ends."""

    raw: str
    beside: bool = False
    blank_before: bool = False


@dataclass(slots=True)
class Text:
    """Text as it is written, with its references and CDATA sections."""

    raw: str


@dataclass(slots=True)
class Node:
    """An element. Attributes are as written, without their quotation marks; `at` is the offset of its `<`."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | Comment | Text] = field(default_factory=list)
    at: int = -1  # -1: it does not come from a file
    blank_before: bool = False

    def nodes(self, *names: str) -> list[Node]:
        """The elements directly in this one; only those with such a name in any case of letters, if any is given."""
        wanted = {name.lower() for name in names}
        return [c for c in self.children if isinstance(c, Node) and (not wanted or c.name.lower() in wanted)]

    def below(self) -> Iterator[Node]:
        """All elements in this one, in the order of the text."""
        for child in self.nodes():
            yield child
            yield from child.below()


@dataclass(slots=True)
class Document:
    """A whole text: its root, and the comments around it."""

    before: list[Comment]
    root: Node
    after: list[Comment]


def parse_markup(text: str) -> Document:
    """The tree of a text that was read without errors; XML declarations and instructions are left out."""
    outside = Node("")
    opened = [outside]
    done = 0
    blank = False
    for found in _TOKEN.finditer(text):
        between = text[done : found.start()]
        blank = between.count("\n") > 1 if not between.strip() else False
        beside = "\n" not in between and bool(opened[-1].children or opened[-1].at >= 0)
        if between:
            opened[-1].children.append(Text(between))
        done = found.end()
        if found["comment"]:
            opened[-1].children.append(Comment(found["comment"], beside, blank))
        elif found["section"]:
            opened[-1].children.append(Text(found["section"]))
        elif found["end"]:
            opened.pop()
        elif found["start"]:
            made = Node(found["start"], _attributes(found["attributes"]), [], found.start(), blank)
            opened[-1].children.append(made)
            if not found["empty"]:
                opened.append(made)
    (root,) = outside.nodes()
    at = outside.children.index(root)
    before = [child for child in outside.children[:at] if isinstance(child, Comment)]
    after = [child for child in outside.children[at:] if isinstance(child, Comment)]
    return Document(before, root, after)


def _attributes(raw: str) -> dict[str, str]:
    return {name: (double or single).replace('"', "&quot;") for name, double, single in _ATTRIBUTE.findall(raw)}
