"""Pipelines of SDK v1 on a real server: order, data, parameters, reuse, results and mistakes."""

from __future__ import annotations

import pytest

from tests.v1.conftest import Programs

HEAD = """\
from azureml.core import Dataset, Datastore, Experiment, RunConfiguration, Workspace
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath, DataPathComputeBinding
from azureml.data.dataset_consumption_config import DatasetConsumptionConfig
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, StepSequence
from azureml.pipeline.steps import CommandStep, PythonScriptStep

ws = Workspace.from_config()
store = ws.get_default_datastore()
host = RunConfiguration()
host.environment.python.user_managed_dependencies = True
"""
ECHO = "import os, sys\nprint('got', *sys.argv[1:])\n"
COPY = "import shutil, sys\nshutil.copy(sys.argv[1], sys.argv[2])\n"


def _run(served: Programs, body: str) -> str:
    served.write("program.py", HEAD + body)
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    return ran.out


def _refuse(served: Programs, body: str) -> str:
    served.write("program.py", HEAD + body)
    ran = served.python("program.py")
    assert ran.code == 1, ran.out
    return ran.err.splitlines()[-1]


def test_data_goes_from_step_to_step_by_pipeline_data(served: Programs) -> None:
    """A file of a datastore is read, copied by a step, and read by the next one; the first step comes by itself."""
    served.write("src/copy.py", COPY)
    served.write("data/in.txt", "hello\n")
    out = _run(
        served,
        """
store.upload_files(["data/in.txt"], target_path="in", overwrite=True, show_progress=False)
given = DataReference(store, "given", "in/in.txt")
made = PipelineData("made", datastore=store, is_directory=False)
first = PythonScriptStep("copy.py", arguments=[given, made], inputs=[given], outputs=[made], source_directory="src",
                         runconfig=host)
second = CommandStep(command=["cat", made], name="show it", inputs=[made], source_directory="src", runconfig=host)
run = Experiment(ws, "data").submit(Pipeline(ws, [second]))
print(run.wait_for_completion(show_output=False))
print(run.find_step_run("show it")[0].get_job_log().strip(), [step.name for step in run.get_steps()])
""",
    )
    assert out.splitlines() == ["Completed", "hello ['copy.py', 'show it']"]


def test_steps_run_in_the_order_that_only_run_after_says(served: Programs) -> None:
    """Without data between them, and by StepSequence."""
    served.write("src/note.py", "import sys\nopen(sys.argv[1], 'a').write(sys.argv[2])\n")
    file = served.folder / "order.txt"
    body = f"""
def step(name):
    return PythonScriptStep("note.py", name, [{str(file)!r}, name], source_directory="src", runconfig=host,
                            allow_reuse=False)

last, first, middle = step("c"), step("a"), step("b")
middle.run_after(first)
last.run_after(middle)
Experiment(ws, "order").submit(Pipeline(ws, [last])).wait_for_completion(show_output=True)
more = StepSequence([step("d"), [step("e")], step("f")])
Experiment(ws, "order").submit(Pipeline(ws, more)).wait_for_completion(show_output=False)
"""
    served.write("program.py", HEAD + body)
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    assert file.read_text() == "abcdef"
    assert "b: Completed" in ran.err
    assert "wrote nothing" not in ran.err  # the output that orders is not the program's


def test_a_missing_folder_is_mounted_empty(served: Programs) -> None:
    """As v1 mounts it, and the notice says so; a file, and a folder to download, have to be there."""
    served.write("src/list.py", "import os, sys\nprint(sys.argv[1], os.listdir(sys.argv[2]))\n")
    body = """
pair = (PipelineParameter("path", DataPath(store, {path!r})), DataPathComputeBinding(mode={mode!r}))
step = PythonScriptStep("list.py", arguments=["found", pair], inputs=[pair], source_directory="src", runconfig=host)
run = Experiment(ws, "missing").submit(Pipeline(ws, [step]))
run.wait_for_completion(show_output=False)
print(list(run.get_steps())[0].get_job_log())
"""
    served.write("program.py", HEAD + body.format(path="nothing/here", mode="mount"))
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    assert ran.out.strip() == "found []"
    uri = "azureml://datastores/workspaceblobstore/paths/nothing/here"
    assert f"program.py:{HEAD.count(chr(10)) + 4}: {uri} does not exist; the script gets an empty folder" in ran.err
    for path, mode in (("absent/one.txt", "mount"), ("absent", "download")):
        assert f"{path} does not exist" in _refuse(served, body.format(path=path, mode=mode))


