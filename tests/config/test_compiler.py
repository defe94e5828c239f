"""What is read is what Sysmon's own compiler makes of the same files: its binary rules, and what `sysmon -c` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.config.blobs import Blob, BlobEvent, BlobFilter, read_blob
from tests.conftest import shared_files

from pysmon.config.model import Condition, Configuration, Filter, Rule
from pysmon.config.read import read_file
from pysmon.schema.event import EVENTS
from pysmon.schema.lookup import TAGS

CONDITIONS = list(Condition)
LOST = {"reg-subrules.xml"}  # its blob does not say where its Rules begin: their relations cannot be had from it


def compiled(configuration: Configuration) -> Blob:
    """The model in the shape of binary rules: by event in manifest order, then in document order."""
    events, relations = [], {}
    for event in sorted(configuration.filters, key=lambda each: TAGS.index(each.tag)):
        shape = EVENTS[event.event_id].at(configuration.schema_version)
        assert shape is not None
        fields = [field.name for field in shape.fields]
        filters: list[BlobFilter] = []
        for entry in event.entries:
            if isinstance(entry, Rule):
                relations[entry.number] = entry.relation.value
                filters += [blob_filter(each, fields, entry.number) for each in entry.filters]
            else:
                filters.append(blob_filter(entry, fields, 0))
        default = {"exclude": 0, "include": 1}[event.onmatch]
        events.append(BlobEvent(event.event_id, default, event.relation.value, tuple(filters)))
    version = configuration.schema_version
    return Blob((version.major, version.minor), tuple(events), relations)


def blob_filter(made: Filter, fields: list[str], rule: int) -> BlobFilter:
    return BlobFilter(fields.index(made.field), made.name, CONDITIONS.index(made.condition), made.value, rule)


@pytest.mark.parametrize("path", shared_files("data/oracle-blobs/*.xml"))
def test_it_says_what_sysmons_compiler_wrote(path: Path) -> None:
    configuration = read_file(path).configuration
    assert configuration is not None
    made, wanted = compiled(configuration), read_blob(path.with_suffix(".xml.bin").read_bytes())
    assert made.schema == wanted.schema
    assert made.events == wanted.events
    if path.name not in LOST:
        assert made.relations == wanted.relations


def printed(configuration: Configuration) -> list[str]:
    """The filters as `sysmon -c` prints them: of several elements with one tag and one onmatch only the first."""
    lines, last = [], ("", "")
    for event in sorted(configuration.filters, key=lambda each: TAGS.index(each.tag)):
        if (event.tag, event.onmatch) == last:
            continue
        last = (event.tag, event.onmatch)
        lines.append(f"{event.tag} {event.onmatch} {event.relation.name}")
        for entry in event.entries:
            if isinstance(entry, Rule):
                lines.append(f"rule {entry.name or format(entry.number, '04')} {entry.relation.name}")
                lines += [f"{each.field} {each.condition.value} {each.value}" for each in entry.filters]
            else:
                lines.append(f"{entry.field} {entry.condition.value} {entry.value}")
    return lines


def dumped(text: str) -> list[str]:
    """The same of a text that `sysmon -c` printed."""
    lines = []
    for line in text.splitlines()[1:]:
        if found := re.match(r" - (\w+) +onmatch: (\w+) +combine rules using '(\w+)'", line):
            lines.append(f"{found[1]} {found[2]} {found[3].upper()}")
        elif found := re.match(r"\tCompound Rule (.*?) +combine using (\w+)", line):
            lines.append(f"rule {found[1]} {found[2].upper()}")
        elif found := re.match(r"\t *(\w+) +filter: (.*?) +value: '(.*)'$", line):
            lines.append(f"{found[1]} {found[2]} {found[3]}")
    return lines


@pytest.mark.parametrize("path", shared_files("data/oracle-dumps/*.xml"))
def test_it_says_what_sysmon_prints(path: Path) -> None:
    configuration = read_file(path).configuration
    assert configuration is not None
    assert printed(configuration) == dumped(path.with_suffix(".rules").read_text())
