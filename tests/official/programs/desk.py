"""What the programs share: the client as users make it, a folder for files, and a report of their functions."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from unittest import mock

from azure.ai.ml import MLClient
from azure.ai.ml.entities import Job
from azure.core.polling import LROPoller
from azure.identity import DefaultAzureCredential

T = TypeVar("T")
_sleep = time.sleep
HOST = "azureml:host@latest"
ml = MLClient(DefaultAzureCredential(), "my-subscription", "my-group", os.environ["SMALT_TEST_WORKSPACE"])
folder = Path(tempfile.mkdtemp(prefix="official-"))


def write(name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def streamed(name: str) -> str:
    """What `jobs.stream` prints, to its end."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        ml.jobs.stream(name)
    return out.getvalue()


def done(job: Job) -> Job:
    """The job as it is once it has completed."""
    text = streamed(job.name)
    over = ml.jobs.get(job.name)
    assert over.status == "Completed", (over.status, text)
    return over


def refused(call: Callable[[], object]) -> str:
    """The message of the error that the call must end with."""
    try:
        call()
    except Exception as error:  # the client has a hundred kinds
        return str(error)
    raise AssertionError("nothing was refused")


def waited(poller: LROPoller[T]) -> T:
    """The result of a long operation: at once, where a client that is told nothing waits 30 s until it asks again."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        _sleep(seconds)

    with mock.patch("time.sleep", sleep):
        result = poller.result()
    assert max(pauses, default=0.0) < 20
    return result


def report() -> None:
    """Run the functions of the program that begin with `it_`, in order; one JSON line each to the file named first."""
    functions = [thing for name, thing in vars(sys.modules["__main__"]).items() if name.startswith("it_")]
    with open(sys.argv[1], "w") as file:
        for function in functions:
            try:
                function()
                outcome = None
            except BaseException:
                outcome = traceback.format_exc()
            file.write(json.dumps({"name": function.__name__, "failure": outcome}) + "\n")
            file.flush()
