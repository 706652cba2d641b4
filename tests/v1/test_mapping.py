"""docs/v1.md, row by row: what it says of a name under `smalt python` is what the code does."""

from __future__ import annotations

import inspect
import re
from types import ModuleType
from typing import Any

import pytest

from smalt.exceptions import SmaltError
from smalt.python.private_modules import AbsentAttributeError
from smalt.v1 import modules
from smalt.v1.compute.target import ComputeTarget
from smalt.v1.mapping import MappedName, find_row, list_rows
from smalt.v1.mistakes import explain_mistake
from tests.v1.test_surface import find_object

SERVED = [row for row in list_rows() if row.state in ("runs", "differs", "no effect")]
REFUSED = [row for row in list_rows() if row.state == "refused"]
KINDS = {
    "Step": "PipelineStep",
    "Datastore": "AbstractDatastore",
    "FileDataset": "FileDataset",
    "Dataset": "FileDataset",
}
"""The class whose members a row names by another's name."""
OWN = ("VERSION", "__version__")
"""Names that the module azureml.core has itself."""


def find_class(name: str) -> Any:
    try:
        return modules.find_name("azureml.core", name)
    except (AttributeError, ModuleNotFoundError):
        return None


def has_field(kind: Any, name: str) -> bool:
    """Return True if an object of the class gets an attribute of that name when it is made."""
    if not isinstance(kind, type):
        return False
    sources = [inspect.getsource(one) for one in kind.__mro__ if one.__module__.startswith("smalt")]
    kinds = [one for source in sources for one in re.findall(rf"self\.{name}\b|\b{name}\s*:|\b{name}=", source)]
    return bool(kinds) or any(name in getattr(one, "__annotations__", {}) for one in kind.__mro__)


def is_served(row: MappedName) -> bool:
    name = row.name.rpartition("azureml.")[2].rpartition(".")[2] if row.name.startswith("azureml.") else row.name
    if name in OWN:
        module = ModuleType("azureml.core")
        modules.make_spec("azureml.core").loader.exec_module(module)  # type: ignore[union-attr]
        return hasattr(module, name)
    if find_object(name) is not None:
        return True
    first, *rest = name.split(".")
    for kind in (find_class(first), find_class(KINDS.get(first, first))):
        found = kind
        for part in rest:
            if found is None or (not hasattr(found, part) and not has_field(found, part)):
                found = None
                break
            found = getattr(found, part, None) if hasattr(found, part) else _find_type(found, part)
        if found is not None:
            return True
    return False


def _find_type(kind: Any, name: str) -> Any:
    """Return the class of a field; of a plain value any object will do."""
    sections = {
        "python": "PythonSection", "docker": "DockerSection", "spark": "SparkSection", "environment": "Environment"
    }  # fmt: skip
    return find_class(sections[name]) if name in sections else str


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row.name)
def test_a_name_that_runs_is_there(row: MappedName) -> None:
    assert is_served(row), f"docs/v1.md says '{row.state}' of {row.name}, which is not served"


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
def test_a_refused_name_says_what_to_do(row: MappedName) -> None:
    """By its row's sentence where there is no such name, else by its own when it is used."""
    if row.name.startswith("azureml."):
        first, second, *_ = row.name.split(".")
        assert row.differs in modules.explain_absence(first, second)
        return
    found = find_object(row.name)
    if found is None:
        assert row.differs in explain_use(row.name)
        return
    with pytest.raises(SmaltError) as caught:
        use(found)
    assert len(str(caught.value)) > 20
    assert "\n" not in str(caught.value)


def explain_use(name: str) -> str:
    """Return what a program is told that uses a name which is not there."""
    first, _, member = name.partition(".")
    try:
        found = modules.find_name("azureml.core", KINDS.get(first, first))
        getattr(object.__new__(found), member)
    except AbsentAttributeError as error:
        row = find_row(first)
        return str(error) if row is None or row.differs not in str(error) else f"{error} {row.differs}"
    except AttributeError as error:
        return explain_mistake(error) or ""
    return ""


def use(found: Any) -> None:
    """Call a function or class with None for all that it needs; a compute is attached."""
    if isinstance(found, type) and issubclass(found, ComputeTarget):
        ComputeTarget.attach(None, "machine", found.attach_configuration())  # type: ignore[arg-type, attr-defined]
        return
    function = getattr(found, "__func__", found)
    needed = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.POSITIONAL_ONLY)
    ]
    function(*(None for _ in needed))
