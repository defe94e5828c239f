"""Settings of a desktop, changed for real by dconf and by GSettings below a home folder of our own."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from tests.host.dconf.databases import database, number

from pysmon.config.read import read_configuration
from pysmon.errors import SensorError
from pysmon.pipeline.live import Session
from pysmon.pipeline.policy import Policy
from pysmon.schema.catalogue import RegistryKey, RegistryValueSet
from pysmon.schema.event import Event
from pysmon.sensor.rights import check_rights

RULES = """<Sysmon schemaversion="4.90"><EventFiltering>
<RegistryEvent onmatch="include">
<TargetObject name="desktop" condition="begin with">DCONF\\</TargetObject></RegistryEvent>
<ProcessCreate onmatch="include"/><ProcessTerminate onmatch="include"/></EventFiltering></Sysmon>"""
STAY = "; sleep 0.7"  # while the database is read
PROGRAMS = ("dconf", "dbus-run-session")
SERVICE = [Path("/usr/libexec/dconf-service"), Path("/usr/lib/dconf/dconf-service")]


@pytest.fixture(scope="module", autouse=True)
def kernel() -> None:
    """The right to use the sensor."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")


@pytest.fixture
def dconf() -> None:
    """The programs that change settings."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here (apt install dconf-cli dconf-service dbus)")
    if not any(service.exists() for service in SERVICE):
        pytest.skip("there is no dconf-service here")


def policy(rules: str = RULES) -> Policy:
    reading = read_configuration(rules.encode(), "desktop.xml")
    assert reading.configuration, reading.problems
    return Policy.of(reading.configuration)


def target(condition: str, value: str) -> str:
    inside = f'<TargetObject condition="{condition}">{value}</TargetObject>'
    return f'<RegistryEvent onmatch="include">{inside}</RegistryEvent>'


def done(script: str, home: Path, *, bus: bool = True) -> list[RegistryKey | RegistryValueSet]:
    """What a run tells of a script of a user whose home that is."""
    for folder in ("run", "home"):
        (home / folder).mkdir(mode=0o700, exist_ok=True)
    own = home / "home"
    places = {"HOME": own, "XDG_CONFIG_HOME": own / ".config", "XDG_CACHE_HOME": own / ".cache"}
    command = ["env", "-u", "DBUS_SESSION_BUS_ADDRESS", *(f"{name}={path}" for name, path in places.items())]
    command += [f"XDG_RUNTIME_DIR={home / 'run'}", *(("dbus-run-session", "--") if bus else ())]
    session = Session(policy(), command=[*command, "/bin/sh", "-c", script + STAY])
    events: list[Event] = [entry.event for batch in session.batches(threading.Event()) for entry in batch]
    assert session.outcome
    assert session.outcome.exit_status == 0
    assert all(count.exact and not count.lost for count in session.outcome.families.values())
    return [event for event in events if isinstance(event, (RegistryKey, RegistryValueSet))]


@pytest.mark.vm
def test_settings_written_changed_and_reset_by_dconf_are_told_with_their_values(dconf: None, tmp_path: Path) -> None:
    key = "/org/gnome/desktop/screensaver/lock-enabled"
    pause = "; sleep 1; "
    script = pause.join(
        [f"dconf write {key} true", f"dconf write {key} false", f"dconf write {key} false", f"dconf reset {key}"]
    )
    events = done(script, tmp_path)
    path = "DCONF\\root" + key.replace("/", "\\")
    assert [
        (e.EventType, e.TargetObject, getattr(e, "Details", None), (e.extra or {})["PreviousDetails"]) for e in events
    ] == [
        ("SetValue", path, "true", "-"),
        ("SetValue", path, "false", "true"),
        ("DeleteValue", path, None, "false"),
    ]
    for event in events:
        assert event.Image.endswith("/dconf-service")
        assert (event.User, event.RuleName) == ("root", "desktop")
        facts = event.extra or {}
        assert facts["Database"] == f"{tmp_path}/home/.config/dconf/user"
        assert "dconf-service" in str(facts["ProcessIs"])


@pytest.mark.vm
def test_a_setting_of_an_application_is_told_when_gsettings_writes_it(dconf: None, tmp_path: Path) -> None:
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    (schemas / "test.gschema.xml").write_text(
        '<schemalist><schema id="org.example.proxy" path="/org/example/proxy/">'
        '<key name="hosts" type="as"><default>[]</default></key></schema></schemalist>'
    )
    for program in ("gsettings", "glib-compile-schemas"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
    script = (
        f"glib-compile-schemas {schemas}; export GSETTINGS_SCHEMA_DIR={schemas} GSETTINGS_BACKEND=dconf;"
        "gsettings set org.example.proxy hosts \"['evil.example', 'b']\""
    )
    events = done(script, tmp_path)
    if not events and not (tmp_path / "home/.config/dconf/user").exists():
        pytest.skip("GSettings does not write to dconf here (apt install dconf-gsettings-backend)")
    (event,) = events
    assert isinstance(event, RegistryValueSet)
    assert (event.TargetObject, event.Details) == ("DCONF\\root\\org\\example\\proxy\\hosts", "['evil.example', 'b']")


@pytest.mark.vm
def test_a_database_that_is_put_in_place_by_another_program_is_told_too_and_near_misses_are_not(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(database({"/a/b": number(7)}))
    (tmp_path / "same").write_bytes(database({"/a/b": number(7)}, bloom=4))
    (tmp_path / "bad").write_text("no database of anybody, though long enough for one")
    folder = tmp_path / "home/.config/dconf"
    script = (
        f"mkdir -p {folder} {tmp_path}/dconfx; cd {tmp_path}; cp new dconfx/n; mv dconfx/n dconfx/user;"
        f"cp new n; mv n {folder}/user.bak; cp bad b; mv b {folder}/user; sleep 1; mv new {folder}/user; sleep 1;"
        f"mv same {folder}/user"
    )
    (event,) = done(script, tmp_path, bus=False)
    assert isinstance(event, RegistryValueSet)
    assert (event.TargetObject, event.Details) == ("DCONF\\root\\a\\b", "7")
    assert event.Image.endswith("/mv")


@pytest.mark.parametrize(
    ("rule", "attached"),
    [
        ('<RegistryEvent onmatch="exclude"/>', True),
        (target("contains", "lock"), True),
        (target("is", "dconf\\joe\\a"), True),
        (target("begin with", "SYSCTL\\"), False),
        ('<RegistryEvent onmatch="include"/>', False),
        ('<FileDelete onmatch="exclude"/>', False),
    ],
)
def test_files_are_looked_at_only_if_rules_can_keep_a_setting_of_a_desktop(rule: str, *, attached: bool) -> None:
    quiet = '<ProcessCreate onmatch="include"/><ProcessTerminate onmatch="include"/>'
    text = f'<Sysmon schemaversion="4.90"><EventFiltering>{quiet}{rule}</EventFiltering></Sysmon>'
    made = policy(text)
    assert ("file create" in made.families) == attached
    if attached:
        approval = made.approvals["file create"]
        assert {part for part, bits in approval.parts.items() if bits & 1} == {
            ("ending", b"user"),
            ("directory", b"/etc/dconf/db/"),
        }
