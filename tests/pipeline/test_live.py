"""Live runs: a command and all that it starts, from the kernel to entries, with its books closed at the end."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from tests.sensor.compiled import LITTLE, compiled
from tests.sensor.provoke import EVERYTHING, apart, one

from pysmon.assemble.provenance import FIELDS
from pysmon.config.model import Configuration
from pysmon.config.read import read_configuration
from pysmon.errors import MisuseError, SensorError
from pysmon.pipeline.accounting import EVENT_FAMILIES
from pysmon.pipeline.live import Session
from pysmon.pipeline.outcome import Outcome
from pysmon.pipeline.policy import Policy
from pysmon.pipeline.replay import Playback
from pysmon.release import VERSION
from pysmon.rules.ruleset import Ruleset
from pysmon.rules.verdict import Verdict
from pysmon.schema.catalogue import (
    ConfigurationChange,
    ErrorReport,
    FileCreate,
    FileDelete,
    ImageLoad,
    NetworkConnect,
    ProcessCreate,
    ProcessTerminate,
    ServiceStateChange,
)
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.schema.versions import newest
from pysmon.sensor.kernel import PROCESS_RING_SIZE
from pysmon.sensor.rights import check_rights
from pysmon.sensor.scope import Scope

pytestmark = pytest.mark.vm

PYTHON = [sys.executable, "-I", "-S", "-c"]
SHELL = os.path.realpath("/bin/sh")
E = TypeVar("E", bound=Event)
OWN = (ConfigurationChange, ServiceStateChange, ErrorReport)
SCENE = """
import os, socket, sys, time
os.chdir(sys.argv[1])
os.rename("older", "renamed")
open("new", "w").close()
os.unlink("new")
with socket.socket() as server, socket.socket() as client:
    server.bind(("127.0.0.1", 0))
    server.listen()
    client.connect(server.getsockname())
    server.accept()[0].close()
    print(server.getsockname()[1])
if os.fork() == 0:
    os.execv("/bin/true", ["true", sys.argv[2]])
os.wait()
time.sleep(0.3)  # alive, so that the birth of its file can be asked for
sys.exit(3)
"""


@pytest.fixture(scope="module", autouse=True)
def kernel() -> None:
    """The right to use the sensor; whether it loads is for the tests to say."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")


@dataclass
class Told:
    """What a session gave."""

    entries: list[Entry[Event]]
    outcome: Outcome

    def of(self, kind: type[E]) -> list[E]:
        """The events of one type, in their order."""
        return [e.event for e in self.entries if isinstance(e.event, kind)]


def told(session: Session, stop: threading.Event | None = None) -> Told:
    entries = [entry for batch in session.batches(stop or threading.Event()) for entry in batch]
    assert session.outcome
    assert all(count.exact for count in session.outcome.families.values())
    return Told(entries, session.outcome)


def configured(text: str) -> Configuration:
    reading = read_configuration(text.encode(), "test.xml")
    assert reading.configuration, reading.problems
    return reading.configuration


def utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%d %H:%M:%S}.{ns // 10**6 % 1000:03d}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scene")


@pytest.fixture(scope="module")
def scene(folder: Path) -> Told:
    """A scene of everything, recorded."""
    (folder / "older").touch()
    time.sleep(0.05)
    command = [*PYTHON, SCENE, str(folder), "odd\nname"]
    return told(Session(configured(EVERYTHING), command=command, record_to=folder / "scene.tape"))


def test_a_run_says_when_it_begins_by_which_configuration_and_when_it_ends(scene: Told) -> None:
    first, second, last = (scene.entries[i].event for i in (0, 1, -1))
    assert isinstance(first, ConfigurationChange)
    assert isinstance(second, ServiceStateChange)
    assert isinstance(last, ServiceStateChange)
    assert first.Configuration == "test.xml"
    assert first.ConfigurationFileHash.lower() == f"sha256={hashlib.sha256(EVERYTHING.encode()).hexdigest()}"
    assert (second.State, second.Version, last.State) == ("Started", VERSION, "Stopped")
    assert second.SchemaVersion == str(newest("linux").version)
    assert first.UtcTime <= second.UtcTime <= last.UtcTime


def test_the_command_is_seen_from_its_first_to_its_last_moment(scene: Told, folder: Path) -> None:
    first, child = scene.of(ProcessCreate)
    assert (first.Image, first.ParentProcessId) == (os.path.realpath(sys.executable), os.getpid())
    assert first.CommandLine == " ".join([*PYTHON, SCENE, str(folder), "odd\nname"])
    assert (child.CommandLine, child.ParentProcessGuid) == ("true odd\nname", first.ProcessGuid)
    assert child.CurrentDirectory == str(folder)
    assert child.Hashes.lower() == f"sha256={hashlib.sha256(Path('/bin/true').read_bytes()).hexdigest()}"
    assert [e.ProcessGuid for e in scene.of(ProcessTerminate)] == [child.ProcessGuid, first.ProcessGuid]
    assert scene.outcome.exit_status == 3
    assert scene.of(ProcessTerminate)[-1].extra == {"ExitCode": 3}


def test_what_the_command_does_is_told_as_its_own(scene: Told, folder: Path) -> None:
    first = scene.of(ProcessCreate)[0]
    made = scene.of(FileCreate)
    assert [e.TargetFilename for e in made] == [str(folder / n) for n in ("renamed", "new")]
    assert [e.TargetFilename for e in scene.of(FileDelete)] == [str(folder / "new")]
    assert [e.Initiated for e in scene.of(NetworkConnect)] == [True, False]
    acted: list[Event] = [*made, *scene.of(FileDelete), *scene.of(NetworkConnect)]
    assert {(e.text("ProcessGuid"), e.text("Image")) for e in acted} == {(first.ProcessGuid, first.Image)}


def test_a_renamed_file_keeps_its_time_of_birth(scene: Told, folder: Path) -> None:
    born = subprocess.run(["stat", "-c", "%w", folder / "renamed"], capture_output=True, text=True, check=True).stdout
    if born.strip() == "-":
        pytest.skip(f"the file system of {folder} does not know when a file was made")
    renamed, new = scene.of(FileCreate)
    seconds, _, zone = born.strip().rpartition(" ")
    instant = datetime.strptime(f"{seconds[:26]} {zone}", "%Y-%m-%d %H:%M:%S.%f %z").astimezone(UTC)
    assert renamed.CreationUtcTime == f"{instant:%Y-%m-%d %H:%M:%S.%f}"[:23]
    assert renamed.CreationUtcTime < renamed.UtcTime
    assert new.CreationUtcTime == new.UtcTime


def test_entries_are_numbered_in_order_and_say_who_writes_them(scene: Told) -> None:
    assert [e.record_id for e in scene.entries] == list(range(len(scene.entries)))
    assert {(e.origin.computer, e.origin.process_id, e.origin.user_id) for e in scene.entries} == {
        (os.uname().nodename, os.getpid(), os.geteuid())
    }


def test_the_time_of_an_entry_is_that_of_its_event(scene: Told) -> None:
    assert [utc(e.time) for e in scene.entries if not isinstance(e.event, OWN)] == [
        e.event.text("UtcTime") for e in scene.entries if not isinstance(e.event, OWN)
    ]
    assert all(abs(e.time - time.time_ns()) < 3600 * 10**9 for e in scene.entries)


def test_the_books_are_closed_with_what_came(scene: Told) -> None:
    outcome = scene.outcome
    assert outcome.kept == Counter(e.event.type.id for e in scene.entries if not isinstance(e.event, OWN))
    assert (outcome.filtered, outcome.lost) == ({}, 0)
    seen = {family: count.seen for family, count in outcome.families.items()}
    assert seen.pop("image load") == len(scene.of(ImageLoad)) > 6
    assert seen | {"image load": 0} == dict.fromkeys(EVENT_FAMILIES, 0) | {
        "process": 4,
        "network": 2,
        "file create": 2,
        "file delete": 1,
    }
    assert len({s.ability.name for s in outcome.services}) == len(outcome.services) > 5


def test_the_tape_of_a_run_gives_the_same_events_again(scene: Told, folder: Path) -> None:
    playback = Playback(configured(EVERYTHING), folder / "scene.tape")
    again = [entry for batch in playback.batches(threading.Event()) for entry in batch]
    live = [e for e in scene.entries if not isinstance(e.event, OWN)]
    assert [told_again(e) for e in again] == [told_again(e) for e in live]
    assert playback.outcome
    assert playback.outcome.families == scene.outcome.families


def told_again(entry: Entry[Event]) -> tuple[int, str, dict[str, str]]:
    """What a tape can tell of an entry: all but what was asked of the machine, of files and times of birth."""
    asked = {"CreationUtcTime"} if isinstance(entry.event, FileCreate) else FIELDS
    names = [f.name for f in entry.event.type.fields if f.name not in asked]
    return entry.time, entry.origin.computer, {n: entry.event.text(n) for n in names}


def test_a_configuration_decides_what_is_kept_and_which_records_are_made(folder: Path) -> None:
    rules = configured(
        '<Sysmon schemaversion="4.90"><EventFiltering><ProcessCreate onmatch="include">'
        '<CommandLine condition="contains">second</CommandLine></ProcessCreate>'
        '<ProcessTerminate onmatch="include"/><FileCreate onmatch="include">'
        '<TargetFilename condition="end with">.keep</TargetFilename></FileCreate></EventFiltering></Sysmon>'
    )
    script = f"cd {folder}; /bin/true first; /bin/true second; echo >a.keep; echo >b; rm a.keep b"
    seen = told(Session(rules, command=["/bin/sh", "-c", script]))
    assert [e.CommandLine for e in seen.of(ProcessCreate)][-1] == "/bin/true second"
    assert [e.TargetFilename for e in seen.of(FileCreate)] == [f"{folder}/a.keep"]
    counts = seen.outcome.families
    created = counts["file create"]
    assert (created.seen, created.kept, created.filtered, created.pushed_down) == (2, 1, 0, 1)
    assert counts["file delete"].seen == counts["network"].seen == 0
    assert 11 not in seen.outcome.filtered
    assert seen.outcome.kept == {1: len(seen.of(ProcessCreate)), 11: 1}


def test_without_a_configuration_processes_are_kept_by_default() -> None:
    seen = told(Session(None, command=["/bin/sh", "-c", "/bin/true; :"]))
    assert one(seen.of(ConfigurationChange)).Configuration == "Defaults"
    assert [os.path.basename(e.Image) for e in seen.of(ProcessTerminate)] == ["true", os.path.basename(SHELL)]
    assert len(seen.of(ProcessCreate)) == 2


def test_a_stop_ends_the_command_and_its_end_is_told() -> None:
    session, stop = Session(None, command=["/bin/sleep", "60"]), threading.Event()
    entries = []
    for batch in session.batches(stop):
        entries += batch
        if any(isinstance(e.event, ProcessCreate) for e in batch):
            stop.set()
    assert session.outcome
    assert session.outcome.exit_status == 128 + signal.SIGTERM
    end = one([e.event for e in entries if isinstance(e.event, ProcessTerminate)])
    assert end.extra == {"Signal": signal.SIGTERM}


def test_a_scope_is_watched_until_the_stop() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "read x; /bin/true seen; read x"], stdin=subprocess.PIPE) as shell:
        assert shell.stdin
        session, stop = Session(None, Scope.of_tree(shell.pid)), threading.Event()
        entries: list[Entry[Event]] = []
        for batch in session.batches(stop):
            if not entries:
                shell.stdin.write(b"go\n")
                shell.stdin.flush()
            entries += batch
            if any(isinstance(e.event, ProcessTerminate) for e in batch):
                stop.set()
        assert shell.poll() is None
        shell.communicate(b"end\n")
    created = one([e.event for e in entries if isinstance(e.event, ProcessCreate)])
    assert (created.CommandLine, created.ParentProcessId, created.ParentImage) == ("/bin/true seen", shell.pid, SHELL)
    assert session.outcome
    assert session.outcome.exit_status is None


