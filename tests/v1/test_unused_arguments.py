"""Arguments of SDK v1's names, outside and inside of jobs: what a program gives is acted on, refused, or told."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import smalt

ROOT = Path(smalt.__file__).parent
FOLDERS = ("v1", "inside/v1")
NOT_WALKED = ("v1/mapping", "v1/upgrade")
"""Code that has no names of v1: the table of them, and the upgrade."""


class Unused(NamedTuple):
    """A parameter that the body of its function does not read, or an argument that is stored and never read."""

    file: str
    function: str
    parameter: str


NAMES = {
    "show_output": "what is printed",
    "show_progress": "what is printed",
    "enable_telemetry": "nothing is sent anywhere",
    "wait_for_completion": "the call waits",
    "wait_for_provisioning": "the call waits",
    "wait_timeout": "the call waits",
    "no_wait": "the call waits",
    "timeout_seconds": "calls to this machine end by themselves",
    "validate": "data is checked when it is read in any case",
    "expand": "models are fetched whole",
}
"""Parameters that change nothing of what a call does, by name, each with the reason."""

FILES = {
    "v1/resources/authentication.py": "no log-in is needed",
    "v1/resources/telemetry.py": "nothing is sent anywhere",
    "v1/exceptions.py": "an exception is its sentence",
    "inside/v1/errors.py": "an exception is its sentence",
    "inside/v1/importing.py": "Python's own protocol of imports; no log-in, and nothing is sent",
    "v1/ports.py": "binders share their signatures",
    "v1/resources/linked_service.py": "a link is its name",
}

FUNCTIONS = {
    "*.__exit__": "Python's own protocol",
    "*.render_text": "the kinds of steps share its signature",
    "_Collector.add": "the keeper's own protocol of dictionaries",
    "_Collector.remove": "the keeper's own protocol of dictionaries",
    "_ignore_event": "a listener that ignores what it hears",
    "RunDetails.show": "settings of a widget",
    "RunDetails.get_widget_data": "settings of a widget",
    "get_run": "runs are always whole",
    "InputDataset.__init__": "`__new__` takes the path",
    "_ModelPorts.get_name": "ports share their signature",
    "DataReference.to_output": "ports share their signature",
    "PipelineOutputAbstractDataset.to_output": "ports share their signature",
    "Schedule.__init__": "the server's answer",
    "make_output": "bindings share their signature",
    "ComputeTarget.wait_for_completion": "a compute is there when it is made",
    "AutoMLRun.get_run_sdk_dependencies": "the answer says that there are none",
    "AutoMLRun.get_guardrails": "what is printed",
    "ExplanationClient.__init__": "it is refused where `from_run` did not make the client",
    "ScaleSettings.__init__": "programs read the attributes",
    "PublishedPipeline.__init__": "the server's answer; programs read the attributes",
    "StepRun.__init__": "the run's name says all",
    "OfflineRun.__init__": "outside of a job nothing is kept",
    "OfflineRun.child_run": "outside of a job nothing is kept",
    "_FolderDataset.__init__": "it is refused when it is read",
    "Keyvault.__init__": "a job has one vault",
}

PARAMETERS = {
    ("DataType.to_stream", "workspace"): "the path says where",
    ("Run.get_context", "used_for_context_manager"): "v1's own",
    ("SynapseCompute.attach_configuration", "linked_service"): "v1 asks for it; the pool is this machine",
    ("SynapseCompute.attach_configuration", "type"): "v1 asks for it; there is one type",
    ("CondaDependencies.create", "pin_sdk_version"): "azureml-defaults is no package of a job",
    ("FileDatasetFactory.from_files", "is_file"): "what is there tells it",
    ("TabularDataset.keep_columns", "validate"): "an unknown column is refused in any case",
    ("OutputFileDatasetConfig.as_upload", "overwrite"): "docs/v1.md: files that are there are replaced",
    ("OutputTabularDatasetConfig.as_upload", "overwrite"): "docs/v1.md: files that are there are replaced",
    ("DockerBuildContext.from_local_directory", "workspace"): "a folder of this machine",
    ("HyperDriveRun.get_best_run_by_primary_metric", "include_resume_from_runs"): "no sweep resumes another",
    ("Model.list", "page_count"): "all pages are read",
    ("AutoMLStep.__init__", "enable_default_model_output"): "the step of v2 always has it",
    ("AutoMLStep.__init__", "enable_default_metrics_output"): "the step of v2 always has it",
    ("DataTransferStep.__init__", "compute_target"): "this machine copies, whatever the compute",
    ("export_to_tensorboard", "logger"): "what is printed",
    ("Workspace.__init__", "sku"): "a workspace here has none",
    ("Workspace.__init__", "subscription_id"): "a job has one workspace, which the name must be",
    ("Workspace.__init__", "resource_group"): "a job has one workspace, which the name must be",
    ("Workspace.get", "location"): "the name says which",
    ("Workspace.get", "cloud"): "the name says which",
    ("Workspace.get", "id"): "the name says which",
    ("Workspace.get", "auth"): "no log-in is needed",
    ("Workspace.get", "_"): "no log-in is needed",
    ("Workspace.from_config", "path"): "a job has one workspace",
    ("Workspace.from_config", "auth"): "no log-in is needed",
    ("Workspace.from_config", "_"): "a job has one workspace",
    ("Workspace.get_default_compute_target", "type"): "there is none of any type",
    ("Workspace.delete", "delete_dependent_resources"): "nothing of a workspace stays",
    ("Workspace.delete", "permanently_delete"): "nothing of a workspace stays",
    ("TabularDataset.with_timestamp_columns", "_"): "what chooses by them is refused",
    ("TabularDataset.with_timestamp_columns", "__"): "what chooses by them is refused",
    ("TabularDataset.as_named_input", "name"): "the dataset is here already",
    ("FileDataset.as_named_input", "name"): "the dataset is here already",
    ("Dataset.get_by_name", "workspace"): "a job has one workspace",
    ("Dataset.get_by_id", "workspace"): "a job has one workspace",
    ("Dataset.get_all", "workspace"): "a job has one workspace",
    ("Datastore.path", "data_reference_name"): "the path alone is read",
    ("ExplanationClient.from_run_id", "experiment_name"): "the run's id says which",
    ("Run.wait_for_completion", "wait_post_processing"): "a run that has ended is whole",
    ("Storage.download_files", "batch_size"): "files come one by one",
}


def list_functions(tree: ast.AST, owner: str = "") -> Iterator[tuple[str, ast.FunctionDef, ast.ClassDef | None]]:
    """Yield the functions of modules and classes, but not those within functions: nobody else calls them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            for name, function, _ in list_functions(node):
                yield f"{node.name}.{name}", function, node
        elif isinstance(node, ast.FunctionDef):
            yield owner + node.name, node, None


