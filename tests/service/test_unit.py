"""The unit: what systemd's own tools say of it, and that any program can stand in it."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pysmon.sensor.capabilities import NAMES
from pysmon.service.unit import CAPABILITIES, MARK, unit_text

WORST = 3.0  # what `systemd-analyze security` may say at most


@pytest.fixture
def analyze(tmp_path: Path) -> Path:
    """A folder with the unit, where systemd-analyze is there to judge it."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    (tmp_path / "pysmon.service").write_text(MARK + unit_text(["/bin/true"], systemd=252))
    return tmp_path / "pysmon.service"


def service(text: str) -> dict[str, str]:
    """The section [Service]; of keys that stand twice the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    parser.read_string(text)
    return dict(parser["Service"])


def test_systemd_finds_nothing_wrong_with_it(analyze: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", analyze], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "pysmon" in line]) == (0, [])


def test_systemd_rates_its_exposure_as_low_as_was_promised(analyze: Path) -> None:
    line = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(analyze)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot judge a file")
    rated = re.search(r"Overall exposure level for pysmon.service: ([\d.]+)", done.stdout)
    assert rated is not None
    assert float(rated[1]) <= WORST


def test_the_service_tells_when_it_is_ready_and_that_it_lives() -> None:
    told = service(unit_text(["/usr/bin/pysmon"]))
    assert (told["Type"], told["Restart"], told["NotifyAccess"]) == ("notify", "on-failure", "main")
    assert int(told["WatchdogSec"]) > 0
    assert 0 < int(told["TimeoutStartSec"]) <= 60  # a boot waits no longer


def test_systemd_keeps_what_tells_who_killed_the_service() -> None:
    assert service(unit_text(["/usr/bin/pysmon"]))["FileDescriptorStoreMax"] == "1"


def test_its_capabilities_have_names_that_there_are() -> None:
    assert set(CAPABILITIES) <= set(NAMES)
    assert service(unit_text(["/usr/bin/pysmon"]))["CapabilityBoundingSet"].split() == list(CAPABILITIES)


def test_only_a_systemd_that_can_do_so_is_asked_to_wait_longer_each_time() -> None:
    assert "RestartSteps" not in unit_text(["/usr/bin/pysmon"])
    assert "RestartSteps" not in unit_text(["/usr/bin/pysmon"], systemd=253)
    assert "RestartSteps" in unit_text(["/usr/bin/pysmon"], systemd=254)


def test_a_plain_program_stands_there_as_it_is_typed() -> None:
    assert service(unit_text(["/usr/bin/python3", "-I", "-m", "pysmon"]))["ExecStart"] == (
        "/usr/bin/python3 -I -m pysmon service"
    )


def unquoted(text: str) -> list[str]:
    """The words of a command line as systemd reads them (systemd.service(5), COMMAND LINES)."""
    words = re.findall(r'"(?:[^"\\]|\\.)*"|\S+', text)
    plain = [re.sub(r"\\(.)", r"\1", w[1:-1]) if w[0] == '"' else w for w in words]
    return [w.replace("%%", "%") for w in plain[:1]] + [w.replace("%%", "%").replace("$$", "$") for w in plain[1:]]


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1), min_size=1, max_size=3))
def test_any_program_is_understood_word_by_word(words: list[str]) -> None:
    program = [f"/{words[0]}", *words[1:]]
    assert unquoted(service(unit_text(program))["ExecStart"]) == [*program, "service"]
