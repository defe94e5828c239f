"""A small struct language: one class is the decoder, the encoder and the C text of a record.

A record is a fixed head, filled up to 8 bytes, followed by its tails, end to end. Fixed members keep their written
order and must be naturally aligned (the class refuses holes); a Tail is a u16 length in the head and that many bytes
after it.
Records are tuples underneath: decoding is one `struct` call and one tuple.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from inspect import get_annotations
from operator import itemgetter
from typing import Annotated, Any, ClassVar, Self, TypeVar, get_type_hints

from pysmon.errors import RecordError

R = TypeVar("R", bound="Record")


@dataclass(frozen=True, slots=True)
class Member:
    """How one member of a record lies in memory."""

    c_type: str
    code: str  # of the struct module
    size: int
    tail: bool = False


U16 = Annotated[int, Member("u16", "H", 2)]
U32 = Annotated[int, Member("u32", "I", 4)]
U64 = Annotated[int, Member("u64", "Q", 8)]
Address = Annotated[bytes, Member("u8", "16s", 16)]
Tail = Annotated[bytes, Member("u16", "H", 2, tail=True)]


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that follows from a record's class body."""

    kind: int
    family: str
    names: tuple[str, ...]
    members: tuple[Member, ...]
    head: struct.Struct
    tails: tuple[int, ...]  # positions of the tails among the members


class Record(tuple[Any, ...]):
    """Base of all records; its own members open every record."""

    __slots__ = ()
    layout: ClassVar[Layout]

    kind: U16  # which class this is
    cpu: U16  # where it was made
    size: U32  # of the whole record, in bytes
    time: U64  # when, in ns since boot (CLOCK_BOOTTIME)
    start: U64  # start of the process, in ns since boot
    exec_id: U64  # how many programs the process ran so far (task_struct.self_exec_id)
    tgid: U32  # process id
    tid: U32  # thread id

    @classmethod
    def decode(cls, data: bytes, offset: int = 0) -> Self:
        """Read one record of this class; RecordError if there are not enough bytes."""
        layout = cls.layout
        try:
            values = layout.head.unpack_from(data, offset)
        except struct.error:
            raise _short(cls, len(data) - offset, layout.head.size) from None
        if not layout.tails:
            return tuple.__new__(cls, values)
        made = list(values)
        at = offset + layout.head.size
        for i in layout.tails:
            size = made[i]
            made[i] = data[at : at + size] if size else b""
            at += size
        if at > len(data):
            raise _short(cls, len(data) - offset, at - offset)
        return tuple.__new__(cls, made)

    @classmethod
    def make(cls, **values: int | bytes) -> Self:
        """A record from its members by name; what is not given is 0 or empty, `kind` and `size` are filled in."""
        layout = cls.layout
        unknown = values.keys() - set(layout.names)
        if unknown:
            raise TypeError(f"{cls.__name__} has no member {', '.join(sorted(unknown))}")
        empty = (b"" if m.tail else bytes(m.size) if m.code.endswith("s") else 0 for m in layout.members)
        made = dict(zip(layout.names, empty, strict=True)) | values
        made["kind"] = layout.kind
        made["size"] = layout.head.size + sum(len(_bytes(made[layout.names[i]])) for i in layout.tails)
        return tuple.__new__(cls, tuple(made.values()))

    def encode(self) -> bytes:
        """The bytes of this record, as the kernel program would send them."""
        head = [len(v) if m.tail else v for v, m in zip(self, self.layout.members, strict=True)]
        return self.layout.head.pack(*head) + b"".join(self[i] for i in self.layout.tails)

    def __repr__(self) -> str:
        """Name the members."""
        pairs = zip(self.layout.names, self, strict=True)
        return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in pairs)})"


def record(kind: int, family: str, registry: dict[int, type[Record]]) -> Callable[[type[R]], type[R]]:
    """Make a class body the one definition of a record, and enter it under its kind in `registry`."""

    def build(cls: type[R]) -> type[R]:
        hints = get_type_hints(cls, include_extras=True)
        own = [n for n in get_annotations(cls) if n != "layout"]
        names = tuple([n for n in Record.__annotations__ if n != "layout"] + own)
        members = tuple(hints[n].__metadata__[0] for n in names)
        fill = -_end_of_members(cls.__name__, names, members) % 8
        cls.layout = Layout(
            kind=kind,
            family=family,
            names=names,
            members=members,
            head=struct.Struct("<" + "".join(m.code for m in members) + "x" * fill),
            tails=tuple(i for i, m in enumerate(members) if m.tail),
        )
        for i, name in enumerate(names):
            setattr(cls, name, property(itemgetter(i)))
        if kind in registry:
            raise ValueError(f"record kind {kind} is {registry[kind].__name__} already")
        registry[kind] = cls
        return cls

    return build


def _end_of_members(owner: str, names: tuple[str, ...], members: tuple[Member, ...]) -> int:
    at = 0
    for name, member in zip(names, members, strict=True):
        align = 1 if member.code.endswith("s") else member.size
        if at % align:
            raise TypeError(f"{owner}.{name} at offset {at} is not aligned to {align}: reorder, or name the hole")
        at += member.size
    return at


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"a tail is bytes, not {value!r}")
    return value


def _short(cls: type[Record], have: int, need: int) -> RecordError:
    return RecordError(f"{cls.__name__}: the record is short: {need} bytes expected, {max(have, 0)} found")
