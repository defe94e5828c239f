"""One chunk of an EVTX file in the making: records are added until one does not fit."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from pysmon.formats.evtx.layout import (
    CHUNK_HEADER_SIZE,
    CHUNK_SIZE,
    RECORD,
    RECORD_MAGIC,
    TEMPLATE_BUCKETS,
    ChunkHeader,
)
from pysmon.formats.evtx.write_template import Definitions, Names, Template

_FULL = CHUNK_SIZE - 8  # not filled to the last byte: libevtx 20181227 does not see a record that ends there
LARGEST = _FULL - CHUNK_HEADER_SIZE  # bytes of a record
_INSTANCE = 14  # bytes that an instance begins with
_AROUND = RECORD.size + 2 * _INSTANCE + 1 + 1 + 4  # both ends of binary XML, and the size at the end of a record
_NOTHING = 0xFFFFFFFFFFFFFFFF  # the id of a record that there is none of


class Row(NamedTuple):  # a tuple: one is made for every record
    """What a record holds: values for a template, and within them values for another."""

    template: Template
    before: bytes  # its number of values and their descriptors but for the size of the last: the nested one
    after: bytes  # the rest of that descriptor, and the values before the nested one
    nested: Template
    values: bytes  # number of values, descriptors, values

    @property
    def most(self) -> int:
        """Bytes of the record at most: in a chunk that has none of its templates yet."""
        fixed = _AROUND + 8 + len(self.before) + 2 + len(self.after) + len(self.values)
        return fixed + self.template.most + self.nested.most


class Chunk:
    """A chunk that grows. What `take` gives belongs behind what it gave before; `header` then holds for all of it."""

    def __init__(self, first_number: int, first_id: int, definitions: Definitions) -> None:
        """Begin an empty one. Numbers count the records of the file, ids those of the log."""
        self._first_number, self._first_id = first_number, first_id
        self.count = 0
        self.free = CHUNK_HEADER_SIZE
        self._taken = CHUNK_HEADER_SIZE
        self._crc = 0
        self._last = 0  # offset of the last record
        self._records: list[bytes] = []
        self._names = Names()
        self._instances: dict[Template, bytes] = {}  # of the templates that are defined in it
        self._heads = [0] * TEMPLATE_BUCKETS
        self._definitions = definitions

    def add(self, row: Row, filetime: int) -> bool:
        """Add a record, or tell that there is no room for it (as there may be in an empty chunk)."""
        outer = self._instances.get(row.template)
        inner = self._instances.get(row.nested)
        if outer and inner:
            size = _AROUND + len(row.before) + 2 + len(row.after) + len(row.values) + 7 & ~7
            if self.free + size > _FULL:
                return False
        elif self.free + row.most > _FULL:
            return False
        start = self.free + RECORD.size
        outer = outer or self._define(row.template, start)
        start += len(outer) + len(row.before) + 2 + len(row.after)
        inner = inner or self._define(row.nested, start)
        nested = (len(inner) + len(row.values) + 1).to_bytes(2, "little")
        end = start + len(inner) + len(row.values) + 2 - self.free
        size = end + 4 + 7 & ~7
        head = RECORD.pack(RECORD_MAGIC, size, self._first_id + self.count, filetime)
        tail = bytes(size - end - 4 + 2) + size.to_bytes(4, "little")
        self._records.append(b"".join((head, outer, row.before, nested, row.after, inner, row.values, tail)))
        self._last = self.free
        self.free += size
        self.count += 1
        return True

    @property
    def fresh(self) -> bool:
        """Whether there is something to take."""
        return bool(self._records)

    def take(self) -> tuple[int, bytes]:
        """The records since the last time, and the offset where they belong."""
        offset, data = self._taken, b"".join(self._records)
        self._records.clear()
        self._crc = zlib.crc32(data, self._crc)
        self._taken += len(data)
        return offset, data

    def whole(self) -> bytes:
        """All bytes of the chunk, if nothing was taken yet."""
        _, data = self.take()
        return (self.header() + data).ljust(CHUNK_SIZE, b"\0")

    def header(self) -> bytes:
        """The header for what was taken."""
        last_number, last_id = self._first_number + self.count - 1, self._first_id + self.count - 1
        first_id = self._first_id
        if not self.count:
            first_id = last_id = last_number = _NOTHING
        return ChunkHeader(
            first_number=self._first_number,
            last_number=last_number,
            first_id=first_id,
            last_id=last_id,
            last_record=self._last,
            free=self._taken,
            data_crc=self._crc,
            names=tuple(self._names.heads),
            templates=tuple(self._heads),
        ).pack()

    def _define(self, template: Template, start: int) -> bytes:
        offset = start + _INSTANCE
        following = self._heads[template.bucket]
        self._heads[template.bucket] = offset
        instance = template.instance(offset)
        self._instances[template] = instance
        return instance + self._definitions.define(template, offset, following, self._names)
