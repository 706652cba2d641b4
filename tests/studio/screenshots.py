"""`python -m tests.studio.screenshots FOLDER`: pictures of the studio's pages, of jobs that really ran.

The files of the jobs are copied first, so that no picture has the branch that they happen to be on.

`scripts/screenshots` builds the studio first."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from smalt.wire.encoding.ids import (
    DEFAULT_RESOURCE_GROUP,
    DEFAULT_SUBSCRIPTION,
    DEFAULT_WORKSPACE,
    build_workspace_id,
)
from tests.helpers import Server, running_server
from tests.studio.demo_assets import add_assets, add_endpoint
from tests.studio.test_browser import STUDIO

DEMO = STUDIO / "browser/demo"
HOME_WORKSPACE = build_workspace_id(DEFAULT_SUBSCRIPTION, DEFAULT_RESOURCE_GROUP, DEFAULT_WORKSPACE)
SMALL = {
    "digits-baseline": ("digits", "echo 'accuracy 0.88'"),
    "digits-augmented": ("digits", "echo 'accuracy 0.91'; sleep 0.4"),
    "fit-prophet": ("demand", "echo fitting; sleep 0.6"),
    "load-warehouse": ("demand", "echo 'connection refused: warehouse:5432' >&2; exit 7"),
    "nightly-report": ("reports", "sleep 0.2; echo sent"),
    "score-batch": ("reports", "sleep 0.9"),
    "clean-images": ("vision", "sleep 1.3"),
    "resnet-finetune": ("vision", "echo epoch 1; sleep 240"),
    "embed-captions": ("vision", "sleep 240"),
}


def copy_demo(folder: Path) -> Path:
    """Copy the files of the jobs, with a table for AutoML beside them: flats of three bands of rent."""
    made = folder / "demo"
    shutil.copytree(DEMO, made)
    draw = random.Random(5)
    rows = ["rooms,metres,floor,age,band"]
    for _ in range(240):
        rooms, floor, age = draw.randint(1, 5), draw.randint(0, 9), draw.randint(0, 90)
        metres = round(14 + 19 * rooms + draw.gauss(0, 7))
        rent = 9 * metres - 2.4 * age + 14 * floor + draw.gauss(0, 70)
        rows.append(f"{rooms},{metres},{floor},{age},{'low' if rent < 420 else 'high' if rent > 760 else 'middle'}")
    (made / "rents.csv").write_text("\n".join(rows) + "\n")
    return made


def run_cli(server: Server, cwd: Path, *words: str) -> str:
    command = [sys.executable, "-m", "smalt", *words]
    environment = {**os.environ, "SMALT_HOME": str(server.home.root)}
    ended = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        print(" ".join(words), ended.stdout, ended.stderr, file=sys.stderr)
    return ended.stdout


def submit_demo(server: Server, demo: Path) -> None:
    """Run jobs of several kinds and states; two still run at the end."""
    run_cli(server, demo, "job", "create", "--file", "automl.yml", "--name", "rents", "--stream")
    run_cli(server, demo, "job", "create", "--file", "train.yml", "--name", "digits_1", "--stream")
    submit_changed(server, demo)
    run_cli(server, demo, "job", "create", "--file", "sweep.yml", "--name", "boosting", "--stream")
    for name, trees in (("fares_0", 200), ("fares_2", 240), ("fares_1", 300)):
        words = ("--file", "fares.yml", "--name", name, "--set", f"inputs.trees={trees}", "--stream")
        run_cli(server, demo, "job", "create", *words)
    for place, (shown, (experiment, command)) in enumerate(SMALL.items()):
        sets = [f"display_name={shown}", f"experiment_name={experiment}", f"command={command}"]
        run_cli(server, demo, "job", "create", "--file", "small.yml", "--name", f"small_{place}", "--set", *sets)
    for place in range(len(SMALL) - 2):
        run_cli(server, demo, "job", "stream", "--name", f"small_{place}")


def submit_changed(server: Server, demo: Path) -> None:
    """Run the training again with another rate and changed code."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(demo, folder, dirs_exist_ok=True)
        script = Path(folder, "log_metrics.py")
        changed = script.read_text().replace("0.9 * math.exp(-step * speed)", "0.8 * math.exp(-step * speed * 1.5)")
        script.write_text(changed.replace("draw.gauss(0, 0.025)", "draw.gauss(0, 0.01)"))
        words = ("--file", "train.yml", "--name", "digits_2", "--set", "inputs.rate=0.045", "tags.stage=tuned")
        run_cli(server, Path(folder), "job", "create", *words, "--stream")


def main(folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        running_server(studio_folder=str(demo := copy_demo(Path(place)))) as server,
    ):
        assert server.ask("PUT", HOME_WORKSPACE, {"properties": {}}).status in (200, 201)
        add_endpoint(server, HOME_WORKSPACE)
        add_assets(server, HOME_WORKSPACE)
        submit_demo(server, demo)
        known = server.ask("GET", "/smalt/v1/workspaces").body["value"]
        environment = {
            **os.environ,
            "STUDIO_SHOTS": str(Path(folder).resolve()),
            "STUDIO_URL": f"http://127.0.0.1:{server.port}",
            "STUDIO_TOKEN": server.home.read_token() or "",
            "STUDIO_WORKSPACE": str(known[0]["id"]),
            "STUDIO_FOLDER": str(known[0]["folder"]),
        }
        command = ["node", "node_modules/@playwright/test/cli.js", "test", "-c", "browser/shots.config.ts"]
        subprocess.run(command, cwd=STUDIO, env=environment, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
