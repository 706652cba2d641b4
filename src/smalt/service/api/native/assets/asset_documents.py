"""Versions as the YAML that people write, and what an MLflow model says of itself.

GET /smalt/v1{WS}/{kind}/{name}/versions/{version}/yaml: the version as a YAML file has it, as text; `kind` is data,
    models, components or environments.
GET /smalt/v1{WS}/models/{name}/versions/{version}/mlmodel: {"flavors": {name: {…}}, "signature": {"inputs", "outputs",
    "params": lists of MLflow's own, or null}, "example": the path of its input example or null, "run",
    "mlflow_version"} of its file MLmodel; 404 for a model without one.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from starlette.responses import Response

from smalt import wire
from smalt.exceptions import NotFound, RefusedError
from smalt.service.api.arm.asset_collection import AssetCollection
from smalt.service.api.arm.components import COMPONENTS
from smalt.service.api.arm.data import DATA
from smalt.service.api.arm.environments import ENVIRONMENTS
from smalt.service.api.arm.models import MODELS
from smalt.service.api.drafts.document_checks import convert_to_json
from smalt.service.api.native.assets.asset_files import locate_version
from smalt.service.api.request import ApiRequest
from smalt.service.api.router import Handler
from smalt.yaml.document import Document

_FILE = "MLmodel"
_LARGEST = 1 << 20
_ADDED = ("id", "creation_context")
"""Keys of an answer that a file does not have."""


def _make_route(collection: AssetCollection) -> tuple[str, str, Handler]:
    async def get_yaml(request: ApiRequest) -> Response:
        from smalt.yaml.dumping import dump_plain

        version = collection.find_version(request, request.get_name("version"), None)
        body = collection.render_version(request, version)
        written = wire.from_rest(body, collection.kind, is_answer=True).to_dict()
        kept = {key: value for key, value in written.items() if key not in _ADDED}
        return Response(dump_plain(kept), media_type="text/yaml")

    return "GET", f"/{collection.segment}/{{name}}/versions/{{version}}/yaml", get_yaml


async def get_mlmodel(request: ApiRequest) -> dict[str, Any]:
    location = locate_version(request, MODELS)
    store = location.store
    if store is not None:
        place = "/".join(filter(None, ((location.relative or "").strip("/"), _FILE)))
        path = await asyncio.to_thread(request.server.data.remote.fetch_tree, store, place)
    else:
        path = await request.server.data.fetch(location) / _FILE
    return await asyncio.to_thread(_read_mlmodel, path)


def _read_mlmodel(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NotFound("this model has no file MLmodel, so it does not say what it takes and gives")
    if path.stat().st_size > _LARGEST:
        raise RefusedError(f"the model's file MLmodel is larger than {_LARGEST} bytes")
    document = Document(path.read_bytes())
    if document.faults:
        line, column, message = document.faults[0]
        raise RefusedError(f"the model's file MLmodel cannot be read: {line}:{column}: {message}")
    found = convert_to_json(document.data)
    if not isinstance(found, dict):
        raise RefusedError("the model's file MLmodel holds no mapping")
    signature, example, flavors = found.get("signature"), found.get("saved_input_example_info"), found.get("flavors")
    version, run = found.get("mlflow_version"), found.get("run_id")
    return {
        "flavors": flavors if isinstance(flavors, dict) else {},
        "signature": {key: _parse_schema(signature.get(key)) for key in ("inputs", "outputs", "params")}
        if isinstance(signature, dict)
        else None,
        "example": str(example["artifact_path"]) if isinstance(example, dict) and "artifact_path" in example else None,
        "run": str(run) if run else None,
        "mlflow_version": str(version) if version else None,
    }


def _parse_schema(text: Any) -> Any:
    """Return one of MLflow's schemas, which are JSON in a text."""
    try:
        return convert_to_json(json.loads(text)) if isinstance(text, str) else None
    except ValueError:
        return None


ROUTES = [
    *(_make_route(collection) for collection in (DATA, MODELS, COMPONENTS, ENVIRONMENTS)),
    ("GET", "/models/{name}/versions/{version}/mlmodel", get_mlmodel),
]
