"""The real thing: an rsyslogd and a systemd-journald of our own, as children of the test, with places of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

_PATIENCE = 20.0  # s for a daemon to start
_JOURNALD = Path("/lib/systemd/systemd-journald")
_CONFIGURATION = """\
global(workDirectory="{folder}" maxMessageSize="128k" parser.escapeControlCharactersOnReceive="off")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
input(type="imuxsock" Socket="{folder}/log" RateLimit.Interval="0")
input(type="imudp" address="127.0.0.1" port="{udp}")
input(type="imtcp" address="127.0.0.1" port="{tcp}")
template(name="own" type="string"
  string="%syslogfacility-text%.%syslogseverity-text% %hostname% %programname%[%procid%] %msgid% %rawmsg-after-pri%\\n")
template(name="message" type="string" string="%msg%\\n")
action(type="omfile" file="{folder}/whole" template="own" fileCreateMode="0600")
action(type="omfile" file="{folder}/messages" template="message" fileCreateMode="0600")
"""


class Daemon(ABC):
    """A daemon in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def stall(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def die(self) -> None:
        """Be killed, or have ended already."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def come_back(self) -> None:
        self.start()

    @abstractmethod
    def start(self) -> None:
        """Start, and wait until it takes messages."""

    @abstractmethod
    def read(self) -> bytes:
        """The messages that it has, a line each."""

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _begin(self, command: list[str], socket_path: Path) -> None:
        socket_path.unlink(missing_ok=True)
        said = (self.folder / "said").open("ab")
        with said:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        give_up = time.monotonic() + _PATIENCE
        while not socket_path.exists():
            if self._process.poll() is not None or time.monotonic() > give_up:
                words = (self.folder / "said").read_text(errors="replace").strip()
                self.die()
                pytest.skip(f"{Path(command[0]).name} does not run here: {words}")
            time.sleep(0.01)


class Rsyslog(Daemon):
    """rsyslogd, which takes messages from a local socket, by UDP and by TCP."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        if not shutil.which("rsyslogd", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
            pytest.skip("no rsyslogd on this machine (Debian's package rsyslog)")
        self.socket = folder / "log"
        self.udp, self.tcp = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_STREAM)
        text = _CONFIGURATION.format(folder=folder, udp=self.udp, tcp=self.tcp)
        (folder / "rsyslog.conf").write_text(text)
        self.start()

    def start(self) -> None:
        (self.folder / "pid").unlink(missing_ok=True)
        command = ["rsyslogd", "-n", "-f", f"{self.folder}/rsyslog.conf", "-i", f"{self.folder}/pid"]
        self._begin([shutil.which("rsyslogd") or "/usr/sbin/rsyslogd", *command[1:]], self.socket)
        give_up = time.monotonic() + _PATIENCE
        while not _listens(self.tcp):
            assert time.monotonic() < give_up, "rsyslogd listens on no port"
            time.sleep(0.01)

    def read(self) -> bytes:
        return self._content("messages")

    def whole(self) -> bytes:
        """Each message after `facility.severity host program[process] msgid`."""
        return self._content("whole")

    def _content(self, name: str) -> bytes:
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""


class Journald(Daemon):
    """systemd-journald as an instance for a namespace of its own, with a /run of its own: it touches nothing else."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        if not _JOURNALD.exists() or not shutil.which("journalctl"):
            pytest.skip("no systemd-journald on this machine (Debian's package systemd)")
        if os.geteuid() != 0:
            pytest.skip("systemd-journald needs root for a /run of its own")
        if not Path("/etc/machine-id").exists() or not Path("/etc/machine-id").read_text().strip():
            pytest.skip("systemd-journald needs a machine id (/etc/machine-id)")
        self._run = Path(tempfile.mkdtemp(prefix="pysmon-"))  # the folder of a test may be too long for a socket in it
        weakref.finalize(self, shutil.rmtree, self._run, ignore_errors=True)
        settings = self._run / "systemd/journald@pysmon.conf.d"
        settings.mkdir(parents=True)
        (settings / "own.conf").write_text("[Journal]\nStorage=volatile\nRateLimitBurst=0\nForwardToSyslog=no\n")
        self.socket = self._run / "systemd/journal.pysmon/socket"
        self.start()

    def start(self) -> None:
        script = 'mount --make-rprivate / && mount --bind "$0" /run && exec "$1" pysmon'
        self._begin(["unshare", "-m", "sh", "-c", script, str(self._run), str(_JOURNALD)], self.socket)

    def read(self) -> bytes:
        return self.ask("-o", "cat", "SYSLOG_IDENTIFIER=sysmon")

    def ask(self, *arguments: str) -> bytes:
        """What journalctl answers."""
        folders = list(self._run.glob("log/journal/*"))
        if not folders:
            return b""
        command = ["journalctl", "--no-pager", "--quiet", "--all", "-D", str(folders[0]), *arguments]
        return subprocess.run(command, capture_output=True, check=False).stdout


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as made:
        return made.connect_ex(("127.0.0.1", port)) == 0
