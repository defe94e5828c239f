"""Definitions of templates out of a chunk, as the elements that the writer makes them of.

Windows repeats a definition in every chunk, with names at other places. To parse each would cost more than the records
do, so it is known again by its GUID and all literal texts and slots in it. Mostly these lie where they did before: then
they are only compared. Else they are searched for.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pysmon.formats.evtx.layout import CHUNK_SIZE, FRAGMENT, NAME, TEMPLATE, Token, ValueType
from pysmon.formats.evtx.write_template import Element, Slot

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_LITERALS = re.compile(rb"\x05\x01(?:[^\0]\0)*|\x02[\x0d\x0e]...", re.DOTALL)
_DEEPEST = 32  # levels of elements
_MOST_KEPT = 2048  # templates
_MOST_SLOTS = 4096
_MOST_PRINTS = 256


class BrokenError(ValueError):
    """Bytes are not the binary XML that they should be; the text says where in the chunk, and what was expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """What a definition says, without the places of its names: the same object for all that say the same."""

    root: Element
    slots: int  # how many values an instance has at least


@dataclass(frozen=True, slots=True, eq=False)
class _Print:
    """What a definition is known by, and where in it that lies."""

    parts: Callable[[bytes, int], tuple[bytes, ...]]
    found: tuple[bytes, ...]
    definition: Definition


