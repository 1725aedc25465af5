"""Exports of shop platforms, written by the tests and read back with each row accounted for."""

import csv
import io

import pandas as pd

from wa_products.exports.contract import Options
from wa_products.exports.readers import read_file

NOON = pd.Timestamp("2026-11-20 12:00Z")


def write(path, header, rows, delimiter=",", head=""):
    """Write `rows` (dicts) under `header` to `path` and return it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, delimiter=delimiter, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(head + text.getvalue(), encoding="utf-8", newline="")
    return path


def read(path, **options):
    """Return the catalog and issues of `path`, after checking that none of its rows went missing."""
    [part] = read_file(path, Options(as_of=NOON, **{"currency": "GBP", "timezone": "UTC", **options}), "catalog")
    found = part.found
    assert found.rows_in == found.kept + found.set_aside + found.merged
    assert found.kept == len(part.frame)
    return part.frame.set_index("product_retailer_id", drop=False), part.issues


def codes(issues):
    """Return the codes of all issues."""
    return set(issues["code"])
