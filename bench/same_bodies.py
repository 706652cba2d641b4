"""Whether a program makes the same job with smalt as with the official SDK, by what each would send.

    python bench/same_bodies.py /path/to/azureml-examples --python /path/to/python/with/azure-ai-ml [PATTERN]

Runs the cells of the job notebooks (and a `*.py` given as PATTERN) twice, without a server: calls of an MLClient answer
with what they are given. What reaches `jobs.create_or_update` is compared as JSON. A component stands for its id.
Differences that mean nothing are taken away, and named in `_SILENT`.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDERS = tuple(f"sdk/python/jobs/{name}" for name in ("pipelines", "single-step", "spark", "parallel"))
_SILENT = {
    "_source": "telemetry",
    "is_deterministic": "true where it is not said",
    "isAnonymous": "of the registration",
    "client_component_hash": "of the registration",
    "$schema": "said by the file",
    "version": "of an anonymous component",
}
_DEFAULTS = {
    "max_concurrent_trials": 1,
    "max_trials": 1,
    "max_nodes": 1,
    "log_verbosity": "info",
    "mini_batch_size": "0",
}
"""What the official SDK sends also where it is not said."""

_EXPLAINED = {
    r"\.identity: smalt null": "the identity that the official SDK writes where a Spark job says none",
    r"\.outputs\.\w+\.mode: smalt \"": "the official SDK drops the mode that command() gave an output of the pipeline",
    r"\.componentId\.resources\.": "the official SDK writes what is set on a step into its component as well",
}
"""Patterns of differences that are meant."""

_RENAMED = {"component": "componentId", "environment": "environmentId"}
"""What smalt has in place stands under the key of the id there."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--python", required=True, help="a Python that has azure-ai-ml")
    parser.add_argument("--side", choices=("smalt", "official"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(run(options.checkout, options.side), default=repr))
        return 0
    counts: dict[str, int] = {}
    for program in programs(options.checkout, options.pattern):
        ours = ask(sys.executable, program, options.python, "smalt")
        theirs = ask(options.python, program, options.python, "official")
        word, lines = verdict(ours, theirs)
        counts[word] = counts.get(word, 0) + 1
        name = program.relative_to(options.checkout) if program.is_relative_to(options.checkout) else program
        print(f"{word:34} {name}")
        for line in lines:
            print(f"    {line}")
    print(json.dumps(counts))
    return 1 if counts.get("different") else 0


def programs(checkout: Path, pattern: str) -> list[Path]:
    if pattern and Path(pattern).is_file():
        return [Path(pattern)]
    found = [path for folder in FOLDERS for path in sorted((checkout / folder).rglob("*.ipynb"))]
    return [path for path in found if pattern in str(path) and ".ipynb_checkpoints" not in str(path)]


def ask(python: str, program: Path, official: str, side: str) -> dict[str, Any]:
    """In a copy of the program's folder, at the same path for both."""
    with tempfile.TemporaryDirectory(prefix="same") as top:
        folder = Path(top).parent / "same_bodies" / program.parent.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(program.parent, folder, symlinks=True)
        return _ask(python, folder / program.name, official, side)


def _ask(python: str, program: Path, official: str, side: str) -> dict[str, Any]:
    command = [python, str(Path(__file__).resolve()), str(program), "--python", official, "--side", side]
    try:
        environment = {**os.environ, "PYTHONPATH": ""}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    except subprocess.TimeoutExpired:
        return {"jobs": [], "error": "it did not end in a minute"}
    last = done.stdout.splitlines()[-1:] or [""]
    try:
        return dict(json.loads(last[0]))
    except ValueError:
        return {"jobs": [], "error": (done.stderr.splitlines() or ["no answer"])[-1]}


def verdict(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[str, list[str]]:
    lines = [f"smalt: {ours['error']}"] if ours.get("error") else []
    lines += [f"official: {theirs['error']}"] if theirs.get("error") else []
    mine, its = ours.get("jobs", []), theirs.get("jobs", [])
    if not mine and not its:
        return "builds no job with either", lines
    told = []
    for number, (left, right) in enumerate(zip(mine, its, strict=False)):
        told += [f"job {number}: {line}" for line in differences(tidy(left), tidy(right))]
    if len(mine) != len(its):
        told.append(f"smalt makes {len(mine)} jobs, the official SDK {len(its)}")
        if len(mine) > len(its) and theirs.get("error") and len(told) == 1:
            return "same, and smalt goes further", lines + told
    told, known = [line for line in told if not _why(line)], [line for line in told if _why(line)]
    lines += [f"explained: {line} ({_why(line)})" for line in known]
    return ("different" if told else f"same ({len(mine)} jobs)"), lines + told


def _why(line: str) -> str | None:
    return next((why for words, why in _EXPLAINED.items() if re.search(words, line)), None)


def tidy(value: Any) -> Any:
    """Without what means nothing."""
    if isinstance(value, dict):
        kept = {_RENAMED.get(key, key): tidy(item) for key, item in value.items() if key not in _SILENT}
        spec = (kept.get("properties") or {}).get("componentSpec")
        if spec is not None:  # a trial, as the official SDK has it before its component has an id
            return {"componentId": spec}
        if "condaFile" in (kept.get("properties") or {}) or "image" in (kept.get("properties") or {}):
            return kept["properties"]  # an environment in place
        if kept.get("name") in ("CliV2AnonymousEnvironment", "azureml_anonymous"):
            kept.pop("name")
        return {key: item for key, item in kept.items() if item not in (None, {}, [], 0)}
    if isinstance(value, str):
        text = value.removeprefix("azureml:").replace(":None", "@latest")
        return re.sub(r"^(/tmp/same_bodies/[^/]*/|\./)(?=.)", "", text).rstrip("/")
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return value


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = []
        for key in dict.fromkeys((*ours, *theirs)):
            found += differences(ours.get(key), theirs.get(key), f"{path}.{key}")
        return found
    if ours == theirs or str(ours).lower() == str(theirs).lower():
        return []
    if ours is None and _DEFAULTS.get(path.rpartition(".")[2]) == theirs:
        return []
    return [f"{path}: smalt {json.dumps(ours)[:160]}, official {json.dumps(theirs)[:160]}"]


# What follows runs on both sides.


def run(program: Path, side: str) -> dict[str, Any]:
    """The bodies of the jobs that the program submits."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    os.chdir(program.parent)
    sys.path.insert(0, str(program.parent))
    if side == "smalt":
        serve_smalt()
    else:
        import azure.ai.ml  # type: ignore[import-not-found]  # noqa: F401
    jobs: list[Any] = []
    client = Client(jobs, side)
    sys.modules["azure.ai.ml"].MLClient = client  # type: ignore[attr-defined]
    error = None
    scope: dict[str, Any] = {"__name__": "__main__", "__file__": str(program)}
    for cell in cells(program):
        try:
            exec(compile(cell, str(program), "exec", dont_inherit=True), scope)
        except BaseException as failure:
            error = error or f"{type(failure).__name__}: {str(failure)[:300]}"
    sys.stdout.flush()
    return {"jobs": jobs, "error": error}


def cells(program: Path) -> list[str]:
    if program.suffix != ".ipynb":
        return [program.read_text()]
    found = []
    for cell in json.loads(program.read_text())["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        if text.lstrip().startswith("%%writefile"):
            first, _, rest = text.lstrip().partition("\n")
            name = f"{first.split()[-1]!r}.format(**globals())"
            found.append(f"import os; os.makedirs(os.path.dirname({name}) or '.', exist_ok=True)")
            found.append(f"open({name}, 'w').write({rest!r})")
        if text.lstrip().startswith("%%"):
            continue
        text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(("%", "!")))
        try:
            ast.parse(text)
        except SyntaxError:
            continue
        found.append(text)
    return found


def serve_smalt() -> None:
    """`azure.ai.ml` is smalt, as under `smalt python`."""
    import importlib

    from smalt.python import finder

    finder.install_finder()
    importlib.import_module("azure.ai.ml")


class Client:
    """An MLClient that answers with what it is given, and keeps the jobs' bodies."""

    def __init__(self, jobs: list[Any], side: str) -> None:
        self._jobs, self._side = jobs, side
        self._known: dict[tuple[str, str], Any] = {}

    def __call__(self, *_: Any, **__: Any) -> Client:
        return self

    def from_config(self, *_: Any, **__: Any) -> Client:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "begin_create_or_update":
            return lambda *args, **given: Done(self._create(*args, **given))
        if name == "create_or_update":
            return self._create
        return Group(self, name)

    def _create(self, entity: Any, *_: Any, **__: Any) -> Any:
        kind = type(entity).__name__
        if any(word in kind for word in ("Job", "Command", "Node", "Spark", "Sweep", "Pipeline")) and (
            "Component" not in kind and "Deployment" not in kind and "Schedule" not in kind
        ):
            self._jobs.append(body(entity, self._side))
        else:
            self._known[kind, str(getattr(entity, "name", ""))] = entity
        return entity


class Group:
    """One of the client's collections."""

    def __init__(self, client: Client, name: str) -> None:
        self._client, self._name = client, name

    def __getattr__(self, verb: str) -> Any:
        return lambda *args, **given: self._do(verb, *args, **given)

    def _do(self, verb: str, *args: Any, **given: Any) -> Any:
        if "create" in verb and (args or given):
            made = self._client._create(args[0] if args else next(iter(given.values())))
            return Done(made) if verb.startswith("begin_") else made
        if verb == "get":
            wanted = str(args[0] if args else given.get("name"))
            for (_, name), entity in self._client._known.items():
                if name == wanted:
                    return entity
        return Anything(str(args[0]) if args else self._name)


class Done:
    """The poller of what is over."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def result(self) -> Any:
        return self.value

    def wait(self) -> None:
        pass


class Anything:
    """Whatever a program asks of the answer of a server."""

    def __init__(self, name: str) -> None:
        self.name, self.version, self.type = name, "1", None
        self.id = self.path = f"azureml:{name}:1"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(name)

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self

    def __iter__(self) -> Any:
        return iter(())

    def __getitem__(self, key: Any) -> Any:
        return Anything(str(key))


def body(entity: Any, side: str) -> Any:
    if side == "smalt":
        from smalt import wire

        made = wire.to_rest(entity, Unsent())
        return json.loads(json.dumps(made["properties"], default=str))
    job = entity._to_job() if hasattr(entity, "_to_job") else entity
    return json.loads(json.dumps(job._to_rest_object().as_dict(), default=_official))["properties"]


def _official(value: Any) -> Any:
    if hasattr(value, "_to_rest_object"):
        made = value._to_rest_object()
        made = made.as_dict() if hasattr(made, "as_dict") else made
        return made.get("properties", made).get("componentSpec", made) if isinstance(made, dict) else made
    return str(value)


class Unsent:
    """References that stay as they are written; components in place, as the official SDK's objects have them."""

    keeps_inline = False

    def __getattr__(self, name: str) -> Any:
        return lambda value, *_: value

    def environment(self, environment: Any) -> Any:
        path = getattr(environment, "conda_file", None)
        if not isinstance(path, (str, os.PathLike)):
            return environment
        import copy

        import yaml

        found = copy.copy(environment)
        found.__dict__["conda_file"] = yaml.safe_load(Path(path).read_text())
        return found


if __name__ == "__main__":
    sys.exit(main())
