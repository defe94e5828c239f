"""A run that reads a clipboard, from a display of the test's own to entries; and runs that must not."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.sensor.clipboard.conftest import Server
from tests.sensor.clipboard.conftest import folder as folder
from tests.sensor.clipboard.conftest import root as root
from tests.sensor.clipboard.conftest import x_server as x_server

from pysmon.config.read import read_configuration
from pysmon.host.archive import Archive
from pysmon.pipeline.clipboard import Clipboards, asked_for
from pysmon.pipeline.live import Session
from pysmon.pipeline.outcome import Outcome
from pysmon.pipeline.policy import Policy
from pysmon.pipeline.replay import Playback
from pysmon.schema.catalogue import ClipboardChange, ErrorReport
from pysmon.schema.event import Event

RULES = '<ClipboardChange onmatch="exclude"/>'
# Puts another text there again and again, until somebody has seen one.
COPYING = (
    'i=0; while [ ! -e "$1/stop" ]; do i=$(((i + 1) % 9));'
    ' printf "text $i" | timeout 2 xclip -selection clipboard -quiet; done'
)


def policy(rules: str = RULES, *, capture: bool = True) -> Policy:
    option = "<CaptureClipboard/>" if capture else ""
    text = (
        f'<Sysmon schemaversion="4.90"><HashAlgorithms>SHA256</HashAlgorithms>{option}<EventFiltering>{rules}'
        '<ProcessCreate onmatch="include"/><ProcessTerminate onmatch="include"/></EventFiltering></Sysmon>'
    )
    reading = read_configuration(text.encode(), "clip.xml")
    assert reading.configuration, reading.problems
    return Policy.of(reading.configuration)


def watched(
    session: Session, stop: Path | None = None, *, until: type[Event] = ClipboardChange
) -> tuple[list[Event], Outcome]:
    """All events of a run; `stop` is made once there is one of the kind."""
    events: list[Event] = []
    for batch in session.batches(threading.Event()):
        events += [entry.event for entry in batch]
        if stop and any(isinstance(event, until) for event in events):
            stop.touch()
    assert session.outcome
    assert all(count.exact for count in session.outcome.families.values())
    return events, session.outcome


def copying(server: Server, folder: Path) -> Sequence[str]:
    environment = [f"{name}={value}" for name, value in server.environment.items()]
    return ["/usr/bin/env", *environment, "/bin/sh", "-c", COPYING, "copying", str(folder)]


def changes(events: Sequence[Event]) -> list[ClipboardChange]:
    return [event for event in events if isinstance(event, ClipboardChange)]


def test_what_a_program_copies_is_told_hashed_archived_and_played_again(x_server: Server, tmp_path: Path) -> None:
    session = Session(
        policy(),
        command=copying(x_server, tmp_path),
        displays=[x_server.socket],
        archive=Archive(tmp_path / "archive", free=0),
        record_to=tmp_path / "tape",
    )
    events, outcome = watched(session, tmp_path / "stop")
    event = changes(events)[0]
    assert event.ProcessId
    assert events[0].text("UtcTime") <= event.UtcTime <= events[-1].text("UtcTime")
    texts = {hashlib.sha256(b"text %d" % i).hexdigest(): b"text %d" % i for i in range(100)}
    digest = event.Hashes.removeprefix("SHA256=")
    assert (event.Image, event.User, event.ClientInfo) == ("/usr/bin/xclip", "root", "user: root")
    assert (event.Session, event.Archived, event.RuleName) == (0, "true", "-")
    assert (tmp_path / "archive" / f"CLIP-{digest}").read_bytes() == texts[digest]
    assert event.extra == {
        "Display": x_server.environment["DISPLAY"],
        "Format": "UTF8_STRING",
        "Formats": ["TARGETS", "UTF8_STRING"],
        "Size": len(texts[digest]),
    }
    assert [e for e in events if isinstance(e, ErrorReport)] == []
    family = outcome.families["clipboard"]
    assert (family.kept, family.lost) == (len(changes(events)), 0)
    playback = Playback(policy().configuration, tmp_path / "tape")
    again = changes([entry.event for batch in playback.batches(threading.Event()) for entry in batch])
    assert [(e.ProcessGuid, e.Image, e.User, e.Hashes) for e in again] == [
        (e.ProcessGuid, e.Image, e.User, "-") for e in changes(events)
    ]


def test_rules_may_ask_for_the_hash(x_server: Server, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"text 4").hexdigest()
    rules = (
        f'<ClipboardChange onmatch="include"><Hashes name="the fourth" condition="contains">{digest}</Hashes>'
        "</ClipboardChange>"
    )
    command = ["/usr/bin/env", *copying(x_server, tmp_path)[1:]]
    (event,) = changes(
        watched(Session(policy(rules), command=command, displays=[x_server.socket]), tmp_path / "stop")[0]
    )
    assert (event.RuleName, event.Hashes, event.Archived) == ("the fourth", f"SHA256={digest}", "-")


@pytest.mark.parametrize(
    ("chosen", "connects"),
    [
        (policy(), True),
        (policy(capture=False), False),
        (policy('<ClipboardChange onmatch="include"/>'), False),
        (policy(""), False),
        (Policy.of(None), False),
    ],
    ids=["asked", "no CaptureClipboard", "no rule can keep it", "no rules", "defaults"],
)
def test_no_connection_is_made_unless_the_configuration_asks(
    root: None, folder: Path, chosen: Policy, connects: bool
) -> None:
    with socket.socket(socket.AF_UNIX) as display:
        display.bind(str(folder / "X7"))
        display.listen()
        display.settimeout(20 if connects else 0)
        wait = f"while [ ! -e {folder}/stop ]; do sleep 0.1; done" if connects else "sleep 1"
        session = Session(chosen, command=["/bin/sh", "-c", wait], displays=[folder / "X7"])
        children = ["ps", "--no-headers", "-o", "comm", "--ppid", str(os.getpid())]
        running = subprocess.run(children, text=True, capture_output=True, check=True).stdout
        assert ("pysmon clips" in running) == connects
        came: list[bool] = []

        def accept() -> None:
            display.accept()[0].close()
            came.append(True)
            (folder / "stop").touch()

        if connects:
            thread = threading.Thread(target=accept)
            thread.start()
            watched(session)
            thread.join()
            assert came == [True]
        else:
            watched(session)
            with pytest.raises(BlockingIOError):
                display.accept()


def test_a_part_of_the_machine_has_no_display_unless_one_is_named(root: None) -> None:
    events, _ = watched(Session(policy(), command=["/bin/true"]))
    (report,) = [event for event in events if isinstance(event, ErrorReport)]
    assert (report.ID, report.Description) == (
        "CAPABILITY",
        "event 24 (ClipboardChange) is asked for and cannot be made: no reader of the clipboard here: "
        "only a part of the machine is watched, and a display is of the whole",
    )


def test_who_did_not_begin_with_it_is_told_to_start_again() -> None:
    without, asked = policy(capture=False), policy()
    clipboards = Clipboards([], without.configuration, without.ruleset, whole=True)
    clipboards.use(asked.configuration, asked.ruleset)
    assert clipboards.unwatched(without.configuration) == "the configuration does not say <CaptureClipboard/>"
    assert clipboards.unwatched(asked.configuration).startswith("the service has to be started again for that")
    assert (clipboards.fileno, clipboards.due, clipboards.counts(), clipboards.look()) == (-1, False, {}, [])


def test_both_the_option_and_a_rule_are_needed() -> None:
    found = [
        asked_for(each.configuration, each.ruleset)
        for each in (policy(), policy(capture=False), policy(""), Policy.of(None))
    ]
    assert found == [True, False, False, False]
