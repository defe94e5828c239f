"""`import pysmon`: cheap, complete, and clear about what is not there."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.conftest import ROOT

import pysmon
from pysmon.release import VERSION

LOADED = (
    "import sys, pysmon; print(*sorted(m for m in sys.modules if m.partition('.')[0] not in sys.stdlib_module_names))"
)


def test_importing_the_package_loads_nothing_but_its_release() -> None:
    code = ("-c", LOADED)
    done = subprocess.run(
        [sys.executable, "-S", *code], env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["__main__", "pysmon", "pysmon.release"]


@pytest.mark.parametrize("name", pysmon.__all__)
def test_what_the_front_door_names_is_there(name: str) -> None:
    assert getattr(pysmon, name).__module__.startswith("pysmon.") if name[0] != "_" else getattr(pysmon, name)


def test_the_version_is_that_of_the_release() -> None:
    assert pysmon.__version__ == VERSION


def test_an_unknown_name_is_an_attribute_error_that_says_so() -> None:
    with pytest.raises(AttributeError, match="module 'pysmon' has no attribute 'wach'"):
        pysmon.wach  # noqa: B018


def test_errors_of_the_front_door_have_one_root() -> None:
    assert issubclass(pysmon.MisuseError, pysmon.PysmonError)
    assert issubclass(pysmon.SensorError, pysmon.PysmonError)


@pytest.mark.parametrize("name", ["ssl", "http.client", "email", "rich.console", "pysmon.tracer"])
def test_the_service_has_nothing_in_memory_that_only_others_need(name: str) -> None:
    code = f"""
import sys
import pysmon.cli.service, pysmon.service.answers, pysmon.service.daemon, pysmon.sinks.kinds
print({name!r} in sys.modules)
"""
    environment = {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
