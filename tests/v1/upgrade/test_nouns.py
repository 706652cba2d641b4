"""What each kind of v1 object becomes: data, conda files, services, published pipelines, schedules, steps."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from smalt.v1.upgrade.findings import Finding
from smalt.v1.upgrade.program import UpgradedText, upgrade_program
from tests.v1.conftest import Programs

HEAD = """\
from azureml.core import Workspace, Experiment, Environment, ScriptRunConfig, Dataset, Datastore, Model, Run
from azureml.core.authentication import InteractiveLoginAuthentication
from azureml.core.compute import ComputeTarget, RemoteCompute
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.model import InferenceConfig
from azureml.core.runconfig import RunConfiguration
from azureml.core.webservice import AciWebservice, Webservice
from azureml.data.data_reference import DataReference
from azureml.opendatasets import MNIST
from azureml.pipeline.core import Pipeline, PipelineData, PipelineEndpoint, PublishedPipeline
from azureml.pipeline.core import Module, OutputPortDef
from azureml.pipeline.core.schedule import Schedule, ScheduleRecurrence
from azureml.pipeline.steps import DataTransferStep, EstimatorStep, ModuleStep, PythonScriptStep, SynapseSparkStep
from azureml.train.estimator import Estimator
ws = Workspace.from_config()
env = Environment.get(ws, name='tools', version='3')
store = Datastore.get(ws, 'images')
run_config = RunConfiguration()
run_config.environment = env
step = PythonScriptStep('train.py', source_directory='src', runconfig=run_config)
pipeline = Pipeline(ws, steps=[step])
"""


def upgrade(body: str) -> UpgradedText:
    upgraded = upgrade_program(HEAD + dedent(body))
    ast.parse(upgraded.text)
    return upgraded


def list_persons(upgraded: UpgradedText) -> list[Finding]:
    return [one for one in upgraded.findings if one.state == "person"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "store.upload_files(['a/b.csv'], target_path='in', overwrite=True)\n",
            'AzureMachineLearningFileSystem("azureml://datastores/images/paths/", ml_client=ml_client).upload(\n'
            "    'a/b.csv',\n    'in',\n    overwrite=\"MERGE_WITH_OVERWRITE\",\n)\n",
        ),
        ("store.upload('folder', 'in')\n", 'recursive=True,\n    overwrite="APPEND",\n'),
        ("store.upload_files(['a/1', 'a/2'], target_path='in')\n", "for file in ['a/1', 'a/2']:\n    Azure"),
        ("data = Dataset.File.upload_directory('d', (store, 'x'))\n", 'data = Input(type="uri_folder", path='),
        (
            "data = Dataset.File.from_files((store, 'x'))\nprint(data.to_path())\n",
            "print(AzureMachineLearningFileSystem(data.path, ml_client=ml_client).ls())\n",
        ),
        (
            "digits = MNIST.get_file_dataset('test')\ndigits.download('there')\n",
            'for name in ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]:\n',
        ),
        (
            "t = Dataset.Tabular.from_delimited_files((store, 'x/*.csv'), header=False)\n",
            'mltable.from_delimited_files(\n    paths=[{"pattern": f"azureml:/{store.id}/paths/x/*.csv"}],\n'
            '    header="no_header"',
        ),
        (
            "cd = CondaDependencies.create(pip_packages=make())\n",
            '{"dependencies": ["python=3.8", "pip", {"pip": [*make(), "mlflow-skinny", "azureml-mlflow"]}]}',
        ),
        (
            "cd = CondaDependencies()\ncd.add_tensorflow_conda_package()\nprint(cd.serialize_to_string())\n",
            "print(yaml.safe_dump(cd))\n",
        ),
        (
            "import os\ne = Environment.from_dockerfile('e', os.path.join('d', 'Dockerfile'))\n",
            "path=os.path.dirname(os.path.join('d', 'Dockerfile'))",
        ),
        ("ws.write_config()\n", 'Path(".azureml", "config.json").write_text(json.dumps({'),
        ("for name, one in ws.compute_targets.items():\n    print(name)\n", "ml_client.compute.list()}.items():\n"),
        (
            "run = Run(ws.experiments['e'], 'r')\nrun.tag('k', 'v')\n",
            "mlflow.MlflowClient().set_tag(run.name, 'k', 'v')\n",
        ),
        (
            "auth = InteractiveLoginAuthentication()\nheader = auth.get_authentication_header()\n",
            'header = {"Authorization": f"Bearer {auth.get_token(\'https://management.azure.com/.default\').token}"}\n',
        ),
        (
            "c = RemoteCompute.attach_configuration(resource_id='/x', username='u')\n"
            "m = ComputeTarget.attach(ws, 'm', c)\n",
            "c = VirtualMachineCompute(",
        ),
        (
            "published = pipeline.publish(name='My_Pipeline', description='d')\nprint(published.endpoint)\n",
            "BatchEndpoint(name=\"My-Pipeline\", description='d')",
        ),
        (
            "published = pipeline.publish(name='p')\n"
            "run = published.submit(ws, 'e', pipeline_parameters={'count': 3})\n",
            'inputs={"count": Input(type="integer", default=3)}',
        ),
        (
            "published = pipeline.publish(name='p')\n"
            "schedule = Schedule.create(ws, 'nightly', published.id, 'e',\n"
            "    recurrence=ScheduleRecurrence('Day', 1, time_of_day='22:30', week_days=['Monday']))\n"
            "schedule.disable()\n",
            "ml_client.schedules.begin_disable(schedule.name).result()\n",
        ),
        (
            "config = InferenceConfig('score.py', environment=env)\n"
            "model = Model(ws, 'm')\n"
            "service = Model.deploy(ws, 's', [model], config, AciWebservice.deploy_configuration(cpu_cores=1))\n"
            "service.wait_for_deployment()\nprint(service.run('{}'))\n",
            'service.traffic = {"blue": 100}\n',
        ),
        (
            "e = Estimator('src', entry_script='fit.py', environment_definition=env)\n"
            "fit = EstimatorStep('fit', e, ['--rate', 0.1])\np = Pipeline(ws, steps=[fit])\n",
            'command="python fit.py --rate 0.1"',
        ),
        (
            "source = DataReference(store, 'raw', 'in')\n"
            "copy = DataTransferStep('copy', source, DataReference(store, 'there', 'out'))\n"
            "p = Pipeline(ws, steps=[copy])\n",
            "copy = copy_data(\n    display_name='copy',\n    inputs={\"raw\": source}",
        ),
        (
            "spark_step = SynapseSparkStep('go.py', 'src', 'pool', '1g', 1, '1g', 1, 2, arguments=['--n', 3])\n"
            "p = Pipeline(ws, steps=[spark_step])\n",
            'args="--n 3"',
        ),
        (
            "module = Module.create(ws, 'm', 'd')\n"
            "version = module.publish_python_script('a.py', 'd', [], [OutputPortDef('o')], source_directory='src')\n"
            "made = PipelineData('made', is_directory=True)\n"
            "one = ModuleStep(module_version=version, outputs_map={'o': made}, arguments=['--to', made],\n"
            "    runconfig=run_config)\n"
            "p = Pipeline(ws, steps=[one])\n",
            "code='src',\n    command=\"python a.py --to ${{outputs.made}}\"",
        ),
    ],
    ids=lambda value: value.split("(")[0].replace("\n", " ")[:40] if isinstance(value, str) else None,
)
def test_it_is_rewritten_whole(body: str, expected: str) -> None:
    upgraded = upgrade(body)
    assert expected in upgraded.text
    assert list_persons(upgraded) == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            "s = Schedule.create(ws, 's', pipeline.publish(name='p').id, 'e', datastore=store)\n",
            "give the published pipeline a variable of its own; 'store' is v2's by now",
        ),
        (
            "p = pipeline.publish(name='p')\ns = Schedule.create(ws, 's', p.id, 'e', datastore=store)\n",
            "v2 has no schedule that watches a datastore: give it a recurrence, or a CronTrigger; "
            "'store' is v2's by now",
        ),
        (
            "models = Model.list(ws)\nservice = Model.deploy(ws, 's', models, InferenceConfig('score.py'))\n",
            "a deployment of v2 has one model; register one folder that has all of their files",
        ),
        (
            "c = RemoteCompute.attach_configuration(address='10.0.0.1', username='u')\n",
            "its argument 'address' has no counterpart in v2",
        ),
    ],
    ids=["no variable", "polling", "models", "address"],
)
def test_what_v2_lacks_is_for_a_person(body: str, sentence: str) -> None:
    assert list_persons(upgrade(body))[0].text == sentence


PROGRAM = """\
from azureml.core import Dataset, Environment, Experiment, Workspace
from azureml.core.runconfig import RunConfiguration
from azureml.pipeline.core import Pipeline, PipelineParameter
from azureml.pipeline.core.schedule import Schedule, ScheduleRecurrence
from azureml.pipeline.steps import EstimatorStep, PythonScriptStep
from azureml.train.estimator import Estimator

