"""v1's names that a job cannot have: they can be imported, and say what to do instead when they are used."""

from __future__ import annotations

from .errors import make_user_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_WHY = "{} does not work inside a smalt job; {}"


class _UnsupportedMeta(type):
    """A metaclass of classes that only have a name, so that `isinstance` and annotations go on working."""

    instead = ""

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise make_user_error(_WHY.format(cls.__name__, cls.instead))

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise make_user_error(_WHY.format(cls.__name__ + "." + name, cls.instead))


def make_unsupported_class(name: str, instead: str) -> type:
    made: type = _UnsupportedMeta(name, (), {"instead": instead, "__module__": "azureml.core"})
    return made


def add_unsupported_members(owner: type, methods: dict[str, str], attributes: dict[str, str] | None = None) -> None:
    """Give a class methods, and attributes, that only say what to do instead."""
    for name, instead in methods.items():
        setattr(owner, name, _make_unsupported_method(owner.__name__ + "." + name, instead))
    for name, instead in (attributes or {}).items():
        setattr(owner, name, property(_make_unsupported_method(owner.__name__ + "." + name, instead)))


def _make_unsupported_method(name: str, instead: str) -> Any:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise make_user_error(_WHY.format(name, instead))

    return refuse
