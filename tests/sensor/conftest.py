"""One kernel sensor for all tests of this folder; who may not have it skips them, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sensor.provoke import Stage

from pysmon.errors import SensorError
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.loader import OBJECT
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
def readable_package() -> None:
    """Skips the test where nobody but root may read the kernel object, as below /root."""
    if not all(folder.stat().st_mode & 0o001 for folder in Path(str(OBJECT)).parents):
        pytest.skip(f"others than root may not read {OBJECT}")


@pytest.fixture
def provoke(kernel: Sensor) -> Stage:
    """Do something under the eyes of the sensor."""
    return Stage(kernel)
