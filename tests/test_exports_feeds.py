"""Catalog feeds: XLSX, RSS, ATOM, plain XML dialects, YML, Google's TSV and CSV, and the Graph API's pages."""

import builtins
import gzip
import json
import zipfile
from decimal import Decimal
from xml.sax.saxutils import escape

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import exports_contract as contract
from tests.workbooks import workbook
from wa_products import exports
from wa_products.errors import DataError
from wa_products.exports import elements

HEADER = ["id", "title", "availability", "price"]
ARABIC = "".join(chr(0x660 + int(c)) if c.isdigit() else "\u066b" for c in "12.500")
SHOP = '<rss xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>\n{}\n</channel></rss>'


@pytest.fixture
def read(tmp_path):
    """Return a function that writes bytes or text to a file that says nothing by its name, and reads it."""

    def read(content, **options):
        path = tmp_path / "export.dat"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return contract.read(path, **options)

    return read


def item(number, **changes):
    """Return one RSS item on a line of its own."""
    said = {"id": f"A{number}", "title": f"Tea {number}", "availability": "in stock", "price": "9.50 GBP", **changes}
    return "<item>" + "".join(f"<g:{name}>{escape(text)}</g:{name}>" for name, text in said.items()) + "</item>"


def rss(*items):
    """Return an RSS feed of items, the first of them on line 2."""
    return SHOP.format("\n".join(items))


def offer(number, body="", **attributes):
    """Return one YML offer."""
    given = "".join(f' {name}="{text}"' for name, text in {"id": f"A{number}", **attributes}.items())
    return f"<offer{given}><name>Tea {number}</name><price>950</price><currencyId>RUB</currencyId>{body}</offer>"


def yml(*offers, before="", start='<?xml version="1.0" encoding="UTF-8"?>'):
    """Return a YML feed of offers."""
    return f"{start}<yml_catalog><shop>{before}<offers>\n{''.join(offers)}\n</offers></shop></yml_catalog>"


def of(issues, code):
    """Return the one issue of this code."""
    (found,) = issues[issues["code"] == code].to_dict("records")
    return found


def ids(catalog):
    """Return the ids of a catalog."""
    return list(catalog["product_retailer_id"])


@pytest.mark.parametrize("made", contract.EVERY.values(), ids=contract.EVERY)
def test_every_format_gives_the_same_rows(read, made):
    """One catalog reads the same from every format that can say it, by content alone, to the character."""
    catalog, issues = read(made())
    assert contract.same(catalog) == contract.expected()
    assert not (issues["severity"] == "error").any()


@pytest.mark.parametrize("made", contract.EVERY.values(), ids=contract.EVERY)
def test_every_format_reads_packed(tmp_path, made):
    """The same file inside gz and zip gives the same rows."""
    packed, archive = tmp_path / "packed", tmp_path / "archive"
    packed.write_bytes(gzip.compress(made()))
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("member", made())
    assert contract.same(contract.read(packed)[0]) == contract.expected()
    assert contract.same(contract.read(archive)[0]) == contract.expected()


@pytest.mark.parametrize("made", [contract.rss, contract.plain_xml, contract.yml], ids=lambda made: made.__name__)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_feeds_in_wide_encodings(read, made, encoding):
    """A feed reads the same in every Unicode encoding, whatever its declaration says."""
    text = made().decode("utf-8-sig")
    assert contract.same(read(text.encode(encoding))[0]) == contract.expected()


