"""Random scripts: a small workspace, jobs in it, and edits between their runs; all of it plain data."""

from __future__ import annotations

import copy
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.model.documents import replaced
from tests.model.facts import Document
from tests.model.features import FEATURES
from tests.model.jobs import TEXTS, JobMaker

Operation = dict[str, Any]

NAMES = ["staging", "feat", "one", "two", "three", "four", "five", "six", "seven", "eight"]


@dataclass
class Space:
    """A workspace as far as scripts know it."""

    names: list[str] = field(default_factory=lambda: list(NAMES))
    """Names that jobs may be given."""
    done: list[str] = field(default_factory=list)


def make_script(chance: Random, without: Set[str] = frozenset(), always: Set[str] = frozenset()) -> list[Operation]:
    """Return a random script that uses some features, none of those `without`; or exactly those of `always`."""
    possible = [name for name in FEATURES if name not in without]
    some = {name for name in possible if chance.random() < 0.2}
    return Maker(chance, set(always) or some).script()


class Maker(JobMaker):
    def __init__(self, chance: Random, features: set[str]) -> None:
        super().__init__(chance, features)
        self.operations: list[Operation] = []
        self._edits: list[Callable[[], Operation | None]] = []
        self._versions = 1
        self._spaces = {"": Space()}
        self._enter("")

    def script(self) -> list[Operation]:
        self._setup()
        documents = [self.job()]
        for _ in range(self.chance.randint(2, 4)):
            document = self.chance.choice(documents)
            if self.chance.random() < 0.3:
                document = self._changed(document)
                documents.append(document)
            self._run(document)
            for _ in range(self.chance.choice([0, 1, 1, 2])):
                self._edit()
            if self.may("workspaces"):
                self._switch()
        self._run(self.chance.choice(documents))
        return self.operations

    def _do(self, do: str, **arguments: Any) -> None:
        self.operations.append({"do": do, **arguments})

    # The workspace

    def _setup(self) -> None:
        if "busy" in self.features:
            self._do("busy")
        for folder in ("d0", "d1"):
            self._do("write", path=f"{folder}/f.txt", text=self.text())
            self._do("write", path=f"{folder}/sub/g.txt", text=self.text())
        self._do("data", name="d", version="1", path="d0", type="uri_folder")
        self._edits += [self._edit_file("d0/f.txt"), self._edit_file("d0/more.txt"), self._new_version]
        if self.features & {"label", "during", "archive"}:
            self._edits += [self._new_version] * 2
        if "archive" in self.features:
            self._edits.append(lambda: {"do": "archive", "noun": "data", "name": "d", "version": str(self._versions)})
        for feature, setup in (
            ("blank", self._blank),
            ("link", self._link),
            ("mltable", self._mltable),
            ("url", self._url),
            ("lake", self._lake),
            ("code", self._code),
            ("component", self._components),
            ("models", self._models),
            ("typed-inputs", self._typed),
        ):
            if feature in self.features:
                setup()
        self._add_edits()

    def _add_edits(self) -> None:
        """Add the edits that need nothing to be there."""
        if "delete" in self.features:
            self._edits += [self._delete, self._delete, lambda: {"do": "prune"}]
        if "artifacts" in self.features:
            self._edits += [lambda: {"do": "drop", "job": self.done[-1]} if self.done else None] * 2
        if "update" in self.features:
            self._edits += [self._update] * 2
        if "swap" in self.features:
            self._edits.append(lambda: {"do": "prune"})
        if "many" in self.features:
            self._edits.append(lambda: {"do": "many", "name": "crowd", "path": "d1", "count": 4})
        if "registered" in self.features:
            self._edits += [lambda: self._register_output("d", "uri_folder")] * 3 + [self._delete]
        if "compare" in self.features:
            self._edits += [self._compare] * 5

    def _blank(self) -> None:
        self._do("write", path="my data/f.txt", text=self.text())

    def _link(self) -> None:
        self._do("link", path="current", to="d0")
        self._edits += [lambda: {"do": "link", "path": "current", "to": self.chance.choice(["d0", "d1"])}] * 3

    def _mltable(self) -> None:
        self._do("write", path="outside.csv", text=self.text())
        self._do("write", path="table/rows.csv", text=self.text())
        self._do("write", path="site/x.csv", text=self.text())
        self._do("map", prefix="https://SITE/", folder="site")
        named = self.chance.sample(["./rows.csv", "../outside.csv", "https://SITE/x.csv", "../d1"], 2)
        entries = [f"{'file' if one.endswith('.csv') else 'folder'}: {one}" for one in named]
        block = "".join(f"\n  - {one}" for one in entries)
        flow = " [" + ", ".join(f"{{{one}}}" for one in entries) + "]"
        text = f"paths:{self.chance.choice([block, flow])}\ntransformations:\n  - read_delimited: {{}}\n"
        self._do("write", path="table/MLTable", text=text)
        self._edits += [self._edit_file(one) for one in ("outside.csv", "site/x.csv", "table/rows.csv", "d1/f.txt")] * 2

    def _url(self) -> None:
        for folder in ("site", "mirror"):
            self._do("write", path=f"{folder}/x.csv", text=self.text())
        self._do("map", prefix="https://SITE/", folder="site")
        self._edits += [lambda: {"do": "map", "prefix": "https://SITE/", "folder": "mirror"}] * 2
        self._edits.append(self._edit_file("site/x.csv"))

    def _lake(self) -> None:
        for folder in ("lake0", "lake1"):
            self._do("write", path=f"{folder}/in/f.txt", text=self.text())
        self._do("datastore", name="lake", folder="lake0")
        self._edits += [lambda: {"do": "datastore", "name": "lake", "folder": "lake1"}] * 2
        self._edits.append(self._edit_file("lake0/in/f.txt"))

    def _code(self) -> None:
        self._do("write", path="src/code.txt", text=self.text())
        self._edits += [self._edit_file("src/code.txt")] * 2

    def _components(self) -> None:
        self._do("yaml", path="leaf.yml", document=self.leaf_component("1"))
        self._do("component", path="leaf.yml")
        self._do("yaml", path="middle.yml", document=self.middle_component())
        self._do("component", path="middle.yml")
        self._edits += [self._new_leaf] * 3
        if "archive" in self.features:
            self._edits.append(
                lambda: {"do": "archive", "noun": "components", "name": "leaf", "version": str(self._versions)}
            )

    def _models(self) -> None:
        self._do("write", path="m0/f.txt", text=self.text())
        self._do("data", name="m", version="1", path="m0", type="custom_model")
        self._do("write", path="mm0/MLmodel", text="flavors:\n  python_function: {loader_module: f}\n")
        self._do("data", name="mm", version="1", path="mm0", type="mlflow_model")
        self._edits += [lambda: self._register_output("m", "custom_model")] * 2 + [self._edit_file("m0/f.txt")]

    def _typed(self) -> None:
        self._do("yaml", path="typed.yml", document=self.typed_component())
        self._do("component", path="typed.yml")

    # Workspaces

    def _enter(self, name: str) -> None:
        self._space = name
        self._names, self.done = self._spaces[name].names, self._spaces[name].done

    def _switch(self) -> None:
        """Go on in the other workspace, where the names mean other data."""
        other = "" if self._space else "b"
        is_new = other not in self._spaces
        self._spaces.setdefault(other, Space())
        self._enter(other)
        self._do("switch", to=other)
        if is_new:
            self._do("data", name="d", version="1", path="d1", type="uri_folder")
            for feature, edits in (
                ("lake", [{"do": "datastore", "name": "lake", "folder": "lake1"}]),
                ("component", [{"do": "component", "path": "leaf.yml"}, {"do": "component", "path": "middle.yml"}]),
                ("models", [{"do": "data", "name": "m", "version": "1", "path": "d1", "type": "custom_model"}]),
                ("typed-inputs", [{"do": "component", "path": "typed.yml"}]),
            ):
                if feature in self.features:
                    self.operations += edits

    # Edits

    def _edit_during(self) -> Operation:
        """Return an edit that a job does not see that was submitted before."""
        possible = [self._new_version, lambda: {"do": "prune"}]
        if "component" in self.features:
            possible += [self._new_leaf] * 2
        if "archive" in self.features:
            possible.append(lambda: {"do": "archive", "noun": "data", "name": "d", "version": str(self._versions)})
        return self.chance.choice(possible)()

    def _edit(self) -> None:
        operation = self.chance.choice(self._edits)()
        if operation is not None:
            self.operations.append(operation)

    def _edit_file(self, path: str) -> Callable[[], Operation]:
        return lambda: {"do": "write", "path": path, "text": self.text()}

    def _new_version(self) -> Operation:
        self._versions += 1
        self._do("write", path=f"v{self._versions}/f.txt", text=self.text())
        version = self.chance.choice([None, str(self._versions)])
        made = {"do": "data", "name": "d", "version": version, "path": f"v{self._versions}", "type": "uri_folder"}
        if self.may("upload"):
            self._do("write", path=f"v{self._versions}/run.sh", text=self.text(), executable=True)
            made["remote"] = True
        return made

    def _register_output(self, name: str, type: str) -> Operation | None:
        """Register what a job made."""
        if not self.done:
            return None
        path = f"azureml://jobs/{self.chance.choice(self.done)}/outputs/final"
        return {"do": "data", "name": name, "path": path, "type": type}

    def _new_leaf(self) -> Operation:
        self._versions += 1
        self._do("yaml", path="leaf.yml", document=self.leaf_component(str(self._versions)))
        return {"do": "component", "path": "leaf.yml"}

    def _delete(self) -> Operation | None:
        if not self.done:
            return None
        name = self.chance.choice(self.done)
        self.done.remove(name)
        if "same-name" in self.features or self.chance.random() < 0.5:
            self._names.insert(0, name)
        return {"do": "delete", "job": name}

    def _update(self) -> Operation | None:
        changes: dict[str, Any] = self.chance.choice(
            [
                {"tags": {"only": "1"}},
                {"display_name": "shown"},
                {"description": "told"},
                {"experiment_name": "moved"},
                {"command": "true"},
            ]
        )
        return {"do": "update", "job": self.done[-1], "changes": changes} if self.done else None

    def _compare(self) -> Operation | None:
        if len(self.done) < 2:
            return None
        first, second = self.chance.sample(self.done, 2)
        return {"do": "compare", "first": first, "second": second}

    def _changed(self, document: Document) -> Document:
        """Another job, or the same with something changed in one of its steps."""
        if self.chance.random() < 0.3:
            return self.job()
        made = copy.deepcopy(document)
        step = self.chance.choice(list(made.get("jobs", {}).values()) or [made])
        if self.may("variables") and "command" in step:
            step.setdefault("environment_variables", {})["MARK"] = self.text()
        elif "w" in step.get("inputs", {}):
            step["inputs"]["w"] = self.text()
        return made

    # Runs

    def _run(self, document: Document) -> None:
        again = self.may("same-name", 0.4) and self.done
        name = self.chance.choice(self.done) if again else self._names.pop(0)
        if "fixed/JOB" in str(document):
            document = replaced(document, "fixed/JOB", f"fixed/{name}")
        job: Operation = {"name": name, "document": document}
        if self.may("set"):
            self._set(job)
        if not again and self.done and "jobs" in document:
            if self.may("only"):
                job |= {"only": self.chance.choice(list(document["jobs"])), "of": self.done[-1]}
            elif self.may("only-newest"):
                job |= {"only": self.chance.choice(list(document["jobs"]))}
        if self.may("export") and self.done and not again and "only" not in job:
            job = {"name": name, "export": self.chance.choice(self.done)}
        jobs, during = [job], None
        if self.may("twins") and not again:
            jobs.append({"name": self._names.pop(0), "document": document})
        if self.may("cancel"):
            during = {"cancel": True, "after": self.chance.choice([0, 5, 20, 60, 150, 300])}
        elif self.may("kill", 0.3):
            whom = self.chance.choice(["server", "launcher", "both"])
            during = {"kill": whom, "after": self.chance.choice([0, 10, 50, 150])}
        elif self.may("during"):
            during = {"edits": [self._edit_during()]}
        self._do("run", jobs=jobs, **({"during": during} if during else {}))
        for one in jobs:
            if "outputs" in document and name not in self.done:
                self.done.append(one["name"])

    def _set(self, job: Operation) -> None:
        inputs = job["document"].get("inputs") or {}
        if "k" in inputs and self.chance.random() < 0.4:
            job["sets"] = {"inputs.k": self.chance.choice(["5", "2.5", "x"])}
        elif "w" in inputs:
            key = self.chance.choice(["inputs.w", "inputs.w", "inputs.ww", "tags.build"])
            texts = TEXTS if key == "tags.build" else ["set", "gamma"]
            job["sets"] = {key: self.chance.choice(texts)}
