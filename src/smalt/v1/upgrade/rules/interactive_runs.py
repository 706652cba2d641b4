"""Runs that a program logs to itself: start_logging and child runs become MLflow's."""

from __future__ import annotations

import ast
import posixpath

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.runs import write_model
from smalt.v1.upgrade.values import Value


@rule("MlflowRun.complete", takes="_set_status")
def _end_run(call: Call) -> Value:
    call.use("mlflow", "")
    return call.make("mlflow.end_run()")


def write_artifact(call: Call) -> Value:
    """Return the logging of a file under a name: MLflow keeps the file's own name, in a folder."""
    name, path = call.require("name"), call.require("path_or_stream")
    if not name.is_text:
        return _write_artifact_by_name(call, name, path)
    folder, _, base = name.constant.rpartition("/")
    if path.is_text and path.constant.rpartition("/")[2] != base:
        raise call.refuse(f"mlflow.log_artifact keeps the file's own name; call the file '{base}' first")
    call.use("mlflow", "")
    inner = f', "{folder}"' if folder else ""
    differs = "" if path.is_text else f"the artifact gets the file's own name, which must be '{base}'"
    return call.make(f"mlflow.log_artifact({path.code}{inner})", differs=differs)


@rule("MlflowRun.id")
def _get_run_id(call: Call) -> Value:
    return call.make(f"{call.object.code}.info.run_id")


@rule("MlflowRun.get_portal_url", takes="")
def _get_run_url(call: Call) -> Value:
    raise call.refuse("MLflow's run has no such page; it is among the jobs of the workspace, by info.run_id")


@rule("MlflowRun.get_status", "MlflowRun.status", takes="")
def _get_run_status(call: Call) -> Value:
    call.use("mlflow", "")
    code = f"mlflow.get_run({call.object.code}.info.run_id).info.status"
    return call.make(code, differs="MLflow says RUNNING, FINISHED, FAILED")


@rule("MlflowRun.get_metrics", takes="name recursive run_type populate")
def _get_run_metrics(call: Call) -> Value:
    call.check_no_others()
    call.use("mlflow", "")
    return call.make(f"mlflow.get_run({call.object.code}.info.run_id).data.metrics", differs="the last value of each")


@rule("MlflowRun.get_file_names", takes="")
def _list_run_files(call: Call) -> Value:
    call.use("mlflow", "")
    code = f"[file.path for file in mlflow.artifacts.list_artifacts(run_id={call.object.code}.info.run_id)]"
    return call.make(code, differs="the topmost files and folders only")


def _write_artifact_by_name(call: Call, name: Value, path: Value) -> Value:
    """Return the logging of a file whose name in the run is that of the file itself, with its folders or without."""
    call.use("mlflow", "")
    if name.code == path.code:
        call.use("os", "")
        return call.make(f"mlflow.log_artifact({path.code}, os.path.dirname({path.code}))")
    node = path.node
    if isinstance(node, ast.Name):
        node = call.rewriter.memory.nodes.get(node.id)
    match node:
        case ast.BinOp(left=ast.Constant(value=str() as folder), op=ast.Add(), right=right):
            if ast.unparse(right) == ast.unparse(name.node or right) and posixpath.dirname(folder) == folder.rstrip(
                "/"
            ):
                return call.make(f"mlflow.log_artifact({path.code})")
        case ast.Call(func=func, args=[*_, last]) if ast.unparse(func) == "os.path.join":
            if name.node is not None and ast.unparse(last) == ast.unparse(name.node):
                return call.make(f"mlflow.log_artifact({path.code})")
    raise call.refuse("write mlflow.log_artifact(path, folder): the file keeps its own name")


@rule("MlflowRun.get_details", takes="")
def _get_run_details(call: Call) -> Value:
    call.use("mlflow", "")
    code = f"mlflow.get_run({call.object.code}.info.run_id)"
    return call.make(code, "MlflowEntity", differs="an entity, not a dictionary")


@rule("MlflowEntity[]")
def _read_run_detail(call: Call) -> Value:
    fields = {"runId": "info.run_id", "status": "info.status", "tags": "data.tags", "properties": "data.tags"}
    key = call.arguments["key"].constant
    if key not in fields:
        raise call.refuse("MLflow answers with an entity: read its attribute")
    return call.make(f"{call.object.code}.{fields[key]}")


@rule("MlflowRun.child_run", "ContextRun.child_run", takes="name run_id outputs")
def _start_child(call: Call) -> Value:
    call.use("mlflow", "")
    name = call.get("name")
    inner = f"run_name={name.code}, nested=True" if name is not None else "nested=True"
    call.rewriter.consume(call.base)
    return call.make(f"mlflow.start_run({inner})", "MlflowRun", differs="ended by mlflow.end_run(), or by 'with'")


@rule("MlflowRun.get_children", takes="recursive tags properties type status")
def _list_run_children(call: Call) -> Value:
    call.check_no_others()
    call.use("mlflow", "")
    held = call.object.code
    condition = f"f\"tags.mlflow.parentRunId = '{{{held}.info.run_id}}'\""
    return call.make(f"mlflow.MlflowClient().search_runs([{held}.info.experiment_id], {condition})")


@rule("MlflowRun.fail", takes="error_details error_code _set_status")
def _fail_run(call: Call) -> Value:
    call.use("mlflow", "")
    return call.make('mlflow.end_run(status="FAILED")', differs="MLflow's status, without the error's details")


@rule(
    "MlflowRun.register_model",
    takes="model_name model_path tags properties model_framework model_framework_version description "
    "datasets sample_input_dataset sample_output_dataset resource_configuration **",
)
def _register_run_model(call: Call) -> Value:
    return write_model(call, f"{call.object.code}.info.run_id")


@rule("MlflowRun.get_tags", "MlflowRun.tags", takes="")
def _get_run_tags(call: Call) -> Value:
    call.use("mlflow", "")
    return call.make(f"mlflow.get_run({call.object.code}.info.run_id).data.tags", differs="with MLflow's own tags")
