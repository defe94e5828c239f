"""Names that the C library looks up, with the process that wanted to know."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import pytest
from tests.sensor.compiled import compiled
from tests.sensor.own_dns import own_dns
from tests.sensor.provoke import Stage, apart, bind, call, extra, forked, hook, host_pid, one, run

from pysmon.schema.catalogue import DnsQuery, ProcessTerminate
from pysmon.sensor.libraries import c_libraries
from pysmon.sensor.records import FAMILIES, LookUpRecord

pytestmark = pytest.mark.vm

NOT_WWW = """<Sysmon schemaversion="4.90"><EventFiltering><DnsQuery onmatch="exclude">
<QueryName condition="begin with">www.</QueryName></DnsQuery></EventFiltering></Sysmon>"""
BY_NAME = """
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
int main(int n, char **arguments)
{
	struct hostent host, *found = 0;
	char space[2000];
	int error = 0;
	switch (arguments[1][0]) {
	case '0': found = gethostbyname(arguments[2]); break;
	case '1': found = gethostbyname2(arguments[2], AF_INET6); break;
	case '2': gethostbyname_r(arguments[2], &host, space, sizeof space, &found, &error); break;
	case '3': gethostbyname2_r(arguments[2], AF_INET6, &host, space, sizeof space, &found, &error); break;
	case '4':
		gethostbyname_r(arguments[2], &host, space, 8, &found, &error);
		gethostbyname_r(arguments[2], &host, space, sizeof space, &found, &error);
		break;
	}
	return !found;
}
"""


@pytest.fixture(autouse=True)
def library(provoke: Stage) -> None:
    if hook(provoke, "names looked up") != "uprobe":
        pytest.skip("the functions of the C library cannot be watched here")


def looked_up(name: str | None, family: int = socket.AF_UNSPEC, flags: int = 0) -> list[str] | int:
    """The addresses of a name, or the number of the error."""
    try:
        found = socket.getaddrinfo(name, 80, family, socket.SOCK_STREAM, flags=flags)
    except socket.gaierror as error:
        return error.errno or 0
    return sorted({str(each[4][0]) for each in found})


def told(events: list[DnsQuery]) -> list[tuple[str, str, str]]:
    return [(e.QueryName, e.QueryStatus, e.QueryResults) for e in events]


def test_a_name_that_is_looked_up_is_told_once(provoke: Stage) -> None:
    seen = provoke(lambda: looked_up("www.test.example"), before=own_dns)
    assert seen.truth == ["192.0.2.7", "2001:db8::7"]
    event, end = one(seen.of(DnsQuery)), one(seen.of(ProcessTerminate))
    assert (event.ProcessId, event.ProcessGuid) == (seen.pid, end.ProcessGuid)
    assert (event.Image, event.User, event.RuleName) == (os.path.realpath(sys.executable), "root", "-")
    assert (event.QueryName, event.QueryStatus) == ("www.test.example", "0")
    assert set(event.QueryResults.split(";")) == {"::ffff:192.0.2.7", "2001:db8::7", ""}
    assert (extra(event)["QuerySource"], extra(event)["Function"]) == ("libc", "getaddrinfo")
    assert event.UtcTime <= end.UtcTime


def test_the_aliases_that_lead_to_the_addresses_are_told(provoke: Stage) -> None:
    seen = provoke(lambda: looked_up("alias.test.example", socket.AF_INET), before=own_dns)
    assert told(seen.of(DnsQuery)) == [("alias.test.example", "0", "type:  5 www.test.example;::ffff:192.0.2.7;")]


def test_all_addresses_are_told_each_once(provoke: Stage) -> None:
    seen = provoke(lambda: len(socket.getaddrinfo("old.test.example", 80, socket.AF_INET)), before=own_dns)
    assert seen.truth == 6  # two addresses for three kinds of sockets
    assert told(seen.of(DnsQuery)) == [("old.test.example", "0", "::ffff:192.0.2.1;::ffff:192.0.2.2;")]


@pytest.mark.parametrize(
    ("name", "error", "status"),
    [
        ("nothing.example", socket.EAI_NONAME, "9003"),
        ("failing.test.example", socket.EAI_AGAIN, "9002"),
        ("silent.test.example", socket.EAI_AGAIN, "1460"),
        ("text.test.example", socket.EAI_NODATA, "9501"),
    ],
)
def test_a_look_up_that_fails_is_told_with_the_reason(provoke: Stage, name: str, error: int, status: str) -> None:
    patience = 1 if name.startswith("silent") else 30
    seen = provoke(lambda: looked_up(name), before=lambda: own_dns(patience=patience))
    assert seen.truth == error
    event = one(seen.of(DnsQuery))
    assert told([event]) == [(name, status, "-")]
    assert extra(event)["FunctionError"] == error


def test_what_a_file_answers_is_told_as_well(provoke: Stage) -> None:
    seen = provoke(lambda: looked_up("printer"), before=lambda: own_dns(hosts="192.0.2.99 printer\n"))
    assert told(seen.of(DnsQuery)) == [("printer", "0", "::ffff:192.0.2.99;")]


def test_an_address_is_looked_up_nowhere(provoke: Stage) -> None:
    def act() -> None:
        for name in ("192.0.2.1", "127.1", "2001:db8::1", None):
            assert looked_up(name)
        assert looked_up("www.test.example", flags=socket.AI_NUMERICHOST) == socket.EAI_NONAME
        socket.inet_aton("192.0.2.1")

    assert provoke(act, before=own_dns).of(DnsQuery) == []


@pytest.mark.parametrize("function", range(5))
def test_the_older_functions_are_told_once(provoke: Stage, tmp_path: Path, function: int) -> None:
    program = compiled(tmp_path, BY_NAME)
    if program is None:
        pytest.skip("no C compiler")
    seen = provoke(lambda: run(program, str(function), "alias.test.example"), before=own_dns)
    event, address = one(seen.of(DnsQuery)), "2001:db8::7" if function in (1, 3) else "::ffff:192.0.2.7"
    assert seen.truth == 0
    assert told([event]) == [("alias.test.example", "0", f"type:  5 www.test.example;{address};")]
    assert (event.Image, extra(event)["Function"]) == (program, "gethostbyname")


def test_the_older_functions_tell_their_errors(provoke: Stage, tmp_path: Path) -> None:
    program = compiled(tmp_path, BY_NAME)
    if program is None:
        pytest.skip("no C compiler")
    seen = provoke(lambda: [run(program, "2", n) for n in ("nothing.example", "text.test.example")], before=own_dns)
    assert [e.QueryStatus for e in seen.of(DnsQuery)] == ["9003", "9501"]


def test_a_program_of_a_short_life_is_told(provoke: Stage) -> None:
    def act() -> int:
        return apart(lambda: (looked_up("www.test.example"), host_pid())[1])

    seen = provoke(act, before=own_dns, read=False)
    assert one(seen.of(DnsQuery)).ProcessId == seen.truth


def test_each_of_many_threads_has_its_own_question(provoke: Stage) -> None:
    names = [f"host{i}.test.example" for i in range(20)]
    hosts = "".join(f"192.0.2.{i} {name}\n" for i, name in enumerate(names, 1))

    def act() -> None:
        threads = [threading.Thread(target=looked_up, args=(name, socket.AF_INET)) for name in names for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    seen = provoke(act, before=lambda: own_dns(hosts=hosts))
    expected = [(name, "0", f"::ffff:192.0.2.{i};") for i, name in enumerate(names, 1) for _ in range(5)]
    assert sorted(told(seen.of(DnsQuery))) == sorted(expected)


def test_a_process_that_is_killed_within_a_look_up_is_told_by_what_it_sent(provoke: Stage) -> None:
    def act() -> None:
        def ask() -> None:
            call("alarm", 1)
            looked_up("silent.test.example", socket.AF_INET)

        pid = os.fork()
        if pid == 0:
            ask()
            os._exit(0)
        os.waitpid(pid, 0)

    event = one(provoke(act, before=own_dns).of(DnsQuery))
    assert told([event]) == [("silent.test.example", "1460", "-")]
    assert extra(event)["QuerySource"] == "packet"


def test_a_user_without_rights_is_told_by_name(provoke: Stage) -> None:
    "x".encode("idna")  # which Python looks for where only root may read

    def ask() -> None:
        os.setuid(65534)
        looked_up("www.test.example")

    seen = provoke(lambda: forked(ask), before=own_dns)
    assert one(seen.of(DnsQuery)).User == "nobody"


def test_who_is_out_of_scope_is_not_told(provoke: Stage) -> None:
    seen = provoke(lambda: None, beside=lambda: looked_up("localhost"))
    assert seen.families["dns"].seen == 0


def test_many_look_ups_are_all_told(provoke: Stage) -> None:
    seen = provoke(
        lambda: [looked_up("printer") for _ in range(3000)] and None, before=lambda: own_dns(hosts="::1 printer\n")
    )
    assert len(seen.of(DnsQuery)) == len(seen.records_of(LookUpRecord)) == 3000
    assert seen.families["dns"].lost == 0


def test_rules_filter_it(provoke: Stage) -> None:
    seen = provoke(lambda: [looked_up(f"{n}.test.example") for n in ("www", "old")], NOT_WWW, before=own_dns)
    assert one(seen.of(DnsQuery)).QueryName == "old.test.example"
    count = seen.families["dns"]
    assert (count.kept, count.lost) == (1, 0)


def test_nothing_is_made_where_no_rule_can_keep_it(provoke: Stage) -> None:
    provoke.sensor.want({"file create"})
    try:
        seen = provoke(lambda: looked_up("www.test.example"), before=own_dns)
    finally:
        provoke.sensor.want(FAMILIES)
    assert seen.families["dns"].seen == 0


def test_a_program_with_another_c_library_is_seen_once_that_is_found(provoke: Stage, tmp_path: Path) -> None:
    (path, *_) = [each.path for each in c_libraries() if each.path.endswith("libc.so.6")]
    copy = tmp_path / "libc.so.6"
    copy.write_bytes(Path(path).read_bytes())
    copy.chmod(0o755)

    def before() -> None:
        own_dns(hosts="192.0.2.9 printer\n")
        bind(str(copy), path)

    def act() -> int:
        return max(run("/usr/bin/getent", way, "printer") for way in ("hosts", "ahosts"))

    blind = provoke(act, before=before)
    assert blind.truth == 0
    assert {extra(e)["QuerySource"] for e in blind.of(DnsQuery)} <= {"packet"}
    provoke.sensor.watch_library(str(copy))
    seen = provoke(act, before=before)
    assert {(e.QueryName, extra(e)["QuerySource"]) for e in seen.of(DnsQuery)} == {("printer", "libc")}
