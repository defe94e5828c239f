"""Opening the log: who may, with which modes, and only one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from pathlib import Path

from pysmon.store.failure import FAILURES, StoreError, code_of, failure

_FOLDER, _FILE = 0o700, 0o600  # command lines hold secrets
_PATIENCE = 5.0  # seconds that a reader and a checkpoint wait for each other
_CACHE = 16_000  # KB, for readers
_WRITER_CACHE = 1_000  # KB: what is written is seldom read again, and the writer is there all day
_CODES = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
    errno.EROFS: sqlite3.SQLITE_READONLY,
    errno.EIO: sqlite3.SQLITE_IOERR,
}


class WriterLock:
    """The right to write a log, held until it is closed; the system takes it back when the process ends."""

    def __init__(self, path: Path) -> None:
        """Take it; StoreError if another process has it."""
        self._path = path.with_name(f"{path.name}.lock")
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _FILE)
        except OSError as error:
            raise _cannot_open(path, error) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            who = f"process {holder}" if holder else "another process"
            raise StoreError(
                f"cannot write {path}: {who} writes it already",
                hint="a log has one writer: end that process, or name another file",
                code=sqlite3.SQLITE_BUSY,
            ) from None
        self._sign()

    def _sign(self) -> None:
        try:
            os.fchmod(self._fd, _FILE)
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, str(os.getpid()).encode(), 0)
        except OSError:
            return  # the name is a courtesy: a full disk does not stop us here

    @property
    def held(self) -> bool:
        """Whether it is still ours."""
        return self._fd >= 0

    def close(self) -> None:
        """Let others write; the file stays, so that two can never hold two files of that name."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def make_file(path: Path) -> None:
    """Make the log's folder and an empty file, for nobody else to read, whatever the umask says; StoreError."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=_FOLDER, parents=True)
            path.parent.chmod(_FOLDER)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE)
    except FileExistsError:
        return
    except OSError as error:
        raise _cannot_open(path, error) from error
    os.fchmod(fd, _FILE)  # what SQLite makes beside it gets the same mode
    os.close(fd)


def identity(path: Path) -> tuple[int, int]:
    """Which file that is, whatever its name; (0, 0) if there is none."""
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_dev, state.st_ino


def set_aside(path: Path) -> Path:
    """Give a damaged log and what belongs to it another name, which is told; StoreError."""
    number = next(n for n in range(1, 1 << 20) if not path.with_name(f"{path.name}.damaged-{n}").exists())
    away = path.with_name(f"{path.name}.damaged-{number}")
    try:
        for suffix in ("-shm", "-wal", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(away.with_name(away.name + suffix))
    except OSError as error:
        raise _cannot_open(path, error) from error
    return away


def connect_writer(path: Path) -> sqlite3.Connection:
    """A connection that writes; the file is there already. sqlite3.Error."""
    made = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        made.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table, and kept by the file
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("PRAGMA synchronous = NORMAL")
        made.execute("PRAGMA secure_delete = OFF")
        made.execute("PRAGMA trusted_schema = OFF")
        made.execute("PRAGMA temp_store = MEMORY")
        made.execute(f"PRAGMA cache_size = -{_WRITER_CACHE}")
        made.execute("PRAGMA journal_size_limit = 16777216")
    except BaseException:
        made.close()
        raise
    return made


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads, whether or not somebody writes meanwhile; StoreError."""
    if not path.exists():
        raise StoreError(
            f"there is no log {path}", hint="was pysmon ever started with it?", code=sqlite3.SQLITE_CANTOPEN
        )
    try:
        try:
            return _reading(f"{path.absolute().as_uri()}?mode=ro")
        except sqlite3.OperationalError as error:
            if code_of(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or _has_wal(path):
                raise
            # closed in good order, and this user may not make the file through which readers and a writer agree
            return _reading(f"{path.absolute().as_uri()}?mode=ro&immutable=1")
    except FAILURES as error:
        raise failure("read", str(path), error) from error


def _reading(uri: str) -> sqlite3.Connection:
    made = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        made.execute("PRAGMA query_only = ON")
        made.execute("PRAGMA trusted_schema = OFF")
        made.execute("PRAGMA temp_store = MEMORY")
        made.execute(f"PRAGMA cache_size = -{_CACHE}")
        made.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # SQLite opens the file only now
    except FAILURES:
        made.close()
        raise
    return made


def _has_wal(path: Path) -> bool:
    wal = path.with_name(f"{path.name}-wal")
    return wal.exists() and wal.stat().st_size > 0


def _cannot_open(path: Path, error: OSError) -> StoreError:
    code = _CODES.get(error.errno or 0, sqlite3.SQLITE_CANTOPEN)
    hint = "choose another place, or run pysmon with more rights"
    return StoreError(f"cannot open {path}: {os.strerror(error.errno or 0).lower()}", hint=hint, code=code)
