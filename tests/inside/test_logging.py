"""What `run.log…` leaves in the MLflow run, and how it gets there."""

from __future__ import annotations

import threading

import pytest

from tests.helpers import LONGEST
from tests.inside.conftest import RUN, START, Job
from tests.inside.mlflow import Mlflow


def test_each_value_is_the_next_step_of_its_metric(job: Job, mlflow: Mlflow) -> None:
    """v1 has no steps; each name counts for itself."""
    job("for value in (0.5, 0.25): run.log('loss', value)\nrun.log('acc', 1)")
    assert mlflow.points(RUN, "loss") == [(0, 0.5), (1, 0.25)]
    assert mlflow.points(RUN, "acc") == [(0, 1.0)]


def test_a_later_process_of_the_job_goes_on_counting(job: Job, mlflow: Mlflow) -> None:
    """What another process of the job has logged is not written over."""
    for _ in range(2):
        job("run.log('loss', 1); run.log_row('rows', x=1)")
    assert mlflow.points(RUN, "loss") == [(0, 1.0), (1, 1.0)]
    assert mlflow.json(RUN, "rows.json") == {"columns": ["x"], "data": [[1], [1]]}


def test_a_step_that_is_given_is_kept(job: Job, mlflow: Mlflow) -> None:
    """As in the last versions of v1."""
    job("run.log('loss', 1, step=100)")
    assert mlflow.points(RUN, "loss") == [(100, 1.0)]


def test_numbers_that_json_has_no_word_for(job: Job, mlflow: Mlflow) -> None:
    """MLflow reads NaN and the infinities as text."""
    job("run.log('x', float('nan')); run.log('x', float('inf')); run.log('x', -float('inf'))")
    assert [value for _, value in mlflow.points(RUN, "x")] == ["NaN", "Infinity", "-Infinity"]


def test_names_that_mlflow_does_not_take(job: Job, mlflow: Mlflow) -> None:
    """v1 took any text as a name; a run's files stay in the run whatever it says."""
    job("run.log('R² (%)', 1); run.log_table('../../x', {'a': [1]}); run.log('a//b/', 2)")
    assert {one["key"] for one in mlflow.runs[RUN]["points"]} == {"R² ___", "a/b"}
    assert list(mlflow.files) == [f"ExperimentRun/dcid.{RUN}/__/__/x.json"]


def test_text_is_a_tag_that_people_see_and_a_list_that_get_metrics_gives(job: Job, mlflow: Mlflow) -> None:
    """MLflow's metrics are numbers only."""
    assert job("run.log('note', 'a'); run.log('note', 'b'); answer = run.get_metrics()") == {"note": ["a", "b"]}
    assert mlflow.runs[RUN]["tags"]["note"] == "b"


def test_lists(job: Job, mlflow: Mlflow) -> None:
    """A list of numbers is a metric with as many points; another one a table."""
    metrics = job("run.log_list('n', [3, 1]); run.log_list('w', ['a', 'b']); answer = run.get_metrics()")
    assert metrics == {"n": [3.0, 1.0], "w": ["a", "b"]}
    assert mlflow.points(RUN, "n") == [(0, 3.0), (1, 1.0)]


def test_rows_are_a_table_and_a_metric_for_each_column_with_numbers(job: Job, mlflow: Mlflow) -> None:
    """The table is of the form that `mlflow.log_table` writes and MLflow's pages show."""
    script = "run.log_row('c', fruit='fig', size=1)\nrun.log_row('c', fruit='kiwi', size=2)\nanswer = run.get_metrics()"
    assert job(script) == {"c": {"fruit": ["fig", "kiwi"], "size": [1, 2]}}
    assert mlflow.points(RUN, "c.size") == [(0, 1.0), (1, 2.0)]
    assert mlflow.json(RUN, "c.json") == {"columns": ["fruit", "size"], "data": [["fig", 1], ["kiwi", 2]]}
    assert mlflow.runs[RUN]["tags"]["mlflow.loggedArtifacts"] == '[{"path": "c.json", "type": "table"}]'


def test_columns_that_come_later_are_empty_before(job: Job) -> None:
    """As v1 fills them."""
    rows = "run.log_row('c', a=1); run.log_row('c', b=2); answer = run.get_metrics(name='c')"
    assert job(rows) == {"c": {"a": [1, None], "b": [None, 2]}}


def test_tables(job: Job) -> None:
    """By columns; a table of one row has plain values."""
    script = "run.log_table('t', {'x': [1, 2], 'y': [0.5, 'a']}); run.log_table('one', {'x': 1})\n"
    assert job(script + "answer = run.get_metrics()") == {"t": {"x": [1, 2], "y": [0.5, "a"]}, "one": {"x": 1}}
    assert "of one length; 'x' has 1, 'y' has 2" in job.refusal("run.log_table('t', {'x': [1], 'y': [1, 2]})")


