"""How characters are shown that an output cannot carry: control characters, broken UTF-8, invisible marks.

One spelling everywhere. `\\x1b` is a control character of ASCII or a byte that is not UTF-8 (Python's surrogateescape
keeps such bytes apart: U+DC80 to U+DCFF); `\\u202e` and `\\U000e0041` are code points. A backslash of the value itself
is not doubled: values are mostly paths and command lines, and those must stay readable and searchable.
"""

from __future__ import annotations

import re

_SURROGATES = re.compile("[\ud800-\udfff]")


def spelled(char: str) -> str:
    """The visible spelling of one character."""
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(text: str) -> str:
    """The text for a terminal: whatever does not print (controls, direction marks, lone surrogates) is spelled out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else spelled(char) for char in text)


def encodable(text: str) -> str:
    """The text with its lone surrogates spelled out, so that it can be written as UTF-8."""
    return _SURROGATES.sub(lambda found: spelled(found[0]), text)
