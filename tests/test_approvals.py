"""What may go out without a person: what a signed policy covers, or a reviewed plan, and nothing else."""

import re
import stat
from contextlib import nullcontext
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import campaign, shops
from tests.faulty_server import OK, serving
from wa_products import approvals
from wa_products.approvals import SignedPolicy
from wa_products.campaigns import send
from wa_products.client import Client
from wa_products.errors import DataError, PlanError
from wa_products.ledger import Ledger
from wa_products.limits import Limits
from wa_products.policies import KINDS, Policy
from wa_products.selection import select
from wa_products.widgets import review

RULES = """\
# reorders go out by themselves
kinds = ["reorder"]
products = ["beans-1kg", "tea-100"]
min_probability = 0.2
max_sends = 5
quiet_hours = ["21:00", "08:00"]

[bodies]
reorder = "Running low on {title}?"  # for those who know it
"""
UNTIL = pd.Timestamp("2026-12-31", tz="UTC")


@pytest.fixture
def rules(tmp_path):
    """Write the rules of a policy; return their path."""
    path = tmp_path / "policy.toml"
    path.write_text(RULES)
    return path


def signed(path, **changes):
    """Sign the policy at `path` on the day of the small shop."""
    return approvals.sign(path, **{"by": "Ana", "at": shops.AS_OF, "until": UNTIL, "at_most": 100} | changes)


def test_a_signature_is_added_and_nothing_else_changes(rules):
    """The file keeps every word and comment; the signature below them is replaced when it is signed again."""
    first = signed(rules)
    assert rules.read_text().startswith(RULES)
    again = signed(rules, by="Bo", at_most=7)
    assert rules.read_text().count("[signature]") == 1
    assert SignedPolicy.load(rules) == again != first
    assert (again.by, again.at_most, again.until, again.policy.max_sends) == ("Bo", 7, UNTIL, 5)
    assert again.policy.quiet_hours == ("21:00", "08:00")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("0.2", "0.1"),
        ('kinds = ["reorder"]', ""),
        ("at_most = 100", "at_most = 1000"),
        ("2026-12-31", "2027-12-31"),
        ('by = "Ana"', 'by = "Bo"'),
        ("Running low", "Buy"),
        ("max_sends = 5", "max_sends = 5\nexplore = 0.5"),
    ],
)
def test_a_policy_that_was_changed_is_refused(rules, before, after):
    """Whatever of the rules or of the signature is changed afterwards, the policy is one that nobody signed."""
    signed(rules)
    rules.write_text(rules.read_text().replace(before, after))
    with pytest.raises(PlanError, match="was changed after"):
        SignedPolicy.load(rules)


def test_words_that_change_nothing_may_change(rules):
    """A comment or the order of the rules is not what was signed."""
    signed(rules)
    rules.write_text("# another comment\n" + rules.read_text())
    assert SignedPolicy.load(rules).by == "Ana"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind = ['reorder']", "there is no 'kind' in a policy"),
        ("min_probability = '0.2'", "min_probability should be a number"),
        ("min_probability = nan", "min_probability should be a number"),
        ("max_sends = 2.5", "max_sends should be a whole number"),
        ("max_sends = true", "max_sends should be a whole number"),
        ("kinds = 'reorder'", "kinds should be a list of texts"),
        ("margin = 'soon'", "margin should be a span"),
        ("bodies = {reorder = 1}", "bodies should be a table"),
        ("kinds = ['gift']", "gift"),
        ("[", "is no policy in TOML"),
        ("[signature]\n[bodies]\nreorder = 'a'", "move that to the end"),
    ],
)
def test_what_is_no_policy_is_not_signed(tmp_path, text, said):
    """Unknown names, wrong types and what no policy can mean are told in words, and the file stays as it was."""
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        signed(path)
    assert path.read_text() == text


@pytest.mark.parametrize("changes", [{"by": " "}, {"by": "\x1b[2J"}, {"until": shops.AS_OF}, {"at_most": 0}], ids=str)
def test_a_signature_needs_a_name_an_end_and_a_number(rules, changes):
    """Without a name, already over, or for no message: not signed."""
    with pytest.raises(DataError):
        signed(rules, **changes)


def test_an_unsigned_policy_says_how_to_sign(rules):
    """Who gives a policy that nobody signed learns the command."""
    with pytest.raises(PlanError, match=r"nobody signed .*wa-products sign"):
        SignedPolicy.load(rules)


