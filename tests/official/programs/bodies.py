"""Writes the body of each entity that the builders in a folder make; run with the official client, and with smalt.

The builders are those of `tests/smoke_serialization` in the official client's own source distribution.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import azure.ai.ml  # type: ignore[import-not-found]

IS_SMALT = "smalt" in azure.ai.ml.__version__


def written(built: Any) -> Any:
    if not IS_SMALT:
        from _wire import serialize_wire  # type: ignore[import-not-found]

        return serialize_wire(built._to_rest_object())
    from smalt.wire import to_rest

    entity = getattr(built, "_entity", built)  # an endpoint and where it is to be
    body = to_rest(entity)
    return body if entity is built else {**body, "location": built._location}


def main(folder: Path, answer: Path) -> None:
    os.environ["AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED"] = "true"  # as their own tests set it
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("_builders*.py")):
        module = vars(importlib.import_module(file.stem))
        builders = [value for name, value in module.items() if name.endswith("_BUILDERS")]
        for name, build in (each for one in builders for each in one.items()):
            try:
                found[name] = {"body": written(build())}
            except Exception:
                found[name] = {"failure": traceback.format_exc()}
    answer.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