class Definitions:
    """Definitions that were read before."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[tuple[bytes, ...], Definition] = {}
        self._prints: dict[tuple[bytes, int], _Print] = {}  # the latest, by GUID and size

    def at(self, chunk: bytes, offset: int) -> tuple[Definition, int]:
        """The definition at an offset of a chunk, and the offset behind it. BrokenError."""
        if offset + TEMPLATE.size > len(chunk):
            raise BrokenError(f"a template at {offset:#x}, beyond the chunk")
        _, guid, size = TEMPLATE.unpack_from(chunk, offset)
        begin = offset + TEMPLATE.size
        if size > CHUNK_SIZE or begin + size > len(chunk):
            raise BrokenError(f"a template of {size} bytes at {offset:#x}, beyond the chunk")
        latest = self._prints.get((guid, size))
        if latest is not None and latest.parts(chunk, begin) == latest.found:
            return latest.definition, begin + size
        definition = self._searched(chunk, begin, guid, size)
        if len(self._prints) >= _MOST_PRINTS:
            self._prints.clear()
        self._prints[guid, size] = _print(chunk, begin, begin + size, definition)
        return definition, begin + size

    def _searched(self, chunk: bytes, begin: int, guid: bytes, size: int) -> Definition:
        key = (guid, *_LITERALS.findall(chunk, begin, begin + size))
        known = self._known.get(key)
        if known is None:
            root = element_at(chunk, begin)
            known = Definition(root, max((slot.number + 1 for slot in _slots(root)), default=0))
            if known.slots > _MOST_SLOTS:
                raise BrokenError(f"a template with {known.slots} values at {begin - TEMPLATE.size:#x}")
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[key] = known
        return known


def _print(chunk: bytes, begin: int, end: int, definition: Definition) -> _Print:
    """Literals and slots that lie side by side are one part."""
    codes, at, following = ["<"], begin, begin
    for match in _LITERALS.finditer(chunk, begin, end):
        if match.start() > following:
            codes.append(f"{following - at}s{match.start() - following}x")
            at = match.start()
        following = match.end()
    parts = struct.Struct(f"{''.join(codes)}{following - at}s").unpack_from
    return _Print(parts, parts(chunk, begin), definition)


def element_at(chunk: bytes, at: int) -> Element:
    """The element that lies at an offset of a chunk, behind a fragment header or without. BrokenError."""
    try:
        return _element(chunk, _behind_header(chunk, at), 0)[0]
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise BrokenError(f"binary XML at {at:#x} that goes beyond the chunk") from error


def _behind_header(chunk: bytes, at: int) -> int:
    return at + len(FRAGMENT) if chunk[at] == Token.FRAGMENT_HEADER else at


def _element(chunk: bytes, at: int, depth: int) -> tuple[Element, int]:
    token = chunk[at]
    if token & ~Token.MORE != Token.OPEN_ELEMENT:
        raise BrokenError(f"token {token:#x} at {at:#x} (expected an element, 0x01 or 0x41)")
    if depth > _DEEPEST:
        raise BrokenError(f"elements at {at:#x} that lie too deep")
    needs = _U16.unpack_from(chunk, at + 1)[0]
    name, at = _name(chunk, at + 7)
    attributes: list[tuple[str, str | Slot]] = []
    if token & Token.MORE:
        end = at + 4 + _U32.unpack_from(chunk, at)[0]
        at += 4
        while at < end:
            if chunk[at] & ~Token.MORE != Token.ATTRIBUTE:
                raise BrokenError(f"token {chunk[at]:#x} at {at:#x} (expected an attribute, 0x06 or 0x46)")
            attribute, at = _name(chunk, at + 1)
            parts, at = _parts(chunk, at)
            attributes.append((attribute, _single(parts)))
    content: list[str | Slot | Element] = []
    if chunk[at] == Token.CLOSE_EMPTY:
        return Element(name, tuple(attributes), (), needs), at + 1
    if chunk[at] != Token.CLOSE_START:
        raise BrokenError(f"token {chunk[at]:#x} at {at:#x} (expected the end of a start tag, 0x02 or 0x03)")
    at += 1
    while chunk[at] != Token.END_ELEMENT:
        if chunk[at] & ~Token.MORE == Token.OPEN_ELEMENT:
            child, at = _element(chunk, at, depth + 1)
            content.append(child)
        else:
            part, at = _part(chunk, at)
            content.append(part)
    return Element(name, tuple(attributes), tuple(content), needs), at + 1


def _name(chunk: bytes, at: int) -> tuple[str, int]:
    """The name that the offset at `at` leads to, and the offset behind the reference and a name right behind it."""
    offset = _U32.unpack_from(chunk, at)[0]
    length = NAME.unpack_from(chunk, offset)[2]
    begin = offset + NAME.size
    end = begin + 2 * length
    if end > len(chunk):
        raise BrokenError(f"a name of {length} characters at {offset:#x}, beyond the chunk")
    return chunk[begin:end].decode("utf-16-le"), end + 2 if offset == at + 4 else at + 4


def _parts(chunk: bytes, at: int) -> tuple[list[str | Slot], int]:
    parts: list[str | Slot] = []
    while chunk[at] & ~Token.MORE in _PARTS:
        part, at = _part(chunk, at)
        parts.append(part)
    return parts, at


def _single(parts: list[str | Slot]) -> str | Slot:
    """The value of an attribute: a slot if there is one, else the text."""
    return next((part for part in parts if isinstance(part, Slot)), None) or "".join(map(str, parts))


def _part(chunk: bytes, at: int) -> tuple[str | Slot, int]:
    token = chunk[at] & ~Token.MORE
    if token in (Token.SUBSTITUTION, Token.OPTIONAL_SUBSTITUTION):
        number, kind = _U16.unpack_from(chunk, at + 1)[0], chunk[at + 3]
        try:
            return Slot(number, ValueType(kind & ~ValueType.ARRAY), token == Token.OPTIONAL_SUBSTITUTION), at + 4
        except ValueError:
            raise BrokenError(f"a value of the unknown type {kind:#x} at {at:#x}") from None
    if token == Token.CHARACTER_REFERENCE:
        return chr(_U16.unpack_from(chunk, at + 1)[0]), at + 3
    if token == Token.ENTITY_REFERENCE:
        name, at = _name(chunk, at + 1)
        return _ENTITIES.get(name, f"&{name};"), at
    if token not in _PARTS:
        raise BrokenError(f"token {chunk[at]:#x} at {at:#x} (expected text, a value, or the end of an element)")
    begin = at + 4 if token == Token.VALUE else at + 3
    end = begin + 2 * _U16.unpack_from(chunk, begin - 2)[0]
    if end > len(chunk):
        raise BrokenError(f"a text at {at:#x} that goes beyond the chunk")
    return chunk[begin:end].decode("utf-16-le", "surrogatepass"), end


_PARTS = {
    Token.VALUE,
    Token.CDATA,
    Token.CHARACTER_REFERENCE,
    Token.ENTITY_REFERENCE,
    Token.SUBSTITUTION,
    Token.OPTIONAL_SUBSTITUTION,
}
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def _slots(element: Element) -> Iterator[Slot]:
    yield from (value for _, value in element.attributes if isinstance(value, Slot))
    for part in element.content:
        if isinstance(part, Slot):
            yield part
        elif isinstance(part, Element):
            yield from _slots(part)