class TestXml:
    """RSS, ATOM and what looks like them."""

    def test_a_price_of_shipping_is_not_the_price(self, read):
        """A nested price is a column of its own, wherever it stands."""
        nested = "<g:shipping><g:country>DE</g:country><g:price>4.90 GBP</g:price></g:shipping>"
        body = item(1).replace("<item>", f"<item>{nested}").replace("</item>", f"{nested}</item>")
        catalog, _ = read(rss(body))
        assert list(catalog["price"]) == [Decimal("9.50")]
        assert list(catalog["shipping[0].price"] + catalog["shipping[1].country"]) == ["4.90 GBPDE"]

    def test_lines_and_records_of_issues(self, read):
        """An issue names the item's number, the line on which it starts, the field and its text."""
        _, issues = read("\n\n" + rss(item(1), item(2, price="call us")))
        assert of(issues, "price_not_a_number") == {
            "file": "export.dat", "row": 2, "line": 5, "column": "price", "value": "call us",
            "code": "price_not_a_number", "severity": "error", "action": "row kept, cannot be sent",
            "hint": "give an amount and a currency, such as 9.99 USD",
        }  # fmt: skip

    @pytest.mark.parametrize(
        "broken",
        [
            item(2).replace("Tea", "Tea & more"),
            item(2).replace("</g:title>", ""),
            item(2).replace("</item>", ""),
            item(2).replace("Tea", "Tea \x0b"),
            item(2).replace("<g:id>", "<g:id <"),
            item(2).replace("Tea", "Tea &nbsp;"),
        ],
    )
    def test_a_broken_item_costs_itself_alone(self, read, broken):
        """What is not well-formed sets its own item aside, at line and column; items before and after it stay."""
        catalog, issues = read(rss(item(1), broken, item(3), item(4)))
        assert ids(catalog) == ["A1", "A3", "A4"]
        assert list(catalog["source_row"]) == [1, 3, 4]
        found = of(issues, "not_well_formed")
        assert (found["row"], found["action"]) == (2, "row set aside")
        assert found["line"] in {3, 4}
        assert found["value"].startswith(f"line {found['line']}, column ")

    def test_the_column_of_a_fault(self, read):
        """The place of a fault is that of its character, after a fault too."""
        broken = item(2).replace("Tea", "Tea & more")
        _, issues = read(rss(item(1), broken, item(3), broken))
        found = issues[issues["code"] == "not_well_formed"]
        assert list(found["line"]) == [3, 5]
        assert [value.split(":")[0] for value in found["value"]] == [
            f"line {line}, column {broken.index('& ') + 2}" for line in (3, 5)
        ]

    @pytest.mark.parametrize("kept", range(3))
    def test_a_cut_feed_keeps_the_items_before_the_cut(self, read, kept):
        """A feed that ends in the middle of an item keeps those before it and names the place."""
        text = rss(*map(item, range(3)))
        cut = text[: text.index(f"A{kept}") + 1]
        if not kept:
            with pytest.raises(DataError, match="holds no product that can be read: it is not well-formed at line 2"):
                read(cut)
            return
        catalog, issues = read(cut)
        assert ids(catalog) == [f"A{number}" for number in range(kept)]
        assert of(issues, "not_well_formed")["row"] == kept + 1

    def test_a_feed_cut_between_items(self, read):
        """A feed whose end is missing keeps all its items and says that some may be missing."""
        catalog, issues = read(rss(item(1), item(2)).partition("\n</channel>")[0])
        assert ids(catalog) == ["A1", "A2"]
        assert (of(issues, "not_well_formed")["row"], of(issues, "not_well_formed")["line"]) == (0, 3)

    def test_two_feeds_behind_each_other(self, read):
        """Feeds that were joined into one file give the items of both."""
        catalog, issues = read(rss(item(1)) + "\n" + rss(item(2), item(3)))
        assert ids(catalog) == ["A1", "A2", "A3"]
        assert of(issues, "not_well_formed")["action"] == "read on behind it"

    @pytest.mark.parametrize(
        ("doctype", "said"),
        [
            ('<!DOCTYPE rss [<!ENTITY x "boo">]>', "DOCTYPE (rss)"),
            ('<!DOCTYPE rss SYSTEM "https://example.com/x.dtd">', "DOCTYPE (rss)"),
            ('<!DOCTYPE yml_catalog SYSTEM "shops.dtd" [<!ENTITY x "boo">]>', "DOCTYPE (yml_catalog)"),
            ('<!DOCTYPE yml_catalog SYSTEM "file:///etc/hostname">', "DOCTYPE (yml_catalog)"),
        ],
    )
    @pytest.mark.parametrize("body", [rss(item(1)), yml(offer(1))], ids=["rss", "yml"])
    def test_a_doctype_is_refused_by_name(self, read, doctype, said, body):
        """No feed may declare a document type or entities; the error names what it refuses."""
        start = "" if body.startswith("<rss") else '<?xml version="1.0" encoding="UTF-8"?>'
        with pytest.raises(DataError) as caught:
            read(start + doctype + body.removeprefix(start))
        assert f"export.dat declares a {said}, which is refused" in str(caught.value)

    def test_google_names_win_over_plain_ones(self, read):
        """Of g:title and title the former is the title; the other is kept beside it, and said."""
        catalog, issues = read(rss(item(1).replace("</item>", "<title>For people</title><id>x</id></item>")))
        assert (catalog.loc[0, "title"], catalog.loc[0, "plain title"]) == ("Tea 1", "For people")
        assert ids(catalog) == ["A1"]
        assert set(issues[issues["code"] == "two_elements_for_one_field"]["column"]) == {"id", "title"}

    def test_any_prefix_of_googles_names(self, read):
        """What stands for Google's names is their address, not the letter g; other names keep their prefix."""
        text = rss(item(1).replace("</item>", '<media:content url="x"/><yt:price>1.00 GBP</yt:price></item>'))
        text = (
            text.replace("g:", "m:")
            .replace("xmlns:g", "xmlns:m")
            .replace("<rss", '<rss xmlns:media="urn:m" xmlns:yt="urn:y"')
        )
        catalog, _ = read(text)
        assert list(catalog["price"]) == [Decimal("9.50")]
        assert {"media:content@url", "yt:price"} <= set(catalog.columns)

    def test_a_prefix_that_nobody_declares(self, read):
        """A feed that forgets to declare g: reads all the same."""
        catalog, _ = read(rss(item(1)).replace(' xmlns:g="http://base.google.com/ns/1.0"', ""))
        assert ids(catalog) == ["A1"]

    def test_ids_keep_every_character(self, read):
        """Zeros, plus signs, blanks and GTINs stay; only the line breaks of the layout around a text go."""
        wanted = ["0001", "+44", "1E5", " a ", "0000080446392"]
        catalog, _ = read(rss(*(item(n, id=text, gtin=text) for n, text in enumerate(wanted)), item(9, id="\n  B\n ")))
        assert ids(catalog) == [*wanted, "B"]
        assert list(catalog["gtin"])[:5] == wanted

    def test_markup_in_a_description_is_text(self, read):
        """A description with elements in it, or escaped ones, or CDATA, gives its words."""
        inside = "<description>Hot <b>green</b> tea</description>"
        data = "<description><![CDATA[<p>Hot <b>green</b> tea</p>]]></description>"
        escaped = "<description>&lt;p&gt;Hot green tea&lt;/p&gt;</description>"
        items = [item(n).replace("</item>", f"{text}</item>") for n, text in enumerate([inside, data, escaped])]
        catalog, _ = read(rss(*items))
        assert list(catalog["description"]) == ["Hot green tea"] * 3

    def test_links_of_atom_stand_in_an_attribute(self, read):
        """The link of an ATOM entry is the address that its element carries."""
        entry = item(1).replace("item>", "entry>").replace("</entry>", '<link href="https://shop.example/p"/></entry>')
        catalog, _ = read(f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>')
        assert list(catalog["link"]) == ["https://shop.example/p"]

    def test_repeated_elements_are_numbered(self, read):
        """Of a repeated element the first is the field; the others stand beside it."""
        catalog, _ = read(
            rss(item(1, product_type="Tea").replace("</item>", "<g:product_type>Hot</g:product_type></item>"))
        )
        assert list(catalog["product_type"] + catalog["product_type[1]"]) == ["TeaHot"]

    def test_unknown_elements_pass_through(self, read):
        """What this package does not know stays, late elements and attributes too."""
        catalog, _ = read(rss(item(1), item(2, custom_label_7="x").replace("<item>", '<item kind="new">')))
        assert list(catalog["custom_label_7"]) == ["", "x"]
        assert list(catalog["kind"]) == ["", "new"]

    def test_a_flood_of_names_fills_one_column(self, read):
        """Past a few hundred names the others go into one column as JSON, so that memory stays bounded."""
        catalog, _ = read(rss(*(item(n, **{f"x{n}": "y"}) for n in range(600))))
        assert len(catalog.columns) < 450
        assert json.loads(catalog[elements.MORE].iloc[-1]) == {"g:x599": "y"}

    def test_deep_elements_are_text(self, read):
        """Elements in elements without end cost no path without end."""
        deep = "<g:a>" * 500 + "x" + "</g:a>" * 500
        catalog, _ = read(rss(item(1).replace("</item>", f"{deep}</item>")))
        (deep,) = set(catalog.columns[catalog.loc[0] == "x"])
        assert (len(deep) < 100, ids(catalog)) == (True, ["A1"])

    def test_products_inside_a_product_are_its_fields(self, read):
        """Related products inside a product are no products of the feed."""
        inner = "<related><product><id>X</id></product><product><id>Y</id></product></related>"
        text = f"<products><product><id>A1</id><price>1.50 GBP</price>{inner}</product></products>"
        catalog, _ = read(text)
        assert ids(catalog) == ["A1"]
        assert list(catalog["related[0].product[1].id"]) == ["Y"]

    def test_items_without_an_id_are_set_aside(self, read):
        """A product that no message can name is counted and placed."""
        catalog, issues = read(rss(item(1), item(2, id=""), "<item/>", item(4)))
        assert ids(catalog) == ["A1", "A4"]
        missing = issues[issues["code"] == "id_missing"]
        assert list(zip(missing["row"], missing["line"], strict=True)) == [(2, 3), (3, 4)]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("<rss><channel><item><title>News</title></item></channel></rss>", "its items lack 'id' and 'price'"),
            ("<rss><channel></channel></rss>", "holds no product"),
            ("<orders><order><id>1</id></order></orders>", "XML of no known format"),
            ("<rss", "holds no product that can be read: it is not well-formed at line 1, column"),
            ("<html><body>Sign in</body></html>", "is a web page"),
            ("<yml_catalog><shop><offers><offer/></offers></shop></yml_catalog>", "no id or no price"),
        ],
    )
    def test_what_is_no_product_feed_is_refused(self, read, text, said):
        """XML without products gives one sentence about what it is."""
        with pytest.raises(DataError) as caught:
            read(text)
        assert said in str(caught.value)

    @pytest.mark.parametrize(
        ("encoding", "declared", "word"),
        [("windows-1251", "windows-1251", "Чай"), ("cp1252", "ISO-8859-1", "Café"), ("shift_jis", "Shift_JIS", "お茶")],
    )
    def test_declared_encodings(self, read, encoding, declared, word):
        """An encoding that the feed declares is believed."""
        text = f'<?xml version="1.0" encoding="{declared}"?>\n' + rss(item(1, title=word))
        assert list(read(text.encode(encoding))[0]["title"]) == [word]

    def test_a_wrong_declaration_is_noted(self, read):
        """A feed that says UTF-8 and is not reads as what it is, and says so."""
        text = '<?xml version="1.0" encoding="UTF-8"?>\n' + rss(item(1, title="Зелёный чай"))
        catalog, issues = read(text.encode("cp1251"))
        assert list(catalog["title"]) == ["Зелёный чай"]
        assert of(issues, "encoding_guessed")["value"] == "cp1251"

    def test_a_declaration_of_utf16_over_plain_bytes(self, read):
        """A feed that says UTF-16 but has one byte a letter is read as UTF-8."""
        text = '<?xml version="1.0" encoding="utf-16"?>\n' + rss(item(1, title="Grün"))
        assert list(read(text)[0]["title"]) == ["Grün"]

    @given(
        st.lists(
            st.dictionaries(
                st.sampled_from(["id", "title", "price", "description", "availability", "note"]),
                st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=8),
                min_size=1,
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_any_text_comes_back(self, tmp_path_factory, products):
        """Whatever an item says comes back to the character, an item without an id is counted."""
        path = tmp_path_factory.mktemp("feed") / "feed"
        products = [{"id": "first", "price": "1.00 GBP"}, *products]
        path.write_text(rss(*("<item>" + contract.elements(p, "g:") + "</item>" for p in products)), encoding="utf-8")
        catalog, issues = contract.read(path)
        kept = [product for product in products if product.get("id", "").strip()]
        assert ids(catalog) == [product["id"] for product in kept]
        assert list(catalog["title"]) == [product.get("title", "") for product in kept]
        assert (issues["code"] == "id_missing").sum() == len(products) - len(kept)

    @given(st.data())
    def test_a_mutilated_feed_keeps_what_is_whole(self, tmp_path_factory, data):
        """A feed with any bytes cut out gives items as they were, or an error of ours; no id and price is mixed up."""
        path = tmp_path_factory.mktemp("feed") / "feed"
        items = {f"A{n}": item(n, price=f"{n}.50 GBP") for n in range(1, 7)}
        whole = rss(*items.values())
        start = data.draw(st.integers(0, len(whole)))
        end = start + data.draw(st.integers(0, 300))
        path.write_text(whole[:start] + whole[end:], encoding="utf-8")
        places = {name: (whole.index(text), whole.index(text) + len(text)) for name, text in items.items()}
        untouched = [name for name, (first, last) in places.items() if last <= start or first >= end]
        try:
            catalog, _ = contract.read(path)
        except DataError:
            assert start < places["A1"][1]
            return
        prices = catalog.set_index("product_retailer_id")["price"]
        assert {name: prices[name] for name in untouched} == {name: Decimal(f"{name[1:]}.50") for name in untouched}


class TestYml:
    """Yandex Market Language."""

    def test_the_old_price_is_the_regular_one(self, read):
        """A crossed-out price above the price makes that the sale; one that is lower or unreadable does not."""
        olds = ["1 200", "900", "0", "ask", ""]
        catalog, _ = read(yml(*(offer(n, f"<oldprice>{old}</oldprice>") for n, old in enumerate(olds))))
        assert list(catalog["price"]) == [Decimal(1200), *[Decimal(950)] * 4]
        assert list(catalog["sale_price"]) == [Decimal(950), None, None, None, None]

    def test_the_old_code_of_the_rouble(self, read):
        """RUR in YML is the rouble of today, which is said once."""
        catalog, issues = read(yml(offer(1), offer(2)).replace("RUB", "RUR"))
        assert list(catalog["currency"]) == ["RUB", "RUB"]
        assert of(issues, "currency_renamed")["value"] == "RUR in 2 offers"

    def test_the_currency_of_the_shop(self, read):
        """An offer without a currency has the shop's own, whose rate is one."""
        shop = '<currencies><currency id="BYN" rate="1"/><currency id="USD" rate="3.2"/></currencies>'
        catalog, _ = read(yml(offer(1), before=shop).replace("<currencyId>RUB</currencyId>", ""))
        assert list(catalog["currency"]) == ["BYN"]

    def test_a_model_makes_the_title(self, read):
        """An offer without a name is called by its kind, maker and model."""
        parts = "<typePrefix>Lamp</typePrefix><vendor>Example</vendor><model>X 1</model>"
        catalog, _ = read(yml(offer(1, parts)).replace("<name>Tea 1</name>", ""))
        assert list(catalog["title"]) == ["Lamp Example X 1"]

    def test_stock_is_never_guessed(self, read):
        """An offer that does not say whether it is there, among others that do, is unknown."""
        catalog, _ = read(yml(offer(1, available="true"), offer(2, available="false"), offer(3)))
        assert list(catalog["availability"]) == ["in stock", "out of stock", "unknown"]

    def test_parameters_are_one_column(self, read):
        """The parameters of an offer are listed with their names, whatever they are called."""
        catalog, _ = read(yml(offer(1, '<param name="Colour">Red</param><param name="Size" unit="cm">9</param>')))
        assert list(catalog["param"]) == ["Colour: Red; Size: 9"]

    def test_categories_that_go_in_circles(self, read):
        """A category that is its own parent ends."""
        shop = '<category id="1" parentId="2">A</category><category id="2" parentId="1">B</category>'
        catalog, _ = read(yml(offer(1, "<categoryId>1</categoryId>"), before=shop))
        assert catalog.loc[0, "product_type"].endswith("B > A")

    def test_html_entities_of_the_document_type(self, read):
        """An entity that the format's own document type declares is read as the letter it is."""
        start = '<?xml version="1.0"?><!DOCTYPE yml_catalog SYSTEM "shops.dtd">'
        catalog, issues = read(yml(offer(1), start=start).replace("Tea 1", "Tea&eacute;&#45;1"))
        assert list(catalog["title"]) == ["Teaé-1"]
        assert of(issues, "doctype_ignored")["severity"] == "info"


class TestWorkbooks:
    """Excel."""

    def test_numbers_and_dates_are_as_excel_shows_them(self, read):
        """A whole number has no decimals, a date is ISO, a truth is a word; a number whose end is lost is no id."""
        rows = [
            [*HEADER, "gtin", "made", "stock"],
            [42, "Tea", True, "9.50 GBP", 8806098012345, pd.Timestamp("2026-11-01"), 0.1 + 0.2],
            [1234567890123456789, "Cup", "in stock", "3 GBP", "0000080446392", pd.Timestamp("2026-11-01 09:30"), 7],
        ]
        catalog, issues = read(workbook({"Sheet": rows}))
        assert ids(catalog) == ["42", "1.23456789012346E+18"]
        assert list(catalog["not_sendable_reason"]) == ["", "unusable id"]
        assert list(catalog["gtin"]) == ["8806098012345", "0000080446392"]
        assert list(catalog["made"]) == ["2026-11-01", "2026-11-01 09:30:00"]
        assert list(catalog["stock"]) == ["0.3", "7"]
        assert of(issues, "unusable_id")["line"] == 3

    def test_records_and_rows_of_excel(self, read):
        """An issue names the row in Excel, below titles, empty rows and cells of several lines."""
        rows = [["My shop"], [], HEADER, ["A1", "two\nlines", "in stock", "1 GBP"], [], ["A2", "Tea", "maybe", "1 GBP"]]
        catalog, issues = read(workbook({"Sheet": rows}))
        assert list(catalog["title"]) == ["two\nlines", "Tea"]
        assert of(issues, "availability_unknown")["line"] == 6

    def test_sheets_of_other_things_are_named(self, read):
        """Sheets that hold no catalog are left out and named; two that do are both read."""
        sheets = {
            "Help": [["How to"], ["do this"]],
            "Tea": [HEADER, ["A1", "Tea", "in stock", "1 GBP"]],
            "Cups": [HEADER, ["B1", "Cup", "in stock", "2 GBP"]],
        }
        catalog, issues = read(workbook(sheets))
        assert ids(catalog) == ["A1", "B1"]
        assert list(catalog["source_file"]) == ["export.dat/Tea", "export.dat/Cups"]
        assert of(issues, "sheets_not_read")["value"] == "Help"

    def test_hidden_sheets_are_not_read(self, read):
        """What the shop has hidden is not read."""
        rows = [HEADER, ["A1", "Tea", "in stock", "1 GBP"]]
        assert ids(read(workbook({"Old": rows, "New": rows}, hidden=("Old",)))[0]) == ["A1"]

    def test_cells_merged_downwards(self, read):
        """The value of cells that are merged downwards is that of each of their rows."""
        rows = [[*HEADER, "brand"], ["A1", "Tea", "in stock", "1 GBP", "Ex"], ["A2", "Cup", "in stock", "1 GBP", ""]]
        assert list(read(workbook({"Sheet": rows}, merged=("E2:E3",)))[0]["brand"]) == ["Ex", "Ex"]

    def test_a_table_in_one_column(self, read):
        """A CSV that Excel left in one column is split as it was written."""
        rows = [["id;title;availability;price"], ['A1;"Tea; green";in stock;1.50 GBP']]
        assert list(read(workbook({"Sheet": rows}))[0]["title"]) == ["Tea; green"]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600, "has a password"),
            (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "no workbook that can be read"),
            (workbook({"Sheet": [["Hello", "there"]]}), "of no known format"),
            (workbook({"Sheet": [[]]}), "is an empty workbook"),
            (workbook({"Sheet": [HEADER]}), "has a header but no rows"),
            (workbook({"Sheet": [HEADER]})[:700], "cannot be"),
        ],
    )
    def test_workbooks_that_cannot_be_read(self, read, content, said):
        """A workbook with a password, a damaged, an empty and an unknown one give one sentence each."""
        with pytest.raises(DataError) as caught:
            read(content)
        assert said in str(caught.value)

    def test_the_library_is_named_where_it_is_missing(self, read, monkeypatch):
        """Without python-calamine the error gives the command that installs it."""
        real = builtins.__import__

        def without(name, *rest):
            if name == "python_calamine":
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(DataError, match=r"pip install 'wa-products\[excel\]'"):
            read(contract.meta_xlsx())


