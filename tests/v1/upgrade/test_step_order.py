"""Order without data between steps of every kind: declared on both sides, or left for a person."""

from __future__ import annotations

import pytest

from smalt.v1.upgrade.program import upgrade_program
from tests.v1.conftest import Programs
from tests.v1.upgrade.test_nouns import FIT, SWEEP, list_persons

HEAD = """\
from azureml.core import Dataset, Datastore, Environment, ScriptRunConfig, Workspace
from azureml.data import OutputFileDatasetConfig
from azureml.data.data_reference import DataReference
from azureml.pipeline.core import Pipeline, StepSequence
from azureml.pipeline.steps import (AutoMLStep, CommandStep, DataTransferStep, ParallelRunConfig, ParallelRunStep,
                                    PythonScriptStep, SynapseSparkStep)
from azureml.train.automl import AutoMLConfig
ws = Workspace.from_config()
env = Environment.get(ws, name='tools', version='3')
data = Dataset.get_by_name(ws, 'table')
first = PythonScriptStep('a.py', name='first', source_directory='.')
last = PythonScriptStep('b.py', name='last', source_directory='.')
"""
SPARK = """\
step = SynapseSparkStep('s.py', '.', 'pool', driver_memory='1g', driver_cores=1, executor_memory='1g',
                        executor_cores=1, num_executors=1, name='s')
"""
PARALLEL = """\
settings = ParallelRunConfig(environment=env, entry_script='p.py', error_threshold=1, output_action='summary_only',
                             compute_target='cpu', node_count=1, source_directory='.')
step = ParallelRunStep('p', settings, inputs=[data.as_named_input('table')])
"""
AUTOML = """\
config = AutoMLConfig(task='regression', training_data=data, label_column_name='y')
step = AutoMLStep('learn', config)
"""
COPY = """\
source = DataReference(Datastore.get(ws, 'a'), 'here', 'in')
step = DataTransferStep('copy', source, DataReference(Datastore.get(ws, 'b'), 'there', 'out'))
"""
LISTED = """\
config = ScriptRunConfig('.', command=['ls'], environment=env)
step = CommandStep(name='ls', runconfig=config)
"""
ORDER = "step.run_after(first)\nlast.run_after(step)\npipeline = Pipeline(ws, [last])\n"
WAITS = 'inputs={"after_first": Input(type="uri_folder", optional=True)}'


@pytest.mark.parametrize("step", [SPARK, PARALLEL], ids=["spark", "parallel"])
def test_a_step_without_outputs_is_ordered_on_both_sides(step: str) -> None:
    """It declares the input that waits and the output that is waited for, as the pipeline's function uses both."""
    upgraded = upgrade_program(HEAD + step + ORDER)
    assert list_persons(upgraded) == []
    own = upgraded.text.partition("\nstep = ")[2].partition("\n)\n")[0]
    assert '"after_first": Input(type="uri_folder", optional=True)' in own
    assert '"done": Output(type="uri_folder", description="it orders steps; nothing is written to it")' in own
    assert "step_node = step(" in upgraded.text
    assert "after_first=first_node.outputs.done" in upgraded.text
    assert "last_node = last(after_step=step_node.outputs.done)" in upgraded.text


@pytest.mark.parametrize("order", ["step.run_after(first)\nsteps = [step]\n", "steps = StepSequence([first, step])\n"])
@pytest.mark.parametrize(("step", "kind"), [(AUTOML, "an AutoML step"), (COPY, "a copy")], ids=["automl", "copy"])
def test_a_step_that_waits_for_data_only_is_for_a_person(step: str, kind: str, order: str) -> None:
    """All of its pipeline stays v1: without the order, it could begin too early."""
    upgraded = upgrade_program(f"{HEAD}{step}{order}pipeline = Pipeline(ws, steps)\n")
    reason = f"{kind} of v2 waits for data only; give 'step' data that 'first' writes"
    assert any(reason in one.text for one in list_persons(upgraded))
    assert "first = PythonScriptStep('a.py', name='first', source_directory='.')" in upgraded.text
    assert f"{step.splitlines()[-1]}\n" in upgraded.text
    assert "dsl.pipeline" not in upgraded.text


def test_the_command_of_a_script_run_is_not_ordered_without_data() -> None:
    """It is declared where the script run is, which has no port for the order."""
    upgraded = upgrade_program(HEAD + LISTED + ORDER)
    assert any(
        "it is ordered without data; write its command in the step" in one.text for one in list_persons(upgraded)
    )
    assert "dsl.pipeline" not in upgraded.text


def test_a_sweep_is_ordered_and_runs(served: Programs) -> None:
    """`allow_reuse` stays as well."""
    order = """\
first = PythonScriptStep('say.py', name='first', source_directory='src', runconfig=run_config)
last = PythonScriptStep('say.py', name='last', source_directory='src', runconfig=run_config)
tune = HyperDriveStep('tune', sweep, allow_reuse=False)
tune.run_after(first)
last.run_after(tune)
pipeline = Pipeline(ws, steps=[last])
"""
    head, _, rest = SWEEP.partition("tune = ")
    program = f"{head}{order}run = {rest.partition('run = ')[2]}"
    served.write("src/fit.py", FIT)
    served.write("src/say.py", "print('said')\n")
    upgraded = upgrade_program(program)
    assert list_persons(upgraded) == []
    assert "is_deterministic=False" in upgraded.text.partition("\ntune = ")[2].partition("\n)\n")[0]
    served.write("all.py", upgraded.text)
    ran = served.python("all.py")
    assert ran.code == 0, ran.err
    assert (ran.out + ran.err).count("said") == 2


def test_reuse_that_v2_cannot_switch_off_is_said() -> None:
    """v2's spark(…) and AutoML have no such argument."""
    for step, function in ((SPARK, "spark(…)"), (AUTOML, "AutoML")):
        head, _, _ = step.rstrip().rpartition(")")
        upgraded = upgrade_program(f"{HEAD}{head}, allow_reuse=False)\npipeline = Pipeline(ws, [step])\n")
        text = f"v2's {function} has no allow_reuse; give the pipeline's job settings.force_rerun = True"
        assert text in [one.text for one in upgraded.findings]
