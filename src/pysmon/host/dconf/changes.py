"""What became of the settings between two contents of a database, and whose database a file is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pysmon.errors import RecordError
from pysmon.host.dconf.table import read_table
from pysmon.host.dconf.variant import variant_text

MOST = 256  # changes that are told of one write
UNREADABLE = "(Binary Data)"  # as Sysmon calls a value that it does not show
_LONGEST = 4096  # characters of a value
_MOST_BYTES = 1 << 16  # of values that are shown of one write: a tenth of a second, however they are made
# A user's own, wherever XDG_CONFIG_HOME leads (a profile may give it another name), and those of the machine.
_OF_USER = re.compile(r"/(?:.*/)?dconf/user")
_OF_MACHINE = re.compile(r"/etc/dconf/db/([^/.]+)")
FOLDERS, ENDINGS = ("/etc/dconf/db/",), ("user",)  # what can be told of such a path without looking at all of it


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that was written or removed. Values are texts as `dconf read` shows them."""

    key: str  # /org/gnome/desktop/interface/color-scheme
    value: str | None  # None: it was removed, and the default holds again
    before: str | None  # None: it was not set


def database_of(path: str) -> str | None:
    """Whose settings are in that file: "" for those of its owner, `db:local` for one of the machine, else None."""
    if not path.endswith(ENDINGS) and not path.startswith(FOLDERS):
        return None
    if _OF_USER.fullmatch(path):
        return ""
    found = _OF_MACHINE.fullmatch(path)
    return f"db:{found[1]}" if found else None


def changes(before: bytes, now: bytes) -> tuple[list[Change], int]:
    """What was changed, by key, and how many changes there are besides. RecordError if `now` cannot be read.

    What cannot be read of `before` is taken as empty.
    """
    if before == now:
        return [], 0
    new = read_table(now)
    try:
        old = read_table(before)
    except RecordError:
        old = {}
    keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    values = _Values()
    told = [Change(key, values.shown(new.get(key)), values.shown(old.get(key))) for key in keys[:MOST]]
    return told, len(keys) - len(told)


class _Values:
    """Shows values, as long as that does not take too long."""

    def __init__(self) -> None:
        self._room = _MOST_BYTES

    def shown(self, value: bytes | None) -> str | None:
        if value is None:
            return None
        self._room -= len(value)
        return _shown(value) if self._room >= 0 else UNREADABLE


def _shown(value: bytes) -> str:
    try:
        text = variant_text(value)
    except RecordError:
        return UNREADABLE
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