@pytest.mark.parametrize("kind", ["confusion_matrix", "accuracy_table", "residuals", "predictions"])
@pytest.mark.parametrize("value", ['{"data": {"matrix": [[3]]}}', '\'{"data": {"matrix": [[3]]}}\''])
def test_charts_are_json_files(job: Job, mlflow: Mlflow, kind: str, value: str) -> None:
    """A dictionary or its JSON; get_metrics says where it is, or what it is."""
    answer = job(f"run.log_{kind}('cm', {value}); answer = run.get_metrics(), run.get_metrics(populate=True)")
    expected = {"data": {"matrix": [[3]]}}
    assert answer == [{"cm": f"aml://artifactId/ExperimentRun/dcid.{RUN}/cm.json"}, {"cm": expected}]
    assert mlflow.json(RUN, "cm.json") == expected


def test_images(job: Job, mlflow: Mlflow) -> None:
    """A file keeps its path, a plot is drawn as PNG; what is not an image is refused."""
    (job.folder / "outputs").mkdir()
    (job.folder / "outputs" / "a.png").write_bytes(b"\x89PNG...")
    (job.folder / "no.png").write_text("text")
    job(
        "class Plot:\n    def savefig(self, stream, format): stream.write(b'drawn as ' + format.encode())\n"
        "run.log_image('file', path='outputs/a.png'); run.log_image('plot', plot=Plot())"
    )
    names = sorted(name.rpartition("dcid.")[2] for name in mlflow.files)
    assert names[0] == f"{RUN}/outputs/a.png"
    assert names[1].startswith(f"{RUN}/plot_")
    assert mlflow.files[f"ExperimentRun/dcid.{names[1]}"] == b"drawn as png"
    assert "'no.png' is not an image" in job.refusal("run.log_image('x', path='no.png')")
    assert "either 'path' or 'plot'" in job.refusal("run.log_image('x')")


def test_log_takes_one_value(job: Job) -> None:
    """The sentence names what takes more."""
    assert job.refusal("run.log('l', [1, 2])") == "log takes one value; use log_list for 'l'"


def test_the_script_does_not_wait_for_the_server(job: Job, mlflow: Mlflow) -> None:
    """While a call is under way others are collected, and all arrive before the process ends."""
    go_on = threading.Event()

    def hold(route: str) -> None:
        if route == "runs/set-tag":
            go_on.set()  # the script is past its loop
        elif route == "runs/log-batch":
            assert go_on.wait(LONGEST)

    mlflow.trouble = hold
    job("for i in range(3000): run.log('i', i)\nrun.tag('past the loop')")
    assert [value for _, value in mlflow.points(RUN, "i")] == [float(i) for i in range(3000)]
    assert mlflow.calls.count("runs/log-batch") <= 6


@pytest.mark.parametrize("end", ["", "import sys; sys.exit(3)", "raise RuntimeError('boom')"])
def test_nothing_is_lost_at_the_end(job: Job, mlflow: Mlflow, end: str) -> None:
    """However the interpreter ends, if it does so itself."""
    job.process(START + f"for i in range(500): run.log('i', i)\nrun.log_row('r', x=1)\n{end}")
    assert len(mlflow.points(RUN, "i")) == 500
    assert mlflow.json(RUN, "r.json")["data"] == [[1]]


def test_forked_processes_log_too(job: Job, mlflow: Mlflow) -> None:
    """A forked process ends without atexit, and shares no connection with its parent."""
    job(
        "import os\nrun.log('x', 0)\nrun.flush()\n"
        "for i in range(2):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        run.log('x', 1)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "run.log('x', 2)"
    )
    assert sorted(float(value) for _, value in mlflow.points(RUN, "x")) == [0.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("trouble", [0, 503, 429])
def test_a_server_that_is_away_for_a_while(job: Job, mlflow: Mlflow, trouble: int) -> None:
    """Connections that break, and answers that pass, are no error."""
    left = [3]

    def away(route: str) -> int | None:
        left[0] -= 1
        return trouble if left[0] >= 0 else None

    mlflow.trouble = away
    job("run.log('x', 1); run.log('x', 2)")
    assert mlflow.points(RUN, "x") == [(0, 1.0), (1, 2.0)]


def test_a_refusal_is_said_at_the_next_flush_and_holds_up_nothing(job: Job, mlflow: Mlflow) -> None:
    """One sentence, MLflow's own."""
    assert job.refusal("run.log('refused', 1); run.flush()") == "no such metric, please"
    job("run.log('fine', 1)")
    assert mlflow.points(RUN, "fine") == [(0, 1.0)]


def test_a_refusal_at_the_end_is_said_on_standard_error(job: Job) -> None:
    """Nobody calls anything any more who could be told otherwise."""
    done = job.process(START + "run.log('refused', 1)")
    assert done.stderr == "error: what was logged last is lost: no such metric, please\n"


def test_metrics_of_a_family(job: Job, mlflow: Mlflow) -> None:
    """By the runs' ids."""
    answer = job(
        "run.log('a', 1)\nwith run.child_run('part') as child: child.log('a', 2)\n"
        "answer = [child.id, run.get_metrics('a', recursive=True)]"
    )
    assert answer[1] == {RUN: {"a": 1.0}, answer[0]: {"a": 2.0}}
