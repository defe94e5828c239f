"""What stands where Sysmon does not look, and would be ignored without a word: attributes, texts, elements."""

from __future__ import annotations

from pysmon.config.elements import Element
from pysmon.config.report import Report, quoted

LONGEST_NAME = 255  # bytes in UTF-8


def tell_attributes(element: Element, known: tuple[str, ...], report: Report) -> None:
    """Tell of attributes that Sysmon does not read, and of what is wrong with a name and a groupRelation."""
    for attribute in element.attributes.values():
        if attribute.name not in known:
            message = f"<{element.name}> has no attribute {quoted(attribute.name)}; Sysmon ignores it"
            expected = " or ".join(known) if known else "no attributes"
            report.add("C306", attribute.at, message, expected, report.nearest(attribute.name, known))
    size = len(element.get("name").encode())
    if "name" in known and size > LONGEST_NAME:
        report.add("C406", element.spot("name"), f"the name has {size} bytes in UTF-8", f"at most {LONGEST_NAME}")
    if "groupRelation" in known and element.get("groupRelation").lower() not in {"", "and", "or"}:
        written = element.get("groupRelation")
        message = f"groupRelation {quoted(written)} is not known; Sysmon takes it for 'and'"
        report.add("C313", element.spot("groupRelation"), message, "and or or", report.nearest(written, ("and", "or")))


def tell_text(element: Element, report: Report) -> None:
    """Tell of text directly in an element that holds only elements."""
    for piece in element.pieces:
        at = piece.at + len(piece.value) - len(piece.value.lstrip())
        found = quoted(piece.value.strip())
        message = f"the text {found} stands directly in <{element.name}>; Sysmon ignores it"
        report.add("C309", at, message, f"only elements in <{element.name}>")


def tell_pieces(element: Element, report: Report) -> None:
    """Tell of a value that is not one piece of text."""
    if element.children:
        child = element.children[0]
        message = f"<{child.name}> stands in the value of <{element.name}>; Sysmon ignores it"
        report.add(
            "C321", child.at, message, "a text without elements", "write '<' as '&lt;' if it is part of the text"
        )
    elif len(element.pieces) > 1:
        message = f"the value of <{element.name}> is cut in pieces; the newest Sysmon takes only the first"
        report.add("C407", element.pieces[1].at, message, "one piece of text", "move the comment out of the value")
