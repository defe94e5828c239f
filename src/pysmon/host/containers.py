"""Which container or service a process belongs to, read from the path of its cgroup."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_ID = r"(?P<id>[0-9a-f]{64}|[0-9a-f]{32}-\d+)"
# One pattern per runtime, for the last component that fits: systemd's scopes, or plain directories (cgroupfs driver).
_SCOPES = re.compile(rf"(?P<runtime>docker|libpod|cri-containerd|crio|nerdctl|containerd)-{_ID}\.scope\Z")
_PLAIN = re.compile(rf"{_ID}\Z")
_NSPAWN = re.compile(r"systemd-nspawn@(?P<name>[^/]+)\.service\Z")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")  # how systemd writes odd characters in names of units
_LXC = re.compile(r"(?:lxc\.payload[.@-]|lxc/)(?P<name>[^/]+)")
_POD = re.compile(r"pod(?P<pod>[0-9a-f]{8}([-_])[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{4}\2[0-9a-f]{12})(?:\.slice)?\Z")
_RUNTIMES = {"libpod": "podman", "cri-containerd": "containerd", "crio": "cri-o", "nerdctl": "containerd"}
_PARENTS = {"docker": "docker", "libpod_parent": "podman", "machine.slice": "podman"}


@dataclass(frozen=True, slots=True)
class Container:
    """What a cgroup path tells; a part that it does not tell is empty."""

    runtime: str = ""  # docker, podman, containerd, cri-o, lxc, systemd-nspawn
    id: str = ""  # of lxc and systemd-nspawn: the name
    pod: str = ""  # uid of the Kubernetes pod
    unit: str = ""  # innermost systemd unit: nginx.service, session-3.scope


@lru_cache(maxsize=1024)
def container_of(cgroup_path: str) -> Container:
    """Read a cgroup (v2) path such as `/system.slice/docker-<id>.scope`."""
    parts = [p for p in cgroup_path.split("/") if p]
    runtime, number = _runtime(parts)
    return Container(runtime=runtime, id=number, pod=_pod(parts), unit=_unit(parts) if not number else "")


def _runtime(parts: list[str]) -> tuple[str, str]:
    for i in range(len(parts) - 1, -1, -1):
        scope = _SCOPES.match(parts[i])
        if scope:
            return _RUNTIMES.get(scope["runtime"], scope["runtime"]), scope["id"]
        plain = _PLAIN.match(parts[i])
        if plain:
            return _of_parents(parts[:i]), plain["id"]
        machine = _NSPAWN.match(parts[i])
        if machine:
            return "systemd-nspawn", _ESCAPED.sub(lambda found: chr(int(found[1], 16)), machine["name"])
    found = _LXC.search("/".join(parts))
    return ("lxc", found["name"]) if found else ("", "")


def _of_parents(parents: list[str]) -> str:
    for name in reversed(parents):
        if name in _PARENTS:
            return _PARENTS[name]
    # Kubernetes with the cgroupfs driver does not name the runtime.
    return ""


def _pod(parts: list[str]) -> str:
    for part in reversed(parts):
        found = _POD.search(part)
        if found:
            return found["pod"].replace("_", "-")
    return ""


def _unit(parts: list[str]) -> str:
    return next((p for p in reversed(parts) if p.endswith((".service", ".scope"))), "")
