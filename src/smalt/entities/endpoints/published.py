"""Properties by which batch endpoints and their deployments are published pipelines of SDK v1."""

from __future__ import annotations

from typing import Final

PIPELINE: Final = "azureml.v1.published-pipeline"
"""The id of a deployment's published pipeline; deployments of several endpoints that have it are the same one."""
ENDPOINT: Final = "azureml.v1.pipeline-endpoint"
"""The id of the pipeline endpoint that a batch endpoint is."""
HOLDER: Final = "azureml.v1.published-as"
"""The name under which the pipelines that a batch endpoint deploys were published."""
NAME: Final = "azureml.v1.name"
VERSION: Final = "azureml.v1.version"
STEPS: Final = "azureml.v1.total-steps"
STATUS: Final = "azureml.v1.status"
ACTIVE: Final = "Active"
METRICS: Final = "azureml.v1.metrics."
"""The beginning of the properties that say which step's trials an output of metrics is of."""
RUN_OF: Final = "azureml.pipelineid"
"""The property of a job that names its published pipeline, as runs of SDK v1 have it."""
UNUSED: Final = "smalt.unused-parameters"
"""The property of a job with the parameters of its request that its pipeline does not have."""
MADE: Final = "smalt.made-folders"
"""The property of a job with the folders of its request that were not there, and were made."""
ROUTE: Final = "/pipelines/v1.0"
"""The beginning of the paths of SDK v1's REST API of pipelines."""
