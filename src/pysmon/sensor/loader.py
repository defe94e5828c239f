"""From the object file to programs at work: picks providers by trying them, and says which one serves what."""

from __future__ import annotations

import errno
import os
import platform
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pysmon.errors import SensorError
from pysmon.layout.c_text import digest
from pysmon.sensor import libraries
from pysmon.sensor.libbpf import Object, give_back_memory, possible_cpus
from pysmon.sensor.providers import ABILITIES, Ability, Provider
from pysmon.sensor.records import FAMILIES, RECORDS
from pysmon.sensor.rights import TRACEFS, check_rights, ensure_tracefs
from pysmon.sensor.scope import cgroup_root

SLOTS_PER_CPU = 2  # emit.bpf.h
OBJECT = Path(__file__).parent / "bpf" / "sensor.bpf.o"
_HOOKS_OF_A_KIND = {hook: {"fentry", "fexit"} for hook in ("fentry", "fexit")}  # both are BPF trampolines
_SAYS_LITTLE = ("processed ", "libbpf: prog", "libbpf: failed to load object", "-- ")  # beginnings of its lines
_BTF = Path("/sys/kernel/btf/vmlinux")
_TRACEPOINT_TYPE = b"\0btf_trace_"  # and its name, and \0
_FAILED = re.compile(r"prog '(\w+)'")


Choice = Mapping[str, Provider | None]  # by ability; None if there is no provider left


@dataclass(frozen=True, slots=True)
class Service:
    """What became of an ability here: the provider that serves it, or why none does."""

    ability: Ability
    provider: Provider | None
    refusals: tuple[str, ...]  # one line for each provider that was tried in vain

    @property
    def sees_less(self) -> bool:
        """Was one refused that sees more than the provider that serves?"""
        return any(not refused.calls for refused in self.ability.providers[: len(self.refusals)])

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.ability.name}: {self.provider.hook if self.provider else '; '.join(self.refusals)}"


@dataclass(slots=True)
class Loaded:
    """A kernel object at work."""

    object: Object
    services: tuple[Service, ...]


def load(abilities: tuple[Ability, ...] = ABILITIES, *, attach: Collection[str] = FAMILIES, types: str = "") -> Loaded:
    """Load, for each ability, its best provider that works, and attach those of the families `attach`.

    Nothing is watched until a scope is set. `types`: the part of the kernel's that the programs name, to be looked
    through instead of all of them. SensorError if the rights, the library or a required ability is missing.
    """
    check_rights()
    try:
        return _load(abilities, attach, types)
    except SensorError:
        if not types:
            raise
    return _load(abilities, attach, "")


def _load(abilities: tuple[Ability, ...], attach: Collection[str], types: str) -> Loaded:
    have_tracefs, opened = ensure_tracefs(), list[Object]()

    def attempt(chosen: Choice) -> dict[str, str]:
        opened.append(_open(str(OBJECT), types))
        refused = _start(opened[0], chosen, {a.name for a in abilities if a.family in attach}, have_tracefs)
        if refused:
            opened.pop().close()
        return refused

    services = _served(abilities, attempt)
    give_back_memory()
    return Loaded(opened[0], services)


def load_more(made: Object, abilities: Collection[Ability], *, attach: Collection[str]) -> tuple[Service, ...]:
    """As `load`, beside what the object has loaded and attached already, which stays."""
    have_tracefs, before = ensure_tracefs(), made.attached

    def attempt(chosen: Choice) -> dict[str, str]:
        refused = _start(made, chosen, {a.name for a in abilities if a.family in attach}, have_tracefs)
        if refused:  # what was attached in vain must not tell of the same as the provider that takes its place
            made.detach(made.attached - before)
        return refused

    services = _served(abilities, attempt)
    give_back_memory()
    return services


def _served(abilities: Collection[Ability], attempt: Callable[[Choice], dict[str, str]]) -> tuple[Service, ...]:
    """Attempt it with the best providers, and with the next for those that are refused, until none is."""
    tried: dict[str, list[str]] = {a.name: [] for a in abilities}
    while True:
        chosen = {a.name: _choice(a, len(tried[a.name])) for a in abilities}
        refused = attempt(chosen)
        if not refused:
            return tuple(Service(a, chosen[a.name], tuple(tried[a.name])) for a in abilities)
        for name, reason in refused.items():
            provider = chosen[name]
            tried[name].append(f"{provider.hook if provider else name}: {reason}")
        for ability in abilities:
            if ability.required and len(tried[ability.name]) == len(ability.providers):
                raise SensorError(
                    f"the kernel refuses the programs for {ability.name}: {'; '.join(tried[ability.name])}",
                    hint="pysmon needs Linux 5.13 or later; `dmesg` may tell more (lockdown, a hardened kernel)",
                )


def _choice(ability: Ability, refused: int) -> Provider | None:
    return ability.providers[refused] if refused < len(ability.providers) else None


