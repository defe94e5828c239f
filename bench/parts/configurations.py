"""The configurations that benchmarks measure: those that pysmon ships, and real ones of others where they are there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pysmon.config.model import Configuration
from pysmon.config.read import read_file

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("PYSMON_SHARED") or ROOT.parent / "shared") / "data" / "configs"


@dataclass(frozen=True, slots=True)
class Measured:
    """A configuration by name; `windows`: its rules speak of Windows' paths and users."""

    path: Path
    windows: bool = False

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def read(self) -> Configuration | None:
        """The configuration; None if the file is not there or cannot be used."""
        return read_file(self.path).configuration if self.path.exists() else None


MEASURED = (
    Measured(ROOT / "examples" / "everything.xml"),
    Measured(ROOT / "src" / "pysmon" / "config" / "default.xml"),
    Measured(REAL / "mstic-linux-main.xml"),
    Measured(REAL / "swiftonsecurity.xml", windows=True),
    Measured(REAL / "sysmon-modular.xml", windows=True),
)
