"""Values of GVariant: from their serialised form to the text that `dconf read` shows.

Formats: https://docs.gtk.org/glib/gvariant-specification.html, https://docs.gtk.org/glib/gvariant-text-format.html.
What is not in normal form is refused: nobody but an attacker writes it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pysmon.errors import RecordError

_DEPTH = 32  # of types and variants in each other; GLib allows 128, settings have 4
# By the letter of the type: the number's format, whose size is its alignment too, and the word that tells the type.
_NUMBERS = {
    "y": ("B", "byte "),
    "n": ("h", "int16 "),
    "q": ("H", "uint16 "),
    "i": ("i", ""),
    "u": ("I", "uint32 "),
    "x": ("q", "int64 "),
    "t": ("Q", "uint64 "),
    "h": ("i", "handle "),
    "d": ("d", ""),
}
_TEXTS = {"s": "", "o": "objectpath ", "g": "signature "}
_ESCAPES = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
_BYTES = dict(zip(b"\a\b\f\n\r\t\v", _ESCAPES.values(), strict=True))


class _Type(NamedTuple):
    """A type: its string, how it is aligned, and its size in bytes; None if that depends on the value."""

    text: str
    alignment: int
    size: int | None
    members: tuple[_Type, ...] = ()


def variant_text(data: bytes) -> str:
    """The value of a serialised variant (type `v`, little-endian), as text. RecordError if it is not in normal form."""
    try:
        return _inside_variant(data, _DEPTH)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise RecordError(f"a value cannot be read: {error}") from error


def _inside_variant(data: bytes, depth: int) -> str:
    value, separator, kind = data.rpartition(b"\0")
    if not separator:
        raise RecordError("a variant does not tell its type")
    return _show(_parse(kind.decode("ascii"), depth), value, depth, annotated=True)


def _parse(text: str, depth: int) -> _Type:
    found, rest = _type(text, depth)
    if rest:
        raise RecordError(f"{text[:40]!r} is not one type")
    return found


def _type(text: str, depth: int) -> tuple[_Type, str]:
    """The first type of the text, and what follows it."""
    letter, rest = text[:1], text[1:]
    if depth <= 0:
        raise RecordError("types lie too deep in each other")
    if letter in _NUMBERS:
        size = struct.calcsize(_NUMBERS[letter][0])
        return _Type(letter, size, size), rest
    if letter == "b":
        return _Type(letter, 1, 1), rest
    if letter and letter in "sog":
        return _Type(letter, 1, None), rest
    if letter == "v":
        return _Type(letter, 8, None), rest
    if letter and letter in "am":
        member, rest = _type(rest, depth - 1)
        return _Type(letter + member.text, member.alignment, None, (member,)), rest
    if letter and letter in "({":
        return _structure(letter, rest, depth)
    raise RecordError(f"{text[:40]!r} begins with no type")


def _structure(opening: str, rest: str, depth: int) -> tuple[_Type, str]:
    closing, members = ")" if opening == "(" else "}", list[_Type]()
    while not rest.startswith(closing):
        member, rest = _type(rest, depth - 1)
        members.append(member)
    if opening == "{" and (len(members) != 2 or members[0].members or members[0].text == "v"):
        raise RecordError("an entry of a dictionary is a plain key and a value")
    alignment = max((member.alignment for member in members), default=1)
    text = f"{opening}{''.join(member.text for member in members)}{closing}"
    return _Type(text, alignment, _fixed_size(members, alignment), tuple(members)), rest[1:]


def _fixed_size(members: list[_Type], alignment: int) -> int | None:
    size = 0
    for member in members:
        if member.size is None:
            return None
        size = _aligned(size, member.alignment) + member.size
    return _aligned(size, alignment) if members else 1


def _show(kind: _Type, data: bytes, depth: int, *, annotated: bool) -> str:
    if depth <= 0:
        raise RecordError("values lie too deep in each other")
    if kind.size is not None and len(data) != kind.size:
        raise RecordError(f"a value of type {kind.text[:40]} has {len(data)} bytes (expected {kind.size})")
    letter = kind.text[0]
    if letter in _NUMBERS:
        return _number(letter, data, annotated=annotated)
    match letter:
        case "b":
            return ("false", "true")[data[0]]
        case "v":
            return f"<{_inside_variant(data, depth - 1)}>"
        case "m":
            return _maybe(kind, data, depth, annotated=annotated)
        case "a":
            return _array(kind, data, depth, annotated=annotated)
        case "(":
            shown = [_show(k, d, depth - 1, annotated=annotated) for k, d in _members(kind, data)]
            return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"
        case "{":
            return f"{{{_entry(kind, data, depth, annotated=annotated)}}}"
        case _:
            if data[-1:] != b"\0" or b"\0" in data[:-1]:
                raise RecordError("a text does not end where it should")
            return (_TEXTS[letter] if annotated else "") + _quoted(data[:-1].decode())


def _number(letter: str, data: bytes, *, annotated: bool) -> str:
    form, word = _NUMBERS[letter]
    (value,) = struct.unpack(f"<{form}", data)
    if letter == "d":
        text = f"{value:.17g}"
        return text if any(mark in text for mark in ".eEnN") else f"{text}.0"
    return (word if annotated else "") + (f"0x{value:02x}" if letter == "y" else str(value))


def _maybe(kind: _Type, data: bytes, depth: int, *, annotated: bool) -> str:
    member, word = kind.members[0], f"@{kind.text} " * annotated
    if not data:
        return f"{word}nothing"
    shown = _show(member, data if member.size is not None else data[:-1], depth - 1, annotated=False)
    return f"{word}{'just ' * shown.endswith('nothing')}{shown}"


def _array(kind: _Type, data: bytes, depth: int, *, annotated: bool) -> str:
    member = kind.members[0]
    if kind.text == "ay" and data[-1:] == b"\0" and b"\0" not in data[:-1]:
        return _byte_string(data[:-1])
    parts = list(_elements(member, data))
    if not parts:
        return f"@{kind.text} " * annotated + ("{}" if member.text[0] == "{" else "[]")
    if member.text[0] == "{":
        shown = [_entry(member, part, depth - 1, annotated=annotated and not n) for n, part in enumerate(parts)]
        return f"{{{', '.join(shown)}}}"
    shown = [_show(member, part, depth - 1, annotated=annotated and not n) for n, part in enumerate(parts)]
    return f"[{', '.join(shown)}]"


def _entry(kind: _Type, data: bytes, depth: int, *, annotated: bool) -> str:
    key, value = (_show(k, d, depth - 1, annotated=annotated) for k, d in _members(kind, data))
    return f"{key}: {value}"


def _elements(member: _Type, data: bytes) -> Iterator[bytes]:
    if not data:
        return
    if member.size is not None:
        if len(data) % member.size:
            raise RecordError(f"an array of {member.text[:40]} has {len(data)} bytes")
        for at in range(0, len(data), member.size):
            yield data[at : at + member.size]
        return
    width = _width(len(data))
    table = _offset(data, len(data) - width, width)
    if table > len(data) or (len(data) - table) % width:
        raise RecordError("the offsets of an array lie outside of it")
    at = 0
    for position in range(table, len(data), width):
        end = _offset(data, position, width)
        at = _aligned(at, member.alignment)
        yield _between(data, at, end, table)
        at = end


def _members(kind: _Type, data: bytes) -> Iterator[tuple[_Type, bytes]]:
    """The members of a tuple or of an entry; where those end that have no fixed size stands at the end, backwards."""
    if not kind.members:
        return
    width, at, table = _width(len(data)), 0, len(data)
    told = sum(member.size is None for member in kind.members[:-1])
    begins = len(data) - told * width if kind.size is None else len(data)
    for n, member in enumerate(kind.members):
        at = _aligned(at, member.alignment)
        if member.size is not None:
            end = at + member.size
        elif n == len(kind.members) - 1:
            end = begins
        else:
            table -= width
            end = _offset(data, table, width)
        yield member, _between(data, at, end, begins)
        at = end


def _between(data: bytes, at: int, end: int, limit: int) -> bytes:
    if not at <= end <= limit:
        raise RecordError(f"a value goes from {at} to {end}, where {limit} bytes are")
    return data[at:end]


def _width(size: int) -> int:
    return 1 if size <= 0xFF else 2 if size <= 0xFFFF else 4


def _offset(data: bytes, at: int, width: int) -> int:
    if at < 0:
        raise RecordError("a value is shorter than its offsets")
    return int.from_bytes(data[at : at + width], "little")


def _aligned(at: int, alignment: int) -> int:
    return -at % alignment + at


def _quoted(text: str) -> str:
    quote = '"' if "'" in text else "'"
    return quote + "".join(_escaped(letter, quote) for letter in text) + quote


def _escaped(letter: str, quote: str) -> str:
    if letter in (quote, "\\"):
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    number = ord(letter)
    return _ESCAPES.get(letter) or (f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}")


def _byte_string(data: bytes) -> str:
    quote = '"' if b"'" in data else "'"
    return f"b{quote}{''.join(_shown_byte(byte, quote) for byte in data)}{quote}"


def _shown_byte(byte: int, quote: str) -> str:
    letter = chr(byte)
    if letter in ("\\", quote):
        return f"\\{letter}"
    return _BYTES.get(byte) or (letter if 0x20 <= byte < 0x7F else f"\\{byte:03o}")
