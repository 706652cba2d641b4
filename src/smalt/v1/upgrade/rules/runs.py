"""Submitting, and reading what a run did: jobs of v2, and MLflow for metrics and files."""

from __future__ import annotations

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.pipelines import submit_pipeline
from smalt.v1.upgrade.rules.published import invoke_published
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import Value

RUNS = ("Run", "PipelineRun", "HyperDriveRun", "AutoMLRun", "StepRun")


def _name_members(*members: str) -> list[str]:
    return [f"{kind}.{member}" for member in members for kind in RUNS]


@rule(
    "Experiment.submit",
    takes="config tags show_output pipeline_parameters regenerate_outputs continue_on_step_failure "
    "pipeline_version run_id **",
)
def _rewrite_submit(call: Call) -> Value:
    call.check_no_others(
        "config",
        "tags",
        "show_output",
        "pipeline_parameters",
        "regenerate_outputs",
        "continue_on_step_failure",
        "pipeline_version",
    )
    job, tags = call.require("config"), call.get("tags")
    if job.kind in ("PublishedPipeline", "PipelineEndpoint"):
        return invoke_published(call, job, call.object.code)
    if job.kind not in ("ScriptRunConfig", "Pipeline", "Sweep", "AutoMLConfig"):
        raise call.refuse(_explain_job(job), spreads=True)
    extra = [("tags", tags.code)] if tags is not None else []
    if job.kind == "Pipeline":
        name = call.object.facts.get("constant name")
        if name is not None:
            job.facts.setdefault("experiment", name)
        value = submit_pipeline(call, job, call.object.code, extra)
    else:
        job.facts["submitted"] = True
        kind = {"Sweep": "HyperDriveRun", "AutoMLConfig": "AutoMLRun"}.get(job.kind, "Run")
        arguments = [("", job.code), ("experiment_name", call.object.code), *extra]
        value = call.make(make_call(f"{call.client}.jobs.create_or_update", arguments, call.indent, call.prefix), kind)
    show = call.get("show_output")
    if show is not None and show.constant is True and call.target:
        call.rewriter.after.append(f"{call.client}.jobs.stream({call.target}.name)")
    return value


def _explain_job(job: Value) -> str:
    if job.kind == "left":
        return f"it submits '{job.code}', which is still SDK v1's"
    return "the text does not tell what is submitted here"


@rule("Run", "PipelineRun", "AutoMLRun", "HyperDriveRun", "get_run", takes="experiment run_id **")
def _get_job(call: Call) -> Value:
    kind = "Run" if call.name == "get_run" else call.name
    call.rewriter.consume(call.get("experiment"))
    return call.make(f"{call.client}.jobs.get({call.require('run_id').code})", kind)


@rule(*_name_members("wait_for_completion"), takes="show_output wait_post_processing raise_on_error timeout_seconds")
def _rewrite_wait(call: Call) -> Value:
    raises, show = call.get("raise_on_error"), call.get("show_output")
    differs = ""
    if raises is not None and raises.constant is not True:
        differs = "v2's stream raises if the job failed"
    elif show is None or show.constant is not True:
        differs = "v2 waits by showing the output"
    return call.make(f"{call.client}.jobs.stream({call.object.code}.name)", differs=differs)


@rule("RunDetails", takes="run_instance")
def _make_details(call: Call) -> Value:
    run = call.require("run_instance")
    if run.kind not in RUNS:
        raise call.refuse("the text does not tell which run this is")
    return Value("", "RunDetails", {"run": run, "dropped": True}, changed=True, node=call.node)


@rule("RunDetails.show", takes="render_lib widget_settings")
def _show_details(call: Call) -> Value:
    run: Value = call.object.facts["run"]
    return call.make(f"print({run.code}.studio_url)", differs="v2 has no widget; in a notebook, the job shows itself")


@rule(*_name_members("id"))
def _get_id(call: Call) -> Value:
    return call.make(f"{call.object.code}.name")


