"""The writer's side of a dictionary: which number a text has, without asking the file."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from pysmon.store.blocks import SEPARATOR, TAG, tag_of
from pysmon.store.values import NONE, all_encoded, encoded

_REMEMBERED = 1024  # texts of a field in one generation; a text that comes again within one is not written again
_LONGEST = 256  # characters of a text that is remembered as it is; a longer one by its digest
_ENOUGH = 4096  # bytes of a block that the next batch does not add to: about the page that would be written anyway
_LARGEST = 32768  # bytes of a block before its last text
_NOTHING: dict[str | bytes, int] = {}


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
        key = text if len(text) <= _LONGEST else blake2b(encoded(text), digest_size=16).digest()
        young = self._young_of(field)
        known = young.get(key)
        if known is not None:
            return known
        known = self._old.get(field, _NOTHING).get(key)
        if known is None:
            known = self._add(field, [encoded(text)])
        young[key] = known
        self._age(field)
        return known

    def numbers(self, field: str, texts: Iterable[str]) -> dict[str, int]:
        """The numbers of several texts, each given once, by text."""
        young, old = self._young_of(field), self._old.get(field, _NOTHING)
        found: dict[str, int] = {}
        new: list[str] = []
        odd: list[str] = []
        for text in texts:
            known = young.get(text)
            if known is not None:
                found[text] = known
            elif text in old:
                young[text] = found[text] = old[text]
            elif len(text) > _LONGEST or text == NONE:
                odd.append(text)
            else:
                new.append(text)
        if new:
            first = self._add(field, all_encoded(new))
            numbered = dict(zip(new, range(first, first + len(new)), strict=True))
            young.update(numbered)
            found.update(numbered)
        self._age(field)
        for text in odd:
            found[text] = self.number(field, text)
        return found

    def _young_of(self, field: str) -> dict[str | bytes, int]:
        young = self._young.get(field)
        if young is None:
            young = self._young[field] = {}
        return young

    def _age(self, field: str) -> None:
        if len(self._young[field]) >= _REMEMBERED:
            self._old[field], self._young[field] = self._young[field], {}

    def _add(self, field: str, parts: list[bytes]) -> int:
        """Write texts that are new, and number them from what is returned."""
        first = self.next_id
        self._write(self._tags[field], parts)
        return first

    def _write(self, tag: bytes, parts: list[bytes]) -> None:
        size = sum(map(len, parts)) + len(parts) * (TAG + len(SEPARATOR))
        if len(parts) > 1 and len(self._block) + size > _LARGEST:
            half = len(parts) // 2
            self._write(tag, parts[:half])
            self._write(tag, parts[half:])
            return
        if len(self._block) >= _LARGEST:
            self._end_block()
        self._block += tag + (SEPARATOR + tag).join(parts) + SEPARATOR
        self._has_new = True
        self.bytes += size
        self.next_id += len(parts)

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
