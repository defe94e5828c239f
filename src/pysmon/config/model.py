"""What a configuration says, once it is read: a frozen tree in which every part knows its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from pysmon.errors import Place
from pysmon.schema.version import SchemaVersion

Onmatch = Literal["include", "exclude"]


class Relation(Enum):
    """How entries combine (facts 3.1): the values are those of the binary rule blob."""

    OR = 0
    AND = 1


class Condition(Enum):
    """The comparisons of Sysmon (facts 2.4), by the words of the configuration language."""

    IS = "is"
    IS_NOT = "is not"
    CONTAINS = "contains"
    CONTAINS_ANY = "contains any"
    IS_ANY = "is any"
    CONTAINS_ALL = "contains all"
    EXCLUDES = "excludes"
    EXCLUDES_ANY = "excludes any"
    EXCLUDES_ALL = "excludes all"
    BEGIN_WITH = "begin with"
    END_WITH = "end with"
    LESS_THAN = "less than"
    MORE_THAN = "more than"
    IMAGE = "image"
    NOT_BEGIN_WITH = "not begin with"
    NOT_END_WITH = "not end with"


@dataclass(frozen=True, slots=True)
class Filter:
    """One field condition: `<Image condition="end with" name="...">value</Image>`."""

    field: str
    condition: Condition
    value: str
    name: str  # what RuleName shows: its own name, else that of the Rule, else that of the RuleGroup, else ""
    place: Place


@dataclass(frozen=True, slots=True)
class Rule:
    """A compound rule: `<Rule groupRelation="and">`. `number` counts from 1 over the whole file (facts 3.1).

    One without filters stands for nothing: it neither matches nor keeps anything from matching.
    """

    name: str
    relation: Relation
    filters: tuple[Filter, ...]
    number: int
    place: Place


@dataclass(frozen=True, slots=True)
class EventFilter:
    """One event element: `<ProcessCreate onmatch="include">`. A tag may have several; all count, in document order."""

    tag: str
    event_id: int  # the event of the series that all its fields fit (facts 3.1 point 6)
    onmatch: Onmatch
    relation: Relation
    entries: tuple[Filter | Rule, ...]
    group: str  # name of the RuleGroup around it, or ""
    place: Place


@dataclass(frozen=True, slots=True)
class Options:
    """The option elements directly under `<Sysmon>`; a value that is not given is None, and then the default holds."""

    hash_algorithms: tuple[str, ...] | None = None  # of SHA1, MD5, SHA256, IMPHASH, in that order
    check_revocation: bool | None = None
    dns_lookup: bool | None = None
    driver_name: str | None = None
    archive_directory: str | None = None
    capture_clipboard: bool | None = None
    pipe_monitoring: tuple[str, ...] | None = None
    process_access: tuple[tuple[str, int], ...] | None = None  # (name, access mask)
    field_sizes: Mapping[str, int] = field(default_factory=dict)
    driver_queue_size: int | None = None
    signing_queue_size: int | None = None
    copy_on_delete_pe: bool | None = None
    copy_on_delete_sids: tuple[str, ...] | None = None
    copy_on_delete_extensions: tuple[str, ...] | None = None
    copy_on_delete_processes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole configuration. `filters` are in document order; `sha256` is of the file's bytes, in lower-case hex."""

    file: str
    sha256: str
    schema_version: SchemaVersion
    options: Options
    filters: tuple[EventFilter, ...]
