"""What is known of files that were loaded: added when it is due, remembered while nothing changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest
from tests.assemble.stage import MACHINE, SECOND, Key, builder, ended, head, users
from tests.host.signed import CONTENT, message, module, named, signer
from tests.host.test_elf import BUILD, library
from tests.host.test_packages import PACKAGE, Listed

from pysmon.assemble.enrich import Enricher
from pysmon.assemble.processes import Processes
from pysmon.assemble.provenance import FIELDS, Provenance
from pysmon.host.errands import Errands
from pysmon.host.hashes import Hashes
from pysmon.host.package import Owner
from pysmon.host.packages import Packages
from pysmon.schema.catalogue import DriverLoad, ImageLoad
from pysmon.schema.event import Event
from pysmon.sensor.load_records import (
    EXECUTED,
    MAPPED,
    SIGNATURE_ACCEPTED,
    SIGNATURE_MISSED,
    SIGNATURE_UNKNOWN,
    ImageLoadRecord,
    ModuleRecord,
)
from pysmon.sensor.records import components_of

T = TypeVar("T")
NOBODY: Key = (4_000_000, SECOND, 1)  # above any process id that Linux gives
LATER = 1 << 62


def file_of(path: Path) -> dict[str, int | bytes]:
    found = path.stat()
    return {
        "inode": found.st_ino,
        "device": os.major(found.st_dev) << 20 | os.minor(found.st_dev),
        "file_size": found.st_size,
        "change_time": found.st_ctime_ns,
        "path": components_of(str(path)),
    }


def load(path: Path, *, key: Key = NOBODY, time: int = SECOND, **more: int | bytes) -> ImageLoadRecord:
    return ImageLoadRecord.make(**head(key, time), **({"links": 1, "how": MAPPED} | file_of(path) | more))


def taken(record: ImageLoadRecord | ModuleRecord) -> Event:
    (event,) = builder().take(record)
    return event


def provenance(*databases: Listed) -> Provenance:
    return Provenance(Hashes(["MD5"]), Packages(databases), clock=lambda: LATER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "liba.so"
    made.write_bytes(library())
    return made


def owner(path: Path) -> dict[str, Owner]:
    return {str(path): Owner(PACKAGE, "MD5", hashlib.md5(path.read_bytes()).hexdigest())}


def test_a_library_is_told_with_its_package_its_hashes_and_its_build(path: Path) -> None:
    record = load(path)
    event = taken(record)
    assert isinstance(event, ImageLoad)
    assert provenance(Listed(owner(path))).add(event, record) == {"BuildId": BUILD.hex()}
    assert event.Hashes == f"MD5={hashlib.md5(path.read_bytes()).hexdigest()}"
    assert (event.Signed, event.Signature, event.SignatureStatus) == ("true", "liba 1.2", "Valid")
    told = (event.FileVersion, event.Description, event.Product, event.Company, event.OriginalFileName)
    assert told == ("1.2", "a library", "liba", "People", "liba.so")


def test_a_changed_library_is_told_without_the_facts_of_its_package(path: Path) -> None:
    listed = Listed(owner(path))
    path.write_bytes(library() + b"changed")
    record = load(path)
    event = taken(record)
    provenance(listed).add(event, record)
    assert (event.text("Signed"), event.text("SignatureStatus")) == ("false", "Changed")
    assert (event.text("FileVersion"), event.text("Product")) == ("-", "-")


def test_a_file_that_is_gone_is_told_with_the_reason(path: Path) -> None:
    record = load(path)
    event = taken(record)
    path.unlink()
    facts = provenance(Listed({})).add(event, record)
    assert facts["HashesSkipped"] == "the file is no longer there"
    assert "SignatureSkipped" in facts
    assert {event.text(name) for name in FIELDS} == {"-"}


def test_a_file_without_a_name_belongs_to_no_package(path: Path) -> None:
    record = load(path, links=0)
    event = taken(record)
    provenance(Listed(owner(path))).add(event, record)
    assert (event.text("Signed"), event.text("SignatureStatus")) == ("false", "Unavailable")


def test_a_program_is_had_from_its_process_even_without_a_name() -> None:
    exe = Path("/proc/self/exe").resolve()
    record = load(exe, key=(os.getpid(), SECOND, 1), links=0, how=EXECUTED)
    event = taken(record)
    provenance().add(event, record)
    assert event.text("Hashes") == f"MD5={hashlib.md5(exe.read_bytes()).hexdigest()}"


def test_a_file_is_looked_up_once_until_a_database_changes(path: Path) -> None:
    listed = Listed(owner(path))
    adds = provenance(listed)

    def status(time: int) -> str:
        record = load(path, time=time)
        event = taken(record)
        adds.add(event, record)
        return event.text("SignatureStatus")

    assert status(1 * SECOND) == "Valid"
    listed.owners = {}
    assert status(3 * SECOND) == "Valid"
    listed.mark = 2
    assert status(5 * SECOND) == "Unavailable"


def test_a_file_that_changed_just_now_is_looked_up_again(path: Path) -> None:
    listed = Listed(owner(path))
    adds = Provenance(Hashes(["MD5"]), Packages([listed]), clock=lambda: path.stat().st_ctime_ns)
    record = load(path)
    adds.add(taken(record), record)
    listed.owners = {}
    event = taken(record)
    adds.add(event, record)
    assert event.text("SignatureStatus") == "Unavailable"


class Slow(Errands):
    """Errands on a machine that reads its package database for a long time."""

    reading = True

    def ask(self, about: str, question: Callable[[], T], *, patience: float | None = None) -> T | None:
        return None if self.reading and about == "the package database" else question()


def test_a_package_database_that_is_read_for_long_costs_no_hash_and_is_asked_once_it_is_read(path: Path) -> None:
    errands = Slow()
    adds = Provenance(Hashes(["MD5"], errands=errands), Packages([Listed(owner(path))]), errands, clock=lambda: LATER)
    for reading, status, skipped in (
        (True, "-", "the package database does not answer in time"),
        (False, "Valid", None),
    ):
        errands.reading = reading
        record = load(path)
        event = taken(record)
        facts = adds.add(event, record)
        assert event.text("Hashes") == f"MD5={hashlib.md5(path.read_bytes()).hexdigest()}"
        assert (facts["BuildId"], facts.get("SignatureSkipped")) == (BUILD.hex(), skipped)
        assert event.text("SignatureStatus") == status


KERNEL = {SIGNATURE_ACCEPTED: "Valid", SIGNATURE_MISSED: "Untrusted", SIGNATURE_UNKNOWN: "Unknown"}


@pytest.mark.parametrize(("by_kernel", "status"), KERNEL.items())
def test_a_signed_module_is_told_with_who_signed_and_what_the_kernel_made_of_it(
    tmp_path: Path, by_kernel: int, status: str
) -> None:
    path = tmp_path / "a.ko"
    path.write_bytes(module(message(signer(named(common="Some key")))))
    record = ModuleRecord.make(**head(NOBODY, SECOND), **file_of(path), name=ended("a"), signature=by_kernel)
    event = taken(record)
    assert isinstance(event, DriverLoad)
    assert provenance().add(event, record) == {"SignatureKey": "1BA0", "SignatureHash": "sha256"}
    assert event.Hashes == f"MD5={hashlib.md5(path.read_bytes()).hexdigest()}"
    assert (event.Signed, event.Signature, event.SignatureStatus) == ("true", "Some key", status)


def test_a_module_without_a_signature_is_told_as_unsigned(tmp_path: Path) -> None:
    path = tmp_path / "a.ko"
    path.write_bytes(CONTENT)
    record = ModuleRecord.make(**head(NOBODY, SECOND), **file_of(path), signature=SIGNATURE_UNKNOWN)
    event = taken(record)
    assert provenance().add(event, record) == {}
    assert [event.text(f) for f in ("Signed", "Signature", "SignatureStatus")] == ["false", "-", "Unavailable"]


def test_a_module_whose_file_is_gone_is_told_by_what_the_kernel_made_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.ko"
    path.write_bytes(CONTENT)
    record = ModuleRecord.make(**head(NOBODY, SECOND), **file_of(path), signature=SIGNATURE_ACCEPTED)
    path.unlink()
    event = taken(record)
    facts = provenance().add(event, record)
    assert facts["SignatureSkipped"] == "the file is no longer there"
    assert [event.text(f) for f in ("Signed", "Signature", "SignatureStatus")] == ["true", "-", "Valid"]


def test_a_module_from_memory_has_no_file_to_look_at() -> None:
    record = ModuleRecord.make(**head(NOBODY, SECOND), name=ended("a"), signature=SIGNATURE_MISSED)
    event = taken(record)
    before = event.texts()
    assert provenance().add(event, record) == {}
    assert event.texts() == before


@pytest.mark.parametrize("field", sorted(FIELDS))
@pytest.mark.parametrize("early", [True, False])
def test_files_are_looked_at_before_the_verdict_only_if_a_rule_reads_what_they_tell(
    path: Path, field: str, early: bool
) -> None:
    reads: Mapping[int, set[str]] = {7: {field}} if early else {6: {field}, 7: {"Image"}}
    adds = Enricher(
        Processes(MACHINE),
        users(),
        Hashes(["MD5"]),
        reads=lambda number: frozenset(reads.get(number, ())),
        provenance=provenance(Listed(owner(path))),
    )
    record = load(path)
    event = taken(record)
    adds.early(event, record)
    assert (event.text(field) != "-") == early
    adds.late(event, record)
    assert event.text(field) != "-"
    assert event.extra
    assert event.extra["BuildId"] == BUILD.hex()
    assert event.extra["How"] == "mmap"
