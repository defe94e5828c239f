"""How many verdicts a second the rule engine gives, cold and warm, under real configurations.

The stream is of ProcessCreate events: programs, users and parents repeat in the combinations that belong together, and
so do the command lines, except for one in ten that never was before and never comes again. Every text is an object of
its own, as it is when it comes from the kernel.

Cold: a new engine that meets only command lines it has never seen. Warm: one that has seen as long a stream already.
Medians of several rounds, in verdicts for a second of processor time.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from bench.machine import description
from bench.parts.configurations import MEASURED
from bench.parts.large import large
from bench.parts.table import table

from pysmon.config.model import Configuration
from pysmon.rules.ruleset import Ruleset
from pysmon.schema.catalogue import ProcessCreate

EVENTS, ROUNDS = 20_000, 5
NEW = 0.1  # the share of command lines that never were before
AIMS = {"swiftonsecurity.xml": (150_000, 1_000_000), "made up, 4.8 MB": (100_000, 0)}  # cold, warm; 0: none

PROGRAMS = {
    True: [
        "svchost",
        "conhost",
        "dllhost",
        "WmiPrvSE",
        "taskhostw",
        "cmd",
        "net",
        "powershell",
        "rundll32",
        "schtasks",
    ],
    False: [
        "bash",
        "dash",
        "python3.11",
        "grep",
        "sed",
        "ps",
        "ssh",
        "sshd",
        "curl",
        "systemd",
        "crontab",
        "tar",
        "git",
    ],
}
ARGUMENTS = [
    "-k netsvcs -p",
    "-k LocalService -p -s BthAvctpSvc",
    "-Embedding",
    "user administrator /domain",
    "-nop -w hidden -enc aGVsbG8gd29ybGQ=",
    "query HKLM\\Software",
    "-c 'import os'",
    "-lah /tmp",
    "--version",
    "http://10.0.0.1/a.sh",
]
USERS = {
    True: ["NT AUTHORITY\\SYSTEM", "NT AUTHORITY\\LOCAL SERVICE", "LAB\\alice"],
    False: ["root", "www-data", "alice"],
}
FOLDERS = {True: "C:\\Windows\\System32\\{}.exe", False: "/usr/bin/{}"}
KINDS = 400  # of process starts that a machine sees again and again


def kinds(windows: bool) -> list[dict[str, Any]]:
    """The process starts of a machine that repeat: fields that belong together."""
    choose = random.Random(0)
    return [kind(choose, windows) for _ in range(KINDS)]


def kind(choose: random.Random, windows: bool) -> dict[str, Any]:
    """One of them."""
    image, parent = (FOLDERS[windows].format(choose.choice(PROGRAMS[windows])) for _ in range(2))
    return {
        "Image": image,
        "OriginalFileName": image.rpartition("\\")[2] if windows else "-",
        "CommandLine": f"{image} {choose.choice(ARGUMENTS)}",
        "CurrentDirectory": "C:\\Windows\\system32\\" if windows else "/root",
        "User": choose.choice(USERS[windows]),
        "LogonId": "0x3e7" if windows else "0",
        "IntegrityLevel": "System" if windows else "no level",
        "ParentImage": parent,
        "ParentCommandLine": f"{parent} {choose.choice(ARGUMENTS)}",
        "ParentUser": USERS[windows][0],
    }


def stream(windows: bool, new: float, seed: int) -> list[ProcessCreate]:
    """Made-up events, of which the share `new` has a command line of its own; the seed decides which."""
    choose = random.Random(seed)
    known = kinds(windows)
    return [event(choose, choose.choice(known), choose.random() < new) for _ in range(EVENTS)]


def event(choose: random.Random, kind: dict[str, Any], new: bool) -> ProcessCreate:
    """One event of the stream."""
    fields: dict[str, Any] = {name: copy(value) for name, value in kind.items()}
    if new:
        fields["CommandLine"] += f" --job {choose.getrandbits(64)}"
    return ProcessCreate(
        UtcTime="2026-01-01 00:00:00.000",
        ProcessGuid="{00000000-0000-0000-0000-000000000001}",
        ProcessId=choose.getrandbits(16),
        LogonGuid="{00000000-0000-0000-0000-000000000002}",
        TerminalSessionId=1,
        ParentProcessGuid="{00000000-0000-0000-0000-000000000003}",
        ParentProcessId=1,
        **fields,
    )


def copy(text: str) -> str:
    """The same text as another object, of which the hash is not known yet."""
    return text.encode().decode()


def rate(ruleset: Ruleset, events: list[ProcessCreate]) -> float:
    """Verdicts over a stream for each second of processor time, so that other work on the machine counts for less."""
    gc.collect()
    gc.freeze()  # the stream is ours, not the engine's: the collector shall not walk it
    decide = ruleset.decide
    before = time.thread_time()
    for each in events:
        decide(each)
    took = time.thread_time() - before
    gc.unfreeze()
    return len(events) / took


def measure(name: str, windows: bool, configuration: Configuration) -> tuple[str, ...]:
    """One row of figures."""
    cold, warm = [], []
    for seed in range(ROUNDS):
        cold.append(rate(Ruleset.compile(configuration), stream(windows, 1.0, seed)))
        ruleset = Ruleset.compile(configuration)
        rate(ruleset, stream(windows, NEW, seed))
        warm.append(rate(ruleset, stream(windows, NEW, ROUNDS + seed)))
    conditions, fields = len(ruleset.rules[1].checks), len(ruleset.reads(1))
    aims = AIMS.get(name, (0, 0))
    figures = [cell for pair in zip((cold, warm), aims, strict=True) for cell in _cells(median(pair[0]), pair[1])]
    return (name, f"{conditions:,}", f"{fields}", *figures)


def _cells(measured: float, aim: int) -> tuple[str, str]:
    return f"{measured:,.0f}", f"{measured / aim:.2f} of {aim:,}" if aim else "-"


def rows() -> Iterator[tuple[str, ...]]:
    """The figures of all configurations that are there."""
    for measured in MEASURED:
        configuration = measured.read()
        if configuration:
            yield measure(measured.name, measured.windows, configuration)
        else:
            yield (f"{measured.name}: absent", *["-"] * 6)
    yield measure("made up, 4.8 MB", True, large())


def main() -> None:
    """Print the figures of all configurations that are there."""
    table("verdicts a second", ("conditions", "fields", "cold", "to the aim", "warm", "to the aim"), list(rows()))
    sys.stdout.write(f"measured on {description()}\n\n")


if __name__ == "__main__":
    main()
