"""Steps of SDK v1: what each becomes in v2, and those that run here to their end."""

from __future__ import annotations

from tests.v1.conftest import Programs

HEAD = """\
from azureml.core import Dataset, Datastore, Experiment, RunConfiguration, ScriptRunConfig, Workspace, Environment
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, TrainingOutput
from azureml.pipeline.core.graph import InputPortDef, OutputPortDef
from azureml.pipeline.core.module import Module
from azureml.pipeline.steps import (
    AutoMLStep, CommandStep, DataTransferStep, HyperDriveStep, HyperDriveStepRun, ModuleStep, MpiStep,
    ParallelRunConfig, ParallelRunStep, PythonScriptStep, RScriptStep, SynapseSparkStep,
)
from azureml.train.automl import AutoMLConfig
from azureml.train.hyperdrive import (
    BanditPolicy, GridParameterSampling, HyperDriveConfig, PrimaryMetricGoal, RandomParameterSampling, choice, uniform,
)

ws = Workspace.from_config()
store = ws.get_default_datastore()
host = RunConfiguration()
host.environment.python.user_managed_dependencies = True
environment = host.environment
"""
TRIAL = """\
import argparse, os
from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int)
parser.add_argument("--name")
given = parser.parse_args()
Run.get_context().log("score", given.size)
os.makedirs("outputs", exist_ok=True)
open("outputs/model.txt", "w").write(f"{given.name} {given.size}")
"""


def _run(served: Programs, body: str) -> str:
    served.write("program.py", HEAD + body)
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    return ran.out


def test_a_sweep_is_an_experiment_of_its_own_and_a_step(served: Programs) -> None:
    """The best trial is found, its model goes to the next step, and the metrics of all trials are a file."""
    served.write("src/trial.py", TRIAL)
    out = _run(
        served,
        """
source = ScriptRunConfig("src", "trial.py", ["--name", "it's me"], run_config=host)
config = HyperDriveConfig(GridParameterSampling({"--size": choice(1, 3, 2)}), "score", PrimaryMetricGoal.MAXIMIZE, 3, 3,
                          run_config=source)
run = Experiment(ws, "sweep").submit(config)
run.wait_for_completion()
best = run.get_best_run_by_primary_metric()
print(best.get_metrics(), run.get_children_sorted_by_primary_metric()[0]["best_primary_metric"])
print(run.get_hyperparameters()[best.id], len(run.get_metrics()))
found = TrainingOutput("Model", model_file="outputs/model.txt")
model = PipelineData("model", pipeline_output_name="best", training_output=found)
metrics = PipelineData("metrics", pipeline_output_name="all", training_output=TrainingOutput("Metrics"))
step = HyperDriveStep("search", config, outputs=[model, metrics])
show = CommandStep(["cat", model], "show", inputs=[model], source_directory="src", runconfig=host)
ran = Experiment(ws, "sweep").submit(Pipeline(ws, [show]))
ran.wait_for_completion(show_output=False)
print(ran.find_step_run("show")[0].get_job_log())
place = ran.get_pipeline_output("all")
place.download(".")
import json
print(sorted(one["score"] for one in json.load(open(place._path_on_datastore)).values()))
print(HyperDriveStepRun(ran.find_step_run("search")[0]).get_best_run_by_primary_metric().get_metrics())
""",
    )
    assert [line for line in out.splitlines() if line] == [
        "{'score': 3.0} 3.0",
        '{"size": 3} 3',
        "it's me 3",
        "[[1.0], [2.0], [3.0]]",
        "{'score': 3.0}",
    ]


def test_a_parallel_step_writes_the_rows_where_the_program_looks_for_them(served: Programs) -> None:
    """In the file that the program names, below the output's path; parameters fill in the cut."""
    served.write("src/count.py", "def run(mini_batch):\n    return [open(path).read() for path in mini_batch]\n")
    for number in range(5):
        served.write(f"data/{number}.txt", f"row {number}")
    out = _run(
        served,
        """
import os
store.upload("data", "parallel", overwrite=True, show_progress=False)
files = Dataset.File.from_files((store, "parallel")).as_named_input("files")
config = ParallelRunConfig(environment, "count.py", 1, "append_row", "local", 1, process_count_per_node=1,
                           mini_batch_size=PipelineParameter("size", "2"), source_directory="src",
                           append_row_file_name="rows.txt")
rows = PipelineData("rows", datastore=store)
step = ParallelRunStep("count-files", config, [files], rows, allow_reuse=False)
run = Experiment(ws, "parallel").submit(Pipeline(ws, [step]), pipeline_parameters={"size": "3"})
run.wait_for_completion(show_output=False)
place = run.find_step_run("count-files")[0].get_output_data("rows")
place.download("down")
print(open(os.path.join("down", place.path_on_datastore, "rows.txt")).read())
""",
    )
    assert out.split("\n")[:5] == [f"row {number}" for number in range(5)]


