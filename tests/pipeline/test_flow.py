"""The flow: what the rules keep of a record, what is learned, and what is asked of the machine only when it matters."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from tests.assemble.stage import (
    CHILD,
    SECOND,
    SHELL,
    builder,
    create,
    delete,
    ended,
    execute,
    flow,
    fork,
    guid,
    head,
    leave,
    task,
    users,
)
from tests.sensor.own_dns import question
from tests.tapes.play import configured

from pysmon.assemble.enrich import Enricher
from pysmon.assemble.questions import PATIENCE
from pysmon.assemble.utc import utc_text
from pysmon.host.hashes import Hashes
from pysmon.pipeline.accounting import by_family
from pysmon.pipeline.flow import Flow
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import (
    DnsQuery,
    FileCreate,
    FileDelete,
    FileDeleteDetected,
    ProcessCreate,
    ProcessTerminate,
)
from pysmon.sensor.records import RENAMED, DnsMessageRecord, ExecRecord

TAGS = ("ProcessCreate", "ProcessTerminate", "NetworkConnect", "FileCreate", "FileDelete", "FileDeleteDetected")
BORN = 1_000_000_000_000_000_000


@dataclass
class Asked:
    """A flow, and which files it asked the machine about."""

    flow: Flow
    born: list[str] = field(default_factory=list)


def asking(**filters: str) -> Asked:
    """A flow that keeps what these filters do, by tag: `onmatch:rules`; of other tags nothing."""
    elements = (dict.fromkeys(TAGS, "include:") | filters).items()
    inside = "".join('<{0} onmatch="{1}">{2}</{0}>'.format(tag, *what.split(":", 1)) for tag, what in elements)
    text = f'<Sysmon schemaversion="4.90"><EventFiltering>{inside}</EventFiltering></Sysmon>'
    ruleset, made = Ruleset.compile(configured(text)), builder()
    asked: list[str] = []

    def birth(path: str, _inode: int) -> int:
        asked.append(path)
        return BORN

    enricher = Enricher(made.processes, users(), Hashes(()), reads=ruleset.reads, birth=birth)
    return Asked(Flow(ruleset, made, enricher), asked)


def test_a_kept_event_has_the_name_of_its_rule_and_is_counted() -> None:
    made = asking(ProcessCreate='include:<Image name="a shell" condition="end with">/sh</Image>').flow
    (event,) = made.take(execute(CHILD, "/usr/bin/sh"))
    assert isinstance(event, ProcessCreate)
    assert event.RuleName == "a shell"
    assert (made.accounting.kept, by_family(made.accounting.records_kept)) == ({1: 1}, {"process": 1})
    assert not made.accounting.filtered
    assert not any(made.accounting.records_filtered)


def test_an_event_that_is_not_kept_is_counted_and_gone() -> None:
    made = asking(ProcessCreate='include:<Image condition="end with">/sh</Image>').flow
    assert made.take(execute(CHILD, "/usr/bin/true")) == ()
    assert (made.accounting.filtered, by_family(made.accounting.records_filtered)) == ({1: 1}, {"process": 1})
    assert not made.accounting.kept


def test_without_a_rule_s_name_there_is_a_dash() -> None:
    (event,) = asking(ProcessCreate="exclude:").flow.take(execute(CHILD, "/usr/bin/true"))
    assert event.RuleName == "-"  # type: ignore[attr-defined]


def test_both_events_of_a_removed_file_are_judged_by_their_own_rules() -> None:
    made = asking(
        FileDelete='include:<TargetFilename condition="end with">.a</TargetFilename>',
        FileDeleteDetected='include:<TargetFilename condition="contains">/x</TargetFilename>',
    ).flow
    assert [type(e) for e in made.take(delete(SHELL, "/tmp/x.a"))] == [FileDelete, FileDeleteDetected]
    assert [type(e) for e in made.take(delete(SHELL, "/tmp/y.a"))] == [FileDelete]
    assert [type(e) for e in made.take(delete(SHELL, "/tmp/x"))] == [FileDeleteDetected]
    assert made.take(delete(SHELL, "/tmp/y")) == ()
    books = made.accounting
    assert (books.kept, books.filtered) == ({23: 2, 26: 2}, {23: 2, 26: 2})
    assert (by_family(books.records_kept), by_family(books.records_filtered)) == (
        {"file delete": 3},
        {"file delete": 1},
    )


@pytest.mark.parametrize(
    "record",
    [execute(CHILD, "/a"), leave(CHILD), fork(CHILD, SHELL), flow(CHILD), create(CHILD, "/a"), delete(CHILD, "/a")],
    ids=lambda r: type(r).__name__,
)
def test_a_record_of_which_nothing_is_wanted_counts_as_filtered(record: ExecRecord) -> None:
    made = asking().flow
    assert made.take(record) == ()
    assert by_family(made.accounting.records_filtered) == {record.layout.family: 1}
    assert not made.accounting.filtered


def test_the_process_table_is_kept_for_events_that_are_wanted() -> None:
    made = asking(FileCreate="exclude:").flow
    made.take(execute(CHILD, "/usr/bin/touch"))
    (event,) = made.take(create(CHILD, "/tmp/x"))
    assert isinstance(event, FileCreate)
    assert (event.Image, event.ProcessGuid) == ("/usr/bin/touch", guid(CHILD))


def test_what_is_learned_is_known_and_not_counted() -> None:
    made = asking(ProcessCreate="exclude:").flow
    made.learn(task(SHELL, "/usr/bin/bash", ended("bash")))
    (event,) = made.take(execute(CHILD, "/usr/bin/true", by=SHELL))
    assert isinstance(event, ProcessCreate)
    assert event.ParentImage == "/usr/bin/bash"
    assert by_family(made.accounting.records_kept) == {"process": 1}
    assert not any(made.accounting.records_filtered)


def test_a_process_that_ends_is_told_with_its_program() -> None:
    made = asking(ProcessTerminate='include:<Image condition="is">/usr/bin/true</Image>').flow
    made.take(execute(CHILD, "/usr/bin/true"))
    (event,) = made.take(leave(CHILD))
    assert isinstance(event, ProcessTerminate)
    assert event.ProcessGuid == guid(CHILD)


def test_the_machine_is_asked_nothing_about_what_is_not_kept() -> None:
    made = asking(FileCreate='include:<TargetFilename condition="end with">.kept</TargetFilename>')
    assert made.flow.take(create(CHILD, "/tmp/x", how=RENAMED)) == ()
    assert made.born == []
    (event,) = made.flow.take(create(CHILD, "/tmp/x.kept", how=RENAMED))
    assert isinstance(event, FileCreate)
    assert event.CreationUtcTime == utc_text(BORN)
    assert len(made.born) == 1


def test_what_a_rule_reads_is_asked_before_the_verdict_and_once() -> None:
    made = asking(FileCreate=f'include:<CreationUtcTime condition="is">{utc_text(BORN)}</CreationUtcTime>')
    (event,) = made.flow.take(create(CHILD, "/tmp/x", how=RENAMED))
    assert isinstance(event, FileCreate)
    assert len(made.born) == 1
    assert made.flow.take(create(CHILD, "/tmp/x")) == ()  # a new file: its birth is now


def test_other_rules_hold_from_the_next_record_on_and_the_counts_go_on() -> None:
    made = asking(ProcessCreate="exclude:").flow
    assert len(made.take(execute(CHILD, "/usr/bin/true"))) == 1
    ruleset = Ruleset.compile(
        configured(
            '<Sysmon schemaversion="4.90"><EventFiltering><ProcessCreate onmatch="include">'
            '<Image name="other">/usr/bin/other</Image></ProcessCreate></EventFiltering></Sysmon>'
        )
    )
    made.use(ruleset, Enricher(builder().processes, users(), Hashes(())))
    assert made.take(execute(CHILD, "/usr/bin/true")) == ()
    (event,) = made.take(execute(CHILD, "/usr/bin/other"))
    assert event.RuleName == "other"  # type: ignore[attr-defined]
    assert (made.accounting.kept, made.accounting.filtered) == ({1: 2}, {1: 1})


def test_a_record_that_is_skipped_counts_as_filtered_and_informs_nobody() -> None:
    made = asking(ProcessCreate="exclude:").flow
    made.skip(execute(CHILD, "/usr/bin/true"))
    assert (by_family(made.accounting.records_filtered), by_family(made.accounting.records_kept)) == (
        {"process": 1},
        {},
    )
    assert not made.accounting.kept


def a_question(time: int = 10 * SECOND) -> DnsMessageRecord:
    return DnsMessageRecord.make(
        **head(CHILD, time), family=2, protocol=17, sent=1, server=bytes(16), payload=question("www.example")
    )


def test_a_question_waits_as_filtered_and_counts_as_kept_once_it_is_told() -> None:
    made = asking(DnsQuery="exclude:").flow
    assert made.take(a_question()) == ()
    assert by_family(made.accounting.records_filtered)["dns"] == 1
    assert made.take(leave(CHILD, time=10 * SECOND + PATIENCE - 1)) == ()
    assert [type(event) for event in made.take(leave(SHELL, time=10 * SECOND + PATIENCE))] == [DnsQuery]
    assert made.overdue(1 << 62, last=True) == ()
    assert (by_family(made.accounting.records_filtered)["dns"], by_family(made.accounting.records_kept)["dns"]) == (
        0,
        1,
    )
    assert made.accounting.kept[22] == 1


def test_a_question_that_no_rule_keeps_stays_filtered() -> None:
    made = asking(DnsQuery="include:<QueryName>other</QueryName>").flow
    made.take(a_question())
    assert made.overdue(1 << 62) == ()
    assert (by_family(made.accounting.records_filtered)["dns"], made.accounting.filtered[22]) == (1, 1)
