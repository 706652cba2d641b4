"""Environments: `condaFile` is YAML text there, and a mapping here."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from typing import Any

from smalt.entities.assets.conda import find_problems
from smalt.entities.assets.environment import BuildContext, Environment, InferenceConfig, Route
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.assets import conda_text
from smalt.wire.encoding.codec import Codec, Rule, Writing, make_nested_rule
from smalt.wire.encoding.envelope import ASSET, ASSET_DEFAULTS, Envelope


def _write_conda(value: Any, writing: Writing) -> Any:
    value = writing.refs.conda(value)
    return _dump_conda(json.dumps(value, sort_keys=True, default=str)) if isinstance(value, dict) else value


def _read_conda(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, str):
        return value
    found = conda_text.load_conda_text(value)
    if not isinstance(found, dict):
        reader.add_problem(path, "'condaFile' must be a conda specification, as YAML text")
        return None
    for problem in () if reader.is_answer else find_problems(found):
        reader.add_problem((*path, *problem.path), problem.message)
    return copy.deepcopy(found)


@lru_cache(maxsize=256)
def _dump_conda(text: str) -> str:
    import yaml

    return yaml.safe_dump(json.loads(text), default_flow_style=False, allow_unicode=True)


_ROUTE = Codec(Route)
_INFERENCE = Codec(
    InferenceConfig,
    {
        "liveness_route": make_nested_rule(_ROUTE, "livenessRoute"),
        "readiness_route": make_nested_rule(_ROUTE, "readinessRoute"),
        "scoring_route": make_nested_rule(_ROUTE, "scoringRoute"),
    },
)
_BUILD = Codec(
    BuildContext,
    {"path": Rule("contextUri", lambda value, writing: writing.refs.stored(value, None))},
)
ENVIRONMENT = Codec(
    Environment,
    {
        **ASSET,
        "conda_file": Rule("condaFile", _write_conda, _read_conda),
        "build": make_nested_rule(_BUILD, "build"),
        "inference_config": make_nested_rule(_INFERENCE, "inferenceConfig"),
    },
    defaults=ASSET_DEFAULTS,
)
RESOURCES = Envelope(ENVIRONMENT)
