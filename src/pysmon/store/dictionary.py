"""The writer's side of a dictionary: which number a text has, without asking the file."""

from __future__ import annotations

from hashlib import blake2b

from pysmon.store.blocks import SEPARATOR, TAG, tag_of
from pysmon.store.values import NONE, encoded

_REMEMBERED = 1024  # texts of a field in one generation; a text that comes again within one is not written again
_LONGEST = 256  # characters of a text that is remembered as it is; a longer one by its digest
_ENOUGH = 4096  # bytes of a block that the next batch does not add to: about the page that would be written anyway
_LARGEST = 32768  # bytes of a block before its last text


class Dictionary:
    """The texts of one class in the segment that is being written.

    Each field remembers its last texts in two generations: when the young one is full it becomes the old one, and what
    the old one held is forgotten, unless it was used meanwhile.
    """

    def __init__(self, fields: dict[str, int], next_id: int) -> None:
        """`fields` gives the numbers of field names."""
        self._tags = {name: tag_of(number) for name, number in fields.items()}
        self._young: dict[str, dict[str | bytes, int]] = {}
        self._old: dict[str, dict[str | bytes, int]] = {}
        self.next_id = next_id
        self.bytes = 0  # of all texts that were added
        self._done: list[tuple[int, bytes]] = []
        self._begin_block()

    def begin_segment(self) -> None:
        """Share no text and no block with what comes now."""
        self._young, self._old = {}, {}
        self._end_block()

    def number(self, field: str, text: str) -> int:
        """The number of a text; 0 for `-`."""
        if text == NONE:
            return 0
        young = self._young.get(field)
        if young is None:
            young = self._young[field] = {}
        key = text if len(text) <= _LONGEST else blake2b(encoded(text), digest_size=16).digest()
        known = young.get(key)
        if known is not None:
            return known
        old = self._old.get(field)
        known = old.get(key) if old else None
        if known is None:
            known = self._add(field, text)
        if len(young) >= _REMEMBERED:
            self._old[field] = young
            young = self._young[field] = {}
        young[key] = known
        return known

    def _add(self, field: str, text: str) -> int:
        if len(self._block) >= _LARGEST:
            self._end_block()
        part = encoded(text)
        self._block += self._tags[field] + part + SEPARATOR
        self._has_new = True
        self.bytes += TAG + len(part) + len(SEPARATOR)
        known = self.next_id
        self.next_id = known + 1
        return known

    def take_blocks(self) -> list[tuple[int, bytes]]:
        """The blocks that are to be written, once, by the number of their first text; some replace a shorter one."""
        done, self._done = self._done, []
        if self._has_new:
            done.append((self._first, bytes(self._block)))
            self._has_new = False
            if len(self._block) >= _ENOUGH:
                self._begin_block()
        return done

    def _end_block(self) -> None:
        if self._has_new:
            self._done.append((self._first, bytes(self._block)))
        self._begin_block()

    def _begin_block(self) -> None:
        self._first, self._block, self._has_new = self.next_id, bytearray(SEPARATOR), False
