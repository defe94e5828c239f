"""Hatchling's hook: a wheel or an editable install gets the kernel object, built here and now if it is not fresh."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent))
from tools import build_bpf


class KernelObject(BuildHookInterface[Any]):
    """Builds sensor.bpf.o; asks for the `ziglang` package only where there is nothing else to build it with."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What must be installed before the build."""
        return [] if build_bpf.is_fresh() or build_bpf.compiler() else [build_bpf.ZIGLANG]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build the object if it is not fresh; the wheel takes it from the source tree."""
        if not build_bpf.is_fresh():
            build_bpf.build()
