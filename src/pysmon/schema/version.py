"""Schema versions: how Sysmon writes, compares and orders them."""

from __future__ import annotations

import re
from typing import NamedTuple

_WRITTEN = re.compile(r"\s*(\d{1,4})(?:\.(\d{1,6}))?\s*\Z")


class SchemaVersion(NamedTuple):
    """A schema version. `4.1` and `4.10` are the same version, as in Sysmon (facts 2.3: re-printed with `%.2f`)."""

    major: int
    minor: int  # hundredths: 4.1 -> 10, 4.22 -> 22

    @classmethod
    def parse(cls, text: str) -> SchemaVersion:
        """Read `major[.minor]`; raise ValueError where Sysmon would find no number."""
        found = _WRITTEN.match(text)
        if not found:
            raise ValueError(f"not a schema version: {text!r} (expected a number such as 4.90)")
        major, _, minor = f"{float(f'{found[1]}.{found[2] or 0}'):.2f}".partition(".")
        return cls(int(major), int(minor))

    def __str__(self) -> str:
        """The form that Sysmon prints: two decimals."""
        return f"{self.major}.{self.minor:02d}"
