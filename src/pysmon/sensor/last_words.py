"""The newest records of deeds against the sensor, in a map of the kernel: who holds its descriptor can still read them
when the process that the deeds were aimed at is gone, and with it the rings.
"""

from __future__ import annotations

import struct

from pysmon.errors import RecordError
from pysmon.sensor.libbpf import Map
from pysmon.sensor.records import GuardRecord

_WORDS, _SIZE = 8, 1024  # guard.bpf.c
_KEY = struct.Struct("<I")


class LastWords:
    """Reads that map, of this sensor or of an earlier one."""

    def __init__(self, fd: int) -> None:
        """`fd` stays the caller's."""
        self.fd = fd
        self._map = Map(fd)

    def read(self) -> list[GuardRecord]:
        """What is there, oldest first; of records that are longer than a place in the map, no paths."""
        found = [made for i in range(_WORDS) if (made := self._at(i)) is not None]
        return sorted(found, key=lambda record: record.time)

    def forget(self, until: int) -> None:
        """Remove what is not newer than that time (since boot): it has been told."""
        for i in range(_WORDS):
            found = self._at(i)
            if found is not None and found.time <= until:
                self._map.update(_KEY.pack(i), bytes(_SIZE))

    def _at(self, place: int) -> GuardRecord | None:
        data = self._map.lookup(_KEY.pack(place), _SIZE)
        if data is None or not any(data[:2]):
            return None
        try:
            return GuardRecord.decode(data)
        except RecordError:
            bare = dict(zip(GuardRecord.layout.names, GuardRecord.layout.head.unpack_from(data), strict=True))
            return GuardRecord.make(**(bare | {"image": b"", "parent_image": b""}))
