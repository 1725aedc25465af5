"""Frame, store and Spark: the very same proposals, whether one process made them or many workers."""

import gc
import os
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import wa_products as wa
from wa_products import spark as on_spark
from wa_products.errors import DataError
from wa_products.exports.completejourney import completejourney
from wa_products.recommenders import panels
from wa_products.stores import Store, building, opening, tables
from wa_products.testing import small_shop

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import scale

DATA = Path(__file__).parent.parent / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # PySpark's own, one a result
    pytest.mark.filterwarnings(
        "ignore:.*unclosed <socket|Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    ),
]
SCORES = {"rtol": 0, "atol": 1e-9}


@pytest.fixture(scope="module")
def spark():
    """Return a session of two local workers that run this interpreter."""
    pyspark = pytest.importorskip("pyspark.sql", reason="the extra spark is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(DATA.parent), os.environ.get("PYTHONPATH", "")]))
        settings = {
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.session.timeZone": "Asia/Dhaka",  # a session's zone must not move a moment
            "spark.driver.host": "127.0.0.1",
            "spark.driver.memory": "3g",
        }
        builder = pyspark.SparkSession.builder.master("local[2]").appName("tests")
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        yield session
        session.stop()
        gc.collect()  # so that its sockets are met here, where they are expected


@pytest.fixture(scope="module")
def demo():
    """Return the demo shop and what is proposed there."""
    data = wa.load(DATA / "demo")
    return data, wa.propose(data)


def table(spark, data):
    """Return the orders of a shop as a Spark table."""
    return spark.createDataFrame(tables.to_table(data.orders[list(on_spark.COLUMNS)]))


def test_the_demo_shop_from_a_store(spark, demo, tmp_path):
    """Frame, store and Spark give the same rows, ranks and words, and the same scores to 1e-9."""
    data, expected = demo
    building.build(DATA / "demo", tmp_path / "store")
    found = on_spark.collected(on_spark.propose(spark, tmp_path / "store", data, parts=4))
    pd.testing.assert_frame_equal(found, expected, **SCORES)


def real_shoppers(root):
    """Return 1.4 million lines of real shoppers, and put them into a store."""
    data = completejourney()
    store = Store(root)
    store.append(data.orders, "all")
    opening.keep(store.root, "catalog", data.catalog)
    opening.keep(store.root, "inbound", data.inbound)
    store.describe(as_of=data.as_of.isoformat())
    return data


def five_million_lines(root):
    """Return a made shop of five million lines, of which a quarter is learned from, and put it into a store."""
    scale.store(root, 5_000_000)
    data = wa.load(root)
    return replace(data, orders=data.orders)


@pytest.mark.parametrize("shop", [real_shoppers, five_million_lines], ids=["real shoppers", "five million lines"])
def test_large_shops_are_the_same_everywhere(spark, shop, tmp_path):
    """The default recommender learns and proposes the same from a frame, from a store and on Spark."""
    data = shop(tmp_path / "store")
    expected = wa.propose(data, k=2)
    assert expected["source"].eq("ranked").any()
    assert expected["why"].str.contains("customers like this").any()
    pd.testing.assert_frame_equal(wa.propose(wa.load(tmp_path / "store"), k=2), expected, **SCORES)
    found = on_spark.propose(spark, tmp_path / "store", replace(data, orders=data.orders.iloc[:0]), k=2, parts=16)
    pd.testing.assert_frame_equal(on_spark.collected(found), expected, **SCORES)


def test_some_customers_from_a_table(spark, monkeypatch):
    """From a table, learning from a sample, some customers get what they get from a frame; strangers do no harm."""
    monkeypatch.setattr(panels, "ENOUGH", 300)
    data, some = small_shop(), ["tea-03", "asker", "honey-01", "nobody"]
    orders = table(spark, data)
    found = on_spark.collected(on_spark.propose(spark, orders, data, customers=some, parts=2))
    expected = wa.propose(data, customers=some)
    pd.testing.assert_frame_equal(found, expected, **SCORES)
    far = on_spark.stored(spark, orders, data, parts=2)
    assert len(far.stored) == len(data.orders)
    pd.testing.assert_frame_equal(wa.select(found, far), wa.select(expected, data))
    earlier = data.orders["ordered_at"].iloc[100]
    assert len(far.before(earlier).stored) == len(data.before(earlier).orders)


def test_refusals(spark, tmp_path):
    """What cannot be done on Spark is refused in words."""
    data = small_shop()
    orders = table(spark, data)

    class Own:
        name = "own"
        fit = recommend = None

    with pytest.raises(DataError, match="lacks the columns"):
        on_spark.propose(spark, orders.drop("ordered_at"), data)
    with pytest.raises(DataError, match="not so own"):
        on_spark.propose(spark, orders, data, recommenders=[Own()])
    with pytest.raises(DataError, match="2, 4, 8"):
        on_spark.propose(spark, orders, data, parts=3)
    store = Store(tmp_path / "store")
    for name in ("a", "b"):
        store.append(data.orders, name)
    with pytest.raises(DataError, match="not merged"):
        on_spark.propose(spark, store.root, replace(data))
