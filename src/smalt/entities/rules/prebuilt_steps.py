"""The steps that finally read an input, and what else than data of its type they can be given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from smalt import prebuilt
from smalt.entities.jobs.control_flow import ParallelFor, find_body, list_items
from smalt.entities.jobs.inputs import Input
from smalt.entities.rules.content import ALTERNATIVES, EVALUATED, MARKERS
from smalt.entities.steps.dependencies import get_text, resolve_source
from smalt.entities.steps.step_types import get_component, get_step_type
from smalt.entities.syntax.expression import Expression, parse_binding, resolve_port

_PREFIX = f"azureml://registries/{prebuilt.REGISTRY}/".casefold()

_TAKE_FOLDERS = ("parallel", "data_transfer")


class ReadPort(NamedTuple):
    """The type and the mode with which an input is read."""

    type: str | None = None
    mode: str | None = None


UNBOUND = ReadPort()


class FoundReader(NamedTuple):
    """A step that reads an input of a job or a step: that itself, or one in the pipeline that it is."""

    steps: tuple[str, ...]
    """The names that lead to the step, from the outermost; empty for the step itself."""
    input: str
    type: str
    """The type of the job that runs for the step."""
    port: ReadPort
    is_declared_file: bool
    """True if a pipeline on the way declares the data as a file: it compares that itself."""


def find_port(value: Any, declared: Any, origin: ReadPort) -> ReadPort:
    """Return how an input is read that its component has `declared`; `origin` tells of what the value is bound to.

    The step's own mode comes first. Else it is direct if its component or the pipeline's input says so: data that
    anything may pass on as text is not compared.
    """
    forms = [one for one in (declared, value) if isinstance(one, Input)]
    type = next((one.type for one in forms if one.type), origin.type)
    if isinstance(value, Input) and value.mode:
        return ReadPort(type, value.mode)
    modes = [origin.mode, declared.mode if isinstance(declared, Input) else None]
    return ReadPort(type, "direct" if "direct" in modes else modes[0] or modes[1])


def is_prebuilt(node: Any) -> bool:
    """Return True for a step of a component that comes with smalt; registries are found in any letter case."""
    component = get_component(node)
    reference = component if isinstance(component, str) else getattr(component, "id", None)
    return str(reference).casefold().startswith(_PREFIX)


class Readers:
    """The steps that read what is given to an input of a job or a step: itself, or those of the pipeline that it is.

    Prebuilt steps are left out, as they take a file and a folder for a table, and so are those of pipelines that
    `read_component`, which returns the component that a reference names, does not know.
    """

    def __init__(
        self, node: Any, name: str, value: Any, read_component: Callable[[str], Any], origin: ReadPort = UNBOUND
    ) -> None:
        self._read_component = read_component
        self._found = list(self._find(node, name, value, origin, ()))

    def take_files(self) -> bool:
        """Return True if a table may be a file."""
        return all(one.port.mode == "direct" for one in self._found)

    def take_folders(self) -> bool:
        """Return True if data may be any folder, whatever its type: each reader declares it as one, or takes text."""
        return all(one.port.mode == "direct" or (one.port.type or "mltable") not in MARKERS for one in self._found)

    def evaluate_tables(self) -> bool:
        """Return True if smalt reads the MLTable of what it gives to one of them; parallel steps also take files."""
        return any(
            one.port.type == "mltable" and one.port.mode in EVALUATED and one.type != "parallel" for one in self._found
        )

    def find_table_reader(self) -> FoundReader | None:
        """Return a step whose program reads a table that it declares; smalt's own programs take any folder."""
        return next(
            (
                one
                for one in self._found
                if one.port.type == "mltable" and one.port.mode != "direct" and one.type not in _TAKE_FOLDERS
            ),
            None,
        )

    def find_inner_marked(self) -> FoundReader | None:
        """Return a step of a nested pipeline that reads a table or a model, if nobody else compares that; else None."""
        return next(
            (
                one
                for one in self._found
                if one.steps
                and not one.is_declared_file
                and one.port.mode != "direct"
                and (one.port.type or "") in MARKERS
            ),
            None,
        )

    def _find(
        self, node: Any, name: str, value: Any, origin: ReadPort, around: tuple[str, ...], is_file: bool = False
    ) -> Iterator[FoundReader]:
        """Yield each step that reads the input; `around` names the steps that lead to the node."""
        if is_prebuilt(node):
            return
        component = get_component(node)
        if isinstance(component, str):
            component = self._read_component(component)
            if component is None:
                return
        declared = getattr(component, "inputs", None)
        port = find_port(value, declared.get(name) if isinstance(declared, Mapping) else None, origin)
        steps = vars(node).get("jobs") or (vars(component).get("jobs") if component is not None else None)
        if not isinstance(steps, Mapping):
            type = node.type if component is None else get_step_type(node, component)
            yield FoundReader(around, name, type, port, is_file)
            return
        is_file = is_file or port.type == "uri_file"
        for key, inner, bound in _find_bound(steps, name):
            yield from self._find(steps[key], inner, bound, port, (*around, key), is_file)


