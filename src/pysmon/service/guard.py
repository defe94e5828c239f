"""The service's own files: put right at the start, and looked at again and again, so that no change goes untold."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pysmon.assemble.guard import TAMPER
from pysmon.sensor.loader import OBJECT
from pysmon.service.files import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, set_mode
from pysmon.service.paths import UNIT, Paths

# What is watched of a path besides that it is there, what it is, its mode and its owner: all of its content; whether it
# has any, for what we write all the time; the files in it, with their content.
Kind = Literal["content", "place", "folder"]
Report = tuple[str, str]  # ID and description of an event 255

_LIMIT = 1 << 26  # bytes that are hashed: a file of ours that is larger is not ours any more
_UNIT_FOLDERS = ("etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
_FOR_OTHERS, _WRITABLE_BY_OTHERS = 0o077, 0o022
_KINDS = {stat.S_IFREG: "a file", stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a link"}


@dataclass(frozen=True, slots=True)
class Place:
    """A path that is watched, and how."""

    path: Path
    kind: Kind = "content"


@dataclass(frozen=True, slots=True)
class _State:
    """What a look at a path has found. Only `sha256` is costly: it is read anew if anything else has changed."""

    identity: tuple[int, int, int]  # device, inode, kind of file
    mode: int
    uid: int
    content: tuple[int, int, int, str]  # size, mtime, ctime in ns, where a link leads; of a place 0 or 1, and no times
    sha256: str


def places_of(paths: Paths) -> tuple[Place, ...]:
    """What the service watches: its settings, configuration, units, folders, sockets, log and kernel programs."""
    folders = {(paths.root / folder).resolve(): paths.root / folder for folder in reversed(_UNIT_FOLDERS)}
    units = [folder / UNIT for folder in folders.values()]  # /lib is mostly a link to /usr/lib
    return (
        *(Place(p) for p in (paths.settings, paths.configuration, paths.about, paths.types, *units)),
        *(Place(p.with_name(f"{p.name}.d"), "folder") for p in units),
        *(Place(p, "place") for p in (paths.state, paths.store, paths.spill, paths.runtime)),
        *(Place(p, "place") for p in (paths.control, paths.events)),
        Place(Path(str(OBJECT))),
    )


class Watched:
    """Files that nobody but the service should change. Call `look` every second or so; it keeps no clock.

    May be used from several threads.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        """What is there now is taken to be right."""
        self._places = {place.path: place for place in places}
        self._lock = threading.Lock()
        self._held: set[Path] = set()  # being changed by ourselves
        self._found: list[Report] = []  # just before we began to; to be told at the next look
        self._known = self._all({})
        self._glances = [(str(place.path), place.kind) for place in self._places.values()]
        self._glanced: list[object] = []  # what the last look has found, roughly

    def look(self) -> tuple[Report, ...]:
        """What has changed since the last look, one report for each path; each change is told once."""
        with self._lock:
            glanced = [_glance(path, kind) for path, kind in self._glances]
            if glanced == self._glanced and not self._found:
                return ()
            self._glanced = glanced
            before, now = self._known, self._all(self._known)
            self._known = now
            told, self._found = self._found, []
            return (*told, *_reports(before, now, [path for path in {*before, *now} if not self._own(path)]))

    def expect(self, *paths: Path) -> None:
        """We have written these ourselves: what is there now is right. Not to be told at the next look."""
        with self._lock:
            self._accept(paths)

    @contextmanager
    def changing(self, *paths: Path) -> Iterator[None]:
        """While we write these ourselves, nothing is told of them, and what is there at the end is right.

        What somebody else did to them until then is told.
        """
        with self._lock:
            before = self._known
            self._accept(paths)
            mine = [path for path in {*before, *self._known} if self._in(path, paths) and not self._own(path)]
            self._found += _reports(before, self._known, mine)
            self._held.update(paths)
        try:
            yield
        finally:
            with self._lock:
                self._held.difference_update(paths)
                self._accept(paths)

    def _accept(self, paths: Iterable[Path]) -> None:
        now, ours = self._all(self._known), set(paths)
        kept = {path: state for path, state in self._known.items() if not self._in(path, ours)}
        self._known = kept | {path: state for path, state in now.items() if self._in(path, ours)}

    def _own(self, path: Path) -> bool:
        return self._in(path, self._held)

    @staticmethod
    def _in(path: Path, places: Collection[Path]) -> bool:
        return path in places or path.parent in places

    def _all(self, known: dict[Path, _State]) -> dict[Path, _State]:
        """The states of all that is there, the files of watched folders among them."""
        found: dict[Path, _State] = {}
        for place in self._places.values():
            at = [place.path, *(_entries(place.path) if place.kind == "folder" else ())]
            for path in at:
                state = _state(path, "content" if path is not place.path else place.kind, known.get(path))
                if state is not None:
                    found[path] = state
        return found


