"""The four floors: who may import whom, and what the logic may not touch."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "wa_products"
FLOORS = {
    0: {"errors", "frames"},
    1: {
        "windows", "datasets", "identities", "recommenders", "proposals", "selection", "plans", "arms", "payloads",
        "events", "states", "attribution", "metrics", "backtests", "testing", "codes", "pacing", "limits", "policies",
        "parts",
    },
    2: {
        "approvals", "exports", "stores", "transports", "settings", "ledger", "client", "receiver", "sandbox", "spark",
    },
    3: {
        "campaigns", "commands", "preflight", "widgets", "figures", "reports", "runs", "demo", "trials", "__main__",
        "__init__",
    },
}  # fmt: skip
FLOOR_OF = {name: floor for floor, names in FLOORS.items() for name in names}
OUTSIDE_WORLD = {
    "os", "io", "pathlib", "socket", "time", "random", "secrets", "subprocess", "shutil", "tempfile", "urllib",
    "http", "httpx", "requests", "sqlite3", "sqlalchemy", "glob", "threading", "asyncio", "uuid", "getpass",
}  # fmt: skip
CLOCKS = re.compile(r"\.(now|utcnow|today)\(|[\"']now[\"']|np\.random\.(?!default_rng\(\w|Generator|SeedSequence)")
FILES = re.compile(r"(?<![\w.])open\(|\.read_(csv|parquet|excel|json|sql|text|bytes)\(|\.to_(csv|parquet|excel|sql)\(")
PLAN_FILES = {"plans": {"os", "pathlib"}}  # a plan saves and loads itself: the one door in the logic


def sources(root=PACKAGE):
    """Return the text of each module of the package by its dotted name below the package."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path.read_text("utf-8")
        for path in sorted(root.rglob("*.py"))
    }


def imports(text, modules=()):
    """Return every module that `text` imports when it runs, dotted; `modules` are the package's own."""
    found = set()
    for node in ast.walk(_without_type_checking(ast.parse(text))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the package in full"
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            rooms = {name for name in named if name.removeprefix("wa_products.") in modules}
            found |= rooms if rooms == named else rooms | {node.module}
    return found


def _without_type_checking(tree):
    class Drop(ast.NodeTransformer):
        def visit_If(self, node):  # the name that ast calls
            return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)

    return Drop().visit(tree)


def faults(modules):
    """Return what breaks the floors in `modules`, a sentence each."""
    found, edges = [], {}
    for name, text in modules.items():
        room = name.split(".")[0]
        if room not in FLOOR_OF:
            found.append(f"{name} stands on no floor")
            continue
        own = {m.removeprefix("wa_products.") for m in imports(text, modules) if m.startswith("wa_products.")}
        edges[name] = {m for m in own if m in modules and m != name}
        found += [
            f"{name} on floor {FLOOR_OF[room]} imports {other} from floor {FLOOR_OF[other]}"
            for other in sorted({m.split(".")[0] for m in own} & set(FLOOR_OF))
            if FLOOR_OF[other] > FLOOR_OF[room]
        ]
        if FLOOR_OF[room] <= 1:
            found += _touching(name, room, text)
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        found.append(f"a circle: {' -> '.join(error.args[1])}")
    return found


def _touching(name, room, text):
    roots = {m.split(".")[0] for m in imports(text)} & OUTSIDE_WORLD - PLAN_FILES.get(room, set())
    found = [f"{name} is logic and imports {root}" for root in sorted(roots)]
    code = ast.unparse(_without_docstrings(ast.parse(text)))
    if CLOCKS.search(code):
        found.append(f"{name} is logic and reads a clock or global chance")
    if FILES.search(code) and room not in PLAN_FILES:
        found.append(f"{name} is logic and touches files")
    return found


def _without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body[0].value = ast.Constant("")
    return tree


def test_the_package_keeps_its_floors():
    """Every module imports downward or sideways without circles, and logic touches no outside world."""
    assert faults(sources()) == []


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("windows", "from wa_products import ledger", "imports ledger from floor 2"),
        ("frames", "import wa_products.windows", "imports windows from floor 1"),
        ("arms", "import time", "imports time"),
        ("arms", "import pandas as pd\nx = pd.Timestamp.now()", "reads a clock"),
        ("arms", "import numpy as np\nx = np.random.rand()", "global chance"),
        ("arms", "x = open('file')", "touches files"),
        ("metrics", "import httpx", "imports httpx"),
        ("nowhere", "x = 1", "stands on no floor"),
    ],
)
def test_a_planted_fault_is_found(name, text, fault):
    """The floor test fails on an upward import, on IO, on a clock, on global chance and on a stray module."""
    modules = {**sources(), name: text}
    assert any(fault in sentence for sentence in faults(modules))


def test_a_planted_circle_is_found():
    """The floor test fails when two modules import each other."""
    modules = {"arms": "from wa_products import plans", "plans": "from wa_products import arms"}
    assert any("a circle" in sentence for sentence in faults(modules))
