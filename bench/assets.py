"""Create, use in a job and archive every asset YAML of an azureml-examples checkout; prints a table.

    python bench/assets.py CHECKOUT [--only TEXT …] [--home FOLDER] [--limit SECONDS]

Data, environments, models and components below cli/assets, cli/jobs and sdk, unedited but for a version where the file
has a placeholder for it. Data and models are an input of a job that reads them (a table is loaded), an environment runs
Python, a component is the step of the pipelines in the checkout that name its file, which then name the registered
one instead; where there is none, one pipeline has the components of a folder that has data, and else a pipeline with
made-up inputs has it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import corpus

import yaml

_ROOTS = ("cli/assets", "cli/jobs", "sdk")
_SCHEMA = re.compile(r"^\$schema:\s*\S*/(?P<name>[\w.]+?)(?:\.schema)?\.json", re.MULTILINE)
_PLACEHOLDER = re.compile(r"^version:.*<VERSION>", re.MULTILINE)
_DATA = "cli/assets/data"
_STORED = {
    "example-data": "example-data",
    "sample-data": "example-data",
    "local-mltable": "example-data/mltable-sample",
}
"""What its README has in the datastore beforehand: folders of cli/assets/data, and where they go."""
_ACCOUNT = "account-name.blob.core.windows.net/container-name"
_SAMPLES = {
    "uri_file": f"{_DATA}/sample-data/titanic.csv",
    "uri_folder": f"{_DATA}/sample-data",
    "mltable": f"{_DATA}/local-mltable",
    "mlflow_model": "cli/assets/model/mlflow-model",
    "custom_model": "cli/assets/model/mlflow-model",
    "triton_model": "cli/assets/model/mlflow-model",
}
_WIRED = {
    "clean_data": ["prep_data"],
    "training_data": ["transformed_data"],
    "train_data": ["transformed_data"],
    "model_input": ["model_output"],
    "model": ["model_output"],
    "model1": ["model_output"],
    "model2": ["model_output"],
    "scoring_result": ["score_output"],
    "eval_result1": ["eval_output"],
    "eval_result2": ["eval_output"],
}
"""Inputs of components, and the outputs that the examples' pipelines bind them to."""
_LITERALS = {"number": 1, "integer": 1, "boolean": True, "string": "x"}
_TABLES = {"conda_file": {"dependencies": ["python=3.11", "pip", {"pip": ["mltable", "pandas"]}]}, "image": "any"}
_ROOM = 8_000_000_000
"""Of the disk: where less is free, environments are given up, and built again from uv's cache."""
_RANK = ("", "not run", "Failed", "Completed")


@dataclass
class Asset:
    file: str
    kind: str
    document: dict[str, Any]
    name: str = ""
    version: str = ""
    created: bool = False
    used: str = ""
    archived: bool = False
    why: list[str] = field(default_factory=list)

    @property
    def reference(self) -> str:
        return f"azureml:{self.name}:{self.version}"

    def note(self, used: str, why: str) -> None:
        """The best of its runs counts."""
        if _RANK.index(used) >= _RANK.index(self.used):
            self.used, self.why = used, [*([] if used == "Completed" else [why])]


