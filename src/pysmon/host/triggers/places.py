"""Which files are about persistence, told by their paths alone."""

from __future__ import annotations

import re
from typing import Literal

Place = Literal["unit", "enabled unit", "udev rules", "system crontab", "user crontab", "periodic script", "at job"]

_UNIT = r"[^/]+\.(?:timer|path|socket|service)"
_UNIT_FOLDERS = (
    r"(?:/etc/systemd|/run/systemd|(?:/usr(?:/local)?)?/lib/systemd|/run/user/\d+/systemd"
    r"|.+/\.config/systemd|.+/\.local/share/systemd)"
    r"/(?:system|user|transient|generator(?:\.early|\.late)?)(?:\.control)?"
)
_PLACES: tuple[tuple[Place, re.Pattern[str]], ...] = (
    ("enabled unit", re.compile(rf"{_UNIT_FOLDERS}/[^/]+\.(?:wants|requires|upholds)/{_UNIT}")),
    ("unit", re.compile(rf"{_UNIT_FOLDERS}/{_UNIT}(?:\.d/[^/]+\.conf)?")),
    ("udev rules", re.compile(r"(?:/etc|/run|(?:/usr(?:/local)?)?/lib)/udev/rules\.d/[^/]+\.rules")),
    ("system crontab", re.compile(r"/etc/(?:crontab|anacrontab|cron\.d/[^/.]+)")),
    ("periodic script", re.compile(r"/etc/cron\.(?:hourly|daily|weekly|monthly|yearly)/[^/.]+")),
    ("at job", re.compile(r"/var/spool/(?:cron/atjobs|at|atjobs)/[a-z=][0-9a-f]{13}")),
    ("user crontab", re.compile(r"/var/spool/cron/(?:crontabs/|tabs/)?[^/.]+")),
)
# Each such path lies in one of these folders, or ends so: what can be told of it without looking at all of it.
FOLDERS = (
    *(f"/etc/cron.{when}/" for when in ("d", "hourly", "daily", "weekly", "monthly", "yearly")),
    *("/var/spool/cron/", "/var/spool/at/", "/var/spool/atjobs/"),
)
ENDINGS = (".timer", ".path", ".socket", ".service", ".conf", ".rules", "crontab")
HINTS = ("/systemd/", "/udev/", "/cron", "/anacrontab", "/var/spool/at")  # one of them is in the path of each
# So the names of files in folders that are not hinted at begin like this.
BEGINNINGS = tuple(beginning for _, _, beginning in (hint.rpartition("/") for hint in HINTS) if beginning)


def is_hinted(folder: str) -> bool:
    """Whether any file of that folder, named with a slash behind it, may be about persistence.

    Of other folders only those may be whose names begin as BEGINNINGS say.
    """
    return any(hint in folder for hint in HINTS)


def place_of_trigger(path: str) -> Place | None:
    """What a file of that path says, if it is about persistence; None for all others, which are nearly all."""
    if not any(hint in path for hint in HINTS):
        return None
    return next((place for place, pattern in _PLACES if pattern.fullmatch(path)), None)
