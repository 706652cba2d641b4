"""The program of parallel steps: what `run` is called with, and what becomes of what it returns."""

from __future__ import annotations

import json
import os
import re
import resource
from pathlib import Path

import pytest

from smalt.service.data.job_data.mltable_inputs import describe_table
from tests.helpers import eventually
from tests.parallel.program import LONGEST, ParallelRun

NAMES = "def run(mini_batch):\n    return [Path(one).name for one in mini_batch]\n"
ALL = [f"{number}.txt" for number in range(6)]


def add_line(script: str, line: str) -> str:
    """Return the script with a line of its own before the function returns."""
    return script.replace("    return", f"    {line}\n    return")


def test_rows_are_appended_once_and_in_order(tmp_path: Path) -> None:
    """The last mini-batch ends first, and still its rows are the last."""
    script = """
def run(mini_batch):
    Path(SIDE, Path(mini_batch[0]).name).touch()
    while mini_batch[0].endswith("0.txt") and not Path(SIDE, "4.txt").exists():
        time.sleep(0.01)
    return [Path(one).name for one in mini_batch]
"""
    one = ParallelRun(tmp_path, script)
    code, out = one.run()
    assert code == 0, out
    assert one.read_rows() == ALL
    assert "6 files in 3 mini-batches of 2; 2 worker processes" in out
    assert one.read_result() == "3 of 3 mini-batches succeeded; 6 rows were written to the output 'rows'"


