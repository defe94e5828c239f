"""A process as the sensor tells of it: what it runs, where, as whom, and how it ends."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import pty
import shutil
import signal
import termios
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.sensor.provoke import (
    CLONE_NEWPID,
    Stage,
    bind,
    call,
    error_of,
    extra,
    forked,
    host_pid,
    mount,
    one,
    own_mounts,
    run,
)

from pysmon.host.machine import this_machine
from pysmon.schema.catalogue import ProcessCreate, ProcessTerminate
from pysmon.sensor.records import ExecRecord, ForkRecord

pytestmark = pytest.mark.vm

TRUE = os.path.realpath("/bin/true")
SHELL = os.path.realpath("/bin/sh")
NOBODY = 65534
UNSET = 4294967295


def utc(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC).timestamp()


def test_a_program_is_told_with_image_directory_user_hash_and_time(provoke: Stage, tmp_path: Path) -> None:
    def act() -> tuple[float, float]:
        os.chdir(tmp_path)
        began = time.time()
        run("/bin/true", "a")
        return began, time.time()

    seen = provoke(act)
    created = one(seen.of(ProcessCreate))
    assert (created.Image, created.CommandLine, created.CurrentDirectory) == (TRUE, "/bin/true a", str(tmp_path))
    assert (created.User, created.LogonId, created.IntegrityLevel) == ("root", "0", "no level")
    assert created.Hashes == f"SHA256={hashlib.sha256(Path(TRUE).read_bytes()).hexdigest().lower()}"
    began, ended = seen.truth
    assert began - 0.05 <= utc(created.UtcTime) <= ended + 0.05


def test_the_kernel_s_numbers_of_a_program_file_are_those_of_stat(provoke: Stage, tmp_path: Path) -> None:
    def act() -> tuple[int, ...]:
        own_mounts()
        mount("tmpfs", str(tmp_path), "tmpfs")  # where stat tells the device that the kernel uses inside
        program = shutil.copy(TRUE, f"{tmp_path}/a")
        os.link(program, tmp_path / "b")
        run(program)
        found = os.stat(program)
        device = os.major(found.st_dev) << 20 | os.minor(found.st_dev)
        return found.st_ino, found.st_size, found.st_mode, found.st_nlink, found.st_ctime_ns, device

    seen = provoke(act)
    made = one(seen.records_of(ExecRecord))
    assert (made.inode, made.image_size, made.mode, made.links, made.image_change_time, made.device) == seen.truth


def test_a_command_line_has_every_byte_of_every_argument(provoke: Stage) -> None:
    odd = [
        b"",
        b"two words",
        b"line\nbreak\ttab",
        b"\xff\xfe\x80",
        "żółć \U0001f980".encode(),
        b"\"'\\$x",
        b"\x01",
        b"",
    ]
    created = one(provoke(lambda: run(b"/bin/true", *odd)).of(ProcessCreate))
    assert os.fsencode(created.CommandLine) == b" ".join([b"/bin/true", *odd])


@pytest.mark.parametrize("size", [20_000, 32 * 1024 - len("/bin/true") - 2])
def test_a_long_command_line_is_whole_up_to_32_kib(provoke: Stage, size: int) -> None:
    created = one(provoke(lambda: run("/bin/true", "y" * size)).of(ProcessCreate))
    assert created.CommandLine == "/bin/true " + "y" * size
    assert "CommandLineTruncated" not in extra(created)


def test_a_longer_command_line_is_cut_and_says_how_long_it_was(provoke: Stage) -> None:
    words = [f"{i:06d}" for i in range(60_000 // 7)]
    whole = " ".join(["/bin/true", *words])
    created = one(provoke(lambda: run("/bin/true", *words)).of(ProcessCreate))
    assert created.CommandLine == whole[: 32 * 1024].rstrip(" ")
    assert extra(created)["CommandLineTruncated"] == len(whole) + 1


def test_a_program_that_cannot_be_started_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF but no more")
    broken.chmod(0o755)

    def act() -> list[int | None]:
        return [error_of(os.execv, path, ["x"]) for path in (tmp_path / "absent", tmp_path, broken)]

    seen = provoke(act)
    assert seen.truth == [errno.ENOENT, errno.EACCES, errno.ENOEXEC]
    assert seen.of(ProcessCreate) == []


def test_a_script_is_told_as_its_interpreter_and_names_its_file(provoke: Stage, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh -e\n:\n")
    script.chmod(0o755)
    created = one(provoke(lambda: run(str(script), "x")).of(ProcessCreate))
    assert (created.Image, created.CommandLine) == (SHELL, f"/bin/sh -e {script} x")
    assert extra(created)["Filename"] == str(script)


def read_own_image(fd: int) -> str:
    """Run the program behind a descriptor, a copy of readlink; it tells what it runs as the kernel shows it."""
    output, end = os.pipe()
    os.set_inheritable(fd, True)
    actions = [(os.POSIX_SPAWN_DUP2, end, 1)]
    pid = os.posix_spawn(f"/proc/self/fd/{fd}", ["readlink", "/proc/self/exe"], os.environ, file_actions=actions)
    os.close(end)
    with os.fdopen(output) as lines:
        told = lines.readline().rstrip("\n")
    os.waitpid(pid, 0)
    return told


def test_a_program_whose_file_was_removed_is_marked_as_deleted(provoke: Stage, tmp_path: Path) -> None:
    def act() -> str:
        copy = shutil.copy(os.path.realpath("/bin/readlink"), tmp_path / "gone")
        fd = os.open(copy, os.O_RDONLY)
        os.unlink(copy)
        return read_own_image(fd)

    seen = provoke(act)
    assert one(seen.of(ProcessCreate)).Image == seen.truth == f"{tmp_path}/gone (deleted)"


def test_a_program_that_only_ever_was_in_memory_is_told_as_such(provoke: Stage) -> None:
    def act() -> str:
        fd = os.memfd_create("evil")
        os.write(fd, Path("/bin/readlink").read_bytes())
        return read_own_image(fd)

    seen = provoke(act)
    assert one(seen.of(ProcessCreate)).Image == seen.truth == "/memfd:evil (deleted)"


def test_a_program_in_a_deep_directory_has_its_whole_path(provoke: Stage, tmp_path: Path) -> None:
    def act() -> str:
        os.chdir(tmp_path)
        for _ in range(120):
            os.mkdir("d")
            os.chdir("d")
        shutil.copy(os.path.realpath("/bin/readlink"), "deep")
        return read_own_image(os.open("deep", os.O_RDONLY))

    seen = provoke(act)
    created = one(seen.of(ProcessCreate))
    assert created.Image == seen.truth == f"{tmp_path}{'/d' * 120}/deep"
    assert created.CurrentDirectory == f"{tmp_path}{'/d' * 120}"


def test_a_path_that_is_too_deep_says_so(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        os.chdir(tmp_path)
        for _ in range(200):
            os.mkdir("d")
            os.chdir("d")
        run("/bin/true")

    created = one(provoke(act).of(ProcessCreate))
    assert created.CurrentDirectory.startswith("/.../d/d/d/")
    assert 100 < created.CurrentDirectory.count("/d") < 200


def test_a_process_tells_its_real_user_and_the_one_in_effect(provoke: Stage) -> None:
    def act() -> None:
        os.setresuid(NOBODY, 0, 0)
        os.execv("/bin/true", ["true"])

    seen = provoke(lambda: forked(act))
    created = one(seen.of(ProcessCreate))
    assert (created.User, created.LogonId, created.ParentUser) == ("nobody", str(NOBODY), "root")
    assert extra(created)["EffectiveUser"] == "root"
    assert [e.User for e in seen.of(ProcessTerminate)] == ["nobody", "root"]


def test_a_user_without_a_name_is_told_by_number(provoke: Stage) -> None:
    def act() -> None:
        os.setgid(4_000_000)
        os.setuid(3_999_999_999)
        os.execv("/bin/true", ["true"])

    created = one(provoke(lambda: forked(act)).of(ProcessCreate))
    assert (created.User, created.LogonId) == ("3999999999", "3999999999")


def test_a_process_without_a_login_has_the_unset_session_and_no_login_user(provoke: Stage) -> None:
    def act() -> tuple[int, int]:
        run("/bin/true")
        return int(Path("/proc/self/loginuid").read_text()), int(Path("/proc/self/sessionid").read_text())

    seen = provoke(act)
    if seen.truth != (UNSET, UNSET):
        pytest.skip(f"these tests run in a login session: {seen.truth}")
    created = one(seen.of(ProcessCreate))
    assert created.TerminalSessionId == UNSET
    assert not {"LoginUid", "LoginUser"} & set(extra(created))


def test_a_login_is_told_with_user_and_session(provoke: Stage) -> None:
    def act() -> tuple[int, int]:
        try:
            Path("/proc/self/loginuid").write_text(str(NOBODY))
        except OSError as error:
            return -1, error.errno or 0
        run("/bin/true")
        return int(Path("/proc/self/loginuid").read_text()), int(Path("/proc/self/sessionid").read_text())

    seen = provoke(act)
    if seen.truth[0] < 0:
        pytest.skip(f"the login user cannot be set: {os.strerror(seen.truth[1])}")
    created = one(seen.of(ProcessCreate))
    assert (extra(created)["LoginUid"], created.TerminalSessionId) == seen.truth
    assert extra(created)["LoginUser"] == "nobody"


def test_a_process_on_a_terminal_names_it(provoke: Stage) -> None:
    def act() -> str:
        pty.openpty()  # so that the number of the next one is not 0
        _, end = pty.openpty()
        os.set_inheritable(end, True)

        def in_session() -> None:
            os.setsid()
            fcntl.ioctl(end, termios.TIOCSCTTY, 0)
            os.execv("/bin/true", ["true"])

        forked(in_session)
        return os.ttyname(end)

    seen = provoke(act)
    created = one(seen.of(ProcessCreate))
    assert extra(created)["Terminal"] == seen.truth.removeprefix("/dev/").replace("/", "")
    assert created.LogonGuid == this_machine().logon_guid(0, extra(created)["Terminal"])


def test_namespaces_are_told_by_their_numbers(provoke: Stage) -> None:
    def act() -> tuple[int, int, int]:
        pid = run_and_get_pid()
        return os.stat("/proc/self/ns/pid").st_ino, os.stat("/proc/self/ns/mnt").st_ino, pid

    def run_and_get_pid() -> int:
        pid = os.posix_spawn("/bin/true", ["true"], os.environ)
        os.waitpid(pid, 0)
        return pid

    seen = provoke(act)
    facts = extra(one(seen.of(ProcessCreate)))
    assert (facts["PidNamespace"], facts["MountNamespace"], facts["NamespacePid"]) == seen.truth


def test_a_namespace_below_is_seen_and_the_innermost_number_is_told(provoke: Stage) -> None:
    def act() -> int:
        call("unshare", CLONE_NEWPID)
        number = os.stat("/proc/self/ns/pid").st_ino
        forked(lambda: os.execv("/bin/true", ["true"]))
        return number

    seen = provoke(act)
    facts = extra(one(seen.of(ProcessCreate)))
    assert facts["NamespacePid"] == 1
    assert facts["PidNamespace"] != seen.truth


def test_a_process_in_a_chroot_has_its_path_outside_and_names_its_root(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        own_mounts()
        bind("/", str(tmp_path))
        os.chroot(tmp_path)
        os.chdir("/etc")
        os.execv(TRUE, ["true"])

    created = one(provoke(lambda: forked(act)).of(ProcessCreate))
    assert (created.Image, extra(created)["Root"]) == (f"{tmp_path}{TRUE}", str(tmp_path))
    assert created.CurrentDirectory == f"{tmp_path}/etc"


def test_the_exit_status_or_the_signal_is_told(provoke: Stage) -> None:
    def act() -> None:
        forked(lambda: os._exit(7))
        for number in (signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            os.kill(pid, number)
            os.waitpid(pid, 0)

    ends = [e.extra for e in provoke(act).of(ProcessTerminate)]
    assert ends == [{"ExitCode": 7}, {"Signal": 9}, {"Signal": 3}, {"Signal": 15}, {"ExitCode": 0}]


def test_a_process_that_ends_by_a_thread_ends_once_with_its_status(provoke: Stage) -> None:
    def act() -> None:
        threads = [threading.Thread(target=time.sleep, args=(60,), daemon=True) for _ in range(3)]
        threads.append(threading.Thread(target=os._exit, args=(3,)))
        for thread in threads:
            thread.start()
        time.sleep(60)

    assert [e.extra for e in provoke(lambda: forked(act)).of(ProcessTerminate)] == [{"ExitCode": 3}, {"ExitCode": 0}]


def test_a_process_lives_as_long_as_its_last_thread(provoke: Stage) -> None:
    end_thread = {"x86_64": 60}.get(os.uname().machine, 93)

    def act() -> None:
        outside = host_pid()

        def last() -> None:
            wait_for_end_of_first(outside)
            run("/bin/true")
            os._exit(5)

        threading.Thread(target=last).start()
        ctypes.CDLL(None).syscall(end_thread, 9)

    seen = provoke(lambda: forked(act))
    created = one(seen.of(ProcessCreate))
    ends = [(e.ProcessId, e.extra) for e in seen.of(ProcessTerminate)]
    assert ends == [
        (created.ProcessId, {"ExitCode": 0}),
        (created.ParentProcessId, {"ExitCode": 5}),
        (seen.pid, {"ExitCode": 0}),
    ]


def test_a_process_whose_threads_end_one_by_one_has_the_status_that_its_parent_gets(provoke: Stage) -> None:
    end_thread = {"x86_64": 60}.get(os.uname().machine, 93)

    def end(status: int) -> None:
        ctypes.CDLL(None).syscall(end_thread, status)

    def end_after(pid: int) -> None:
        wait_for_end_of_first(pid)
        end(4)

    def act() -> int:
        pid = os.fork()
        if pid == 0:
            outside = host_pid()
            threading.Thread(target=lambda: end_after(outside)).start()
            end(9)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    seen = provoke(act)
    assert seen.truth in (4, 9)  # of the last thread, or, before 5.17, of the first
    assert [extra(e) for e in seen.of(ProcessTerminate)] == [{"ExitCode": seen.truth}, {"ExitCode": 0}]


def wait_for_end_of_first(pid: int) -> None:
    """Wait until the first thread of the process has ended."""
    while Path(f"/proc/self/task/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.001)


def test_a_thread_is_no_process(provoke: Stage) -> None:
    def act() -> None:
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()

    seen = provoke(act)
    assert seen.records_of(ForkRecord) == []
    assert [e.ProcessId for e in seen.of(ProcessTerminate)] == [seen.pid]
