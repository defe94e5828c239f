"""What can be wrong with a configuration: problems are values, gathered and shown all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pysmon.errors import Place

Severity = Literal["error", "warning", "note"]  # a note tells of what may be meant so, and costs or hides something


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where. `code` names its kind for good (documented in the reference pages)."""

    code: str
    severity: Severity
    place: Place
    message: str  # what is wrong, with the value found
    expected: str  # what would have been right
    hint: str = ""  # "did you mean ...?", or what Sysmon does with it
    source: str = ""  # the offending line of the file
