"""What a wheel holds beside the package: the course, to be taken without the repository."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COURSE = (
    *("notebooks/*.ipynb", "notebooks/policies/*.toml"),
    *("data/demo/*.*", "data/demo/images/*.png", "data/messy/*.*"),
)


class Course(BuildHookInterface):
    """Puts notebooks and made-up shops below ``wa_products/course``, and nothing that lies beside them by chance."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files, except where the package is used from the repository itself."""
        root = Path(self.root)
        found = [path for pattern in COURSE for path in root.glob(pattern) if path.is_file()]
        if version != "editable":
            build_data["force_include"] |= {
                str(p): f"wa_products/course/{p.relative_to(root).as_posix()}" for p in found
            }
