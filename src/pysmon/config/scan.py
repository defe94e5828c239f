"""XML text -> markup tokens that know where they stand. Reads on after an error; follows no entity and no DTD.

Not a whole XML parser: `elements.py` builds the tree and asks expat for the last word (docs/design/decisions/0003).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pysmon.config.references import resolved
from pysmon.config.report import Report, quoted

MOST_MARKUP = 500_000  # tags, comments and sections of one file, and likewise references such as &#65;
MOST_ATTRIBUTES = 64  # of one element; Sysmon's elements have at most two

_BLANK = " \t\n"
# Letters, digits and some signs, and all that is not ASCII. Told by what does not belong to it: to compile a set that
# names characters beyond ASCII takes 30 million instructions, at every start.
_NAME = r"[^\x00-9;-@\[-^`{-\x7f][^\x00-,/;-@\[-^`{-\x7f]*"
_OPEN = re.compile(f"<({_NAME})")
_CLOSE = re.compile(f"</({_NAME})[ \t\n]*>")
_END = re.compile(r"[ \t\n]*(/?)>")
_ATTRIBUTE = re.compile(f"""[ \t\n]+({_NAME})[ \t\n]*=[ \t\n]*(?:"([^"]*)(?:"|\\Z)|'([^']*)(?:'|\\Z))""")
_LOOSE = re.compile(
    f"""[ \t\n]*({_NAME})(?:[ \t\n]*=[ \t\n]*(?:"([^"<]*)"|'([^'<]*)'|((?:[^ \t\n"'<>=/]|/(?!>))+)))?"""
)
_BRACKET = re.compile("[<>]")
_DOCTYPE = re.compile(r"<!DOCTYPE[^<>\[]*(?:\[[^\]]*\][ \t\n]*)?>")


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: `at` is the offset of its name, `value_at` that of its value."""

    name: str
    value: str
    at: int
    value_at: int


@dataclass(frozen=True, slots=True)
class Start:
    """A start tag, `<a b="c">`; `empty` if it ends its element as well."""

    name: str
    at: int
    attributes: dict[str, Attribute]
    empty: bool


@dataclass(frozen=True, slots=True)
class End:
    """An end tag, `</a>`."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text with its references resolved. Pieces of nothing but blanks are left out, as Sysmon does."""

    value: str
    at: int


def tokens(text: str, report: Report) -> Iterator[Start | End | Text]:
    """All markup of the text in order; comments and processing instructions are left out."""
    references = text.count("&")
    if references > MOST_MARKUP:
        report.add("C102", text.find("&"), f"the file has {references} references", f"at most {MOST_MARKUP}")
        return
    at = 0
    for count in itertools.count():
        if at >= len(text) or report.full:
            return
        if count == MOST_MARKUP:
            report.add("C102", at, f"the file has more than {MOST_MARKUP} tags and comments", f"at most {MOST_MARKUP}")
            return
        opens = text.find("<", at)
        piece = text[at : opens if opens >= 0 else len(text)]
        if piece.strip(_BLANK):
            if "]]>" in piece:
                _tell(report, at + piece.find("]]>"), "']]>' stands in a text", "']]&gt;'")
            yield Text(resolved(piece, at, report), at)
        if opens < 0:
            return
        if found := _OPEN.match(text, opens):
            start, at = _start(found[1], opens, found.end(), text, report)
            yield start
        elif found := _CLOSE.match(text, opens):
            at = found.end()
            yield End(found[1], opens)
        elif text.startswith("<![CDATA[", opens):
            at = _past("]]>", opens, 9, text, report, "this CDATA section is never closed")
            yield Text(text[opens + 9 : max(opens + 9, at - 3)], opens + 9)
        else:
            at = _other(opens, text, report)


def _start(name: str, opens: int, at: int, text: str, report: Report) -> tuple[Start, int]:
    attributes: dict[str, Attribute] = {}
    count = 0
    while True:
        if found := _END.match(text, at):
            return Start(name, opens, attributes, bool(found[1])), found.end()
        if count == MOST_ATTRIBUTES:
            message = f"<{name}> has more than {MOST_ATTRIBUTES} attributes"
            report.add("C102", opens, message, f"at most {MOST_ATTRIBUTES}")
            return Start(name, opens, attributes, True), len(text)
        if found := _ATTRIBUTE.match(text, at):
            cut = _unclosed(found, report)
            if cut:
                return Start(name, opens, attributes, False), cut
        elif found := _LOOSE.match(text, at):
            _tell_loose(found, report)
        else:
            return _broken(name, opens, at, attributes, text, report)
        count += 1
        _add(found, name, attributes, report)
        at = found.end()


