"""The writer's side of a dictionary: which number a text has, without asking the file."""

from __future__ import annotations

from pysmon.store.values import NONE, text_to_column

_REMEMBERED = 1024  # texts of a field in one generation; a text that comes again within one is not written again
_LONGEST = 1024  # characters of a text that is remembered
_OVERHEAD = 8  # bytes that an entry of a dictionary takes beside its text


class Dictionary:
    """The texts of one class in the segment that is being written.

    Each field remembers its last texts in two generations: when the young one is full it becomes the old one, and what
    the old one held is forgotten, unless it was used meanwhile.
    """

    def __init__(self, fields: dict[str, int], next_id: int) -> None:
        """`fields` gives the numbers of field names."""
        self._fields = fields
        self._young: dict[str, dict[str, int]] = {}
        self._old: dict[str, dict[str, int]] = {}
        self.next_id = next_id
        self.new: list[tuple[int, int, str | bytes]] = []  # to be written: id, field, text
        self.bytes = 0  # of what is new

    def forget(self) -> None:
        """Share no text with what comes now: another segment begins."""
        self._young, self._old = {}, {}

    def number(self, field: str, text: str) -> int:
        """The number of a text; 0 for `-`."""
        if text == NONE:
            return 0
        young = self._young.get(field)
        if young is None:
            young = self._young[field] = {}
        known = young.get(text)
        if known is not None:
            return known
        old = self._old.get(field)
        known = old.get(text) if old else None
        if known is None:
            known = self._add(field, text)
        if len(text) <= _LONGEST:
            if len(young) >= _REMEMBERED:
                self._old[field] = young
                young = self._young[field] = {}
            young[text] = known
        return known

    def _add(self, field: str, text: str) -> int:
        known = self.next_id
        self.next_id += 1
        self.new.append((known, self._fields[field], text_to_column(text)))
        self.bytes += len(text) + _OVERHEAD
        return known

    def take_new(self) -> list[tuple[int, int, str | bytes]]:
        """What is to be written, once."""
        new, self.new, self.bytes = self.new, [], 0
        return new
