"""The process table: right about every parent, whatever happened before, and not larger than it must be."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.assemble.stage import MACHINE, SECOND, Key, builder, create, execute, fork, guid, leave, task

from pysmon.assemble.processes import UNKNOWN_IMAGE, Processes, ProcessImage
from pysmon.assemble.processes import Key as ImageKey
from pysmon.host.guid import NO_GUID
from pysmon.layout.record import Record
from pysmon.schema.catalogue import FileCreate, ProcessCreate, ProcessTerminate

INIT: Key = (1, SECOND, 1)


@dataclass
class Modelled:
    """A process as the kernel sees it."""

    key: Key
    image: str
    parent: Modelled | None  # real_parent
    maker: Key  # the image that forked it
    maker_image: str


@dataclass
class Kernel:
    """A naive machine: it keeps everything for ever, and makes the records that the sensor would send."""

    now: int = 10 * SECOND
    living: list[Modelled] = field(default_factory=lambda: [Modelled(INIT, "/sbin/init", None, (0, 0, 0), "-")])
    starts: int = 10 * SECOND
    free: list[int] = field(default_factory=lambda: list(range(2, 40)))

    def fork(self, at: int) -> tuple[Modelled, Record]:
        maker = self.living[at % len(self.living)]
        self.starts += 1
        child = Modelled((self.free.pop(0), self.starts, maker.key[2]), maker.image, maker, maker.key, maker.image)
        self.living.append(child)
        return child, fork(child.key, maker.key, time=self.now)

    def execute(self, at: int, image: str) -> tuple[Modelled, Record]:
        process = self.living[1 + at % (len(self.living) - 1)]
        process.key = (process.key[0], process.key[1], process.key[2] + 1)
        process.image = image
        assert process.parent
        named = (process.parent.key[0], process.parent.key[1], process.maker[2])  # parent_exec_id is never updated
        return process, execute(process.key, image, by=named, made_by=process.maker, time=self.now)

    def leave(self, at: int, reaper: int) -> tuple[Modelled, Record]:
        process = self.living.pop(1 + at % (len(self.living) - 1))
        adopter = self.living[reaper % len(self.living)]
        for other in self.living:
            if other.parent is process:
                other.parent = adopter if adopter is not other else self.living[0]
        self.free.insert(0, process.key[0])  # the worst case: the number is used again at once
        return process, leave(process.key, time=self.now)

    def parent_of(self, process: Modelled) -> tuple[Key, str]:
        """Which image is the parent: the one that forked it, or what the process that adopted it runs now."""
        assert process.parent
        if process.parent.key[:2] == process.maker[:2]:
            return process.maker, process.maker_image
        return process.parent.key, process.parent.image


STEPS = st.lists(
    st.tuples(
        st.sampled_from("ffxxxl"), st.integers(0, 1000), st.integers(0, 1000), st.sampled_from([1, 1000, 30 * SECOND])
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_every_process_has_the_parent_that_the_kernel_gave_it(steps: list[tuple[str, int, int, int]]) -> None:
    kernel, made = Kernel(), builder()
    made.take(task(INIT, "/sbin/init"))
    for number, (what, at, reaper, passed) in enumerate(steps):
        kernel.now += passed
        if what == "f" and len(kernel.living) < 12:
            _, record = kernel.fork(at)
            assert made.take(record) == ()
        elif what == "x" and len(kernel.living) > 1:
            process, record = kernel.execute(at, f"/bin/program{number}")
            (event,) = made.take(record)
            assert isinstance(event, ProcessCreate)
            parent, image = kernel.parent_of(process)
            assert (event.ProcessGuid, event.Image) == (guid(process.key), process.image)
            assert (event.ParentProcessGuid, event.ParentProcessId, event.ParentImage) == (
                guid(parent),
                parent[0],
                image,
            )
        elif what == "l" and len(kernel.living) > 2:
            process, record = kernel.leave(at, reaper)
            (event,) = made.take(record)
            assert isinstance(event, ProcessTerminate)
            assert (event.ProcessGuid, event.Image) == (guid(process.key), process.image)
            (late,) = made.take(create(process.key, "/late", time=kernel.now))
            assert isinstance(late, FileCreate)
            assert late.Image == process.image  # of another ring, but still in time
    kernel.now += 60 * SECOND
    _, record = kernel.fork(0)
    made.take(record)
    assert len(made.processes) == len(kernel.living)
    assert made.processes.evicted == 0


def image(key: Key, name: str = "/bin/x", parent: ProcessImage | None = None) -> ProcessImage:
    return ProcessImage(ImageKey(*key), MACHINE, name, parent=parent)


def test_an_unknown_process_is_a_stranger_with_the_right_guid() -> None:
    stranger = Processes(MACHINE).actor(5, 6, 7)
    assert (stranger.guid, stranger.image) == (guid((5, 6, 7)), UNKNOWN_IMAGE)


def test_process_zero_has_no_guid() -> None:
    assert Processes(MACHINE).guid(ImageKey(0, 0, 0)) == NO_GUID


def test_an_earlier_program_of_a_process_is_not_taken_for_its_present_one() -> None:
    table = Processes(MACHINE)
    table.runs(image((5, 6, 1), "/bin/sh"), 10)
    assert table.actor(5, 6, 2).image == UNKNOWN_IMAGE


def test_a_parent_from_before_the_sensor_is_what_it_runs_now() -> None:
    table = Processes(MACHINE)
    table.found(image((1, 1, 4), "/sbin/init"), 10)
    found = table.parent_of(None, ImageKey(1, 1, 2), None)
    assert found is not None
    assert found.image == "/sbin/init"


def test_a_reused_process_id_is_another_process() -> None:
    table = Processes(MACHINE)
    table.runs(image((5, 6, 1), "/bin/old"), 10)
    table.runs(image((5, 9, 1), "/bin/new"), 20)
    assert table.current(5, 6) is None
    assert table.parent_of(None, ImageKey(5, 6, 3), None) is None
    assert table.actor(5, 6, 1).image == "/bin/old"  # its records may still come


def test_a_record_that_comes_late_does_not_bring_a_dead_process_back() -> None:
    table = Processes(MACHINE)
    table.runs(image((5, 9, 1), "/bin/new"), 20)
    table.runs(image((5, 6, 1), "/bin/old"), 21)
    current = table.current(5, 9)
    assert current is not None
    assert current.image == "/bin/new"
    table.runs(image((8, 1, 1)), 60 * SECOND)
    assert table.get(5, 6, 1) is None


def test_the_ended_are_forgotten_after_the_grace() -> None:
    table = Processes(MACHINE, grace=100)
    table.runs(image((5, 6, 1)), 10)
    table.ended(ImageKey(5, 6, 1), 20)
    table.runs(image((6, 6, 1)), 120)
    assert table.get(5, 6, 1) is not None
    assert table.current(5, 6) is None
    table.runs(image((7, 6, 1)), 121)
    assert table.get(5, 6, 1) is None


def test_the_ended_go_first_when_there_are_too_many() -> None:
    table = Processes(MACHINE, limit=2)
    table.runs(image((5, 6, 1)), 10)
    table.runs(image((6, 6, 1)), 11)
    table.ended(ImageKey(6, 6, 1), 12)
    table.runs(image((7, 6, 1)), 13)
    assert (len(table), table.evicted) == (2, 0)
    assert table.get(5, 6, 1) is not None
    table.runs(image((8, 6, 1)), 14)
    assert (len(table), table.evicted) == (2, 1)
    assert table.get(5, 6, 1) is None
    assert table.current(5, 6) is None


def test_a_chain_of_parents_is_not_kept_for_ever() -> None:
    table = Processes(MACHINE, grace=1)
    table.runs(image((1, 1, 1), "/bin/first"), 1)
    for n in range(2, 50):  # each forks the next one and ends
        table.forked(ImageKey(n, n, 1), ImageKey(n - 1, n - 1, 1), 0, n * 10)
        table.ended(ImageKey(n - 1, n - 1, 1), n * 10 + 1)
    last = table.get(49, 49, 1)
    assert last is not None
    assert last.image == "/bin/first"
    assert last.parent is not None
    assert last.parent.parent is None


def test_an_image_that_had_to_go_lets_go_of_its_parent() -> None:
    table = Processes(MACHINE, limit=1)
    first, second = image((5, 6, 1)), image((7, 6, 1), parent=image((1, 1, 1)))
    for n, made in enumerate((second, first)):
        table.runs(made, n)
    assert table.get(7, 6, 1) is None
    assert second.parent is None


def test_what_records_told_is_not_replaced_by_the_snapshot() -> None:
    table = Processes(MACHINE)
    table.runs(image((5, 6, 1), "/bin/told"), 10)
    table.found(image((5, 6, 1), "/bin/snapshot"), 11)
    assert table.actor(5, 6, 1).image == "/bin/told"


def test_the_snapshot_fills_a_process_whose_parent_was_unknown_at_its_fork() -> None:
    table = Processes(MACHINE)
    table.forked(ImageKey(5, 6, 1), ImageKey(4, 1, 1), 0, 10)
    assert table.actor(5, 6, 1).image == "-"
    table.found(image((5, 6, 1), "/bin/snapshot"), 11)
    assert table.actor(5, 6, 1).image == "/bin/snapshot"
