"""What the transaction logs of a hive have for it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from tests.config.hives import service, system, write_hive
from tests.config.make import configuration, create

from pysmon.config.blob.encode import encode
from pysmon.config.blob.hive import find_rules
from pysmon.config.blob.hive_log import is_unfinished, replayed

OLD = encode(configuration(create("<Image>x</Image>")))
NEW = encode(configuration(create("<Image>y</Image>")))


def sequences(hive: bytes, first: int, second: int) -> bytes:
    return hive[:4] + struct.pack("<2I", first, second) + hive[12:]


def entry(sequence: int, *pages: tuple[int, bytes], bins: int) -> bytes:
    body = b"".join(struct.pack("<2I", at, len(page)) for at, page in pages) + b"".join(page for _, page in pages)
    size = -(-(40 + len(body)) // 512) * 512
    head = struct.pack("<4s5I16x", b"HvLE", size, 0, sequence, bins, len(pages))
    return (head + body).ljust(size, b"\0")


def log(*entries: bytes) -> bytes:
    return bytes(512) + b"".join(entries)


@pytest.fixture
def hive(tmp_path: Path) -> bytes:
    return sequences(write_hive(tmp_path / "x", system({"D": service(Rules=OLD)})).read_bytes(), 8, 7)


@pytest.fixture
def newer(tmp_path: Path) -> bytes:
    return write_hive(tmp_path / "y", system({"D": service(Rules=NEW)})).read_bytes()[4096:]


def test_a_hive_is_unfinished_if_its_two_numbers_differ(hive: bytes) -> None:
    assert is_unfinished(hive)
    assert not is_unfinished(sequences(hive, 8, 8))
    assert not is_unfinished(b"regf")


def test_entries_count_in_their_order_from_the_number_of_the_hive_on(hive: bytes) -> None:
    bins = len(hive) - 4096
    first = log(entry(7, (0, b"a" * 4096), bins=bins), entry(5, (0, b"old" * 100), bins=bins))
    second = log(entry(8, (0, b"b" * 10), bins=bins), entry(10, (0, b"gap" * 100), bins=bins))
    made, count = replayed(hive, [second, first])
    assert count == 2
    assert made[4096:4108] == b"b" * 10 + b"aa"
    assert not is_unfinished(made)


def test_a_hive_that_grew_gets_longer(hive: bytes) -> None:
    bins = len(hive)
    made, count = replayed(hive, [log(entry(7, (bins - 4096, b"z" * 4096), bins=bins))])
    assert (count, len(made), made[-1:]) == (1, 4096 + bins, b"z")


@pytest.mark.parametrize("cut", [520, 560, 4000])
def test_an_entry_that_is_cut_off_does_not_count(hive: bytes, cut: int) -> None:
    whole = log(entry(7, (0, b"a" * 4096), bins=len(hive) - 4096))
    assert replayed(hive, [whole[:cut]])[1] == 0


def test_a_page_outside_of_the_hive_does_not_count(hive: bytes) -> None:
    assert replayed(hive, [log(entry(7, (1 << 29, b"a"), bins=4096))])[1] == 0


def test_rules_that_stand_in_a_log_are_found(tmp_path: Path, hive: bytes, newer: bytes) -> None:
    pytest.importorskip("regipy", reason="no package regipy")
    path = tmp_path / "SYSTEM"
    path.write_bytes(hive)
    (rules,) = find_rules(path)
    assert (rules.data, "not beside it" in rules.remark) == (OLD, True)
    (tmp_path / "system.log2").write_bytes(log(entry(7, (0, newer), bins=len(newer))))
    (rules,) = find_rules(path)
    assert (rules.data, rules.remark[:22]) == (NEW, "system.log2: applied 1")
    (tmp_path / "system.log2").write_bytes(b"")
    (rules,) = find_rules(path)
    assert (rules.data, "nothing that fits" in rules.remark) == (OLD, True)
