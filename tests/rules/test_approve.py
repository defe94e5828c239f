"""What is refused by some fields alone, the ruleset drops: a law. And what is refused is worth the effort."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.build import AND, HERE, OR, configuration, element, event, filter_, rule, ruleset

from pysmon.config.model import Condition, EventFilter, Filter, Rule
from pysmon.rules.approve import FLOWS, SIDES, Approver
from pysmon.rules.path_parts import LONGEST, Part, PathParts
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.event import EVENTS

NETWORK, CREATED, DELETED = 3, 11, 23


def approver(*filters: EventFilter, event_id: int = CREATED) -> Approver:
    return Approver(ruleset(*filters), event_id)


def include(*entries: Filter | Rule, **more: Any) -> EventFilter:
    return element("include", *entries, event_id=more.pop("event_id", CREATED), **more)


def exclude(*entries: Filter | Rule, **more: Any) -> EventFilter:
    return element("exclude", *entries, event_id=more.pop("event_id", CREATED), **more)


def path(condition: str, value: str) -> Filter:
    return filter_("TargetFilename", condition, value)


def parts(*filters: EventFilter) -> PathParts | None:
    return approver(*filters).path()


def directory(text: str) -> Part:
    return Part("directory", text.encode())


def ending(text: str) -> Part:
    return Part("ending", text.encode())


# ---- how a text begins

REGISTRY = 13


@pytest.mark.parametrize(
    ("condition", "value", "kept"),
    [
        ("is", "SYSCTL\\x", False),
        ("is", "dconf\\joe\\x", True),
        ("is any", "SYSCTL\\x;DCONF\\joe\\x", True),
        ("is any", "SYSCTL\\x;y", False),
        ("begin with", "SYSCTL", False),
        ("begin with", "D", True),
        ("begin with", "DCONF\\joe", True),
        ("not begin with", "dconf", False),
        ("not begin with", "DCONF\\joe", True),
        ("is not", "SYSCTL\\x", True),
        ("contains", "SYSCTL", True),
        ("end with", "x", True),
    ],
)
def test_a_beginning_tells_whether_an_include_can_match(condition: str, value: str, *, kept: bool) -> None:
    named = filter_("TargetObject", condition, value)
    found = approver(include(named, event_id=REGISTRY), event_id=REGISTRY)
    assert found.may_begin("TargetObject", "DCONF\\") == kept
    assert found.may_begin("Image", "DCONF\\")


def test_a_beginning_that_is_excluded_whatever_follows_cannot_be_kept() -> None:
    every, some = (filter_("TargetObject", "begin with", value) for value in ("dconf", "DCONF\\joe"))
    assert not approver(exclude(every, event_id=REGISTRY), event_id=REGISTRY).may_begin("TargetObject", "DCONF\\")
    assert approver(exclude(some, event_id=REGISTRY), event_id=REGISTRY).may_begin("TargetObject", "DCONF\\")


# ---- who acts


def test_an_image_that_is_excluded_is_refused_whatever_else_the_event_is() -> None:
    found = approver(exclude(filter_("Image", "is", "/usr/bin/dpkg"), path("contains", "x")))
    assert not found.by_actor("/usr/bin/dpkg", "root")
    assert found.by_actor("/usr/bin/vi", "root")


def test_an_image_that_no_include_names_is_refused_if_they_all_name_one() -> None:
    named = rule(AND, filter_("Image", "image", "bash"), path("contains", "x"))
    found = approver(include(named, filter_("User", "is", "www-data")))
    assert found.by_actor("/bin/bash", "root")
    assert found.by_actor("/bin/sh", "www-data")
    assert not found.by_actor("/bin/sh", "root")


def test_an_include_that_looks_at_something_else_lets_every_actor_pass() -> None:
    found = approver(include(filter_("Image", "is", "/a"), path("contains", "x")))
    assert found.by_actor("/b", "root")
    assert approver(include(path("contains", "x"))).minds_actor is False


def test_who_acts_on_another_process_is_its_source() -> None:
    found = Approver(ruleset(element("exclude", filter_("SourceImage", "is", "/a"), event_id=10)), 10)
    assert found.minds_actor
    assert not found.by_actor("/a", "root")


def test_connections_within_the_machine_are_refused_of_whom_the_rules_do_not_name() -> None:
    ends = [filter_(name, "begin with", "127.") for name in ("SourceIp", "DestinationIp")]
    others = [filter_(name, "is", "0:0:0:0:0:0:0:1") for name in ("SourceIp", "DestinationIp")]
    unless = filter_("Image", "excludes any", "/curl;/tmp/")
    found = approver(exclude(rule(AND, *ends, unless), rule(AND, *others, unless), event_id=3), event_id=3)
    assert found.refused_within("/usr/sbin/nginx", "root") == ("ipv4", "ipv6")
    assert found.refused_within("/usr/bin/curl", "root") == ()
    assert found.by_actor("/usr/sbin/nginx", "root")
    assert found.learns


def test_the_two_own_addresses_of_a_machine_are_refused_apart() -> None:
    one = [filter_(name, "begin with", "127.") for name in ("SourceIp", "DestinationIp")]
    found = approver(exclude(rule(AND, *one), event_id=3), event_id=3)
    assert found.refused_within("/usr/sbin/nginx", None) == ("ipv4",)
    assert found.learns
    assert not found.minds_actor


# ---- ports


def passing(filters: list[EventFilter], side: str, initiated: bool, protocol: str) -> set[int]:
    sets = Approver(ruleset(*filters), NETWORK).ports()
    assert sets is not None
    bits = int.from_bytes(sets[side, initiated, protocol], "little")
    return {port for port in range(1 << 16) if bits >> port & 1} if bits.bit_count() < 100 else {-1}


def port(condition: str, value: str, field: str = "DestinationPort") -> Filter:
    return filter_(field, condition, value)


def test_only_ports_that_an_include_names_may_pass() -> None:
    both = [include(port("is", "22"), port("is any", "443;8443;x;99999;٣"), event_id=NETWORK)]
    assert passing(both, "DestinationPort", True, "tcp") == {22, 443, 8443}
    assert passing(both, "SourcePort", True, "tcp") == {-1}


def test_a_port_is_compared_as_text() -> None:
    assert passing([include(port("begin with", "6553"), event_id=NETWORK)], "DestinationPort", False, "udp") == {
        6553,
        *range(65530, 65536),
    }


def test_who_began_a_connection_and_its_protocol_are_told_apart() -> None:
    began = rule(AND, filter_("Initiated", "is", "true"), filter_("Protocol", "is", "tcp"), port("is", "22"))
    filters = [include(began, event_id=NETWORK)]
    found = {(i, p): passing(filters, "DestinationPort", i, p) for i, p in FLOWS}
    assert found == {(False, "tcp"): set(), (False, "udp"): set(), (True, "tcp"): {22}, (True, "udp"): set()}


def test_where_no_connection_can_be_refused_there_are_no_sets() -> None:
    assert Approver(ruleset(include(filter_("Image", "is", "/a"), event_id=NETWORK)), NETWORK).ports() is None
    either = include(port("is", "22"), filter_("Image", "is", "/a"), event_id=NETWORK)
    assert Approver(ruleset(either), NETWORK).ports() is None


# ---- paths


def test_a_path_must_have_what_the_includes_need_at_the_least() -> None:
    found = parts(
        include(
            path("begin with", "/etc/Cron"),
            path("end with", ".SH"),
            path("is", "/root/.profile"),
            path("image", "authorized_keys"),
            path("is any", "/a/b;/c"),
            path("begin with", "relative"),
            rule(AND, path("contains", "x"), path("end with", "ssh/config")),
        )
    )
    texts = (".sh", ".profile", "authorized_keys", "b", "c", "config")
    assert found == PathParts(frozenset({directory("/etc/"), *map(ending, texts)}), frozenset())


@pytest.mark.parametrize(
    "check", [path("contains", "x"), path("end with", "/"), path("begin with", "/etc"), path("less than", "/m")]
)
def test_one_include_that_parts_cannot_tell_lets_all_pass(check: Filter) -> None:
    assert parts(include(path("end with", ".sh"), check)) is None


def test_what_an_exclude_names_exactly_is_discarded() -> None:
    found = parts(exclude(path("begin with", "/proc/"), path("begin with", "/tmp/x"), path("end with", ".tmp")))
    assert found == PathParts(None, frozenset({directory("/proc/"), ending(".tmp")}))


def test_what_a_negative_include_names_exactly_is_discarded() -> None:
    assert parts(include(path("not begin with", "/home/"))) == PathParts(None, frozenset({directory("/home/")}))


def test_what_a_negative_exclude_names_must_be_met() -> None:
    found = parts(exclude(path("not end with", ".conf")))
    assert found == PathParts(frozenset({ending(".conf")}), frozenset())


def test_long_parts_are_cut_and_then_name_nothing_exactly() -> None:
    deep = "/" + "/".join(["d" * 20] * 4) + "/"
    found = parts(include(path("begin with", deep), path("end with", "e" * 70)))
    cut = frozenset({directory("/" + "/".join(["d" * 20] * 2) + "/"), ending("e" * LONGEST)})
    assert found == PathParts(cut, frozenset())
    assert parts(exclude(path("begin with", deep), path("end with", "e" * 70))) is None


# ---- laws

PATHS = ["/", "/a", "/A/b.sh", "/a/B/c.SH", "/a/bb/.sh", "/b/a/x;y", "/a/É/é.sh", "/memfd:a", "/a\\b/c", "/a/b/", "-"]
VALUES = ["", "/", "/a/", "/a/b", "/A/", "b.sh", ".sh", "sh", "/c.sh", "b/", "a;/a/b.sh", "é.sh", "-", "/a/É/", "443"]
FIELDS = {CREATED: ["TargetFilename", "Image", "User", "RuleName"], DELETED: ["TargetFilename", "Image", "Archived"]}
FIELDS[NETWORK] = ["DestinationPort", "SourcePort", "Initiated", "Protocol", "Image", "DestinationIp"]
OF_FIELD: dict[str, list[Any]] = {
    "DestinationPort": [22, 443, 4430],
    "SourcePort": [22, 443, 4430],
    "Initiated": [True, False],
    "Protocol": ["tcp", "udp"],
}


@st.composite
def rules(draw: st.DrawFn, event_id: int) -> Ruleset:
    value = st.sampled_from([*VALUES, "true", "tcp", "22"])
    checks = st.builds(
        Filter,
        st.sampled_from(FIELDS[event_id]),
        st.sampled_from(list(Condition)),
        value,
        st.just(""),
        st.just(HERE),
    )
    compound = st.builds(
        Rule,
        st.just(""),
        st.sampled_from([AND, OR]),
        st.lists(checks, max_size=3).map(tuple),
        st.just(1),
        st.just(HERE),
    )
    one = st.builds(
        lambda onmatch, relation, entries: element(onmatch, *entries, event_id=event_id, relation=relation),
        st.sampled_from(["include", "exclude"]),
        st.sampled_from([AND, OR]),
        st.lists(st.one_of(checks, compound), max_size=4),
    )
    return Ruleset.compile(configuration(*draw(st.lists(one, max_size=3))))


def values(event_id: int) -> st.SearchStrategy[dict[str, Any]]:
    names = [name for name in FIELDS[event_id] if name != "RuleName"]
    return st.fixed_dictionaries({name: st.sampled_from(OF_FIELD.get(name) or PATHS) for name in names})


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, Ruleset, dict[str, Any]]:
    event_id = draw(st.sampled_from(list(FIELDS)))
    return event_id, draw(rules(event_id)), draw(values(event_id))


def has(part: Part, text: str) -> bool:
    """As the kernel finds it: of whole names, bytes A to Z taken as a to z."""
    folded = text.encode().lower()
    return folded.startswith(part.text) if part.kind == "directory" else folded.rpartition(b"/")[2].endswith(part.text)


@given(case=cases(), names=st.sets(st.sampled_from([name for names in FIELDS.values() for name in names])))
@settings(max_examples=400, deadline=None)
def test_what_is_refused_by_some_fields_the_ruleset_drops(
    case: tuple[int, Ruleset, dict[str, Any]], names: set[str]
) -> None:
    event_id, ruleset, fields = case
    found = Approver(ruleset, event_id)
    kept = ruleset.decide(event(event_id, **fields)).keep
    assert not kept or found.may_keep({name: fields[name] for name in names & fields.keys()})


@given(case=cases())
@settings(max_examples=400, deadline=None)
def test_an_event_whose_fields_are_all_known_is_refused_exactly_if_it_is_dropped(
    case: tuple[int, Ruleset, dict[str, Any]],
) -> None:
    event_id, ruleset, fields = case
    whole = event(event_id, **fields)
    known = {f.name: getattr(whole, f.name) for f in EVENTS[event_id].fields}
    assert Approver(ruleset, event_id).may_keep(known) == ruleset.decide(whole).keep


@given(case=cases())
@settings(max_examples=400, deadline=None)
def test_a_path_whose_parts_are_refused_is_dropped(case: tuple[int, Ruleset, dict[str, Any]]) -> None:
    event_id, ruleset, fields = case
    found = Approver(ruleset, event_id).path()
    text = fields.get("TargetFilename", "-")
    if found is None or text == "-" or text.startswith("/memfd:") or text.endswith("/"):
        return
    approved = found.approve is None or any(has(part, text) for part in found.approve)
    if not approved or any(has(part, text) for part in found.discard):
        assert not ruleset.decide(event(event_id, **fields)).keep


@given(cases(), st.integers(0, 6))
@settings(max_examples=200, deadline=None)
def test_what_cannot_be_kept_by_its_beginning_is_dropped(case: tuple[int, Ruleset, dict[str, Any]], size: int) -> None:
    event_id, ruleset, fields = case
    made = Approver(ruleset, event_id)
    for name, value in fields.items():
        if isinstance(value, str) and not made.may_begin(name, value[:size]):
            assert not ruleset.decide(event(event_id, **fields)).keep


@given(ruleset=rules(NETWORK), fields=values(NETWORK))
@settings(max_examples=60, deadline=None)
def test_a_port_that_is_not_in_its_set_is_dropped(ruleset: Ruleset, fields: dict[str, Any]) -> None:
    sets = Approver(ruleset, NETWORK).ports()
    if sets is None:
        return
    for side in SIDES:
        number = fields[side]
        bits = sets[side, fields["Initiated"], fields["Protocol"]]
        if not bits[number >> 3] >> (number & 7) & 1:
            assert not ruleset.decide(event(NETWORK, **fields)).keep
