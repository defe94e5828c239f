"""Files that are mapped to be executed: every way to do so, and what looks like it."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import mmap
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.compiled import LITTLE, compiled
from tests.sensor.provoke import Stage, apart, call, error_of, extra, forked, mount, one, own_mounts, run

from pysmon.schema.catalogue import ImageLoad, ProcessCreate, ProcessTerminate
from pysmon.sensor.records import FAMILIES

pytestmark = pytest.mark.vm

TRUE, HERE = os.path.realpath("/bin/true"), os.path.realpath(sys.executable)
READ, WRITE, EXECUTE = mmap.PROT_READ, mmap.PROT_WRITE, mmap.PROT_EXEC
PAGE = mmap.PAGESIZE
ADD_READ_IMPLIES_EXEC = 0x400000
NOT_LIBRARIES = """<Sysmon schemaversion="4.90"><EventFiltering><ImageLoad onmatch="exclude">
<ImageLoaded condition="contains">.so</ImageLoaded></ImageLoad></EventFiltering></Sysmon>"""
ONLY_STRANGERS = """<Sysmon schemaversion="4.90"><EventFiltering><ImageLoad onmatch="include">
<Signed condition="is">false</Signed></ImageLoad></EventFiltering></Sysmon>"""


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A file of three pages that is no program: what is mapped need not be one."""
    path = tmp_path / "plain"
    path.write_bytes(bytes(3 * PAGE))
    return path


def map_file(path: Path | str, protection: int, flags: int = mmap.MAP_PRIVATE, *, size: int = PAGE) -> int:
    """The address of a new mapping of the file, which stays."""
    file = os.open(path, os.O_RDWR)
    try:
        return map_descriptor(file, protection, flags, size=size)
    finally:
        os.close(file)


def map_descriptor(file: int, protection: int, flags: int, *, size: int = PAGE) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    address = libc.mmap(None, ctypes.c_size_t(size), protection, flags, file, ctypes.c_long(0))
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    return int(address)


def protect(address: int, protection: int, *, size: int = PAGE) -> None:
    call("mprotect", ctypes.c_void_p(address), ctypes.c_size_t(size), protection)


def of_plain(found: list[ImageLoad], path: Path) -> list[ImageLoad]:
    return [e for e in found if e.ImageLoaded == str(path)]


def test_a_program_its_interpreter_and_its_libraries_are_told(provoke: Stage) -> None:
    seen = provoke(lambda: run(TRUE), read=False)  # it has ended long before its records are read
    begin, end = one(seen.of(ProcessCreate)), seen.of(ProcessTerminate)[0]
    loads = seen.of(ImageLoad)
    assert [extra(e)["How"] for e in loads] == ["executed", "interpreter", "mmap"]
    program, interpreter, library = loads
    assert program.ImageLoaded == TRUE
    assert os.path.basename(interpreter.ImageLoaded).startswith("ld-linux")
    assert os.path.basename(library.ImageLoaded).startswith("libc.so")
    for event in loads:
        assert (event.ProcessGuid, event.ProcessId) == (begin.ProcessGuid, begin.ProcessId)
        assert (event.Image, event.User, event.RuleName) == (TRUE, "root", "-")
        assert begin.UtcTime <= event.UtcTime <= end.UtcTime
        assert event.Hashes == f"SHA256={hashlib.sha256(Path(event.ImageLoaded).read_bytes()).hexdigest()}"
        assert extra(event)["MappedAt"].startswith("0x")
    assert seen.events.index(begin) < seen.events.index(program)


def test_the_package_that_owns_a_file_is_told(provoke: Stage) -> None:
    if not Path("/var/lib/dpkg/info").is_dir():
        pytest.skip("no package database of Debian here")
    for event in provoke(lambda: run(TRUE)).of(ImageLoad):
        assert (event.Signed, event.SignatureStatus) == ("true", "Valid")
        assert event.Signature == f"{event.Product} {event.FileVersion}"
        assert event.Product in ("coreutils", "libc6")
        assert "-" not in (event.Description, event.Company)
        assert len(extra(event)["BuildId"]) == 40