def test_parameters_are_what_the_submission_says(served: Programs) -> None:
    """A text with blanks and quotes is one argument; a path and a dataset may be parameters, too."""
    served.write("src/echo.py", ECHO + "print(open(sys.argv[4]).read(), open(sys.argv[5]).read())\n")
    served.write("data/one.txt", "one")
    served.write("data/two.txt", "two")
    out = _run(
        served,
        """
store.upload("data", "given", overwrite=True, show_progress=False)
text, number = PipelineParameter("text", "it's $HOME"), PipelineParameter("number", 3)
path = PipelineParameter("path", DataPath(store, "given/one.txt"))
files = PipelineParameter("files", Dataset.File.from_files((store, "given/one.txt")))
pair = (path, DataPathComputeBinding(mode="mount"))
data = DatasetConsumptionConfig("files", files).as_mount()
step = PythonScriptStep("echo.py", arguments=[text, "a b", number, pair, data], inputs=[pair, data],
                        source_directory="src", runconfig=host)
pipeline = Pipeline(ws, [step])
for given in ({}, {"number": 4, "path": DataPath(store, "given/two.txt"), "text": "a  b",
                   "files": Dataset.File.from_files((store, "given/two.txt"))}):
    run = Experiment(ws, "parameters").submit(pipeline, pipeline_parameters=given)
    run.wait_for_completion(show_output=False)
    print(list(run.get_steps())[0].get_job_log())
""",
    )
    lines = [line for line in out.splitlines() if line]
    assert lines[0].startswith("got it's $HOME a b 3 ")
    assert lines[1] == "one one"
    assert lines[2].startswith("got a  b a b 4 ")
    assert lines[3] == "two two"


def test_a_step_is_reused_unless_the_program_says_otherwise(served: Programs) -> None:
    """By default; not with allow_reuse=False, another version, or regenerate_outputs=True."""
    served.write("src/time.py", "import time\nprint(time.time())\n")
    out = _run(
        served,
        """
def submit(regenerate=False, **more):
    step = PythonScriptStep("time.py", source_directory="src", runconfig=host, **more)
    run = Experiment(ws, "reuse").submit(Pipeline(ws, [step]), regenerate_outputs=regenerate)
    run.wait_for_completion(show_output=False)
    return list(run.get_steps())[0].get_properties().get("azureml.isreused", "false").lower()

print(submit(), submit(), submit(True), submit(version="2"), submit(version="2"), submit(allow_reuse=False))
""",
    )
    assert out.split() == ["false", "true", "false", "false", "true", "false"]


def test_several_files_are_one_folder_to_a_script(served: Programs) -> None:
    """Files of several places, a pattern, and a part of them."""
    served.write("src/list.py", "import os, sys\nprint(*[sorted(os.listdir(one)) for one in sys.argv[1:]])\n")
    for name in ("a.csv", "b.csv", "c.txt"):
        served.write(f"data/{name}", name)
    out = _run(
        served,
        """
store.upload("data", "several", overwrite=True, show_progress=False)
table = Dataset.File.from_files((store, "several/*.csv"))
both = Dataset.File.from_files([(store, "several/a.csv"), (store, "several/c.txt")])
step = PythonScriptStep("list.py", arguments=[table.as_mount(), both.as_download(), table.skip(1).as_mount()],
                        source_directory="src", runconfig=host)
run = Experiment(ws, "several").submit(Pipeline(ws, [step]))
run.wait_for_completion(show_output=False)
print(list(run.get_steps())[0].get_job_log())
""",
    )
    assert out.strip() == "['a.csv', 'b.csv'] ['a.csv', 'c.txt'] ['b.csv']"


