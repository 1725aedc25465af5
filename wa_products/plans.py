"""
A plan: the frozen, approved rows of one campaign, with a hash that shows any later change.

A plan file holds the addresses it sends to: it is written readable by its owner alone and belongs in no repository.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from wa_products import arms, frames, selection
from wa_products.errors import PlanError
from wa_products.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from wa_products.datasets import Dataset

ROWS: dict[str, frames.Kind] = {
    "customer_id": "text",
    "to": "text",
    "recipient": "text",
    "product_retailer_id": "text",
    "kind": "text",
    "source": "text",
    "probability": "number",
    "last_inbound_at": "time",
    "closes_at": "time",
    "title": "text",
    "price": "money",
    "currency": "text",
    "body": "text",
    "footer": "text",
    "propensity": "number",
}
_LATER = frozenset({"propensity"})  # columns that earlier plans did not have: unknown, they are not told
_HEADER = ("campaign", "catalog_id", "approved_by", "created_at", "expires_at", "holdout", "waterfall", "limits")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Plan:
    """
    The approved rows of one campaign, one a customer.

    `rows` has the columns of `wa_products.plans.ROWS`. `waterfall` counts the customers by the reason for which
    they got no message (``reason``, ``customers``), from all that were looked at down to the planned. `limits` hold
    at the moment of each message.
    ``propensity`` is the chance with which the product was drawn, where chance played (`Policy.explore`), else 1;
    unknown where the rows come from elsewhere. `digest` is the SHA-256 of everything else; `check` refuses a plan
    whose content no longer gives it.
    """

    campaign: str
    catalog_id: str
    approved_by: str
    created_at: pd.Timestamp
    expires_at: pd.Timestamp
    holdout: float
    waterfall: tuple[tuple[str, int], ...]
    rows: pd.DataFrame
    digest: str
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def make(
        cls,
        rows: pd.DataFrame,
        *,
        campaign: str,
        catalog_id: str,
        approved_by: str,
        created_at: pd.Timestamp,
        holdout: float,
        waterfall: tuple[tuple[str, int], ...] = (),
        limits: Limits | None = None,
    ) -> Self:
        """
        Freeze `rows` as the plan of `campaign`. It expires when the last of its windows closes.

        Raises PlanError where the campaign or the approver has no name, a customer stands in two rows, a row has no
        address, or the holdout is no share.
        """
        frozen = frames.conform(frames.require(rows, set(ROWS) - _LATER, "the plan"), ROWS, "the plan")[list(ROWS)]
        frozen = frozen.sort_values("customer_id", ignore_index=True)
        _refuse_unusable(frozen, campaign, approved_by, catalog_id)
        arms.assign(campaign, frozen["customer_id"], frozen["kind"], holdout)
        header: dict[str, Any] = {
            "campaign": campaign.strip(),
            "catalog_id": catalog_id,
            "approved_by": approved_by.strip(),
            "created_at": created_at,
            "expires_at": created_at if frozen.empty else frozen["closes_at"].max(),
            "holdout": float(holdout),
            "waterfall": tuple((str(reason), int(customers)) for reason, customers in waterfall),
            "limits": limits or Limits(),
        }
        return cls(**header, rows=frozen, digest=_digest(header, frozen))

    @property
    def arms(self) -> pd.Series:
        """Return ``treated`` or ``holdout`` for each row of `rows`."""
        return arms.assign(self.campaign, self.rows["customer_id"], self.rows["kind"], self.holdout)

    def check(self, at: pd.Timestamp) -> None:
        """Raise PlanError where the plan was changed after approval, was not approved, or has expired at `at`."""
        if _digest(self._header(), self.rows) != self.digest:
            raise PlanError(f"the plan of {self.campaign!r} was changed after its approval: review it again")
        if not self.approved_by:
            raise PlanError(f"nobody approved the plan of {self.campaign!r}: review it, then give approved_by")
        if at >= self.expires_at:
            raise PlanError(
                f"the plan of {self.campaign!r} expired at {self.expires_at:%Y-%m-%d %H:%M} UTC, "
                f"when its last window closed: load the shop again and make a new plan"
            )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the plan as JSON lines, header first, readable by its owner alone; return the path."""
        lines = [{"plan": 1, **_told(self._header()), "digest": self.digest}, *_records(self.rows)]
        target = Path(path)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        return target

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a plan that `save` wrote. Raises PlanError where it is no plan or a line of it was changed."""
        try:
            text = Path(path).read_text(encoding="utf-8")
            header, *told = [json.loads(line) for line in text.split("\n") if line]  # a text may hold other line ends
            values = {name: _parsed(name, header[name] if name != "limits" else header.get(name)) for name in _HEADER}
            rows = _read(told)
            plan = cls(**values, rows=rows, digest=header["digest"])
        except FileNotFoundError as error:
            raise PlanError(f"there is no plan at {path}: make one with wa-products plan") from error
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, ArithmeticError) as error:
            raise PlanError(f"{path} is not a plan that this package wrote, or was cut short: review again") from error
        if _digest(values, rows) != plan.digest:
            raise PlanError(f"{path} was changed after its approval: review it again")
        return plan

    def _header(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _HEADER}

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        held = int((self.arms == arms.HOLDOUT).sum())
        return (
            f"<Plan {self.campaign!r}: {len(self) - held} to send, {held} held out, approved by {self.approved_by!r}, "
            f"expires {self.expires_at:%Y-%m-%d %H:%M} UTC, {f'{self.limits}, ' if str(self.limits) else ''}"
            f"{self.digest[:12]}>"
        )


def _refuse_unusable(rows: pd.DataFrame, campaign: str, approved_by: str, catalog_id: str) -> None:
    needed = {
        "a campaign, a name of its own": campaign,
        "approved_by, the name of who looked at it": approved_by,
        "a catalog_id, Meta's own, set in shop.toml": catalog_id,
    }
    if missing := [what for what, value in needed.items() if not value.strip()]:
        raise PlanError(f"a plan needs {' and '.join(missing)}")
    for fault, where in (
        ("stands in more than one row", rows["customer_id"].duplicated()),
        ("has no address", (rows["to"] == "") & (rows["recipient"] == "")),
        ("has no product", rows["product_retailer_id"] == ""),
        ("has no time at which the window closes", rows["closes_at"].isna()),
    ):
        if where.any():
            raise PlanError(f"customer {rows.loc[where, 'customer_id'].iloc[0]} {fault} (of {where.sum()} such rows)")


def _digest(header: dict[str, Any], rows: pd.DataFrame) -> str:
    content = [_told(header), *_records(rows)]
    return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _read(told: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the rows that `_records` told."""
    table = pd.DataFrame(told, columns=list(ROWS))
    for name in [name for name, kind in ROWS.items() if kind == "time"]:
        table[name] = pd.to_datetime(table[name], format="ISO8601", utc=True)  # some with microseconds, some without
    rows = frames.conform(table, ROWS, "the plan")
    return rows.assign(
        price=rows["price"].map(lambda price: None if price is None else Decimal(price)).astype("object")
    )


