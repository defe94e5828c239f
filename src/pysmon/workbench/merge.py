"""Several configurations -> one: for every event one include and one exclude element, with all that they said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pysmon.config.fmt import render
from pysmon.config.markup import Comment, Document, Node, Text
from pysmon.config.model import Configuration, Filter, Onmatch, Relation, Rule
from pysmon.config.read import read_configuration
from pysmon.errors import MisuseError, Place
from pysmon.schema.lookup import TAGS, by_tag
from pysmon.workbench.convert import OLDEST, convert
from pysmon.workbench.edit import Draft, Note
from pysmon.workbench.merge_options import merge_options
from pysmon.workbench.spread import Piece, fields_of, spread

_BOTH: tuple[Onmatch, ...] = ("include", "exclude")


@dataclass(frozen=True, slots=True)
class Merged:
    """The text of the one configuration, and what its user should know."""

    text: str
    notes: tuple[Note, ...]


def merge(parts: Sequence[tuple[str, Configuration]]) -> Merged:
    """Merge configurations, each given by its text and its model; comments go along with what they stand at.

    An event is dropped if an exclude of any part matches, else kept if an include of any part does. The newest schema
    version holds, 4.20 at least. Of options that contradict each other the last holds, and lists are united. What is
    there twice stays once.
    """
    if not parts:
        raise MisuseError("there is nothing to merge", hint="name at least one configuration")
    drafts = [_draft(text, configuration) for text, configuration in parts]
    version = max(OLDEST, *(draft.configuration.schema_version for draft in drafts))
    options, notes = merge_options(drafts)
    merger = _Merger(drafts, notes)
    filtering = Node("EventFiltering", children=[*merger.elements()], blank_before=bool(options))
    root = Node("Sysmon", {"schemaversion": str(version)}, [*options, filtering])
    before = [comment for draft in drafts for comment in draft.document.before]
    return Merged(render(Document(before, root, [])), tuple(notes))


def _draft(text: str, configuration: Configuration) -> Draft:
    """A part to take elements from; an old one says first how its filters combine."""
    if configuration.schema_version >= OLDEST:
        return Draft(text, configuration)
    text = convert(text, configuration, OLDEST).text
    again = read_configuration(text.encode(), configuration.file).configuration
    if again is None:
        raise MisuseError(f"{configuration.file} cannot be converted to schema version {OLDEST}")
    return Draft(text, again)


class _Merger:
    """Makes the elements of the result, and notes what that changes."""

    def __init__(self, drafts: list[Draft], notes: list[Note]) -> None:
        self._drafts = drafts
        self._notes = notes
        self._groups: set[int] = set()  # RuleGroups whose comments were taken

    def elements(self) -> Iterator[Node | Comment | Text]:
        """The RuleGroups, by event in the order of the manifest, with their comments."""
        for tag in TAGS:
            pieces = [Piece(d, e) for d in self._drafts for e in d.configuration.filters if e.tag == tag]
            for onmatch in _BOTH:
                own = [piece for piece in pieces if piece.element.onmatch == onmatch]
                made = [self._element(together) for together in _compatible(own)]
                count = sum(len(each) for each in made)
                if onmatch == "exclude" and count > 1 and len(own) == len(pieces):
                    self._tell_nothing_kept(tag, pieces)
                for each in made:
                    for comments, group in each:
                        yield from (*comments, group)
            self._tell_narrowed(tag, pieces)

    def _element(self, pieces: list[Piece]) -> list[tuple[list[Node | Comment | Text], Node]]:
        """The RuleGroups for elements that can be one, with comments; those that would become too much stay apart."""
        name = _common([piece.group_name for piece in pieces])
        if len(pieces) == 1:
            (piece,) = pieces
            return [(self._comments(piece), _group(piece.element.relation, name, piece.node))]
        together = Node(pieces[0].node.name, {"onmatch": pieces[0].element.onmatch})
        apart = []
        seen: set[object] = set()
        for piece in pieces:
            rules = spread(piece) if piece.is_and else []
            if rules is None:
                apart.append((self._comments(piece), _group(Relation.AND, piece.group_name, piece.node)))
                continue
            together.children += self._comments(piece)
            if piece.is_and:
                together.children += [*(c for c in piece.node.children if isinstance(c, Comment)), *rules]
            else:
                together.children += self._alternatives(piece, seen, keeps_group=bool(name))
        return [([], _group(Relation.OR, name, together)), *apart]

    def _alternatives(self, piece: Piece, seen: set[object], *, keeps_group: bool) -> list[Node | Comment | Text]:
        """What stands in an element of alternatives, without what is there already."""
        left: list[Node | Comment | Text] = list(piece.node.children)
        for entry in piece.element.entries:
            node = piece.draft.node(entry)
            if not keeps_group and piece.group_name and not node.attributes.get("name"):
                node.attributes["name"] = piece.group_name
            meaning = _meaning(entry)
            if meaning in seen:
                self._notes.append(Note(entry.place, "it is there already and is left out", lost=False))
                left = [child for child in left if child is not node]
            seen.add(meaning)
        return left

    def _comments(self, piece: Piece) -> list[Node | Comment | Text]:
        """The comments before an element and, for the first element in it, before its RuleGroup."""
        found = piece.draft.comments_before(piece.node)
        group = piece.draft.group(piece.element)
        if group is None or id(group) in self._groups:
            return found
        self._groups.add(id(group))
        return piece.draft.comments_before(group) + found

    def _tell_nothing_kept(self, tag: str, pieces: list[Piece]) -> None:
        what = f"{tag} has several exclude elements that cannot be one, and no include: Sysmon then keeps no such event"
        self._notes.append(Note(pieces[0].element.place, what, lost=True))

    def _tell_narrowed(self, tag: str, pieces: list[Piece]) -> None:
        """A part that keeps all but its excludes keeps less beside one with an include."""
        include = next((piece.element for piece in pieces if piece.element.onmatch == "include"), None)
        for draft in self._drafts if include else []:
            own = [piece.element for piece in pieces if piece.draft is draft]
            if include and [element.onmatch for element in own] == ["exclude"]:
                what = (
                    f"alone it keeps every {tag} that it does not exclude; with the include element at"
                    f" {include.place} only what an include matches is kept"
                )
                self._notes.append(Note(own[0].place, what, lost=True))


def _compatible(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """The pieces in groups that can be one element each: rules hold fields of a series by their number."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        fitting = next((group for group in groups if _fit([*group, piece])), None)
        if fitting is None:
            groups.append([piece])
        else:
            fitting.append(piece)
    return groups


def _fit(pieces: list[Piece]) -> bool:
    """Whether one event of the series has the fields of all, each at the number that it has where it is now."""
    series = {event.id: [field.name for field in event.fields] for event in by_tag(pieces[0].element.tag)}
    used = {name for piece in pieces for name in fields_of(piece.element)}
    common = next((names for names in series.values() if used <= set(names)), None)
    return common is not None and all(
        common.index(name) == series[piece.element.event_id].index(name)
        for piece in pieces
        for name in fields_of(piece.element)
    )


def _group(relation: Relation, name: str, element: Node) -> Node:
    element.blank_before = False
    return Node("RuleGroup", {"name": name, "groupRelation": relation.name.lower()}, [element], blank_before=True)


def _common(names: Iterable[str]) -> str:
    """The one name, "" if there are several."""
    different = set(names)
    return different.pop() if len(different) == 1 else ""


def _meaning(entry: Filter | Rule) -> object:
    """What makes two entries the same."""
    if isinstance(entry, Filter):
        return replace(entry, place=Place(""))
    filters = tuple(replace(each, place=Place("")) for each in entry.filters)
    return replace(entry, place=Place(""), number=0, filters=filters)
