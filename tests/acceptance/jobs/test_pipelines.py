"""Part 6: pipeline jobs."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk

ECHO = """
    $schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
    type: command
    name: say
    version: 1
    display_name: Says
    inputs:
      word: {type: string, default: nothing}
      n: {type: integer, default: 1}
    outputs:
      made: {type: uri_folder}
    command: echo ${{inputs.word}} ${{inputs.n}} | tee ${{outputs.made}}/said
    environment: azureml:host
"""
READ = """
    type: command
    name: read
    inputs:
      made: {type: uri_folder}
    command: cat ${{inputs.made}}/said
    environment: azureml:host
"""


def test_components_named_in_every_way(desk: Desk) -> None:
    """./file, file:./file, file with no dot, an inline mapping, a registered name with version, label and neither."""
    desk.write("parts/say.yml", ECHO)
    assert desk.smalt("component create --file parts/say.yml --name said --version 3").code == 0
    log = desk.log(
        """
        type: pipeline
        jobs:
          a: {type: command, component: ./parts/say.yml, inputs: {word: a}}
          b: {type: command, component: file:./parts/say.yml, inputs: {word: b}}
          c: {type: command, component: parts/say.yml, inputs: {word: c}}
          d:
            type: command
            inputs: {word: d}
            component:
              type: command
              inputs: {word: {type: string}}
              command: echo ${{inputs.word}}
              environment: azureml:host
          e: {type: command, component: "azureml:said:3", inputs: {word: e}}
          f: {type: command, component: azureml:said@latest, inputs: {word: f}}
          g: {type: command, component: azureml:said, inputs: {word: g}}
          h: {command: echo h, environment: azureml:host}
        """
    )
    assert sorted(log) == [*(f"{x} | {x} 1" for x in "abc"), "d | d", *(f"{x} | {x} 1" for x in "efg"), "h | h"]


def test_bindings_of_every_form(desk: Desk) -> None:
    """Pipeline inputs, `.path`, another step's inputs and outputs, and all of these within text."""
    desk.write("rows.csv", "rows\n")
    desk.write("say.yml", ECHO)
    log = desk.log(
        """
        type: pipeline
        inputs:
          word: deep
          n: 7
          rows: {type: uri_file, path: rows.csv}
        jobs:
          first:
            type: command
            component: ./say.yml
            inputs: {word: "${{parent.inputs.word}}", n: "${{ parent.inputs.n }}"}
          second:
            type: command
            inputs:
              made: {type: uri_folder, mode: download, path: "${{parent.jobs.first.outputs.made}}"}
              again: ${{parent.jobs.first.outputs.made}}
              same: ${{parent.jobs.first.inputs.word}}
              rows: ${{parent.inputs.rows}}
              path: ${{parent.inputs.rows.path}}
              text: x-${{parent.inputs.word}}-${{parent.inputs.n}}-y
            command: >-
              cat ${{inputs.made}}/said ${{inputs.again}}/said ${{inputs.rows}};
              echo ${{inputs.same}} ${{inputs.text}}; cat $(echo ${{inputs.path}} | sed s,^file://,,)
            environment: azureml:host
        """
    )
    assert log[0] == "first | deep 7"
    assert log[1:] == [
        "second | deep 7",
        "second | deep 7",
        "second | rows",
        "second | deep x-deep-7-y",
        "second | rows",
    ]


