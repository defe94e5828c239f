"""The doctor on the kernel: is it one that the sensor can run on, and what does it withhold?"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator

from pysmon.errors import PysmonError
from pysmon.sensor.capabilities import effective
from pysmon.service.finding import Finding
from pysmon.service.patient import Patient, text_of

OLDEST = (5, 13)
_ARCHITECTURES = ("x86_64", "aarch64")
_VERSION = re.compile(r"(\d+)\.(\d+)")
_NEEDED = ("CAP_BPF", "CAP_PERFMON")  # or one that is more than both
_EVERYTHING = "CAP_SYS_ADMIN"
_USEFUL = ("CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE")  # to hash files of others; to read what their processes are
NO_PROC = "is /proc mounted here?"
_SYSCTL = "proc/sys"
_CGROUP_ROOTS = ("sys/fs/cgroup", "sys/fs/cgroup/unified")


def kernel(patient: Patient) -> Iterator[Finding]:
    """Its version and architecture."""
    release = text_of(patient, f"{_SYSCTL}/kernel/osrelease")
    machine = platform.machine()
    found = _VERSION.match(release)
    if found is None:
        text = f"its version is not told ({release or 'no /proc/sys/kernel/osrelease'})"
        yield Finding("warn", "kernel", text, NO_PROC)
    elif (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield Finding("bad", "kernel", f"Linux {release} is too old", f"pysmon needs Linux {oldest} or later")
    elif machine not in _ARCHITECTURES:
        remedy = f"the sensor is built for {' and '.join(_ARCHITECTURES)}"
        yield Finding("bad", "kernel", f"Linux {release} on {machine}", remedy)
    else:
        yield Finding("ok", "kernel", f"Linux {release} on {machine}")


def type_information(patient: Patient) -> Iterator[Finding]:
    """BTF, by which one object fits all kernels."""
    if (patient.paths.root / "sys/kernel/btf/vmlinux").exists():
        yield Finding("ok", "BTF", "the kernel tells its types")
        return
    remedy = "use a kernel with CONFIG_DEBUG_INFO_BTF=y: Debian 12, Ubuntu 22.04, RHEL 9 and later have it"
    yield Finding("bad", "BTF", "the kernel does not tell its types: no /sys/kernel/btf/vmlinux", remedy)


def rights(patient: Patient) -> Iterator[Finding]:
    """What this process may do."""
    held = _capabilities(patient)
    lacking = [] if _EVERYTHING in held else [name for name in _NEEDED if name not in held]
    missed = [name for name in _USEFUL if name not in held]
    if lacking:
        remedy = "run it with sudo; the service has them from its unit"
        yield Finding("bad", "rights", f"{' and '.join(lacking)} missing: no eBPF programs can be loaded", remedy)
    elif missed:
        text = f"enough for eBPF; without {' and '.join(missed)} not all processes and files of others can be read"
        yield Finding("warn", "rights", text, "run it with sudo")
    else:
        yield Finding("ok", "rights", "enough for eBPF and to read what others run")


def libbpf(patient: Patient) -> Iterator[Finding]:
    """The library that loads the programs."""
    try:
        yield Finding("ok", "libbpf", patient.libbpf())
    except (PysmonError, AttributeError) as error:  # a release before 0.6 lacks calls that we make
        remedy = getattr(error, "hint", "") or "install a newer one: apt install libbpf1, dnf install libbpf"
        yield Finding("bad", "libbpf", str(error), remedy)


def lockdown(patient: Patient) -> Iterator[Finding]:
    """What secure boot may forbid."""
    found = re.search(r"\[(\w+)\]", text_of(patient, "sys/kernel/security/lockdown"))
    mode = found[1] if found else "none"
    if mode == "confidentiality":
        remedy = "boot with lockdown=integrity instead: it protects the kernel as well, and lets root observe it"
        yield Finding("bad", "lockdown", "confidentiality: eBPF programs may not read the kernel's memory", remedy)
    else:
        yield Finding("ok", "lockdown", mode if found else "none, or not told (no securityfs)")


def unprivileged_bpf(patient: Patient) -> Iterator[Finding]:
    """Whether any user may load eBPF programs. pysmon does not need it."""
    value = text_of(patient, f"{_SYSCTL}/kernel/unprivileged_bpf_disabled")
    if value == "0":
        remedy = "sysctl kernel.unprivileged_bpf_disabled=2 (pysmon works either way)"
        yield Finding("warn", "BPF for users", "every user may load eBPF programs, which has helped attackers", remedy)
    else:
        yield Finding("ok", "BPF for users", "only root may load eBPF programs")


def jit(patient: Patient) -> Iterator[Finding]:
    """Whether programs are compiled; hooks of the kinds fentry and fexit need it."""
    value = text_of(patient, f"{_SYSCTL}/net/core/bpf_jit_enable")
    if value == "0":
        text = "eBPF programs are interpreted: every record costs more, and the better hooks do not attach"
        yield Finding("warn", "BPF compiler", text, "sysctl net.core.bpf_jit_enable=1")
    elif value == "2":
        text = "on, and it writes each program to the kernel's log"
        yield Finding("warn", "BPF compiler", text, "sysctl net.core.bpf_jit_enable=1")
    else:
        yield Finding("ok", "BPF compiler", "on" if value else "not told")


def statistics(patient: Patient) -> Iterator[Finding]:
    """Whether the kernel measures every run of every program, which is not free."""
    if text_of(patient, f"{_SYSCTL}/kernel/bpf_stats_enabled") == "1":
        text = "the kernel measures each run of each eBPF program"
        yield Finding("warn", "BPF statistics", text, "sysctl kernel.bpf_stats_enabled=0 when nobody looks at them")


def tracefs(patient: Patient) -> Iterator[Finding]:
    """Where tracepoints are found; the hooks that are left where the better ones do not attach."""
    if (patient.paths.root / "sys/kernel/tracing/events").exists():
        yield Finding("ok", "tracefs", "/sys/kernel/tracing")
        return
    remedy = "mount -t tracefs tracefs /sys/kernel/tracing (pysmon does so itself when it starts and may)"
    yield Finding("warn", "tracefs", "it is not mounted, or may not be read", remedy)


def cgroups(patient: Patient) -> Iterator[Finding]:
    """Where services and containers are told apart."""
    root = patient.paths.root
    found = next((name for name in _CGROUP_ROOTS if (root / name / "cgroup.procs").exists()), None)
    if found is None:
        remedy = "boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2 at /sys/fs/cgroup/unified"
        text = "not mounted: services and containers cannot be told apart, nor be a scope"
        yield Finding("warn", "cgroup v2", text, remedy)
    else:
        yield Finding("ok", "cgroup v2", f"/{found}")


def _capabilities(patient: Patient) -> frozenset[str]:
    try:
        return effective(patient.paths.root / "proc/self")
    except (OSError, ValueError, IndexError):  # no /proc, or none that we know
        return frozenset()