@given(
    st.builds(
        Policy,
        kinds=st.lists(st.sampled_from(KINDS), unique=True).map(tuple),
        products=st.none() | st.lists(st.text(max_size=5)).map(tuple),
        min_probability=st.floats(0, 1),
        rest_days=st.integers(0, 30) | st.floats(0, 30),
        max_sends=st.none() | st.integers(0, 10**6),
        margin=st.timedeltas(pd.Timedelta(0), pd.Timedelta("1D")).map(pd.Timedelta),
        footer=st.text(max_size=10),
    )
)
def test_a_policy_survives_being_written_down(policy):
    """What is told as plain values and read again is the same policy."""
    assert Policy.from_dict(policy.to_dict()) == policy


PROPOSED = [
    ("ada", "beans-1kg", 0.4, "reorder"),
    ("ada", "tea-100", 0.3, "reorder"),
    ("bob", "tea-100", 0.1, "reorder"),
    ("dee", "tea-100", 0.5, "reorder"),
]


def applied(policy, data, ledger, rows=None):
    """Select by what the law allows, apply the signed policy; return the plan and what waits."""
    chosen = select(shops.proposals(rows or PROPOSED), data, policy.policy.unbounded)
    return approvals.apply(policy, chosen, data, ledger=ledger, campaign="daily", holdout=0.0)


def test_what_is_covered_goes_out_and_the_rest_waits(rules):
    """The policy's rows become its plan, in its words and limits; what only the law allows waits."""
    data = shops.shop()
    with Ledger("sqlite://") as ledger:
        plan, waiting = applied(signed(rules), data, ledger)
    assert plan.rows[["customer_id", "product_retailer_id", "body"]].to_numpy().tolist() == [
        [shops.IDS["ada"], "beans-1kg", "Running low on Coffee beans 1 kg?"]
    ]
    assert waiting["customer_id"].tolist() == [shops.IDS["bob"]]
    assert plan.limits == SignedPolicy.load(rules).policy.limits(data.timezone)
    assert dict(plan.waterfall) == {"window closed": 1, "not approved": 1}
    assert plan.approved_by.startswith("Ana, by the signed policy ")


def test_products_that_are_not_wanted():
    """A policy for some products covers no other; one for none covers nothing."""
    rows = [("ada", "beans-1kg", 0.4, "reorder"), ("bob", "tea-100", 0.3, "reorder")]
    chosen = select(shops.proposals(rows), shops.shop(), Policy(products=("tea-100",)))
    assert chosen["reason"].tolist() == ["product not wanted", ""]
    assert set(select(shops.proposals(rows), shops.shop(), Policy(products=()))["decision"]) == {"skip"}


def test_what_waits_is_opened_by_the_review(rules, tmp_path):
    """The file is its owner's alone; the review shows its rows as the law sees them when it is opened."""
    data = shops.shop()
    policy = signed(rules)
    with Ledger("sqlite://") as ledger:
        _, waiting = applied(policy, data, ledger)
    path = approvals.save_waiting(waiting, policy.policy.unbounded, tmp_path / "waiting.jsonl")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [number for number in shops.NUMBERS.values() if number in path.read_text()]
    opened = review(path, data)
    assert opened.approve([shops.IDS["bob"]]) == 1
    assert len(opened.plan(campaign="by hand", approved_by="Ana", holdout=0)) == 1
    late = review(path, shops.shop(as_of=shops.AS_OF + pd.Timedelta("1D")))
    assert late.to_frame()["reason"].tolist() == ["window closed"]


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"waiting": 1}', '{"waiting": 1, "policy": {}}\n{"score": "x"}', "\0"]
)
def test_what_is_no_waiting_file_is_refused(tmp_path, text):
    """Anything else at that path is told by name."""
    path = tmp_path / "waiting.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape("waiting.jsonl") + "|what waits"):
        review(path, shops.shop())


def test_no_more_than_were_signed_for_ever(rules):
    """`at_most` counts over all campaigns of the signature, lost answers too; what is over it waits."""
    data, rows = shops.shop(), [("ada", "beans-1kg", 0.4, "reorder"), ("bob", "tea-100", 0.3, "reorder")]
    policy = signed(rules, at_most=3)
    with Ledger("sqlite://") as ledger, serving(lambda n, _: "lost" if n else OK) as server:
        earlier = campaign.plan(2, campaign="yesterday", approved_by=policy.signature)
        others = campaign.plan(2, campaign="another", approved_by="Ana")
        for plan, twins in (
            (earlier, nullcontext()),
            (others, pytest.warns(UserWarning, match="were already planned")),
        ):
            with twins:
                post(plan, server, ledger)
        assert approvals.sent(policy, ledger) == 2
        plan, waiting = applied(policy, data, ledger, rows)
    assert plan.rows["customer_id"].tolist() == [shops.IDS["ada"]]
    assert waiting["customer_id"].tolist() == [shops.IDS["bob"]]


