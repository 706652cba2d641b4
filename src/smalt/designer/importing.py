"""The finder for `import mldesigner` in a program of smalt's where mldesigner is not installed."""

from __future__ import annotations

from importlib.machinery import ModuleSpec

from smalt.python.private_modules import PUBLIC, is_private, make_forwarding_spec

_MODULES = {"mldesigner": "smalt.designer", "mldesigner.dsl": "smalt.designer.dsl"}


def find_spec(name: str) -> ModuleSpec | None:
    if name in _MODULES:
        return make_forwarding_spec(name, (_MODULES[name],))
    return make_forwarding_spec(name, ("smalt.designer", "smalt.dsl", *PUBLIC)) if is_private(name) else None
