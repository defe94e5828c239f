"""`pysmon service`: the resident service, in the foreground; systemd or another supervisor starts it."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from pysmon.cli.exits import FINE
from pysmon.errors import MisuseError, SinkError
from pysmon.formats.visible import visible
from pysmon.pipeline.early import Early
from pysmon.pipeline.garbage import collect_seldom, uncollected
from pysmon.sensor.libbpf import share_one_heap
from pysmon.sensor.scope import Scope
from pysmon.service.paths import Paths
from pysmon.service.settings import read_settings
from pysmon.signalled import SignalledEvent

if TYPE_CHECKING:
    from pysmon.service.daemon import Daemon

_EXAMPLES = """\b
Examples:
  pysmon service                        under a supervisor, or in a terminal; Ctrl-C ends it
  pysmon service --cgroup /sys/fs/cgroup/system.slice/ssh.service
  pysmon service --root /tmp/try        settings, log and sockets below another folder

\b
SIGHUP, or `systemctl reload pysmon`: the stored configuration is read again, files of outputs are opened anew.
SIGTERM: what waits for outputs is delivered, or kept on the disk for the next run.
Exit code: 0 ended as asked, 2 the settings are no good, 3 this machine does not let us.
"""


@click.command(epilog=_EXAMPLES)
@click.option("--root", type=click.Path(path_type=Path), metavar="PATH", help="Instead of / for all its files.")
@click.option("--tree", type=int, metavar="PID", help="Watch only this process and what it starts from now on.")
@click.option("--cgroup", type=click.Path(path_type=Path), metavar="PATH", help="Watch only this cgroup (v2).")
def service(root: Path | None, tree: int | None, cgroup: Path | None) -> int:
    """Be the resident service: watch by the stored configuration, write to the outputs of pysmon.toml, and answer
    `pysmon status`.

    `pysmon -i` installs it. It tells systemd when it is ready and that it is alive.
    """
    if tree is not None and cgroup is not None:
        raise click.UsageError("--tree and --cgroup exclude each other")
    if tree is not None and not Path(f"/proc/{tree}").exists():
        raise MisuseError(f"there is no process {tree}")
    scope = Scope.of_tree(tree) if tree is not None else Scope.of_cgroup(cgroup.resolve()) if cgroup else None
    os.umask(0o077)
    share_one_heap()
    paths = Paths.under(root) if root else Paths.system()
    stop = SignalledEvent()
    ended = _ended_by_signals(stop)
    try:
        with uncollected(), ExitStack() as undo:
            settings = read_settings(paths)
            early = Early(scope, settings.files.mounts, paths.types)
            undo.callback(early.close)
            from pysmon.service.daemon import Daemon  # takes longer than all before: by now processes are seen

            daemon = Daemon(paths, settings, early)
            undo.pop_all()
    except OSError as error:
        raise SinkError(f"cannot use {error.filename}: {error.strerror}", hint="the service needs root") from error
    ended.append(daemon)
    collect_seldom()
    for words in daemon.run(stop):
        click.echo(f"pysmon: {visible(words)}", err=True)
    return FINE


def _ended_by_signals(stop: SignalledEvent) -> list[Daemon]:
    """SIGTERM and SIGINT end it, SIGHUP has it read its configuration again: the daemon that is put into the list."""
    daemons: list[Daemon] = []

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    def reload(_number: int, _frame: FrameType | None) -> None:
        for daemon in daemons:
            daemon.reload()

    for number, handler in ((signal.SIGTERM, end), (signal.SIGINT, end), (signal.SIGHUP, reload)):
        signal.signal(number, handler)
    return daemons
