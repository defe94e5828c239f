"""Much at once: nothing is lost, nothing is told twice, and what has no room is counted.

PYSMON_STORM says how many processes a storm has (ten times as many files).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.compiled import LITTLE, compiled
from tests.sensor.provoke import Stage, mount, own_mounts, run

from pysmon.schema.catalogue import FileCreate, ImageLoad, ProcessCreate, ProcessTerminate
from pysmon.sensor.kernel import PROCESS_RING_SIZE
from pysmon.sensor.records import ExecRecord, ForkRecord

pytestmark = pytest.mark.vm

LONG = "y" * 30_000
FLOOD = PROCESS_RING_SIZE // len(LONG) + 20  # processes
TRUE = os.path.realpath("/bin/true")
STORM_IN_C = r"""
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
int main(int argc, char **argv)
{
	char number[16], *command[] = {"/bin/true", number, NULL}, *environment[] = {NULL};
	for (int i = atoi(argv[1]); i < atoi(argv[2]); i++) {
		pid_t pid;
		snprintf(number, sizeof number, "%d", i);
		if (posix_spawn(&pid, command[0], NULL, NULL, command, environment) || waitpid(pid, NULL, 0) != pid)
			return 1;
	}
	return 0;
}
"""


def emulated() -> bool:
    """Are we in a virtual machine whose processor is emulated, where all is some twenty times slower?"""
    return "QEMU" in Path("/proc/cpuinfo").read_text()


STORM = int(os.environ.get("PYSMON_STORM") or (50 if emulated() else 10_000))


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int], list[str]]:
    """The command that runs /bin/true with each number of a range as its argument, one after the other."""
    program = compiled(tmp_path_factory.mktemp("storm"), STORM_IN_C)
    loop = "i=$1; while [ $i -lt $2 ]; do /bin/true $i; i=$((i+1)); done"
    command = [program] if program else ["/bin/sh", "-c", loop, "storm"]
    return lambda begin, end: [*command, str(begin), str(end)]


def test_a_storm_of_short_processes_is_told_to_the_last_one(
    provoke: Stage, storm: Callable[[int, int], list[str]]
) -> None:
    def act() -> None:
        halves = [storm(0, STORM // 2), storm(STORM // 2, STORM)]
        pids = [os.posix_spawn(half[0], half, {}) for half in halves]
        assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]

    seen = provoke(act)
    created = [e for e in seen.of(ProcessCreate) if e.Image == TRUE]
    parents = {e.ProcessGuid: e for e in seen.of(ProcessCreate) if e.Image != TRUE}
    assert sorted(e.CommandLine for e in created) == sorted(f"/bin/true {i}" for i in range(STORM))
    assert len({e.ProcessGuid for e in created}) == STORM
    assert {e.User for e in created} == {"root"}
    assert {(e.ParentProcessGuid, e.ParentProcessId, e.ParentImage) for e in created} == {
        (guid, e.ProcessId, e.Image) for guid, e in parents.items()
    }
    first_half = {e.ParentProcessGuid for e in created if int(e.CommandLine.split()[1]) < STORM // 2}
    second_half = {e.ParentProcessGuid for e in created if int(e.CommandLine.split()[1]) >= STORM // 2}
    assert (len(first_half), len(second_half), len(first_half | second_half)) == (1, 1, 2)

    ended = [e for e in seen.of(ProcessTerminate) if e.Image == TRUE]
    assert sorted(e.ProcessGuid for e in ended) == sorted(e.ProcessGuid for e in created)
    assert {(e.User, str(e.extra)) for e in ended} == {("root", "{'ExitCode': 0}")}

    loads = Counter(e.ProcessGuid for e in seen.of(ImageLoad) if e.Image == TRUE)
    assert loads.keys() == {e.ProcessGuid for e in created}
    assert len(set(loads.values())) == 1, "one process loads as many files as the other"

    begins = {e.ProcessGuid: place for place, e in enumerate(seen.events) if isinstance(e, ProcessCreate)}
    ends = {e.ProcessGuid: place for place, e in enumerate(seen.events) if isinstance(e, ProcessTerminate)}
    assert all(begins[e.ParentProcessGuid] < begins[e.ProcessGuid] < ends[e.ProcessGuid] for e in created)


def test_a_storm_of_files_is_told_to_the_last_one(provoke: Stage, tmp_path: Path) -> None:
    files = 10 * STORM

    def act() -> None:
        own_mounts()
        mount("tmpfs", str(tmp_path), "tmpfs")
        os.chdir(tmp_path)
        for number in range(files):
            os.close(os.open(str(number), os.O_CREAT))

    seen = provoke(act).of(FileCreate)
    assert [e.TargetFilename for e in seen] == [f"{tmp_path}/{number}" for number in range(files)]


def test_what_has_no_room_is_counted_and_then_the_sensor_goes_on(provoke: Stage, tmp_path: Path) -> None:
    program = compiled(tmp_path, LITTLE, "-static") or "/bin/true"

    def flood() -> None:
        """Fill the ring of process records, which nobody reads, and go on."""
        for _ in range(FLOOD):
            run(program, LONG)

    seen = provoke(flood, read=False, may_lose=True)
    counts = seen.families["process"]
    assert counts.seen == 2 * FLOOD + 1
    assert counts.lost > 0
    assert counts.kept == len(seen.of(ProcessCreate)) + len(seen.of(ProcessTerminate))
    assert {e.CommandLine for e in seen.of(ProcessCreate)} == {f"{program} {LONG}"}
    assert len(seen.records_of(ExecRecord)) < FLOOD

    after = provoke(lambda: run("/bin/true", "after"))
    assert [e.CommandLine for e in after.of(ProcessCreate)] == ["/bin/true after"]
    assert len(after.records_of(ForkRecord)) == 1
