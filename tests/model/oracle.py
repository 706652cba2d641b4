"""The oracle: what must come of a script in one workspace, computed from scratch in dictionaries.

It knows nothing of smalt. A version of data is a tree, a component is the document that was registered. A job is
evaluated (`evaluation.py`) by reading its document as the service would and calling the steps' own function
(`step.told`).
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.model import step
from tests.model.documents import clean, read_by, set_at
from tests.model.evaluation import Evaluation
from tests.model.facts import (
    ANYTHING,
    COMPLETED,
    FAILED,
    REFUSED,
    UNSURE,
    Asset,
    Data,
    Document,
    Expected,
    Place,
    Refusal,
    Tree,
    Unknown,
    noun_of,
)


@dataclass
class Disk:
    """Local files and the url-map: all workspaces have the same."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    moves: dict[str, int] = field(default_factory=dict)
    """How often each link was made: one that leads where it did before is another."""
    documents: dict[str, Document] = field(default_factory=dict)
    mapped: dict[str, str] = field(default_factory=dict)
    """By prefix of a URL: the folder that it means."""

    def write(self, path: str, text: str, executable: bool = False) -> None:
        for name in (path, f"{path}*"):
            self.files.pop(name, None)
        self.files[f"{path}*" if executable else path] = text.encode()

    def link(self, path: str, to: str) -> None:
        self.links[path] = to
        self.moves[path] = self.moves.get(path, 0) + 1

    def tree(self, path: str) -> Tree:
        for _ in range(5):
            for link, target in self.links.items():
                if path == link or path.startswith(f"{link}/"):
                    path = clean(f"{target}{path[len(link) :]}")
        if path in self.files:
            return {"": self.files[path]}
        return {name[len(path) + 1 :]: text for name, text in self.files.items() if name.startswith(f"{path}/")}


