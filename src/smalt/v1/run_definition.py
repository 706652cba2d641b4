"""The definition of a run, `run.get_details()["runDefinition"]`, from its job."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

_FILLED = re.compile(r"\$\{\{\s*(?:inputs|search_space)\.(\w+)\s*\}\}|\$AZUREML_PARAMETER_(\w+)")


def build_run_definition(job: Any) -> dict[str, Any]:
    """Return v1's definition; the arguments are those of the command line, with parameters filled in."""
    words = _split_words(str(getattr(job, "command", None) or ""))
    is_script = len(words) > 1 and words[0].rpartition("/")[2].startswith("python") and words[1].endswith(".py")
    values = _list_literals(getattr(job, "inputs", None) or {})
    limits, resources = getattr(job, "limits", None), getattr(job, "resources", None)
    return {
        "script": words[1] if is_script else None,
        "command": "" if is_script else " ".join(words),
        "arguments": [fill_parameters(word, values) for word in words[2:]] if is_script else [],
        "framework": "Python",
        "communicator": "None",
        "target": str(getattr(job, "compute", None) or "local").removeprefix("azureml:"),
        "nodeCount": getattr(resources, "instance_count", None) or 1,
        "maxRunDurationSeconds": getattr(limits, "timeout", None),
        "environment": {"name": str(getattr(job, "environment", None) or "")},
        "environmentVariables": dict(getattr(job, "environment_variables", None) or {}),
        "data": {},
        "dataReferences": {},
        "outputData": {},
    }


def fill_parameters(word: str, values: Mapping[str, str]) -> str:
    """Return a word of a command with the parameters that have a value filled in."""
    return _FILLED.sub(lambda found: values.get(found.group(1) or found.group(2), found.group(0)), word)


def _split_words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _list_literals(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of inputs that are no data."""
    found = {}
    for name, value in inputs.items():
        literal = value if isinstance(value, (str, int, float)) else getattr(value, "default", None)
        if literal is not None:
            found[name] = str(literal)
    return found
