"""The shape of a compute's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Text

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class ComputeName(Text):
    """The name of a compute, or a reference to one."""

    def read_value(self, value: Any, path: Path, reader: Reader) -> str | None:
        text = super().read_value(value, path, reader)
        if text == "" and not reader.is_answer:
            reader.add_problem(path, "it is empty; name a compute, or remove the key")
        return text