def _told(header: dict[str, Any]) -> dict[str, Any]:
    """Return the header as plain values. Without limits it is that of the plans before there were any."""
    told = {name: _plain(value) for name, value in header.items() if name != "limits"}
    return told | ({"limits": limits} if (limits := header["limits"].to_dict()) else {})


def approved(
    rows: pd.DataFrame,
    chosen: pd.DataFrame,
    data: Dataset,
    *,
    campaign: str,
    approved_by: str,
    holdout: float,
    limits: Limits,
) -> Plan:
    """
    Return the plan of the approved `rows` of `chosen`, what `select` returned for `data`.

    Its waterfall counts who gets nothing, those among them who could have had something but were not approved.
    Raises PlanError as `Plan.make` does.
    """
    threads = data.threads[["customer_id", "to", "recipient", "last_inbound_at", "closes_at"]]
    sendable = set(chosen.loc[chosen["decision"] == selection.SEND, "customer_id"])
    left = len(sendable - set(rows["customer_id"]))
    return Plan.make(
        rows.drop(columns="closes_at").merge(threads, on="customer_id", how="left"),
        campaign=campaign,
        catalog_id=data.catalog_id,
        approved_by=approved_by,
        created_at=data.as_of,
        holdout=holdout,
        waterfall=(*selection.waterfall(chosen), *([("not approved", left)] if left else [])),
        limits=limits,
    )


def records(rows: pd.DataFrame, time: Callable[[datetime | None], Any]) -> list[dict[str, Any]]:
    """Return planned rows as plain values: money as its text, times as `time` tells them, None for what is unknown."""
    columns = [_cells(rows[name], time) for name in ROWS]
    return [dict(zip(ROWS, values, strict=True)) for values in zip(*columns, strict=True)]


def _cells(values: pd.Series, time: Callable[[datetime | None], Any]) -> list[Any]:
    """Return the plain values of a column: all at once where its type allows it, which takes a tenth of the time."""
    if isinstance(values.dtype, pd.StringDtype):
        return values.tolist()
    if values.dtype == frames.DTYPES["time"]:
        return [time(None if at is pd.NaT else at) for at in pd.DatetimeIndex(values).to_pydatetime()]
    return [_plain(value) for value in values]


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    told = records(rows, _iso)
    return [{name: value for name, value in row.items() if name not in _LATER or value is not None} for row in told]


def _plain(value: Any) -> Any:  # noqa: ANN401  # whatever a cell holds
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Decimal):
        return str(value)
    if value is None or value is pd.NaT or value != value:  # noqa: PLR0124  # NaN is not itself
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def _parsed(name: str, value: Any) -> Any:  # noqa: ANN401  # whatever a header holds
    if name.endswith("_at"):
        return pd.Timestamp(value)
    if name == "limits":
        return Limits.from_dict(value or {})
    return tuple((reason, customers) for reason, customers in value) if name == "waterfall" else value
