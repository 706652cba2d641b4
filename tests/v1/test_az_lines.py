"""`az ml` lines of SDK v1's extension under `smalt exec`, as public templates have them."""

from __future__ import annotations

import json
import sys

from tests.v1.conftest import Programs

SCRIPT = """\
set -e
az ml folder attach -w lair -g woods -e wolves
az ml computetarget create amlcompute -n cpu --min-nodes 0 --max-nodes 4 -s STANDARD_D2_V2 >compute.json
az ml run submit-script -e wolves -c own --ct cpu --path . --source-directory src -t run.json train.py --a 1
az ml run show -r "$(python3 -c 'import json; print(json.load(open("run.json"))["runId"])')" >shown.json
az ml model register -n wolf -p model.txt --tag a=b -t model.json >/dev/null
"""


def test_a_template_trains_and_registers(served: Programs) -> None:
    served.write("src/train.py", "import sys; print('trained', sys.argv[1:])")
    served.write("model.txt", "weights")
    served.write(".azureml/own.runconfig", "environment: {python: {userManagedDependencies: true}}\n")
    served.write("template.sh", SCRIPT)
    ran = served.smalt("exec", "--", "bash", "template.sh")
    assert ran.code == 0, ran.err
    assert "trained ['--a', '1']\n" in ran.out
    read = {name: json.loads((served.folder / f"{name}.json").read_text()) for name in ("compute", "shown", "model")}
    assert read["compute"]["properties"]["computeType"] == "AmlCompute"
    assert (read["shown"]["experimentName"], read["shown"]["status"]) == ("wolves", "Completed")
    assert read["model"] == {"modelId": "wolf:1", "workspaceName": "lair", "resourceGroupName": "woods"}


def test_a_line_that_is_not_served_says_so(served: Programs) -> None:
    """And a failed run fails its line."""
    ran = served.smalt("exec", "--", "az", "ml", "run", "monitor-tensorboard", "-r", "x")
    assert ran.code != 0
    assert ran.err.startswith(
        "error: 'az ml run monitor-tensorboard' of SDK v1 is not served; there are: cancel, list, "
    )
    served.write("bad.py", "raise SystemExit(3)")
    served.write("own.runconfig", "environment: {python: {userManagedDependencies: true}}\n")
    ran = served.smalt("exec", "--", "az", "ml", "run", "submit-script", "-e", "wolves", "-c", "own", "bad.py")
    assert ran.code != 0
    assert " failed: " in ran.err


SERVICE = """\
set -e
az ml model register -n songs -p model.txt -t model.json >/dev/null
az ml experiment create -n wolves >made.json
az ml model deploy -n howl -f model.json --ic inference.yml --dc deployment.json --overwrite >service.json
az ml service run -n howl -d '"moon"' >answer.json
az ml service show -n howl >shown.json
az ml service get-keys -n howl >keys.json
az ml service list >listed.json
az ml service delete -n howl
"""
SCORE = """\
import os

def init():
    global text
    text = open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.txt")).read()

def run(data):
    return f"{text} {data}"
"""


def test_a_template_deploys_and_asks_the_service(served: Programs) -> None:
    """The configurations are files, as the documentation of SDK v1 has them."""
    served.write("model.txt", "ahoo")
    served.write("score.py", SCORE)
    served.write("inference.yml", "entryScript: score.py\ncondaFile: scoring.yml\n")
    version = ".".join(map(str, sys.version_info[:2]))
    served.write("scoring.yml", f"dependencies:\n  - python={version}\n  - pip:\n    - azureml-defaults\n")
    served.write("deployment.json", '{"computeType": "ACI", "containerResourceRequirements": {"cpu": 1}}')
    served.write("template.sh", SERVICE)
    ran = served.smalt("exec", "--", "bash", "template.sh")
    assert ran.code == 0, ran.err
    read = {name: json.loads((served.folder / f"{name}.json").read_text()) for name in ("answer", "shown", "listed")}
    assert "ahoo" in read["answer"]
    assert "moon" in read["answer"]
    assert read["shown"]["name"] == "howl"
    assert [one["name"] for one in read["listed"]] == ["howl"]
