"""Whether files are what packages brought."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pysmon.host.hashes import Expected
from pysmon.host.package import Owner, Package
from pysmon.host.packages import Origin, Packages

PACKAGE = Package("liba", "1.2", "a library", "People")
CONTENT = b"a library"


class Listed:
    """A database of owners by path; `late` is what it says when it must look again."""

    def __init__(self, owners: dict[str, Owner], late: dict[str, Owner] | None = None, mark: int = 1) -> None:
        self.owners, self.late, self.mark = owners, owners if late is None else late, mark

    def signature(self) -> tuple[int, ...]:
        return (self.mark,) if self.mark else ()

    def owner(self, path: str, *, fresh: bool = False) -> Owner | None:
        return (self.late if fresh else self.owners).get(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "liba.so"
    made.write_bytes(CONTENT)
    return made


def of(path: Path) -> Expected:
    found = path.stat()
    return Expected(os.major(found.st_dev) << 20 | os.minor(found.st_dev), found.st_ino, found.st_size)


def owned(digest: str, algorithm: str = "MD5") -> Owner:
    return Owner(PACKAGE, algorithm, digest)


MD5, SHA256 = hashlib.md5(CONTENT).hexdigest(), hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(("algorithm", "digest"), [("MD5", MD5), ("SHA256", SHA256)])
def test_a_file_that_is_as_it_was_packed_is_valid(path: Path, algorithm: str, digest: str) -> None:
    packages = Packages([Listed({str(path): owned(digest, algorithm)})])
    assert packages.origin(str(path), of(path)) == Origin("true", "liba 1.2", "Valid", PACKAGE)


def test_a_changed_file_is_told_with_the_package_that_it_is_not_from_any_more(path: Path) -> None:
    packages = Packages([Listed({str(path): owned("00" * 16)})])
    assert packages.origin(str(path), of(path)) == Origin("false", "liba 1.2", "Changed")


def test_before_a_file_is_called_changed_the_database_is_read_anew(path: Path) -> None:
    old, new = {str(path): owned("00" * 16)}, {str(path): owned(MD5)}
    assert Packages([Listed(old, new)]).origin(str(path), of(path)).status == "Valid"
    assert Packages([Listed(old, {})]).origin(str(path), of(path)) == Origin("false", status="Unavailable")


def test_a_file_of_no_package_is_told_so(path: Path) -> None:
    assert Packages([Listed({})]).origin(str(path), of(path)) == Origin("false", status="Unavailable")


def test_a_file_that_the_package_tells_no_digest_of_is_unknown(path: Path) -> None:
    found = Packages([Listed({str(path): owned("")})]).origin(str(path), of(path))
    assert (found.signed, found.status, found.package) == ("false", "Unknown", PACKAGE)
    assert "no digest" in found.skipped


def test_a_path_that_leads_elsewhere_here_says_nothing_of_the_file(path: Path) -> None:
    packages = Packages([Listed({str(path): owned(MD5)})])
    found = packages.origin(str(path), of(path)._replace(inode=1))
    assert (found.signed, found.signature, found.status) == ("-", "-", "-")
    assert "container" in found.skipped


def test_without_a_database_nothing_is_known(path: Path) -> None:
    found = Packages([Listed({}, mark=0)]).origin(str(path), of(path))
    assert (found.signed, found.status) == ("-", "-")
    assert found.skipped == "there is no package database that can be read"


def test_the_first_database_that_knows_the_file_counts(path: Path) -> None:
    packages = Packages([Listed({}), Listed({str(path): owned(MD5)}), Listed({str(path): owned("00" * 16)})])
    assert packages.origin(str(path), of(path)).status == "Valid"


def test_the_file_is_read_where_it_can_be_had(path: Path) -> None:
    packages = Packages([Listed({"/usr/lib/liba.so": owned(MD5)})])
    assert packages.origin("/usr/lib/liba.so", of(path), "/nonexistent", str(path)).status == "Valid"


def test_the_signature_is_that_of_all_databases() -> None:
    assert Packages([Listed({}), Listed({}, mark=2)]).signature() == ((1,), (2,))
