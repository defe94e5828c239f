"""What container runtimes tell of a container in files of their own: its name, its image, its pod, its disk.

Read are the runtime bundle of OCI (`config.json`: containerd, nerdctl, CRI-O, podman and docker have one), docker's
`config.v2.json`, and the list of containers of containers/storage (podman, CRI-O). All are written by root; they are
read with bounds all the same, and what is not as expected is as good as absent.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from pysmon.host.containers import Container
from pysmon.host.machine import mount_namespace

LIMIT = 4 << 20  # bytes of a file: the list of containers grows with their number
TEXT_LIMIT = 512  # characters of a name
_MOUNTS = 256  # of a container that are looked at
_NAMESPACES = 64  # of containerd
_REMEMBERED = 1024
_KEPT, _AGAIN = 600.0, 10.0  # s for which an answer holds: a container may be renamed, or its files may be yet to come
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW
_NAME = ("io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name")
_IMAGE = ("io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName")
_POD = ("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name")
_POD_NAMESPACE = ("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace")
_POD_UID = ("io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid")
# Below these, containerd has a folder for each of its namespaces, and a bundle for each container in that.
_TASKS = (
    "run/containerd/io.containerd.runtime.v2.task",
    "run/docker/containerd/daemon/io.containerd.runtime.v2.task",
    "run/k3s/containerd/io.containerd.runtime.v2.task",
)
_STORAGE = ("run/containers/storage/overlay-containers", "var/lib/containers/storage/overlay-containers")
_LISTS = ("containers.json", "volatile-containers.json")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Described:
    """What its runtime tells of a container; a part that it does not tell is empty."""

    name: str = ""
    image: str = ""  # as it was asked for: `docker.io/library/nginx:1.27`
    pod: str = ""
    pod_namespace: str = ""
    pod_uid: str = ""
    root: str = ""  # where the machine sees the container's root directory
    mounts: tuple[tuple[str, str], ...] = ()  # inside and on the machine (empty: not a folder of it), longest first

    def on_host(self, path: str) -> str:
        """Where the machine sees a file of the container; empty if that is not known."""
        for inside, outside in self.mounts:
            if path == inside or path.startswith(inside.rstrip("/") + "/"):
                return outside + path[len(inside.rstrip("/")) :] if outside else ""
        return self.root + path if self.root else ""


class Containers:
    """Asks the runtimes' files, and remembers what they said."""

    def __init__(self, root: Path = Path("/"), *, clock: Callable[[], float] = time.monotonic) -> None:
        """`root` is where their folders stand; `clock` is in seconds."""
        self._root = root
        self.mount_namespace = mount_namespace(root)  # of the machine, not of a container
        self._clock = clock
        self._known: dict[str, tuple[float, Described]] = {}

    def about(self, container: Container) -> Described:
        """What is told of that container: nothing if its id is no plain name."""
        number = container.id
        if container.runtime in ("lxc", "systemd-nspawn"):
            return Described(name=number)
        if not number or "/" in number or number.startswith("."):
            return Described()
        now = self._clock()
        until, known = self._known.get(number, (0.0, Described()))
        if now < until:
            return known
        found = self._ask(number)
        self._known.pop(number, None)
        if len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[number] = now + (_KEPT if found != Described() else _AGAIN), found
        return found

    def _ask(self, number: str) -> Described:
        found = next((_of_spec(spec, bundle) for bundle, spec in self._specs(number)), Described())
        docker = _read(self._root / "var/lib/docker/containers" / number / "config.v2.json", _Docker)
        if docker:
            labels = docker.Config.Labels or {}
            told = _of_labels(labels)
            name = _first(labels, _NAME) or _short(docker.Name.removeprefix("/"))
            return _over(found, _over(told, Described(name=name, image=_short(docker.Config.Image))))
        return found if found.name and found.image else _over(found, self._stored(number))

    def _specs(self, number: str) -> Iterator[tuple[Path, _Spec]]:
        for bundle in self._bundles(number):
            spec = _read(bundle / "config.json", _Spec)
            if spec:
                yield bundle, spec

    def _bundles(self, number: str) -> Iterator[Path]:
        for folder in _STORAGE:
            yield self._root / folder / number / "userdata"
        for folder in _TASKS:
            try:
                with os.scandir(self._root / folder) as namespaces:
                    names = [entry.name for _, entry in zip(range(_NAMESPACES), namespaces, strict=False)]
            except OSError:
                continue
            for name in names:
                yield self._root / folder / name / number

    def _stored(self, number: str) -> Described:
        """From the lists of containers/storage."""
        for name in _LISTS:
            for entry in _read(self._root / _STORAGE[1] / name, list[_Stored]) or ():
                if entry.id == number:
                    told = _decode(entry.metadata.encode("utf-8", "replace"), _Metadata) or _Metadata()
                    return Described(
                        name=_short(told.name or next(iter(entry.names or ()), "")), image=_short(told.image)
                    )
        return Described()


class _Root(msgspec.Struct):
    path: str = ""


class _Mount(msgspec.Struct):
    destination: str = ""
    type: str = ""
    source: str = ""
    options: list[str] | None = None


class _Spec(msgspec.Struct):
    annotations: dict[str, str] | None = None
    root: _Root | None = None
    mounts: list[_Mount] | None = None


class _Config(msgspec.Struct):
    Image: str = ""
    Labels: dict[str, str] | None = None


class _Docker(msgspec.Struct):
    Config: _Config
    Name: str = ""


class _Stored(msgspec.Struct):
    id: str = ""
    names: list[str] | None = None
    metadata: str = ""


class _Metadata(msgspec.Struct):
    name: str = ""
    image: str = msgspec.field(default="", name="image-name")


def _of_spec(spec: _Spec, bundle: Path) -> Described:
    root = spec.root.path if spec.root else ""
    found = [_mount(m) for m in (spec.mounts or [])[:_MOUNTS] if m.destination.startswith("/")]
    mounts = tuple(sorted(found, key=lambda pair: -len(pair[0])))
    told = _of_labels(spec.annotations or {})
    where = os.path.normpath(os.path.join(bundle, root)) if root and "\0" not in root else ""
    return _over(told, Described(root=where, mounts=mounts))


def _mount(mount: _Mount) -> tuple[str, str]:
    bound = mount.type == "bind" or {"bind", "rbind"} & set(mount.options or ())
    source = mount.source if bound and mount.source.startswith("/") else ""
    return os.path.normpath(mount.destination), source.rstrip("/")


def _of_labels(labels: Mapping[str, str]) -> Described:
    return Described(
        name=_first(labels, _NAME),
        image=_first(labels, _IMAGE),
        pod=_first(labels, _POD),
        pod_namespace=_first(labels, _POD_NAMESPACE),
        pod_uid=_first(labels, _POD_UID),
    )


def _over(first: Described, then: Described) -> Described:
    """Of each part, what the first tells, else the other."""
    return Described(*(getattr(first, name) or getattr(then, name) for name in Described.__slots__))


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((_short(labels[name]) for name in names if labels.get(name)), "")


def _short(text: str) -> str:
    return text[:TEXT_LIMIT]


def _read(path: Path, kind: type[T]) -> T | None:
    """A regular file as a value of that kind; None if it is not there, too large, or something else."""
    try:
        file = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LIMIT:
            return None
        return _decode(b"".join(iter(lambda: os.read(file, LIMIT), b"")), kind)
    except OSError:
        return None
    finally:
        os.close(file)


def _decode(data: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
