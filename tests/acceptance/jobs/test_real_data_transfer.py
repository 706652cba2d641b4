"""Databases that are really read and written, SQLite and PostgreSQL: `-m integration`, as the drivers are installed."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars
import pytest

from tests.acceptance import conftest
from tests.acceptance.conftest import Desk, Ran
from tests.helpers import eventually, find_free_port

pytestmark = pytest.mark.integration
PASSWORD = "p@ss word/1:x"
OWNER = 65534
"""`nobody`: PostgreSQL does not run as root."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first job of a database installs its environment."""
    monkeypatch.setattr(conftest, "LONGEST", 600)


class Postgres:
    """A PostgreSQL server on a free port of this machine."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._data = programs, folder / "data"
        self.port = find_free_port()
        (folder / "password").write_text(PASSWORD)
        self._run("initdb", "-U", "smith", "-A", "scram-sha-256", f"--pwfile={folder}/password", "-E", "UTF8")
        options = f"-p {self.port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")

    def ask(self, text: str) -> str:
        """Return what a statement answers, in lines with '|' between the columns."""
        command = [self._programs / "psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "smith", "-d", "postgres"]
        variables = {**os.environ, "PGPASSWORD": PASSWORD}
        ran = subprocess.run([*command, "-Atq", "-c", text], env=variables, capture_output=True, text=True, check=True)
        return ran.stdout.strip()

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        as_user: dict[str, Any] = {"user": OWNER, "extra_groups": []} if os.getuid() == 0 else {}
        command = [self._programs / program, "-D", str(self._data), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **as_user)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(os.path.realpath("/tmp"), f"smalt-postgres-{os.getpid()}")
    folder.mkdir()
    if os.getuid() == 0:
        os.chown(folder, OWNER, OWNER)
    server = Postgres(found[-1].parent if found else Path(str(on_path)).parent, folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


def connect(desk: Desk, target: str, credentials: str = "") -> None:
    desk.write("c.yml", f"name: sales\ntype: custom\ntarget: {target}\n{credentials}")
    assert desk.smalt("connection create -f c.yml").code == 0


def run_import(desk: Desk, source: str) -> Ran:
    return desk.job(
        f"type: data_transfer\ntask: import_data\nsource: {{type: database, connection: azureml:sales, {source}}}\n"
        "outputs: {sink: {type: mltable, path: ./got}}\n"
    )


def run_export(desk: Desk, table: str, file: str) -> Ran:
    return desk.job(
        f"type: data_transfer\ntask: export_data\ninputs: {{source: {{type: uri_file, path: ./{file}}}}}\n"
        f"sink: {{type: database, connection: azureml:sales, table_name: {table}}}\n"
    )


def read(desk: Desk) -> polars.DataFrame:
    return polars.read_parquet(desk.folder / "got/data.parquet")


@pytest.fixture
def sales(desk: Desk) -> sqlite3.Connection:
    connect(desk, f"sqlite:///{desk.folder}/sales.db")
    return sqlite3.connect(desk.folder / "sales.db")


def test_a_query_becomes_a_table(desk: Desk, sales: sqlite3.Connection) -> None:
    """Types fit every row, though some come late; a value that is missing stays missing."""
    sales.execute("CREATE TABLE t (id INTEGER, name TEXT, late REAL, never TEXT)")
    rows = [(n, "ü%" if n else None, None if n < 60_000 else n / 2, None) for n in range(60_001)]
    sales.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    sales.commit()
    ran = run_import(desk, "query: \"SELECT * FROM t WHERE name LIKE '%' OR name IS NULL ORDER BY id\"")
    assert ran.code == 0, ran.out + ran.err
    assert "imported 60,001 rows" in ran.out
    table = read(desk)
    assert table.rows() == rows
    assert table.dtypes == [polars.Int64, polars.String, polars.Float64, polars.String]


def test_what_has_no_type_in_common_is_refused(desk: Desk, sales: sqlite3.Connection) -> None:
    sales.execute("CREATE TABLE t (x)")
    sales.executemany("INSERT INTO t VALUES (?)", [(1,), ("one",)])
    sales.commit()
    ran = run_import(desk, "table_name: t")
    assert ran.code == 1
    assert "the column 'x' has values of the types int and str; cast it to one of them in the query" in ran.out
    assert not list((desk.folder / "got").iterdir())


def test_a_file_is_appended_to_a_table(desk: Desk, sales: sqlite3.Connection) -> None:
    """In the types of its columns: a code keeps its zeros. A new table has numbers only where all values are some."""
    sales.execute("CREATE TABLE t (code TEXT, n INTEGER)")
    sales.execute("INSERT INTO t VALUES ('000', 0)")
    sales.commit()
    desk.write("f.csv", 'code,n\n007,1\n,2\n"",3\n')
    assert run_export(desk, "t", "f.csv").code == 0
    assert sales.execute("SELECT * FROM t").fetchall() == [("000", 0), ("007", 1), (None, 2), ("", 3)]
    ran = run_export(desk, "fresh", "f.csv")
    assert "made the table 'fresh' with 3 rows" in ran.out
    assert sales.execute("SELECT * FROM fresh").fetchall() == [("007", 1), (None, 2), ("", 3)]


def test_a_row_that_does_not_fit_leaves_the_table_alone(desk: Desk, sales: sqlite3.Connection) -> None:
    """All rows or none, and no table that was made for them."""
    sales.execute("CREATE TABLE t (n INTEGER CHECK (n < 20000))")
    sales.commit()
    desk.write("f.csv", "n\n" + "".join(f"{n}\n" for n in range(20_001)))
    ran = run_export(desk, "t", "f.csv")
    assert ran.code == 1
    assert "the database answered: CHECK constraint failed" in ran.out
    assert sales.execute("SELECT count(*) FROM t").fetchone() == (0,)
    desk.write("f.csv", "m\n1\n")
    assert "the table 't' has no column 'm'; it has n" in run_export(desk, "t", "f.csv").out


def test_a_killed_export_leaves_no_row(desk: Desk, sales: sqlite3.Connection) -> None:
    """Killed in the middle of its rows, and no table either; the next run has each row once."""
    desk.write("f.csv", "n\n" + "".join(f"{n}\n" for n in range(400_000)))
    text = "type: data_transfer\ntask: export_data\ninputs: {source: {type: uri_file, path: ./f.csv}}\n"
    text += "sink: {type: database, connection: azureml:sales, table_name: killed_table}\n"
    name = desk.ask(f"job create -f {desk.write('job.yml', text)} --query name")
    journal = desk.folder / "sales.db-journal"
    pid = eventually(lambda: journal.exists() and find_program("killed_table"), "the export", 300)
    os.kill(pid, signal.SIGKILL)
    assert desk.smalt(f"job stream -n {name}").code == 1
    assert sales.execute("SELECT name FROM sqlite_master").fetchall() == []
    assert desk.smalt("job create -f job.yml --stream").code == 0
    assert sales.execute("SELECT count(*), sum(n) FROM killed_table").fetchall() == [(400_000, 79999800000)]


def find_program(word: str) -> int | None:
    """Return the process of the program with a word in its settings, once it has begun to run."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
            if b"_smalt_transfer" in command and word.encode() in command:
                return int(entry.name)
    return None


