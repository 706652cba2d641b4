"""Programs of SDK v1 become v2: what is rewritten, what is said, and what stays for a person."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from smalt.v1.upgrade.findings import Finding
from smalt.v1.upgrade.program import upgrade_program

HEAD = """\
from azureml.core import Workspace, Experiment, Environment, ScriptRunConfig, Dataset, Datastore, Run, Model
from azureml.core.compute import ComputeTarget, AmlCompute
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import RunConfiguration, MpiConfiguration, PyTorchConfiguration
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.pipeline.core import Pipeline, PipelineData, PipelineParameter, StepSequence
from azureml.pipeline.steps import PythonScriptStep, CommandStep, MpiStep, DatabricksStep, ParallelRunConfig
from azureml.pipeline.steps import ParallelRunStep
from azureml.train.hyperdrive import BanditPolicy, HyperDriveConfig, PrimaryMetricGoal, RandomParameterSampling
from azureml.train.hyperdrive import choice, uniform
ws = Workspace.from_config()
env = Environment.get(ws, name='tools', version='3')
"""


def upgrade(body: str) -> str:
    """Return the body of a program in v2, without the imports."""
    text = upgrade_program(HEAD + dedent(body)).text
    ast.parse(text)
    return text.partition("version='3')\n")[2]


def persons(body: str) -> list[Finding]:
    return [one for one in upgrade_program(HEAD + dedent(body)).findings if one.state == "person"]


def test_arguments_become_inputs_and_outputs() -> None:
    """Literals stay in the command, quoted for a shell; other values become inputs that the flag names."""
    text = upgrade("""\
        data = Dataset.File.from_files('https://x/y.csv')
        made = OutputFileDatasetConfig('made')
        rate = read_rate()
        job = ScriptRunConfig('src', 'train.py', ['--text', 'two words', '--rate', rate, '--in',
            data.as_named_input('table').as_download(), '--out', made, '--on', True], environment=env)
        """)
    assert (
        "command=\"python train.py --text 'two words' --rate '${{inputs.rate}}' --in ${{inputs.table}} "
        '--out ${{outputs.made}} --on True"' in text
    )
    assert '"rate": rate' in text
    assert '"table": Input(type=data.type, path=data.path, mode="download")' in text
    assert 'outputs={"made": made}' in text


def test_order_without_data_is_an_output_that_only_orders() -> None:
    text = upgrade("""\
        one = PythonScriptStep('a.py', name='a', source_directory='.')
        two = PythonScriptStep('b.py', name='b', source_directory='.')
        two.run_after(one)
        pipeline = Pipeline(ws, steps=[two])
        """)
    assert '"done": Output(type="uri_folder", description="it orders steps; nothing is written to it")' in text
    assert "two_node = two(after_one=one_node.outputs.done)" in text
    assert text.index("one_node = one()") < text.index("two_node =")


def test_a_sequence_orders_its_steps() -> None:
    text = upgrade("""\
        one = PythonScriptStep('a.py', name='a', source_directory='.')
        two = PythonScriptStep('b.py', name='b', source_directory='.')
        pipeline = Pipeline(ws, steps=StepSequence([one, two]))
        """)
    assert "StepSequence" not in text
    assert "two_node = two(after_one=one_node.outputs.done)" in text


def test_pipeline_parameters_are_the_functions_parameters() -> None:
    """A literal is the default; what is given at submission is given to the function."""
    text = upgrade("""\
        rate = PipelineParameter('rate', default_value=0.5)
        step = PythonScriptStep('a.py', arguments=['--rate', rate], source_directory='.')
        pipeline = Pipeline(ws, [step])
        run = Experiment(ws, 'exp').submit(pipeline, pipeline_parameters={'rate': 1.5}, regenerate_outputs=True)
        """)
    assert "rate = 0.5\n" in text
    assert "def exp_pipeline(rate=rate):" in text
    assert "step(rate=rate)" in text
    assert "pipeline = exp_pipeline(rate=1.5)\npipeline.settings.force_rerun = True\n" in text


def test_reuse_that_is_off_stays_off() -> None:
    assert "is_deterministic=False" in upgrade(
        "step = PythonScriptStep('a.py', source_directory='.', allow_reuse=False)\n"
    )


def test_distributions_count_processes_per_instance() -> None:
    text = upgrade("""\
        job = ScriptRunConfig('.', 'a.py', environment=env,
                              distributed_job_config=PyTorchConfiguration(process_count=8, node_count=2))
        """)
    assert "distribution=PyTorchDistribution(process_count_per_instance=4)" in text
    assert "instance_count=2" in text


def test_a_run_configuration_leaves_its_environment() -> None:
    """Its conda file and image are those of an Environment, which the step gets; flags without a meaning go."""
    text = upgrade("""\
        config = RunConfiguration()
        config.target = 'cpu'
        config.environment.docker.enabled = True
        config.environment.docker.base_image = 'me/mine:1'
        config.environment.python.conda_dependencies = CondaDependencies.create(pip_packages=['numpy==1.26'])
        step = PythonScriptStep('a.py', runconfig=config, source_directory='.')
        """)
    assert "environment = Environment(name=\"environment\")\nenvironment.image = 'me/mine:1'\n" in text
    assert "environment.conda_file = {\n" in text
    assert '{"pip": [\'numpy==1.26\', "mlflow-skinny", "azureml-mlflow"]}' in text
    assert "    environment=environment,\n    compute='cpu',\n" in text
    assert "RunConfiguration" not in text


def test_packages_that_are_added_one_by_one_are_listed() -> None:
    text = upgrade("""\
        packages = CondaDependencies()
        packages.add_conda_package('scipy')
        packages.add_pip_package('pandas')
        env2 = Environment('two')
        env2.python.conda_dependencies = packages
        """)
    assert " ".join(text.split()).startswith(
        'packages = { "dependencies": [ "python=3.8", \'scipy\', "pip", {"pip": [\'pandas\', "mlflow-skinny"'
    )
    assert "add_pip_package" not in text


def test_a_hyperdrive_is_a_sweep_over_the_commands_inputs() -> None:
    text = upgrade("""\
        job = ScriptRunConfig('.', 'a.py', arguments=['--rate', 0.1], compute_target='cpu', environment=env)
        sampling = RandomParameterSampling({'--rate': uniform(0.01, 1), '--kernel': choice('a', 'b')})
        sweep = HyperDriveConfig(run_config=job, hyperparameter_sampling=sampling, primary_metric_name='loss',
                                 primary_metric_goal=PrimaryMetricGoal.MINIMIZE, max_total_runs=8,
                                 policy=BanditPolicy(slack_factor=0.1))
        """)
    assert 'command="python a.py --rate ${{inputs.rate}} --kernel ${{inputs.kernel}}"' in text
    assert "trial = job(rate=Uniform(min_value=0.01, max_value=1), kernel=Choice(values=['a', 'b']))" in text
    assert 'goal="Minimize"' in text
    assert "max_total_trials=8" in text


def test_a_parallel_step_has_the_configurations_settings() -> None:
    text = upgrade("""\
        data = Dataset.File.from_files('https://x/folder')
        made = PipelineData('made', is_directory=True)
        config = ParallelRunConfig(environment=env, entry_script='score.py', error_threshold=3,
                                   output_action='append_row', compute_target='cpu', node_count=2, mini_batch_size='5',
                                   source_directory='src')
        step = ParallelRunStep('score', config, [data.as_named_input('images')], output=made)
        """)
    assert "ParallelRunConfig" not in text
    assert 'input_data="${{inputs.images}}"' in text
    assert "error_threshold=3" in text
    assert 'append_row_to="${{outputs.made}}"' in text
    assert 'retry_settings={"max_retries": 2, "timeout": 60}' in text


def test_one_step_for_a_person_keeps_its_whole_pipeline() -> None:
    """Steps mean nothing without each other: all stay SDK v1's, and the first cause is at each of them."""
    body = """\
        one = PythonScriptStep('a.py', name='a', source_directory='.')
        two = DatabricksStep('b', notebook_path='x')
        pipeline = Pipeline(ws, steps=[one, two])
        run = Experiment(ws, 'exp').submit(pipeline)
        """
    text = upgrade(body)
    assert "one = PythonScriptStep('a.py', name='a', source_directory='.')" in text
    assert "pipeline = Pipeline(ws, steps=[one, two])" in text
    assert "command(" not in text
    assert len(persons(body)) == 4
    assert any("Databricks" in one.text for one in persons(body))
    assert "ws = Workspace.from_config()" in upgrade_program(HEAD + dedent(body)).text


