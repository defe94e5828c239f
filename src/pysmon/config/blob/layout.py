"""The records of binary rules: little-endian, packed, each begins at a multiple of eight; offsets are from the start.

A header; then by element of the configuration its event, followed by its filters; a Rule's record stands before the
first of its filters. Events are chained, so are the filters of each event, and so are all Rules. (Sysmon's sources
call them RULE_REG_EXT, RULE_EVENT, RULE_FILTER and RULE_AGGREGATION.)
"""

from __future__ import annotations

from struct import Struct

from pysmon.config.model import Onmatch
from pysmon.schema.version import SchemaVersion

ALIGNMENT = 8

HEADER = Struct("<6I")  # binary version, count of events, size of this, schema version, first event, first Rule
EVENT_COUNT, HEADER_SIZE, SCHEMA, FIRST_EVENT, FIRST_RULE = 4, 8, 12, 16, 20  # where in the record these stand

EVENT = Struct("<6I")  # event id, default, relation, next event, count of filters, first filter
DEFAULT, RELATION, NEXT_EVENT, FILTER_COUNT, FIRST_FILTER = 4, 8, 12, 16, 20

FILTER = Struct("<I512s5I")  # field, name, condition, next filter, bytes of the value, Rule, offset of the Rule
NAME, CONDITION, NEXT_FILTER, VALUE_SIZE, RULE_OF_FILTER, VALUE = 4, 516, 520, 524, 532, 536
FILTER_SIZE = FILTER.size + 1  # the compiler counts a first byte of the value twice: what follows begins later

RULE = Struct("<256sQ7I")  # name, message id, number, first filter, next Rule, count of filters, relation, two counters
NEXT_RULE, RELATION_OF_RULE = 272, 280

ENVIRONMENT = 0x4000_0000  # of a condition: the value has %NAME% in it; set where rules are loaded, never stored
MOST_OF_A_NAME = 255  # UTF-16 units, of a filter's
MOST_OF_A_RULES_NAME = 127  # of a Rule's: what is beyond is cut off

# By the number of the default, which says what happens to an event that no filter matches: 0 include, 1 exclude.
ONMATCH: tuple[Onmatch, ...] = ("exclude", "include")


def aligned(size: int) -> int:
    """The size with what is left free after it."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def packed(version: SchemaVersion) -> int:
    """A version as the header holds it."""
    return version.major << 16 | version.minor


def unpacked(version: int) -> SchemaVersion:
    """The other way round."""
    return SchemaVersion(version >> 16, version & 0xFFFF)
