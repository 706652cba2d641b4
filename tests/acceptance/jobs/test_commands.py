"""Part 5: command jobs, but for their data."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk


def test_code_may_be_a_folder(desk: Desk) -> None:
    """The folder is what the command finds where it runs, beside outputs/ and logs/."""
    desk.write("src/main.py", "print('main')")
    desk.write("src/sub/rows.csv", "1")
    log = desk.log("command: python main.py; find . -type f | sort; ls\ncode: src\nenvironment: azureml:host\n")
    assert log == ["main", "./main.py", "./sub/rows.csv", "logs", "main.py", "outputs", "sub"]


def test_code_may_be_a_single_file(desk: Desk) -> None:
    """Only that file comes along, under its own name."""
    desk.write("src/main.sh", "echo $1")
    desk.write("src/other.sh", "")
    log = desk.log("command: bash main.sh hi; ls\ncode: ./src/main.sh\nenvironment: azureml:host\n")
    assert log == ["hi", "logs", "main.sh", "outputs"]


def test_code_is_relative_to_the_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the job file counts, not the current one; `..` leads up."""
    desk.write("src/a.txt", "here\n")
    file = desk.write("jobs/deep/job.yml", "command: cat a.txt\ncode: ../../src\nenvironment: azureml:host\n")
    monkeypatch.chdir("/")
    assert desk.smalt(f"job create -f {file} -s").out == "here\n"


def test_code_from_git_is_refused(desk: Desk) -> None:
    """In one sentence that says what to do."""
    ran = desk.job("command: ls\ncode: git+https://example.invalid/a/b\nenvironment: azureml:host\n")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "clone" in ran.err


def test_amlignore_comes_before_gitignore(desk: Desk) -> None:
    """With an .amlignore the .gitignore means nothing; without one it decides."""
    for name in ("a.keep", "b.tmp", "c.log", "deep/d.tmp"):
        desk.write(f"src/{name}", "")
    desk.write("src/.gitignore", "*.tmp\n")
    job = "command: find . -type f -not -name '.*' | sort\ncode: src\nenvironment: azureml:host\n"
    assert desk.log(job) == ["./a.keep", "./c.log"]
    desk.write("src/.amlignore", "*.log\n")
    assert desk.log(job) == ["./a.keep", "./b.tmp", "./deep/d.tmp"]


def test_each_job_works_in_its_own_copy(desk: Desk) -> None:
    """What a job does to its code is seen neither by the next job nor in the user's folder."""
    desk.write("src/state", "fresh\n")
    job = "command: cat state; echo used > state; rm -f gone; touch new; ls\ncode: src\nenvironment: azureml:host\n"
    desk.write("src/gone", "")
    assert desk.log(job) == desk.log(job) == ["fresh", "logs", "new", "outputs", "state"]
    assert (desk.folder / "src" / "state").read_text() == "fresh\n"
    assert (desk.folder / "src" / "gone").exists()


def test_literals_are_converted_as_the_service_does(desk: Desk) -> None:
    """Booleans are Python's, numbers as they are written, text with spaces stays as it is."""
    log = desk.log(
        """
        command: |
          echo ${{inputs.on_}} ${{inputs.off_}} ${{inputs.n}} ${{inputs.x}} ${{inputs.e}} ${{ inputs.text }}
          echo "${{inputs.quoted}}"
          echo ${{inputs.negative}} ${{inputs.date}}
        inputs:
          on_: true
          off_: false
          n: 42
          x: 0.10
          e: 1.0e-3
          text: two words
          quoted: "true"
          negative: -7
          date: 2024-01-02
        environment: azureml:host
        """
    )
    assert log == ["True False 42 0.1 0.001 two words", "true", "-7 2024-01-02"]


def test_optional_blocks(desk: Desk) -> None:
    """A block whose inputs are given stays, one with an input that is not given goes."""
    desk.write(
        "step.yml",
        """
        type: command
        name: optional
        command: >-
          echo begin $[[--a ${{inputs.a}}]] $[[--b ${{inputs.b}} --c ${{inputs.c}}]] $[[--d ${{inputs.d}}]] end
        inputs:
          a: {type: integer, optional: true}
          b: {type: string, optional: true}
          c: {type: string, optional: true}
          d: {type: number, default: 0.5, optional: true}
        environment: azureml:host
        """,
    )
    job = """
        type: pipeline
        jobs:
          one: {type: command, component: ./step.yml, inputs: {a: 3, c: x}}
          two: {type: command, component: ./step.yml, inputs: {b: y, c: x, d: 2}}
        """
    assert sorted(desk.log(job)) == ["one | begin --a 3 --d 0.5 end", "two | begin --b y --c x --d 2.0 end"]


