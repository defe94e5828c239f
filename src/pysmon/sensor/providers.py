"""Which kernel programs serve which ability, best first: what does not load or attach here makes way for the next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """A way to see something: the kind of hook, and the programs that do it together."""

    hook: str
    programs: tuple[str, ...]
    some: bool = False  # True: those that attach are enough (system calls that an architecture does not have)
    one_of: tuple[str, ...] = ()  # with `some`: without any of these the others see nothing
    calls: bool = False  # True: it sees system calls alone, though it is inside the kernel


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that the sensor can see, with its providers in order of preference. A program may serve several."""

    name: str
    family: str
    providers: tuple[Provider, ...]
    required: bool = False
    everywhere: bool = True  # False: kernels without fexit, or without modules, cannot see it and are not to blame


def _exits(*calls: str) -> Provider:
    """The ends of these system calls: there on every kernel, blind for io_uring and 32-bit calls."""
    return Provider("tracepoint", tuple(f"on_{call}" for call in calls), some=True)


def _inside(*programs: str, some: bool = False) -> tuple[Provider, Provider]:
    """The same programs around the functions of system calls (x86-64), and at the tracepoints of these.

    Tracepoints at system calls, the first one of all, make every system call of the machine slower.
    """
    around = tuple(f"{program}_inside" for program in programs)
    return Provider("fexit", around, some=some, calls=True), Provider("tracepoint", programs, some=some)


_ACCEPTED = Provider("fexit", ("on_accepted",))
_TAKEN = Provider("fentry", ("on_packet_taken",))
_FILE_OPEN = Provider("fentry", ("on_file_open",))
_RENAMED = Provider("fexit", ("on_path_rename", "on_vfs_rename"))
_LINKED = Provider("fexit", ("on_path_link", "on_vfs_link"))
_SYMLINKED = Provider("fexit", ("on_path_symlink", "on_vfs_symlink"))
_UNLINKED = Provider("fexit", ("on_path_unlink", "on_vfs_unlink"))
_OPENED = _exits("open", "openat", "openat2", "creat")
_ACCESS = Provider("fexit", ("on_access",))
_MODULE_FILE = Provider("fentry", ("on_module_file", "on_module_load"))
_PROGRAM = Provider("fentry", ("on_program",))
_TIMES = Provider("fexit", ("on_vfs_utimes_begin", "on_vfs_utimes"))
_TIME_CALLS = ("utimensat", "futimesat", "utimes", "utime")
_CHANGES = ("on_change_time", "on_change_time_set", "on_change_time_kept")  # since 6.13
_CHANGE_TIMES = Provider(
    "tp_btf",
    (
        *_CHANGES,
        *(f"on_{call}_begin" for call in _TIME_CALLS),
        *(f"on_{call}" for call in _TIME_CALLS),
    ),
    some=True,
    one_of=_CHANGES,
)
# A cgroup program knows name and values, another one how the write ended.
_SETTINGS = Provider("fexit", ("on_sysctl", "on_sysctl_write"))
_WRITES = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile64", "splice")
_SETTING_CALLS = Provider("tracepoint", ("on_sysctl", *(f"on_{call}" for call in _WRITES)))
_TABLES = Provider("fexit", ("on_table_made", "on_table_removed"))
_DEVICES = Provider("fexit", ("on_device_rename_begin", "on_device_rename"))
_ATTRIBUTES = Provider("fexit", ("on_vfs_setxattr_begin", "on_vfs_setxattr"))
_LOOK_UPS = ("on_getaddrinfo", "on_gethostbyname", "on_gethostbyname2")
_LOOKED_UP = Provider("uprobe", (*_LOOK_UPS, "on_getaddrinfo_end", "on_gethostbyname_end"))
_MOVED = (
    Provider("tp_btf", ("on_socket_sent", "on_socket_received")),  # since 6.3
    Provider("fexit", ("on_inet_sent", "on_inet6_sent", "on_inet_received", "on_inet6_received")),
    _exits("dns_sendto", "dns_sendmsg", "dns_recvfrom_peer", "dns_recvmsg_peer"),
)
_MEMORY_CALLS = ("open", "openat", "openat2", "write", "writev", "pwrite64", "pwritev", "pwritev2")
_MEMORY_WRITES = Provider("tracepoint", tuple(f"on_memory_{call}" for call in _MEMORY_CALLS), some=True)
_CODE_CALLS = ("on_mprotect_begin", "on_mprotect", "on_pkey_mprotect_begin", "on_pkey_mprotect")
_MOVED_ELSE = _inside(*(f"on_dns_{call}" for call in ("recvfrom", "recvmsg", "sendmmsg", "recvmmsg")), some=True)
_FIFO_MADE = Provider("fexit", ("on_path_mknod", "on_vfs_mknod"))
_FIFO_OPENED = Provider("fexit", ("on_fifo_open",))
_BOUND = Provider("fexit", ("on_unix_bind",))
_CONNECTED = Provider("fexit", ("on_unix_stream_connect", "on_unix_dgram_connect"))
_PROTECTIONS = ("mprotect", "pkey_mprotect")
_BEGIN_AND_END = tuple(f"on_image_{call}{end}" for call in _PROTECTIONS for end in ("_begin", ""))
_PROTECTED = Provider("tracepoint", _BEGIN_AND_END, some=True)
_REACHING = ("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd")

