"""A pipeline of 1,000 steps made by a Python program: built and sent, against the official SDK's building and writing.

python bench/building.py SIDE [COUNT]   # smalt or official: prints seconds of each part as JSON
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNT = 1000
ROUNDS = 1  # on both sides: the official SDK needs a minute for one
COMPONENT = """
type: command
name: step
version: "1"
command: echo ${{inputs.n}} ${{inputs.data}}
environment: azureml:host@latest
inputs:
  n: {type: integer}
  data: {type: uri_folder}
outputs:
  out: {type: uri_folder}
"""


def build(official: str | None) -> list[tuple[str, ...]]:
    import common

    if official is None:
        return []
    with common.home() as environment:
        ours = _run([sys.executable, __file__, "smalt"], environment)
    theirs = _run([official, __file__, "official"], None)
    seconds = [sum(each.values()) for each in (ours, theirs)]
    parts = ", ".join(f"{name} {value:.2f}" for name, value in ours.items())
    told = ", ".join(f"{name} {value:.2f}" for name, value in theirs.items())
    return [
        (
            f"{COUNT:,} steps with @pipeline: built and submitted",
            f"{seconds[0]:.2f} s ({parts})",
            f"{seconds[1]:.2f} s, azure.ai.ml ({told})",
            f"1/{seconds[1] / seconds[0]:.1f}",
            "≤ 1/5",
        )
    ]


def _run(command: list[str], environment: dict[str, str] | None) -> dict[str, float]:
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command} failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


# What follows runs on both sides.


def main(side: str, count: int) -> None:
    if side == "smalt":
        from smalt import Input, MLClient, load_component
        from smalt.dsl import pipeline
    else:
        from azure.ai.ml import Input, load_component  # type: ignore[import-not-found,no-redef]
        from azure.ai.ml.dsl import pipeline  # type: ignore[import-not-found,no-redef]
    path = Path(tempfile.mkdtemp(prefix="build"), "component.yml")
    path.write_text(COMPONENT)
    step = load_component(source=str(path))

    @pipeline()
    def whole(data: Input(type="uri_folder")) -> None:  # type: ignore[valid-type]
        for n in range(count):
            made = step(n=n, data=data if n == 0 else last.outputs.out)  # noqa: F821
            made.compute = "local"
            last = made  # noqa: F841

    send = None
    if side == "smalt":
        client = MLClient()
        client.jobs.list(max_results=1)  # the server is there
        send = client.jobs.create_or_update
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        began = time.perf_counter()
        job = whole(data=Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/none/"))
        built = time.perf_counter()
        if send is not None:
            sent = send(job)
            parts = {"build": built - began, "submit": time.perf_counter() - built}
            client.jobs.begin_cancel(sent.name)
        else:
            for node in job.jobs.values():
                node._component = "azureml:step:1"  # what its upload to the service leaves
            json.dumps(job._to_rest_object().as_dict())
            parts = {"build": built - began, "serialise": time.perf_counter() - built}
        if not best or sum(parts.values()) < sum(best.values()):
            best = parts
    print(json.dumps(best))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else COUNT)
