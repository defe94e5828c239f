"""The `pysmon` command: its sub-commands by topic, one file each, imported when they are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module

import click

from pysmon.pipeline.garbage import uncollected
from pysmon.release import VERSION


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a command is: the file and the function of cli/, and what the list of commands says of it."""

    module: str
    function: str
    about: str


TOPICS: Mapping[str, Mapping[str, _Place]] = {
    "Watch": {
        "run": _Place("run", "run", "Watch this machine, a part of it, or one command."),
    },
    "Ask logs": {
        "log": _Place("log", "log", "Show events of the event log, or of other logs."),
        "who": _Place("who", "who", "Who is behind a domain, address, file or hash?"),
        "story": _Place("story", "story", "What did a process do? In words."),
        "tree": _Place("tree", "tree", "Who started whom?"),
        "timeline": _Place("timeline", "timeline", "Events of several logs, in order."),
        "find": _Place("find", "find", "Events in which a text stands, and where."),
    },
    "Examine configurations": {
        "check": _Place("check", "check", "Is it valid? Every mistake, with its place."),
        "lint": _Place("lint", "lint", "Is it what was meant? Rules that cannot work as written."),
        "explain": _Place("explain", "explain_command", "Why is this event kept or dropped?"),
        "test": _Place("test", "test_command", "Run its unit tests."),
        "replay": _Place("replay", "replay", "What would it keep of a log, and by which rule?"),
        "diff": _Place("diff", "diff_command", "What is different between two, in meaning and on a log?"),
        "coverage": _Place("coverage", "coverage_command", "Which ATT&CK techniques do its rules name?"),
        "explain-problem": _Place("explain_problem", "explain_problem", "What does a code of check or lint mean?"),
        "dump": _Place("dump", "dump", "Print its rules as `sysmon -c` does."),
        "schema": _Place("schema", "schema", "Print Sysmon's schema, of any version."),
    },
    "Change configurations": {
        "fmt": _Place("fmt", "fmt", "Lay them out evenly, comments kept."),
        "merge": _Place("merge", "merge_command", "Make one of several."),
        "split": _Place("merge", "split_command", "Make several of one."),
        "convert": _Place("merge", "convert_command", "Rewrite one for another schema version."),
        "blob": _Place("blob", "blob", "To and from the binary rules that Sysmon keeps."),
    },
    "Be a service": {
        "status": _Place("status", "status", "How is the running service?"),
        "doctor": _Place("doctor", "doctor", "Can pysmon run here, and what would help if not?"),
        "service": _Place("service", "service", "Be the service; systemd starts this."),
        "uninstall": _Place("uninstall", "uninstall", "Stop the service and remove it."),
    },
}
_CLASSIC = """\b
Sysmon's own switches work as well, without a sub-command:
  pysmon -accepteula -i config.xml   install the service
  pysmon -c config.xml               change its configuration
  pysmon -u                          uninstall it
  pysmon -?                          explain all switches
  pysmon -? config                   explain configuration files
"""


class _Commands(MutableMapping[str, click.Command]):
    """The commands by name, each imported when it is asked for: most runs need one of them."""

    def __init__(self) -> None:
        self._places = {name: place for topic in TOPICS.values() for name, place in topic.items()}

    def __getitem__(self, name: str) -> click.Command:
        place = self._places[name]
        with uncollected():
            found: click.Command = getattr(import_module(f"pysmon.cli.{place.module}"), place.function)
        return found

    def __setitem__(self, name: str, command: click.Command) -> None:
        raise TypeError(f"{name}: commands stand in TOPICS")

    def __delitem__(self, name: str) -> None:
        raise TypeError(f"{name}: commands stand in TOPICS")

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class _ByTopic(click.Group):
    """Lists its commands by topic."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order of the topics."""
        return list(self.commands)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for each topic."""
        for title, places in TOPICS.items():
            with formatter.section(title):
                formatter.write_dl([(name, place.about) for name, place in places.items()])


@click.group(
    cls=_ByTopic,
    commands=_Commands(),
    epilog=_CLASSIC,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(VERSION, message="pysmon %(version)s")
def app() -> None:
    """Sysmon, in Python: see which process did what, and keep what your rules say."""
