"""`job validate` answers what `job create` would answer, for every type of job, and submits nothing."""

from __future__ import annotations

import re

import pytest

from smalt import MLClient, command, load_job
from smalt.client.collections.jobs import JobOperations
from smalt.entities.schema.kinds import JOBS, STEPS
from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from tests.acceptance.conftest import Desk

STEP = "{command: ls, environment: azureml:host}"
RIGHT = {
    "command": "command: ls\nenvironment: azureml:host\n",
    "command of a folder": "command: ls\nenvironment: azureml:host\ncode: code\n"
    "inputs: {d: {type: uri_folder, path: d}}\n",
    "pipeline": f"type: pipeline\njobs: {{a: {STEP}}}\n",
    "pipeline of a component": "type: pipeline\ncomponent: ./whole.yml\n",
    "pipeline of registered components": "jobs: {a: {component: azureml:leaf:1}, b: {component: azureml:whole:1}}\n",
}
WRONG = {
    "sweep": "type: sweep\ntrial: {command: 'echo ${{search_space.x}}', environment: azureml:nosuch:1}\n"
             "search_space: {x: {type: choice, values: [1]}}\nsampling_algorithm: random\n"
             "objective: {goal: minimize, primary_metric: m}\nlimits: {max_total_trials: 1}\n",
    "sweep step": "jobs: {a: {type: sweep, trial: azureml:takes:1, search_space: {x: {type: choice, values: [1]}},"
                  " objective: {goal: minimize, primary_metric: m}, limits: {max_total_trials: 1}}}\n",
    # of which no type is left out: those that do not run yet, by themselves and as steps
    "automl": "type: automl\ntask: image_classification\nprimary_metric: accuracy\ntarget_column_name: y\n"
              "training_data: {type: mltable, path: azureml://datastores/workspaceblobstore/paths/t}\n",
    "spark": "type: spark\ncode: code\nentry: {file: nosuch.py}\nconf: {spark.driver.cores: 1, spark.driver.memory: 1g,"
             " spark.executor.cores: 1, spark.executor.memory: 1g, spark.executor.instances: 1}\n"
             "resources: {instance_type: standard_e4s_v3, runtime_version: '3.3'}\n",
    "import": "type: import\nsource: {type: database, connection: azureml:c, query: select 1}\n"
              "output: {type: mltable, path: azureml://datastores/workspaceblobstore/paths/o}\n",
    "data_transfer": "type: data_transfer\ntask: copy_data\ndata_copy_mode: merge_with_overwrite\n"
                     "inputs: {a: {type: uri_folder, path: ./d}}\noutputs: {o: {type: mltable}}\n",
    "finetuning": "type: finetuning\nmodel_provider: custom\ntask: text_completion\n"
                  "training_data: ./d/f\nmodel: azureml:m:1\n",
    "distillation": "type: distillation\nexperiment_name: e\ndata_generation_type: label_generation\n"
                    "data_generation_task_type: nli\n",
    "automl step": "jobs: {a: {type: automl, task: image_classification, primary_metric: accuracy,"
                   " target_column_name: y, training_data: {type: mltable, path: 'azureml://datastores/workspaceblobstore/paths/t'}}}\n",
    "parallel step": "jobs: {a: {type: parallel, mini_batch_size: '1', input_data: '${{inputs.d}}', inputs: {d: {type:"
                     " uri_folder, path: ./d}}, task: {type: run_function, code: code, entry_script: nosuch.py,"
                     " environment: azureml:host}}}\n",
    "spark step": "jobs: {a: {type: spark, code: code, entry: {file: nosuch.py}, conf: {spark.driver.cores: 1,"
                  " spark.driver.memory: 1g, spark.executor.cores: 1, spark.executor.memory: 1g,"
                  " spark.executor.instances: 1}, resources: {instance_type: standard_e4s_v3,"
                  " runtime_version: '3.3'}}}\n",
    "import step": "jobs: {a: {type: import, source: {type: database, connection: azureml:c, query: select 1},"
                   " output: {type: mltable}}}\n",
    "data_transfer step": "jobs: {a: {type: data_transfer, task: copy_data, data_copy_mode: merge_with_overwrite,"
                          " inputs: {a: {type: uri_folder, path: ./d}}, outputs: {o: {type: mltable}}}}\n",
    # what only a server can know
    "unknown environment": "command: ls\nenvironment: azureml:nosuch:1\n",
    "no environment": "command: ls\n",
    "unknown component": "jobs: {a: {component: azureml:nosuch:1}}\n",
    "unknown data": "command: ls\nenvironment: azureml:host\ninputs: {d: {type: uri_file, path: azureml:nosuch:1}}\n",
    "unknown datastore": "command: ls\nenvironment: azureml:host\n"
                         "inputs: {d: {type: uri_file, path: azureml://datastores/nosuch/paths/f}}\n",
    "unknown input of a registered component": "type: pipeline\ncomponent: azureml:whole:1\ninputs: {wort: x}\n",
    "unknown input of a registered step": "jobs: {a: {component: azureml:takes:1, inputs: {typo: 1}}}\n",
    "unknown output of a registered step": "jobs: {a: {component: azureml:takes:1, outputs: {typo: {}}}}\n",
    "wrong value for a registered step": "jobs: {a: {component: azureml:takes:1, inputs: {n: many}}}\n",
    "a file for a folder": "command: ls\nenvironment: azureml:host\ninputs: {d: {type: uri_folder, path: d/f}}\n",
    "a folder for a file": "command: ls\nenvironment: azureml:host\ninputs: {d: {type: uri_file, path: d}}\n",
    "a name that cannot be": "name: a b\ncommand: ls\nenvironment: azureml:host\n",
    "a name that is another job's": "name: taken\ncommand: pwd\nenvironment: azureml:host\n",
    # what a file says
    "a misspelt key": "comand: ls\nenvironment: azureml:host\n",
    "a misspelt setting": f"type: pipeline\nsettings: {{defualt_compute: x}}\njobs: {{a: {STEP}}}\n",
    "no steps": "type: pipeline\njobs: {}\n",
    "an optional input outside of a block": "jobs: {a: {component: ./bare.yml}}\n",
    "a component": "name: c\nversion: 1\ntype: command\ncommand: ls\nenvironment: azureml:host\n",
    "data that is not there": "command: ls\nenvironment: azureml:host\ninputs: {d: {type: uri_file, path: nosuch}}\n",
}  # fmt: skip

