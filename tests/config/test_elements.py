"""XML text -> elements: places, recovery, and agreement with expat on what XML is."""

from __future__ import annotations

from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pysmon.config.elements import Element, parse
from pysmon.config.report import KEPT, Report, Source


def parsed(text: str) -> tuple[Element | None, list[str]]:
    report = Report(Source("a.xml", text))
    root = parse(report)
    return root, [f"{p.code} {p.place.line}:{p.place.column}" for p in report.problems()]


def faults(text: str) -> list[str]:
    return parsed(text)[1]


def root_of(text: str) -> Element:
    root, _ = parsed(text)
    assert root is not None
    return root


def at(text: str, offset: int) -> tuple[int, int]:
    place = Source("a.xml", text).place(offset)
    return place.line, place.column


# Places


def test_an_element_stands_where_its_tag_begins() -> None:
    text = "<a>\n  <b/>\n\t<c>x</c></a>"
    assert [at(text, child.at) for child in root_of(text).children] == [(2, 3), (3, 2)]


def test_an_attribute_knows_where_its_name_and_its_value_begin() -> None:
    text = '<a\n  name = "x"/>'
    attribute = root_of(text).attributes["name"]
    assert (at(text, attribute.at), at(text, attribute.value_at)) == ((2, 3), (2, 11))


def test_columns_count_characters_and_not_bytes() -> None:
    text = "<a>\u00fc\u20ac\U0001f600<b/></a>"
    assert at(text, root_of(text).children[0].at) == (1, 7)


def test_places_can_be_asked_for_in_any_order() -> None:
    text = "ab\ncd\n\nef"
    wanted = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (4, 1), (4, 2), (4, 3)]
    source = Source("a.xml", text)
    for order in ([*range(10)], [*range(9, -1, -1)], [5, 2, 9, 0, 6, 6, 3, 8, 1, 7, 4]):
        for offset in order:
            place = source.place(offset)
            assert (place.line, place.column) == wanted[offset]


# Texts and values


def test_references_stand_for_their_characters() -> None:
    assert root_of("<a>&lt;&gt;&quot;&apos;&amp;lt;&#65;&#x42;</a>").text == "<>\"'&lt;AB"


def test_blanks_around_a_text_are_kept() -> None:
    assert root_of("<a> -e \n</a>").text == " -e \n"


def test_a_text_of_nothing_but_blanks_is_empty() -> None:
    assert root_of("<a> \n\t </a>").text == ""


def test_a_section_is_taken_as_it_stands() -> None:
    assert root_of("<a><![CDATA[a && <b> &amp;]]></a>").text == "a && <b> &amp;"


def test_a_comment_cuts_a_text_in_pieces() -> None:
    root = root_of("<a>x<!-- c -->y</a>")
    assert [piece.value for piece in root.pieces] == ["x", "y"]


def test_line_ends_in_a_value_are_blanks() -> None:
    assert root_of('<a b="x\ny\tz&#10;w"/>').get("b") == "x y z\nw"


def test_either_quotation_mark_holds_the_other() -> None:
    assert root_of("""<a b='"' c="'"/>""").attributes["b"].value == '"'


# Faults: each is told where it stands, and reading goes on


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("<a>x & y</a>", "C203 1:6", id="a lonely ampersand"),
        pytest.param("<a>&nbsp;</a>", "C203 1:4", id="an entity that XML does not have"),
        pytest.param("<a>&amp</a>", "C203 1:4", id="a reference without a semicolon"),
        pytest.param("<a>x < y</a>", "C203 1:6", id="a lonely less-than"),
        pytest.param("<a>1<2</a>", "C203 1:5", id="a less-than before a digit"),
        pytest.param('<a b="x<y"/>', "C203 1:8", id="a less-than in a value"),
        pytest.param("<a>\x00</a>", "C204 1:4", id="a zero"),
        pytest.param("<a>&#0;</a>", "C204 1:4", id="a zero by its number"),
        pytest.param("<a>&#xD800;</a>", "C204 1:4", id="half a character by its number"),
        pytest.param("<a>&#x110000;</a>", "C204 1:4", id="a character beyond Unicode"),
        pytest.param("<a>\ufffe</a>", "C204 1:4", id="a character that is none"),
        pytest.param("<a>\n<b>\n</a>", "C202 2:1", id="an element that is never closed"),
        pytest.param("<a>\n<b>", "C202 1:1", id="the file ends too early"),
        pytest.param("<a></b></a>", "C202 1:4", id="an end without a start"),
        pytest.param("</a>", "C202 1:1", id="an end first"),
        pytest.param("<a><!-- x -- y --></a>", "C207 1:11", id="two hyphens in a comment"),
        pytest.param("<a><!-- x ---></a>", "C207 1:11", id="three hyphens at the end of a comment"),
        pytest.param("<a/><!-- x", "C201 1:5", id="a comment without an end"),
        pytest.param("<a><![CDATA[x</a>", "C201 1:4", id="a section without an end"),
        pytest.param("<a><?x</a>", "C201 1:4", id="an instruction without an end"),
        pytest.param("<a>]]></a>", "C201 1:4", id="the end of a section alone"),
        pytest.param(' <?xml version="1.0"?><a/>', "C201 1:2", id="a declaration after a blank"),
        pytest.param("<a b/>", "C201 1:4", id="an attribute without a value"),
        pytest.param("<a b=c/>", "C201 1:6", id="a value without quotation marks"),
        pytest.param('<a b="1"c="2"/>', "C201 1:9", id="attributes without a blank between them"),
        pytest.param('<a b="1" "2"/>', "C201 1:9", id="a value without a name"),
        pytest.param('<a>\n<b c="1>\n</b></a>', "C201 2:6", id="a value that is never closed"),
        pytest.param("<a><b </a>", "C201 1:4", id="a tag that is never closed"),
        pytest.param("<a></a b></a>", "C201 1:4", id="an end tag with something in it"),
        pytest.param("<a><!b></a>", "C201 1:4", id="a declaration that XML does not have"),
        pytest.param("<a><\u00d7/></a>", "C201 1:5", id="a name that only expat refuses"),
        pytest.param('<a b="1" b="2"/>', "C205 1:10", id="an attribute twice"),
        pytest.param("<!DOCTYPE a SYSTEM 'http://example.org/a.dtd'><a/>", "C206 1:1", id="an external document type"),
        pytest.param("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "C206 1:1", id="an internal document type"),
        pytest.param("<a/><b/>", "C208 1:5", id="a second root"),
        pytest.param("<a/> x", "C208 1:6", id="text after the root"),
        pytest.param("x<a/>", "C208 1:1", id="text before the root"),
        pytest.param("<!-- x -->", "C208 1:11", id="no element"),
    ],
)
def test_a_fault_is_told_where_it_stands(text: str, wanted: str) -> None:
    assert wanted in faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "<a>&<b/></a>",
        "<a><c></d><b/></a>",
        "<a><c><b/></a>",
        "<a><!-- -- --><b/></a>",
        "<a><c d=e><b/></c></a>",
        '<a><c d="e><b/></c></a>',
        "<a><c d><b/></c></a>",
        "<a><c <b/></c></a>",
        "<a>\x01<b/></a>",
        "<!DOCTYPE a><a><b/></a>",
        "<a></z></y><b/></a>",
    ],
)
def test_what_comes_after_a_fault_is_read(text: str) -> None:
    root, told = parsed(text)
    assert told
    assert root is not None
    assert "b" in [element.name for element in root.below()]


