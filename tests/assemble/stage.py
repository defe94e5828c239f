"""A builder on a made-up machine, and the records of made-up processes."""

from __future__ import annotations

from pysmon.assemble.builder import Builder
from pysmon.host.guid import Machine
from pysmon.host.users import Users
from pysmon.sensor.records import (
    ExecRecord,
    ExitRecord,
    FileCreateRecord,
    FileDeleteRecord,
    FlowRecord,
    ForkRecord,
    TaskRecord,
    components_of,
)

SECOND = 1_000_000_000
BOOT = 1_795_240_000 * SECOND  # 2026-11-21 05:46:40
MACHINE = Machine(0xB635B3DB, 99, BOOT)
NAMES = {0: "root", 1000: "joe", 1001: "ann"}
UNSET = 4294967295

Key = tuple[int, int, int]  # tgid, start, exec_id
SHELL: Key = (10, 5 * SECOND, 2)
CHILD: Key = (11, 6 * SECOND, 2)


def users() -> Users:
    """Users of a database that does not exist on this machine."""
    return Users(ask=NAMES.__getitem__, database="/nonexistent")


def builder() -> Builder:
    """A builder that knows no process."""
    return Builder(MACHINE, users(), clock_offset=BOOT)


def guid(key: Key) -> str:
    return MACHINE.process_guid(*key)


def head(key: Key, time: int) -> dict[str, int]:
    return {"tgid": key[0], "tid": key[0], "start": key[1], "exec_id": key[2], "time": time}


def parent(key: Key) -> dict[str, int]:
    return {"parent_tgid": key[0], "parent_start": key[1], "parent_exec_id": key[2]}


def creator(key: Key) -> dict[str, int]:
    return {"creator_tgid": key[0], "creator_start": key[1], "creator_exec_id": key[2]}


def ended(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape") + b"\0"


def task(
    key: Key, image: str, args: bytes = b"", *, by: Key = (0, 0, 0), time: int = 7 * SECOND, uid: int = 0
) -> TaskRecord:
    return TaskRecord.make(
        **head(key, time), **parent(by), uid=uid, image=components_of(image) if image else b"", args=args
    )


def fork(key: Key, by: Key, *, time: int = 8 * SECOND, uid: int = 0) -> ForkRecord:
    return ForkRecord.make(**head(key, time), **parent(by), uid=uid)


def execute(
    key: Key,
    image: str,
    args: bytes = b"x\0",
    *,
    by: Key = SHELL,
    made_by: Key | None = None,
    time: int = 9 * SECOND,
    **more: int | bytes,
) -> ExecRecord:
    values: dict[str, int | bytes] = {
        **head(key, time),
        **parent(by),
        **(creator(made_by) if made_by else {}),
        "login_uid": UNSET,
        "session": UNSET,
        "namespace_pid": key[0],
        "links": 1,
        "image": components_of(image),
        "filename": ended(image),
        "args": args,
        "args_size": len(args),
    }
    return ExecRecord.make(**(values | more))


def leave(key: Key, *, code: int = 0, time: int = 10 * SECOND, uid: int = 0) -> ExitRecord:
    return ExitRecord.make(**head(key, time), code=code, uid=uid)


def flow(key: Key, *, time: int = 10 * SECOND, **values: int | bytes) -> FlowRecord:
    return FlowRecord.make(**head(key, time), **values)


def create(key: Key, path: str = "", *, time: int = 10 * SECOND, **values: int | bytes) -> FileCreateRecord:
    return FileCreateRecord.make(**head(key, time), path=components_of(path), **({"how": 1} | values))


def delete(key: Key, path: str = "", *, time: int = 10 * SECOND, **values: int | bytes) -> FileDeleteRecord:
    return FileDeleteRecord.make(**head(key, time), path=components_of(path), **values)
