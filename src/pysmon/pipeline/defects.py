"""Records that pysmon itself fails on: told once for each kind, so that the log is not flooded."""

from __future__ import annotations

from pysmon.formats.visible import visible

_TOLD = 16  # different ones


class Defects:
    """Those of one run."""

    def __init__(self) -> None:
        """None so far."""
        self._told = set[str]()

    def words(self, defect: Exception, family: str) -> str:
        """What to tell of a record of that family that was lost; empty if the same was told already."""
        words = f"a record ({family}) was lost by a defect of pysmon: {visible(f'{type(defect).__name__}: {defect}')}"
        if words in self._told or len(self._told) >= _TOLD:
            return ""
        self._told.add(words)
        return f"{words}; please report it. Others like it are only counted"
