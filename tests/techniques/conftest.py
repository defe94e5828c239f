"""What the tests of techniques share: a way to call pysmon."""

from __future__ import annotations

import pytest
from tests.cli.calls import Caller


@pytest.fixture
def pysmon(capsys: pytest.CaptureFixture[str]) -> Caller:
    """Calls pysmon in this process, and gives what it said."""
    return Caller(capsys)