def test_a_script_is_loaded_once_by_each_worker(tmp_path: Path) -> None:
    """With its arguments, its context, and the names of the service."""
    script = """
from azureml_user.parallel_run import EntryScript
calls = 0
def init():
    global calls
    calls += 1
    EntryScript().logger.info("ready")
    print("printed", sys.argv[1:])
def run(mini_batch, mini_batch_context):
    helper = EntryScript()
    return [(calls, mini_batch_context.minibatch_index, helper.agent_name, sys.argv[1:]) for _ in mini_batch]
def shutdown():
    Path(SIDE, EntryScript().agent_name).touch()
"""
    one = ParallelRun(tmp_path, script, per_instance=1, arguments=["--to", "${{outputs.side}}", "a b"])
    code, out = one.run()
    assert code == 0, out
    arguments = ["--to", str(one.side), "a b"]
    assert one.read_rows() == [str((1, number // 2, "process000", arguments)) for number in range(6)]
    logs = one.code / "logs" / "user"
    assert (logs / "stdout" / "node0" / "process000.stdout.txt").read_text() == f"printed {arguments}\n"
    assert "ready" in (logs / "entry_script_log" / "node0" / "process000.log.txt").read_text()
    assert one.list_side() == ["process000"]


def test_a_failing_mini_batch_is_tried_again_and_listed(tmp_path: Path) -> None:
    """The others' rows are kept; the end of its error and its items are said."""
    script = add_line(NAMES, "if mini_batch[0].endswith('2.txt'): raise ValueError('bad 2')")
    one = ParallelRun(tmp_path, script, max_retries=1)
    code, out = one.run()
    assert code == 0, out
    assert one.read_rows() == ["0.txt", "1.txt", "4.txt", "5.txt"]
    assert "mini-batch 1 failed, try 1 of 2: run() raised ValueError: bad 2 (score.py:5)" in out
    assert "failed: mini-batch 1 (2.txt, 3.txt): run() raised ValueError: bad 2" in out
    assert "1 failed, 1 retried" in out
    assert "bad 2" in (one.code / "logs" / "user" / "error.txt").read_text()


def test_thresholds_end_the_job(tmp_path: Path) -> None:
    """Of mini-batches, of items, and of all mini-batches; the cause is in the sentence."""
    bad = "def run(mini_batch):\n    raise ValueError('bad')\n"
    for settings, sentence in (
        ({"mini_batch_error_threshold": 1}, "2 mini-batches failed, more than the 1 that mini_batch_error_threshold"),
        ({"error_threshold": 3}, "4 items failed, more than the 3 that error_threshold allows"),
        ({"allowed_failed_percent": 40}, "2 of 3 mini-batches failed, more than the 40 % that are allowed"),
        ({}, "no mini-batch succeeded: run() raised ValueError: bad (score.py:5)"),
    ):
        one = ParallelRun(tmp_path / str(len(sentence)), bad, max_retries=0, per_instance=1, **settings)
        code, out = one.run()
        assert code == 1, out
        assert one.read_result().startswith(sentence), out
        assert not one.rows.exists()


def test_fewer_elements_than_items_are_failed_items(tmp_path: Path) -> None:
    """Only where a threshold says so, with both numbers; never with append_row_check off."""
    short = "def run(mini_batch):\n    return mini_batch[:1]\n"
    one = ParallelRun(tmp_path / "a", short, error_threshold=0)
    code, out = one.run()
    assert code == 1
    assert "which returned 1 for 2 items" in one.read_result()
    assert "append_row_check" in one.read_result()
    for number, settings in enumerate(({"error_threshold": 0, "append_row_check": False}, {"error_threshold": -1})):
        one = ParallelRun(tmp_path / str(number), short, **settings)
        code, out = one.run()
        assert (code, len(one.read_rows())) == (0, 3), out
        assert ("3 elements fewer than items" in out) is (number == 1)


def test_what_run_returns_must_be_elements(tmp_path: Path) -> None:
    """None, text and mappings are no elements; an iterator is."""
    for number, (text, what) in enumerate((("None", "None"), ("'ab'", "type str"), ("3", "type int"))):
        one = ParallelRun(tmp_path / str(number), f"def run(mini_batch):\n    return {text}\n", max_retries=0)
        assert one.run()[0] == 1
        assert re.search(rf"run\(\) returned (an object of )?{what}; return a list", one.read_result())
    one = ParallelRun(tmp_path / "iterator", "def run(mini_batch):\n    return (len(one) for one in mini_batch)\n")
    assert one.run()[0] == 0


def test_finished_mini_batches_are_taken_over(tmp_path: Path) -> None:
    """After a failure, by a job with another folder for its outputs, which gets what they wrote there as well."""
    script = """
def run(mini_batch):
    for one in mini_batch:
        if one.endswith("4.txt") and not os.path.exists(os.path.dirname(SIDE) + "/mended"):
            raise ValueError("broken")
        Path(SIDE, Path(one).name).write_text("done")
    with open(os.path.dirname(SIDE) + "/calls", "a") as file:
        file.write(Path(mini_batch[0]).name + " ")
    return mini_batch
"""
    one = ParallelRun(tmp_path, script, max_retries=0, mini_batch_error_threshold=0, per_instance=1)
    assert one.run()[0] == 1
    first, one.side = one.side, tmp_path / "other"
    one.side.mkdir()
    (tmp_path / "mended").touch()
    code, out = one.run(AZUREML_RUN_ID="that-job")
    assert code == 0, out
    assert "2 mini-batches are taken over from job this-job" in out
    assert (tmp_path / "calls").read_text().split() == ["0.txt", "2.txt", "4.txt"]
    assert one.list_side() == ALL
    assert [Path(row).name for row in one.read_rows()] == ALL
    assert len(os.listdir(first)) == 4
    assert "the output 'side' begins with all that job this-job wrote to it" in out


def test_other_mini_batches_are_not_taken_over(tmp_path: Path) -> None:
    """Another size, an input changed since, a script that may keep something until shutdown()."""
    bad = add_line(NAMES, "if mini_batch[0].endswith('4.txt'): raise ValueError")
    whys = {
        "size": "the mini-batches are others", "changed": "an input was changed since they began",
        "shutdown": "the entry script has a shutdown()",
    }  # fmt: skip
    for name, why in whys.items():
        one = ParallelRun(tmp_path / name, bad, max_retries=0, mini_batch_error_threshold=0, per_instance=1)
        assert one.run(SMALT_PARALLEL_CHANGED="1.0")[0] == 1
        one.write_script(NAMES + ("def shutdown():\n    pass\n" if name == "shutdown" else ""))
        one.settings["mini_batch_size"] = 3 if name == "size" else 2
        code, out = one.run(SMALT_PARALLEL_CHANGED="9e9" if name == "changed" else "1.0")
        assert code == 0, out
        assert f"are not taken over: {why}" in out
        assert one.read_rows() == ALL


def test_a_kill_of_the_coordinator_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Killed after each number of mini-batches: what was journalled is not run again, and each row is there once."""
    script = """
def run(mini_batch):
    with open(os.path.dirname(SIDE) + "/calls", "a") as file:
        file.write(Path(mini_batch[0]).name + "\\n")
    if len(open(os.path.dirname(SIDE) + "/calls").readlines()) in (2, 4, 6):
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(30)
    return [Path(one).name for one in mini_batch]
"""
    one = ParallelRun(tmp_path, script, files=12, per_instance=1)
    codes = []
    while not codes or codes[-1]:
        codes.append(one.run()[0])
        assert len(codes) < 5
    assert codes == [-9, -9, -9, 0]
    assert one.read_rows() == sorted(f"{number}.txt" for number in range(12))


def test_a_record_that_is_not_whole_is_cut_off(tmp_path: Path) -> None:
    """The disk may have got a part of the last record; the mini-batch is run again."""
    bad = add_line(NAMES, "if mini_batch[0].endswith('4.txt'): raise ValueError")
    one = ParallelRun(tmp_path, bad, max_retries=0, mini_batch_error_threshold=0, per_instance=1)
    assert one.run()[0] == 1
    journal = tmp_path / "journal" / "journal"
    whole = journal.read_bytes()
    one.write_script(NAMES)
    for cut in (1, 3, 20, 60):
        journal.parent.mkdir(exist_ok=True)
        journal.write_bytes(whole[:-cut])
        code, out = one.run()
        assert (code, one.read_rows()) == (0, ALL), out
        assert "mini-batches are taken over" in out


def test_no_two_jobs_have_one_journal(tmp_path: Path) -> None:
    """The second one runs all by itself."""
    one = ParallelRun(tmp_path, add_line(NAMES, "while not Path(SIDE, 'go').exists(): time.sleep(0.01)"))
    first = one.start()
    journal = tmp_path / "journal" / "journal"
    eventually(lambda: (journal.exists() and journal.stat().st_size) or first.poll() is not None, "the journal")
    assert first.poll() is None
    second = ParallelRun(tmp_path / "second", NAMES)
    second.settings = one.settings
    second.input = one.input
    process = second.start(SMALT_PARALLEL_FOLDER=str(journal.parent))
    out, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, out
    assert "another job runs the same mini-batches now" in out
    (one.side / "go").touch()
    out, _ = first.communicate(timeout=LONGEST)
    assert first.returncode == 0, out
    assert one.read_rows() == second.read_rows() == ALL


def test_a_stop_leaves_what_is_finished(tmp_path: Path) -> None:
    """SIGTERM, as of a cancellation: the workers end at once, and the journal stays."""
    one = ParallelRun(
        tmp_path, "def run(mini_batch):\n    Path(SIDE, str(os.getpid())).touch()\n    time.sleep(600)\n    return []\n"
    )
    process = one.start()
    eventually(lambda: len(one.list_side()) == 2 or process.poll() is not None, "both workers")
    assert process.poll() is None
    process.terminate()
    out, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 143, out
    assert all(not os.path.exists(f"/proc/{pid}") for pid in one.list_side())
    assert (tmp_path / "journal" / "journal").exists()
    assert json.loads((tmp_path / "journal" / "journal").read_text().split("\n")[0])["job"] == "this-job"


def write_table(one: ParallelRun, rows: int) -> None:
    """Make the input a table, and write what the server writes of it."""
    lines = "".join(f"{number},{'ab'[number % 2]}\n" for number in range(rows))
    (one.input / "rows.csv").write_text(f"number,letter\n{lines}")
    (one.input / "MLTable").write_text("paths: [{file: ./rows.csv}]\ntransformations: [read_delimited]\n")
    (one.folder / "journal").mkdir(exist_ok=True)
    (one.folder / "journal" / "table.json").write_text(json.dumps(describe_table(one.input)))
    one.settings["input_type"] = "mltable"


def test_a_table_is_cut_by_bytes(tmp_path: Path) -> None:
    """`run` gets a frame; the frames that it returns become lines without a header."""
    pytest.importorskip("polars")
    pytest.importorskip("pandas")
    one = ParallelRun(tmp_path, "def run(rows):\n    return rows.assign(count=len(rows))\n", files=0)
    write_table(one, 100)
    one.settings["mini_batch_size"] = (one.input / "rows.csv").stat().st_size // 10
    code, out = one.run()
    assert code == 0, out
    assert "a table of 100 rows in " in out
    assert [int(row.split(" ")[0]) for row in one.read_rows()] == list(range(100))
    assert one.read_rows()[0].split(" ")[1:] == ["a", "9"]


def test_a_table_is_cut_by_the_values_of_columns(tmp_path: Path) -> None:
    """In the order of the values, which the context has."""
    pytest.importorskip("polars")
    pytest.importorskip("pandas")
    script = "def run(rows, context):\n    return [(context.partition_key_value, sum(rows['number']))] * len(rows)\n"
    one = ParallelRun(tmp_path, script, files=0, partition_keys=["letter"])
    write_table(one, 4)
    code, out = one.run()
    assert code == 0, out
    assert one.read_rows() == ["({'letter': 'a'}, 2)"] * 2 + ["({'letter': 'b'}, 4)"] * 2
    one.settings["partition_keys"] = ["colour"]
    assert one.run()[0] == 1
    assert "the table has no column 'colour' (it has: number, letter)" in one.read_result()


def test_a_header_appears_once(tmp_path: Path) -> None:
    """Once for all mini-batches of the same columns, also if some are taken over; that of other columns follows."""
    pytest.importorskip("pandas")
    script = (
        "import pandas\ndef run(mini_batch):\n    name = Path(mini_batch[0]).name\n"
        "    if name == '2.txt' and not Path('go').exists(): raise ValueError(name)\n"
        "    return pandas.DataFrame({'other' if name == '3.txt' else 'name': [name], 'size': [1]})\n"
    )
    settings = {"mini_batch_size": 1, "mini_batch_error_threshold": 0, "max_retries": 0, "per_instance": 1}
    one = ParallelRun(tmp_path, script, files=4, **settings)
    options = {"append_row": {"pandas.DataFrame.to_csv": {"sep": ",", "header": True}}}
    (one.code / "parallel_run_step.settings.json").write_text(json.dumps(options))
    assert one.run()[0] == 1
    (one.code / "go").touch()
    code, out = one.run()
    assert code == 0, out
    assert " are taken over from job " in out
    assert one.read_rows() == ["name,size", "0.txt,1", "1.txt,1", "2.txt,1", "other,size", "3.txt,1"]
    assert one.read_result().endswith("4 rows were written to the output 'rows'")


def test_keys_of_the_settings_file_that_do_nothing_are_told(tmp_path: Path) -> None:
    """Each in a line of the log; without an output that gets rows, the whole of it."""
    one = ParallelRun(tmp_path, NAMES)
    file = one.code / "parallel_run_step.settings.json"
    file.write_text(
        json.dumps({"append_row": {"pandas.DataFrame.to_csv": {"sep": ",", "mode": "a"}, "csv": 1}, "x": 2})
    )
    code, out = one.run()
    assert (code, one.read_rows()) == (0, ALL), out
    for key in ("x", "append_row.csv", "append_row.pandas.DataFrame.to_csv.mode"):
        assert f"parallel_run_step.settings.json: {key} has no effect\n" in out
    one.settings["append_row_to"] = ""
    assert "parallel_run_step.settings.json: append_row has no effect: there is no append_row_to\n" in one.run()[1]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "the whole must be a mapping, as in {"),
        ({"append_row": "csv"}, "append_row must be a mapping, as in {"),
        ({"append_row": {"pandas.DataFrame.to_csv": None}}, "append_row.pandas.DataFrame.to_csv must be a mapping"),
        ({"index": "false"}, 'append_row.pandas.DataFrame.to_csv.index must be true or false, not "false"'),
        ({"sep": ", "}, 'append_row.pandas.DataFrame.to_csv.sep must be one character, not ", "'),
        ({"headers": True}, "DataFrame.to_csv has no argument 'headers'; did you mean 'header'?"),
    ],
)
def test_a_wrong_value_in_the_settings_file_fails_the_job(tmp_path: Path, given: object, words: str) -> None:
    """In one sentence, before a mini-batch is run."""
    one = ParallelRun(tmp_path, NAMES)
    if isinstance(given, dict) and "append_row" not in given:
        given = {"append_row": {"pandas.DataFrame.to_csv": given}}
    (one.code / "parallel_run_step.settings.json").write_text(json.dumps(given))
    assert one.run()[0] == 1
    assert one.read_result().startswith(f"parallel_run_step.settings.json: {words}")


def test_a_link_to_a_folder_around_it_is_refused(tmp_path: Path) -> None:
    """It would give the same files again and again; a link to a folder elsewhere is followed."""
    one = ParallelRun(tmp_path, NAMES, files=1)
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.txt").touch()
    (one.input / "elsewhere").symlink_to(other)
    assert one.run()[0] == 0
    assert one.read_rows() == ["0.txt", "x.txt"]
    (other / "back").symlink_to(one.input)
    assert one.run()[0] == 1
    assert "/elsewhere/back leads to a folder that it is in; remove the link" in one.read_result()


def test_a_full_disk_under_the_journal_is_told(tmp_path: Path) -> None:
    """What was finished before is taken over. A limit of the size of files has the place of the disk's end."""
    script = "def run(mini_batch):\n    return ['x' * 60_000 if mini_batch[0].endswith('5.txt') else 'y']\n"
    one = ParallelRun(tmp_path, script, mini_batch_size=1, per_instance=1)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit))
    try:
        assert one.run()[0] == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    kept = f"what run() returned cannot be kept in {tmp_path}/journal/journal: File too large"
    assert one.read_result() == f"{kept}; finished mini-batches are not lost"
    code, out = one.run()
    assert code == 0, out
    assert " taken over" in out
    assert [len(row) for row in one.read_rows()] == [1, 1, 1, 1, 1, 60_000]


def test_rows_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    """The sentence names the file, and nothing of it is left beside it."""
    one = ParallelRun(tmp_path, NAMES)
    one.rows = tmp_path / "taken" / "rows.txt"
    one.rows.parent.touch()
    assert one.run()[0] == 1
    assert one.read_result() == f"the rows cannot be written to {one.rows}: File exists"
    one.rows.parent.unlink()
    assert one.run()[0] == 0
    assert os.listdir(one.rows.parent) == ["rows.txt"]


def test_the_files_of_an_mltable_are_items(tmp_path: Path) -> None:
    """Where it has no table, and by mode eval_mount where it has one."""
    one = ParallelRun(tmp_path, NAMES, files=0)
    write_table(one, 3)
    one.settings["input_mode"] = "eval_mount"
    assert one.run()[0] == 0
    assert one.read_rows() == ["rows.csv"]


def test_files_are_cut_by_their_folders(tmp_path: Path) -> None:
    """By folders called KEY=VALUE, or by the first ones; a file without enough of them is named."""
    script = (
        "def run(mini_batch, context):\n    return [(context.partition_key_value, Path(p).name) for p in mini_batch]\n"
    )
    one = ParallelRun(tmp_path, script, files=0, partition_keys=["year", "shop"])
    for name in ("year=1/x/shop=a/1.txt", "year=1/x/shop=b/2.txt", "year=1/y/shop=a/3.txt"):
        path = one.input / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    assert one.run()[0] == 0
    keys = [{"year": "1", "shop": shop} for shop in "aab"]
    assert one.read_rows() == [str(pair) for pair in zip(keys, ["1.txt", "3.txt", "2.txt"], strict=True)]
    one.settings["partition_keys"] = ["colour"]
    assert one.run()[0] == 0
    assert one.read_rows()[0] == str(({"colour": "year=1"}, "1.txt"))
    one.settings["partition_keys"] = ["year", "colour"]
    assert one.run()[0] == 1
    assert "'year=1/x/shop=a/1.txt' has no folder for colour" in one.read_result()
    (one.input / "0.txt").write_text("")
    one.settings["partition_keys"] = ["colour"]
    assert one.run()[0] == 1
    assert "'0.txt' lies in 0 folders of the input" in one.read_result()


def test_an_attempt_that_takes_nothing_over_begins_with_empty_outputs(tmp_path: Path) -> None:
    """A script with shutdown() writes all again, and nothing of the earlier attempt is left beside it."""
    script = """
def run(mini_batch):
    Path(SIDE, str(os.getpid())).touch()
    if mini_batch[0].endswith("4.txt") and not os.path.exists(os.path.dirname(SIDE) + "/mended"):
        raise ValueError
    return mini_batch
def shutdown():
    pass
"""
    one = ParallelRun(tmp_path, script, max_retries=0, mini_batch_error_threshold=0, per_instance=1)
    assert one.run(SMALT_PARALLEL_OWN="side")[0] == 1
    first = one.list_side()
    (tmp_path / "mended").touch()
    assert one.run(SMALT_PARALLEL_OWN="side")[0] == 0
    assert len(one.list_side()) == 1
    assert one.list_side() != first


def test_a_job_that_has_no_element_to_append_has_failed(tmp_path: Path) -> None:
    """As in the service; so has none that appends nothing, and none whose author turned the check off."""
    code, out = ParallelRun(tmp_path / "on", "def run(mini_batch):\n    return []\n").run()
    assert code == 1
    assert "no call of run() returned an element" in out
    code, out = ParallelRun(tmp_path / "off", "def run(mini_batch):\n    return []\n", append_row_check=False).run()
    assert code == 0, out
    code, out = ParallelRun(tmp_path / "none", "def run(mini_batch):\n    return []\n", append_row_to="").run()
    assert code == 0, out
    assert "that is no error, as error_threshold is -1" in out


def test_a_forked_process_does_not_answer_for_its_worker(tmp_path: Path) -> None:
    """It is ended where it comes back from run(), and each row is there once."""
    script = add_line(NAMES, "pid = os.fork()\n    pid and os.waitpid(pid, 0)")
    one = ParallelRun(tmp_path, script)
    code, out = one.run()
    assert code == 0, out
    assert one.read_rows() == ALL


def test_the_model_of_a_script(tmp_path: Path) -> None:
    """AZUREML_MODEL_DIR has it under its own name; the rows get the name that was chosen."""
    script = "def run(mini_batch):\n    return os.listdir(os.environ['AZUREML_MODEL_DIR']) * len(mini_batch)\n"
    one = ParallelRun(tmp_path, script, model="weights", append_row_to="side", append_row_file_name="found.csv")
    (tmp_path / "named.bin").write_text("1")
    code, out = one.run(AZURE_ML_INPUT_weights=str(tmp_path / "named.bin"))
    assert code == 0, out
    assert (one.side / "found.csv").read_text() == "named.bin\n" * 6
