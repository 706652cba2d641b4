"""Mistakes of programs in calls of SDK v1's names, as sentences where Python has a traceback."""

from __future__ import annotations

import inspect
import re
from typing import Any

from smalt.entities.schema.problems import did_you_mean
from smalt.v1 import modules

_UNEXPECTED = re.compile(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'")
_ABSENT = re.compile(r"([\w.]+)\(\) missing \d+ required (?:positional|keyword-only) arguments?: (.+)")
_PACKAGE = __package__


def explain_mistake(error: BaseException) -> str | None:
    """Return the sentence of an argument or a member that a name of SDK v1 does not have; None of another error."""
    if isinstance(error, AttributeError):
        return _explain_member(error)
    if not isinstance(error, TypeError):
        return None
    found = _UNEXPECTED.match(str(error))
    if found is not None and (callee := _find_callee(found.group(1))) is not None:
        name, function = callee
        hint = did_you_mean(found.group(2), inspect.signature(function).parameters)
        return f"{name} has no parameter '{found.group(2)}'{hint}"
    found = _ABSENT.match(str(error))
    if found is not None and (callee := _find_callee(found.group(1))) is not None:
        return f"{callee[0]} needs {found.group(2)}"
    return None


def _find_callee(text: str) -> tuple[str, Any] | None:
    """Return the name and the function of a callee as Python's messages name it; None of one that is not ours."""
    first, *rest = text.removesuffix(".__init__").removesuffix(".__new__").split(".")
    if first not in modules.HOMES:
        return None
    try:
        found = modules.find_name("azureml", first)
        for part in rest:
            found = getattr(found, part)
    except (AttributeError, ImportError):
        return None
    return ".".join((first, *rest)), found


def _explain_member(error: AttributeError) -> str | None:
    owner, wanted = getattr(error, "obj", None), getattr(error, "name", None)
    kind = owner if isinstance(owner, type) else type(owner)
    if not isinstance(wanted, str) or not str(kind.__module__).startswith(f"{_PACKAGE}."):
        return None
    from smalt.v1.mapping import find_row

    rows = (find_row(f"{one.__name__.replace('PipelineStep', 'Step')}.{wanted}") for one in kind.__mro__)
    row = next((one for one in rows if one is not None), None)
    if row is not None and row.differs:
        return f"smalt does not serve {kind.__name__}.{wanted}: {row.differs}"
    known = [name for name in dir(owner) if not name.startswith("_")]
    return f"smalt's {kind.__name__} has no '{wanted}'{did_you_mean(wanted, known)}"
