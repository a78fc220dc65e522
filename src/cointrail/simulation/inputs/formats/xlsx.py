"""A minimal workbook (ECMA-376, SpreadsheetML): sheets of text and whole numbers, texts inline, no styles, no dates."""

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from cointrail.simulation.inputs.formats.archives import zip_file

Cell = str | int

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(sheets: Sequence[tuple[str, Sequence[Sequence[Cell]]]]) -> bytes:
    """The file.

    Args:
        sheets: (name, rows); the first row of each is its head.
    """
    parts = [
        ("[Content_Types].xml", _content_types(len(sheets))),
        ("_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])),
        ("xl/workbook.xml", _book([name for name, _ in sheets])),
        (
            "xl/_rels/workbook.xml.rels",
            _relations([("worksheet", f"worksheets/sheet{number + 1}.xml") for number in range(len(sheets))]),
        ),
    ]
    parts += [(f"xl/worksheets/sheet{number}.xml", _sheet(rows)) for number, (_, rows) in enumerate(sheets, start=1)]
    return zip_file([(name, (_HEAD + text).encode("ascii", "xmlcharrefreplace")) for name, text in parts])


def _content_types(sheets: int) -> str:
    overrides = [("/xl/workbook.xml", f"{_TYPES}.sheet.main+xml")]
    overrides += [(f"/xl/worksheets/sheet{number + 1}.xml", f"{_TYPES}.worksheet+xml") for number in range(sheets)]
    inner = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    inner += '<Default Extension="xml" ContentType="application/xml"/>'
    inner += "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in overrides)
    return f'<Types xmlns="{_PACKAGE}/content-types">{inner}</Types>'


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _book(names: Sequence[str]) -> str:
    inner = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, start=1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{inner}</sheets></workbook>'


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = "".join(_cell(f"{_column(place)}{number}", value) for place, value in enumerate(row))
        lines.append(f'<row r="{number}">{cells}</row>')
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _cell(reference: str, value: Cell) -> str:
    if isinstance(value, int):
        return f'<c r="{reference}"><v>{value}</v></c>'
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def _column(place: int) -> str:
    name = ""
    while place >= 0:
        name, place = chr(ord("A") + place % 26) + name, place // 26 - 1
    return name
