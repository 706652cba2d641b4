"""Datasets of SDK v1 on a real server: files and tables, what is done to them, and how jobs get them."""

from __future__ import annotations

from tests.v1.conftest import Programs

HEAD = """\
from datetime import datetime, timedelta
from azureml.core import Dataset, Datastore, Experiment, RunConfiguration, ScriptRunConfig, Workspace
from azureml.data.dataset_factory import DataType
from azureml.data import OutputFileDatasetConfig

ws = Workspace.from_config()
store = ws.get_default_datastore()
"""
TABLE = "age,name,day\n1,a,2020-01-01\n40,b,2020-06-01\n50,c,2021-01-01\n"


def _run(served: Programs, body: str) -> str:
    served.write("program.py", HEAD + body)
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    return ran.out


def test_a_table_is_read_chosen_from_and_split(served: Programs) -> None:
    """Rows and columns, by number, condition and time."""
    served.write("data/t.csv", TABLE)
    out = _run(
        served,
        """
store.upload_files(["data/t.csv"], target_path="tables", overwrite=True, show_progress=False)
table = Dataset.Tabular.from_delimited_files((store, "tables/*.csv"), set_column_types={"day": DataType.to_datetime()})
timed = table.with_timestamp_columns("day")
for one in (table, table.take(1), table.skip(2), table.keep_columns(["age"]), table.drop_columns("day"),
            table.filter((table["age"] > 10) & (table["name"] != "c")), timed.time_after(datetime(2020, 6, 1)),
            timed.time_before(datetime(2020, 6, 1), include_boundary=False),
            timed.time_between(datetime(2020, 2, 1), datetime(2020, 12, 1))):
    frame = one.to_pandas_dataframe()
    print(list(frame["age"]), list(frame.columns))
first, second = table.random_split(0.5, seed=3)
print(len(first.to_pandas_dataframe()) + len(second.to_pandas_dataframe()))
""",
    )
    assert out.splitlines() == [
        "[1, 40, 50] ['age', 'name', 'day']",
        "[1] ['age', 'name', 'day']",
        "[50] ['age', 'name', 'day']",
        "[1, 40, 50] ['age']",
        "[1, 40, 50] ['age', 'name']",
        "[40] ['age', 'name', 'day']",
        "[40, 50] ['age', 'name', 'day']",
        "[1] ['age', 'name', 'day']",
        "[40] ['age', 'name', 'day']",
        "3",
    ]


def test_datasets_are_registered_by_name_and_version(served: Programs) -> None:
    """The same definition is the same version; another one needs create_new_version; v2 sees data assets."""
    served.write("data/t.csv", TABLE)
    out = _run(
        served,
        """
store.upload_files(["data/t.csv"], target_path="registered", overwrite=True, show_progress=False)
files = Dataset.File.from_files((store, "registered"))
table = Dataset.Tabular.from_delimited_files((store, "registered/t.csv"))
one = files.register(ws, "some-files", description="d", tags={"k": "v"})
print(one.name, one.version, one.description, one.tags, one.id)
print(files.register(ws, "some-files").version)
try:
    files.take(1).register(ws, "some-files")
except Exception as error:
    print(type(error).__name__, error)
print(files.take(1).register(ws, "some-files", create_new_version=True).version)
print(table.register(ws, "some-table").version, Dataset.get_by_name(ws, "some-table").to_pandas_dataframe().shape)
print(type(Dataset.get_by_id(ws, one.id)).__name__, Dataset.get_by_name(ws, "some-files", version=1).to_path())
print([ws.client.data.get(name, label="latest").type for name in ("some-files", "some-table")])
print("some-table" in ws.datasets, [Dataset.get_by_name(ws, "some-files", version=v).version for v in (1, "latest")])
""",
    )
    lines = out.splitlines()
    assert lines[0] == "some-files 1 d {'k': 'v'} some-files:1"
    assert lines[1] == "1"
    assert lines[2].startswith("UserErrorException there is a dataset 'some-files' already with another definition;")
    assert lines[3:5] == ["2", "1 (3, 3)"]
    assert lines[5] == "FileDataset ['/t.csv']"
    assert lines[6:] == ["['mltable', 'mltable']", "True [1, 2]"]


