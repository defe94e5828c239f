"""C libraries: which files are taken for one, and on which kernels they are left alone."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from pysmon.sensor.libraries import PROBES, attach, c_libraries, is_deadly
from pysmon.sensor.providers import ABILITIES

MACHINE = {"x86_64": 62, "aarch64": 183}.get(os.uname().machine, 0)
SAFE = "6.1.0-13-amd64"


def elf(path: Path, *, bits: int = 2, machine: int = MACHINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<4sB13xH", b"\x7fELF", bits, machine) + bytes(40))
    return path


class Attached:
    """Notes what is attached; some functions are not there."""

    def __init__(self, *missing: str) -> None:
        self.missing = missing
        self.done: list[tuple[str, str, str, bool]] = []

    def attach_to_function(self, program: str, file: str, function: str, *, end: bool) -> str:
        if function in self.missing:
            return "No such file or directory"
        self.done.append((program, file, function, end))
        return ""


def test_glibc_and_musl_are_found_where_distributions_put_them(tmp_path: Path) -> None:
    places = (
        "lib/x86_64-linux-gnu/libc.so.6",
        "usr/lib64/libc.so.6",
        "lib/ld-musl-x86_64.so.1",
        "usr/lib/musl/lib/libc.so",
    )
    made = [elf(tmp_path / place) for place in places]
    elf(tmp_path / "usr/lib/libm.so.6")
    assert {each.path for each in c_libraries(tmp_path)} == set(map(str, made))


def test_a_file_with_several_names_is_found_once(tmp_path: Path) -> None:
    made = elf(tmp_path / "usr/lib/libc.so.6")
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "lib64").mkdir()
    (tmp_path / "lib64" / "libc.so.6").hardlink_to(made)
    (found,) = c_libraries(tmp_path)
    assert (found.device, found.inode) == (made.stat().st_dev, made.stat().st_ino)


def test_what_is_for_other_machines_or_no_program_is_not_taken(tmp_path: Path) -> None:
    elf(tmp_path / "lib32/libc.so.6", bits=1)
    elf(tmp_path / "lib/arm/libc.so.6", machine=40)
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/libc.so.6").write_text("GROUP ( /lib/libc.so.6 )")
    (tmp_path / "lib/libc.so.6").mkdir(parents=True)
    (tmp_path / "lib64").mkdir()
    (tmp_path / "lib64/libc.so.6").symlink_to("gone")
    assert c_libraries(tmp_path) == []


def test_a_program_is_attached_to_its_functions_in_every_library() -> None:
    made = Attached()
    assert attach(made, "on_gethostbyname_end", ["/a", "/b"], SAFE) == ""
    functions = ("gethostbyname_r", "gethostbyname2_r")
    assert made.done == [("on_gethostbyname_end", lib, f, True) for lib in ("/a", "/b") for f in functions]
    made.done.clear()
    attach(made, "on_getaddrinfo", ["/a"], SAFE)
    assert made.done == [("on_getaddrinfo", "/a", "getaddrinfo", False)]


def test_a_library_may_lack_a_function_but_not_all_of_them() -> None:
    assert attach(Attached("gethostbyname_r"), "on_gethostbyname_end", ["/a"], SAFE) == ""
    assert attach(Attached("getaddrinfo"), "on_getaddrinfo", ["/a"], SAFE) == "No such file or directory"
    assert "no C library" in attach(Attached(), "on_getaddrinfo", [], SAFE)


@pytest.mark.parametrize(
    ("release", "deadly"),
    [
        ("5.10.0-28-amd64", False),
        ("6.10.11", False),
        ("6.11.0-21-generic", True),
        ("6.12.5", True),
        ("6.12.19-200.fc41", True),
        ("6.12.20", False),
        ("6.12.43+deb13-amd64", False),
        ("6.13.7", True),
        ("6.13.8-arch1-1", False),
        ("6.14.0", False),
        ("7.0-rc1", False),
        ("unknown", False),
    ],
)
def test_the_end_of_a_function_is_not_watched_where_that_kills(release: str, deadly: bool) -> None:
    assert is_deadly(release, "x86_64") is deadly
    assert not is_deadly(release, "aarch64")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="only on x86-64 it kills")
def test_nothing_is_attached_where_that_kills() -> None:
    made = Attached()
    assert "system call filter" in attach(made, "on_getaddrinfo_end", ["/a"], "6.11.2")
    assert made.done == []


def test_the_programs_are_those_of_the_ability() -> None:
    (ability,) = (a for a in ABILITIES if a.name == "names looked up")
    assert {p for provider in ability.providers for p in provider.programs} == PROBES.keys()
