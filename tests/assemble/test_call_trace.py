"""CallTrace out of the frames that the kernel walked."""

from __future__ import annotations

import struct

import pytest

from pysmon.assemble.call_trace import call_trace
from pysmon.sensor.memory_records import ANONYMOUS, FILE, NAMELESS, NOWHERE, PLACE
from pysmon.sensor.records import AccessRecord, components_of

LIBC, PYTHON = components_of("/usr/lib/libc.so.6"), components_of("/usr/bin/python3")


def trace(*frames: tuple[int, int, int, bytes], cut: int = 0) -> str:
    """Of address, offset, region and path (empty: that of the frame before)."""
    places = b"".join(PLACE.pack(offset, region, len(path)) for _, offset, region, path in frames)
    return call_trace(
        AccessRecord.make(
            addresses=struct.pack(f"<{len(frames)}Q", *(f[0] for f in frames)),
            places=places[: len(places) - cut * PLACE.size],
            modules=b"".join(f[3] for f in frames),
        )
    )


def test_a_frame_is_a_file_and_an_offset() -> None:
    assert trace((0x7F0012345678, 0x9D4B4, FILE, LIBC)) == "/usr/lib/libc.so.6+9d4b4"


def test_frames_follow_each_other_the_innermost_first() -> None:
    found = trace(
        (1, 0x10, FILE, LIBC), (2, 0x20, FILE, b""), (0x7F1F6D40B90, 0, ANONYMOUS, b""), (3, 0x30, FILE, PYTHON)
    )
    assert found == ("/usr/lib/libc.so.6+10|/usr/lib/libc.so.6+20|UNKNOWN(000007F1F6D40B90)|/usr/bin/python3+30")


def test_code_of_a_file_without_a_name_says_so() -> None:
    assert trace((1, 0, NAMELESS, b"memfd:x\0")) == "/memfd:x (deleted)+0"


def test_no_stack_is_a_dash() -> None:
    assert trace() == "-"


@pytest.mark.parametrize("cut", [1, 2])
def test_frames_without_a_place_are_left_out(cut: int) -> None:
    assert trace((1, 1, FILE, LIBC), (2, 2, FILE, b""), cut=cut).count("+") == 2 - cut


def test_the_trace_ends_where_the_walk_went_astray() -> None:
    assert trace((1, 1, FILE, LIBC), (2, 0, NOWHERE, b""), (3, 3, FILE, b"")) == "/usr/lib/libc.so.6+1"


def test_where_no_region_is_known_all_frames_are_told() -> None:
    assert trace((1, 0, NOWHERE, b""), (2, 0, NOWHERE, b"")) == "UNKNOWN(0000000000000001)|UNKNOWN(0000000000000002)"
