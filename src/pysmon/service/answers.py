"""What can be asked of the service at its control socket, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from pysmon.config.problems import Problem
from pysmon.errors import PysmonError
from pysmon.service.metrics import CONTENT_TYPE, metrics
from pysmon.service.request import Answer, Request, json_answer, refuse, serve
from pysmon.service.status import Status
from pysmon.service.wire import ConfigurationInUse, Judgement, Refusal, Sheet, status_document

__all__ = ["ROUTES", "Controls", "answer", "refuse", "serve"]


class Controls(Protocol):
    """What can be asked of the service and told to it. The thread of the control socket calls these."""

    def status(self) -> Status:
        """How it is."""

    def configuration(self) -> ConfigurationInUse:
        """What it judges events by."""

    def reconfigure(self, data: bytes, name: str) -> tuple[Problem, ...]:
        """Read this configuration, called `name`, and use it from now on unless a problem is an error."""

    def reset(self) -> None:
        """Go back to the configuration that pysmon brings."""

    def reopen(self) -> None:
        """Have the outputs open their files anew."""

    def refused(self, uid: int, pid: int) -> None:
        """Somebody without the right to ask was turned away."""


def answer(controls: Controls, request: Request) -> Answer:
    """Do what is asked; whatever goes wrong is an answer, too."""
    methods = ROUTES.get(request.path)
    if methods is None:
        return json_answer(404, Refusal(f"there is no {request.path}", hint=f"known: {', '.join(ROUTES)}"))
    action = methods.get(request.method)
    if action is None:
        allowed = ", ".join(methods)
        refusal = Refusal(f"{request.path} does not take {request.method}", hint=f"it takes {allowed}")
        return json_answer(405, refusal, headers={"Allow": allowed})
    try:
        return action(controls, request)
    except PysmonError as error:
        return json_answer(500, Refusal(str(error), error.hint))
    except Exception as error:  # a defect; the thread goes on, and who asked is told
        return json_answer(500, Refusal(f"{type(error).__name__}: {error}", hint="please report this"))


def _status(controls: Controls, _request: Request) -> Answer:
    return Answer(200, status_document(controls.status()))


def _metrics(controls: Controls, _request: Request) -> Answer:
    return Answer(200, metrics(controls.status()).encode(), CONTENT_TYPE)


def _configuration(controls: Controls, _request: Request) -> Answer:
    own = controls.configuration()
    return json_answer(200, Sheet.of(own.data, own.name, own.sha256))


def _reconfigure(controls: Controls, request: Request) -> Answer:
    try:
        sheet = msgspec.json.decode(request.body, type=Sheet)
        data = sheet.data
    except ValueError as error:  # msgspec's errors are such
        return json_answer(400, Refusal(f"the configuration cannot be read: {error}", hint='{"name": "", "text": ""}'))
    problems = controls.reconfigure(data, sheet.name)
    if any(problem.severity == "error" for problem in problems):
        return json_answer(422, Judgement(problems))
    return json_answer(200, Judgement(problems, controls.configuration().sha256))


def _reset(controls: Controls, _request: Request) -> Answer:
    controls.reset()
    return json_answer(200, Judgement())


def _reopen(controls: Controls, _request: Request) -> Answer:
    controls.reopen()
    return json_answer(200, {})


_Action = Callable[[Controls, Request], Answer]
ROUTES: Mapping[str, Mapping[str, _Action]] = {
    "/status": {"GET": _status},
    "/metrics": {"GET": _metrics},
    "/configuration": {"GET": _configuration, "PUT": _reconfigure, "DELETE": _reset},
    "/reopen": {"POST": _reopen},
}
