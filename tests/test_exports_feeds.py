"""Catalog feeds: XLSX, RSS, ATOM, plain XML dialects, YML, Google's TSV and CSV, and the Graph API's pages."""

import pytest

from tests import exports_contract as contract


@pytest.fixture
def read(tmp_path):
    """Return a function that writes bytes or text to a file that says nothing by its name, and reads it."""

    def read(content, **options):
        path = tmp_path / "export.dat"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return contract.read(path, **options)

    return read


@pytest.mark.parametrize("made", contract.EVERY.values(), ids=contract.EVERY)
def test_every_format_gives_the_same_rows(read, made):
    """One catalog reads the same from every format that can say it, by content alone, to the character."""
    catalog, issues = read(made())
    assert contract.same(catalog) == contract.expected()
    assert not (issues["severity"] == "error").any()
