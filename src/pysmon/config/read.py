"""The bytes of a configuration -> the model and every problem in it. This is the front door of the folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from pysmon.config.decode import LIMIT, decode
from pysmon.config.elements import Element, parse
from pysmon.config.events import read_events
from pysmon.config.model import Configuration
from pysmon.config.options import read_options
from pysmon.config.problems import Problem
from pysmon.config.report import Report, Source, quoted
from pysmon.config.strays import tell_attributes, tell_text
from pysmon.schema.lookup import TAGS
from pysmon.schema.version import SchemaVersion
from pysmon.schema.versions import SCHEMAS

OLDEST = SCHEMAS[0].version
OLDEST_READ_BY_SYSMON = SchemaVersion(4, 0)  # by its GetConfigurationDtd
NEWEST = SCHEMAS[-1].version


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading gave: the configuration, None if there was any error, and all problems in the order of the file."""

    configuration: Configuration | None
    problems: tuple[Problem, ...]

    def errors(self) -> Reading:
        """The same without its warnings."""
        return Reading(self.configuration, tuple(p for p in self.problems if p.severity == "error"))


def read_file(path: Path) -> Reading:
    """Read a configuration file; one that cannot be read is a problem too. At most 16 MiB come into memory."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except (OSError, ValueError) as error:
        report = Report(Source(str(path), ""))
        why = getattr(error, "strerror", None) or str(error)
        report.add("C101", None, f"cannot read the file: {why}", "a configuration file that can be read")
        return Reading(None, report.problems())
    return read_configuration(data, str(path))


def read_default() -> Reading:
    """Read the configuration that comes with pysmon."""
    return read_configuration(default_bytes(), "default.xml")


def default_bytes() -> bytes:
    """The configuration that comes with pysmon, as a file."""
    return resources.files(__package__).joinpath("default.xml").read_bytes()


def read_configuration(data: bytes, file: str) -> Reading:
    """Read a configuration; total: any bytes give a configuration, problems, or both."""
    decoded = decode(data)
    report = Report(Source(file, decoded.text or ""))
    for finding in decoded.findings:
        report.add(*finding)
    root = parse(report) if decoded.text is not None else None
    read = _Sysmon(report, file, hashlib.sha256(data).hexdigest()).read(root) if root else None
    return Reading(None if report.failed else read, report.problems())


class _Sysmon:
    """Reads the root element and shares out what is in it."""

    def __init__(self, report: Report, file: str, sha256: str) -> None:
        self._report = report
        self._file = file
        self._sha256 = sha256

    def read(self, root: Element) -> Configuration | None:
        if root.name != "Sysmon":
            hint = self._report.nearest(root.name, ["Sysmon"])
            self._report.add("C301", root.at, f"the root element is <{root.name}>", "<Sysmon schemaversion=...>", hint)
            if root.name.lower() != "sysmon":
                return None
        version = self._version(root)
        tell_attributes(root, ("schemaversion",), self._report)
        tell_text(root, self._report)
        filterings = [child for child in root.children if child.name == "EventFiltering"]
        others = [child for child in root.children if child.name != "EventFiltering"]
        options = read_options(others, version, self._report)
        events = [event for filtering in filterings for event in self._events(filtering)]
        filters = read_events(events, version, self._report)
        if not events and not self._report.failed:
            message = "the configuration filters no event; Sysmon's defaults hold: processes that begin and end"
            at = filterings[0].at if filterings else root.at
            self._report.add("C318", at, message, "event elements such as <ProcessCreate onmatch=...>")
        return Configuration(self._file, self._sha256, version, options, filters)

    def _version(self, root: Element) -> SchemaVersion:
        written, at = root.get("schemaversion"), root.spot("schemaversion")
        expected = f"a version from {OLDEST} to {NEWEST}"
        if "schemaversion" not in root.attributes:
            self._report.add("C302", at, "<Sysmon> has no schemaversion", f'schemaversion="{NEWEST}"')
            return NEWEST
        try:
            version = SchemaVersion.parse(written)
        except ValueError:
            self._report.add("C303", at, f"schemaversion {quoted(written)} is no number", expected)
            return NEWEST
        if version < OLDEST or version.major > NEWEST.major:
            message = f"schema version {version} is not supported"
            hint = f'declare schemaversion="{NEWEST}" and see what else is reported'
            self._report.add("C304", at, message, expected, hint)
            return NEWEST
        if version > NEWEST:
            message = f"schema version {version} is newer than pysmon; the file is read as {NEWEST}"
            self._report.add("C305", at, message, expected)
        elif version < OLDEST_READ_BY_SYSMON:
            message = f"schema version {version} is of an old Sysmon; those of today refuse the file"
            self._report.add("C305", at, message, f"a version from {OLDEST_READ_BY_SYSMON} to {NEWEST}")
        return version

    def _events(self, filtering: Element) -> Iterator[Element]:
        """Every event element, at any depth, as Sysmon finds them; tells of what else is there."""
        tell_attributes(filtering, (), self._report)
        tell_text(filtering, self._report)
        inside: set[int] = set()  # ids of elements inside event elements and unknown elements
        for element in filtering.below():
            if self._report.full:
                return
            around = element.parent
            if around and id(around) in inside:
                inside.add(id(element))
            if element.name in TAGS:
                inside.add(id(element))
                yield element
            elif id(element) in inside:
                continue
            elif element.name.lower() == "rulegroup":
                self._group(element)
            else:
                inside.add(id(element))
                self._unknown(element)

    def _group(self, group: Element) -> None:
        tell_attributes(group, ("name", "groupRelation"), self._report)
        tell_text(group, self._report)
        if group.parent and group.parent.name.lower() == "rulegroup":
            message = "a RuleGroup stands inside a RuleGroup; only the inner one counts for its events"
            self._report.add("C315", group.at, message, "RuleGroups beside each other")
        if not group.get("groupRelation"):
            message = "the RuleGroup has no groupRelation; the schema version decides how its filters combine"
            self._report.add("C314", group.at, message, 'groupRelation="and" or groupRelation="or"')

    def _unknown(self, element: Element) -> None:
        message = f"Sysmon knows no event {quoted(element.name)} and ignores the element"
        hint = self._report.nearest(element.name, [*TAGS, "RuleGroup"])
        if element.name.lower() == "rule":
            hint = "a Rule stands inside an event element"
        expected = "a RuleGroup or an event element"
        self._report.add("C308", element.at, message, expected, hint)
