"""The oracle: what must come of a script, computed from scratch in dictionaries. It knows nothing of smalt.

A tree is a dictionary of relative names and bytes; a single file is a tree whose only name is ''. A version of data is
a tree, a component is the document that was registered. A job is evaluated by reading its document as the service would
and calling the steps' own function (`step.told`).
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.model import step

Tree = dict[str, bytes]
Document = dict[str, Any]

COMPLETED = frozenset({"Completed"})
FAILED = frozenset({"Failed"})
UNSURE = frozenset({"Completed", "Failed", "Canceled", "absent"})
"""States of a step that may run or not, such as one beside a step that fails."""
REFUSED = frozenset({"Refused"})
ANYTHING = UNSURE | REFUSED

_BINDING = re.compile(r"\$\{\{\s*([^}]+?)\s*\}\}")


class Refusal(Exception):
    """The document must be refused."""


class Unknown(Exception):
    """The oracle has nothing to say, such as of what a failed job left."""


class Place:
    """Where an output lies; several writers may share one."""

    def __init__(self, tree: Tree | None = None, fixed: str = "") -> None:
        self.tree: Tree = {} if tree is None else tree
        self.fixed = fixed
        """The path, where one was given."""


@dataclass
class Data:
    """Content that an input leads to; of an MLTable also what it names."""

    tree: Tree
    table: Tree | None = None


@dataclass
class Leaf:
    states: frozenset[str]
    outputs: dict[str, Place] = field(default_factory=dict)
    assets: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """By output: the name and version under which it must be registered."""
    artifact: bytes | None = None


@dataclass
class Expected:
    states: frozenset[str]
    leaves: dict[str, Leaf] = field(default_factory=dict)
    outputs: dict[str, Place] = field(default_factory=dict)
    document: Any = None
    why: str = ""
    """Why it must be refused."""
    documents: dict[str, Document] = field(default_factory=dict)
    code: dict[str, bytes] = field(default_factory=dict)
    """The files of components and code as they were when the job was submitted."""
    pins: dict[str, str] = field(default_factory=dict)
    """By reference with a label or without version: the version that it meant."""
    store: dict[str, Place] = field(default_factory=dict)
    """By fixed path: what lies there afterwards."""

    def is_known(self, place: Place) -> bool:
        """Return whether all that several steps write there is there for certain; of one step its state tells."""
        writers = [leaf for leaf in self.leaves.values() if place in leaf.outputs.values()]
        return len(writers) < 2 or all(leaf.states == COMPLETED for leaf in writers)

    def trees(self) -> dict[str, dict[str, Tree]]:
        return {path: {name: place.tree for name, place in leaf.outputs.items()} for path, leaf in self.leaves.items()}


class Oracle:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.documents: dict[str, Document] = {}
        self.data: dict[str, dict[str, Data]] = {}
        self.components: dict[str, dict[str, Document]] = {}
        self.archived: set[tuple[str, str]] = set()
        self.folders: dict[str, str] = {}
        """By prefix of a URI (url-map and datastores): the folder that it means."""
        self.store: dict[str, Place] = {}
        self.jobs: dict[str, Expected] = {}
        self.pruned: set[str] = set()
        self.deleted: set[str] = set()
        """Names of deleted jobs: where others have their outputs, the name is not given again."""

    # Edits

    def write(self, path: str, text: str, executable: bool = False) -> None:
        for name in (path, f"{path}*"):
            self.files.pop(name, None)
        self.files[f"{path}*" if executable else path] = text.encode()

    def remove(self, path: str) -> None:
        self.files.pop(path, None)

    def link(self, path: str, to: str) -> None:
        self.links[path] = to

    def map(self, prefix: str, folder: str) -> None:
        self.folders[prefix] = folder

    def register(self, name: str, version: str | None, path: str, type: str) -> frozenset[str]:
        """Register local data."""
        try:
            found = self._read(path, type)
        except Refusal:
            return REFUSED
        versions = self.data.setdefault(name, {})
        if version in versions:
            return frozenset({"ok"}) if versions[version].tree == found.tree else REFUSED
        number = 1 + max((int(one) for one in versions if one.isdigit()), default=0)
        versions[version or str(number)] = found
        return frozenset({"ok"})

    def component(self, path: str) -> frozenset[str]:
        """Register the component of a file, with what it names as it is now."""
        try:
            document = self._pinned(copy.deepcopy(self.documents[path]))
        except (Refusal, KeyError):
            return REFUSED
        versions = self.components.setdefault(document["name"], {})
        there = versions.setdefault(document["version"], document)
        return frozenset({"ok"}) if there == document else REFUSED

    def archive(self, name: str, version: str) -> None:
        self.archived.add((name, version))

    def delete(self, job: str) -> None:
        if self.jobs.pop(job, None) is not None:
            self.deleted.add(job)

    def prune(self) -> None:
        """Code that no job needs any more goes, so that an export may be refused."""
        self.pruned = set(self.jobs)

    # Runs

    def run(self, document: Document, sets: Mapping[str, Any], name: str, only: str | None, of: str) -> Expected:
        """Return what must come of a job; it is recorded by `settle`."""
        try:
            document = copy.deepcopy(document)
            for key, value in sets.items():
                _set(document, key, value)
            earlier = self.jobs.get(of)
            if only is not None and (earlier is None or earlier.states != COMPLETED):
                return Expected(ANYTHING)
            expected = _Run(self, dict(earlier.pins) if only and earlier else {}).job(document, only, earlier)
            if only is not None and not self._is_sound(document):
                expected.states |= REFUSED  # a file is read as a whole, also where one step of it runs
        except Refusal as why:
            return Expected(REFUSED, why=str(why))
        except Unknown:
            return Expected(ANYTHING)
        expected.document = document, only, of
        expected.documents = copy.deepcopy(self.documents)
        expected.code = {name: text for name, text in self.files.items() if name.startswith("src/")}
        if name in self.deleted:
            expected.states |= FAILED | REFUSED
            for leaf in expected.leaves.values():
                leaf.states |= UNSURE
        there = self.jobs.get(name)
        if there is not None:
            if there.document != expected.document:
                return Expected(REFUSED, why="the name is another job's")
            if there.trees() == expected.trees():
                return there
            if _is_local(document):
                return Expected(REFUSED, why="the name is a job's with other data")
            there.states |= REFUSED  # a label or a URL leads elsewhere by now: the same words are the same job, or not
            return there
        return expected

    def _is_sound(self, document: Document) -> bool:
        try:
            _Run(self, {}).job(document, None, None)
        except (Refusal, Unknown):
            return False
        return True

    def export(self, of: str) -> Expected:
        """Return what must come of the exported job: what came of it, by today's local data and its own meaning."""
        job = self.jobs.get(of)
        if job is None or job.states != COMPLETED or job.document[1] is not None:
            return Expected(ANYTHING)
        then = copy.copy(self)
        then.documents, then.files = job.documents, {**self.files, **job.code}
        try:
            expected = _Run(then, dict(job.pins)).job(copy.deepcopy(job.document[0]), None, None)
        except (Refusal, Unknown):
            return Expected(ANYTHING)
        if of in self.pruned:
            expected.states |= REFUSED
        expected.document, expected.documents, expected.code = job.document, job.documents, job.code
        return expected

    def settle(self, name: str, expected: Expected, state: str) -> None:
        """Record a job that was accepted and ended so."""
        self.jobs[name] = expected
        expected.states = frozenset({state})
        self.store.update(expected.store)

    def adopt(self, made: Iterable[tuple[str, str, Tree]]) -> None:
        """Record the versions (name, version, content) that jobs have registered, the highest last."""
        for asset, version, tree in sorted(made, key=lambda one: int(one[1])):
            self.data.setdefault(asset, {}).setdefault(version, Data(dict(tree)))

    # Names

    def resolve(self, uri: str, type: str, pins: dict[str, str]) -> Data:
        """Return what a path of an input means now; labels as they are pinned, else as they are, which is noted."""
        if uri.startswith("azureml:") and not uri.startswith("azureml://"):
            name, version = self.version(self.data, uri, pins)
            return self.data[name][version]
        found = re.fullmatch(r"azureml://jobs/([^/]+)/outputs/([^/]+?)(?:/paths/)?", uri)
        if found:
            job = self.jobs.get(found[1])
            if job is None or found[2] not in job.outputs:
                raise Refusal(uri)
            if job.states != COMPLETED:
                raise Unknown(uri)
            return Data(dict(job.outputs[found[2]].tree))
        return self._read(uri, type)

    def version(self, nouns: Mapping[str, Mapping[str, Any]], reference: str, pins: dict[str, str]) -> tuple[str, str]:
        """Return name and version of `azureml:NAME:VERSION`, `azureml:NAME@latest` or `azureml:NAME`."""
        name, _, version = reference.removeprefix("azureml:").replace("@", ":@").partition(":")
        if version in ("", "@latest"):
            there = [one for one in nouns.get(name, {}) if (name, one) not in self.archived]
            version = pins.setdefault(reference, there[-1] if there else "")
        if version not in nouns.get(name, {}):
            raise Refusal(reference)
        return name, version

    def component_of(self, reference: Any, pins: dict[str, str]) -> Document:
        if isinstance(reference, dict):
            return reference
        if str(reference).startswith("azureml:"):
            name, version = self.version(self.components, str(reference), pins)
            return self.components[name][version]
        path = _clean(str(reference))
        if path not in self.documents:
            raise Refusal(reference)
        return self.documents[path]

    def code_of(self, document: Document) -> str:
        """Return the text of the code's file; of a registered component, the one that was registered."""
        if "code" not in document:
            return ""
        code = document["code"]
        return str(code["text"]) if isinstance(code, dict) else self._read(code, "").tree["code.txt"].decode()

    def _pinned(self, document: Document) -> Document:
        if "code" in document:
            document["code"] = {"text": self.code_of(document)}
        for node in document.get("jobs", {}).values():
            if "component" in node:
                reference = node["component"]
                inner = copy.deepcopy(self.component_of(reference, {}))
                node["component"] = inner if str(reference).startswith("azureml:") else self._pinned(inner)
            self._pinned(node) if "code" in node else None
            for value in node.get("inputs", {}).values():
                if isinstance(value, dict) and "path" in value and re.match("azureml:(?!//)", value["path"]):
                    name, version = self.version(self.data, value["path"], {})
                    value["path"] = f"azureml:{name}:{version}"
        return document

    # Files

    def _read(self, uri: str, type: str) -> Data:
        prefix = max((one for one in self.folders if uri.startswith(one)), key=len, default=None)
        fixed = _clean(uri)
        if fixed in self.store:
            return Data(dict(self.store[fixed].tree))
        path = _clean(uri if prefix is None else f"{self.folders[prefix]}/{uri[len(prefix) :]}")
        tree = self._tree(path)
        if not tree:
            raise Refusal(uri)
        return Data(tree, self._table(path, tree) if type == "mltable" else None)

    def _tree(self, path: str) -> Tree:
        for _ in range(5):
            for link, target in self.links.items():
                if path == link or path.startswith(f"{link}/"):
                    path = _clean(f"{target}{path[len(link) :]}")
        if path in self.files:
            return {"": self.files[path]}
        return {name[len(path) + 1 :]: text for name, text in self.files.items() if name.startswith(f"{path}/")}

    def _table(self, folder: str, tree: Tree) -> Tree:
        if "MLTable" not in tree:
            raise Refusal(folder)
        written = step.named_in(tree["MLTable"].decode())
        places = {os.path.basename(one): one if "://" in one else f"{folder}/{one}" for one in written}
        found = {name: self._read(place, "").tree for name, place in places.items()}
        return {f"{name}/{inner}": text for name, inside in found.items() for inner, text in inside.items()}


