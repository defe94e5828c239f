"""The writer's side of the origins: which number one has, without asking the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pysmon.schema.entry import Origin
from pysmon.store.packs import same
from pysmon.store.values import decoded, encoded


class Origins:
    """Knows those of the file, and numbers new ones; `write` has to come before what uses their numbers is kept."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read them from the file."""
        rows = connection.execute("SELECT id, computer, process_id, thread_id, user_id FROM origins")
        self._known = {Origin(decoded(computer), *ids): number for number, computer, *ids in rows}
        self._new: list[Origin] = []

    def numbers(self, origins: Sequence[Origin]) -> list[int]:
        """Their numbers; mostly all are one."""
        if same(origins):
            return [self._number(origins[0])] * len(origins)
        return [*map(self._number, origins)]

    def write(self, connection: sqlite3.Connection) -> None:
        """Write the new ones, inside the caller's transaction."""
        new, self._new = self._new, []
        rows = [(self._known[o], encoded(o.computer), o.process_id, o.thread_id, o.user_id) for o in new]
        connection.executemany("INSERT INTO origins VALUES (?, ?, ?, ?, ?)", rows)

    def _number(self, origin: Origin) -> int:
        number = self._known.get(origin)
        if number is None:
            number = self._known[origin] = len(self._known) + 1
            self._new.append(origin)
        return number
