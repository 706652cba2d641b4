"""Requests to package a model; they stand by themselves, without `properties`."""

from __future__ import annotations

from smalt.entities.assets import model_package as nouns
from smalt.entities.assets.environment import Route
from smalt.entities.endpoints.deployment import CodeConfiguration
from smalt.wire.encoding.codec import Codec, Rule, TaggedCodec, make_nested_rule, make_word_rule, to_plain
from smalt.wire.encoding.envelope import HIDDEN
from smalt.wire.jobs.command import CODE

_ROUTE = Codec(Route)
_CONFIGURATION = Codec(
    nouns.InferenceConfiguration,
    {
        "liveness_route": make_nested_rule(_ROUTE, "livenessRoute"),
        "readiness_route": make_nested_rule(_ROUTE, "readinessRoute"),
        "scoring_route": make_nested_rule(_ROUTE, "scoringRoute"),
        "configuration": HIDDEN,
    },
)
_SERVER = {
    "type": HIDDEN,
    "code_configuration": make_nested_rule(Codec(CodeConfiguration, {"code": CODE}), "codeConfiguration"),
    "inference_configuration": make_nested_rule(_CONFIGURATION, "inferenceConfiguration"),
}
_SERVERS = TaggedCodec(
    "serverType",
    {
        "AzureMLOnline": Codec(nouns.AzureMLOnlineInferencingServer, _SERVER),
        "AzureMLBatch": Codec(nouns.AzureMLBatchInferencingServer, _SERVER),
        "Triton": Codec(nouns.TritonInferencingServer, _SERVER),
        "Custom": Codec(nouns.CustomInferencingServer, _SERVER),
    },
)
_PATHS = TaggedCodec(
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
        "type": make_word_rule("inputType"),
        "mode": make_word_rule("mode"),
        "path": Rule("path", lambda value, writing: _PATHS.write(value, writing)),
    },
)
RESOURCES = Codec(
    nouns.ModelPackage,
    {
        "target_environment": Rule("targetEnvironmentId"),
        "base_environment_source": make_nested_rule(
            Codec(nouns.BaseEnvironment, {"type": Rule("baseEnvironmentSourceType")}), "baseEnvironmentSource"
        ),
        "model_configuration": make_nested_rule(Codec(nouns.ModelConfiguration), "modelConfiguration"),
        "inferencing_server": Rule("inferencingServer", lambda value, writing: _SERVERS.write(value, writing)),
        "inputs": Rule(
            "inputs",
            lambda value, writing: [
                _INPUT.write(each, writing) if isinstance(each, nouns.ModelPackageInput) else to_plain(each)
                for each in value
            ],
        ),
    },
)
