"""What events say again and again, worked out once: of actors, of folders, of the ends of connections."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import normpath
from typing import TypeAlias

from pysmon.assemble.network import address, protocol_name
from pysmon.assemble.paths import folder_path
from pysmon.assemble.processes import UNKNOWN_YET, ProcessImage
from pysmon.host.triggers.places import BEGINNINGS, is_hinted
from pysmon.host.users import Users
from pysmon.layout.selection import span_of
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.verdict import Verdict
from pysmon.schema.event import Event
from pysmon.sensor.records import FlowRecord

Extra: TypeAlias = tuple[Mapping[str, object] | None, ...]  # what `extra` of an event is; none if more is done with it

OF_ACTOR = frozenset({"ProcessGuid", "ProcessId", "Image", "User"})
ENDS = span_of(FlowRecord, "source", "protocol")
REMEMBERED = 2048  # actors, folders, ends of connections; numbers of one actor
_BEGINNINGS = tuple(beginning.encode() for beginning in BEGINNINGS)
_SLASH = ord("/")  # a number: to look for bytes in bytes begins with an exception in C, for 1,600 instructions
_NOT_PLAIN = (b"", b".", b"..")  # as names in a folder


class Said:
    """What is said of an actor in events of one kind."""

    __slots__ = ("extras", "guid", "image", "uid", "user", "verdict")

    def __init__(self, actor: ProcessImage, uid: int, user: str, verdict: Verdict | None) -> None:
        """`verdict` is that of all its events, if it hangs on these fields alone."""
        self.guid, self.image, self.uid, self.user = actor.guid, actor.image, uid, user
        self.verdict = verdict
        self.extras: dict[int, Extra] = {}  # by the number of the record that it hangs on


class Actors:
    """What is said of actors in events of one kind, under some rules. Forget it when users may have other names."""

    def __init__(self, users: Users, ruleset: Ruleset, event: type[Event]) -> None:
        """Nobody is known yet."""
        self._users = users
        names, self._judge = ruleset.by_values(event.type.id)
        self._names = names if OF_ACTOR.issuperset(names) else None
        self.known: dict[ProcessImage, Said] = {}

    def learn(self, actor: ProcessImage, uid: int) -> Said | None:
        """What is said of it; None if that may come to be something else."""
        user = self._users.name(uid)
        if user == str(uid) or actor.image == UNKNOWN_YET:
            return None
        verdict = None
        if self._names is not None:
            values = {"ProcessGuid": actor.guid, "ProcessId": actor.key[0], "Image": actor.image, "User": user}
            verdict = self._judge(tuple([values[name] for name in self._names]))
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        found = self.known[actor] = Said(actor, uid, user, verdict)
        return found


class Paths:
    """Paths of files, from the texts of a record."""

    def __init__(self) -> None:
        """No folder is known yet."""
        self.minds_triggers = True  # are files about persistence to be looked at more closely?
        self._folders: dict[bytes, tuple[str, bool, bool]] = {}  # by components: the text, is it plain, is it hinted

    def of(self, data: bytes, begin: int, size: int, directory: int, name: int) -> str:
        """The path from the texts that begin there, of these sizes; empty if it must be looked at more closely."""
        if size:  # from leaf to root
            leaf, ended, components = data[begin : begin + size].partition(b"\0")
        else:  # the directory, then the name in it
            components, begin = data[begin : begin + directory], begin + directory
            leaf, ended, _ = data[begin : begin + name].partition(b"\0")
        folder, is_plain, hinted = self._folders.get(components) or self._enter(components)
        if not ended or not (size or (is_plain and leaf not in _NOT_PLAIN and _SLASH not in leaf)):
            return ""
        if self.minds_triggers and (hinted or leaf.startswith(_BEGINNINGS)):
            return ""
        try:
            return folder + leaf.decode()
        except UnicodeDecodeError:
            return folder + leaf.decode("utf-8", "surrogateescape")

    def _enter(self, components: bytes) -> tuple[str, bool, bool]:
        folder = folder_path(components)
        if len(self._folders) >= REMEMBERED:
            self._folders.clear()
        is_plain = bool(components) and f"{normpath(folder)}/" == folder
        found = self._folders[components] = folder, is_plain, is_hinted(folder)
        return found


class Ends:
    """Source, destination and protocol of connections, each address with whether it is one of IPv6."""

    def __init__(self) -> None:
        """None is known yet."""
        self.known: dict[bytes, tuple[str, bool, str, bool, str]] = {}  # by the bytes of a record at ENDS

    def meet(self, data: bytes) -> tuple[str, bool, str, bool, str]:
        """Those of a connection that was not seen before, from its record."""
        record = FlowRecord.decode(data)
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        source, destination = address(record.family, record.source), address(record.family, record.destination)
        found = self.known[data[ENDS]] = *source, *destination, protocol_name(record.protocol)
        return found
