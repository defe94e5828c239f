"""On an arm64 machine: the object of the package is loaded by its kernel, and what programs do there is told.

The package was only unpacked: there is no systemd and no service, so pysmon runs one command at a time.
"""

from __future__ import annotations

import json
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.techniques.technique import Judge, Technique, rows, techniques
from tests.vm.guest import Step, note, run, sh

LIBRARY = "/usr/lib/pysmon"
RULES = Path("/tmp/rules.xml")
CHOSEN = ("deleted_program", "memfd_execution", "reverse_shell", "dns_tunnel", "memory_of_another", "bpf_program")
OFF = ("sh", "-c", "echo o >/proc/sysrq-trigger; sleep 600")
TAGS = (
    *("ProcessCreate", "ProcessTerminate", "FileCreateTime", "NetworkConnect", "CreateRemoteThread", "ProcessAccess"),
    *("FileCreate", "DnsQuery", "FileDeleteDetected", "ProcessTampering", "eBPFEvent", "PipeEvent", "ImageLoad"),
)


def it_is_an_arm64_machine() -> None:
    """And its Python is the one that the package is for."""
    assert platform.machine() == "aarch64"
    note(f"Linux {platform.release()}, Python {platform.python_version()}")


def the_object_has_the_layouts_of_the_records() -> None:
    """The digest that the compiler put into it is that of the classes."""
    from pysmon.layout.c_text import digest
    from pysmon.sensor.libbpf import Object
    from pysmon.sensor.loader import OBJECT
    from pysmon.sensor.records import RECORDS

    made = Object(str(OBJECT))
    found = int.from_bytes(made.constant(".rodata", 4), "little")
    made.close()
    assert found == digest(RECORDS.values()), f"{found:08x}"
    note(f"layout {found:08x} of {len(RECORDS)} records")


def the_kernel_takes_what_it_has_hooks_for() -> None:
    """Each ability by its best provider: which one, or why none."""
    from pysmon.sensor.loader import load

    loaded = load()
    verified = loaded.object.verified()
    loaded.object.close()
    for service in loaded.services:
        note(str(service))
    blind = [s for s in loaded.services if s.provider is None]
    note(f"{len(loaded.services) - len(blind)} of {len(loaded.services)} abilities, {len(verified)} programs loaded")
    assert not [s for s in blind if s.ability.required], blind


def a_program_that_runs_is_told() -> None:
    """With who started it, what it made, and its end; and nothing is lost."""
    work = "cp /bin/true /tmp/made; /tmp/made --on arm64; rm /tmp/made"
    out = Path("/tmp/events.json")
    done = sh("pysmon", "run", "-c", str(RULES), "--format", "json", "-o", str(out), "--", "sh", "-c", work)
    note(done.err)
    entries = [json.loads(line) for line in out.read_text().splitlines()]
    made = [e for e in entries if e["EventID"] == 1 and e["Image"] == "/tmp/made"]
    assert [e["CommandLine"] for e in made] == ["/tmp/made --on arm64"], entries
    assert (made[0]["ParentCommandLine"], made[0]["User"]) == (f"sh -c {work}", "root"), made
    of_it = Counter(e["EventID"] for e in entries if "/tmp/made" in (e.get("Image"), e.get("TargetFilename")))
    assert {1, 5, 11, 26} <= set(of_it), of_it
    assert not [e for e in entries if e["EventID"] == 255 and e["ID"] == "LOST"], entries


def step_of(technique: Technique) -> Step:
    """Do it under `pysmon run`, and ask the log that this made."""

    def step() -> None:
        stage = Path("/tmp") / technique.name
        stage.mkdir()
        store = f"{stage}-log"

        def ask(words: Sequence[str]) -> str:
            return sh("pysmon", *words, "--store", store, code=None).out

        kept = ("-q", "-c", str(RULES), "--store", store, "-o", "/dev/null")
        sh("pysmon", "run", *kept, "--", *technique.apart(stage))
        findings = Judge(technique, stage, ask).findings(shipped=False)
        note("\n".join(rows(technique, findings)))
        assert not [finding for finding in findings if finding.missing], "not all of its events are there"

    step.__name__ = f"{technique.attack} {technique.name}"
    return step


def main(arguments: list[str]) -> None:
    """The arguments are names of techniques."""
    sys.path.insert(0, LIBRARY)
    elements = "".join(f'<{tag} onmatch="exclude"/>' for tag in TAGS)
    RULES.write_text(f'<Sysmon schemaversion="4.90"><EventFiltering>{elements}</EventFiltering></Sysmon>')
    chosen = [technique for technique in techniques() if technique.name in (arguments or CHOSEN)]
    first = (it_is_an_arm64_machine, the_object_has_the_layouts_of_the_records)
    then = (the_kernel_takes_what_it_has_hooks_for, a_program_that_runs_is_told)
    run([[*first, *then, *map(step_of, chosen)]], OFF)
