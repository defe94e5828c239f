"""Binary rules read back: everything that is told, and everything that is wrong with bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from tests.config.make import create, filtering, read
from tests.conftest import shared_files

from pysmon.config.blob.decode import Decoded, decode
from pysmon.config.blob.encode import encode
from pysmon.config.model import Condition, Filter, Relation, Rule
from pysmon.errors import RecordError

EVENT = 24  # where the first one is
FIRST = 48  # where its first filter or Rule is
RULES = 544 + FIRST  # the second record, after a filter of one character


def rules(body: str = "<Image>x</Image>", version: str = "4.70") -> bytearray:
    found = read(create(body, version=version)).configuration
    assert found
    return bytearray(encode(found))


def patched(at: int, value: int, data: bytearray | None = None) -> bytes:
    data = rules() if data is None else data
    struct.pack_into("<I", data, at, value)
    return bytes(data)


def back(data: bytes | bytearray) -> Decoded:
    return decode(bytes(data), "rules.bin")


def fault(data: bytes) -> str:
    with pytest.raises(RecordError) as raised:
        back(data)
    return str(raised.value).removeprefix("binary rules, offset ")


@pytest.mark.parametrize("path", shared_files("data/oracle-blobs/*.bin"))
def test_reading_and_writing_is_the_identity(path: Path) -> None:
    data = path.read_bytes()
    decoded = back(data)
    assert decoded.losses == ()
    assert encode(decoded.configuration, decoded.binary) == data


def test_everything_has_its_name_again() -> None:
    body = '<Image condition="end with" name="n">x</Image><Rule name="r" groupRelation="or"><User>u</User></Rule>'
    text = filtering(
        f'<RuleGroup name="g" groupRelation="and"><ProcessCreate onmatch="exclude">{body}</ProcessCreate></RuleGroup>'
    )
    found = read(text).configuration
    assert found
    configuration = back(encode(found)).configuration
    (element,) = configuration.filters
    image, rule = element.entries
    assert (element.tag, element.onmatch, element.relation) == ("ProcessCreate", "exclude", Relation.AND)
    assert isinstance(image, Filter)
    assert (image.field, image.condition, image.value, image.name) == ("Image", Condition.END_WITH, "x", "n")
    assert isinstance(rule, Rule)
    assert (rule.name, rule.relation, rule.number) == ("r", Relation.OR, 1)
    assert [each.name for each in rule.filters] == ["r"]
    assert configuration.schema_version == found.schema_version
    assert configuration.file == image.place.file == "rules.bin"


def test_a_name_that_all_filters_share_is_that_of_the_group() -> None:
    named = '<Rule name="r" groupRelation="or"><User>u</User></Rule>'
    (element,) = back(rules(f'<Image name="n">x</Image><User name="n">u</User>{named}')).configuration.filters
    assert element.group == "n"
    (element,) = back(rules('<Image name="n">x</Image><User>u</User>')).configuration.filters
    assert element.group == ""


def test_empty_rules_stand_where_they_stood() -> None:
    empty = '<Rule name="{}" groupRelation="and"/>'
    full = '<Rule name="b" groupRelation="or"><User>u</User></Rule>'
    data = rules(empty.format("a") + "<Image>x</Image>" + full + empty.format("c"))
    (element,) = back(data).configuration.filters
    assert [entry.name if isinstance(entry, Rule) else entry.field for entry in element.entries] == [
        "a",
        "Image",
        "b",
        "c",
    ]
    assert encode(back(data).configuration) == data


def test_an_empty_rule_that_the_header_lost_is_found() -> None:
    body = '<Rule name="a" groupRelation="and"/><Rule name="b" groupRelation="and"/><Details>x</Details>'
    found = read(filtering(f'<RegistryEvent onmatch="include">{body}</RegistryEvent>')).configuration
    assert found
    data = encode(found)
    (element,) = back(data).configuration.filters
    assert [entry.name for entry in element.entries] == ["a", "b", ""]
    assert back(data).losses == ()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "0x0: there are 0 bytes, expected a header of 24"),
        (bytes(23), "0x0: there are 23 bytes, expected a header of 24"),
        (bytes(24), "0x0: the format has version 0.00, expected 8.00 or newer; older ones are not public"),
        (
            patched(0, 1 << 16 | 1),
            "0x0: the format has version 1.01, expected 8.00 or newer; older ones are not public",
        ),
        (patched(4, 2), "0x4: the header counts 2 events, expected the 1 that there are"),
        (patched(4, 0xFFFFFFFF), "0x4: the header counts 4294967295 events, expected the 1 that there are"),
        (patched(8, 20), "0x8: the header counts 20 of its own bytes, expected 24"),
        (patched(12, 90), "0xc: the schema version is 0 and 90 hundredths, expected one like 4.90"),
        (patched(12, 4 << 16 | 100), "0xc: the schema version is 4 and 100 hundredths, expected one like 4.90"),
        (patched(16, 8), "0x10: an event begins at 0x8, expected 0x18 or later, for that is written already"),
        (patched(16, 0x7FFFFFFF), "0x10: an event of 24 bytes begins at 0x7fffffff, expected at most 0x250 bytes"),
        (patched(20, 0x7FFFFFFF), "0x14: a Rule of 292 bytes begins at 0x7fffffff, expected at most 0x250 bytes"),
        (patched(20, 8), "0x14: the next Rule begins at 0x8, expected 0x18 or later"),
        (patched(EVENT + 4, 2), "0x1c: the default is 2, expected 0 or 1"),
        (patched(EVENT + 8, 2), "0x20: the relation is 2, expected 0 (or) or 1 (and)"),
        (
            patched(EVENT + 12, EVENT),
            "0x24: an event begins at 0x18, expected 0x24c or later, for that is written already",
        ),
        (patched(EVENT + 16, 2), "0x28: the event counts 2 filters, expected the 1 that there are"),
        (patched(EVENT + 20, 0), "0x28: the event counts 1 filters, expected the 0 that there are"),
        (
            patched(EVENT + 20, EVENT),
            "0x2c: a filter begins at 0x18, expected 0x30 or later, for that is written already",
        ),
        (
            patched(FIRST + 520, FIRST),
            "0x238: a filter begins at 0x30, expected 0x24c or later, for that is written already",
        ),
        (patched(FIRST + 524, 0), "0x23c: the value has 0 bytes, expected an even number of those that there are"),
        (patched(FIRST + 524, 3), "0x23c: the value has 3 bytes, expected an even number of those that there are"),
        (
            patched(FIRST + 524, 0xFFFFFFFE),
            "0x23c: the value has 4294967294 bytes, expected an even number of those that there are",
        ),
        (patched(FIRST + 524, 2), "0x248: the text has no end, expected a zero"),
        (patched(FIRST + 528, 1), "0x240: the filter is of Rule 1, expected 0, that of its Rule"),
        (patched(FIRST + 532, 8), "0x244: a Rule begins at 0x8, expected 0x30 or later, for that is written already"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(data: bytes, told: str) -> None:
    assert fault(data) == told


def test_a_rule_that_the_chain_leaves_out_is_told() -> None:
    two = '<Rule groupRelation="and"><Image>x</Image></Rule>' * 2
    assert "1 of the filters' Rules are chained, expected all 2" in fault(patched(FIRST + 272, 0, rules(two)))


def test_a_name_without_an_end_is_told() -> None:
    data = rules()
    data[FIRST + 4 : FIRST + 516] = b"n\0" * 256
    assert fault(bytes(data)) == "0x34: the text has no end, expected a zero"


def losses(data: bytes | bytearray) -> list[str]:
    return list(back(data).losses)


def test_an_event_of_tomorrow_is_left_out() -> None:
    decoded = back(patched(EVENT, 30))
    assert decoded.losses == ("offset 0x18: event 30 is not known; 1 of its filters are left out",)
    assert decoded.configuration.filters == ()


def test_a_field_of_tomorrow_is_left_out() -> None:
    decoded = back(patched(FIRST, 99))
    assert decoded.losses == ("offset 0x30: ProcessCreate has no field with the number 99; the filter is left out",)
    assert decoded.configuration.filters[0].entries == ()


def test_a_condition_of_tomorrow_is_left_out() -> None:
    assert losses(patched(FIRST + 516, 16)) == [
        "offset 0x234: the condition with the number 16 is not known; the filter is left out"
    ]


def test_a_format_of_tomorrow_is_read_as_the_newest() -> None:
    decoded = back(patched(0, 19 << 16))
    assert decoded.losses == (
        "offset 0x0: version 19.00 of the format is not known; its numbers are read as those of 18.00",
    )
    assert len(decoded.configuration.filters) == 1


def test_a_format_whose_layout_is_an_assumption_is_told() -> None:
    assert losses(patched(0, 14 << 16)) == [
        "offset 0x0: that rules of version 14.00 are laid out as those of today is an assumption"
    ]


def test_rules_that_were_loaded_are_told_once() -> None:
    data = rules("<Image>x</Image><User>u</User>")
    struct.pack_into("<I", data, FIRST + 516, 0x40000000)
    struct.pack_into("<I", data, RULES + 516, 0x40000000)
    assert losses(data) == ["offset 0x234: these rules were loaded already: their values are in lower case"]
    assert [entry.condition for entry in back(data).configuration.filters[0].entries if isinstance(entry, Filter)] == [
        Condition.IS,
        Condition.IS,
    ]


def test_a_character_that_xml_cannot_hold_is_replaced() -> None:
    data = rules()
    data[FIRST + 536 : FIRST + 538] = b"\x01\0"
    assert losses(data) == ["offset 0x248: 1 characters of the text cannot stand in XML and are replaced"]


def test_half_a_character_is_replaced() -> None:
    data = rules()
    data[FIRST + 536 : FIRST + 538] = b"\x00\xd8"
    assert losses(data) == ["offset 0x248: 1 characters of the text cannot stand in XML and are replaced"]


def test_what_stands_behind_the_end_of_a_name_is_told() -> None:
    data = rules()
    data[FIRST + 10 : FIRST + 12] = b"x\0"
    assert losses(data) == ["offset 0x34: behind the end of the text there is more"]


def test_an_event_that_xml_would_not_choose_is_told() -> None:
    found = read(filtering('<RegistryEvent onmatch="include"><Details>x</Details></RegistryEvent>')).configuration
    assert found
    told = losses(patched(FIRST, 5, bytearray(encode(found))))  # Image, which event 12 has as well
    assert told == ["offset 0x18: RegistryEvent is for event 13; from XML it is compiled for event 12"]


def test_a_nameless_filter_of_a_rule_with_a_name_is_told() -> None:
    data = rules('<Rule name="r" groupRelation="or"><Image>x</Image></Rule>')
    data[FIRST + 296 + 4 : FIRST + 296 + 516] = bytes(512)
    assert losses(data) == ["offset 0x30: a filter of Rule 1 has no name; from XML it gets the name of its Rule"]


def test_bytes_that_the_compiler_would_not_have_written_are_told() -> None:
    data = rules() + bytes(8)
    assert losses(data) == ["offset 0x250: from here on the compiler of Sysmon would have written other bytes"]


def test_a_schema_version_that_never_was_is_told() -> None:
    (told,) = losses(patched(12, 45 << 16 | 30))
    assert told.startswith("offset 0xc: the schema version 45.30 is not known")
