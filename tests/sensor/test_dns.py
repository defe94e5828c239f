"""Names that are looked up: by the C library, and by programs that ask port 53 themselves."""

from __future__ import annotations

import os
import socket
import sys

import pytest
from tests.sensor.own_dns import own_dns
from tests.sensor.provoke import Stage, extra, one

from pysmon.schema.catalogue import DnsQuery, ProcessTerminate

pytestmark = pytest.mark.vm


def looked_up(name: str, family: int = socket.AF_UNSPEC, flags: int = 0) -> list[str] | int:
    try:
        return sorted(
            {str(found[4][0]) for found in socket.getaddrinfo(name, 80, family, socket.SOCK_STREAM, flags=flags)}
        )
    except socket.gaierror as error:
        return error.errno or 0


def test_a_name_that_the_c_library_looks_up_is_told_once(provoke: Stage) -> None:
    def act() -> list[str] | int:
        return looked_up("www.test.example")

    seen = provoke(act, before=own_dns)
    assert seen.truth == ["192.0.2.7", "2001:db8::7"]
    event, end = one(seen.of(DnsQuery)), one(seen.of(ProcessTerminate))
    assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
    assert (event.Image, event.User, event.RuleName) == (os.path.realpath(sys.executable), "root", "-")
    assert (event.QueryName, event.QueryStatus) == ("www.test.example", "0")
    assert set(event.QueryResults.split(";")) == {"::ffff:192.0.2.7", "2001:db8::7", ""}
    assert extra(event)["QuerySource"] == "libc"
    assert event.UtcTime <= end.UtcTime