class TestGoogleTables:
    """Google's TSV and CSV."""

    def test_quotes_are_data_in_a_tsv_without_quoting(self, read):
        """A quote in Google's TSV is a letter, at the start of a cell and across rows too."""
        titles = ['"Best" tea', 'Screen 15"', '"half', 'end"']
        rows = [HEADER, *([f"A{n}", title, "in_stock", "1.50 GBP"] for n, title in enumerate(titles))]
        catalog, issues = read("\n".join("\t".join(row) for row in rows) + "\n")
        assert list(catalog["title"]) == titles
        assert issues.empty

    def test_quoted_cells_of_a_tsv_are_unquoted(self, read):
        """Where the cells of a TSV are quoted as in CSV, line breaks inside them included, they read so."""
        text = "\t".join(HEADER) + '\nA1\t"two\nlines"\tin stock\t1.50 GBP\nA2\t"say ""hi"""\tin stock\t2.50 GBP\n'
        assert list(read(text)[0]["title"]) == ["two\nlines", 'say "hi"']

    @pytest.mark.parametrize(
        ("said", "meant"),
        [
            ("in_stock", "in stock"), ("out_of_stock", "out of stock"), ("preorder", "preorder"),
            ("backorder", "preorder"), ("In Stock", "in stock"), ("soon", "unknown"),
        ],
    )  # fmt: skip
    def test_availabilities(self, read, said, meant):
        """Google's words are read as Meta's; a word that nobody knows is unknown, never in stock."""
        catalog, _ = read(",".join(HEADER) + f",identifier_exists\nA1,Tea,{said},1.50 GBP,no\n")
        assert list(catalog["availability"]) == [meant]


