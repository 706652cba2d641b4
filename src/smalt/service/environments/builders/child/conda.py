"""Program that solves and installs conda packages; run by the tool's own Python, which has rattler and nothing of
smalt.

Standard input is JSON: channels, specs, prefix, cache, lock. Progress is printed to standard output, a failure
last.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from typing import Any

import rattler


async def main(asked: dict[str, Any]) -> None:
    warnings.simplefilter("ignore")
    records = await rattler.solve(
        sources=asked["channels"],
        specs=asked["specs"],
        virtual_packages=rattler.VirtualPackage.detect(),
        add_pip_as_python_dependency=True,
    )
    print(f"Resolved {len(records)} conda packages", flush=True)
    await rattler.install(records, target_prefix=asked["prefix"], cache_dir=asked["cache"], show_progress=False)
    named = sorted((record.name.normalized, record) for record in records)
    lock = ["# What was installed, as conda writes it: conda create --file installs the same again", "@EXPLICIT"]
    for name, record in named:
        print(f" + {name}=={record.version}", flush=True)
        lock.append(f"{record.url}#{record.sha256.hex()}" if record.sha256 else str(record.url))
    with open(asked["lock"], "w") as file:
        file.write("\n".join(lock) + "\n")


if __name__ == "__main__":
    try:
        asyncio.run(main(json.load(sys.stdin)))
    except Exception as error:
        print(f"error: {' '.join(str(error).split())}", flush=True)
        os._exit(1)
    os._exit(0)  # rattler's threads may outlive the interpreter, which then aborts
