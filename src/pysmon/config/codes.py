"""Every kind of problem, once: its code, what it means and what Sysmon does, and a configuration that has it.

C1 the file, C2 its XML, C3 its structure, C4 filters, C5 options. A code keeps its meaning for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pysmon.config.problems import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of problem. `example` has exactly this problem; it is empty where no short text can show it."""

    code: str
    severity: Severity
    title: str
    doc: str
    example: str


def _error(code: str, title: str, doc: str, example: str = "") -> Code:
    return Code(code, "error", title, doc, example)


def _warning(code: str, title: str, doc: str, example: str = "") -> Code:
    return Code(code, "warning", title, doc, example)


def _sysmon(body: str, version: str = "4.90") -> str:
    return f'<Sysmon schemaversion="{version}">\n{body}\n</Sysmon>\n'


def _filtering(body: str, version: str = "4.90") -> str:
    return _sysmon(f"<EventFiltering>\n{body}\n</EventFiltering>", version)


def _create(body: str, version: str = "4.90") -> str:
    return _filtering(f'<ProcessCreate onmatch="include">\n{body}\n</ProcessCreate>', version)


def _option(body: str, version: str = "4.90") -> str:
    return _sysmon(f'{body}\n<EventFiltering><ProcessCreate onmatch="exclude"/></EventFiltering>', version)


_LS = "<Image>/usr/bin/ls</Image>"

_FILE = (
    _error("C101", "The file cannot be read", "It does not exist, is a folder, or its permissions forbid it."),
    _error(
        "C102",
        "The file is beyond what a configuration can be",
        "Limits keep a hostile file from costing memory and time: 16 MiB, 65,536 elements, 64 elements inside each "
        "other, 64 attributes of an element. Real configurations stay far below.",
        "<a>" * 65,
    ),
    _error("C103", "The file is empty", "There is nothing in it but blanks.", " \n"),
    _error(
        "C104",
        "Bytes do not fit the encoding",
        "The place is that of the first byte that is not valid in the file's encoding. Without a declaration and "
        "without a byte order mark that is UTF-8.",
        '<?xml version="1.0" encoding="US-ASCII"?>\n' + _create("<Image>/opt/caf\u00e9</Image>"),
    ),
    _error(
        "C105",
        "The encoding is not known",
        "pysmon reads UTF-8, UTF-16, ISO-8859-1, Windows-1252 and US-ASCII.",
        '<?xml version="1.0" encoding="EBCDIC"?>\n' + _create(_LS),
    ),
    _warning(
        "C106",
        "The declared encoding is not that of the bytes",
        "Sysmon believes the byte order mark and the zero bytes of UTF-16 before the declaration, and so does pysmon. "
        "It happens when an editor or a shell writes the file anew in another encoding.",
        '<?xml version="1.0" encoding="UTF-16"?>\n' + _create(_LS),
    ),
    _warning("C107", "The file is UTF-16 big-endian", "pysmon reads it; Sysmon knows the little-endian form only."),
    _warning(
        "C108",
        "There are too many problems to show",
        "The first 500 errors and the first 500 warnings are shown, in the order in which they are found.",
    ),
)

_XML = (
    _error(
        "C201",
        "The file is not well-formed XML",
        "A tag, an attribute, a comment or a section is written in a way that XML does not allow. Older versions of "
        "Sysmon refuse such a file; the newest guesses what was meant.",
        _create("<Image condition=is>/usr/bin/ls</Image>"),
    ),
    _error(
        "C202",
        "A start tag and an end tag do not fit",
        "An element is never closed, or an end tag closes nothing.",
        _create("<Image>/usr/bin/ls</Imgae>"),
    ),
    _error(
        "C203",
        "'&' or '<' is not escaped",
        "In a text or a value, '&' is written '&amp;' and '<' is written '&lt;'. Only the five entities of XML and "
        "numbers such as '&#38;' are known.",
        _create("<CommandLine>make && make install</CommandLine>".replace("&&", "&")),
    ),
    _error(
        "C204",
        "A character that XML does not allow",
        "Control characters and zero bytes cannot stand in XML, not even as references such as '&#0;'.",
        _create("<Image>/usr/bin/&#0;</Image>"),
    ),
    _error(
        "C205",
        "An attribute is written twice",
        "An element can have each attribute once.",
        _create('<Image condition="is" condition="image">ls</Image>'),
    ),
    _error(
        "C206",
        "The file has a document type",
        "A DOCTYPE is never read: entities and external files that it names are not followed.",
        "<!DOCTYPE Sysmon>\n" + _create(_LS),
    ),
    _error(
        "C207",
        "A comment contains '--'",
        "XML does not allow two hyphens inside a comment. Older versions of Sysmon refuse such a file.",
        _create("<!-- ls --all -->" + _LS),
    ),
    _error(
        "C208",
        "Something stands outside of the root element",
        "All of a configuration is inside one <Sysmon> element.",
        _create(_LS) + "<Sysmon/>",
    ),
)

