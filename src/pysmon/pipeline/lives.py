"""Lives of processes that the rules keep nothing of: from the bytes into the process table; no event is made."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from pysmon.assemble.builder import Builder
from pysmon.assemble.paths import known_path
from pysmon.assemble.process import maker_of
from pysmon.assemble.processes import ProcessImage
from pysmon.layout.selection import head_of
from pysmon.pipeline.accounting import Accounting
from pysmon.pipeline.batch import Batch
from pysmon.pipeline.ways import HEAD, Way
from pysmon.rules.approve import Approver
from pysmon.rules.ruleset import Ruleset
from pysmon.sensor.records import ASKS, CREATOR_PARENT, BriefExecRecord, ExecRecord, ExitRecord, ForkRecord

_CREATE, _END = 1, 5  # ids of the events
_WHO = frozenset({"Image", "User"})  # what a verdict can be learned for
_REMEMBERED = 4096  # programs and users, of each event
_PARENT = ("parent_start", "parent_exec_id", "parent_tgid", "uid")
_MAKER = ("creator_start", "creator_tgid")
_TEXTS = ("image", "filename", "directory", "root", "cgroup_path", "tty", "args")
_FORK = head_of(ForkRecord, *HEAD, *_PARENT).unpack_from
_EXEC = head_of(ExecRecord, *HEAD, *_PARENT, *_MAKER, "links", *_TEXTS).unpack_from
_EXIT = head_of(ExitRecord, *HEAD, "uid").unpack_from
_BRIEF = head_of(BriefExecRecord, *HEAD[1:], *_PARENT, "creator", "image", "cgroup_path", "args").unpack_from
_PROGRAM, _TAILS = ExecRecord.layout.kind, ExecRecord.layout.head.size
_BRIEFLY, _BRIEF_TAILS = BriefExecRecord.layout.kind, BriefExecRecord.layout.head.size


class Lives:
    """Takes records of processes as bytes, as far as nothing but the process table has to know of them.

    What the rules say of a program and a user, whatever else an event holds, is learned once and holds until there are
    other rules or other users. All that is not plainly dropped by that goes the long way, with the same outcome.
    """

    def __init__(self, builder: Builder, batch: Batch) -> None:
        """Nothing is taken before `use`."""
        self._batch, self._processes, self._users = batch, builder.processes, builder.users
        self._find = builder.processes.find
        self._creates: Approver | None = None
        self._ends: Approver | None = None
        self._programs: dict[tuple[bytes, int], str] = {}  # with the path; empty: an event may be kept
        self._gone: dict[tuple[str, int], bool] = {}  # whether an event is dropped for certain
        self._edition = self._users.edition
        self._forks = self._execs = self._briefs = self._exits = self._exits_again = 0  # since they were counted
        self._ways: dict[int, Way] = {}
        batch.on_due(self._look_at_users)

    def use(self, ruleset: Ruleset) -> None:
        """Judge by these rules from the next record on."""
        self._creates, self._ends = (Approver(ruleset, n) if ruleset.wants(n) else None for n in (_CREATE, _END))
        self._forget()
        self._ways = {ForkRecord.layout.kind: self._fork, _BRIEFLY: self._brief}
        if self._creates is None or self._creates.reads & _WHO:
            self._ways[_PROGRAM] = self._exec
        if self._ends is None or self._ends.reads & _WHO:
            self._ways[ExitRecord.layout.kind] = self._exit

    def ways(self) -> Mapping[int, Way]:
        """For the next batch: by the first byte of a record, who may take it, and tells whether he has."""
        if self._batch.notice is None:
            return self._ways
        return {kind: way for kind, way in self._ways.items() if kind != _PROGRAM}  # all of it is to be told

    def drops_begin(self, path: str, uid: int) -> bool:
        """Is nothing kept of that program's begin for that user, whatever else it is? Then a brief record will do."""
        return self._drops(self._creates, path, uid)

    def count(self, accounting: Accounting) -> None:
        """Enter what was taken since the last call, before there are other rules."""
        accounting.records_filtered[ForkRecord.layout.kind] += self._forks
        accounting.records_filtered[_PROGRAM] += self._execs
        accounting.records_filtered[_BRIEFLY] += self._briefs
        accounting.records_filtered[ExitRecord.layout.kind] += self._exits + self._exits_again
        begun = self._execs + self._briefs
        for number, wanted, count in ((_CREATE, self._creates, begun), (_END, self._ends, self._exits)):
            if wanted:
                accounting.events_filtered[number] += count
        self._forks = self._execs = self._briefs = self._exits = self._exits_again = 0

    def _fork(self, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, by_start, by_exec_id, by, uid = _FORK(data)
        except struct.error:
            return False
        batch = self._batch
        if cpu & ASKS or tgid in batch.apart or (time >= batch.until and batch.is_due(time)):
            return False
        self._processes.forked((tgid, start, exec_id), (by, by_start, by_exec_id), uid, time)
        self._forks += 1
        return True

    def _exec(self, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, *more, size, name, directory, root, cgroup, tty, args = _EXEC(data)
        except struct.error:
            return False
        by_start, by_exec_id, maker_start, by, maker, uid, links = more
        begin = _TAILS + size
        image, at = data[_TAILS:begin], begin + name + directory + root
        end = at + cgroup + tty + args
        batch = self._batch
        if not links or end > len(data):
            return False
        if cpu & ASKS or tgid in batch.apart or (time >= batch.until and batch.is_due(time)):
            return False
        path = self._programs.get((image, uid))
        if path is None:
            path = self._learn_program(image, uid)
        if not path:
            return False
        processes, named = self._processes, (by, by_start, by_exec_id)
        creator = (maker, maker_start, 0) if maker_start else None  # which of its programs plays no part
        parent = processes.parent_of(processes.current(tgid, start), named, creator)
        line, cgroup_path = data[end - args : end], data[at : at + cgroup] if cgroup else b""
        made = ProcessImage((tgid, start, exec_id), processes.machine, path, line, uid, cgroup_path, parent)
        processes.runs(made, time)
        self._execs += 1
        return True

    def _brief(self, data: bytes) -> bool:
        """The kernel has been told that nothing is kept of it: there is nothing to be judged."""
        try:
            time, start, exec_id, tgid, by_start, by_exec_id, by, uid, creator, size, cgroup, args = _BRIEF(data)
        except struct.error:
            return False
        begin = _BRIEF_TAILS + size
        at = begin + cgroup
        end = at + args
        if end > len(data) or tgid in self._batch.apart:
            return False
        processes, named = self._processes, (by, by_start, by_exec_id)
        before = processes.current(tgid, start)
        parent = before.parent if before else None
        if parent is None or creator != CREATOR_PARENT or parent.key != named:
            parent = processes.parent_of(before, named, maker_of(creator, named))
        path, cgroup_path = known_path(data[_BRIEF_TAILS:begin]), data[begin:at] if cgroup else b""
        made = ProcessImage((tgid, start, exec_id), processes.machine, path, data[at:end], uid, cgroup_path, parent)
        processes.runs(made, time)
        self._briefs += 1
        if self._batch.notice:
            self._batch.notice(BriefExecRecord.decode(data))
        return True

    def _exit(self, data: bytes) -> bool:
        try:
            cpu, time, start, exec_id, tgid, uid = _EXIT(data)
        except struct.error:
            return False
        batch = self._batch
        if cpu & ASKS or tgid in batch.apart or (time >= batch.until and batch.is_due(time)):
            return False
        image = self._find((tgid, start, exec_id))
        if image is None:
            return False
        if self._ends:
            drops = self._gone.get((image.image, uid))
            if not (self._learn_end(image.image, uid) if drops is None else drops):
                return False
        if self._processes.ends(image, time):
            self._exits += 1
        else:
            self._exits_again += 1
        return True

    def _look_at_users(self) -> None:
        """What is learned holds until other users are."""
        if self._users.edition != self._edition:
            self._forget()

    def _forget(self) -> None:
        self._programs.clear()
        self._gone.clear()
        self._edition = self._users.edition

    def _learn_program(self, image: bytes, uid: int) -> str:
        path = known_path(image)
        found = path if self._drops(self._creates, path, uid) else ""
        if len(self._programs) >= _REMEMBERED:
            self._programs.clear()
        self._programs[image, uid] = found
        return found

    def _learn_end(self, path: str, uid: int) -> bool:
        if len(self._gone) >= _REMEMBERED:
            self._gone.clear()
        self._gone[path, uid] = found = self._drops(self._ends, path, uid)
        return found

    def _drops(self, approver: Approver | None, path: str, uid: int) -> bool:
        """Does nobody want it, or is it dropped whatever else it is? A user whom nobody knows may become known."""
        if approver is None:
            return True
        name = self._users.name(uid)
        return not approver.may_keep({"Image": path} | ({} if name == str(uid) else {"User": name}))
