"""POST /smalt/v1{WS}/documents/submit {"act", "text", "folder", "file", "name"}: does with the text what the command
line does with a file, by a program of its own.

`act` is one of
    check: `smalt job validate`; the answer is {"problems", "warnings"}.
    job: `smalt job create` under the `name`; {"name"}.
    component: the pipeline as a component `name`, of the next version unless `version` says another; {"name",
        "version"}. Literal inputs of a job become defaults; settings of a job are no part of a component.
    schedule: `smalt schedule create` of `name` with the job and this `trigger`, as YAML has it; {"name"}.
    endpoint: the component `component_name` as the default deployment `deployment` of the batch endpoint `endpoint`,
        which is made where it is not there; {"name", "deployment", "component"}.
Problems other than those of a check are an error with all of them. A few programs run at once; further requests wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from smalt.exceptions import (
    Conflict,
    LocatedProblem,
    NotFound,
    RefusedError,
    SmaltError,
    Unavailable,
    ValidationException,
)
from smalt.service.api.drafts.document_checks import find_problems, read_document
from smalt.service.api.drafts.document_folder import get_root
from smalt.service.api.request import ApiRequest

ACTS = ("check", "job", "component", "schedule", "endpoint")
_PATIENCE = 600.0
_TURN = 60.0
"""Seconds that a request waits for its turn."""
_PROGRAM = "smalt.client.jobs.document_submission"
_ERRORS: dict[str, type[SmaltError]] = {each.code: each for each in (NotFound, Conflict, RefusedError, Unavailable)}


async def submit_document(request: ApiRequest) -> dict[str, Any]:
    text, folder = await read_document(request)
    body = request.scope["smalt.body"]
    act = body.get("act")
    if act not in ACTS:
        raise ValidationException(f'"act" must be one of {", ".join(ACTS)}')
    root = get_root(request) if folder is not None else None
    file = str(body.get("file") or "")
    found = await asyncio.to_thread(find_problems, text, folder, root, file)
    if found["problems"]:
        return _answer_problems(act, found["problems"])
    workspace = request.workspace
    names = [workspace.subscription, workspace.resource_group, workspace.name]
    given = {**body, "kind": found["kind"], "workspace": names}
    with contextlib.ExitStack() as stack:
        place = str(folder) if folder is not None else stack.enter_context(tempfile.TemporaryDirectory())
        server = request.server
        home, limit = str(server.home.root), server.document_checks if act == "check" else server.document_programs
        given |= {"folder": place, "has_folder": folder is not None}
        answer = await run_program(given, Path(place), home, limit)
    if "result" in answer:
        result: dict[str, Any] = answer["result"]
        return {"problems": [], **result} if act == "check" else result
    if "problems" in answer:
        return _answer_problems(act, answer["problems"])
    if act == "check":
        return {"problems": [{"file": file, "line": 0, "column": 0, "message": answer["error"]}], "warnings": []}
    raise _ERRORS.get(answer["code"], ValidationException)(answer["error"])


def _answer_problems(act: str, problems: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the problems as the answer of a check; for other acts raise ValidationException with them."""
    if act == "check":
        return {"problems": problems, "warnings": []}
    raise ValidationException(
        [LocatedProblem(one["file"], one["line"], one["column"], one["message"]) for one in problems]
    )


async def run_program(given: dict[str, Any], folder: Path, home: str, limit: asyncio.Semaphore) -> dict[str, Any]:
    """Run the program that submits a document, once fewer than so many run, and return its answer."""
    try:
        await asyncio.wait_for(limit.acquire(), _TURN)
    except asyncio.TimeoutError:
        raise Unavailable("the server is busy with other documents; try again in a minute") from None
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", _PROGRAM, cwd=folder, env={**os.environ, "SMALT_HOME": home},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            said, failed = await asyncio.wait_for(process.communicate(json.dumps(given).encode()), _PATIENCE)
        except asyncio.TimeoutError:
            raise Unavailable(
                f"the document was not sent within {_PATIENCE:g} s; submit its file by the command line"
            ) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
    finally:
        limit.release()
    if process.returncode:
        raise RuntimeError(f"the program that submits a document failed: {failed.decode(errors='replace')[-2000:]}")
    answer: dict[str, Any] = json.loads(said)
    return answer


ROUTES = [("POST", "/documents/submit", submit_document)]
