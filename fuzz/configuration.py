"""Configurations: any bytes give a configuration, problems, or both; what was read can be used everywhere."""

from __future__ import annotations

from dataclasses import replace

from fuzz.events import plain_events
from fuzz.target import Target, law
from pysmon.config.blob.decode import decode
from pysmon.config.blob.encode import encode
from pysmon.config.dump import rules_dump
from pysmon.config.fmt import format_text
from pysmon.config.model import Configuration, EventFilter, Filter, Rule
from pysmon.config.read import NEWEST, OLDEST, read_configuration
from pysmon.config.show import show_problem
from pysmon.config.write import write_configuration
from pysmon.errors import MisuseError, Place
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.version import SchemaVersion

_SMALL = 4096  # bytes: what is done with a larger one beside reading it takes too long to be done often
_NOWHERE = Place("")


def check(data: bytes) -> None:
    """The law."""
    reading = read_configuration(data, "fuzz.xml")
    for problem in reading.problems[:20]:
        law(bool(show_problem(problem)), "a problem that cannot be shown")
    if reading.configuration is None:
        law(any(p.severity == "error" for p in reading.problems), "no configuration, and no error that says why")
    else:
        use(reading.configuration)
        if len(data) <= _SMALL and not reading.problems and not data.startswith((b"\xff", b"\xfe", b"<\0", b"\0")):
            _lay_out(data, reading.configuration)


def use(configuration: Configuration) -> None:
    """Do with a configuration what pysmon does with those that it accepts."""
    ruleset = Ruleset.compile(configuration)
    for event in plain_events():
        ruleset.decide(event)
    rules_dump(configuration)
    again = read_configuration(write_configuration(configuration).encode("utf-8", "surrogatepass"), "fuzz.xml")
    version = configuration.schema_version
    law(SchemaVersion.parse(str(version)) == version, "a version that cannot be read when it is written")
    known = version >= OLDEST and version.major <= NEWEST.major
    refused = {problem.code for problem in again.problems if problem.severity == "error"}
    known = known and refused != {"C406"}  # binary rules can have longer names than a configuration may give
    law(again.configuration is not None or not known, "what was written of a configuration is none")
    try:
        rules = encode(configuration)
    except MisuseError:
        return
    if rules:
        decode(rules, "fuzz.bin")


def _lay_out(data: bytes, configuration: Configuration) -> None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    laid = format_text(text.replace("\r\n", "\n").replace("\r", "\n"))
    again = read_configuration(laid.encode(), "fuzz.xml").configuration
    law(again is not None and _meaning(again) == _meaning(configuration), "laid out it means something else")
    law(format_text(laid) == laid, "laid out again it looks different")


def _meaning(configuration: Configuration) -> object:
    return configuration.schema_version, configuration.options, [_placeless(each) for each in configuration.filters]


def _placeless(element: EventFilter) -> EventFilter:
    entries = tuple(_placeless_entry(entry) for entry in element.entries)
    return replace(element, place=_NOWHERE, entries=entries)


def _placeless_entry(entry: Filter | Rule) -> Filter | Rule:
    if isinstance(entry, Rule):
        inside = tuple(replace(each, place=_NOWHERE) for each in entry.filters)
        return replace(entry, place=_NOWHERE, filters=inside)
    return replace(entry, place=_NOWHERE)


TARGET = Target(
    "configuration",
    "configuration files (XML)",
    check,
    words=(
        *(b"<Sysmon ", b'schemaversion="', b"<EventFiltering>", b"<RuleGroup ", b'groupRelation="', b"</RuleGroup>"),
        *(b"<ProcessCreate ", b'onmatch="include"', b'onmatch="exclude"', b"<Rule ", b"</Rule>", b'name="', b"<Image"),
        *(b'condition="', b"contains any", b"begin with", b"is any", b"less than", b"image", b"<!--", b"-->", b"]]>"),
        *(
            b"<![CDATA[",
            b"<!DOCTYPE ",
            b"<?xml ",
            b'encoding="',
            b"&#x",
            b"&amp;",
            b"&#0;",
            b"</Sysmon>",
            b"<FieldSizes>",
        ),
        *(b"<HashAlgorithms>", b"<ArchiveDirectory>", b"\xef\xbb\xbf", b"\xff\xfe", b"%TEMP%", b"\xed\xa0\x80"),
    ),
    shared=("data/configs/*.xml", "data/oracle-blobs/*.xml", "data/oracle-dumps/*.xml"),
)
