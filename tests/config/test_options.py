"""The option elements: the grammar of each value, spellings, versions."""

from __future__ import annotations

import pytest
from tests.config.make import problem, read, sysmon

from pysmon.config.model import Options
from pysmon.config.options import EVERY_ACCESS, HASHES, LONGEST
from pysmon.schema.options import OPTIONS
from pysmon.schema.version import SchemaVersion

FILTER = '<EventFiltering><ProcessCreate onmatch="include"/></EventFiltering>'


def text(body: str, version: str = "4.91") -> str:
    return sysmon(f"{body}\n{FILTER}", version)


def options(body: str, version: str = "4.91") -> Options:
    reading = read(text(body, version))
    assert reading.problems == ()
    assert reading.configuration is not None
    return reading.configuration.options


def told(body: str, version: str = "4.91") -> list[str]:
    return [f"{found.code} {found.place.line}:{found.place.column}" for found in read(text(body, version)).problems]


def element(name: str, value: str) -> str:
    return f"<{name}>{value}</{name}>"


def test_without_options_nothing_is_set() -> None:
    assert options("") == Options()


# HashAlgorithms


@pytest.mark.parametrize(
    ("value", "algorithms"),
    [
        ("SHA256", ("SHA256",)),
        ("md5,sha256,IMPHASH", ("MD5", "SHA256", "IMPHASH")),
        ("IMPHASH,SHA1", ("SHA1", "IMPHASH")),
        ("sha-1,md-5,sha-256,imp-hash", HASHES),
        ("*", HASHES),
        ("All", HASHES),
        ("MD5,md5", ("MD5",)),
    ],
)
def test_hash_algorithms_are_read(value: str, algorithms: tuple[str, ...]) -> None:
    assert options(element("HashAlgorithms", value)).hash_algorithms == algorithms


@pytest.mark.parametrize(
    ("value", "column", "hint"),
    [
        ("SHA512", 17, "did you mean 'SHA"),
        ("MD5, SHA1", 21, "remove the blanks"),
        ("MD5,,SHA1", 21, ""),
        ("MD5,*", 21, ""),
        ("sha_1", 17, "SHA1"),
    ],
)
def test_an_unknown_hash_algorithm_is_told_at_its_name(value: str, column: int, hint: str) -> None:
    found = problem(text(element("HashAlgorithms", value)))
    assert (found.code, found.place.column) == ("C501", column)
    assert hint in found.hint


# Booleans

BOOLEANS = {
    "DnsLookup": "dns_lookup",
    "CheckRevocation": "check_revocation",
    "CaptureClipboard": "capture_clipboard",
    "CopyOnDelete_PE": "copy_on_delete_pe",
    "CopyOnDeletePE": "copy_on_delete_pe",
}


@pytest.mark.parametrize(("name", "attribute"), BOOLEANS.items())
@pytest.mark.parametrize(
    ("value", "meant"),
    [
        *((value, True) for value in ("true", "True", "1", "enabled")),
        *((value, False) for value in ("false", "FALSE", "0", "null", "disabled")),
    ],
)
def test_a_boolean_is_read(name: str, attribute: str, value: str, meant: bool) -> None:
    assert getattr(options(element(name, value)), attribute) is meant


@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize("value", ["yes", "2", " true"])
def test_what_is_neither_true_nor_false_is_refused(name: str, value: str) -> None:
    assert told(element(name, value)) == [f"C502 2:{len(name) + 3}"]


@pytest.mark.parametrize("name", ["CheckRevocation", "CaptureClipboard", "CopyOnDelete_PE", "CopyOnDeletePE"])
def test_an_empty_switch_is_on(name: str) -> None:
    assert getattr(options(f"<{name}/>"), BOOLEANS[name]) is True


# Texts and lists


def test_names_are_taken_as_they_stand() -> None:
    found = options(element("DriverName", " a b ") + element("ArchiveDirectory", "Sysmon"))
    assert (found.driver_name, found.archive_directory) == (" a b ", "Sysmon")


@pytest.mark.parametrize("value", ["a\\b", "\\a", "a/b", "/var/archive", "..", "."])
def test_the_archive_directory_is_a_single_name(value: str) -> None:
    assert told(element("ArchiveDirectory", value)) == ["C503 2:19"]


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("PipeMonitoringConfig", "pipe_monitoring"),
        ("CopyOnDelete_SIDs", "copy_on_delete_sids"),
        ("CopyOnDeleteSIDs", "copy_on_delete_sids"),
        ("CopyOnDelete_Extensions", "copy_on_delete_extensions"),
        ("CopyOnDeleteExtensions", "copy_on_delete_extensions"),
        ("CopyOnDelete_Processes", "copy_on_delete_processes"),
        ("CopyOnDeleteProcesses", "copy_on_delete_processes"),
    ],
)
def test_a_list_is_split_at_commas(name: str, attribute: str) -> None:
    assert getattr(options(element(name, "a,b c,d")), attribute) == ("a", "b c", "d")


# FieldSizes


def test_field_sizes_are_read() -> None:
    found = options(element("FieldSizes", "CommandLine:100,Image:20"))
    assert found.field_sizes == {"CommandLine": 100, "Image": 20}


@pytest.mark.parametrize(
    ("value", "column"),
    [
        ("CommandLine:0", 25),
        ("CommandLine:-1", 25),
        ("CommandLine:", 25),
        ("CommandLine:1x", 25),
        ("CommandLine:99999999999", 25),
        ("CommandLine:1:2", 25),
        ("commandline:1", 13),
        ("Image:1, User:1", 21),
        ("Im_age:1", 15),
        ("Image:1,Usr:1", 21),
    ],
)
def test_wrong_field_sizes_are_told_where_they_are_wrong(value: str, column: int) -> None:
    assert told(element("FieldSizes", value)) == [f"C504 2:{column}"]


