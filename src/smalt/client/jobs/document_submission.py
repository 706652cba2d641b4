"""`python -m smalt.client.jobs.document_submission`: does with a YAML text what the command line does with a file.

The server runs it for a document of the studio. It reads {"act", "text", "kind", "folder", "file", "workspace":
[subscription, group, name], "name"} from its standard input, in the document's folder, and prints {"result"},
{"problems": [{"file", "line", "column", "message"}], "code"}, or {"error", "code"}.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from smalt.client.client import MLClient
from smalt.client.jobs.validation import locate_in_document
from smalt.exceptions import SmaltError, ValidationException
from smalt.yaml import load_text
from smalt.yaml.document import Document

_UNSAVED = ".unsaved-document.yml"
"""A file that is not there: paths begin in its folder, and problems are placed in the text instead."""


def main() -> None:
    given = json.load(sys.stdin)
    kept, sys.stdout = sys.stdout, sys.stderr  # notices of the client are for people
    try:
        answer: dict[str, Any] = {"result": run_act(given)}
    except ValidationException as error:
        answer = {"problems": _locate_problems(given, error), "code": error.code, "error": str(error)}
    except SmaltError as error:
        answer = {"error": str(error), "code": error.code}
    json.dump(answer, kept)


def run_act(given: Mapping[str, Any]) -> dict[str, Any]:
    subscription, group, workspace = given["workspace"]
    client = MLClient(None, subscription, group, workspace, show_progress=False)
    entity = load_text(
        given["text"], given["kind"], folder=given["folder"], name=given.get("file") or "", data_must_exist=True
    )
    entity.source_path = os.path.join(given["folder"], _UNSAVED)
    return _ACTS[given["act"]](client, entity, given)


def _check(client: MLClient, entity: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    found = client.jobs.validate(entity, raise_on_failure=True) if given["kind"] == "job" else None
    return {"warnings": list(found.warnings) if found is not None else []}


def _submit(client: MLClient, entity: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    entity.name = given.get("name") or entity.name
    return {"name": client.jobs.create_or_update(entity).name}


_ACTS: dict[str, Callable[[MLClient, Any, Mapping[str, Any]], dict[str, Any]]] = {"check": _check, "job": _submit}


def _locate_problems(given: Mapping[str, Any], error: ValidationException) -> list[dict[str, Any]]:
    document, file = Document(given["text"]), given.get("file") or ""
    found = [one if one.file or one.line else locate_in_document(document, file, one) for one in error.problems]
    return [{"file": one.file, "line": one.line, "column": one.column, "message": one.message} for one in found]


if __name__ == "__main__":
    main()
