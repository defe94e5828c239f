"""A command that is traced without any privilege: the same events, by the same rules, with books that are exact."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.sensor.provoke import one
from tests.tracer.runs import as_nobody, of, seen

from pysmon.errors import MisuseError
from pysmon.schema.catalogue import (
    ErrorReport,
    FileCreate,
    FileDelete,
    NetworkConnect,
    ProcessCreate,
    ProcessTerminate,
)
from pysmon.schema.event import Event
from pysmon.tracer.traced import TracedCommand

pytestmark = pytest.mark.usefixtures("tracing")
SHELL = os.path.realpath("/bin/sh")
PATIENCE = 60.0  # s


def test_a_program_is_told_with_who_made_it_and_how_it_ended() -> None:
    events, status = seen(["sh", "-c", "/bin/true a 'b c'; exit 3"])
    shell, true = of(events, ProcessCreate)
    end, last = of(events, ProcessTerminate)
    assert status == 3
    assert (true.Image, true.CommandLine) == (os.path.realpath("/bin/true"), "/bin/true a b c")
    assert (true.ParentProcessGuid, true.ParentImage) == (shell.ProcessGuid, SHELL)
    assert (true.ParentProcessId, true.CurrentDirectory) == (shell.ProcessId, os.getcwd())
    assert true.Hashes.startswith("SHA256=")
    assert (end.ProcessGuid, last.ProcessGuid) == (true.ProcessGuid, shell.ProcessGuid)
    assert last.extra
    assert last.extra["ExitCode"] == 3
    assert shell.ParentProcessId != os.getpid()
    assert shell.ParentImage == os.path.realpath(sys.executable)


def test_a_user_without_privileges_sees_it_all_the_same() -> None:
    events, status = as_nobody(lambda: seen(["sh", "-c", "cd /; /bin/true; kill -9 $$"]))
    shell, true = of(events, ProcessCreate)
    assert (shell.User, true.User) == ("nobody", "nobody") if os.getuid() == 0 else (shell.User, true.User)
    assert status == 128 + signal.SIGKILL
    last = of(events, ProcessTerminate)[-1]
    assert last.extra
    assert last.extra["Signal"] == signal.SIGKILL


def test_files_that_come_and_go_are_told(tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    script = (
        f"cd {tmp_path}; echo > old; echo > ./new; mv new newer; ln newer hard; ln -s nowhere soft; mkdir folder;"
        "mv folder other; rm newer soft absent 2> /dev/null; rmdir other; cat absent 2> /dev/null; true"
    )
    events, _ = seen(["sh", "-c", script])
    created = [(e.TargetFilename, (e.extra or {})["How"]) for e in of(events, FileCreate)]
    assert created == [
        (f"{tmp_path}/new", "created"),
        (f"{tmp_path}/newer", "renamed"),
        (f"{tmp_path}/hard", "linked"),
        (f"{tmp_path}/soft", "symbolic link"),
    ]
    deleted = of(events, FileDelete)
    assert [e.TargetFilename for e in deleted] == [f"{tmp_path}/newer", f"{tmp_path}/soft"]
    assert (deleted[0].extra or {})["LinksLeft"] == 1


def test_connections_are_told_from_both_ends() -> None:
    script = """
import socket, sys
server, client = socket.socket(), socket.socket()
server.bind(("127.0.0.1", 0)); server.listen()
client.connect(server.getsockname()); server.accept()[0].close()
sender = socket.socket(type=socket.SOCK_DGRAM)
for _ in range(3): sender.sendto(b"x", ("127.0.0.1", 9))
try: socket.create_connection(("127.0.0.1", 1), 1)
except OSError: pass
"""
    events, _ = seen([sys.executable, "-I", "-S", "-c", script])
    out, in_, datagram = of(events, NetworkConnect)
    assert (out.Protocol, out.Initiated, out.DestinationIp) == ("tcp", True, "127.0.0.1")
    assert (in_.Protocol, in_.Initiated) == ("tcp", False)
    assert (in_.SourcePort, in_.DestinationPort) == (out.SourcePort, out.DestinationPort)
    assert (datagram.Protocol, datagram.DestinationPort) == ("udp", 9)
    assert out.Image == os.path.realpath(sys.executable)


def test_threads_are_part_of_their_process(tmp_path: Path) -> None:
    script = """
