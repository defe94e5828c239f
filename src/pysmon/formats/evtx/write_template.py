"""Definitions of templates: the binary XML that all records of a kind share, with numbered slots for what differs."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pysmon.formats.evtx.layout import (
    FRAGMENT,
    INSTANCE,
    NAME,
    NAME_BUCKETS,
    TEMPLATE,
    TEMPLATE_BUCKETS,
    Token,
    ValueType,
    name_hash,
)

OURS = b"pysmon"  # how the GUID of every template of ours ends: by it a file that pysmon wrote is known again
ALWAYS = 0xFFFF  # the element depends on no value
_OFFSET = struct.Struct("<I")
_START = struct.Struct("<BHI")  # token, the value it depends on, size
_SLOT = struct.Struct("<BHB")
_MOST_KEPT = 512  # definitions, a few kilobytes each


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value goes, by its number in the instance."""

    number: int
    type: ValueType
    optional: bool = True  # leaves out the attribute or text around it if the value is null


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a template. `needs` is the number of the value without which it is left out."""

    name: str
    attributes: tuple[tuple[str, str | Slot], ...] = ()
    content: tuple[str | Slot | Element, ...] = ()
    needs: int = ALWAYS


@dataclass(frozen=True, eq=False)  # by identity: they are keys, and made once
class Template:
    """A template. Its GUID follows from what it says: the same one in every file."""

    root: Element
    guid: bytes = field(init=False)
    bucket: int = field(init=False)
    names: tuple[str, ...] = field(init=False)  # of elements and attributes, in the order in which they come
    most: int = field(init=False)  # bytes that a definition takes at most: with all names in it

    def __post_init__(self) -> None:
        """Work out what is asked for with every record."""
        guid = hashlib.md5(repr(self.root).encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
        object.__setattr__(self, "guid", guid[:10] + OURS)
        object.__setattr__(self, "bucket", int.from_bytes(guid[:4], "little") % TEMPLATE_BUCKETS)
        object.__setattr__(self, "names", tuple(dict.fromkeys(_names(self.root))))
        object.__setattr__(self, "most", 4 + len(_Definition(self, 0, Names()).data))

    def instance(self, offset: int) -> bytes:
        """What an instance begins with, the definition lying at that offset of the chunk."""
        token = int(Token.TEMPLATE_INSTANCE)
        return FRAGMENT + INSTANCE.pack(token, 1, int.from_bytes(self.guid[:4], "little"), offset)


@dataclass(slots=True)
class Names:
    """The names that a chunk holds, and the lists that its header points to."""

    offsets: dict[str, int] = field(default_factory=dict)
    heads: list[int] = field(default_factory=lambda: [0] * NAME_BUCKETS)

    def refer(self, name: str, at: int) -> bytes:
        """A reference that is to lie at `at`, followed by the name itself if the chunk does not have it yet."""
        known = self.offsets.get(name)
        if known is not None:
            return _OFFSET.pack(known)
        hashed, here = name_hash(name), at + 4
        text = name.encode("utf-16-le")
        following = self.add(name, here)
        return _OFFSET.pack(here) + NAME.pack(following, hashed, len(text) // 2) + text + b"\0\0"

    def add(self, name: str, offset: int) -> int:
        """Note a name that lies at that offset; the offset of the one before it in its list."""
        bucket = name_hash(name) % NAME_BUCKETS
        following, self.heads[bucket] = self.heads[bucket], offset
        self.offsets[name] = offset
        return following

    def copy(self) -> Names:
        """Another one like it, to try something out."""
        return Names(dict(self.offsets), list(self.heads))


class Definitions:
    """Makes definitions, and keeps them: most chunks begin alike, and so have their names at the same offsets."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: dict[tuple[Template, tuple[int, ...]], tuple[bytes, tuple[tuple[str, int], ...]]] = {}

    def define(self, template: Template, at: int, following: int, names: Names) -> bytes:
        """The definition for the offset `at`, before `following` in its bucket; its new names are noted."""
        known = tuple([names.offsets.get(name, 0) for name in template.names])
        key = (template, (*known, at, *names.heads) if 0 in known else known)
        found = self._kept.get(key)
        if found is None:
            made = _Definition(template, at, names.copy())
            found = bytes(made.data), tuple(made.new)
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found
        data, new = found
        for name, offset in new:
            names.add(name, offset)
        return _OFFSET.pack(following) + data


class _Definition:
    """One definition in the making, from the GUID on. `new` are the names that lie in it, in order."""

    def __init__(self, template: Template, at: int, names: Names) -> None:
        self._at = at + 4  # what `data` begins with lies behind the link to the next in the bucket
        self._names = names
        self.new: list[tuple[str, int]] = []
        self.data = bytearray(TEMPLATE.pack(0, template.guid, 0)[4:])
        begin = len(self.data)
        self.data += FRAGMENT
        self._element(template.root)
        self.data.append(Token.END)
        _OFFSET.pack_into(self.data, begin - 4, len(self.data) - begin)

    def _element(self, element: Element) -> None:
        token = Token.OPEN_ELEMENT | (Token.MORE if element.attributes else 0)
        self.data += _START.pack(token, element.needs, 0)
        begin = len(self.data)
        self._name(element.name)
        if element.attributes:
            self._attributes(element.attributes)
        if element.content:
            self.data.append(Token.CLOSE_START)
            for part in element.content:
                if isinstance(part, Element):
                    self._element(part)
                else:
                    self._value(part)
            self.data.append(Token.END_ELEMENT)
        else:
            self.data.append(Token.CLOSE_EMPTY)
        _OFFSET.pack_into(self.data, begin - 4, len(self.data) - begin)

    def _attributes(self, attributes: tuple[tuple[str, str | Slot], ...]) -> None:
        self.data += bytes(4)
        begin = len(self.data)
        for index, (name, value) in enumerate(attributes, 1):
            self.data.append(Token.ATTRIBUTE | (Token.MORE if index < len(attributes) else 0))
            self._name(name)
            self._value(value)
        _OFFSET.pack_into(self.data, begin - 4, len(self.data) - begin)

    def _name(self, name: str) -> None:
        at = self._at + len(self.data)
        is_new = name not in self._names.offsets
        self.data += self._names.refer(name, at)
        if is_new:
            self.new.append((name, at + 4))

    def _value(self, value: str | Slot) -> None:
        if isinstance(value, Slot):
            token = Token.OPTIONAL_SUBSTITUTION if value.optional else Token.SUBSTITUTION
            self.data += _SLOT.pack(token, value.number, value.type)
        else:
            text = value.encode("utf-16-le")
            self.data += struct.pack("<BBH", Token.VALUE, ValueType.STRING, len(text) // 2) + text


def _names(element: Element) -> Iterator[str]:
    yield element.name
    for name, _ in element.attributes:
        yield name
    for part in element.content:
        if isinstance(part, Element):
            yield from _names(part)
