"""`/smalt/…`: smalt's own writes, many rows in one transaction. docs/internals/tracking.md documents the bodies."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.dbmodels.models import (
    SqlModelVersion,
    SqlModelVersionTag,
    SqlRegisteredModel,
    SqlRegisteredModelAlias,
    SqlRegisteredModelTag,
)
from mlflow.store.tracking.dbmodels.models import (
    SqlDataset,
    SqlExperiment,
    SqlInput,
    SqlInputTag,
    SqlLatestMetric,
    SqlLoggedModel,
    SqlLoggedModelMetric,
    SqlMetric,
    SqlParam,
    SqlRun,
    SqlTag,
)
from sqlalchemy import delete, literal, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from .stores import RunTrackingStore, WorkspaceStores, build_artifact_uri

Json = dict[str, Any]

_AT_A_TIME = 500  # variables of one statement
_DEFAULT = "default"  # MLflow's own notion of workspaces, which is off
_NAME_TAG = "mlflow.runName"
_METRIC = ("key", "timestamp", "step", "run_uuid", "value", "is_nan")


def put_runs(workspace: WorkspaceStores, environ: Json) -> Json:
    """Create missing runs, update existing ones, delete those in `gone`; return the ids of the new ones."""
    body = _read_body(environ)
    runs = body.get("runs", [])
    store = workspace.tracking
    with store.ManagedSessionMaker(read_only=False) as session:
        _remove_runs(session, body.get("gone", []))
        experiments = _ensure_experiments(store, session, {run["experiment"] for run in runs})
        present = _find_present(session, [run["run_id"] for run in runs])
        created = [run for run in {run["run_id"]: run for run in runs}.values() if run["run_id"] not in present]
        if created:
            session.execute(insert(SqlRun), [_build_row(run, experiments[run["experiment"]]) for run in created])
        for run in runs:
            if run["run_id"] in present and (changes := _get_changes(run)):
                session.execute(update(SqlRun).where(SqlRun.run_uuid == run["run_id"]).values(changes))
        _put_rows(session, SqlTag, _list_tags(runs), ("key", "run_uuid"))
        _put_rows(session, SqlParam, _list_params(runs), ("key", "run_uuid"), overwrite=False)
        _put_inputs(session, runs, experiments)
        _put_rows(session, SqlMetric, _list_metrics(runs), _METRIC, overwrite=False)
        _put_rows(session, SqlLatestMetric, _list_metrics(runs), ("key", "run_uuid"), overwrite=False)
        for run in runs:
            if run.get("metrics_of"):
                _copy_metrics(session, run["run_id"], run["metrics_of"])
        return {"created": [run["run_id"] for run in created]}


def put_models(workspace: WorkspaceStores, environ: Json) -> Json:
    """Make the registry show these models and versions, and delete those in `gone`."""
    body = _read_body(environ)
    now = _get_milliseconds()
    with workspace.registry.ManagedSessionMaker(read_only=False) as session:
        for name, version in body.get("gone", ()):
            _remove_model(session, name, version)
        for model in body.get("models", ()):
            _put_model(session, model, now)
            for version in model.get("versions", ()):
                _put_version(session, model["name"], version, now)
    return {}


def _read_body(environ: Json) -> Json:
    try:
        body = json.loads(environ["wsgi.input"].read())
    except ValueError:
        raise MlflowException.invalid_parameter_value("the body is not JSON") from None
    if not isinstance(body, dict):
        raise MlflowException.invalid_parameter_value("the body is not a JSON object")
    return body


def _get_milliseconds() -> int:
    return int(time.time() * 1000)


def _ensure_experiments(store: RunTrackingStore, session: Session, names: set[str]) -> dict[str, int]:
    """Return the ids of the experiments; create missing ones and restore deleted ones."""
    ids: dict[str, int] = {}
    for name in sorted(names):
        found = session.query(SqlExperiment).filter_by(name=name, workspace=_DEFAULT).one_or_none()
        if found is None:
            now = _get_milliseconds()
            found = SqlExperiment(
                name=name, lifecycle_stage="active", creation_time=now, last_update_time=now, workspace=_DEFAULT
            )
            session.add(found)
            session.flush()
            found.artifact_location = f"{store.artifact_root_uri}/{found.experiment_id}"
        found.lifecycle_stage = "active"
        ids[name] = found.experiment_id
    session.flush()
    return ids


def _remove_runs(session: Session, ids: list[str]) -> None:
    """Delete runs with the runs below them and the models logged in them."""
    while ids:
        below: list[str] = []
        for some in _split_values(ids):
            parents = (SqlTag.key == "mlflow.parentRunId") & SqlTag.value.in_(some)
            below += session.scalars(select(SqlTag.run_uuid).where(parents))
            for model in session.scalars(select(SqlLoggedModel).where(SqlLoggedModel.source_run_id.in_(some))):
                session.delete(model)
            session.flush()
            session.execute(delete(SqlLoggedModelMetric).where(SqlLoggedModelMetric.run_id.in_(some)))
            links = select(SqlInput.input_uuid).where(SqlInput.destination_id.in_(some))
            session.execute(delete(SqlInputTag).where(SqlInputTag.input_uuid.in_(links)))
            session.execute(delete(SqlInput).where(SqlInput.destination_id.in_(some)))
            for table in (SqlMetric, SqlLatestMetric, SqlParam, SqlTag, SqlRun):
                session.execute(delete(table).where(table.run_uuid.in_(some)))
        ids = below


def _find_present(session: Session, ids: list[str]) -> set[str]:
    present: set[str] = set()
    for some in _split_values(ids):
        present.update(session.scalars(select(SqlRun.run_uuid).where(SqlRun.run_uuid.in_(some))))
    return present


def _build_row(run: Json, experiment: int) -> Json:
    return {
        "run_uuid": run["run_id"],
        "experiment_id": experiment,
        "name": run.get("run_name") or run["run_id"],
        "user_id": run.get("user_id") or "",  # MLflow reads no run without one
        "status": run.get("status") or "RUNNING",
        "start_time": run.get("start_time") or _get_milliseconds(),
        "end_time": run.get("end_time"),
        "artifact_uri": run.get("artifact_uri") or build_artifact_uri(run["run_id"]),
        "lifecycle_stage": "active",
        "source_type": "UNKNOWN",
        "source_name": "",
        "source_version": "",
        "entry_point_name": "",
    }


def _get_changes(run: Json) -> Json:
    """Return the changed columns of an existing run; fields that are not given stay.

    A status comes with the run's end, or with none for a run that goes on.
    """
    changes = {"name": run.get("run_name"), "status": run.get("status"), "start_time": run.get("start_time")}
    changes = {column: value for column, value in changes.items() if value}
    if "end_time" in run:
        changes["end_time"] = run["end_time"]
    return changes


def _list_tags(runs: list[Json]) -> Iterator[Json]:
    for run in runs:
        named = {_NAME_TAG: run["run_name"]} if run.get("run_name") else {}
        for key, value in {**named, **run.get("tags", {})}.items():
            yield {"run_uuid": run["run_id"], "key": key, "value": str(value)}


def _list_params(runs: list[Json]) -> Iterator[Json]:
    for run in runs:
        for key, value in run.get("params", {}).items():
            yield {"run_uuid": run["run_id"], "key": key, "value": str(value)}


def _list_metrics(runs: list[Json]) -> Iterator[Json]:
    for run in runs:
        for metric in run.get("metrics", ()):
            yield {**metric, "run_uuid": run["run_id"], "step": 0, "is_nan": False}


def _copy_metrics(session: Session, run: str, source: str) -> None:
    """Copy the metrics and parameters of another run into a run; its own stay."""
    for table in (SqlMetric, SqlLatestMetric, SqlParam):
        columns = table.__table__.columns
        chosen = [literal(run) if column.name == "run_uuid" else column for column in columns]
        rows = select(*chosen).where(columns.run_uuid == source)
        into = insert(table).from_select([column.name for column in columns], rows)
        session.execute(into.on_conflict_do_nothing())


def _put_inputs(session: Session, runs: list[Json], experiments: dict[str, int]) -> None:
    """Store the runs' data sets: each once per experiment, a link for each run, and its context as the link's tag."""
    for run in runs:
        experiment = experiments[run["experiment"]]
        for used in run.get("inputs", ()):
            wanted = {"experiment_id": experiment, "name": used["name"], "digest": used["digest"][:36]}
            columns = {"dataset_source_type": used["source_type"], "dataset_source": used["source"]}
            row = {"dataset_uuid": uuid.uuid4().hex, **wanted, **columns}
            _put_rows(session, SqlDataset, [row], tuple(wanted), overwrite=False)
            dataset = session.scalars(select(SqlDataset.dataset_uuid).filter_by(**wanted)).one()
            ends = {
                "source_type": "DATASET",
                "source_id": dataset,
                "destination_type": "RUN",
                "destination_id": run["run_id"],
            }
            _put_rows(session, SqlInput, [{"input_uuid": uuid.uuid4().hex, **ends}], tuple(ends), overwrite=False)
            link = session.scalars(select(SqlInput.input_uuid).filter_by(**ends)).one()
            if used.get("context"):
                tag = {"input_uuid": link, "name": "mlflow.data.context", "value": used["context"]}
                _put_rows(session, SqlInputTag, [tag], ("input_uuid", "name"))


def _put_model(session: Session, model: Json, now: int) -> None:
    name = model["name"]
    row = {
        "workspace": _DEFAULT,
        "name": name,
        "creation_time": now,
        "last_updated_time": now,
        "description": model.get("description"),
    }
    _put_rows(session, SqlRegisteredModel, [row], ("workspace", "name"), keep=("creation_time",))
    if "tags" in model:
        session.execute(delete(SqlRegisteredModelTag).filter_by(workspace=_DEFAULT, name=name))
        tags = [{"workspace": _DEFAULT, "name": name, "key": key, "value": str(value)}
                for key, value in model["tags"].items()]  # fmt: skip
        _put_rows(session, SqlRegisteredModelTag, tags, ("workspace", "name", "key"))


def _put_version(session: Session, name: str, version: Json, now: int) -> None:
    if not str(version["version"]).isdecimal():
        raise MlflowException.invalid_parameter_value(f"version {version['version']} of model {name} is not a number")
    number = int(version["version"])
    of = {"workspace": _DEFAULT, "name": name, "version": number}
    row = {
        **of,
        "creation_time": now,
        "last_updated_time": now,
        "description": version.get("description"),
        "source": version.get("source", ""),
        "storage_location": version.get("source", ""),
        "run_id": version.get("run_id"),
        "current_stage": version.get("stage") or "None",
        "status": "READY",
    }
    keep = ("creation_time",) if "source" in version else ("creation_time", "source", "storage_location", "run_id")
    _put_rows(session, SqlModelVersion, [row], tuple(of), keep=keep)
    if "tags" in version:
        session.execute(delete(SqlModelVersionTag).filter_by(**of))
        tags = [{**of, "key": key, "value": str(value)} for key, value in version["tags"].items()]
        _put_rows(session, SqlModelVersionTag, tags, (*of, "key"))
    if "aliases" in version:
        session.execute(delete(SqlRegisteredModelAlias).filter_by(**of))
        aliases = [{**of, "alias": alias} for alias in version["aliases"]]
        _put_rows(session, SqlRegisteredModelAlias, aliases, ("workspace", "name", "alias"))


def _remove_model(session: Session, name: str, version: str | None) -> None:
    """Delete a version or, if it is None, the whole model."""
    of: Json = {"workspace": _DEFAULT, "name": name}
    if version is not None:
        of["version"] = int(version)
    for table in (SqlModelVersionTag, SqlRegisteredModelAlias, SqlModelVersion):
        session.execute(delete(table).filter_by(**of))
    if version is None:
        for table in (SqlRegisteredModelTag, SqlRegisteredModel):
            session.execute(delete(table).filter_by(**of))


def _put_rows(
    session: Session,
    table: Any,
    rows: Iterable[Json],
    key: tuple[str, ...],
    *,
    overwrite: bool = True,
    keep: tuple[str, ...] = (),
) -> None:
    """Insert rows; of an existing one overwrite all but its key and the columns in `keep`, or nothing."""
    rows = list(rows)
    if not rows:
        return
    statement = insert(table)
    changed = [column for column in rows[0] if column not in (*key, *keep)]
    if overwrite and changed:
        taken = {column: statement.excluded[column] for column in changed}
        statement = statement.on_conflict_do_update(index_elements=key, set_=taken)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    session.execute(statement, rows)


def _split_values(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _AT_A_TIME):
        yield values[start : start + _AT_A_TIME]