def test_a_run_that_is_left_early_leaves_nothing_behind(tmp_path: Path) -> None:
    def act() -> tuple[int, int, list[str]]:
        before = len(os.listdir("/proc/self/fd"))
        for entries in (1, 3):
            session = Session(None, command=["/bin/sleep", "60"], record_to=tmp_path / "left.tape")
            batches = cast(Generator[list[Entry[Event]]], session.batches(threading.Event()))
            for _ in range(entries):
                next(batches)
            batches.close()
        return before, len(os.listdir("/proc/self/fd")), list(children())

    before, after, left = apart(act)
    assert after == before
    assert left == []


def children() -> Iterator[str]:
    """Our children that have not ended."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        if not found:
            return
        time.sleep(0.01)
    yield from found


def test_a_command_that_does_not_exist_leaves_nothing_behind(tmp_path: Path) -> None:
    def act() -> tuple[int, int, list[str]]:
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(MisuseError, match="no such command: '/absent'"):
            Session(None, command=["/absent"])
        with pytest.raises(FileNotFoundError):
            Session(None, command=["/bin/true"], record_to=tmp_path / "absent" / "a.tape")
        return before, len(os.listdir("/proc/self/fd")), list(children())

    before, after, left = apart(act)
    assert after == before
    assert left == []


def test_a_loss_is_told_counted_and_made_up_for(tmp_path: Path) -> None:
    """The rings are not read for a while; a shell that nobody saw begin is known once they are."""
    long, fifo, done = "y" * 30_000, tmp_path / "fifo", tmp_path / "done"
    os.mkfifo(fifo)
    later = f"read go <{fifo}; /bin/true later; :"
    program = compiled(tmp_path, LITTLE, "-static") or "/bin/true"
    script = (
        f"i=0; while [ $i -lt {PROCESS_RING_SIZE // len(long) + 20} ]; do {program} $1; i=$((i+1)); done;"
        '/bin/sh -c "$2" & echo >$3; wait'
    )
    session = Session(configured(EVERYTHING), command=["/bin/sh", "-c", script, "flood", long, later, str(done)])
    batches = session.batches(threading.Event())
    entries = next(batches)
    entries += next(batches)
    while not done.exists():
        time.sleep(0.01)
    for batch in batches:
        entries += batch
        if fifo.exists() and any(isinstance(e.event, ErrorReport) for e in batch):
            entries += next(batches)  # it makes up for the loss
            fifo.write_text("go\n")
            fifo.unlink()

    assert session.outcome
    counts = session.outcome.families["process"]
    assert counts.exact
    assert counts.lost > 0
    reports = [e.event for e in entries if isinstance(e.event, ErrorReport)]
    assert {e.ID for e in reports} - {"CAPABILITY", "HOST"} == {"QUEUE"}  # a machine may be slow to tell of its files
    prefix = "Events dropped from driver queue: "
    told = [e.Description.removeprefix(prefix) for e in reports if e.ID == "QUEUE"]
    parts = [part.split(":") for words in told for part in words.split(",")]
    assert sum(int(number) for family, number in parts if family == "process") == counts.lost
    last = one(
        [e.event for e in entries if isinstance(e.event, ProcessCreate) and e.event.CommandLine == "/bin/true later"]
    )
    assert (last.ParentImage, last.ParentCommandLine) == (SHELL, f"/bin/sh -c {later}")


def test_a_record_that_breaks_something_costs_the_service_only_itself() -> None:
    class Odd(Ruleset):
        """Breaks at some command lines, whether it is asked with an event or without."""

        def decide(self, event: Event) -> Verdict:
            if isinstance(event, ProcessCreate) and event.CommandLine.endswith("odd"):
                raise ZeroDivisionError("odd")
            return super().decide(event)

        def by_values(self, event_id: int) -> tuple[tuple[str, ...], Callable[[tuple[Any, ...]], Verdict]]:
            reads, judge = super().by_values(event_id)

            def judged(values: tuple[Any, ...]) -> Verdict:
                if values[0].endswith("odd"):
                    raise ZeroDivisionError("odd")
                return judge(values[1:])

            return (("CommandLine", *reads), judged) if event_id == ProcessCreate.type.id else (reads, judge)

    policy = Policy(None, Odd(Ruleset.compile(None).rules, "/"), frozenset())
    run = "for i in odd even odd; do /bin/true $i; done"

    def watched(*, guarded: bool) -> tuple[Session, list[Event]]:
        session = Session(policy, command=["/bin/sh", "-c", run], guarded=guarded)
        return session, [entry.event for batch in session.batches(threading.Event()) for entry in batch]

    session, events = watched(guarded=True)
    assert "/bin/true even" in [e.CommandLine for e in events if isinstance(e, ProcessCreate)]
    (report,) = [e for e in events if isinstance(e, ErrorReport)]
    assert report.ID == "DEFECT"
    assert "a record (process) was lost by a defect of pysmon: ZeroDivisionError: odd;" in report.Description
    assert session.outcome
    count = session.outcome.families["process"]
    assert (count.lost, count.exact) == (2, True)
    with pytest.raises(ZeroDivisionError):
        watched(guarded=False)


def test_a_patient_session_tells_all_and_in_time(folder: Path) -> None:
    rules = configured(
        '<Sysmon schemaversion="4.90"><EventFiltering><FileCreate onmatch="exclude"/></EventFiltering></Sysmon>'
    )
    script = f"read go; cd {folder}; for i in 1 2 3 4 5 6 7 8; do : >patient$i; sleep 0.1; done; exec sleep 20"
    files: list[str] = []
    with subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE) as child:
        assert child.stdin
        session, stop = Session(rules, Scope.of_tree(child.pid)), threading.Event()
        for batch in session.batches(stop):
            if not session.patient:
                session.patient = True
                child.stdin.write(b"\n")
                child.stdin.flush()
            files += [Path(e.event.TargetFilename).name for e in batch if isinstance(e.event, FileCreate)]
            if len(files) == 8 or child.poll() is not None:
                stop.set()
                child.kill()
    assert files == [f"patient{i}" for i in range(1, 9)]
    assert session.outcome
    assert session.outcome.lost == 0
