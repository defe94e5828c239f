"""What the verifier has to walk for each program, held against what was written down for this line of kernels."""

from __future__ import annotations

import pytest
from bench.parts.weight import Weights, heavier, kernel_line

from pysmon.sensor.kernel import Sensor


@pytest.mark.vm
def test_the_verifier_walks_no_more_than_was_written_down(kernel: Sensor) -> None:
    written = Weights.read().verified.get(kernel_line())
    if written is None:
        pytest.skip(f"nothing is written down for Linux {kernel_line()}: python -m bench.parts.weight --write")
    walked = kernel.verified()
    assert {"on_fork", "on_exec", "on_exit"} <= walked.keys()
    assert heavier(walked, written) == []
