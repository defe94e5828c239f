"""Whole events: each field of those that other tests look at in parts, caused by programs that live a millisecond.

The rings are read when nobody of them is left: what is told is what the kernel knew.
"""

from __future__ import annotations

import hashlib
import os
import socket
import stat
from pathlib import Path

import pytest
from tests.sensor.compiled import compiled
from tests.sensor.own_network import own_network
from tests.sensor.provoke import Provoked, Stage, forked, one, run, sees_objects, whole

from pysmon.schema.catalogue import (
    FileCreate,
    FileDelete,
    FileDeleteDetected,
    ImageLoad,
    NetworkConnect,
    ProcessCreate,
    ProcessTampering,
    ProcessTerminate,
)

pytestmark = pytest.mark.vm

DEEDS = r"""
#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int count, char **arguments)
{
	struct sockaddr_in to = { AF_INET, htons(9), { htonl(INADDR_LOOPBACK) }, { 0 } };
	char *deed = arguments[1];
	if (!strcmp(deed, "make"))
		return open(arguments[2], O_CREAT | O_WRONLY, 0640) < 0;
	if (!strcmp(deed, "remove"))
		return unlink(arguments[2]);
	if (!strcmp(deed, "send"))
		return sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (void *)&to, sizeof to) != 1;
	if (!strcmp(deed, "unlock"))
		return mprotect((void *)((unsigned long)main & -4096), 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	return 9;
}
"""
NO_PACKAGE = dict.fromkeys(("FileVersion", "Description", "Product", "Company", "OriginalFileName"), "-")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A static program that does what its first argument says."""
    made = compiled(tmp_path_factory.mktemp("program"), DEEDS, "-static")
    if made is None:
        pytest.skip("no C compiler that links statically")
    return made


def done(provoke: Stage, program: str, *arguments: str) -> tuple[Provoked, dict[str, str]]:
    """What was seen of one deed, and the fields that tell the process that did it."""

    def act() -> int:
        os.chdir("/usr")
        return run(program, *arguments)

    seen = provoke(act, before=own_network, read=False)
    assert seen.truth == 0
    created = one([e for e in seen.of(ProcessCreate) if e.Image == program])
    actor = {"RuleName": "-", "ProcessGuid": created.ProcessGuid, "ProcessId": str(created.ProcessId)}
    return seen, actor | {"Image": program, "User": "root"}


def between(seen: Provoked, text: str, program: str) -> bool:
    """Does that time lie between the beginning and the end of the program?"""
    begin = one([e for e in seen.of(ProcessCreate) if e.Image == program])
    end = one([e for e in seen.of(ProcessTerminate) if e.Image == program])
    return begin.UtcTime <= text <= end.UtcTime


def test_a_program_and_its_end_are_told_whole(provoke: Stage, program: str, tmp_path: Path) -> None:
    path = str(tmp_path / "made")
    seen, actor = done(provoke, program, "make", path)
    created = one([e for e in seen.of(ProcessCreate) if e.Image == program])
    ended = one([e for e in seen.of(ProcessTerminate) if e.Image == program])
    parent = one([e for e in seen.of(ProcessTerminate) if e.ProcessId == seen.pid])
    assert whole(created) == actor | NO_PACKAGE | {
        "UtcTime": created.UtcTime,
        "CommandLine": f"{program} make {path}",
        "CurrentDirectory": "/usr",
        "LogonGuid": created.LogonGuid,
        "LogonId": "0",
        "TerminalSessionId": str(created.TerminalSessionId),
        "IntegrityLevel": "no level",
        "Hashes": f"SHA256={hashlib.sha256(Path(program).read_bytes()).hexdigest()}",
        "ParentProcessGuid": parent.ProcessGuid,
        "ParentProcessId": str(seen.pid),
        "ParentImage": parent.Image,
        "ParentCommandLine": created.ParentCommandLine,
        "ParentUser": "root",
    }
    assert created.ParentCommandLine.split()[0] in Path(f"/proc/{os.getpid()}/cmdline").read_bytes().decode()
    assert whole(ended) == actor | {"UtcTime": ended.UtcTime}
    assert created.UtcTime <= ended.UtcTime


def test_a_file_that_is_made_is_told_whole(provoke: Stage, program: str, tmp_path: Path) -> None:
    seen, actor = done(provoke, program, "make", str(tmp_path / "made"))
    event = one(seen.of(FileCreate))
    told = {"TargetFilename": f"{tmp_path}/made", "CreationUtcTime": event.UtcTime, "UtcTime": event.UtcTime}
    assert whole(event) == actor | told
    assert between(seen, event.UtcTime, program)


def test_a_file_that_is_removed_is_told_whole_by_both_events(provoke: Stage, program: str, tmp_path: Path) -> None:
    """What was in it nobody holds here: tests/pipeline/test_files.py."""
    (tmp_path / "made").touch()
    seen, actor = done(provoke, program, "remove", str(tmp_path / "made"))
    archived, detected = one(seen.of(FileDelete)), one(seen.of(FileDeleteDetected))
    told = {"TargetFilename": f"{tmp_path}/made", "UtcTime": archived.UtcTime, "Hashes": "-", "IsExecutable": "-"}
    assert whole(archived) == actor | told | {"Archived": "-"}
    assert whole(detected) == actor | told
    assert between(seen, archived.UtcTime, program)


def test_a_datagram_is_told_whole(provoke: Stage, program: str) -> None:
    seen, actor = done(provoke, program, "send")
    event = one(seen.of(NetworkConnect))
    assert whole(event) == actor | {
        "UtcTime": event.UtcTime,
        "Protocol": "udp",
        "Initiated": "true",
        "SourceIsIpv6": "false",
        "SourceIp": "127.0.0.1",
        "SourceHostname": "-",
        "SourcePort": str(event.SourcePort),
        "SourcePortName": "-",
        "DestinationIsIpv6": "false",
        "DestinationIp": "127.0.0.1",
        "DestinationHostname": "-",
        "DestinationPort": "9",
        "DestinationPortName": "-",
    }
    assert event.SourcePort
    assert between(seen, event.UtcTime, program)


def test_a_connection_of_a_child_that_ends_at_once_is_told(provoke: Stage) -> None:
    def act() -> tuple[int, int]:
        own_network()
        with socket.create_server(("127.0.0.1", 0)) as server:
            forked(lambda: socket.create_connection(server.getsockname()).close())
            with server.accept()[0] as accepted:
                return accepted.getpeername()[1], server.getsockname()[1]

    seen = provoke(act, read=False)
    connected, accepted = sorted(seen.of(NetworkConnect), key=lambda event: not event.Initiated)
    assert (connected.SourcePort, connected.DestinationPort) == seen.truth
    assert connected.ProcessId != accepted.ProcessId == seen.pid
    assert connected.Image == accepted.Image != "<unknown process>"


def test_code_that_a_program_unlocks_is_told_whole(provoke: Stage, program: str) -> None:
    seen, actor = done(provoke, program, "unlock")
    event = one(seen.of(ProcessTampering))
    assert whole(event) == actor | {"UtcTime": event.UtcTime, "Type": "Code is made writable"}
    assert between(seen, event.UtcTime, program)


def test_the_image_of_a_program_is_told_whole(provoke: Stage, program: str, tmp_path: Path) -> None:
    seen, actor = done(provoke, program, "make", str(tmp_path / "made"))
    event = one([e for e in seen.of(ImageLoad) if e.Image == program])
    assert whole(event) == actor | NO_PACKAGE | {
        "UtcTime": event.UtcTime,
        "ImageLoaded": program,
        "Hashes": f"SHA256={hashlib.sha256(Path(program).read_bytes()).hexdigest()}",
        "Signed": event.Signed,
        "Signature": "-",
        "SignatureStatus": event.SignatureStatus,
    }
    assert (event.Signed, event.SignatureStatus) in (("false", "Unavailable"), ("-", "-"))


def test_a_file_s_mode_and_the_object_behind_it_are_those_of_stat(provoke: Stage, program: str, tmp_path: Path) -> None:
    seen, _ = done(provoke, program, "make", str(tmp_path / "made"))
    event = one(seen.of(FileCreate))
    if not sees_objects(provoke, "files created"):
        pytest.skip("only system calls are seen here: what stands behind a name is not known")
    assert int(str((event.extra or {})["Mode"]), 8) == stat.S_IMODE((tmp_path / "made").stat().st_mode)
