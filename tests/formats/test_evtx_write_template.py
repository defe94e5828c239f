"""Templates that we write, held against those of Windows byte for byte."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from tests.conftest import shared_files
from tests.formats.evtx_readers import by_evtx

from pysmon.formats.evtx.layout import (
    CHUNK_SIZE,
    DESCRIPTOR,
    FILE_HEADER_SIZE,
    NAME,
    NAME_BUCKETS,
    TEMPLATE,
    ValueType,
    name_hash,
)
from pysmon.formats.evtx.write_data import EventData
from pysmon.formats.evtx.write_envelope import Envelope
from pysmon.formats.evtx.write_template import OURS, Definitions, Element, Names, Slot, Template
from pysmon.schema.entry import Foreign, Origin
from pysmon.schema.event import EVENTS

FIRST = 550  # where the first template of a chunk lies
BY_WINDOWS = shared_files("data/evtx/mitre-*.evtx")  # schemas since 4.50; older ones had other types


def definition(data: bytes, at: int) -> bytes:
    """The definition there, without the link and the GUID."""
    return data[at + 20 : at + TEMPLATE.size + TEMPLATE.unpack_from(data, at)[2]]


@pytest.mark.parametrize("path", BY_WINDOWS)
def test_the_templates_of_the_first_record_are_those_of_windows(path: Path) -> None:
    chunk = path.read_bytes()[FILE_HEADER_SIZE:][:CHUNK_SIZE]
    seen = next(by_evtx(path))
    schema = EVENTS[int(seen.system["EventID"])]
    said = Foreign(
        provider=seen.system["Provider.Name"],
        guid="{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
        channel=seen.system["Channel"],
        user=seen.system["Security.UserID"],
        version=int(seen.system["Version"]),
    )
    ids = (int(seen.system["Execution.ProcessID"]), int(seen.system["Execution.ThreadID"]))
    envelope = Envelope.of(Origin(seen.system["Computer"], *ids, 0, said), schema)
    names, definitions = Names(), Definitions()
    ours = definitions.define(envelope.template, FIRST, 0, names)
    assert ours[20:] == definition(chunk, FIRST)

    at = FIRST + len(ours)
    (filetime,) = struct.unpack_from("<Q", chunk, at + 4 + 18 * DESCRIPTOR.size + 14)
    after = envelope.after(filetime, int(seen.system["EventRecordID"]))
    assert chunk[at:].startswith(envelope.before)
    at += len(envelope.before) + 2  # the size of the nested part
    assert chunk[at:].startswith(after)

    at += len(after) + 14
    data = EventData(schema.id, tuple(name for name, _ in seen.data))
    assert definitions.define(data.usual, at, 0, names)[20:] == definition(chunk, at)


SMALL = Template(Element("A", (("n", "x"),), (Element("B", content=(Slot(0, ValueType.STRING),)),)))


def test_a_name_is_written_once_and_then_referred_to() -> None:
    names, definitions = Names(), Definitions()
    first = definitions.define(SMALL, 1000, 0, names)
    second = definitions.define(Template(Element("B", (("n", "y"),))), 2000, 0, names)
    assert first.count("B".encode("utf-16-le") + b"\0\0") == 1
    assert "B".encode("utf-16-le") + b"\0\0" not in second
    assert struct.pack("<I", names.offsets["B"]) in second


def test_a_definition_that_is_kept_is_the_same_as_one_that_is_made_anew() -> None:
    kept = Definitions()
    for at in (1000, 2000, 1000):
        names, fresh = Names(), Names()
        assert kept.define(SMALL, at, 7, names) == Definitions().define(SMALL, at, 7, fresh)
        assert names == fresh


def test_names_of_one_bucket_form_a_list_with_the_newest_first() -> None:
    same: dict[int, list[str]] = {}
    for number in range(200):
        same.setdefault(name_hash(f"N{number}") % NAME_BUCKETS, []).append(f"N{number}")
    bucket, (older, newer, *_) = next((b, found) for b, found in same.items() if len(found) > 2)
    names = Names()
    data = names.refer(older, 600) + names.refer(newer, 700)
    assert names.heads[bucket] == 704
    following, hashed, _ = NAME.unpack_from(data, data.index(newer.encode("utf-16-le")) - NAME.size)
    assert (following, hashed) == (604, name_hash(newer))


def test_a_template_has_the_same_guid_each_time_and_another_than_others() -> None:
    again = Template(SMALL.root)
    other = Template(Element("A", (("n", "y"),)))
    assert again.guid == SMALL.guid != other.guid
    assert other.guid.endswith(OURS)


def test_no_definition_is_larger_than_is_said() -> None:
    assert len(Definitions().define(SMALL, 1000, 0, Names())) == SMALL.most


def test_an_element_without_content_is_closed_at_once() -> None:
    data = Definitions().define(Template(Element("E")), 1000, 0, Names())
    assert data.endswith(b"\x03\x00")