class TestPictures:
    """More than one picture."""

    @pytest.mark.parametrize("between", [",", ", ", ";", " ", "|", " | ", "\n"])
    def test_every_separator_of_meta(self, read, between):
        """Comma, semicolon, blank and bar part addresses, but not where they stand inside one."""
        links = ["https://shop.example/1,w_50;x|y.png", "https://shop.example/2.png"]
        cell = between.join(links).replace('"', '""')
        catalog, _ = read(",".join(HEADER) + f',additional_image_link\nA1,Tea,in stock,1.50 GBP,"{cell}"\n')
        assert list(catalog["additional_image_link"]) == [",".join(links)]

    def test_flattened_columns_pass_through(self, read):
        """Columns named by their path stay as they are."""
        names = ["video[0].url", "video[0].tag[0]", "product_tags[0]", "product_tags[1]"]
        catalog, _ = read(",".join([*HEADER, *names]) + "\nA1,Tea,in stock,1.50 GBP,https://v.example,a,b,c\n")
        assert list(catalog.loc[0, names]) == ["https://v.example", "a", "b", "c"]


class TestGraph:
    """Pages of the Graph API."""

    def page(self, *changes, **whole):
        """Return a page of items with these changes, as JSON."""
        items = [
            {
                "id": f"9{n}",
                "retailer_id": f"A{n}",
                "name": f"Tea {n}",
                "price": "$9.50",
                "currency": "USD",
                "availability": "in stock",
                **change,
            }
            for n, change in enumerate(changes, 1)
        ]
        return json.dumps({"data": items, **whole})

    @pytest.mark.parametrize(
        ("price", "currency", "amount"),
        [
            ("$9.50", "USD", "9.50"), ("$1,299.00", "MXN", "1299.00"), ("R$\u00a01.299,90", "BRL", "1299.90"),
            ("1.299,90\u00a0€", "EUR", "1299.90"), ("₹1,21,000.00", "INR", "121000.00"), ("¥1,200", "JPY", "1200"),
            (f"\u200f{ARABIC} د.ك.\u200f", "KWD", "12.500"), ("99,00 kr", "SEK", "99.00"), ("9,99 лв.", "BGN", "9.99"),
            ("US$5.00", "USD", "5.00"),
        ],
    )  # fmt: skip
    def test_prices_as_people_write_them(self, read, price, currency, amount):
        """A formatted price and its currency apart give the amount, whatever the locale."""
        catalog, issues = read(self.page({"price": price, "currency": currency}))
        assert (catalog.loc[0, "price"], catalog.loc[0, "currency"]) == (Decimal(amount), currency)
        assert not (issues["column"] == "price").any()

    def test_a_price_in_another_currency_is_refused(self, read):
        """A sign that means another currency than the one beside it leaves no amount."""
        catalog, issues = read(self.page({"price": "€9.50"}, {"price": "£9.50", "currency": "EUR"}))
        assert list(catalog["price"]) == [None, None]
        assert set(issues[issues["column"] == "price"]["code"]) <= {"currency_mismatch", "currency_shared"}

    def test_a_bare_number_may_be_cents(self, read):
        """A whole number is read as it stands, and said; text and decimals are not."""
        catalog, issues = read(self.page({"price": 950}, {"price": 9.50}, {"price": "950"}))
        assert list(catalog["price"]) == [Decimal(950), Decimal("9.5"), Decimal(950)]
        assert of(issues, "price_may_be_cents")["row"] == 1

    def test_the_review_of_whatsapp_counts(self, read):
        """What WhatsApp's review says decides; without it the shops' own; without both nothing is held against it."""

        def said(**by_channel):
            return [{"key": key, "value": value} for key, value in by_channel.items()]

        catalog, _ = read(
            self.page(
                {"capability_to_review_status": said(SHOPS="REJECTED", WHATSAPP="APPROVED"), "review_status": "x"},
                {"capability_to_review_status": said(SHOPS="APPROVED", WHATSAPP="OUTDATED")},
                {"capability_to_review_status": said(SHOPS="APPROVED"), "review_status": "rejected"},
                {"capability_to_review_status": said(WHATSAPP="NO_REVIEW")},
                {},
            )
        )
        assert list(catalog["review"]) == ["approved", "outdated", "rejected", "no_review", ""]
        assert list(catalog["sendable"]) == [True, False, False, True, True]

    def test_hidden_items(self, read):
        """Items that are staged, or taken off WhatsApp by hand, cannot be sent."""
        off = {"capabilities_disabled_by_user": ["WHATSAPP"]}
        catalog, _ = read(self.page({"visibility": "published"}, {"visibility": "staging"}, off, {"status": "STAGING"}))
        assert list(catalog["not_sendable_reason"]) == ["", "hidden", "hidden", "hidden"]

    def test_sale_dates(self, read):
        """A sale price holds between its two dates."""
        sale = {"sale_price": "$5.00", "sale_price_start_date": "2026-11-01T00:00:00+0000"}
        past = {**sale, "sale_price_end_date": "2026-11-02T00:00:00+0000"}
        assert list(read(self.page(sale, past))[0]["sale_price"]) == [Decimal("5.00"), None]

    def test_what_the_api_counts_is_compared(self, read):
        """Fewer items than the API counts are said; items that stand on two pages are merged and counted."""
        pages = [self.page({}, {}, summary={"total_count": 3}), self.page({}, summary={"total_count": 3})]
        catalog, issues = read("\n".join(pages))
        assert ids(catalog) == ["A1", "A2"]
        assert of(issues, "count_differs")["value"] == "2 of 3 items"
        again = of(issues, "item_again")
        assert (again["row"], again["line"], again["value"]) == (3, 2, "A1")

    def test_one_id_on_two_items_is_a_duplicate(self, read):
        """Two items of Meta's with one retailer_id are both unusable; they are not merged."""
        catalog, _ = read(self.page({}, {"retailer_id": "A1"}))
        assert list(catalog["not_sendable_reason"]) == ["duplicate id", "duplicate id"]

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda page: f"[{page}]",
            lambda page: json.dumps({"id": "1", "products": json.loads(page)}),
            lambda page: json.dumps([{"code": 200, "body": page}]),
            lambda page: json.dumps(json.loads(page)["data"]),
            lambda page: "\n".join(map(json.dumps, json.loads(page)["data"])),
            lambda page: json.dumps(json.loads(page), indent=2),
            lambda page: json.dumps(json.loads(page), indent=2) + "\n" + json.dumps({"data": []}, indent=2),
            lambda page: json.dumps({"paging": {}, **json.loads(page)}),
        ],
        ids=["array", "below a catalog", "batch", "items", "item a line", "indented", "indented twice", "paging first"],
    )
    def test_every_way_to_save_pages(self, read, wrap):
        """A page reads the same in an array, below its catalog, as an answer of a batch, as items and indented."""
        assert ids(read(wrap(self.page({}, {})))[0]) == ["A1", "A2"]

    def test_lines_of_an_indented_page(self, read):
        """Issues of an indented page name the line on which the item starts."""
        text = json.dumps(json.loads(self.page({}, {"availability": "maybe"})), indent=2)
        _, issues = read(text)
        line = text[: text.index('"id": "92"')].count("\n")
        assert of(issues, "availability_unknown")["line"] == line

    def test_a_large_indented_page_is_recognised(self, read):
        """A page larger than what is looked at first is told from its start."""
        text = json.dumps(json.loads(self.page(*[{"description": "x" * 900, "tags": {}}] * 400)), indent=1)
        assert len(read(text)[0]) == 400

    @pytest.mark.parametrize("indent", [None, 2])
    def test_a_cut_page_keeps_the_items_before_the_cut(self, read, indent):
        """A page that is cut keeps its whole items and names the place of the cut."""
        text = json.dumps(json.loads(self.page({}, {}, {})), indent=indent)
        catalog, issues = read(text[: text.index('"A3"')])
        assert ids(catalog) == ["A1", "A2"]
        found = of(issues, "not_json")
        assert (found["row"], found["action"]) == (3, "row set aside")
        assert found["line"] == text[: text.index('"A3"')].count("\n") + 1

    def test_an_error_among_the_pages_is_said(self, read):
        """An answer that is an error is named by its code alone: its words may hold a token."""
        error = {"error": {"message": "Malformed access token EAAG", "type": "OAuthException", "code": 190}}
        catalog, issues = read(self.page({}) + "\n" + json.dumps(error))
        assert ids(catalog) == ["A1"]
        assert of(issues, "page_is_error")["value"] == "OAuthException 190"
        with pytest.raises(DataError, match=r"an error of the Graph API \(OAuthException 190\)") as caught:
            read(json.dumps(error))
        assert "EAAG" not in str(caught.value)

    def test_a_token_is_never_kept(self, read):
        """The address of the next page, which holds the token, is in no frame; that it exists is said."""
        paging = {"next": "https://graph.example/v25.0/1/products?access_token=EAAGsecret"}
        catalog, issues = read(self.page({}, paging=paging))
        assert "EAAG" not in catalog.to_csv() + issues.to_csv()
        assert of(issues, "pages_missing")["column"] == "paging"

    def test_items_without_a_retailer_id(self, read):
        """Items that were fetched without the field that a message needs are refused with its name."""
        with pytest.raises(DataError, match="fields=retailer_id"):
            read('{"data": [{"id": "1", "name": "Tea"}]}')

    def test_ids_and_numbers_stay_as_written(self, read):
        """Numbers keep their digits, truth and nothing are words and blanks, lists stay JSON."""
        extra = '"gtin": 12345678901234567890, "share": 1.50, "on": true, "off": null, "list": ["a", {"b": 1}]'
        catalog, _ = read(self.page({}).replace('"name"', f'{extra}, "name"'))
        row = catalog.loc[0]
        assert list(row[["gtin", "share", "on", "off"]]) == ["12345678901234567890", "1.50", "true", ""]
        assert json.loads(row["list"])[0] == "a"
        assert row["id"] == "91"


def test_a_folder_of_feeds_loads(tmp_path):
    """A feed in a folder is told by its content, and is the shop's catalog."""
    (tmp_path / "a").write_bytes(contract.rss())
    data = exports.load(tmp_path, as_of=contract.AS_OF)
    assert contract.same(data.catalog) == contract.expected()