_STRUCTURE = (
    _error(
        "C301",
        "The root element is not <Sysmon>",
        "Sysmon looks for exactly this name, upper and lower case counting.",
        _create(_LS).replace("Sysmon", "sysmon"),
    ),
    _error(
        "C302",
        "schemaversion is missing",
        "The version decides how filters combine, so it must be there.",
        _create(_LS).replace(' schemaversion="4.90"', ""),
    ),
    _error("C303", "schemaversion is no number", "It is written as major.minor, such as 4.90.", _create(_LS, "latest")),
    _error(
        "C304",
        "The schema version is not supported",
        "There is no such version, or it is of a Sysmon that is yet to come.",
        _create(_LS, "5.0"),
    ),
    _warning(
        "C305",
        "The schema version is newer than pysmon, or older than today's Sysmon reads",
        "The file is read all the same: a newer one as the newest version, as Sysmon does, an older one as its own.",
        _create(_LS, "4.99"),
    ),
    _warning(
        "C306",
        "An attribute that Sysmon does not read",
        "The newest Sysmon ignores it; older versions refuse the file.",
        _create('<Image comment="list files">/usr/bin/ls</Image>'),
    ),
    _warning(
        "C307",
        "An element under <Sysmon> that Sysmon does not read",
        "The newest Sysmon ignores it together with every option element that comes after it; older versions refuse "
        "the file. pysmon ignores only this element.",
        _option("<HashAlgorithm>SHA256</HashAlgorithm>"),
    ),
    _warning(
        "C308",
        "An element under <EventFiltering> that Sysmon does not read",
        "The newest Sysmon ignores it without a word, but still reads event elements inside it; older versions refuse "
        "the file. Names of event elements are case-sensitive.",
        _filtering('<ProcesCreate onmatch="include"/>\n<ProcessCreate onmatch="include"/>'),
    ),
    _warning(
        "C309",
        "Text where none belongs",
        "Sysmon ignores it. It is often what a broken comment left behind.",
        _create("list files -->" + _LS),
    ),
    _error(
        "C310",
        "onmatch is missing",
        'Every event element needs onmatch="include" or onmatch="exclude".',
        _filtering("<ProcessCreate>" + _LS + "</ProcessCreate>"),
    ),
    _error(
        "C311",
        "Both onmatch and default are given",
        "default is the old way to say the opposite of onmatch; only one of them can be there.",
        _filtering('<ProcessCreate onmatch="include" default="exclude"/>'),
    ),
    _warning(
        "C312",
        "onmatch or default has a value that is not known",
        "The newest Sysmon then takes the event's own default; older versions refuse the file.",
        _filtering('<ProcessCreate onmatch="includes">' + _LS + "</ProcessCreate>"),
    ),
    _warning(
        "C313",
        "groupRelation has a value that is not known",
        "Sysmon then combines with 'and'.",
        _filtering('<RuleGroup groupRelation="any"><ProcessCreate onmatch="include"/></RuleGroup>'),
    ),
    _warning(
        "C314",
        "groupRelation is missing",
        "The filters of a Rule are then combined with 'or'; those of a RuleGroup with 'or' up to schema version 4.1 "
        "and with 'and' after it. Older versions of Sysmon refuse a RuleGroup without it.",
        _create('<Rule name="both"><Image>/bin/ls</Image><User>root</User></Rule>'),
    ),
    _warning(
        "C315",
        "A RuleGroup inside a RuleGroup",
        "Only the RuleGroup directly around an event element counts; older versions of Sysmon refuse the file.",
        _filtering(
            '<RuleGroup groupRelation="or"><RuleGroup groupRelation="and">'
            '<ProcessCreate onmatch="include"/></RuleGroup></RuleGroup>'
        ),
    ),
    _error(
        "C316",
        "A Rule inside a Rule",
        "Rules cannot be nested: Sysmon takes the inner one for a field of that name.",
        _create('<Rule groupRelation="and">' + _LS + '<Rule groupRelation="or"/></Rule>'),
    ),
    _warning(
        "C317",
        "An event that the schema version does not have",
        "The declared version is older than the event. Versions of Sysmon that check ignore or refuse it.",
        _filtering('<DnsQuery onmatch="include"/>', "4.20"),
    ),
    _warning(
        "C318",
        "No event is filtered",
        "Without event elements the defaults hold: processes that begin and end are logged, nothing else.",
        _sysmon("<EventFiltering/>"),
    ),
    _warning(
        "C319",
        "Several exclude elements and no include element for an event",
        "With two or more elements for one event, Sysmon drops what none of them matches. If all of them exclude, "
        "every event is dropped. Put the filters into one element.",
        _filtering('<ProcessCreate onmatch="exclude"/>\n<ProcessCreate onmatch="exclude">' + _LS + "</ProcessCreate>"),
    ),
    _warning(
        "C320",
        "A Rule without filters",
        "It matches nothing and stops nothing: Sysmon leaves it out.",
        _create('<Rule name="later" groupRelation="and"/>'),
    ),
    _warning(
        "C321",
        "Elements inside a value",
        "Sysmon takes the text of a filter or an option and ignores elements inside it.",
        _create("<Image>/usr/bin/<b>ls</b></Image>".replace("/usr/bin/<b>ls</b>", "ls<b/>")),
    ),
)

