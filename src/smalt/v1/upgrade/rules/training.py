"""Training scripts: what they log by azureml.core.Run is logged by MLflow."""

from __future__ import annotations

import ast

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.runs import write_artifact
from smalt.v1.upgrade.texts import quote
from smalt.v1.upgrade.values import Value


@rule("Run.get_context", takes="allow_offline used_for_context_manager **")
def _get_context(call: Call) -> Value:
    """MLflow needs no object for the job's own run; lines for a person may need v1's."""
    if not call.target or call.target in call.rewriter.memory.dropped:
        return call.make("", "ContextRun", dropped=True)
    assert isinstance(call.node, ast.Call)
    call.rewriter.keep_names(call.node)
    return Value(call.rewriter.source.get_text(call.node), "ContextRun", {"kept": True}, node=call.node)


def _use_mlflow(call: Call) -> None:
    call.use("mlflow", "")
    call.rewriter.consume(call.base)


def _name_file(name: Value, ending: str) -> str:
    if name.is_text:
        return quote(f"{name.constant}{ending}")
    return f'f"{{{name.code}}}{ending}"' if '"' not in name.code else f"{name.code} + {quote(ending)}"


@rule("ContextRun.log", takes="name value description step")
def _log_value(call: Call) -> Value:
    _use_mlflow(call)
    name, value, step = call.require("name"), call.require("value"), call.get("step")
    if value.is_text or (
        isinstance(getattr(value.node, "values", None), list) and isinstance(value.node, ast.JoinedStr)
    ):
        return call.make(
            f"mlflow.log_text({value.code}, {_name_file(name, '.txt')})", differs="MLflow's metrics are numbers"
        )
    if isinstance(value.constant, bool):
        return call.make(f"mlflow.log_metric({name.code}, {int(value.constant)})")
    loop = call.rewriter.find_counter()
    inner = f", step={step.code}" if step is not None else (f", step={loop}" if loop else "")
    return call.make(f"mlflow.log_metric({name.code}, {value.code}{inner})")


@rule("ContextRun.log_list", takes="name value description")
def _log_list(call: Call) -> Value:
    _use_mlflow(call)
    name, values = call.require("name"), call.require("value")
    if call.rewriter.target or not call.rewriter.is_whole(call.node):
        raise call.refuse("write a loop of mlflow.log_metric(name, value, step=…)")
    head = f"for step, value in enumerate({values.code}):"
    return call.make(f"{head}\n{call.indent}    mlflow.log_metric({name.code}, value, step=step)")


@rule("ContextRun.log_row", takes="name description **")
def _log_row(call: Call) -> Value:
    _use_mlflow(call)
    name = call.require("name")
    columns = {key: value for key, value in call.arguments.items() if key not in ("name", "description")}
    if not name.is_text:
        raise call.refuse("write mlflow.log_metrics({…}) with a name for each column")
    entries = ", ".join(f"{quote(f'{name.constant}.{key}')}: {value.code}" for key, value in columns.items())
    counter = call.rewriter.find_counter()
    return call.make(f"mlflow.log_metrics({{{entries}}}{f', step={counter}' if counter else ''})")


@rule("ContextRun.log_table", takes="name value description")
def _log_table(call: Call) -> Value:
    _use_mlflow(call)
    return call.make(f"mlflow.log_table({call.require('value').code}, {_name_file(call.require('name'), '.json')})")


@rule("ContextRun.log_image", takes="name path plot description")
def _log_image(call: Call) -> Value:
    _use_mlflow(call)
    name, path, plot = call.require("name"), call.get("path"), call.get("plot")
    if plot is not None:
        figure = f"{plot.code}.gcf()" if plot.code in ("plt", "pyplot", "matplotlib.pyplot") else plot.code
        return call.make(f"mlflow.log_figure({figure}, {_name_file(name, '.png')})")
    if path is None:
        raise call.refuse("log_image takes either 'path' or 'plot'")
    return call.make(f"mlflow.log_artifact({path.code})")


@rule(
    "ContextRun.log_accuracy_table",
    "ContextRun.log_confusion_matrix",
    "ContextRun.log_predictions",
    "ContextRun.log_residuals",
    takes="name value description",
)
def _log_chart(call: Call) -> Value:
    _use_mlflow(call)
    return call.make(f"mlflow.log_dict({call.require('value').code}, {_name_file(call.require('name'), '.json')})")


@rule("ContextRun.upload_file", takes="name path_or_stream datastore_name")
def _upload_file(call: Call) -> Value:
    value = write_artifact(call)
    _use_mlflow(call)
    return value


@rule("ContextRun.upload_folder", takes="name path datastore_name")
def _upload_folder(call: Call) -> Value:
    _use_mlflow(call)
    return call.make(f"mlflow.log_artifacts({call.require('path').code}, {call.require('name').code})")


@rule("ContextRun.tag", takes="key value")
def _tag(call: Call) -> Value:
    _use_mlflow(call)
    value = call.get("value")
    return call.make(f"mlflow.set_tag({call.require('key').code}, {value.code if value is not None else quote('')})")


@rule("ContextRun.set_tags", "ContextRun.add_properties", takes="tags properties")
def _set_tags(call: Call) -> Value:
    _use_mlflow(call)
    return call.make(f"mlflow.set_tags({next(iter(call.arguments.values())).code})")


@rule("ContextRun.complete", "ContextRun.flush", takes="_set_status timeout_seconds")
def _complete(call: Call) -> Value:
    call.rewriter.consume(call.base)
    return call.make("", dropped=True)
