"""Configurations as people write them: texts of every form that Sysmon reads, for laws that hold for all of them."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from tests.config.configurations import NAMES, TEXTS

from pysmon.config.model import Condition
from pysmon.schema.lookup import TAGS, by_tag
from pysmon.schema.versions import SCHEMAS

VERSIONS = [str(known.version) for known in SCHEMAS]
_CONDITIONS = st.sampled_from([each.value for each in Condition])
_OPTIONS = (
    "<HashAlgorithms>md5,SHA256,IMPHASH</HashAlgorithms>",
    "<HashAlgorithms>*</HashAlgorithms>",
    "<CheckRevocation>False</CheckRevocation>",
    "<CheckRevocation/>",
    "<DnsLookup>False</DnsLookup>",
    "<ArchiveDirectory>Sysmon</ArchiveDirectory>",
    "<CaptureClipboard/>",
    "<DriverName>drv</DriverName>",
    "<FieldSizes>CommandLine:100,Image:20</FieldSizes>",
    "<CopyOnDeletePE>True</CopyOnDeletePE>",
    "<CopyOnDeleteSIDs>S-1-5-18</CopyOnDeleteSIDs>",
    "<CopyOnDeleteExtensions>exe,dll</CopyOnDeleteExtensions>",
    "<CopyOnDeleteProcesses>a.exe</CopyOnDeleteProcesses>",
)


def _cased(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(words, words.map(str.upper), words.map(str.title))


_RELATION = st.sampled_from(["", ' groupRelation=""', ' groupRelation="other"']) | _cased(
    st.sampled_from(["and", "or"])
).map(' groupRelation="{}"'.format)
_NAME = st.just("") | NAMES.map(lambda name: f" name={quoteattr(name)}")
_ONMATCH = st.builds(
    "{}={}".format,
    st.sampled_from(["onmatch", "default"]),
    _cased(st.sampled_from(["include", "exclude"])).map(quoteattr),
)
_CONDITION = st.just("") | st.just(' condition=""') | _cased(_CONDITIONS).map(' condition="{}"'.format)
_VALUE = (
    TEXTS.map(escape)
    | st.text("abc;%\\", max_size=8).map("<![CDATA[{}]]>".format)
    | st.text("aé漢\U0001f9ea", min_size=1, max_size=4).map(lambda text: "".join(f"&#x{ord(c):x};" for c in text))
)


@st.composite
def files(draw: DrawFn) -> bytes:
    """A configuration in UTF-8. Fields of an element are those of one event, as the compiler wants them."""
    parts = draw(st.lists(_parts(), max_size=5))
    options = draw(st.lists(st.sampled_from(_OPTIONS), max_size=3, unique=True))
    filtering = f"<EventFiltering>{''.join(parts)}</EventFiltering>"
    version = draw(st.sampled_from(VERSIONS))
    return f'<Sysmon schemaversion="{version}">{"".join(options)}{filtering}</Sysmon>'.encode()


@st.composite
def _parts(draw: DrawFn) -> str:
    made = "".join(draw(st.lists(_element(), max_size=3)))
    if draw(st.booleans()):
        return made + draw(st.sampled_from(["", "\n\t", "<!-- <ProcessCreate/> -->"]))
    tag = draw(st.sampled_from(["RuleGroup", "rulegroup"]))
    inner = f"<{tag}{draw(_NAME)}{draw(_RELATION)}>{made}</{tag}>"
    return f"<RuleGroup{draw(_NAME)}>{inner}</RuleGroup>" if draw(st.integers(0, 9)) == 0 else inner


@st.composite
def _element(draw: DrawFn) -> str:
    tag = draw(st.sampled_from(TAGS))
    fields = st.sampled_from([field.name for field in draw(st.sampled_from(by_tag(tag))).fields])
    entries = "".join(draw(st.lists(_filter(fields) | _rule(fields), max_size=4)))
    opening = f"{tag} {draw(_ONMATCH)}"
    return f"<{opening}>{entries}</{tag}>" if entries else f"<{opening}/>"


@st.composite
def _rule(draw: DrawFn, fields: st.SearchStrategy[str]) -> str:
    tag = draw(st.sampled_from(["Rule", "rule", "RULE"]))
    return f"<{tag}{draw(_NAME)}{draw(_RELATION)}>{''.join(draw(st.lists(_filter(fields), max_size=3)))}</{tag}>"


@st.composite
def _filter(draw: DrawFn, fields: st.SearchStrategy[str]) -> str:
    field = draw(fields)
    return f"<{field}{draw(_CONDITION)}{draw(_NAME)}>{draw(_VALUE)}</{field}>"
