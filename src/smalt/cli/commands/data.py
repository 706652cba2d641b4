"""`smalt data …`."""

from __future__ import annotations

from smalt.cli.commands import assets
from smalt.cli.framework.verb import Noun

data = Noun("data", "Data assets: named and versioned data.", assets.COLUMNS)

assets.add_create(data, "data", ("uri_folder", "uri_file", "mltable"), "The local path or URI of the data.")
assets.add_verbs(data, "data")
data.add_refusal(
    "import",
    "smalt cannot import data from databases yet; copy it to a folder and register that with: smalt data create",
)
data.add_refusal("list-materialization-status", "smalt cannot import data yet, so there is no import to list")
data.add_refusal(
    "mount", "data is already on this machine, so nothing is mounted; to see its path: smalt data show NAME"
)