def _open(path: str, types: str) -> Object:
    try:
        made = Object(path, types)
    except SensorError as error:
        hint = error.hint or "the package is incomplete: build or install it again"
        raise SensorError(str(error), hint=hint) from None
    expected, found = digest(RECORDS.values()), int.from_bytes(made.constant(".rodata", 4), "little")
    if found != expected:
        made.close()
        raise SensorError(
            f"the kernel object was built for other records (layout {found:08x}, expected {expected:08x})",
            hint="build or install the package again",
        )
    made.files = [each.path for each in libraries.c_libraries()]
    made.resize("scratches", SLOTS_PER_CPU * possible_cpus())
    return made


def _start(made: Object, chosen: Choice, attach: Collection[str], have_tracefs: bool) -> dict[str, str]:
    """Load all and attach some, by name; returns the abilities whose provider failed, with the reason."""
    wanted = {p: name for name, provider in chosen.items() if provider for p in provider.programs}  # or one such name
    absent = {p for p in wanted if not _exists(made.section(p), have_tracefs)}
    failures = {p: f"no {made.section(p)} here" for p in absent}
    refused = _useless(made, chosen, failures)
    if refused:
        return refused  # before the rest is loaded in vain: that takes a while
    new = set(wanted) - absent - made.loaded
    trouble = made.load(new) if new else ""
    if trouble:
        culprit = next((p for p in _FAILED.findall(trouble) if p in wanted), None)
        if culprit is None:
            raise SensorError(f"the kernel refuses the sensor: {trouble.strip()}")
        return _refused_like(culprit, wanted[culprit], chosen, _reason(trouble))
    for name, provider in chosen.items():
        reason = attach_provider(made, provider, failures, name in attach) if provider else ""
        if reason:
            refused[name] = reason
    return refused


def _useless(made: Object, chosen: Choice, failures: dict[str, str]) -> dict[str, str]:
    """The abilities whose provider is known to fail, with the reason."""
    reasons = {name: attach_provider(made, p, failures, attach=False) for name, p in chosen.items() if p}
    return {name: reason for name, reason in reasons.items() if reason}


def attach_provider(made: Object, provider: Provider, failures: dict[str, str], attach: bool = True) -> str:
    """Attach its programs but those of which it is known that it fails; returns "" or the reason why it is of no use.

    `attach=False`: only look at what is known.
    """
    return why_useless(
        provider, {p: failures.get(p) or (_attach(made, p) if attach else "") for p in provider.programs}
    )


def why_useless(provider: Provider, reasons: Mapping[str, str]) -> str:
    """Why a provider sees nothing, or "". `reasons`: for each program why it is not attached; "" if it is."""
    failed = [reason for reason in reasons.values() if reason]
    needed = provider.one_of or provider.programs
    serves = not failed or (provider.some and not all(reasons[program] for program in needed))
    return "" if serves else failed[0]


def _refused_like(program: str, name: str, chosen: Choice, reason: str) -> dict[str, str]:
    """All that rely on what failed, or, where the kernel forbids a kind of hook altogether, on that."""
    if os.strerror(errno.EPERM) not in reason:
        return {other: reason for other, provider in chosen.items() if provider and program in provider.programs}
    forbidden = _HOOKS_OF_A_KIND.get(_hook(chosen[name]), {_hook(chosen[name])})
    return {other: reason for other, provider in chosen.items() if _hook(provider) in forbidden}


def _hook(provider: Provider | None) -> str:
    return provider.hook if provider else ""


def _attach(made: Object, program: str) -> str:
    if made.section(program).startswith("iter/"):
        return ""  # attached anew for each run
    if made.section(program).startswith("cgroup/"):
        root = cgroup_root()
        return made.attach_cgroup(program, root) if root else "no hierarchy of cgroups (v2) is mounted"
    if program in libraries.PROBES and program not in made.attached:
        try:
            return libraries.attach(made, program, made.files)
        except OSError as error:  # no file can be opened now
            return f"the C libraries cannot be looked for: {error.strerror}"
    if program in libraries.PROBES:
        return ""
    return made.attach(program)


def _exists(section: str, have_tracefs: bool) -> bool:
    """Tracepoints can be looked up beforehand, and functions of system calls; of the others only trying tells.

    With little rights it must be: libbpf seeks a tp_btf that the kernel does not have in its modules, which takes more.
    """
    kind, _, name = section.partition("/")
    if kind == "tp_btf":
        known = _known_to_btf()
        return not known or name.encode() in known
    if name.startswith("__x64_"):
        return platform.machine() == "x86_64"
    if kind != "tracepoint":
        return True
    return have_tracefs and (TRACEFS / "events" / section.removeprefix("tracepoint/")).exists()


@cache
def _known_to_btf() -> frozenset[bytes]:
    """The tracepoints that this kernel's type information speaks of; nothing if that cannot be read."""
    try:
        found = _BTF.read_bytes().split(_TRACEPOINT_TYPE)[1:]  # an expression takes four times as long
    except OSError:
        return frozenset()
    return frozenset(each.partition(b"\0")[0] for each in found)


def _reason(trouble: str) -> str:
    """The line of libbpf's account that says most: the verifier's last word before its statistics."""
    lines = [line.strip() for line in trouble.splitlines() if line.strip()]
    telling = [x for x in lines if not x.startswith(_SAYS_LITTLE)]
    return f"{lines[0]} ({telling[-1]})" if len(telling) > 1 else lines[0]
