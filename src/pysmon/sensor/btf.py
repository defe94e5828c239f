"""BTF, the kernel's type information: of all of it the part that an object's programs name, as BTF of its own.

To fit programs to a kernel, libbpf looks through all of its types once for each type that they name. What it reads of
the types is the same in the part: members, sizes, values. Only what pointers lead to is left out, which it never
follows. Formats: the kernel's Documentation/bpf/btf.rst and llvm's relocations (BPF CO-RE, bpf.h: bpf_core_relo_kind).
"""

from __future__ import annotations

import re
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from pysmon.errors import SensorError

_HEADER = struct.Struct("<HBBIIIII")  # magic, version, flags, its length; offset and length of types, of texts
_TYPE, _WORDS = struct.Struct("<III"), struct.Struct("<6I")
_MAGIC = 0xEB9F
_PTR, _ARRAY, _STRUCT, _UNION = 2, 3, 4, 5
_REFERRING = {8, 9, 10, 11, 18}  # typedef, volatile, const, restrict, type tag
_FUNCTIONS = {12, 13, 14, 15, 17}  # functions, variables, and what is said of them: never what a program names
_FIXED = {1: 4, _ARRAY: 12, 14: 4, 17: 4}  # bytes behind the head, by kind
_EACH = {_STRUCT: 12, _UNION: 12, 6: 8, 13: 8, 15: 12, 19: 12}  # bytes for each of as many as the head says
_IN_THE_PART = {*range(6), 6, 8, 9, 10, 11}  # kinds of relocation: of members, own type ids, existence, size, values


class BtfError(SensorError):
    """What was read is no type information as it is known here."""


@dataclass(frozen=True, slots=True)
class Btf:
    """All types of one kernel, or of one object file."""

    data: bytes
    places: array[int]  # of the types, by number; 0 stands for void
    texts: tuple[int, int]  # where they begin and end

    @classmethod
    def read(cls, data: bytes) -> Btf:
        """Find the types."""
        try:
            magic, _, _, header, types, size, texts, length = _HEADER.unpack_from(data)
            if magic != _MAGIC:
                raise BtfError("no BTF in the byte order of this machine")
            places, at, end = array("I", [0]), header + types, header + types + size
            while at < end:
                places.append(at)
                (info,) = struct.unpack_from("<I", data, at + 4)
                kind = info >> 24 & 0x1F
                at += _TYPE.size + _FIXED.get(kind, 0) + _EACH.get(kind, 0) * (info & 0xFFFF)
        except struct.error as error:
            raise BtfError(f"BTF that is cut off: {error}") from error
        return cls(data, places, (header + texts, header + texts + length))

    def head(self, number: int) -> tuple[int, int, int, int]:
        """Place of its name, kind, how many it has of what follows, and size or type."""
        name, info, last = _TYPE.unpack_from(self.data, self.places[number])
        return name, info >> 24 & 0x1F, info & 0xFFFF, last

    def text(self, place: int) -> bytes:
        """The text that begins there."""
        begin = self.texts[0] + place
        return self.data[begin : self.data.index(b"\0", begin)]

    def whole(self, number: int) -> bytes:
        """All that is said of a type."""
        _, kind, count, _ = self.head(number)
        at = self.places[number]
        return self.data[at : at + _TYPE.size + _FIXED.get(kind, 0) + _EACH.get(kind, 0) * count]

    def named(self, names: frozenset[bytes]) -> Iterator[tuple[int, bytes]]:
        """The types of these names, with and without a suffix (`___old`), by number."""
        words = b"|".join(map(re.escape, sorted(names)))
        begin, end = self.texts
        found = re.compile(rb"(?<=\0)(?:%s)(?:___[^\0]*)?(?=\0)" % words).finditer(self.data, begin, end)
        places = {each.start() - begin: essential(each[0]) for each in found}
        for number in range(1, len(self.places)):
            (place,) = struct.unpack_from("<I", self.data, self.places[number])
            if place in places and self.head(number)[1] not in _FUNCTIONS:
                yield number, places[place]


def essential(name: bytes) -> bytes:
    """A name without the suffix that tells versions of the same type apart."""
    return name.partition(b"___")[0]