def test_postgres_gives_and_takes(desk: Desk, postgres: Postgres) -> None:
    """Every usual type survives the way there and back, by a pipeline that binds its query; the password is nowhere."""
    login = f'credentials: {{type: username_password, username: smith, password: "{PASSWORD}"}}\n'
    connect(desk, f"postgresql://127.0.0.1:{postgres.port}/postgres", login)
    postgres.ask(
        "CREATE SCHEMA shop; CREATE TABLE shop.sales (id bigint, price numeric(12, 4), name text, sold timestamptz, "
        "day date, fine boolean, id2 uuid, about jsonb);"
        "INSERT INTO shop.sales VALUES (9007199254740993, 12345678.1234, 'ü', '2026-01-02 03:04:05+02', '2026-01-02', "
        "true, '00000000-0000-0000-0000-000000000001', '{\"a\": 1}'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
    )
    ran = desk.job(
        """
        type: pipeline
        inputs: {query: "SELECT * FROM shop.sales WHERE ':x' <> '%s' ORDER BY id", to: shop.copied}
        outputs: {table: {type: mltable, path: ./got}}
        jobs:
          fetch:
            type: data_transfer
            task: import_data
            source: {type: database, connection: azureml:sales, query: "${{parent.inputs.query}}"}
            outputs: {sink: "${{parent.outputs.table}}"}
          send:
            type: data_transfer
            task: export_data
            inputs: {source: "${{parent.jobs.fetch.outputs.sink}}"}
            sink: {type: database, connection: azureml:sales, table_name: "${{parent.inputs.to}}"}
        """
    )
    assert ran.code == 0, ran.out + ran.err
    row = read(desk).row(0, named=True)
    assert (row["id"], str(row["price"]), row["name"]) == (9007199254740993, "12345678.1234", "ü")
    assert row["sold"] == datetime.datetime(2026, 1, 2, 1, 4, 5, tzinfo=datetime.timezone.utc)
    columns = "id, price, name, sold, day, fine, id2::text"
    both = [postgres.ask(f"SELECT {columns} FROM shop.{table} ORDER BY id") for table in ("sales", "copied")]
    assert both[0] == both[1]
    _check_secret_is_kept(desk)


def _check_secret_is_kept(desk: Desk) -> None:
    """Assert that no file of a job has the password; the database of the home has it encrypted."""
    shown = desk.smalt("connection show -n sales").out
    assert PASSWORD not in shown
    for path in desk.server.home.root.rglob("*"):
        if path.is_file() and not path.is_symlink() and "environments" not in path.parts:
            assert PASSWORD.encode() not in path.read_bytes(), path


def test_a_function_is_called_with_its_parameters(desk: Desk, postgres: Postgres) -> None:
    """As a stored procedure, by name and type; a wrong password is an answer of the database, without the password."""
    target = f"postgresql://127.0.0.1:{postgres.port}/postgres"
    connect(desk, target, f'credentials: {{type: username_password, username: smith, password: "{PASSWORD}"}}\n')
    postgres.ask(
        "CREATE FUNCTION pick(low int, word text) RETURNS TABLE (n int, w text) LANGUAGE sql AS "
        "'SELECT n, word FROM generate_series(low, 3) AS n'"
    )
    parameters = "[{name: word, value: \"it's\", type: String}, {name: low, value: '2', type: Int}]"
    ran = run_import(desk, f"stored_procedure: pick, stored_procedure_params: {parameters}")
    assert ran.code == 0, ran.out + ran.err
    assert read(desk).rows() == [(2, "it's"), (3, "it's")]
    connect(desk, target, "credentials: {type: username_password, username: smith, password: wrong-one}\n")
    ran = run_import(desk, "query: select 1 as x")
    assert ran.code == 1
    assert "password authentication failed" in ran.out
    assert "wrong-one" not in ran.out + ran.err
