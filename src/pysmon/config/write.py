"""A configuration -> XML that Sysmon reads, and that gives the same configuration when it is read again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pysmon.config.compiled import compiled_order
from pysmon.config.events import LAST_OR
from pysmon.config.model import Condition, Configuration, EventFilter, Filter, Options, Relation, Rule
from pysmon.config.options import EVERY_ACCESS
from pysmon.schema.version import SchemaVersion

_LAST_UNDERSCORE = SchemaVersion(4, 23)  # its manifest is the last with CopyOnDelete_PE; since then CopyOnDeletePE
_INDENT = "  "
_SPECIAL = re.compile("[&<>\t\n\r]")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def write_configuration(configuration: Configuration, *, head: Sequence[str] = ()) -> str:
    """The text of a configuration, with `head` as lines of a comment before it.

    Elements stand in the order in which Sysmon compiles them, each in a RuleGroup of its own that says how its filters
    combine; schemas up to 4.10 have no RuleGroup, and there it is left away where "or" is meant. Comments and what
    else the model does not hold are lost.
    """
    version = configuration.schema_version
    lines = [f'<Sysmon schemaversion="{version}">', *_indented(_options(configuration.options, version))]
    elements = [line for each in compiled_order(configuration.filters) for line in _event(each, version)]
    if elements:
        lines += [f"{_INDENT}<EventFiltering>", *_indented(_indented(elements)), f"{_INDENT}</EventFiltering>"]
    else:
        lines.append(f"{_INDENT}<EventFiltering/>")
    return "".join(f"{line}\n" for line in (*_comment(head), *lines, "</Sysmon>"))


def text(value: str) -> str:
    """A value as text of an element; what a reader would change or drop is written by number."""
    if value and not value.strip(" \t\n"):
        return "".join(f"&#{ord(character)};" for character in value)
    return _SPECIAL.sub(_reference, value)


def quoted(value: str) -> str:
    """A value as an attribute's, with its quotation marks."""
    return f'"{re.sub(chr(34), "&quot;", _SPECIAL.sub(_reference, value))}"'


def _reference(found: re.Match[str]) -> str:
    return _NAMED.get(found[0]) or f"&#{ord(found[0])};"


def _event(element: EventFilter, version: SchemaVersion) -> Iterator[str]:
    opening = f"{element.tag} onmatch={quoted(element.onmatch)}"
    entries = [line for entry in element.entries for line in _entry(entry, element.group)]
    lines = _nested(opening, element.tag, entries)
    if version <= LAST_OR and element.relation is Relation.OR and not element.group:
        return iter(lines)
    group = f"RuleGroup name={quoted(element.group)} groupRelation={quoted(element.relation.name.lower())}"
    return iter(_nested(group, "RuleGroup", lines))


def _entry(entry: Filter | Rule, inherited: str) -> list[str]:
    if isinstance(entry, Filter):
        return [_filter(entry, inherited)]
    opening = f"Rule{_name(entry.name, '')} groupRelation={quoted(entry.relation.name.lower())}"
    return _nested(opening, "Rule", [_filter(each, entry.name or inherited) for each in entry.filters])


def _filter(made: Filter, inherited: str) -> str:
    condition = "" if made.condition is Condition.IS else f" condition={quoted(made.condition.value)}"
    opening = f"{made.field}{_name(made.name, inherited)}{condition}"
    return f"<{opening}>{text(made.value)}</{made.field}>" if made.value else f"<{opening}/>"


def _name(name: str, inherited: str) -> str:
    return f" name={quoted(name)}" if name and name != inherited else ""


def _nested(opening: str, tag: str, inside: list[str]) -> list[str]:
    return [f"<{opening}>", *_indented(inside), f"</{tag}>"] if inside else [f"<{opening}/>"]


def _options(options: Options, version: SchemaVersion) -> Iterator[str]:
    underscore = "_" if version <= _LAST_UNDERSCORE else ""
    values = {
        "HashAlgorithms": _list(options.hash_algorithms),
        "CheckRevocation": _boolean(options.check_revocation),
        "DnsLookup": _boolean(options.dns_lookup),
        "DriverName": options.driver_name,
        "ArchiveDirectory": options.archive_directory,
        "CaptureClipboard": "" if options.capture_clipboard else _boolean(options.capture_clipboard),
        "PipeMonitoringConfig": _list(options.pipe_monitoring),
        "ProcessAccessConfig": _list(_watched(options.process_access)),
        "FieldSizes": _list([f"{name}:{size}" for name, size in options.field_sizes.items()] or None),
        "DriverQueueSize": _number(options.driver_queue_size),
        "SigningQueueSize": _number(options.signing_queue_size),
        f"CopyOnDelete{underscore}PE": _boolean(options.copy_on_delete_pe),
        f"CopyOnDelete{underscore}SIDs": _list(options.copy_on_delete_sids),
        f"CopyOnDelete{underscore}Extensions": _list(options.copy_on_delete_extensions),
        f"CopyOnDelete{underscore}Processes": _list(options.copy_on_delete_processes),
    }
    for name, value in values.items():
        if value is not None:
            yield f"<{name}>{text(value)}</{name}>" if value else f"<{name}/>"


def _watched(entries: tuple[tuple[str, int], ...] | None) -> list[str] | None:
    if entries is None:
        return None
    return [name.replace(":", "::") + ("" if mask == EVERY_ACCESS else f":{mask:#x}") for name, mask in entries]


def _list(values: Iterable[str] | None) -> str | None:
    return None if values is None else ",".join(values)


def _boolean(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"{_INDENT}{line}" for line in lines)


def _comment(lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield "<!--"
        yield from (f"{_INDENT}{re.sub('-(?=-)', '- ', line)}" for line in lines)
        yield "-->"
