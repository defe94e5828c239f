"""Tells the kernel what no rule can keep: when rules come to hold, and of programs as it asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pysmon.host.users import Users
from pysmon.pipeline.flow import Flow
from pysmon.sensor.pushdown import Approval, Pushdown

if TYPE_CHECKING:
    from pysmon.tracer.traced import NoPushdown


class Teacher:
    """Between the flow, which knows what the rules drop, and the maps of the kernel programs."""

    def __init__(self, pushdown: Pushdown | NoPushdown, flow: Flow, users: Users, *, mute: bool) -> None:
        """`mute`: tell nothing, since all has to come up."""
        self._pushdown, self._flow, self._users, self._mute = pushdown, flow, users, mute
        self._edition = users.edition

    @property
    def is_outdated(self) -> bool:
        """Has the user database changed? What was told of a user may be true of another now."""
        return self._users.edition != self._edition

    def begin(self, approvals: Mapping[str, Approval]) -> None:
        """The rules of the flow hold: these are the approvals that come of them."""
        self._edition = self._users.edition
        self._pushdown.renew({} if self._mute else approvals)
        self.answer_all()

    def answer(self) -> None:
        """Answer for whom the records since the last time have asked."""
        for answer in self._flow.answers():
            self._pushdown.answer(*answer)

    def answer_all(self) -> None:
        """Answer for all processes that run already; for others the kernel asks as they come."""
        for answer in () if self._mute else self._flow.answers_to_all():
            self._pushdown.answer(*answer)