def test_frames_folders_and_partitions_become_datasets(served: Programs) -> None:
    """register_pandas_dataframe, upload_directory, partition_by and the files of a dataset."""
    served.write("data/a.txt", "a")
    served.write("data/inner/b.txt", "b")
    out = _run(
        served,
        """
import pandas
frame = pandas.DataFrame({"kind": ["x", "x", "y"], "value": [1, 2, 3]})
made = Dataset.Tabular.register_pandas_dataframe(frame, (store, "frames"), "frame")
print(made.version, made.to_pandas_dataframe().to_dict("list"))
parts = made.partition_by(["kind"], (store, "parts"), name="parted", show_progress=False)
print(parts.partition_keys, parts.get_partition_key_values(), len(parts.to_pandas_dataframe()))
files = Dataset.File.upload_directory("data", (store, "uploaded"), show_progress=False)
print(sorted(files.to_path()), len(files.download("down")), len(files.take(1).to_path()))
with files.mount() as mounted:
    import os
    print(sorted(os.listdir(mounted.mount_point)))
""",
    )
    assert out.splitlines() == [
        "1 {'kind': ['x', 'x', 'y'], 'value': [1, 2, 3]}",
        "['kind'] [{'kind': 'x'}, {'kind': 'y'}] 3",
        "['/a.txt', '/inner/b.txt'] 2 1",
        "['a.txt', 'inner']",
    ]


def test_a_script_gets_datasets_by_argument_and_by_name(served: Programs) -> None:
    """A folder, a file of the web and an output, of a script run without a pipeline."""
    served.write("data/a.txt", "from a")
    served.write("web/b.txt", "from b")
    served.write(
        "src/read.py",
        "import os, sys\nfrom azureml.core import Run\nrun = Run.get_context()\n"
        "folder, file, out = sys.argv[1:]\n"
        "print(open(folder + '/a.txt').read(), open(file).read(), run.input_datasets['web'] == file)\n"
        "print(os.environ['AZUREML_DATAREFERENCE_given'] == folder)\nopen(out + '/c.txt', 'w').write('c')\n",
    )
    from smalt.client import MLClient
    from smalt.machine.home import Home

    client = MLClient(home=Home(served.home))
    place = "https://web.example.org/files"
    client.connection.patch("/smalt/v1/config", {"url-map": {place: str(served.folder / "web")}})
    out = _run(
        served,
        f"""
store.upload("data", "script", overwrite=True, show_progress=False)
given = Dataset.File.from_files((store, "script")).as_named_input("given").as_mount()
web = Dataset.File.from_files("{place}/b.txt").as_named_input("web").as_download()
config = ScriptRunConfig("src", "read.py", [given, web, OutputFileDatasetConfig("out", (store, "script-out"))])
config.run_config.environment.python.user_managed_dependencies = True
run = Experiment(ws, "datasets").submit(config)
run.wait_for_completion()
log = next(name for name in run.get_file_names() if name.endswith("std_log.txt"))
run.download_file(log, "log.txt")
print(open("log.txt").read())
print(Dataset.File.from_files((store, "script-out")).to_path())
""",
    )
    assert out.split("\n")[:2] == ["from a from b True", "True"]
    assert out.endswith("['/c.txt']\n")


def test_mistakes_about_data_are_sentences(served: Programs) -> None:
    """Each at the program's line."""
    cases = {
        "Dataset.File.from_files((store, 'not/there'))": "there are no files at azureml://datastores/",
        "Dataset.File.from_files([])": "the path of a dataset is an empty list",
        "Dataset.from_binary_files('a')": "Dataset.from_binary_files is not served",
        "Dataset.File.from_files((store, 'x'), validate=False).as_named_input('a b')": "cannot be the name of an input",
        "Dataset.Tabular.from_delimited_files((store, 'x'), validate=False).time_recent(timedelta(1))": (
            "call it first"
        ),
        "Dataset.Tabular.from_delimited_files((store, 'x'), validate=False).as_named_input('t').as_mount()": (
            "as_mount is for a FileDataset"
        ),
        "Dataset.Tabular.from_sql_query('select 1')": "data transfer job",
        "OutputFileDatasetConfig('o', destination='x').to_output(None)": "is a pair of a datastore and a path",
    }
    body = "import traceback\n" + "".join(
        f"try:\n    {case}\nexcept Exception as error:\n    print(type(error).__name__, error)\n" for case in cases
    )
    lines = _run(served, body).splitlines()
    for line, words in zip(lines, cases.values(), strict=True):
        assert line.startswith("UserErrorException ") or line.startswith("DatasetTimestampMissingError "), line
        assert words in line


