"""An explanation as people read it."""

from __future__ import annotations

from typing import Any

from tests.rules.build import AND, OR, configuration, element, event, filter_, rule
from tests.rules.places import told_apart

from pysmon.config.model import EventFilter
from pysmon.rules.explain import explain
from pysmon.rules.explain_text import ASCII_MARKS, explanation_lines
from pysmon.rules.ruleset import Ruleset

DROPPED = """\
ProcessCreate (event 1) is dropped
  the only <ProcessCreate> did not match, and it is an include

What the rules read of it:
  Image        /usr/bin/ssh
  CommandLine  ssh -o BatchMode=yes
  User         joe

The rules, in the order in which they are asked:
          1 - <ProcessCreate onmatch="include">  or  of RuleGroup "remote"
          2 -   <Rule groupRelation="and" name="ssh">
          3 +     <Image condition="end with">/ssh</Image>
          4 -     <CommandLine condition="contains">&amp;</CommandLine>
          5 .     <User>joe</User>  would hold
        6-9 -   ... 4 conditions that do not hold (Image 3, User 1)
            + holds   - does not hold   . not looked at   ? no value

It would have been kept if one of these alone had come out otherwise:
          4   <CommandLine condition="contains">&amp;</CommandLine>  had it held
        6-9   any of 4 conditions of <ProcessCreate onmatch="include">, had it held (Image 3, User 1)
"""
KEPT = """\
ProcessCreate (event 1) is kept, RuleName who
  by <ProcessCreate onmatch="include"> at test.xml:1:1
  the name is that of the condition in line 2

What the rules read of it:
  Image  /bin/ls
  User   root

The rules, in the order in which they are asked:
          4 - <ProcessCreate onmatch="exclude">  and
          5 -   <Image>/bin/cat</Image>
          1 + <ProcessCreate onmatch="include">  or
          2 +   <User>root</User>  names it
          3 .   <Image>/bin/ls</Image>  would hold
            + holds   - does not hold   . not looked at   ? no value

It would have been dropped if one of these alone had come out otherwise:
          5   <Image>/bin/cat</Image>  had it held
"""


def shown(*elements: EventFilter, whole: bool = False, **fields: Any) -> str:
    found = explain(Ruleset.compile(configuration(*told_apart(elements))), event(**fields))
    lines = ("".join(piece.text for piece in line) for line in explanation_lines(found, marks=ASCII_MARKS, whole=whole))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def ssh() -> EventFilter:
    filters = (
        filter_("Image", "end with", "/ssh"),
        filter_("CommandLine", "contains", "&"),
        filter_("User", "is", "joe"),
    )
    others = [filter_("Image", "is", f"/bin/{name}") for name in "abc"]
    return element("include", rule(AND, *filters, name="ssh"), *others, filter_("User", "is", "root"), group="remote")


def test_of_a_dropped_event_the_way_and_what_was_missing_is_shown() -> None:
    assert shown(ssh(), Image="/usr/bin/ssh", CommandLine="ssh -o BatchMode=yes", User="joe") == DROPPED


def test_of_a_kept_event_the_one_that_decided_and_named_it_is_shown() -> None:
    include = element("include", filter_("User", "is", "root", "who"), filter_("Image", "is", "/bin/ls"))
    exclude = element("exclude", filter_("Image", "is", "/bin/cat"), relation=AND)
    assert shown(include, exclude, Image="/bin/ls", User="root") == KEPT


def test_a_rule_that_wants_for_one_condition_is_shown_even_if_that_is_its_first() -> None:
    far = [rule(AND, filter_("Image", "is", f"/{n}"), filter_("User", "is", "x")) for n in range(4)]
    near = rule(AND, filter_("Image", "is", "/bin/touch"), filter_("User", "is", "joe"))
    text = shown(element("include", *far, near), Image="/usr/bin/touch", User="joe")
    assert "... 8 conditions that do not hold" in text
    assert "         15 -     <Image>/bin/touch</Image>\n         16 .     <User>joe</User>  would hold\n" in text


def test_every_condition_is_shown_if_that_is_asked_for() -> None:
    text = shown(ssh(), whole=True, Image="/usr/bin/ssh")
    assert "..." not in text
    assert text.count("<Image>/bin/") == 3


def test_an_event_that_excludes_hold_back_alone_says_which() -> None:
    one, two = filter_("Image", "is", "/bin/ls"), filter_("User", "is", "root")
    text = shown(element("exclude", one, two, relation=OR), Image="/bin/ls", User="root")
    assert "No single condition, had it come out otherwise, would have had the event kept.\n" in text
    assert text.endswith("          2   <Image>/bin/ls</Image>\n          3   <User>root</User>\n")


def test_an_event_that_no_include_wants_anyway_says_so() -> None:
    include, exclude = (filter_("User", "is", who) for who in ("x", "root"))
    text = shown(element("include", include), element("exclude", exclude), User="root")
    assert text.endswith("It would be dropped without any exclude as well: no include matches it.\n")


def test_an_element_that_gives_up_says_why() -> None:
    text = shown(
        element("include", filter_("DestinationPort", "is", "1"), event_id=3), event_id=3, DestinationPort=None
    )
    assert '          1 ? <NetworkConnect onmatch="include">  or  gives up: a number has no value\n' in text
    assert "          2 ?   <DestinationPort>1</DestinationPort>\n" in text


def test_a_condition_that_cannot_hold_for_the_event_says_why() -> None:
    own = element("include", filter_("User", "is", "joe"), filter_("RuleName", "is", "x"), event_id=12)
    text = shown(own, event_id=13, User="joe")
    assert "<User>joe</User>  compiled for another event of the series" in text
    assert "<RuleName>x</RuleName>  RuleName reads - while the rules are asked" in text


def test_an_event_without_rules_or_without_a_tag_is_told_in_a_line() -> None:
    default = "the configuration has no <ProcessCreate>; then the default of the event holds"
    assert shown() == f"ProcessCreate (event 1) is kept, RuleName -\n  {default}\n"
    assert "no configuration can filter this event" in shown(event_id=4)


def test_nothing_of_an_event_can_steer_a_terminal() -> None:
    text = shown(element("include", filter_("Image", "is", "\x1b[2J", "\x1b]0;")), Image="\x1b[2J")
    assert "\x1b" not in text
