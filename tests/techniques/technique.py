"""Techniques of attackers, as files beside this one define them: what is done, and which events must tell of it.

Judged from outside: nothing of pysmon is imported, its own commands are asked. Runs with Python alone, also in a guest.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
Ask = Callable[[Sequence[str]], str]  # gives what pysmon prints when it is called with these arguments
_NETWORK = "network"
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"  # no wrappers of this or that user


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the story."""

    event: str  # its name, as in schema/catalogue
    where: tuple[str, ...]  # conditions, in the words of `pysmon log --where`; `{stage}` is the folder to do it in
    beside: bool = False  # it belongs to no process that the technique started
    unasked: str = ""  # why the configuration that comes with pysmon does not keep it


@dataclass(frozen=True, slots=True)
class Technique:
    """What one file says."""

    name: str  # of the file
    attack: str  # id in MITRE ATT&CK
    title: str
    story: str  # in words
    shell: str  # what is done: a script that works in the folder $STAGE
    told: tuple[Told, ...]
    who: tuple[str, ...] = ()  # a question to `pysmon who` that must lead to the shell
    undo: str = ""  # done at the end in any case
    own: tuple[str, ...] = ()  # folders, or "network": what to have of one's own where the machine must stay as it is
    vm: str = ""  # why it is done in a virtual machine only

    @classmethod
    def read(cls, path: Path) -> Technique:
        """From its file. ValueError and KeyError tell what is wrong with it."""
        known = tomllib.loads(path.read_text())
        told = tuple(Told(**{**event, "where": tuple(event["where"])}) for event in known.pop("told"))
        who, own = (tuple(known.pop(key, ())) for key in ("who", "own"))
        return cls(path.stem, told=told, who=who, own=own, **known)

    def script(self, stage: Path) -> Path:
        """Write the script that does it in this folder."""
        made = stage / "technique.sh"
        undo = f"undo() {{ {self.undo}\n}}\ntrap 'undo || :' EXIT\n" if self.undo else ""
        made.write_text(f"set -eu\nSTAGE='{stage}'\nPATH={_PATH}\nexport STAGE PATH\n{undo}{self.shell}")
        return made

    def apart(self, stage: Path) -> list[str]:
        """The command that does it and leaves the machine as it is: folders and network are its own, and empty."""
        folders = [folder for folder in self.own if folder != _NETWORK]
        before = [f"mount -t tmpfs none {folder}" for folder in folders]
        before += ["ip link set lo up"] if _NETWORK in self.own else []
        words = ["unshare", "--mount", *(["--net"] if _NETWORK in self.own else [])]
        return [*words, "sh", "-c", " && ".join([*before, 'exec sh "$0"']), str(self.script(stage))]


def techniques() -> list[Technique]:
    """All of them, by the names of their files."""
    return [Technique.read(path) for path in sorted(FOLDER.glob("*.toml"))]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the log knows of one event of a story."""

    told: Told
    rules: tuple[str, ...] = ()  # names of the rules that kept such events
    missing: str = ""  # why it does not count, or nothing


class Judge:
    """Asks whether the log has the story of a technique that was done in a folder."""

    def __init__(self, technique: Technique, stage: Path, ask: Ask) -> None:
        self._technique, self._stage, self._ask = technique, stage, ask

    def findings(self, *, shipped: bool) -> list[Finding]:
        """One for each event; `shipped`: without those that the configuration of pysmon does not ask for."""
        ours = self._story()
        return [self._find(told, ours) for told in self._technique.told if not (shipped and told.unasked)]

    def leads_to_the_shell(self) -> bool:
        """Whether `pysmon who` names the shell of the technique, if that is to be asked."""
        words = [word.replace("{stage}", str(self._stage)) for word in self._technique.who]
        return not words or f"{self._stage}/technique.sh" in self._ask(["who", *words])

    def _find(self, told: Told, ours: set[int]) -> Finding:
        conditions = [each.replace("{stage}", str(self._stage)) for each in told.where]
        words = [word for each in conditions for word in ("--where", each)]
        entries = self._events(["log", "--all", "--tag", told.event, *words])
        rules = tuple(dict.fromkeys(entry["RuleName"] for entry in entries))
        if not entries:
            return Finding(told, rules, "no such event")
        if not told.beside and not any(entry["EventRecordID"] in ours for entry in entries):
            return Finding(told, rules, "not in the story of the shell")
        return Finding(told, rules)

    def _story(self) -> set[int]:
        """The numbers of all entries about what the shell and its descendants did."""
        begun = ["--where", f"CommandLine is sh {self._stage}/technique.sh"]
        shells = self._events(["log", "--all", "--tag", "ProcessCreate", *begun])
        if not shells:
            return set()
        return {entry["EventRecordID"] for entry in self._events(["story", shells[-1]["ProcessGuid"], "--all"])}

    def _events(self, words: Sequence[str]) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._ask([*words, "--format", "json"]).splitlines()]


def names_it(technique: Technique, findings: Sequence[Finding]) -> bool:
    """Whether the name of a rule tells the technique, or the one that it is a part of."""
    told = {rule.partition(",")[0] for finding in findings for rule in finding.rules}
    return bool(told & {f"technique_id={technique.attack}", f"technique_id={technique.attack.partition('.')[0]}"})


def rows(technique: Technique, findings: Sequence[Finding]) -> list[str]:
    """Lines for people: the technique, events found, and what is missing."""
    found = ", ".join(finding.told.event for finding in findings if not finding.missing)
    missing = [f"{each.told.event} ({each.missing}): {'; '.join(each.told.where)}" for each in findings if each.missing]
    head = f"{technique.attack:<10} {technique.name:<18} {len(findings) - len(missing)}/{len(findings)}  {found or '-'}"
    return [head, *(f"{'':<10} missing: {each}" for each in missing)]


def page_row(technique: Technique) -> str:
    """The technique's line in docs/techniques.md."""
    events = ", ".join(dict.fromkeys(told.event + "*" * told.beside for told in technique.told))
    where = "virtual machine" if technique.vm else "here, virtual machine"
    link = f"[{technique.title}](../tests/techniques/{technique.name}.toml)"
    return f"| {technique.attack} | {link} | {technique.story} | {events} | {where} |"
