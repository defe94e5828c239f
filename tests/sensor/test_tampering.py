"""Programs without a name in any directory: made in memory, or deleted before they ran."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.sensor.provoke import Stage, forked, host_pid, one, run

from pysmon.schema.catalogue import ProcessCreate, ProcessTampering, ProcessTerminate

pytestmark = pytest.mark.vm

TRUE = os.path.realpath("/bin/true")
ONLY_MEMORY = """<Sysmon schemaversion="4.90"><EventFiltering><ProcessTampering onmatch="include">
<Image condition="begin with">/memfd:</Image></ProcessTampering></EventFiltering></Sysmon>"""


def from_memory(folder: Path) -> None:
    fd = os.memfd_create("evil", 0)
    os.write(fd, Path(TRUE).read_bytes())
    os.execve(fd, ["true"], {})


def without_a_name(folder: Path) -> None:
    fd = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o700)
    os.write(fd, Path(TRUE).read_bytes())
    readable = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    os.close(fd)  # a file that is open to be written cannot be executed
    os.execve(readable, ["true"], {})


def deleted(folder: Path) -> None:
    shutil.copy(TRUE, folder / "gone")
    fd = os.open(folder / "gone", os.O_RDONLY)
    os.unlink(folder / "gone")
    os.execve(fd, ["true"], {})


WAYS: dict[str, tuple[Callable[[Path], None], str]] = {
    "memfd": (from_memory, "/memfd:evil (deleted)"),
    "deleted": (deleted, "/gone (deleted)"),
    "never named": (without_a_name, " (deleted)"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_program_without_a_name_is_told(provoke: Stage, tmp_path: Path, way: str) -> None:
    run_it, name = WAYS[way]

    def act() -> int:
        told, tell = os.pipe()

        def child() -> None:
            os.write(tell, b"%d" % host_pid())
            run_it(tmp_path)

        forked(child)
        return int(os.read(told, 20))

    seen = provoke(act, read=False)
    event = one(seen.of(ProcessTampering))
    made = one([e for e in seen.of(ProcessCreate) if e.ProcessGuid == event.ProcessGuid])
    ends = {e.ProcessGuid: e for e in seen.of(ProcessTerminate)}
    assert (event.ProcessId, event.Type, event.User) == (seen.truth, "Image is replaced", "root")
    assert event.Image == made.Image == ends[event.ProcessGuid].Image
    assert event.Image.endswith(name)
    assert (event.UtcTime, event.RuleName) == (made.UtcTime, "-")


def test_a_program_with_a_name_is_not_told(provoke: Stage, tmp_path: Path) -> None:
    shutil.copy(TRUE, tmp_path / "a")
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "c").symlink_to("a")

    def act() -> None:
        os.unlink(tmp_path / "b")
        run(str(tmp_path / "a"))
        run(str(tmp_path / "c"))
        forked(lambda: os.execve(os.open(tmp_path / "a", os.O_RDONLY), ["true"], {}))
        os.unlink(tmp_path / "a")  # when it has run

    seen = provoke(act)
    assert len(seen.of(ProcessCreate)) == 3
    assert seen.of(ProcessTampering) == []


def test_a_file_in_memory_that_is_not_executed_is_not_told(provoke: Stage) -> None:
    def act() -> None:
        os.write(os.memfd_create("data"), b"x")
        run(TRUE)

    assert provoke(act).of(ProcessTampering) == []


def test_rules_filter_it(provoke: Stage, tmp_path: Path) -> None:
    def act() -> None:
        for way in (from_memory, deleted):
            forked(partial(way, tmp_path))

    seen = provoke(act, ONLY_MEMORY)
    assert one(seen.of(ProcessTampering)).Image == "/memfd:evil (deleted)"
