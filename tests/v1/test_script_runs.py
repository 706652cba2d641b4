"""Script runs, interactive runs and runs that submit others, by `azureml.core`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.v1.conftest import Programs

START = """\
import json
from azureml.core import Environment, Experiment, Run, ScriptRunConfig, Workspace
ws = Workspace.from_config()
experiment = Experiment(ws, 'wolves')
host = Environment('host')
host.python.user_managed_dependencies = True
"""


def run_program(served: Programs, text: str) -> Any:
    """Return what the program, which has `ws`, `experiment` and `host`, leaves in `answer`."""
    served.write("submit.py", f"{START}{text}\nprint('answer', json.dumps(answer))\n")
    ran = served.python("submit.py")
    assert ran.code == 0, ran.err
    return json.loads(ran.out.rpartition("answer ")[2])


def fail_program(served: Programs, text: str) -> str:
    """Return the one sentence that the last line of the program ends with."""
    file = served.write("submit.py", f"{START}{text}\n")
    ran = served.python(str(file))
    lines = [line for line in ran.err.splitlines() if not line.startswith("smalt: ")]
    assert (ran.code, len(lines)) == (1, 1), ran.err
    place = f"{file}:{len((START + text).splitlines())}: "
    assert lines[0].startswith(place)
    return lines[0].removeprefix(place)


def test_arguments_reach_the_script_as_they_are(served: Programs) -> None:
    """Texts with spaces and signs of the shell, numbers and flags."""
    served.write("src/train.py", "import sys, json; print(json.dumps(sys.argv[1:]))")
    answer = run_program(
        served,
        "words = ['--name', \"it's $HOME; `x`\", '--rate', 0.5, '--fast', True, None]\n"
        "run = experiment.submit(ScriptRunConfig('src', 'train.py', words, environment=host), tags={'a': 1})\n"
        "run.wait_for_completion()\n"
        "run.download_file('user_logs/std_log.txt', 'log.txt')\n"
        "definition = run.get_details()['runDefinition']\n"
        "answer = [json.load(open('log.txt')), run.tags, definition['script'], definition['arguments'][:4]]",
    )
    words = ["--name", "it's $HOME; `x`", "--rate", "0.5", "--fast", "True", "None"]
    assert answer == [words, {"a": "1"}, "train.py", words[:4]]


def test_a_run_has_metrics_files_and_models(served: Programs) -> None:
    """What the script logs and leaves in outputs/ is read, downloaded and registered from outside."""
    served.write(
        "src/train.py",
        "from azureml.core import Run\nrun = Run.get_context()\nrun.log('mse', 0.5)\nrun.log('mse', 0.25)\n"
        "run.log('kind', 'ridge')\nopen('outputs/model.txt', 'w').write('weights')\n",
    )
    answer = run_program(
        served,
        "run = experiment.submit(ScriptRunConfig('src', 'train.py', environment=host))\n"
        "status = run.wait_for_completion()['status']\n"
        "model = run.register_model('wolf', 'outputs/model.txt', tags={'a': 'b'}, properties={'p': '1'},"
        " model_framework='Custom')\n"
        "from azureml.core import Model\n"
        "path = Model(ws, 'wolf').download('here')\n"
        "found = Model.list(ws, name='wolf', tags=[['a', 'b']])[0]\n"
        "answer = [status, run.get_metrics(), run.get_file_names(), open(path).read(), found.tags, found.properties,"
        " found.model_framework, model.run_id == run.id, model.id, Run(experiment, run.id).get_status()]",
    )
    files = ["kind.json", "outputs/model.txt", "user_logs/std_log.txt"]
    assert answer[:4] == ["Completed", {"kind": "ridge", "mse": [0.5, 0.25]}, files, "weights"]
    assert answer[4:] == [{"a": "b"}, {"p": "1"}, "Custom", True, "wolf:1", "Completed"]


def test_an_interactive_run_belongs_to_no_job(served: Programs) -> None:
    """Metrics, tags, children and files are recorded in it, and it ends as the program says."""
    served.write("note.txt", "a note")
    answer = run_program(
        served,
        "experiment = Experiment(ws, 'alone')\nrun = experiment.start_logging()\nbefore = run.get_status()\n"
        "run.log('a', 1)\nrun.log_list('b', [1, 2])\nrun.tag('c', 'd')\nrun.upload_file('note.txt', 'note.txt')\n"
        "with run.child_run() as child:\n    child.log('e', 2)\n"
        "import os\nwrote = os.path.isdir('outputs') and open('outputs/m.txt', 'w').write('m')\n"
        "run.complete()\nagain = ws.get_run(run.id)\n"
        "answer = [before, again.get_status(), again.get_metrics(), again.tags, again.get_file_names(),"
        " [one.get_metrics() for one in again.get_children()], [one.id for one in experiment.get_runs()] == [run.id],"
        " 'alone' in ws.experiments]\n"
        "with experiment.start_logging() as other: pass\nanswer.append(other.get_file_names())",
    )
    metrics = {"a": 1.0, "b": [1.0, 2.0]}
    assert answer[:-1] == ["Running", "Completed", metrics, {"c": "d"}, ["note.txt"], [{"e": 2.0}], True, True]
    assert answer[-1] == ["outputs/m.txt"]  # tracked to the end of the `with`


def test_a_script_submits_a_child(served: Programs) -> None:
    """Where its Python has smalt; the child is a job of its own, and knows its parent."""
    served.write("src/child.py", "from azureml.core import Run; print('of', Run.get_context().parent.id)")
    served.write(
        "src/parent.py",
        "from azureml.core import Environment, Run, ScriptRunConfig\nhost = Environment('host')\n"
        "host.python.user_managed_dependencies = True\n"
        "child = Run.get_context().submit_child(ScriptRunConfig('.', 'child.py', environment=host))\n"
        "child.wait_for_completion()\n",
    )
    answer = run_program(
        served,
        "import sys\nhost.python.interpreter_path = sys.executable\n"
        "run = experiment.submit(ScriptRunConfig('src', 'parent.py', environment=host))\n"
        "status = run.wait_for_completion()['status']\n"
        "child, = run.get_children()\nchild.download_file('user_logs/std_log.txt', 'log.txt')\n"
        "answer = [status, child.get_status(), open('log.txt').read() == f'of {run.id}\\n', child.parent.id == run.id]",
    )
    assert answer == ["Completed", "Completed", True, True]


def test_a_failed_run_raises(served: Programs) -> None:
    """ActivityFailedException, with the reason; a program may catch it."""
    served.write("src/train.py", "raise SystemExit(3)")
    answer = run_program(
        served,
        "from azureml.exceptions import ActivityFailedException, UserErrorException\n"
        "run = experiment.submit(ScriptRunConfig('src', 'train.py', environment=host))\n"
        "try:\n    run.wait_for_completion()\nexcept ActivityFailedException as error:\n    said = error.message\n"
        "answer = [said.replace(run.id, 'ID'), run.status, run.wait_for_completion(raise_on_error=False)['status'],"
        " isinstance(UserErrorException('x'), Exception)]",
    )
    assert answer[0].startswith("run ID failed: ")
    assert answer[1:] == ["Failed", "Failed", True]


def test_mistakes_are_one_sentence_at_their_line(served: Programs) -> None:
    """What is misspelt, what is not there, and what excludes each other."""
    served.write("src/train.py", "")
    submit = "experiment.submit(ScriptRunConfig('src', {}))"
    assert fail_program(served, submit.format("'trian.py'")) == (
        "ScriptRunConfig: there is no script 'trian.py' in 'src'; did you mean 'train.py'?"
    )
    assert fail_program(served, "ScriptRunConfig('src', 'a.py', command='b')") == (
        "ScriptRunConfig: script and command exclude each other; give one of them"
    )
    assert fail_program(served, submit.format("'train.py', arguments=[object]")).startswith(
        "an argument of a script is text, a number, or data as a dataset, an output or a parameter; this is type: "
    )
    assert fail_program(served, "host.python.user_managed_dependencys = True") == (
        "PythonSection has no 'user_managed_dependencys'; did you mean 'user_managed_dependencies'?"
    )
    assert fail_program(served, "Experiment(ws, 'a b')").startswith("'a b' cannot be the name of an experiment; ")
    assert fail_program(served, "ws.get_run('nobody')") == "workspace 'default' has no run 'nobody'"
    assert fail_program(served, "ScriptRunConfig(source_directroy='src')") == (
        "ScriptRunConfig has no parameter 'source_directroy'; did you mean 'source_directory'?"
    )
    assert fail_program(served, "Experiment(ws)") == "Experiment needs 'name'"
    assert fail_program(served, "Workspace.from_cnfig()") == (
        "smalt's Workspace has no 'from_cnfig'; did you mean 'from_config'?"
    )
    assert fail_program(served, "ws.compute_target") == (
        "smalt's Workspace has no 'compute_target'; did you mean 'compute_targets'?"
    )
    assert fail_program(served, "experiment.submit('train.py')").startswith("an experiment takes a ScriptRunConfig, ")


def test_runs_take_their_settings(served: Programs) -> None:
    """Distribution, time-out, variables and memory become those of the command."""
    served.write("src/train.py", "")
    answer = run_program(
        served,
        "from azureml.core.runconfig import *\n"
        "one = ScriptRunConfig('src', 'train.py', distributed_job_config=MpiConfiguration(2, 3),"
        " max_run_duration_seconds=60, docker_runtime_config=DockerConfiguration(True, shm_size='1g'))\n"
        "one.run_config.environment_variables = {'A': 1}\n"
        "two = ScriptRunConfig('src', 'train.py',"
        " distributed_job_config=PyTorchConfiguration(process_count=8, node_count=2))\n"
        "settings = RunConfiguration()\nsettings.target = 'cluster'\nsettings.node_count = 2\n"
        "three = ScriptRunConfig('src', 'train.py', ['a'], run_config=settings)\n"
        "one, two, three = one.to_command(), two.to_command(), three.to_command()\n"
        "answer = [one.distribution.type, one.distribution.process_count_per_instance, one.resources.instance_count,"
        " one.limits.timeout, one.resources.shm_size, one.environment_variables, two.distribution.type,"
        " two.distribution.process_count_per_instance, two.resources.instance_count, three.compute,"
        " three.resources.instance_count, three.command]",
    )
    assert answer == ["mpi", 2, 3, 60, "1g", {"A": "1"}, "pytorch", 4, 2, "cluster", 2, "python train.py a"]


def test_tags_and_properties_that_a_script_sets_are_seen_from_outside(served: Programs) -> None:
    """They join those of the submission, runs are found by them, and a removed tag is gone."""
    served.write(
        "src/train.py",
        "from azureml.core import Run\nrun = Run.get_context()\nrun.tag('stage', 'dev')\nrun.tag('a', 2)\n"
        "run.add_properties({'p': 'q'})\nrun.log('kind', 'ridge')\nrun.display_name = 'other'\n",
    )
    answer = run_program(
        served,
        "experiment = Experiment(ws, 'tagged')\n"
        "run = experiment.submit(ScriptRunConfig('src', 'train.py', environment=host), tags={'a': 1, 'b': 1})\n"
        "run.wait_for_completion()\nrun.tag('c', 'd')\n"
        "answer = [run.get_tags(), run.get_properties()['p'],"
        " [one.id == run.id for one in experiment.get_runs(tags={'stage': 'dev'})]]\n"
        "run.remove_tags(['b', 'stage', 'nothing'])\nanswer.append(ws.get_run(run.id).tags)\n"
        "run.download_file('user_logs/std_log.txt', 'log.txt')\nanswer.append(open('log.txt').read())",
    )
    assert answer[:3] == [{"a": "2", "b": "1", "c": "d", "stage": "dev"}, "q", [True]]
    assert answer[3] == {"a": "2", "c": "d"}
    assert answer[4].startswith("run.display_name = 'other' has no effect: ")


def test_the_reason_of_a_failed_interactive_run_is_kept(served: Programs) -> None:
    """In its details and in what wait_for_completion raises; a run that has ended cannot be canceled."""
    answer = run_program(
        served,
        "run = experiment.start_logging()\nrun.fail('bad thing', 'E1')\n"
        "answer = [run.get_details()['error']['error']['message']]\n"
        "try:\n    run.wait_for_completion()\nexcept Exception as error:\n    answer.append(str(error))\n"
        "run.cancel()\nanswer.append(run.get_status())",
    )
    assert answer[0] == "E1: bad thing"
    assert answer[1].endswith("failed: E1: bad thing")
    assert answer[2] == "Failed"


def test_a_downloaded_model_is_the_file_itself(served: Programs) -> None:
    """Not a folder of its name; a second download replaces it, and get_model_path has the version."""
    served.write("m.pkl", "one")
    served.write("folder/inner/a.txt", "a")
    answer = run_program(
        served,
        "from azureml.core import Model\nimport os\n"
        "file = Model.register(ws, 'm.pkl', 'file')\nfolder = Model.register(ws, 'folder', 'folder')\n"
        "answer = [[one.download('here', exist_ok=True) for one in (file, file, folder, folder)],"
        " Model.get_model_path('file', _workspace=ws),"
        " sorted(os.path.join(at, name) for at, _, names in os.walk('here') for name in names)]",
    )
    assert answer[0] == ["here/m.pkl", "here/m.pkl", "here/folder", "here/folder"]
    assert answer[1] == "azureml-models/file/1/m.pkl"
    assert answer[2] == ["here/folder/inner/a.txt", "here/m.pkl"]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("ScriptRunConfig('src', 'train.py', '--a 1')", "ScriptRunConfig: the arguments are a list such as"),
        ("ScriptRunConfig('src', 'train.py', environment='plain')", "an environment is an Environment, such as"),
        ("ScriptRunConfig(3, 'train.py')", "ScriptRunConfig: source_directory is the path of a folder, not int"),
        (
            "experiment.submit(ScriptRunConfig('src', '../submit.py', environment=host))",
            "ScriptRunConfig: the script '../submit.py' is outside of the source_directory 'src'",
        ),
        (
            "experiment.submit(ScriptRunConfig('src', 'train.py', ['$AZUREML_DATAREFERENCE_x', 1], environment=host))",
            "'$AZUREML_DATAREFERENCE_x' among the arguments stands for data named 'x', and the run has no data",
        ),
    ],
)
def test_a_wrong_type_or_place_is_one_sentence(served: Programs, call: str, sentence: str) -> None:
    """At the program's line, before a job is made."""
    served.write("src/train.py", "")
    assert fail_program(served, call).startswith(sentence)


def test_a_run_resumes_from_the_outputs_of_another(served: Programs) -> None:
    """By a DataPath's reference: as text among the arguments, and in the run configuration's data references."""
    served.write("src/first.py", "with open('outputs/n.txt', 'w') as file:\n    file.write('7')\n")
    served.write("src/next.py", "import sys\nprint('from', open(sys.argv[1] + '/n.txt').read())\n")
    served.write(
        "program.py",
        """
from azureml.core import Experiment, RunConfiguration, ScriptRunConfig, Workspace
from azureml.data.datapath import DataPathComputeBinding

host = RunConfiguration()
host.environment.python.user_managed_dependencies = True
experiment = Experiment(Workspace.from_config(), "e")
first = experiment.submit(ScriptRunConfig("src", "first.py", run_config=host))
first.wait_for_completion()
place = first._get_outputs_datapath()
reference = place.create_data_reference(datapath_compute_binding=DataPathComputeBinding(mode="mount"))
config = ScriptRunConfig("src", "next.py", arguments=[str(reference)], run_config=host)
config.run_config.data_references = {reference.data_reference_name: reference.to_config()}
experiment.submit(config).wait_for_completion(show_output=True)
""",
    )
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    assert "from 7" in ran.out.splitlines()
