"""POST /smalt/v1{WS}/documents/check {"text", "folder", "file"}: the problems of a YAML text, as the command
`smalt job validate --local` lists them, and the components that it names.

`folder` is the folder, below the setting `studio-folder`, to which the text's paths are relative; without it the text
is in no folder and may name no path. `file` is the name by which problems call the text. The answer is {"kind",
"problems": [{"file", "line", "column", "message"}], "warnings": [the same], "components": {as written: {"name",
"version", "type", "display_name", "description", "tags", "inputs", "outputs", "file"} or {"error"}}}.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from smalt.entities.schema.kind_mismatch import is_job_document
from smalt.exceptions import LocatedProblem, SmaltError, ValidationException
from smalt.service.api.drafts.document_folder import get_root, make_path_check, resolve_folder
from smalt.service.api.request import ApiRequest
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.records.workspaces import Workspace
from smalt.yaml import load_text
from smalt.yaml.document import Document
from smalt.yaml.loading import list_warnings

_SHOWN = ("name", "version", "type", "display_name", "description", "tags", "inputs", "outputs", "is_deterministic")
_MOST_COMPONENTS = 1000
_LARGEST_COMPONENT = 2_000_000


async def check_document(request: ApiRequest) -> dict[str, Any]:
    text, folder = await read_document(request)
    file = str(request.scope["smalt.body"].get("file") or "")
    root = get_root(request) if folder is not None else None
    found = await asyncio.to_thread(find_problems, text, folder, root, file)
    context, workspace = request.server.engine.context, request.workspace
    components = await asyncio.to_thread(_describe_components, context, workspace, text, folder, root)
    return {**found, "components": components}


async def read_document(request: ApiRequest) -> tuple[str, Path | None]:
    """Return the text and the folder that the body names; None where it names none."""
    body = request.scope["smalt.body"] = await request.read_object()
    text, folder = body.get("text"), body.get("folder")
    if not isinstance(text, str) or not isinstance(folder, str | None) or not isinstance(body.get("file"), str | None):
        raise ValidationException('"text", "folder" and "file" must be texts')
    return text, None if folder is None else resolve_folder(request, folder)


def find_problems(text: str, folder: Path | None, root: Path | None, file: str) -> dict[str, Any]:
    """Return the kind of the document, its problems and its warnings."""
    kind = find_document_kind(text)
    problems: list[LocatedProblem] = []
    warnings: list[LocatedProblem] = []
    place = str(folder or "/")
    try:
        checked = load_text(
            text, kind, folder=place, name=file, data_must_exist=True, find_refusal=make_path_check(root)
        )
        warnings = list_warnings(checked)
    except ValidationException as error:
        problems = error.problems
    except RecursionError:
        problems = [LocatedProblem(file, 1, 1, "the document is nested too deep")]
    return {
        "kind": kind,
        "problems": [_render_problem(one, place) for one in problems],
        "warnings": [_render_problem(one, place) for one in warnings],
    }


def find_document_kind(text: str) -> str:
    data = Document(text).data
    return (
        "component"
        if isinstance(data, Mapping) and data and not is_job_document(data) and _looks_like_component(data)
        else "job"
    )


def _looks_like_component(data: Mapping[str, Any]) -> bool:
    """True for a document whose `$schema` or inputs are those of a component."""
    schema = str(data.get("$schema") or "").lower()
    if schema:
        return "component" in schema
    return "version" in data


def _render_problem(problem: LocatedProblem, folder: str) -> dict[str, Any]:
    file = problem.file
    if file and os.path.isabs(file):
        file = os.path.relpath(file, folder)
    return {"file": file, "line": problem.line, "column": problem.column, "message": problem.message}


def _describe_components(
    context: EngineContext, workspace: Workspace, text: str, folder: Path | None, root: Path | None
) -> dict[str, dict[str, Any]]:
    """Describe each component that the text names; this may be long, so it has a connection of its own."""
    found: dict[str, dict[str, Any]] = {}
    with context.db.open_reader() as db:
        for name in islice(dict.fromkeys(_list_component_names(Document(text).data)), _MOST_COMPONENTS):
            try:
                if _is_file(name):
                    found[name] = _describe_file(name, folder, root)
                else:
                    properties = lookup.read_component(context, db, workspace, name)
                    found[name] = _choose_keys(properties.get("componentSpec"))
            except SmaltError as error:
                found[name] = {"error": str(error)}
    return found


def _list_component_names(data: Any) -> Iterator[str]:
    """Yield the texts by which the steps of a pipeline, at every depth, name their components."""
    jobs = data.get("jobs") if isinstance(data, Mapping) else None
    if isinstance(data, Mapping) and isinstance(data.get("component"), str):
        yield data["component"]
    for step in jobs.values() if isinstance(jobs, Mapping) else ():
        if not isinstance(step, Mapping):
            continue
        for key in ("component", "trial"):
            named = step.get(key)
            if isinstance(named, str):
                yield named
            elif isinstance(named, Mapping):
                yield from _list_component_names(named)
        if isinstance(step.get("jobs"), Mapping):
            yield from _list_component_names({"jobs": step["jobs"]})


def _is_file(name: str) -> bool:
    return name.startswith(("file:", "./", "../", "/", "~")) or (
        not name.startswith("azureml:") and name.lower().endswith((".yml", ".yaml"))
    )


def _describe_file(name: str, folder: Path | None, root: Path | None) -> dict[str, Any]:
    path = name.removeprefix("file://") if name.startswith("file:///") else name.removeprefix("file:")
    where = os.path.normpath(os.path.join(folder or "/", os.path.expanduser(path)))
    refusal = make_path_check(root)(where)
    if refusal is not None:
        return {"error": refusal}
    try:
        if os.path.getsize(where) > _LARGEST_COMPONENT:
            return {"error": f"the file '{where}' is larger than {_LARGEST_COMPONENT} bytes"}
        with open(where, "rb") as file:
            document = Document(file.read())
    except (OSError, ValueError):
        return {"error": f"there is no file '{where}'"}
    return {
        **_choose_keys(document.data),
        "file": os.path.relpath(os.path.realpath(where), os.path.realpath(root or "/")),
    }


def _choose_keys(spec: Any) -> dict[str, Any]:
    return {key: convert_to_json(spec[key]) for key in _SHOWN if key in spec} if isinstance(spec, Mapping) else {}


def convert_to_json(value: Any) -> Any:
    """Return a value of YAML as JSON can hold it: numbers that JSON does not have become text."""
    if isinstance(value, Mapping):
        return {str(key): convert_to_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [convert_to_json(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


ROUTES = [("POST", "/documents/check", check_document)]
