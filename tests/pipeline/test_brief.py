"""Programs of whose begin the rules keep nothing: the kernel tells less of them, and never too little."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rules.build import AND, OR, configuration, element, filter_, rule
from tests.tapes.play import configured

from pysmon.assemble.builder import Builder
from pysmon.assemble.enrich import Enricher
from pysmon.config.model import Onmatch
from pysmon.errors import SensorError
from pysmon.host.hashes import Hashes
from pysmon.host.machine import clock_offset, this_machine
from pysmon.host.users import Users
from pysmon.pipeline.flow import Flow
from pysmon.pipeline.live import Session
from pysmon.pipeline.policy import Policy
from pysmon.pipeline.snapshot import with_texts
from pysmon.schema.catalogue import ProcessCreate
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.records import BriefExecRecord, ExecRecord, decode
from pysmon.sensor.scope import Scope

pytestmark = pytest.mark.vm

SETTLE = 0.03  # s: programs that were running have ended by then
SHELL, TRUE = os.path.realpath("/bin/sh"), os.path.realpath("/bin/true")
# One after the other; a shell that makes another process of itself; one whose maker has ended when it runs a program.
RUNS = ("/bin/true a", "/bin/true b; (cd /; /bin/true c)", "(sleep 0.02; exec /bin/true adopted) &", "exec /bin/true d")
LEARNED = element("exclude", filter_("Image", "is", "/nowhere"), event_id=11)  # so that programs get numbers
BRIEF, WHOLE = BriefExecRecord.layout.kind, ExecRecord.layout.kind


class Watcher:
    """A sensor, and the flow that its records go through as those of a session do."""

    def __init__(self, sensor: Sensor, root: int, *, tells: bool) -> None:
        """`root` is watched, and what it starts. `tells`: it tells the kernel what the rules drop."""
        self.sensor, self._tells = sensor, tells
        users = Users()
        self._builder = Builder(this_machine(), users, clock_offset=clock_offset())
        self._enricher = Enricher(self._builder.processes, users, Hashes(("SHA256",)))
        none = Policy.of(configuration())
        self.flow = Flow(none.ruleset, self._builder, self._enricher, none.approvers)
        sensor.watch(Scope("nobody"))
        while sensor.read():  # of another test
            time.sleep(SETTLE)
        sensor.watch(Scope.of_tree(root))
        for task in with_texts(sensor.snapshot()):
            self.flow.learn(task)

    def use(self, policy: Policy) -> None:
        self.sensor.pushdown.suspend()
        self.flow.use(policy.ruleset, self._enricher, policy.approvers)
        if self._tells:
            self.sensor.pushdown.renew(policy.approvals)

    def take(self) -> tuple[Counter[int], list[tuple[object, ...]]]:
        """How many records came of each kind, and the kept events of processes without their times."""
        kinds, events, ways = Counter[int](), list[tuple[object, ...]](), self.flow.ways()
        while data := self.sensor.read():
            for raw in data:
                kinds[raw[0]] += 1
                if (way := ways.get(raw[0])) and way(raw):
                    continue
                kept = self.flow.take(decode(raw))
                events += [
                    (e.type.id, e.extra, *(getattr(e, f.name) for f in e.type.fields if f.name != "UtcTime"))
                    for e in kept
                    if e.type.id in (1, 5)
                ]
        for answer in self.flow.answers() if self._tells else ():
            self.sensor.pushdown.answer(*answer)
        return kinds, events


class Pair:
    """Two that watch the same. One tells the kernel what the rules drop; what comes of both is equal."""

    def __init__(self, told: Sensor, plain: Sensor, root: int = 0) -> None:
        root = root or os.getpid()
        self.told, self.plain = Watcher(told, root, tells=True), Watcher(plain, root, tells=False)

    def use(self, policy: Policy) -> None:
        for watcher in (self.told, self.plain):
            watcher.use(policy)

    def run(self, commands: Sequence[str]) -> int:
        """How many records were brief."""
        for command in commands:
            # The output has its end only when all that was started has ended.
            subprocess.run([SHELL, "-c", command], check=True, stdout=subprocess.PIPE)
        return self.compare()

    def compare(self) -> int:
        """How many records were brief since the last time."""
        time.sleep(SETTLE)
        (told, kept), (plain, expected) = self.told.take(), self.plain.take()
        assert kept == expected
        assert told[BRIEF] + told[WHOLE] == plain[WHOLE]
        books, others = self.told.flow.accounting, self.plain.flow.accounting
        assert (books.kept, books.filtered) == (others.kept, others.filtered)
        return told[BRIEF]


@pytest.fixture(scope="module")
def sensors() -> Iterator[tuple[Sensor, Sensor]]:
    """Two of them, for the lives of processes."""
    try:
        told = Sensor((), others_later=False)
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")
    with told, Sensor((), others_later=False) as plain:
        yield told, plain
        for sensor in (told, plain):
            sensor.watch(Scope("nobody"))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Rules on programs that begin and end."""
    fields = st.sampled_from(["Image", "Image", "User", "ParentImage", "CommandLine", "ParentCommandLine"])
    values = st.sampled_from([TRUE, SHELL, "/", "true", "root", " c", "adopted", "-"])
    one = st.builds(filter_, fields, st.sampled_from(["is", "is not", "begin with", "contains", "excludes"]), values)
    two = st.builds(lambda relation, a, b: rule(relation, a, b), st.sampled_from([AND, OR]), one, one)
    found = [LEARNED]
    ways: tuple[tuple[Onmatch, ...], ...] = (("exclude",), ("exclude",), ("include",), ("include", "exclude"), ())
    for event_id in (1, 5):
        for onmatch in draw(st.sampled_from(ways)):
            entries = draw(st.lists(one if event_id == 5 else st.one_of(one, two), max_size=2))
            usable = [e for e in entries if event_id == 1 or getattr(e, "field", "") in ("Image", "User")]
            found.append(element(onmatch, *usable, event_id=event_id))
    return Policy.of(configuration(*found))


