"""Every shape: it is known by its content, and what is read is what was written, event for event."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sources.shapes import FILES, HOST, LINUX, LOGON_EVENT, PROVIDER, SAMPLES, SID, Sample, xml

from pysmon.formats.logged import logged, moment
from pysmon.schema.catalogue import NetworkConnect, ProcessCreate
from pysmon.schema.event import Event
from pysmon.sources.open import SHAPES, open_sources
from pysmon.sources.source import Source

POOR = {
    "velociraptor, forwarded",
    "splunk-classic",
    "nxlog",
    "security-datasets",
}  # they do not tell all of the envelope


def only(path: Path, form: str | None = None) -> Source:
    (source,) = open_sources([path], form)
    return source


def written(folder: Path, data: bytes, name: str = "log") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def texts(event: Event, sample: Sample) -> dict[str, str]:
    return {name: event.text(name) for name in sample.fields}


@pytest.mark.parametrize("kind", FILES)
def test_every_shape_gives_the_same_events(kind: str, tmp_path: Path) -> None:
    form, data = FILES[kind]
    source = only(written(tmp_path, data))
    assert source.form == form
    entries = list(source.entries())
    expected = [s for s in SAMPLES if s is not LOGON_EVENT]
    if kind == "velociraptor, forwarded":  # it does not tell the channel: whoever uses it sends Sysmon's alone
        assert source.tally.unknown_events == {"4624": 1}
    else:
        assert source.tally.others == {"Security": 1}
    assert source.tally.damaged == []
    assert source.tally.entries == len(entries) == len(expected)
    assert not source.tally.unknown_fields
    for entry, sample in zip(entries, expected, strict=True):
        assert entry.event.type.id == sample.id
        assert texts(entry.event, sample) == dict(sample.fields)


@pytest.mark.parametrize("kind", [kind for kind in FILES if not kind.startswith(tuple(POOR))])
def test_the_envelope_is_told(kind: str, tmp_path: Path) -> None:
    form, data = FILES[kind]
    entry = next(iter(only(written(tmp_path, data)).entries()))
    origin = entry.origin
    assert (entry.record_id, origin.computer) == (6577, HOST)
    assert (origin.process_id, origin.thread_id) == (1912, 996)
    assert origin.foreign is not None
    assert origin.foreign.provider == PROVIDER
    assert origin.foreign.user == ("" if form == "wazuh" else SID)
    assert origin.foreign.version == (None if form.startswith("evtxecmd") else 5)


def test_an_entry_has_the_time_when_it_happened_and_keeps_the_time_when_it_was_logged(tmp_path: Path) -> None:
    create, _, registry, _ = only(written(tmp_path, FILES["wevtutil"][1])).entries()
    assert create.time == moment("2019-04-27T15:57:53.300Z")
    assert logged(create) == moment("2019-04-27T15:57:53.368863200Z")
    assert create.event.extra == {"TimeCreated": "2019-04-27T15:57:53.368863200Z"}
    assert registry.time == logged(registry) == moment("2019-04-27T15:57:56.884488200Z")  # the same but finer
    assert registry.event.extra is None


def test_values_are_typed(tmp_path: Path) -> None:
    create, connect, *_ = (e.event for e in only(written(tmp_path, FILES["evtx_dump"][1])).entries())
    assert isinstance(create, ProcessCreate)
    assert isinstance(connect, NetworkConnect)
    assert (create.ProcessId, create.LogonId, create.TerminalSessionId) == (2680, "0xf4be", 1)
    assert (connect.Initiated, connect.SourceIsIpv6, connect.DestinationPort) == (True, False, 80)
    assert create.ProcessGuid == "{365abb72-7c01-5cc4-0000-00102b3e0c00}"  # braces and case as in Sysmon's XML
    assert create.ParentUser == "-"  # this version did not have it
    assert "%%TEMP%%" in create.CommandLine  # as it was logged, and as the rules saw it


def test_lines_of_sysmon_for_linux_are_read(tmp_path: Path) -> None:
    source = only(written(tmp_path, LINUX.encode() * 2))
    first, second = source.entries()
    assert (source.form, first.event.type.id) == ("linux", 1)
    assert first == second
    assert (first.origin.user_id, first.origin.foreign and first.origin.foreign.provider) == (0, "Linux-Sysmon")


def test_a_shape_can_be_forced(tmp_path: Path) -> None:
    path = written(tmp_path, b"some words\n" * 9000 + xml(SAMPLES[0]).encode())  # beyond what is looked at
    assert [entry.record_id for entry in only(path, "xml").entries()] == [6577]


def test_every_shape_has_words_and_a_sample() -> None:
    assert {form for form, _ in FILES.values()} | {"linux", "pysmon", "store", "evtx"} == SHAPES.keys()
    assert all(shape.about for shape in SHAPES.values())
