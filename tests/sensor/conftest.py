"""One kernel sensor for all tests of this folder; who may not have it skips them, with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.sensor.provoke import Stage

from pysmon.errors import SensorError
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.rights import check_rights


@pytest.fixture(scope="session")
def kernel() -> Iterator[Sensor]:
    """A sensor at work that watches nobody. It is shared: leave it as it was."""
    try:
        check_rights()
        sensor = Sensor()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")
    with sensor:
        yield sensor


@pytest.fixture
def provoke(kernel: Sensor) -> Stage:
    """Do something under the eyes of the sensor."""
    return Stage(kernel)
