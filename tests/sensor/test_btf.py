"""A part of type information says of its types what the whole says."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.sensor.btf import Btf, BtfError, essential, mark_of, names_asked_for, part_of
from pysmon.sensor.loader import OBJECT

KERNEL = Path("/sys/kernel/btf/vmlinux")
INT, PTR, ARRAY, STRUCT, ENUM, FWD, TYPEDEF, CONST, PROTO = 1, 2, 3, 4, 6, 7, 8, 10, 13
Member = tuple[str, int, int]  # name, number of its type, place in bits


class Made:
    """Type information that a test writes."""

    def __init__(self) -> None:
        self._types, self._texts, self.count = b"", b"\0", 0

    def _text(self, text: str) -> int:
        if not text:
            return 0
        self._texts += text.encode() + b"\0"
        return len(self._texts) - len(text) - 1

    def add(self, kind: int, name: str, last: int, count: int = 0, more: bytes = b"") -> int:
        self._types += struct.pack("<III", self._text(name), kind << 24 | count, last) + more
        self.count += 1
        return self.count

    def integer(self, name: str, size: int = 4) -> int:
        return self.add(INT, name, size, more=struct.pack("<I", size * 8))

    def struct(self, name: str, size: int, *members: Member) -> int:
        told = b"".join(struct.pack("<III", self._text(n), of, at) for n, of, at in members)
        return self.add(STRUCT, name, size, len(members), told)

    def array(self, of: int, index: int, length: int) -> int:
        return self.add(ARRAY, "", 0, more=struct.pack("<III", of, index, length))

    @property
    def data(self) -> bytes:
        head = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(self._types), len(self._types), len(self._texts))
        return head + self._types + self._texts


def told(btf: Btf, number: int) -> object:
    """All that libbpf can read of a type from there on, whatever its number."""
    if not number:
        return "void"
    name, kind, count, last = btf.head(number)
    at, text = btf.places[number], btf.text(name)
    if kind == PTR:
        return "pointer"
    if kind in (TYPEDEF, CONST, 9, 11, 18):
        return kind, text, told(btf, last)
    if kind == ARRAY:
        of, index, length = struct.unpack_from("<III", btf.data, at + 12)
        return kind, told(btf, of), told(btf, index), length
    if kind in (STRUCT, 5):
        members = [struct.unpack_from("<III", btf.data, at + 12 + 12 * i) for i in range(count)]
        return kind, text, last, [(btf.text(n), told(btf, of), place) for n, of, place in members]
    size = {ENUM: 8, 19: 12}.get(kind, 0)
    values = [btf.data[at + 12 + size * i : at + 12 + size * (i + 1)] for i in range(count)] if size else []
    own = [(btf.text(struct.unpack_from("<I", value)[0]), value[4:]) for value in values]
    return kind, text, last, own, btf.data[at + 12 : at + 16] if kind == INT else b""


def named(btf: Btf, *names: str) -> list[object]:
    return [told(btf, number) for number, _ in btf.named(frozenset(n.encode() for n in names))]


def test_what_is_in_a_type_comes_with_it_and_what_it_points_to_does_not() -> None:
    made = Made()
    whole = made.integer("int")
    far = made.struct("far", 400, ("big", whole, 0))
    pointer = made.add(PTR, "", far)
    near = made.struct("near", 4, ("n", whole, 0))
    row = made.array(made.add(CONST, "", near), whole, 3)
    made.struct("root", 24, ("p", pointer, 0), ("row", row, 64), ("", made.add(TYPEDEF, "near_t", near), 160))
    made.struct("other", 4, ("n", whole, 0))
    part, missing = part_of(Btf.read(made.data), frozenset([b"root"]), b"mark")
    found = Btf.read(part)
    assert missing == frozenset()
    assert named(found, "root") == named(Btf.read(made.data), "root")
    assert named(found, "near") == named(Btf.read(made.data), "near")
    assert named(found, "far", "other") == []
    assert mark_of(part) == b"mark"


def test_all_types_of_a_name_are_there_in_their_order_those_with_a_suffix_too() -> None:
    made = Made()
    whole = made.integer("int")
    made.add(FWD, "root", 0)
    made.struct("root", 4, ("first", whole, 0))
    made.struct("rooted", 4, ("no", whole, 0))
    made.struct("root___old", 4, ("second", whole, 0))
    made.struct("root", 8, ("third", whole, 32))
    both = Btf.read(part_of(Btf.read(made.data), frozenset([b"root"]), b"")[0]), Btf.read(made.data)
    assert named(both[0], "root") == named(both[1], "root")
    assert len(named(both[0], "root")) == 4
    assert named(both[0], "rooted") == []


def test_a_type_that_holds_itself_by_a_pointer_has_an_end() -> None:
    made = Made()
    made.add(PTR, "", 2)
    made.struct("list", 8, ("next", 1, 0))
    part, _ = part_of(Btf.read(made.data), frozenset([b"list"]), b"")
    assert named(Btf.read(part), "list") == [(STRUCT, b"list", 8, [(b"next", "pointer", 0)])]


def test_names_that_no_type_has_are_told() -> None:
    made = Made()
    made.integer("int")
    assert part_of(Btf.read(made.data), frozenset([b"int", b"none"]), b"")[1] == {b"none"}


def test_a_suffix_is_what_follows_three_underscores() -> None:
    assert [essential(name) for name in (b"sock", b"sock___old", b"sock_common", b"x__y")] == [
        *(b"sock", b"sock"),
        *(b"sock_common", b"x__y"),
    ]


def test_the_programs_name_the_types_that_they_read() -> None:
    names = names_asked_for(OBJECT.read_bytes())
    assert {b"task_struct", b"file", b"inode", b"linux_binprm"} <= names
    assert all(name and b"___" not in name for name in names)


@pytest.mark.vm
@pytest.mark.usefixtures("kernel")
def test_of_this_kernel_a_part_says_the_same_of_all_that_the_programs_name() -> None:
    whole, names = Btf.read(KERNEL.read_bytes()), names_asked_for(OBJECT.read_bytes())
    part, missing = part_of(whole, names, b"here")
    found = Btf.read(part)
    texts = [name.decode() for name in sorted(names)]
    assert len(part) < len(whole.data) / 10
    assert named(found, *texts) == named(whole, *texts)
    assert {name for _, name in found.named(names)} == names - missing


@given(st.binary(max_size=80))
def test_anything_else_is_refused_or_read(data: bytes) -> None:
    for head in (b"", struct.pack("<HBBI", 0xEB9F, 1, 0, 24)):
        assert mark_of(data) == b""
        try:
            Btf.read(head + data)
        except BtfError:
            continue


@pytest.mark.parametrize("cut", [0, 10, 70, 5000])
def test_no_object_file_is_refused(cut: int) -> None:
    with pytest.raises(BtfError):
        names_asked_for(OBJECT.read_bytes()[:cut])
