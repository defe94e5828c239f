"""Event-driven persistence, done for real below mounts of our own: which events tell it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from tests.sensor.filewatch.conftest import disk as disk
from tests.sensor.provoke import whole

from pysmon.config.read import read_configuration
from pysmon.errors import SensorError
from pysmon.pipeline.live import Session
from pysmon.pipeline.policy import Policy
from pysmon.schema.catalogue import WmiBinding, WmiConsumer, WmiFilter
from pysmon.schema.event import Event
from pysmon.sensor.rights import check_rights

pytestmark = pytest.mark.vm

RULES = """<Sysmon schemaversion="4.90"><EventFiltering><WmiEvent onmatch="exclude"/>
<ProcessCreate onmatch="include"/><ProcessTerminate onmatch="include"/></EventFiltering></Sysmon>"""
UNITS = "/etc/systemd/system"
OURS = f"mkdir -p {UNITS} /etc/cron.d; mount -t tmpfs none {UNITS}; mount -t tmpfs none /etc/cron.d; "
STAY = "; sleep 0.5"  # while what was written is read


@pytest.fixture(scope="module", autouse=True)
def kernel() -> None:
    """The right to use the sensor, and to have mounts of our own."""
    try:
        check_rights()
    except SensorError as error:
        pytest.skip(f"no kernel sensor here: {error}")
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare(1)")


def done(script: str, *mounts: Path) -> list[Event]:
    reading = read_configuration(RULES.encode(), "triggers.xml")
    command = ["unshare", "-m", "/bin/sh", "-c", OURS + script + STAY]
    session = Session(Policy.of(reading.configuration), command=command, mounts=mounts or None)
    events = [entry.event for batch in session.batches(threading.Event()) for entry in batch]
    assert session.outcome
    assert session.outcome.exit_status == 0
    assert all(count.exact and not count.lost for count in session.outcome.families.values())
    return [event for event in events if event.type.id in (19, 20, 21)]


def test_a_timer_with_its_service_that_is_enabled_is_told_in_three_parts() -> None:
    script = (
        f"cd {UNITS}; printf '[Timer]\\nOnCalendar=daily\\n' > new; mv new evil.timer;"
        "printf '[Service]\\nExecStart=/bin/evil --now\\n' > new; mv new evil.service;"
        "mkdir timers.target.wants; ln -s ../evil.timer timers.target.wants/evil.timer"
    )
    found, consumer, binding = done(script)
    assert isinstance(found, WmiFilter)
    assert isinstance(consumer, WmiConsumer)
    assert isinstance(binding, WmiBinding)
    for event, kind in ((found, "WmiFilterEvent"), (consumer, "WmiConsumerEvent"), (binding, "WmiBindingEvent")):
        common = {"RuleName": "-", "EventType": kind, "UtcTime": event.UtcTime, "Operation": "Created", "User": "root"}
        assert whole(event) == whole(event) | common
    assert found.UtcTime <= consumer.UtcTime <= binding.UtcTime
    assert (found.EventNamespace, found.Name, found.Query) == ('"systemd"', '"evil.timer"', '"OnCalendar=daily"')
    assert (consumer.Type, consumer.Destination) == ("systemd service", '"/bin/evil --now"')
    assert binding.Consumer == '"systemd service.Name="evil.service""'
    assert binding.Filter == '"systemd timer.Name="evil.timer""'
    assert binding.extra
    assert binding.extra["TargetFilename"] == f"{UNITS}/timers.target.wants/evil.timer"
    assert str(binding.extra["Image"]).endswith("/ln")


def test_a_table_of_cron_comes_and_goes() -> None:
    events = done("cd /etc/cron.d; echo '@reboot root /evil' > .new; mv .new evil; sleep 0.5; rm evil")
    assert [(type(e), e.texts()[3]) for e in events] == [
        *((WmiFilter, "Created"), (WmiConsumer, "Created"), (WmiBinding, "Created")),
        *((WmiFilter, "Deleted"), (WmiConsumer, "Deleted"), (WmiBinding, "Deleted")),
    ]
    assert {e.texts()[-1] for e in events if isinstance(e, WmiConsumer)} == {'"/evil"'}


def test_a_unit_that_is_written_in_place_is_told_where_its_file_system_is_watched(disk: Path) -> None:
    units = disk / ".config" / "systemd" / "user"
    units.mkdir(parents=True)
    (units / "a.timer").write_text("[Timer]\nOnCalendar=daily\n")
    (event,) = done(f"printf '[Timer]\\nOnBootSec=1\\n' > {units}/a.timer", disk)
    assert event.texts()[3:] == ["Modified", "root", '"systemd"', '"a.timer"', '"OnBootSec=1"']


def test_what_only_reads_or_lies_elsewhere_is_not_told() -> None:
    assert done(f"cd {UNITS}; mkdir x; echo > x/evil.timer; echo > evil.mount; ls > /dev/null; cat evil.mount") == []
