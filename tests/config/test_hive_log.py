"""What the transaction logs of a hive have for it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from tests.config.hives import service, system, write_hive
from tests.config.make import configuration, create

from pysmon.config.blob.encode import encode
from pysmon.config.blob.hive import find_rules
from pysmon.config.blob.hive_log import checksum, is_unfinished, patched, replayed

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


def old_log(hive: bytes, *pages: int, pages_of: bytes, sequence: int = 7, changed: int = 0, sector: int = 512) -> bytes:
    """A log as Windows wrote it before 8.1: pages of 512 bytes by their number."""
    bins = len(pages_of) - len(pages_of) % 4096
    head = bytearray(hive[:sector])
    struct.pack_into("<2IQ", head, 4, sequence, sequence, changed)
    struct.pack_into("<3I", head, 28, 1, 1, 0)
    struct.pack_into("<2I", head, 40, bins, sector // 512)
    struct.pack_into("<I", head, 508, checksum(head))
    bits = bytearray(bins // 512 // 8)
    for page in pages:
        bits[page // 8] |= 1 << page % 8
    size = -(-(4 + len(bits)) // sector) * sector
    return (
        bytes(head)
        + (b"DIRT" + bits).ljust(size, b"\xaa")
        + b"".join(pages_of[page * 512 : page * 512 + 512] for page in sorted(pages))
    )


def all_pages(pages_of: bytes) -> range:
    return range(len(pages_of) // 512)


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


def test_pages_of_an_entry_stand_in_it(hive: bytes) -> None:
    whole = entry(7, (0, b"a" * 4096), bins=len(hive) - 4096)
    short = whole[:4] + struct.pack("<I", 512) + whole[8:]
    assert replayed(hive, [log(short)])[1] == 0


def test_the_last_number_that_there_is_can_be_counted_up(hive: bytes) -> None:
    last = sequences(hive, 0, 0xFFFFFFFF)
    made, count = replayed(last, [log(entry(0xFFFFFFFF, (0, b"a" * 8), bins=len(hive) - 4096))])
    assert (count, made[4:12]) == (1, bytes(8))


def test_a_hive_does_not_grow_by_more_than_its_logs_have(hive: bytes) -> None:
    bins = len(hive) - 4096
    grown = log(entry(7, (0, b"a"), bins=bins + (1 << 29)))
    assert replayed(hive, [grown]) == (replayed(hive, [])[0], 0)
    assert patched(hive, [old_log(hive, 0, pages_of=bytes(bins + (1 << 23)))])[1] == 0


@pytest.mark.parametrize("sector", [512, 4096])
def test_pages_of_an_old_log_stand_where_its_bits_say(hive: bytes, sector: int) -> None:
    other = bytes(range(256)) * ((len(hive) - 4096) // 256)
    made, count = patched(hive, [old_log(hive, 0, 5, 7, pages_of=other, sector=sector)])
    assert count == 3
    want = bytearray(hive)
    for page in (0, 5, 7):
        want[4096 + page * 512 : 4608 + page * 512] = other[page * 512 : page * 512 + 512]
    assert made[4096:] == want[4096:]
    assert not is_unfinished(made)


def test_a_hive_that_grew_gets_longer_by_an_old_log_too(hive: bytes, newer: bytes) -> None:
    longer = newer + b"z" * 8192
    made, count = patched(hive, [old_log(hive, *all_pages(longer), pages_of=longer)])
    assert (count, made[4096:], made[40:44]) == (len(longer) // 512, longer, struct.pack("<I", len(longer)))


def test_of_two_old_logs_the_later_one_counts(hive: bytes) -> None:
    first, second = (bytes([n]) * (len(hive) - 4096) for n in (1, 2))
    logs = [old_log(hive, 0, pages_of=second, sequence=9), old_log(hive, 0, 1, pages_of=first, sequence=8)]
    made, count = patched(hive, logs)
    assert (count, made[4096:4098]) == (1, b"\2\2")


def broken(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("at", [0, 4, 300, 508, 512], ids=["magic", "number", "sector", "checksum", "DIRT"])
def test_an_old_log_that_was_not_written_whole_does_not_count(hive: bytes, newer: bytes, at: int) -> None:
    whole = old_log(hive, *all_pages(newer), pages_of=newer)
    assert patched(hive, [whole])[1]
    assert patched(hive, [broken(whole, at)]) == (hive, 0)


@pytest.mark.parametrize("less", [1, 2000, 9000])
def test_an_old_log_that_is_cut_off_does_not_count(hive: bytes, newer: bytes, less: int) -> None:
    whole = old_log(hive, *all_pages(newer), pages_of=newer)
    assert patched(hive, [whole[:-less]]) == (hive, 0)


def test_an_old_log_of_another_change_does_not_count(hive: bytes, newer: bytes) -> None:
    assert patched(hive, [old_log(hive, 0, pages_of=newer, changed=1)]) == (hive, 0)


def test_rules_that_stand_in_an_old_log_are_found(tmp_path: Path, hive: bytes, newer: bytes) -> None:
    pytest.importorskip("regipy", reason="no package regipy")
    (tmp_path / "SYSTEM").write_bytes(hive)
    (tmp_path / "SYSTEM.LOG1").write_bytes(old_log(hive, *all_pages(newer), pages_of=newer))
    (tmp_path / "SYSTEM.LOG2").write_bytes(b"")
    (rules,) = find_rules(tmp_path / "SYSTEM")
    assert rules.data == NEW
    assert rules.remark == (
        f"SYSTEM.LOG1, SYSTEM.LOG2: applied {len(newer) // 512} pages of changes that the hive did not have yet"
    )


@pytest.mark.parametrize(("words", "told"), [((), 1), ((1, 1), 1), ((0xFFFFFFFF,), 0xFFFFFFFE), ((5, 6), 3)])
def test_a_checksum_is_neither_nothing_nor_all_bits(words: tuple[int, ...], told: int) -> None:
    assert checksum(struct.pack("<127I", *words, *(0 for _ in range(127 - len(words))))) == told