ws = Workspace.from_config()
env = Environment('plain')
env.python.user_managed_dependencies = True
store = ws.get_default_datastore()
store.upload_files(['words.txt'], target_path='upgraded', overwrite=True)
store.upload('more', target_path='upgraded')
words = Dataset.File.from_files((store, 'upgraded'))
print(words.to_path())
words.download('copy')
run_config = RunConfiguration()
run_config.environment = env
times = PipelineParameter('times', 2)
say = PythonScriptStep('say.py', arguments=['--words', words.as_named_input('words').as_mount(), '--times', times],
                       source_directory='src', runconfig=run_config)
estimator = Estimator('src', entry_script='say.py', environment_definition=env)
again = EstimatorStep('again', estimator, ['--times', 1])
pipeline = Pipeline(ws, steps=[say, again])
published = pipeline.publish(name='Say_it', description='words')
run = published.submit(ws, 'said', pipeline_parameters={'times': 3})
run.wait_for_completion(show_output=True)
recurrence = ScheduleRecurrence('Day', 1, hours=[22], minutes=[30])
schedule = Schedule.create(ws, 'nightly', published.id, 'said', recurrence=recurrence)
schedule.disable()
print(Schedule.get(ws, schedule.id).status, Schedule.get(ws, schedule.id).recurrence.frequency)
"""
SAY = """\
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument('--words')
parser.add_argument('--times', type=int)
args = parser.parse_args()
found = sorted(one.name for one in pathlib.Path(args.words).iterdir()) if args.words else []
print('say', args.times, found)
"""


def test_what_is_upgraded_runs(served: Programs) -> None:
    """Files are uploaded, listed and downloaded; a pipeline is published, invoked and scheduled."""
    served.write("words.txt", "hello")
    served.write("more/other.txt", "world")
    served.write("src/say.py", SAY)
    upgraded = upgrade_program(PROGRAM)
    assert list_persons(upgraded) == []
    served.write("all.py", upgraded.text)
    ran = served.python("all.py")
    assert ran.code == 0, ran.err
    assert "['upgraded/other.txt', 'upgraded/words.txt']\n" in ran.out
    assert sorted(one.name for one in (served.folder / "copy").iterdir()) == ["other.txt", "words.txt"]
    assert "say 3 ['other.txt', 'words.txt']" in ran.out + ran.err
    assert "say 1 []" in ran.out + ran.err
    assert ran.out.endswith("Disabled day\n")


SWEEP = """\
from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace
from azureml.core.runconfig import RunConfiguration
from azureml.pipeline.core import Pipeline, PipelineData, TrainingOutput
from azureml.pipeline.steps import HyperDriveStep, PythonScriptStep
from azureml.train.hyperdrive import HyperDriveConfig, PrimaryMetricGoal, RandomParameterSampling, choice