@rule(*_name_members("get_portal_url"), takes="")
def _get_url(call: Call) -> Value:
    return call.make(f"{call.object.code}.studio_url")


@rule(*_name_members("get_status"), takes="")
def _get_status(call: Call) -> Value:
    return call.make(f"{call.client}.jobs.get({call.object.code}.name).status")


@rule(*_name_members("status"))
def _read_status(call: Call) -> Value:
    return call.make(f"{call.client}.jobs.get({call.object.code}.name).status")


@rule(*_name_members("get_details"), takes="")
def _get_details(call: Call) -> Value:
    return call.make(
        f"{call.client}.jobs.get({call.object.code}.name)", "JobEntity", differs="an entity, not a dictionary"
    )


_DETAILS = {"status": "status", "runId": "name", "target": "compute", "properties": "properties"}
"""By the key of get_details(): the attribute of v2's job."""


@rule("JobEntity[]")
def _read_detail(call: Call) -> Value:
    key = call.arguments["key"].constant
    if key not in _DETAILS:
        raise call.refuse("v2 has an entity, not a dictionary")
    return call.make(f"{call.object.code}.{_DETAILS[key]}")


@rule(*_name_members("tags", "properties"))
def _read_mapping(call: Call) -> Value:
    return call.make(f"{call.client}.jobs.get({call.object.code}.name).{call.name.split('.')[1]}")


@rule(*_name_members("get_tags", "get_properties"), takes="")
def _get_mapping(call: Call) -> Value:
    return call.make(f"{call.client}.jobs.get({call.object.code}.name).{call.name.split('.get_')[1]}")


@rule(*_name_members("cancel"), takes="")
def _rewrite_cancel(call: Call) -> Value:
    return call.make(f"{call.client}.jobs.begin_cancel({call.object.code}.name).result()")


@rule(
    "Run.get_children",
    "PipelineRun.get_children",
    "PipelineRun.get_steps",
    "HyperDriveRun.get_children",
    takes="recursive tags properties type status",
)
def _list_children(call: Call) -> Value:
    call.check_no_others()
    code = f"list({call.client}.jobs.list(parent_job_name={call.object.code}.name))"
    return call.make(code, "Children", element="StepRun")


@rule("StepRun.name")
def _get_step_name(call: Call) -> Value:
    return call.make(f"{call.object.code}.display_name")


@rule(*_name_members("display_name"))
def _read_display_name(call: Call) -> Value:
    return call.make(f"{call.object.code}.display_name")


@rule(*_name_members("get_metrics"), takes="name recursive run_type populate")
def _get_metrics(call: Call) -> Value:
    call.check_no_others("name")
    if call.name == "HyperDriveRun.get_metrics":
        raise call.refuse("v1 gave the metrics of each child: read those of ml_client.jobs.list(parent_job_name=…)")
    call.use("mlflow", "")
    call.rewriter.set_tracking_uri(call)
    name = call.get("name")
    code = f"mlflow.get_run({call.object.code}.name).data.metrics"
    if name is not None:
        code = f"{{{name.code}: {code}[{name.code}]}}"
    return call.make(
        code, differs="the last value of each metric, where v1 gave lists of those that were logged several times"
    )


@rule(*_name_members("get_file_names"), takes="")
def _list_files(call: Call) -> Value:
    call.use("mlflow", "")
    call.rewriter.set_tracking_uri(call)
    code = f"[file.path for file in mlflow.artifacts.list_artifacts(run_id={call.object.code}.name)]"
    return call.make(code, differs="the topmost files and folders only")


@rule(*_name_members("download_file"), takes="name output_file_path _validate_checksum")
def _download_file(call: Call) -> Value:
    call.use("mlflow", "")
    call.rewriter.set_tracking_uri(call)
    path = call.get("output_file_path")
    arguments = [("run_id", f"{call.object.code}.name"), ("artifact_path", call.require("name").code)]
    if path is not None:
        arguments.append(("dst_path", path.code))
    differs = (
        "dst_path is a folder, in which the file has its path of the run"
        if path is not None
        else "returns where the file is"
    )
    return call.make(
        make_call("mlflow.artifacts.download_artifacts", arguments, call.indent, call.prefix), differs=differs
    )


