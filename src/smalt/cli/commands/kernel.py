"""`smalt kernel …`: a Jupyter kernel in which `azure.ai.ml` is smalt; docs/python.md."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from smalt.cli.framework.verb import Invocation, Noun

kernel = Noun("kernel", "A Jupyter kernel in which notebooks written for azure.ai.ml run unedited.")


@kernel.verb(
    "install",
    click.Option(["--name"], default="smalt", metavar="NAME", help="The kernel's name; smalt where absent."),
    click.Option(["--display-name"], default="Python (smalt)", metavar="TEXT", help="What Jupyter shows."),
    click.Option(["--sys-prefix"], is_flag=True, help="Install into this Python's environment, not the home folder."),
    click.Option(["--prefix"], metavar="FOLDER", help="Into FOLDER/share/jupyter/kernels."),
)
def install_kernel(ctx: Invocation, name: str, display_name: str, sys_prefix: bool, prefix: str | None) -> Any:
    """Add the kernel to Jupyter; it runs in this Python, which needs ipykernel.

    Remove it with: jupyter kernelspec remove smalt
    """
    if sys_prefix and prefix:
        raise click.UsageError("--sys-prefix and --prefix exclude each other; give one")
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise click.UsageError(f"a kernel cannot be called '{name}': letters, digits, '.', '_' and '-' only")
    if importlib.util.find_spec("ipykernel") is None:
        raise click.ClickException(
            f"a kernel needs ipykernel, which {sys.executable} does not have: {sys.executable} -m pip install ipykernel"
        )
    folder = _find_kernel_folder(sys.prefix if sys_prefix else prefix) / name
    spec = {
        "argv": [sys.executable, "-m", "smalt.python.kernel", "-f", "{connection_file}"],
        "display_name": display_name,
        "language": "python",
        "metadata": {"debugger": True},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(json.dumps(spec, indent=1) + "\n")
    if ctx.has_output_options:
        return {"name": name, "path": str(folder)}
    click.echo(f"the kernel '{display_name}' is in {folder}; choose it in Jupyter")
    return None


def _find_kernel_folder(prefix: str | None) -> Path:
    """Return the folder where Jupyter looks for kernels."""
    if prefix:
        return Path(prefix, "share", "jupyter", "kernels")
    if folder := os.environ.get("JUPYTER_DATA_DIR"):
        return Path(folder, "kernels")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Jupyter" / "kernels"
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data, "jupyter", "kernels")