def test_any_language_through_the_shell(desk: Desk) -> None:
    """Pipes, variables, here documents, background processes and the exit status are bash's."""
    log = desk.log(
        """
        command: |
          set -e
          for n in 1 2; do echo "n=$n" | tr n m; done
          awk 'BEGIN { print "awk", 1+1 }'
          python - <<END
          print("python")
          END
          echo behind & wait
          [[ a == a ]] && echo bash
        environment: azureml:host
        """
    )
    assert log == ["m=1", "m=2", "awk 2", "python", "behind", "bash"]


def test_a_folded_command_is_one_line(desk: Desk) -> None:
    """`>-` joins lines, as in half of all real files."""
    assert desk.log("command: >-\n  echo a\n  --b c\nenvironment: azureml:host\n") == ["a --b c"]


def test_environment_variables(desk: Desk) -> None:
    """They are set as text."""
    log = desk.log(
        """
        command: echo $A $B
        environment: azureml:host
        environment_variables: {A: one, B: 2}
        """
    )
    assert log == ["one 2"]


def test_the_callers_environment_is_not_the_jobs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is exported where a job is created is not seen by the job."""
    monkeypatch.setenv("SECRET_OF_CALLER", "x")
    assert desk.log('command: echo "[$SECRET_OF_CALLER]"\nenvironment: azureml:host\n') == ["[]"]


def test_the_variables_that_scripts_read(desk: Desk) -> None:
    """The run, its experiment and workspace, each input and output."""
    desk.write("rows.csv", "x")
    log = desk.log(
        """
        name: vars
        experiment_name: trial
        command: |
          echo $AZUREML_RUN_ID $AZUREML_ROOT_RUN_ID $AZUREML_EXPERIMENT_NAME $AZUREML_ARM_WORKSPACE_NAME
          echo $AZUREML_ARM_SUBSCRIPTION/$AZUREML_ARM_RESOURCEGROUP | grep -c ./.
          cat $AZURE_ML_INPUT_rows; [ $AZURE_ML_INPUT_rows = ${{inputs.rows}} ] && echo " same"
          echo $AZURE_ML_INPUT_n
          [ $AZURE_ML_OUTPUT_made = ${{outputs.made}} ] && [ -d $AZURE_ML_OUTPUT_made ] && echo out
        inputs:
          n: 5
          rows: {type: uri_file, path: rows.csv}
        outputs: {made: }
        environment: azureml:host
        """
    )
    assert log == ["vars vars trial default", "1", "x same", "5", "out"]


def test_outputs_and_logs_are_kept(desk: Desk) -> None:
    """./outputs and ./logs exist beforehand, and what is left there is an artifact of the job."""
    job = "name: keeps\ncommand: echo o > outputs/o.txt; echo l > ./logs/l.txt\nenvironment: azureml:host\n"
    assert desk.log(job) == []
    assert desk.smalt("job download keeps -p got").code == 0
    found = {str(path.relative_to(desk.folder / "got")) for path in (desk.folder / "got").rglob("*.txt")}
    assert {"artifacts/outputs/o.txt", "artifacts/logs/l.txt", "artifacts/user_logs/std_log.txt"} <= found


def test_resources_and_tags_are_kept(desk: Desk) -> None:
    """What is only noted comes back as it was written."""
    desk.log(
        """
        name: noted
        display_name: Shown
        description: Two words
        experiment_name: exp
        tags: {a: b, n: "1"}
        command: "true"
        environment: azureml:host
        resources: {instance_count: 1, shm_size: 2g, instance_type: STANDARD_D2, docker_args: --x}
        """
    )
    shown = desk.smalt("job show noted").json
    assert (shown["display_name"], shown["description"], shown["experiment_name"]) == ("Shown", "Two words", "exp")
    assert shown["tags"] == {"a": "b", "n": "1"}
    assert (shown["resources"]["shm_size"], shown["resources"]["instance_type"]) == ("2g", "STANDARD_D2")


RANKS = {
    "pytorch": (
        "type: pytorch, process_count_per_instance: 2",
        "echo $RANK $LOCAL_RANK $NODE_RANK $WORLD_SIZE ${MASTER_ADDR:+addr} ${MASTER_PORT:+port}",
        ["0 0 0 4 addr port", "1 1 0 4 addr port", "2 0 1 4 addr port", "3 1 1 4 addr port"],
    ),
    "mpi": (
        "type: mpi, process_count_per_instance: 2",
        "echo $OMPI_COMM_WORLD_RANK $OMPI_COMM_WORLD_LOCAL_RANK $OMPI_COMM_WORLD_SIZE",
        ["0 0 4", "1 1 4", "2 0 4", "3 1 4"],
    ),
    "tensorflow": (
        "type: tensorflow, worker_count: 2, parameter_server_count: 1",
        'python -c \'import json, os; c = json.loads(os.environ["TF_CONFIG"]); '
        'print(c["task"]["type"], c["task"]["index"], len(c["cluster"]["worker"]), len(c["cluster"]["ps"]))\'',
        ["ps 0 2 1", "worker 0 2 1", "worker 1 2 1"],
    ),
}


MEET = "until [ $(ls $AZURE_ML_OUTPUT_met | wc -l) = {} ]; do sleep 0.02; done"
"""Each process waits for all others, for parameter servers are ended with the last worker."""


@pytest.mark.parametrize("kind", RANKS)
def test_distribution(desk: Desk, kind: str) -> None:
    """Each process of a distributed command finds the variables its framework reads."""
    distribution, command, expected = RANKS[kind]
    desk.write("src/run.sh", f"{command}\nmkdir -p $AZURE_ML_OUTPUT_met/$RANDOM$$\n{MEET.format(len(expected))}\n")
    name = f"ranks-{kind}"
    job = (
        f"name: {name}\ncommand: bash run.sh\ncode: src\nresources: {{instance_count: 2}}\nenvironment: azureml:host\n"
    )
    job += "outputs: {met: }\n"
    desk.log(f"{job}distribution: {{{distribution}}}\n")
    assert desk.smalt(f"job download {name} -p got").code == 0
    logs = (desk.folder / "got" / "artifacts" / "user_logs").glob("std_log_process_*")
    assert sorted("".join(path.read_text() for path in logs).splitlines()) == expected


@pytest.mark.parametrize(
    ("distribution", "code", "sentence"),
    [
        ("type: ray, port: 99999", 2, "'port' must be at most 65535, not 99999"),
        ("type: ray, dashboard_port: 0", 2, "job.yml:4:43: 'dashboard_port' must be at least 1"),
        (
            "type: tensorflow, worker_count: 1, parameter_server_count: 1",
            0,
            "resources.instance_count: 3 has no effect: worker_count and parameter_server_count of 'distribution'",
        ),
        ("type: tensorflow, worker_count: 2, parameter_server_count: 1", 0, ""),
        ("type: tensorflow, parameter_server_count: 1", 0, ""),
    ],
)
def test_a_distribution_that_cannot_be_as_written(desk: Desk, distribution: str, code: int, sentence: str) -> None:
    """Ports that are none are refused at their place; instances that get no process are said to have no effect."""
    desk.write(
        "job.yml",
        f"""
        command: "true"
        environment: azureml:host
        distribution: {{{distribution}}}
        resources: {{instance_count: 3}}
        """,
    )
    ran = desk.smalt("job validate --file job.yml")
    assert ran.code == code, ran.out
    assert sentence in ran.out + ran.err
    assert ("instance_count" in ran.out + ran.err) is ("instance_count" in sentence)


def test_one_failing_process_fails_the_job(desk: Desk) -> None:
    """The other processes are ended, and the job tells the exit code."""
    ran = desk.job(
        """
        command: "if [ $RANK = 1 ]; then exit 4; else sleep 600; fi"
        distribution: {type: pytorch, process_count_per_instance: 2}
        environment: azureml:host
        """
    )
    assert ran.code == 1
    assert "code 4" in ran.err


def test_services_are_said_to_be_ignored(desk: Desk) -> None:
    """A job with services runs; its log says that they are not started."""
    desk.log(
        """
        name: services
        command: echo on
        services: {lab: {type: jupyter_lab}, code: {type: vs_code}}
        environment: azureml:host
        """
    )
    desk.smalt("job download services -p got")
    notes = "".join(path.read_text() for path in (desk.folder / "got").rglob("system_logs/*"))
    assert notes.count("services") == 1


def test_macros_in_text(desk: Desk) -> None:
    """${{name}} in a command is the job's name."""
    assert desk.log("name: macro\ncommand: echo ${{name}}\nenvironment: azureml:host\n") == ["macro"]


def test_a_timeout_ends_the_job(desk: Desk) -> None:
    """limits.timeout ends the command and all that it started, in a sentence."""
    ran = desk.job("command: sleep 600 & sleep 600\nlimits: {timeout: 1}\nenvironment: azureml:host\n")
    assert ran.code == 1
    assert "longer than 1 s" in ran.err


def test_a_failure_is_explained(desk: Desk) -> None:
    """The exit code and the end of the log, exit code 1, and no traceback of smalt's own."""
    ran = desk.job("command: echo last words; exit 9\nenvironment: azureml:host\n")
    assert (ran.code, ran.out) == (1, "last words\n")
    assert "exited with code 9" in ran.err
    assert "Traceback" not in ran.err
