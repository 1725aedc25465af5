"""The messy folder of the notebook: written by its script, nobody's, and read to the last row."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exports.files import codes
from wa_products import load
from wa_products.exports import summary

DATA = Path(__file__).parents[2] / "data"
AS_OF = "2026-11-20T09:00Z"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the folder as the script writes it now."""
    to = tmp_path_factory.mktemp("data")
    subprocess.run([sys.executable, DATA / "make_messy.py", "--to", to], check=True, capture_output=True)
    return to / "messy"


def test_the_script_writes_what_is_committed(written):
    """Same script, same bytes."""
    contents = [
        {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} for folder in (written, DATA / "messy")
    ]
    assert contents[0] == contents[1]


def test_nobody_in_it_is_real(written):
    """Each number is one of those that fiction may use, each address of a name that nobody can own."""
    for path in written.iterdir():
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("latin-1")
        assert not re.findall(r"(?:\+?44|\b0)7\d{9}|\b07\d{3} \d{6}", re.sub(r"(\+?44|0)7700 ?900\d{3}", "", text))
        assert not re.findall(r"@(?!example\.com)", text)


def test_every_row_of_it_is_accounted_for(written):
    """What loads, what is set aside and why, what is merged."""
    data = load(written, as_of=AS_OF, cache=False)
    assert summary(data.issues) == (
        "36 of 42 rows loaded; 4 set aside: 1 id missing, 1 time unreadable, 1 footer, 1 not json; 2 merged"
    )
    assert {"duplicate_id", "phone_scientific", "total_differs", "order_repeated", "message_repeated"} <= codes(
        data.issues
    )
    assert set(data.orders["match_rule"]) == {"title and options", "id", "unmatched"}


def test_a_mended_row_makes_its_product_sendable(written, tmp_path):
    """A corrected row beside the export it was taken from is the one that counts."""
    for path in written.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    header = "id,title,availability,price,link,image_link\n"
    (tmp_path / "mended.csv").write_text(f"{header}109,Gunpowder tea,in stock,9.00 GBP,https://tea.example/g,\n")
    catalog = load(tmp_path, as_of=AS_OF, cache=False).catalog
    [row] = catalog[catalog["product_retailer_id"] == "109"].to_dict("records")
    assert row["sendable"]