@rule(
    *_name_members("download_files"),
    takes="prefix output_directory output_paths batch_size append_prefix timeout_seconds",
)
def _download_files(call: Call) -> Value:
    call.check_no_others("output_directory")
    folder = call.get("output_directory")
    inner = f", download_path={folder.code}" if folder is not None else ""
    return call.make(
        f"{call.client}.jobs.download({call.object.code}.name{inner})", differs="the files lie in artifacts/ there"
    )


@rule(
    *_name_members("register_model"),
    takes="model_name model_path tags properties model_framework model_framework_version description "
    "datasets sample_input_dataset sample_output_dataset resource_configuration **",
)
def _register_model(call: Call) -> Value:
    return write_model(call, f"{call.object.code}.name")


def write_model(call: Call, job: str) -> Value:
    """Return the registration of a model that lies in a run's files; `job` is the code of the run's name."""
    call.check_no_others(
        "model_name",
        "model_path",
        "tags",
        "properties",
        "description",
        "model_framework",
        "model_framework_version",
        "datasets",
    )
    path = call.get("model_path")
    name = call.require("model_name").code
    if path is None or path.is_text:
        inner = str(path.constant) if path is not None else call.require("model_name").constant
        uri = f'f"azureml://jobs/{{{job}}}/outputs/artifacts/paths/{inner}"'
    else:
        uri = f'f"azureml://jobs/{{{job}}}/outputs/artifacts/paths/" + {path.code}'
    arguments = [("path", uri), ("name", name), ("type", '"custom_model"')]
    arguments += [
        (key, call.arguments[key].code) for key in ("tags", "properties", "description") if call.get(key) is not None
    ]
    dropped = [key for key in ("datasets", "model_framework", "model_framework_version") if call.get(key) is not None]
    model = make_call(call.entity("Model"), arguments, call.indent, call.prefix + 40)
    differs = (
        f"{' and '.join(dropped)}: v2's lineage is that of the job; add properties if you need them" if dropped else ""
    )
    return call.make(f"{call.client}.models.create_or_update({model})", "Model", differs=differs)


@rule("PipelineRun.find_step_run", takes="name")
def _find_step_run(call: Call) -> Value:
    name = call.require("name").code
    steps = f"{call.client}.jobs.list(parent_job_name={call.object.code}.name)"
    code = f"[step for step in {steps} if step.display_name == {name}]"
    return call.make(code, "Children", element="StepRun")


@rule("Children[]")
def _take_child(call: Call) -> Value:
    return Value(
        f"{call.object.code}[{call.arguments['key'].code}]", "StepRun", changed=call.object.changed, node=call.node
    )


@rule(
    "HyperDriveRun.get_best_run_by_primary_metric",
    "AutoMLRun.get_best_child",
    takes="include_failed include_canceled include_resume_from_runs metric",
)
def _get_best(call: Call) -> Value:
    call.check_no_others("include_failed", "include_canceled", "include_resume_from_runs")
    jobs = f"{call.client}.jobs"
    return call.make(f'{jobs}.get({jobs}.get({call.object.code}.name).properties["best_child_run_id"])', "Run")


# What else is told of a submitted run


@rule(*_name_members("tag"), takes="key value")
def _tag_job(call: Call) -> Value:
    call.use("mlflow", "")
    call.rewriter.set_tracking_uri(call)
    value = call.get("value")
    inner = f"{call.object.code}.name, {call.require('key').code}, {value.code if value is not None else quote('')}"
    return call.make(f"mlflow.MlflowClient().set_tag({inner})")


