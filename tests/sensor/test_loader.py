"""Loading the kernel object: which provider serves what, and which objects are refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.sensor.nobody import BPF, PERFMON, become_nobody, leave_tracefs
from tests.sensor.provoke import apart, bind, own_mounts

from pysmon.errors import SensorError
from pysmon.layout.c_text import digest
from pysmon.sensor.kernel import Sensor
from pysmon.sensor.libbpf import Object
from pysmon.sensor.loader import Service, load, why_useless
from pysmon.sensor.providers import ABILITIES, Ability, Provider
from pysmon.sensor.records import RECORDS
from pysmon.sensor.rights import check_rights

pytestmark = pytest.mark.vm

FROM_INSIDE = {"tp_btf", "iter", "fentry", "fexit", "uprobe"}
TRY = """
from pysmon.errors import SensorError
from pysmon.sensor.kernel import Sensor
try:
    Sensor().close()
except SensorError as error:
    print(f"{error}|{error.hint}")
"""


def test_the_sensor_loads_where_rights_are_held() -> None:
    """Elsewhere the other tests are skipped; here a sensor that does not load is a failure."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")
    Sensor().close()


ONLY_INSIDE = {"tables of settings", "interfaces renamed"}  # no hook but fexit shows them
if not Path("/proc/modules").exists():
    ONLY_INSIDE.add("modules loaded")  # this kernel was built without modules


@pytest.mark.parametrize("ability", ABILITIES, ids=lambda a: a.name)
def test_an_ability_is_served(kernel: Sensor, ability: Ability, record_property: Callable[[str, object], None]) -> None:
    service = next(s for s in kernel.services if s.ability == ability)
    record_property("provider", str(service))
    print(f"{os.uname().release}: {service}")
    if service.provider is None and ability.name in ONLY_INSIDE:
        pytest.skip(f"seen only inside the kernel: {service}")
    assert service.provider in ability.providers


@pytest.mark.parametrize("ability", ABILITIES, ids=lambda a: a.name)
def test_every_provider_that_was_passed_over_has_its_reason(kernel: Sensor, ability: Ability) -> None:
    service = next(s for s in kernel.services if s.ability == ability)
    provider = service.provider
    assert provider or ability.name in ONLY_INSIDE
    passed = ability.providers[: ability.providers.index(provider)] if provider else ability.providers
    assert len(service.refusals) == len(passed)
    for refused, reason in zip(passed, service.refusals, strict=True):
        assert reason.startswith(f"{refused.hook}: ")
        assert len(reason) > len(refused.hook) + 5


def test_a_stock_kernel_is_watched_from_inside(kernel: Sensor) -> None:
    if "Debian" not in os.uname().version:
        pytest.skip(f"no stock kernel of Debian: {os.uname().release}")
    choices = [s for s in kernel.services if s.ability.providers[0].hook != "tracepoint"]
    hooks = {s.ability.name: s.provider.hook for s in choices if s.provider}
    assert set(hooks.values()) <= FROM_INSIDE, hooks


def test_hooks_of_one_kind_are_served_or_refused_together(kernel: Sensor) -> None:
    preferred = {a.name for a in ABILITIES if a.providers[0].hook in ("fentry", "fexit")}
    served = {s.ability.name for s in kernel.services if s.ability.name in preferred and not s.refusals}
    assert served in (set(), preferred)


def test_a_tracepoint_that_the_kernel_lacks_takes_no_other_with_it() -> None:
    """With little rights libbpf fails on it as if all of its kind were forbidden."""
    if Path("/proc/modules").exists():
        pytest.skip("this kernel has module:module_load; no program here is for a tracepoint that no kernel has")
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody with two capabilities")

    def act() -> list[Service]:
        become_nobody(BPF, PERFMON)
        loaded = load((ABILITIES[0], Ability("modules", "module", (Provider("tp_btf", ("on_module_load",)),))))
        loaded.object.close()
        return list(loaded.services)

    processes, modules = apart(act)
    assert processes.provider
    assert modules.refusals == ("tp_btf: no tp_btf/module_load here",)


CALLS = Provider("tracepoint", ("utime", "utimes"), some=True)
CHANGES = Provider("tp_btf", ("change", "changed", "utimes"), some=True, one_of=("change", "changed"))


@pytest.mark.parametrize(
    ("provider", "reasons", "why"),
    [
        (Provider("fexit", ("a", "b")), ["", ""], ""),
        (Provider("fexit", ("a", "b")), ["", "no b"], "no b"),
        (CALLS, ["no utime", ""], ""),
        (CALLS, ["no utime", "no utimes"], "no utime"),
        (CHANGES, ["no change", "", ""], ""),
        (CHANGES, ["no change", "", "no utimes"], ""),
        (CHANGES, ["no change", "no changed", ""], "no change"),
    ],
)
def test_a_provider_of_which_some_programs_suffice_needs_one_that_sees(
    provider: Provider, reasons: list[str], why: str
) -> None:
    assert why_useless(provider, dict(zip(provider.programs, reasons, strict=True))) == why


RENAMES = (Provider("tracepoint", ("on_rename", "on_renameat", "on_renameat2"), some=True),)


def without_tracefs(*abilities: Ability) -> list[Service] | str:
    """What becomes of the abilities for a user who has the two capabilities, and no tracefs."""

    def act() -> list[Service] | str:
        own_mounts()
        leave_tracefs()
        become_nobody(BPF, PERFMON)
        try:
            loaded = load(abilities)
        except SensorError as error:
            return str(error)
        loaded.object.close()
        return list(loaded.services)

    return apart(act)


@pytest.mark.usefixtures("readable_package")
def test_an_ability_that_nothing_serves_is_left_out_with_all_reasons(kernel: Sensor) -> None:
    services = without_tracefs(ABILITIES[0], Ability("renames", "file create", RENAMES))
    assert isinstance(services, list)
    assert [s.provider for s in services] == [ABILITIES[0].providers[0], None]
    assert str(services[1]) == "renames: tracepoint: no tracepoint/syscalls/sys_exit_rename here"


@pytest.mark.usefixtures("readable_package")
def test_a_required_ability_that_nothing_serves_is_an_error(kernel: Sensor) -> None:
    message = without_tracefs(Ability("renames", "file create", RENAMES, required=True))
    assert message == (
        "the kernel refuses the programs for renames: tracepoint: no tracepoint/syscalls/sys_exit_rename here"
    )


def copy_of_the_package(folder: Path) -> Path:
    shutil.copytree(ROOT / "src" / "pysmon", folder / "pysmon")
    return folder / "pysmon" / "sensor" / "bpf" / "sensor.bpf.o"


def refusal(folder: Path | None = None) -> list[str]:
    """The message and the hint that a fresh interpreter gets, with the package of that folder."""
    environment = os.environ | {"PYTHONPATH": str(folder or ROOT / "src")}
    run = subprocess.run([sys.executable, "-c", TRY], env=environment, capture_output=True, text=True, check=True)
    return run.stdout.strip().split("|")


def test_an_object_with_other_layouts_is_refused(kernel: Sensor, tmp_path: Path) -> None:
    built = copy_of_the_package(tmp_path)
    expected = digest(RECORDS.values())
    other = expected ^ 0xFF
    data = built.read_bytes()
    assert data.count(expected.to_bytes(4, "little")) == 1
    built.write_bytes(data.replace(expected.to_bytes(4, "little"), other.to_bytes(4, "little")))
    message, hint = refusal(tmp_path)
    assert message == f"the kernel object was built for other records (layout {other:08x}, expected {expected:08x})"
    assert hint == "build or install the package again"


@pytest.mark.parametrize("damage", ["absent", "empty", "cut", "garbled"])
def test_a_damaged_object_is_refused(kernel: Sensor, tmp_path: Path, damage: str) -> None:
    built = copy_of_the_package(tmp_path)
    data = built.read_bytes()
    built.unlink()
    if damage != "absent":
        built.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "garbled": data[::-1]}[damage])
    message, hint = refusal(tmp_path)
    assert message.startswith("cannot open the kernel object ")
    assert str(built) in message
    assert hint == "the package is incomplete: build or install it again"


def test_a_missing_library_is_named_with_its_package(kernel: Sensor) -> None:
    maps = Path("/proc/self/maps").read_text().split()
    library = next(word for word in maps if "/libbpf.so" in word)

    def act() -> list[str]:
        own_mounts()
        bind("/dev/null", library)
        return refusal()

    message, hint = apart(act)
    assert message == "libbpf is not installed"
    assert "apt install libbpf1" in hint


def test_a_closed_sensor_has_left_nothing_open(kernel: Sensor) -> None:
    def act() -> list[int]:
        counts = [len(os.listdir("/proc/self/fd"))]
        sensor = Sensor()
        counts.append(len(os.listdir("/proc/self/fd")))
        sensor.close()
        return [*counts, len(os.listdir("/proc/self/fd"))]

    before, during, after = apart(act)
    assert during > before + 10
    assert after == before


def test_who_stands_around_system_calls_sees_no_more_than_their_tracepoints() -> None:
    everywhere, around, tracepoint = (
        Provider("fentry", ("a",)),
        Provider("fexit", ("b_inside",), calls=True),
        Provider("tracepoint", ("b",)),
    )
    assert Service(Ability("x", "bpf", (everywhere, tracepoint)), tracepoint, ("fentry: no",)).sees_less
    assert not Service(Ability("x", "bpf", (around, tracepoint)), tracepoint, ("fexit: no",)).sees_less
    assert not Service(Ability("x", "bpf", (everywhere, tracepoint)), everywhere, ()).sees_less


def test_a_service_reads_as_one_line() -> None:
    ability = Ability("files", "file create", (Provider("fentry", ("a",)), Provider("tracepoint", ("b",))))
    assert str(Service(ability, ability.providers[1], ("fentry: no",))) == "files: tracepoint"
    assert (
        str(Service(ability, None, ("fentry: no", "tracepoint: neither"))) == "files: fentry: no; tracepoint: neither"
    )


def test_every_provider_s_programs_are_in_the_object(kernel: Sensor) -> None:
    with_programs = Object(str(ROOT / "src" / "pysmon" / "sensor" / "bpf" / "sensor.bpf.o"))
    named = {program for ability in ABILITIES for provider in ability.providers for program in provider.programs}
    assert named == set(with_programs.programs)
    with_programs.close()