class Examples:
    """A copy of the checkout, to write pipelines into, and a home."""

    def __init__(self, checkout: Path, home: Path, limit: float) -> None:
        self.root = home / "examples"
        self.environment = {**os.environ, "SMALT_HOME": str(home / "home")}
        self.limit = limit
        for part in ("cli", "sdk"):
            shutil.copytree(checkout / part, self.root / part, symlinks=True, dirs_exist_ok=True)
        (home / "home").mkdir(mode=0o700, exist_ok=True)
        corpus.map_urls(self.root, home / "home", self.environment)
        shutil.copy(self.root / _SAMPLES["uri_file"], home / "home" / "mirror")
        stored = home / "account"
        for folder, target in _STORED.items():
            place = ["datastore", "upload", "-n", "workspaceblobstore", f"{_DATA}/{folder}", target]
            self.smalt(*place)
            shutil.copytree(self.root / _DATA / folder, stored / target, dirs_exist_ok=True)
        for scheme in ("https", "wasbs"):
            self.smalt("config", "set", "url-map", f"{scheme}://{_ACCOUNT}={stored}")

    def smalt(self, *command: str) -> subprocess.CompletedProcess[str]:
        return corpus.smalt([*command], self.root, self.environment, self.limit + 60)

    def assets(self) -> list[Asset]:
        found = []
        for folder in _ROOTS:
            for path in sorted((self.root / folder).glob("**/*.y*ml")):
                text = path.read_text(errors="replace")
                kind = kind_of(text)
                if kind:
                    found.append(Asset(str(path.relative_to(self.root)), kind, yaml.safe_load(text)))
        return found

    def create(self, asset: Asset) -> None:
        path = self.root / asset.file
        given = ["--set", "version=1"] if _PLACEHOLDER.search(path.read_text()) else []
        verb = "import" if "source" in asset.document else "create"
        done = self.smalt(asset.kind, verb, "-f", asset.file, *given, "-o", "json")
        number = 1
        while done.returncode and "create another version" in done.stderr:  # another file has the same name and version
            number += 1
            done = self.smalt(asset.kind, verb, "-f", asset.file, "--set", f"version={number}", "-o", "json")
        if done.returncode:
            asset.why.append(told(done.stderr))
            return
        made = json.loads(done.stdout)
        asset.created, asset.name, asset.version = True, made["name"], str(made["version"])

    def use(self, asset: Asset) -> None:
        """Of all but components."""
        job: dict[str, Any] = {"type": "command", "environment": "azureml:host"}
        type = asset.document.get("type", "custom_model" if asset.kind == "model" else "uri_folder")
        if asset.kind == "environment":
            job.update(environment=asset.reference, command="python -c 'import sys; print(sys.version)'")
        else:
            job.update(inputs={"it": {"type": type, "path": asset.reference}})
            job.update(command='test -n "$(find -L ${{inputs.it}} -type f)"')
        if type == "mltable":
            load = "import mltable; print(len(mltable.load('${{inputs.it}}').to_pandas_dataframe()))"
            job.update(environment=_TABLES, command=f'python -c "{load}"')
        status, why, _ = self.run("cli/used.yml", job)
        asset.note(status, why)

    def run(self, file: str, job: dict[str, Any] | str) -> tuple[str, str, str]:
        """How it ended, why not well, and its name."""
        if shutil.disk_usage(self.root).free < _ROOM:
            self.smalt("prune", "--older-than", "0d", "--yes")
        path = self.root / file
        path.write_text(job if isinstance(job, str) else yaml.safe_dump(job))
        done = self.smalt("job", "create", "-f", file, "-o", "json")
        if done.returncode:
            return "not run", told(done.stderr), ""
        name = json.loads(done.stdout)["name"]
        try:
            streamed = corpus.smalt(["job", "stream", "-n", name], self.root, self.environment, self.limit)
        except subprocess.TimeoutExpired:
            self.smalt("job", "cancel", "-n", name)
            return "Failed", f"not over after {self.limit:g} s", name
        return ("Completed", "", name) if streamed.returncode == 0 else ("Failed", corpus.why(streamed), name)

    def use_components(self, components: list[Asset]) -> None:
        by_file = {os.path.normpath(asset.file): asset for asset in components if asset.created}
        for file, named in self.pipelines(by_file):
            if any(asset.used != "Completed" for asset in named.values()):
                self.run_pipeline(file, named)
        for folder, group in self.groups(by_file.values()):
            if any(asset.used != "Completed" for asset in group):
                self.run_group(folder, group)
        for asset in by_file.values():
            if asset.used in ("", "not run"):
                status, why, _ = self.run("cli/used.yml", self.alone(asset))
                asset.note(status, f"{why} (with made-up inputs)")

    def pipelines(self, by_file: dict[str, Asset]) -> list[tuple[str, dict[str, Asset]]]:
        """Pipeline jobs of the checkout, with the texts in them that name a component's file."""
        found = []
        for folder in _ROOTS:
            for path in sorted((self.root / folder).glob("**/*.y*ml")):
                text = path.read_text(errors="replace")
                if "component:" not in text or kind_of(text):
                    continue
                named = {}
                for match in re.finditer(r"(?:component|trial):\s*(?:file:)?[\"']?(?P<path>[^\s\"'#]+\.ya?ml)", text):
                    place = os.path.normpath(os.path.relpath(path.parent / match["path"], self.root))
                    if place in by_file:
                        named[match["path"]] = by_file[place]
                for match in re.finditer(r"component:\s*(?P<text>azureml:(?P<name>[\w-]+)[@:][\w.]+)", text):
                    for asset in by_file.values():
                        if asset.name == match["name"] and (self.root / asset.file).parent == path.parent:
                            named[match["text"]] = asset
                if named:
                    found.append((str(path.relative_to(self.root)), named))
        return found

    def run_pipeline(self, file: str, named: dict[str, Asset]) -> None:
        """With the registered components in place of the files; each is told how its own step ended."""
        text = (self.root / file).read_text()
        for path, asset in named.items():
            text = re.sub(
                rf"((?:component|trial):\s*)(?:file:)?[\"']?{re.escape(path)}[\"']?", rf"\1{asset.reference}", text
            )
        self.run_text(str(Path(file).with_name("used.yml")), text, named.values())

    def run_text(self, file: str, text: str, components: Iterable[Asset]) -> None:
        print(f"… {[asset.file for asset in components]}", file=sys.stderr, flush=True)
        status, why, name = self.run(file, text)
        steps = json.loads(self.smalt("job", "list", "-p", name, "-o", "json").stdout or "[]") if name else []
        ended = {step["name"]: step["status"] for step in steps}
        jobs = yaml.safe_load(text).get("jobs") or {}
        for asset in components:
            mine = [
                node for node, body in jobs.items() if asset.reference in (body.get("component"), body.get("trial"))
            ]
            states = [ended.get(f"{name}-{node}", "") for node in mine]
            if "Completed" in states:
                asset.note("Completed", "")
            elif "Failed" in states:
                asset.note("Failed", why)
            else:
                asset.note("not run", why if status != "Completed" else "no step of it was run")

    def groups(self, components: Iterable[Asset]) -> list[tuple[Path, list[Asset]]]:
        """Components by the nearest folder above them that has a folder `data`."""
        found: dict[Path, list[Asset]] = {}
        for asset in components:
            above = [folder for folder in (self.root / asset.file).parents if (folder / "data").is_dir()]
            if above and asset.document.get("type", "command") in ("command", "pipeline"):
                found.setdefault(above[0], []).append(asset)
        return list(found.items())

    def run_group(self, folder: Path, group: list[Asset]) -> None:
        """One pipeline of all, each reading what the others write by the names that the examples have for it."""
        made = {output: f"s{i}" for i, asset in enumerate(group) for output in asset.document.get("outputs") or {}}
        jobs: dict[str, Any] = {}
        for number, asset in enumerate(group):
            inputs = self.made_up(asset)
            for name, form in (asset.document.get("inputs") or {}).items():
                if not isinstance(form, dict) or form.get("type") not in _SAMPLES:
                    continue
                wanted = [
                    output for output in (name, *_WIRED.get(name, ())) if made.get(output, f"s{number}") != f"s{number}"
                ]
                given = f"${{{{parent.jobs.{made[wanted[0]]}.outputs.{wanted[0]}}}}}" if wanted else None
                inputs[name] = given or {"type": form["type"], "path": str(folder / "data")}
            type = asset.document.get("type", "command")
            jobs[f"s{number}"] = {"type": type, "component": asset.reference, "inputs": inputs}
        settings = {"continue_on_step_failure": True, "default_compute": "azureml:local"}
        self.run_text("cli/used.yml", yaml.safe_dump({"type": "pipeline", "settings": settings, "jobs": jobs}), group)

    def made_up(self, asset: Asset) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        for name, form in (asset.document.get("inputs") or {}).items():
            form = form if isinstance(form, dict) else {"type": "string"}
            type = form.get("type", "string")
            if type in _SAMPLES:
                inputs[name] = {"type": type, "path": str(self.root / _SAMPLES[type])}
            elif not form.get("optional") and "default" not in form:
                inputs[name] = (form.get("enum") or [form.get("min", _LITERALS.get(type, "x"))])[0]
        return inputs

    def alone(self, asset: Asset) -> dict[str, Any]:
        step = {"type": asset.document.get("type", "command"), "component": asset.reference}
        return {"type": "pipeline", "jobs": {"step": {**step, "inputs": self.made_up(asset)}}}

    def archive(self, asset: Asset) -> None:
        """Its version is in the list no more."""
        done = self.smalt(asset.kind, "archive", "-n", asset.name, "-v", asset.version)
        listed = self.smalt(asset.kind, "list", "-n", asset.name, "-o", "json")
        left = json.loads(listed.stdout) if listed.returncode == 0 else []
        asset.archived = not done.returncode and asset.version not in [str(one["version"]) for one in left]
        if not asset.archived:
            asset.why.append(f"archive: {told(done.stderr)}")


