"""The environment variables that a step on this machine is started with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from smalt import inside
from smalt.service.compute.local.context import LocalContext
from smalt.service.compute.spec import StepSpec
from smalt.service.environments import BuiltEnvironment
from smalt.service.tracking.variables import remove_proxy

SITE = str(Path(inside.__path__[0], "site"))
"""First entry of PYTHONPATH: what Python imports first inside a job."""
BIN = str(Path(inside.__path__[0], "bin"))
"""First entry of PATH: `mldesigner`, which runs function components; an installed one would call the service."""


def make_variables(
    context: LocalContext,
    spec: StepSpec,
    environment: BuiltEnvironment,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    gpus: Sequence[str],
) -> dict[str, str]:
    """Return a step's variables; later ones have precedence, the job's own over all but PYTHONPATH's first entry."""
    variables = {
        "PYTHONUNBUFFERED": "1",  # the log shows what a script prints while it runs
        **context.base_variables,
        **environment.variables,
        **spec.service_variables,
        **{f"AZURE_ML_INPUT_{name}": text for name, text in inputs.items()},
        **{f"AZUREML_PARAMETER_{name}": text for name, text in inputs.items()},
        **{f"AZUREML_DATAREFERENCE_{name}": text for name, text in {**outputs, **inputs}.items()},
        **({f"AZUREML_SWEEP_{name}": text for name, text in inputs.items()} if spec.is_trial else {}),
        **{f"AZURE_ML_OUTPUT_{name}": text for name, text in outputs.items()},
        **spec.lasting_folders,
    }
    path = variables.get("PATH", "/usr/bin:/bin")
    variables["PATH"] = f"{BIN}:{environment.bin}:{path}" if environment.bin else f"{BIN}:{path}"
    if context.gpus:
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
        variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # the order that the numbers are of
    for name, value in spec.identity_variables.items():
        if name not in environment.variables:
            variables[name] = value
    for name, value in spec.variables.items():
        variables[name] = context.vault.resolve_references(value, spec.workspace)
    if "SMALT_HOME" in spec.variables:  # another server is meant, which does not know our token
        for name in {"SMALT_URL", "SMALT_TOKEN"}.difference(spec.variables):
            variables.pop(name, None)
    remove_proxy(variables, spec.server_host, spec.variables)
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, (SITE, variables.get("PYTHONPATH"))))
    return variables
