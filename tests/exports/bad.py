"""A bad export, and what must come of it: the rows that are right, and where each fault is."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from wa_products.errors import DataError
from wa_products.exports import load
from wa_products.exports.contract import Options
from wa_products.exports.readers import read_file

AS_OF = pd.Timestamp("2026-11-20T09:00Z")
FILE = "export.dat"
KEY = {"catalog": "product_retailer_id", "orders": "order_id", "inbound": "message_id"}


@dataclass(frozen=True, kw_only=True)
class Bad:
    """
    A file, or by their names the files of a folder, with a fault in it.

    `kept` are the keys of the rows that come out, `issues` what is said: code, severity, row, line, column, value,
    action. Of each code that is named all issues are. `refused` is what the error says where nothing can be read.
    """

    kind: str = "catalog"
    content: bytes | str | dict
    kept: tuple = ()
    issues: tuple = ()
    refused: str = ""
    said: dict = field(default_factory=dict)  # currency, region and timezone of the shop

    def check(self, folder: Path) -> pd.DataFrame | None:
        """Read the file and check all of it; return the frame."""
        if self.refused:
            with pytest.raises(DataError, match=self.refused) as caught:
                self.read(folder)
            assert "\n" not in str(caught.value)
            return None
        frame, issues, file = self.read(folder)
        assert list(frame[KEY[self.kind]]) == list(self.kept)
        assert self.told(issues) == sorted(self.issues)
        some = issues[issues["code"].isin([issue[0] for issue in self.issues])]
        assert set(some.loc[some["row"] > 0, "file"]) <= set(file)
        assert (some[["action", "hint"]] != "").all(axis=None)
        return frame

    def told(self, issues):
        """Return the issues of the codes that this case names, as it names them."""
        some = issues[issues["code"].isin([issue[0] for issue in self.issues])]
        names = ["code", "severity", "row", "line", "column", "value", "action"]
        return sorted(some[names].itertuples(index=False, name=None))

    def read(self, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
        """Return frame, issues and the names of the files, after checking that no row of them went missing."""
        if isinstance(self.content, dict):
            for name, content in self.content.items():
                (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
            lines = [f'{name} = "{value}"\n' for name, value in self.said.items()]
            (folder / "shop.toml").write_text("".join(lines))
            data = load(folder, as_of=AS_OF, cache=False)
            return getattr(data, self.kind), data.issues, list(self.content)
        path = folder / FILE
        path.write_bytes(self.content if isinstance(self.content, bytes) else self.content.encode())
        parts = read_file(path, Options(as_of=AS_OF, **self.said), self.kind)
        for part in parts:
            account(part)
        frame, issues = (pd.concat([part[at] for part in parts], ignore_index=True) for at in (1, 2))
        return frame, issues, [part.found.file for part in parts]


def account(part):
    """Check that each row of a file is kept, merged, or set aside by an issue that names it."""
    found = part.found
    assert found.rows_in == found.kept + found.set_aside + found.merged
    aside = part.issues[part.issues["action"].str.startswith("row set aside")]
    assert len(aside) == found.set_aside
    assert (aside["line"] > 0).all()
    if part.kind != "inbound" and "source_row" in part.frame:
        assert part.kind == "orders" or found.kept == len(part.frame)
        assert not set(aside["row"]) & set(part.frame["source_row"]) or part.kind == "orders"
