"""When the service is healthy, and what is wrong if it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.service.sample import HEALTHY, HOUR, ILL, NOW, SECOND

from pysmon.sensor.loader import Service
from pysmon.sensor.providers import ABILITIES
from pysmon.service.finding import Finding
from pysmon.service.status import CanaryState, HookState, Lack, Reconciliation, Status
from pysmon.service.verdict import RECENT, is_healthy, verdict


def levels(status: Status) -> list[tuple[str, str]]:
    return [(finding.level, finding.about) for finding in verdict(status)]


def lost(at: int | None, unreadable: int = 0) -> Status:
    family = replace(HEALTHY.families[0], seen=120_350, lost=5, lost_at=at, unreadable=unreadable)
    return replace(HEALTHY, families=(family,))


def test_where_nothing_is_wrong_nothing_is_said() -> None:
    assert verdict(HEALTHY) == []
    assert is_healthy(HEALTHY)


def test_the_worst_comes_first_and_nothing_is_forgotten() -> None:
    assert levels(ILL) == [
        ("bad", "processes"),
        ("bad", "UDP received"),
        ("bad", "network"),
        ("bad", "syslog"),
        ("bad", "syslog"),
        ("warn", "configuration"),
        ("warn", "process"),
    ]
    assert not is_healthy(ILL)


def test_what_happened_is_told_with_its_age_the_newest_first_and_not_for_ever() -> None:
    status = replace(
        HEALTHY,
        findings=(
            Finding("warn", "tamper", "too old", when=NOW - 24 * HOUR),
            Finding("warn", "tamper", "old", when=NOW - 23 * HOUR),
            Finding("warn", "config", "new", when=NOW - 5 * SECOND),
            Finding("warn", "config", "the clock was set back", when=NOW + HOUR),
        ),
    )
    assert [(f.about, f.text.split(", ")) for f in verdict(status)] == [
        ("config", ["the clock was set back", "0.000 s ago"]),
        ("config", ["new", "5.0 s ago"]),
        ("tamper", ["old", "23 h ago"]),
    ]
    assert is_healthy(status)


def test_a_hook_that_nobody_needs_is_not_missed() -> None:
    off = HookState("files deleted", "file delete", "off", "", ("fexit: no", "tracepoint: no"))
    assert verdict(replace(HEALTHY, hooks=(off,))) == []


def test_a_hook_that_is_missing_is_told_with_every_reason() -> None:
    blind = HookState("files deleted", "file delete", "blind", "", ("fexit: no", "tracepoint: no tracefs"))
    (finding,) = verdict(replace(HEALTHY, hooks=(blind,)))
    assert finding.text == "nothing is seen of it, no hook works here: fexit: no; tracepoint: no tracefs"
    assert "pysmon doctor" in finding.remedy


def test_what_only_some_kernels_can_see_is_a_remark() -> None:
    lacking = HookState("tables of settings", "sysctl", "lacking", "", ("fexit: no",))
    assert levels(replace(HEALTHY, hooks=(lacking,))) == [("warn", "tables of settings")]
    assert is_healthy(replace(HEALTHY, hooks=(lacking,)))


def test_a_hook_that_did_not_tell_of_the_canary_is_blind_though_it_is_attached() -> None:
    canary = CanaryState(NOW, True, ("processes",), ("TCP connected",))
    (finding,) = verdict(replace(HEALTHY, canary=canary))
    assert (finding.level, finding.about) == ("bad", "TCP connected")
    assert finding.text == "the canary did it and the sensor did not tell (tp_btf)"


def test_a_canary_that_failed_proves_nothing_and_is_a_remark() -> None:
    status = replace(HEALTHY, canary=CanaryState(NOW, False, (), ("processes",)))
    assert levels(status) == [("warn", "canary")]
    assert is_healthy(status)


@pytest.mark.parametrize(
    ("at", "level", "words"),
    [
        (None, "bad", "5 records were lost: events are missing"),
        (NOW - SECOND, "bad", "5 records were lost, the last of them 1.0 s ago: events are missing"),
        (NOW - RECENT + 1, "bad", "5 records were lost, the last of them 1 h ago: events are missing"),
        (NOW - RECENT, "warn", "5 records were lost, the last of them 1 h ago: events are missing"),
    ],
)
def test_a_loss_is_wrong_for_an_hour_and_a_remark_after_that(at: int | None, level: str, words: str) -> None:
    (finding,) = verdict(lost(at))
    assert (finding.level, finding.text) == (level, words)


def test_who_lost_is_told_what_would_help() -> None:
    assert "let rules exclude what comes most" in verdict(lost(NOW))[0].remedy
    assert "let rules exclude what comes most" in verdict(lost(NOW, unreadable=4))[0].remedy
    assert "defect" in verdict(lost(NOW, unreadable=5))[0].remedy


def test_books_that_do_not_add_up_are_a_defect() -> None:
    family = replace(HEALTHY.families[0], kept=1)
    (finding,) = verdict(replace(HEALTHY, families=(family,)))
    assert finding.level == "bad"
    assert finding.text == "120,345 seen, but 1 kept, 100,000 filtered, 0 pushed down, 0 lost, 0 in flight"
    assert "defect" in finding.remedy


def test_a_reconciliation_that_failed_is_told() -> None:
    status = replace(HEALTHY, reconciliation=Reconciliation(NOW, False, "process: 3 seen, 2 kept"))
    assert verdict(status)[0].text == "process: 3 seen, 2 kept"


def test_an_output_that_rests_tells_why_how_long_and_what_waits() -> None:
    lane = replace(HEALTHY.outputs[1], trouble="no route", since=NOW - HOUR, queued=3, spilled=4)
    (finding,) = verdict(replace(HEALTHY, outputs=(lane,)))
    assert (finding.level, finding.text) == ("bad", "the output rests, for 1 h: no route")
    assert finding.remedy.endswith("7 entries wait for it")
    (finding,) = verdict(replace(HEALTHY, outputs=(replace(lane, since=None),)))
    assert finding.text == "the output rests: no route"


def test_what_an_output_lost_long_ago_is_a_remark() -> None:
    lane = replace(HEALTHY.outputs[1], lost=7, lost_at=NOW - 2 * HOUR)
    assert levels(replace(HEALTHY, outputs=(lane,))) == [("warn", "syslog")]


def test_what_the_service_found_by_itself_counts() -> None:
    found = (Finding("ok", "a", ""), Finding("bad", "b", ""))
    assert levels(replace(HEALTHY, findings=found)) == [("bad", "b")]


def test_the_state_of_a_hook_follows_from_what_the_loader_tells() -> None:
    ability = ABILITIES[0]
    served = Service(ability, ability.providers[0], ())
    alone = Service(ability, None, ("tp_btf: no",))
    assert HookState.of(served, wanted=True) == HookState("processes", "process", "working", "tp_btf")
    assert HookState.of(alone, wanted=True) == HookState("processes", "process", "blind", "", ("tp_btf: no",))
    assert HookState.of(alone, wanted=False).state == "off"
    elsewhere = replace(alone, ability=replace(ability, everywhere=False))
    assert HookState.of(elsewhere, wanted=True).state == "lacking"
    assert HookState.of(served, wanted=False).state == "off"


def test_what_the_configuration_asks_for_in_vain_is_a_remark_unless_a_hook_has_told_of_it() -> None:
    blind = HookState("modules loaded", "module", "blind", "", ("fentry: refused",))
    status = replace(
        HEALTHY,
        hooks=(blind,),
        lacks=(
            Lack((6,), ("modules loaded",), False, "fentry: refused", "another kernel"),
            Lack((27, 28), ("file watch",), False, "fanotify_init: Operation not permitted", "more rights"),
            Lack((7,), ("package database",), True, "none can be read; Signed is `-`"),
        ),
    )
    assert [(f.level, f.about, f.text, f.remedy) for f in verdict(status)[1:]] == [
        ("warn", "file watch", "events 27, 28 cannot be made: fanotify_init: Operation not permitted", "more rights"),
        (
            "warn",
            "package database",
            "event 7 will lack something: none can be read; Signed is `-`",
            "`pysmon doctor` tells what this kernel lacks",
        ),
    ]
    assert levels(status)[0] == ("bad", "modules loaded")
