"""Runs programs that the tools need."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class ToolError(Exception):
    """A tool cannot do its work; the text says why."""


def run(
    command: Sequence[str | Path], *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """What the program prints. `environment` is added to ours. ToolError if it fails or is missing."""
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours, and no shell reads them
            command, cwd=folder, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise ToolError(f"there is no {command[0]} here") from error
    if done.returncode:
        raise ToolError(f"{command[0]} failed:\n{(done.stderr or done.stdout).strip()}")
    return done.stdout
