"""What `sysmon -c` prints of a configuration: the section of its rules, and the lines before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pysmon.config.compiled import compiled_order
from pysmon.config.model import Configuration, EventFilter, Filter, Rule

NO_RULES = "No rules installed\n"  # what Sysmon prints in place of the section where nothing is filtered

_LONGEST_RULE_NAME = 32  # bytes of it that Sysmon prints


@dataclass(frozen=True, slots=True)
class Running:
    """What an installed Sysmon for Windows tells of itself above its rules; "" leaves a line away where it may miss."""

    service_name: str = "Sysmon"
    driver_name: str = "SysmonDrv"
    config_file: str = ""
    config_hash: str = ""
    field_sizes: str = ""
    hash_algorithms: str = "SHA256"
    network_connection: bool = False
    archive_directory: str = "-"
    image_loading: bool = False
    crl_checking: bool = False
    dns_lookup: bool = True


def rules_dump(configuration: Configuration) -> str:
    """The section of the rules, line for line as `sysmon -c` prints it; every line ends in a newline.

    Its quirks are Sysmon's: of several elements in a row with the same tag and the same `onmatch` only the first one
    is printed, though all count; and the name of a `Rule` ends after 32 bytes, if need be within a character. What is
    left of such a character stands as surrogates: write it with `errors="surrogateescape"`.
    """
    if not configuration.filters:
        return NO_RULES
    return "".join(f"{line}\n" for line in _section(configuration))


def windows_header(running: Running) -> str:
    """What Sysmon for Windows prints before that section, the blank line between them included."""
    lines = [
        "Current configuration:",
        _item("Service name", running.service_name),
        _item("Driver name", running.driver_name),
        *_given("Config file", running.config_file),
        *_given("Config hash", running.config_hash),
        *_given("Field Sizes", running.field_sizes),
        "",
        _item("HashingAlgorithms", running.hash_algorithms),
        _item("Network connection", _switch(running.network_connection)),
        _item("Archive Directory", running.archive_directory),
        _item("Image loading", _switch(running.image_loading)),
        _item("CRL checking", _switch(running.crl_checking)),
        _item("DNS lookup", _switch(running.dns_lookup)),
        "",
    ]
    return "".join(f"{line}\n" for line in lines)


def linux_header(field_sizes: str = "") -> str:
    """What Sysmon for Linux prints before that section: the sizes of fields, if there are any, and a blank line."""
    return "".join(f"{line}\n" for line in (*_given("Field Sizes", field_sizes), ""))


def _section(configuration: Configuration) -> Iterator[str]:
    yield f"Rule configuration (version {configuration.schema_version}):"
    printed = ("", "")
    for element in compiled_order(configuration.filters):
        if (element.tag, element.onmatch) == printed:
            continue
        printed = (element.tag, element.onmatch)
        combine = element.relation.name.capitalize()
        yield f" - {element.tag:<34} onmatch: {element.onmatch}   combine rules using '{combine}'"
        yield from _entries(element)


def _entries(element: EventFilter) -> Iterator[str]:
    for entry in element.entries:
        if isinstance(entry, Filter):
            yield _filter("\t", entry)
        elif entry.filters:
            yield f"\tCompound Rule {_title(entry)}   combine using {entry.relation.name.capitalize()}"
            yield from (_filter("\t    ", each) for each in entry.filters)


def _filter(indent: str, made: Filter) -> str:
    return f"{indent}{made.field:<30} filter: {made.condition.value:<12} value: '{made.value}'"


def _title(rule: Rule) -> str:
    # Its dumper for Linux has the name in UTF-8 and prints it with `%.32s`, which counts bytes.
    return rule.name.encode()[:_LONGEST_RULE_NAME].decode(errors="surrogateescape") or f"{rule.number:04}"


def _item(name: str, value: str) -> str:
    return f"{f' - {name}:':<34}{value}"


def _given(name: str, value: str) -> Iterable[str]:
    return [_item(name, value)] if value else []


def _switch(on: bool) -> str:
    return "enabled" if on else "disabled"
