"""The process table: which program every process runs, and which program made it.

A process image is (tgid, start, exec_id). The kernel never gives the same three numbers to two images, so nothing here
is found by process id alone, except to learn what a process runs *now*, and then its start must agree.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from pysmon.assemble.paths import command_line
from pysmon.host.guid import NO_GUID, Machine

UNKNOWN_IMAGE = "<unknown process>"  # Sysmon's words for an acting process that it knows nothing of
UNKNOWN_YET = "-"  # of a process whose maker is not known: it may be found later
_GRACE = 2_000_000_000  # ns that an image stays after its end: records of another ring may still be on their way
_LOOKS = 128  # within the grace, which images have ended long enough ago
_LIMIT = 65_536


class Key(NamedTuple):
    """What a process image is told by: process id, its start (ns since boot), number of its program."""

    tgid: int
    start: int
    exec_id: int


_new = object.__new__
Numbers = tuple[int, int, int]  # a Key without names for its parts, which is the same key and made in less time


class ProcessImage:
    """A process while it runs one program. `parent` is the image that made it, as long as it may be asked for."""

    __slots__ = ("_guid", "args", "cgroup_path", "image", "key", "machine", "parent", "uid")

    def __init__(
        self,
        key: Numbers,
        machine: Machine,
        image: str = UNKNOWN_YET,
        args: bytes | str = b"",
        uid: int | None = None,
        cgroup_path: bytes = b"",
        parent: ProcessImage | None = None,
    ) -> None:
        """`args` as records have them: they become the text of `command_line` if somebody asks for it."""
        self.key = key
        self.machine = machine
        self.image = image
        self.args = args
        self.uid = uid
        self.cgroup_path = cgroup_path
        self.parent = parent
        self._guid = ""

    def fork(self, key: Numbers, uid: int) -> ProcessImage:
        """What a process that it makes runs."""
        made = _new(ProcessImage)  # no `__init__`: it costs more than all the rest
        made.key, made.uid, made.parent, made._guid = key, uid, self, ""
        made.machine, made.image, made.args, made.cgroup_path = self.machine, self.image, self.args, self.cgroup_path
        return made

    @property
    def guid(self) -> str:
        """Its ProcessGuid; made when it is asked for, which for most forks is never."""
        if not self._guid:
            self._guid = self.machine.process_guid(*self.key) if self.key[0] else NO_GUID
        return self._guid

    @property
    def command_line(self) -> str:
        """Its arguments as Sysmon shows them."""
        if isinstance(self.args, bytes):
            self.args = command_line(self.args)
        return self.args


class Processes:
    """All images that live, and for a while those that do not any more.

    A live image holds its parent's, so that a parent is known however long ago it ended or ran another program; an
    image that has ended lets go of its own parent, so that there are at most two images for a live process.
    """

    def __init__(self, machine: Machine, *, limit: int = _LIMIT, grace: int = _GRACE) -> None:
        """`limit` is how many images are kept in all, `grace` (ns) how long the ended ones among them."""
        self.machine = machine
        self._limit = limit
        self._grace = grace
        self._images: dict[Numbers, ProcessImage] = {}
        self.find = self._images.get  # the image of a key, for who asks for each record
        self._current: dict[int, ProcessImage] = {}  # by tgid
        self._last: dict[int, ProcessImage] = {}  # by tgid: of processes that have ended
        self._ended: deque[tuple[int, ProcessImage]] = deque()  # with the time until which they stay
        self._forget_at = 0
        self.evicted = 0  # images of live processes that were dropped because there were too many

    def __len__(self) -> int:
        """How many images are known."""
        return len(self._images)

    def get(self, tgid: int, start: int, exec_id: int) -> ProcessImage | None:
        """The image of these three numbers."""
        return self._images.get((tgid, start, exec_id))

    def actor(self, tgid: int, start: int, exec_id: int) -> ProcessImage:
        """The image of these numbers, or a stranger that has their guid and nothing else."""
        known = self._images.get((tgid, start, exec_id))
        return known if known is not None else self._stranger((tgid, start, exec_id))

    def live(self) -> tuple[ProcessImage, ...]:
        """What every process runs that has not ended."""
        return tuple(self._current.values())

    def current(self, tgid: int, start: int) -> ProcessImage | None:
        """What the process runs now."""
        found = self._current.get(tgid)
        return found if found is not None and found.key[1] == start else None

    def lately(self, tgid: int) -> ProcessImage | None:
        """What runs under this process id, or did until a moment ago: for what names a process by nothing else."""
        return self._current.get(tgid) or self._last.get(tgid)

    def guid(self, key: Numbers) -> str:
        """The ProcessGuid of these numbers, whether the image is known or not; that of process 0 is all zeros."""
        return self.machine.process_guid(*key) if key[0] else NO_GUID

    def parent_of(self, child: ProcessImage | None, named: Numbers, creator: Numbers | None) -> ProcessImage | None:
        """The image of a parent that the kernel names to a record.

        `named` is the real parent's process with the program that *made* the child. Once the maker has ended, another
        process is the parent (init, a subreaper), and the number of the maker's program says nothing about it: then it
        is what the new parent runs now. `creator` tells, where the fork was seen.
        """
        adopted = creator is not None and creator[:2] != named[:2]  # another process, whatever it runs
        if not adopted:
            made_by = child.parent if child else None
            if made_by is not None and made_by.key == named:
                return made_by
            found = self._images.get(named)
            if found is not None or creator is not None:
                return found
        return self.current(named[0], named[1])

    def forked(self, key: Numbers, parent: Numbers, uid: int, time: int) -> ProcessImage:
        """A process was made: it runs what its parent runs."""
        before = self._images.get(parent)
        made = ProcessImage(key, self.machine, uid=uid) if before is None else before.fork(key, uid)
        self.runs(made, time)
        return made

    def runs(self, made: ProcessImage, time: int) -> None:
        """A process runs a program from now on; what it ran before has ended."""
        key, current, images = made.key, self._current, self._images
        tgid = key[0]
        before = current.get(tgid)
        if before is None:
            current[tgid] = made
        elif before.key < key:  # the process id is the same, so the start tells, and then the number of the program
            # Same start: its earlier program. Another start: its end was lost, and the process id is used again.
            current[tgid] = made
            before.parent = None
            self._ended.append((time + self._grace, before))
        elif before.key == key:
            current[tgid] = made
        else:
            self._retire(made, time)
        images[key] = made
        if time >= self._forget_at or len(images) > self._limit:
            self._forget(time)

    def found(self, made: ProcessImage, time: int) -> None:
        """A process was there before the sensor. What records have told of the same image stays."""
        known = self._images.get(made.key)
        if known is None:
            self.runs(made, time)
        elif known.image == UNKNOWN_YET:
            known.image, known.args, known.uid = made.image, made.args, made.uid
            known.cgroup_path = made.cgroup_path

    def ended(self, key: Numbers, time: int) -> ProcessImage | None:
        """A process has ended; its image, or a stranger. None if that is known already.

        The kernel may tell it twice: of two threads that end at the same time both can be the last one.
        """
        image = self._images.get(key)
        if image is None:
            image = self._images[key] = self._stranger(key)
            self._retire(image, time)
            return image
        return image if self.ends(image, time) else None

    def ends(self, image: ProcessImage, time: int) -> bool:
        """The process of a known image has ended; False if that is known already."""
        tgid, current = image.key[0], self._current
        if current.get(tgid) is not image:
            return False
        del current[tgid]
        self._last[tgid] = image
        image.parent = None
        self._ended.append((time + self._grace, image))
        return True

    def _stranger(self, key: Numbers) -> ProcessImage:
        return ProcessImage(key, self.machine, UNKNOWN_IMAGE)

    def _retire(self, image: ProcessImage, time: int) -> None:
        image.parent = None
        self._ended.append((time + self._grace, image))

    def _forget(self, time: int) -> None:
        self._forget_at = time + self._grace // _LOOKS
        ended, images, limit = self._ended, self._images, self._limit
        last = self._last
        while ended:
            until, image = ended[0]
            if until >= time and len(images) <= limit:
                break
            ended.popleft()
            key = image.key
            if images.get(key) is image:
                del images[key]
            tgid = key[0]
            if last.get(tgid) is image:
                del last[tgid]
        while len(images) > limit:
            oldest = images.pop(next(iter(images)))
            if self._current.get(oldest.key[0]) is oldest:
                del self._current[oldest.key[0]]
            oldest.parent = None
            self.evicted += 1