def test_a_policy_ends(rules):
    """After its day it covers nothing."""
    policy = signed(rules)
    with Ledger("sqlite://") as ledger, pytest.raises(PlanError, match="ended at 2026-12-31"):
        applied(policy, shops.shop(as_of=UNTIL), ledger)


LOOSE = 'products = ["S7"]\nmax_sends = 3\nfooter = ""\nrest_days = 0\n[bodies]\nreorder = "Running low?"\n'


def post(plan, server, ledger, covered_by=""):
    """Send a plan to a server, as in a scheduled run where `covered_by` says so."""
    settings = replace(campaign.SETTINGS, covered_by=covered_by)
    with Client(settings, base_url=server.url, clock=campaign.Clock()) as client:
        send(plan, ledger=ledger, client=client, dry_run=False, progress=False)


def sending(plan, covers, *, before=()):
    """Send a plan as in a scheduled run that `covers` approve; return how many requests left."""
    with Ledger("sqlite://") as ledger, serving() as server:
        for each in before:
            post(each, server, ledger)
        earlier = server.requests
        post(plan, server, ledger, approvals.handed_down(covers))
        return server.requests - earlier


def by_policy(policy, size=2, **changes):
    """Return a plan as the policy makes it, with `changes` that a notebook might make."""
    limits = Limits(rest_days=0, max_sends=3)
    return campaign.plan(size, **{"limits": limits, "approved_by": policy.signature} | changes)


@pytest.fixture
def loose(tmp_path):
    """Sign a policy that covers the plans of `by_policy`; return path and policy."""
    path = tmp_path / "loose.toml"
    path.write_text(LOOSE)
    return path, signed(path)


def test_a_covered_plan_is_sent(loose, tmp_path):
    """By a signed policy or as a reviewed plan, whichever of those given covers it."""
    path, policy = loose
    by_hand = campaign.plan(2, body="By hand")
    reviewed = by_hand.save(tmp_path / "plan.jsonl")
    assert sending(by_policy(policy), [reviewed, path]) == 2
    assert sending(by_hand, [reviewed, path]) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"body": "Buy now"}, "2 of its messages have other words"),
        ({"footer": "Bye"}, "have other words"),
        ({"product_retailer_id": ["S7", "S8"]}, "1 of its messages show a product"),
        ({"kind": ["reorder", "gift"]}, "1 of its messages are of a kind"),
        ({"probability": float("nan")}, "2 of its messages are less probable"),
        ({"size": 4}, "4 messages to send, and 3 are left"),
        ({"limits": None}, "was not made by the policy"),
        ({"approved_by": "Ana"}, "was not made by the policy"),
    ],
    ids=str,
)
def test_what_goes_beyond_a_policy_is_not_sent(tmp_path, changes, said):
    """Another word, product, kind or probability, more messages, looser limits: nothing leaves, and it says why."""
    path = tmp_path / "policy.toml"
    path.write_text(LOOSE)
    plan = by_policy(signed(path, at_most=3), **changes)
    with pytest.raises(PlanError, match=said):
        sending(plan, [path])


def test_nothing_goes_out_uncovered():
    """A run to which nobody gave a policy or a plan sends nothing."""
    with pytest.raises(PlanError, match="none was given to this run"):
        sending(campaign.plan(1), [])


def test_a_reviewed_plan_covers_itself_alone(tmp_path):
    """Another plan, even of the same campaign, is not the one that was reviewed."""
    reviewed = campaign.plan(2).save(tmp_path / "plan.jsonl")
    with pytest.raises(PlanError, match="not the reviewed plan of 'c1'"):
        sending(campaign.plan(3), [reviewed])


def test_a_policy_that_is_signed_anew_meanwhile(loose):
    """What a run was begun with is what counts: a file that changes under it stops the sending."""
    path, policy = loose
    told = approvals.handed_down([path])
    signed(path, at_most=1000)
    with pytest.raises(PlanError, match="changed while the run went on"):
        approvals.taken_up(told)
    assert policy.at_most == 100


def test_going_on_where_a_covered_plan_stopped(loose):
    """What was sent of a plan is not counted against what is left of its policy a second time."""
    path, policy = loose
    plan = by_policy(policy, size=3)
    assert sending(plan, [path], before=[plan]) == 0
