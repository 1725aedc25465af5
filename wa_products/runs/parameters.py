"""
What may be given to a notebook: the names in its cell tagged ``parameters``, each with a type.

A notebook runner that takes any name and any text runs a campaign on its defaults when a name is misspelled. Here a
name must stand in the cell, and a text must read as the type that the cell declares, before anything runs.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wa_products.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbformat import NotebookNode

TAG = "parameters"
_SECRET = re.compile(r"token|secret|password", re.IGNORECASE)
_YES, _NO = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})


@dataclass(frozen=True)
class Parameter:
    """
    A name of the parameters cell. `type` is what its annotation or its value says; `is_required` has no value.

    `default` is the value where it is a plain one, else None.
    """

    name: str
    type: str
    is_required: bool
    may_be_none: bool = False
    default: Any = None


def declared(notebook: NotebookNode) -> dict[str, Parameter]:
    """
    Return the parameters of a notebook by name: ``name: type = value`` or ``name = value`` in its tagged cell.

    A bare ``name: type`` must be given. Raises DataError where no cell, or more than one, is tagged ``parameters``,
    where that cell is no Python, or where a parameter asks for a secret.
    """
    cells = [cell for cell in notebook.cells if TAG in cell.get("metadata", {}).get("tags", [])]
    if len(cells) != 1:
        raise DataError(f"exactly one cell must be tagged {TAG!r}, this notebook has {len(cells)}")
    try:
        body = ast.parse(cells[0].source).body
    except SyntaxError as error:
        raise DataError(f"the cell tagged {TAG!r} cannot be read: line {error.lineno}: {error.msg}") from error
    found = {made.name: made for made in map(_parameter, body) if made is not None}
    if secret := sorted(name for name in found if _SECRET.search(name)):
        raise DataError(f"{', '.join(secret)}: a secret is no parameter, it comes from the environment or a file")
    return found


def read(parameters: Mapping[str, Parameter], given: Iterable[str]) -> dict[str, Any]:
    """
    Return the values of `given`, texts such as ``name=value``, each as the type that its parameter declares.

    Raises DataError naming everything that is wrong at once: no ``=``, unknown or repeated names, values that are not
    of the type, and required parameters that are not given.
    """
    values: dict[str, Any] = {}
    faults = []
    for text in given:
        name, equals, value = text.partition("=")
        parameter = parameters.get(name.strip())
        if not equals:
            faults.append(f"{text!r} should look like name=value")
        elif parameter is None:
            faults.append(
                f"there is no parameter {name.strip()!r}; there are {', '.join(sorted(parameters)) or 'none'}"
            )
        elif parameter.name in values:
            faults.append(f"{parameter.name} is given twice")
        elif parameter.type not in _READERS:
            told = f"annotate it as one of {', '.join(_READERS)}"
            faults.append(f"{parameter.name} is declared as {parameter.type}, which no text can give: {told}")
        else:
            try:
                values[parameter.name] = _value(parameter, value)
            except ValueError:
                faults.append(f"{parameter.name} should be of type {parameter.type}, got {value!r}")
                values[parameter.name] = None
    faults += [f"{name} must be given" for name, each in parameters.items() if each.is_required and name not in values]
    if faults:
        raise DataError("; ".join(faults))
    return values


def _parameter(statement: ast.stmt) -> Parameter | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        parts = [part.strip() for part in ast.unparse(statement.annotation).split("|")]
        kinds = [part for part in parts if part != "None"]
        kind = kinds[0].partition("[")[0] if len(kinds) == 1 else "anything"
        default = None if statement.value is None else _plain(statement.value)
        return Parameter(statement.target.id, kind, statement.value is None, "None" in parts, default)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        name, value = statement.targets[0].id, _plain(statement.value)
        is_none = isinstance(statement.value, ast.Constant) and value is None
        kind = "str" if is_none else "anything" if value is None else type(value).__name__
        return Parameter(name, kind, is_required=False, may_be_none=is_none, default=value)
    return None


def _plain(value: ast.expr) -> Any:  # noqa: ANN401  # a parameter may be of any type
    try:
        return ast.literal_eval(value)
    except ValueError:
        return None


def _value(parameter: Parameter, text: str) -> Any:  # noqa: ANN401  # a parameter may be of any type
    if parameter.may_be_none and text == "None":
        return None
    return _READERS[parameter.type](text)


def _flag(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise ValueError(text)
    return text.lower() in _YES


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", text):
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text):
        raise ValueError(text)
    return float(text)


def _literal(kind: type) -> Callable[[str], Any]:
    def literal(text: str) -> Any:  # noqa: ANN401  # as above
        try:
            value = ast.literal_eval(text)
        except (SyntaxError, ValueError) as error:
            raise ValueError(text) from error
        if not isinstance(value, kind):
            raise ValueError(text)  # noqa: TRY004  # the text is wrong, and all readers say so alike
        return value

    return literal


_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": _whole,
    "float": _number,
    "bool": _flag,
    "list": _literal(list),
    "tuple": _literal(tuple),
    "dict": _literal(dict),
}
