"""Data transfers as Azure's client sends them: by its functions, by steps of YAML, and by a component file."""

from __future__ import annotations

import sqlite3

from azure.ai.ml import Input, Output, dsl, load_component, load_job
from azure.ai.ml.data_transfer import Database, FileSystem, copy_data, export_data, import_data
from azure.ai.ml.entities import (
    CronTrigger,
    DataImport,
    ImportDataSchedule,
    UsernamePasswordConfiguration,
    WorkspaceConnection,
)
from desk import done, folder, ml, refused, report, write

MERGE = """
type: data_transfer
name: merged
version: "1"
task: copy_data
data_copy_mode: fail_if_conflict
inputs: {a: {type: uri_folder}, b: {type: uri_folder}}
outputs: {o: {type: uri_folder}}
"""


def given(name: str) -> Input:
    write(f"{name}/{name}.txt", name)
    return Input(type="uri_folder", path=str(folder / name))


def connect(name: str, target: str) -> str:
    login = UsernamePasswordConfiguration(username="smith", password="never shown")
    connection = WorkspaceConnection(name=name, type="azure_sql_db", target=target, credentials=login)
    ml.connections.create_or_update(connection)
    return f"azureml:{name}"


def make_database() -> str:
    path = folder / "sales.db"
    with sqlite3.connect(path) as sales:
        sales.execute("CREATE TABLE IF NOT EXISTS sold (n INTEGER)")
        sales.execute("INSERT INTO sold VALUES (1), (2)")
    return connect("sales", f"sqlite:///{path}")


def it_copies_by_a_component() -> None:
    """The component of a file, and `copy_data`, which makes one."""
    merge = load_component(write("merge.yml", MERGE))
    again = copy_data(
        inputs={"a": Input(type="uri_folder"), "b": Input(type="uri_folder")},
        outputs={"o": Output(type="uri_folder")},
        data_copy_mode="merge_with_overwrite",
    )

    @dsl.pipeline(compute="cpu")
    def copies(one, two):
        first = merge(a=one, b=two)
        second = again(a=first.outputs.o, b=two)
        return {"all": second.outputs.o}

    job = done(ml.jobs.create_or_update(copies(given("one"), given("two"))))
    ml.jobs.download(job.name, output_name="all", download_path=str(folder / "got"))
    assert {path.name for path in (folder / "got").rglob("*.txt")} == {"one.txt", "two.txt"}
    steps = ml.jobs.get(job.name).jobs
    assert (steps["first"].task, steps["second"].data_copy_mode) == ("copy_data", "merge_with_overwrite")


def it_imports_files() -> None:
    given("shop")
    source = FileSystem(path="*.txt", connection=connect("shop", str(folder / "shop")))

    @dsl.pipeline(compute="cpu")
    def fetched():
        step = import_data(source=source, outputs={"sink": Output(type="uri_folder")})
        return {"all": step.outputs.sink}

    job = done(ml.jobs.create_or_update(fetched()))
    ml.jobs.download(job.name, output_name="all", download_path=str(folder / "fetched"))
    assert [path.read_text() for path in (folder / "fetched").rglob("shop.txt")] == ["shop"]


def it_reads_and_writes_a_database() -> None:
    """By a step of YAML and by functions, whose source and sink name the pipeline's inputs."""
    connection = make_database()

    @dsl.pipeline(compute="cpu")
    def moved(query, connection, table):
        read = import_data(source=Database(query=query, connection=connection))
        export_data(inputs={"source": read.outputs.sink}, sink=Database(table_name=table, connection=connection))

    done(ml.jobs.create_or_update(moved("SELECT n * 2 AS n FROM sold", connection, "doubled")))
    with sqlite3.connect(folder / "sales.db") as sales:
        assert sales.execute("SELECT n FROM doubled ORDER BY n").fetchall() == [(2,), (4,)]
    file = write(
        "read.yml",
        "type: pipeline\nsettings: {default_compute: azureml:cpu}\njobs:\n  read:\n    type: data_transfer\n"
        "    task: import_data\n    source: {type: database, connection: azureml:sales, query: select 1 as x}\n"
        "    outputs: {sink: {type: mltable}}\n",
    )
    job = done(ml.jobs.create_or_update(load_job(file)))
    assert ml.jobs.get(job.name).jobs["read"].source.query == "select 1 as x"


def it_names_a_connection_that_is_not_there() -> None:
    @dsl.pipeline(compute="cpu")
    def lost():
        import_data(source=Database(query="select 1", connection="azureml:nosuch"))

    assert "there is no connection 'nosuch'" in refused(lambda: ml.jobs.create_or_update(lost()))


def it_imports_data_at_once_and_by_schedule() -> None:
    """Each import is the next version of the data, in a folder of its own."""
    source = Database(query="select n from sold", connection=make_database())
    data = DataImport(name="sold", path="azureml://datastores/workspaceblobstore/paths/sold", source=source)
    done(ml.data.import_data(data))
    schedule = ImportDataSchedule(name="sales", trigger=CronTrigger(expression="1 1 * * *"), import_data=data)
    ml.schedules.begin_create_or_update(schedule).result()
    done(ml.jobs.get(ml.schedules.trigger("sales").job_name))
    assert sorted(one.version for one in ml.data.list("sold")) == ["1", "2"]
    # Not by `data.list_materialization_status`: in 1.35.2 it ends with a TypeError before it sends anything.
    assert len([job for job in ml.jobs.list() if job.experiment_name == "data_import_sold"]) == 2


report()