def test_an_object_that_v2_does_not_have_stays_while_a_line_needs_it() -> None:
    """No line is half changed: what a left line names is still there."""
    text = upgrade_program(
        "from azureml.core.runconfig import RunConfiguration\nconfig = RunConfiguration()\nconfig.history.x = 1\n"
    ).text
    assert "from azureml.core.runconfig import RunConfiguration\n" in text
    assert "config = RunConfiguration()" in text


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("job = ScriptRunConfig('.', scrpt='a.py')", "it has no argument 'scrpt'"),
        ("job = ScriptRunConfig('.', 'a.py', arguments=read())", "the text does not tell its list of arguments"),
        ("ws.get_default_keyvault().get_secret('x')", "v2 has no Keyvault of its own"),
        (
            "Model.deploy(ws, 'x', [])",
            "a web service is an online endpoint with a deployment in v2; give it an inference_config",
        ),
    ],
)
def test_what_needs_a_person_says_why_and_stays(line: str, sentence: str) -> None:
    found = persons(line)
    assert [one.text for one in found] == [sentence]
    assert f"# TODO(smalt upgrade): {sentence}\n{line}\n" in upgrade(line + "\n")


def test_steps_in_a_cycle_stay() -> None:
    body = """\
        one = PythonScriptStep('a.py', source_directory='.')
        two = PythonScriptStep('b.py', source_directory='.')
        one.run_after(two)
        two.run_after(one)
        pipeline = Pipeline(ws, steps=[one, two])
        """
    assert any("its steps form a cycle" in one.text for one in persons(body))