ws = Workspace.from_config()
env = 'azureml:host'
run_config = RunConfiguration()
run_config.environment = env
config = ScriptRunConfig('src', 'fit.py', environment=env)
sampling = RandomParameterSampling({'--rate': choice(1, 2)})
sweep = HyperDriveConfig(run_config=config, hyperparameter_sampling=sampling, primary_metric_name='score',
                         primary_metric_goal=PrimaryMetricGoal.MAXIMIZE, max_total_runs=2)
metrics = PipelineData('metrics', training_output=TrainingOutput('Metrics'))
model = PipelineData('model', training_output=TrainingOutput('Model', model_file='outputs/model.txt'))
tune = HyperDriveStep('tune', sweep, outputs=[metrics, model])
show = PythonScriptStep('show.py', arguments=['--model', model], inputs=[model], source_directory='src',
                        runconfig=run_config)
pipeline = Pipeline(ws, steps=[tune, show])
run = Experiment(ws, 'tuned').submit(pipeline)
run.wait_for_completion(show_output=True)
"""
FIT = """\
import argparse, os
from azureml.core import Run
parser = argparse.ArgumentParser()
parser.add_argument('--rate', type=int)
rate = parser.parse_args().rate
os.makedirs('outputs', exist_ok=True)
open('outputs/model.txt', 'w').write(f'rate {rate}')
Run.get_context().log('score', rate)
"""
SHOW = """\
import pathlib, sys
place = pathlib.Path(sys.argv[2])
print('model', [one.read_text() for one in ([place] if place.is_file() else place.iterdir())])
"""


def test_a_sweep_as_a_step_runs(served: Programs) -> None:
    """The best trial's model goes to the next step."""
    served.write("src/fit.py", FIT)
    served.write("src/show.py", SHOW)
    upgraded = upgrade_program(SWEEP)
    assert list_persons(upgraded) == []
    served.write("all.py", upgraded.text)
    ran = served.python("all.py")
    assert ran.code == 0, ran.err
    assert "model ['rate 2']" in ran.out + ran.err


AUTOML = """\
from azureml.core import Dataset, Workspace
from azureml.pipeline.core import Pipeline, PipelineData, TrainingOutput
from azureml.pipeline.steps import AutoMLStep
from azureml.train.automl import AutoMLConfig

ws = Workspace.from_config()
data = Dataset.get_by_name(ws, 'table')
config = AutoMLConfig(task='regression', training_data=data, label_column_name='y', iterations=2)
model = PipelineData('model', training_output=TrainingOutput('Model'), pipeline_output_name='best')
automl_step = AutoMLStep('learn', config, outputs=[model])
pipeline = Pipeline(ws, steps=[automl_step])
"""


def test_automl_as_a_step_is_made_in_the_function() -> None:
    upgraded = upgrade_program(AUTOML)
    assert list_persons(upgraded) == []
    function = upgraded.text.partition("def pipeline_function():\n")[2]
    assert function.startswith("    automl_step_node = automl.regression(\n        display_name='learn',\n")
    assert "    automl_step_node.set_limits(max_trials=2)\n" in function
    assert '    return {"best": automl_step_node.outputs.best_model}\n' in function
