"""A held command: nothing of it runs before its release, and its end is told as a shell would."""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.sensor.provoke import apart

from pysmon.errors import MisuseError
from pysmon.pipeline.command import HeldCommand

SELF = os.path.realpath(sys.executable)


@contextmanager
def held(*command: str) -> Iterator[HeldCommand]:
    made = HeldCommand(command)
    try:
        yield made
    finally:
        made.stop()
        end(made)


def end(command: HeldCommand) -> int:
    """Wait until it has ended, without taking that from `poll`; its status."""
    if command.status is None:
        os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)
    assert command.poll()
    assert command.status is not None
    return command.status


def status_of(*command: str) -> int:
    with held(*command) as made:
        made.release()
        return end(made)


def children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


def test_nothing_runs_before_the_release(tmp_path: Path) -> None:
    with held("touch", str(tmp_path / "ran")) as command:
        assert os.readlink(f"/proc/{command.pid}/exe") == SELF
        assert not command.poll()
        assert os.listdir(tmp_path) == []
        command.release()
        assert end(command) == 0
    assert os.listdir(tmp_path) == ["ran"]


def test_the_command_is_the_process_that_was_held(tmp_path: Path) -> None:
    with held("sh", "-c", f"echo $$ >{tmp_path}/pid") as command:
        command.release()
        end(command)
    assert int((tmp_path / "pid").read_text()) == command.pid


@pytest.mark.parametrize("status", [0, 1, 77, 255])
def test_the_exit_status_is_the_command_s(status: int) -> None:
    assert status_of("sh", "-c", f"exit {status}") == status


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGPIPE, signal.SIGSEGV])
def test_a_signal_that_ended_it_is_told_as_shells_do(number: int) -> None:
    assert status_of("sh", "-c", f"ulimit -c 0; kill -{number} $$") == 128 + number


def test_polling_goes_on_after_the_end() -> None:
    with held("false") as command:
        command.release()
        end(command)
        assert command.poll()
        assert command.status == 1


def test_polling_leaves_other_children_alone() -> None:
    other = os.posix_spawnp("true", ["true"], os.environ)
    os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
    with held("true") as command:
        assert not command.poll()
    assert os.waitpid(other, 0) == (other, 0)


@pytest.mark.parametrize("command", [[], [""], ["no-such-command-at-all"], ["/"], ["/etc/passwd"], ["./absent"]])
def test_a_command_that_is_none_is_refused_before_anything_is_forked(command: Sequence[str]) -> None:
    before, named = children(), command[0] if command else ""
    with pytest.raises(MisuseError, match="no such command") as refused:
        HeldCommand(command)
    assert str(refused.value) == f"no such command: {named!r}"
    assert "PATH" in refused.value.hint
    assert children() == before


def test_a_program_whose_interpreter_is_absent_cannot_run_and_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    assert status_of(str(script)) == 127
    assert capfd.readouterr() == ("", f"pysmon: cannot run {script}: No such file or directory\n")


def test_a_command_that_is_stopped_before_its_release_never_runs_and_is_gone(tmp_path: Path) -> None:
    command = HeldCommand(["touch", str(tmp_path / "ran")])
    command.stop()
    assert str(command.pid) not in children().split()
    assert command.poll()
    assert os.listdir(tmp_path) == []


def test_a_command_can_be_stopped_while_another_is_held() -> None:
    with held("true") as first, held("true") as second:
        first.stop()
        assert first.poll()
        second.release()
        assert end(second) == 0


def test_a_command_that_runs_is_asked_to_end() -> None:
    with held("sleep", "600") as command:
        command.release()
        until_it_runs(command, "sleep")
        command.stop()
        assert end(command) == 128 + signal.SIGTERM


def test_stopping_a_command_that_has_ended_does_nothing() -> None:
    with held("sh", "-c", "exit 5") as command:
        command.release()
        end(command)
        command.stop()
        assert command.status == 5


def test_stopping_twice_is_stopping_once() -> None:
    command = HeldCommand(["true"])
    command.stop()
    command.stop()
    assert command.status == 128 + signal.SIGKILL


def test_the_release_of_a_command_that_was_killed_meanwhile_is_no_error() -> None:
    with held("true") as command:
        os.kill(command.pid, signal.SIGKILL)
        os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)
        command.release()
        assert end(command) == 128 + signal.SIGKILL


def test_a_held_command_ends_when_the_one_that_holds_it_is_killed() -> None:
    alive, held_open = os.pipe()
    pid = os.fork()
    if pid == 0:
        HeldCommand(["true"])
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(held_open)
    os.waitpid(pid, 0)
    assert select.select([alive], [], [], 60)[0], "the held command is still there"
    assert os.read(alive, 1) == b""
    os.close(alive)


def test_it_has_our_input_and_output(tmp_path: Path) -> None:
    def act() -> int:
        source, feed = os.pipe()
        os.write(feed, b"a line\n")
        flags = os.O_CREAT | os.O_WRONLY
        for fd, ours in ((source, 0), (os.open(tmp_path / "out", flags), 1), (os.open(tmp_path / "err", flags), 2)):
            os.dup2(fd, ours)
        return status_of("sh", "-c", 'read -r line; echo "$line"; echo aside >&2')

    assert apart(act) == 0
    assert (tmp_path / "out").read_text() == "a line\n"
    assert (tmp_path / "err").read_text() == "aside\n"


def test_it_has_no_descriptor_that_another_child_would_not_have(capfd: pytest.CaptureFixture[str]) -> None:
    script = ("sh", "-c", 'for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done')
    os.waitpid(os.posix_spawnp("sh", script, os.environ), 0)
    others = capfd.readouterr().out
    status_of(*script)
    assert capfd.readouterr().out == others


def test_no_descriptor_is_left_behind() -> None:
    before = os.listdir("/proc/self/fd")
    status_of("true")
    HeldCommand(["true"]).stop()
    assert os.listdir("/proc/self/fd") == before


def test_no_descriptor_is_left_behind_where_there_is_no_room_for_a_process() -> None:
    def full() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    before = os.listdir("/proc/self/fd")
    with pytest.raises(BlockingIOError):
        HeldCommand(["true"], fork=full)
    assert os.listdir("/proc/self/fd") == before


def until_it_runs(command: HeldCommand, program: str) -> None:
    while Path(f"/proc/{command.pid}/comm").read_text() != f"{program}\n":
        os.sched_yield()