def test_a_step_that_depends_on_a_condition_is_not_wired() -> None:
    body = """\
        if flag:
            one = PythonScriptStep('a.py', source_directory='.')
        else:
            one = PythonScriptStep('b.py', source_directory='.')
        pipeline = Pipeline(ws, steps=[one])
        """
    assert any("depends on a condition" in one.text for one in persons(body))


def test_comments_and_formatting_of_the_rest_stay() -> None:
    text = upgrade("""\
        # about the data
        data = Dataset.File.from_files(
            # the address
            'https://x/y.csv')   # behind
        values = { 'a' : 1,   'b':2 }
        """)
    assert (
        "# about the data\n# the address\ndata = Input(type=\"uri_file\", path='https://x/y.csv')  # behind\n" in text
    )
    assert "values = { 'a' : 1,   'b':2 }\n" in text


def test_functions_are_followed() -> None:
    """A parameter is what the calls and annotations say."""
    text = upgrade("""\
        def get_store(workspace: Workspace):
            return workspace.get_default_datastore()

        def show(store):
            print(store.path('x'))

        show(get_store(ws))
        """)
    assert "def get_store(workspace: MLClient):\n    return workspace.datastores.get_default()" in text
    assert 'print(f"azureml://datastores/{store.name}/paths/x")' in text


def test_a_loops_values_keep_their_order() -> None:
    text = upgrade("""\
        run = Run.get_context()
        for epoch in range(3):
            run.log('loss', 1 / (epoch + 1))
        run.log_row('curve', x=1, y=2)
        run.log_list('all', [1, 2])
        """)
    assert "mlflow.log_metric('loss', 1 / (epoch + 1), step=epoch)" in text
    assert 'mlflow.log_metrics({"curve.x": 1, "curve.y": 2})' in text
    assert "for step, value in enumerate([1, 2]):\n    mlflow.log_metric('all', value, step=step)" in text
    assert "get_context" not in text


def test_an_upgraded_program_is_not_changed_again() -> None:
    once = upgrade_program(HEAD + "run = Experiment(ws, 'x').submit(ScriptRunConfig('.', 'a.py', environment=env))\n")
    again = upgrade_program(once.text)
    assert again.text == once.text
    assert not again.findings


@pytest.mark.parametrize("change", ["job.arguments = ['--other']", "job.run_config.history.x = 1", "job.set_it(1)"])
def test_an_object_stays_if_a_change_of_it_cannot_be_rewritten(change: str) -> None:
    """Without the change it would not be the same, so what is submitted stays SDK v1's, too."""
    text = upgrade(f"""\
        job = ScriptRunConfig('.', 'a.py', arguments=['--one'], environment=env)
        {change}
        run = Experiment(ws, 'x').submit(job)
        """)
    assert "= command(" not in text
    assert "run = Experiment(ws, 'x').submit(job)" in text


def test_a_setting_that_cannot_be_rewritten_keeps_the_environment() -> None:
    text = upgrade("""\
        own = Environment('own')
        own.docker.base_dockerfile = 'FROM x'
        run = Experiment(ws, 'x').submit(ScriptRunConfig('.', 'a.py', environment=own))
        """)
    assert "own = Environment('own')\n" in text
    assert "submit(ScriptRunConfig('.', 'a.py', environment=own))" in text


