"""What the machine tells of itself, and what it does not."""

from __future__ import annotations

import time
from pathlib import Path

from pysmon.host.machine import boot_id, boot_time, clock_offset, host_name, machine_id, this_machine


def laid_out(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_machine_id_is_the_first_eight_digits(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("b635b3db00112233445566778899aabb\n")
    assert machine_id(tmp_path) == 0xB635B3DB


def test_dbus_knows_the_machine_id_where_etc_does_not(tmp_path: Path) -> None:
    root = laid_out(tmp_path, var__lib__dbus__x="", etc__x="")
    (root / "etc/machine-id").write_text("uninitialized\n")
    (root / "var/lib/dbus/machine-id").write_text("00000012ffffffffffffffffffffffff\n")
    assert machine_id(root) == 0x12


def test_what_is_not_told_is_zero(tmp_path: Path) -> None:
    machine = this_machine(tmp_path)
    assert (machine.machine_id, machine.boot_id, machine.boot_time) == (0, 0, 0)


def test_boot_id_and_boot_time_are_the_kernels(tmp_path: Path) -> None:
    root = laid_out(
        tmp_path,
        proc__sys__kernel__random__boot_id="00000000-0000-0000-0000-0000000000ff\n",
        proc__stat="cpu  1 2 3\nbtime 1795244300\nprocesses 5\n",
    )
    assert boot_id(root) == 0xFF
    assert boot_time(root) == 1795244300_000_000_000


def test_the_clock_offset_turns_time_since_boot_into_the_wall_clock() -> None:
    before = time.time_ns()
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + clock_offset()
    after = time.time_ns()
    assert before - 1_000_000_000 < now < after + 1_000_000_000


def test_the_host_has_a_name() -> None:
    assert host_name()
