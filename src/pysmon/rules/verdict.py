"""What the rules say of an event."""

from __future__ import annotations

from typing import NamedTuple


class Verdict(NamedTuple):
    """Keep the event or drop it, and the RuleName to log (`-` if no named rule decided)."""

    keep: bool
    rule_name: str
