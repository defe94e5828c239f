"""Finding and opening logs: packed, in folders, by patterns, from standard input; and what is said when it fails."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.cli.calls import environment
from tests.formats.entries import create
from tests.sources.evtx_files import creations, evtx
from tests.sources.shapes import CREATE, FILES, lines, security_datasets, xml

from pysmon.errors import MisuseError
from pysmon.formats.json_line import json_line
from pysmon.schema.entry import Foreign, Origin
from pysmon.sinks.store import StoreSink
from pysmon.sources.open import open_sources
from pysmon.sources.origins import CHANNEL, PROVIDER, PROVIDERS
from pysmon.sources.source import SourceError

DATA = FILES["security-datasets"][1]


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


def counts(*paths: Path | str) -> dict[str, int]:
    return {source.name: sum(1 for _ in source.entries()) for source in open_sources(paths)}


@pytest.mark.parametrize("packing", ["gzip", "zip", "zstd"])
def test_packed_logs_are_read_as_plain_ones(packing: str, tmp_path: Path) -> None:
    path = tmp_path / "log"  # the name says nothing
    if packing == "gzip":
        path.write_bytes(gzip.compress(DATA))
    elif packing == "zip":
        path.write_bytes(zipped({"a.json": DATA}))
    else:
        zstandard = pytest.importorskip("zstandard", reason="the package zstandard is not there")
        half = len(DATA) // 2
        frames = [zstandard.compress(DATA[:half]), zstandard.compress(DATA[half:])]
        path.write_bytes(b"".join(frames))
    (source,) = open_sources([path])
    assert source.size == path.stat().st_size
    done = [source.done for _ in source.entries()]
    assert len(done) == 4
    assert 0 < done[-1] <= source.size


def test_each_member_of_an_archive_is_a_log_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    members = {"a.json": DATA, "__MACOSX/._a.json": b"\0\5\26\7", "b/c.xml": FILES["wevtutil"][1], "readme": b"words"}
    path.write_bytes(zipped(members))
    assert counts(path) == {f"{path}: a.json": 4, f"{path}: b/c.xml": 4}


def test_folders_are_searched_and_patterns_are_filled_in(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "1.log").write_bytes(DATA)
    (tmp_path / "a" / "b" / "2.log").write_bytes(FILES["wevtutil"][1])
    (tmp_path / "a" / "notes").write_text("no log at all")
    (tmp_path / "a" / "empty").write_bytes(b"")
    (tmp_path / "a" / "broken.zip").write_bytes(b"PK\3\4 and no more")
    found = {str(tmp_path / "a" / "1.log"): 4, str(tmp_path / "a" / "b" / "2.log"): 4}
    assert counts(tmp_path / "a") == {**found, str(tmp_path / "a" / "broken.zip"): 0}
    assert counts(str(tmp_path / "a" / "**" / "*.log")) == found
    assert counts(str(tmp_path / "a" / "?.log")) == {str(tmp_path / "a" / "1.log"): 4}


def test_a_name_with_a_star_in_it_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "[a]*.log"
    path.write_bytes(DATA)
    assert counts(path) == {str(path): 4}


def test_what_is_no_log_is_told_if_it_was_named(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.write_text("no log at all")
    with pytest.raises(SourceError, match="no shape of logs that is known") as told:
        counts(notes)
    assert "evtx" in told.value.hint
    with pytest.raises(SourceError, match="No such file"):
        counts(str(tmp_path / "*.evtx"))
    with pytest.raises(SourceError, match="No such file"):
        counts(notes, tmp_path / "absent")
    with pytest.raises(MisuseError, match="'evx'") as unknown:
        list(open_sources([notes], "evx"))
    assert unknown.value.hint == "did you mean evtx?"


def test_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "secret.zip"
    data = bytearray(zipped({"a.json": DATA}))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match="encrypted"):
        counts(path)


def test_a_log_can_be_read_again_and_counts_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(DATA)
    (source,) = open_sources([path])
    assert [e.record_id for e in source.entries()] == [e.record_id for e in source.entries()]
    assert source.tally.entries == 4


def test_our_own_json_lines_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(json_line(create()) + b"\n{broken\n" + json_line(create(ProcessId=161)) + b"\n")
    (source,) = open_sources([path])
    assert source.form == "pysmon"
    assert [e.event.text("ProcessId") for e in source.entries()] == ["160", "161"]
    assert [damage.place for damage in source.tally.damaged] == ["line 2"]


def test_json_lines_of_what_windows_wrote_are_known_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    windows = Origin("DC01", 0, 0, 0, Foreign(PROVIDER, PROVIDERS[PROVIDER], CHANNEL))
    path.write_bytes(json_line(create()._replace(origin=windows)) + b"\n")
    (source,) = open_sources([path])
    assert source.form == "pysmon"
    assert [e.origin for e in source.entries()] == [windows]


def test_our_own_event_log_is_read(tmp_path: Path) -> None:
    sink = StoreSink(tmp_path / "log")
    sink.write([create(), create(ProcessId=161)])
    sink.close()
    (source,) = open_sources([tmp_path / "log"])
    assert source.form == "store"
    assert [e.event.text("ProcessId") for e in source.entries()] == ["160", "161"]
    (packed,) = open_sources([_gzipped(tmp_path / "log")])
    with pytest.raises(SourceError, match="not packed"):
        list(packed.entries())


def _gzipped(path: Path) -> Path:
    made = path.with_name("log.gz")
    made.write_bytes(gzip.compress(path.read_bytes()))
    return made


def test_standard_input_is_read_also_if_it_is_a_pipe() -> None:
    program = (
        "from pysmon.sources.open import open_sources\n"
        "for s in open_sources(['-']): print(s.name, s.form, len(list(s.entries())))"
    )
    many = lines(security_datasets) * 200  # more than is looked at to find out the shape
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=many,
        capture_output=True,
        env=environment(),
        timeout=60,
        check=True,
    )
    assert done.stdout.decode() == "standard input nxlog 800\n"


@pytest.mark.parametrize("kind", ["security-datasets", "wevtutil", "evtxecmd, csv", "splunk-classic"])
def test_the_rows_of_any_log_are_those_of_its_entries(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(FILES[kind][1])
    (source,) = open_sources([path])
    wanted = {1: ("Image", "ProcessId"), 13: ("Details",)}
    rows = list(source.rows(wanted))
    assert [(number, values) for number, values, _ in rows] == [
        (1, (CREATE.fields["Image"], 2680)),
        (3, ()),
        (13, ("DWORD (0x00000001)",)),
        (4, ()),
    ]
    assert [make() for _, _, make in rows] == list(source.entries())


def test_a_packed_log_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    noise = "".join(f"<x>{os.urandom(40).hex()}</x>\n" for _ in range(3000))  # so that it does not shrink to nothing
    path = tmp_path / "log"
    path.write_bytes(gzip.compress((xml(CREATE) + noise + xml(CREATE)).encode())[:-2000])
    (source,) = open_sources([path])
    assert len(list(source.entries())) == 1
    assert len(source.tally.damaged) == 1
    rows = "\n".join(json.dumps({**security_datasets(CREATE), "x": os.urandom(40).hex()}) for _ in range(3000))
    path.write_bytes(gzip.compress(rows.encode())[:-2000])
    (source,) = open_sources([path])
    assert 2900 < len(list(source.entries())) < 3000
    assert source.tally.damages >= 1


def test_a_small_packed_log_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(gzip.compress(evtx(tmp_path / "x.evtx", creations(6, 100)).read_bytes())[:-200])
    (source,) = open_sources([path])
    assert source.form == "evtx"
    assert list(source.entries())
    assert source.tally.damages >= 1