def test_a_changed_file_of_no_package_is_told_as_such(provoke: Stage, tmp_path: Path) -> None:
    copy = tmp_path / "true"
    shutil.copy(TRUE, copy)
    event = provoke(lambda: run(str(copy))).of(ImageLoad)[0]
    assert (event.ImageLoaded, event.Signed, event.Signature) == (str(copy), "false", "-")
    assert (event.SignatureStatus, event.FileVersion, event.Product) == ("Unavailable", "-", "-")


def test_a_library_of_ours_is_told_by_the_name_it_was_linked_under(provoke: Stage, tmp_path: Path) -> None:
    made = compiled(tmp_path, LITTLE, "-shared", "-fPIC", "-Wl,-soname,libtold.so.1", "-Wl,--build-id=0x1234")
    if made is None:
        pytest.skip("no C compiler here")
    seen = provoke(lambda: ctypes.CDLL(made) and None)
    event = one([e for e in seen.of(ImageLoad) if e.ImageLoaded == made])
    assert (event.Image, event.OriginalFileName) == (HERE, "libtold.so.1")
    assert (extra(event)["BuildId"], extra(event)["How"]) == ("1234", "mmap")


def test_a_static_program_is_told_alone(provoke: Stage, tmp_path: Path) -> None:
    program = compiled(tmp_path, LITTLE, "-static")
    if program is None:
        pytest.skip("no C compiler that links statically here")
    assert [e.ImageLoaded for e in provoke(lambda: run(program)).of(ImageLoad)] == [program]