def names_asked_for(program: bytes) -> frozenset[bytes]:
    """The types that the programs of an object file (ELF) name. BtfError if they ask for what no part can answer."""
    try:
        sections = _sections(program)
        own, more = Btf.read(sections[b".BTF"]), sections[b".BTF.ext"]
        _, _, _, header = struct.unpack_from("<HBBI", more)
        begin, length = struct.unpack_from("<24xII", more)
        (size,), at = struct.unpack_from("<I", more, header + begin), header + begin + 4
        names = set[bytes]()
        while at < header + begin + length:
            (count,) = struct.unpack_from("<4xI", more, at)
            for each in range(at + 8, at + 8 + count * size, size):
                number, kind = struct.unpack_from("<4xI4xI", more, each)
                if kind not in _IN_THE_PART:
                    raise BtfError(f"a relocation of kind {kind}")
                names.add(essential(own.text(own.head(number)[0])))
            at += 8 + count * size
    except (struct.error, KeyError, IndexError, ValueError) as error:
        raise BtfError(f"no object file with relocations: {error}") from error
    return frozenset(names)


def _sections(elf: bytes) -> dict[bytes, bytes]:
    (table,) = struct.unpack_from("<Q", elf, 0x28)
    size, count, names_at = struct.unpack_from("<HHH", elf, 0x3A)
    heads = [struct.unpack_from("<I20xQQ", elf, table + i * size) for i in range(count)]  # name, place, length
    _, place, length = heads[names_at]
    names = elf[place : place + length]
    return {names[n : names.index(b"\0", n)]: elf[at : at + length] for n, at, length in heads}


def part_of(whole: Btf, names: frozenset[bytes], mark: bytes) -> tuple[bytes, frozenset[bytes]]:
    """The part with the types of these names and all that is in them, and names of which there is no type.

    `mark` is the first text of the part.
    """
    roots = list(whole.named(names))
    kept, waiting = set[int](), [number for number, _ in roots]
    while waiting:
        number = waiting.pop()
        if number and number not in kept:
            kept.add(number)
            waiting += [of for _, of in _within(whole, number)]
    order = {number: new for new, number in enumerate(sorted(kept), 1)}
    texts, types = _Texts(mark), bytearray()
    for number in order:
        types += _moved(whole, number, order, texts)
    strings = bytes(texts.data)
    head = _HEADER.pack(_MAGIC, 1, 0, _HEADER.size, 0, len(types), len(types), len(strings))
    return head + types + strings, names - {name for _, name in roots}


def mark_of(data: bytes) -> bytes:
    """The mark of a part; empty if this is none."""
    try:
        magic, _, _, header, _, _, texts, length = _HEADER.unpack_from(data)
    except struct.error:
        return b""
    strings = data[header + texts : header + texts + length]
    return strings[1:].partition(b"\0")[0] if magic == _MAGIC else b""


class _Texts:
    """The texts of a part, each once."""

    def __init__(self, first: bytes) -> None:
        self.data = bytearray(b"\0" + first + b"\0")
        self._places = {b"": 0, first: 1}

    def place(self, text: bytes) -> int:
        if text not in self._places:
            self._places[text] = len(self.data)
            self.data += text + b"\0"
        return self._places[text]


def _within(whole: Btf, number: int) -> Iterator[tuple[int, int]]:
    """Where in what is said of a type another type is named that is a part of it, and which; not behind pointers."""
    _, kind, count, last = whole.head(number)
    if kind in _REFERRING:
        yield 8, last
    elif kind == _ARRAY:
        yield from zip((12, 16), struct.unpack_from("<II", whole.data, whole.places[number] + 12), strict=True)
    elif kind in (_STRUCT, _UNION):
        for at in range(16, 16 + 12 * count, 12):
            yield at, struct.unpack_from("<I", whole.data, whole.places[number] + at)[0]


def _moved(whole: Btf, number: int, order: dict[int, int], texts: _Texts) -> bytes:
    """What is said of a type, with the numbers and the texts of the part."""
    _, kind, count, _ = whole.head(number)
    said = bytearray(whole.whole(number))
    named = [0]
    if kind in _EACH:
        named += range(12, 12 + _EACH[kind] * count, _EACH[kind])
    for at in named:
        (place,) = struct.unpack_from("<I", said, at)
        struct.pack_into("<I", said, at, texts.place(whole.text(place)))
    if kind == _PTR:
        struct.pack_into("<I", said, 8, 0)
    for at, of in _within(whole, number):
        struct.pack_into("<I", said, at, order.get(of, 0))
    return bytes(said)
