"""The data of a record, `<EventData>`: the fields of an event with the types that the manifest declares."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from operator import add, attrgetter
from struct import Struct
from typing import Any, NamedTuple

from pysmon.formats.evtx.layout import ValueType
from pysmon.formats.evtx.write_template import Element, Slot, Template
from pysmon.formats.evtx.write_value import CODECS, Codec, UnfitError, fitting, shown
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.event import EVENTS, Event

_TEXT = "win:UnicodeString"
_FIRST_CUT = ("ParentCommandLine", "CommandLine")  # as Sysmon does when an event is too large
_MOST_SHAPES = 256
_MOST_STRANGE, _LONGEST_STRANGE = 32, 100  # fields that the schema does not know, and characters of such a name


class Cut(NamedTuple):
    """What had to be left out of a record: `characters` from the end of a field."""

    field: str
    characters: int


class _Shape:
    """The types that the values of an event have: a template, and how values are written for it."""

    def __init__(self, names: Sequence[str], codecs: Sequence[Codec]) -> None:
        self.codecs = tuple(codecs)
        slots = [Slot(number, codec.type, optional=False) for number, codec in enumerate(codecs)]
        data = (Element("Data", (("Name", shown(name)),), (slot,)) for name, slot in zip(names, slots, strict=True))
        self.template = Template(Element("EventData", content=tuple(data)))
        self._types = tuple(codec.type << 16 for codec in codecs)
        self._pack = Struct(f"<{1 + len(self._types)}I").pack

    def encoded(self, values: Sequence[Any]) -> list[bytes]:
        """Each value as bytes; UnfitError if one cannot be shown so."""
        return [codec[value] for codec, value in zip(self.codecs, values, strict=True)]

    def joined(self, encoded: Sequence[bytes]) -> bytes:
        """Number of values, descriptors (size, type) and values."""
        return self._pack(len(encoded), *map(add, map(len, encoded), self._types)) + b"".join(encoded)


class EventData:
    """The data of the entries of one event type, as far as they have the same fields."""

    def __init__(self, event_id: int, fields: tuple[str, ...] | None = None) -> None:
        """`fields` are those that a foreign log had, in its order; None: all that the schema has.

        At most 32 of them that the schema does not know are taken: a record has to have room for all.
        """
        schema = EVENTS[event_id]
        by_lower = {f.name.lower(): f for f in schema.fields}
        self._names = tuple(f.name for f in schema.fields) if fields is None else _bounded(fields, by_lower)
        known = [by_lower.get(name.lower()) for name in self._names]  # ProcessGUID and ProcessGuid are one field
        self._attributes = tuple(found.name if found else "" for found in known)
        self._types = tuple(found.kind.in_type if found else _TEXT for found in known)
        self._get = _getter(self._attributes)
        self._shapes: dict[tuple[ValueType, ...], _Shape] = {}
        self._usual = self._shape([CODECS[name][0] for name in self._types])

    @property
    def usual(self) -> Template:
        """The template of the latest values; at first, of the types that the manifest declares."""
        return self._usual.template

    def of(self, event: Event, *, foreign: bool) -> tuple[Template, bytes]:
        """The template and the bytes for it: number of values, descriptors, values."""
        values = self._values(event, event.extra if foreign else None)
        try:
            shape, encoded = self._usual, self._usual.encoded(values)
        except (UnfitError, TypeError):  # TypeError: no value that could be looked up
            shape, encoded = self._fitted(values)
        return shape.template, shape.joined(encoded)

    def cut(self, event: Event, *, foreign: bool, excess: int) -> tuple[Template, bytes, list[Cut]]:
        """The same, smaller by `excess` bytes at least, and what was cut off for that.

        First the command line of the parent is cut, then the event's own, as Sysmon does it; then the longest texts.
        """
        shape, encoded = self._fitted(self._values(event, event.extra if foreign else None))
        texts = [at for at, codec in enumerate(shape.codecs) if codec.type is ValueType.STRING]
        first = [[at for at in texts if self._names[at] == name] for name in _FIRST_CUT]
        cuts = []
        for group in (*first, [at for at in texts if self._names[at] not in _FIRST_CUT]):
            most = _even([len(encoded[at]) for at in group], excess)
            for at in group:
                less, characters = _shortened(encoded[at], most)
                if characters:
                    excess -= len(encoded[at]) - len(less)
                    encoded[at] = less
                    cuts.append(Cut(self._names[at], characters))
        return shape.template, shape.joined(encoded), cuts

    def _values(self, event: Event, extra: Mapping[str, object] | None) -> Sequence[Any]:
        if self._get is not None and not extra:
            return self._get(event)
        extra = extra or {}
        return [  # what a log had and the schema does not know, or not so, is kept among the extra facts
            str(extra[name]) if name in extra else getattr(event, attribute, None)
            for name, attribute in zip(self._names, self._attributes, strict=True)
        ]

    def _fitted(self, values: Sequence[Any]) -> tuple[_Shape, list[bytes]]:
        codecs = [fitting(name, value) for name, value in zip(self._types, values, strict=True)]
        shape = self._usual = self._shape(codecs)
        return shape, [codec[value] for codec, value in zip(codecs, values, strict=True)]

    def _shape(self, codecs: Sequence[Codec]) -> _Shape:
        key = tuple(codec.type for codec in codecs)
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            found = self._shapes[key] = _Shape(self._names, codecs)
        return found


def _bounded(names: Sequence[str], known: Container[str]) -> tuple[str, ...]:
    once = list(dict.fromkeys(names))
    strange = [name for name in once if name.lower() not in known]
    left_out = {*strange[_MOST_STRANGE:], *(name for name in strange if len(name) > _LONGEST_STRANGE)}
    return tuple(name for name in once if name not in left_out)


def _getter(attributes: Sequence[str]) -> Callable[[Event], tuple[Any, ...]] | None:
    if "" in attributes or len(attributes) < 2:
        return None
    get: Callable[[Event], tuple[Any, ...]] = attrgetter(*attributes)
    return get


def _even(lengths: Sequence[int], excess: int) -> int:
    """The length that all may have, so that together they have `excess` less."""
    room = sum(lengths) - max(excess, 0)
    for at, length in enumerate(sorted(lengths)):
        share = max(room, 0) // (len(lengths) - at)
        if length > share:
            return share
        room -= length
    return max(lengths, default=0)


def _shortened(encoded: bytes, most: int) -> tuple[bytes, int]:
    """The text in that many bytes, with a mark at its end; and how many characters that cost, 0 if it is left alone."""
    if len(encoded) <= most:
        return encoded, 0
    text = encoded.decode("utf-16-le")
    mark = len(_mark(len(text)).encode("utf-16-le"))
    kept = encoded[: max(0, most - mark)].decode("utf-16-le", "ignore")  # no half of a character
    cut = len(text) - len(kept)
    less = (kept + _mark(cut)).encode("utf-16-le")
    return (less, cut) if len(less) < len(encoded) else (encoded, 0)


def _mark(characters: int) -> str:
    return f"... [{characters} characters cut]"