class _Run:
    """The evaluation of one job."""

    def __init__(self, oracle: Oracle, pins: dict[str, str]) -> None:
        self.oracle = oracle
        self.pins = pins
        self.leaves: dict[str, Leaf] = {}
        self.store: dict[str, Place] = {}
        self.optional: frozenset[str] = frozenset()
        """`REFUSED` where the document may as well be refused."""

    def job(self, document: Document, only: str | None, earlier: Expected | None) -> Expected:
        if "command" in document:
            leaf = self._leaf("", document, document, self._values(document, {}, {}), {})
            self.leaves[""] = leaf
            return Expected(leaf.states, self.leaves, leaf.outputs, pins=self.pins, store=self.store)
        places = {name: self._place(spec) for name, spec in (document.get("outputs") or {}).items()}
        if "component" in document:
            component = self.oracle.component_of(document["component"], self.pins)
            given = document.get("inputs") or {}
            values = self._values({"inputs": _with_defaults(component, given)}, {}, {})
            places = {name: places.get(name) or Place() for name in component.get("outputs") or {}}
            states = self._pipeline("", component, values, places)
        else:
            values = self._values(document, {}, {})
            states = self._pipeline("", document, values, places, only, earlier)
        return Expected(states | self.optional, self.leaves, places, pins=self.pins, store=self.store)

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
        for name in _ordered(jobs, first, last):
            full = f"{path}/{name}".strip("/")
            if only is not None and name != only:
                if earlier is not None and full in earlier.leaves:
                    places[name] = earlier.leaves[full].outputs
                continue
            needed = {one.group(1) for one in re.finditer(r"parent\.jobs\.(\w+)\.", str(jobs[name]))}
            before = [states[one] for one in needed if one in states]
            states[name], places[name] = self._node(full, jobs[name], inputs, places, outputs)
            if any(one != COMPLETED for one in before):
                unsure = all("Completed" in one for one in before)
                states[name] = UNSURE if unsure else UNSURE - COMPLETED
                self._doubt(full, states[name])
        doubtful = [name for name, one in states.items() if one != COMPLETED]
        for name in states:  # what fails ends what runs beside it
            later = _readers(name, jobs)
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
            given = _with_defaults(definition, given)
        values = self._values({"inputs": given}, inputs, places)
        for name, spec in (definition.get("inputs") or {}).items():
            if isinstance(spec, dict) and spec.get("type") == "mltable" and isinstance(values.get(name), Data):
                assert values[name].table is not None
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
            value = _filled(text, values)
            reads[name] = value if isinstance(value, str) else value.table if sign == "%" else value.tree
        mark = {**(definition.get("environment_variables") or {}), **(node.get("environment_variables") or {})}
        text = step.told(flavour, reads, str(mark.get("MARK", "")), self.oracle.code_of(definition))
        leaf = Leaf(COMPLETED)
        specs = {**(definition.get("outputs") or {}), **(node.get("outputs") or {})}
        for word in words[middle + 1 :]:
            name, sign, _ = step.split(word)
            spec = specs.get(name)
            leaf.outputs[name] = bound.get(name) or self._place(spec)
            content, file = (step.number(text), "output") if sign == "#" else (text, "f.txt")
            leaf.outputs[name].tree[f"{reads['w']}.txt" if flavour == "named" else file] = content.encode()
            if isinstance(spec, dict) and "name" in spec:
                leaf.assets[name] = spec["name"], spec.get("version")
        return self._judged(leaf, flavour, text)

    def _judged(self, leaf: Leaf, flavour: str, text: str) -> Leaf:
        if flavour in ("fail", "greedy"):
            leaf.states = FAILED
        if flavour == "swap":
            leaf.states = frozenset({"Completed", "Failed"})
        if flavour == "art":
            leaf.artifact = text.encode()
        for name, (asset, version) in leaf.assets.items():
            there = self.oracle.data.get(asset, {}).get(version or "")
            if there is not None and leaf.states == COMPLETED:
                same = there.tree == leaf.outputs[name].tree
                leaf.states = FAILED | REFUSED | (COMPLETED if same else frozenset())
        return leaf

    def _place(self, spec: Any) -> Place:
        path = spec.get("path") if isinstance(spec, dict) else None
        if path is None or "${{" in path:
            return Place()
        there = self.oracle.store.get(_clean(path)) or Place()
        return self.store.setdefault(_clean(path), Place(dict(there.tree), fixed=path))

    # Inputs

    def _values(self, node: Document, parent: Mapping[str, Any], places: dict[str, dict[str, Place]]) -> dict[str, Any]:
        return {name: self._value(value, parent, places) for name, value in (node.get("inputs") or {}).items()}

    def _value(self, value: Any, parent: Mapping[str, Any], places: dict[str, dict[str, Place]]) -> Any:
        if isinstance(value, dict):
            if "path" not in value:
                return _plain(value.get("value", value.get("default")))
            if str(value["path"]).startswith("${{"):
                return self._value(value["path"], parent, places)
            return self.oracle.resolve(value["path"], value.get("type", "uri_folder"), self.pins)
        text = _plain(value)
        found = _BINDING.fullmatch(text)
        if found:
            return self._bound(found[1], parent, places)
        if "parent.jobs." in text:
            self.optional = REFUSED
        return _BINDING.sub(lambda one: self._text(self._bound(one[1], parent, places)), text)

    def _bound(self, expression: str, parent: Mapping[str, Any], places: dict[str, dict[str, Place]]) -> Any:
        found = re.fullmatch(r"parent\.jobs\.(\w+)\.outputs\.(\w+)", expression)
        if found:
            place = places.get(found[1], {}).get(found[2])
            if place is None:
                raise Refusal(expression)
            return place.tree["output"].decode() if set(place.tree) == {"output"} else Data(dict(place.tree))
        kind, name = expression.rsplit(".", 1)[0], expression.removeprefix("parent.inputs.")
        if not kind.startswith("parent.inputs") or name not in parent:
            raise Refusal(expression)
        return parent[name]

    def _text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        raise Refusal("data in the middle of a text")


