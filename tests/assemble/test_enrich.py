"""Facts that are added after building: when, and only to what they belong to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.assemble.stage import SECOND, Key, builder, create, execute, flow, users
from tests.host.gate import Gate
from tests.host.test_symbols import program as elf
from tests.sensor.provoke import apart, mount, own_mounts

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher, hashes_of_image, reads_nothing
from pysmon.host.errands import Errands
from pysmon.host.hashes import Hashes
from pysmon.host.symbols import Symbols
from pysmon.schema.catalogue import CreateRemoteThread, FileCreate, ProcessCreate
from pysmon.sensor.memory_records import InjectionRecord
from pysmon.sensor.records import ExecRecord, FileCreateRecord, components_of

NOBODY: Key = (4_000_000, SECOND, 1)  # above any process id that Linux gives
BORN = 1_795_240_000_123_000_000


def program(folder: Path, content: bytes = b"program") -> Path:
    path = folder / "program"
    path.write_bytes(content)
    return path


def run(path: Path, inode: int = 0, change_time: int = 0) -> ExecRecord:
    found = path.stat()
    return execute(
        NOBODY,
        str(path),
        inode=inode or found.st_ino,
        device=os.major(found.st_dev) << 20 | os.minor(found.st_dev),
        image_size=found.st_size,
        image_change_time=change_time,
    )


def enricher(
    made: Builder,
    *algorithms: str,
    reads: Mapping[int, set[str]] | None = None,
    births: Mapping[str, int] | None = None,
    extras: bool = False,
    sizes: Mapping[str, int] | None = None,
) -> Enricher:
    return Enricher(
        made.processes,
        users(),
        Hashes(algorithms),
        field_sizes=sizes,
        reads=(lambda number: frozenset(reads.get(number, ()))) if reads else reads_nothing,
        extras=extras,
        birth=lambda path, inode: (births or {}).get(f"{path} {inode}"),
        symbols=Symbols(),
    )


def built(made: Builder, record: ExecRecord) -> ProcessCreate:
    event, *_ = made.take(record)
    assert isinstance(event, ProcessCreate)
    return event


def test_hashes_are_a_late_fact_when_no_rule_reads_them(tmp_path: Path) -> None:
    made, record = builder(), run(program(tmp_path))
    event, adds = built(made, record), enricher(made, "MD5")
    adds.early(event, record)
    assert event.Hashes == "-"
    adds.late(event, record)
    assert event.Hashes == f"MD5={hashlib.md5(b'program').hexdigest()}"


def test_hashes_are_an_early_fact_when_a_rule_reads_them(tmp_path: Path) -> None:
    made, path = builder(), program(tmp_path)
    record = run(path)
    event, adds = built(made, record), enricher(made, "MD5", reads={1: {"Hashes"}})
    adds.early(event, record)
    expected = f"MD5={hashlib.md5(b'program').hexdigest()}"
    assert event.Hashes == expected
    path.unlink()
    adds.late(event, record)
    assert event.Hashes == expected


def test_the_process_itself_shows_its_program_even_without_a_name() -> None:
    made, exe = builder(), Path("/proc/self/exe").resolve()
    found = exe.stat()
    record = execute((os.getpid(), SECOND, 1), "/gone", links=0, inode=found.st_ino, device=0, image_size=found.st_size)
    event = built(made, record)
    enricher(made, "SHA256").late(event, record)
    assert event.Hashes == f"SHA256={hashlib.sha256(exe.read_bytes()).hexdigest()}"


def test_a_replaced_program_has_no_hashes_and_json_says_why(tmp_path: Path) -> None:
    made, record = builder(), run(program(tmp_path), inode=1)
    event = built(made, record)
    enricher(made, "MD5", extras=True).late(event, record)
    assert event.Hashes == "-"
    assert event.extra is not None
    assert event.extra["HashesSkipped"] == "the file is no longer there"
    assert "PidNamespace" in event.extra


def test_a_program_that_was_hashed_before_needs_no_second_look(tmp_path: Path) -> None:
    made, path = builder(), program(tmp_path)
    record = run(path, change_time=path.stat().st_ctime_ns)
    adds = Enricher(made.processes, users(), Hashes(["MD5"], clock=lambda: 1 << 62))
    first, second = built(made, record), built(made, record)
    adds.late(first, record)
    path.unlink()
    adds.late(second, record)
    assert first.Hashes == second.Hashes != "-"


@pytest.mark.vm
def test_a_program_is_hashed_that_lies_where_this_process_sees_something_else(tmp_path: Path) -> None:
    path = program(tmp_path)
    if os.geteuid() != 0 or not os.path.exists(f"/proc/1/root{path}"):
        pytest.skip("only root can have mounts of its own, and look at the disk as process 1 sees it")
    record = run(path)  # by a process that has ended long ago

    def act() -> str:
        own_mounts()
        mount("tmpfs", str(tmp_path), "tmpfs")
        assert not path.exists()
        return hashes_of_image(record, Hashes(["MD5"])).text

    assert apart(act) == hashes_of_image(record, Hashes(["MD5"])).text != "-"


def birth_of(how: int, births: Mapping[str, int], *, inode: int = 0, early: bool = False) -> str:
    made = builder()
    record = create(NOBODY, "/home/joe/a", how=how, inode=inode)
    (event,) = made.take(record)
    assert isinstance(event, FileCreate)
    adds = enricher(made, births=births, reads={11: {"CreationUtcTime"}} if early else None)
    adds.early(event, record)
    if not early:
        assert event.CreationUtcTime == event.UtcTime
        adds.late(event, record)
    return event.CreationUtcTime.replace(event.UtcTime, "now")


def test_a_renamed_or_linked_file_is_as_old_as_it_is() -> None:
    seen = {"/proc/4000000/root/home/joe/a 0": BORN}
    assert [birth_of(how, seen) for how in (1, 2, 3)] == ["now", "2026-11-21 05:46:40.123", "2026-11-21 05:46:40.123"]
    assert birth_of(2, seen, early=True) == "2026-11-21 05:46:40.123"
    assert birth_of(2, {}) == "now"


def test_a_file_of_that_name_here_is_taken_only_if_its_inode_tells_that_it_is_the_one() -> None:
    assert birth_of(2, {"/home/joe/a 0": BORN}) == "now"
    assert birth_of(2, {"/proc/1/root/home/joe/a 0": BORN}) == "now"
    for seen in ("/home/joe/a 5", "/proc/1/root/home/joe/a 5"):
        assert birth_of(2, {seen: BORN}, inode=5) == "2026-11-21 05:46:40.123"


def test_a_file_system_that_does_not_answer_holds_up_no_event() -> None:
    gate, made = Gate(), builder()
    errands = Errands(patience=0.01)
    adds = Enricher(made.processes, users(), Hashes(()), birth=lambda *_: len(gate()), errands=errands)
    for _ in range(2):
        event, record = renamed(made)
        adds.late(event, record)
        assert event.CreationUtcTime == event.UtcTime
    gate.wait_for_one()
    assert gate.came == 1
    gate.open()


def test_an_errand_brings_the_birth_of_a_file() -> None:
    made = builder()
    event, record = renamed(made)
    errands = Errands(patience=60)
    Enricher(made.processes, users(), Hashes(()), birth=lambda *_: BORN, errands=errands).late(event, record)
    assert event.CreationUtcTime == "2026-11-21 05:46:40.123"


def renamed(made: Builder) -> tuple[FileCreate, FileCreateRecord]:
    record = create(NOBODY, "/home/joe/a", how=2)
    (event,) = made.take(record)
    assert isinstance(event, FileCreate)
    return event, record


def test_extra_facts_are_for_outputs_that_show_them() -> None:
    made = builder()
    record = create(NOBODY, "/a")
    told: list[object] = []
    for extras in (False, True):
        (event,) = made.take(record)
        enricher(made, extras=extras).late(event, record)
        told.append(event.extra)
    assert told == [None, {"How": "created"}]


def test_an_event_without_facts_has_no_extra() -> None:
    made, record = builder(), flow(NOBODY)
    (event,) = made.take(record)
    enricher(made, "MD5", extras=True).late(event, record)
    assert event.extra is None


def test_texts_are_cut_last_and_json_says_which() -> None:
    made = builder()
    record = create(NOBODY, "/home/joe/long")
    (event,) = made.take(record)
    adds = enricher(made, sizes={"TargetFilename": 8}, extras=True)
    adds.early(event, record)
    assert event.text("TargetFilename") == "/home/joe/long"
    adds.late(event, record)
    assert event.text("TargetFilename") == "/home..."
    assert event.extra == {"How": "created", "FieldsTrimmed": ["TargetFilename"]}


def test_a_connection_is_left_as_it_was_built() -> None:
    made, record = builder(), flow(NOBODY)
    (event,) = made.take(record)
    before = event.texts()
    adds = enricher(made, "SHA1", reads={1: {"Hashes"}, 11: {"CreationUtcTime"}})
    adds.early(event, record)
    adds.late(event, record)
    assert event.texts() == before


def injection(path: Path, **values: int | bytes) -> InjectionRecord:
    found = path.stat()
    known: dict[str, int | bytes] = {
        "target_tgid": NOBODY[0],
        "inode": found.st_ino,
        "device": os.major(found.st_dev) << 20 | os.minor(found.st_dev),
        "offset": 0x1000,
        "module": components_of(str(path)),
        "region": 1,
    }
    return InjectionRecord.make(**(known | values))


@pytest.mark.parametrize("early", [True, False])
def test_a_function_is_named_early_only_if_rules_read_it(tmp_path: Path, early: bool) -> None:
    path = program(tmp_path, elf(("start", 0x401000, 0x40, 2)))
    made = builder()
    record = injection(path)
    (event,) = made.take(record)
    assert isinstance(event, CreateRemoteThread)
    enrich = enricher(made, reads={8: {"StartFunction"}} if early else None)
    enrich.early(event, record)
    assert event.StartFunction == ("start" if early else "-")
    enrich.late(event, record)
    assert event.StartFunction == "start"


def test_a_function_that_is_not_found_says_why_and_memory_of_no_file_is_not_looked_up(tmp_path: Path) -> None:
    path = program(tmp_path)
    made = builder()
    for values, reason in (
        ({}, "not a program file"),
        ({"inode": 1}, "the file is no longer there"),
        ({"module": b""}, ""),
    ):
        record = injection(path, **values)
        (event,) = made.take(record)
        enricher(made, extras=True).late(event, record)
        assert (event.extra or {}).get("StartFunctionSkipped", "") == reason


def test_a_tape_of_another_machine_has_no_functions_of_this_one(tmp_path: Path) -> None:
    path = program(tmp_path, elf(("start", 0x401000, 0x40, 2)))
    made, record = builder(), injection(path)
    (event,) = made.take(record)
    assert isinstance(event, CreateRemoteThread)
    Enricher(made.processes, users(), Hashes(())).late(event, record)
    assert event.StartFunction == "-"
    assert "StartFunctionSkipped" not in (event.extra or {})