class Oracle:
    def __init__(self, disk: Disk | None = None) -> None:
        self.disk = disk or Disk()
        self.assets: dict[str, dict[str, dict[str, Data]]] = {"data": {}, "models": {}}
        """By noun, name and version."""
        self.components: dict[str, dict[str, Document]] = {}
        self.archived: set[tuple[str, str]] = set()
        self.datastores: dict[str, str] = {}
        """By prefix of a URI: the folder that it means."""
        self.store: dict[str, Place] = {}
        self.jobs: dict[str, Expected] = {}
        self.pruned: set[str] = set()
        self.deleted: set[str] = set()
        """Names of deleted jobs: where others have their outputs, the name is not given again."""
        self.untold: set[str] = set()
        """Jobs of which nothing was known beforehand."""

    # Edits

    def register(self, name: str, version: str | None, path: str, type: str) -> frozenset[str]:
        """Register local data, or what a job made; raise `Unknown` where that is not known."""
        try:
            found = self.resolve(path, type, {})
        except Refusal:
            return REFUSED
        versions = self.assets[noun_of(type)].setdefault(name, {})
        if version in versions:
            return frozenset({"ok"}) if versions[version].tree == found.tree else REFUSED
        number = 1 + max((int(one) for one in versions if one.isdigit()), default=0)
        versions[version or str(number)] = Data(dict(found.tree), found.table)
        return frozenset({"ok"})

    def component(self, path: str) -> frozenset[str]:
        """Register the component of a file, with what it names as it is now."""
        try:
            document = self._pinned(copy.deepcopy(self.disk.documents[path]))
        except (Refusal, KeyError):
            return REFUSED
        versions = self.components.setdefault(document["name"], {})
        there = versions.setdefault(document["version"], document)
        return frozenset({"ok"}) if there == document else REFUSED

    def archive(self, name: str, version: str) -> None:
        self.archived.add((name, version))

    def delete(self, job: str) -> None:
        self.jobs.pop(job, None)
        self.untold.discard(job)
        self.deleted.add(job)

    def drop_artifacts(self, job: str) -> None:
        """Forget the artifacts of the steps of a job, and of each whose name begins with its name."""
        for name, expected in self.jobs.items():
            if name.startswith(job):
                for leaf in expected.leaves.values():
                    leaf.artifact = None

    def prune(self) -> None:
        """Code that no job needs any more goes, so that an export may be refused."""
        self.pruned = set(self.jobs)

    # Runs

    def run(self, document: Document, sets: Mapping[str, Any], name: str, only: str | None, of: str | None) -> Expected:
        """Return what must come of a job; it is recorded by `settle`.

        `only` a step runs, with what the job `of` this name made for it; without `of` the newest that has it.
        """
        try:
            document = copy.deepcopy(document)
            for key, value in sets.items():
                set_at(document, key, value)
            earlier = self._earlier(document, only, of)
            expected = Evaluation(self, dict(earlier.pins) if only and earlier else {}).job(document, only, earlier)
            if only is not None and not self._is_sound(document):
                expected.states |= REFUSED  # a file is read as a whole, also where one step of it runs
        except Refusal as why:
            return Expected(REFUSED, why=str(why))
        except Unknown:
            return Expected(ANYTHING)
        expected.document = document, only, of
        expected.documents = copy.deepcopy(self.disk.documents)
        expected.code = {name: text for name, text in self.disk.files.items() if name.startswith("src/")}
        return self._repeated(name, self._doubted(name, expected))

    def _doubted(self, name: str, expected: Expected) -> Expected:
        """Return the same, which may be refused as well where the name is a deleted job's whose outputs others have."""
        if name in self.deleted:
            expected.states |= FAILED | REFUSED
            for leaf in expected.leaves.values():
                leaf.states |= UNSURE
        return expected

    def _repeated(self, name: str, expected: Expected) -> Expected:
        """Return what must come of a job whose name may be there already."""
        there = self.jobs.get(name)
        if there is None and name in self.untold:
            return Expected(ANYTHING)
        if there is not None:
            if there.document is None or there.is_exported:
                return Expected(ANYTHING)  # the document that was submitted under this name is not known here
            if _without_tags(there.document) != _without_tags(expected.document):
                return Expected(REFUSED, why="the name is another job's")
            there.document = expected.document  # the same job has the tags that were given last
            if there.local != expected.local:
                return Expected(REFUSED, why="the name is a job's with other data")
            if there.pins == expected.pins and there.definitions() != expected.definitions():
                return Expected(REFUSED, why="the name is a job's with other code or components")
            if there.trees() == expected.trees() and there.pins == expected.pins:
                return there
            there.states |= REFUSED  # a label or a URL leads elsewhere by now: the same words are the same job, or not
            return there
        return expected

    def _earlier(self, document: Document, only: str | None, of: str | None) -> Expected | None:
        """Return the run whose outputs a part of a pipeline takes."""
        if only is None or (of is None and not read_by(document["jobs"].get(only))):
            return None
        earlier = self.jobs.get(of) if of is not None else self._newest(document, read_by(document["jobs"][only]))
        if earlier is None or earlier.states != COMPLETED or not earlier.is_whole() or earlier.has_versions:
            raise Unknown(of)  # a part of a part, or of an export: what its labels mean is not said anywhere
        return earlier

    def _newest(self, document: Document, needed: set[str]) -> Expected:
        """Return the newest run in which the needed steps have completed, defined as in the document."""
        for job in reversed(self.jobs.values()):
            if job.document is None:
                raise Unknown(needed)
            there, part, _ = job.document
            steps = {part} if part is not None else set(there.get("jobs") or {})
            if not needed <= steps:
                continue
            if part is not None or self.untold or job.has_versions:
                raise Unknown(part)
            if all(self._is_same(step, document, job) for step in needed):
                if job.states != COMPLETED:
                    raise Unknown(needed)
                return job
        raise Unknown(needed) if self.untold else Refusal(f"no run has completed {needed}")

    def _is_same(self, step: str, document: Document, job: Expected) -> bool:
        """Return whether a step, and what it reads, is defined as in an earlier job."""
        there = job.document[0]
        now, before = document["jobs"][step], there["jobs"].get(step, {})
        inputs = re.findall(r"parent\.inputs\.(\w+)", str(now))
        code = {one: text for one, text in self.disk.files.items() if one.startswith("src/")}
        named, files = self._named(now, self.disk.documents), self._named(now, job.documents)
        return (
            named == files
            and ("./src" not in str([now, named]) or code == job.code)
            and all(now.get(key) == before.get(key) for key in now.keys() | before.keys() if key != "outputs")
            and all(document["inputs"].get(one) == there["inputs"].get(one) for one in inputs)
            and all(self._is_same(one, document, job) for one in read_by(now))
        )

    def _named(self, node: Document, documents: Mapping[str, Document]) -> dict[str, Document]:
        """Return the files of components that a step and its component name."""
        found = {one: documents[one] for one in documents if f"./{one}'" in str(node)}
        return {
            **found,
            **{one: inner for file in found.values() for one, inner in self._named(file, documents).items()},
        }

    def _is_sound(self, document: Document) -> bool:
        try:
            return "Refused" not in Evaluation(self, {}).job(document, None, None).states
        except (Refusal, Unknown):
            return False

    def export(self, of: str, name: str) -> Expected:
        """Return what must come of the exported job: what came of it, by today's local data and its own meaning."""
        job = self.jobs.get(of)
        if job is None or job.states != COMPLETED or not job.is_whole() or name in self.jobs:
            return Expected(ANYTHING)
        then = copy.copy(self)
        then.disk = replace(self.disk, documents=job.documents, files={**self.disk.files, **job.code})
        try:
            expected = Evaluation(then, dict(job.pins)).job(copy.deepcopy(job.document[0]), None, None)
        except (Refusal, Unknown):
            return Expected(ANYTHING)
        if of in self.pruned:
            expected.states |= REFUSED
        expected.document, expected.documents, expected.code = job.document, job.documents, job.code
        expected.has_versions = bool(expected.pins)
        expected.is_exported = True
        return self._doubted(name, expected)

    def settle(self, name: str, expected: Expected, state: str) -> None:
        """Record a job that was accepted and ended so."""
        self.jobs[name] = expected
        expected.states = frozenset({state})
        self.store.update(expected.store)

    def adopt(self, made: Iterable[tuple[Asset, Tree]]) -> None:
        """Record the versions that jobs have registered, the highest last."""
        for asset, tree in sorted(made, key=lambda one: int(one[0].version or 0)):
            self.assets[asset.noun].setdefault(asset.name, {}).setdefault(str(asset.version), Data(dict(tree)))

    # Names

    def resolve(self, uri: str, type: str, pins: dict[str, str]) -> Data:
        """Return what a path of an input means now; labels as they are pinned, else as they are, which is noted."""
        if uri.startswith("azureml:") and not uri.startswith("azureml://"):
            assets = self.assets[noun_of(type)]
            name, version = self.version(assets, uri, pins)
            return assets[name][version]
        found = re.fullmatch(r"azureml://jobs/([^/]+)/outputs/([^/]+?)(?:/paths/)?", uri)
        if found:
            job = self.jobs.get(found[1])
            if found[1] in self.untold:
                raise Unknown(uri)
            if job is None or found[2] not in job.outputs:
                raise Refusal(uri)
            if job.states != COMPLETED:
                raise Unknown(uri)
            if not job.outputs[found[2]].tree:
                raise Refusal(f"no step of {uri} writes there")
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
        path = clean(str(reference))
        if path not in self.disk.documents:
            raise Refusal(reference)
        return self.disk.documents[path]

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
                    name, version = self.version(self.assets["data"], value["path"], {})
                    value["path"] = f"azureml:{name}:{version}"
        return document

    # Files

    def _read(self, uri: str, type: str) -> Data:
        folders = {**self.disk.mapped, **self.datastores}
        prefix = max((one for one in folders if uri.startswith(one)), key=len, default=None)
        fixed = clean(uri)
        if fixed in self.store:
            return Data(dict(self.store[fixed].tree))
        path = clean(uri if prefix is None else f"{folders[prefix]}/{uri[len(prefix) :]}")
        tree = self.disk.tree(path)
        if not tree:
            raise Refusal(uri)
        if type != "mltable":
            return Data(tree, is_local={**tree, "moved": str(self.disk.moves.get(path, 0)).encode()})
        table = self._table(path, tree)
        return Data(tree, _joined(table.values()), _joined([tree, *(table[one] for one in table if "://" not in one)]))

    def _table(self, folder: str, tree: Tree) -> dict[str, Tree]:
        """Return by what an MLTable names, as it is written: the files there, under the last part of its name."""
        if "MLTable" not in tree:
            raise Refusal(folder)
        found = {}
        for written in step.named_in(tree["MLTable"].decode()):
            there = self._read(written if "://" in written else f"{folder}/{written}", "").tree
            found[written] = {f"{os.path.basename(written)}/{inner}": text for inner, text in there.items()}
        return found


def _without_tags(job: Any) -> Any:
    document, *part = job
    return {key: value for key, value in document.items() if key != "tags"}, part


def _joined(trees: Iterable[Tree]) -> Tree:
    return {name: text for tree in trees for name, text in tree.items()}
