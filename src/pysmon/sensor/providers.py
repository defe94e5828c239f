"""Which kernel programs serve which ability, best first. One that does not load or attach here makes way for the next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """A way to see something: the kind of hook, and the programs that do it together."""

    hook: str
    programs: tuple[str, ...]
    some: bool = False  # True: those that attach are enough (system calls that an architecture does not have)


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that the sensor can see, with its providers in order of preference."""

    name: str
    family: str
    providers: tuple[Provider, ...]
    required: bool = False


ABILITIES = (
    Ability("processes", "process", (Provider("tp_btf", ("on_fork", "on_exec", "on_exit")),), required=True),
    Ability("running processes", "process", (Provider("iter", ("on_task",)),)),
    Ability("TCP connected", "network", (Provider("tp_btf", ("on_tcp_state",)),)),
    Ability("TCP accepted", "network", (Provider("tracepoint", ("on_accept", "on_accept4"), some=True),)),
    Ability("UDP sent", "network", (Provider("tp_btf", ("on_packet_out",)),)),
    Ability("UDP received", "network", (Provider("tracepoint", ("on_recvfrom", "on_recvmsg")),)),
    Ability(
        "files created",
        "file create",
        (Provider("tracepoint", ("on_open", "on_openat", "on_openat2", "on_creat"), some=True),),
    ),
    Ability(
        "files renamed and linked",
        "file create",
        (Provider("tracepoint", ("on_rename", "on_renameat", "on_renameat2", "on_link", "on_linkat"), some=True),),
    ),
    Ability("files deleted", "file delete", (Provider("tracepoint", ("on_unlink", "on_unlinkat"), some=True),)),
)
