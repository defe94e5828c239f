"""Guids: Sysmon's layout, and never the same for two images."""

from __future__ import annotations

import hashlib
import re
import struct

from hypothesis import given
from hypothesis import strategies as st

from pysmon.host.guid import Machine, terminal_number

U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
IMAGES = st.tuples(U32, U64, U64)
MACHINE = Machine(0xC9EB4A87, 7, 0x637F4093 * 1_000_000_000)


def test_a_guid_has_the_machine_and_the_second_where_sysmon_puts_them() -> None:
    guid = MACHINE.process_guid(4005, 0, 1)
    assert re.fullmatch(r"\{c9eb4a87-4093-637f-[0-9a-f]{4}-[0-9a-f]{12}\}", guid)


def test_the_second_counts_from_the_boot() -> None:
    assert MACHINE.process_guid(1, 3_999_999_999, 1)[10:19] == "4096-637f"
    assert MACHINE.process_guid(1, 4_000_000_000, 1)[10:19] == "4097-637f"


@given(IMAGES)
def test_the_same_image_has_the_same_guid_from_any_machine_object(image: tuple[int, int, int]) -> None:
    twin = Machine(MACHINE.machine_id, MACHINE.boot_id, MACHINE.boot_time)
    assert MACHINE.process_guid(*image) == twin.process_guid(*image)


@given(st.lists(IMAGES, min_size=1, max_size=20), st.integers(0, 2**62))
def test_a_guid_is_its_parts_whatever_was_asked_for_before(images: list[tuple[int, int, int]], boot_time: int) -> None:
    machine = Machine(0xC9EB4A87, 7, boot_time)
    for tgid, start, exec_id in images:
        second = (boot_time + start) // 1_000_000_000
        told = struct.pack("<QQQQI", 7, 0, start, exec_id, tgid)
        key = hashlib.blake2b(told, digest_size=8).hexdigest()
        parts = f"c9eb4a87-{second & 0xFFFF:04x}-{second >> 16 & 0xFFFF:04x}-{key[:4]}-{key[4:]}"
        assert machine.process_guid(tgid, start, exec_id) == f"{{{parts}}}"


@given(st.lists(IMAGES, min_size=2, max_size=20, unique=True))
def test_different_images_have_different_keys(images: list[tuple[int, int, int]]) -> None:
    keys = {MACHINE.process_guid(*i)[20:] for i in images}
    assert len(keys) == len(images)


@given(U32, U64, st.integers(0, 2**64 - 2))
def test_each_program_of_a_process_has_its_own_guid_of_the_same_second(tgid: int, start: int, exec_id: int) -> None:
    first, second = MACHINE.process_guid(tgid, start, exec_id), MACHINE.process_guid(tgid, start, exec_id + 1)
    assert first != second
    assert first[:20] == second[:20]


def test_another_boot_gives_another_key() -> None:
    other = Machine(MACHINE.machine_id, 8, MACHINE.boot_time)
    assert other.process_guid(1, 2, 3)[20:] != MACHINE.process_guid(1, 2, 3)[20:]


def test_a_logon_guid_is_user_and_terminal_as_sysmon_writes_them() -> None:
    assert MACHINE.logon_guid(0, "pts1") == "{c9eb4a87-0000-0000-0000-000001000000}"
    assert Machine(0x6F0A2C1E, 0, 0).logon_guid(1000, "") == "{6f0a2c1e-0000-0000-e803-000000000000}"


def test_a_terminal_number_is_the_number_at_the_end() -> None:
    assert [terminal_number(t) for t in ("pts0", "pts12", "tty1", "ttyS3", "console", "")] == [0, 12, 1, 3, 0, 0]
