"""Names and numbers that the C text of the kernel programs shares with the records."""

from __future__ import annotations

from pysmon.sensor import load_records, memory_records, records, setting_records
from pysmon.sensor.memory_records import PLACE
from pysmon.sensor.records import (
    ACTORS,
    ANSWERED,
    ASKING,
    ASKS,
    BRIEF,
    FAMILIES,
    IMAGES_LIMIT,
    MARK,
    PARTS_LIMIT,
    SCOPES,
    SETTINGS,
    SHADOW,
    WITHIN,
)

# By the beginning of the C names: what follows in C is the name that the number has in Python.
_NUMBERS = {
    "CREATOR": ("UNKNOWN", "PARENT", "OTHER"),
    "HOW": ("OPENED", "RENAMED", "LINKED", "SYMLINKED", "EXECUTED", "INTERPRETER", "MAPPED", "PROTECTED"),
    "DEED": ("SIGNAL", "BPF", "TRACE", "READ", "WRITE", "TAKE_DESCRIPTOR", "OPEN_MEMORY", "ACCESS"),
    "TABLE": ("MADE", "REMOVED", "RENAMED"),
    "PIPE": ("MADE", "MET", "FIFO"),
    "OBJECT": ("PROGRAM", "MAP", "LINK"),
    "CALL": ("GETADDRINFO", "GETHOSTBYNAME"),
    "SIGNATURE": ("UNKNOWN", "MISSED", "ACCEPTED"),
    "WAY": ("POKED", "POINTED", "WRITTEN", "MEMORY_WRITTEN"),
    "TAMPER": ("RELINKED", "UNLOCKED", "MAPPED_OVER"),
    "READER": ("EAGER", "PATIENT", "ASLEEP"),
    "REGION": ("NOWHERE", "FILE", "ANONYMOUS", "HEAP", "STACK", "NAMELESS"),
}
_WHOLE = ("CREATOR", "TABLE", "PIPE", "SIGNATURE")  # those that have the whole name in Python too


_MODULES = (records, memory_records, load_records, setting_records)


def _c_name(beginning: str, words: str) -> str:
    return f"{beginning}_{words.upper().replace(' ', '_')}"


def _numbers() -> list[tuple[str, int]]:
    found = []
    for beginning, names in _NUMBERS.items():
        for name in names:
            whole = _c_name(beginning, name)
            known = whole if beginning in _WHOLE else name
            found.append((whole, next(int(getattr(m, known)) for m in _MODULES if hasattr(m, known))))
    return found


CONSTANTS: tuple[tuple[str, int], ...] = (
    *((_c_name("FAMILY", name), i) for i, name in enumerate(FAMILIES)),
    ("FAMILY_COUNT", len(FAMILIES)),
    *_numbers(),
    *((_c_name("SCOPE", name), i) for i, name in enumerate(SCOPES) if i),
    ("SETTINGS_SIZE", SETTINGS.size),
    *(("PUSHDOWN_ACTORS", ACTORS), ("PUSHDOWN_SHADOW", SHADOW), ("PUSHDOWN_ASKING", ASKING)),
    *(("PUSHDOWN_MARK", MARK), ("PUSHDOWN_ASKS", ASKS), ("PUSHDOWN_ANSWERED", ANSWERED), ("PUSHDOWN_BRIEF", BRIEF)),
    *((_c_name("PUSHDOWN_WITHIN", name), bit) for name, bit in WITHIN.items()),
    *(("PARTS_LIMIT", PARTS_LIMIT), ("IMAGES_LIMIT", IMAGES_LIMIT)),
    ("PLACE_SIZE", PLACE.size),
)
