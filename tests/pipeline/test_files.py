"""A run that watches what files hold, from fanotify to entries: detect, block, refuse, archive."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sensor.filewatch.conftest import disk as disk
from tests.sensor.provoke import whole

from pysmon.config.read import read_configuration
from pysmon.host.archive import Archive
from pysmon.host.guid import NO_GUID
from pysmon.pipeline.accounting import FamilyCount
from pysmon.pipeline.files import Files, asked_for, files_for
from pysmon.pipeline.live import Session
from pysmon.pipeline.outcome import Outcome
from pysmon.pipeline.policy import Policy
from pysmon.pipeline.replay import Playback
from pysmon.schema.catalogue import (
    ErrorReport,
    FileBlockExecutable,
    FileBlockShredding,
    FileDelete,
    FileDeleteDetected,
    FileExecutableDetected,
)
from pysmon.schema.event import Event
from pysmon.sensor.filewatch.wire import ALL, KEEP_FROM_OVERWRITING, KEEP_FROM_RUNNING, NAMED, PROGRAMS
from pysmon.sensor.scope import Scope

pytestmark = pytest.mark.vm

RULES = """<Sysmon schemaversion="4.90"><HashAlgorithms>SHA256</HashAlgorithms><EventFiltering>
<FileExecutableDetected onmatch="exclude"/><FileDelete onmatch="exclude"/><FileDeleteDetected onmatch="exclude"/>
<FileBlockExecutable onmatch="include"><TargetFilename name="bad" condition="end with">/bad</TargetFilename>
</FileBlockExecutable>
<FileBlockShredding onmatch="include"><Image name="shredder" condition="image">shred</Image></FileBlockShredding>
<ProcessCreate onmatch="include"/><ProcessTerminate onmatch="include"/></EventFiltering></Sysmon>"""
TRUE = f"SHA256={hashlib.sha256(Path('/bin/true').read_bytes()).hexdigest()}"


def policy(rules: str = RULES) -> Policy:
    reading = read_configuration(rules.encode(), "files.xml")
    assert reading.configuration, reading.problems
    return Policy.of(reading.configuration)


def watched(script: str, disk: Path, **options: Path) -> tuple[list[Event], Outcome]:
    """What a run tells of a shell script, done on our disk."""
    session = Session(
        policy(),
        command=["/bin/sh", "-c", f"cd {disk}; {script}"],
        mounts=[disk],
        archive=Archive(options["archive"], free=0) if "archive" in options else None,
        record_to=options.get("tape"),
    )
    events = [entry.event for batch in session.batches(threading.Event()) for entry in batch]
    assert session.outcome
    assert all(count.exact and not count.lost for count in session.outcome.families.values())
    assert [e for e in events if isinstance(e, ErrorReport)] == []
    return [e for e in events if e.type.id in (23, 26, 27, 28, 29)], session.outcome


def test_a_program_that_is_written_is_told_and_runs(disk: Path) -> None:
    (event,), outcome = watched("cp /bin/true good; echo text > text; ./good", disk)
    assert isinstance(event, FileExecutableDetected)
    assert (event.TargetFilename, event.Image) == (f"{disk}/good", os.path.realpath("/bin/cp"))
    assert (event.Hashes, event.User, event.RuleName) == (TRUE, "root", "-")
    assert outcome.exit_status == 0


def test_a_program_that_the_rules_block_never_runs_and_is_gone(disk: Path) -> None:
    (blocked, detected), outcome = watched("cp /bin/true bad; exec ./bad 2> /dev/null", disk)
    assert isinstance(blocked, FileBlockExecutable)
    assert isinstance(detected, FileExecutableDetected)
    assert (blocked.TargetFilename, blocked.Hashes, blocked.RuleName) == (f"{disk}/bad", TRUE, "bad")
    assert outcome.exit_status == 126
    assert not (disk / "bad").exists()


def test_a_shredder_is_refused_and_others_are_not(disk: Path) -> None:
    (disk / "f").write_text("precious")
    script = "shred f 2> /dev/null; dd if=/dev/zero of=g bs=1 count=1 conv=notrunc 2> /dev/null"
    (disk / "g").write_text("old")
    (event,), _ = watched(script, disk)
    assert isinstance(event, FileBlockShredding)
    assert (event.TargetFilename, event.Image, event.RuleName) == (f"{disk}/f", "/usr/bin/shred", "shredder")
    assert event.Hashes == f"SHA256={hashlib.sha256(b'precious').hexdigest()}"
    assert event.IsExecutable is False
    assert (disk / "f").read_text() == "precious"
    assert (disk / "g").read_text() == "\0ld"


def test_the_books_hold_when_a_file_is_all_that_happened(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, stop = Session(policy(), Scope("nobody"), mounts=[disk]), threading.Event()
    session.patient, session.rest.longest = True, 0.05
    monkeypatch.setattr(session.rest, "is_time_to_look", lambda _now, **_: True)
    counts: list[FamilyCount] = []
    for _ in session.batches(stop):
        if not (disk / "f").exists() and session.rest.may_lie_down:  # nothing else happens any more
            subprocess.run(["/bin/sh", "-c", f"echo x > {disk}/f"], check=True)
        counts += [count for name, count in session.books.families.items() if name == "file content" and count.seen]
        if len(counts) > 5:
            stop.set()
    assert not counts[0].exact  # it came, and waits
    assert counts[5].exact


def test_each_field_is_told_of_what_is_detected_blocked_and_refused(disk: Path) -> None:
    (disk / "f").write_text("precious")
    (blocked, detected, refused), _ = watched("cp /bin/true bad; shred f 2> /dev/null", disk)
    actor = {"User": "root", "Image": os.path.realpath("/bin/cp"), "TargetFilename": f"{disk}/bad", "Hashes": TRUE}
    who = {name: whole(detected)[name] for name in ("UtcTime", "ProcessGuid", "ProcessId")}
    assert whole(blocked) == {"RuleName": "bad", **who, **actor}
    assert whole(detected) == {"RuleName": "-", **who, **actor}
    assert int(who["ProcessId"]) > 1
    assert who["ProcessGuid"] != NO_GUID
    assert whole(refused) | dict.fromkeys(who) == {
        **dict.fromkeys(who),
        "RuleName": "shredder",
        "User": "root",
        "Image": "/usr/bin/shred",
        "TargetFilename": f"{disk}/f",
        "Hashes": f"SHA256={hashlib.sha256(b'precious').hexdigest()}",
        "IsExecutable": "false",
    }
    assert whole(refused)["ProcessGuid"] not in (NO_GUID, who["ProcessGuid"])
    assert who["UtcTime"] <= whole(refused)["UtcTime"]


def test_what_is_no_new_program_is_neither_detected_nor_blocked(disk: Path) -> None:
    (disk / "old").write_bytes(Path("/bin/true").read_bytes())
    (disk / "f").write_text("precious")
    script = (
        "echo text > bad; cat bad > /dev/null; chmod +x bad; mv bad worse; : > empty; cat old > /dev/null; mv old bad;"
        "ln bad other; cat f > /dev/null; echo more >> f; : > f; shred --version > /dev/null"
    )
    assert watched(script, disk)[0] == []


def test_a_removed_file_lies_in_the_archive(disk: Path, tmp_path: Path) -> None:
    (archived, detected), _ = watched("echo secret > f.txt; rm f.txt", disk, archive=tmp_path / "archive")
    digest = hashlib.sha256(b"secret\n").hexdigest()
    assert isinstance(archived, FileDelete)
    assert isinstance(detected, FileDeleteDetected)
    assert (archived.TargetFilename, archived.Archived) == (f"{disk}/f.txt", "true")
    for event in (archived, detected):
        assert (event.Hashes, event.IsExecutable) == (f"SHA256={digest}", False)
    assert (tmp_path / "archive" / f"{digest}.txt").read_bytes() == b"secret\n"


def test_a_hundred_files_of_a_short_life_are_all_archived(disk: Path, tmp_path: Path) -> None:
    script = "for i in $(seq 100); do echo $i > f$i; done; rm f*"
    events, _ = watched(script, disk, archive=tmp_path / "archive")
    removed = [event for event in events if isinstance(event, FileDelete)]
    assert [event.Archived for event in removed] == ["true"] * 100
    assert {path.read_text() for path in (tmp_path / "archive").iterdir()} == {f"{i}\n" for i in range(1, 101)}


def test_what_others_do_on_the_same_disk_is_not_told(disk: Path) -> None:
    writing = subprocess.Popen(["/bin/sh", "-c", f"while cp /bin/true {disk}/other; do :; done"])
    try:
        events, outcome = watched("sleep 0.5; cp /bin/true mine", disk)
    finally:
        writing.kill()
        writing.wait()
    assert [e.TargetFilename for e in events if isinstance(e, FileExecutableDetected)] == [f"{disk}/mine"]
    assert outcome.families["file content"].filtered > 0


def test_a_tape_tells_it_again(disk: Path, tmp_path: Path) -> None:
    before, _ = watched("cp /bin/true good; cp /bin/true bad", disk, tape=tmp_path / "tape")
    playback = Playback(policy().configuration, tmp_path / "tape")
    again = [entry.event for batch in playback.batches(threading.Event()) for entry in batch]
    told = [e for e in again if e.type.id in (27, 29)]
    assert [(type(e), e.texts()[1:7]) for e in told] == [(type(e), e.texts()[1:7]) for e in before]


@pytest.mark.parametrize(
    ("rules", "asked"),
    [
        ('<FileDelete onmatch="exclude"/>', ALL),
        ('<FileDeleteDetected onmatch="exclude"/>', 0),
        ('<FileDeleteDetected onmatch="include"><IsExecutable>true</IsExecutable></FileDeleteDetected>', ALL),
        ('<FileExecutableDetected onmatch="exclude"/>', PROGRAMS),
        ('<FileBlockExecutable onmatch="exclude"/>', PROGRAMS | KEEP_FROM_RUNNING),
        ('<FileBlockShredding onmatch="exclude"/>', KEEP_FROM_OVERWRITING),
        ('<WmiEvent onmatch="exclude"/>', NAMED),
        ('<FileCreate onmatch="exclude"/>', 0),
    ],
)
def test_only_what_rules_need_is_asked_for(rules: str, asked: int) -> None:
    text = f'<Sysmon schemaversion="4.90"><EventFiltering>{rules}</EventFiltering></Sysmon>'
    assert asked_for(policy(text).ruleset) == asked


def test_a_part_of_the_machine_without_named_mounts_is_told_what_it_misses() -> None:
    files = Files(files_for(policy().ruleset, None, whole=False), whole=False)
    files.use(policy().ruleset)
    assert files.unwatched == "only a part of the machine is watched, and no file systems were named"
    assert files.refused == ""
    assert (files.fileno, files.due, files.counts()) == (-1, False, {})
    files.close()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Nothing of a run may be left: neither its process, nor a mark that holds up others."""
    yield
    children = ["ps", "-o", "comm=", "--ppid", str(os.getpid())]
    assert "pysmon files" not in subprocess.run(children, text=True, capture_output=True, check=True).stdout
