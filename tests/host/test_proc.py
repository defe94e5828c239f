"""What /proc tells, of ourselves and of made-up processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pysmon.host.proc import read_process, read_program, terminal_name


def process(proc: Path, tgid: int, *, name: str = "sh", ticks: int = 77, **files: bytes) -> Path:
    at = proc / str(tgid)
    at.mkdir(parents=True)
    fields = ["S", "1", "2", "3", str(136 << 8 | 4), *(["0"] * 14), str(ticks), "0", "0"]
    (at / "stat").write_text(f"{tgid} ({name}) {' '.join(fields)}\n")
    for file, content in files.items():
        (at / file).write_bytes(content)
    return at


def test_our_own_process_is_read_whole() -> None:
    found = read_process(os.getpid())
    assert found is not None
    assert found.exe == os.readlink("/proc/self/exe")
    assert found.directory == str(Path.cwd())
    assert found.args.split(b"\0")[0] == os.fsencode(sys.orig_argv[0])
    assert (found.parent_tgid, found.uid) == (os.getppid(), os.getuid())
    assert found.start_ticks > 0


def test_a_vanished_process_is_none(tmp_path: Path) -> None:
    assert read_process(5, tmp_path) is None


def test_a_process_without_texts_is_a_kernel_thread_or_not_ours_to_read(tmp_path: Path) -> None:
    process(tmp_path, 2, name="kthreadd")
    found = read_process(2, tmp_path)
    assert found is not None
    assert (found.exe, found.directory, found.args, found.cgroup) == ("", "", b"", "")
    assert (found.uid, found.login_uid, found.session) == (4294967295, 4294967295, 4294967295)


def test_a_name_with_brackets_and_spaces_does_not_shift_the_fields(tmp_path: Path) -> None:
    process(tmp_path, 9, name=") S 5 (x", ticks=1234)
    found = read_process(9, tmp_path)
    assert found is not None
    assert (found.parent_tgid, found.start_ticks, found.tty) == (1, 1234, "pts4")


def test_texts_come_as_they_stand(tmp_path: Path) -> None:
    at = process(
        tmp_path,
        9,
        cmdline=b"/bin/x\0-\xff\0\0\0",
        status=b"Name:\tx\nUid:\t1000\t0\t0\t0\n",
        loginuid=b"1001",
        sessionid=b"12\n",
        cgroup=b"1:cpu:/old\n0::/system.slice/ssh.service\n",
    )
    (at / "exe").symlink_to("/bin/x (deleted)")
    (at / "cwd").symlink_to("/home/joe")
    found = read_process(9, tmp_path)
    assert found is not None
    assert (found.exe, found.directory, found.args) == ("/bin/x (deleted)", "/home/joe", b"/bin/x\0-\xff\0")
    assert (found.uid, found.login_uid, found.session) == (1000, 1001, 12)
    assert found.cgroup == "/system.slice/ssh.service"


@pytest.mark.parametrize(
    ("number", "name"), [(0, ""), (136 << 8 | 4, "pts4"), (137 << 8 | 1, "pts257"), (136 << 8 | 1 << 20, "pts256")]
)
def test_terminals_have_the_kernels_names(number: int, name: str) -> None:
    assert terminal_name(number) == name


def test_other_terminals_are_named_by_the_kernels_devices(tmp_path: Path) -> None:
    (tmp_path / "4:65").symlink_to("../../devices/platform/serial8250/tty/ttyS1")
    assert terminal_name(4 << 8 | 65, tmp_path) == "ttyS1"
    assert terminal_name(4 << 8 | 66, tmp_path) == ""


def test_the_program_of_a_process_comes_with_the_time_of_its_start(tmp_path: Path) -> None:
    (process(tmp_path, 9, ticks=1234) / "exe").symlink_to("/bin/x (deleted)")
    assert read_program(9, str(tmp_path)) == (1234, "/bin/x (deleted)")
    process(tmp_path, 2, name="kthreadd")
    assert read_program(2, str(tmp_path)) == (77, "")
    assert read_program(5, str(tmp_path)) == (0, "")
