"""Models."""

from __future__ import annotations

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.texts import make_call
from smalt.v1.upgrade.values import Value


@rule(
    "Model.register",
    takes="workspace model_path model_name tags properties description datasets model_framework "
    "model_framework_version child_paths sample_input_dataset sample_output_dataset "
    "resource_configuration",
)
def _register_model(call: Call) -> Value:
    call.check_no_others(
        "workspace",
        "model_path",
        "model_name",
        "tags",
        "properties",
        "description",
        "model_framework",
        "model_framework_version",
        "datasets",
    )
    arguments = [
        ("path", call.require("model_path").code),
        ("name", call.require("model_name").code),
        ("type", '"custom_model"'),
    ]
    arguments += [
        (key, call.arguments[key].code) for key in ("tags", "properties", "description") if call.get(key) is not None
    ]
    dropped = [key for key in ("datasets", "model_framework", "model_framework_version") if call.get(key) is not None]
    model = make_call(call.entity("Model"), arguments, call.indent, call.prefix + 40)
    differs = f"v2 has no {' and '.join(dropped)} of a model; add properties if you need them" if dropped else ""
    return call.make(f"{call.client}.models.create_or_update({model})", "Model", differs=differs)


@rule("Model", takes="workspace name id tags properties version run_id model_framework expand")
def _get_model(call: Call) -> Value:
    call.check_no_others("workspace", "name", "version")
    version = call.get("version")
    which = f"version={version.code}" if version is not None else 'label="latest"'
    return call.make(f"{call.client}.models.get({call.require('name').code}, {which})", "Model")


@rule("Model.list", takes="workspace name tags properties run_id latest dataset_id expand page_count model_framework")
def _list_models(call: Call) -> Value:
    call.check_no_others("workspace", "name")
    name = call.get("name")
    return call.make(
        f"list({call.client}.models.list({f'name={name.code}' if name is not None else ''}))", "Models", element="Model"
    )


@rule("Model.name", "Model.version", "Model.id", "Model.tags", "Model.properties", "Model.description")
def _read_field(call: Call) -> Value:
    field = call.name.split(".")[1]
    differs = "v2's id is a path of the service, not name:version" if field == "id" else ""
    return call.make(f"{call.object.code}.{field}", differs=differs)


@rule("Model.download", takes="target_dir exist_ok exists_ok")
def _download_model(call: Call) -> Value:
    folder = call.get("target_dir")
    held = call.object.code
    arguments = [("name", f"{held}.name"), ("version", f"{held}.version")]
    arguments += [("download_path", folder.code)] if folder is not None else []
    return call.make(
        make_call(f"{call.client}.models.download", arguments, call.indent, call.prefix),
        differs="it returns nothing, and makes a folder of the model's name",
    )


@rule("Model.delete", takes="")
def _delete_model(call: Call) -> Value:
    held = call.object.code
    return call.make(
        f"{call.client}.models.archive(name={held}.name, version={held}.version)", differs="v2 archives models"
    )


@rule("Model.get_model_path", takes="model_name version _workspace")
def _find_model(call: Call) -> Value:
    raise call.refuse("give the model to the job as an input of type custom_model, and its path as an argument")
