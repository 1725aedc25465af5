"""What each code of the Cloud API asks for, against the table that the docs and operators gave us."""

import pytest

from wa_products import codes, errors

# As Meta's "Error codes" and operators' reports had it in November 2026: what a sender of product messages must do.
ASKED = {
    "stop": [
        0, 3, 10, 33, 104, 190, 200, 215, 299, 368, 131005, 131031, 131037, 131042, 131045, 131048, 131064,
        133000, 133005, 133006, 133008, 133009, 133010, 133015, 133016,
    ],
    "retry": [1, 2, 4, 613, 80007, 80008, 130429, 131000, 131016, 131056, 131057, 133004, 2494100],
    "fix": [
        100, 130501, 131008, 131009, 131030, 131051, 131052, 131053, 131055, 131063, 132000, 132001, 132015, 132069,
        134011, 134100, 134101, 134102, 135000,
    ],
    "drop": [
        130403, 130472, 130497, 131021, 131026, 131047, 131049, 131050, 131060, 131062, 137000,
    ],
}  # fmt: skip
RAISED = {
    errors.RateLimited: {4, 613, 80007, 80008, 130429, 131056},
    errors.WindowClosed: {131047},
    errors.RecipientError: {
        130403, 130472, 130497, 131021, 131026, 131030, 131049, 131050, 131062, 137000,
    },
    errors.AuthError: set(ASKED["stop"]),
}  # fmt: skip
WAIT_FOR_EVERYBODY = {2, 4, 613, 80007, 80008, 130429, 131016, 131057, 133004, 2494100}
UNTIL_THEY_WRITE = {130403, 131026, 131050}


@pytest.mark.parametrize(("action", "code"), [(action, code) for action, found in ASKED.items() for code in found])
def test_every_code_is_known(action, code):
    """Each code that Meta documents has its action, and none is taken for unknown."""
    rule = codes.rule(code, http_status=401)
    assert rule is not codes.UNCLASSIFIED
    assert rule.action == action


def test_what_each_code_is_raised_as():
    """The class of an error says what its reader can do; what nobody but Meta or a programmer can mend has none."""
    for code in {code for found in ASKED.values() for code in found}:
        expected = next((kind for kind, found in RAISED.items() if code in found), errors.CloudAPIError)
        assert type(codes.refusal(code, "why", http_status=400 if code else 401)) is expected, code
    for details in ("Products not found in FB Catalog", "Check if catalog is linked"):
        assert type(codes.refusal(131009, "why", details=details)) is errors.NotInCatalog


def test_the_table_knows_no_code_beyond():
    """What the table holds is what was asked for: no code was added without a reason."""
    known = {code for found in ASKED.values() for code in found}
    assert set(codes.RULES) <= known


def test_who_has_to_wait():
    """A throttle of the number or the account holds everybody back, that of one customer only them."""
    assert {code for code, rule in codes.RULES.items() if rule.whole_number} == WAIT_FOR_EVERYBODY
    assert not codes.rule(131056).whole_number


def test_who_is_left_alone_until_they_write():
    """Blocked, undeliverable and opted out suppress the customer; nothing else does."""
    assert codes.SUPPRESSING == UNTIL_THEY_WRITE


def test_a_new_code_is_final_and_nobodys():
    """A code of the future is recorded and dropped: not retried, stopping nothing, suppressing nobody."""
    rule = codes.rule(987_654)
    assert rule is codes.UNCLASSIFIED
    assert (rule.action, rule.error, rule.suppress, rule.product) == ("drop", errors.CloudAPIError, False, False)


@pytest.mark.parametrize(
    ("details", "action", "product"),
    [
        ("Products not found in FB Catalog", "drop", True),
        ("PRODUCT NOT FOUND FOR product_retailer_id, S7, in catalog_id, 1", "drop", True),
        (
            "Please Check if catalog is linked to the WhatsApp Business Account and the catalog is enabled",
            "stop",
            False,
        ),
        ("The parameter interactive['header'] is not allows for catalog messages.", "fix", False),
        ("", "fix", False),
    ],
)
def test_131009_by_its_details(details, action, product):
    """The one code for many faults is told apart by its details, in any case."""
    rule = codes.rule(131009, details)
    assert (rule.action, rule.product) == (action, product)
