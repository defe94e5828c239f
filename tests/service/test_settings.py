"""The settings of the service: defaults, what is refused, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from pysmon.errors import MisuseError
from pysmon.service.paths import Paths
from pysmon.service.settings import Output, Queue, Settings, default_outputs, read_settings


def read(root: Path, text: str) -> Settings:
    paths = Paths.under(root)
    paths.settings.parent.mkdir(parents=True)
    paths.settings.write_text(text)
    return read_settings(paths)


def test_without_a_file_there_is_an_event_log_and_syslog_where_the_machine_has_it(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    found = read_settings(paths)
    assert found == Settings(default_outputs(paths), Queue())
    assert found.outputs[0] == Output("store", {"path": str(paths.store)})
    assert [output.type for output in found.outputs[1:]] == ["syslog"] * Path("/dev/log").exists()


def test_a_file_without_outputs_changes_the_queues_alone(tmp_path: Path) -> None:
    found = read(tmp_path, '[queue]\nentries = 5\nbytes = "1M"\nspill = 0\n')
    assert found.queue == Queue(5, 1 << 20, 0)
    assert found.outputs == default_outputs(Paths.under(tmp_path))


def test_outputs_are_those_that_are_named_and_have_places_of_their_own(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    found = read(
        tmp_path,
        '[[output]]\ntype = "store"\nsize = "1G"\n[[output]]\ntype = "followers"\n'
        '[[output]]\ntype = "store"\npath="/x"\n',
    )
    assert found.outputs == (
        Output("store", {"size": "1G", "path": str(paths.store)}),
        Output("followers", {"path": str(paths.events)}),
        Output("store", {"path": "/x"}),
    )


def test_no_outputs_can_be_asked_for(tmp_path: Path) -> None:
    assert read(tmp_path, "output = []").outputs == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("= 1", "pysmon.toml: Invalid statement"),
        ("[que]", "'que' is not known"),
        ("queue = 1", "queue is a table"),
        ("[queue]\nsize = 1", "queue.size is not known"),
        ('[queue]\nentries = "many"', "queue.entries is 'many'"),
        ('[queue]\nbytes = "much"', "'much' is no size"),
        ("[queue]\nentries = 0", "queue.entries is 0"),
        ("[queue]\nspill = -1", "'-1' is no size"),
        ("[output]\ntype = 'store'", "outputs are tables of a list"),
        ("[[output]]\npath = '/x'", "output 1 has no type"),
        ("[[output]]\ntype = 'store'\n[[output]]\ntype = 3", "output 2 has no type"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MisuseError, match=r"pysmon\.toml") as caught:
        read(tmp_path, text)
    assert message in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    paths.settings.mkdir(parents=True)
    with pytest.raises(MisuseError, match=r"pysmon\.toml"):
        read_settings(paths)
