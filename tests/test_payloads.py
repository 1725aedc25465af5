import pytest
from hypothesis import given
from hypothesis import strategies as st

from wa_products.errors import DataError
from wa_products.payloads import single_product

TO = "+447700900123"


def make(**changes):
    """Return a valid message with changes."""
    return single_product(**{"to": TO, "catalog_id": "194836987003835", "product_retailer_id": "SKU-7731", **changes})


def test_the_shape():
    """A full message is exactly what Meta's reference shows, with no header and nothing else."""
    message = make(body="Running low?", footer="Reply STOP to opt out", reply_to="wamid.IN", opaque="s1")
    assert message == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": TO,
        "context": {"message_id": "wamid.IN"},
        "biz_opaque_callback_data": "s1",
        "type": "interactive",
        "interactive": {
            "type": "product",
            "body": {"text": "Running low?"},
            "footer": {"text": "Reply STOP to opt out"},
            "action": {"catalog_id": "194836987003835", "product_retailer_id": "SKU-7731"},
        },
    }


def test_the_least():
    """Body, footer, reply and opaque data are left out when not given, never sent empty."""
    message = make()
    assert set(message) == {"messaging_product", "recipient_type", "to", "type", "interactive"}
    assert set(message["interactive"]) == {"type", "action"}


def test_a_business_scoped_user_id():
    """A customer without a phone is addressed by recipient and not by to."""
    message = make(to=None, recipient="ES.ENT.99x1")
    assert message["recipient"] == "ES.ENT.99x1"
    assert "to" not in message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": "447700900123"}, "to must"),
        ({"to": "+44 7700 900123"}, "to must"),
        ({"to": "+447700900123\n"}, "to must"),
        ({"to": 447700900123}, "to must"),
        ({"recipient": "ES.1"}, "exactly one"),
        ({"to": None}, "exactly one"),
        ({"to": None, "recipient": "+447700900123"}, "recipient"),
        ({"catalog_id": ""}, "catalog_id"),
        ({"catalog_id": 194836987003835}, "catalog_id"),
        ({"product_retailer_id": " "}, "product_retailer_id"),
        ({"body": ""}, "body"),
        ({"body": "x" * 1025}, "body"),
        ({"body": "half \ud83d"}, "body"),
        ({"footer": "x" * 61}, "footer"),
        ({"reply_to": ""}, "reply_to"),
        ({"opaque": "x" * 513}, "opaque"),
    ],
)
def test_what_is_refused(changes, field):
    """Whatever the API would refuse, or send to a stranger, is a DataError that names the field and shows no phone."""
    with pytest.raises(DataError, match=field) as caught:
        make(**changes)
    assert "7700900123" not in str(caught.value)


def test_the_longest_allowed():
    """Texts at their limits pass."""
    message = make(body="é" * 1024, footer="x" * 60, opaque="x" * 512)
    assert len(message["interactive"]["body"]["text"]) == 1024


def test_emoji_past_the_utf_16_length():
    """Sixty emoji fit by characters but count double in UTF-16, so a warning tells it."""
    with pytest.warns(UserWarning, match="UTF-16"):
        make(footer="\N{BANANA}" * 60)


@given(st.text(alphabet=st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1, max_size=1100))
def test_body_property(body):
    """Any body either comes through unchanged within its limit, or is refused by name."""
    if 1 <= len(body) <= 1024 and body.strip():
        assert make(body=body)["interactive"]["body"]["text"] == body
    else:
        with pytest.raises(DataError, match="body"):
            make(body=body)
