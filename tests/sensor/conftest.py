"""One kernel sensor for all tests of this folder; who may not have it skips them, with the reason."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sensor.provoke import Stage, error_of

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


@pytest.fixture
def attribute_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose file system keeps attributes of users: if need be, a file system of its own."""
    if _takes_attributes(tmp_path):
        yield tmp_path
        return
    image, place = tmp_path / "image", tmp_path / "disk"
    place.mkdir()
    try:
        subprocess.run(["modprobe", "-q", "loop"], check=False)  # where nobody loads it by itself
        with image.open("wb") as file:
            file.truncate(8 << 20)
        for command in (["mkfs.ext4", "-q", "-b", "4096", str(image)], ["mount", "-o", "loop", str(image), str(place)]):
            subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"{tmp_path} keeps no attributes of users, and no other file system can be had: {error}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _takes_attributes(folder: Path) -> bool:
    probe = folder / "probe"
    probe.touch()
    failure = error_of(os.setxattr, probe, "user.probe", b"x")
    probe.unlink()
    return failure is None
