"""The tables of Microsoft's two upgrade pages, with examples, which docs/v1.md shows upgraded."""

from __future__ import annotations

from typing import NamedTuple


class TableRow(NamedTuple):
    """A row of the tables: v1's form, the forms in v2 that the page names, the state here, and a program's lines."""

    v1: str
    v2: str
    here: str
    example: str = ""


HEAD = """\
from azureml.core import Workspace, Experiment, Environment, ScriptRunConfig, Dataset
from azureml.core.runconfig import RunConfiguration
from azureml.data import OutputFileDatasetConfig
from azureml.pipeline.core import Pipeline, PipelineData
from azureml.pipeline.steps import (CommandStep, EstimatorStep, HyperDriveStep, MpiStep, ParallelRunConfig,
                                    ParallelRunStep, PythonScriptStep, RScriptStep)

ws = Workspace.from_config()
env = Environment('plain')
run_config = RunConfiguration()
run_config.environment = env
"""
"""The lines above each example."""

SCRIPT_RUN = (
    TableRow(
        "experiment.submit",
        "MLClient.jobs.create_or_update",
        "runs",
        """\
config = ScriptRunConfig(source_directory='src', script='hello.py', environment=env)
run = Experiment(ws, 'hello').submit(config)
run.wait_for_completion(show_output=True)
""",
    ),
    TableRow(
        "ScriptRunConfig()",
        "command()",
        "runs",
        """\
config = ScriptRunConfig(source_directory='src', script='hello.py', arguments=['--times', 2], environment=env)
""",
    ),
)
"""The table of "Upgrade script run to SDK v2"."""

PIPELINE = (
    TableRow(
        "azureml.pipeline.core.Pipeline",
        "azure.ai.ml.dsl.pipeline",
        "runs",
        """\
hello = PythonScriptStep('hello.py', source_directory='src', runconfig=run_config)
pipeline = Pipeline(ws, steps=[hello])
run = Experiment(ws, 'pipeline').submit(pipeline)
run.wait_for_completion(show_output=True)
""",
    ),
    TableRow(
        "OutputDatasetConfig",
        "Output",
        "runs",
        """\
words = OutputFileDatasetConfig('words')
write = PythonScriptStep('hello.py', arguments=['--write', words], source_directory='src', runconfig=run_config)
""",
    ),
    TableRow(
        "dataset as_mount",
        "Input",
        "runs",
        """\
table = Dataset.File.from_files('data/table.csv')
read = PythonScriptStep('hello.py', arguments=['--read', table.as_named_input('table').as_mount()],
                        source_directory='src', runconfig=run_config)
""",
    ),
)
"""The table of functions of "Upgrade pipelines to SDK v2"."""

