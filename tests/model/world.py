"""Random scripts: a small workspace, pipelines in it, and edits between their runs; all of it plain data."""

from __future__ import annotations

import copy
from collections.abc import Callable, Set
from random import Random
from typing import Any

Operation = dict[str, Any]
Document = dict[str, Any]

FEATURES = {
    "blank": "data in a folder with a blank in its name",
    "link": "an input by way of a link, which is moved later",
    "mltable": "MLTables that name files beside them, outside of their folder and by URL",
    "url": "a file of the web by the url-map, which is changed later",
    "lake": "a path of a datastore, which is registered again for another folder later",
    "label": "data by label and without version",
    "job-output": "the output of an earlier job as an input",
    "component": "components by file, version and label, without version, nested",
    "pipeline-of-component": "a pipeline job that is only a component",
    "defaults": "inputs that a component has a default for",
    "code": "code in a folder, edited later",
    "variables": "environment variables",
    "modes": "modes of inputs and outputs",
    "typed": "a number that a step writes, with and without text around it",
    "named": "named outputs without version",
    "named-version": "named outputs with a version",
    "promoted-name": "a name and a version on an output that is bound to the pipeline's",
    "fixed-path": "outputs at a path that is given, with a segment like a job's name",
    "writers": "several writers of one output",
    "finalize": "on_init and on_finalize, the same step for both at times",
    "parent-output": "an input bound to an output of the pipeline itself",
    "dotted": "inputs with a dot in their name, and expressions with one too many",
    "text": "literals that look like other things: 0012, 1.10, on",
    "set": "--set of inputs that are there and that are not",
    "command-job": "command jobs on their own, which leave files that are no outputs",
    "wreck": "a step that takes its own folders away",
    "greedy": "a step that writes into a registered version that it reads",
    "swap": "a step that puts a link in the place of its output",
    "loop": "a step that leaves a link that leads to itself",
    "fail": "a step that fails",
    "cancel": "cancel while a job runs, of steps that end well when they are told to end",
    "kill": "SIGKILL of server or launcher while a job runs",
    "during": "a new version while a job runs",
    "twins": "two submissions at once",
    "many": "data registered several times at once",
    "same-name": "a job of a name that is there",
    "delete": "jobs are deleted, and prune",
    "archive": "versions are archived",
    "artifacts": "steps that leave files that are no outputs, which are removed later",
    "only": "one step of an earlier job again",
    "export": "an earlier job is exported, and the export runs",
    "update": "a job that was got is changed and given back",
    "upload": "data is registered by a client elsewhere, and files can be executed",
    "rerun": "force_rerun and is_deterministic: false",
    "busy": "a server that is never idle",
}
"""What a script may do; each script does some of it."""

NAMES = ["staging", "feat", "one", "two", "three", "four", "five", "six", "seven", "eight"]
TEXTS = ["0012", "1.10", "10:30", "1_000", "0x10", "on", "yes", "no", "1e3", "null"]
WRECKS = ["wreck-file", "wreck-link"]
LEAF_INPUTS = {"w": {"type": "string"}, "d": {"type": "uri_folder"}}
LEAF_COMMAND = "STEP plain w=${{inputs.w}} d@${{inputs.d}} : o@${{outputs.o}}"


def make_script(chance: Random, without: Set[str] = frozenset(), always: Set[str] = frozenset()) -> list[Operation]:
    """Return a random script that uses some features, none of those `without`; or exactly those of `always`."""
    possible = [name for name in FEATURES if name not in without]
    some = {name for name in possible if chance.random() < 0.2}
    return Maker(chance, set(always) or some).script()