def test_of_a_script_the_program_that_runs_it_is_told(provoke: Stage, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    names = [e.ImageLoaded for e in provoke(lambda: run(str(script))).of(ImageLoad)]
    assert names[0] == os.path.realpath("/bin/sh")
    assert str(script) not in names


WAYS: dict[str, tuple[Callable[[Path], int], str]] = {
    "private": (lambda path: map_file(path, READ | EXECUTE), "mmap"),
    "shared": (lambda path: map_file(path, READ | EXECUTE, mmap.MAP_SHARED), "mmap"),
    "writable": (lambda path: map_file(path, READ | WRITE | EXECUTE), "mmap"),
    "execute only": (lambda path: map_file(path, EXECUTE), "mmap"),
    "made executable": (lambda path: protected(map_file(path, READ)), "mprotect"),
    "written and made executable": (lambda path: protected(map_file(path, READ | WRITE)), "mprotect"),
}


def protected(address: int) -> int:
    protect(address, READ | EXECUTE)
    return address


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_is_mapped_to_be_executed_is_told_whatever_it_is(provoke: Stage, plain: Path, way: str) -> None:
    act, how = WAYS[way]
    seen = provoke(lambda: act(plain), read=False)
    event = one(of_plain(seen.of(ImageLoad), plain))
    assert (event.ProcessId, event.Image) == (seen.pid, HERE)
    assert (extra(event)["How"], extra(event)["MappedAt"]) == (how, f"{seen.truth:#x}")


def test_a_second_mapping_is_told_again_and_what_is_executable_already_is_not(provoke: Stage, plain: Path) -> None:
    def act() -> None:
        map_file(plain, READ | EXECUTE)
        address = map_file(plain, READ | EXECUTE)
        protect(address, READ | WRITE | EXECUTE)

    assert len(of_plain(provoke(act).of(ImageLoad), plain)) == 2


def test_an_old_personality_makes_executable_what_is_read(provoke: Stage, plain: Path) -> None:
    def act() -> None:
        call("personality", ctypes.c_ulong(ADD_READ_IMPLIES_EXEC))
        map_file(plain, READ)

    assert len(of_plain(provoke(lambda: apart(act)).of(ImageLoad), plain)) == 1


def test_memory_without_a_name_is_told_with_what_it_was_called(provoke: Stage) -> None:
    def act() -> None:
        file = os.memfd_create("odd")
        os.write(file, bytes(PAGE))
        map_descriptor(file, READ | EXECUTE, mmap.MAP_PRIVATE)

    event = one(provoke(act).of(ImageLoad))
    assert event.ImageLoaded == "/memfd:odd (deleted)"
    assert (event.Signed, event.SignatureStatus) == ("false", "Unavailable")


def test_a_deleted_file_is_told_as_such(provoke: Stage, plain: Path) -> None:
    def act() -> None:
        file = os.open(plain, os.O_RDONLY)
        plain.unlink()
        map_descriptor(file, READ | EXECUTE, mmap.MAP_PRIVATE)

    assert one(provoke(act).of(ImageLoad)).ImageLoaded == f"{plain} (deleted)"


def test_what_executes_no_file_is_not_told(provoke: Stage, plain: Path) -> None:
    def act() -> None:
        map_file(plain, READ)
        map_file(plain, READ | WRITE, mmap.MAP_SHARED)
        protect(map_file(plain, READ), READ | WRITE)
        for flags in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            nothing = map_descriptor(-1, READ | WRITE | EXECUTE, flags | mmap.MAP_ANONYMOUS)
            protect(nothing, READ)
            protect(nothing, READ | EXECUTE)
        map_file("/dev/zero", READ | EXECUTE)
        plain.read_bytes()

    assert provoke(act).of(ImageLoad) == []


def test_what_is_refused_is_not_told(provoke: Stage, plain: Path, tmp_path: Path) -> None:
    def act() -> None:
        own_mounts()
        mount("tmpfs", str(tmp_path), "tmpfs")
        call("mount", None, os.fsencode(tmp_path), None, ctypes.c_ulong(0x20 | 0x8), None)  # remount, noexec
        plain.write_bytes(bytes(PAGE))
        assert error_of(map_file, plain, READ | EXECUTE) == errno.EPERM
        assert error_of(protect, map_file(plain, READ), READ | EXECUTE) == errno.EACCES

    assert provoke(act).of(ImageLoad) == []


def test_on_a_file_system_that_stacks_the_path_is_the_one_that_is_seen(provoke: Stage, tmp_path: Path) -> None:
    def act() -> str:
        own_mounts()
        mount("tmpfs", str(tmp_path), "tmpfs")
        lower, upper, work, merged = (tmp_path / name for name in ("lower", "upper", "work", "merged"))
        for folder in (lower, upper, work, merged):
            folder.mkdir()
        shutil.copy(TRUE, lower / "true")
        options = f"lowerdir={lower},upperdir={upper},workdir={work}".encode()
        call("mount", b"o", os.fsencode(merged), b"overlay", ctypes.c_ulong(0), options)
        (merged / "plain").write_bytes(bytes(PAGE))
        map_file(merged / "plain", READ | EXECUTE)
        run(str(merged / "true"))
        return str(merged)

    def tried() -> str:
        try:
            return act()
        except OSError as error:
            return f"skip: {error}"

    seen = provoke(lambda: apart(tried))
    if seen.truth.startswith("skip: "):
        pytest.skip(f"no overlay can be mounted here: {seen.truth}")
    names = [e.ImageLoaded for e in seen.of(ImageLoad)]
    assert names[:2] == [f"{seen.truth}/plain", f"{seen.truth}/true"]


def test_rules_filter_it(provoke: Stage) -> None:
    seen = provoke(lambda: run(TRUE), NOT_LIBRARIES)
    assert [e.ImageLoaded for e in seen.of(ImageLoad)] == [TRUE]
    count = seen.families["image load"]
    assert (count.seen, count.kept, count.filtered, count.lost) == (3, 1, 2, 0)


def test_rules_filter_by_what_is_known_of_the_file(provoke: Stage, plain: Path) -> None:
    def act() -> None:
        run(TRUE)
        map_file(plain, READ | EXECUTE)

    loads = provoke(act, ONLY_STRANGERS).of(ImageLoad)
    assert str(plain) in [e.ImageLoaded for e in loads]
    if Path("/var/lib/dpkg/info").is_dir():
        assert len(loads) == 1


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage, plain: Path) -> None:
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(lambda: forked(lambda: map_file(plain, READ | EXECUTE)))
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.families["image load"].seen == 0