def _is_local(document: Document) -> bool:
    """Return whether a document names local files."""
    return bool(re.search(r"['\"]\./", str(document)))


def _readers(name: str, jobs: Document) -> set[str]:
    """Return the steps that read what a step writes, and those that read what these write."""
    direct = {one for one in jobs if f"parent.jobs.{name}." in str(jobs[one])}
    return direct.union(*(_readers(one, jobs) for one in direct))


def _with_defaults(component: Document, given: Mapping[str, Any]) -> Document:
    declared = component.get("inputs") or {}
    for name in given:
        if name not in declared:
            raise Refusal(name)
    defaults = {name: spec["default"] for name, spec in declared.items() if "default" in spec}
    missing = [name for name in declared if name not in defaults and name not in given]
    if missing:
        raise Refusal(missing)
    return {**defaults, **given}


def _filled(text: str, values: Mapping[str, Any]) -> Any:
    """Return a word of a command with its `${{inputs.…}}` replaced; a word that is one binding is its value."""

    def found(expression: str) -> Any:
        name = expression.removeprefix("inputs.")
        if not expression.startswith("inputs.") or name not in values:
            raise Refusal(expression)
        return values[name]

    whole = _BINDING.fullmatch(text)
    return found(whole[1]) if whole else _BINDING.sub(lambda one: str(found(one[1])), text)


def _plain(value: Any) -> str:
    return str(value)


def _set(document: Document, key: str, value: Any) -> None:
    """Do what `--set` does; a key that names no input that is there is refused."""
    *folders, last = key.split(".")
    here: Any = document
    for name in folders:
        if name == "tags":
            here.setdefault("tags", {})
        if name not in here:
            raise Refusal(key)
        here = here[name]
    if "inputs" in folders[-1:] and last not in here:
        raise Refusal(f"no input '{last}'")
    here[last] = value


def _ordered(jobs: Document, first: str | None, last: str | None) -> list[str]:
    """Return the steps' names so that each comes after what it reads."""
    found: list[str] = [first] if first in jobs and first is not None else []
    rest = [name for name in jobs if name not in (first, last)]
    while rest:
        ready = [name for name in rest if not any(f"parent.jobs.{one}." in str(jobs[name]) for one in rest)]
        if not ready:
            raise Refusal("steps that wait for each other")
        found += ready
        rest = [name for name in rest if name not in ready]
    return found + ([last] if last in jobs and last is not None else [])


def _clean(path: str) -> str:
    """Return a local path without './' and '..', or a URI without its last slash."""
    return path.rstrip("/") if "://" in path else os.path.normpath(path)
