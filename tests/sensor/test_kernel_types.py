"""The kept part of the kernel's types: used only where it fits, and then programs are what they are without it."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sensor.test_btf import Made

from pysmon.sensor.btf import mark_of
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.kernel_types import KernelTypes
from pysmon.sensor.libbpf import library
from pysmon.sensor.loader import OBJECT, load

BUILD = struct.pack("<III4s", 4, 8, 3, b"GNU\0") + b"\1\2\3\4\5\6\7\x08"
OTHER_NOTE = struct.pack("<III4s", 4, 5, 0x101, b"Xen\0") + b"abcde\0\0\0"


class Machine:
    """A kernel that tells of itself below a folder."""

    def __init__(self, folder: Path) -> None:
        self.path, self.program = folder / "state" / "kernel.btf", folder / "sensor.bpf.o"
        self.types, self.notes = folder / "btf", folder / "notes"
        for made in (self.types, self.path.parent):
            made.mkdir()
        self.program.write_bytes(OBJECT.read_bytes())
        self.notes.write_bytes(OTHER_NOTE + BUILD)
        kernel = Made()
        kernel.struct("task_struct", 4, ("pid", kernel.integer("int"), 0))
        (self.types / "vmlinux").write_bytes(kernel.data)

    @property
    def kept(self) -> KernelTypes:
        return KernelTypes(self.path, self.program, types=self.types, notes=self.notes)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def fits(machine: Machine) -> bool:
    found = machine.kept.open()
    if found is None:
        return False
    with open(found, "rb") as file:
        return mark_of(file.read()).startswith(b"0102030405060708 ")


def test_what_was_made_fits_until_kernel_or_programs_are_others(machine: Machine) -> None:
    assert not fits(machine)
    assert machine.kept.make() == ""
    assert fits(machine)
    machine.notes.write_bytes(OTHER_NOTE + BUILD[:-1] + b"\x09")
    assert not fits(machine)
    machine.notes.write_bytes(BUILD)
    assert fits(machine)
    machine.program.write_bytes(OBJECT.read_bytes().replace(b"task_struct", b"task_strict"))
    assert not fits(machine)


def test_it_is_for_the_service_alone_and_nothing_else_is_left(machine: Machine) -> None:
    (machine.path.parent / "kernel.btf.new").write_bytes(b"of a run that was killed")
    assert machine.kept.make() == ""
    assert [path.name for path in machine.path.parent.iterdir()] == ["kernel.btf"]
    assert machine.path.stat().st_mode & 0o777 == 0o600


def link(path: Path) -> None:
    path.rename(path.with_name("there"))
    path.symlink_to("there")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.chmod(0o666),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:30]),
        lambda path: path.unlink(),
        link,
    ],
)
def test_what_somebody_else_could_have_written_is_not_used(machine: Machine, spoil: Callable[[Path], object]) -> None:
    assert machine.kept.make() == ""
    spoil(machine.path)
    assert not fits(machine)


def test_a_kernel_without_a_build_id_is_not_taken_for_another(machine: Machine) -> None:
    machine.notes.write_bytes(OTHER_NOTE)
    assert machine.kept.make() == "the kernel has no build id"
    assert not machine.path.exists()


def test_types_that_modules_have_are_left_to_be_looked_for_there(machine: Machine) -> None:
    module = Made()
    module.struct("unix_address", 4)
    (machine.types / "unix").write_bytes(module.data)
    assert machine.kept.make() == "types stand in modules"
    assert not machine.path.exists()


def test_what_keeps_it_from_being_made_is_told(machine: Machine) -> None:
    (machine.types / "vmlinux").write_bytes(b"no types")
    assert machine.kept.make() != ""
    machine.program.unlink()
    assert "No such file" in machine.kept.make() or machine.kept.make()
    assert not machine.path.exists()


@pytest.mark.vm
def test_fitted_to_the_part_every_program_is_what_it_is_fitted_to_the_whole(kernel: Sensor, tmp_path: Path) -> None:
    kept = KernelTypes(tmp_path / "kernel.btf", OBJECT)
    assert kept.make() == ""
    part = kept.open()
    assert part is not None
    with open(part, "rb"):
        assert loaded(f"/proc/self/fd/{part}") == loaded("")


@pytest.mark.vm
def test_where_the_part_is_no_good_the_whole_is_taken(kernel: Sensor, tmp_path: Path) -> None:
    (tmp_path / "kernel.btf").write_bytes(b"nothing")
    assert loaded(str(tmp_path / "kernel.btf")) == loaded("")


def loaded(types: str) -> tuple[dict[str, bytes], list[str]]:
    """The kernel's digests of the programs that it was given, and what serves what."""
    made, info, found = load(types=types), ctypes.create_string_buffer(16), {}
    try:
        for name, handle in made.object.programs.items():
            fd = library()[0].bpf_program__fd(handle)
            size = ctypes.c_uint32(len(info))
            if fd >= 0 and library()[0].bpf_obj_get_info_by_fd(fd, info, ctypes.byref(size)) == 0:
                found[name] = info.raw[8:16]
    finally:
        made.object.close()
    assert len(found) > 20
    return found, [str(service) for service in made.services]
