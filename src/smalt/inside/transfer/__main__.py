"""`smalt-data-transfer SETTINGS`: copies, imports or exports data.

SETTINGS is JSON from the server (`service/engine/kinds/data_transfer.py`). Where the data is on this machine, and how a
connection is opened, comes in environment variables: no secret is in a command line.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from .copying import InputFolder, TransferError, copy_inputs
from .staging import StagedOutput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def main() -> None:
    settings = json.loads(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is unfinished is removed on the way out
    try:
        _TASKS[settings["task"]](settings)
    except TransferError as error:
        sys.exit(f"smalt-data-transfer: {error}")


def _copy_data(settings: Mapping[str, Any]) -> None:
    inputs = [InputFolder(name, os.environ[f"AZURE_ML_INPUT_{name}"]) for name in settings["inputs"]]
    name = settings["output"]
    with StagedOutput(os.environ[f"AZURE_ML_OUTPUT_{name}"], settings["type"] == "uri_file") as output:
        copy_inputs(inputs, output, overwrites=settings["mode"] == "merge_with_overwrite")


_TASKS = {"copy_data": _copy_data}


if __name__ == "__main__":
    main()
