"""Random documents of jobs: pipelines, their steps, components and inputs; all of it plain data."""

from __future__ import annotations

import copy
import re
from random import Random
from typing import Any

from tests.model.facts import Document

TEXTS = ["0012", "1.10", "10:30", "1_000", "0x10", "on", "yes", "no", "1e3", "null"]
WRECKS = ["wreck-file", "wreck-link"]
LEAF_INPUTS = {"w": {"type": "string"}, "d": {"type": "uri_folder"}}
LEAF_COMMAND = "STEP plain w=${{inputs.w}} d@${{inputs.d}} : o@${{outputs.o}}"


class JobMaker:
    """Makes jobs of some features. What it may name is registered by `world.Maker`."""

    def __init__(self, chance: Random, features: set[str]) -> None:
        self.chance = chance
        self.features = features
        self.done: list[str] = []
        """Names of jobs of the workspace whose output `final` may be read."""
        self._texts = 0

    def may(self, feature: str, how_often: float = 0.5) -> bool:
        return feature in self.features and self.chance.random() < how_often

    def text(self) -> str:
        self._texts += 1
        return f"t{self._texts}"

    # Components

    def leaf_component(self, version: str) -> Document:
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
            made["inputs"]["w"]["default"] = self.text()
        if self.may("variables"):
            made["environment_variables"] = {"MARK": self.text()}
        elif version != "1":
            made["command"] = LEAF_COMMAND.replace("plain", f"plain{version}")
        if self.may("code"):
            made["code"] = "./src"
        return made

    def middle_component(self) -> Document:
        inner = {
            "component": self.leaf_reference(),
            "inputs": {name: f"${{{{parent.inputs.{name}}}}}" for name in "wd"},
        }
        made: Document = {
            "type": "pipeline",
            "name": "middle",
            "version": "1",
            "inputs": copy.deepcopy(LEAF_INPUTS),
            "outputs": {"o": {"type": "uri_folder"}},
            "jobs": {"x": {"type": "command", **inner, "outputs": {"o": "${{parent.outputs.o}}"}}},
        }
        if self.may("defaults"):
            made["inputs"]["w"]["default"] = "inner"
        return made

    def typed_component(self) -> Document:
        typed: Document = {
            "i": {"type": "integer", "min": 0, "max": 9},
            "f": {"type": "number"},
            "b": {"type": "boolean"},
            "e": {"type": "string", "enum": ["small", "large", "on"]},
        }
        if self.may("typed-inputs"):
            typed["i"]["default"] = 3
        words = " ".join(f"{name}=${{{{inputs.{name}}}}}" for name in typed)
        return {
            "type": "command",
            "name": "typed",
            "version": "1",
            "inputs": {**copy.deepcopy(LEAF_INPUTS), **typed},
            "outputs": {"o": {"type": "uri_folder"}},
            "command": LEAF_COMMAND.replace(" : ", f" {words} : "),
            "environment": "azureml:host",
        }

    # Jobs

    def job(self) -> Document:
        if self.may("command-job", 0.4):
            return self._command_job()
        if "component" in self.features and self.may("pipeline-of-component"):
            inputs = {"w": self.literal(), "d": self._source()}
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
            "inputs": {"w": self.literal(), "d": self._source()},
            "outputs": {"o": {"type": "uri_folder"}},
            "command": LEAF_COMMAND.replace("plain", flavour),
        }

    def _pipeline(self) -> Document:
        settings: Document = {}
        self._document: Document = {
            "type": "pipeline",
            "settings": settings,
            "inputs": {"w": self.literal(), "d": self._source()},
            "outputs": {"final": {"type": "uri_folder"}},
            "jobs": {},
        }
        if "typed-inputs" in self.features:
            self._document["inputs"]["k"] = self.chance.choice([3, "4", 2.5, True])
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
            jobs["z"]["inputs"]["w"] = "z" + self.text()
            last = jobs["abc"[count - 1]]
            for step in (jobs["z"], last):  # nobody knows which ends first, and so what a name of its own would hold
                bound = step["outputs"]["o"]
                if isinstance(bound, dict):
                    step["outputs"]["o"] = {key: bound[key] for key in bound if key not in ("name", "version")}
            if "command" in last:  # a failed attempt, or a link in the output's place, spoils what the other one writes
                last["command"] = re.sub("STEP (plain|flaky|swap) ", "STEP named ", last["command"])
        if self.may("parent-output"):
            jobs["p"] = self._inline("${{parent.outputs.final}}", "plain", None)
        if self.may("finalize"):
            for key in self.chance.sample(["on_init", "on_finalize"], self.chance.randint(1, 2)):
                settings[key] = self.chance.choice(["i", "i", key])
                jobs.setdefault(settings[key], self._inline("${{parent.inputs.d}}", "plain", None))
        if self.may("rerun", 0.3):
            settings["force_rerun"] = True
        if self.may("continue"):
            settings["continue_on_step_failure"] = True
        if not settings:
            del self._document["settings"]
        return self._document

    def _node(self, data: str, is_last: bool) -> Document:
        target = "${{parent.outputs.final}}" if is_last else None
        if self.may("component"):
            return self._component_node(data, target)
        if self.may("typed-inputs"):
            return self._typed_node(data, target)
        flavour = self._flavour()
        return self._inline("${{parent.inputs.d}}" if flavour == "greedy" else data, flavour, target)

    def _component_node(self, data: str, target: str | None) -> Document:
        nested = self.chance.random() < 0.4
        reference = self.chance.choice(["azureml:middle:1", "./middle.yml"]) if nested else self.leaf_reference()
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

    def _typed_node(self, data: str, target: str | None) -> Document:
        """Return a step with literals of several types, most of which fit."""
        bound = "${{parent.inputs.k}}"
        inputs: Document = {"w": self._word(), "d": data}
        inputs["i"] = self.chance.choice([1, 1, "2", 2.0, 9, self.chance.choice([10, "x", 2.5]), bound])
        inputs["f"] = self.chance.choice([0.5, 1, "1e3", "1.50", self.chance.choice(["x", True]), bound])
        inputs["b"] = self.chance.choice([True, False, "yes", "off", self.chance.choice(["maybe", 1]), bound])
        inputs["e"] = self.chance.choice(["small", "small", "large", self.chance.choice(["on", "huge", True])])
        if self.chance.random() < 0.3:
            del inputs["i"]
        outputs = {"o": target} if target else {}
        reference = self.chance.choice(["./typed.yml", "azureml:typed:1"])
        return {"type": "command", "component": reference, "inputs": inputs, "outputs": outputs}

    def leaf_reference(self) -> str:
        return self.chance.choice(["azureml:leaf:1", "azureml:leaf@latest", "azureml:leaf", "./leaf.yml"])

    def _inline(self, data: str, flavour: str, target: str | None) -> Document:
        step: Document = {
            "type": "command",
            "environment": "azureml:host",
            "inputs": {"w": self._word(), "d": data},
            "outputs": {"o": target or {"type": "uri_folder"}},
            "command": LEAF_COMMAND.replace("STEP plain", f"STEP {flavour}"),
        }
        if flavour == "flaky":
            step["properties"] = {"smalt.retries": "3" if "kill" in self.features else "1"}
            step["environment_variables"] = {"FLAKY": "MARKS"}
        if flavour == "trap":
            step["command"] = "trap 'exit 0' TERM; " + step["command"]
        self._add_inputs(step)
        self._add_outputs(step, target, flavour)
        if self.may("variables"):
            step.setdefault("environment_variables", {})["MARK"] = self.literal()
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
            step["inputs"]["w.y"] = self.literal()
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
        certain = flavour in ("plain", "slow", "art", "metric", "flaky")
        if target is not None:
            if self.may("promoted-name"):
                asset = self._named("node")
                step["outputs"]["o"] = {**spec, "path": target, **asset}
            return
        rest = str(self._document["jobs"])
        if (
            self.may("fixed-path")
            and certain
            and flavour != "flaky"  # what a failed attempt left in a path that was given stays there
            and "/fixed/" not in rest
            and not self.features & {"twins", "cancel", "kill"}
        ):
            place = self.chance.choice(["fixed/staging/feat", "fixed/plain", "fixed/JOB/feat", "fixed/JOB/feat"])
            spec["path"] = f"azureml://datastores/workspaceblobstore/paths/{place}/"
        elif self.may("named-version") and certain and "single" not in rest and "twins" not in self.features:
            spec |= {"name": "single", "version": "1"}
        elif self.may("named"):
            spec |= {"name": "made"}
        elif self.may("models", 0.4):
            spec = {"type": "custom_model", "name": "trained"}
        if self.may("modes") and flavour not in ("swap", "loop"):
            spec["mode"] = self.chance.choice(["upload", "rw_mount"])
        step["outputs"]["o"] = spec
        if self._current and self.may("typed"):
            step["outputs"]["n"] = {"type": "integer"}
            step["command"] += " n#${{outputs.n}}"
            self._numbers.append(f"${{{{parent.jobs.{self._current}.outputs.n}}}}")

    def _named(self, name: str) -> Document:
        is_certain = "twins" not in self.features and self.chance.random() < 0.3
        return {"name": name, "version": "4"} if is_certain else {"name": name}

    def _flavour(self) -> str:
        if self.may("cancel", 0.6):
            return "trap"
        if "during" in self.features or "kill" in self.features:
            some = [one for one, of in (("metric", "metrics"), ("flaky", "flaky")) if self.may(of)]
            return self.chance.choice(some or ["plain", "slow"])
        for feature, flavour in (
            ("metrics", "metric"),
            ("metrics", "metric"),
            ("fail", "fail"),
            ("continue", "fail"),
            ("flaky", "flaky"),
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
        return self.chance.choice(["${{parent.inputs.w}}", self.literal()])

    def literal(self) -> Any:
        if self.may("text"):
            return self.chance.choice(TEXTS)
        return self.chance.choice(["alpha", "beta", self.text(), 7])

    def _source(self) -> Document:
        paths = ["./d0", "azureml:d:1"]
        if "greedy" in self.features:
            return {"type": "uri_folder", "path": "azureml:d:1"}
        for feature, more in (
            ("blank", ["./my data"]),
            ("link", ["./current"]),
            ("lake", ["azureml://datastores/lake/paths/in/"]),
            ("label", ["azureml:d@latest", "azureml:d"]),
            ("registered", ["azureml:d@latest"]),
            ("during", ["azureml:d@latest"]),
            ("models", ["azureml:m:1", "azureml:m@latest", "azureml:m", "azureml:mm:1"]),
            ("job-output", [f"azureml://jobs/{name}/outputs/final" for name in self.done]),
        ):
            if feature in self.features:
                paths += more * 3
        path = self.chance.choice(paths)
        kinds = {"azureml:mm:1": "mlflow_model", "azureml:m:1": "custom_model", "azureml:m": "custom_model"}
        return {"type": kinds.get(path.partition("@")[0], "uri_folder"), "path": path}
