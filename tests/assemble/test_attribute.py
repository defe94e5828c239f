"""FileCreateStreamHash out of attribute records."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pytest
from tests.assemble.stage import CHILD, SECOND, builder, ended, execute, guid, head, users

from pysmon.assemble.enrich import Enricher
from pysmon.host.hashes import Hashes
from pysmon.schema.catalogue import FileCreateStreamHash
from pysmon.sensor.records import AttributeRecord, components_of

URL = b"https://example.org/x"
BORN = 1_600_000_000 * SECOND


def attribute(value: bytes = URL, **values: int | bytes) -> AttributeRecord:
    known: dict[str, int | bytes] = {
        **head(CHILD, 10 * SECOND),
        "uid": 1000,
        "inode": 42,
        "path": components_of("/tmp/x.sh"),
        "attribute": ended("user.xdg.origin.url"),
        "value": value,
        "value_size": len(value),
    }
    return AttributeRecord.make(**(known | values))


@dataclass
class Births:
    """A file system that knows one file by its inode."""

    asked: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, path: str, inode: int) -> int | None:
        self.asked.append((path, inode))
        return BORN if path == "/tmp/x.sh" else None


def told(record: AttributeRecord, *algorithms: str, births: Births | None = None) -> FileCreateStreamHash:
    stage = builder()
    stage.take(execute(CHILD, "/usr/bin/wget"))
    (event,) = stage.take(record)
    assert isinstance(event, FileCreateStreamHash)
    enricher = Enricher(stage.processes, users(), Hashes(algorithms or ("SHA256",)), birth=births or Births())
    enricher.early(event, record)
    enricher.late(event, record)
    return event


def test_an_attribute_is_told_with_its_file_and_who_set_it() -> None:
    event = told(attribute())
    assert event.TargetFilename == "/tmp/x.sh:user.xdg.origin.url"
    assert (event.ProcessGuid, event.ProcessId, event.Image) == (guid(CHILD), CHILD[0], "/usr/bin/wget")
    assert (event.UtcTime, event.User) == ("2026-11-21 05:46:50.000", "joe")
    assert event.Contents == URL.decode()
    assert event.extra == {"StreamSize": len(URL)}


def test_the_hash_is_that_of_the_value() -> None:
    sha1, sha256 = hashlib.sha1(URL).hexdigest(), hashlib.sha256(URL).hexdigest()
    assert told(attribute(), "SHA256", "IMPHASH", "SHA1").Hash == f"SHA1={sha1},SHA256={sha256}"
    assert told(attribute(b"")).Hash == f"SHA256={hashlib.sha256().hexdigest()}"
    assert told(attribute(), "IMPHASH").Hash == "-"


def test_a_value_that_was_cut_has_neither_hash_nor_contents() -> None:
    event = told(attribute(value_size=5000))
    assert (event.Hash, event.Contents) == ("Unknown", "-")
    assert event.extra == {"StreamSize": 5000}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"[ZoneTransfer]\r\nZoneId=3\r\n", "[ZoneTransfer]  ZoneId=3  "),
        (b"ended by NUL\0", "ended by NUL"),
        ("größer".encode(), "größer"),
        (b"a\tb", "a b"),
        (b"", "-"),
        (b"\xff\xfe", "-"),
        (b"a\0b", "-"),
        (b"\x1b[2J", "-"),
        (b"x" * 1023, "x" * 1023),
        (b"x" * 1024, "-"),
    ],
)
def test_contents_are_told_if_they_are_a_short_text(value: bytes, text: str) -> None:
    assert told(attribute(value)).Contents == text


def test_the_file_is_as_old_as_its_file_system_says() -> None:
    births = Births()
    assert told(attribute(), births=births).CreationUtcTime == "2020-09-13 12:26:40.000"
    assert births.asked[0] == (f"/proc/{CHILD[0]}/root/tmp/x.sh", 42)
    event = told(attribute(path=b"", directory=components_of("/tmp"), name=ended("gone")))
    assert (event.TargetFilename, event.CreationUtcTime) == ("/tmp/gone:user.xdg.origin.url", event.UtcTime)


def test_what_the_rules_read_is_there_before_the_verdict() -> None:
    stage, record = builder(), attribute()
    (event,) = stage.take(record)
    assert isinstance(event, FileCreateStreamHash)
    read = frozenset({"Hash", "CreationUtcTime"})
    enricher = Enricher(
        stage.processes,
        users(),
        Hashes(("MD5",)),
        birth=Births(),
        reads=lambda i: read if i == FileCreateStreamHash.type.id else frozenset(),
    )
    enricher.early(event, record)
    assert event.Hash == f"MD5={hashlib.md5(URL, usedforsecurity=False).hexdigest()}"
    assert event.CreationUtcTime == "2020-09-13 12:26:40.000"


def test_nothing_is_built_unless_it_is_wanted() -> None:
    stage = builder()
    stage.want({11})
    assert stage.take(attribute()) == ()