def kind_of(text: str) -> str | None:
    match = _SCHEMA.search(text)
    name = match["name"].lower() if match else ""
    if name.endswith("component"):
        return "component"
    return {"data": "data", "dataimport": "data", "environment": "environment", "model": "model"}.get(name)


def told(text: str) -> str:
    """The first problem, without the file that the table names."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return re.sub(r"^(?:error: )?(?:\S+\.ya?ml:\d+:\d+: )?", "", lines[0]) if lines else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", nargs="+", default=[""], help="files whose path has one of these texts")
    parser.add_argument("--home", type=Path, help="where the copy and the SMALT_HOME are; temporary where absent")
    parser.add_argument("--limit", type=float, default=300, help="seconds for one job")
    asked = parser.parse_args()
    home = asked.home or Path(tempfile.mkdtemp(prefix="smalt-assets-"))
    examples = Examples(asked.checkout.resolve(), home.resolve(), asked.limit)
    try:
        found = [asset for asset in examples.assets() if any(text in asset.file for text in asked.only)]
        for asset in found:
            examples.create(asset)
        for asset in found:
            if asset.created and asset.kind != "component":
                examples.use(asset)
        examples.use_components([asset for asset in found if asset.kind == "component"])
        for asset in found:
            if asset.created:
                examples.archive(asset)
    finally:
        examples.smalt("server", "stop", "--force")
    print("| file | kind | created | used | archived | why not |\n|---|---|---|---|---|---|")
    for one in found:
        marks = ["yes" if one.created else "no", one.used or "–", "yes" if one.archived else "no"]
        why = "; ".join(dict.fromkeys(one.why)).replace("|", "\\|").replace(str(examples.root), "")
        print(f"| {one.file} | {one.kind} | {' | '.join(marks)} | {why[:300]} |")
    for kind in sorted({asset.kind for asset in found}):
        of = [asset for asset in found if asset.kind == kind]
        used, run = sum(one.used == "Completed" for one in of), sum(one.used == "Failed" for one in of)
        counts = (
            f"{sum(one.created for one in of)} created, {used} used in a job that Completed, {run} in one that failed"
        )
        print(f"{kind}: {len(of)} files, {counts}, {sum(one.archived for one in of)} archived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
