"""The control socket: who may ask, what is answered, and what hostile clients cannot do."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.service.controls import FakeControls, TroubleError, connected, exchange, rest_of
from tests.service.sample import ILL

from pysmon.config.problems import Problem
from pysmon.errors import Place
from pysmon.release import VERSION
from pysmon.service.ask import AskError, RunningService
from pysmon.service.control import ControlServer
from pysmon.service.listener import ControlError
from pysmon.service.metrics import metrics
from pysmon.service.wire import LONGEST

NOBODY = 65534
QUICK = 0.2  # seconds of patience, where a client is slow on purpose
ERROR = Problem(
    "C401", "error", Place("a.xml", 3, 7), "no such field", "one of these", "did you mean Image?", "<Imag/>"
)
WARNING = Problem("W101", "warning", Place("a.xml"), "old", "new")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


@pytest.fixture
def controls() -> FakeControls:
    return FakeControls()


@pytest.fixture
def service(path: Path, controls: FakeControls) -> Iterator[RunningService]:
    with ControlServer(path, controls):
        yield RunningService(path)


@pytest.fixture
def impatient(path: Path, controls: FakeControls) -> Iterator[ControlServer]:
    with ControlServer(path, controls, patience=QUICK) as server:
        yield server


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def code(answer: bytes) -> int:
    return int(answer.split()[1])


def as_nobody(path: Path) -> tuple[int, str]:
    """Give the service a configuration as a user without rights: the process id, and what he is told."""
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom pysmon.service.ask import *\n"
        "os.chdir(sys.argv[1]); os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: RunningService(Path('control.sock')).reconfigure(b'x' * 1000000, 'evil.xml')\n"
        "except AskError as error: print(os.getpid(), error.reason, '-', error, '-', error.hint)"
    )
    command = [sys.executable, "-c", program, str(path.parent)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment, check=True)
    pid, _, told = done.stdout.strip().partition(" ")
    return int(pid), told


def text(answer: bytes) -> str:
    found = json.loads(answer.partition(b"\r\n\r\n")[2])
    return f"{found['error']} ({found['hint']})"


def test_the_status_comes_back_as_it_was(service: RunningService, controls: FakeControls) -> None:
    assert service.status() == controls.current
    controls.current = ILL
    assert service.status() == ILL


def test_the_metrics_are_those_of_the_status(service: RunningService, controls: FakeControls) -> None:
    assert service.metrics() == metrics(controls.current)


def test_a_configuration_is_taken_and_told(service: RunningService, controls: FakeControls) -> None:
    controls.problems = (WARNING,)
    judgement = service.reconfigure(b"<Sysmon/>", "a b.xml")
    assert (judgement.sha256, judgement.problems) == ("ab" * 32, (WARNING,))
    assert service.configuration() == controls.own
    assert (controls.own.name, controls.own.data) == ("a b.xml", b"<Sysmon/>")


def test_a_configuration_that_is_no_utf8_arrives_byte_for_byte(service: RunningService, controls: FakeControls) -> None:
    data = "<Sysmon/>".encode("utf-16")
    service.reconfigure(data, "utf16.xml")
    assert controls.own.data == data
    assert service.configuration().data == data


def test_a_name_that_is_no_unicode_is_spelled_out(service: RunningService, controls: FakeControls) -> None:
    service.reconfigure(b"", "a\udcff.xml")
    assert controls.own.name == "a\\xff.xml"


def test_a_refused_configuration_comes_with_its_problems(service: RunningService, controls: FakeControls) -> None:
    controls.problems = (ERROR, WARNING)
    judgement = service.reconfigure(b"x", "a.xml")
    assert (judgement.sha256, judgement.problems) == ("", (ERROR, WARNING))


def test_the_service_can_be_told_to_forget_and_to_reopen(service: RunningService, controls: FakeControls) -> None:
    service.reset()
    service.reopen()
    assert controls.calls == ["reset", "reopen"]


def test_what_goes_wrong_in_the_service_is_told_and_it_goes_on(service: RunningService, controls: FakeControls) -> None:
    controls.failure = TroubleError("the disk is full", hint="free some space")
    with pytest.raises(AskError, match="refuses: the disk is full") as caught:
        service.reopen()
    assert (caught.value.reason, caught.value.hint) == ("refused", "free some space")
    controls.failure = ZeroDivisionError("oh")
    with pytest.raises(AskError, match="ZeroDivisionError: oh"):
        service.reopen()
    controls.failure = None
    service.reopen()


def test_curl_can_ask(service: RunningService, path: Path) -> None:
    answer = exchange(
        path, b"GET /metrics?x=1 HTTP/1.1\r\nHost: pysmon\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n" in head
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head
    assert body.endswith(b"# EOF\n")


def test_the_status_as_json_tells_the_verdict_first(
    service: RunningService, path: Path, controls: FakeControls
) -> None:
    controls.current = ILL
    document = json.loads(exchange(path, b"GET /status HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")[2])
    assert list(document)[:2] == ["healthy", "wrong"]
    assert document["healthy"] is False
    assert [w["about"] for w in document["wrong"]][:3] == ["processes", "UDP received", "network"]
    assert document["families"][0]["lost"] == 3


def test_who_waits_to_be_asked_for_a_body_is_asked(service: RunningService, path: Path, controls: FakeControls) -> None:
    body = b'{"name":"a","text":"b"}'
    with connected(path) as client:
        client.sendall(b"PUT /configuration HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 23\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert code(rest_of(client)) == 200
    assert controls.own.data == b"b"


def test_a_path_that_is_not_there_names_those_that_are(service: RunningService, path: Path) -> None:
    answer = exchange(path, b"GET /favicon.ico HTTP/1.1\r\n\r\n")
    assert code(answer) == 404
    assert text(answer) == "there is no /favicon.ico (known: /status, /metrics, /configuration, /reopen)"


def test_a_method_that_does_not_fit_names_those_that_do(service: RunningService, path: Path) -> None:
    answer = exchange(path, b"POST /configuration HTTP/1.1\r\n\r\n")
    assert code(answer) == 405
    assert b"\r\nAllow: GET, PUT, DELETE\r\n" in answer


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b'{"name":"a"}', b'{"name":1,"text":"x"}', b'{"name":"a","text":"%","encoding":"base64"}'],
)
def test_a_body_that_makes_no_sense_is_refused(
    service: RunningService, path: Path, controls: FakeControls, body: bytes
) -> None:
    answer = exchange(path, b"PUT /configuration HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert code(answer) == 400
    assert "the configuration cannot be read" in text(answer)
    assert controls.calls == []


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /status\r\n\r\n", 400),
        (b"GET http://x/status HTTP/1.1\r\n\r\n", 400),
        (b"GET /sta\xfftus HTTP/1.1\r\n\r\n", 400),
        (b"get /status HTTP/1.1\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET /status HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET /" + b"x" * 100_000, 431),
        (b"GET /status HTTP/1.1\r\nno header\r\n\r\n", 400),
        (b"GET /status HTTP/1.1\r\n: nameless\r\n\r\n", 400),
        (b"PUT /configuration HTTP/1.1\r\nX: y\r\n Content-Length: 1\r\n\r\nx", 400),
        (b"PUT /configuration HTTP/1.1\r\nContent-Length : 1\r\n\r\nx", 400),
        (b"PUT /configuration HTTP/1.1\r\ncontent-length: 1\r\nCONTENT-LENGTH: 1\r\n\r\nx", 400),
        (b"PUT /configuration HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"PUT /configuration HTTP/1.1\r\ntransfer-encoding:chunked\r\n\r\n", 411),
        (b"PUT /configuration HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT /configuration HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", 400),
        (b"PUT /configuration HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"PUT /configuration HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (LONGEST + 1), 413),
        (b"PUT /configuration HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
    ],
)
def test_garbage_is_refused_and_the_next_client_is_served(
    service: RunningService, path: Path, request_: bytes, expected: int
) -> None:
    assert code(exchange(path, request_)) == expected
    assert service.status().version == VERSION


def test_who_sends_more_than_was_announced_gets_a_whole_answer(service: RunningService, path: Path) -> None:
    assert exchange(path, b"GET /status HTTP/1.1\r\n\r\n" + b"x" * 10_000).endswith(b"}\n")


def test_who_goes_away_leaves_nothing_behind(service: RunningService, path: Path) -> None:
    for part in (b"", b"GET /sta", b"PUT /configuration HTTP/1.1\r\nContent-Length: 100\r\n\r\nx"):
        with connected(path) as client:
            client.sendall(part)
    assert service.status().version == VERSION


@pytest.mark.parametrize(
    "beginning", [b"", b"GET /status HTTP/1.1\r\nX: ", b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"]
)
def test_who_sends_nothing_more_is_told_and_let_go(impatient: ControlServer, path: Path, beginning: bytes) -> None:
    answer = exchange(path, beginning)
    assert code(answer) == 408
    assert text(answer) == "the request did not come within 0.2 s ()"


def test_drop_by_drop_is_not_a_way_to_hold_the_socket(impatient: ControlServer, path: Path) -> None:
    with connected(path) as client:
        client.settimeout(QUICK / 20)
        answer: bytes | None = None
        while answer is None:
            with suppress(ConnectionError):  # it has answered, and takes no more
                client.sendall(b"x")
            with suppress(TimeoutError):
                answer = client.recv(1 << 16)
    assert code(answer) == 408


def test_who_does_not_take_his_answer_does_not_hold_the_socket(
    impatient: ControlServer, path: Path, controls: FakeControls
) -> None:
    controls.reconfigure(b"x" * (8 << 20), "large")
    with connected(path) as deaf:
        deaf.sendall(b"GET /configuration HTTP/1.1\r\n\r\n")
        assert code(exchange(path, b"GET /status HTTP/1.1\r\n\r\n")) in (200, 408)  # we may be too slow for it, too


def test_many_clients_at_once_are_all_served(service: RunningService, controls: FakeControls) -> None:
    answers: list[str] = []
    clients = [threading.Thread(target=lambda: answers.append(service.status().version)) for _ in range(40)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert answers == [VERSION] * 40


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_the_socket_is_for_its_owner_alone_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        server = ControlServer(path, FakeControls())
    finally:
        os.umask(before)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    server.close()


def test_there_is_no_moment_at_which_others_could_connect(path: Path) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom pysmon.service.listener import Listener\n"
        "def told(event, arguments):\n"
        "    if event == 'os.chmod' and str(arguments[0]).endswith('control.sock'):\n"
        "        print(oct(os.stat(arguments[0]).st_mode & 0o777))\n"
        "os.umask(0); sys.addaudithook(told); Listener(Path(sys.argv[1]), 1).close()"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment, check=True)
    assert done.stdout == "0o600\n"


def test_without_file_descriptors_it_waits_until_there_are_some(service: RunningService, path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        free = os.dup(client.fileno())
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        try:
            client.connect(str(path))
            time.sleep(0.2)  # for the service to try in vain
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        client.sendall(b"GET /status HTTP/1.1\r\n\r\n")
        assert code(rest_of(client)) == 200


def test_a_folder_that_is_there_keeps_its_mode(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o711)
    with ControlServer(path, FakeControls()):
        assert mode(path.parent) == 0o711


@pytest.mark.parametrize("bits", [0o777, 0o1777, 0o770])
def test_a_folder_in_which_others_may_write_is_refused(path: Path, bits: int) -> None:
    path.parent.mkdir()
    path.parent.chmod(bits)
    with pytest.raises(ControlError, match="no safe place"):
        ControlServer(path, FakeControls())
    assert not path.exists()


@as_root
def test_a_folder_of_somebody_else_is_refused(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    os.chown(path.parent, NOBODY, NOBODY)
    with pytest.raises(ControlError, match=f"no safe place for a control socket: user {NOBODY}"):
        ControlServer(path, FakeControls())


def test_a_folder_that_is_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    path.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ControlError, match="Not a directory"):
        ControlServer(path, FakeControls())


@as_root
def test_somebody_else_is_refused_and_named_even_if_he_gets_to_the_socket(
    service: RunningService, path: Path, controls: FakeControls
) -> None:
    controls.failure = OSError("who listens to the report is broken, too")
    for folder in (path, path.parent, path.parent.parent, path.parent.parent.parent):
        folder.chmod(0o777)
    pid, told = as_nobody(path)
    assert told == "not allowed - only root may ask the service - run it with sudo"
    assert controls.strangers == [(NOBODY, pid)]
    assert controls.calls == []
    controls.failure = None
    assert service.status().version == VERSION


@as_root
def test_a_stranger_cannot_even_connect(service: RunningService, path: Path, controls: FakeControls) -> None:
    path.parent.chmod(0o711)
    assert as_nobody(path)[1] == "not allowed - you may not ask the service on control.sock - run it with sudo"
    assert controls.strangers == []


def test_a_socket_that_a_dead_instance_left_is_replaced(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    with ControlServer(path, FakeControls()):
        assert RunningService(path).status().version == VERSION


def test_a_live_instance_keeps_its_socket(service: RunningService, path: Path) -> None:
    with pytest.raises(ControlError, match="another instance of pysmon has") as caught:
        ControlServer(path, FakeControls())
    assert "pysmon status" in caught.value.hint
    assert service.status().version == VERSION


def test_a_live_socket_of_another_program_is_not_stolen(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(ControlError, match=f"process {os.getpid()} listens on .* already"):
            ControlServer(path, FakeControls())
        connected(path).close()


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_is_no_socket_is_not_removed(path: Path, tmp_path: Path, kind: str) -> None:
    path.parent.mkdir(mode=0o700)
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path)
    with pytest.raises(ControlError, match="is no socket"):
        ControlServer(path, FakeControls())
    assert path.is_symlink() or path.exists()


def test_after_a_failure_the_place_can_be_taken(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_text("mine")
    with pytest.raises(ControlError):
        ControlServer(path, FakeControls())
    path.unlink()
    with ControlServer(path, FakeControls()):
        assert RunningService(path).status().version == VERSION


def test_a_path_that_is_too_long_for_a_socket_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="too long"):
        ControlServer(tmp_path / ("x" * 110) / "control.sock", FakeControls())


def test_closing_removes_the_socket_and_twice_is_fine(path: Path) -> None:
    server = ControlServer(path, FakeControls()).start()
    assert server.is_current
    server.close()
    server.close()
    assert not path.exists()
    with pytest.raises(AskError) as caught:
        RunningService(path).status()
    assert caught.value.reason == "not running"


def test_a_socket_that_was_replaced_is_noticed_and_left_alone(path: Path) -> None:
    server = ControlServer(path, FakeControls()).start()
    path.unlink()
    assert not server.is_current
    path.write_text("of somebody else")
    assert not server.is_current
    server.close()
    assert path.read_text() == "of somebody else"


def test_a_service_that_does_not_answer_is_told_from_one_that_is_not_there(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(str(path))
        with pytest.raises(AskError) as caught:
            RunningService(path).status()
        assert caught.value.reason == "not running"
        stuck.listen(0)
        with pytest.raises(AskError, match=r"did not answer within 0\.2 s") as caught:
            RunningService(path, patience=QUICK).status()
        assert caught.value.reason == "no answer"


def test_a_service_with_too_many_callers_is_waited_for(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(str(path))
        stuck.listen(0)
        waiting = []
        while True:
            client = socket.socket(socket.AF_UNIX)
            waiting.append(client)
            client.setblocking(False)
            if client.connect_ex(str(path)) == errno.EAGAIN:
                break
        with pytest.raises(AskError, match=r"did not answer within 0\.2 s"):
            RunningService(path, patience=QUICK).status()
        for client in waiting:
            client.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "no whole answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "no whole answer"),
        (b"SSH-2.0-OpenSSH\r\n", "no whole answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "does not understand"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "does not understand"),
    ],
)
def test_an_answer_of_something_else_is_an_error_that_says_so(path: Path, answer: bytes, message: str) -> None:
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()

        def reply() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)

        server = threading.Thread(target=reply)
        server.start()
        with pytest.raises(AskError, match=message):
            RunningService(path).status()
        server.join()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_real_curl_asks_and_tells(service: RunningService, path: Path, controls: FakeControls) -> None:
    def curl(*arguments: str, data: bytes = b"") -> bytes:
        line = ["curl", "-sS", "--fail", "--unix-socket", str(path), *arguments]
        return subprocess.run(line, input=data, capture_output=True, timeout=30, check=True).stdout

    assert curl("http://pysmon/metrics").decode() == metrics(controls.current)
    large = b"<!-- " + b"x" * (2 << 20) + b" -->"  # curl asks before it sends so much
    sheet = json.dumps({"name": "a.xml", "text": large.decode()}).encode()
    curl(
        "-T",
        "-",
        "-H",
        f"Content-Length: {len(sheet)}",
        "-H",
        "Transfer-Encoding:",
        "http://pysmon/configuration",
        data=sheet,
    )
    assert controls.own.data == large
    assert json.loads(curl("http://pysmon/configuration"))["text"] == large.decode()
    curl("-X", "DELETE", "http://pysmon/configuration")
    curl("-X", "POST", "http://pysmon/reopen")
    assert controls.calls[-2:] == ["reset", "reopen"]
