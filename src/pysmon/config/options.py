"""The option elements directly under `<Sysmon>`, each with the grammar of its value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pysmon.config.elements import Element
from pysmon.config.model import Options
from pysmon.config.report import Report, quoted
from pysmon.config.strays import tell_attributes, tell_pieces
from pysmon.schema.event import EVENTS
from pysmon.schema.lookup import TAGS
from pysmon.schema.options import OPTIONS
from pysmon.schema.version import SchemaVersion

HASHES = ("SHA1", "MD5", "SHA256", "IMPHASH")
MOST_WATCHED = 9  # entries of ProcessAccessConfig: Sysmon says 10 and refuses the tenth (facts 2.2)
LONGEST = 10_000  # characters of a value: more than all there is to list
EVERY_ACCESS = 0xFFFF_FFFF

_HASH_NAMES = {spelt: name for name in HASHES for spelt in (name, re.sub(r"^(SHA|MD|IMP)", r"\1-", name))}
_TRUE = ("true", "1", "enabled")
_FALSE = ("false", "0", "null", "disabled")
_MASK = re.compile(r"0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10}")
_SEPARATORS = re.compile(r"[/\\]")

Read = Callable[[Options, Element, Report], Options]


def read_options(elements: Iterable[Element], version: SchemaVersion, report: Report) -> Options:
    """The options that these children of `<Sysmon>` set; of an option that is given twice the last one holds."""
    options = Options()
    seen: set[str] = set()
    for element in elements:
        if report.full:
            break
        name = _SPELLINGS.get(element.name, element.name).removesuffix("Config")
        if name not in _READERS or (name in TAGS and name == element.name):
            _tell_unknown(element, report)
            continue
        tell_attributes(element, (), report)
        tell_pieces(element, report)
        _tell_newer(element, name, version, report)
        if name in seen:
            report.add("C509", element.at, f"<{element.name}> is given again", "each option once", "the last one holds")
        seen.add(name)
        if not element.text and name not in _WITHOUT_VALUE:
            report.add("C510", element.at, f"<{element.name}> has no value", _READERS[name][1])
            continue
        if len(element.text) > LONGEST:
            message = f"the value of <{element.name}> has {len(element.text)} characters"
            report.add("C102", element.text_at, message, f"at most {LONGEST}")
            continue
        options = _READERS[name][0](options, element, report)
    return options


def _tell_unknown(element: Element, report: Report) -> None:
    message = f"Sysmon does not know <{element.name}> here; it ignores it and every option after it"
    known = [option.element for option in OPTIONS if option.element and option.element not in TAGS]
    hint = report.nearest(element.name, [*known, "EventFiltering"])
    if element.name in TAGS or element.name.lower() in {"rulegroup", "rule"}:
        hint = f"move <{element.name}> into <EventFiltering>"
    report.add("C307", element.at, message, "an option or <EventFiltering>", hint)


def _tell_newer(element: Element, name: str, version: SchemaVersion, report: Report) -> None:
    since = next((SchemaVersion.parse(option.since) for option in OPTIONS if option.name == name), version)
    if since > version:
        message = f"the option {element.name} came with schema version {since}; this file declares {version}"
        report.add("C508", element.at, message, f'schemaversion="{since}" or newer')


def _hash_algorithms(options: Options, element: Element, report: Report) -> Options:
    if element.text.lower() in {"*", "all"}:
        return replace(options, hash_algorithms=HASHES)
    chosen = set()
    for at, word in _words(element):
        found = _HASH_NAMES.get(word.upper())
        if found:
            chosen.add(found)
            continue
        hint = "remove the blanks" if _HASH_NAMES.get(word.strip().upper()) else report.nearest(word, HASHES)
        report.add("C501", at, f"the hash algorithm {quoted(word)} is not known", _READERS["HashAlgorithms"][1], hint)
    return replace(options, hash_algorithms=tuple(name for name in HASHES if name in chosen))


def _boolean(element: Element, report: Report) -> bool | None:
    written = element.text.lower()
    if not written or written in _TRUE:
        return True
    if written not in _FALSE:
        message = f"{quoted(element.text)} is neither true nor false"
        hint = "remove the blanks" if written.strip() in _TRUE + _FALSE else ""
        report.add("C502", element.text_at, message, "true or false", hint)
        return None
    return False


def _archive_directory(options: Options, element: Element, report: Report) -> Options:
    if _SEPARATORS.search(element.text) or element.text in {".", ".."}:
        message = f"the archive directory {quoted(element.text)} is not a single name"
        report.add("C503", element.text_at, message, "one name such as Sysmon: the folder stands in the root")
    return replace(options, archive_directory=element.text)


def _field_sizes(options: Options, element: Element, report: Report) -> Options:
    sizes: dict[str, int] = {}
    fields = {field.name for event in EVENTS.values() for field in event.fields}
    expected = _READERS["FieldSizes"][1]
    for at, entry in _words(element):
        name, colon, size = entry.partition(":")
        strange = next((c for c in entry if not (c.isascii() and c.isalnum()) and c != ":"), "")
        if strange:
            hint = "remove the blanks" if strange.isspace() else ""
            spot = at + entry.index(strange)
            report.add("C504", spot, f"FieldSizes has the character {quoted(strange)}", expected, hint)
        elif not colon:
            if entry:
                message = f"the entry {quoted(entry)} has no size; Sysmon ignores it"
                report.add("C505", at, message, f"{entry}:100")
        elif name not in fields:
            report.add("C504", at, f"no event has a field {quoted(name)}", "a field", report.nearest(name, fields))
        elif not (size.isdigit() and 0 < int(size[:10]) < 2**31):
            message = f"the size of {name} is {quoted(size)}"
            report.add("C504", at + len(name) + 1, message, "a number greater than 0")
        else:
            sizes[name] = int(size)
    return replace(options, field_sizes=sizes)


def _process_access(options: Options, element: Element, report: Report) -> Options:
    watched = []
    words = _words(element)
    if len(words) > MOST_WATCHED:
        message = f"ProcessAccessConfig has {len(words)} entries"
        report.add("C506", element.text_at, message, f"at most {MOST_WATCHED}")
    for at, entry in words[: MOST_WATCHED + 1]:
        name, colon, mask = entry.replace("::", "\0").partition(":")
        name = name.replace("\0", ":")
        value = int(mask, 0 if mask[:2] in {"0x", "0X"} else 10) if _MASK.fullmatch(mask) else None
        if not name:
            report.add("C506", at, f"the entry {quoted(entry)} names no program", _READERS["ProcessAccess"][1])
        elif colon and (value is None or value > EVERY_ACCESS):
            message = f"the access mask {quoted(mask.replace(chr(0), '::'))} of {quoted(name)} is no 32-bit number"
            report.add("C506", at, message, "a decimal number, or 0x and hexadecimal digits")
        else:
            watched.append((name, EVERY_ACCESS if value is None else value))
    return replace(options, process_access=tuple(watched))


def _queue_size(element: Element, report: Report) -> int | None:
    if re.fullmatch("[0-9]{1,9}", element.text) and int(element.text) > 0:
        return int(element.text)
    message = f"the size {quoted(element.text)} is not a number greater than 0"
    report.add("C507", element.text_at, message, "a number such as 1000")
    return None


def _words(element: Element) -> list[tuple[int, str]]:
    """The parts of a list with commas; each with its offset (which is true as long as no reference stands before)."""
    at, found = element.text_at, []
    for word in element.text.split(","):
        found.append((at, word))
        at += len(word) + 1
    return found


def _strings(element: Element) -> tuple[str, ...]:
    return tuple(word for _, word in _words(element) if word)


_WITHOUT_VALUE = {"CheckRevocation", "CaptureClipboard", "CopyOnDelete_PE"}  # to be there means true
_READERS: Mapping[str, tuple[Read, str]] = {
    "HashAlgorithms": (_hash_algorithms, "names of SHA1, MD5, SHA256, IMPHASH with commas and no blanks, or *"),
    "CheckRevocation": (lambda o, e, r: replace(o, check_revocation=_boolean(e, r)), "true or false"),
    "DnsLookup": (lambda o, e, r: replace(o, dns_lookup=_boolean(e, r)), "true or false"),
    "DriverName": (lambda o, e, _: replace(o, driver_name=e.text), "the name of the driver"),
    "ArchiveDirectory": (_archive_directory, "the name of a folder"),
    "CaptureClipboard": (lambda o, e, r: replace(o, capture_clipboard=_boolean(e, r)), "true or false"),
    "PipeMonitoring": (lambda o, e, _: replace(o, pipe_monitoring=_strings(e)), "names with commas"),
    "ProcessAccess": (_process_access, "entries name[:mask] with commas"),
    "FieldSizes": (_field_sizes, "entries Field:Size with commas and no blanks"),
    "DriverQueueSize": (lambda o, e, r: replace(o, driver_queue_size=_queue_size(e, r)), "a number"),
    "SigningQueueSize": (lambda o, e, r: replace(o, signing_queue_size=_queue_size(e, r)), "a number"),
    "CopyOnDelete_PE": (lambda o, e, r: replace(o, copy_on_delete_pe=_boolean(e, r)), "true or false"),
    "CopyOnDelete_SIDs": (lambda o, e, _: replace(o, copy_on_delete_sids=_strings(e)), "SIDs with commas"),
    "CopyOnDelete_Extensions": (
        lambda o, e, _: replace(o, copy_on_delete_extensions=_strings(e)),
        "endings with commas",
    ),
    "CopyOnDelete_Processes": (lambda o, e, _: replace(o, copy_on_delete_processes=_strings(e)), "names with commas"),
}
# The manifest writes CopyOnDelete_PE, Microsoft's documentation CopyOnDeletePE.
_SPELLINGS = {name.replace("_", ""): name for name in _READERS if "_" in name}
