"""The characters of an XML text: those that XML forbids, and references such as `&amp;` and `&#38;`."""

from __future__ import annotations

import re

from pysmon.config.report import Report, quoted

_REFERENCE = re.compile(r"&(?:(?:(amp|lt|gt|quot|apos)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6})|[A-Za-z_#][\w.-]{0,40});)?")
_NAMED = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}  # "amp" last: what it gives is not read again
_OTHER = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")
_FORBIDDEN = re.compile("[\0-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]+")
_TOLERATED = 20  # runs of forbidden characters, before the file is taken for something else than text


def without_forbidden(report: Report) -> str | None:
    """The text with each character that XML forbids told and replaced; None if there are too many of them."""
    text = report.source.text
    kept, done = [], 0
    for count, found in enumerate(_FORBIDDEN.finditer(text)):
        if count == _TOLERATED:
            return None
        _tell_forbidden(report, found.start(), found[0][0])
        kept += [text[done : found.start()], "\ufffd" * len(found[0])]
        done = found.end()
    return "".join(kept) + text[done:] if kept else text


def resolved(raw: str, at: int, report: Report) -> str:
    """Text with its references replaced by what they stand for; `at` is the offset of its first character."""
    if "&" not in raw:
        return raw
    if not _OTHER.search(raw):
        for name, character in _NAMED.items():
            raw = raw.replace(f"&{name};", character)
        return raw
    parts, done = [], 0
    for found in _REFERENCE.finditer(raw):
        if report.full:
            break
        parts += [raw[done : found.start()], _referred(found, at, report)]
        done = found.end()
    return "".join(parts) + raw[done:]


def _referred(found: re.Match[str], at: int, report: Report) -> str:
    name, decimal, hexadecimal = found.groups()
    if name:
        return _NAMED[name]
    if decimal or hexadecimal:
        code = int(decimal) if decimal else int(hexadecimal, 16)
        if code <= 0x10FFFF and (code == 13 or not _FORBIDDEN.match(chr(code))):
            return chr(code)
        message = f"{found[0]} stands for a character that XML does not allow"
        report.add("C204", at + found.start(), message, "text without control characters")
        return "\ufffd"
    if found[0] == "&":
        report.add("C203", at + found.start(), "'&' stands alone", "'&amp;'", "write '&' as '&amp;'")
    else:
        hint = "only &amp; &lt; &gt; &quot; &apos; and numbers are known; entities are never followed"
        report.add("C203", at + found.start(), f"the entity {quoted(found[0])} is not known", "'&amp;'", hint)
    return found[0]


def _tell_forbidden(report: Report, at: int, character: str) -> None:
    message = f"the character U+{ord(character):04X} is not allowed in XML"
    report.add("C204", at, message, "text without control characters")