SENTENCES = {
    "sweep": "job.yml:2:59: ",
    "sweep step": "the component of this step has no input 'x' to vary",
    "data_transfer step": "a copy of one uri_folder is a uri_folder, and the output is declared as mltable",
    "unknown environment": "job.yml:2:14: ",
    "unknown component": "job.yml:1:23: there is no component 'nosuch:1'",
    "unknown data": "job.yml:3:13: ",
    "unknown input of a registered step": "the component of this step has no input 'typo'",
    "unknown output of a registered step": "the component of this step has no output 'typo'",
    "wrong value for a registered step": "job.yml:1:52: the input 'n' must be an integer, not 'many'",
    "a file for a folder": "job.yml:3:13: ",
    "a misspelt setting": "job.yml:2:12: unknown key 'defualt_compute' in the settings of a pipeline; did you mean",
    "an optional input outside of a block": "bare.yml:6:10: the input 'tag' is optional and has no default",
    "a component": "job.yml:1:1: this is a component, not a job",
}


@pytest.fixture
def files(desk: Desk) -> Desk:
    desk.write("d/f", "x")
    desk.write("code/a.py", "")
    desk.write("leaf.yml", "name: leaf\nversion: '1'\ntype: command\ncommand: ls\nenvironment: azureml:host\n")
    desk.write("whole.yml", f"name: whole\nversion: '1'\ntype: pipeline\njobs: {{a: {STEP}}}\n")
    desk.write(
        "bare.yml",
        "name: bare\ntype: command\nenvironment: azureml:host\ninputs:\n  tag: {type: string, optional: true}\n"
        "command: echo ${{inputs.tag}}\n",
    )
    desk.write(
        "takes.yml",
        "name: takes\nversion: '1'\ntype: command\nenvironment: azureml:host\n"
        "inputs: {n: {type: integer, default: 1}}\ncommand: echo ${{inputs.n}}\n",
    )
    for name in ("leaf", "whole", "takes"):
        desk.ask(f"component create --file {name}.yml --query name")
    assert desk.smalt("job show --name taken").code == 0 or desk.job(RIGHT["command"], "--name taken").code == 0
    return desk


def test_the_table_has_every_type() -> None:
    """A type that is added must say here how it is answered."""
    said = {name.removesuffix(" step") for name in (*RIGHT, *WRONG)}
    assert set(JOBS) <= said
    assert set(STEPS) - {"if_else", "do_while", "parallel_for"} <= said


@pytest.mark.parametrize("case", RIGHT)
def test_what_create_takes_validate_takes(files: Desk, case: str) -> None:
    """And nothing is submitted by it."""
    files.write("job.yml", RIGHT[case])
    before = files.ask("job list --all-results --query [].name")
    ran = files.smalt("job validate --file job.yml")
    assert (ran.code, ran.err) == (0, "job.yml: ok\n")
    assert files.ask("job list --all-results --query [].name") == before
    assert files.smalt("job create --file job.yml --stream").code == 0


@pytest.mark.parametrize("case", WRONG)
def test_what_create_refuses_validate_refuses_alike(files: Desk, case: str) -> None:
    """In the same words, at the same lines; and no sentence misses a key that is there."""
    text = WRONG[case]
    files.write("job.yml", text)
    validated = files.smalt("job validate --file job.yml")
    created = files.smalt("job create --file job.yml")
    assert validated.code != 0
    assert validated.err == created.err
    assert SENTENCES.get(case, "") in validated.err
    for key in re.findall(r"needs '(\w+)'", validated.err):
        assert f"{key}:" not in text


_IN = "command: ls\nenvironment: azureml:host\ninputs: {d: %s}\n"
_STEP_IN = "jobs: {a: {command: ls, environment: azureml:host, inputs: {d: %s}}}\n"
_TWO = "{o: {name: n, version: '1'}, p: {type: uri_file, name: n, version: '1'}}"
_TRIAL = (
    "type: sweep\ntrial: {command: 'echo ${{search_space.x}}'}\nsearch_space: {x: {type: choice, values: [1]}}\n"
    "sampling_algorithm: random\nobjective: {goal: minimize, primary_metric: m}\nlimits: {max_total_trials: 1}\n"
)
_AUTOML = "type: automl\ntask: classification\nprimary_metric: accuracy\ntarget_column_name: y\ntraining_data: %s\n"
ALONE = {
    "an input without a path": _IN % "{type: uri_folder}",
    "an input of a step without a path": _STEP_IN % "{type: uri_folder}",
    "an input of a pipeline without a path": f"inputs: {{d: {{type: uri_file}}}}\njobs: {{a: {STEP}}}\n",
    "a file for a folder": _IN % "{type: uri_folder, path: d/f}",
    "a folder for a file": _STEP_IN % "{type: uri_file, path: d}",
    "a file without a type": _IN % "{path: d/f}",
    "a bad reference": _IN % "{type: uri_file, path: 'azureml:'}",
    "a name that cannot be": "name: a b\ncommand: ls\nenvironment: azureml:host\n",
    "no environment": "command: ls\n",
    "no environment of a trial": _TRIAL,
    "one version for two outputs": f"command: ls\nenvironment: azureml:host\noutputs: {_TWO}\n",
    "one version for two outputs of a step": f"jobs: {{a: {{outputs: {_TWO}, {STEP[1:]}}}\n",
    "a Spark program that is not there": WRONG["spark"],
    "a table without a path": _AUTOML % "{type: mltable}",
    "a table that is none": _AUTOML % "{type: mltable, path: d}",
    "an environment without content": "command: ls\nenvironment: {name: e}\n",
    "a trial's environment without content": _TRIAL.replace("trial: {", "trial: {environment: {name: e}, "),
    "a compute without a name": "command: ls\nenvironment: azureml:host\ncompute: ''\n",
    "code without a name": "command: ls\nenvironment: azureml:host\ncode: 'azureml:'\n",
    "a step's code without a name": f"jobs: {{a: {{code: 'azureml:', {STEP[1:]}}}\n",
    "a type that is a list": "type: []\ncommand: ls\nenvironment: azureml:host\n",
}


@pytest.mark.parametrize("case", ALONE)
def test_what_needs_no_server_is_told_without_one(files: Desk, case: str) -> None:
    """`--local` refuses what the server refuses, in its words and at its line."""
    files.write("job.yml", ALONE[case])
    local, validated = files.smalt("job validate --local --file job.yml"), files.smalt("job validate --file job.yml")
    assert local.err.startswith(("job.yml:", "error: ", "'a b' is", "this job names no environment"))
    assert (local.code, local.err) == (validated.code, validated.err)
    assert "unexpectedly" not in local.err


@pytest.mark.parametrize("case", {**RIGHT, "unknown data": WRONG["unknown data"], "sweep step": WRONG["sweep step"]})
def test_what_only_a_server_knows_is_not_told_without_one(files: Desk, case: str) -> None:
    """`--local` takes whatever its files do not show to be wrong."""
    files.write("job.yml", {**RIGHT, **WRONG}[case])
    ran = files.smalt("job validate --local --file job.yml")
    assert (ran.code, ran.err) == (0, "job.yml: ok\n")


@pytest.mark.parametrize("case", WRONG)
def test_programs_are_told_alike(files: Desk, case: str) -> None:
    """`jobs.validate` and `jobs.create_or_update` of a job that a program loads."""
    files.write("job.yml", WRONG[case])
    client = MLClient(home=Home(files.server.home.root))
    try:
        job = load_job("job.yml")
    except SmaltError:
        return  # told alike, as there is no job
    result = client.jobs.validate(job)
    with pytest.raises(SmaltError) as caught:
        client.jobs.create_or_update(job)
    assert not result.passed
    assert "\n".join(str(problem) for problem in result.problems) == str(caught.value)
    client.connection.close()


def test_a_job_of_a_program_is_told_at_its_line(files: Desk) -> None:
    """What only the server knows, too."""
    client = MLClient(home=Home(files.server.home.root))
    job = command(command="ls", environment="azureml:nosuch:1")
    result = client.jobs.validate(job)
    assert [problem.file.rpartition("/")[2] for problem in result.problems] == ["test_validate.py"]
    with pytest.raises(SmaltError, match="nosuch"):
        client.jobs.validate(job, raise_on_failure=True)
    assert isinstance(client.jobs, JobOperations)
    client.connection.close()


def test_documents_of_another_kind_are_called_so(files: Desk) -> None:
    """One sentence instead of what is wrong with it as what it is not."""
    files.write("job.yml", RIGHT["command"] + "experiment_name: e\n")
    files.write("use.yml", "type: command\ncomponent: azureml:leaf:1\ninputs: {rate: 0.5}\n")
    files.write("data.yml", "name: d\ntype: uri_folder\npath: ./d\n")
    files.write("schema.yml", "$schema: https://x/commandComponent.schema.json\nname: a\nfoo: 1\ncommand: ls\n")
    files.write("nested.yml", "jobs: {a: {component: ./job.yml}}\n")
    for line, sentence in (
        ("job create --file leaf.yml", "leaf.yml:1:1: this is a component, not a job; register it with"),
        ("job create --file whole.yml", "whole.yml:1:1: this is a component, not a job"),
        ("job create --file schema.yml", "schema.yml:1:1: this is a component, not a job"),
        ("job create --file data.yml", "data.yml:1:1: this is a data asset, not a job"),
        ("job create --file use.yml", "use.yml:1:1: only a pipeline job names a component; make it a step of one"),
        ("job create --file nested.yml", "job.yml:1:1: this is a job, not a component; run it with: smalt job create"),
        ("component create --file job.yml", "job.yml:1:1: this is a job, not a component"),
        ("component create --file use.yml", "use.yml:1:1: this is a job, not a component"),
        ("data create --file leaf.yml", "leaf.yml:1:1: this is a component, not a data asset"),
        ("environment create --file data.yml", "data.yml:1:1: this is a data asset, not an environment"),
    ):
        ran = files.smalt(line)
        assert ran.code != 0
        assert ran.err.startswith(sentence), ran.err
        assert ran.err.count("\n") == 1


def test_settings_that_mean_nothing_are_kept_and_told(files: Desk) -> None:
    """A key that resembles none of the settings is kept, as the service does, and the job's log says so."""
    files.write("job.yml", f"type: pipeline\nsettings: {{whatever: 1, default_datestore: x}}\njobs: {{a: {STEP}}}\n")
    ran = files.smalt("job create --file job.yml --name kept --stream")
    assert ran.code == 0
    assert "settings.whatever has no effect on this machine" in ran.err
    assert files.ask("job show --name kept --query settings.whatever") == "1"


def test_an_input_that_a_nested_pipeline_does_not_have_is_told(files: Desk) -> None:
    """Real files give such inputs, and the official client takes them; they do nothing, and the log says so."""
    for component in ("./whole.yml", "azureml:whole:1"):
        files.write("job.yml", f"jobs: {{a: {{type: pipeline, component: '{component}', inputs: {{more: 1}}}}}}\n")
        ran = files.smalt("job create --file job.yml --stream")
        assert ran.code == 0
        assert "inputs.more has no effect: the component has no such input (step a)" in ran.err


def test_components_with_an_optional_input_outside_of_a_block_are_refused(files: Desk) -> None:
    """Where they are registered, by whomever; with a default, or within a block, they are taken."""
    ran = files.smalt("component create --file bare.yml")
    assert "bare.yml:6:10: the input 'tag' is optional and has no default" in ran.err
    client = MLClient(home=Home(files.server.home.root))
    spec = {"type": "command", "command": "echo ${{inputs.t}}", "environment": "azureml:host", "name": "rest"}
    path = f"{client.workspace_id}/components/rest/versions"
    declared = {"t": {"type": "string", "optional": True}}
    with pytest.raises(SmaltError, match="the input 't' is optional"):
        client.connection.put(f"{path}/1", {"properties": {"componentSpec": {**spec, "inputs": declared}}})
    given = {"t": {"type": "string", "optional": True, "default": "x"}}
    client.connection.put(f"{path}/2", {"properties": {"componentSpec": {**spec, "inputs": given}}})
    block = {**spec, "command": "echo $[[--t ${{inputs.t}}]]", "inputs": {"t": {"type": "string", "optional": True}}}
    client.connection.put(f"{path}/3", {"properties": {"componentSpec": block}})
    client.connection.close()


def test_a_compute_that_is_there_is_no_news(desk: Desk) -> None:
    """The names of Azure's guides are in every workspace; any other is stood in for, which is said."""
    for name, is_news in (("cpu-cluster", False), ("gpu-cluster", False), ("my-cluster", True)):
        desk.write("job.yml", f"command: ls\nenvironment: azureml:host\ncompute: azureml:{name}\n")
        said = desk.smalt("job validate -f job.yml")
        assert said.code == 0
        assert (f"compute '{name}' is not defined in this workspace" in said.out + said.err) == is_news


MISTAKES = {
    "key": ("{comand: ls, command: ls, environment: 'azureml:host'}", "unknown key 'comand'"),
    "type": ("{type: comand, command: ls}", "unknown type 'comand'"),
    "nothing": ("", "the step 'nothing' is empty"),
    "name": ("{command: 'ls ${{inputs.x}}', environment: 'azureml:host'}", "names no input of this step"),
    "step": (
        "{command: 'ls ${{inputs.x}}', environment: 'azureml:host', inputs: {x: '${{parent.jobs.no.outputs.o}}'}}",
        "names no step",
    ),
    "value": ("{component: ./table.yml, inputs: {n: many}}", "the input 'n' must be an integer"),
    "file": ("{component: ./absent.yml}", "there is no file"),
    "bound": ("{component: ./table.yml, inputs: {d: '${{parent.inputs.raw}}'}}", "takes an mltable"),
    "kind": (
        "{command: 'ls ${{inputs.x}}', environment: 'azureml:host', inputs: {x: {type: uri_file, path: d}}}",
        "is a folder, but the input's type is uri_file",
    ),
    "marker": ("{component: ./table.yml, inputs: {d: {path: d}}}", "is a folder without a file 'MLTable'"),
    "path": (
        "{command: 'ls ${{inputs.x}}', environment: 'azureml:host', inputs: {x: {type: uri_file}}}",
        "the input 'x' has a type and no path",
    ),
    "absent": (
        "{command: 'ls ${{inputs.x}}', environment: 'azureml:host', inputs: {x: {type: uri_file, path: no.csv}}}",
        "there is no file or folder",
    ),
    "versions": (
        "{command: ls, environment: 'azureml:host', outputs: {a: {name: m, version: '1'}, b: {name: m, version: '1'}}}",
        "data asset 'm:1' is the output 'a' already",
    ),
    "guess": (
        "{component: ./table.yml, inputs: {d: {type: uri_flie, path: flats.csv}}}",
        "did you mean 'uri_file'?",
    ),
}  # fmt: skip


def test_mistakes_of_all_kinds_are_told_at_once(desk: Desk) -> None:
    """Each once and at its step, whichever check finds it."""
    desk.write("flats.csv", "a\n")
    desk.write("d/f", "1\n")
    desk.write(
        "table.yml",
        "type: command\nname: table\nversion: 1\nenvironment: azureml:host\n"
        "command: ls $[[${{inputs.d}}]] ${{inputs.n}}\n"
        "inputs: {d: {type: mltable, optional: true}, n: {type: integer, default: 2}}\n",
    )
    head = "type: pipeline\ninputs: {raw: {type: uri_file, path: flats.csv}}\noutputs: {u: {name: u}}\njobs:\n"
    desk.write("job.yml", head + "".join(f"  {name}: {step}\n" for name, (step, _) in MISTAKES.items()))
    lines = {3: "no step writes it", **{number: words for number, (_, words) in enumerate(MISTAKES.values(), 5)}}
    for verb in ("validate --local", "validate", "create"):
        ran = desk.smalt(f"job {verb} --file job.yml")
        assert ran.code == 2
        told = ran.err.splitlines()
        assert [int(line.split(":")[1]) for line in told] == list(lines), ran.err
        for line, words in zip(told, lines.values(), strict=True):
            assert words in line


def test_no_environment_is_told_beside_other_mistakes(desk: Desk) -> None:
    """Unless what is written there cannot be read."""
    desk.write("job.yml", "display_nam: x\ncommand: ls\n")
    ran = desk.smalt("job validate --local --file job.yml")
    assert "this job names no environment" in ran.err, ran.err
    desk.write("job.yml", "enviroment: azureml:host\ncommand: ls\n")
    assert len(desk.smalt("job validate --local --file job.yml").err.splitlines()) == 1