def test_nested_pipelines(desk: Desk) -> None:
    """A pipeline component, from a file and registered, twice, with inputs and outputs bound through."""
    desk.write("say.yml", ECHO)
    desk.write("read.yml", READ)
    desk.write(
        "inner.yml",
        """
        type: pipeline
        name: inner
        version: 1
        inputs:
          word: {type: string}
          n: {type: integer, default: 5}
        outputs:
          result: {type: uri_folder}
        jobs:
          say:
            type: command
            component: ./say.yml
            inputs: {word: "${{parent.inputs.word}}", n: "${{parent.inputs.n}}"}
            outputs: {made: "${{parent.outputs.result}}"}
        """,
    )
    desk.write("outer.yml", """
        type: pipeline
        name: middle
        inputs: {word: {type: string}}
        outputs: {result: {type: uri_folder}}
        jobs:
          inner:
            type: pipeline
            component: ./inner.yml
            inputs: {word: "${{parent.inputs.word}}", n: 6}
            outputs: {result: "${{parent.outputs.result}}"}
        """)  # fmt: skip
    assert desk.smalt("component create -f inner.yml").code == 0
    log = desk.log(
        """
        type: pipeline
        inputs: {word: nested}
        outputs: {kept: }
        jobs:
          one: {type: pipeline, component: ./outer.yml, inputs: {word: "${{parent.inputs.word}}"}}
          two:
            type: pipeline
            component: azureml:inner@latest
            inputs: {word: two}
            outputs: {result: "${{parent.outputs.kept}}"}
          end: {type: command, component: ./read.yml, inputs: {made: "${{parent.jobs.one.outputs.result}}"}}
        """,
        "--name outer",
    )
    said = {line.rpartition(" | ")[2] for line in log if line.startswith(("one", "two"))}
    assert said == {"nested 6", "two 5"}
    assert [line for line in log if line.startswith("end")] == ["end | nested 6"]
    assert desk.smalt("job download outer --output-name kept -p got").code == 0
    assert (desk.folder / "got/named-outputs/kept/said").read_text() == "two 5\n"


def test_what_a_node_overrides(desk: Desk) -> None:
    """Environment variables, environment, tags, resources and display name of a step come before its component's."""
    desk.write(
        "env.yml",
        """
        type: command
        command: echo $A $B ${{inputs.n}} $AZUREML_NODE_COUNT
        environment: azureml:does-not-matter@latest
        environment_variables: {A: of-component, B: b}
        inputs: {n: {type: number, default: 1.5}}
        """,
    )
    log = desk.log(
        """
        name: over
        type: pipeline
        jobs:
          step:
            type: command
            component: ./env.yml
            display_name: Shown
            environment: azureml:host
            environment_variables: {A: of-node}
            tags: {t: v}
            resources: {instance_count: 1}
            inputs: {n: 2}
        """
    )
    assert log == ["step | of-node b 2.0 1"]
    assert desk.ask("job list -p over --query [].display_name") == "Shown"


def test_settings(desk: Desk) -> None:
    """default_compute, default_datastore and force_rerun are heeded or noted, unknown keys kept."""
    desk.log(
        """
        name: settled
        type: pipeline
        settings:
          default_compute: azureml:cpu-cluster
          default_datastore: azureml:workspacefilestore
          default_datestore: kept
          force_rerun: true
          continue_on_step_failure: false
        outputs: {o: }
        jobs:
          a: {command: "echo a > ${{outputs.o}}/f", outputs: {o: "${{parent.outputs.o}}"}, environment: azureml:host}
          b: {command: "echo b > ${{outputs.p}}/g", outputs: {p: }, environment: azureml:host}
        """
    )
    listed = desk.ask("datastore ls azureml://datastores/workspacefilestore/paths/ --recursive --query [].path")
    assert {path.rpartition("/")[2] for path in listed.splitlines()} == {"f", "g"}
    shown = desk.smalt("job show settled --query settings").json
    assert shown["default_compute"].endswith("cpu-cluster")
    assert shown["force_rerun"] is True
    assert shown["default_datestore"] == "kept"
    for child in desk.ask("job list -p settled --query [].name").splitlines():
        assert desk.ask(f"job show {child} --query compute") == "azureml:cpu-cluster"


FAILING = """
    name: {name}
    type: pipeline
    settings: {{{settings}}}
    jobs:
      bad: {{command: exit 3, outputs: {{o: }}, environment: azureml:host}}
      after: {{command: echo after, inputs: {{i: "${{{{parent.jobs.bad.outputs.o}}}}"}}, environment: azureml:host}}
      good: {{command: "until [ -e {flag} ]; do sleep 0.05; done", outputs: {{o: }}, environment: azureml:host}}
      last: {{command: echo last, inputs: {{i: "${{{{parent.jobs.good.outputs.o}}}}"}}, environment: azureml:host}}
      end: {{command: "echo end", environment: azureml:host}}
      begin: {{command: "echo begin", environment: azureml:host}}
"""


def states(desk: Desk, name: str) -> dict[str, str]:
    return dict(
        line.split("\t") for line in desk.ask(f"job list -p {name} --query [].[display_name,status]").splitlines()
    )


def test_a_failing_step_ends_the_pipeline(desk: Desk) -> None:
    """What runs is ended, what has not begun is Canceled; the summary names the step and its exit code; exit code 1."""
    ran = desk.job(FAILING.format(name="ends", settings="", flag=desk.folder / "never"))
    assert ran.code == 1
    assert "step bad failed: the command exited with code 3" in ran.err
    found = states(desk, "ends")
    assert (found["bad"], found["after"], found["last"]) == ("Failed", "Canceled", "Canceled")
    assert found["good"] == "Canceled"
    assert desk.ask("job show ends --query status") == "Failed"


def test_continue_on_step_failure_with_init_and_finalize(desk: Desk) -> None:
    """Only what needs the failed step does not run; on_init comes first and on_finalize last."""
    (desk.folder / "flag").touch()
    settings = "continue_on_step_failure: true, on_init: begin, on_finalize: end"
    ran = desk.job(FAILING.format(name="goes", settings=settings, flag=desk.folder / "flag"))
    assert ran.code == 1
    assert ran.lines == ["begin | begin", "last | last", "end | end"]
    completed = dict.fromkeys(("good", "last", "end", "begin"), "Completed")
    assert states(desk, "goes") == {"bad": "Failed", "after": "Canceled", **completed}


def test_outputs_of_a_pipeline(desk: Desk) -> None:
    """path with macros, mode, name and version; a type declared only there makes the step's a file."""
    desk.log(
        """
        name: kept
        type: pipeline
        outputs:
          file: {type: uri_file, mode: rw_mount, path: "azureml://datastores/workspaceblobstore/paths/${{name}}/hello.txt"}
          named: {type: uri_folder, mode: upload, name: registered, version: 4}
          nothing:
        jobs:
          a:
            command: echo f > ${{outputs.f}}; echo n > ${{outputs.n}}/n; echo o > ${{outputs.o}}/o
            outputs:
              f: ${{parent.outputs.file}}
              n: ${{parent.outputs.named}}
              o: ${{parent.outputs.nothing}}
            environment: azureml:host
          b:
            command: cat ${{inputs.f}} ${{inputs.o}}/o
            inputs: {f: "${{parent.jobs.a.outputs.f}}", o: "${{parent.jobs.a.outputs.o}}"}
            environment: azureml:host
        """
    )
    assert desk.smalt("job download kept --all -p got").code == 0
    got = desk.folder / "got" / "named-outputs"
    assert (got / "file" / "hello.txt").read_text() == "f\n"
    assert (got / "named" / "n").read_text() == "n\n"
    assert (got / "nothing" / "o").read_text() == "o\n"
    assert desk.ask("data show registered:4 --query type") == "uri_folder"


def test_outputs_of_nodes_are_registered(desk: Desk) -> None:
    """name and version on a step's own output."""
    desk.log(
        """
        type: pipeline
        jobs:
          a:
            command: echo f > ${{outputs.f}}
            outputs: {f: {type: uri_file, name: of-node, version: "1.0"}}
            environment: azureml:host
        """
    )
    reading = "command: cat ${{inputs.x}}\nenvironment: azureml:host\n"
    assert desk.log(f"{reading}inputs: {{x: {{type: uri_file, path: 'azureml:of-node:1.0'}}}}\n") == ["f"]


def test_the_artifacts_of_a_step(desk: Desk) -> None:
    """The magic output `artifacts` is all that a step leaves."""
    log = desk.log(
        """
        type: pipeline
        jobs:
          a: {command: echo world > ./outputs/world.txt, outputs: {artifacts: }, environment: azureml:host}
          b:
            command: cat ${{inputs.w}}/outputs/world.txt
            inputs: {w: "${{parent.jobs.a.outputs.artifacts}}"}
            environment: azureml:host
        """
    )
    assert log == ["b | world"]


def test_compute_may_be_bound_and_be_anything(desk: Desk) -> None:
    """compute: ${{parent.inputs.x}}; the log of the pipeline says once that a name is not defined here."""
    desk.log(
        """
        name: anywhere
        type: pipeline
        compute: azureml:unknown-1
        inputs: {where: azureml:unknown-2}
        jobs:
          a: {command: echo a, environment: azureml:host, compute: "${{parent.inputs.where}}"}
          b: {command: echo b, environment: azureml:host, compute: azureml:unknown-3}
          c: {command: echo c, environment: azureml:host, compute: azureml:unknown-3}
        """
    )
    assert desk.smalt("job download anywhere -p got").code == 0
    notes = "".join(path.read_text() for path in (desk.folder / "got").rglob("system_logs/*"))
    assert notes.count("unknown-3") == 1
    assert "unknown-1" in notes


def test_strict_computes(desk: Desk) -> None:
    """With `compute: strict` a name must exist, until it is created."""
    job = "command: echo ran\nenvironment: azureml:host\ncompute: azureml:mine\n"
    assert desk.smalt("config set compute strict").code == 0
    try:
        ran = desk.job(job)
        assert (ran.code, ran.out) == (2, "")
        assert "'mine'" in ran.err
        assert desk.smalt("compute create --name mine --type AmlCompute --size Standard_D2").code == 0
        assert desk.log(job) == ["ran"]
        assert desk.log("command: echo ran\nenvironment: azureml:host\n") == ["ran"]
    finally:
        assert desk.smalt("config unset compute").code == 0


MISTAKES = {
    "a circle": (
        """
        type: pipeline
        jobs:
          a: {command: "true", inputs: {x: "${{parent.jobs.b.outputs.o}}"}, outputs: {o: }, environment: azureml:host}
          b: {command: "true", inputs: {x: "${{parent.jobs.a.outputs.o}}"}, outputs: {o: }, environment: azureml:host}
        """,
        ("4:", "wait for each other"),
    ),
    "an unknown step": (
        """
        type: pipeline
        jobs:
          a:
            command: "true"
            inputs:
              x: ${{parent.jobs.nobody.outputs.o}}
            environment: azureml:host
        """,
        ("7:", "nobody"),
    ),
    "an unknown output": (
        """
        type: pipeline
        jobs:
          a: {command: "true", outputs: {model: }, environment: azureml:host}
          b:
            command: "true"
            inputs:
              x: ${{parent.jobs.a.outputs.modle}}
            environment: azureml:host
        """,
        ("8:", "did you mean 'model'"),
    ),
    "an unknown input of the pipeline": (
        """
        type: pipeline
        inputs: {rate: 1}
        jobs:
          b:
            command: "true"
            inputs:
              x: ${{parent.inputs.rat}}
            environment: azureml:host
        """,
        ("8:", "did you mean 'rate'"),
    ),
    "a type that does not fit": (
        """
        type: pipeline
        jobs:
          b:
            inputs:
              n: many
            type: command
            component:
              type: command
              inputs: {n: {type: integer}}
              command: echo ${{inputs.n}}
              environment: azureml:host
        """,
        ("6:", "many"),
    ),
    "two things at once": (
        """
        type: pipeline
        jobs:
          a: {comand: "true", environment: azureml:host}
          b: {command: "true", environment: azureml:host, computer: x}
        """,
        ("4:", "comand", "5:", "computer"),
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_are_told_at_their_line(desk: Desk, what: str) -> None:
    """Exit code 2, each mistake with file, line and column, nothing submitted."""
    text, words = MISTAKES[what]
    ran = desk.job(text)
    assert (ran.code, ran.out) == (2, ""), ran
    for word in words:
        assert f"job.yml:{word}" in ran.err if word.endswith(":") else word in ran.err, ran.err


def test_mistakes_in_a_referenced_file_point_into_it(desk: Desk) -> None:
    """The component's file and line, and the pipeline's own mistakes, in one run."""
    desk.write("parts/bad.yml", "type: command\ncommand: echo\nenvironment: azureml:host\ninputs: []\n")
    ran = desk.job("type: pipeline\njobs:\n  a: {type: command, component: ./parts/bad.yml}\n  b: {comand: x}\n")
    assert ran.code == 2
    assert "parts/bad.yml:4:9: 'inputs' " in ran.err
    assert "job.yml:4:" in ran.err


def test_a_type_that_does_not_run_yet_is_refused(desk: Desk) -> None:
    """An AutoML job of images is read, validated, and refused in one sentence; it is kept as one that failed."""
    desk.write(
        "images.yml",
        """
        type: automl
        name: images
        task: image_classification
        primary_metric: accuracy
        target_column_name: y
        training_data: {type: mltable, path: azureml:t:1}
        """,
    )
    assert "cannot run yet" in desk.smalt("job validate -f images.yml").err
    ran = desk.smalt("job create -f images.yml")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "cannot run yet" in ran.err
    assert desk.ask("job show images --query status") == "Failed"


def test_a_flow_is_refused_at_its_line(desk: Desk) -> None:
    """Its sentence says what to run in its place."""
    desk.write("flow.dag.yaml", "inputs: {text: {type: string}}\noutputs: {}\nnodes: []\n")
    desk.write(
        "p.yml", "type: pipeline\njobs:\n  say: {type: parallel, component: ./flow.dag.yaml, inputs: {data: ./p.yml}}\n"
    )
    refused = desk.smalt("job validate -f p.yml").err
    assert refused.startswith("p.yml:3:8: a flow cannot run here; run it by 'pf run create'"), refused


VALUE = """
    type: pipeline
    jobs:
      a:
        component:
          type: command
          outputs: {v: {type: string}}
          command: COMMAND
          environment: azureml:host
      b:
        component:
          type: command
          inputs: {v: {type: string}}
          command: echo got ${{inputs.v}}
          environment: azureml:host
        inputs: {v: "${{parent.jobs.a.outputs.v}}"}
"""


def test_a_value_that_a_step_writes(desk: Desk) -> None:
    """Is the next one's input; where it was not written, a sentence says so."""
    assert desk.log(VALUE.replace("COMMAND", "echo V > ${{outputs.v}}/output")) == ["b | got V"]
    ran = desk.job(VALUE.replace("COMMAND", "echo nothing"))
    assert ran.code != 0
    assert (
        "step a failed: it wrote no value for its output 'v' (string), which is to be text in the file '${{outputs.v}}"
        in ran.err
    )


def test_an_optional_input_of_a_pipeline_component_may_be_left_out(desk: Desk) -> None:
    """So is the input of its step that is bound to it; one that the step requires is told."""
    leaf = "type: command\nname: leaf\ncommand: echo got $[[${{inputs.d}}]]\nenvironment: azureml:host\n"
    desk.write("leaf.yml", f"{leaf}inputs: {{d: {{type: uri_folder, optional: true}}}}\n")
    desk.write(
        "mid.yml",
        """
        type: pipeline
        name: mid
        inputs: {d: {type: uri_folder, optional: true}}
        jobs:
          l: {type: command, component: ./leaf.yml, inputs: {d: "${{parent.inputs.d}}"}}
        """,
    )
    top = "type: pipeline\njobs:\n  m: {type: pipeline, component: ./mid.yml}\n"
    assert desk.log(top) == ["m/l | got"]
    desk.write("leaf.yml", f"{leaf}inputs: {{d: {{type: uri_folder}}}}\n")
    failed = desk.job(top)
    assert failed.code != 0
    assert "input 'd' of step 'l' is required by its component" in failed.err
