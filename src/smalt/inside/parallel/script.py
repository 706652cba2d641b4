"""The user's entry script, and what it may import of the service: `azureml_user.parallel_run`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import os
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ParallelError


class MiniBatchContext:
    """The second argument of a `run` that takes two."""

    def __init__(self, number: int, keys: Mapping[str, Any], retries: int, dataset: Any = None) -> None:
        self.minibatch_index = number
        """The number of the mini-batch, from 0."""
        self.partition_key_value = dict(keys)
        """The values of the partition keys."""
        self.retry_count = retries
        """The number of earlier calls of `run` for it."""
        self.dataset = dataset
        """The mini-batch itself, as SDK v1 has it: a list of paths, or a data frame."""

    def __repr__(self) -> str:
        return f"MiniBatchContext({self.minibatch_index}, partition_key_value={self.partition_key_value})"


class EntryScript:
    """The helper of entry scripts in the service; each call returns the same object."""

    _only: EntryScript | None = None

    logger: logging.Logger
    """Writes to a file of this process in `log_dir`."""
    log_dir: str
    output_dir: str
    """The folder of the output that `append_row_to` names, else of the first output."""
    working_dir: str
    agent_name: str
    """The name of this process, such as `process000`."""
    node_id: str

    def __new__(cls) -> EntryScript:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only


def provide_modules(logger: logging.Logger, **values: str) -> None:
    """Make `from azureml_user.parallel_run import EntryScript` work."""
    helper = EntryScript()
    helper.logger = logger
    for name, value in values.items():
        setattr(helper, name, value)
    package = types.ModuleType("azureml_user")
    package.__path__ = []
    module = types.ModuleType("azureml_user.parallel_run")
    module.__path__ = []
    module.EntryScript = EntryScript  # type: ignore[attr-defined]
    entry = types.ModuleType("azureml_user.parallel_run.entry_script")
    entry.EntryScript = EntryScript  # type: ignore[attr-defined]
    package.parallel_run, module.entry_script = module, entry  # type: ignore[attr-defined]
    for one in (package, module, entry):
        sys.modules[one.__name__] = one


class UserScript:
    """The functions of the entry script."""

    def __init__(self, path: str) -> None:
        module = _load_module(path)
        name = os.path.basename(path)
        run = getattr(module, "run", None)
        if not callable(run):
            raise ParallelError(f"{name} has no function run(mini_batch), which is called for each mini-batch")
        self._run: Callable[..., Any] = run
        self._takes_context = _takes_context(run)
        self.init: Callable[[], Any] | None = getattr(module, "init", None)
        self.shutdown: Callable[[], Any] | None = getattr(module, "shutdown", None)

    def run(self, mini_batch: Any, context: MiniBatchContext) -> Any:
        return self._run(mini_batch, context) if self._takes_context else self._run(mini_batch)


def check_script(path: str) -> bool:
    """Raise ParallelError for a script that cannot be compiled; return True if it defines `shutdown`."""
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec")
    except OSError as error:
        raise ParallelError(f"the entry script {path} cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise ParallelError(f"{os.path.basename(path)}{f':{line}' if line else ''}: {error}") from None
    return "shutdown" in code.co_names


def _load_module(path: str) -> Any:
    folder, file = os.path.split(path)
    if sys.path[0] != folder:
        sys.path.insert(0, folder)
    name = os.path.splitext(file)[0]
    if name in sys.modules or not name.isidentifier():
        name = f"entry_script_{abs(hash(path))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ParallelError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _takes_context(run: Callable[..., Any]) -> bool:
    """Return True if `run` takes the context of its mini-batch as a second argument."""
    try:
        parameters = list(inspect.signature(run).parameters.values())
    except (TypeError, ValueError):
        return False
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    has_rest = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    needed = [one for one in places if one.default is one.empty]
    return len(needed) >= 2 or (has_rest and len(places) < 2) or any(one.name == "mini_batch_context" for one in places)
