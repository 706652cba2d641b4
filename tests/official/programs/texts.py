"""What the official reader makes of plain texts in files, as JSON: `python texts.py FILE`, for each case a value."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

TEXTS = [
    *("0012", "1.10", "10:30", "1_000", "0x10", "0b11", "on", "yes", "no", "true", "12", "1.0", ".5", "1e3"),
    *("1.5e5", "0o14", "190:20:30.15", "'0012'", "'on'", "'1.10'", "v1", "10.2.3"),
]
JOB = "command: echo\nenvironment: azureml:e@latest\ncompute: c\n"
COMPONENT = "name: c\nversion: '1'\ntype: command\nenvironment: azureml:e:1\ncommand: echo\n"
ASSET = "name: d\npath: https://a.example/b\nversion: '1'\n"
CASES = {
    "display_name": ("job", JOB + "display_name: %s\n"),
    "description": ("job", JOB + "description: %s\n"),
    "experiment_name": ("job", JOB + "experiment_name: %s\n"),
    "name": ("job", JOB + "name: %s\n"),
    "command": ("job", JOB.replace("echo", "%s")),
    "tags.k": ("job", JOB + "tags: {k: %s}\n"),
    "properties.k": ("job", JOB + "properties: {k: %s}\n"),
    "environment_variables.k": ("job", JOB + "environment_variables: {k: %s}\n"),
    "outputs.k.version": ("job", JOB + "outputs: {k: {type: uri_folder, name: q, version: %s}}\n"),
    "resources.instance_type": ("job", JOB + "resources: {instance_type: %s}\n"),
    "component version": ("component", COMPONENT.replace("'1'", "%s")),
    "component tags.k": ("component", COMPONENT + "tags: {k: %s}\n"),
    "component display_name": ("component", COMPONENT + "display_name: %s\n"),
    "data version": ("data", ASSET.replace("'1'", "%s")),
    "data name": ("data", ASSET.replace("name: d", "name: %s")),
    "data tags.k": ("data", ASSET + "tags: {k: %s}\n"),
    "model version": ("model", ASSET.replace("'1'", "%s")),
    "environment version": ("environment", "name: e\nimage: i\nversion: %s\n"),
}
REFUSED = "refused"


def value(load: Any, text: str, key: str) -> Any:
    """The value of a key in a file of this text, or REFUSED."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "file.yml")
        file.write_text(text)
        try:
            found = load(str(file))
        except Exception:
            return REFUSED
    for part in key.split(" ")[-1].split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    return found


def table(module: Any) -> dict[str, Any]:
    """By case and text, what a package reads."""
    return {
        f"{key}: {text}": value(getattr(module, f"load_{kind}"), pattern % text, key)
        for key, (kind, pattern) in CASES.items()
        for text in TEXTS
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    import azure.ai.ml

    Path(sys.argv[1]).write_text(json.dumps(table(azure.ai.ml)))
