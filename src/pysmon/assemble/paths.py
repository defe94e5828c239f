"""Texts that the kernel sends in pieces: paths from components, names, arguments."""

from __future__ import annotations

from functools import lru_cache
from posixpath import normpath

from pysmon.sensor.memory_records import NAMELESS
from pysmon.sensor.records import kernel_path

DELETED = " (deleted)"  # as /proc shows a file that has no name any more
_NONE = "-"


@lru_cache(maxsize=2048)  # programs and directories come again and again
def known_path(components: bytes) -> str:
    """As `kernel_path`, remembering; `-` for no components at all."""
    return kernel_path(components) if components else _NONE


def module_path(components: bytes, region: int) -> str:
    """The file of a region as /proc/PID/maps shows it: with a word behind it if it has no name any more."""
    path = known_path(components)
    return path + DELETED if region == NAMELESS and components else path


@lru_cache(maxsize=1024)
def directory_path(components: bytes) -> str:
    """As `kernel_path`, remembering; `/` has no components."""
    return kernel_path(components)


@lru_cache(maxsize=1024)
def folder_path(components: bytes) -> str:
    """What stands before the name of a file: its folder with a slash behind it."""
    return f"{kernel_path(components)}/" if components else "/"


def target(path: bytes, directory: bytes, name: bytes) -> str:
    """The file that a record names: its whole path, or a name as a process gave it with the directory it starts from.

    Names are made absolute by their text alone (`.`, `..`, `//`): the file may be gone, so no link can be asked.
    """
    if path:  # names come once, their directories again and again
        leaf, _, folder = path.partition(b"\0")
        return f"{folder_path(folder)}{leaf.decode('utf-8', 'surrogateescape')}"
    given = text(name)
    if not given:
        return _NONE
    whole = given if given[0] == "/" and not directory else f"{directory_path(directory)}/{given}"
    if "/." in whole or "//" in whole or whole[-1] == "/":
        return "/" + normpath(whole).lstrip("/")
    return whole


def text(ended: bytes) -> str:
    """A text that ends at its first NUL. Bytes that are no UTF-8 become surrogates."""
    return ended.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def command_line(args: bytes) -> str:
    """Arguments as Sysmon shows them: spaces between, nothing quoted."""
    if args[-1:] == b"\0":
        args = args[:-1]
    return args.replace(b"\0", b" ").decode("utf-8", "surrogateescape") or _NONE
