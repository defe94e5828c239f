"""ProcessTampering out of exec records."""

from __future__ import annotations

from tests.assemble.stage import CHILD, builder, execute, guid

from pysmon.schema.catalogue import ProcessCreate, ProcessTampering

EVIL = execute(CHILD, "/memfd:evil", links=0, uid=1000)


def test_a_program_whose_file_has_no_name_makes_two_events() -> None:
    create, event = builder().take(EVIL)
    assert isinstance(create, ProcessCreate)
    assert isinstance(event, ProcessTampering)
    assert (event.ProcessGuid, event.ProcessId, event.User) == (guid(CHILD), CHILD[0], "joe")
    assert (event.Image, event.Type) == ("/memfd:evil (deleted)", "Image is replaced")
    assert event.UtcTime == create.UtcTime == "2026-11-21 05:46:49.000"


def test_a_program_that_has_a_name_makes_one() -> None:
    assert [type(e) for e in builder().take(execute(CHILD, "/bin/true"))] == [ProcessCreate]


def test_each_is_built_only_if_it_is_wanted() -> None:
    stage = builder()
    stage.want({25})
    assert [type(e) for e in stage.take(EVIL)] == [ProcessTampering]
    stage.want({1})
    assert [type(e) for e in stage.take(EVIL)] == [ProcessCreate]
    stage.want({3})
    assert stage.take(EVIL) == ()
