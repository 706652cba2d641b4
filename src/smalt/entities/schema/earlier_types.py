"""Types of steps of SDK v1 that v2 does not have, each with the type that takes its place."""

from __future__ import annotations

from collections.abc import Mapping

_ADVICE = {
    "adla": (
        "Azure Data Lake Analytics was shut down in 2024: rewrite its U-SQL as Spark SQL, in a Spark job (type: spark)"
    ),
    "azurebatch": "run the program as a command job (type: command)",
    "databricks": (
        "run its Python file or jar as a Spark job (type: spark), or a script that calls your Databricks workspace "
        "as a command job whose environment lists databricks-sdk"
    ),
    "estimator": "run the training script as a command job (type: command)",
    "hyperdrive": "make it a sweep (type: sweep)",
    "kusto": "query the cluster by a script in a command job whose environment lists azure-kusto-data",
    "module": "make it a component (type: command)",
    "mpi": "run the script as a command job with 'distribution: {type: mpi}'",
    "parallelrun": "make it a parallel step (type: parallel)",
    "pythonscript": "run the script as a command job: 'command: python SCRIPT'",
    "r": "run the script as a command job: 'command: Rscript SCRIPT'",
    "rscript": "run the script as a command job: 'command: Rscript SCRIPT'",
    "synapsespark": "make it a Spark job (type: spark)",
}
_SPELLINGS = {"azuredatalakeanalytics": "adla"}


def explain_earlier_type(given: object, noun: str, table: Mapping[str, str]) -> str | None:
    """Return the sentence for a type of SDK v1, such as `databricks_step` or `DatabricksStep`; None for any other."""
    if not isinstance(given, str) or "command" not in table:
        return None
    name = given.lower().replace("_", "").removesuffix("step")
    advice = _ADVICE.get(_SPELLINGS.get(name, name))
    return f"unknown type '{given}' of {noun}: v2 has no such type; {advice}" if advice else None
