"""A change of a clipboard, as a reader of a display has seen it."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT = 8 << 20  # bytes of what is read of one change
PATIENCE = 3.0  # s that its owner has to hand it over

# What came of reading it (ClipboardRecord.outcome).
READ, TOO_LARGE, TOO_SLOW, CHANGED_AGAIN, REFUSED, TOO_MUCH = range(6)

# Best first, by the names that X11 and Wayland have for them: text as UTF-8, then text as it comes.
TEXTS = ("UTF8_STRING", "text/plain;charset=utf-8", "text/plain", "STRING", "TEXT")
# Targets that are questions about a selection or orders to its owner, and no content (ICCCM 2.6.2, 2.6.3).
_NO_CONTENT = frozenset(
    ("TARGETS", "TIMESTAMP", "MULTIPLE", "SAVE_TARGETS", "DELETE", "INSERT_SELECTION", "INSERT_PROPERTY")
)
TARGETS_LIMIT = 64  # that are looked at


class DisplayError(Exception):
    """The display ended, or does not speak as it should; the text says which."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `content` is None where it could not be read; `outcome` says why."""

    time: int  # ns since boot
    pid: int = 0  # of its owner, as the display server counts; 0 where nobody tells
    outcome: int = READ
    target: str = ""  # what was asked for: UTF8_STRING, image/png
    targets: tuple[str, ...] = ()  # what the owner offers
    content: bytes | None = None


def choice(targets: tuple[str, ...]) -> str:
    """The target to ask for: text if there is any, else the first one that is content; empty if none is."""
    text = next((each for each in TEXTS if each in targets), "")
    return text or next((each for each in targets if each and each not in _NO_CONTENT), "")
