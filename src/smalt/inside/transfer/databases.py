"""Tables that are read from a database, and written to one: each in a single transaction."""

from __future__ import annotations

import datetime
import decimal
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import sqlalchemy as sql
from sqlalchemy import event, exc

from .arrow import SpooledTable
from .errors import TransferError
from .sources import RowSource, open_source
from .staging import StagedOutput

_BATCH = 50_000
_REPORTED = 1_000_000
_VALUES = {"int": int, "integer": int, "int32": int, "int64": int, "double": float, "decimal": decimal.Decimal,
           "boolean": lambda text: str(text).lower() in ("true", "1")}  # fmt: skip
"""The types of values for stored procedures, by the word that declares them; other values stay text."""


def import_table(connection: Mapping[str, Any], source: Mapping[str, Any], output: StagedOutput) -> None:
    """Write the rows of a query, table or stored procedure as an MLTable."""
    with _open_database(connection, must_exist=True) as engine, engine.connect() as open_one:
        result = _run_source(open_one.execution_options(stream_results=True), source)
        if not result.returns_rows:
            raise TransferError("the query returns no rows; write one that selects something")
        spooled = SpooledTable(list(result.keys()), output.scratch)
        for rows in result.partitions(_BATCH):
            spooled.add_rows(rows)
            if spooled.count % _REPORTED < len(rows):
                print(f"{spooled.count:,} rows so far", flush=True)
        if source.get("stored_procedure"):
            open_one.commit()
    output.commit(spooled.write_files(output.files))
    print(f"imported {_format_count(spooled.count)}", flush=True)


def export_table(connection: Mapping[str, Any], sink: Mapping[str, Any], path: str, type: str) -> None:
    """Append the rows of an input to a table, which is made if it is not there: all of them or none."""
    source = open_source(path, type)
    schema, name = _split_name(str(sink["table_name"]))
    with _open_database(connection, must_exist=False) as engine, engine.begin() as open_one:
        is_there = sql.inspect(open_one).has_table(name, schema)
        if is_there:
            table = sql.Table(name, sql.MetaData(), schema=schema, autoload_with=open_one)
            _refuse_unknown_columns(source, table)
        else:
            table = _make_table(name, schema, source.schema, engine.dialect.name)
            table.create(open_one)
        wanted = _list_wanted(source, table) if is_there else {}
        count = 0
        for batch in source.read_batches(wanted):
            rows = _make_rows(batch, table, engine.dialect.name)
            if rows:
                open_one.execute(table.insert(), rows)
            count += len(rows)
    words = "appended {} to the table '{}'" if is_there else "made the table '{1}' with {0}"
    print(words.format(_format_count(count), sink["table_name"]), flush=True)


@contextmanager
def _open_database(connection: Mapping[str, Any], *, must_exist: bool) -> Iterator[sql.Engine]:
    url = sql.make_url(connection["url"])
    if url.get_backend_name() != "sqlite":  # which has no users
        url = url.set(username=connection.get("username"), password=connection.get("password"))
    if url.get_backend_name() == "sqlite" and must_exist and not os.path.exists(str(url.database)):
        raise TransferError(f"there is no SQLite database {url.database}")
    engine = sql.create_engine(url, poolclass=sql.NullPool, hide_parameters=True)
    if url.get_backend_name() == "sqlite":
        _make_transactions_whole(engine)
    try:
        yield engine
    except exc.SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise TransferError(f"the database answered: {' '.join(str(cause).split())}") from None
    except ImportError as error:
        raise TransferError(f"the driver of this database is not there: {error}") from None


def _make_transactions_whole(engine: sql.Engine) -> None:
    """Let a transaction include the making of a table, which Python's own SQLite module would commit before."""

    @event.listens_for(engine, "connect")
    def take_over(opened: Any, _: Any) -> None:
        opened.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_transaction(opened: Any) -> None:
        opened.exec_driver_sql("BEGIN")


def _run_source(open_one: sql.Connection, source: Mapping[str, Any]) -> Any:
    if source.get("query"):
        return open_one.execution_options(no_parameters=True).exec_driver_sql(str(source["query"]))
    if source.get("table_name"):
        schema, name = _split_name(str(source["table_name"]))
        table = sql.table(name, schema=schema)
        return open_one.execute(sql.select(sql.text("*")).select_from(table))
    return _call_procedure(open_one, str(source["stored_procedure"]), source.get("stored_procedure_params") or [])


