"""What is known of the file behind an ImageLoad or a DriverLoad: its hashes, and whose it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pysmon.assemble.paths import known_path
from pysmon.assemble.places import machine_places, mapped_places, places
from pysmon.errors import RecordError
from pysmon.host.elf import Elf, elf_of
from pysmon.host.errands import Errands
from pysmon.host.hashes import SETTLED, Expected, Hashes, file_system
from pysmon.host.module_file import end_of_module
from pysmon.host.module_signature import ModuleSignature, read_signature
from pysmon.host.packages import Origin, Packages
from pysmon.layout.record import Record
from pysmon.schema.catalogue import DriverLoad, ImageLoad
from pysmon.schema.event import Event
from pysmon.sensor.load_records import EXECUTED, SIGNATURE_ACCEPTED, SIGNATURE_MISSED, ImageLoadRecord, ModuleRecord

FIELDS = frozenset(
    {
        *("FileVersion", "Description", "Product", "Company", "OriginalFileName"),
        *("Hashes", "Signed", "Signature", "SignatureStatus"),
    }
)
_NO_NAME = Origin("false", status="Unavailable")
_NONE = "-"
_LATE = "its file system does not answer in time"
_DATABASE = "the package database"
_UNREAD = Origin(skipped=f"{_DATABASE} does not answer in time")
_REMEMBERED = 4096
_ASK_EVERY = 1_000_000_000  # ns of record time between two looks whether packages have changed
Facts = dict[str, object]
_Found = tuple[Origin, Elf]
_Answer = TypeVar("_Answer")


class Provenance:
    """Looks at files, and fills the fields of FIELDS. What it found of a file it remembers until the file changes."""

    def __init__(
        self,
        hashes: Hashes,
        packages: Packages,
        errands: Errands | None = None,
        *,
        early: bool = False,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """`errands` look at files, so that no file system can hold up the caller; without them he does it himself.

        `early`: read the databases of packages when `prepare` is called, rather than at the first event.
        """
        self._hashes, self._early = hashes, early
        self._packages = packages
        self._errands = errands
        self._clock = clock
        self._known: dict[tuple[str, Expected], _Found] = {}
        self._signature: object = None
        self._read = False  # the databases, as they are now
        self._ask_again = 0

    def prepare(self) -> None:
        """What takes a while, before there are events."""
        if self._early:
            self._ask(_DATABASE, self._packages.prepare)

    def add(self, event: Event, record: Record) -> Facts:
        """Fill in; returns what only JSON shows. Other events are left as they are."""
        if isinstance(event, ImageLoad) and isinstance(record, ImageLoadRecord):
            return self._of_image(event, record)
        if isinstance(event, DriverLoad) and isinstance(record, ModuleRecord) and record.path:
            return self._of_module(event, record)
        return {}

    def _of_image(self, event: ImageLoad, record: ImageLoadRecord) -> Facts:
        path, file = known_path(record.path), _expected(record)
        there = self._places(record, path)
        hashed = self._hashes.of(*there, expected=file)
        origin, elf = self._look(record, path, file, there)
        event.Hashes = hashed.text
        event.OriginalFileName = elf.name or _NONE
        event.Signed, event.Signature, event.SignatureStatus = origin.signed, origin.signature, origin.status
        if origin.package:
            event.FileVersion, event.Product = origin.package.version, origin.package.name
            event.Description, event.Company = origin.package.description, origin.package.maker
        facts = {"BuildId": elf.build_id, "HashesSkipped": hashed.skipped, "SignatureSkipped": origin.skipped}
        return _told(facts)

    def _places(self, record: ImageLoadRecord, path: str) -> tuple[str, ...]:
        tgid = record.tgid
        if record.links:
            there: tuple[str, ...] = places(tgid, path)
        else:
            there = self._ask("the memory map of a process", lambda: (*mapped_places(tgid, record.address), "")) or ()
        return (f"/proc/{tgid}/exe", *there) if record.how == EXECUTED else there

    def _look(self, record: ImageLoadRecord, path: str, file: Expected, there: tuple[str, ...]) -> _Found:
        self._forget_if_changed(record.time)
        key = (path, file)
        known = self._known.get(key)
        if known is not None:
            return known

        if record.links and not self._read:  # a file system is not to be called late for them
            self._read = bool(self._ask(_DATABASE, self._packages.prepare))

        def look() -> _Found:
            return self._origin(record, path, file), elf_of(*there, expected=file)

        found = self._ask(file_system(file.device), look)
        if found is None:
            return Origin(skipped=_LATE), Elf()
        told = record.links and self._read and (found[1].build_id or not found[0].skipped)
        if told and 0 < file.change_time < self._clock() - SETTLED:
            if len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return found

    def _origin(self, record: ImageLoadRecord, path: str, file: Expected) -> Origin:
        if not record.links:
            return _NO_NAME
        return self._packages.origin(path, file, *machine_places(path)) if self._read else _UNREAD

    def _forget_if_changed(self, now: int) -> None:
        """A package that was installed or removed changes whose files are whose."""
        if now < self._ask_again:
            return
        self._ask_again = now + _ASK_EVERY
        signature = self._packages.signature()
        if signature != self._signature:
            self._signature = signature
            self._read = False
            self._known.clear()

    def _of_module(self, event: DriverLoad, record: ModuleRecord) -> Facts:
        there, file = places(record.tgid, known_path(record.path)), _expected(record)
        hashed = self._hashes.of(*there, expected=file)
        event.Hashes = hashed.text
        found, skipped = self._ask(file_system(file.device), lambda: _signature(there, file)) or (None, _LATE)
        if not skipped:
            event.Signed, event.SignatureStatus = judged(found, record.signature)
        facts = {"HashesSkipped": hashed.skipped, "SignatureSkipped": skipped}
        if found:
            event.Signature = found.signer
            facts |= {"SignatureKey": found.key, "SignatureHash": found.hash}
        return _told(facts)

    def _ask(self, about: str, question: Callable[[], _Answer]) -> _Answer | None:
        return self._errands.ask(about, question) if self._errands else question()


def _signature(there: tuple[str, ...], file: Expected) -> tuple[ModuleSignature | None, str]:
    """The signature of a module, or why it cannot be told."""
    try:
        return read_signature(end_of_module(*there, expected=file)), ""
    except RecordError as error:
        return None, str(error)


def judged(found: ModuleSignature | None, by_kernel: int) -> tuple[str, str]:
    """Signed and SignatureStatus of a module: is there a signature in its file, and did the kernel accept it?"""
    if found is None:
        return "false", "Unavailable"
    return "true", {SIGNATURE_ACCEPTED: "Valid", SIGNATURE_MISSED: "Untrusted"}.get(by_kernel, "Unknown")


def _expected(record: ImageLoadRecord | ModuleRecord) -> Expected:
    return Expected(record.device, record.inode, record.file_size, record.change_time)


def _told(facts: dict[str, str]) -> Facts:
    return {name: value for name, value in facts.items() if value and value != _NONE}