STEPS = (
    TableRow("adla_step", "none", "refused: Azure Data Lake Analytics was shut down in 2024; make it a Spark job"),
    TableRow(
        "automl_step",
        "`automl` job and component",
        "runs",
        """\
from azureml.pipeline.core import TrainingOutput
from azureml.pipeline.steps import AutoMLStep
from azureml.train.automl import AutoMLConfig

table = Dataset.get_by_name(ws, 'table')
config = AutoMLConfig(task='regression', training_data=table, label_column_name='y', iterations=2)
model = PipelineData('model', training_output=TrainingOutput('Model'), pipeline_output_name='best')
learn = AutoMLStep('learn', config, outputs=[model])
pipeline = Pipeline(ws, steps=[learn])
""",
    ),
    TableRow("azurebatch_step", "none", "refused: make it a command job"),
    TableRow(
        "command_step",
        "`command` job and component",
        "runs",
        """\
step = CommandStep(command='python hello.py --times 2', name='say', source_directory='src', runconfig=run_config)
pipeline = Pipeline(ws, steps=[step])
""",
    ),
    TableRow(
        "data_transfer_step",
        "`data_transfer`",
        "runs",
        """\
from azureml.data.data_reference import DataReference
from azureml.pipeline.steps import DataTransferStep

store = ws.get_default_datastore()
copy = DataTransferStep('copy', DataReference(store, 'raw', 'in'), DataReference(store, 'kept', 'out'))
pipeline = Pipeline(ws, steps=[copy])
""",
    ),
    TableRow("databricks_step", "none", "refused: run its file as a Spark job, or call Databricks from a command"),
    TableRow(
        "estimator_step",
        "`command` job and component",
        "runs",
        """\
from azureml.train.estimator import Estimator

estimator = Estimator('src', entry_script='hello.py', environment_definition=env)
step = EstimatorStep('say', estimator, ['--times', 2])
pipeline = Pipeline(ws, steps=[step])
""",
    ),
    TableRow(
        "hyper_drive_step",
        "`sweep` job and component",
        "runs",
        """\
from azureml.train.hyperdrive import HyperDriveConfig, PrimaryMetricGoal, RandomParameterSampling, choice

config = ScriptRunConfig('src', 'fit.py', environment=env)
sampling = RandomParameterSampling({'--rate': choice(0.1, 0.2)})
sweep = HyperDriveConfig(run_config=config, hyperparameter_sampling=sampling, primary_metric_name='score',
                         primary_metric_goal=PrimaryMetricGoal.MAXIMIZE, max_total_runs=2)
tune = HyperDriveStep('tune', sweep)
pipeline = Pipeline(ws, steps=[tune])
""",
    ),
    TableRow("kusto_step", "none", "refused: use azure-kusto-data in a command"),
    TableRow(
        "module_step",
        "`command` component",
        "runs",
        """\
from azureml.pipeline.core import Module
from azureml.pipeline.steps import ModuleStep

module = Module.create(ws, 'say', 'says it')
version = module.publish_python_script('hello.py', 'first', inputs=[], outputs=[], source_directory='src')
step = ModuleStep(module_version=version, arguments=['--times', 2], runconfig=run_config)
pipeline = Pipeline(ws, steps=[step])
""",
    ),
    TableRow(
        "mpi_step",
        "`command` job and component",
        "runs",
        """\
step = MpiStep(name='say', source_directory='src', script_name='hello.py', compute_target='cpu-cluster',
               node_count=1, process_count_per_node=2)
""",
    ),
    TableRow(
        "parallel_run_step",
        "`parallel` job and component",
        "runs",
        """\
texts = Dataset.File.from_files('texts')
said = PipelineData('said', is_directory=True)
config = ParallelRunConfig(environment=env, source_directory='src', entry_script='score.py', error_threshold=0,
                           output_action='append_row', compute_target='cpu-cluster', node_count=1, mini_batch_size='1')
step = ParallelRunStep(name='score', parallel_run_config=config, inputs=[texts.as_named_input('texts')], output=said)
pipeline = Pipeline(ws, steps=[step])
run = Experiment(ws, 'parallel').submit(pipeline)
run.wait_for_completion(show_output=True)
""",
    ),
    TableRow(
        "python_script_step",
        "`command` job and component",
        "runs",
        """\
words = OutputFileDatasetConfig('words')
write = PythonScriptStep('hello.py', arguments=['--write', words], name='write', source_directory='src',
                         runconfig=run_config)
again = PythonScriptStep('hello.py', arguments=['--read', words.as_input('words')], name='again',
                         source_directory='src', runconfig=run_config)
pipeline = Pipeline(ws, steps=[write, again])
run = Experiment(ws, 'two-steps').submit(pipeline)
run.wait_for_completion(show_output=True)
""",
    ),
    TableRow(
        "r_script_step",
        "`command` job and component",
        "runs, with conda's R or this machine's",
        """\
step = RScriptStep(script_name='hello.R', name='say', source_directory='src', runconfig=run_config)
""",
    ),
    TableRow(
        "synapse_spark_step",
        "`spark`",
        "runs",
        """\
from azureml.pipeline.steps import SynapseSparkStep

step = SynapseSparkStep('go.py', 'src', 'pool', '1g', 1, '1g', 1, 2, arguments=['--times', 2])
pipeline = Pipeline(ws, steps=[step])
""",
    ),
)
"""Table of steps, of the page "Upgrade pipelines to SDK v2"."""

PUBLISHED = (
    TableRow(
        "Pipeline endpoint",
        "Batch endpoint",
        "runs",
        """\
from azureml.pipeline.core import PipelineEndpoint

hello = PythonScriptStep('hello.py', source_directory='src', runconfig=run_config)
pipeline = Pipeline(ws, steps=[hello])
endpoint = PipelineEndpoint.publish(ws, 'hello-endpoint', pipeline, 'says hello')
print(endpoint.get_default_version())
""",
    ),
    TableRow(
        "Published pipeline",
        "Pipeline component deployment",
        "runs",
        """\
hello = PythonScriptStep('hello.py', source_directory='src', runconfig=run_config)
pipeline = Pipeline(ws, steps=[hello])
published = pipeline.publish(name='Hello_pipeline', description='says hello')
""",
    ),
    TableRow("Pipeline parameter", "Job inputs", "runs"),
    TableRow("Pipeline job", "Batch job", "runs; `published.submit` becomes `batch_endpoints.invoke`"),
)
"""Table of published pipelines, of the same page."""

TABLES = (
    ("A script run", SCRIPT_RUN),
    ("A pipeline", PIPELINE),
    ("Steps", STEPS),
    ("Published pipelines", PUBLISHED),
)
