"""What the tests of the tracer need: a machine that lets a process be traced."""

from __future__ import annotations

import pytest

from pysmon.errors import SensorError
from pysmon.tracer.traced import TracedCommand


@pytest.fixture(scope="session")
def tracing() -> None:
    """Skips where nothing can be traced."""
    try:
        made = TracedCommand(["true"])
    except SensorError as error:
        pytest.skip(f"nothing can be traced here: {error}")
    made.stop()
    made.close()
