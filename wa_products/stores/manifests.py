"""What a store holds: one small file, replaced as a whole, so that a store is never seen half written."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from wa_products.errors import DataError
from wa_products.parts import HASH

FILE = "store.json"
FORMAT = 1
PARTS = 64


@dataclass(frozen=True, kw_only=True)
class Segment:
    """
    Lines taken in together, a file a part in `folder`.

    `turn` numbers the exports in the order in which they came: what a later one tells of an order replaces what an
    earlier one told. `latest` is the time of the last line, in ISO.
    """

    folder: str
    turn: int
    lines: int
    latest: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The segments of a store in `parts` parts (a power of two), and the names of what was `taken` in so far."""

    parts: int = PARTS
    segments: tuple[Segment, ...] = ()
    taken: tuple[str, ...] = ()
    hash: str = HASH
    format: int = FORMAT
    shop: dict[str, str] = field(default_factory=dict)

    @property
    def turns(self) -> int:
        """How many exports were told apart."""
        return max((segment.turn for segment in self.segments), default=-1) + 1

    @property
    def digest(self) -> str:
        """A hash of what the store holds."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def write(self, root: Path) -> None:
        """Put this in the place of what the store at `root` said it holds."""
        replace_file(root / FILE, json.dumps(asdict(self), indent=1).encode())


def is_store(path: object) -> bool:
    """Return whether a store lies at `path`."""
    return isinstance(path, str | os.PathLike) and (Path(path) / FILE).is_file()


def read(root: Path) -> Manifest:
    """Return what the store at `root` holds. Raises DataError where there is none, or one of another format."""
    try:
        said = json.loads((root / FILE).read_text("utf-8"))
        segments = tuple(Segment(**segment) for segment in said.pop("segments"))
        manifest = Manifest(**{**said, "segments": segments, "taken": tuple(said["taken"])})
    except FileNotFoundError as error:
        raise DataError(f"there is no order store in {root}: make one with wa-products store EXPORTS {root}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{root / FILE} is damaged ({error}): build the store again in a new folder") from error
    if (manifest.format, manifest.hash) != (FORMAT, HASH):
        raise DataError(f"the store in {root} is of another version: build it again in a new folder")
    return manifest


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, whole, even after a crash."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
