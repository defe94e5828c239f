"""The package database of Debian, made up in a folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.host.dpkg import Dpkg
from pysmon.host.package import Owner, Package

STATUS = """Package: libc6
Status: install ok installed
Maintainer: Some People <people@example.org>
Architecture: amd64
Version: 2.36-9
Description: the C library
 a long text that
 Version: is not a fact

Package: plain
Architecture: all
Version: 1:1.0
"""
LIBC = Package("libc6", "2.36-9", "the C library", "Some People <people@example.org>")


class Made:
    """A root folder with a database."""

    def __init__(self, root: Path) -> None:
        self.root, self.state = root, root / "var/lib/dpkg"
        (self.state / "info").mkdir(parents=True)
        (root / "usr").mkdir()
        (self.state / "status").write_text(STATUS)

    def package(self, name: str, files: dict[str, str]) -> None:
        """Install: paths (as the package names them) with digests; without one where that is empty."""
        info = self.state / "info"
        (info / f"{name}.list").write_text("/.\n" + "".join(f"{path}\n" for path in files))
        (info / f"{name}.md5sums").write_text("".join(f"{d}  {p[1:]}\n" for p, d in files.items() if d))

    def database(self) -> Dpkg:
        return Dpkg(str(self.root), clock=lambda: 0.0)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_a_file_is_told_with_its_package_and_its_digest(made: Made) -> None:
    made.package("libc6:amd64", {"/usr/lib/libc.so.6": "ab" * 16})
    assert made.database().owner("/usr/lib/libc.so.6") == Owner(LIBC, "MD5", "ab" * 16)


def test_a_package_of_another_architecture_is_not_taken_for_it(made: Made) -> None:
    made.package("libc6:i386", {"/usr/lib32/libc.so.6": "cd" * 16})
    found = made.database().owner("/usr/lib32/libc.so.6")
    assert found
    assert found.package == Package("libc6")


def test_a_file_of_no_package_has_no_owner(made: Made) -> None:
    made.package("plain", {"/usr/bin/plain": "ab" * 16})
    assert made.database().owner("/usr/bin/other") is None
    assert made.database().owner("/usr/bin/plai") is None


def test_a_file_that_the_package_tells_no_digest_of_has_an_owner_all_the_same(made: Made) -> None:
    made.package("plain", {"/etc/plain.conf": ""})
    found = made.database().owner("/etc/plain.conf")
    assert found
    assert (found.package.version, found.digest) == ("1:1.0", "")


def test_where_lib_is_a_link_into_usr_a_package_may_name_either(made: Made) -> None:
    (made.root / "lib").symlink_to("usr/lib")
    made.package("plain", {"/lib/old.so": "11" * 16, "/usr/lib/new.so": "22" * 16})
    database = made.database()
    digests = [found.digest for path in ("old", "new") if (found := database.owner(f"/usr/lib/{path}.so"))]
    assert digests == ["11" * 16, "22" * 16]


def test_where_it_is_none_they_are_two_files(made: Made) -> None:
    (made.root / "lib").mkdir()
    made.package("plain", {"/lib/old.so": "11" * 16})
    assert made.database().owner("/usr/lib/old.so") is None
    assert made.database().owner("/lib/old.so")


def test_a_diverted_file_is_looked_up_under_its_own_name(made: Made) -> None:
    (made.state / "diversions").write_text("/usr/bin/tool\n/usr/bin/tool.real\nplain\n")
    made.package("libc6:amd64", {"/usr/bin/tool": "11" * 16})
    made.package("plain", {"/usr/bin/tool": "22" * 16})
    database = made.database()
    found = [database.owner(path) for path in ("/usr/bin/tool", "/usr/bin/tool.real")]
    assert [(o.package.name, o.digest) for o in found if o] == [("plain", "22" * 16), ("libc6", "11" * 16)]


def test_the_index_is_built_when_it_is_needed_and_again_when_dpkg_was_at_work(made: Made) -> None:
    database = made.database()
    assert database.built == 0
    assert database.owner("/usr/bin/plain") is None
    made.package("plain", {"/usr/bin/plain": "ab" * 16})
    os.utime(made.state / "info", ns=(0, 1))
    assert database.owner("/usr/bin/plain")
    assert database.owner("/usr/bin/plain")
    assert database.built == 2


def test_after_a_long_reading_the_old_index_does_for_a_while_unless_it_must_be_fresh(made: Made) -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 1.0
        return now[0]

    database = Dpkg(str(made.root), clock=clock)
    assert database.owner("/usr/bin/plain") is None
    made.package("plain", {"/usr/bin/plain": "ab" * 16})
    os.utime(made.state / "info", ns=(0, 1))
    assert database.owner("/usr/bin/plain") is None
    assert database.owner("/usr/bin/plain", fresh=True)


def test_without_a_database_there_is_no_owner_and_no_signature(tmp_path: Path) -> None:
    database = Dpkg(str(tmp_path))
    assert (database.signature(), database.owner("/bin/true"), database.built) == ((), None, 0)


def test_the_signature_changes_with_the_database(made: Made) -> None:
    database = made.database()
    before = database.signature()
    os.utime(made.state / "status", ns=(0, 5))
    assert before != database.signature() != ()


@given(st.dictionaries(st.from_regex(r"/[a-z\x80-\xff/ ]{1,12}", fullmatch=True), st.just("ab" * 16), max_size=40))
def test_of_any_set_of_files_each_is_found_and_nothing_else(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Made(Path(folder))
        made.package("plain", files)
        database = made.database()
        assert all(database.owner(path) for path in files)
        assert database.owner("/" + hashlib.sha256(str(files).encode()).hexdigest()) is None


def test_the_database_of_this_machine_knows_its_shell() -> None:
    if not Path("/var/lib/dpkg/info").is_dir():
        pytest.skip("no package database of Debian here")
    found = Dpkg().owner(os.path.realpath("/bin/sh"))
    assert found
    assert (found.package.name, len(found.digest)) == ("dash", 32)
