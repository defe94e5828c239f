"""The package database of rpm, made up in a folder."""

from __future__ import annotations

import shutil
import sqlite3
import struct
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.host.package import Owner, Package
from pysmon.host.rpm import Rpm, read_header

PACKAGE = Package("told", "1.2-3", "a told library", "People")
SPEC = """
Name: told
Version: 1.2
Release: 3
Summary: a told library
License: none
Vendor: People
BuildArch: noarch
%description
x
%install
mkdir -p %{buildroot}/usr/lib64
echo one > %{buildroot}/usr/lib64/liba.so
%files
/usr/lib64/liba.so
"""


def header(files: Sequence[tuple[str, str]], *, algorithm: int | None = 8) -> bytes:
    """The header of the package with these paths and digests, as rpm keeps it."""
    folders = sorted({path.rpartition("/")[0] + "/" for path, _ in files})
    tags: list[tuple[int, int, list[str] | list[int]]] = [
        *((tag, 6, [value]) for tag, value in ((1000, "told"), (1001, "1.2"), (1002, "3"))),
        *((1004, 9, ["a told library"]), (1011, 6, ["People"])),
        (1035, 8, [digest for _, digest in files]),
        (1116, 4, [folders.index(path.rpartition("/")[0] + "/") for path, _ in files]),
        (1117, 8, [path.rpartition("/")[2] for path, _ in files]),
        (1118, 8, folders),
        *([(5011, 4, [algorithm])] if algorithm else []),
    ]
    data, entries = b"", b""
    for tag, kind, values in tags:
        entries += struct.pack(">IIII", tag, kind, len(data), len(values))
        data += b"".join(v.to_bytes(4) if isinstance(v, int) else v.encode() + b"\0" for v in values)
    return struct.pack(">II", len(tags), len(data)) + entries + data


def made(root: Path, files: Sequence[tuple[str, str]], blob: bytes) -> Rpm:
    path = root / "var/lib/rpm/rpmdb.sqlite"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        database.execute("CREATE TABLE Basenames (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
        database.execute("INSERT INTO Packages VALUES (7, ?)", (blob,))
        rows = [(name.rpartition("/")[2], 7, index) for index, (name, _) in enumerate(files)]
        database.executemany("INSERT INTO Basenames VALUES (?, ?, ?)", rows)
        database.commit()
    return Rpm(str(root))


FILES = (("/usr/lib64/liba.so", "AB" * 32), ("/opt/a/liba.so", "cd" * 32), ("/usr/lib64/libb.so", ""))


def test_a_file_is_told_with_its_package_and_its_digest(tmp_path: Path) -> None:
    database = made(tmp_path, FILES, header(FILES))
    assert database.owner("/usr/lib64/liba.so") == Owner(PACKAGE, "SHA256", "ab" * 32)
    assert database.owner("/opt/a/liba.so") == Owner(PACKAGE, "SHA256", "cd" * 32)


def test_a_file_without_a_digest_has_an_owner_all_the_same(tmp_path: Path) -> None:
    assert made(tmp_path, FILES, header(FILES)).owner("/usr/lib64/libb.so") == Owner(PACKAGE, "SHA256", "")


@pytest.mark.parametrize("path", ["/opt/liba.so", "/usr/lib64/libc.so", "/liba.so", "liba.so", "/usr/lib64/"])
def test_a_file_of_no_package_has_no_owner(tmp_path: Path, path: str) -> None:
    assert made(tmp_path, FILES, header(FILES)).owner(path) is None


def test_old_packages_tell_md5_and_those_of_a_newer_algorithm_nothing(tmp_path: Path) -> None:
    old = made(tmp_path / "old", FILES, header(FILES, algorithm=None)).owner("/opt/a/liba.so")
    new = made(tmp_path / "new", FILES, header(FILES, algorithm=10)).owner("/opt/a/liba.so")
    assert old
    assert new
    assert (old.algorithm, old.digest) == ("MD5", "cd" * 32)
    assert new.digest == ""


def test_a_path_that_the_package_names_without_usr_is_found(tmp_path: Path) -> None:
    files = (("/lib64/libb.so", "ab" * 32),)
    assert made(tmp_path, files, header(files)).owner("/usr/lib64/libb.so")


def test_without_a_database_there_is_no_owner_and_no_signature(tmp_path: Path) -> None:
    database = Rpm(str(tmp_path))
    assert (database.signature(), database.owner("/bin/true")) == ((), None)


def test_what_is_no_database_has_no_owner(tmp_path: Path) -> None:
    database = made(tmp_path, FILES, header(FILES))
    before = database.signature()
    (tmp_path / "var/lib/rpm/rpmdb.sqlite").write_bytes(b"no database" * 100)
    assert database.owner("/usr/lib64/liba.so") is None
    assert database.signature() != before


@given(st.data())
def test_a_damaged_header_is_no_error(data: st.DataObject) -> None:
    changed = bytearray(header(FILES))
    for _ in range(data.draw(st.integers(0, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    found = read_header(bytes(changed[: data.draw(st.integers(0, len(changed)))]))
    if found:
        for index in (0, 2, 5):
            assert found.path(index) is None or isinstance(found.path(index), str)


def test_a_database_that_rpm_made_is_read(tmp_path: Path) -> None:
    if not shutil.which("rpmbuild"):
        pytest.skip("no rpmbuild here")
    (tmp_path / "told.spec").write_text(SPEC)
    with_sqlite = ["--define", "_db_backend sqlite"]
    top = ["--define", f"_topdir {tmp_path}/top", "--define", f"_tmppath {tmp_path}"]
    root = ["--root", str(tmp_path / "root"), "--dbpath", "/var/lib/rpm", *with_sqlite]
    (tmp_path / "root/var/lib/rpm").mkdir(parents=True)
    commands = (
        ["rpmbuild", "-bb", "--quiet", *top, str(tmp_path / "told.spec")],
        ["rpm", *root, "-i", "--nodeps", "--justdb", str(tmp_path / "top/RPMS/noarch/told-1.2-3.noarch.rpm")],
    )
    for command in commands:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            pytest.skip(f"rpm does not do that here: {run.stderr[-200:]}")
    found = Rpm(str(tmp_path / "root")).owner("/usr/lib64/liba.so")
    assert found == Owner(PACKAGE, "SHA256", "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806")
