"""`smalt-data-transfer SETTINGS`: copies, imports or exports data.

SETTINGS is JSON from the server (`service/engine/kinds/data_transfer.py`). Where the data is on this machine, and how a
connection is opened, comes in environment variables: no secret is in a command line.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from .copying import InputFolder, copy_inputs
from .errors import TransferError
from .staging import StagedOutput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

CONNECTION = "SMALT_DATA_TRANSFER_CONNECTION"
ORIGINS = "SMALT_DATA_TRANSFER_ORIGINS"
"""The variable with the places of the inputs, by name, as JSON: what a job reads may be a copy."""
ERROR_FILE = os.path.join("logs", "smalt_error.txt")


def main() -> None:
    settings = json.loads(sys.argv[1])
    connection = json.loads(os.environ.pop(CONNECTION, "{}"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is unfinished is removed on the way out
    try:
        if connection.get("problem"):
            raise TransferError(connection["problem"])
        _TASKS[settings["task"]](settings, connection)
    except (TransferError, OSError) as error:
        text = str(error)
        if isinstance(error, OSError) and error.strerror:
            text = ": ".join(filter(None, (error.strerror, error.filename2 or error.filename)))
        for secret in connection.get("secrets") or []:
            text = text.replace(secret, "***")
        _write_error(text)
        sys.exit(f"smalt-data-transfer: {text}")


def _write_error(sentence: str) -> None:
    """Write the sentence to where the server reads why the job failed."""
    try:
        os.makedirs(os.path.dirname(ERROR_FILE), exist_ok=True)
        with open(ERROR_FILE, "w", encoding="utf-8") as file:
            file.write(sentence)
    except OSError:  # the disk may be full: the log has the sentence
        pass


def _copy_data(settings: Mapping[str, Any], connection: Mapping[str, Any]) -> None:
    inputs = [_open_input(name) for name in settings["inputs"]]
    with StagedOutput(_get_output(settings["output"]), settings["type"] == "uri_file") as output:
        copy_inputs(inputs, output, overwrites=settings["mode"] == "merge_with_overwrite")


def _import_data(settings: Mapping[str, Any], connection: Mapping[str, Any]) -> None:
    source = settings["source"]
    with StagedOutput(_get_output("sink"), False) as output:
        if source["type"] == "database":
            from .databases import import_table

            import_table(connection, source, output)
        else:
            _copy_source(connection["path"], output)


def _copy_source(path: str, output: StagedOutput) -> None:
    """Copy a folder, a file, or the files that a pattern such as `in/*.csv` matches."""
    found = [InputFolder("source", path)]
    if any(mark in path for mark in "*?[") and not os.path.lexists(path):
        import glob

        base = os.path.dirname(path[: min(path.index(mark) for mark in "*?[" if mark in path)])
        paths = sorted(glob.glob(path, recursive=True))
        found = [InputFolder("source", one, os.path.relpath(one, base)) for one in paths if os.path.isfile(one)]
    if not found or not os.path.exists(found[0].path):
        raise TransferError(f"the source has no file or folder {path}")
    copy_inputs(found, output, overwrites=True)


def _export_data(settings: Mapping[str, Any], connection: Mapping[str, Any]) -> None:
    path = _get_input("source")
    if settings["sink"]["type"] == "database":
        from .databases import export_table

        export_table(connection, settings["sink"], os.path.realpath(path), settings["type"])
        return
    with StagedOutput(connection["path"], False) as output:
        copy_inputs([_open_input("source")], output, overwrites=True)


def _open_input(name: str) -> InputFolder:
    origins = json.loads(os.environ.get(ORIGINS) or "{}")
    return InputFolder(name, _get_input(name), origin=origins.get(name, ""))


def _get_input(name: str) -> str:
    return os.environ[f"AZURE_ML_INPUT_{name}"]


def _get_output(name: str) -> str:
    return os.environ[f"AZURE_ML_OUTPUT_{name}"]


_TASKS = {"copy_data": _copy_data, "import_data": _import_data, "export_data": _export_data}


if __name__ == "__main__":
    main()
