"""The file watch on a file system of our own: what it tells, whom it holds up, and that nobody is held for good."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pysmon.sensor.filewatch.magic import KINDS
from pysmon.sensor.filewatch.watch import FileWatch, record_of
from pysmon.sensor.filewatch.wire import (
    ALL,
    KEEP_FROM_OVERWRITING,
    KEEP_FROM_RUNNING,
    NAMED,
    OVERWRITE,
    PROGRAMS,
    WRITTEN,
    Message,
)
from pysmon.sensor.records import FileOverwriteRecord, FileWrittenRecord, kernel_path

pytestmark = pytest.mark.vm
PATIENCE = 30.0  # s, after which something is taken to have failed
Told = FileWrittenRecord | FileOverwriteRecord


@pytest.fixture
def watch(disk: Path) -> Iterator[FileWatch]:
    made = FileWatch([disk])
    yield made
    made.close()


def until(watch: FileWatch, true: Callable[[list[Told]], bool]) -> list[Told]:
    told: list[Told] = []
    give_up = time.monotonic() + PATIENCE
    while not true(told):
        assert time.monotonic() < give_up, f"it told no more than {told}"
        told += watch.turn()
        time.sleep(0.01)
    return told


def after(watch: FileWatch, *command: str) -> list[Told]:
    """What it tells of a command of the shell that ran to its end."""
    subprocess.run(["/bin/sh", "-c", *command], check=True)
    return settled(watch)


def started(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def settled(watch: FileWatch) -> list[Told]:
    """What it tells until it has nothing more to tell."""
    told = watch.turn()
    while not watch.catch_up():
        assert watch.alive
        told += watch.turn()
    return told + watch.turn() + watch.turn()


def test_a_program_is_told_once_it_is_written(watch: FileWatch, disk: Path) -> None:
    watch.want(PROGRAMS)
    settled(watch)
    (record,) = after(watch, f"cp /bin/true {disk}/program; echo text > {disk}/text; cat {disk}/program > /dev/null")
    assert isinstance(record, FileWrittenRecord)
    found = (disk / "program").stat()
    assert kernel_path(record.path) == str(disk / "program")
    assert (record.inode, record.file_size, record.change_time) == (found.st_ino, found.st_size, found.st_ctime_ns)
    assert (KINDS[record.program], record.token, record.mode) == ("ELF", 0, found.st_mode)
    assert record.device == os.major(found.st_dev) << 20 | os.minor(found.st_dev)
    assert (watch.due, watch.lost) == (1, 0)


def test_what_was_written_can_be_read_after_it_is_gone(watch: FileWatch, disk: Path) -> None:
    watch.want(ALL)
    settled(watch)
    (record,) = after(watch, f"echo secret > {disk}/f; rm {disk}/f")
    assert kernel_path(record.path) == str(disk / "f")
    assert Path(watch.held.find(record.device, record.inode, "")).read_bytes() == b"secret\n"


def test_what_was_run_can_be_read_after_it_is_gone(watch: FileWatch, disk: Path) -> None:
    shutil.copy("/bin/true", disk / "t")
    watch.want(ALL)
    settled(watch)
    assert after(watch, f"{disk}/t && rm {disk}/t") == []
    held = watch.held.find(0, 0, str(disk / "t"))
    assert Path(held).read_bytes() == Path("/bin/true").read_bytes()


def test_files_with_a_name_that_matters_are_told_whatever_they_hold(watch: FileWatch, disk: Path) -> None:
    watch.want(NAMED, ["/cron."])
    settled(watch)
    (disk / "cron.d").mkdir()
    (record,) = after(watch, f"echo 1 > {disk}/cron.d/a; cp /bin/true {disk}/b; cat {disk}/cron.d/a > {disk}/crond")
    assert kernel_path(record.path) == str(disk / "cron.d" / "a")


def test_what_nobody_asked_for_is_not_told(watch: FileWatch, disk: Path) -> None:
    watch.want(PROGRAMS)
    watch.want(0)
    settled(watch)
    assert after(watch, f"cp /bin/true {disk}/program") == []
    assert watch.due == 0


def test_a_new_program_runs_only_if_it_is_allowed(watch: FileWatch, disk: Path) -> None:
    watch.want(PROGRAMS | KEEP_FROM_RUNNING)
    settled(watch)
    for name, allow in (("good", True), ("bad", False)):
        running = started("/bin/sh", "-c", f"cp /bin/true {disk}/{name}; exec {disk}/{name}")
        (record,) = until(watch, bool)
        assert record.token
        watch.settle(record.token, kernel_path(record.path), allow=allow)
        assert (running.wait(PATIENCE) == 0) == allow
        assert (disk / name).exists() == allow
    assert watch.look() == []


def test_only_the_file_that_was_judged_is_removed(watch: FileWatch, disk: Path) -> None:
    watch.want(PROGRAMS | KEEP_FROM_RUNNING)
    settled(watch)
    (record,) = after(watch, f"cp /bin/true {disk}/p")
    (disk / "p").rename(disk / "q")
    (disk / "p").write_text("other\n")
    watch.settle(record.token, kernel_path(record.path), allow=False)
    with pytest.raises(PermissionError):
        subprocess.run([str(disk / "q")], check=True)
    assert (disk / "p").read_text() == "other\n"


def test_who_writes_over_a_file_waits_until_it_is_settled(watch: FileWatch, disk: Path) -> None:
    (disk / "f").write_text("precious")
    watch.want(KEEP_FROM_OVERWRITING)
    settled(watch)
    for allow in (False, True):
        writing = started("dd", "if=/dev/zero", f"of={disk}/f", "bs=1", "count=3", "conv=notrunc")
        (record,) = until(watch, bool)
        assert isinstance(record, FileOverwriteRecord)
        assert record.tgid == writing.pid
        assert record.flags & os.O_ACCMODE == os.O_WRONLY
        watch.settle(record.token, "", allow=allow)
        assert (writing.wait(PATIENCE) == 0) == allow
        assert (disk / "f").read_bytes() == (b"\0\0\0cious" if allow else b"precious")


def test_to_append_to_empty_or_to_begin_a_file_makes_nobody_wait(watch: FileWatch, disk: Path) -> None:
    (disk / "f").write_text("text")
    (disk / "empty").touch()
    watch.want(KEEP_FROM_OVERWRITING)
    settled(watch)
    script = f"cd {disk}; cat f; echo >> f; echo > f; dd if=f of=empty conv=notrunc; cp f new; rm f"
    assert after(watch, f"({script}) > /dev/null 2>&1") == []


def test_what_nobody_settles_is_allowed_in_the_end(watch: FileWatch, disk: Path) -> None:
    watch.want(PROGRAMS | KEEP_FROM_RUNNING)
    settled(watch)
    subprocess.run(["/bin/sh", "-c", f"cp /bin/true {disk}/p; exec {disk}/p"], check=True, timeout=PATIENCE)
    settled(watch)
    assert any("it was allowed" in told for told in watch.look())


def test_a_process_with_fanotify_that_hangs_is_ended_and_holds_nobody(disk: Path) -> None:
    watch = FileWatch([disk], silence=0.5)
    watch.want(PROGRAMS | KEEP_FROM_RUNNING)
    settled(watch)
    shutil.copy("/bin/true", disk / "p")  # by ourselves: that needs no permission
    os.kill(watch.pid, signal.SIGSTOP)
    held = os.fork()
    if held == 0:
        os.execv(disk / "p", ["p"])
    told: list[str] = []
    give_up = time.monotonic() + PATIENCE
    while not told and time.monotonic() < give_up:
        assert os.waitpid(held, os.WNOHANG) == (0, 0), "nobody was held up: this proves nothing"
        told = watch.look()
        time.sleep(0.05)
    assert told == ["the process that watches files does not answer: it was ended, and what it held up was allowed"]
    assert os.waitstatus_to_exitcode(os.waitpid(held, 0)[1]) == 0
    assert not watch.alive
    watch.close()


def test_it_is_idle_while_nothing_is_asked_for_and_nothing_is_held(watch: FileWatch, disk: Path) -> None:
    assert watch.idle
    watch.want(ALL)
    assert not watch.idle
    after(watch, f"echo x > {disk}/a")
    watch.want(0)
    assert not watch.idle
    watch.held.close()
    assert watch.idle


def test_the_end_of_the_process_with_fanotify_is_told(watch: FileWatch, disk: Path) -> None:
    watch.want(PROGRAMS)
    os.kill(watch.pid, signal.SIGKILL)
    until(watch, lambda _: not watch.alive)
    assert watch.look() == ["the process that watches files has ended: nothing is told of their content any more"]
    assert watch.turn() == []
    assert watch.look() == []
    watch.catch_up()


def test_it_ends_with_the_sensor(disk: Path) -> None:
    watch = FileWatch([disk])
    watch.want(PROGRAMS | KEEP_FROM_RUNNING)
    pid = watch.pid
    watch.close()
    watch.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    subprocess.run(["/bin/sh", "-c", f"cp /bin/true {disk}/p; exec {disk}/p"], check=True, timeout=PATIENCE)


def test_a_folder_that_cannot_be_marked_is_told(disk: Path) -> None:
    watch = FileWatch([disk / "none"])
    watch.want(PROGRAMS)
    settled(watch)
    assert watch.look() == [f"the files below {disk}/none are not watched: No such file or directory"]
    watch.close()


def test_a_thousand_programs_are_all_told(watch: FileWatch, disk: Path) -> None:
    watch.want(PROGRAMS)
    settled(watch)
    script = f"cd {disk}; for i in $(seq 1000); do echo '#!/bin/sh' > $i; done"
    writing = subprocess.Popen(["/bin/sh", "-c", script])
    told = until(watch, lambda told: len(told) == 1000)
    assert writing.wait() == 0
    assert {kernel_path(r.path) for r in told} == {str(disk / str(i)) for i in range(1, 1001)}
    assert (watch.due, watch.lost) == (1000, 0)


@pytest.mark.parametrize("flags", [0, os.O_WRONLY])
def test_a_record_is_made_whole(disk: Path, flags: int) -> None:
    kind = FileOverwriteRecord if flags else FileWrittenRecord
    file = os.open(disk / "f", os.O_RDWR | os.O_CREAT)
    os.write(file, b"#!/bin/sh")
    found = os.fstat(file)
    facts = {
        "tgid": 7,
        "tid": 7,
        "time": 5,
        "token": 9,
        "inode": found.st_ino,
        "file_size": 9,
        "change_time": found.st_ctime_ns,
        "device": os.major(found.st_dev) << 20 | os.minor(found.st_dev),
        "mode": found.st_mode,
        "program": KINDS.index("script"),
    }
    expected = kind.make(**facts, path=b"c\0b\0a\0", **({"flags": flags} if flags else {}))
    made = record_of(Message(OVERWRITE if flags else WRITTEN, flags, 7, 9, file=file), found, "/a/b/c", 5)
    assert made == expected
    assert made.encode() == expected.encode()
    os.close(file)


def test_files_that_are_told_at_once_are_each_held(watch: FileWatch, disk: Path) -> None:
    watch.want(ALL)
    settled(watch)
    told = after(watch, f"cd {disk}; for i in $(seq 300); do echo $i > f$i; rm f$i; done")
    held = [Path(watch.held.find(r.device, r.inode, "")).read_text() for r in told]
    assert held == [f"{number}\n" for number in range(1, 301)]
    assert (watch.due, watch.lost) == (300, 0)
