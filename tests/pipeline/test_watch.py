"""The library's front door: typed events of a command, by a configuration however it is given."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from pwd import getpwuid

import pytest
from tests.sensor.provoke import apart
from tests.tapes.play import configured

import pysmon
from pysmon.config.model import Configuration
from pysmon.errors import SensorError
from pysmon.schema.catalogue import (
    ConfigurationChange,
    ErrorReport,
    ProcessCreate,
    ProcessTerminate,
    ServiceStateChange,
)
from pysmon.sensor.rights import check_rights

TRUE = (
    '<Sysmon schemaversion="4.90"><EventFiltering><ProcessCreate onmatch="include">'
    '<Image name="found" condition="end with">/true</Image>'
    '</ProcessCreate><ProcessTerminate onmatch="include"/></EventFiltering></Sysmon>'
)


@pytest.fixture(scope="module")
def kernel() -> None:
    """The right to use the sensor."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")


def given(how: str, folder: Path) -> Configuration | Path | str:
    """One configuration, as itself or by its path."""
    path = folder / "true.xml"
    path.write_text(TRUE)
    ways: dict[str, Configuration | Path | str] = {"itself": configured(TRUE), "path": path, "text": str(path)}
    return ways[how]


@pytest.mark.parametrize("how", ["itself", "path", pytest.param("text", marks=pytest.mark.vm)])
def test_a_command_is_watched_by_the_configuration_that_is_given(kernel: None, tmp_path: Path, how: str) -> None:
    events = list(pysmon.watch(given(how, tmp_path), command=["sh", "-c", "true; /bin/true; exit 3"]))
    assert [type(e) for e in events] == [ConfigurationChange, ServiceStateChange, ProcessCreate, ServiceStateChange]
    created = events[2]
    assert isinstance(created, ProcessCreate)
    assert (created.RuleName, created.CommandLine, created.User) == (
        "found",
        "/bin/true",
        getpwuid(os.getuid()).pw_name,
    )
    assert created.ParentCommandLine == "sh -c true; /bin/true; exit 3"


def test_without_a_configuration_the_shipped_one_holds(kernel: None) -> None:
    events = list(pysmon.watch(command=["/bin/true"]))
    change = events[0]
    assert isinstance(change, ConfigurationChange)
    assert change.Configuration.endswith("default.xml")
    told = [type(e) for e in events[2:-1] if not isinstance(e, ErrorReport)]  # of what this machine cannot give
    assert told == [ProcessCreate, ProcessTerminate]


def test_a_scope_is_watched_until_the_stop(kernel: None) -> None:
    stop = threading.Event()
    states = []
    for event in pysmon.watch(scope=pysmon.Scope.of_tree(os.getpid()), stop=stop):
        states += [event.State] if isinstance(event, ServiceStateChange) else []
        stop.set()
    assert states == ["Started", "Stopped"]


def test_closing_the_generator_ends_the_sensor_and_the_command(kernel: None) -> None:
    def act() -> tuple[list[str], list[str], str]:
        before = os.listdir("/proc/self/fd")
        events = pysmon.watch(command=["sleep", "600"])
        next(events)
        events.close()
        return before, os.listdir("/proc/self/fd"), Path(f"/proc/self/task/{os.getpid()}/children").read_text()

    before, after, children = apart(act)
    assert after == before
    assert children == ""


def test_a_configuration_with_an_error_is_refused_with_its_place_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "bad.xml"
    path.write_text(TRUE.replace("<Image ", "<Imagine ").replace("</Image>", "</Imagine>"))
    with pytest.raises(pysmon.MisuseError, match="Imagine") as refused:
        next(pysmon.watch(path, command=["/no/such/command"]))
    assert str(refused.value).startswith(f"{path}:1:")
    assert refused.value.hint == f"pysmon check {path} tells more"


def test_a_configuration_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pysmon.MisuseError, match=r"absent\.xml: cannot read the file: No such file"):
        next(pysmon.watch(tmp_path / "absent.xml"))
