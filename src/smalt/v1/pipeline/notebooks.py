"""Names of notebook steps: they can be imported, and say what to do when they are used."""

from __future__ import annotations

from typing import Any, NoReturn

from smalt.v1.exceptions import UserErrorException


class UnservedMeta(type):
    """A metaclass of classes that only have a name, so that programs import them and `isinstance` goes on working."""

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise UserErrorException(explain_refusal(cls.__name__))

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise UserErrorException(explain_refusal(f"{cls.__name__}.{name}"))


def explain_refusal(name: str) -> str:
    """Return the sentence of the table about a name that is not served."""
    from smalt.v1.mapping import find_nearest_row

    row = find_nearest_row(name)
    return f"{name} is not served: {row.differs if row is not None else 'see docs/v1.md'}"


class NotebookRunConfig(metaclass=UnservedMeta):
    """A notebook as the script of a step."""


class AzureMLNotebookHandler(metaclass=UnservedMeta):
    """The runner of a notebook in a step."""