@pytest.mark.parametrize(
    "change", ["words.extend(['--b', 1])", "words[0] = '--b'", "if flag:\n    words.append('--b')", "words += ['--b']"]
)
def test_a_list_that_changes_is_not_taken_as_it_was(change: str) -> None:
    body = f"words = ['--a', 1]\n{change}\njob = ScriptRunConfig('.', 'a.py', arguments=words, environment=env)\n"
    sentence = "the text does not tell its list of arguments; 'env' is v2's by now"
    assert [one.text for one in persons(body)] == [sentence]


def test_a_list_that_grows_in_a_straight_line_is_followed() -> None:
    body = "words = ['--a', 1]\nwords.append('--b')\njob = ScriptRunConfig('.', 'a.py', words, environment=env)\n"
    assert 'command="python a.py --a 1 --b"' in upgrade(body)


def test_steps_that_a_function_makes_stay_with_their_pipeline() -> None:
    body = """\
        def make(name):
            step = PythonScriptStep(name, source_directory='.')
            return step

        one = make('a.py')
        pipeline = Pipeline(ws, steps=[one])
        """
    text = upgrade(body)
    assert "step = PythonScriptStep(name, source_directory='.')" in text
    assert "pipeline = Pipeline(ws, steps=[one])" in text


def test_a_pipeline_that_a_function_makes_is_submitted() -> None:
    text = upgrade("""\
        def build(workspace):
            step = PythonScriptStep('a.py', source_directory='.')
            pipeline = Pipeline(workspace, steps=[step])
            return pipeline

        run = Experiment(ws, 'x').submit(build(ws))
        """)
    assert "    pipeline = pipeline_function()\n    return pipeline\n" in text
    assert "run = ml_client.jobs.create_or_update(build(ml_client), experiment_name='x')" in text


def test_expressions_in_f_strings_are_rewritten() -> None:
    """Their quotes do not end the text, as Python before 3.12 needs it."""
    text = upgrade("""\
        print(f"{ws.name}: {ws.compute_targets['cpu'].name} in {ws.location}")
        print(f'''
        {ws.datastores["x"].name}''')
        """)
    assert (
        "print(f\"{ml_client.workspace_name}: {ml_client.compute.get('cpu').name} in "
        '{ml_client.workspaces.get(ml_client.workspace_name).location}")' in text
    )
    assert '{ml_client.datastores.get("x").name}' in text


def test_an_object_that_goes_to_another_file_is_told() -> None:
    """That file's functions may be written for SDK v1's object."""
    found = upgrade_program(HEAD + "import helpers\nhelpers.start(ws)\nprint(ws)\n").findings
    assert [(one.name, one.text) for one in found if one.state == "differs"] == [
        ("helpers.start", "it gets 'ws', of v2 by now; look whether it is written for that")
    ]


def test_mlflow_is_led_to_the_workspace_before_its_first_use() -> None:
    text = upgrade("""\
        run = Experiment(ws, 'x').submit(ScriptRunConfig('.', 'a.py', environment=env))
        print(run.get_metrics())
        print(run.get_metrics())
        """)
    uri = "ml_client.workspaces.get(ml_client.workspace_name).mlflow_tracking_uri"
    use = "print(mlflow.get_run(run.name).data.metrics)\n"
    assert text.endswith(f"mlflow.set_tracking_uri({uri})\n{use}{use}")


def test_a_sweep_adds_no_argument_to_what_is_submitted_alone() -> None:
    body = """\
        job = ScriptRunConfig('.', 'a.py', arguments=['--rate', 0.1], environment=env)
        sampling = RandomParameterSampling({'--kind': choice(1, 2)})
        sweep = HyperDriveConfig(run_config=job, hyperparameter_sampling=sampling, primary_metric_name='loss',
                                 primary_metric_goal=PrimaryMetricGoal.MINIMIZE,
                                 max_total_runs=8)
        run = Experiment(ws, 'x').submit(job)
        """
    text = upgrade(body)
    assert "job = command(code='.', command=\"python a.py --rate 0.1\", environment=env)" in text
    assert 'command="python a.py --rate 0.1 --kind ${{inputs.kind}}"' in text.partition("job_sweep = command(")[2]
    assert "trial = job_sweep(kind=Choice(values=[1, 2]))" in text
    assert persons(body) == []


def test_a_program_with_lines_for_a_person_waits_for_that_person() -> None:
    """It is not rewritten again, and what is left is still told."""
    once = upgrade_program(HEAD + "Model.deploy(ws, 'x', [])\nprint(ws.name)\n")
    again = upgrade_program(once.text)
    assert again.text == once.text
    assert [(one.state, one.text) for one in again.findings] == [
        ("person", "a web service is an online endpoint with a deployment in v2; give it an inference_config")
    ]