ABILITIES = (
    Ability("processes", "process", (Provider("tp_btf", ("on_fork", "on_exec", "on_exit")),), required=True),
    Ability("running processes", "process", (Provider("iter", ("on_task", "on_number")),)),
    Ability("TCP connected", "network", (Provider("tp_btf", ("on_tcp_state",)),)),
    Ability("TCP accepted", "network", (_ACCEPTED, _exits("accept", "accept4"))),
    Ability("UDP sent", "network", (Provider("tp_btf", ("on_packet_out",)),)),
    Ability("UDP received", "network", (_TAKEN, _exits("recvfrom", "recvmsg"))),
    Ability("files created", "file create", (_FILE_OPEN, _OPENED)),
    Ability("files renamed", "file create", (_RENAMED, _exits("rename", "renameat", "renameat2"))),
    Ability("files linked", "file create", (_LINKED, _exits("link", "linkat"))),
    Ability("symbolic links made", "file create", (_SYMLINKED, _exits("symlink", "symlinkat"))),
    Ability("files deleted", "file delete", (_UNLINKED, _exits("unlink", "unlinkat"))),
    Ability("file times set", "file time", (_TIMES, _CHANGE_TIMES)),
    Ability("settings written", "sysctl", (_SETTINGS, _SETTING_CALLS)),
    Ability("tables of settings", "sysctl", (_TABLES,), everywhere=False),
    Ability("interfaces renamed", "sysctl", (_DEVICES,), everywhere=False),
    Ability("attributes set", "xattr", (_ATTRIBUTES, _exits("setxattr", "lsetxattr", "fsetxattr", "setxattrat"))),
    Ability("names looked up", "dns", (_LOOKED_UP,)),
    Ability("DNS messages", "dns", _MOVED),
    Ability("DNS messages from no fixed peer, or many at once", "dns", _MOVED_ELSE),
    Ability("FIFOs made", "pipe", (_FIFO_MADE, _exits("mknod", "mknodat"))),
    Ability("FIFOs opened", "pipe", (_FIFO_OPENED, _OPENED)),
    Ability("Unix sockets bound", "pipe", (_BOUND, _exits("bind"))),
    Ability("Unix sockets connected", "pipe", (_CONNECTED, _exits("connect"))),
    Ability("own process", "guard", (Provider("iter", ("on_ourselves",)),)),
    Ability("own signals", "guard", (Provider("tp_btf", ("on_signal",)),)),
    Ability("own kernel objects", "guard", (Provider("fentry", ("on_bpf_command",)), _exits("bpf"))),
    Ability("own memory", "guard", (_ACCESS, _exits(*_REACHING))),
    Ability("processes accessed", "process access", (_ACCESS, _exits(*_REACHING))),
    Ability("BPF programs loaded", "bpf", (_PROGRAM, Provider("tracepoint", ("on_program_load",)))),
    Ability("BPF programs attached", "bpf", _inside("on_program_attach")),
    Ability("devices opened", "raw access", (_FILE_OPEN, _OPENED)),
    Ability("programs mapped", "image load", (Provider("tp_btf", ("on_program_image",)),)),
    Ability("interpreters mapped", "image load", (Provider("tp_btf", ("on_interpreter_image",)),)),
    Ability("libraries mapped", "image load", (Provider("fexit", ("on_vm_mmap",)), _exits("mmap"))),
    Ability("mappings made executable", "image load", (Provider("fexit", ("on_file_mprotect",)), _PROTECTED)),
    Ability("modules loaded", "module", (_MODULE_FILE, Provider("tp_btf", ("on_module_load",))), everywhere=False),
    Ability("memory of processes opened", "process access", (_ACCESS, _OPENED)),
    Ability("processes injected by ptrace", "injection", _inside("on_registers", "on_poke")),
    Ability("processes injected by process_vm_writev", "injection", _inside("on_written")),
    Ability("memory of processes written", "injection", (Provider("fexit", ("on_mem_write",)), _MEMORY_WRITES)),
    Ability("program file changed", "tampering", _inside("on_relinked")),
    Ability("code made writable", "tampering", _inside(*_CODE_CALLS, some=True)),
    Ability("program mapped over", "tampering", _inside("on_mapped_over", "on_moved_over")),
)