def test_names_with_spaces_and_columns_of_times(served: Programs) -> None:
    """A name that v2 cannot have is told as the one that it gets; a dropped column of times is one no more."""
    served.write("data/t.csv", TABLE)
    served.write(
        "program.py",
        f"""{HEAD}
from azureml.exceptions import DatasetTimestampMissingError
store.upload_files(["data/t.csv"], target_path="times", overwrite=True, show_progress=False)
table = Dataset.Tabular.from_delimited_files((store, "times/*.csv"), set_column_types={{"day": DataType.to_datetime()}})
table.register(ws, "all my rows", create_new_version=True)
print(Dataset.get_by_name(ws, "all my rows").name, "all my rows" in ws.datasets or "all_my_rows" in ws.datasets)
less = table.with_timestamp_columns("day").drop_columns(["day"])
print(list(less.to_pandas_dataframe().columns))
try:
    less.time_before(datetime(2020, 6, 1))
except DatasetTimestampMissingError:
    print("no times")
""",
    )
    ran = served.python("program.py")
    assert ran.code == 0, ran.err
    assert "dataset 'all my rows' is the data asset 'all_my_rows': names of v2 have" in ran.err
    assert ran.out.splitlines() == ["all_my_rows True", "['age', 'name']", "no times"]


def test_a_data_asset_of_a_type_of_v1_is_told_what_it_is_now(served: Programs) -> None:
    """With its line."""
    served.write("data/a.txt", "a")
    for kind, words in (("tabular", "'mltable' in v2"), ("file", "'uri_folder' in v2")):
        served.write("data.yml", f"name: x\ntype: {kind}\npath: ./data\n")
        ran = served.smalt("data", "create", "-f", "data.yml")
        assert ran.code == 2
        assert f"data.yml:2:7: '{kind}' is a type of SDK v1: " in ran.err
        assert words in ran.err


def test_the_open_dataset_diabetes_is_that_of_scikit_learn(served: Programs) -> None:
    """Rows, names and types are Azure's; a Python without scikit-learn is told to install it."""
    body = """
from azureml.opendatasets import Diabetes
frame = Diabetes.get_tabular_dataset().to_pandas_dataframe()
print(len(frame), list(frame.columns), *frame.iloc[0], {str(kind) for kind in frame.dtypes})
"""
    hidden = "import sys\nsys.modules['sklearn'] = None\n"
    served.write("hidden.py", hidden + HEAD + body)
    ran = served.python("hidden.py")
    assert ran.code == 1
    assert "Diabetes is read from scikit-learn's copy: pip install pandas 'scikit-learn>=1.1'" in ran.err


def test_two_stars_are_all_files_at_any_depth(served: Programs) -> None:
    """On a datastore and on this machine, with and without a pattern behind; './' is no part of a path."""
    served.write("data/a.csv", "a")
    served.write("data/inner/deep/b.txt", "b")
    out = _run(
        served,
        """
store.upload("data", target_path="stars", overwrite=True, show_progress=False)
for path in ("stars/**", "./stars", "stars/**/*", "stars/**/", "stars/**/*.txt", "stars/*"):
    print(sorted(Dataset.File.from_files((store, path)).to_path()))
print(sorted(Dataset.File.from_files("data/**").to_path()))
""",
    )
    both = "['/a.csv', '/inner/deep/b.txt']"
    assert out.splitlines() == [both, both, both, both, "['/inner/deep/b.txt']", "['/a.csv']", both]


def test_names_are_found_as_they_are_registered(served: Programs) -> None:
    """A name with a space is in ws.datasets; one that was unregistered is not suggested for itself."""
    served.write("data/a.csv", "a")
    out = _run(
        served,
        """
store.upload("data", target_path="named", overwrite=True, show_progress=False)
made = Dataset.File.from_files((store, "named")).register(ws, "some data")
print("some data" in ws.datasets, ws.datasets.get("some data").name, ws.datasets.get("other", 3))
made.unregister_all_versions()
try:
    Dataset.get_by_name(ws, "some data")
except Exception as error:
    print(error.message)
""",
    )
    found, refused = out.splitlines()
    assert found == "True some_data 3"
    assert refused.startswith("the workspace 'default' has no dataset 'some_data'")
    assert "did you mean 'some_data'" not in refused  # another test's may be


def test_the_registered_output_of_a_step_is_a_dataset(served: Programs) -> None:
    """By its name, once the step has ended; its name may have spaces."""
    served.write("src/write.py", "import sys\nopen(sys.argv[1] + '/out.txt', 'w').write('out')\n")
    out = _run(
        served,
        """
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep
host = RunConfiguration()
host.environment.python.user_managed_dependencies = True
made = OutputFileDatasetConfig("made").register_on_complete(name="made here")
step = PythonScriptStep("write.py", name="größe", arguments=[made], source_directory="src", runconfig=host)
Experiment(ws, "outputs").submit(Pipeline(ws, [step])).wait_for_completion()
print(Dataset.get_by_name(ws, "made here").to_path(), "made here" in ws.datasets)
""",
    )
    assert out.splitlines()[-1] == "['/out.txt'] True"
