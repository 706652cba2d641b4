"""The build of the wheel: with SMALT_BUILD_STUDIO=1 the studio is built first, by Node; without, it goes as it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudioBuild(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the studio's pages, or says that they are missing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version == "editable" or not (root / "studio/package.json").is_file():
            return
        index = root / "src/smalt/studio/static/index.html"
        if os.environ.get("SMALT_BUILD_STUDIO") == "1":
            subprocess.run([root / "scripts/studio"], check=True)
            if not index.is_file():
                raise RuntimeError(f"scripts/studio made no {index}")
        elif not index.is_file():
            self.app.display_warning(
                "the studio's pages are not in this package; SMALT_BUILD_STUDIO=1 builds them, with Node 20"
            )
