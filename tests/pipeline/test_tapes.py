"""Tapes of staged scenes through the whole pipeline: what configurations keep of them, and the fate of every record.

The tapes are those of tests/tapes; `make.py` there makes them anew.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tapes.make import LINES, lines_of
from tests.tapes.play import TAPES, Played, configured, everything, play, tape_of

from pysmon.config.read import read_default
from pysmon.errors import RecordError
from pysmon.pipeline.accounting import EVENT_FAMILIES
from pysmon.pipeline.replay import Playback
from pysmon.schema.catalogue import (
    CreateRemoteThread,
    DnsQuery,
    FileCreate,
    FileCreateStreamHash,
    FileDelete,
    NetworkConnect,
    PipeConnect,
    PipeCreate,
    ProcessAccess,
    ProcessCreate,
    ProcessTampering,
    ProcessTerminate,
    RegistryValueSet,
)
from pysmon.schema.event import Event
from pysmon.sensor.records import RENAMED, ExecRecord, FileCreateRecord, TaskRecord, components_of, decode
from pysmon.sensor.tape import Tape, TapeWriter

NAMES = ("intrusion", "odd", "places", "injection")
NO_PROCESSES = {"ProcessCreate": "include:", "ProcessTerminate": "include:"}  # they are kept by default
OWN_PATHS = ("/tmp/", "/usr/", "/memfd:", "-")
T = TypeVar("T")


def rules(options: str = "", **filters: str) -> str:
    """A configuration with these elements, by tag and their content: `exclude:` or `include:`, then the rules."""
    made = ((tag, *what.split(":", 1)) for tag, what in filters.items())
    parts = (f'<{tag} onmatch="{onmatch}">{inside}</{tag}>' for tag, onmatch, inside in made)
    return f'<Sysmon schemaversion="4.90">{options}<EventFiltering>{"".join(parts)}</EventFiltering></Sysmon>'


def check_books(played: Played) -> None:
    """Every record has its fate, and the events that were kept are those that came."""
    assert all(count.exact for count in played.outcome.families.values()), played.outcome
    assert played.outcome.kept == Counter(e.type.id for e in played.events)


def records_of(name: str) -> Counter[str]:
    """What was recorded, by family, as events may come of it."""
    found = (decode(raw) for raw in Tape(tape_of(name)).records)
    return Counter(r.layout.family for r in found if not isinstance(r, TaskRecord))


@pytest.mark.parametrize("name", [*NAMES, "names", "files", "machine", "modules"])
def test_a_tape_is_small_and_tells_of_no_real_machine(name: str) -> None:
    tape = Tape(tape_of(name))
    assert tape_of(name).stat().st_size < 100_000
    assert (tape.facts["computer"], tape.facts["machine_id"], tape.facts["boot_id"]) == ("host", 0x5EED5EED, 1)
    for event in play(name).events:
        places = (getattr(event, f, "-") for f in ("Image", "ParentImage", "TargetFilename", "CurrentDirectory"))
        assert all(p.startswith(OWN_PATHS) or p == "/tmp" for p in places), event


def test_a_tape_of_other_layouts_says_how_tapes_are_made_anew(tmp_path: Path) -> None:
    old = tmp_path / "old.tape"
    old.write_bytes(b"pysmon tape 1 00000000\n")
    with pytest.raises(AssertionError, match=r"not a tape of this version(.|\n)*run tests/tapes/make\.py as root"):
        play(old)


def test_the_shipped_configuration_names_what_the_intruder_does() -> None:
    played = play("intrusion", read_default().configuration)
    check_books(played)
    deeds = {(type(e).__name__, e.RuleName.partition(",")[0], last(e)) for e in played.events}  # type: ignore[attr-defined]
    assert deeds >= {
        ("ProcessCreate", "technique_id=T1105", "curl"),
        ("NetworkConnect", "technique_id=T1105", "curl"),
        ("FileCreate", "technique_id=T1105", ".update"),
        ("FileCreate", "technique_id=T1546.004", ".profile"),
        ("FileDeleteDetected", "technique_id=T1070.004", ".profile"),
        ("ProcessCreate", "-", "id"),
        ("ProcessTerminate", "-", "rm"),
    }


def test_the_download_is_told_from_the_first_process_to_the_last_trace() -> None:
    played = play("intrusion")
    download = one(e for e in played.of(ProcessCreate) if e.Image == "/usr/bin/curl")
    shell = one(e for e in played.of(ProcessCreate) if e.ProcessGuid == download.ParentProcessGuid)
    asked, answered = (e for e in played.of(NetworkConnect) if e.SourcePort == port_of(played, download))
    written = one(e for e in played.of(FileCreate) if e.ProcessGuid == download.ProcessGuid)
    program = one(e for e in played.of(ProcessCreate) if e.CommandLine == f"/bin/sh {written.TargetFilename}")
    assert shell.CommandLine.endswith("/intrusion.sh")
    assert (asked.ProcessGuid, asked.Initiated, answered.Initiated) == (download.ProcessGuid, True, False)
    assert answered.Image.startswith("/usr/bin/python3")
    assert program.ParentProcessGuid == shell.ProcessGuid
    assert [e.CommandLine for e in played.of(ProcessCreate) if e.ParentProcessGuid == program.ProcessGuid] == ["id -un"]
    moved = one(e for e in played.of(FileCreate) if last(e) == ".profile")
    assert played.of(FileDelete)[0].TargetFilename == moved.TargetFilename


@pytest.mark.parametrize("name", NAMES)
def test_where_all_is_kept_every_record_is_an_event_and_none_is_lost(name: str) -> None:
    played, recorded = play(name), records_of(name)
    check_books(played)
    assert played.outcome.filtered == {}
    kept = Counter({family: count.kept for family, count in played.outcome.families.items()})
    assert kept == recorded - Counter(fork=recorded["fork"])
    by_id = Counter(
        {1: len(created(name)), 3: recorded["network"], 11: recorded["file create"], 23: recorded["file delete"]}
    )
    by_id[5] = recorded["process"] - by_id[1]
    by_id[8], by_id[10] = recorded["injection"], recorded["process access"]
    by_id[25] = sum(not r.links for r in created(name)) + recorded["tampering"]
    by_id[13], by_id[15] = recorded["sysctl"], recorded["xattr"]
    by_id[17] = len(played.of(PipeCreate))
    by_id[18] = recorded["pipe"] - by_id[17]
    assert played.outcome.kept == +by_id


@pytest.mark.parametrize("name", NAMES)
def test_entries_are_numbered_and_in_the_order_of_their_times(name: str) -> None:
    entries = play(name).entries
    assert [e.record_id for e in entries] == list(range(len(entries)))
    assert [e.time for e in entries] == sorted(e.time for e in entries)
    assert {e.origin.computer for e in entries} == {"host"}


@pytest.mark.parametrize("name", NAMES)
def test_a_process_is_created_before_it_does_anything_and_after_its_parent(name: str) -> None:
    events = play(name).events
    first = events[0]
    assert isinstance(first, ProcessCreate)
    known, ended = {first.ParentProcessGuid}, set()
    for event in events:
        guid = actor(event)
        assert guid not in ended
        if isinstance(event, ProcessCreate):
            assert event.ParentProcessGuid in known or (event.extra and "CreatorProcessGuid" in event.extra)
            assert guid not in known
        elif isinstance(event, ProcessTerminate):
            ended.add(guid)
        known.add(guid)


def test_an_injection_is_told_with_what_it_wrote_and_where() -> None:
    played = play("injection")
    source = played.of(ProcessCreate)[0]
    access, written = played.of(ProcessAccess), played.of(CreateRemoteThread)
    target = written[0].TargetProcessGuid
    assert {actor(e) for e in (*access, *written)} == {source.ProcessGuid}
    assert {e.TargetProcessGUID for e in access} == {e.TargetProcessGuid for e in written} == {target}
    assert [(e.extra or {})["Injection"] for e in written] == [
        "process_vm_writev",
        "/proc/PID/mem",
        "ptrace, memory",
        "ptrace, registers",
    ]
    assert [last_part(e.StartModule) for e in written] == ["-", "libc.so.6", "libc.so.6", "libc.so.6"]
    assert len({e.StartAddress for e in written[1:]}) == 1
    assert all(last_part(e.CallTrace).startswith("libc.so.6+") for e in access)
    killed = one(e for e in played.of(ProcessTerminate) if e.ProcessGuid == target)
    assert (killed.extra or {})["Signal"] == 9
    tampered = one(played.of(ProcessTampering))
    assert (tampered.Type, last_part(str((tampered.extra or {})["Module"]))) == ("Code is made writable", "libc.so.6")


def actor(event: Event) -> str:
    """The guid of the process that does it; its name differs from event to event."""
    names = ("ProcessGuid", "SourceProcessGuid", "SourceProcessGUID")
    return next(str(getattr(event, name)) for name in names if hasattr(event, name))


def last_part(path: str) -> str:
    return path.rpartition("/")[2]


def test_places_are_told_by_what_was_done_there() -> None:
    played = play("places")
    settings = [(e.TargetObject, e.Details) for e in played.of(RegistryValueSet)]
    assert settings == [
        (r"SYSCTL\net\ipv4\ip_forward", "1"),
        (r"SYSCTL\net\ipv4\ip_default_ttl", "128"),
        (r"SYSCTL\kernel\hostname", "after"),
    ]
    streams = [(last(e).rpartition(":")[2], e.Contents) for e in played.of(FileCreateStreamHash)]
    assert streams == [
        ("user.xdg.origin.url", "https://example.org/tool.sh"),
        ("user.lines", "[ZoneTransfer]  ZoneId=3  "),
        ("user.bytes", "-"),
    ]
    names = {e.PipeName for e in played.of(PipeCreate)}
    assert {e.PipeName for e in played.of(PipeConnect)} == names
    assert {name.rpartition("/")[2] for name in names} == {"fifo", "socket", "@abstract"}


def test_names_are_told_with_their_answers() -> None:
    looked_up = [(e.QueryName, e.QueryStatus, e.QueryResults) for e in play("names").of(DnsQuery)]
    assert looked_up == [
        ("printer", "0", "::ffff:192.0.2.99;"),
        ("www.test.example", "0", "::ffff:192.0.2.7;"),
        ("alias.test.example", "0", "type:  5 www.test.example;::ffff:192.0.2.7;"),
        ("nothing.example", "9003", "-"),
        ("text.test.example", "0", "type:  16 a\\032b\\059c;"),
        ("www.test.example", "9501", "-"),
        ("silent.test.example", "1460", "-"),
    ]


def test_one_process_that_runs_three_programs_has_three_guids_and_one_parent() -> None:
    chain = [e for e in play("odd").of(ProcessCreate) if e.CommandLine.endswith(("'exec true again'", "true again"))]
    assert [e.Image for e in chain] == ["/usr/bin/dash", "/usr/bin/dash", "/usr/bin/true"]
    assert len({e.ProcessId for e in chain}) == 1
    assert len({e.ProcessGuid for e in chain}) == 3
    assert len({e.ParentProcessGuid for e in chain}) == 1


def test_the_program_that_made_an_orphan_is_told_beside_the_parent_that_took_it() -> None:
    played = play("odd")
    orphan = one(e for e in played.of(ProcessCreate) if e.CommandLine.endswith(" orphan"))
    assert orphan.extra
    assert orphan.extra["CreatorProcessId"] != orphan.ParentProcessId
    assert orphan.extra["CreatorProcessGuid"] in {e.ProcessGuid for e in played.of(ProcessTerminate)}
    assert str(orphan.extra["CreatorImage"]).startswith("/usr/bin/python3")


def test_the_names_of_users_are_those_of_the_tape(tmp_path: Path) -> None:
    users = Counter(e.User for e in play("odd").of(ProcessCreate))
    assert users["nobody"] == 1
    assert users.keys() == {"root", "nobody"}
    tape = Tape(tape_of("odd"))
    assert {e.User for e in play(written(tmp_path, tape.records)).of(ProcessCreate)} == {"0", "65534"}


def test_a_tape_without_facts_can_be_played(tmp_path: Path) -> None:
    played = play(written(tmp_path, Tape(tape_of("odd")).records))
    assert [type(e) for e in played.events] == [type(e) for e in play("odd").events]
    assert played.entries[0].origin.computer == "-"
    assert played.entries[0].time == created("odd")[0].time


def test_what_an_exclude_matches_is_dropped_and_counted_and_nothing_else() -> None:
    whole, tags = play("intrusion"), ("ProcessTerminate", "NetworkConnect", "FileCreate", "FileDelete")
    text = rules(ProcessCreate='exclude:<Image condition="end with">/id</Image>', **dict.fromkeys(tags, "exclude:"))
    played = play("intrusion", configured(text))
    check_books(played)
    dropped = [e for e in whole.of(ProcessCreate) if e.Image == "/usr/bin/id"]
    assert len(dropped) == 2
    assert played.events == [e for e in whole.events if e not in dropped]
    assert played.outcome.filtered == {1: 2}
    assert played.outcome.families["process"].filtered == 2


def test_only_what_an_include_matches_is_kept() -> None:
    text = rules(
        **NO_PROCESSES, FileCreate='include:<TargetFilename name="hidden" condition="contains">/.</TargetFilename>'
    )
    played = play("intrusion", configured(text))
    check_books(played)
    assert [(type(e), last(e), e.RuleName) for e in played.events] == [  # type: ignore[attr-defined]
        (FileCreate, ".update", "hidden"),
        (FileCreate, ".profile", "hidden"),
    ]
    assert played.outcome.families["process"].kept == 0


def test_the_process_table_is_kept_although_no_process_event_is() -> None:
    text = rules(FileDelete="exclude:", **NO_PROCESSES)
    assert [e.Image for e in play("intrusion", configured(text)).of(FileDelete)] == [
        e.Image for e in play("intrusion").of(FileDelete)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_where_nothing_is_kept_every_record_counts_as_filtered(name: str) -> None:
    played, recorded = play(name, configured(rules(**NO_PROCESSES))), records_of(name)
    check_books(played)
    assert played.events == []
    assert {f: c.filtered for f, c in played.outcome.families.items()} == {
        f: recorded[f] for f in played.outcome.families
    }


def test_field_sizes_cut_texts_and_say_so_but_rules_see_them_whole() -> None:
    include = 'include:<CommandLine condition="contains">/home/.update</CommandLine>'
    played = play("intrusion", configured(rules("<FieldSizes>CommandLine:12</FieldSizes>", ProcessCreate=include)))
    whole = play("intrusion", configured(rules(ProcessCreate=include))).of(ProcessCreate)
    assert len(whole) >= 4
    assert [e.CommandLine for e in played.of(ProcessCreate)] == [f"{e.CommandLine[:9]}..." for e in whole]
    assert all(e.extra and e.extra["FieldsTrimmed"] == ["CommandLine"] for e in played.of(ProcessCreate))


def test_records_that_cannot_be_read_are_lost_of_their_family_and_the_rest_is_as_before(tmp_path: Path) -> None:
    tape = Tape(tape_of("intrusion"))
    create = next(raw for raw in tape.records if isinstance(decode(raw), FileCreateRecord))
    garbage = [b"", b"\x63\0" + create[2:], create[:-1], create[:20], create[:1]]
    path = written(tmp_path, [piece for raw in tape.records for piece in (*garbage, raw)], tape.facts)
    played, count = play(path), len(tape.records)
    check_books(played)
    assert played.events == play("intrusion").events
    lost = {family: c.lost for family, c in played.outcome.families.items()}
    assert lost == dict.fromkeys(EVENT_FAMILIES, 0) | {"process": 2 * count, "file create": 3 * count}
    assert played.outcome.lost == 5 * count


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_tape_of_damaged_records_is_played_to_its_end_and_the_books_are_exact(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tape = Tape(tape_of(data.draw(st.sampled_from(NAMES))))
    records = [bytearray(raw) for raw in tape.records]
    for _ in range(data.draw(st.integers(1, 30))):
        record = data.draw(st.sampled_from(records))
        if record:
            record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
            del record[data.draw(st.one_of(st.just(len(record)), st.integers(0, len(record)))) :]
    path = written(tmp_path_factory.getbasetemp(), [bytes(r) for r in records], tape.facts)
    check_books(play(path))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"machine_id": "1"}, "machine_id is a number of 32 bits in a tape, not '1'"),
        ({"machine_id": 1 << 32}, "machine_id is a number of 32 bits"),
        ({"boot_id": -1}, "boot_id is a number of 128 bits in a tape, not -1"),
        ({"boot_id": 1 << 128}, "boot_id is a number of 128 bits"),
        ({"boot_time": 1.5}, "boot_time is a number of 64 bits"),
        ({"clock_offset": True}, "clock_offset is a number of 64 bits"),
        ({"clock_offset": None}, "clock_offset is a number of 64 bits"),
        ({"computer": 5}, "computer is a text in a tape, not 5"),
        ({"users": ["root"]}, "users is an object of texts in a tape, not ['root']"),
        ({"users": {"0": 0}}, "users is an object of texts"),
        ({"closes_told": 1}, "closes_told is true or false in a tape, not 1"),
    ],
)
def test_facts_of_the_wrong_kind_are_refused_by_their_name(
    tmp_path: Path, facts: dict[str, Any], expected: str
) -> None:
    path = written(tmp_path, [], facts)
    with pytest.raises(RecordError) as refused:
        Playback(everything(), path)
    assert str(refused.value).startswith(f"{path}: the fact {expected}")


def test_a_playback_asks_nothing_of_the_machine_that_it_runs_on(tmp_path: Path) -> None:
    """The file that the record names is here, too: its hash and its birth must not get into the events."""
    program = components_of(os.path.realpath("/bin/true"))
    own = {"tgid": os.getpid(), "time": 5}
    ran = ExecRecord.make(**own, image=program, links=1, image_size=os.stat("/bin/true").st_size)
    renamed = FileCreateRecord.make(**own, path=program, inode=os.stat("/bin/true").st_ino, how=RENAMED)
    played = play(written(tmp_path, [ran.encode(), renamed.encode()]))
    assert one(played.of(ProcessCreate)).Hashes == "-"
    moved = one(played.of(FileCreate))
    assert moved.CreationUtcTime == moved.UtcTime == "1970-01-01 00:00:00.000"


def test_a_playback_that_is_stopped_closes_its_books_where_it_is(tmp_path: Path) -> None:
    tape, stop = Tape(tape_of("intrusion")), threading.Event()
    path = written(tmp_path, tape.records * (2500 // len(tape.records)), tape.facts)
    playback = Playback(everything(), path)
    assert playback.outcome is None
    batches = playback.batches(stop)
    entries = next(batches)
    stop.set()
    assert list(batches) == []
    assert playback.outcome
    assert sum(playback.outcome.kept.values()) == len(entries)
    assert all(count.exact for count in playback.outcome.families.values())
    assert 0 < len(entries) < 1000


@pytest.mark.parametrize("file", LINES)
def test_a_tape_reads_line_by_line_as_it_did_before(file: str) -> None:
    """If the change is wanted: `python tests/tapes/make.py lines`, and look at the difference."""
    before, now = (TAPES / file).read_bytes().splitlines(), lines_of(file).splitlines()
    changed = [(b, n) for b, n in zip(before, now, strict=False) if b != n]
    assert changed[:1] == []
    assert len(before) == len(now)


def written(folder: Path, records: Sequence[bytes], facts: Mapping[str, Any] | None = None) -> Path:
    with TapeWriter(folder / "made.tape") as writer:
        writer.facts(**(facts or {}))
        for raw in records:
            writer.record(raw)
    return folder / "made.tape"


def created(name: str) -> list[ExecRecord]:
    return [r for r in map(decode, Tape(tape_of(name)).records) if isinstance(r, ExecRecord)]


def last(event: Event) -> str:
    """The last part of the path that matters most in an event."""
    path: str = getattr(event, "TargetFilename", None) or event.Image  # type: ignore[attr-defined]
    return path.rpartition("/")[2]


def port_of(played: Played, process: ProcessCreate) -> int | None:
    return one(e.SourcePort for e in played.of(NetworkConnect) if e.ProcessGuid == process.ProcessGuid)


def one(found: Iterable[T]) -> T:
    (only,) = found
    return only
