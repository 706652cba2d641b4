"""SDK v1's names, parameters and defaults, those of azureml-core 1.61: `surface.json`, by frequency of use."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.v1 import modules

SURFACE: list[dict[str, str]] = json.loads((Path(__file__).parent / "surface.json").read_text())

OTHERS = {
    "ComputeTarget.update": "AmlCompute.update",
    "ComputeTarget.list_nodes": "AmlCompute.list_nodes",
    "Run.find_step_run": "PipelineRun.find_step_run",
    "Run.publish_pipeline": "PipelineRun.publish_pipeline",
    "Run.get_output": "StepRun.get_output",
    "Run.get_steps": "PipelineRun.get_steps",
    "Run.get_pipeline_output": "PipelineRun.get_pipeline_output",
    "Run.get_best_run_by_primary_metric": "HyperDriveRun.get_best_run_by_primary_metric",
    "Step.run_after": "PythonScriptStep.run_after",
    "Run.get_best_child": "AutoMLRun.get_best_child",
}
"""Names that the corpus found on a base class, and whose they are."""

DIFFERENT: dict[str, str] = {
    **dict.fromkeys(
        ("AdlaStep", "AzureBatchStep", "DatabricksStep", "KustoStep"),
        "whatever it is given, it raises what to do instead",
    ),
    "ComputeTarget.wait_for_completion": "every kind takes AmlCompute's timeouts, which the corpus passes to this one",
}
"""Signatures that differ on purpose, with the reason."""


def find_object(name: str) -> Any:
    """Return the object of `Class`, `Class.member` or a function; None where it is not served."""
    first, *rest = OTHERS.get(name, name).removesuffix(" = (set)").split(".")
    if first == "Datastore" and rest and not hasattr(modules.find_name("azureml.core", first), rest[0]):
        first = "AbstractDatastore"
    if first == "Dataset" and rest and not hasattr(modules.find_name("azureml.core", first), rest[0]):
        first = "TabularDataset"
    try:
        found = modules.find_name("azureml.core", first)
        for part in rest:
            found = inspect.getattr_static(found, part) if isinstance(found, type) else getattr(found, part)
    except (AttributeError, ModuleNotFoundError):
        return None
    return found


def list_parameters(found: Any) -> list[tuple[str, str]]:
    """Return the names and defaults of a function, of a class's constructor or of the function in a descriptor."""
    function = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    if isinstance(function, type):
        own = function.__dict__.get("__new__")
        function = own.__func__ if own is not None else function.__init__
    made = []
    for one in inspect.signature(function).parameters.values():
        if one.kind is one.VAR_KEYWORD:
            made.append(("**", ""))
        elif one.kind is not one.VAR_POSITIONAL:
            made.append((one.name, "" if one.default is one.empty else repr(one.default)))
    return made


def parse_signature(text: str) -> list[tuple[str, str]]:
    """Return the same of a text such as `self, name, value=None, **kwargs`."""
    arguments = ast.parse(f"def f({text}): ...").body[0].args  # type: ignore[attr-defined]
    listed = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(listed) - len(arguments.defaults)) + arguments.defaults
    pairs = [*zip(listed, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    made = [(one.arg, "" if default is None else ast.unparse(default)) for one, default in pairs]
    return [*made, *([("**", "")] if arguments.kwarg else [])]


def find_differences(row: dict[str, str], found: Any) -> Iterator[str]:
    """Yield a sentence for each parameter that is not there, or has another default."""
    theirs, ours = parse_signature(row["sig"]), list_parameters(found)
    skipped = ("self", "cls")
    wanted = [one for one in theirs if one[0] not in skipped and one[0] != "**" and not one[0].startswith("_")]
    there = dict(ours)
    for name, default in wanted:
        if name not in there:
            yield f"{row['n']} has no parameter '{name}'"
        elif (default == "") != (there[name] == ""):
            yield f"{row['n']}: the default of '{name}' is {there[name] or 'none'}, not {default or 'none'}"
        elif is_literal(default) and default != there[name]:
            yield f"{row['n']}: the default of '{name}' is {there[name]}, not {default}"
    order = [name for name, _ in ours if name in dict(wanted)]
    if order != [name for name, _ in wanted if name in there]:
        yield f"{row['n']}: the parameters stand in another order: {order}"


def is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


SIGNED = [row for row in SURFACE if "sig" in row]
SERVED = {row["n"]: find_object(row["n"]) for row in SIGNED}


@pytest.mark.parametrize("row", [row for row in SIGNED if SERVED[row["n"]] is not None], ids=lambda row: row["n"])
def test_a_served_name_has_the_parameters_of_sdk_v1(row: dict[str, str]) -> None:
    differences = [] if row["n"] in DIFFERENT else list(find_differences(row, SERVED[row["n"]]))
    assert not differences


def test_most_of_the_surface_is_served(capsys: pytest.CaptureFixture[str]) -> None:
    """The share is printed, and only grows."""
    served = [name for name, found in SERVED.items() if found is not None]
    with capsys.disabled():
        print(f"\nSDK v1: {len(served)} of {len(SIGNED)} names with a signature are served")
    assert len(served) >= 270


def test_a_name_that_is_not_served_says_so() -> None:
    """One sentence, whatever is asked for."""
    with pytest.raises(AttributeError, match=r"^smalt has no azureml.core.Nonsense \(it serves the names of"):
        modules.find_name("azureml.core", "Nonsense")
