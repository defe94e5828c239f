"""XML text -> a small tree of elements that know their offset in the text. Reads on after errors; never recurses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from pysmon.config.references import without_forbidden
from pysmon.config.report import Report, quoted
from pysmon.config.scan import Attribute, End, Start, Text, tokens

DEEPEST = 64  # elements inside each other; a configuration needs six
MOST_ELEMENTS = 65_536  # of one file; a configuration of 5 MB has about 40,000


@dataclass(slots=True)
class Element:
    """An element. `at` is the offset of its `<`; `pieces` are its texts, cut where comments or children stand."""

    name: str
    at: int
    attributes: dict[str, Attribute]
    parent: Element | None
    children: list[Element] = field(default_factory=list)
    pieces: list[Text] = field(default_factory=list)

    def get(self, name: str) -> str:
        """The value of an attribute; "" if it is not there."""
        found = self.attributes.get(name)
        return found.value if found else ""

    def spot(self, name: str) -> int:
        """The offset of an attribute's value, or of the element if it has no such attribute."""
        found = self.attributes.get(name)
        return found.value_at if found else self.at

    @property
    def text(self) -> str:
        """All its text, as it stands there: blanks at the ends count."""
        return "".join(piece.value for piece in self.pieces)

    @property
    def text_at(self) -> int:
        """The offset of its text, or of the element if it has none."""
        return self.pieces[0].at if self.pieces else self.at

    def below(self) -> Iterator[Element]:
        """Every element inside this one, in document order."""
        waiting = list(reversed(self.children))
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


def parse(report: Report) -> Element | None:
    """The root element, as far as it could be read; None if there is none, or if the text is beyond all limits."""
    text = without_forbidden(report)
    if text is None:
        return None
    tree = _Tree(report)
    for token in tokens(text, report):
        if isinstance(token, Start):
            tree.start(token)
        elif isinstance(token, End):
            tree.end(token)
        else:
            tree.text(token)
    if report.full:
        return None
    tree.finish(len(text))
    if not report.failed:
        _judge(text, report)
    return tree.root


class _Tree:
    """The elements that are open, outermost first, and the root once there was one."""

    def __init__(self, report: Report) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0
        self._report = report

    def start(self, token: Start) -> None:
        self._count += 1
        if len(self._open) == DEEPEST:
            message = f"elements stand more than {DEEPEST} deep"
            self._report.add("C102", token.at, message, f"at most {DEEPEST}")
        if self._count > MOST_ELEMENTS:
            message = f"the file has more than {MOST_ELEMENTS} elements"
            self._report.add("C102", token.at, message, f"at most {MOST_ELEMENTS}")
        parent = self._open[-1] if self._open else None
        made = Element(token.name, token.at, token.attributes, parent)
        if parent:
            parent.children.append(made)
        elif self.root is None:
            self.root = made
        else:
            message = f"<{token.name}> stands after the end of <{self.root.name}>"
            self._report.add("C208", token.at, message, f"everything inside one <{self.root.name}>")
        if not token.empty:
            self._open.append(made)

    def end(self, token: End) -> None:
        depth = next((n for n in range(len(self._open) - 1, -1, -1) if self._open[n].name == token.name), -1)
        if depth < 0:
            self._stray(token)
            return
        for element in self._open[depth + 1 :]:
            self._never_closed(element, f"</{token.name}> at {self._line(token.at)} comes first")
        del self._open[depth:]

    def text(self, token: Text) -> None:
        if self._open:
            self._open[-1].pieces.append(token)
        else:
            found = quoted(token.value.strip()[:40])
            at = token.at + len(token.value) - len(token.value.lstrip())
            self._report.add("C208", at, f"the text {found} stands outside of all elements", "only elements there")

    def finish(self, end: int) -> None:
        for element in self._open:
            self._never_closed(element, "the file ends before")
        if self.root is None and not self._report.failed:
            self._report.add("C208", end, "the file has no element", "a <Sysmon> element")

    def _stray(self, token: End) -> None:
        inner = self._open[-1] if self._open else None
        if inner is None:
            self._report.add("C202", token.at, f"</{token.name}> closes nothing", "a start tag before it")
            return
        message = f"</{token.name}> closes nothing; <{inner.name}> at {self._line(inner.at)} is open"
        self._report.add("C202", token.at, message, f"</{inner.name}>")
        if self._report.nearest(token.name, [inner.name]):
            self._open.pop()

    def _never_closed(self, element: Element, why: str) -> None:
        message = f"<{element.name}> is never closed: {why}"
        self._report.add("C202", element.at, message, f"</{element.name}>")

    def _line(self, at: int) -> str:
        return f"line {self._report.source.place(at).line}"


def _judge(text: str, report: Report) -> None:
    parser = expat.ParserCreate("utf-8")
    data = text.encode()
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        at = len(data[: max(0, parser.ErrorByteIndex)].decode(errors="ignore"))
        report.add("C201", min(at, len(text)), expat.ErrorString(error.code), "well-formed XML")
