"""Clipboard records: ClipboardChange, and what was in the clipboard: its hashes and a copy in the archive."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from pysmon.assemble.processes import UNKNOWN_IMAGE
from pysmon.assemble.scene import Scene
from pysmon.host.archive import Archive
from pysmon.host.guid import NO_GUID
from pysmon.host.hashes import Hashes
from pysmon.layout.record import Record
from pysmon.schema.catalogue import ClipboardChange
from pysmon.schema.event import Event
from pysmon.sensor.clipboard.change import CHANGED_AGAIN, LIMIT, READ, REFUSED, TOO_LARGE, TOO_MUCH, TOO_SLOW
from pysmon.sensor.records import ClipboardRecord

_PREFIX = "CLIP-"  # of copies in the archive: Sysmon's
_OUTCOMES = {
    READ: "its content is not at hand",  # a tape has none
    TOO_LARGE: f"it is larger than {LIMIT} bytes",
    TOO_SLOW: "its owner did not hand it over in time",
    CHANGED_AGAIN: "it changed again before it was read",
    REFUSED: "its owner refused to hand it over",
    TOO_MUCH: "too much was copied at once",
}


def take_clipboard(record: ClipboardRecord, scene: Scene) -> tuple[Event, ...]:
    """A ClipboardChange, still without what is in the clipboard."""
    if ClipboardChange.type.id not in scene.wanted:
        return ()
    owner = scene.processes.lately(record.tgid) if record.tgid else None
    user = scene.users.name(record.uid)
    return (
        ClipboardChange(
            UtcTime=scene.utc(record.time),
            ProcessGuid=owner.guid if owner else NO_GUID,
            ProcessId=record.tgid,
            Image=owner.image if owner else UNKNOWN_IMAGE if record.tgid else "-",
            Session=record.session,
            ClientInfo=_client(user, _text(record.remote)),
            User=user,
        ),
    )


def facts_of_clipboard(record: ClipboardRecord) -> dict[str, object]:
    """What no field holds: the display, the session's name, the size of the content and its kinds."""
    chosen, *offered = _text(record.targets).split("\0")
    facts: dict[str, object] = {"Display": _text(record.display)}
    if record.session_name:
        facts["SessionName"] = _text(record.session_name)
    if chosen:
        facts["Format"] = chosen
    if any(offered):
        facts["Formats"] = [each for each in offered if each]
    return facts | ({"Size": record.content_size} if record.outcome == READ else {})


class Clips:
    """Asks for what was in the clipboard while that is held."""

    def __init__(
        self, content: Callable[[int], str], hashes: Hashes, archive: Archive | None, *, early: bool = False
    ) -> None:
        """`content` gives the path of it by the token of a record; `early`: the rules read the hashes."""
        self._content, self._hashes, self._archive, self._is_early = content, hashes, archive, early

    def early(self, event: Event, record: Record) -> None:
        """Before the verdict, if that hangs on it."""
        if self._is_early and isinstance(event, ClipboardChange) and isinstance(record, ClipboardRecord):
            self._add_hashes(event, record)

    def late(self, event: Event, record: Record) -> None:
        """Once the event is kept: the hashes, and the copy."""
        if not isinstance(event, ClipboardChange) or not isinstance(record, ClipboardRecord):
            return
        self._add_hashes(event, record)
        path = self._content(record.token)
        if self._archive is not None:
            why = _OUTCOMES.get(record.outcome, _OUTCOMES[REFUSED])
            kept = self._archive.keep(path, event.Hashes, "", prefix=_PREFIX) if path else f"false - {why}"
            event.Archived = kept
        elif not path:
            event.extra = {**(event.extra or {}), "HashesSkipped": _OUTCOMES.get(record.outcome, "")}

    def _add_hashes(self, event: ClipboardChange, record: ClipboardRecord) -> None:
        path = self._content(record.token)
        if path and event.Hashes == "-":
            event.Hashes = self._hashes.of_bytes(Path(path).read_bytes())


def _client(user: str, remote: str) -> str:
    """Who sits before the session, in the form of Sysmon."""
    if not remote:
        return f"user: {user}"
    try:
        return f"user: {user} ip: {ip_address(remote)}"
    except ValueError:
        return f"user: {user} hostname: {remote}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
