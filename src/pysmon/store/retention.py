"""What the log gives up when it is full or entries are too old: whole segments, the oldest of a class first.

Choosing is a plain function over plain values. Removing goes in small steps, so that the writer never waits long; and
the pages that become free are used again, or given back to the file system when they are many.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import accumulate

from pysmon.store.classes import BY_NAME, CLASSES, Limits
from pysmon.store.pack_removal import end_of_packs, nth_packed, remove_packs
from pysmon.store.segments import Segment, remove_segment, write_segments
from pysmon.store.tables import table_of, texts_of

_SECOND = 1_000_000_000
_PAGES = 256  # given back in one step
_TEXTS = 8  # texts removed for the price of a row


def to_drop(segments: Sequence[Segment], limits: Limits, used: int, now: int) -> list[Segment]:
    """The segments to give up, as of `now` (ns since 1970); `used` is what all of them take in the file, in bytes.

    No class that is within its share gives up anything for another; of the classes beyond theirs, the one that is
    furthest beyond does. The newest segment of a class goes only by age.
    """
    kept = {c.name: [s for s in segments if s.event_class == c.name and not s.dropped] for c in CLASSES}
    gone: list[Segment] = []
    for name, age in limits.ages.items():
        found = kept[name]
        # No segment is newer than a later one, whatever its times say: the clock was wrong when it was written.
        ends = list(accumulate((s.newest for s in reversed(found)), min))[::-1]
        old = sum(1 for end in ends if end < now - age * _SECOND)  # they only grow: these are the first
        gone += found[:old]
        del found[:old]
    estimated = sum(s.bytes for s in segments)
    scale = used / estimated if estimated else 0.0
    sizes = {name: scale * sum(s.bytes for s in found) for name, found in kept.items()}
    while sum(sizes.values()) > limits.room:
        giving = [n for n, found in kept.items() if len(found) > 1]
        if not giving:
            break
        name = max(giving, key=lambda n: sizes[n] / limits.guaranteed(BY_NAME[n]))
        segment = kept[name].pop(0)
        sizes[name] -= scale * segment.bytes
        gone.append(segment)
    return gone


def used_bytes(connection: sqlite3.Connection) -> int:
    """The bytes of the file that hold something."""
    return (_pragma(connection, "page_count") - _pragma(connection, "freelist_count")) * _pragma(
        connection, "page_size"
    )


def remove_some(connection: sqlite3.Connection, segment: Segment, budget: int, *, keep: bool) -> int:
    """Remove a part of a dropped segment, the oldest first; how much of the budget of rows that took.

    Runs inside the caller's transaction. Texts go when no row is left that needs them, several for the price of a row.
    `keep` leaves the empty segment standing, as the last of its class: from it the next one takes its numbers.
    """
    spent = _remove_rows(connection, segment, budget) if segment.first <= segment.last else 0
    if segment.first > segment.last:
        spent += _remove_texts(connection, segment, max(budget - spent, 1))
    if segment.empty and not keep:
        remove_segment(connection, segment)
    else:
        write_segments(connection, [segment])
    return spent


def _remove_rows(connection: sqlite3.Connection, segment: Segment, rows: int) -> int:
    made = BY_NAME[segment.event_class]
    names = [table_of(event_id).name for event_id in made.ids]
    cut = min(_nth(connection, name, segment, rows) for name in names)
    cut = end_of_packs(connection, made, segment.first, min(cut, nth_packed(connection, made, segment, rows)))
    removed = remove_packs(connection, made, segment.first, cut)
    for name in names:
        sql = f"DELETE FROM {name} WHERE position BETWEEN ? AND ?"
        removed += connection.execute(sql, [segment.first, cut]).rowcount
    left = segment.entries - removed
    segment.bytes = segment.bytes * left // max(segment.entries, 1)
    segment.entries, segment.first = left, cut + 1
    return removed


def _remove_texts(connection: sqlite3.Connection, segment: Segment, rows: int) -> int:
    texts = texts_of(BY_NAME[segment.event_class])
    upto = min(segment.first_text + rows * _TEXTS, segment.last_text)
    connection.execute(f"DELETE FROM {texts} WHERE first BETWEEN ? AND ?", [segment.first_text, upto])
    removed = upto + 1 - segment.first_text
    segment.first_text = upto + 1
    return removed // _TEXTS + 1


def _nth(connection: sqlite3.Connection, name: str, segment: Segment, rows: int) -> int:
    sql = f"SELECT position FROM {name} WHERE position BETWEEN ? AND ? ORDER BY position LIMIT 1 OFFSET ?"
    found = connection.execute(sql, [segment.first, segment.last, rows - 1]).fetchone()
    return int(found[0]) if found else segment.last


def give_back(connection: sqlite3.Connection, limits: Limits) -> bool:
    """Return some free pages to the file system if there are more than may wait; whether there were."""
    size = _pragma(connection, "page_size")
    surplus = _pragma(connection, "freelist_count") - limits.spare // size
    if surplus <= 0:
        return False
    connection.execute(f"PRAGMA incremental_vacuum({min(surplus, _PAGES)})").fetchall()
    return True


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
