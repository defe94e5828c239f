"""Where an installed pysmon keeps what it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from pysmon.service.paths import Paths


def test_the_service_of_the_machine_has_the_places_that_the_manual_names() -> None:
    paths = Paths.system()
    assert [str(p) for p in (paths.settings, paths.configuration, paths.store, paths.control, paths.unit)] == [
        "/etc/pysmon/pysmon.toml",
        "/var/lib/pysmon/config.xml",
        "/var/lib/pysmon/log",
        "/run/pysmon/control.sock",
        "/etc/systemd/system/pysmon.service",
    ]


def test_every_place_lies_below_the_root(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    names = [name for name in dir(Paths) if not name.startswith("_")]
    places = [value for name in names if isinstance(value := getattr(paths, name), Path)]
    assert len(places) == 17
    assert all(place.is_relative_to(tmp_path) for place in places)


def test_a_relative_root_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Paths.under(Path("here")).root == tmp_path / "here"


@pytest.mark.parametrize("folder", ["lib/systemd/system", "usr/lib/systemd/system"])
def test_the_unit_of_a_package_is_found_where_distributions_put_it(tmp_path: Path, folder: str) -> None:
    paths = Paths.under(tmp_path)
    assert paths.packaged_unit is None
    unit = tmp_path / folder / "pysmon.service"
    unit.parent.mkdir(parents=True)
    unit.touch()
    assert paths.packaged_unit == unit
