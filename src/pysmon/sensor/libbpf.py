"""The distribution's libbpf, by ctypes: just the calls that the sensor makes, and its log.

Why this library and no other: docs/design/decisions/0001. Call names and signatures: libbpf.h, version 1.0 and later.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from ctypes import c_bool, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

from pysmon.errors import SensorError
from pysmon.sensor.records import LINK, MAP, PROGRAM

_SIGNATURES: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("bpf_object__open_file", c_void_p, (c_char_p, c_void_p)),
    ("bpf_object__load", c_int, (c_void_p,)),
    ("bpf_object__close", None, (c_void_p,)),
    ("bpf_object__next_program", c_void_p, (c_void_p, c_void_p)),
    ("bpf_object__find_map_by_name", c_void_p, (c_void_p, c_char_p)),
    ("bpf_object__next_map", c_void_p, (c_void_p, c_void_p)),
    ("bpf_program__name", c_char_p, (c_void_p,)),
    ("bpf_program__section_name", c_char_p, (c_void_p,)),
    ("bpf_program__set_autoload", c_int, (c_void_p, c_bool)),
    ("bpf_program__fd", c_int, (c_void_p,)),
    ("bpf_program__attach", c_void_p, (c_void_p,)),
    ("bpf_program__attach_cgroup", c_void_p, (c_void_p, c_int)),
    ("bpf_program__attach_uprobe_opts", c_void_p, (c_void_p, c_int, c_char_p, c_size_t, c_void_p)),
    ("bpf_program__attach_iter", c_void_p, (c_void_p, c_void_p)),
    ("bpf_link__fd", c_int, (c_void_p,)),
    ("bpf_link__destroy", c_int, (c_void_p,)),
    ("bpf_iter_create", c_int, (c_int,)),
    ("bpf_map__fd", c_int, (c_void_p,)),
    ("bpf_map__name", c_char_p, (c_void_p,)),
    ("bpf_map__reuse_fd", c_int, (c_void_p, c_int)),
    ("bpf_map__initial_value", c_void_p, (c_void_p, c_void_p)),
    ("bpf_map__set_max_entries", c_int, (c_void_p, c_uint32)),
    ("bpf_map_lookup_elem", c_int, (c_int, c_void_p, c_void_p)),
    ("bpf_map_update_elem", c_int, (c_int, c_void_p, c_void_p, c_uint64)),
    ("bpf_map_delete_elem", c_int, (c_int, c_void_p)),
    ("bpf_map_get_next_key", c_int, (c_int, c_void_p, c_void_p)),
    ("bpf_obj_get_info_by_fd", c_int, (c_int, c_void_p, c_void_p)),
    ("libbpf_num_possible_cpus", c_int, ()),
    ("libbpf_set_print", c_void_p, (c_void_p,)),
)
_PRINT = ctypes.CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)
_WARNING = 0  # enum libbpf_print_level
_INFO_SIZE = 8  # of bpf_prog_info, bpf_map_info and bpf_link_info: their type and their id
_ID = struct.Struct("<4xI")
_VERIFIED = struct.Struct("<216xI")  # where bpf_prog_info has verified_insns, since Linux 5.16
_EVERY_PROCESS = -1
_ARENA_MAX = -8  # malloc.h


class _UprobeOptions(ctypes.Structure):
    """struct bpf_uprobe_opts, as far as it goes in version 1.0."""

    _fields_ = (
        ("sz", c_size_t),
        ("ref_ctr_offset", c_size_t),
        ("bpf_cookie", c_uint64),
        ("retprobe", c_bool),
        ("func_name", c_char_p),
    )


class _OpenOptions(ctypes.Structure):
    """struct bpf_object_open_opts, up to the types that programs are fitted to."""

    _fields_ = (
        ("sz", c_size_t),
        ("object_name", c_char_p),
        ("relaxed_maps", c_bool),
        ("pin_root_path", c_char_p),
        ("unused", c_uint32),
        ("kconfig", c_char_p),
        ("btf_custom_path", c_char_p),
    )


class Log:
    """What libbpf warned of since the last `clear`: the only place where it names the program that failed."""

    def __init__(self) -> None:
        """Start empty."""
        self._parts: list[str] = []
        libc = ctypes.CDLL(None)
        libc.vsnprintf.argtypes = (c_void_p, c_size_t, c_char_p, c_void_p)

        def take(level: int, form: bytes, values: int) -> int:
            if level == _WARNING:
                text = ctypes.create_string_buffer(1 << 16)
                libc.vsnprintf(text, len(text), form, values)
                self._parts.append(text.value.decode(errors="replace"))
            return 0

        self.callback = _PRINT(take)

    def clear(self) -> None:
        """Forget."""
        self._parts.clear()

    def listen(self, lib: Any, *, yes: bool) -> None:
        """Take what libbpf says, or not: of loading it tells so much that hearing it costs a tenth of the work."""
        lib.libbpf_set_print(ctypes.cast(self.callback, c_void_p) if yes else None)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)


@cache
def library() -> tuple[Any, Log]:
    """The loaded library and its log; SensorError with the package's name where there is none."""
    for name in ("libbpf.so.1", "libbpf.so.0"):
        try:
            lib = ctypes.CDLL(name, use_errno=True)
            break
        except OSError:
            continue
    else:
        raise SensorError(
            "libbpf is not installed",
            hint="Debian, Ubuntu: apt install libbpf1 (libbpf0 on older releases); Fedora, RHEL: dnf install libbpf",
        )
    for call, result, arguments in _SIGNATURES:
        function = getattr(lib, call)
        function.restype, function.argtypes = result, arguments
    log = Log()
    log.listen(lib, yes=True)
    return lib, log