def is_decided_elsewhere(function: ast.FunctionDef, owner: ast.ClassDef | None) -> bool:
    """Return True if the function has no body of its own, refuses, or makes a configuration that is refused later."""
    body = [one for one in function.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
    if not body:  # a protocol's, or an __init__ beside a __new__
        has_new = owner is not None and any(getattr(one, "name", "") == "__new__" for one in owner.body)
        is_protocol = owner is not None and any(getattr(base, "id", "") == "Protocol" for base in owner.bases)
        return (has_new and function.name == "__init__") or is_protocol
    last = body[-1]
    made = last.value if isinstance(last, ast.Return) else None
    is_refused_later = isinstance(made, ast.Call) and getattr(made.func, "id", "") == "RefusedConfiguration"
    return len(body) == 1 and (isinstance(last, ast.Raise) or is_refused_later)


def find_unread(function: ast.FunctionDef) -> list[str]:
    """Return the parameters that the body does not name; `locals()` names all."""
    arguments = function.args
    named = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    named += [one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None]
    read = {node.id for one in function.body for node in ast.walk(one) if isinstance(node, ast.Name)}
    return [] if "locals" in read else [one for one in named if one not in read and one not in ("self", "cls")]


def find_only_stored(function: ast.FunctionDef, loaded: set[str]) -> list[str]:
    """Return the parameters that are put into an attribute that no code reads, and used for nothing else."""
    uses: dict[str, int] = {}
    stored: dict[str, str] = {}
    for node in (each for one in function.body for each in ast.walk(one)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            uses[node.id] = uses.get(node.id, 0) + 1
        if isinstance(node, ast.Assign):
            for target in node.targets:
                is_many = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                pairs = zip(target.elts, node.value.elts, strict=True) if is_many else [(target, node.value)]  # type: ignore[attr-defined]
                stored.update(
                    {value.id: place.attr for place, value in pairs
                     if isinstance(place, ast.Attribute) and isinstance(value, ast.Name)}
                )  # fmt: skip
    known = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
    return [name for name, attribute in stored.items() if name in known and uses[name] == 1 and attribute not in loaded]


def find_loaded(node: ast.AST) -> str | None:
    """Return the attribute that an expression reads, by a dot or by `getattr`."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        return node.attr
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr" and len(node.args) > 1:
        return str(getattr(node.args[1], "value", ""))
    return None


def read_trees() -> dict[str, ast.Module]:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
    named = {file.relative_to(ROOT).as_posix(): file for file in files}
    return {name: ast.parse(file.read_text()) for name, file in named.items() if not name.startswith(NOT_WALKED)}


def list_unused() -> Iterator[Unused]:
    trees = read_trees()
    loaded = {name for tree in trees.values() for node in ast.walk(tree) if (name := find_loaded(node))}
    for file, tree in trees.items():
        for name, function, owner in list_functions(tree):
            if is_decided_elsewhere(function, owner):
                continue
            unread = find_unread(function)
            kept = find_only_stored(function, loaded) if function.name == "__init__" else []
            for parameter in (*unread, *kept):
                if not (parameter.startswith("_") and parameter.strip("_")):  # v1's own, which no program gives
                    yield Unused(file, name, parameter)


def find_reason(one: Unused) -> str | None:
    return (
        NAMES.get(one.parameter)
        or FILES.get(one.file)
        or FUNCTIONS.get(one.function)
        or FUNCTIONS.get("*." + one.function.rpartition(".")[2])
        or PARAMETERS.get((one.function, one.parameter))
    )


def test_every_argument_is_acted_on_refused_or_told() -> None:
    """A parameter that a function does not read stands here with the reason, or the function says "no effect"."""
    assert [one for one in list_unused() if find_reason(one) is None] == []


def test_no_reason_is_left_over() -> None:
    """Each reason is that of a parameter which is not read."""
    found = list(list_unused())
    used = {one.function for one in found} | {"*." + one.function.rpartition(".")[2] for one in found}
    assert set(NAMES) <= {one.parameter for one in found}
    assert set(FILES) <= {one.file for one in found}
    assert set(FUNCTIONS) <= used
    assert set(PARAMETERS) <= {(one.function, one.parameter) for one in found}
