"""Which programs are on their hooks: those of the families that somebody asks for, and no other.

A hook costs a little whenever it is passed, and the first tracepoint at a system call makes all of them slower. So a
program is attached when a family that it serves is asked for, and let go when nobody asks any more. Programs stay
loaded all the while: attaching one takes some 50 us, loading all of them more than a second.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace

from pysmon.sensor.libbpf import Object
from pysmon.sensor.libraries import PROBES
from pysmon.sensor.libraries import attach as attach_to_library
from pysmon.sensor.loader import Loaded, Service, attach_provider, load_more
from pysmon.sensor.providers import Ability

LIFECYCLE = frozenset({"process", "fork"})  # what the process table lives on: always asked for
_RESTART = "a restart of pysmon may attach it, which this process has given up the right to do"


class Hooks:
    """The hooks of a loaded object. Safe to use from several threads."""

    def __init__(self, loaded: Loaded, families: Iterable[str], later: Iterable[Ability] = ()) -> None:
        """Take what `load` has attached for these families; what serves abilities of `later` comes by `load`."""
        self._object: Object = loaded.object
        self._services = {service.ability.name: service for service in loaded.services}
        self._later = {ability.name: ability for ability in later}
        self._in_force = frozenset(families)
        self._always = set(LIFECYCLE)
        self._awaited: Counter[frozenset[str]] = Counter()
        self._letting_go: threading.Thread | None = None
        self._state = threading.Lock()  # of the fields above; held for a moment only
        self._work = threading.Lock()  # while programs come and go

    @property
    def services(self) -> tuple[Service, ...]:
        """What serves each ability, as far as they are loaded, whether it is asked for now or not."""
        return tuple(self._services.values())

    def load(self, families: Iterable[str], *, always: str) -> None:
        """Load and attach what these families need, awaited as by `prepare`, and another for good."""
        awaited = frozenset(families)
        due = [ability for ability in self._later.values() if ability.family in awaited | {always}]
        with self._state:
            self._awaited[awaited] += 1
        with self._work:
            found = load_more(self._object, due, attach=awaited | {always})
            for service in found:
                del self._later[service.ability.name]
            self._services |= {service.ability.name: service for service in found}
        with self._state:
            self._always.add(always)

    def load_rest(self) -> None:
        """Load, without attaching it, what may be asked for later."""
        with self._work:
            found = load_more(self._object, self._later.values(), attach=())
            self._later.clear()
            self._services |= {service.ability.name: service for service in found}

    def prepare(self, families: Iterable[str]) -> list[Service]:
        """Attach what these families need besides what is attached: they are awaited until `settle` comes with them.

        Returns the services that turn out not to work after all.
        """
        awaited = frozenset(families)
        with self._state:
            self._awaited[awaited] += 1
        return self._attach(awaited)

    def always(self, family: str) -> None:
        """Attach what this family needs, for good."""
        with self._state:
            if family in self._always:
                return
            self._always.add(family)
        self._attach({family})

    def settle(self, families: Iterable[str]) -> None:
        """These families are in force now: let go what neither they nor awaited ones need, in a thread of its own.

        Returns at once if they were prepared.
        """
        with self._state:
            self._in_force = frozenset(families)
            prepared = self._awaited[self._in_force] > 0
            self._awaited[self._in_force] -= 1
            self._awaited = +self._awaited
        if not prepared:
            self._attach(self._in_force)
        with self._state:
            if self._letting_go is None and self._needless():
                self._letting_go = threading.Thread(target=self._let_go, name="pysmon hooks", daemon=True)
                self._letting_go.start()

    def watch_library(self, path: str) -> None:
        """Attach to the functions of this file too, now and whenever its programs are attached."""
        with self._work:
            self._object.files.append(path)
            for program in PROBES.keys() & self._object.attached:
                attach_to_library(self._object, program, [path])

    def close(self) -> None:
        """Wait until what is being let go is gone."""
        thread = self._letting_go
        if thread is not None:
            thread.join()

    def _attach(self, families: Collection[str]) -> list[Service]:
        failed = []
        with self._work:
            for name, service in self._services.items():
                if service.provider is None or service.ability.family not in families:
                    continue
                reason = attach_provider(self._object, service.provider, {})
                if reason:
                    refusal = f"{service.provider.hook}: {reason}; {_RESTART}"
                    failed.append(replace(service, provider=None, refusals=(*service.refusals, refusal)))
                    self._services[name] = failed[-1]
        return failed

    def _let_go(self) -> None:
        while True:
            with self._work:
                with self._state:
                    needless = self._needless()
                    if not needless:
                        self._letting_go = None
                        return
                self._object.detach(needless)

    def _needless(self) -> frozenset[str]:
        asked = self._always.union(self._in_force, *self._awaited)
        return self._object.attached - {
            program
            for service in self._services.values()
            if service.provider and service.ability.family in asked
            for program in service.provider.programs
        }
