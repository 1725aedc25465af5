"""Excel workbooks, small ones, written part by part: what a spreadsheet program saves, without one."""

import io
import zipfile
from xml.sax.saxutils import escape, quoteattr

import pandas as pd

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{}</Types>'
)
_STYLES = (
    f'<styleSheet {_MAIN}><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
_ZERO = pd.Timestamp("1899-12-30")


def workbook(sheets, merged=(), hidden=()):
    """
    Return a workbook of text, numbers, truths and times; `merged` are ranges such as A2:A3, in every sheet.

    A `pandas.Timestamp` is written as a spreadsheet does: a serial number that a style shows as a date.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for path, part in {**_frame(sheets, hidden), **_sheets(sheets, merged)}.items():
            book.writestr(path, part)
    return out.getvalue()


def _frame(sheets, hidden):
    numbers = range(1, len(sheets) + 1)
    parts = {"workbook": "sheet.main", "styles": "styles", **{f"worksheets/sheet{n}": "worksheet" for n in numbers}}
    types = [f'<Override PartName="/xl/{part}.xml" ContentType="{_KIND}.{kind}+xml"/>' for part, kind in parts.items()]
    names = [
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="r{n}" state="{"hidden" if name in hidden else "visible"}"/>'
        for n, name in enumerate(sheets, 1)
    ]
    links = [_link(f"r{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    links.append(_link("s", "styles", "styles.xml"))
    return {
        "[Content_Types].xml": _TYPES.format("".join(types)),
        "_rels/.rels": _RELS.format(_link("r1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_REL}"><sheets>{"".join(names)}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _RELS.format("".join(links)),
        "xl/styles.xml": _STYLES,
    }


def _link(name, kind, target):
    return f'<Relationship Id="{name}" Type="{_REL}/{kind}" Target="{target}"/>'


def _sheets(sheets, merged):
    over = "".join(f'<mergeCell ref="{where}"/>' for where in merged)
    over = f"<mergeCells>{over}</mergeCells>" if merged else ""
    parts = {}
    for n, rows in enumerate(sheets.values(), 1):
        cells = "".join(f'<row r="{at}">{_cells(row, at)}</row>' for at, row in enumerate(rows, 1) if row)
        parts[f"xl/worksheets/sheet{n}.xml"] = f"<worksheet {_MAIN}><sheetData>{cells}</sheetData>{over}</worksheet>"
    return parts


def _cells(row, at):
    return "".join(_cell(f'r="{chr(65 + place)}{at}"', value) for place, value in enumerate(row) if value != "")


def _cell(where, value):
    if isinstance(value, pd.Timestamp):
        return f'<c {where} s="1"><v>{(value - _ZERO) / pd.Timedelta(days=1)}</v></c>'
    if isinstance(value, bool):
        return f'<c {where} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c {where}><v>{value!r}</v></c>"
    return f'<c {where} t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
