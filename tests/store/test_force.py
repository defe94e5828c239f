"""Ends by force: a writer that is killed, and a machine whose power goes. The log opens, and the gap is told."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from tests.conftest import ROOT
from tests.store.endless import BATCH, batch_from
from tests.store.entries import record_ids

from pysmon.store.query import Query
from pysmon.store.store import Store
from pysmon.store.writer import Writer

KILLS, COPIES = 100, 40
ROOMY, TIGHT = 1 << 30, 2 << 20  # bytes of a log; a tight one is tidied up all the time


@contextmanager
def endless(path: Path, first: int, total: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes; it is killed at the end, if it still lives."""
    command = [sys.executable, "-m", "tests.store.endless", str(path), str(first), str(total)]
    places = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "src", ROOT)))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=places) as process:
        try:
            yield process
        finally:
            process.kill()


class Kills:
    """Forks writers and kills them: a fork costs a hundredth of a new program."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.dice = path, random.Random(seed)

    def once(self, first: int, total: int) -> tuple[int | None, int]:
        """Write from that record id on and be killed: what the log said of its last end, and what is surely written."""
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(ours)
            os.dup2(theirs, 1)
            from tests.store import endless as program

            sys.argv = ["endless", str(self.path), str(first), str(total)]
            try:
                program.main()
            finally:
                os._exit(1)
        os.close(theirs)
        with os.fdopen(ours, "rb") as told:
            opened = told.readline().split()
            time.sleep(self.dice.random() * 0.05)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            lines = told.read().split()
        assert opened[:1] == [b"open"], "the log did not open"
        gap = None if opened[1] == b"-" else int(opened[1])
        return gap, int(lines[-1]) if lines else first - 1


def test_a_writer_that_is_killed_a_hundred_times_loses_nothing_and_tells_each_time(
    tmp_path: Path,
) -> None:
    kills = Kills(tmp_path / "log", seed=1)
    next_one, last = 1, None
    for _ in range(KILLS):
        gap, written = kills.once(next_one, ROOMY)
        assert gap == last, "the log tells where it ended"
        last = record_ids(kills.path, Query(order="newest first", limit=1))[0] if kills.path.exists() else None
        assert last is None or written <= last <= written + BATCH, "a whole batch that was not yet told may be there"
        next_one = (last or 0) + 1
    assert record_ids(kills.path) == list(range(1, next_one))
    assert is_sound(kills.path)


def test_a_writer_that_is_killed_while_it_tidies_up_leaves_a_sound_log(tmp_path: Path) -> None:
    kills = Kills(tmp_path / "log", seed=2)
    next_one = 1
    for _ in range(20):
        kills.once(next_one, TIGHT)
        next_one = record_ids(kills.path, Query(order="newest first", limit=1))[0] + 1
    with Store(kills.path) as log:
        for entry in log.select(Query()):
            assert entry == batch_from(entry.record_id)[0], "what is kept is whole"
    assert is_sound(kills.path)


def test_copies_of_a_log_that_is_being_written_open_and_have_all_that_was_told(tmp_path: Path) -> None:
    dice = random.Random(3)
    path = tmp_path / "log"
    with endless(path, 1, TIGHT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open -\n"
        os.set_blocking(process.stdout.fileno(), False)
        told = 0
        for number in range(COPIES):
            time.sleep(dice.random() * 0.03)
            os.kill(process.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            whole = b"".join(iter(partial(read_all, process.stdout), b""))
            told = max([told, *map(int, whole.split(b"\n")[-3:-1])])
            copy = power_cut(path, tmp_path / f"copy{number}", dice)
            os.kill(process.pid, signal.SIGCONT)
            opens_with(copy, told)
            shutil.rmtree(copy.parent)


def read_all(stream: IO[bytes]) -> bytes:
    """What is there now."""
    return stream.read(65536) or b""


def power_cut(path: Path, folder: Path, dice: random.Random) -> Path:
    """What is on the disk when the power goes: the log and its journal; the index of the journal is lost, or old."""
    folder.mkdir()
    for suffix in ("", "-wal", *(["-shm"] if dice.random() < 0.3 else [])):
        shutil.copy(path.with_name(path.name + suffix), folder / (path.name + suffix))
    return folder / path.name


def opens_with(path: Path, told: int) -> None:
    writer = Writer(path)
    assert writer.damaged is None
    assert writer.gap is not None or told == 0
    if writer.gap is not None:
        assert told <= writer.gap.record_id <= told + BATCH
    writer.write(batch_from(10**6))
    writer.close()
    assert record_ids(path, Query(order="newest first", limit=BATCH))[::-1] == [*range(10**6, 10**6 + BATCH)]
    assert is_sound(path)


def test_when_unsynced_bytes_are_lost_no_more_than_the_unsynced_batches_are(tmp_path: Path) -> None:
    dice = random.Random(4)
    now = [0.0]
    path = tmp_path / "log"
    writer = Writer(path, sync_every=1.0, clock=lambda: now[0])
    journal = tmp_path / "log-wal"
    number, synced, surely = 1, 0, journal.stat().st_size
    for turn in range(60):
        now[0] += dice.choice([0.0, 0.0, 1.0])
        due = now[0] >= writer._synced_at + 1.0
        before = journal.stat().st_size
        writer.write(batch_from(number))
        number += BATCH
        if due:
            synced, surely = number - 1, journal.stat().st_size
        elif journal.stat().st_size == before and before > 4 << 20:
            break  # the journal begins anew: what is synced lies in the log itself
        copy = tmp_path / f"copy{turn}"
        copy.mkdir()
        shutil.copy(path, copy / "log")
        torn = bytearray(journal.read_bytes())
        for place in range(surely, len(torn), 512):  # each sector came to the disk or did not
            if dice.random() < 0.5:
                torn[place : place + 512] = bytes(len(torn[place : place + 512]))
        (copy / "log-wal").write_bytes(torn[: dice.randint(surely, len(torn))])
        again = Writer(copy / "log")
        assert again.gap is not None or synced == 0
        kept = record_ids(copy / "log")
        assert kept == list(range(1, len(kept) + 1)), "the beginning is whole"
        assert len(kept) >= synced
        assert len(kept) % BATCH == 0, "each batch is there as a whole or not at all"
        if again.gap is not None:
            assert again.gap.record_id == len(kept)
        again.close()
    writer.close()


def is_sound(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with the file, and every row has its texts."""
    file = sqlite3.connect(path)
    answer = file.execute("PRAGMA integrity_check").fetchone()[0]
    file.close()
    with Store(path) as log:
        assert sum(1 for _ in log.select(Query())) == sum(h.entries for h in log.holdings())
    return bool(answer == "ok")