def test_a_misspelt_end_tag_closes_what_it_was_meant_for() -> None:
    root = root_of("<a><Image>x</Imgae><b/></a>")
    assert [child.name for child in root.children] == ["Image", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<a b/>", "has no value"),
        ("<a b=c/>", "not in quotation marks"),
        ('<a b="1"c="2"/>', "no blank before"),
        ('<a "1"/>', "stands in the tag"),
        ('<a b="1', "never closed"),
        ("<a><!-- x", "this comment is never closed"),
        ("<a></c></a>", "</c> closes nothing; <a> at line 1 is open"),
        ("<a>\n<c>\n</a>", "<c> is never closed: </a> at line 3 comes first"),
    ],
)
def test_a_fault_is_told_in_words_of_its_own(text: str, words: str) -> None:
    report = Report(Source("a.xml", text))
    parse(report)
    assert any(words in problem.message for problem in report.problems())


def test_hints_come_to_an_end() -> None:
    report = Report(Source("a.xml", ""))
    hints = [report.nearest("Imag", ["Image"]) for _ in range(2 * KEPT + 1)]
    assert set(hints[:-1]) == {"did you mean 'Image'?"}
    assert hints[-1] == ""


def test_every_fault_is_told_once() -> None:
    text = "<a>\n&\n<b c=d/>\n<!-- -- -->\n<e></f></e>\n</g h>\n<!i>\n]]>\n</a>"
    assert faults(text) == ["C203 2:1", "C201 3:6", "C207 4:6", "C202 5:4", "C201 6:1", "C201 7:1", "C201 8:1"]


# Agreement with expat

PIECES = [
    "<a>", "</a>", "<b>", "</b>", "<a/>", '<b x="1">', "<b x='&lt;' y=\"2\"/>", '<a x="1" x="2"/>', "<a x=1>", "<a x>",
    '<a x="', '">', "'", "<", ">", "&", ";", "&amp;", "</a >", "&#65;", "&#0;", "&#x1F600;", "&nope;", "]]>",
    "<![CDATA[", "]]",
    "<!--", "-->", "--", "-", "<?x ", "?>", "<?xml ?>", "text", " ", "\n", "\t", "\u00e9", "\u20ac", "/", "=", "</",
    "<!", "\x07", "\ufffd", "<\u00e9/>", "<a:b/>", "<a.b-c_1/>", "<-a/>", "<a b = 'c'\n/>", "<a  >", "</ a>", "< a>",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: f"<a>{''.join(pieces)}</a>"),
)


Tree = tuple[str, dict[str, str], list[str], list["Tree"]]


def expats_tree(text: str) -> Tree | None:
    open_: list[Tree] = [("", {}, [], [])]
    parser = expat.ParserCreate("utf-8")

    def start(name: str, attributes: dict[str, str]) -> None:
        made: Tree = (name, attributes, [], [])
        open_[-1][3].append(made)
        open_.append(made)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: open_.pop()
    parser.CharacterDataHandler = lambda data: open_[-1][2].append(data)
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError:
        return None
    return open_[0][3][0]


def same(ours: Element, theirs: Tree) -> bool:
    name, attributes, texts, children = theirs
    if ours.name != name or {a.name: a.value for a in ours.attributes.values()} != attributes:
        return False
    blanks = str.maketrans("", "", " \t\n")  # pieces of nothing but blanks are left out by us
    if ours.text.translate(blanks) != "".join(texts).translate(blanks) or len(ours.children) != len(children):
        return False
    return all(same(mine, other) for mine, other in zip(ours.children, children, strict=True))


@settings(max_examples=1500)
@given(TEXTS)
def test_what_expat_reads_is_read_the_same_and_what_it_refuses_is_refused(text: str) -> None:
    root, told = parsed(text)
    theirs = expats_tree(text)
    if theirs is None:
        assert told
    else:
        assert told == []
        assert root is not None
        assert same(root, theirs)
