"""A small struct language: one class is the decoder, the encoder and the C text of a record.

A record is a fixed head, filled up to 8 bytes, followed by its tails, end to end. Fixed members keep their written
order and must be naturally aligned (the class refuses holes); a Tail is a u16 length in the head and that many bytes
after it.
Decoding is one `struct` call into the slots of an object: each record of the kernel goes through here.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast

from pysmon.compiled import compiled
from pysmon.errors import RecordError

R = TypeVar("R", bound="Record")
_OF_CLASSES = {"layout", "decode"}  # what is no member


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


class Record:
    """Base of all records; its own members open every record."""

    __slots__ = ("cpu", "exec_id", "kind", "size", "start", "tgid", "tid", "time")
    layout: ClassVar[Layout]

    kind: U16  # which class this is
    cpu: U16  # where it was made
    size: U32  # of the whole record, in bytes
    time: U64  # when, in ns since boot (CLOCK_BOOTTIME)
    start: U64  # start of the process, in ns since boot
    exec_id: U64  # how many programs the process ran so far (task_struct.self_exec_id)
    tgid: U32  # process id
    tid: U32  # thread id

    # Reads one record of this class from bytes, at an offset (0); RecordError if there are not enough.
    decode: ClassVar[Callable[..., Self]]

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
        record = cls.__new__(cls)
        for name, value in made.items():
            setattr(record, name, value)
        return record

    def encode(self) -> bytes:
        """The bytes of this record, as the kernel program would send them."""
        layout, values = self.layout, tuple(self)
        head = [len(v) if m.tail else v for v, m in zip(values, layout.members, strict=True)]
        return layout.head.pack(*head) + b"".join(values[i] for i in layout.tails)

    def __iter__(self) -> Iterator[Any]:
        """All values, in the order of the members."""
        return (getattr(self, name) for name in self.layout.names)

    def __eq__(self, other: object) -> bool:
        """The same class with the same values."""
        return type(other) is type(self) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """By all values, which nobody changes."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Name the members."""
        pairs = zip(self.layout.names, self, strict=True)
        return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in pairs)})"


def record(kind: int, family: str, registry: dict[int, type[Record]]) -> Callable[[type[R]], type[R]]:
    """Make a class body the one definition of a record, and enter it under its kind in `registry`."""

    def build(body: type[R]) -> type[R]:
        own = _members(body)
        names, members = (*_OF_ALL, *own), (*_OF_ALL.values(), *own.values())
        fill = -_end_of_members(body.__name__, names, members) % 8
        cls = _with_slots(body, own)
        cls.layout = Layout(
            kind=kind,
            family=family,
            names=names,
            members=members,
            head=struct.Struct("<" + "".join(m.code for m in members) + "x" * fill),
            tails=tuple(i for i, m in enumerate(members) if m.tail),
        )
        cls.decode = cast("Callable[..., R]", _Decoder())
        if kind in registry:
            raise ValueError(f"record kind {kind} is {registry[kind].__name__} already")
        registry[kind] = cls
        return cls

    return build


class _Decoder:
    """Stands in for the function that reads a record until somebody asks for it: at first for few of them."""

    def __get__(self, _record: object, cls: type[R]) -> Callable[..., R]:
        made = _decoder(cls)
        cls.decode = staticmethod(made)
        return made


def _members(body: type) -> dict[str, Member]:
    """The members that a class body adds, by name: each is annotated with one of the kinds above."""
    known = vars(sys.modules[body.__module__])
    written = {n: kind for n, kind in vars(body).get("__annotations__", {}).items() if n not in _OF_CLASSES}
    return {n: (known[kind] if isinstance(kind, str) else kind).__metadata__[0] for n, kind in written.items()}


_OF_ALL = _members(Record)


def _with_slots(body: type[R], own: Iterable[str]) -> type[R]:
    """The same class, whose members have their fixed places in memory."""
    left = {n: v for n, v in vars(body).items() if n not in ("__dict__", "__weakref__")}
    return cast("type[R]", type(body.__name__, body.__bases__, {**left, "__slots__": tuple(own)}))


def _decoder(cls: type[R]) -> Callable[..., R]:
    """The function that reads a record of that class, written out as dataclasses do it: each record comes here."""
    layout = cls.layout
    tails = [layout.names[i] for i in layout.tails]
    places = ", ".join(n if n in tails else f"made.{n}" for n in layout.names)
    lines = [
        "made = new(cls)",
        "try:",
        f"    {places} = unpack(data, offset)",
        "except error:",
        f"    raise short(cls, len(data) - offset, {layout.head.size}) from None",
    ]
    if tails:
        lines += [
            f"at = offset + {layout.head.size}",
            *(f"made.{n} = data[at : (at := at + {n})] if {n} else b''" for n in tails),
            "if at > len(data):",
            "    raise short(cls, len(data) - offset, at - offset)",
        ]
    known = {"cls": cls, "new": cls.__new__, "short": _short, "unpack": layout.head.unpack_from, "error": struct.error}
    made = compiled("decode(data, offset=0)", [*lines, "return made"], layout.names, **known)
    return cast("Callable[..., R]", made)


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
