"""What annotates the parameters of a component's function: a smalt Input or Output that is a folder where unsaid."""

from __future__ import annotations

import os
from typing import Any

from smalt.entities import inputs
from smalt.inside.designer.ports import members


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
            "enum": members(enum), "optional": optional, "description": description, **kwargs,
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
