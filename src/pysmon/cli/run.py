"""`pysmon run`: watch in the foreground, live or from a tape."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from pysmon.cli.configuration import configured
from pysmon.cli.exits import ENVIRONMENT, FINE
from pysmon.cli.signals import stopped_by_signals
from pysmon.cli.summary import summary
from pysmon.config.read import read_default
from pysmon.errors import MisuseError, SinkError
from pysmon.formats.quantity import size_of
from pysmon.formats.table import FORMATS
from pysmon.formats.visible import visible
from pysmon.host.archive import Archive
from pysmon.pipeline.garbage import collect_seldom
from pysmon.pipeline.live import Session
from pysmon.pipeline.replay import Playback
from pysmon.pipeline.run import deliver
from pysmon.sensor.scope import Scope
from pysmon.signalled import SignalledEvent
from pysmon.sinks.console import console
from pysmon.sinks.evtx import EvtxFileSink
from pysmon.sinks.file import FileSink
from pysmon.sinks.sink import Reopens, Sink
from pysmon.sinks.store import StoreSink
from pysmon.sinks.stream import StreamSink

_STDOUT = "-"
_LESS = "that is slower and sees fewer kinds of events"
EVTX = "evtx"
_ABOUT_EVTX = "a Windows event log file, for -o"
_FORMATS = [*((form.name, form.about) for form in FORMATS.values()), (EVTX, _ABOUT_EVTX)]
_FORMATS_HELP = " ".join(f"{name}: {about}." for name, about in _FORMATS)
_CONFIG_HELP = "Configuration file; `-` is standard input. Without it, pysmon's own for Linux."
_EXAMPLES = """\b
Examples:
  pysmon run                                     this machine, on the terminal
  pysmon run -- ./build.sh                       one command and all that it starts
  pysmon run -c config.xml --format json -o /var/log/pysmon.json --rotate 100M
  pysmon run --store events.log --format json -o /dev/null     for pysmon log, tree, story and who
  pysmon run --cgroup /sys/fs/cgroup/system.slice/ssh.service
  pysmon run --record bug.tape                   record, to play it again elsewhere:
  pysmon run --replay bug.tape -c config.xml

