"""Annotations of a component function's parameters: a smalt Input or Output, by default a folder."""

from __future__ import annotations

import inspect
import os
from typing import Any, NoReturn

from smalt.entities.jobs import inputs
from smalt.exceptions import UserErrorException
from smalt.inside.designer.ports import list_values
from smalt.machine.source_lines import find_caller


class Input(inputs.Input):
    def __init__(
        self,
        *,
        type: str = "uri_folder",
        path: str | os.PathLike[str] | None = None,
        mode: str | None = None,
        min: float | None = None,
        max: float | None = None,
        enum: Any = None,
        optional: bool | None = None,
        description: str | None = None,
        **kwargs: Any,
    ) -> None:
        said = {
            "type": type, "path": None if path is None else os.fspath(path), "mode": mode, "min": min, "max": max,
            "enum": list_values(enum), "optional": optional, "description": description, **kwargs,
        }  # fmt: skip
        super().__init__(**{key: value for key, value in said.items() if value is not None})


class Output(inputs.Output):
    def __init__(
        self,
        *,
        type: str = "uri_folder",
        path: str | os.PathLike[str] | None = None,
        mode: str | None = None,
        description: str | None = None,
        early_available: bool | None = None,
        **kwargs: Any,
    ) -> None:
        said = {
            "type": type, "path": None if path is None else os.fspath(path), "mode": mode,
            "description": description, "early_available": early_available, **kwargs,
        }  # fmt: skip
        super().__init__(**{key: value for key, value in said.items() if value is not None})

    def ready(self) -> NoReturn:
        """Return the output that get_io_context() gives while the function runs."""
        raise UserErrorException(
            "an output is ready while its function runs: get_io_context().outputs.NAME", find_caller()
        )


def _set_signature(noun: Any) -> None:
    """Give the class the signature of its own `__init__` in place of smalt's."""
    noun.__signature__ = inspect.Signature(list(inspect.signature(noun.__init__).parameters.values())[1:])


_set_signature(Input)
_set_signature(Output)
