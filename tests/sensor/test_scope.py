"""Whom the sensor watches: nobody else, and nobody before it is told to."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.sensor.provoke import SETTLE, Held, Stage, extra, forked, host_pid, one, run

from pysmon.errors import MisuseError
from pysmon.schema.catalogue import FileCreate, FileDelete, ProcessCreate, ProcessTerminate
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.records import SCOPES, SETTINGS
from pysmon.sensor.scope import CGROUP_ROOTS, Scope

kernel_needed = pytest.mark.vm


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A new cgroup without processes."""
    root = next(
        (r for r in CGROUP_ROOTS if (r / "cgroup.procs").exists() and (r / "cgroup.controllers").exists()), None
    )
    if root is None:
        pytest.skip("no cgroup2 is mounted")
    made = root / f"pysmon-test-{os.getpid()}"
    try:
        made.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made in {root}: {error.strerror}")
    yield made
    for folder in (made / "inner", made):
        if folder.exists():
            folder.rmdir()


def all_sorts(folder: Path, name: str) -> None:
    """Something of each family but the network."""
    run("/bin/true", name)
    (folder / name).touch()
    (folder / name).unlink()


def joined(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


@kernel_needed
def test_nobody_is_watched_until_a_scope_is_set(provoke: Stage, tmp_path: Path) -> None:
    seen = provoke(lambda: all_sorts(tmp_path, "x"), scope=lambda _: Scope("nobody"))
    assert seen.records == []
    assert {count.seen for count in seen.families.values()} == {0}


@kernel_needed
def test_a_pid_namespace_is_watched_and_what_is_outside_is_not(provoke: Stage, tmp_path: Path) -> None:
    seen = provoke(lambda: all_sorts(tmp_path, "in"), beside=lambda: all_sorts(tmp_path, "out"))
    assert [e.CommandLine for e in seen.of(ProcessCreate)] == ["/bin/true in"]
    assert [e.TargetFilename for e in seen.of(FileCreate)] == [f"{tmp_path}/in"]
    assert [e.TargetFilename for e in seen.of(FileDelete)] == [f"{tmp_path}/in"]


@kernel_needed
def test_a_pid_namespace_keeps_its_number_while_it_is_watched(kernel: Sensor) -> None:
    held = Held(lambda: None)
    scope = Scope.of_pid_namespace(held.pid)
    kernel.watch(scope)
    try:
        held.release()
        held.end()
        others = [Held(lambda: None) for _ in range(8)]
        numbers = {Scope.of_pid_namespace(other.pid).namespace for other in others}
        for other in others:
            other.end()
        assert scope.namespace not in numbers
        assert _kind(kernel) == SCOPES.index("pid namespace")
        kernel.watch(scope)
        assert _kind(kernel) == SCOPES.index("nobody")  # it has ended: the number may be that of others from now on
    finally:
        kernel.watch(Scope("nobody"))
        time.sleep(SETTLE)
        while kernel.read():
            pass


def _kind(kernel: Sensor) -> int:
    """What the kernel was told to watch: the first number of its settings."""
    (kind,) = struct.unpack_from("<I", kernel._settings.lookup(bytes(4), SETTINGS.size) or bytes(4))
    return int(kind)


def test_a_process_of_no_namespace_holds_none() -> None:
    assert Scope("pid namespace", namespace=1, member=os.getpid()).hold() == -1
    assert Scope.machine().hold() == -1
    held = Scope.of_pid_namespace(os.getpid()).hold()
    assert os.fstat(held).st_ino == os.stat("/proc/self/ns/pid").st_ino
    os.close(held)


@kernel_needed
def test_a_process_tree_is_watched_and_an_older_child_is_not(provoke: Stage, tmp_path: Path) -> None:
    gate, open_gate = os.pipe()
    over, tell = os.pipe()

    def before() -> None:
        if os.fork() == 0:
            os.read(gate, 1)
            all_sorts(tmp_path, "older")
            os.write(tell, b"x")
            os._exit(0)

    def act() -> None:
        forked(lambda: all_sorts(tmp_path, "child"))
        forked(lambda: forked(lambda: all_sorts(tmp_path, "grandchild")))
        os.write(open_gate, b"x")
        os.read(over, 1)

    seen = provoke(act, before=before, beside=lambda: all_sorts(tmp_path, "beside"), scope=Scope.of_tree)
    assert {e.CommandLine for e in seen.of(ProcessCreate)} == {"/bin/true child", "/bin/true grandchild"}
    made = {os.path.basename(e.TargetFilename) for e in seen.of(FileCreate)}
    gone = {os.path.basename(e.TargetFilename) for e in seen.of(FileDelete)}
    assert made == gone == {"child", "grandchild"}


@kernel_needed
def test_an_orphan_stays_in_its_tree(provoke: Stage, tmp_path: Path) -> None:
    def act() -> int:
        """The root of the tree is not the first process of the namespace, which adopts the orphan."""
        over, tell = os.pipe()

        def middle() -> None:
            if os.fork() == 0:
                while os.getppid() != 1:
                    pass
                run("/bin/true", "orphan")
                os.write(tell, b"%d" % host_pid())
                os._exit(0)

        forked(middle)
        return int(os.read(over, 20))

    seen = provoke(act, scope=Scope.of_tree)
    created = one(seen.of(ProcessCreate))
    assert (created.CommandLine, created.ParentProcessId) == ("/bin/true orphan", seen.truth)


@kernel_needed
def test_a_number_that_is_used_again_does_not_bring_a_stranger_into_the_tree(provoke: Stage) -> None:
    seen = provoke(lambda: run("/bin/true"), scope=Scope.of_tree)
    ended = [e.ProcessId for e in seen.of(ProcessTerminate)]
    again = provoke(lambda: run("/bin/true"), scope=lambda _: Scope.of_tree(ended[0]))
    assert again.records == []


@kernel_needed
def test_the_last_scope_is_the_only_one(kernel: Sensor, tmp_path: Path) -> None:
    first, second = (Held(partial(all_sorts, tmp_path, name)) for name in ("first", "second"))
    try:
        kernel.watch(Scope.of_tree(first.pid))
        kernel.watch(Scope.of_tree(second.pid))
        for held in (first, second):
            held.release()
            while not held.finished():
                pass
    finally:
        first.end()
        second.end()
        kernel.watch(Scope("nobody"))
    seen = b"".join(rest(kernel))
    assert b"second\0" in seen
    assert b"first\0" not in seen


def rest(kernel: Sensor) -> Iterator[bytes]:
    time.sleep(SETTLE)
    while more := kernel.read():
        yield from more


@kernel_needed
def test_a_cgroup_is_watched_with_those_below_it(provoke: Stage, tmp_path: Path, cgroup: Path) -> None:
    (cgroup / "inner").mkdir()

    def in_groups() -> None:
        command = ("/bin/sh", "-c", f"echo x >{tmp_path}/new; /bin/rm {tmp_path}/new; :")
        run(*command)
        for group in (cgroup, cgroup / "inner"):
            joined(group)
            run(*command)
        joined(cgroup.parent)

    seen = provoke(in_groups, scope=lambda _: Scope.of_cgroup(cgroup))
    shell = os.path.basename(os.path.realpath("/bin/sh"))
    places = [f"/{cgroup.name}", f"/{cgroup.name}/inner"]
    for kind, images in ((ProcessCreate, [shell, "rm"]), (FileCreate, [shell]), (FileDelete, ["rm"])):
        told = [(extra(e)["CgroupPath"], os.path.basename(e.text("Image"))) for e in seen.of(kind)]
        assert told == [(place, image) for place in places for image in images]


@kernel_needed
def test_what_runs_in_a_cgroup_already_is_known(provoke: Stage, cgroup: Path) -> None:
    seen = provoke(lambda: run("/bin/true"), before=lambda: joined(cgroup), scope=lambda _: Scope.of_cgroup(cgroup))
    created = one(seen.of(ProcessCreate))
    assert created.ParentImage.endswith(os.path.basename(os.path.realpath("/proc/self/exe")))
    assert {extra(e)["CgroupPath"] for e in seen.of(ProcessTerminate)} == {f"/{cgroup.name}"}


def test_a_kind_of_scope_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(MisuseError, match="no such scope: 'planet'") as refused:
        Scope("planet")
    assert refused.value.hint == "one of: machine, tree, pid namespace, cgroup"


@pytest.mark.parametrize("path", ["/", "/etc", "/sys/fs/cgroup/absent", "/sys/fs/cgroup/cgroup.procs"])
def test_a_path_that_is_no_cgroup_is_refused(path: str) -> None:
    with pytest.raises(MisuseError, match="is no directory of a cgroup"):
        Scope.of_cgroup(Path(path))


def test_a_pid_namespace_is_named_by_any_of_its_processes() -> None:
    assert Scope.of_pid_namespace(os.getpid()).namespace == os.stat("/proc/self/ns/pid").st_ino