class Maker:
    def __init__(self, chance: Random, features: set[str]) -> None:
        self.chance = chance
        self.features = features
        self.operations: list[Operation] = []
        self._edits: list[Callable[[], Operation | None]] = []
        self._names = list(NAMES)
        self._versions = 1
        self._texts = 0
        self._assets = ["d"]
        self._done: list[str] = []
        """Names of jobs whose output `final` may be read."""

    def script(self) -> list[Operation]:
        self._setup()
        documents = [self._job()]
        for _ in range(self.chance.randint(2, 4)):
            document = self.chance.choice(documents)
            if self.chance.random() < 0.3:
                document = self._changed(document)
                documents.append(document)
            self._run(document)
            for _ in range(self.chance.choice([0, 1, 1, 2])):
                self._edit()
        self._run(self.chance.choice(documents))
        return self.operations

    def may(self, feature: str, how_often: float = 0.5) -> bool:
        return feature in self.features and self.chance.random() < how_often

    def _do(self, do: str, **arguments: Any) -> None:
        self.operations.append({"do": do, **arguments})

    def _text(self) -> str:
        self._texts += 1
        return f"t{self._texts}"

    # The workspace

    def _setup(self) -> None:
        if "busy" in self.features:
            self._do("busy")
        for folder in ("d0", "d1"):
            self._do("write", path=f"{folder}/f.txt", text=self._text())
            self._do("write", path=f"{folder}/sub/g.txt", text=self._text())
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
        ):
            if feature in self.features:
                setup()
        if self.features & {"delete"}:
            self._edits += [self._delete, self._delete, lambda: {"do": "prune"}]
        if "artifacts" in self.features:
            self._edits += [lambda: {"do": "drop", "job": self._done[-1]} if self._done else None] * 2
        if "update" in self.features:
            self._edits += [self._update] * 2
        if "swap" in self.features:
            self._edits.append(lambda: {"do": "prune"})
        if "many" in self.features:
            self._edits.append(lambda: {"do": "many", "name": "crowd", "path": "d1", "count": 4})

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
        return {"do": "update", "job": self._done[-1], "changes": changes} if self._done else None

    def _blank(self) -> None:
        self._do("write", path="my data/f.txt", text=self._text())

    def _link(self) -> None:
        self._do("link", path="current", to="d0")
        self._edits += [lambda: {"do": "link", "path": "current", "to": self.chance.choice(["d0", "d1"])}] * 3

    def _mltable(self) -> None:
        self._do("write", path="outside.csv", text=self._text())
        self._do("write", path="table/rows.csv", text=self._text())
        self._do("write", path="site/x.csv", text=self._text())
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
            self._do("write", path=f"{folder}/x.csv", text=self._text())
        self._do("map", prefix="https://SITE/", folder="site")
        self._edits += [lambda: {"do": "map", "prefix": "https://SITE/", "folder": "mirror"}] * 2
        self._edits.append(self._edit_file("site/x.csv"))

    def _lake(self) -> None:
        for folder in ("lake0", "lake1"):
            self._do("write", path=f"{folder}/in/f.txt", text=self._text())
        self._do("datastore", name="lake", folder="lake0")
        self._edits += [lambda: {"do": "datastore", "name": "lake", "folder": "lake1"}] * 2
        self._edits.append(self._edit_file("lake0/in/f.txt"))

    def _code(self) -> None:
        self._do("write", path="src/code.txt", text=self._text())
        self._edits += [self._edit_file("src/code.txt")] * 2

    def _components(self) -> None:
        self._do("yaml", path="leaf.yml", document=self._leaf_component("1"))
        self._do("component", path="leaf.yml")
        inner = {
            "component": self._leaf_reference(),
            "inputs": {name: f"${{{{parent.inputs.{name}}}}}" for name in "wd"},
        }
        middle = {
            "type": "pipeline",
            "name": "middle",
            "version": "1",
            "inputs": copy.deepcopy(LEAF_INPUTS),
            "outputs": {"o": {"type": "uri_folder"}},
            "jobs": {"x": {"type": "command", **inner, "outputs": {"o": "${{parent.outputs.o}}"}}},
        }
        if self.may("defaults"):
            middle["inputs"]["w"]["default"] = "inner"  # type: ignore[index]
        self._do("yaml", path="middle.yml", document=middle)
        self._do("component", path="middle.yml")
        self._edits += [self._new_leaf] * 3
        if "archive" in self.features:
            self._edits.append(
                lambda: {"do": "archive", "noun": "components", "name": "leaf", "version": str(self._versions)}
            )

    def _leaf_component(self, version: str) -> Document:
        made: Document = {
            "type": "command",
            "name": "leaf",
            "version": version,
            "inputs": copy.deepcopy(LEAF_INPUTS),
            "outputs": {"o": {"type": "uri_folder"}},
            "command": LEAF_COMMAND,
            "environment": "azureml:host",
        }
        if "defaults" in self.features:
            made["inputs"]["w"]["default"] = self._text()
        if self.may("variables"):
            made["environment_variables"] = {"MARK": self._text()}
        elif version != "1":
            made["command"] = LEAF_COMMAND.replace("plain", f"plain{version}")
        if self.may("code"):
            made["code"] = "./src"
        return made

    # Edits

    def _edit(self) -> None:
        operation = self.chance.choice(self._edits)()
        if operation is not None:
            self.operations.append(operation)

    def _edit_file(self, path: str) -> Callable[[], Operation]:
        return lambda: {"do": "write", "path": path, "text": self._text()}

    def _new_version(self) -> Operation:
        self._versions += 1
        self._do("write", path=f"v{self._versions}/f.txt", text=self._text())
        version = self.chance.choice([None, str(self._versions)])
        made = {"do": "data", "name": "d", "version": version, "path": f"v{self._versions}", "type": "uri_folder"}
        if self.may("upload"):
            self._do("write", path=f"v{self._versions}/run.sh", text=self._text(), executable=True)
            made["remote"] = True
        return made

    def _new_leaf(self) -> Operation:
        self._versions += 1
        self._do("yaml", path="leaf.yml", document=self._leaf_component(str(self._versions)))
        return {"do": "component", "path": "leaf.yml"}

    def _delete(self) -> Operation | None:
        if not self._done:
            return None
        name = self.chance.choice(self._done)
        self._done.remove(name)
        if "same-name" in self.features or self.chance.random() < 0.5:
            self._names.insert(0, name)
        return {"do": "delete", "job": name}

    def _changed(self, document: Document) -> Document:
        """Another job, or the same with something changed in one of its steps."""
        if self.chance.random() < 0.3:
            return self._job()
        made = copy.deepcopy(document)
        step = self.chance.choice(list(made.get("jobs", {}).values()) or [made])
        if self.may("variables") and "command" in step:
            step["environment_variables"] = {"MARK": self._text()}
        elif "w" in step.get("inputs", {}):
            step["inputs"]["w"] = self._text()
        return made

    # Runs

    def _run(self, document: Document) -> None:
        again = self.may("same-name", 0.4) and self._done
        name = self.chance.choice(self._done) if again else self._names.pop(0)
        if "fixed/JOB" in str(document):
            document = _replaced(document, "fixed/JOB", f"fixed/{name}")
        job: Operation = {"name": name, "document": document}
        inputs = document.get("inputs") or {}
        if self.may("set") and "w" in inputs:
            key = self.chance.choice(["inputs.w", "inputs.w", "inputs.ww", "tags.build"])
            job["sets"] = {
                key: self.chance.choice(TEXTS) if key == "tags.build" else self.chance.choice(["set", "gamma"])
            }
        if self.may("only") and self._done and "jobs" in document and not again:
            job["only"] = self.chance.choice(list(document["jobs"]))
            job["of"] = self._done[-1]
        if self.may("export") and self._done and not again and "only" not in job:
            job = {"name": name, "export": self.chance.choice(self._done)}
        jobs, during = [job], None
        if self.may("twins") and not again:
            jobs.append({"name": self._names.pop(0), "document": document})
        if self.may("cancel"):
            during = {"cancel": True, "after": self.chance.choice([0, 5, 20, 60, 150, 300])}
        elif self.may("kill", 0.3):
            whom = self.chance.choice(["server", "launcher", "both"])
            during = {"kill": whom, "after": self.chance.choice([0, 10, 50, 150])}
        elif self.may("during"):
            during = {"edits": [self._new_version()]}
        self._do("run", jobs=jobs, **({"during": during} if during else {}))
        for one in jobs:
            if "outputs" in document and name not in self._done:
                self._done.append(one["name"])

    # Jobs

    def _job(self) -> Document:
        if self.may("command-job", 0.4):
            return self._command_job()
        if "component" in self.features and self.may("pipeline-of-component"):
            inputs = {"w": self._literal(), "d": self._source()}
            if self.may("defaults"):
                del inputs["w"]
            reference = self.chance.choice(["azureml:middle:1", "./middle.yml", "azureml:nosuch:1"])
            return {
                "type": "pipeline",
                "component": reference,
                "inputs": inputs,
                "outputs": {"o": {"type": "uri_folder"}},
            }
        return self._pipeline()

    def _command_job(self) -> Document:
        flavour = self.chance.choice(WRECKS) if self.may("wreck") else "art"
        return {
            "type": "command",
            "environment": "azureml:host",
            "inputs": {"w": self._literal(), "d": self._source()},
            "outputs": {"o": {"type": "uri_folder"}},
            "command": LEAF_COMMAND.replace("plain", flavour),
        }

    def _pipeline(self) -> Document:
        settings: Document = {}
        self._document: Document = {
            "type": "pipeline",
            "settings": settings,
            "inputs": {"w": self._literal(), "d": self._source()},
            "outputs": {"final": {"type": "uri_folder"}},
            "jobs": {},
        }
        jobs = self._document["jobs"]
        self._numbers: list[str] = []
        self._current = ""
        data = ["${{parent.inputs.d}}"]
        count = self.chance.randint(1, 3)
        for number in range(count):
            name = self._current = "abc"[number]
            jobs[name] = self._node(self.chance.choice(data), number == count - 1)
            if "${{parent.outputs" not in str(jobs[name]["outputs"]):
                data = data[-1:] + [f"${{{{parent.jobs.{name}.outputs.o}}}}"] * 2
        self._current = ""
        if self.may("writers"):
            jobs["z"] = self._inline("${{parent.inputs.d}}", "named", "${{parent.outputs.final}}")
            jobs["z"]["inputs"]["w"] = "z" + self._text()
            last = jobs["abc"[count - 1]]
            for step in (jobs["z"], last):  # nobody knows which ends first, and so what a name of its own would hold
                bound = step["outputs"]["o"]
                if isinstance(bound, dict):
                    step["outputs"]["o"] = {key: bound[key] for key in bound if key not in ("name", "version")}
            if "command" in last:
                last["command"] = last["command"].replace("STEP plain ", "STEP named ")
        if self.may("parent-output"):
            jobs["p"] = self._inline("${{parent.outputs.final}}", "plain", None)
        if self.may("finalize"):
            for key in self.chance.sample(["on_init", "on_finalize"], self.chance.randint(1, 2)):
                settings[key] = self.chance.choice(["i", "i", key])
                jobs.setdefault(settings[key], self._inline("${{parent.inputs.d}}", "plain", None))
        if self.may("rerun", 0.3):
            settings["force_rerun"] = True
        if not settings:
            del self._document["settings"]
        return self._document

    def _node(self, data: str, is_last: bool) -> Document:
        target = "${{parent.outputs.final}}" if is_last else None
        if self.may("component"):
            return self._component_node(data, target)
        flavour = self._flavour()
        return self._inline("${{parent.inputs.d}}" if flavour == "greedy" else data, flavour, target)

    def _component_node(self, data: str, target: str | None) -> Document:
        nested = self.chance.random() < 0.4
        reference = self.chance.choice(["azureml:middle:1", "./middle.yml"]) if nested else self._leaf_reference()
        inputs = {"w": self._word(), "d": data}
        if "defaults" in self.features and (not nested or self.chance.random() < 0.2):
            del inputs["w"]
        outputs = {"o": target} if target else {}
        return {
            "type": "pipeline" if nested else "command",
            "component": reference,
            "inputs": inputs,
            "outputs": outputs,
        }

    def _leaf_reference(self) -> str:
        return self.chance.choice(["azureml:leaf:1", "azureml:leaf@latest", "azureml:leaf", "./leaf.yml"])

    def _inline(self, data: str, flavour: str, target: str | None) -> Document:
        step: Document = {
            "type": "command",
            "environment": "azureml:host",
            "inputs": {"w": self._word(), "d": data},
            "outputs": {"o": target or {"type": "uri_folder"}},
            "command": LEAF_COMMAND.replace("STEP plain", f"STEP {flavour}"),
        }
        if flavour == "trap":
            step["command"] = "trap 'exit 0' TERM; " + step["command"]
        self._add_inputs(step)
        self._add_outputs(step, target, flavour)
        if self.may("variables"):
            step["environment_variables"] = {"MARK": self._literal()}
        if self.may("code"):
            step["code"] = "./src"
        return step

    def _add_inputs(self, step: Document) -> None:
        if self.may("mltable"):
            step["inputs"]["t"] = {"type": "mltable", "path": "./table"}
            step["command"] = step["command"].replace(" : ", " t%${{inputs.t}} : ")
        if self.may("url"):
            step["inputs"]["u"] = {"type": "uri_file", "path": "https://SITE/x.csv"}
            step["command"] = step["command"].replace(" : ", " u@${{inputs.u}} : ")
        if self.may("dotted", 0.4):
            step["inputs"]["w.y"] = self._literal()
            name = self.chance.choice(["w.y", "w.y", "w.typo"])
            step["command"] = step["command"].replace(" : ", f" y=${{{{inputs.{name}}}}} : ")
        if self._numbers and self._current and self.may("typed"):
            around = self.chance.choice(["{}", "a-{}-b"])
            step["inputs"]["n"] = around.format(self._numbers[-1])
            step["command"] = step["command"].replace(" : ", " n=${{inputs.n}} : ")
        if self.may("modes"):
            bound = step["inputs"]["d"]
            if bound.startswith("${{"):
                mode = self.chance.choice(["download", "ro_mount", "direct"])
                step["inputs"]["d"] = {"type": "uri_folder", "path": bound, "mode": mode}

    def _add_outputs(self, step: Document, target: str | None, flavour: str) -> None:
        spec = {"type": "uri_folder"}
        certain = flavour in ("plain", "slow", "art")
        if target is not None:
            if self.may("promoted-name"):
                asset = self._asset("node")
                step["outputs"]["o"] = {**spec, "path": target, **asset}
            return
        rest = str(self._document["jobs"])
        if (
            self.may("fixed-path")
            and certain
            and "/fixed/" not in rest
            and not self.features & {"twins", "cancel", "kill"}
        ):
            place = self.chance.choice(["fixed/staging/feat", "fixed/plain", "fixed/JOB/feat", "fixed/JOB/feat"])
            spec["path"] = f"azureml://datastores/workspaceblobstore/paths/{place}/"
        elif self.may("named-version") and certain and "single" not in rest and "twins" not in self.features:
            spec |= {"name": "single", "version": "1"}
        elif self.may("named"):
            spec |= {"name": "made"}
        if self.may("modes") and flavour not in ("swap", "loop"):
            spec["mode"] = self.chance.choice(["upload", "rw_mount"])
        step["outputs"]["o"] = spec
        if self._current and self.may("typed"):
            step["outputs"]["n"] = {"type": "integer"}
            step["command"] += " n#${{outputs.n}}"
            self._numbers.append(f"${{{{parent.jobs.{self._current}.outputs.n}}}}")

    def _asset(self, name: str) -> Document:
        return {"name": name, "version": "4"} if self.chance.random() < 0.3 else {"name": name}

    def _flavour(self) -> str:
        if self.may("cancel", 0.6):
            return "trap"
        if "during" in self.features or "kill" in self.features:
            return self.chance.choice(["plain", "slow"])
        for feature, flavour in (
            ("fail", "fail"),
            ("wreck", self.chance.choice(WRECKS)),
            ("greedy", "greedy"),
            ("swap", "swap"),
            ("loop", "loop"),
            ("artifacts", "art"),
        ):
            if self.may(feature, 0.3):
                return flavour
        return "plain"

    # Inputs

    def _word(self) -> Any:
        return self.chance.choice(["${{parent.inputs.w}}", self._literal()])

    def _literal(self) -> Any:
        if self.may("text"):
            return self.chance.choice(TEXTS)
        return self.chance.choice(["alpha", "beta", self._text(), 7])

    def _source(self) -> Document:
        paths = ["./d0", "azureml:d:1"]
        if "greedy" in self.features:
            return {"type": "uri_folder", "path": "azureml:d:1"}
        for feature, more in (
            ("blank", ["./my data"]),
            ("link", ["./current"]),
            ("lake", ["azureml://datastores/lake/paths/in/"]),
            ("label", ["azureml:d@latest", "azureml:d"]),
            ("during", ["azureml:d@latest"]),
            ("job-output", [f"azureml://jobs/{name}/outputs/final" for name in self._done]),
        ):
            if feature in self.features:
                paths += more * 3
        return {"type": "uri_folder", "path": self.chance.choice(paths)}


def _replaced(value: Any, old: str, new: str) -> Any:
    """Return a copy of a document with a text replaced in all its texts."""
    if isinstance(value, dict):
        return {key: _replaced(one, old, new) for key, one in value.items()}
    return value.replace(old, new) if isinstance(value, str) else value