import os, sys, threading
def make(number): open(f"{sys.argv[1]}/{number}", "w").close()
threads = [threading.Thread(target=make, args=(n,)) for n in range(20)]
[t.start() for t in threads]; [t.join() for t in threads]
threading.Thread(target=lambda: os.execv("/bin/true", ["true"])).start()
threading.Event().wait()
"""
    events, status = seen([sys.executable, "-I", "-S", "-c", script, str(tmp_path)])
    first, second = of(events, ProcessCreate)
    assert status == 0
    assert len(of(events, FileCreate)) == 20
    assert {e.ProcessGuid for e in of(events, FileCreate)} == {first.ProcessGuid}
    assert (second.ProcessId, second.Image) == (first.ProcessId, os.path.realpath("/bin/true"))
    assert one(of(events, ProcessTerminate)).ProcessGuid == second.ProcessGuid


def test_a_storm_is_told_whole() -> None:
    events, _ = seen(["sh", "-c", "for i in $(seq 300); do /bin/true; done"])
    assert Counter(type(e) for e in events if e.type.id in (1, 5)) == {ProcessCreate: 302, ProcessTerminate: 302}
    guids = [e.ProcessGuid for e in of(events, ProcessCreate)]
    assert len(set(guids)) == len(guids)


def test_what_the_command_leaves_running_goes_on_and_is_not_held_up(tmp_path: Path) -> None:
    began = time.monotonic()
    seen(["sh", "-c", f"(sleep 1; echo > {tmp_path}/later) & exit 0"])
    give_up = began + PATIENCE
    while not (tmp_path / "later").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert (tmp_path / "later").exists()


def test_a_run_that_is_stopped_asks_the_command_to_end(tmp_path: Path) -> None:
    stop, began, give_up = threading.Event(), tmp_path / "began", time.monotonic() + PATIENCE

    def stop_once_it_runs() -> None:
        while not began.exists() and time.monotonic() < give_up:
            time.sleep(0.01)
        stop.set()

    threading.Thread(target=stop_once_it_runs).start()
    events, status = seen(["sh", "-c", f": > {began}; exec sleep 60"], stop=stop)
    assert status == 128 + signal.SIGTERM
    assert one(of(events, ProcessTerminate))


def test_signals_of_the_command_reach_it() -> None:
    events, status = seen(["sh", "-c", "trap 'exit 7' USR1; kill -USR1 $$; sleep 60"])
    assert status == 7
    assert of(events, ProcessCreate)


def test_a_command_that_does_not_exist_is_refused() -> None:
    with pytest.raises(MisuseError, match="no such command"):
        TracedCommand(["/none/such"])


def test_nothing_listens_when_it_is_over() -> None:
    with socket.socket():
        made = TracedCommand(["true"])
        made.release()
        while not made.poll():
            time.sleep(0.01)
        made.close()
        made.close()
        assert made.poll()
        assert made.status == 0


# A program for i386 that does exit(0): the head of the file, of its one segment, and 9 bytes of code.
ENTRY = 0x08048000
I386 = (
    struct.pack("<4s5B7x2H5I6H", b"\x7fELF", 1, 1, 1, 0, 0, 2, 3, 1, ENTRY + 84, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    + struct.pack("<8I", 1, 0, ENTRY, ENTRY, 96, 96, 5, 4096)
    + b"\xb8\x01\0\0\0\x31\xdb\xcd\x80".ljust(12, b"\0")
)


def test_that_32_bit_programs_are_not_seen_is_told_once_and_that_they_run_always(tmp_path: Path) -> None:
    program = tmp_path / "i386"
    program.write_bytes(I386)
    program.chmod(0o755)
    events, status = seen(["sh", "-c", f"{program} && {program}; exit $?"])
    if status:
        pytest.skip("this kernel runs no programs for i386")
    assert [e.Image for e in of(events, ProcessCreate)] == [SHELL, str(program), str(program)]
    assert len(of(events, ProcessTerminate)) == 3
    (told,) = unseen(events)
    assert told.startswith("32-bit programs, such as process ")


def test_a_program_of_this_machine_is_not_told_to_be_unseen() -> None:
    assert unseen(seen(["true"])[0]) == []


def unseen(events: list[Event]) -> list[str]:
    return [event.Description for event in of(events, ErrorReport) if event.ID == "HOOK"]
