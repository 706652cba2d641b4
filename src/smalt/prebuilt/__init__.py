"""Prebuilt components: the shipped registry `smalt`, with the program that its components run.

`components/` is the content of a registry: a folder for each version of a component. `code/` is the code of all of
them. Both are only files to the rest of smalt: the program runs in jobs, in the environment `smalt-prebuilt` of the
catalogue. A version's ports never change in a way that breaks a pipeline: that is another version, beside it.
"""

from __future__ import annotations

import os

REGISTRY = "smalt"
"""The name of the registry, which every home has and nobody can change."""
FOLDER = os.path.dirname(os.path.abspath(__file__))
