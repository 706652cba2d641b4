"""The end of a step's interpreter, which leaves alone what the parent imported.

Python ends by clearing the modules that are still there. For those of the parent that would be nothing but work: to
give up what is in them, it writes to every page that the process shares with the parent (0.1 s with MLflow).
Objects of the program that only such a module still holds are finalized as they would be otherwise.
"""

from __future__ import annotations

import _weakref
import ctypes
import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAME = "_smalt_end"

_hold = ctypes.pythonapi["Py_IncRef"]
_hold.argtypes, _hold.restype = [ctypes.py_object], None
_finalize = ctypes.pythonapi["PyObject_CallFinalizer"]
_finalize.argtypes, _finalize.restype = [ctypes.py_object], None

_get_bases = type.__dict__["__mro__"].__get__
_get_attributes = type.__dict__["__dict__"].__get__


class _Boundary:
    """Between the modules of the parent and later ones: Python clears the latest first."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.gone = _weakref.ref(_Gone())

    def __del__(self) -> None:
        ref, gone = _weakref.ref, self.gone
        for one in gc.get_objects():  # those of the parent are frozen, and not among them
            # What Python goes through: (name, weak reference) of each module that is left.
            if type(one) is list and one and type(one[0]) is tuple and len(one[0]) == 2 and type(one[0][1]) is ref:
                for place, entry in enumerate(one):
                    if entry[0] in self.names:
                        one[place] = (entry[0], gone)
            elif "sqlite3.Connection" in map(_get_place, _get_bases(type(one))):
                _close_database(one)
            elif _has_finalizer(type(one)) and one is not self and not _is_running(one) and not _waits(one):
                _finalize(one)


def _close_database(connection: Any) -> None:
    """Take back what was not committed, and remove its log, as its deallocator in C does, which has no `__del__`."""
    try:
        connection.close()
    except Exception:  # it belongs to a thread of its own
        pass


def _has_finalizer(kind: type) -> bool:
    """Return True for a class with `__del__`; asks no metaclass, as what one needs may be gone by now."""
    return any("__del__" in _get_attributes(base) for base in _get_bases(kind))


def _is_running(one: Any) -> bool:
    """Return True for what a thread of the program is still in the middle of."""
    prefix = {"generator": "gi", "coroutine": "cr", "async_generator": "ag"}.get(type(one).__name__)
    return prefix is not None and bool(getattr(one, f"{prefix}_running", False))


def _waits(one: Any) -> bool:
    """Return True for a task that never ended, and its coroutine: the loop that Python keeps for it is not cleared."""
    if _get_place(type(one)) == "builtins.coroutine":
        return one.cr_await is not None  # else it never began, of which Python warns
    return _get_place(type(one)) in ("_asyncio.Task", "asyncio.tasks.Task")


def _get_place(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


class _Gone:
    pass


def keep_modules() -> None:
    """Have the modules that are there now, in the parent, kept until the process of each child is gone."""
    names = {name for name in sys.modules if name != "__main__"}
    boundary: Any = type(sys)(_NAME)
    boundary._boundary = _Boundary(names)
    _hold(boundary)
    _hold([sys.modules[name] for name in names if name.partition(".")[0] != "_smalt_warm"])
    sys.modules[_NAME] = boundary
