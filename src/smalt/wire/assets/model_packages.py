"""Requests to package a model; they stand by themselves, without `properties`."""

from __future__ import annotations

from smalt.entities.assets import model_package as nouns
from smalt.entities.assets.environment import Route
from smalt.entities.endpoints.deployment import CodeConfiguration
from smalt.wire.encoding.codec import Codec, Rule, Tagged, nested, plain, word
from smalt.wire.encoding.envelope import HIDDEN
from smalt.wire.jobs.command import CODE

_ROUTE = Codec(Route)
_CONFIGURATION = Codec(
    nouns.InferenceConfiguration,
    {
        "liveness_route": nested(_ROUTE, "livenessRoute"),
        "readiness_route": nested(_ROUTE, "readinessRoute"),
        "scoring_route": nested(_ROUTE, "scoringRoute"),
        "configuration": HIDDEN,
    },
)
_SERVER = {
    "type": HIDDEN,
    "code_configuration": nested(Codec(CodeConfiguration, {"code": CODE}), "codeConfiguration"),
    "inference_configuration": nested(_CONFIGURATION, "inferenceConfiguration"),
}
_SERVERS = Tagged(
    "serverType",
    {
        "AzureMLOnline": Codec(nouns.AzureMLOnlineInferencingServer, _SERVER),
        "AzureMLBatch": Codec(nouns.AzureMLBatchInferencingServer, _SERVER),
        "Triton": Codec(nouns.TritonInferencingServer, _SERVER),
        "Custom": Codec(nouns.CustomInferencingServer, _SERVER),
    },
)
_PATHS = Tagged(
    "inputPathType",
    {
        "PathId": Codec(nouns.PackageInputPathId, {"input_path_type": HIDDEN}),
        "PathVersion": Codec(nouns.PackageInputPathVersion, {"input_path_type": HIDDEN}),
        "Url": Codec(nouns.PackageInputPathUrl, {"input_path_type": HIDDEN}),
    },
)
_INPUT = Codec(
    nouns.ModelPackageInput,
    {
        "type": word("inputType"),
        "mode": word("mode"),
        "path": Rule("path", lambda value, writing: _PATHS.write(value, writing)),
    },
)
RESOURCES = Codec(
    nouns.ModelPackage,
    {
        "target_environment": Rule("targetEnvironmentId"),
        "base_environment_source": nested(
            Codec(nouns.BaseEnvironment, {"type": Rule("baseEnvironmentSourceType")}), "baseEnvironmentSource"
        ),
        "model_configuration": nested(Codec(nouns.ModelConfiguration), "modelConfiguration"),
        "inferencing_server": Rule("inferencingServer", lambda value, writing: _SERVERS.write(value, writing)),
        "inputs": Rule(
            "inputs",
            lambda value, writing: [
                _INPUT.write(each, writing) if isinstance(each, nouns.ModelPackageInput) else plain(each)
                for each in value
            ],
        ),
    },
)