def _add(found: re.Match[str], name: str, attributes: dict[str, Attribute], report: Report) -> None:
    group = found.lastindex or 1  # the one that holds the value; 1, the name, if there is none
    raw = "" if group == 1 else found[group].replace("\n", " ").replace("\t", " ")
    value = resolved(raw, found.start(group), report)
    made = Attribute(found[1], value, found.start(1), found.start(group))
    if made.name in attributes:
        message = f"<{name}> has the attribute {quoted(made.name)} twice"
        report.add("C205", made.at, message, "each attribute once", "the first one is read")
    attributes.setdefault(made.name, made)


def _unclosed(found: re.Match[str], report: Report) -> int:
    """Where markup goes on if the value of this attribute is never closed, else 0."""
    group = found.lastindex or 1
    value, at = found[group], found.start(group)
    closed = found.end() > found.end(group)
    if closed and "<" not in value:
        return 0
    opens = at + value.find("<") if "<" in value else found.end()
    if closed and "\n" not in value and ">" not in value:
        report.add("C203", opens, "'<' stands in a value", "'&lt;'", "write '<' as '&lt;'")
        return 0
    _tell(report, at - 1, f"the value of {found[1]} is never closed", "a quotation mark at its end")
    return opens


def _tell_loose(found: re.Match[str], report: Report) -> None:
    name, at = quoted(found[1]), found.start(1)
    if found[4]:
        message = f"the value of {name} is not in quotation marks"
        _tell(report, found.start(4), message, f'{found[1]}="{found[4]}"')
    elif found.lastindex == 1:
        _tell(report, at, f"the attribute {name} has no value", f'{found[1]}="..."')
    else:
        _tell(report, at, f"there is no blank before the attribute {name}", "a blank between attributes")


def _broken(
    name: str, opens: int, at: int, attributes: dict[str, Attribute], text: str, report: Report
) -> tuple[Start, int]:
    found = _BRACKET.search(text, at)
    if not found or found[0] == "<":
        _tell(report, opens, f"the tag <{name}> is never closed", "'>' at its end")
        return Start(name, opens, attributes, False), found.start() if found else len(text)
    junk = text[at : found.start()].strip(_BLANK)
    _tell(report, at, f"{quoted(junk)} stands in the tag <{name}>", 'attributes, written name="value"')
    return Start(name, opens, attributes, text[found.start() - 1] == "/"), found.end()


def _other(at: int, text: str, report: Report) -> int:
    if text.startswith("<!--", at):
        end = _past("-->", at, 4, text, report, "this comment is never closed")
        inner = text.find("--", at + 4, end - 2)
        if inner >= 0:
            message = "a comment contains '--'"
            report.add("C207", inner, message, "a comment without '--' before its end", "write '- -' or '='")
        return end
    if text.startswith("<?", at):
        end = _past("?>", at, 2, text, report, "this '<?' is never closed")
        if at and text[at : at + 6] in {"<?xml ", "<?xml\n", "<?xml\t"}:
            _tell(report, at, "the XML declaration is not at the very beginning", "'<?xml' as the first characters")
        return end
    if text.startswith("<!DOCTYPE", at):
        message = "the file has a document type (DOCTYPE)"
        report.add("C206", at, message, "no DOCTYPE", "remove it: DTDs and entities are never followed")
        found = _DOCTYPE.match(text, at)
        return found.end() if found else len(text)
    if text.startswith(("</", "<!"), at):
        end = text.find(">", at)
        _tell(report, at, f"{quoted(text[at : at + 20])} is no tag", "<name ...> or </name>")
        return end + 1 if end >= 0 else len(text)
    report.add("C203", at, "'<' stands alone", "'&lt;'", "write '<' as '&lt;'")
    return at + 1


def _past(end: str, at: int, skip: int, text: str, report: Report, message: str) -> int:
    found = text.find(end, at + skip)
    if found >= 0:
        return found + len(end)
    _tell(report, at, message, f"{end!r} at its end")
    return len(text)


def _tell(report: Report, at: int, message: str, expected: str) -> None:
    report.add("C201", at, message, expected)