def _call_procedure(open_one: sql.Connection, name: str, parameters: list[Mapping[str, Any]]) -> Any:
    dialect = open_one.dialect
    quote = dialect.identifier_preparer.quote
    whole = ".".join(quote(part) for part in name.split("."))
    marks = [f":p{at}" for at in range(len(parameters))]
    if dialect.name == "postgresql":
        given = ", ".join(f"{quote(one['name'])} => {mark}" for one, mark in zip(parameters, marks))  # noqa: B905
        text = f"SELECT * FROM {whole}({given})"
    elif dialect.name == "mssql":
        given = ", ".join(f"@{one['name']} = {mark}" for one, mark in zip(parameters, marks))  # noqa: B905
        text = f"EXEC {whole} {given}"
    elif dialect.name == "mysql":
        text = f"CALL {whole}({', '.join(marks)})"
    else:
        raise TransferError(f"a database of the kind {dialect.name} has no stored procedures; write a query")
    values = {f"p{at}": _read_value(one) for at, one in enumerate(parameters)}
    return open_one.execute(sql.text(text), values)


def _read_value(parameter: Mapping[str, Any]) -> Any:
    convert: Any = _VALUES.get(str(parameter.get("type", "")).lower(), str)
    try:
        return convert(parameter["value"])
    except (ValueError, ArithmeticError):
        words = f"the parameter '{parameter['name']}' is no {parameter.get('type')}: {parameter['value']!r}"
        raise TransferError(words) from None


def _split_name(name: str) -> tuple[str | None, str]:
    schema, _, table = name.rpartition(".")
    return schema or None, table


def _refuse_unknown_columns(source: RowSource, table: sql.Table) -> None:
    unknown = [name for name in source.names if name not in table.columns]
    if unknown:
        has = ", ".join(table.columns.keys())
        raise TransferError(f"the table '{table.name}' has no column '{unknown[0]}'; it has {has}")


def _list_wanted(source: RowSource, table: sql.Table) -> dict[str, pa.DataType]:
    """Return the Arrow types in which the text of a file is read for the columns of a table that is there."""
    known = {
        int: pa.int64(), float: pa.float64(), bool: pa.bool_(), datetime.date: pa.date32(),
        datetime.datetime: pa.timestamp("us"),
    }  # fmt: skip
    return {name: known.get(_find_python_type(table.columns[name]), pa.string()) for name in source.names}


def _find_python_type(column: Any) -> Any:
    try:
        return column.type.python_type
    except NotImplementedError:
        return str


def _make_table(name: str, schema: str | None, fields: pa.Schema, dialect: str) -> sql.Table:
    columns = [sql.Column(one.name, _choose_type(one, dialect), nullable=True) for one in fields]
    return sql.Table(name, sql.MetaData(), *columns, schema=schema)


def _choose_type(field: pa.Field, dialect: str) -> Any:
    type = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    kinds = pa.types
    if kinds.is_decimal(type):  # SQLite would keep it as a float
        return sql.Text() if dialect == "sqlite" else sql.Numeric(type.precision, type.scale)
    if kinds.is_timestamp(type):
        return sql.DateTime(timezone=type.tz is not None)
    for is_one, found in (
        (kinds.is_integer, sql.BigInteger), (kinds.is_floating, sql.Double), (kinds.is_boolean, sql.Boolean),
        (kinds.is_date, sql.Date), (kinds.is_time, sql.Time), (kinds.is_string, sql.Text),
        (kinds.is_large_string, sql.Text), (kinds.is_string_view, sql.Text), (kinds.is_null, sql.Text),
        (kinds.is_binary, sql.LargeBinary), (kinds.is_large_binary, sql.LargeBinary),
    ):  # fmt: skip
        if is_one(type):
            return found()
    raise TransferError(f"the column '{field.name}' is of the type {type}, which a database has no column for")


def _make_rows(batch: pa.RecordBatch, table: sql.Table, dialect: str) -> list[dict[str, Any]]:
    columns = [
        _list_values(name, column, table.columns[name], dialect)
        for name, column in zip(batch.schema.names, batch.columns)  # noqa: B905
    ]
    return [dict(zip(batch.schema.names, row)) for row in zip(*columns)]  # noqa: B905


def _list_values(name: str, column: Any, target: Any, dialect: str) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        try:
            column = column.cast(pa.timestamp("us", column.type.tz))
        except pa.ArrowInvalid:
            raise TransferError(f"the times of the column '{name}' are finer than a database keeps them") from None
    values = column.to_pylist()
    wanted = _find_python_type(target)
    if dialect == "sqlite" and pa.types.is_timestamp(column.type) and column.type.tz is not None:
        values = [one and one.astimezone(datetime.timezone.utc).replace(tzinfo=None) for one in values]
    if wanted is str and not pa.types.is_binary(column.type):
        return [one if one is None or isinstance(one, str) else str(one) for one in values]
    if wanted is decimal.Decimal:
        try:
            return [None if one is None else decimal.Decimal(str(one)) for one in values]
        except decimal.InvalidOperation:
            raise TransferError(f"the column '{name}' has values that are no numbers") from None
    return values


def _format_count(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"
