"""Mappings whose items are attributes too, as in `job.inputs.data`."""

from __future__ import annotations

from typing import Any

from smalt.entities.schema.paths import as_text
from smalt.entities.schema.problems import did_you_mean, join_words


class Attributes(dict[str, Any]):
    """A dict with its items as attributes. Items that are named like methods of dict are items only."""

    __slots__ = ()
    word = "key"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            hint = did_you_mean(name, self) or (
                f"; there are {join_words(self, 'and')}" if self else "; there are none"
            )
            raise AttributeError(f"there is no {self.word} '{name}'{hint}") from None

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, as_text(value))

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self.pop(name, None)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]
