"""The evaluation of one job: its document is read as the service would, and the steps' own function is called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.model import step
from tests.model.documents import (
    BINDING,
    Literal,
    clean,
    converted,
    filled,
    literal,
    ordered,
    read_by,
    readers,
    with_defaults,
)
from tests.model.facts import (
    COMPLETED,
    FAILED,
    REFUSED,
    UNSURE,
    Asset,
    Data,
    Document,
    Expected,
    Leaf,
    Place,
    Refusal,
    Tree,
    noun_of,
)

if TYPE_CHECKING:
    from tests.model.oracle import Oracle

PRIMITIVES = ("string", "integer", "number", "boolean")


class Evaluation:
    """The evaluation of one job."""

    def __init__(self, oracle: Oracle, pins: dict[str, str]) -> None:
        self.oracle = oracle
        self.pins = pins
        self.leaves: dict[str, Leaf] = {}
        self.store: dict[str, Place] = {}
        self.local: dict[str, Tree | None] = {}
        self.nodes: dict[str, dict[str, Place]] = {}
        self.optional: frozenset[str] = frozenset()
        """`REFUSED` where the document may as well be refused."""

    def job(self, document: Document, only: str | None, earlier: Expected | None) -> Expected:
        if "command" in document:
            leaf = self._leaf("", document, document, self._values(document, {}, {}), {})
            self.leaves[""] = leaf
            return self._expected(leaf.states, leaf.outputs)
        places = {name: self._place(spec) for name, spec in (document.get("outputs") or {}).items()}
        if "component" in document:
            component = self.oracle.component_of(document["component"], self.pins)
            given = document.get("inputs") or {}
            values = self._values({"inputs": with_defaults(component, given)}, {}, {})
            places = {name: places.get(name) or Place() for name in component.get("outputs") or {}}
            states = self._pipeline("", component, values, places)
        else:
            values = self._values(document, {}, {})
            states = self._pipeline("", document, values, places, only, earlier)
        return self._expected(states | self.optional, places)

    def _expected(self, states: frozenset[str], outputs: dict[str, Place]) -> Expected:
        return Expected(states, self.leaves, self.nodes, outputs, pins=self.pins, store=self.store, local=self.local)

    # Pipelines

    def _pipeline(
        self,
        path: str,
        document: Document,
        inputs: Mapping[str, Any],
        outputs: dict[str, Place],
        only: str | None = None,
        earlier: Expected | None = None,
    ) -> frozenset[str]:
        jobs, settings = document.get("jobs") or {}, document.get("settings") or {}
        if not jobs:
            raise Refusal("no steps")
        first, last = settings.get("on_init"), settings.get("on_finalize")
        if first is not None and first == last:
            raise Refusal("on_init is on_finalize")
        states: dict[str, frozenset[str]] = {}
        places: dict[str, dict[str, Place]] = {}
        for name in ordered(jobs, first, last):
            full = f"{path}/{name}".strip("/")
            if only is not None and name != only:
                if earlier is not None:
                    places[name] = earlier.nodes.get(full, {})
                continue
            awaited = [*read_by(jobs[name]), *([first] if name != last else [])]
            before = [states[one] for one in awaited if one in states]
            states[name], places[name] = self._node(full, jobs[name], inputs, places, outputs)
            self.nodes[full] = places[name]
            if any(one != COMPLETED for one in before):
                unsure = all("Completed" in one for one in before)
                states[name] = UNSURE if unsure else UNSURE - COMPLETED
                self._doubt(full, states[name])
        doubtful = [name for name, one in states.items() if one != COMPLETED]
        for name in () if settings.get("continue_on_step_failure") else states:  # what fails ends what runs beside it
            later = readers(name, jobs)
            if name != last and any(one != name and one not in later for one in doubtful):
                states[name] = states[name] | (UNSURE - COMPLETED)
                self._doubt(f"{path}/{name}".strip("/"), states[name])
        refused = REFUSED if any("Refused" in one for one in states.values()) else frozenset()
        if any("Completed" not in one for one in states.values()):
            return FAILED | refused
        return frozenset({"Completed", "Failed"}) | refused if doubtful else COMPLETED

    def _doubt(self, path: str, states: frozenset[str]) -> None:
        for full, leaf in self.leaves.items():
            if full == path or full.startswith(f"{path}/"):
                possible = leaf.states if "Completed" in states else leaf.states - COMPLETED
                leaf.states = possible | (states - COMPLETED)

    def _node(
        self,
        path: str,
        node: Document,
        inputs: Mapping[str, Any],
        places: dict[str, dict[str, Place]],
        outputs: dict[str, Place],
    ) -> tuple[frozenset[str], dict[str, Place]]:
        definition = self.oracle.component_of(node["component"], self.pins) if "component" in node else node
        given = node.get("inputs") or {}
        if "component" in node:
            given = with_defaults(definition, given)
        values = self._values({"inputs": given}, inputs, places)
        for name, spec in (definition.get("inputs") or {}).items():
            if isinstance(spec, dict) and spec.get("type") == "mltable" and isinstance(values.get(name), Data):
                assert values[name].table is not None
            if isinstance(spec, dict) and spec.get("type") in PRIMITIVES and isinstance(values.get(name), str):
                values[name] = converted(literal(values[name]), spec)
        bound = {}
        for name in definition.get("outputs") or {}:
            spec = (node.get("outputs") or {}).get(name)
            target = spec.get("path") if isinstance(spec, dict) else spec
            parent = re.fullmatch(r"\$\{\{parent\.outputs\.(\w+)\}\}", str(target))
            if parent and parent[1] not in outputs:
                raise Refusal(target)
            bound[name] = outputs[parent[1]] if parent else self._place(spec)
        if "jobs" in definition:
            return self._pipeline(path, definition, values, bound), bound
        leaf = self.leaves[path] = self._leaf(path, node, definition, values, bound)
        return leaf.states, leaf.outputs

    # Leaves

    def _leaf(
        self, path: str, node: Document, definition: Document, values: Mapping[str, Any], bound: dict[str, Place]
    ) -> Leaf:
        words = definition["command"].partition("STEP ")[2].split()
        flavour, middle = words[0], words.index(":")
        reads: dict[str, Any] = {}
        for word in words[1:middle]:
            name, sign, text = step.split(word)
            value = filled(text, values)
            reads[name] = value if isinstance(value, str) else value.table if sign == "%" else value.tree
        mark = {**(definition.get("environment_variables") or {}), **(node.get("environment_variables") or {})}
        code = self.oracle.code_of(definition)
        text = step.told(flavour, reads, str(mark.get("MARK", "")), code)
        leaf = Leaf(COMPLETED)
        literals = {f"inputs.{key}": str(one) for key, one in values.items() if isinstance(one, Literal)}
        own = {"command": definition["command"], "code": code, "mark": str(mark.get("MARK", ""))}
        leaf.definition = {**own, **literals}
        leaf.reads = {key: one for key, one in values.items() if isinstance(one, Data)}
        specs = {**(definition.get("outputs") or {}), **(node.get("outputs") or {})}
        for word in words[middle + 1 :]:
            name, sign, _ = step.split(word)
            spec = specs.get(name)
            leaf.outputs[name] = bound.get(name) or self._place(spec)
            content, file = (step.number(text), "output") if sign == "#" else (text, "f.txt")
            leaf.outputs[name].tree[f"{reads['w']}.txt" if flavour == "named" else file] = content.encode()
            if isinstance(spec, dict) and "name" in spec:
                leaf.assets[name] = Asset(noun_of(spec.get("type", "")), spec["name"], spec.get("version"))
        given = (node.get("inputs") or {}).get("d")
        has_copy = isinstance(given, dict) and given.get("mode") == "download"
        return self._judged(leaf, flavour, text, has_copy)

    def _judged(self, leaf: Leaf, flavour: str, text: str, has_copy: bool) -> Leaf:
        if flavour == "fail" or (flavour == "greedy" and not has_copy):
            leaf.states = FAILED
        if flavour == "swap":
            leaf.states = frozenset({"Completed", "Failed"})
        if flavour == "art":
            leaf.artifact = text.encode()
        if flavour == "metric":
            leaf.metrics = {"m": float(step.number(text))}
        for name, asset in leaf.assets.items():
            there = self.oracle.assets[asset.noun].get(asset.name, {}).get(asset.version or "")
            if there is not None and leaf.states == COMPLETED:
                same = there.tree == leaf.outputs[name].tree
                leaf.states = FAILED | REFUSED | (COMPLETED if same else frozenset())
        return leaf

    def _place(self, spec: Any) -> Place:
        path = spec.get("path") if isinstance(spec, dict) else None
        if path is None or "${{" in path:
            return Place()
        there = self.oracle.store.get(clean(path)) or Place()
        return self.store.setdefault(clean(path), Place(dict(there.tree), fixed=path))

    # Inputs

    def _values(self, node: Document, parent: Mapping[str, Any], places: dict[str, dict[str, Place]]) -> dict[str, Any]:
        return {name: self._value(value, parent, places) for name, value in (node.get("inputs") or {}).items()}

    def _value(self, value: Any, parent: Mapping[str, Any], places: dict[str, dict[str, Place]]) -> Any:
        if isinstance(value, dict):
            if "path" not in value:
                return literal(value.get("value", value.get("default")))
            if str(value["path"]).startswith("${{"):
                return self._value(value["path"], parent, places)
            data = self.oracle.resolve(value["path"], value.get("type", "uri_folder"), self.pins)
            if value["path"].startswith("./"):
                self.local[value["path"]] = data.is_local
            return data
        text = literal(value)
        found = BINDING.fullmatch(text)
        if found:
            return self._bound(found[1], parent, places)
        if "parent.jobs." in text:
            self.optional = REFUSED
        if "${{" not in text:
            return text
        return literal(BINDING.sub(lambda one: self._text(self._bound(one[1], parent, places)), text))

    def _bound(self, expression: str, parent: Mapping[str, Any], places: dict[str, dict[str, Place]]) -> Any:
        found = re.fullmatch(r"parent\.jobs\.(\w+)\.outputs\.(\w+)", expression)
        if found:
            place = places.get(found[1], {}).get(found[2])
            if place is None:
                raise Refusal(expression)
            return place.tree["output"].decode() if set(place.tree) == {"output"} else Data(dict(place.tree), made=True)
        kind, name = expression.rsplit(".", 1)[0], expression.removeprefix("parent.inputs.")
        if not kind.startswith("parent.inputs") or name not in parent:
            raise Refusal(expression)
        return parent[name]

    def _text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        raise Refusal("data in the middle of a text")