@given(data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_comes_to_the_same_as_with_whole_records(sensors: tuple[Sensor, Sensor], data: st.DataObject) -> None:
    pair = Pair(*sensors)
    for policy in data.draw(st.lists(policies(), min_size=1, max_size=2)):
        pair.use(policy)
        for _ in range(2):  # by programs that are known the second time
            pair.run(RUNS)


def test_records_are_brief_of_known_programs_that_are_dropped_and_whole_again_under_other_rules(
    sensors: tuple[Sensor, Sensor],
) -> None:
    """Otherwise the law above would say nothing."""
    pair = Pair(*sensors)
    dropped = element("exclude", filter_("Image", "is", TRUE), filter_("Image", "is", SHELL))
    told = []
    for policy in (Policy.of(configuration(LEARNED, dropped)), Policy.of(configuration(LEARNED, element("exclude")))):
        pair.use(policy)
        told += [pair.run(["/bin/true a; /bin/true b"]) for _ in range(2)]
    assert told == [0, 3, 0, 0]


def test_who_made_a_process_that_was_there_before_is_not_guessed(sensors: tuple[Sensor, Sensor]) -> None:
    """The user side tells which program it runs; its parent is a shell that runs `cat` by now."""
    reading, writing = os.pipe()
    code = f"(read x </proc/self/fd/{reading}; (:); exec /bin/true) & exec cat"
    with subprocess.Popen(
        [SHELL, "-c", code], pass_fds=[reading], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as held:
        os.close(reading)
        while os.path.realpath(f"/proc/{held.pid}/exe") == SHELL:
            time.sleep(SETTLE)
        (child,) = Path(f"/proc/{held.pid}/task/{held.pid}/children").read_text().split()
        pair = Pair(*sensors, root=int(child))
        pair.use(Policy.of(configuration(LEARNED, element("exclude"))))
        for answer in pair.told.flow.answers_to_all():
            pair.told.sensor.pushdown.answer(*answer)
        os.write(writing, b"\n")
        os.close(writing)
        while Path(f"/proc/{child}/exe").exists():
            time.sleep(SETTLE)
    pair.compare()
    assert pair.plain.flow.accounting.kept[1] == 1


def test_who_is_kept_knows_all_of_a_parent_that_was_told_of_briefly() -> None:
    text = (
        '<Sysmon schemaversion="4.90"><EventFiltering><RuleGroup><ProcessCreate onmatch="exclude">'
        f"<Image>{SHELL}</Image></ProcessCreate></RuleGroup>"
        f'<RuleGroup><FileCreate onmatch="exclude"><Image>{SHELL}</Image></FileCreate></RuleGroup>'
        "</EventFiltering></Sysmon>"
    )
    code = "sleep 0.3; for i in 1 2 3; do /bin/sh -c '/bin/true; sleep 0.3' $i; done"
    session = Session(configured(text), command=[SHELL, "-c", f"/bin/sh -c :; {code}"])
    entries = [entry for batch in session.batches(threading.Event()) for entry in batch]
    created = [e.event for e in entries if isinstance(e.event, ProcessCreate) and e.event.Image == TRUE]
    assert [e.ParentCommandLine for e in created] == [f"/bin/sh -c /bin/true; sleep 0.3 {i}" for i in (1, 2, 3)]
    assert {e.ParentImage for e in created} == {SHELL}
    assert session._flow.accounting.records_filtered[BRIEF] >= 2
    assert session.outcome
    assert session.outcome.families["process"].exact
