"""Who made whom: guids, parents and creators, however processes come to be."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.sensor.provoke import Stage, extra, forked, host_pid, one, run

from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.sensor.records import ForkRecord

pytestmark = pytest.mark.vm

SHELL = os.path.realpath("/bin/sh")


def created(events: list[ProcessCreate], command: str) -> ProcessCreate:
    """The one process of that command line."""
    return one([e for e in events if e.CommandLine.removeprefix("sh -c ") == command])


def test_parents_are_named_by_the_guids_of_their_own_creation(provoke: Stage) -> None:
    def act() -> int:
        run("/bin/sh", "-c", "/bin/sh -c '/bin/sleep 0; :'; :")
        return host_pid()

    seen = provoke(act)
    outer, inner, leaf = seen.of(ProcessCreate)
    assert (leaf.ParentProcessGuid, leaf.ParentProcessId) == (inner.ProcessGuid, inner.ProcessId)
    assert (inner.ParentProcessGuid, inner.ParentProcessId) == (outer.ProcessGuid, outer.ProcessId)
    assert outer.ParentProcessId == seen.truth
    assert (leaf.ParentImage, leaf.ParentCommandLine) == (SHELL, "/bin/sh -c /bin/sleep 0; :")
    assert (inner.ParentImage, inner.ParentCommandLine) == (SHELL, outer.CommandLine)
    assert len({e.ProcessGuid for e in seen.of(ProcessCreate)}) == 3
    assert [e.ProcessGuid for e in seen.of(ProcessTerminate)][:3] == [e.ProcessGuid for e in (leaf, inner, outer)]


def test_a_process_that_becomes_one_program_after_the_other_is_told_each_time_and_ends_once(provoke: Stage) -> None:
    seen = provoke(lambda: run("/bin/sh", "-c", "exec /bin/sh -c 'exec /bin/sleep 0'"))
    first, second, third = seen.of(ProcessCreate)
    assert first.ProcessId == second.ProcessId == third.ProcessId
    assert len({first.ProcessGuid, second.ProcessGuid, third.ProcessGuid}) == 3
    assert first.ParentProcessGuid == second.ParentProcessGuid == third.ParentProcessGuid
    end, last = seen.of(ProcessTerminate)
    assert (end.ProcessGuid, end.Image) == (third.ProcessGuid, third.Image)
    assert last.ProcessGuid == first.ParentProcessGuid


def test_the_parent_is_the_program_that_forked_not_the_one_that_it_became(provoke: Stage, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    script = f"(read go; exec /bin/sleep 0) <{first} & exec /bin/cat {second}"

    def act() -> None:
        os.mkfifo(first)
        os.mkfifo(second)
        shell = os.posix_spawn("/bin/sh", ["sh", "-c", script], {})
        cat = os.open(second, os.O_WRONLY)  # waits until the shell has become cat, and that opens it
        child = os.open(first, os.O_WRONLY)
        os.write(child, b"go\n")
        poll = select.poll()
        poll.register(child, select.POLLERR)
        poll.poll()  # until the child has ended
        os.close(cat)
        os.waitpid(shell, 0)

    seen = provoke(act)
    shell = created(seen.of(ProcessCreate), script)
    became = created(seen.of(ProcessCreate), f"/bin/cat {second}")
    child = created(seen.of(ProcessCreate), "/bin/sleep 0")
    assert became.ProcessId == shell.ProcessId == child.ParentProcessId
    assert (child.ParentProcessGuid, child.ParentImage) == (shell.ProcessGuid, SHELL)


def test_a_program_that_a_thread_begins_is_the_process_s_own(provoke: Stage) -> None:
    def act() -> None:
        threading.Thread(target=os.execv, args=("/bin/true", ["true", "by a thread"])).start()
        time.sleep(60)

    seen = provoke(lambda: forked(act))
    made = one(seen.of(ProcessCreate))
    assert made.CommandLine == "true by a thread"
    assert made.ProcessId == one(seen.records_of(ForkRecord)).tgid
    end = seen.of(ProcessTerminate)[0]
    assert (end.ProcessGuid, extra(end)) == (made.ProcessGuid, {"ExitCode": 0})
    assert made.ParentProcessId == seen.pid
    assert "CreatorProcessId" not in extra(made)


def orphan(reborn: str) -> tuple[int, int]:
    """Fork twice; the middle one ends. The grandchild is then adopted, and runs a program. Numbers of middle and it."""
    output, end = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.write(end, b"%d\n" % host_pid())
        if os.fork() == 0:
            while os.getppid() != 1:
                time.sleep(0.001)
            os.setsid()
            os.write(end, b"%d\n" % host_pid())
            os.execv("/bin/sleep", [reborn, "0"])
        os._exit(0)
    os.close(end)
    os.waitpid(middle, 0)
    with os.fdopen(output) as lines:
        first, second = map(int, lines)
    os.wait()
    return first, second


def test_a_process_that_was_adopted_names_its_parent_and_its_creator(provoke: Stage) -> None:
    seen = provoke(lambda: orphan("daemon"))
    middle, daemon = seen.truth
    made = one(seen.of(ProcessCreate))
    ends = {e.ProcessId: e.ProcessGuid for e in seen.of(ProcessTerminate)}
    assert (made.ProcessId, made.CommandLine) == (daemon, "daemon 0")
    assert (made.ParentProcessId, made.ParentProcessGuid) == (seen.pid, ends[seen.pid])
    facts = extra(made)
    assert (facts["CreatorProcessId"], facts["CreatorProcessGuid"]) == (middle, ends[middle])
    assert facts["CreatorImage"] == os.path.realpath(sys.executable)


def test_the_adopting_parent_is_told_by_its_own_program_not_by_the_number_of_the_creator_s(provoke: Stage) -> None:
    def act() -> None:
        run("/bin/sh", "-c", "(while kill -0 $$; do :; done; exec /bin/sleep 0) 2>/dev/null &")
        os.wait()

    seen = provoke(act)
    shell, sleep = seen.of(ProcessCreate)
    assert (sleep.ParentProcessId, sleep.ParentProcessGuid) == (seen.pid, shell.ParentProcessGuid)
    assert (sleep.ParentImage, sleep.ParentCommandLine) == (shell.ParentImage, shell.ParentCommandLine)
    assert extra(sleep)["CreatorImage"] == SHELL


def test_a_child_that_never_runs_a_program_ends_under_a_guid_and_image_of_its_own(provoke: Stage) -> None:
    seen = provoke(lambda: forked(lambda: None))
    child, parent = seen.of(ProcessTerminate)
    assert child.Image == parent.Image == os.path.realpath(sys.executable)
    assert child.ProcessGuid != parent.ProcessGuid


def test_children_of_one_parent_made_at_once_have_guids_of_their_own(provoke: Stage) -> None:
    def act() -> None:
        children = [os.posix_spawn("/bin/true", ["true"], {}) for _ in range(20)]
        for child in children:
            os.waitpid(child, 0)

    seen = provoke(act)
    assert len({e.ProcessGuid for e in seen.of(ProcessCreate)}) == len(seen.of(ProcessCreate)) == 20
    assert len({e.ParentProcessGuid for e in seen.of(ProcessCreate)}) == 1


def test_a_process_that_was_there_before_is_known_by_its_program(provoke: Stage, tmp_path: Path) -> None:
    older: list[subprocess.Popen[bytes]] = []
    script = "echo ready; read line; /bin/sleep 0; :"

    def before() -> None:
        os.chdir(tmp_path)
        shell = subprocess.Popen(["sh", "-c", script, "odd\nname"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert shell.stdout
        assert shell.stdout.readline() == b"ready\n"  # its exec is over
        older.append(shell)

    def act() -> None:
        older[0].communicate(b"go\n")

    seen = provoke(act, before=before)
    made = one(seen.of(ProcessCreate))
    shell_end = seen.of(ProcessTerminate)[1]
    assert (made.ParentImage, made.ParentCommandLine) == (SHELL, f"sh -c {script} odd\nname")
    assert (made.ParentUser, made.ParentProcessGuid) == ("root", shell_end.ProcessGuid)
    assert (shell_end.Image, shell_end.ProcessId) == (SHELL, made.ParentProcessId)


def test_a_killed_family_is_told_to_its_last_member(provoke: Stage) -> None:
    def act() -> list[int]:
        pids = []
        for _ in range(5):
            output, end = os.pipe()
            if os.fork() == 0:
                os.write(end, b"%d" % host_pid())
                signal.pause()
            pids.append(int(os.read(output, 20)))
        return pids  # they are killed when the first process of their namespace ends

    seen = provoke(act)
    ends = {e.ProcessId: extra(e) for e in seen.of(ProcessTerminate)}
    assert ends == {pid: {"Signal": 9} for pid in seen.truth} | {seen.pid: {"ExitCode": 0}}
