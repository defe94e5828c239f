"""The page of the status: what a responder reads."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from tests.service.sample import HEALTHY, HOUR, ILL, NOW

from pysmon.service.finding import Finding
from pysmon.service.status import ConfigurationState, Status
from pysmon.service.status_page import conclusion, page
from pysmon.service.verdict import verdict
from pysmon.service.wire import status_document


def shown(status: Status) -> list[str]:
    return ["".join(piece.text for piece in line.pieces).rstrip() for line in page(status)]


def block(status: Status, first: str) -> list[str]:
    """The lines of the part of the page that begins with that word."""
    lines = shown(status)
    at = next(i for i, line in enumerate(lines) if line.startswith(first))
    return lines[at : lines.index("", at)]


def test_the_facts_come_first_if_nothing_is_wrong() -> None:
    assert shown(HEALTHY)[:7] == [
        "pysmon         0.1.0, process 471, watches this machine",
        "running        3 d 2 h, since 2026-11-18 06:00:00",
        "uses           48.2 MB of memory, 0.2 % of a processor",
        "configuration  /root/rules.xml (schema 4.90), since 2026-11-18 07:00:00, generation 2",
        f"               SHA256={'5f' * 32}",
        "canary         came back whole, 2026-11-18 06:00:01",
        "books          add up, 2026-11-21 07:30:00",
    ]


def test_what_is_wrong_stands_at_the_top_with_its_remedy() -> None:
    assert shown(ILL)[:4] == [
        "bad   processes      the canary did it and the sensor did not tell (tp_btf)",
        "                     -> a restart attaches it again; if it comes back blind, please report it with the output"
        " of `pysmon doctor`",
        "bad   UDP received   nothing is seen of it, no hook works here: fentry: refused; tracepoint: no tracefs",
        "                     -> `pysmon doctor` tells what this kernel lacks",
    ]


def test_records_are_told_by_family_with_their_rates() -> None:
    assert block(HEALTHY, "records") == [
        "records           seen     kept   filtered  pushed down  lost  in flight  10 s  minute  overall  (per second)",
        "process        120,345   20,345    100,000            0     0          0   2.0     1.5      0.5",
        "network      9,876,543  876,543  8,999,998            0     0          2  31.0    40.2     37.1",
        "file delete          0        0          0            0     0          0   0.0     0.0      0.0",
    ]


def test_outputs_are_told_with_what_waits_for_them() -> None:
    assert block(ILL, "outputs") == [
        "outputs              written  queued  on disk    size  lost",
        "/var/lib/pysmon/log  896,888      12        0     0 B     0",
        "syslog                   100  20,000    5,000  2.0 MB     7  rests",
    ]


def test_the_log_is_told_by_class_with_how_far_back_it_reaches() -> None:
    assert block(HEALTHY, "event log") == [
        "event log  entries      size  back to",
        "process     20,345    4.0 MB  2026-11-18 08:00:00",
        "network    876,543  125.0 MB  2026-11-20 08:00:00",
        "registry         0       0 B  -",
        "all        896,888  144.0 MB  of 1.0 GB in /var/lib/pysmon/log",
    ]


def test_hooks_are_told_with_what_the_canary_proved_and_what_was_refused() -> None:
    assert block(HEALTHY, "sensor") == [
        "sensor             state                               hook        canary  instead of",
        "processes          working                             tp_btf      seen",
        "running processes  working                             iter        -",
        "TCP connected      working                             tp_btf      seen",
        "UDP received       working                             tracepoint  seen    fentry: Operation not permitted",
        "files deleted      not asked for: no rule can keep it  -           -",
    ]
    assert block(ILL, "sensor")[1:] == [
        "processes     working  tp_btf  blind",
        "UDP received  blind    -       -       fentry: refused; tracepoint: no tracefs",
    ]


def test_what_there_is_none_of_is_left_out() -> None:
    lines = shown(replace(ILL, outputs=(), canary=None))
    assert not [line for line in lines if line.startswith(("outputs", "event log", "canary", "books"))]
    assert "configuration  Defaults (schema 4.90), since 2026-11-18 06:00:00, generation 1" in lines


@pytest.mark.parametrize(
    ("findings", "line"),
    [
        ([], "healthy"),
        ([Finding("warn", "a", "b")], "healthy, with 1 remark"),
        ([Finding("warn", "a", "b")] * 2, "healthy, with 2 remarks"),
        ([Finding("bad", "a\x1b", "b\n"), Finding("warn", "", "")], "not healthy: a\\x1b: b\\x0a"),
        ([Finding("bad", "a", "b")] * 2, "not healthy: 2 things are wrong, they stand at the top"),
    ],
)
def test_the_last_line_says_it_all(findings: list[Finding], line: str) -> None:
    assert "".join(piece.text for piece in conclusion(findings).pieces) == line
    assert shown(ILL)[-1] == "not healthy: 5 things are wrong, they stand at the top"


def test_nothing_on_the_page_can_steer_a_terminal() -> None:
    evil = "\x1b[2J\n\u202e\udcff"
    status = replace(
        ILL,
        scope=evil,
        configuration=ConfigurationState(evil, evil, evil, NOW, 1),
        hooks=(replace(ILL.hooks[1], ability=evil, refusals=(evil,)),),
        families=(replace(ILL.families[0], name=evil),),
        outputs=(replace(ILL.outputs[1], name=evil, trouble=evil),),
        log=replace(HEALTHY.log, path=evil) if HEALTHY.log else None,
        findings=(Finding("bad", evil, evil, evil),),
    )
    assert all(line.isprintable() for line in shown(status))


def test_a_service_that_has_just_begun_has_a_page() -> None:
    status = replace(HEALTHY, uptime=0, started=NOW, canary=None, reconciliation=None)
    assert "uses           48.2 MB of memory, 0.0 % of a processor" in shown(status)


def test_the_json_has_all_that_the_status_has() -> None:
    for status in (HEALTHY, ILL):
        document = status_document(status)
        assert msgspec.json.decode(document, type=Status) == status
        fields = msgspec.json.decode(document)
        assert fields["healthy"] is (status is HEALTHY)
        assert len(fields["wrong"]) == len(verdict(status))


def test_moments_far_ahead_do_not_break_the_page() -> None:
    assert shown(replace(HEALTHY, started=NOW + 1000 * HOUR))[1].endswith("since 2027-01-02 00:00:00")
