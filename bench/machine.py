"""What a figure was measured on: machine, kernel, processor, Python. Every benchmark prints it first."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def processor() -> str:
    """The model of the first processor as the kernel names it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def memory() -> str:
    """The machine's memory in GB."""
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 1e9:.0f} GB"


def description() -> str:
    """One line: what a reader needs to judge a figure."""
    return (
        f"{os.cpu_count()} x {processor()}, {memory()}, Linux {platform.release()} {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )
