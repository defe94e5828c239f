"""What events need: the table, what of it a configuration lacks, and how that is told."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from pysmon.config.read import read_configuration
from pysmon.errors import SensorError
from pysmon.pipeline.live import Session
from pysmon.pipeline.needs import NEEDS, Surroundings, capabilities, has_packages, lacking
from pysmon.pipeline.policy import EVENTS_OF_FAMILY, Policy
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import ErrorReport
from pysmon.schema.event import EVENTS, Event
from pysmon.sensor.loader import Service
from pysmon.sensor.providers import ABILITIES
from pysmon.sensor.rights import check_rights
from pysmon.sensor.scope import Scope

SERVED = tuple(Service(ability, ability.providers[0], ()) for ability in ABILITIES)
REFUSED = "fexit: Operation not permitted"


def policy(inside: str) -> Policy:
    quiet = '<ProcessCreate onmatch="include"/><ProcessTerminate onmatch="include"/>'
    text = f'<Sysmon schemaversion="4.90"><EventFiltering>{quiet}{inside}</EventFiltering></Sysmon>'
    reading = read_configuration(text.encode(), "needs.xml")
    assert reading.configuration, reading.problems
    return Policy.of(reading.configuration)


def rules(inside: str) -> Ruleset:
    return policy(inside).ruleset


def without(*names: str) -> tuple[Service, ...]:
    """A sensor that nothing serves these abilities of."""
    assert set(names) <= {service.ability.name for service in SERVED}
    return tuple(Service(s.ability, None, (REFUSED,)) if s.ability.name in names else s for s in SERVED)


def told(here: Surroundings, inside: str) -> list[str]:
    return [str(each) for each in lacking(here, rules(inside))]


def test_every_event_that_is_made_of_records_has_a_line() -> None:
    known = {i for each in capabilities(Surroundings(SERVED)) for i in each.events}
    own = {4, 16, 255}  # pysmon's own, which need nothing
    assert known | own == set(EVENTS)


def test_a_machine_that_has_it_all_is_told_nothing_whatever_is_asked_for() -> None:
    everything = "".join(
        f'<{tag} onmatch="exclude"/>'
        for tag in sorted({e.tag for i, e in EVENTS.items() if i not in (1, 4, 5, 16, 24, 255) and e.tag})
    )
    assert told(Surroundings(SERVED), everything) == []


def test_what_no_hook_serves_is_told_with_events_reason_and_remedy() -> None:
    here = Surroundings(without("modules loaded"))
    assert told(here, '<DriverLoad onmatch="exclude"/>') == [
        "event 6 (DriverLoad) is asked for and cannot be made: no modules loaded here: fexit: Operation not permitted"
        " (another kernel may allow it; `dmesg` may tell more (lockdown, a hardened kernel))"
    ]
    assert told(here, '<ImageLoad onmatch="exclude"/>') == []


def test_an_event_that_another_ability_still_makes_is_told_to_lack_something() -> None:
    (words,) = told(Surroundings(without("UDP received")), '<NetworkConnect onmatch="exclude"/>')
    assert words.startswith("event 3 (NetworkConnect) is asked for and will lack something: no UDP received here")


def test_what_is_missing_for_one_reason_is_told_once() -> None:
    here = Surroundings(without("tables of settings", "interfaces renamed", "FIFOs made", "Unix sockets bound"))
    partly, words = told(here, '<RegistryEvent onmatch="exclude"/><PipeEvent onmatch="exclude"/>')
    assert words.startswith(
        "events 14 (RegistryRename), 17 (PipeCreate) are asked for and cannot be made:"
        " no interfaces renamed, FIFOs made, Unix sockets bound here: "
    )
    assert partly.startswith("event 12 (RegistryKey) is asked for and will lack something: no tables of settings here")


def test_a_second_best_hook_lacks_nothing_that_could_be_asked_for_but_is_shown() -> None:
    services = tuple(
        Service(s.ability, s.ability.providers[1], ("fexit: refused",)) if s.ability.name == "files linked" else s
        for s in SERVED
    )
    here = Surroundings(services)
    (line,) = [each for each in capabilities(here) if each.names == ("files linked",)]
    assert (line.here, line.by, line.reason) == (
        "partly",
        "tracepoint",
        "32-bit programs and io_uring go round it",
    )
    assert told(here, '<FileCreate onmatch="exclude"/>') == []


@pytest.mark.parametrize(
    ("tag", "begins"),
    [
        ("FileBlockExecutable", "event 27 (FileBlockExecutable) is asked for and cannot be made: no file watch here"),
        ("FileExecutableDetected", "event 29 (FileExecutableDetected) is asked for and cannot be made"),
        ("FileDelete", "event 23 (FileDelete) is asked for and will lack something: no content of files here"),
        ("WmiEvent", "events 19 (WmiFilter), 20 (WmiConsumer), 21 (WmiBinding) are asked for and will lack something"),
    ],
)
def test_without_fanotify_the_events_of_files_say_what_they_miss(tag: str, begins: str) -> None:
    (words,) = told(Surroundings(SERVED, files="fanotify_init: not permitted"), f'<{tag} onmatch="exclude"/>')
    assert words.startswith(begins)
    assert "fanotify_init: not permitted" in words


def test_a_run_that_watches_a_part_lacks_only_the_events_that_nothing_else_makes() -> None:
    here = Surroundings(SERVED, unwatched="no file systems were named")
    asked = '<FileBlockShredding onmatch="exclude"/><FileDelete onmatch="exclude"/>'
    (words,) = told(here, asked)
    assert words.startswith("event 28 (FileBlockShredding) is asked for and cannot be made: no file watch here")


def test_without_a_package_database_only_who_asks_for_images_is_told() -> None:
    here = Surroundings(SERVED, packages=False)
    (words,) = told(here, '<ImageLoad onmatch="exclude"/>')
    assert "event 7 (ImageLoad) is asked for and will lack something: no package database here" in words
    assert told(here, '<DriverLoad onmatch="exclude"/>') == []


def test_a_mount_that_is_not_there_is_told(tmp_path: Path) -> None:
    asked = '<FileExecutableDetected onmatch="exclude"/>'
    (words,) = told(Surroundings(SERVED, mounts=(tmp_path, tmp_path / "absent")), asked)
    assert f"there is no {tmp_path}/absent" in words
    assert told(Surroundings(SERVED, mounts=(tmp_path,)), asked) == []


def test_packages_are_looked_for_below_a_root(tmp_path: Path) -> None:
    assert not has_packages(str(tmp_path))
    (tmp_path / "var/lib/dpkg/info").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").touch()
    assert has_packages(str(tmp_path))


def test_without_a_sensor_no_event_of_records_comes() -> None:
    here = Surroundings("no BTF")
    first = next(iter(capabilities(here)))
    assert {1, 5, *(i for own in EVENTS_OF_FAMILY.values() for i in own)} == set(first.events)
    assert (first.here, first.reason) == ("no", "no BTF")


def test_whatever_is_not_there_says_why_in_each_line_of_the_table() -> None:
    here = Surroundings(
        (), files="refused", unwatched="refused", clipboard="refused", mounts=(Path("/absent"),), packages=False
    )
    assert [need.name for need in NEEDS if not need.absent(here)] == []


@pytest.mark.vm
def test_a_run_tells_what_each_configuration_lacks_when_it_comes_and_once() -> None:
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")
    block, shred = (policy(f'<{tag} onmatch="exclude"/>') for tag in ("FileBlockExecutable", "FileBlockShredding"))
    session, stop = Session(block, Scope.of_tree(1 << 22)), threading.Event()
    events: list[Event] = []
    changed: threading.Event | None = None
    give_up = time.monotonic() + 30
    for batch in session.batches(stop):
        events += [entry.event for entry in batch]
        if changed is None:
            (lack,) = session.lacks
            assert lack.events == (27,)
            changed = session.reconfigure(shred)
        if changed.is_set() or time.monotonic() > give_up:
            stop.set()
    told = [e.Description if isinstance(e, ErrorReport) else e.type.id for e in events]
    why = "no file watch here: only a part of the machine is watched, and no file systems were named"
    remedy = "(name them: --mount in a run, `mounts` in pysmon.toml)"
    assert told == [
        *(16, 4, f"event 27 (FileBlockExecutable) is asked for and cannot be made: {why} {remedy}"),
        *(16, f"event 28 (FileBlockShredding) is asked for and cannot be made: {why} {remedy}"),
        4,
    ]
    assert {e.ID for e in events if isinstance(e, ErrorReport)} == {"CAPABILITY"}
    assert session.outcome
    assert session.outcome.lacks == (told[4],)
