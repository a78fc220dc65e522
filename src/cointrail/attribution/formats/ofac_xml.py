"""OFAC's list of Specially Designated Nationals as XML: `sdn_advanced.xml`, and the shorter `SDN.XML`.

Both are read as a stream of elements by their local names, since the name space has changed before. A document type,
entities and anything external are refused, and nothing is kept but parties that have a Bitcoin address: memory does
not grow with the file.

Source: ECOSYSTEM.md 2.5.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from cointrail.attribution.formats.ofac_advanced import Advanced
from cointrail.attribution.formats.ofac_party import Party, Shape, TooMany
from cointrail.attribution.formats.ofac_sdn import Basic
from cointrail.attribution.formats.source import SourceFile, open_source
from cointrail.attribution.tag import Pack, Statement, Subject, SubjectKind, Tag
from cointrail.errors import InputRefused

FORMAT: Final = "ofac-xml"
VERSION: Final = 2
MOST_BYTES: Final = 1 << 30
DEEPEST: Final = 64
LONGEST_TEXT: Final = 4_096

SOURCE: Final = "OFAC Specially Designated Nationals and Blocked Persons List (SDN)"
CATEGORY: Final = "sanction"
CONFIDENCE: Final = "authority_data"

_MOST_WITHOUT_EVENT = 4 << 20  # bytes of one tag, attribute or comment, all of which the parser must hold
_HINT = "give OFAC's sdn_advanced.xml or SDN.XML as it was downloaded"


def read_ofac_xml(path: Path) -> Pack:
    """Read OFAC's list; the file is read when the tags are iterated, and whole before the first of them.

    Args:
        path: of an XML file of at most 1 GiB.

    Raises:
        Unavailable: the file cannot be read.
        InputRefused: it is no such list; when the tags are iterated, with the line.
    """
    file = open_source(path, MOST_BYTES)
    skipped: dict[str, int] = {}
    header: dict[str, str] = {}
    return Pack(path.name, file.sha256, FORMAT, VERSION, header, _tags(file, skipped, header), (), skipped)


def _tags(file: SourceFile, skipped: dict[str, int], header: dict[str, str]) -> Iterator[Tag]:
    listed = _read(file).listed
    skipped.update(listed.skipped)
    header["date_of_issue"] = listed.issued
    for party in listed.parties:
        statement = _statement(party)
        for address, line in party.addresses.items():
            yield Tag(Subject(SubjectKind.ADDRESS, address), statement, line)


def _statement(party: Party) -> Statement:
    about = {"party": party.id, "programmes": party.programmes}
    return Statement(
        label=party.name or "address on the OFAC SDN list",
        source=SOURCE,
        confidence=CONFIDENCE,
        actor=f"ofac-{party.id}" if party.id else "",
        category=CATEGORY,
        concepts=(CATEGORY,),
        tag_type="actor",
        context=json.dumps(about, ensure_ascii=False, sort_keys=True),
        lastmod=party.stated or party.listed,
        valid_from=party.listed,
        currency="BTC",
        network="BTC",
    )


def _read(file: SourceFile) -> Shape:
    from defusedxml import DefusedXmlException
    from defusedxml.sax import make_parser

    elements = _Elements(file)
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setContentHandler(elements)
    elements.setDocumentLocator(parser)
    fed = 0
    try:
        for chunk in file.chunks():
            before = elements.events
            parser.feed(chunk)
            fed = fed + len(chunk) if elements.events == before else 0
            if fed > _MOST_WITHOUT_EVENT:
                raise file.refused(elements.line, f"an element or comment has more than {fed >> 20} MiB", _HINT)
        parser.close()
    except DefusedXmlException as error:
        raise file.refused(elements.line, f"it has a {_named(error)}, which no such list has", _HINT) from error
    except SAXParseException as error:
        raise file.refused(error.getLineNumber() or 0, f"no XML: {error.getMessage()}", _HINT) from error
    except (SAXException, LookupError, ValueError) as error:  # the last two: an encoding that nobody knows
        raise file.refused(elements.line, f"no XML: {error}", _HINT) from error
    except TooMany as error:
        raise file.refused(elements.line, "a list in it has no end", _HINT) from error
    if elements.shape is None or (missing := elements.shape.missing()):
        raise file.refused(0, missing if elements.shape else "it is empty", _HINT)
    return elements.shape


def _named(error: Exception) -> str:
    kinds = {"DTDForbidden": "document type", "EntitiesForbidden": "entity"}
    return kinds.get(type(error).__name__, "reference to another file")


class _Elements(ContentHandler):
    """Tells a shape of each element by its local name; bounds depth and texts."""

    def __init__(self, file: SourceFile) -> None:
        super().__init__()
        self.events, self.line = 0, 1
        self.shape: Shape | None = None
        self._file = file
        self._path: list[str] = []
        self._text: list[str] | None = None
        self._length = 0
        self._place = Locator()

    def setDocumentLocator(self, locator: Locator) -> None:  # noqa: N802 - the parser's name for it
        """Learn where to ask for the line."""
        self._place = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        """An element begins."""
        self._at_event()
        local = name.rpartition(":")[2]
        if self.shape is None:
            self.shape = self._shape_of(local)
        self._path.append(local)
        if len(self._path) > DEEPEST:
            raise self._refused(f"elements are nested more than {DEEPEST} deep")
        wanted = self.shape.opened(self._path, dict(attrs.items()), self.line)
        self._text, self._length = [] if wanted else None, 0

    def endElement(self, name: str) -> None:  # noqa: N802
        """It ends."""
        self._at_event()
        assert self.shape is not None
        self.shape.closed(self._path, "".join(self._text or ()).strip())
        self._path.pop()
        self._text = None

    def characters(self, content: str) -> None:
        """A part of a text; a text may come in several."""
        self.events += 1
        if self._text is not None:
            self._length += len(content)
            if self._length > LONGEST_TEXT:
                raise self._refused(f"a text has more than {LONGEST_TEXT:,} characters")
            self._text.append(content)

    def _at_event(self) -> None:
        self.events += 1
        self.line = self._place.getLineNumber() or self.line

    def _shape_of(self, root: str) -> Shape:
        for shape in (Advanced, Basic):
            if root == shape.ROOT:
                return shape()
        raise self._refused(f"its root is {root[:60]!a}, not Sanctions or sdnList")

    def _refused(self, what: str) -> InputRefused:
        return self._file.refused(self.line, what, _HINT)
