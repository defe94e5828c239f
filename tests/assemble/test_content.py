"""What is in files that were written or removed, added to their events."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysmon.assemble.content import Contents
from pysmon.config.model import Options
from pysmon.host.archive import Archive
from pysmon.host.hashes import Hashes
from pysmon.schema.catalogue import (
    FileBlockShredding,
    FileDelete,
    FileDeleteDetected,
    FileExecutableDetected,
    WmiFilter,
)
from pysmon.sensor.filewatch.held import HeldFiles, kernel_device
from pysmon.sensor.records import FileDeleteRecord, FileOverwriteRecord, FileWrittenRecord

NOW = "2026-11-21 05:46:50.000"
GUID = "{00000000-0000-0000-0000-000000000000}"
CONTENT = b"#!/bin/sh\n"
SHA256 = f"SHA256={hashlib.sha256(CONTENT).hexdigest()}"


class Scene:
    """A file that is held, and who answers for it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.held = folder / "f.sh", HeldFiles()
        self.path.write_bytes(CONTENT)
        self.archive = Archive(folder / "archive", free=0)
        self.caught_up = 0
        self.late: list[Path] = []

    def hold(self) -> None:
        file = os.open(self.path, os.O_RDONLY)
        self.found = os.fstat(file)
        self.held.hold(file, self.found, str(self.path), 0)

    def catch_up(self) -> None:
        self.caught_up += 1
        while self.late:
            self.late.pop()
            self.hold()

    def contents(self, *read: str, options: Options | None = None, archive: bool = True) -> Contents:
        return Contents(
            self.held,
            Hashes(("SHA256",)),
            catch_up=self.catch_up,
            reads=lambda _: frozenset(read),
            options=options,
            archive=self.archive if archive else None,
        )

    def removal(self) -> tuple[FileDelete, FileDeleteDetected, FileDeleteRecord]:
        archived = FileDelete(UtcTime=NOW, ProcessGuid=GUID, ProcessId=1)
        detected = FileDeleteDetected(UtcTime=NOW, ProcessGuid=GUID, ProcessId=1)
        for event in (archived, detected):
            event.Image, event.User, event.TargetFilename = "/bin/rm", "joe", str(self.path)
        return archived, detected, FileDeleteRecord.make()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.held.close()


def test_a_removed_file_is_hashed_and_kept(scene: Scene) -> None:
    scene.hold()
    scene.path.unlink()
    archived, detected, record = scene.removal()
    contents = scene.contents()
    for event in (archived, detected):
        contents.early(event, record)
        assert event.Hashes == "-"
        contents.late(event, record)
        assert (event.Hashes, event.IsExecutable) == (SHA256, True)
    assert archived.Archived == "true"
    (kept,) = scene.archive.folder.iterdir()
    assert (kept.name, kept.read_bytes()) == (f"{SHA256[7:]}.sh", CONTENT)
    assert scene.caught_up == 0


@pytest.mark.parametrize("read", ["Hashes", "IsExecutable"])
def test_what_rules_ask_for_is_there_before_they_judge(scene: Scene, read: str) -> None:
    scene.hold()
    archived, _, record = scene.removal()
    scene.contents(read).early(archived, record)
    assert (archived.Hashes, archived.IsExecutable, archived.Archived) == (SHA256, True, "-")


def test_a_file_that_was_closed_just_now_is_waited_for(scene: Scene) -> None:
    scene.late.append(scene.path)
    archived, _, record = scene.removal()
    scene.contents().late(archived, record)
    assert archived.Hashes == SHA256
    assert scene.caught_up == 1


def test_what_was_not_seen_is_told_so(scene: Scene) -> None:
    archived, detected, record = scene.removal()
    contents = scene.contents()
    contents.late(archived, record)
    contents.late(detected, record)
    assert (archived.Hashes, archived.IsExecutable) == ("-", None)
    assert archived.Archived == "false - it was not seen to be written or run"
    assert (detected.Hashes, detected.IsExecutable) == ("-", None)


def test_a_file_that_has_another_name_is_not_gone(scene: Scene) -> None:
    scene.hold()
    archived, _, record = scene.removal()
    scene.contents().late(archived, record)
    assert archived.Archived == "false - it has other names still"
    assert list(scene.archive.folder.iterdir()) == []


def test_without_an_archive_there_is_nothing_to_say(scene: Scene) -> None:
    scene.hold()
    archived, _, record = scene.removal()
    scene.contents(archive=False).late(archived, record)
    assert (archived.Hashes, archived.Archived) == (SHA256, "-")


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (Options(copy_on_delete_pe=True), True),
        (Options(copy_on_delete_extensions=("exe", "SH")), True),
        (Options(copy_on_delete_extensions=("exe",)), False),
        (Options(copy_on_delete_processes=("rm",)), True),
        (Options(copy_on_delete_processes=("/bin/rm",)), True),
        (Options(copy_on_delete_processes=("shred",)), False),
        (Options(copy_on_delete_sids=("joe",)), True),
        (Options(copy_on_delete_sids=("ann",)), False),
    ],
)
def test_copies_are_made_of_what_the_options_name(scene: Scene, options: Options, kept: bool) -> None:
    scene.hold()
    scene.path.unlink()
    archived, _, record = scene.removal()
    scene.contents(options=options).late(archived, record)
    assert (archived.Archived == "true") == kept
    assert archived.Hashes == SHA256


def test_what_was_written_or_is_overwritten_is_hashed(scene: Scene) -> None:
    scene.hold()
    where = {"device": kernel_device(scene.found.st_dev), "inode": scene.found.st_ino}
    detected = FileExecutableDetected(UtcTime=NOW, ProcessGuid=GUID, ProcessId=1)
    blocked = FileBlockShredding(UtcTime=NOW, ProcessGuid=GUID, ProcessId=1, IsExecutable=False)
    scene.contents().late(detected, FileWrittenRecord.make(**where))
    scene.contents().late(blocked, FileOverwriteRecord.make(**where))
    assert detected.Hashes == blocked.Hashes == SHA256
    assert blocked.IsExecutable is False


def test_events_about_persistence_say_nothing_of_content(scene: Scene) -> None:
    scene.hold()
    where = {"device": kernel_device(scene.found.st_dev), "inode": scene.found.st_ino}
    event = WmiFilter(UtcTime=NOW)
    for record in (FileWrittenRecord.make(**where), FileDeleteRecord.make(**where)):
        scene.contents("Hashes").early(event, record)
        scene.contents().late(event, record)
    assert event.extra is None


def test_why_a_hash_is_missing_stands_in_the_json_line(scene: Scene) -> None:
    scene.hold()
    os.truncate(scene.path, 40 << 20)
    archived, _, record = scene.removal()
    scene.contents().late(archived, record)
    assert archived.Hashes == "-"
    assert archived.extra == {"HashesSkipped": "larger than 33554432 bytes"}