def test_outputs_have_their_places_names_and_downloads(served: Programs) -> None:
    """A destination with the run's id, a registered output, a pipeline's output by name."""
    served.write("src/write.py", "import sys\nfor one in sys.argv[1:]:\n    open(one + '/f.txt', 'w').write('x')\n")
    out = _run(
        served,
        """
placed = OutputFileDatasetConfig("placed", destination=(store, "here/{run-id}/{output-name}"))
named = OutputFileDatasetConfig("named").register_on_complete("results")
found = PipelineData("found", is_directory=True, pipeline_output_name="answer")
step = PythonScriptStep("write.py", "write", [placed, named, found], outputs=[found], source_directory="src",
                        runconfig=host)
run = Experiment(ws, "outputs").submit(Pipeline(ws, [step]))
run.wait_for_completion(show_output=False)
one = run.find_step_run("write")[0]
print(one.get_output_data("placed").path_on_datastore == f"here/{one.id}/placed")
print(run.get_pipeline_output("answer").download("down"), ws.client.data.get("results", label="latest").type)
print(sorted(one.get_outputs()))
""",
    )
    assert out.splitlines() == ["True", "1 uri_folder", "['found', 'named', 'placed']"]


MISTAKES = {
    "cycle": (
        "a, b = CommandStep('ls', 'a'), CommandStep('ls', 'b')\na.run_after(b)\nb.run_after(a)\nPipeline(ws, [a])\n",
        "the steps wait for each other in a circle",
    ),
    "argument": (
        "PythonScriptStep('a.py', argments=[])\n",
        "PythonScriptStep has no parameter 'argments'; did you mean 'arguments'?",
    ),
    "script": (
        "Pipeline(ws, [PythonScriptStep('trian.py', source_directory='src')]).validate()\n",
        "there is no script 'trian.py' in 'src'; did you mean 'train.py'?",
    ),
    "dataset": ("Dataset.get_by_name(ws, 'nothing')\n", "the workspace 'default' has no dataset 'nothing'"),
    "unlisted": (
        "data = PipelineData('x')\nstep = PythonScriptStep('train.py', arguments=[data], source_directory='src')\n"
        "Pipeline(ws, [step]).validate()\n",
        "'x' is among the arguments, but neither in the inputs nor in the outputs of its step",
    ),
    "unwritten": (
        "data = PipelineData('x')\nstep = PythonScriptStep('train.py', inputs=[data], source_directory='src')\n"
        "Pipeline(ws, [step]).validate()\n",
        "'x' is an input of a step, but no step has it among its outputs",
    ),
    "parameter": (
        "step = CommandStep('ls', runconfig=host)\n"
        "Experiment(ws, 'e').submit(Pipeline(ws, [step]), pipeline_parameters={'x': 1})\n",
        "the pipeline has no parameter 'x'; it has none",
    ),
    "copied": (
        "from azureml.pipeline.steps import DataTransferStep\n"
        "one = CommandStep(['ls', OutputFileDatasetConfig('x')], 'one', runconfig=host)\n"
        "two = DataTransferStep('two', DataReference(store, 'a', 'a'), DataReference(store, 'b', 'b'))\n"
        "two.run_after(one)\nPipeline(ws, [two]).validate()\n",
        "run_after would make it copy what 'one' writes as well; put a step without outputs between them",
    ),
    "iteration": (
        "from azureml.pipeline.core import TrainingOutput\nTrainingOutput('Model', iteration=3)\n",
        "iteration is not served, as the result is that of the best trial",
    ),
    "adla": (
        "from azureml.pipeline.steps import AdlaStep\nAdlaStep('s.usql', name='old')\n",
        "Azure Data Lake Analytics was shut down in 2024",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence_at_its_line(served: Programs, name: str) -> None:
    """With the line of the user's program."""
    served.write("src/train.py", ECHO)
    body, words = MISTAKES[name]
    assert words in _refuse(served, body)


def test_v2_data_cannot_be_opened_by_v1(served: Programs) -> None:
    """Registered by v2, data is refused by name with what to do."""
    served.write("data/a.txt", "a")
    line = _refuse(
        served,
        """
from smalt.entities import Data
ws.client.data.create_or_update(Data(name="of-v2", path="data", type="uri_folder"))
Dataset.get_by_name(ws, "of-v2")
""",
    )
    assert "was made by v2, and v2 data assets cannot be opened by v1" in line
    assert line.startswith("program.py:")
