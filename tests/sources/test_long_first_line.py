"""Logs of JSON whose first event is longer than the sample by which shapes are told apart."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.formats.entries import create
from tests.sources.shapes import FILES

from pysmon.formats.json_line import json_line
from pysmon.sources.open import open_sources
from pysmon.sources.streams import SAMPLE

LONG = "x" * (SAMPLE + 1)
NXLOG = FILES["security-datasets"][1]


def first_event_grown(data: bytes) -> bytes:
    """The same with a first value that is longer than a sample."""
    at = data.index(b'"CommandLine":') + len(b'"CommandLine":')
    at = data.index(b'"', at) + 1
    return data[:at] + LONG.encode() + data[at:]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_its_shape_is_found_out(tmp_path: Path, packed: bool, mark: bytes) -> None:
    data = mark + first_event_grown(NXLOG)
    path = tmp_path / "log.json"
    path.write_bytes(gzip.compress(data) if packed else data)
    (source,) = open_sources([path])
    (first, *_) = source.entries()
    assert source.form == "nxlog"
    assert LONG in str(first.event.texts())


def test_it_is_for_lines_of_our_own(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(json_line(create(CommandLine=LONG)) + b"\n" + json_line(create()) + b"\n")
    (source,) = open_sources([path])
    assert (source.form, len(list(source.entries()))) == ("pysmon", 2)