def test_a_module_is_a_script_of_its_versions(served: Programs) -> None:
    """Ports are wired by name."""
    served.write(
        "src/add.py",
        "import sys\nopen(sys.argv[1], 'w').write(str(int(sys.argv[2]) + int(open(sys.argv[3]).read())))\n",
    )
    served.write("data/two.txt", "2")
    out = _run(
        served,
        """
store.upload("data", "module", overwrite=True, show_progress=False)
module = Module.create(ws, "add", "adds")
module.publish_python_script("add.py", "first", [InputPortDef("given")], [OutputPortDef("sum")], version="1",
                             source_directory="src", is_default=True)
given, total = DataReference(store, "two", "module/two.txt"), PipelineData("total", is_directory=False)
step = ModuleStep(module, inputs_map={"given": given}, outputs_map={"sum": total}, runconfig=host,
                  arguments=[total, PipelineParameter("number", 40), given])
show = CommandStep(["cat", total], "show", inputs=[total], source_directory="src", runconfig=host)
run = Experiment(ws, "module").submit(Pipeline(ws, [step, show]))
run.wait_for_completion(show_output=False)
print(run.find_step_run("show")[0].get_job_log())
""",
    )
    assert out.strip() == "42"


def test_data_is_transferred_from_folder_to_folder(served: Programs) -> None:
    served.write("data/a.txt", "a")
    out = _run(
        served,
        """
store.upload("data", "sent", overwrite=True, show_progress=False)
step = DataTransferStep("move", DataReference(store, "sent", "sent"), DataReference(store, "received", "received"))
run = Experiment(ws, "transfer").submit(Pipeline(ws, [step]))
run.wait_for_completion(show_output=False)
print(Dataset.File.from_files((store, "received")).to_path())
""",
    )
    assert out == "['/a.txt']\n"


def test_other_steps_become_what_the_table_of_steps_names(served: Programs) -> None:
    """Their jobs of v2, which are whole: the server takes them."""
    served.write("src/a.py", "print('a')\n")
    served.write("src/a.R", "print('a')\n")
    served.write("data/t.csv", "x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(40)))
    out = _run(
        served,
        """
store.upload("data", "steps", overwrite=True, show_progress=False)
table = Dataset.Tabular.from_delimited_files((store, "steps/t.csv"))
automl = AutoMLConfig("classification", training_data=table, label_column_name="y", primary_metric="accuracy",
                      iterations=3, experiment_timeout_hours=0.5, blocked_models=["KNN"], featurization="off")
steps = [
    MpiStep("mpi", "src", "a.py", ["x"], "local", 2, 3),
    RScriptStep("a.R", "r", source_directory="src", runconfig=host),
    SynapseSparkStep("a.py", "src", None, "1g", 1, "2g", 2, 3, name="spark", arguments=["--x", 1]),
    AutoMLStep("learn", automl, outputs=[PipelineData("model", training_output=TrainingOutput("Model"))]),
]
pipeline = Pipeline(ws, steps)
print(pipeline.validate())
for name, step in pipeline.to_job().jobs.items():
    print(name, step.type, getattr(step, "command", None))
job = pipeline.to_job().jobs
print(job["mpi"].distribution.process_count_per_instance, job["mpi"].resources.instance_count)
print(job["spark"].args, job["spark"].conf["spark.executor.instances"])
print(job["learn"].limits.max_trials, job["learn"].limits.timeout_minutes, job["learn"].target_column_name)
""",
    )
    assert out.splitlines() == [
        "[]",
        "mpi command python a.py x",
        "r command Rscript a.R",
        "spark spark None",
        "learn automl None",
        "3 2",
        "--x 1 3",
        "3 30 y",
    ]


YAML = """\
pipeline:
  description: from a file
  parameters:
    Text:
      type: string
      default: hello
  data_references:
    given:
      datastore: workspaceblobstore
      path_on_datastore: yaml/a.txt
  default_compute: local
  steps:
    First:
      type: PythonScriptStep
      name: first
      script_name: copy.py
      source_directory: src
      runconfig: .azureml/host.runconfig
      inputs:
        In: {source: given, bind_mode: mount}
      outputs:
        Out: {destination: made, datastore: workspaceblobstore}
      arguments: [input:In, output:Out, parameter:Text]
    Second:
      type: PythonScriptStep
      name: second
      script_name: show.py
      source_directory: src
      runconfig: .azureml/host.runconfig
      inputs:
        In: {source: made}
      arguments: [input:In]
"""


def test_a_pipeline_of_a_yaml_file_runs(served: Programs) -> None:
    """With its parameters; a mistake is told with its line."""
    served.write(
        "src/copy.py", "import sys\nopen(sys.argv[2] + '/f', 'w').write(open(sys.argv[1]).read() + sys.argv[3])\n"
    )
    served.write("src/show.py", "import sys\nprint(open(sys.argv[1] + '/f').read())\n")
    served.write("data/a.txt", "a ")
    served.write("pipeline.yml", YAML)
    served.write("wrong.yml", YAML.replace("script_name: show.py", "script_nam: show.py"))
    out = _run(
        served,
        """
host.save(".", "host")
store.upload("data", "yaml", overwrite=True, show_progress=False)
pipeline = Pipeline.load_yaml(ws, "pipeline.yml")
run = Experiment(ws, "yaml").submit(pipeline, pipeline_parameters={"Text": "b"})
run.wait_for_completion(show_output=False)
print(run.find_step_run("second")[0].get_job_log())
try:
    Pipeline.load_yaml(ws, "wrong.yml")
except Exception as error:
    print(error)
""",
    )
    lines = [line for line in out.splitlines() if line]
    assert lines[0] == "a b"
    assert lines[1] == "wrong.yml:27: unknown key 'script_nam' in the step 'Second'; did you mean 'script_name'?"
