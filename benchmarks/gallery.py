"""
Every chart in Chromium, light and dark, for campaigns of 0, 1, 50 and 100,000 customers: pictures to look at.

    python benchmarks/gallery.py FOLDER [--sizes 0 1 50 100000] [--width 760] [--after 6D]

Writes FOLDER/<customers>-<scheme>.png, all charts of one campaign below each other.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import pandas as pd
from playwright.sync_api import sync_playwright
from plotly.offline import get_plotlyjs

from tests.browser import CHROMIUM, FLAGS
from tests.made_campaign import START, campaign, spread
from wa_products import figures, metrics

CHARTS = [name for name in figures.__all__ if name not in {"backtest", "calibration"}]  # those are of a backtest
PAPER = {"light": "#ffffff", "dark": "#111111"}


def main():
    """Draw, take the pictures and name them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="*", default=[0, 1, 50, 100_000])
    parser.add_argument("--width", type=int, default=760)
    parser.add_argument("--after", default="6D", help="when the campaign is looked at; its days are over after 9D")
    parser.add_argument("--charts", nargs="*", default=CHARTS)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        for size in options.sizes:
            found = results(size, options.after)
            drawn = [getattr(figures, name)(found) for name in options.charts]
            for scheme, paper in PAPER.items():
                shot = options.folder / f"{size}-{scheme}.png"
                page = browser.new_page(viewport={"width": options.width, "height": 900}, color_scheme=scheme)
                page.set_content(html(drawn, paper))
                page.wait_for_function(f"document.querySelectorAll('.main-svg').length >= {len(drawn)}")
                page.screenshot(path=shot, full_page=True)
                page.close()
                print(shot)
        browser.close()


def results(customers, after):
    """Return the results of a made-up campaign of so many customers, so long after its start."""
    rows, events, header = campaign(customers)
    rows, events, others = spread(rows, events)
    return metrics.results(rows, events, header, START + pd.Timedelta(after), others=others)


def html(drawn, paper):
    """Return one page with all charts."""
    charts = "".join(figure.to_html(full_html=False, include_plotlyjs=False) for figure in drawn)
    return f"<script>{get_plotlyjs()}</script><body style='background:{paper}'>{charts}</body>"


if __name__ == "__main__":
    main()
