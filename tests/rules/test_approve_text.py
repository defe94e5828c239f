"""What can be decided in the kernel, told rule by rule."""

from __future__ import annotations

from tests.rules.build import AND, element, filter_, rule, ruleset

from pysmon.config.model import EventFilter
from pysmon.rules.approve_text import pushdown_lines

FILES = 11


def lines(*filters: EventFilter, event_id: int = FILES) -> list[str]:
    found = pushdown_lines(ruleset(*filters), [event_id], {FILES})
    return ["".join(piece.text for piece in pieces) for pieces in found]


def path(condition: str, value: str) -> EventFilter:
    return element("include", filter_("TargetFilename", condition, value), event_id=FILES)


def test_an_event_that_nothing_keeps_is_not_asked_for() -> None:
    name, said = lines(element("include", event_id=FILES))
    assert name == "FileCreate (event 11)"
    assert "not asked for" in said


def test_what_decides_exactly_is_down_what_is_narrowed_is_part_and_the_rest_is_up() -> None:
    found = lines(
        element(
            "include",
            filter_("TargetFilename", "begin with", "/etc/"),
            filter_("TargetFilename", "is", "/root/.profile"),
            rule(AND, filter_("CreationUtcTime", "begin with", "19"), filter_("Image", "image", "x")),
            filter_("RuleName", "is", "y"),
            event_id=FILES,
        )
    )
    assert found[1] == "  who acts: learned as it happens; what a program does that no rule names comes up"
    told = [(line[10:15].strip(), line.rpartition("  ")[2]) for line in found[3:]]
    assert told == [
        ("down", "lies in /etc/"),
        ("part", "ends in .profile"),
        ("", '<Rule groupRelation="and">'),
        ("up", "CreationUtcTime is for the rules to look at"),
        ("down", "who acts"),
        ("down", "never holds"),
    ]


def test_what_a_path_must_have_is_said_and_what_it_must_not_have() -> None:
    assert lines(path("end with", ".sh"))[1] == "  path: dropped unless it ends in .sh"
    assert lines(path("not begin with", "/home/"))[1] == "  path: dropped if it lies in /home/"
    many = element("include", *(filter_("TargetFilename", "is", f"/{n}") for n in range(9)), event_id=FILES)
    assert lines(many)[1] == "  path: dropped unless it ends in 0 or ends in 1 or ends in 2 or ends in 3 or 5 more"


def test_where_nothing_decides_all_comes_up() -> None:
    found = lines(path("contains", "x"))
    assert found[1] == "  all of it comes up: nothing that the kernel knows decides alone"
    assert found[-1].endswith("only directories and ends of names are told apart")


def test_ports_are_counted() -> None:
    ports = element("include", filter_("DestinationPort", "is any", "22;443"), event_id=3)
    found = lines(ports, event_id=3)
    assert found[1:3] == ["  DestinationPort: 2 of 65,536 may pass", "  SourcePort: 65,536 of 65,536 may pass"]


def test_a_program_that_no_rule_names_is_dropped_if_all_includes_name_one() -> None:
    image = element("include", filter_("Image", "image", "curl"), event_id=3)
    assert lines(image, event_id=3)[1].endswith("what a program does that no rule names is dropped once it was seen")


def test_connections_of_the_machine_with_itself_are_told_apart() -> None:
    address = element("include", filter_("DestinationIp", "begin with", "10."), event_id=3)
    found = lines(address, event_id=3)
    said = "learned as it happens; what no rule names is dropped by ipv4 and ipv6"
    assert found[1] == f"  the machine with itself: {said}"
    assert found[-1].endswith("127.0.0.1 and ::1 at both ends are told apart")
