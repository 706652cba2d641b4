"""Training scripts: what they log by azureml.core.Run is logged by MLflow."""

from __future__ import annotations

import ast

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.interactive_runs import write_artifact
from smalt.v1.upgrade.rules.workspaces import IDENTITY, ML, bind_client
from smalt.v1.upgrade.texts import quote
from smalt.v1.upgrade.values import Value


def _name_members(*members: str) -> list[str]:
    """Return the names of members of both the job's own run and one that start_logging began."""
    return [f"{kind}.{member}" for member in members for kind in ("ContextRun", "MlflowRun")]


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


@rule(*_name_members("log"), takes="name value description step")
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


@rule(*_name_members("log_list"), takes="name value description")
def _log_list(call: Call) -> Value:
    _use_mlflow(call)
    name, values = call.require("name"), call.require("value")
    if call.rewriter.target or not call.rewriter.is_whole(call.node):
        raise call.refuse("write a loop of mlflow.log_metric(name, value, step=…)")
    if values.items is not None and any(one.is_text for one in values.items):
        content = f"{{{name.code}: {values.code}}}"
        differs = "MLflow's metrics are numbers"
        return call.make(f"mlflow.log_dict({content}, {_name_file(name, '.json')})", differs=differs)
    head = f"for step, value in enumerate({values.code}):"
    return call.make(f"{head}\n{call.indent}    mlflow.log_metric({name.code}, value, step=step)")


@rule(*_name_members("log_row"), takes="name description ** **mapping")
def _log_row(call: Call) -> Value:
    _use_mlflow(call)
    name = call.require("name")
    columns = {key: value for key, value in call.arguments.items() if key not in ("name", "description", "**mapping")}
    if not name.is_text and '"' in name.code:
        raise call.refuse("write mlflow.log_metrics({…}) with a name for each column")
    if any(value.is_text for value in columns.values()):
        cells = ", ".join(f"{quote(key)}: [{value.code}]" for key, value in columns.items())
        return call.make(f"mlflow.log_table({{{cells}}}, {_name_file(name, '.json')})")
    head, mark = (name.constant, "") if name.is_text else (f"{{{name.code}}}", "f")
    entries = ", ".join(f"{mark}{quote(f'{head}.{key}')}: {value.code}" for key, value in columns.items())
    given = call.get("**mapping")
    if given is not None:
        rest = f'{{f"{head}.{{key}}": value for key, value in ({given.code}).items()}}'
        entries = f"{entries}, **{rest}" if entries else rest[1:-1]
    counter = call.rewriter.find_counter()
    return call.make(f"mlflow.log_metrics({{{entries}}}{f', step={counter}' if counter else ''})")


@rule(*_name_members("log_table"), takes="name value description")
def _log_table(call: Call) -> Value:
    _use_mlflow(call)
    return call.make(f"mlflow.log_table({call.require('value').code}, {_name_file(call.require('name'), '.json')})")


@rule(*_name_members("log_image"), takes="name path plot description")
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
    *_name_members("log_accuracy_table"),
    *_name_members("log_confusion_matrix"),
    *_name_members("log_predictions"),
    *_name_members("log_residuals"),
    takes="name value description",
)
def _log_chart(call: Call) -> Value:
    _use_mlflow(call)
    return call.make(f"mlflow.log_dict({call.require('value').code}, {_name_file(call.require('name'), '.json')})")


@rule(*_name_members("upload_file"), takes="name path_or_stream datastore_name")
def _upload_file(call: Call) -> Value:
    value = write_artifact(call)
    _use_mlflow(call)
    return value


@rule(*_name_members("upload_folder"), takes="name path datastore_name")
def _upload_folder(call: Call) -> Value:
    _use_mlflow(call)
    return call.make(f"mlflow.log_artifacts({call.require('path').code}, {call.require('name').code})")


@rule(*_name_members("tag"), takes="key value")
def _rewrite_tag(call: Call) -> Value:
    _use_mlflow(call)
    value = call.get("value")
    return call.make(f"mlflow.set_tag({call.require('key').code}, {value.code if value is not None else quote('')})")


@rule(*_name_members("set_tags", "add_properties"), takes="tags properties")
def _set_tags(call: Call) -> Value:
    _use_mlflow(call)
    return call.make(f"mlflow.set_tags({next(iter(call.arguments.values())).code})")


@rule("ContextRun.complete", *_name_members("flush"), takes="_set_status timeout_seconds")
def _rewrite_complete(call: Call) -> Value:
    call.rewriter.consume(call.base)
    return call.make("", dropped=True)


@rule("ContextRun.id", "ContextRun.number")
def _get_id(call: Call) -> Value:
    if call.name.endswith("number"):
        raise call.refuse("a job of v2 has no number")
    _use_environment(call)
    return call.make('os.environ.get("AZUREML_RUN_ID", "OfflineRun")')  # as v1's id outside of jobs begins


def _use_environment(call: Call) -> None:
    call.use("os", "")
    call.rewriter.consume(call.base)


@rule("ContextRun.experiment")
def _get_experiment(call: Call) -> Value:
    return Value("", "ContextExperiment", changed=True, node=call.node)


@rule("ContextExperiment.name")
def _get_experiment_name(call: Call) -> Value:
    _use_environment(call)
    return call.make('os.environ["AZUREML_ARM_PROJECT_NAME"]')


@rule("ContextExperiment.workspace")
def _get_workspace(call: Call) -> Value:
    _use_environment(call)
    names = ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")
    parts = [("", f'os.environ["AZUREML_ARM_{name}"]') for name in names]
    arguments = [("", call.use(IDENTITY, "DefaultAzureCredential") + "()"), *parts]
    differs = "the job needs azure-ai-ml in its environment, and an identity that may use the workspace"
    return bind_client(call, call.use(ML, "MLClient"), arguments, differs, is_in_job=True)


@rule("ContextRun.input_datasets")
def _list_inputs(call: Call) -> Value:
    _use_environment(call)
    return Value("", "ScriptInputs", {"why": "v2 has no list of the inputs"}, changed=True, node=call.node)


@rule("ScriptInputs[]")
def _get_input(call: Call) -> Value:
    key = call.arguments["key"]
    call.use("os", "")
    name = f'"AZURE_ML_INPUT_{key.constant}"' if key.is_text else f'f"AZURE_ML_INPUT_{{{key.code}}}"'
    return call.make(f"os.environ[{name}]", "ScriptInput", differs="the path of the job's input of this name")


@rule("ScriptInput.to_pandas_dataframe", takes="on_error out_of_range_datetime")
def _load_input(call: Call) -> Value:
    call.use("mltable", "")
    return call.make(f"mltable.load({call.object.code}).to_pandas_dataframe()", differs="for an input of type mltable")


@rule("ScriptInput.drop_columns", "ScriptInput.keep_columns", takes="columns validate")
def _choose_input_columns(call: Call) -> Value:
    call.use("mltable", "")
    code = f"mltable.load({call.object.code}).{call.name.split('.')[1]}({call.require('columns').code})"
    return call.make(code, "Table", differs="for an input of type mltable")
