"""The resident service as a process: what it starts with, what it is told meanwhile, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.sensor.provoke import EVERYTHING
from tests.service.resident import PATIENCE, Doer, resident

from pysmon.errors import SensorError
from pysmon.pipeline.early import Early
from pysmon.pipeline.fanout import folder_name
from pysmon.pipeline.spill import Spill
from pysmon.schema.catalogue import ConfigurationChange, ServiceStateChange
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event
from pysmon.sensor.rights import check_rights
from pysmon.sensor.scope import Scope
from pysmon.service.daemon import Daemon
from pysmon.service.notify import Notifier
from pysmon.service.paths import Paths
from pysmon.service.settings import Output, Settings
from pysmon.service.stored import load, save
from pysmon.service.verdict import verdict
from pysmon.store.failure import StoreError
from pysmon.store.query import Query
from pysmon.store.store import Store

pytestmark = pytest.mark.vm


@pytest.fixture(scope="module", autouse=True)
def kernel() -> None:
    """The right to use the sensor."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")


@pytest.fixture
def doer() -> Iterator[Doer]:
    made = Doer()
    yield made
    made.end()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A system with settings that ask for an event log alone."""
    put_settings(tmp_path, "")
    return tmp_path


def put_settings(root: Path, more: str) -> None:
    path = Paths.under(root).settings
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[[output]]\ntype = "store"\n{more}')


def test_it_watches_from_start_to_stop_and_a_second_run_goes_on_with_the_numbers(root: Path, doer: Doer) -> None:
    for run in ("first", "second"):
        with resident(root, doer) as service:
            service.ready()
            doer.do(f"/bin/true {run}")
            seen = partial(service.saw, f"/bin/true {run}")
            service.until(seen, "the command is not in the log")
            assert service.end() == 0
            assert service.errors() == ""
    entries = service.log()
    assert [e.record_id for e in entries] == list(range(entries[0].record_id, entries[0].record_id + len(entries)))
    states = [e.event.State for e in entries if isinstance(e.event, ServiceStateChange)]
    assert states == ["Started", "Stopped"] * 2
    assert [e.event.Configuration for e in entries if isinstance(e.event, ConfigurationChange)] == ["Defaults"] * 2
    assert service.commands() == ["/bin/true first", "/bin/true second"]
    assert service.told("STORE") == []
    assert not service.paths.control.exists()


def test_the_types_that_programs_name_are_kept_for_the_next_start_which_is_no_change_to_tell(
    root: Path, doer: Doer
) -> None:
    made = []
    for _ in range(2):
        with resident(root, doer) as service:
            service.ready()
            service.until(service.paths.types.exists, "no types are kept")
            made.append(service.paths.types.stat().st_mtime_ns)
            time.sleep(2.5)  # the service looks at its files every second
            assert service.end() == 0
    assert made[0] == made[1]
    assert not [told for told in service.told("TAMPER") if service.paths.types.name in told]


def test_its_status_tells_what_it_does(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        doer.do("/bin/true x")
        service.until(lambda: service.asked.status().canary, "no canary came back")
        service.until(lambda: service.asked.status().families[0].kept > 1, "nothing is kept")
        status = service.asked.status()
    assert status.canary
    assert (status.canary.ended, status.canary.blind) == (True, ())
    assert status.pid == service.process.pid
    assert all(family.exact for family in status.families)
    assert status.configuration.name == "Defaults"
    assert status.log
    assert status.log.path == str(service.paths.store)
    assert sum(h.entries for h in status.log.classes) > 3
    assert [output.name for output in status.outputs] == [str(service.paths.store)]
    assert status.memory > 1 << 20
    assert not [hook for hook in status.hooks if hook.state == "blind"]


def test_a_configuration_that_it_is_given_holds_is_stored_and_holds_in_the_next_run(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        judgement = service.asked.reconfigure(EVERYTHING.encode(), "all of it.xml")
        assert judgement.sha256 == service.asked.configuration().sha256
        doer.do(f": >{root}/made")
        made = str(root / "made")
        service.until(lambda: any(e.event.type.id == 11 for e in service.log()), "no file event came")
        assert service.end() == 0
    stored = load(service.paths)
    assert stored
    assert (stored.data, stored.name, stored.sha256) == (EVERYTHING.encode(), "all of it.xml", judgement.sha256)
    files = [e.event.text("TargetFilename") for e in service.log() if e.event.type.id == 11]
    assert made in files
    with resident(root, doer) as service:
        service.ready()
        assert service.asked.status().configuration.name == "all of it.xml"
        service.asked.reset()
        assert service.asked.status().configuration.name == "Defaults"
        assert service.end() == 0
    assert load(service.paths) is None
    changes = [e.event.Configuration for e in service.log() if isinstance(e.event, ConfigurationChange)]
    assert changes == ["Defaults", "all of it.xml", "all of it.xml", "Defaults"]
    assert service.told("TAMPER")[0].startswith("signal SIGTERM (15) was sent to pysmon by ")
    assert not [t for t in service.told("TAMPER") if "config" in t]


def test_its_status_tells_what_the_configuration_asks_for_in_vain_as_long_as_it_does(root: Path, doer: Doer) -> None:
    rules = (
        '<Sysmon schemaversion="4.90"><EventFiltering><FileBlockShredding onmatch="exclude"/>'
        '<ProcessCreate onmatch="include"/><ProcessTerminate onmatch="include"/></EventFiltering></Sysmon>'
    )
    with resident(root, doer) as service:
        service.ready()
        service.asked.reconfigure(rules.encode(), "shredding.xml")
        service.until(lambda: service.asked.status().lacks, "nothing is told to be missing")
        status = service.asked.status()
        service.asked.reset()
        service.until(lambda: all(28 not in lack.events for lack in service.asked.status().lacks), "it is told still")
        assert service.end() == 0
    (lack,) = [lack for lack in status.lacks if 28 in lack.events]
    assert (lack.events, lack.abilities, lack.made) == ((28,), ("file watch",), False)
    assert lack.reason == "only a part of the machine is watched, and no file systems were named"
    assert ("warn", "file watch") in [(finding.level, finding.about) for finding in verdict(status)]
    (told,) = [words for words in service.told("CAPABILITY") if "28 (FileBlockShredding)" in words]
    assert lack.reason in told


def test_a_bad_configuration_is_refused_and_told_and_the_old_one_stays(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        judgement = service.asked.reconfigure(b"<Sysmon", "bad.xml")
        assert (judgement.sha256, judgement.problems[0].code) == ("", "C201")
        assert service.asked.status().configuration.name == "Defaults"
        service.until(lambda: service.told("CONFIG"), "the refusal is not told")
        assert service.end() == 0
    assert service.told("CONFIG") == [
        "the configuration bad.xml was refused, 3 errors; the first: bad.xml:1:1: the tag <Sysmon> is never closed"
    ]
    assert load(service.paths) is None


def test_its_status_remembers_what_was_done_to_it_and_when(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        before = time.time_ns()
        service.process.send_signal(signal.SIGCONT)
        service.until(lambda: service.asked.status().findings, "its status does not tell it")
        (finding,) = service.asked.status().findings
    assert (finding.level, finding.about) == ("warn", "tamper")
    assert finding.text.startswith("signal SIGCONT (18) was sent to pysmon by ")
    assert finding.when
    assert before - 10**9 < finding.when < time.time_ns()


def test_that_the_socket_of_followers_was_removed_is_told_and_that_it_is_made_anew_is_not(
    root: Path, doer: Doer
) -> None:
    put_settings(root, '[[output]]\ntype = "followers"\n')
    with resident(root, doer) as service:
        service.ready()
        events = service.paths.events
        events.unlink()
        service.until(lambda: service.told("TAMPER"), "it is not told")
        service.process.send_signal(signal.SIGHUP)
        service.until(events.exists, "it is not made anew")
        service.paths.settings.touch()
        service.until(lambda: any(str(service.paths.settings) in t for t in service.told("TAMPER")), "it looks no more")
        assert [t for t in service.told("TAMPER") if "events.sock" in t] == [f"{events}: was removed"]


def test_a_hangup_has_it_read_what_was_stored_meanwhile(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        save(service.paths, EVERYTHING.encode(), "laid there.xml", 0)
        service.process.send_signal(signal.SIGHUP)
        service.until(lambda: service.asked.status().configuration.name == "laid there.xml", "it was not read")
        service.process.send_signal(signal.SIGHUP)
        service.until(lambda: len(service.told("TAMPER")) > 1, "the change of the files is not told")
        assert service.asked.status().configuration.generation == 2
        assert service.end() == 0
    assert any(f"{service.paths.configuration}: appeared" in text for text in service.told("TAMPER"))


def test_what_was_stored_and_changed_by_somebody_is_not_used(root: Path, doer: Doer) -> None:
    paths = Paths.under(root)
    save(paths, EVERYTHING.encode(), "mine.xml", 0)
    paths.configuration.write_bytes(EVERYTHING.replace("exclude", "include").encode())
    with resident(root, doer) as service:
        service.ready()
        assert service.asked.status().configuration.name == "Defaults"
        service.until(lambda: service.told("CONFIG"), "the change is not told")
        assert service.end() == 0
    assert "is not what was stored there" in service.told("CONFIG")[0]


def test_a_run_that_was_killed_is_told_by_the_next_one(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        assert service.end(signal.SIGKILL) == -signal.SIGKILL
    with resident(root, doer) as service:
        service.ready()
        service.until(lambda: service.told("STORE"), "the gap is not told")
        assert service.end() == 0
    numbers = [e.record_id for e in service.log()]
    assert numbers == sorted(set(numbers))
    assert "was not closed in good order" in service.told("STORE")[0]


def test_an_output_that_is_away_holds_up_nobody_and_catches_up(root: Path, doer: Doer) -> None:
    folder = root / "later"
    put_settings(root, f'[[output]]\ntype = "file"\nformat = "json"\npath = "{folder}/events.json"\n')
    with resident(root, doer) as service:
        service.ready()
        doer.do("/bin/true meanwhile")
        service.until(lambda: "/bin/true meanwhile" in service.commands(), "the log waits for the file")
        service.until(lambda: service.told("OUTPUT"), "the trouble is not told")
        assert service.asked.status().outputs[1].trouble
        folder.mkdir()
        service.until((folder / "events.json").exists, "the file is not opened")
        assert service.end() == 0
    lines = (folder / "events.json").read_text().splitlines()
    assert len(lines) == len(service.log())
    assert sum("/bin/true meanwhile" in line for line in lines) == 1


def test_without_an_event_log_the_numbers_go_on_behind_what_waits(root: Path, doer: Doer) -> None:
    paths = Paths.under(root)
    paths.settings.write_text('[[output]]\ntype = "syslog"\nto = "tcp://127.0.0.1:9"\n')
    for _ in range(2):
        with resident(root, doer) as service:
            service.ready()
            assert service.end() == 0
    (folder,) = paths.spill.iterdir()
    spill = Spill(folder, 1 << 20)
    waiting: list[Entry[Event]] = []
    while found := spill.read(1000)[0]:  # of one file at a time
        waiting += found
        spill.delivered(len(found))
    spill.close()
    assert len([e for e in waiting if isinstance(e.event, ServiceStateChange)]) == 4
    assert [e.record_id for e in waiting] == list(range(1, len(waiting) + 1))


def test_a_log_that_cannot_be_opened_at_the_start_gets_no_number_twice(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        assert service.end() == 0
        before = [e.record_id for e in service.log()]
    paths = service.paths
    aside = paths.store.rename(paths.store.with_name("aside"))
    paths.store.mkdir()
    with resident(root, doer) as service:
        service.ready()
        paths.store.rmdir()
        aside.rename(paths.store)
        service.until(lambda: len(service.log()) > len(before), "the log is not opened")
        assert service.end() == 0
        numbers = [e.record_id for e in service.log()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_numbers_of_a_log_that_was_lost_are_not_given_again(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        assert service.end() == 0
        last = service.log()[-1].record_id
    service.paths.store.unlink()
    with resident(root, doer) as service:
        service.ready()
        assert service.end() == 0
        assert service.log()[0].record_id == last + 1


def test_what_is_lost_at_the_end_is_told_where_it_still_can_be(root: Path, doer: Doer) -> None:
    put_settings(root, '[[output]]\ntype = "syslog"\nto = "tcp://127.0.0.1:9"\n[queue]\nspill = 0\n')
    with resident(root, doer) as service:
        service.ready()
        assert service.end() == 0
        assert re.search(r"pysmon: \d+ entries for syslog tcp://127.0.0.1:9 lost", service.errors())


def test_without_a_place_for_what_waits_it_watches_all_the_same_and_says_so(root: Path, doer: Doer) -> None:
    paths = Paths.under(root)
    paths.spill.mkdir(parents=True)
    (paths.spill / folder_name(str(paths.store))).touch()
    with resident(root, doer) as service:
        service.ready()
        doer.do("/bin/true seen")
        service.until(lambda: service.saw("/bin/true seen"), "it sees nothing")
        service.until(lambda: service.told("SPILL"), "it says nothing")
        assert "what memory has no room for will be lost" in service.told("SPILL")[0]
        assert service.end() == 0


def test_files_and_folders_are_for_root_alone(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        service.asked.reconfigure(EVERYTHING.encode(), "x.xml")
        found = {
            path: stat.S_IMODE(path.lstat().st_mode)
            for top in (service.paths.state, service.paths.runtime)
            for path in (top, *top.rglob("*"))
        }
        assert service.end() == 0
    assert {path: oct(mode) for path, mode in found.items() if mode & 0o077} == {}


def test_it_gives_up_what_it_does_not_need_any_more(root: Path, doer: Doer) -> None:
    with resident(root, doer) as service:
        service.ready()
        state = Path(f"/proc/{service.process.pid}/status").read_text()
        assert service.end() == 0
    held = int(next(line.split()[1] for line in state.splitlines() if line.startswith("CapEff")), 16)
    assert held & ~(1 << 2 | 1 << 19 | 1 << 38 | 1 << 39 | 1 << 21) == 0, "more than files, /proc, maps and hooks"
    assert "NoNewPrivs:\t1" in state


@pytest.mark.parametrize("text", ['[[output]]\ntype = "sieve"', "[outputs]", "[[output]]\npath = 3", "= 1"])
def test_settings_that_are_no_good_end_it_with_their_place(root: Path, doer: Doer, text: str) -> None:
    Paths.under(root).settings.write_text(text)
    with resident(root, doer) as service:
        assert service.process.wait(60) == 2
    assert "pysmon.toml" in service.errors() or "sieve" in service.errors()
    assert "Traceback" not in service.errors()


def daemon_for(doer: Doer, paths: Paths, settings: Settings, **options: Any) -> Daemon:
    """One that watches what the doer does."""
    return Daemon(paths, settings, Early(Scope.of_tree(doer.pid)), keep_rights=True, **options)


def run_in_child(make: Callable[[], Daemon], enough: Callable[[], bool]) -> None:
    """Run a service in a process of its own, until all is loaded and it is enough, as is seen from here."""
    gate, open_gate = os.pipe()

    def end(daemon: Daemon, stop: threading.Event) -> None:
        os.read(gate, 1)
        while daemon.session.starting:
            time.sleep(0.05)
        stop.set()

    child = os.fork()
    if child == 0:
        status = 1
        try:
            daemon, stop = make(), threading.Event()
            threading.Thread(target=end, args=(daemon, stop), daemon=True).start()
            daemon.run(stop)
            status = 0
        finally:
            os._exit(status)
    give_up = time.monotonic() + PATIENCE
    try:
        while not enough() and time.monotonic() < give_up:
            time.sleep(0.1)
    finally:
        os.write(open_gate, b"\n")
        os.close(open_gate)
        os.close(gate)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0


def test_the_service_manager_is_told_that_it_is_ready_alive_and_about_to_end(root: Path, doer: Doer) -> None:
    paths = Paths.under(root)
    settings = Settings((Output("store", {"path": str(paths.store)}),))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(root / "notify"))
        manager.setblocking(False)
        notifier = Notifier({"NOTIFY_SOCKET": str(root / "notify"), "WATCHDOG_USEC": "9000000"})
        told: list[str] = []

        def is_alive() -> bool:
            with suppress(BlockingIOError):
                while True:
                    told.append(manager.recv(4096).decode())
            came = [words.startswith("READY=1") for words in told]
            return True in came and told[came.index(True) :].count("WATCHDOG=1") > 1

        run_in_child(partial(daemon_for, doer, paths, settings, notifier=notifier), is_alive)
        assert is_alive()
    (ready,) = [number for number, words in enumerate(told) if words.startswith("READY=1")]
    assert "STATUS=watching a process and what it starts; configuration Defaults" in told[ready]
    assert "STOPPING=1" not in "".join(told[:ready])
    assert "STOPPING=1" in told[-1]


def test_the_books_are_compared_and_told_once_in_a_while(root: Path, doer: Doer) -> None:
    paths = Paths.under(root)
    settings = Settings((Output("store", {"path": str(paths.store)}),))

    def states() -> list[str]:
        try:
            with Store(paths.store) as store:
                return [e.event.text("State") for e in store.select(Query(ids=frozenset({4})))]
        except StoreError:  # it is not there yet, or just being made
            return []

    run_in_child(partial(daemon_for, doer, paths, settings, reconcile_every=0.5), lambda: len(states()) > 3)
    assert len(states()) > 3
    running = states()[1:-1]
    assert all(re.match(r"Running; process: \d+ seen = \d+ kept \+ \d+ filtered \+ 0 lost", s) for s in running)
