"""Bytes -> text: every encoding that Sysmon reads, and what is told where bytes and declaration disagree."""

from __future__ import annotations

import codecs

import pytest

from pysmon.config.decode import LIMIT, decode
from pysmon.config.read import read_configuration

BODY = '<Sysmon schemaversion="4.90"><EventFiltering><ProcessCreate onmatch="include"><Image>/opt/caf\u00e9</Image></ProcessCreate></EventFiltering></Sysmon>'  # noqa: E501


def declared(encoding: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>\n{BODY}'


def codes(data: bytes) -> list[str]:
    return [problem.code for problem in read_configuration(data, "a.xml").problems]


def value(data: bytes) -> str:
    configuration = read_configuration(data, "a.xml").configuration
    assert configuration is not None
    entry = configuration.filters[0].entries[0]
    return getattr(entry, "value", "")


READ_WITHOUT_PROBLEMS = {
    "UTF-8": BODY.encode(),
    "UTF-8 with a mark": codecs.BOM_UTF8 + BODY.encode(),
    "UTF-8 declared": declared("UTF-8").encode(),
    "UTF-8 declared in small letters and with a mark": codecs.BOM_UTF8 + declared("utf-8").encode(),
    "UTF-16 with a mark": codecs.BOM_UTF16_LE + BODY.encode("utf-16-le"),
    "UTF-16 with a mark, declared": codecs.BOM_UTF16_LE + declared("UTF-16").encode("utf-16-le"),
    "UTF-16 without a mark": BODY.encode("utf-16-le"),
    "UTF-16 without a mark, declared": declared("utf-16").encode("utf-16-le"),
    "UTF-16 without a mark, a line end first": ("\r\n" + BODY).encode("utf-16-le"),
    "ISO-8859-1": declared("ISO-8859-1").encode("latin-1"),
    "Windows-1252": declared("windows-1252").encode("cp1252"),
}


@pytest.mark.parametrize("data", READ_WITHOUT_PROBLEMS.values(), ids=READ_WITHOUT_PROBLEMS.keys())
def test_an_encoding_that_sysmon_reads_is_read(data: bytes) -> None:
    assert codes(data) == []
    assert value(data) == "/opt/caf\u00e9"


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, b""], ids=["with a mark", "without a mark"])
def test_utf16_big_endian_is_read_with_a_warning_because_sysmon_does_not(mark: bytes) -> None:
    data = mark + BODY.encode("utf-16-be")
    assert codes(data) == ["C107"]
    assert value(data) == "/opt/caf\u00e9"


def test_the_mark_is_believed_before_the_declaration() -> None:
    data = codecs.BOM_UTF16_LE + declared("UTF-8").encode("utf-16-le")
    assert codes(data) == ["C106"]
    assert value(data) == "/opt/caf\u00e9"


def test_a_utf8_mark_is_believed_before_the_declaration() -> None:
    data = codecs.BOM_UTF8 + declared("ISO-8859-1").encode()
    assert codes(data) == ["C106"]
    assert value(data) == "/opt/caf\u00e9"


def test_a_file_that_only_says_that_it_is_utf16_is_read_as_utf8() -> None:
    data = declared("UTF-16").encode()
    assert codes(data) == ["C106"]
    assert value(data) == "/opt/caf\u00e9"


def test_a_contradiction_is_told_at_the_declared_encoding() -> None:
    (problem,) = read_configuration(codecs.BOM_UTF8 + declared("ISO-8859-1").encode(), "a.xml").problems
    assert (problem.place.line, problem.place.column) == (1, 31)


@pytest.mark.parametrize("name", ["EBCDIC", "rot13", "zlib", "idna", "UTF-7", "../x", "x" * 500, "\u00e9"])
def test_an_encoding_that_is_none_or_not_ours_is_refused(name: str) -> None:
    assert codes(declared(name).encode())[0] in {"C105", "C104"}


def test_utf32_is_refused() -> None:
    assert codes(BODY.encode("utf-32")) == ["C105"]


def test_bytes_that_are_not_utf8_are_told_with_line_and_column() -> None:
    data = BODY.replace("><", ">\n<").encode("latin-1")
    (problem,) = read_configuration(data, "a.xml").problems
    assert (problem.code, problem.place.line, problem.place.column) == ("C104", 4, 16)
    assert "ISO-8859-1" in problem.hint


def test_reading_goes_on_after_bytes_that_are_not_utf8() -> None:
    data = BODY.replace("</Image>", "</Image><Imag/>").encode("latin-1")
    assert codes(data) == ["C104", "C401"]


def test_half_a_character_in_utf8_is_refused() -> None:
    assert codes(BODY.encode().replace(b"caf", b"\xed\xa0\x80")) == ["C104"]


def test_half_a_character_in_utf16_is_refused() -> None:
    assert codes(BODY.encode("utf-16-le").replace("\u00e9".encode("utf-16-le"), b"\x00\xd8")) == ["C104"]


def test_utf16_that_ends_in_half_a_unit_is_refused() -> None:
    assert "C104" in codes((BODY + "\n").encode("utf-16")[:-1])


@pytest.mark.parametrize("data", [b"", b" \r\n\t", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, bytes(1000)])
def test_an_empty_file_is_told_to_be_empty(data: bytes) -> None:
    assert codes(data) == ["C103"]


def test_a_picture_gives_one_problem() -> None:
    assert codes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50) == ["C104"]


def test_a_program_gives_few_problems() -> None:
    assert len(codes(b"\x7fELF\x02\x01\x01" + bytes([0, 1, 2, 60, 65, 62]) * 5000)) <= 25


def test_line_ends_of_all_systems_count_as_one() -> None:
    assert decode(b"<a>\r\n<b>\r<c>\n").text == "<a>\n<b>\n<c>\n"


def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_not() -> None:
    assert decode(b"<a/>".ljust(LIMIT)).text is not None
    assert [finding.code for finding in decode(b"<a/>".ljust(LIMIT + 1)).findings] == ["C102"]
