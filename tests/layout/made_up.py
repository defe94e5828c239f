"""Records with any values: what the properties of layouts are tested with."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pysmon.layout.record import Member, Record
from pysmon.sensor.records import RECORDS

CLASSES = [*RECORDS.values()]


def records(cls: type[Record]) -> st.SearchStrategy[Record]:
    """Any record of that class; `kind` and `size` are filled in by the class itself."""
    layout = cls.layout
    own = {n: _values(m) for n, m in zip(layout.names, layout.members, strict=True) if n not in ("kind", "size")}
    return st.fixed_dictionaries(own).map(lambda values: cls.make(**values))


def any_record() -> st.SearchStrategy[Record]:
    """Any record of any class."""
    return st.sampled_from(CLASSES).flatmap(records)


def _values(member: Member) -> st.SearchStrategy[Any]:
    if member.tail:
        return st.binary(max_size=40)
    if member.code.endswith("s"):
        return st.binary(min_size=member.size, max_size=member.size)
    return st.integers(0, (1 << 8 * member.size) - 1)