def list_accepted_types(value: Input, declared: str | None, readers: Readers | None) -> list[str | None]:
    """Return the types of which data may have any, the one to tell of first; with None, data that nothing reads.

    `declared` is the type that the component's input has.
    """
    own = value.type or "uri_folder"
    types: list[str | None] = [value.type or declared or own, own, declared or own]
    if "mltable" in types and readers is not None and readers.take_files():
        types += ["uri_file", "uri_folder"]
    if MARKERS.keys() & set(types) and readers is not None and readers.take_folders():
        types += ["uri_folder"]
    if value.mode == "direct":
        types += [None]
    return list(dict.fromkeys(types))


def explain_lacking_table(uri: str, path: str | os.PathLike[str], value: Input, readers: Readers) -> str | None:
    """Return the sentence for a folder of this machine that is read as a table and has no MLTable; else None.

    Data that is itself declared as a table is left to its reader: programs may read it in their own way.
    """
    found = readers.find_table_reader() if value.type in (None, "uri_folder") else None
    marker = MARKERS["mltable"]
    if found is None or not os.path.isdir(path) or os.path.isfile(os.path.join(path, marker)):
        return None
    port = f"the input '{found.input}' of '{'.'.join(found.steps)}'" if found.steps else "the component's input"
    words = f"{uri} is a folder without a file '{marker}', but {port} takes an mltable, which is read by that file"
    instead = f"declare that input as {ALTERNATIVES['mltable'].folder}"
    return f"{words}; add the file, or, to read the folder as it is, {instead}, in its component if it has one"


def _find_bound(steps: Mapping[str, Any], name: str) -> Iterator[tuple[str, str, Any]]:
    """Yield the names of the steps that read an input of their pipeline, each with its bound input and its value."""
    for key, step in steps.items():
        inputs = vars(step).get("inputs")
        given = list(inputs.items()) if isinstance(inputs, Mapping) else []
        yield from ((key, port, value) for port, value in given if _is_bound(value, name, steps))
        if isinstance(step, ParallelFor) and isinstance(step.items, (list, Mapping)):
            body = next((one for one in steps if steps[one] is find_body(step, steps)), None)
            items = [item for _, item in list_items(step.items) if isinstance(item, Mapping)] if body else []
            for port, value in ((port, value) for item in items for port, value in item.items()):
                if _is_bound(value, name, steps):
                    yield str(body), port, value


def _is_bound(value: Any, name: str, steps: Mapping[str, Any]) -> bool:
    """Return True if a step's input is given the pipeline's input, maybe by way of another step's input."""
    expression = parse_binding(get_text(value))
    found = resolve_source(expression, steps) if expression is not None else None
    found = parse_binding(get_text(found)) if isinstance(found, Input) else found
    if not isinstance(found, Expression) or found.kind != "parent.inputs":
        return False
    return resolve_port(found.name, (name,)) is not None
