"""The table of outputs: what the settings say becomes an output, or a message that helps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.formats.entries import create
from tests.store.entries import record_ids

from pysmon.errors import MisuseError, SinkError
from pysmon.sinks.follow import FollowSink
from pysmon.sinks.kinds import OUTPUTS

NEEDED: Mapping[str, Mapping[str, str]] = {
    "store": {"path": "log"},
    "file": {"path": "events.json"},
    "evtx": {"path": "events.evtx"},
    "followers": {"path": "events.sock"},
}


def least(name: str, folder: Path) -> dict[str, object]:
    return {key: str(folder / value) for key, value in NEEDED.get(name, {}).items()}


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_can_be_made_with_little_and_describes_all_its_options(name: str, tmp_path: Path) -> None:
    kind = OUTPUTS[name]
    assert kind.name == name
    assert kind.about
    assert all(option.about for option in kind.options)
    assert len({option.name for option in kind.options}) == len(kind.options)
    sink = kind.make(least(name, tmp_path))
    sink.close()


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_default_is_a_value_that_might_be_given(name: str, tmp_path: Path) -> None:
    given = {o.name: o.default for o in OUTPUTS[name].options if o.default is not None}
    OUTPUTS[name].make({**given, **least(name, tmp_path)}).close()


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_an_output_does_not_know_is_told(name: str) -> None:
    with pytest.raises(MisuseError, match=f"the output {name} has no option 'odd'") as told:
        OUTPUTS[name].make({"odd": 1})
    assert OUTPUTS[name].options[0].name in told.value.hint


@pytest.mark.parametrize(
    ("name", "options", "words", "hint"),
    [
        ("file", {}, "needs path", "the file"),
        ("file", {"path": "log"}, "path is 'log'", "an absolute path"),
        ("file", {"path": "/x", "pth": 1}, "no option 'pth'", "did you mean path?"),
        ("file", {"path": "/x", "rotate": "big"}, "rotate is 'big'", "expected for example 500K"),
        ("file", {"path": "/x", "rotate": -1}, "rotate is -1", "a size"),
        ("file", {"path": "/x", "rotate": 10}, "rotate is 10", "1024 bytes or more"),
        ("evtx", {"path": "/x", "rotate": 10}, "rotate is 10", "69632 bytes or more"),
        ("file", {"path": "/x", "rotate": True}, "rotate is True", "a size"),
        ("file", {"path": "/x", "age": "soon"}, "age is 'soon'", "90s"),
        ("file", {"path": "/x", "keep": "5"}, "keep is '5'", "a whole number"),
        ("file", {"path": "/x", "compress": 1}, "compress is 1", "true or false"),
        ("file", {"path": "/x", "format": "yaml"}, "format is 'yaml'", "text or json or xml"),
        ("syslog", {"format": "text"}, "format is 'text'", "json or xml"),
        ("syslog", {"to": 7}, "to is 7", "a text"),
        ("syslog", {"to": "ftp://x"}, "no place for syslog", "udp://HOST:PORT"),
        ("syslog", {"to": "tcp://x:port"}, "no place for syslog", "udp://HOST:PORT"),
        ("syslog", {"to": "tcp://x/path"}, "no place for syslog", "udp://HOST:PORT"),
        ("syslog", {"longest": 10}, "longest is 10", "1024"),
        ("syslog", {"to": "tcp://x", "ca": "/etc/ca.pem"}, "to is tcp://x:601", "are for tls://"),
        ("syslog", {"verify": False}, "to is /dev/log", "are for tls://"),
        ("syslog", {"to": "tls://x", "key": "/k"}, "key has no certificate", "certificate"),
        ("syslog", {"to": "tls://x", "ca": "/absent.pem"}, "cannot use /absent.pem: No such file", "PEM"),
        ("syslog", {"to": "tls://x", "certificate": "/absent.pem"}, "cannot use /absent.pem", "PEM"),
        ("store", {"ages": {"file": "x"}}, "ages is", "12h"),
        ("store", {"ages": 5}, "ages is 5", "a table"),
        ("store", {"ages": {"nonsense": "7d"}}, "no class of events named nonsense", "process"),
        ("store", {"total": 5}, "too small", "bytes or more"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_was_expected(
    name: str, options: Mapping[str, object], words: str, hint: str
) -> None:
    with pytest.raises(MisuseError) as told:
        OUTPUTS[name].make(options)
    assert words in str(told.value)
    assert hint in told.value.hint


@pytest.mark.parametrize(("ages", "kept"), [({}, [9]), ({"file": "7d"}, [9]), ({"process": 60}, [])])
def test_options_reach_the_store(tmp_path: Path, ages: Mapping[str, object], kept: list[int]) -> None:
    sink = OUTPUTS["store"].make({"path": str(tmp_path / "log"), "total": "4M", "ages": ages})
    sink.write([create()])
    sink.close()
    assert record_ids(tmp_path / "log") == kept


def test_options_reach_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    options = {"path": str(path), "format": "xml", "rotate": "2K", "keep": 1, "age": "1d", "compress": True}
    sink = OUTPUTS["file"].make(options)
    for _ in range(5):
        sink.write([create()])
        sink.flush()
    sink.close()
    assert path.read_bytes().startswith(b"<Event>")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log", "log.1.gz"]


def test_options_reach_the_followers(tmp_path: Path) -> None:
    sink = OUTPUTS["followers"].make({"path": str(tmp_path / "s"), "buffer": "1M", "most": 3})
    assert isinstance(sink, FollowSink)
    assert (sink._most, sink._many) == (1 << 20, 3)
    sink.close()


def test_a_place_that_cannot_be_written_is_no_misuse(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="No such file"):
        OUTPUTS["file"].make({"path": str(tmp_path / "absent" / "log")})
