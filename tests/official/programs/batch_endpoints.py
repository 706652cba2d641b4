"""Batch endpoints as the public notebooks make and invoke them."""

from pathlib import Path

import desk
from azure.ai.ml import Input, Output, load_batch_deployment, load_batch_endpoint, load_component
from azure.ai.ml.constants import AssetTypes, BatchDeploymentOutputAction
from azure.ai.ml.entities import (
    BatchEndpoint,
    BatchRetrySettings,
    CodeConfiguration,
    Model,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
    PipelineComponentBatchDeployment,
)
from desk import HOST, done, folder, ml, refused, waited, write

COMPONENT = f"""
type: pipeline
name: counts_words
version: "1"
inputs:
  data: {{type: uri_folder}}
  mode: {{type: string, default: none}}
outputs:
  counts: {{type: uri_folder}}
jobs:
  count:
    type: command
    inputs: {{data: "${{{{parent.inputs.data}}}}", mode: "${{{{parent.inputs.mode}}}}"}}
    outputs: {{counts: "${{{{parent.outputs.counts}}}}"}}
    environment: {HOST}
    command: echo ${{{{inputs.mode}}}} $(cat ${{{{inputs.data}}}}/*) > ${{{{outputs.counts}}}}/all.txt
"""
SCRIPT = """
import glob, os

def init():
    global model
    (model,) = glob.glob(os.environ["AZUREML_MODEL_DIR"] + "/*")

def run(mini_batch):
    return [os.path.basename(one) + " " + os.path.basename(model) for one in mini_batch]
"""


def make_endpoint(name: str) -> BatchEndpoint:
    return waited(ml.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name, description="d")))


def make_default(endpoint_name: str, deployment_name: str) -> None:
    endpoint = ml.batch_endpoints.get(endpoint_name)
    endpoint.defaults.deployment_name = deployment_name
    assert waited(ml.batch_endpoints.begin_create_or_update(endpoint)).defaults.deployment_name == deployment_name


def write_data() -> str:
    for number in range(3):
        write(f"words/{number}.txt", f"w{number}\n")
    return str(folder / "words")


def it_runs_pipeline_components() -> None:
    """A component by object; data that is uploaded, and a literal in the `default` of its input."""
    make_endpoint("counts")
    component = ml.components.create_or_update(load_component(write("counts.yml", COMPONENT)))
    deployment = PipelineComponentBatchDeployment(
        name="first",
        endpoint_name="counts",
        component=component,
        settings={"continue_on_step_failure": False, "default_compute": "cpu-cluster"},
    )
    waited(ml.batch_deployments.begin_create_or_update(deployment))
    make_default("counts", "first")
    inputs = {
        "data": Input(type=AssetTypes.URI_FOLDER, path=write_data()),
        "mode": Input(type="string", default="append"),
    }
    job = ml.batch_endpoints.invoke(endpoint_name="counts", inputs=inputs, experiment_name="counted")
    over = done(ml.jobs.get(job.name))
    assert over.experiment_name == "counted"
    ml.jobs.download(name=job.name, download_path=folder / "got", output_name="counts")
    assert (folder / "got/named-outputs/counts/all.txt").read_text() == "append w0 w1 w2\n"
    assert [one.name for one in ml.batch_endpoints.list_jobs("counts")] == [job.name]
    assert [one.name for one in ml.batch_deployments.list_jobs("counts", name="first")] == [job.name]


def it_deploys_a_job() -> None:
    """By `job_definition`; it runs with what the job had."""
    source = ml.batch_endpoints.list_jobs("counts")[0].name
    deployment = PipelineComponentBatchDeployment(name="again", endpoint_name="counts", job_definition=source)
    waited(ml.batch_deployments.begin_create_or_update(deployment))
    data = {"data": Input(type=AssetTypes.URI_FOLDER, path=write_data())}
    place = "azureml://datastores/workspaceblobstore/paths/counted/"
    outputs = {"counts": Output(type=AssetTypes.URI_FOLDER, path=place)}
    job = ml.batch_endpoints.invoke(endpoint_name="counts", deployment_name="again", inputs=data, outputs=outputs)
    assert done(ml.jobs.get(job.name)).outputs["counts"].path == place
    unknown = PipelineComponentBatchDeployment(name="no", endpoint_name="counts", job_definition="azureml:nobody")
    assert "there is no job 'nobody'" in refused(lambda: ml.batch_deployments.begin_create_or_update(unknown))