@rule(*_name_members("set_tags", "add_properties"), takes="tags properties")
def _set_job_tags(call: Call) -> Value:
    call.use("mlflow", "")
    call.rewriter.set_tracking_uri(call)
    given = next(iter(call.arguments.values()))
    if not call.rewriter.is_whole(call.node):
        raise call.refuse("write mlflow.MlflowClient().set_tag(job.name, key, value) for each")
    head = f"for key, value in ({given.code}).items():"
    differs = "v2's properties are given when a job is made; these are tags" if "properties" in call.name else ""
    line = f"mlflow.MlflowClient().set_tag({call.object.code}.name, key, value)"
    return call.make(f"{head}\n{call.indent}    {line}", differs=differs)


@rule(*_name_members("get_environment"), takes="")
def _get_job_environment(call: Call) -> Value:
    code = f"{call.client}.jobs.get({call.object.code}.name).environment"
    return call.make(
        code, "Environment", differs="the environment's id, or the environment that was written in the job"
    )


@rule(*_name_members("get_details_with_logs"), "StepRun.get_job_log", takes="")
def _show_log(call: Call) -> Value:
    code = f"{call.client}.jobs.stream({call.object.code}.name)"
    return call.make(code, differs="v2 shows the log, and returns nothing")


@rule(
    *_name_members("get_output_data", "get_pipeline_output", "get_output"),
    takes="name pipeline_output_name output_name",
)
def _get_output(call: Call) -> Value:
    if not call.arguments and call.object.kind == "AutoMLRun":
        return _load_best_model(call)
    if not call.arguments:
        raise call.refuse("the best model is an MLflow model: mlflow.pyfunc.load_model")
    name = next(iter(call.arguments.values()))
    if not call.target:
        raise call.refuse("write ml_client.jobs.download(name, output_name=…)")
    return call.make("", "JobOutput", run=call.object, name=name, dropped=True)


def _load_best_model(call: Call) -> Value:
    """Return the best trial and its model, which v1's AutoML gave as a pair."""
    call.use("mlflow", "")
    call.rewriter.set_tracking_uri(call)
    jobs = f"{call.client}.jobs"
    best = f'{jobs}.get({jobs}.get({call.object.code}.name).properties["best_child_run_id"])'
    call.rewriter.before.append(f"best_job = {best}")
    model = 'mlflow.pyfunc.load_model(f"runs:/{best_job.name}/outputs/mlflow-model")'
    differs = "the model is MLflow's, with predict; v1's own methods, such as forecast, are not there"
    return call.make(f"best_job, {model}", parts=["Run", ""], differs=differs)


@rule("JobOutput.download", takes="local_path path_prefix overwrite show_progress timeout_in_seconds")
def _download_output(call: Call) -> Value:
    run, name, folder = call.object.facts["run"], call.object.facts["name"], call.get("local_path")
    call.rewriter.consume(call.object)
    arguments = [("name", f"{run.code}.name"), ("output_name", name.code)]
    arguments += [("download_path", folder.code)] if folder is not None else []
    code = make_call(f"{call.client}.jobs.download", arguments, call.indent, call.prefix)
    return call.make(code, differs="the files lie in named-outputs/NAME there; it returns nothing")


@rule("JobOutput.path_on_datastore", "JobOutput._path_on_datastore")
def _name_downloaded(call: Call) -> Value:
    """Return where a download puts the files, below its folder."""
    name: Value = call.object.facts["name"]
    code = quote(f"named-outputs/{name.constant}") if name.is_text else f'"named-outputs/" + {name.code}'
    call.rewriter.consume(call.object)
    return call.make(code, differs="where v2's download puts the files, below its folder")


@rule(*_name_members("parent"))
def _read_parent(call: Call) -> Value:
    job = f"{call.client}.jobs.get({call.object.code}.name)"
    return call.make(f"{call.client}.jobs.get({job}.parent_job_name)", "Run")


@rule(*_name_members("experiment"))
def _read_experiment(call: Call) -> Value:
    return Value(f"{call.object.code}.experiment_name", "Experiment", {}, changed=True, node=call.node)


@rule(*_name_members("type"))
def _read_type(call: Call) -> Value:
    return call.make(f"{call.object.code}.type")
