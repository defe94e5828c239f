"""Records as bytes: which class reads them, and paths as the kernel walks them."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.layout.made_up import any_record

from pysmon.errors import RecordError
from pysmon.layout.record import Record
from pysmon.sensor.c_names import CONSTANTS
from pysmon.sensor.records import (
    FAMILIES,
    RECORDS,
    SCOPES,
    SETTINGS,
    ExecRecord,
    FlowRecord,
    components_of,
    decode,
    family_of,
    kernel_path,
)

NAMES = st.binary(min_size=1, max_size=20).filter(lambda n: b"/" not in n and b"\0" not in n)


@given(any_record())
def test_the_kind_says_which_class_reads_a_record(made: Record) -> None:
    assert type(decode(made.encode())) is type(made)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x00\x00", b"\x63\x00" + bytes(500), b"\xff\xff" + bytes(500)])
def test_a_record_of_no_known_kind_or_size_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError):
        decode(data)


def test_a_refusal_names_the_kind_and_the_place() -> None:
    known = ", ".join(map(str, RECORDS))
    with pytest.raises(RecordError, match=rf"^unknown record kind 99 at byte 3 \(expected one of {known}\)$"):
        decode(b"xxx\x63\x00" + bytes(99), 3)


def test_a_damaged_record_is_counted_in_the_family_that_it_claims() -> None:
    assert family_of(FlowRecord.make().encode()[:10]) == "network"
    assert family_of(ExecRecord.make().encode()[:2]) == "process"
    assert family_of(b"") == family_of(b"\xff\xff") == FAMILIES[0]


@given(st.lists(NAMES, min_size=1))
def test_a_path_of_any_bytes_comes_back_from_its_components(names: list[bytes]) -> None:
    path = b"/" + b"/".join(names)
    assert (
        kernel_path(components_of(path.decode("utf-8", "surrogateescape"))).encode("utf-8", "surrogateescape") == path
    )


@given(st.lists(NAMES))
def test_components_run_from_leaf_to_root_each_ended_by_nul(names: list[bytes]) -> None:
    path = posixpath.join("/", *(n.decode("utf-8", "surrogateescape") for n in names))
    assert components_of(path) == b"".join(n + b"\0" for n in reversed(names))


def test_the_root_has_no_components() -> None:
    assert (kernel_path(b""), components_of("/")) == ("/", b"")


def test_every_record_belongs_to_a_family_that_is_counted() -> None:
    assert {cls.layout.family for cls in RECORDS.values()} == set(FAMILIES)


def test_the_c_text_gets_every_family_and_scope_by_its_number() -> None:
    constants = dict(CONSTANTS)
    assert [constants[f"FAMILY_{name.upper().replace(' ', '_')}"] for name in FAMILIES] == list(range(len(FAMILIES)))
    assert [constants[f"SCOPE_{name.upper().replace(' ', '_')}"] for name in SCOPES[1:]] == list(range(1, len(SCOPES)))
    assert constants["SETTINGS_SIZE"] == SETTINGS.size == 40
