"""What smalt and the official SDK say about 25 mistakes; writes docs/mistakes.md.

    python bench/mistakes.py --official PYTHON

Each mistake is a small program. With smalt it is built and, if that told nothing, submitted to a server of its own;
with the official SDK, which needs its service for that, built and validated as before a submission.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "mistakes.md"
BEFORE = """
import os
from ML import Input, Output, command, load_component, load_job
from ML.dsl import pipeline
from ML.sweep import Choice, Uniform

with open("train.yml", "w") as file:
    file.write('''
type: command
name: train_model
version: "1"
command: echo ${{inputs.data}} ${{inputs.lr}}
environment: azureml:host@latest
inputs:
  data: {type: uri_folder}
  lr: {type: number, default: 0.1}
  epochs: {type: integer, default: 3, min: 1, max: 9}
  kind: {type: string, default: a, enum: [a, b]}
outputs:
  model: {type: custom_model}
  log: {type: uri_file}
''')
os.makedirs("folder", exist_ok=True)
train = load_component(source="train.yml")
data = Input(type="uri_folder", path="folder")
"""
MISTAKES = {
    "a misspelt input": "train(dta=data)",
    "a missing input": "train()",
    "text for a number": "train(data=data, lr='fast')",
    "a number out of its range": "train(data=data, epochs=12)",
    "a value that is not allowed": "train(data=data, kind='c')",
    "a list for an input": "train(data=data, kind=['a'])",
    "a positional argument": "train(data)",
    "an output wired to a literal": "train(data=data, lr=train(data=data).outputs.model)",
    "a forgotten call": "train(data=train)",
    "a step for an input, where it has two outputs": "train(data=train(data=data))",
    "an output that is not there": "train(data=train(data=data).outputs.modle)",
    "an input set that is not there": "one = train(data=data)\\none.inputs.eopchs = 3",
    "a misspelt attribute": "one = train(data=data)\\none.comptue = 'cpu'",
    "a mistyped setting": "one = train(data=data)\\none.resources = {'instance_count': 'many'}",
    "two steps of one name": "one = train(data=data)\\ntwo = train(data=data)\\ntwo.name = 'one'",
    "a step's name with capitals": "Train = train(data=data)",
    "an `if` on an input": "if data:\\n    train(data=data)",
    "arithmetic on an input": "train(data=data, lr=data * 2)",
    "a sweep over an input that is not there":
        "train(data=data).sweep(primary_metric='m', goal='maximize', search_space={'lrr': Uniform(0, 1)})",
    "a distribution without a sweep": "train(data=data, lr=Uniform(0, 1))",
    "a step returned": "return train(data=data)",
    "a literal returned": "train(data=data)\\nreturn {'model': 3}",
}  # fmt: skip
"""Bodies of a pipeline's function."""

OUTSIDE = {
    "a path that is not there": "job = command(command='ls', code='./scr', environment='azureml:host@latest')",
    "an input that the command names and is not there":
        "job = command(command='echo ${{inputs.nme}}', environment='azureml:host@latest', inputs={'name': 'x'})",
    "an input of the pipeline that is not given":
        "@pipeline(default_compute='local')\\ndef whole(data: Input(type='uri_folder')):"
        "\\n    train(data=data)\\njob = whole()",
}  # fmt: skip
"""Programs that make a job."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--official", required=True, help="a Python that has azure-ai-ml")
    options = parser.parse_args()
    ours = told(sys.executable, "smalt", PROGRAMS)
    theirs = told(options.official, "official", PROGRAMS)
    PAGE.write_text(_page(PROGRAMS, ours, theirs))
    print(PAGE)
    return 0


def _pipeline(body: str) -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"@pipeline(default_compute='local')\ndef whole(data):\n{lines}\njob = whole(data=data)"


PROGRAMS = {name: _pipeline(body.replace("\\n", "\n")) for name, body in MISTAKES.items()}
PROGRAMS |= {name: body.replace("\\n", "\n") for name, body in OUTSIDE.items()}


def told(python: str, side: str, programs: dict[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mistakes") as folder:
        import common

        with common.home() as environment:
            done = subprocess.run(
                [python, "-c", _SIDE, side], input=json.dumps([BEFORE, programs]), capture_output=True, text=True,
                cwd=folder, env=environment,
            )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


_SIDE = r"""
import json, logging, os, sys, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
side = sys.argv[1]
before, programs = json.load(sys.stdin)
name = "smalt" if side == "smalt" else "azure.ai.ml"
said = {}
for mistake, program in programs.items():
    scope = {"__name__": "__main__"}
    open("program.py", "w").write(program)
    exec(before.replace("ML", name), scope)
    when = "built"
    try:
        exec(compile(program, os.path.abspath("program.py"), "exec", dont_inherit=True), scope)
        when = "submitted"
        job = scope["job"]
        if side == "smalt":
            from smalt import MLClient
            MLClient().jobs.create_or_update(job)
        else:
            job._validate(raise_error=True) if hasattr(job, "_validate") else None
            made = job._to_job() if hasattr(job, "_to_job") else job
            for node in getattr(made, "jobs", {}).values():
                node._component = "azureml:train_model:1"
            made._to_rest_object()
        said[mistake] = ["", "", ""]
    except BaseException as problem:
        said[mistake] = [when, type(problem).__name__, str(problem)]
    sys.stdout.flush()
print()
print(json.dumps(said))
"""


def _page(programs: dict[str, str], ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    text = [
        "# Mistakes in Python programs",
        "",
        f"How {len(programs)} mistakes of people are answered; `bench/mistakes.py` makes this page by running each.",
        "smalt's sentence is shown as it is; that of the official SDK (1.35.2) is shortened after 400 characters. What",
        "only its service could tell is not shown.",
        "",
    ]
    early = sum(1 for each in ours.values() if each[0] == "built")
    single = sum(1 for each in ours.values() if each[2] and "\n" not in each[2])
    silent = sum(1 for each in theirs.values() if not each[2])
    late = sum(1 for each in theirs.values() if each[0] == "submitted")
    lines = sum(1 for each in ours.values() if each[2].startswith("program.py:"))
    text += [
        f"smalt: {single} of {len(programs)} in one sentence, {lines} with the line of the program, {early} before",
        f"anything is submitted. The official SDK: {len(programs) - silent - late} while building, {late} when",
        f"the job is validated or written, {silent} not at all.",
        "",
    ]
    for number, (name, program) in enumerate(programs.items(), 1):
        text += [f"## {number}. {name[0].upper()}{name[1:]}", "", "```python", program, "```", ""]
        for who, (when, kind, words) in (("smalt", ours[name]), ("azure.ai.ml", theirs[name])):
            text += [f"{who}, when {when}:" if words else f"{who}: nothing.", ""]
            if words:
                shown = words if len(words) <= 400 else f"{words[:400]} …"
                text += ["```text", f"{kind}: {shown}" if who != "smalt" else shown, "```", ""]
    page = without_folder("\n".join(text))
    return re.sub(r" at 0x[0-9a-f]+", " at 0x…", page).rstrip() + "\n"


def without_folder(text: str) -> str:
    """Without the temporary folder that the programs ran in."""
    return re.sub(r"/[^ ]*/mistakes\w{8}/", "", text)


if __name__ == "__main__":
    sys.exit(main())