def test_an_entry_without_a_size_is_told_to_be_ignored() -> None:
    reading = read(text(element("FieldSizes", "CommandLine,Image:20,")))
    assert [found.code for found in reading.problems] == ["C505"]
    assert reading.configuration is not None
    assert reading.configuration.options.field_sizes == {"Image": 20}


# ProcessAccessConfig


def test_process_access_is_read() -> None:
    found = options(element("ProcessAccessConfig", "a.exe,b.exe:16,c.exe:0x1F,C::\\d.exe:0xFFFFFFFF"))
    assert found.process_access == (("a.exe", EVERY_ACCESS), ("b.exe", 16), ("c.exe", 31), ("C:\\d.exe", EVERY_ACCESS))


@pytest.mark.parametrize(
    ("value", "column"),
    [("a:x", 22), ("a:", 22), ("a,:1", 24), ("a:0x1FFFFFFFF", 22), ("a:4294967296", 22), ("a:-1", 22)],
)
def test_wrong_process_access_is_told(value: str, column: int) -> None:
    assert told(element("ProcessAccessConfig", value)) == [f"C506 2:{column}"]


def test_the_tenth_entry_of_process_access_is_too_many() -> None:
    assert told(element("ProcessAccessConfig", ",".join("abcdefghi"))) == []
    assert told(element("ProcessAccessConfig", ",".join("abcdefghij"))) == ["C506 2:22"]


# Queue sizes


@pytest.mark.parametrize(
    ("name", "attribute"), [("DriverQueueSize", "driver_queue_size"), ("SigningQueueSize", "signing_queue_size")]
)
def test_a_queue_size_is_a_number_greater_than_0(name: str, attribute: str) -> None:
    assert getattr(options(element(name, "1000")), attribute) == 1000
    for value in ("0", "-1", "many", "1 ", "9999999999"):
        assert told(element(name, value)) == [f"C507 2:{len(name) + 3}"]


# What holds for all


@pytest.mark.parametrize("name", ["HashAlgorithmsConfig", "DnsLookupConfig", "PipeMonitoringConfig"])
def test_config_at_the_end_of_a_name_is_ignored(name: str) -> None:
    assert told(element(name, "1" if "Dns" in name else "MD5")) == []


@pytest.mark.parametrize("name", ["hashalgorithms", "HASHALGORITHMS", "dnslookup"])
def test_names_of_options_are_case_sensitive(name: str) -> None:
    found = problem(text(element(name, "1")))
    assert found.code == "C307"
    assert found.hint.lower() == f"did you mean {name.lower()!r}?"


@pytest.mark.parametrize("name", ["ImageLoad", "NetworkConnect", "DnsQuery", "ProcessAccess"])
def test_an_event_is_no_option(name: str) -> None:
    assert told(f"<{name}/>") == ["C307 2:1"]


@pytest.mark.parametrize("name", ["Install", "Configuration", "NoLogo"])
def test_a_switch_of_the_command_line_is_no_option(name: str) -> None:
    assert told(f"<{name}/>") == ["C307 2:1"]


@pytest.mark.parametrize(
    "name",
    [
        "HashAlgorithms",
        "DnsLookup",
        "DriverName",
        "ArchiveDirectory",
        "FieldSizes",
        "DriverQueueSize",
        "ProcessAccessConfig",
    ],
)
def test_an_option_without_its_value_is_refused(name: str) -> None:
    assert told(f"<{name}/>") == ["C510 2:1"]


def test_of_an_option_that_is_given_twice_the_last_one_holds() -> None:
    reading = read(text("<DnsLookup>true</DnsLookup>\n<DnsLookupConfig>false</DnsLookupConfig>"))
    assert [found.code for found in reading.problems] == ["C509"]
    assert reading.configuration is not None
    assert reading.configuration.options.dns_lookup is False


@pytest.mark.parametrize(
    ("body", "before", "since"),
    [
        ("<DnsLookup>true</DnsLookup>", "4.23", "4.30"),
        ("<FieldSizes>Image:1</FieldSizes>", "4.80", "4.81"),
        ("<DriverQueueSize>1</DriverQueueSize>", "4.90", "4.91"),
    ],
)
def test_an_option_newer_than_the_version_is_told_and_read(body: str, before: str, since: str) -> None:
    assert told(body, before) == ["C508 2:1"]
    assert told(body, since) == []


@pytest.mark.parametrize("version", ["4.23", "4.90"])
def test_copy_on_delete_is_read_in_every_version(version: str) -> None:
    assert told("<CopyOnDelete_PE/>", version) == []


def test_elements_inside_an_option_are_told_to_be_ignored() -> None:
    assert told("<DnsLookup>true<b/></DnsLookup>") == ["C321 2:16"]


def test_a_value_longer_than_any_list_ends_the_reading() -> None:
    assert told(element("PipeMonitoringConfig", "a" * LONGEST)) == []
    assert told(element("PipeMonitoringConfig", "a" * (LONGEST + 1))) == ["C102 2:23"]


def test_every_option_of_the_schema_that_has_an_element_is_read() -> None:
    newest = SchemaVersion(4, 91)
    for option in OPTIONS:
        public = option.element and not option.internal and not (option.rule and not option.forceconfig)
        if public and option.at(newest):
            assert "C307" not in [code.split()[0] for code in told(element(option.element, "1"))]