_FILTERS = (
    _error(
        "C401",
        "A field that the event does not have",
        "Names of fields are case-sensitive; event 10 writes SourceProcessGUID, all others ...Guid.",
        _create("<image>/usr/bin/ls</image>"),
    ),
    _error(
        "C402",
        "Fields that belong to different events",
        "RegistryEvent, PipeEvent and WmiEvent stand for several events. All fields of one element must belong to one "
        "of them.",
        _filtering(
            '<RegistryEvent onmatch="include"><Details>x</Details><NewName condition="is">y</NewName></RegistryEvent>'
        ),
    ),
    _warning(
        "C403",
        "A field that the schema version does not have",
        "The declared version is older than the field. Versions of Sysmon that check refuse the file.",
        _create("<ParentUser>root</ParentUser>", "4.50"),
    ),
    _error(
        "C404",
        "A condition that is not known",
        "Upper and lower case do not matter, blanks do.",
        _create('<Image condition="ends with">/ls</Image>'),
    ),
    _warning(
        "C405",
        "A condition that the schema version does not have",
        "The declared version is older than the condition. Versions of Sysmon that check refuse the file.",
        _create('<Image condition="is any">a;b</Image>', "4.30"),
    ),
    _error(
        "C406",
        "A name is too long",
        "The name of a filter, or of the Rule or RuleGroup that gives it its name, has at most 255 bytes in UTF-8, "
        "where a letter such as é has two.",
        _create(f'<Image name="{"n" * 256}">/usr/bin/ls</Image>'),
    ),
    _warning(
        "C407",
        "A value in pieces",
        "A comment or a section stands inside the value. The newest Sysmon takes only the first piece; pysmon and "
        "older versions take all of them.",
        _create("<Image>/usr/bin<!-- all -->/ls</Image>"),
    ),
    _warning(
        "C408",
        "A list with an empty part",
        "An empty part at the end of 'contains any' or 'excludes any' is found in every text. An empty part before "
        "other parts makes Sysmon look for the rest of the value, semicolons included.",
        _create('<Image condition="contains any">ls;cat;</Image>'),
    ),
    _warning(
        "C409",
        "Blanks after the semicolons of a list",
        "Sysmon does not trim the parts of a list: in 'a; b' the second part begins with a blank, and 'b' alone is not "
        "found. Told where the first part has no blank and all others have one.",
        _create('<Image condition="contains any">ls; cat</Image>'),
    ),
)

_OPTIONS = (
    _error(
        "C501",
        "A hash algorithm that is not known",
        "A list of SHA1, MD5, SHA256, IMPHASH with commas and no blanks, or '*' for all.",
        _option("<HashAlgorithms>SHA512</HashAlgorithms>"),
    ),
    _error(
        "C502",
        "Neither true nor false",
        "'true', '1' and 'enabled' switch an option on; 'false', '0', 'null' and 'disabled' switch it off.",
        _option("<DnsLookup>maybe</DnsLookup>"),
    ),
    _error(
        "C503",
        "ArchiveDirectory is not one name",
        "It names a folder in the root of a file system and contains no separator.",
        _option("<ArchiveDirectory>var\\archive</ArchiveDirectory>"),
    ),
    _error(
        "C504",
        "FieldSizes is wrong",
        "Field:Size pairs with commas and no blanks; sizes are greater than 0 and fields exist.",
        _option("<FieldSizes>CommandLine:0</FieldSizes>"),
    ),
    _warning(
        "C505",
        "An entry of FieldSizes without a size",
        "Sysmon ignores an entry that has no ':'.",
        _option("<FieldSizes>CommandLine,Image:100</FieldSizes>"),
    ),
    _error(
        "C506",
        "ProcessAccessConfig is wrong",
        "Up to 9 entries name[:mask] with commas; the mask is decimal or 0x and hexadecimal; '::' is a colon.",
        _option("<ProcessAccessConfig>lsass.exe:all</ProcessAccessConfig>"),
    ),
    _error(
        "C507",
        "A queue size is no number",
        "DriverQueueSize and SigningQueueSize take a number greater than 0.",
        _option("<DriverQueueSize>many</DriverQueueSize>", "4.91"),
    ),
    _warning(
        "C508",
        "An option that the schema version does not have",
        "The declared version is older than the option. Versions of Sysmon that check refuse the file.",
        _option("<FieldSizes>CommandLine:100</FieldSizes>", "4.50"),
    ),
    _warning(
        "C509",
        "An option is given twice",
        "The last one holds.",
        _option("<DnsLookup>true</DnsLookup>\n<DnsLookup>false</DnsLookup>"),
    ),
    _error(
        "C510",
        "An option has no value",
        "This option is an element with a text.",
        _option("<HashAlgorithms/>"),
    ),
)

CODES: Mapping[str, Code] = {code.code: code for code in (*_FILE, *_XML, *_STRUCTURE, *_FILTERS, *_OPTIONS)}
