"""Paths and names out of records."""

from __future__ import annotations

import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.assemble.paths import command_line, known_path, target, text
from pysmon.sensor.records import components_of

PARTS = st.lists(st.sampled_from(["a", "bc", ".", "..", "", ".d", "e.", "..."]), max_size=6)


@pytest.mark.parametrize(
    ("directory", "name", "expected"),
    [
        ("/home/joe", b"a.txt\0", "/home/joe/a.txt"),
        ("/", b"/etc/x\0", "/etc/x"),
        ("/chroot", b"/etc/x\0", "/chroot/etc/x"),
        ("/home/joe", b"../ann/./b//c\0", "/home/ann/b/c"),
        ("/home/joe", b"../../../../x\0", "/x"),
        ("/", b"x\0", "/x"),
        ("/", b"//x\0", "/x"),
        ("/home/joe", b".hidden\0", "/home/joe/.hidden"),
        ("/home/joe", b"a\0garbage\0", "/home/joe/a"),
        ("/home/joe", b"\0", "-"),
        ("/home/joe", b"", "-"),
        ("/home/joe", b"\xff\xfe\0", "/home/joe/\udcff\udcfe"),
    ],
)
def test_a_name_is_made_absolute_by_its_text(directory: str, name: bytes, expected: str) -> None:
    assert target(b"", components_of(directory), name) == expected


def test_a_whole_path_goes_before_a_name() -> None:
    assert target(components_of("/a/b"), components_of("/c"), b"d\0") == "/a/b"


@given(PARTS, PARTS)
def test_a_relative_name_is_what_the_file_system_would_make_of_it_without_links(
    directory: list[str], name: list[str]
) -> None:
    given_name = "/".join(["x", *name])
    start = "/" + "/".join(p for p in directory if p.strip("."))
    expected = os.path.normpath(f"{start}/{given_name}").replace("//", "/")
    assert target(b"", components_of(start), given_name.encode() + b"\0") == expected


def test_no_components_are_no_path() -> None:
    assert known_path(b"") == "-"
    assert known_path(components_of("/usr/bin/x")) == "/usr/bin/x"


def test_a_text_ends_at_its_first_nul() -> None:
    assert [text(t) for t in (b"pts0\0", b"pts0", b"", b"a\0b\0")] == ["pts0", "pts0", "", "a"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (b"ls\0-l\0a b\0", "ls -l a b"),
        (b"echo\0\0", "echo "),
        (b"cut\0in the mid", "cut in the mid"),
        (b"\0", "-"),
        (b"", "-"),
        (b"x\0\xff\0", "x \udcff"),
        (b'say\0"a"\0\n\0', 'say "a" \n'),
    ],
)
def test_arguments_stand_with_spaces_between_them(args: bytes, expected: str) -> None:
    assert command_line(args) == expected
