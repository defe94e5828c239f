"""The spill: what waits on the disk comes back whole and in order, after any end, and never more than its room."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pipeline.outputs import no_descriptors
from tests.sinks.full_disk import files_limited_to
from tests.store.entries import created, entries, made

from pysmon.errors import SinkError
from pysmon.formats.frame import frame, framed, names_frame
from pysmon.pipeline.spill import Spill
from pysmon.schema.entry import Entry
from pysmon.schema.event import Event

MEGABYTE = 1 << 20
FRAME = len(frame(made(10_000)))


def drained(spill: Spill, most: int = 3) -> list[Entry[Event]]:
    found: list[Entry[Event]] = []
    while spill.entries:
        part, lost = spill.read(most)
        assert lost == 0
        assert 0 < len(part) <= most
        found += part
        spill.delivered(len(part))
    return found


def numbers(found: list[Entry[Event]]) -> list[int]:
    return [entry.record_id for entry in found]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(entries(), max_size=5), max_size=4), st.integers(1, 7), st.booleans())
def test_every_entry_comes_back_as_it_was_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Entry[Event]]], most: int, again: bool
) -> None:
    folder = tmp_path_factory.mktemp("spill")
    spill = Spill(folder, MEGABYTE)
    for batch in batches:
        assert spill.append(batch) == (len(batch), "")
    if again:
        spill.close()
        spill = Spill(folder, MEGABYTE)
    given_entries = [entry for batch in batches for entry in batch]
    assert spill.entries == len(given_entries)
    assert drained(spill, most) == given_entries
    assert (spill.entries, spill.bytes) == (0, 0)
    spill.close()
    assert [p.name for p in folder.iterdir()] == ["position"]


def test_what_was_read_but_not_delivered_stays(tmp_path: Path) -> None:
    spill = Spill(tmp_path, MEGABYTE)
    spill.append([made(n) for n in range(5)])
    assert numbers(spill.read(4)[0]) == [0, 1, 2, 3]
    spill.delivered(2)
    spill.delivered(1)
    assert numbers(spill.read(4)[0]) == [3, 4]
    spill.delivered(0)
    assert spill.entries == 2


def test_another_run_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    spill = Spill(tmp_path, MEGABYTE)
    spill.append([made(n) for n in range(5)])
    spill.read(9)
    spill.delivered(2)
    spill.close()
    spill.close()
    spill = Spill(tmp_path, MEGABYTE)
    assert spill.last_record_id == 4
    spill.append([made(5)])
    assert numbers(drained(spill)) == [2, 3, 4, 5]
    spill.append([made(6)])
    spill.close()
    assert numbers(drained(Spill(tmp_path, MEGABYTE))) == [6]


def test_the_position_of_a_file_that_is_gone_is_not_that_of_another(tmp_path: Path) -> None:
    for _ in range(2):
        spill = Spill(tmp_path, MEGABYTE)
        spill.append([made(n) for n in range(3)])
        spill.read(9)
        spill.delivered(2)
        spill.delivered(1)
        spill.append([made(7), made(8)])
        spill.close()
        again = Spill(tmp_path, MEGABYTE)
        assert numbers(drained(again)) == [7, 8]
        again.close()


def test_entries_may_be_put_before_all_others(tmp_path: Path) -> None:
    spill = Spill(tmp_path, MEGABYTE)
    spill.append([made(n) for n in range(5, 9)])
    spill.read(1)
    spill.delivered(1)
    assert spill.put_before([made(n) for n in range(3)]) == (3, "")
    spill.append([made(9)])
    spill.close()
    assert numbers(drained(Spill(tmp_path, MEGABYTE))) == [0, 1, 2, 6, 7, 8, 9]
    empty = Spill(tmp_path / "empty", MEGABYTE)
    assert empty.put_before([made(1)]) == (1, "")
    empty.close()
    assert numbers(drained(Spill(tmp_path / "empty", MEGABYTE))) == [1]


def test_no_more_than_the_cap_is_kept_and_delivered_room_is_used_again(tmp_path: Path) -> None:
    spill = Spill(tmp_path, len(names_frame()) + 5 * FRAME)
    kept, why = spill.append([made(n) for n in range(10_000, 10_009)])
    assert (kept, why) == (5, "its part of the disk is full")
    assert spill.bytes <= spill.cap
    assert spill.append([made(10_020)]) == (0, why)
    assert numbers(drained(spill)) == list(range(10_000, 10_005))
    assert spill.append([made(10_021)]) == (1, "")


def test_files_are_small_and_go_when_they_are_delivered(tmp_path: Path) -> None:
    spill = Spill(tmp_path, 64 * MEGABYTE)
    spill.append([created(n, CommandLine="x" * 60_000) for n in range(200)])
    before = list(tmp_path.glob("*.frames"))
    assert len(before) == 3
    assert max(p.stat().st_size for p in before) < 5 * MEGABYTE
    assert sum(p.stat().st_size for p in before) == spill.bytes
    for _ in range(8):
        spill.delivered(len(spill.read(20)[0]))
    assert len(list(tmp_path.glob("*.frames"))) < 3
    assert sum(p.stat().st_size for p in tmp_path.glob("*.frames")) == spill.bytes


def test_an_entry_larger_than_what_is_read_at_once_comes_back(tmp_path: Path) -> None:
    spill = Spill(tmp_path, 64 * MEGABYTE)
    large = created(1, CommandLine="x" * 3 * MEGABYTE)
    spill.append([large, made(2)])
    assert drained(spill) == [large, made(2)]


def test_a_torn_tail_is_told_and_the_whole_frames_before_it_count(tmp_path: Path) -> None:
    spill = Spill(tmp_path, MEGABYTE)
    spill.append([made(n) for n in range(4)])
    spill.close()
    path = next(tmp_path.glob("*.frames"))
    path.write_bytes(path.read_bytes()[:-3])
    again = Spill(tmp_path, MEGABYTE)
    assert again.entries == 3
    assert len(again.remarks) == 1
    assert f"bytes of {path} are not whole" in again.remarks[0]
    again.append([made(9)])
    assert numbers(drained(again)) == [0, 1, 2, 9]


@pytest.mark.parametrize("size", [0, 5, 200])
def test_a_file_whose_beginning_was_cut_has_no_entries(tmp_path: Path, size: int) -> None:
    (tmp_path / "0001000000000.frames").write_bytes(names_frame()[:size])
    spill = Spill(tmp_path, MEGABYTE)
    assert spill.entries == 0
    assert not list(tmp_path.glob("*.frames"))
    assert len(spill.remarks) == bool(size)


def test_what_becomes_unreadable_is_given_up_by_number_and_the_rest_goes_on(tmp_path: Path) -> None:
    spill = Spill(tmp_path, 64 * MEGABYTE)
    spill.append([created(n, CommandLine="x" * 60_000) for n in range(80)])
    first = min(tmp_path.glob("*.frames"))
    data = bytearray(first.read_bytes())
    data[-5] ^= 1
    first.write_bytes(data)
    found: list[int] = []
    lost = 0
    while spill.entries:
        part, gone = spill.read(7)
        spill.delivered(len(part))
        found += numbers(part)
        lost += gone
    assert lost == 1
    assert sorted(found) == found
    assert len(found) == 79


def test_an_entry_that_this_release_cannot_read_is_given_up_alone(tmp_path: Path) -> None:
    spill = Spill(tmp_path, MEGABYTE)
    spill.append([made(1), made(2), made(3)])
    file = next(tmp_path.glob("*.frames"))
    strange = frame(made(2)).replace(b"m", b"m", 1)
    assert strange in file.read_bytes()
    content = b"j[77" + b" " * (len(strange) - 8 - 5) + b"]"
    file.write_bytes(file.read_bytes().replace(strange, framed(content)))
    assert numbers(spill.read(9)[0]) == [1]
    spill.delivered(1)
    assert spill.read(9) == ([], 1)
    assert numbers(spill.read(9)[0]) == [3]
    spill.delivered(1)
    assert spill.read(9) == ([], 0)
    assert spill.entries == 0


def test_a_full_disk_refuses_entries_and_leaves_whole_frames(tmp_path: Path) -> None:
    spill = Spill(tmp_path, MEGABYTE)
    spill.append([made(10_000)])
    with files_limited_to(len(names_frame()) + 2 * FRAME + 10):
        assert spill.append([made(10_001)]) == (1, "")
        kept, why = spill.append([made(10_002), made(10_003)])
    assert (kept, why) == (0, "File too large")
    assert spill.append([made(10_004)]) == (1, "")
    spill.close()
    assert numbers(drained(Spill(tmp_path, MEGABYTE))) == [10_000, 10_001, 10_004]


def test_a_disk_without_room_for_a_new_file_refuses_entries(tmp_path: Path) -> None:
    spill = Spill(tmp_path, MEGABYTE)
    with files_limited_to(100):
        assert spill.append([made(1)]) == (0, "File too large")
    assert spill.entries == spill.bytes == 0
    assert spill.append([made(2)]) == (1, "")
    assert numbers(drained(spill)) == [2]


def test_folder_and_files_are_for_their_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        for number, umask in enumerate((0, 0o777)):
            os.umask(umask)
            folder = tmp_path / str(number)
            spill = Spill(folder, MEGABYTE)
            spill.append([made(1)])
            spill.close()
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_a_folder_that_another_uses_or_that_is_none_is_refused(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "one", MEGABYTE)
    with pytest.raises(SinkError, match="another process does"):
        Spill(tmp_path / "one", MEGABYTE)
    spill.close()
    Spill(tmp_path / "one", MEGABYTE).close()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    with pytest.raises(SinkError, match=r"cannot use .*/link"):
        Spill(tmp_path / "link", MEGABYTE)
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot use"):
        Spill(tmp_path / "file", MEGABYTE)


def test_a_moment_without_file_descriptors_costs_nothing(tmp_path: Path) -> None:
    spill = Spill(tmp_path, MEGABYTE)
    spill.append([made(n) for n in range(5)])
    with no_descriptors(), pytest.raises(OSError, match="Too many open files"):
        spill.read(5)
    assert numbers(drained(spill)) == [0, 1, 2, 3, 4]
    spill.close()


def test_a_file_that_somebody_removed_is_given_up(tmp_path: Path) -> None:
    spill = Spill(tmp_path, MEGABYTE)
    spill.append([made(n) for n in range(5)])
    (file,) = tmp_path.glob("*.frames")
    file.unlink()
    assert spill.read(5) == ([], 5)
    spill.close()
