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
Install:                 pysmon -i [<configfile>]
Update configuration:    pysmon -c [<configfile>]
Print schema:            pysmon -s [<version>|all]
Uninstall:               pysmon -u [force]
  -c   Update the configuration of the running service, or print the current
       one if nothing else is given. Optionally take a configuration file;
       -- goes back to the defaults.
  -i   Install the service, or bring an installed one up to date. Optionally
       take a configuration file.
  -s   Print the schema of the given version, or of those that begin like it.
       'all' prints every version (default is the newest).
  -t   Watch in the foreground instead, on the terminal.
  -u   Uninstall the service with its event log. Adding force causes uninstall
       to proceed even when some components are not installed. To keep the log:
       pysmon uninstall --keep-log
  -h   Hash algorithms: names of SHA1, MD5, SHA256, IMPHASH with commas, or *.
  -n   Log network connections, of all programs or of those given with commas.
  -l   Log loading of libraries, likewise.
  -dns Log DNS look-ups.
  -k   Log access to the processes of the given programs.
  -g   Log the given named pipes.
       These go with -i or -c. In a file the event element of the same name
       says more, and is taken where both are given.
  -nologo      Leave the banner away.
  -accepteula  Accepted and ignored: there is no licence to agree to.

Events are kept in an event log (pysmon log --help) and, where the machine has
it, in syslog. Neither install nor uninstall requires a reboot.

Switches are not case-sensitive and can be clustered as in Sysmon.

To watch now, without installing:       pysmon run [-c <configfile>]
To check a configuration file:          pysmon check <configfile>
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
