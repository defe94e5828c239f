"""Who may use the sensor: what is missing is said before the kernel refuses."""

from __future__ import annotations

import os

import pytest
from tests.sensor.nobody import BPF, DAC_READ_SEARCH, PERFMON, SYS_ADMIN, become_nobody, leave_tracefs
from tests.sensor.provoke import apart, own_mounts

from pysmon.errors import SensorError
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.rights import TRACEFS, check_rights, ensure_tracefs


def refusal() -> tuple[str, str]:
    try:
        check_rights()
    except SensorError as error:
        return str(error), error.hint
    return "", ""


def refusal_of_nobody(*capabilities: int) -> tuple[str, str]:
    become_nobody(*capabilities)
    return refusal()


@pytest.fixture
def root() -> None:
    """All rights, so that some of them can be given up."""
    message, _ = refusal()
    if os.geteuid() != 0 or message:
        pytest.skip(f"only root can give up some rights and keep others: {message}")


def test_an_ordinary_user_is_told_what_he_lacks_and_what_helps() -> None:
    if os.geteuid() == 0:
        message, hint = apart(refusal_of_nobody)
    else:
        message, hint = refusal()
    assert message == "the kernel sensor (eBPF) needs root, or the capabilities CAP_BPF and CAP_PERFMON"
    assert hint == "run it with sudo"


@pytest.mark.parametrize(
    ("capabilities", "enough"),
    [((SYS_ADMIN,), True), ((BPF, PERFMON), True), ((BPF,), False), ((PERFMON,), False), ((DAC_READ_SEARCH,), False)],
)
def test_one_of_two_sets_of_capabilities_is_enough(root: None, capabilities: tuple[int, ...], enough: bool) -> None:
    message, _ = apart(lambda: refusal_of_nobody(*capabilities))
    assert (message == "") is enough


@pytest.mark.vm
@pytest.mark.usefixtures("readable_package")
def test_two_capabilities_are_enough_to_see_processes(kernel: Sensor) -> None:
    def act() -> dict[str, str]:
        become_nobody(BPF, PERFMON)
        with Sensor() as sensor:
            return {s.ability.name: s.provider.hook if s.provider else "" for s in sensor.services}

    hooks = apart(act)
    assert hooks["processes"] == hooks["TCP connected"] == "tp_btf"


@pytest.mark.vm
def test_tracefs_is_mounted_where_it_is_missing(kernel: Sensor) -> None:
    def act() -> tuple[bool, bool, bool]:
        own_mounts()
        leave_tracefs()
        missing = not list(TRACEFS.iterdir())
        return missing, ensure_tracefs(), (TRACEFS / "events" / "syscalls").is_dir()

    assert apart(act) == (True, True, True)


@pytest.mark.vm
def test_who_may_not_mount_does_without_tracefs(kernel: Sensor) -> None:
    def act() -> bool:
        own_mounts()
        leave_tracefs()
        become_nobody()
        return ensure_tracefs()

    assert apart(act) is False


@pytest.mark.vm
def test_who_may_not_look_into_tracefs_does_without_it(kernel: Sensor) -> None:
    def act() -> bool:
        become_nobody()
        return ensure_tracefs()

    assert apart(act) is bool(TRACEFS.stat().st_mode & 1)
