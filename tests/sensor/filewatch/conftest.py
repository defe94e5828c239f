"""A file system of our own: fanotify knows no other limit, and nothing of others may be watched."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pysmon.errors import SensorError
from pysmon.sensor.filewatch.fanotify import Group


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty one, in memory."""
    try:
        Group().close()
    except SensorError as error:
        pytest.skip(f"no fanotify here: {error}")
    made = tmp_path / "disk"
    made.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", made], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield made
    subprocess.run(["umount", made], check=True)
