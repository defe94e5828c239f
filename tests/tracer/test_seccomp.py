"""The filter: at which system calls the kernel stops a process. Its instructions are carried out here by the book."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.tracer.calls import ARCHITECTURES, calls
from pysmon.tracer.seccomp import program

ALLOW, TRACE = 0x7FFF0000, 0x7FF00000
O_CREAT = 0o100


def verdict(instructions: bytes, number: int, arguments: tuple[int, ...], architecture: int) -> int:
    """Classic BPF over struct seccomp_data; only what the filter uses."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(*arguments, *[0] * 6)[:6])
    at, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = struct.unpack_from("<HBBI", instructions, 8 * at)
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == 0x15:
            at += if_true if accumulator == value else if_false
        elif code == 0x45:
            at += if_true if accumulator & value else if_false
        else:
            assert code == 0x06
            return int(value)


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_calls_of_interest_stop_and_only_with_the_flags_that_matter(machine: str) -> None:
    architecture = ARCHITECTURES[machine]
    known = calls(machine)
    made = program(known.values(), machine)
    for call in known.values():
        if not call.always:
            continue
        if call.only_if is None:
            assert verdict(made, call.number, (0,) * 6, architecture) == TRACE, call.name
            continue
        argument, bits = call.only_if
        with_bits = tuple(bits if i == argument else 0 for i in range(6))
        without = tuple(0 if i == argument else 0xFFFF for i in range(6))
        assert verdict(made, call.number, with_bits, architecture) == TRACE, call.name
        assert verdict(made, call.number, without, architecture) == ALLOW, call.name


@given(st.integers(0, 600), st.sampled_from(list(ARCHITECTURES)))
def test_no_other_call_is_held_up(number: int, machine: str) -> None:
    known = calls(machine)
    made = program(known.values(), machine)
    if number not in known or not known[number].always:
        assert verdict(made, number, (O_CREAT,) * 6, ARCHITECTURES[machine]) == ALLOW
    assert verdict(made, number, (O_CREAT,) * 6, 0x40000003) == ALLOW  # of another architecture


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_calls_that_all_files_have_are_never_held_up_and_those_for_names_only_if_names_are_wanted(machine: str) -> None:
    architecture = ARCHITECTURES[machine]
    whole, without = calls(machine), calls(machine, families=("network", "file create"))
    for_names = {call.name for number, call in whole.items() if number not in without}
    assert for_names == {"recvfrom", "recvmsg", "recvmmsg", "read", "readv", "write", "writev", "close"}
    for call in whole.values():
        held_up = verdict(program(whole.values(), machine), call.number, (O_CREAT,) * 6, architecture) == TRACE
        assert held_up == (call.name not in ("read", "readv", "write", "writev", "close")), call.name
        if call.name in for_names:
            assert verdict(program(without.values(), machine), call.number, (0,) * 6, architecture) == ALLOW


def test_the_numbers_are_those_of_this_machine() -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers in this test are those of x86-64")
    named = {call.name: call.number for call in calls().values()}
    assert (named["openat"], named["connect"], named["unlinkat"], named["openat2"]) == (257, 42, 263, 437)
    assert (named["sendmmsg"], named["recvmmsg"], named["recvmsg"], named["close"]) == (307, 299, 47, 3)
    assert "open" not in {call.name for call in calls("aarch64").values()}
