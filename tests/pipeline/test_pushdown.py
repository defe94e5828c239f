"""What the kernel drops, the ruleset would have dropped: a law, through the real programs. And it drops a lot."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pipeline.doer import Doer
from tests.rules.build import AND, HERE, OR, configuration, element

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.config.model import Condition, Configuration, EventFilter, Filter, Onmatch, Rule
from pysmon.config.read import read_configuration
from pysmon.errors import SensorError
from pysmon.host.hashes import Hashes
from pysmon.host.machine import clock_offset, this_machine
from pysmon.host.users import Users
from pysmon.pipeline.flow import Flow
from pysmon.pipeline.live import Session
from pysmon.pipeline.policy import Policy
from pysmon.pipeline.snapshot import with_texts
from pysmon.schema.catalogue import FileCreate, NetworkConnect
from pysmon.schema.event import Event
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.records import MARK, decode
from pysmon.sensor.scope import Scope

pytestmark = pytest.mark.vm

SETTLE = 0.03  # s: programs that were running have ended by then
FAMILIES = ("network", "file create", "file delete")
IDS: dict[int, tuple[str, ...]] = {
    3: ("DestinationPort", "SourcePort", "Initiated", "Protocol", "SourceIp", "DestinationIp"),
    11: ("TargetFilename",),
    23: ("TargetFilename",),
}
IDS[26] = IDS[23]
NAMES = ("a/x.sh", "a/b/Y.SH", "B/z.tmp", "c", "B/.conf", "a/é.sh")


@pytest.fixture(scope="module")
def sensor() -> Iterator[Sensor]:
    """A sensor that marks what it would drop."""
    try:
        made = Sensor(FAMILIES)
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")
    made.pushdown.shadow = True
    with made:
        yield made


@pytest.fixture(scope="module")
def doer() -> Iterator[Doer]:
    with Doer() as made:
        yield made


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """A folder with a short name: parts of paths have a limit."""
    with tempfile.TemporaryDirectory(prefix="p", dir="/tmp") as folder:
        for inner in ("a/b", "B"):
            Path(folder, inner).mkdir(parents=True)
        yield folder


class Run:
    """The doer under the eyes of the sensor: what the kernel marks, the rules must drop."""

    def __init__(self, sensor: Sensor, doer: Doer) -> None:
        self.sensor, self.doer = sensor, doer
        self.marked = self.kept = 0
        users = Users()
        self._builder = Builder(this_machine(), users, clock_offset=clock_offset())
        self._enricher = Enricher(self._builder.processes, users, Hashes(("SHA256",)))
        none = Policy.of(configuration())
        self.flow = Flow(none.ruleset, self._builder, self._enricher, none.approvers)
        sensor.watch(Scope.of_tree(doer.pid))
        for task in with_texts(sensor.snapshot()):
            self.flow.learn(task)

    def use(self, policy: Policy) -> None:
        """As a session does it."""
        self.sensor.pushdown.suspend()
        self.flow.use(policy.ruleset, self._enricher, policy.approvers)
        self.sensor.pushdown.renew(policy.approvals)

    def do(self, deeds: Sequence[str]) -> None:
        """Let it be done, and judge all records of it."""
        self.doer.do(deeds)
        time.sleep(SETTLE)
        while data := self.sensor.read():
            for record in map(decode, data):
                kept = self.flow.take(record)
                self.kept += len(kept)
                if record.cpu & MARK:
                    self.marked += 1
                    assert not kept, (record, kept)
        for answer in self.flow.answers():
            self.sensor.pushdown.answer(*answer)


@st.composite
def policies(draw: st.DrawFn, folder: str, port: int) -> Policy:
    """Rules on what the doer does, in all mixtures."""
    paths = [f"{folder}/a/", f"{folder}/A", f"{folder}/B/z.tmp", ".sh", "SH", "/b/Y.SH", "c", "z.tmp", "/", "", folder]
    actors = [os.path.realpath(sys.executable), "/usr/bin/touch", "touch", "/bin/rm", "root", "-", "sh"]
    others = [str(port), "22", str(port)[:2], "true", "false", "tcp", f"22;{port}", "127.", "127.0.0.1"]

    def checks(names: tuple[str, ...]) -> st.SearchStrategy[Filter]:
        field = st.sampled_from([*names, "Image", "User"])
        value = st.sampled_from([*paths, *actors] if names == ("TargetFilename",) else [*others, *actors])
        return st.builds(Filter, field, st.sampled_from(list(Condition)), value, st.just(""), st.just(HERE))

    found: list[EventFilter] = []
    for event_id, names in IDS.items():
        one = checks(names)
        compound = st.builds(
            Rule,
            st.just(""),
            st.sampled_from([AND, OR]),
            st.lists(one, max_size=3).map(tuple),
            st.just(1),
            st.just(HERE),
        )
        for _ in range(draw(st.sampled_from([0, 1, 1, 2]))):
            entries = draw(st.lists(st.one_of(one, one, compound), max_size=3))
            onmatch: Onmatch = draw(st.sampled_from(["include", "exclude"]))
            found.append(element(onmatch, *entries, event_id=event_id, relation=draw(st.sampled_from([AND, OR, OR]))))
    return Policy.of(configuration(*found))


def deeds(folder: str) -> st.SearchStrategy[list[str]]:
    def of(name: str) -> list[str]:
        path = f"{folder}/{name}"
        return [f"create:{path}", f"delete:{path}", f"touch:{path}", f"rm:{path}"]

    return st.lists(st.one_of(st.just(["connect:"]), st.sampled_from(NAMES).map(of)), min_size=1, max_size=3).map(
        lambda lists: [deed for each in lists for deed in each]
    )


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_the_kernel_would_drop_the_rules_drop(sensor: Sensor, doer: Doer, base: str, data: st.DataObject) -> None:
    run = Run(sensor, doer)
    done = data.draw(deeds(base))
    for policy in data.draw(st.lists(policies(base, doer.port), min_size=1, max_size=2)):
        run.use(policy)
        run.do(done)
        run.do(done)  # by processes and programs that are known now
    sensor.watch(Scope("nobody"))
    sensor.read()


def test_each_way_to_drop_is_taken(sensor: Sensor, doer: Doer, base: str) -> None:
    """Otherwise the law above would say nothing."""
    files = [f"{what}:{base}/{name}" for name in NAMES for what in ("create", "delete")]
    by_path = element("include", filter_of("TargetFilename", "begin with", f"{base}/B/"), event_id=11)
    by_name = element("exclude", filter_of("TargetFilename", "end with", ".sh"), event_id=11)
    by_image = element("exclude", filter_of("Image", "is", os.path.realpath(sys.executable)), event_id=11)
    by_program = element("exclude", filter_of("Image", "is", "/usr/bin/touch"), event_id=11)
    own = os.path.realpath(sys.executable)
    ends = [filter_of(name, "begin with", "127.") for name in ("SourceIp", "DestinationIp")]
    within = Rule("", AND, (*ends, filter_of("Image", "is", own)), 1, HERE)
    by_ends = element("exclude", within, event_id=3)
    by_ends_alone = element("include", filter_of("DestinationIp", "is not", "127.0.0.1"), event_id=3)
    by_port = element("include", filter_of("DestinationPort", "is", "22"), event_id=3)
    touches = [f"{what}:{base}/c" for what in ("touch", "rm") * 3]
    cases = [
        (by_path, files, 4),
        (by_name, files, 3),
        (by_image, files, 6),
        (by_program, touches, 2),
        (by_port, ["connect:"], 2),
        (by_ends, ["connect:"], 2),
        (by_ends_alone, ["connect:"], 2),
    ]
    for rules, what, expected in cases:
        run = Run(sensor, doer)
        run.use(Policy.of(configuration(rules)))
        run.do(what[: len(what) // 3] if rules is by_program else what)
        first = run.marked
        run.do(what[len(what) // 3 :] if rules is by_program else what)
        assert run.marked - first == expected, rules
    sensor.watch(Scope("nobody"))


def filter_of(field: str, condition: str, value: str) -> Filter:
    return Filter(field, Condition(condition), value, "", HERE)


# ---- a whole run


def read(rules: str) -> Configuration:
    text = f'<Sysmon schemaversion="4.90"><EventFiltering>{rules}</EventFiltering></Sysmon>'
    reading = read_configuration(text.encode(), "pushdown.xml")
    assert reading.configuration, reading.problems
    return reading.configuration


RULES = (
    '<RuleGroup><FileCreate onmatch="include"><TargetFilename condition="end with">0.sh</TargetFilename></FileCreate>'
    "</RuleGroup>"
    '<RuleGroup><NetworkConnect onmatch="exclude"><Image condition="image">nobody</Image></NetworkConnect></RuleGroup>'
)
LOAD = 'cd "$1"; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do : >$i.sh; : >$i.txt; done'


def watched(session: Session) -> list[Event]:
    return [entry.event for batch in session.batches(threading.Event()) for entry in batch]


def test_a_run_keeps_the_same_and_its_books_are_exact(sensor: Sensor, tmp_path: Path) -> None:
    session = Session(read(RULES), command=["/bin/sh", "-c", LOAD, "load", str(tmp_path)])
    files = [e.TargetFilename for e in watched(session) if isinstance(e, FileCreate)]
    assert files == [str(tmp_path / "10.sh")]
    assert session.outcome
    count = session.outcome.families["file create"]
    assert (count.seen, count.kept, count.filtered, count.pushed_down, count.lost) == (24, 1, 0, 23, 0)
    assert all(count.exact for count in session.outcome.families.values())


def test_a_tape_has_what_other_rules_may_keep(sensor: Sensor, tmp_path: Path) -> None:
    tape = tmp_path / "run.tape"
    (tmp_path / "there").mkdir()
    session = Session(read(RULES), command=["/bin/sh", "-c", LOAD, "load", str(tmp_path / "there")], record_to=tape)
    watched(session)
    assert session.outcome
    assert session.outcome.families["file create"].pushed_down == 0
    assert tape.read_bytes().count(b".txt\0") == 12


def test_the_canary_is_seen_whatever_the_rules_let_drop(sensor: Sensor, tmp_path: Path) -> None:
    rules = (
        RULES + '<RuleGroup><FileDelete onmatch="include"><Image condition="is">nobody</Image></FileDelete></RuleGroup>'
    )
    session, stop = Session(read(rules), Scope.of_tree(1 << 22), canary=tmp_path), threading.Event()
    give_up = time.monotonic() + 30
    for _ in session.batches(stop):
        if session.sight or time.monotonic() > give_up:
            stop.set()
    assert session.sight
    assert (session.sight.ended, session.sight.blind) == (True, frozenset())


def test_a_reload_lets_up_what_the_new_rules_want_and_drops_what_they_do_not(sensor: Sensor, tmp_path: Path) -> None:
    def named(end: str) -> Policy:
        inner = f'<TargetFilename condition="end with">{end}</TargetFilename>'
        return Policy.of(read(f'<RuleGroup><FileCreate onmatch="include">{inner}</FileCreate></RuleGroup>'))

    wait = 'while [ ! -e "$1/on" ]; do sleep 0.02; done; '
    session = Session(named("7.txt"), command=["/bin/sh", "-c", f"{LOAD}; {wait}{LOAD}", "load", str(tmp_path)])
    files: list[str] = []
    changed: threading.Event | None = None
    for batch in session.batches(threading.Event()):
        files += [Path(e.event.TargetFilename).name for e in batch if isinstance(e.event, FileCreate)]
        if files and changed is None:
            for file in tmp_path.iterdir():
                file.unlink()
            changed = session.reconfigure(named("8.sh"))
        elif changed and changed.is_set():
            (tmp_path / "on").touch()
    assert files == ["7.txt", "8.sh"]
    assert session.outcome
    count = session.outcome.families["file create"]
    assert (count.kept, count.exact) == (2, True)
    assert count.pushed_down >= 40


def test_what_a_program_does_is_dropped_from_the_first_deed_on(sensor: Sensor, tmp_path: Path) -> None:
    """Its start asks, the answer is for all families, and what it makes and runs is known as well."""
    rules = "".join(
        f'<RuleGroup><{name} onmatch="exclude"><Image condition="begin with">/</Image></{name}></RuleGroup>'
        for name in ("FileCreate", "FileDelete", "FileDeleteDetected")
    )
    wait = 'while [ ! -e "$1/on" ]; do sleep 0.02; done; '
    load = 'for i in 1 2 3 4 5 6 7 8; do : >"$1/a/$i"; (: >"$1/b/$i"); done; rm "$1"/a/*'
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    session = Session(read(rules), command=["/bin/sh", "-c", wait + load, "load", str(tmp_path)])
    for _ in session.batches(threading.Event()):
        if session.books.families["process"].done >= 4:  # the shell has run, and some sleeps
            (tmp_path / "on").touch()
    assert session.outcome
    created, deleted = (session.outcome.families[f] for f in ("file create", "file delete"))
    assert (created.pushed_down, created.filtered) == (16, 0)
    assert deleted.pushed_down + deleted.filtered == 8
    assert all(count.exact for count in session.outcome.families.values())


def test_a_reload_answers_for_who_runs_already(sensor: Sensor, doer: Doer, base: str) -> None:
    run = Run(sensor, doer)
    run.do([f"create:{base}/c", f"delete:{base}/c"])
    run.use(Policy.of(configuration(element("exclude", filter_of("Image", "begin with", "/"), event_id=11))))
    for answer in run.flow.answers_to_all():
        sensor.pushdown.answer(*answer)
    run.do([f"create:{base}/c", f"delete:{base}/c"])
    assert run.marked == 1
    sensor.watch(Scope("nobody"))


def test_a_connection_that_waited_while_the_rules_changed_is_judged_by_those_of_its_answer(
    sensor: Sensor, doer: Doer
) -> None:
    run = Run(sensor, doer)

    def use(image: str) -> None:
        run.use(Policy.of(configuration(element("exclude", filter_of("Image", "begin with", image), event_id=3))))
        for answer in run.flow.answers_to_all():
            sensor.pushdown.answer(*answer)

    use("/")
    run.do(["connect:", "begin:"])
    assert (run.marked, run.kept) == (3, 0)
    use("/nowhere/else")
    run.do(["end:"])
    assert (run.marked, run.kept) == (3, 3)
    sensor.watch(Scope("nobody"))


def test_who_is_known_to_be_refused_is_told_by_its_program_not_by_its_number(sensor: Sensor, doer: Doer) -> None:
    """A process that runs another program is another actor, and what a user of another name does is another deed."""
    run = Run(sensor, doer)
    image = element("exclude", filter_of("Image", "is", "/nowhere/else"), event_id=3)
    run.use(Policy.of(configuration(image)))
    sensor.pushdown.answer(os.path.realpath(sys.executable), os.getuid(), ["network"], (doer.pid, 1, 1))
    run.do(["connect:"])
    assert (run.marked, run.kept) == (0, 2)
    sensor.watch(Scope("nobody"))


def test_connections_are_events_again_when_nothing_is_pushed_down(sensor: Sensor) -> None:
    code = "import socket as s; l=s.create_server(('127.0.0.1',0)); s.create_connection(l.getsockname()); l.accept()"
    session = Session(read(RULES), command=[sys.executable, "-I", "-S", "-c", code])
    assert len([e for e in watched(session) if isinstance(e, NetworkConnect)]) == 2