\b
With a COMMAND and without -o, events go to standard error: standard output is the command's.
Exit code: that of COMMAND, if there is one; else 0 fine, 2 misuse, 3 this machine does not let us (or an
output failed). SIGTERM ends the run, and the command; Ctrl-C is left to the command, and ends a run without.
"""


def _size(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int:
    try:
        return size_of(value or "0")
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(epilog=_EXAMPLES, context_settings={"allow_interspersed_args": False})
@click.option("-c", "--config", metavar="CONFIG", help=_CONFIG_HELP)
@click.option("--format", "form", type=click.Choice([*FORMATS, EVTX]), default="text", help=_FORMATS_HELP)
@click.option("-o", "--output", metavar="FILE", help="Append events to FILE; `-` is standard output.")
@click.option("--rotate", callback=_size, metavar="SIZE", help="Begin a new FILE before it is larger than SIZE (100M).")
@click.option("--keep", type=click.IntRange(0), default=5, show_default=True, help="How many older files to keep.")
@click.option(
    "--store", type=click.Path(path_type=Path), metavar="PATH", help="Also keep events in the event log PATH."
)
@click.option("--tree", type=int, metavar="PID", help="Watch only this process and what it starts from now on.")
@click.option("--pid-namespace", type=int, metavar="PID", help="Watch only the PID namespace that this process is in.")
@click.option("--cgroup", type=click.Path(path_type=Path), metavar="PATH", help="Watch only this cgroup (v2).")
@click.option(
    "--mount",
    "mounts",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="Watch what files hold (events 23 and 26 to 29) on the file system of PATH alone; may be repeated.",
)
@click.option(
    "--trace", is_flag=True, help="Trace COMMAND with ptrace, as is done anyway where the kernel's sensor is refused."
)
@click.option("--archive", type=click.Path(path_type=Path), metavar="FOLDER", help="Keep content of events 23 and 24.")
@click.option("--record", type=click.Path(path_type=Path), metavar="TAPE", help="Record what the kernel tells on TAPE.")
@click.option("--replay", type=click.Path(path_type=Path), metavar="TAPE", help="Play TAPE instead of watching.")
@click.option("-q", "--quiet", is_flag=True, help="No summary at the end.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def run(
    config: str | None,
    form: str,
    output: str | None,
    rotate: int,
    keep: int,
    store: Path | None,
    tree: int | None,
    pid_namespace: int | None,
    cgroup: Path | None,
    mounts: tuple[Path, ...],
    trace: bool,
    archive: Path | None,
    record: Path | None,
    replay: Path | None,
    quiet: bool,
    command: tuple[str, ...],
) -> int:
    """Watch this machine, a part of it, or one COMMAND, and show or write what the configuration keeps.

    Needs root or the capabilities CAP_BPF and CAP_PERFMON. Without them a COMMAND is traced; --replay needs none.
    """
    scope = _scope(tree, pid_namespace, cgroup)
    if command and scope:
        raise click.UsageError("a COMMAND is a scope by itself: leave --tree, --pid-namespace and --cgroup away")
    if trace and not command:
        raise click.UsageError("--trace traces a COMMAND: name one")
    if replay and (command or scope or record or mounts or archive):
        raise click.UsageError("--replay plays what was recorded: it goes with -c and the options of output only")
    configuration = configured(config) if config else read_default().configuration
    collect_seldom()
    stop = SignalledEvent()
    with ExitStack() as stack:
        sink = _sink(form, output, rotate, keep, beside_command=bool(command))
        stack.callback(sink.close)
        sinks: list[Sink] = [sink]
        first_record = 0
        if store:
            kept = StoreSink(store)
            stack.callback(kept.close)
            sinks.append(kept)
            first_record = (kept.last_record_id or 0) + 1
        stack.enter_context(stopped_by_signals(stop, command=bool(command), hangup_ends=not isinstance(sink, Reopens)))
        if replay:
            source: Session | Playback = Playback(configuration, replay)
        else:
            with _recording(record):
                source = Session(
                    configuration,
                    scope,
                    command=command or None,
                    by="ptrace" if trace else "either",
                    reloads=False,
                    record_to=record,
                    extras=form not in ("xml", EVTX) or store is not None,
                    first_record=first_record,
                    mounts=mounts or None,
                    archive=Archive(archive) if archive else None,
                )
            if source.traced and not trace:
                click.echo(f"pysmon: {visible(source.traced)}: the command is traced instead; {_LESS}", err=True)
            if not command and sys.stderr.isatty() and not quiet:
                click.echo(f"pysmon: watching {_words(scope)}; Ctrl-C ends it", err=True)
        delivery = deliver(source.batches(stop), sinks, stop, _tell)
    outcome = source.outcome
    if outcome and not quiet:
        click.echo(summary(outcome, delivery.unwritten), err=True, nl=False)
    if outcome and outcome.exit_status is not None:
        return outcome.exit_status
    return ENVIRONMENT if delivery.troubles else FINE


def _scope(tree: int | None, pid_namespace: int | None, cgroup: Path | None) -> Scope | None:
    if sum(given is not None for given in (tree, pid_namespace, cgroup)) > 1:
        raise click.UsageError("--tree, --pid-namespace and --cgroup exclude each other")
    for pid in (tree, pid_namespace):
        if pid is not None and not Path(f"/proc/{pid}").exists():
            raise MisuseError(f"there is no process {pid}")
    if tree is not None:
        return Scope.of_tree(tree)
    if pid_namespace is not None:
        return Scope.of_pid_namespace(pid_namespace)
    return Scope.of_cgroup(cgroup.resolve()) if cgroup else None


def _sink(form: str, output: str | None, rotate: int, keep: int, *, beside_command: bool) -> Sink:
    if form == EVTX:
        if output is None or output == _STDOUT:
            raise click.UsageError("--format evtx needs a file: name one with -o")
        return EvtxFileSink(Path(output), rotate=rotate, keep=keep)
    if output is not None and output != _STDOUT:
        return FileSink(Path(output), FORMATS[form].render, rotate=rotate, keep=keep)
    if rotate:
        raise click.UsageError("--rotate needs a file: name one with -o")
    aside = beside_command and output is None
    stream, name = (sys.stderr, "standard error") if aside else (sys.stdout, "standard output")
    return console(stream, name) if form == "text" else StreamSink(stream.fileno(), name, FORMATS[form].render)


@contextmanager
def _recording(tape: Path | None) -> Iterator[None]:
    """Say which tape cannot be written."""
    try:
        yield
    except OSError as error:
        if tape is None or error.filename is None:
            raise
        raise MisuseError(f"cannot record on {tape}: {error.strerror}") from error


def _words(scope: Scope | None) -> str:
    kind = scope.kind if scope else "machine"
    return {"machine": "this machine", "tree": "a process and what it starts"}.get(kind, f"a {kind}")


def _tell(error: SinkError) -> None:
    hint = f" ({error.hint})" if error.hint else ""
    click.echo(f"pysmon: {visible(str(error))}{hint}", err=True)
