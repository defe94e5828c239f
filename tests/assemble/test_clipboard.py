"""ClipboardChange out of records, and what was in the clipboard."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.assemble.stage import CHILD, SECOND, builder, guid, leave, task, users

from pysmon.assemble.builder import Builder
from pysmon.assemble.clipboard import Clips
from pysmon.assemble.extras import facts_of
from pysmon.host.archive import Archive
from pysmon.host.guid import NO_GUID
from pysmon.host.hashes import Hashes
from pysmon.schema.catalogue import ClipboardChange
from pysmon.sensor.clipboard.change import CHANGED_AGAIN, READ, REFUSED, TOO_LARGE, TOO_MUCH, TOO_SLOW
from pysmon.sensor.records import ClipboardRecord

SHA256 = f"SHA256={hashlib.sha256(b'secret').hexdigest()}"


def changed(tgid: int = CHILD[0], **more: int | bytes) -> ClipboardRecord:
    facts: dict[str, int | bytes] = {
        "time": 10 * SECOND,
        "uid": 1000,
        "session": 3,
        "content_size": 6,
        "token": 1,
        "display": b":0",
        "session_name": b"3",
        "targets": b"UTF8_STRING\0TARGETS\0UTF8_STRING",
    }
    return ClipboardRecord.make(tgid=tgid, tid=tgid, **(facts | more))


def with_child() -> Builder:
    made = builder()
    made.take(task(CHILD, "/usr/bin/xclip", uid=1000))
    return made


def built(record: ClipboardRecord) -> ClipboardChange:
    (event,) = with_child().take(record)
    assert isinstance(event, ClipboardChange)
    return event


def test_a_change_is_told_with_its_process_and_session() -> None:
    now = "2026-11-21 05:46:50.000"
    told = ["-", now, guid(CHILD), "11", "/usr/bin/xclip", "3", "user: joe", "-", "-", "joe"]
    assert built(changed()).texts() == told


def test_without_a_process_nobody_is_named_and_a_stranger_is_unknown() -> None:
    nobody, stranger = built(changed(0)), built(changed(77))
    assert (nobody.ProcessGuid, nobody.ProcessId, nobody.Image) == (NO_GUID, 0, "-")
    assert (stranger.ProcessGuid, stranger.ProcessId, stranger.Image) == (NO_GUID, 77, "<unknown process>")


def test_a_process_that_ended_just_now_is_still_known() -> None:
    made = with_child()
    made.take(leave(CHILD))
    (event,) = made.take(changed())
    assert isinstance(event, ClipboardChange)
    assert event.Image == "/usr/bin/xclip"


@pytest.mark.parametrize(
    ("remote", "client"),
    [(b"10.0.0.7", "user: joe ip: 10.0.0.7"), (b"desk", "user: joe hostname: desk"), (b"", "user: joe")],
)
def test_the_client_of_a_session_over_the_network_is_told(remote: bytes, client: str) -> None:
    assert built(changed(remote=remote)).ClientInfo == client


def test_only_what_is_wanted_is_built() -> None:
    made = with_child()
    made.want({23})
    assert made.take(changed()) == ()


def test_what_no_field_holds_is_told_beside() -> None:
    known = builder().processes
    assert facts_of(changed(), known, users()) == {
        "Display": ":0",
        "SessionName": "3",
        "Format": "UTF8_STRING",
        "Formats": ["TARGETS", "UTF8_STRING"],
        "Size": 6,
    }
    odd = changed(outcome=REFUSED, session_name=b"", targets=b"\0", content_size=0)
    assert facts_of(odd, known, users()) == {"Display": ":0"}


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(b"secret")
    return path


def clips(content: Path | None, archive: Archive | None = None, *, early: bool = False) -> Clips:
    return Clips(lambda token: str(content) if content and token == 1 else "", Hashes(["SHA256"]), archive, early=early)


def test_hashes_are_made_early_only_if_the_rules_read_them(content: Path) -> None:
    event = built(changed())
    clips(content).early(event, changed())
    assert event.Hashes == "-"
    clips(content, early=True).early(event, changed())
    assert event.Hashes == SHA256


def test_what_is_kept_is_hashed_and_archived_as_sysmon_names_it(content: Path, tmp_path: Path) -> None:
    event = built(changed())
    clips(content, Archive(tmp_path / "archive", free=0)).late(event, changed())
    assert (event.Hashes, event.Archived) == (SHA256, "true")
    (copy,) = (tmp_path / "archive").iterdir()
    assert copy.name == f"CLIP-{SHA256.partition('=')[2]}"
    assert (copy.read_bytes(), copy.stat().st_mode & 0o777) == (b"secret", 0o600)


def test_without_an_archive_nothing_is_said_of_it(content: Path) -> None:
    event = built(changed())
    clips(content).late(event, changed())
    assert (event.Hashes, event.Archived, event.extra) == (SHA256, "-", None)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (READ, "its content is not at hand"),
        (TOO_LARGE, "it is larger than 8388608 bytes"),
        (TOO_SLOW, "its owner did not hand it over in time"),
        (CHANGED_AGAIN, "it changed again before it was read"),
        (REFUSED, "its owner refused to hand it over"),
        (TOO_MUCH, "too much was copied at once"),
    ],
)
def test_why_content_is_missing_is_told(tmp_path: Path, outcome: int, reason: str) -> None:
    record = changed(outcome=outcome, token=0)
    kept, bare = built(record), built(record)
    clips(None, Archive(tmp_path / "archive", free=0)).late(kept, record)
    clips(None).late(bare, record)
    assert (kept.Hashes, kept.Archived) == ("-", f"false - {reason}")
    assert (bare.Archived, bare.extra) == ("-", {"HashesSkipped": reason})