def it_scores_with_a_model() -> None:
    """A model and a script; local data; the child job has the output 'score', too."""
    make_endpoint("scores")
    write("named/weights.txt", "1")
    write("code/score.py", SCRIPT)
    model = ml.models.create_or_update(Model(name="named", path=str(folder / "named"), type="custom_model"))
    deployment = ModelBatchDeployment(
        name="scorer",
        endpoint_name="scores",
        model=model,
        environment=HOST,
        code_configuration=CodeConfiguration(code=str(folder / "code"), scoring_script="score.py"),
        compute="cpu-cluster",
        settings=ModelBatchDeploymentSettings(
            instance_count=1,
            max_concurrency_per_instance=2,
            mini_batch_size=2,
            output_action=BatchDeploymentOutputAction.APPEND_ROW,
            output_file_name="predictions.csv",
            retry_settings=BatchRetrySettings(max_retries=3, timeout=300),
            logging_level="info",
        ),
    )
    waited(ml.batch_deployments.begin_create_or_update(deployment))
    make_default("scores", "scorer")
    data = Input(type=AssetTypes.URI_FOLDER, path=write_data())
    # Named, as the client sends the deployment that was named last with all later invocations of a process.
    job = ml.batch_endpoints.invoke(endpoint_name="scores", deployment_name="scorer", input=data)
    done(ml.jobs.get(job.name))
    steps = {step.properties["azureml.moduleName"]: step for step in ml.jobs.list(parent_job_name=job.name)}
    for name in (job.name, steps["batchscoring"].name):
        ml.jobs.download(name=name, download_path=folder / name, output_name="score")
        rows = Path(folder, name, "named-outputs/score/predictions.csv").read_text().splitlines()
        assert rows == ["0.txt named", "1.txt named", "2.txt named"]


def it_changes_settings_for_one_invocation() -> None:
    """By `params_override`, as the notebooks do."""
    datastore = ml.datastores.get_default()
    job = ml.batch_endpoints.invoke(
        endpoint_name="scores",
        deployment_name="scorer",
        input=Input(type=AssetTypes.URI_FOLDER, path=write_data()),
        params_override=[
            {"output_dataset.datastore_id": f"azureml:{datastore.id}"},
            {"output_dataset.path": "/given/"},
            {"output_file_name": "mine.csv"},
            {"mini_batch_size": "3"},
            {"compute.instance_count": "2"},
        ],
    )
    done(ml.jobs.get(job.name))
    ml.jobs.download(name=job.name, download_path=folder / "given", output_name="score")
    assert len(Path(folder, "given/named-outputs/score/mine.csv").read_text().splitlines()) == 3


def it_reads_files_of_endpoints() -> None:
    """As the examples of the command line have them."""
    endpoint = load_batch_endpoint(write("endpoint.yml", "name: from-file\nauth_mode: aad_token\n"))
    waited(ml.batch_endpoints.begin_create_or_update(endpoint))
    text = "name: steps\nendpoint_name: from-file\ntype: pipeline\ncomponent: counts.yml\n"
    deployment = load_batch_deployment(write("deployment.yml", text))
    waited(ml.batch_deployments.begin_create_or_update(deployment))
    assert ml.batch_deployments.get("steps", "from-file").name == "steps"
    assert "deployment" in refused(lambda: ml.batch_endpoints.invoke(endpoint_name="from-file"))
    waited(ml.batch_endpoints.begin_delete("from-file"))


if __name__ == "__main__":
    desk.report()
