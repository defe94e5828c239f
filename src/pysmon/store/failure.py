"""What can go wrong with the log, in words that help."""

from __future__ import annotations

import sqlite3

from pysmon.errors import PysmonError

_FREE = "free some space; pysmon goes on by itself as soon as there is some"
_WORDS = {
    sqlite3.SQLITE_FULL: ("no space left on the disk", _FREE),
    sqlite3.SQLITE_READONLY: (
        "the file or its file system is read-only",
        "mount it for writing, or choose another place",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the file cannot be opened",
        "is there such a file, and may this user read and write its folder?",
    ),
    sqlite3.SQLITE_PERM: ("permission denied", "run pysmon as the user who owns the log"),
    sqlite3.SQLITE_BUSY: ("another program holds it locked", "end the program that has it open for writing"),
    sqlite3.SQLITE_IOERR: ("the disk failed or is full", "see the kernel's messages (dmesg)"),
    sqlite3.SQLITE_CORRUPT: ("the file is damaged", "move it away; pysmon makes a new one"),
    sqlite3.SQLITE_NOTADB: ("the file is no event log", "name another file, or move this one away"),
}


class StoreError(PysmonError):
    """The event log cannot be opened, read or written."""

    def __init__(self, message: str, *, hint: str = "", code: int = 0) -> None:
        """`code` is SQLite's primary result code, 0 if the failure is not SQLite's."""
        super().__init__(message, hint=hint)
        self.code = code


class DamagedError(sqlite3.DatabaseError):
    """What SQLite gave cannot be what was written; the text says what it is."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


# What reading and writing can raise: the latter if SQLite's own message quotes bytes of a damaged file.
FAILURES = (sqlite3.Error, UnicodeDecodeError)


def failure(doing: str, name: str, error: Exception) -> StoreError:
    """The error of SQLite as one of ours: `cannot write /var/lib/x: no space left on the disk`."""
    code = code_of(error)
    words, hint = _WORDS.get(code, (str(error), ""))
    return StoreError(f"cannot {doing} {name}: {words}", hint=hint, code=code)


def code_of(error: Exception) -> int:
    """SQLite's primary result code; 0 if there is none."""
    if isinstance(error, UnicodeDecodeError):
        return sqlite3.SQLITE_CORRUPT
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