def _reports(before: Mapping[Path, _State], now: Mapping[Path, _State], paths: Iterable[Path]) -> list[Report]:
    found = [(path, _changes(before.get(path), now.get(path))) for path in sorted(paths)]
    return [(TAMPER, f"{path}: {'; '.join(changes)}") for path, changes in found if changes]


def secure(paths: Paths) -> tuple[Report, ...]:
    """Make the service's folders, and give them and their files the modes that they must have, whatever the umask is.

    Reports what others could have read or written, and what belongs to somebody else. OSError if a folder cannot be put
    right: then it is not safe to go on.
    """
    found: list[Report] = []
    folders = (paths.state, paths.spill, paths.runtime)
    for folder in folders:
        if folder.is_symlink():
            raise OSError(errno.ENOTDIR, "a link stands where the service's own folder must be", str(folder))
        found += _loose(folder, _FOR_OTHERS)
        make_folder(folder, PRIVATE_FOLDER)
        for path in _entries(folder):
            found += _loose(path, _FOR_OTHERS) if path not in folders else []
            if stat.S_ISREG(path.lstat().st_mode):
                with suppress(PermissionError):  # of somebody else, which was told
                    set_mode(path, PRIVATE_FILE)
    return (*found, *_loose(paths.settings, _WRITABLE_BY_OTHERS))  # an administrator's: not for us to change


def _loose(path: Path, forbidden: int) -> list[Report]:
    """A report if others have rights to it that they must not have, or it is not ours."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return []
    wrong = []
    if found.st_mode & forbidden and not stat.S_ISLNK(found.st_mode):
        wrong.append(f"others had rights to it (mode {stat.S_IMODE(found.st_mode):04o})")
    if found.st_uid not in (0, os.geteuid()):
        wrong.append(f"it belongs to user {found.st_uid}")
    return [(TAMPER, f"{path}: {', '.join(wrong)} when the service started")] if wrong else []


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _glance(path: str, kind: Kind) -> object:
    """Something that is another one whenever `_state` of the path, or of what is in the folder, is another one."""
    try:
        entry = os.lstat(path)
    except OSError:
        return None
    seen: tuple[int, ...] = (entry.st_dev, entry.st_ino, entry.st_mode, entry.st_uid)
    if stat.S_ISLNK(entry.st_mode):
        with suppress(OSError):
            found = os.stat(path)
            seen += (found.st_mode, found.st_uid, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if kind == "place":
        return (*seen, entry.st_size > 0)
    inner = [(name, _glance(f"{path}/{name}", "content")) for name in _names(path)] if kind == "folder" else []
    return (*seen, entry.st_size, entry.st_mtime_ns, entry.st_ctime_ns, inner)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _state(path: Path, kind: Kind, known: _State | None) -> _State | None:
    """What is at the path; None if nothing is. The hash of `known` holds as long as nothing else is another."""
    try:
        entry = path.lstat()
        link = os.readlink(path) if stat.S_ISLNK(entry.st_mode) else ""
        found = path.stat() if link and path.exists() else entry
    except OSError:
        return None
    identity = (entry.st_dev, entry.st_ino, stat.S_IFMT(entry.st_mode))
    mode, uid = stat.S_IMODE(found.st_mode), found.st_uid
    if kind != "content":
        return _State(identity, mode, uid, (min(found.st_size, 1), 0, 0, link), "")
    content = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, link)
    if known and (known.identity, known.content) == (identity, content):
        return _State(identity, mode, uid, content, known.sha256)
    return _State(identity, mode, uid, content, _sha256(path) if stat.S_ISREG(found.st_mode) else "")


def _sha256(path: Path) -> str:
    """Of the content; empty if it cannot be read, or is too long to be ours."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if os.fstat(file.fileno()).st_size > _LIMIT:
                return ""
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _changes(before: _State | None, now: _State | None) -> list[str]:
    """In words, what happened to a path between two looks."""
    if before == now:
        return []
    if now is None:
        return ["was removed"]
    if before is None:
        return [f"appeared ({_described(now)})"]
    said = []
    if now.identity[2] != before.identity[2] or now.content[3] != before.content[3]:
        said.append(f"was replaced by {_described(now)}")
    elif now.identity != before.identity:
        said.append("was replaced")
    if now.sha256 != before.sha256:
        said.append(f"content changed from SHA256={before.sha256 or '-'} to SHA256={now.sha256 or '-'}")
    if before.content[0] and not now.content[0]:
        said.append("was emptied")
    if now.mode != before.mode:
        said.append(f"mode changed from {before.mode:04o} to {now.mode:04o}")
    if now.uid != before.uid:
        said.append(f"owner changed from user {before.uid} to user {now.uid}")
    return said or (["was written or touched, and its content is the same"] if now.content[1] else [])


def _described(state: _State) -> str:
    what = f"a link to {state.content[3]}" if state.content[3] else _KINDS.get(state.identity[2], "a special file")
    content = f", SHA256={state.sha256}" if state.sha256 else ""
    return f"{what}, mode {state.mode:04o}, of user {state.uid}{content}"
