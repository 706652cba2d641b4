"""Documents of any noun, drawn from its own description."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from smalt.entities.assets.data_import import DataImport
from smalt.entities.assets.environment import CondaFile, LocalOrRemote
from smalt.entities.endpoints.batch_deployment import ModelBatchDeployment, PipelineComponentBatchDeployment
from smalt.entities.endpoints.endpoint import BatchEndpoint, OnlineEndpoint
from smalt.entities.jobs.automl.job import AutoMLComponent, AutoMLJob
from smalt.entities.jobs.command import CodePath
from smalt.entities.jobs.data_transfer import DataTransferComponent, DataTransferJob
from smalt.entities.jobs.import_job import ImportComponent
from smalt.entities.jobs.inputs import DataPath, JobInput, LiteralValue, Outputs
from smalt.entities.jobs.parallel import ParallelComponent
from smalt.entities.jobs.pipeline import PipelineComponent, PipelineJob
from smalt.entities.jobs.sweep import SweepComponent, SweepJob
from smalt.entities.schedules.schedule import Schedule
from smalt.entities.schema.entity import Entity, Field
from smalt.entities.schema.nested import Named, Nested, TaggedNoun, load_noun
from smalt.entities.schema.shapes import AsText, Boolean, Either, Enum, Integer, List, Map, Number, Shape, Text

WORDS = st.text("abc é-_./${}", max_size=8)
NUMBERS = st.integers(-5, 200) | st.floats(-5, 200, allow_nan=False)
LITERALS = WORDS | NUMBERS | st.booleans()
PATHS = ("folder", "./folder/file.txt", "azureml://datastores/d/paths/p", "https://example.org/x")
"""Where data and code are; a test of files makes the folder, its file, `conda.yml`, and a file of each kind."""
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | LITERALS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.integers(0, 3) | st.none(), inner, max_size=3)
    ),
    max_leaves=6,
)


def documents(noun: type[Entity], depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Plain data that the noun reads without a problem, as far as single keys go."""
    needed = {name: values(field.shape, depth) for name, field in noun._fields.items() if _always(name, field)}
    needed |= _DEPENDENT.get(noun, {})
    others = {name: field for name, field in noun._fields.items() if name not in needed}
    if depth <= 0 or not others:
        return st.fixed_dictionaries(needed)

    def with_some(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({**needed, **{name: values(others[name].shape, depth - 1) for name in names}})

    return st.lists(st.sampled_from(sorted(others)), max_size=4, unique=True).flatmap(with_some)


_STEPS = {
    "jobs": st.dictionaries(
        st.sampled_from("abc"),
        st.sampled_from(
            [
                {"type": "command", "command": "ls", "environment": "azureml:a:1"},
                {"type": "command", "component": "azureml:a:1"},
                {"type": "pipeline", "component": "azureml:a@latest"},
            ]
        ),
        min_size=1,
    )
}
_SWEPT = {
    "search_space": st.just({"x": {"type": "choice", "values": [1, 2]}}),
    "objective": st.sampled_from(["minimize", "maximize"]).map(lambda goal: {"goal": goal, "primary_metric": "m"}),
    "limits": st.integers(1, 20).map(lambda count: {"max_total_trials": count}),
}
_COPY = {"task": st.just("copy_data"), "outputs": st.just({"b": {"type": "uri_folder"}})}
_NAME = {"name": st.from_regex("[a-z]{2,5}-?[a-z0-9]{1,5}", fullmatch=True)}

_DEPENDENT: dict[type[Entity], dict[str, st.SearchStrategy[Any]]] = {
    AutoMLJob: {
        "task": st.sampled_from(["classification", "regression"]),
        "target_column_name": st.just("y"),
        "training_data": st.sampled_from(PATHS).map(lambda path: {"type": "mltable", "path": path}),
    },
    AutoMLComponent: {
        "task": st.sampled_from(["classification", "regression"]),
        "target_column_name": st.just("y"),
        "training_data": st.just("${{inputs.a}}"),
        "inputs": st.just({"a": {"type": "mltable"}}),
    },
    PipelineJob: _STEPS,
    PipelineComponent: _STEPS,
    SweepJob: {**_SWEPT, "trial": st.just({"command": "echo ${{search_space.x}}", "environment": "azureml:a:1"})},
    SweepComponent: {**_SWEPT, "trial": st.just("azureml:a:1")},
    DataTransferJob: {**_COPY, "inputs": st.just({"a": {"type": "uri_folder", "path": "folder"}})},
    DataTransferComponent: {**_COPY, "inputs": st.just({"a": {"type": "uri_folder"}})},
    ImportComponent: {
        "source": st.just({"type": {"type": "string"}, "query": {"type": "string"}}),
        "output": st.just({"type": "mltable"}),
    },
    DataImport: {
        "source": st.sampled_from(["query", "table_name"]).map(
            lambda key: {"type": "database", key: "q", "connection": "azureml:c"}
        )
    },
    Schedule: {"create_job": st.sampled_from(["azureml:a", "azureml:simple-job"])},
    OnlineEndpoint: _NAME,
    BatchEndpoint: _NAME,
    ModelBatchDeployment: {"compute": st.just("azureml:c")},
    PipelineComponentBatchDeployment: {"component": st.just("azureml:a:1")},
    ParallelComponent: {
        "inputs": st.just({"a": {"type": "uri_folder"}}),
        "outputs": st.just({"b": {"type": "uri_file"}}),
        "input_data": st.just("${{inputs.a}}"),
        "mini_batch_size": st.integers(1, 20).map(str),
        "task": st.fixed_dictionaries(
            {"type": st.just("run_function"), "code": st.just("folder"), "entry_script": st.just("file.txt")},
            optional={"append_row_to": st.just("${{outputs.b}}")},
        ).map(lambda task: {**task, "environment": "azureml:a:1"}),
    },
}
"""Values without which no document is valid, as its keys depend on each other."""


def _always(name: str, field: Field) -> bool:
    return field.required or (name == "type" and field.default is not None)


def values(shape: Shape[Any], depth: int) -> st.SearchStrategy[Any]:
    """Plain data of a shape."""
    if isinstance(shape, Either):
        return st.one_of([values(side, depth) for side in shape.shapes])
    if isinstance(shape, TaggedNoun):
        return st.sampled_from(sorted(shape.table)).flatmap(lambda tag: _tagged(shape, tag, depth))
    if isinstance(shape, Nested):
        keys = set(shape.only or shape.noun._fields)
        return documents(shape.noun, depth).map(lambda data: {key: data[key] for key in data if key in keys})
    if isinstance(shape, List):
        return st.lists(values(shape.item, depth), max_size=2)
    if isinstance(shape, Map):
        item = values(shape.item, depth) | st.none() if isinstance(shape, Outputs) else values(shape.item, depth)
        return st.dictionaries(st.text("ab_", min_size=1, max_size=3), item, max_size=2)
    if isinstance(shape, Named):
        file = f"file:{shape.kind}.yml"
        return st.sampled_from(["azureml:a:1", "azureml:a@latest", "azureml://registries/r/x/a/versions/1", file])
    return _plain(shape, depth)


def _tagged(shape: TaggedNoun[Any], tag: str, depth: int) -> st.SearchStrategy[Any]:
    given = {shape.key: tag} if shape.key else {}
    return documents(load_noun(shape.table[tag]), depth).map(lambda data: {**data, **given})


def _plain(shape: Shape[Any], depth: int) -> st.SearchStrategy[Any]:
    if isinstance(shape, Enum):
        return st.sampled_from(shape.allowed)
    if isinstance(shape, Integer):
        return st.integers(shape.at_least or 0, 20 if shape.at_most is None else shape.at_most)
    if isinstance(shape, Number):
        return st.floats(shape.at_least or 0, shape.at_most or 1, allow_nan=False)
    if isinstance(shape, Boolean):
        return st.booleans()
    if isinstance(shape, JobInput):
        return LITERALS | values(shape.data, depth)
    if isinstance(shape, (LiteralValue, AsText)):
        return LITERALS
    if isinstance(shape, (CodePath, DataPath, LocalOrRemote)):
        return st.sampled_from(PATHS)
    if isinstance(shape, CondaFile):
        return st.just("conda.yml") | st.dictionaries(WORDS, LITERALS, max_size=2)
    return WORDS if isinstance(shape, Text) else st.dictionaries(WORDS, LITERALS, max_size=2)
