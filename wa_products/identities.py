"""
One customer, many aliases: a phone in an order, a wa_id in a webhook, a business-scoped user id.

``customer_id`` is a short hash of the first alias seen, so that frames, notebooks and charts can be shared
without showing a phone number. Aliases are joined on evidence only: two ids in one webhook, a number change
that Meta reports, or the one national prefix rule per country in `match_key`; never on a guess.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

_BRAZIL_WITH_NINTH_DIGIT, _MEXICO_WITH_ONE, _ARGENTINA_WITH_NINE = 13, 13, 13


def customer_id(kind: str, alias: str) -> str:
    """
    Return the id of the customer first seen under `alias`; ``""`` for an empty alias.

    `kind` is ``"phone"`` (digits of a phone or wa_id), ``"user"`` (business-scoped user id), ``"email"`` or ``"shop"``.

    >>> customer_id("phone", "447700900123") == customer_id("phone", "447700900123")
    True
    """
    return "c" + blake2b(f"{kind}:{alias}".encode(), digest_size=8).hexdigest() if alias else ""


def match_key(digits: str) -> str:
    """
    Return the digits with which a phone may be joined to a wa_id; never an address to send to.

    Brazil's ninth digit, Mexico's 1 and Argentina's 9 appear in one of the two and not in the other.

    >>> match_key("5511987654321"), match_key("5215512345678"), match_key("5491123456789")
    ('551187654321', '525512345678', '541123456789')
    """
    if len(digits) == _BRAZIL_WITH_NINTH_DIGIT and digits.startswith("55") and digits[4] == "9":
        return digits[:4] + digits[5:]
    if len(digits) == _MEXICO_WITH_ONE and digits.startswith("521"):
        return "52" + digits[3:]
    if len(digits) == _ARGENTINA_WITH_NINE and digits.startswith("549"):
        return "54" + digits[3:]
    return digits


def canonical(links: pd.DataFrame, first_seen: pd.Series) -> pd.Series:
    """
    Return, for each id in `links`, the id of its group that was seen first.

    `links` has the columns ``left`` and ``right`` (two ids of one customer); `first_seen` maps id to UTC time.
    Ties go to the smaller id, so the answer does not depend on row order.
    """
    ids = pd.Index(pd.unique(pd.concat([links["left"], links["right"]], ignore_index=True)))
    if ids.empty:
        return pd.Series(dtype="str")
    group = grouped(ids.get_indexer(links["left"]), ids.get_indexer(links["right"]), len(ids))
    seen = first_seen.reindex(ids).rank(method="dense", na_option="bottom").to_numpy()
    head = first_of(group, seen, pa.array(ids, pa.large_string()))
    return pd.Series(ids[head].to_numpy(), index=ids, dtype="str")


def grouped(one: np.ndarray, two: np.ndarray, size: int) -> np.ndarray:
    """Return the number of the group of each of `size` ids, where the one at each place of `one` is that of `two`."""
    graph = csr_array((np.ones(len(one)), (one, two)), shape=(size, size))
    return connected_components(graph, directed=False)[1]


def first_of(group: np.ndarray, seen: np.ndarray, ids: pa.Array) -> np.ndarray:
    """Return for each id the place of that of its group with the smallest `seen`; ties go to the smaller id."""
    if not len(group):
        return group
    earliest = np.full(group.max() + 1, seen.max())
    np.minimum.at(earliest, group, seen)
    tied = np.flatnonzero(seen == earliest[group])
    falling = tied[pc.sort_indices(ids.take(pa.array(tied))).to_numpy()[::-1]]
    head = np.empty(len(earliest), "int64")
    head[group[falling]] = falling  # the last that is written into a place stays there
    return head[group]


def links(orders: pd.DataFrame, inbound: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Return the alias pairs that the frames prove (``left``, ``right``, ``rule``) and those left apart as ambiguous.

    The rules: ``webhook`` (wa_id and user id in one message), ``number changed``, ``user id changed``, and
    ``match key`` where exactly one phone of the orders and one wa_id share it.
    """
    wa = inbound["wa_id"].map(lambda v: customer_id("phone", v))
    user = inbound["user_id"].map(lambda v: customer_id("user", v))
    before_wa = inbound["previous_wa_id"].map(lambda v: customer_id("phone", v))
    before_user = inbound["previous_user_id"].map(lambda v: customer_id("user", v))
    here = wa.where(wa != "", user)
    pairs = [
        pd.DataFrame({"left": wa, "right": user, "rule": "webhook"}),
        pd.DataFrame({"left": before_wa, "right": here, "rule": "number changed"}),
        pd.DataFrame({"left": before_user, "right": here, "rule": "user id changed"}),
    ]
    joined, apart = _by_match_key(orders, inbound)
    found = pd.concat([*pairs, joined], ignore_index=True)
    known = found[(found["left"] != "") & (found["right"] != "") & (found["left"] != found["right"])]
    return known.drop_duplicates(ignore_index=True), apart


def _by_match_key(orders: pd.DataFrame, inbound: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    phones = pd.Series(pd.unique(orders["phone"]), dtype="str").str.lstrip("+").drop_duplicates()
    wa_ids = pd.Series(pd.unique(inbound["wa_id"]), dtype="str")
    phones, wa_ids = phones[phones != ""], wa_ids[wa_ids != ""]
    left = pd.DataFrame({"phone": phones, "key": phones.map(match_key)})
    right = pd.DataFrame({"wa_id": wa_ids, "key": wa_ids.map(match_key)})
    both = left.merge(right, on="key")
    exact = both["phone"] == both["wa_id"]
    both = both[~both["key"].isin(both.loc[exact, "key"])]
    alone = ~both["key"].duplicated(keep=False)
    sure = both[alone]
    joined = pd.DataFrame(
        {
            "left": sure["phone"].map(lambda v: customer_id("phone", v)),
            "right": sure["wa_id"].map(lambda v: customer_id("phone", v)),
            "rule": "match key",
        }
    )
    return joined, both[~alone]
