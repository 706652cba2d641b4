"""Names of curated environments that the catalogue has no entry for, and the nearest entry to each.

`catalogue/names.txt` has the names of the registry `azureml`, of today and before, and those that workspaces
had before there were registries. A name that begins with `AzureML-` or `acpt-` cannot be a user's own, listed
or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_NAMES = Path(__file__).with_name("catalogue") / "names.txt"
_RESERVED = re.compile(r"azureml-|acpt-|ai-ml-automl", re.IGNORECASE)
_FAMILIES = (
    (r"(?:acpt-|pta-|ptca-|aifx-|designer-)?pytorch|deepspeed|designer-cv", "pytorch"),
    (r"tensorflow|tf-", "tensorflow"),
    (r"sklearn|scikit-learn|tutorial|designer(?!-(?:r|vowpalwabbit)\b)|component$", "sklearn"),
    (r"lightgbm", "lightgbm"),
    (r"xgboost", "xgboost"),
    (r"onnxruntime", "onnxruntime"),
    (r"chainer", "chainer"),
    (r"dask", "dask"),
    (r"pyspark|model[-_]monitor", "pyspark"),
    (r"(?:designer-)?vowpalwabbit", "vowpalwabbit"),
    (r"responsibleai", "responsibleai"),
    (r"mldesigner-minimal", "mldesigner-minimal"),
    (r"mldesigner", "mldesigner"),
    (r"mlflow", "mlflow"),
    (r"automl|ai-ml-automl|hyperdrive-forecastdnn", "automl"),
    (r"acft|acpt|slime|foundation-model|model-evaluation|evaluation|autoprompt|rag|dbcopilot|general-langchain|"
     r"data_import", "language models"),
    (r"minimal|python-sdk|inference|triton|sidecar|image-build|data-labeling|designer-r|model-management|promptflow|"
     r"ai_studio", "minimal"),
)  # fmt: skip


def plain_name(name: str) -> str:
    """Return the name as the registry has it: AzureML-sklearn-1.5 of a workspace is its sklearn-1.5."""
    return name.lower().removeprefix("azureml-")


def is_curated(name: str) -> bool:
    """True if the name can only be that of a curated environment."""
    return bool(_RESERVED.match(name)) or plain_name(name) in load_names()


@lru_cache(maxsize=1)
def load_names() -> dict[str, str]:
    """Return the names of the list, by their plain form."""
    lines = _NAMES.read_text().splitlines()
    return {plain_name(line): line for line in lines if line and not line.startswith("#")}


def find_nearest(name: str, entries: Iterable[str]) -> str | None:
    """Return the entry of the same family that is nearest in version, or the newer of two; None if there is no
    family.
    """
    family = _find_family(name)
    if family is None:
        return None
    wanted = _parse_version(name)
    same = [entry for entry in entries if _find_family(entry) == family]
    return min(
        same, key=lambda entry: (_get_distance(_parse_version(entry), wanted), _newest_first(entry)), default=None
    )


def _find_family(name: str) -> str | None:
    return next((family for pattern, family in _FAMILIES if re.match(pattern, plain_name(name))), None)


def _parse_version(name: str) -> tuple[int, int] | None:
    found = re.search(r"(?<![a-z0-9.])(\d+)\.(\d+)", plain_name(name))
    return (int(found[1]), int(found[2])) if found else None


def _get_distance(one: tuple[int, int] | None, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """Return the distance of two versions; without one the newest is wanted."""
    first, second = one or (0, 0), wanted or (999, 0)
    if first[0] != second[0]:
        return abs(first[0] - second[0]), -first[1] if first[0] < second[0] else first[1]
    return 0, abs(first[1] - second[1])


def _newest_first(name: str) -> tuple[int, int, int]:
    major, minor = _parse_version(name) or (0, 0)
    return -major, -minor, len(name)
