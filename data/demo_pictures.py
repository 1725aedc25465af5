"""
A small picture of each product, drawn: a pack in the colour of its shelf with its title and size on a label.

Drawn three times too large and reduced, with few colours, so that it is smooth and still about a kilobyte.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageColor, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo_catalog import Product

SIZE, SCALE, COLOURS = 240, 3, 9
WHITE = (255, 255, 255)
INK = (38, 40, 48)
LABELS = {"شاي بالنعناع": "Mint Tea"}  # the built-in font has no Arabic
ROW, LONGEST = 12, 3

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]


class Pen:
    """Draws in units of the final picture: the pack in `main`, its shaded parts in `dark`."""

    def __init__(self, draw: ImageDraw.ImageDraw, main: Colour) -> None:
        self.draw = draw
        self.main = main
        self.dark = _mix(main, (0, 0, 0), 0.25)

    def block(self, box: Box, fill: Colour, radius: int = 0) -> None:
        """Draw a rectangle with round corners."""
        self.draw.rounded_rectangle([SCALE * edge for edge in box], SCALE * radius, fill=fill)

    def shape(self, points: list[tuple[int, int]], fill: Colour) -> None:
        """Draw a polygon."""
        self.draw.polygon([(SCALE * x, SCALE * y) for x, y in points], fill=fill)

    def disc(self, box: Box, fill: Colour) -> None:
        """Draw an ellipse."""
        self.draw.ellipse([SCALE * edge for edge in box], fill=fill)

    def words(self, at: tuple[int, int], text: str, size: int, fill: Colour) -> None:
        """Write `text` centred on `at`."""
        font = ImageFont.load_default(SCALE * size)
        self.draw.text((SCALE * at[0], SCALE * at[1]), text, fill=fill, font=font, anchor="mm")


def _pouch(pen: Pen) -> Box:
    pen.shape([(66, 40), (174, 40), (182, 214), (58, 214)], pen.main)
    pen.block((66, 30, 174, 48), pen.dark, 3)
    return (72, 84, 168, 176)


def _sack(pen: Pen) -> Box:
    pen.block((54, 44, 186, 218), pen.main, 14)
    pen.shape([(60, 24), (180, 24), (172, 52), (68, 52)], pen.dark)
    return (66, 86, 174, 178)


def _tin(pen: Pen) -> Box:
    pen.block((64, 52, 176, 216), pen.main, 10)
    pen.block((58, 36, 182, 62), pen.dark, 8)
    return (64, 88, 176, 182)


def _box(pen: Pen) -> Box:
    pen.block((52, 58, 172, 214), pen.main, 2)
    pen.shape([(172, 58), (194, 44), (194, 200), (172, 214)], pen.dark)
    pen.shape([(52, 58), (74, 44), (194, 44), (172, 58)], _mix(pen.main, WHITE, 0.25))
    return (60, 84, 164, 180)


def _bottle(pen: Pen) -> Box:
    pen.block((100, 22, 140, 50), pen.dark, 5)
    pen.shape([(104, 50), (136, 50), (172, 84), (68, 84)], pen.main)
    pen.block((68, 76, 172, 218), pen.main, 14)
    return (68, 98, 172, 190)


def _jar(pen: Pen) -> Box:
    pen.block((56, 76, 184, 212), pen.main, 20)
    pen.block((64, 50, 176, 80), pen.dark, 6)
    return (56, 100, 184, 188)


def _bar(pen: Pen) -> Box:
    pen.block((36, 118, 204, 214), pen.main, 16)
    pen.block((36, 118, 60, 214), pen.dark, 12)
    return (70, 126, 198, 206)


def _tray(pen: Pen) -> Box:
    pen.shape([(34, 74), (206, 74), (188, 196), (52, 196)], pen.main)
    pen.block((26, 62, 214, 82), pen.dark, 6)
    return (62, 94, 178, 184)


def _tube(pen: Pen) -> Box:
    pen.shape([(62, 26), (178, 26), (166, 186), (74, 186)], pen.main)
    pen.block((84, 186, 156, 216), pen.dark, 5)
    return (76, 66, 164, 158)


def _dropper(pen: Pen) -> Box:
    pen.disc((104, 14, 136, 54), pen.dark)
    pen.block((98, 46, 142, 80), pen.dark, 4)
    pen.block((70, 78, 170, 216), pen.main, 18)
    return (70, 104, 170, 196)


def _carton(pen: Pen) -> Box:
    pen.shape([(84, 22), (156, 22), (174, 62), (66, 62)], pen.dark)
    pen.block((66, 60, 174, 218), pen.main, 2)
    return (72, 90, 168, 186)


def _cup(pen: Pen) -> Box:
    pen.shape([(66, 56), (174, 56), (160, 218), (80, 218)], pen.main)
    pen.block((58, 38, 182, 60), pen.dark, 8)
    return (74, 92, 166, 176)


PACKS: dict[str, Callable[[Pen], Box]] = {
    "bar": _bar, "bottle": _bottle, "box": _box, "carton": _carton, "cup": _cup, "dropper": _dropper, "jar": _jar,
    "pouch": _pouch, "sack": _sack, "tin": _tin, "tray": _tray, "tube": _tube,
}  # fmt: skip


def picture(product: Product) -> bytes:
    """Return the PNG of one product: square, `SIZE` pixels, `COLOURS` colours."""
    shelf = ImageColor.getrgb(product.category.colour)
    image = Image.new("RGB", (SCALE * SIZE, SCALE * SIZE), _mix(shelf, WHITE, 0.80))
    turn = sum(product.title.encode()) % 3 - 1  # neighbours on a shelf differ a little
    pen = Pen(ImageDraw.Draw(image), _mix(shelf, WHITE if turn > 0 else (30, 30, 60), 0.22 * abs(turn)))
    pen.disc((20, 206, 220, 230), _mix(shelf, WHITE, 0.62))
    left, top, right, bottom = PACKS[product.drawing](pen)
    pen.block((left, top, right, bottom), WHITE, 4)
    middle = (left + right) // 2
    lines = _label(product.title)
    first = (top + bottom - 24) // 2 - 9 * (len(lines) - 1)
    for number, line in enumerate(lines):
        pen.words((middle, first + 18 * number), line, min(17, 2 * (right - left) // (len(line) + 2)), INK)
    pen.block((left, bottom - 24, right, bottom), pen.dark, 4)
    pen.words((middle, bottom - 12), product.option or product.brand, 13, WHITE)
    small = image.resize((SIZE, SIZE), Image.Resampling.BOX).quantize(COLOURS, dither=Image.Dither.NONE)
    data = io.BytesIO()
    small.save(data, "PNG", optimize=True)
    return data.getvalue()


def _label(title: str) -> list[str]:
    """Return the title in at most `LONGEST` short lines."""
    words = LABELS.get(title, title.partition("<")[0]).encode("ascii", "ignore").decode().split()
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) >= ROW:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines[:LONGEST]


def _mix(colour: tuple[int, ...], other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour[:3], other, strict=True))
    return red, green, blue
