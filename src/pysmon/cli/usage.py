"""The help of the classic switches, in Sysmon's layout: `-?` and `-? config`."""

from __future__ import annotations

import textwrap

from pysmon.release import VERSION
from pysmon.schema import catalogue as _catalogue  # noqa: F401 - fills EVENTS
from pysmon.schema.conditions import CONDITIONS
from pysmon.schema.event import EVENTS
from pysmon.schema.options import options_at
from pysmon.schema.versions import newest

BANNER = f"pysmon v{VERSION} - Sysmon in Python\n"

_USAGE = """\
Usage:
Check a configuration:   pysmon -c <configfile>
Print schema:            pysmon -s [<version>|all]
Install:                 pysmon -i [<configfile>]    (not yet)
Uninstall:               pysmon -u [force]           (not yet)
  -c   Read a configuration file as a service would, and tell what is wrong
       with it. Nothing is changed: there is no service yet.
  -i   Install a service. Not possible yet; a configuration file given with it
       is read and checked.
  -s   Print the schema of the given version, or of those that begin like it.
       'all' prints every version (default is the newest).
  -u   Uninstall the service. Not possible yet.
  -nologo      Leave the banner away.
  -accepteula  Accepted and ignored: there is no licence to agree to.

Switches are not case-sensitive and can be clustered as in Sysmon.

To watch now, in the foreground:        pysmon run [-c <configfile>]
For all commands:                       pysmon --help
For the format of configuration files:  pysmon -? config
"""

_SAMPLE = """\
<Sysmon schemaversion="{version}">
  <HashAlgorithms>SHA256</HashAlgorithms>
  <EventFiltering>
    <!-- Keep shells that a web server starts -->
    <RuleGroup name="web shell" groupRelation="and">
      <ProcessCreate onmatch="include">
        <ParentImage condition="image">nginx</ParentImage>
        <Image condition="end with">sh</Image>
      </ProcessCreate>
    </RuleGroup>
    <!-- Keep connections to two ports, but not those of curl -->
    <NetworkConnect onmatch="include">
      <DestinationPort>4444</DestinationPort>
      <DestinationPort name="irc">6667</DestinationPort>
    </NetworkConnect>
    <NetworkConnect onmatch="exclude">
      <Image condition="image">curl</Image>
    </NetworkConnect>
    <!-- Keep no process end -->
    <ProcessTerminate onmatch="include" />
  </EventFiltering>
</Sysmon>
"""

_STRUCTURE = (
    "Every event has an element of its own under EventFiltering, by its tag:",
    'The elements in it name fields of the event, and say what their values must be. With onmatch="include" an event is'
    ' kept if they match; with onmatch="exclude" it is kept unless they match. Where a tag has several elements, an'
    " event is kept if an include matches and no exclude does. An element without conditions keeps everything (exclude)"
    " or nothing (include). Without any element for their tag only ProcessCreate and ProcessTerminate are kept.",
    "A condition attribute says how to compare (none is case-sensitive):",
    "Conditions on the same field are joined by OR, those on different fields by AND. A RuleGroup around the event"
    ' element with groupRelation="or" joins all of them by OR. A Rule element among the conditions counts as one of'
    ' them; with groupRelation="and" everything in it must match.',
    "A name attribute, of a condition, a Rule or a RuleGroup, is logged as RuleName of the events that it kept.",
)


def usage() -> str:
    """What `-?` prints."""
    return _USAGE


def configuration_usage() -> str:
    """What `-? config` prints: a sample, then events, conditions and options as the schema has them."""
    version = newest("linux").version
    events, matching, conditions, relations, names = (_filled(text) for text in _STRUCTURE)
    return "\n".join(
        [
            f"Configuration usage (current schema is version: {version}):\n",
            _filled("Configuration files are XML. This one has most of what there is:"),
            textwrap.indent(_SAMPLE.format(version=version), "  "),
            _filled(
                "The schemaversion says for which schema a file was written; older ones are understood. Options stand"
                " directly under Sysmon:"
            ),
            f"{_options()}\n",
            events,
            f"{_events()}\n",
            matching,
            conditions,
            f"{_conditions()}\n",
            relations,
            names,
            _filled("To check a file: pysmon check <configfile>"),
        ]
    )


def _filled(text: str) -> str:
    return textwrap.fill(text, 78, break_long_words=False, break_on_hyphens=False) + "\n"


def _events() -> str:
    rows = [f"{event.id:<6} {event.tag:<24} {event.title}" for event in EVENTS.values() if event.tag]
    return "\n".join([f"{'Id':<6} {'Tag':<24} Event", *rows])


def _conditions() -> str:
    rows = [textwrap.fill(c.doc, 78, initial_indent=f"{c.word:<16}", subsequent_indent=" " * 16) for c in CONDITIONS]
    return "\n".join(rows)


def _options() -> str:
    names = [o.element for o in options_at(newest("windows").version, "windows") if o.element and not o.rule]
    configs = [o.element for o in options_at(newest("windows").version, "windows") if o.forceconfig]
    return textwrap.fill(", ".join([*names, *configs]), 78, initial_indent="  ", subsequent_indent="  ")
