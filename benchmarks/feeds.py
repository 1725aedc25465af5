"""
A product feed of 100,000 items, read to the canonical catalog: beside plain ElementTree.parse of the same bytes.

    python benchmarks/feeds.py [items]

Each measurement is a process of its own. CPU seconds are the fairer figure where other work shares the machine.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = ("green", "black", "white", "blue", "steel", "wood", "glass", "tea", "cup", "lamp", "chair", "desk", "shirt")
ITEM = """<item>
<g:id>SKU-{n:07}</g:id>
<title><![CDATA[{title}]]></title>
<description><![CDATA[{text}]]></description>
<link>https://shop.example/p/{n}?variant={n}</link>
<g:image_link>https://shop.example/i/{n}.png</g:image_link>
<g:additional_image_link>https://shop.example/i/{n}a.png</g:additional_image_link>
<g:additional_image_link>https://shop.example/i/{n}b.png</g:additional_image_link>
<g:availability>{stock}</g:availability>
<g:condition>new</g:condition>
<g:price>{price} EUR</g:price>
<g:sale_price>{sale}</g:sale_price>
<g:brand>Brand {brand}</g:brand>
<g:gtin>{gtin:013}</g:gtin>
<g:item_group_id>G{group}</g:item_group_id>
<g:product_type>Home &gt; {word}</g:product_type>
<g:google_product_category>Home &amp; Garden</g:google_product_category>
<g:shipping><g:country>DE</g:country><g:service>Standard</g:service><g:price>4.90 EUR</g:price></g:shipping>
</item>
"""
PLAIN = """
import sys, xml.etree.ElementTree as ET
print(len(ET.parse(sys.argv[1]).getroot().findall("channel/item")))
"""
OURS = """
import sys, pandas as pd
from wa_products.exports import read_catalog
print(len(read_catalog(sys.argv[1], as_of=pd.Timestamp("2026-11-20T09:00:00Z"))[0]))
"""
STREAM = """
import sys
from pathlib import Path
from wa_products.exports.feeds import read_feed
from wa_products.exports.issues import Found
from wa_products.exports.sources import opened
print(len(read_feed(next(opened(Path(sys.argv[1]))), Found("feed")).table))
"""
NOTHING = "import wa_products.exports"


def item(n):
    """Return the n-th item of the feed."""
    word = WORDS[n % len(WORDS)]
    text = " ".join(WORDS[(n * k) % len(WORDS)] for k in range(1, 40))
    whole, cents = 2 + n * 7 % 2_000, (50, 99)[n % 2]
    return ITEM.format(
        n=n,
        title=f"{word.title()} number {n}",
        text=f"{text} {n}",
        stock="in stock" if n % 9 else "out of stock",
        price=f"{whole}.{cents}",
        sale="" if n % 5 else f"{whole // 2}.{cents} EUR",
        brand=n % 300,
        gtin=80_446_392 + n,
        group=n // 4,
        word=word,
    )


def write(path, items):
    """Write a feed of so many items."""
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n')
        file.writelines(item(n) for n in range(items))
        file.write("</channel></rss>\n")


def measured(code, path):
    """Return seconds, CPU seconds and peak MiB of a process that runs `code` on `path`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    lines = f"{code}\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", lines, str(path)], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, int(done.stdout.split()[-1]) / 1024


def main():
    """Print the table."""
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.xml"
        write(path, items)
        print(f"{items:,} items, {path.stat().st_size / 2**20:.0f} MiB")
        print(f"{'':34}{'seconds':>9}{'CPU s':>9}{'peak MiB':>10}{'CPU ratio':>11}")
        rows = {
            "ElementTree.parse": PLAIN,
            "read_feed (items to columns)": STREAM,
            "read_catalog (canonical, issues)": OURS,
            "import alone": NOTHING,
        }
        plain = 0.0
        for name, code in rows.items():
            seconds, cpu, peak = measured(code, path)
            plain = plain or cpu
            print(f"{name:34}{seconds:>9.2f}{cpu:>9.2f}{peak:>10.0f}{cpu / plain:>11.2f}")


if __name__ == "__main__":
    main()