def share_one_heap() -> None:
    """Let all threads take memory from one place, before there are threads: what one gives back to a place of its own,
    as the thread that loads programs does with some 10 MB, is lost to the others and to the system.
    """
    option = getattr(ctypes.CDLL(None), "mallopt", None)  # of glibc
    if option is not None:
        option(_ARENA_MAX, 1)


def give_back_memory() -> None:
    """Return to the system what loading has left behind: the kernel's type information alone takes some 10 MB."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; others have no need of it
    if trim is not None:
        trim(0)


def possible_cpus() -> int:
    """How many CPUs the kernel may ever have: the number of values of a per-CPU map."""
    return int(library()[0].libbpf_num_possible_cpus())


class Map:
    """A map of a loaded object, by its file descriptor."""

    def __init__(self, fd: int) -> None:
        """Borrow `fd`: the object closes it."""
        self.fd = fd

    def update(self, key: bytes, value: bytes) -> None:
        """Set a value; SensorError if the kernel refuses."""
        if library()[0].bpf_map_update_elem(self.fd, key, value, 0):
            raise SensorError(f"cannot write a map of the sensor: {os.strerror(ctypes.get_errno())}")

    def lookup(self, key: bytes, size: int) -> bytes | None:
        """The value of `size` bytes (times the possible CPUs for a per-CPU map) under `key`, or None."""
        value = ctypes.create_string_buffer(size)
        return None if library()[0].bpf_map_lookup_elem(self.fd, key, value) else value.raw

    def lookup_into(self, key: bytes, value: ctypes.Array[ctypes.c_char]) -> bool:
        """As `lookup`, into a place that is there already: for who looks often. False if there is no such value."""
        return not library()[0].bpf_map_lookup_elem(self.fd, key, value)

    def delete(self, key: bytes) -> None:
        """Remove a value, if it is there."""
        library()[0].bpf_map_delete_elem(self.fd, key)

    def clear(self, key_size: int) -> None:
        """Remove all values; keys have `key_size` bytes."""
        lib, key = library()[0], ctypes.create_string_buffer(key_size)
        while lib.bpf_map_get_next_key(self.fd, None, key) == 0:
            lib.bpf_map_delete_elem(self.fd, key)


class Object:
    """A kernel object file: opened, loaded with some of its programs, its links and maps."""

    def __init__(self, path: str, types: str = "") -> None:
        """Open the file; nothing reaches the kernel yet. `types`: a file to fit it to, not all that the kernel has."""
        self._lib, self._log = library()
        self._path, self._types = path, types
        self._object = self._opened()
        self._more: list[int] = []  # the file opened again for more of its programs
        self._closed = False
        self.loaded: set[str] = set()  # names of programs
        self.files: list[str] = []  # those to whose functions programs attach
        self._links: dict[str, list[int]] = {}  # of what is attached, by program
        self.programs = self._programs(self._object)

    def _opened(self) -> int:
        self._log.clear()
        options = _OpenOptions(ctypes.sizeof(_OpenOptions), btf_custom_path=self._types.encode() or None)
        handle: int | None = self._lib.bpf_object__open_file(self._path.encode(), ctypes.byref(options))
        if handle:
            return handle
        raise SensorError(f"cannot open the kernel object {self._path}: {self._log.text.strip() or 'no reason given'}")

    def _programs(self, opened: int) -> dict[str, int]:
        found, handle = dict[str, int](), None
        while handle := self._lib.bpf_object__next_program(opened, handle):
            found[self._lib.bpf_program__name(handle).decode()] = handle
        return found

    def _maps(self, opened: int) -> Iterator[int]:
        handle = None
        while handle := self._lib.bpf_object__next_map(opened, handle):
            yield handle

    def section(self, program: str) -> str:
        """The section that names what the program attaches to."""
        return str(self._lib.bpf_program__section_name(self.programs[program]).decode())

    def constant(self, name: str, size: int) -> bytes:
        """The first `size` bytes of a data section (such as `.rodata`) as compiled."""
        handle = self._lib.bpf_object__find_map_by_name(self._object, name.encode())
        address = self._lib.bpf_map__initial_value(handle, ctypes.byref(c_size_t())) if handle else None
        return ctypes.string_at(address, size) if address else b""

    def resize(self, name: str, entries: int) -> None:
        """Set how many entries a map has, before loading."""
        self._lib.bpf_map__set_max_entries(self._map(name), entries)

    def load(self, programs: set[str]) -> str:
        """Load just these programs, or these too, to work with the maps that are there.

        Returns "" or libbpf's account of why it failed. The first time only `close` is left to do then; later all else
        stays as it is.
        """
        if not self.loaded:
            return self._load(self._object, self.programs, programs)
        self._log.listen(self._lib, yes=False)
        try:
            failed = self._load_more(programs)
        finally:
            self._log.listen(self._lib, yes=True)
        return self._load_more(programs) if failed else ""  # once more, to hear why

    def _load_more(self, programs: set[str]) -> str:
        more = self._opened()
        for handle in self._maps(more):
            own = self._lib.bpf_map__fd(self._map(self._lib.bpf_map__name(handle).decode()))
            self._lib.bpf_map__reuse_fd(handle, own)
        there = self._programs(more)
        if trouble := self._load(more, there, programs):
            self._lib.bpf_object__close(more)
            return trouble
        self._more.append(more)
        self.programs.update((name, there[name]) for name in programs)
        return ""

    def _load(self, opened: int, there: Mapping[str, int], programs: set[str]) -> str:
        for name, handle in there.items():
            self._lib.bpf_program__set_autoload(handle, name in programs)
        self._log.clear()
        failed = self._lib.bpf_object__load(opened)
        if failed:
            return f"{os.strerror(-failed)}\n{self._log.text}"
        self.loaded |= programs
        return ""

    def attach(self, program: str) -> str:
        """Attach a loaded program, unless it is. Returns "" or the reason why not."""
        if program in self._links:
            return ""
        self._log.clear()
        return self._keep(program, self._lib.bpf_program__attach(self.programs[program]))

    def attach_cgroup(self, program: str, folder: Path) -> str:
        """As `attach`, to the cgroup (v2) of that folder."""
        if program in self._links:
            return ""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            return f"{folder}: {error.strerror}"
        try:
            return self._keep(program, self._lib.bpf_program__attach_cgroup(self.programs[program], descriptor))
        finally:
            os.close(descriptor)

    def _keep(self, program: str, link: int | None) -> str:
        if not link:
            return os.strerror(ctypes.get_errno())
        self._links[program] = [link]
        return ""

    def attach_to_function(self, program: str, file: str, function: str, *, end: bool) -> str:
        """Attach a loaded program where a function of a file begins, or where it returns (`end`), in every process.

        Returns "" or the reason why not.
        """
        self._log.clear()
        options = _UprobeOptions(ctypes.sizeof(_UprobeOptions), 0, 0, end, function.encode())
        place = (self.programs[program], _EVERY_PROCESS, os.fsencode(file), 0, ctypes.byref(options))
        link = self._lib.bpf_program__attach_uprobe_opts(*place)
        if not link:
            return os.strerror(ctypes.get_errno())
        self._links.setdefault(program, []).append(link)
        return ""

    @property
    def attached(self) -> frozenset[str]:
        """The programs that are."""
        return frozenset(self._links)

    def detach(self, programs: Iterable[str]) -> None:
        """Take these programs off their hooks, those that are on; they stay loaded. It takes its time."""
        links = [link for program in programs for link in self._links.pop(program, ())]
        from concurrent.futures import ThreadPoolExecutor  # much to import, for what most runs do at their end

        # The kernel waits some 70 ms for each tracepoint that is let go; waiting at once for all costs half.
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._lib.bpf_link__destroy, links))

    def iterate(self, program: str) -> bytes:
        """Run an iterator program once and return all that it wrote."""
        link = self._lib.bpf_program__attach_iter(self.programs[program], None)
        if not link:
            raise SensorError(f"cannot attach {program}: {os.strerror(ctypes.get_errno())}")
        try:
            fd = self._lib.bpf_iter_create(self._lib.bpf_link__fd(link))
            if fd < 0:
                raise SensorError(f"cannot run {program}: {os.strerror(-fd)}")
            with os.fdopen(fd, "rb") as output:
                return output.read()
        finally:
            self._lib.bpf_link__destroy(link)

    def map(self, name: str) -> Map:
        """A map of the loaded object."""
        return Map(self._lib.bpf_map__fd(self._map(name)))

    def ids(self) -> Iterator[tuple[int, int]]:
        """What the kernel calls all that is loaded: the kind (PROGRAM, MAP, LINK of records.py) and the id of each."""
        fds = [(PROGRAM, self._lib.bpf_program__fd(handle)) for handle in self.programs.values()]
        fds += [(LINK, self._lib.bpf_link__fd(link)) for links in self._links.values() for link in links]
        fds += [(MAP, self._lib.bpf_map__fd(handle)) for handle in self._maps(self._object)]
        for kind, fd in fds:
            info, size = ctypes.create_string_buffer(_INFO_SIZE), c_uint32(_INFO_SIZE)
            if fd >= 0 and self._lib.bpf_obj_get_info_by_fd(fd, info, ctypes.byref(size)) == 0:
                yield kind, _ID.unpack_from(info)[0]

    def verified(self) -> dict[str, int]:
        """By loaded program, how many instructions the kernel's verifier has walked; 0 where it does not tell."""
        found = {}
        for name, handle in self.programs.items():
            fd = self._lib.bpf_program__fd(handle)
            info, size = ctypes.create_string_buffer(_VERIFIED.size), c_uint32(_VERIFIED.size)
            if fd >= 0 and self._lib.bpf_obj_get_info_by_fd(fd, info, ctypes.byref(size)) == 0:
                found[name] = int(_VERIFIED.unpack_from(info)[0])
        return found

    def close(self) -> None:
        """Detach and unload everything; a second call does nothing."""
        self.detach(self.attached)
        if not self._closed:
            self._closed = True
            for opened in (*self._more, self._object):
                self._lib.bpf_object__close(opened)

    def _map(self, name: str) -> Any:
        handle = self._lib.bpf_object__find_map_by_name(self._object, name.encode())
        if not handle:
            raise SensorError(f"the kernel object has no map {name}")
        return handle
