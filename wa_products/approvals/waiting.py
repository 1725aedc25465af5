"""The proposals that wait for a person: one private file, which `wa_products.review` opens."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from wa_products import frames, selection
from wa_products.errors import DataError
from wa_products.policies import Policy

if TYPE_CHECKING:
    from wa_products.datasets import Dataset

_VERSION = 1


def save_waiting(waiting: pd.DataFrame, policy: Policy, path: str | os.PathLike[str]) -> Path:
    """
    Write the rows of a selected frame that wait, and the `policy` that let them through, readable by their owner alone.

    JSON lines, the policy first. Only what was proposed is kept: whether it may be sent is asked again on opening.
    """
    header = {"waiting": _VERSION, "policy": policy.to_dict()}
    told = frames.conform(frames.require(waiting, frames.PROPOSALS, "what waits"), frames.PROPOSALS, "what waits")
    rows = told[list(frames.PROPOSALS)].to_json(orient="records", lines=True, date_format="iso", date_unit="us")
    target = Path(path)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(json.dumps(header, ensure_ascii=False) + "\n" + rows)
    return target


def read_waiting(path: str | os.PathLike[str], data: Dataset) -> pd.DataFrame:
    """
    Return what `select` says now, for `data`, of the rows that `save_waiting` wrote.

    Windows close and customers are written to while rows wait; such rows are skipped with their reason. Raises
    DataError where the file is something else or was cut short.
    """
    try:
        header, *told = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n") if line]
        if not isinstance(header, dict) or header.get("waiting") != _VERSION:
            raise DataError(f"{path} holds nothing that waits for a review")
        policy, proposals = Policy.from_dict(header["policy"]), _proposals(told)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} holds nothing that waits for a review, or was cut short") from error
    return selection.select(proposals, data, policy)


def _proposals(told: list[dict[str, Any]]) -> pd.DataFrame:
    rows = pd.DataFrame(told, columns=list(frames.PROPOSALS))
    rows["due_at"] = pd.to_datetime(rows["due_at"], format="ISO8601", utc=True)
    return frames.conform(rows, frames.PROPOSALS, "what waits")
