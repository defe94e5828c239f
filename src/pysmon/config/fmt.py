"""The one way to lay out a configuration: its meaning, its order and its comments stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pysmon.config.markup import Comment, Document, Node, Text, parse_markup
from pysmon.schema.lookup import TAGS

_INDENT = "  "
_HOLDERS = {"sysmon", "eventfiltering", "rulegroup", "rule", *(tag.lower() for tag in TAGS)}
_SPELT = {"rule": "Rule", "rulegroup": "RuleGroup"}  # Sysmon reads these in any case of letters
_WORDS = {"onmatch", "default", "groupRelation", "condition"}  # whose values it reads in any case of letters
_ORDER = ("schemaversion", "name", "groupRelation", "onmatch", "default", "condition")


def format_text(text: str) -> str:
    """The text of a configuration without errors, laid out; a text that is laid out already stays as it is.

    One element a line, two spaces a level; attributes in one order, in double quotation marks; words of Sysmon in its
    own case of letters. Values stay letter by letter, and so do comments and single blank lines between elements. The
    XML declaration goes: the text is for UTF-8, which needs none.
    """
    return render(parse_markup(text))


def render(document: Document) -> str:
    """A tree as text in that layout."""
    around = Node("", children=[*document.before, document.root, *document.after])
    return "".join(f"{line}\n" for line in _inside(around))


def _inside(node: Node) -> Iterator[str]:
    """The lines of what an element holds."""
    lines: list[str] = []
    first = True
    for child in node.children:
        if isinstance(child, Text):
            lines += [line.strip() for line in child.raw.splitlines() if line.strip()]
            continue
        if isinstance(child, Comment) and child.beside and lines and lines[-1]:
            lines[-1] += f" {_comment(child)}"
            continue
        if child.blank_before and not first:
            lines.append("")
        first = False
        lines += [_comment(child)] if isinstance(child, Comment) else _element(child)
    return iter(lines)


def _element(node: Node) -> list[str]:
    name = _SPELT.get(node.name.lower(), node.name)
    opening = "".join([name, *_attributes(node)])
    if node.name.lower() not in _HOLDERS and not node.nodes():
        value = "".join(child.raw for child in node.children if not isinstance(child, Node))
        return [f"<{opening}>{value}</{name}>" if value.strip() else f"<{opening}/>"]
    opened, inside = f"<{opening}>", _inside(node)
    first = next((each for each in node.children if not isinstance(each, Text) or each.raw.strip()), None)
    if isinstance(first, Comment) and first.beside:
        opened += f" {next(inside)}"
    lines = list(_indented(inside))
    if not lines and opened == f"<{opening}>":
        return [f"<{opening}/>"]
    return [opened, *lines, f"</{name}>"]


def _attributes(node: Node) -> Iterator[str]:
    for name in sorted(node.attributes, key=lambda each: _ORDER.index(each) if each in _ORDER else len(_ORDER)):
        value = node.attributes[name]
        yield f' {name}="{value.lower() if name in _WORDS else value}"'


def _comment(comment: Comment) -> str:
    return "\n".join(line.rstrip() for line in comment.raw.split("\n"))


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"{_INDENT}{line}" if line else "" for line in lines)
