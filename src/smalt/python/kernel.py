"""The process of smalt's Jupyter kernel: ipykernel, with `%load_ext smalt` done."""

from __future__ import annotations

import importlib
import sys

from smalt.python import finder


def main() -> None:
    finder.install_finder()
    if sys.path and sys.path[0] == "":  # ipykernel does so itself
        del sys.path[0]
    kernelapp = importlib.import_module("ipykernel.kernelapp")  # it need not be there where smalt is checked
    kernelapp.launch_new_instance(extra_extensions=["smalt"])


if __name__ == "__main__":
    main()
