"""What a job did to its own folder never reaches the next job."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from smalt.machine.mounts import list_mount_points
from smalt.service.data import remove_tree
from tests.engine.bench import Workbench, workbench

HOST = "azureml:host"
CHECK = (
    'for name in . outputs logs; do [ -d $name ] && [ ! -L $name ] && stat -c "%a %u" $name; done;'
    " ls -A . outputs logs; echo result > outputs/model.txt; cat outputs/model.txt; cat $VIRTUAL_ENV/bin/pip | tail -1"
)


async def told(bench: Workbench, name: str) -> str:
    """What a job sees of its folder; it writes an output there."""
    job = await bench.over(bench.submit(name, {"command": CHECK, "environment": HOST}))
    assert job.status == "Completed", job.error
    assert (bench.artifacts(name) / "outputs" / "model.txt").read_text() == "result\n"
    return bench.log(name)


def folder(bench: Workbench, name: str) -> Path:
    return bench.home.path("workspaces", bench.workspace.folder, "jobs", name)


DONE_TO_IT = {
    "nothing": "true",
    "files in place of outputs and logs": "rm -rf outputs logs; touch outputs logs",
    "a file in place of logs": "rm -rf logs; touch logs",
    "links in place of outputs and logs": "rm -rf outputs logs; ln -s {aside} outputs; ln -s {aside} logs",
    "a dangling link": "rm -rf logs; ln -s /nowhere/at/all logs",
    "no outputs": "rm -rf outputs logs",
    "other modes": "chmod 700 outputs; chmod 500 logs",
    "a mode of the working folder": "chmod 711 .",
    "a mode that is set back later": "chmod 1777 outputs",
    "a hidden file": "touch .hidden",
    "a hidden folder in logs": "mkdir logs/.hidden",
    "another working folder": 'w=$PWD; cd ..; rm -rf "$w"; mkdir "$w"; mkdir "$w/logs"; ln -s {aside} "$w/outputs"',
    "a link in place of the working folder": 'w=$PWD; cd ..; rm -rf "$w"; ln -s {aside} "$w"',
    "a file beside the working folder": "touch ../left",
    "a claim of a later step": "for n in 1 2 3 4 5 6 7 8 9; do echo 0 > ../claim.$n.1; done 2>/dev/null; true",
    "a script that is edited": "echo '# edited' >> $VIRTUAL_ENV/bin/pip",
    "a script that is edited, with its old time": (
        "touch -r $VIRTUAL_ENV/bin/pip {aside}/t; echo '# edited' >> $VIRTUAL_ENV/bin/pip;"
        " touch -r {aside}/t $VIRTUAL_ENV/bin/pip"
    ),
    "packages that are seen": "echo 'import os' >> $VIRTUAL_ENV/lib/python3*/site-packages/_smalt_shared.pth",
    "a package": "mkdir $VIRTUAL_ENV/lib/python3*/site-packages/sneaky",
    "a package that came and went": "cd $VIRTUAL_ENV/lib/python3*/site-packages; mkdir sneaky; rmdir sneaky",
    "another Python": "ln -sf /bin/true $VIRTUAL_ENV/bin/python",
    "a link to the view": "mv $VIRTUAL_ENV {aside}/view; ln -s {aside}/view $VIRTUAL_ENV",
    "a configuration": "echo 'prompt = x' >> $VIRTUAL_ENV/pyvenv.cfg",
}


@pytest.mark.parametrize("done", DONE_TO_IT)
async def test_a_job_finds_its_folder_as_if_it_were_the_first(tmp_path: Path, done: str) -> None:
    """Whatever the job before did to its own folder, the next finds a fresh one, and writes nowhere else."""
    aside = tmp_path / "aside"
    aside.mkdir()

    async with workbench(cpus=1) as bench:
        first = await told(bench, "first")
        command = DONE_TO_IT[done].replace("{aside}", str(aside))
        await bench.over(bench.submit("bad", {"command": command, "environment": HOST}))
        assert await told(bench, "second") == first
        assert await told(bench, "third") == first
        assert not {"model.txt", "outputs", "logs"} & set(os.listdir(aside))


async def test_a_folder_that_is_as_it_was_made_is_handed_on() -> None:
    """The folder of a step that left nothing serves the next, so that nothing need be made."""
    async with workbench(cpus=1) as bench:
        await told(bench, "first")  # by now the environment is known
        for name in ("a", "b", "c"):
            await bench.over(bench.submit(name, {"command": "true", "environment": HOST}))
        made = {name: folder(bench, name).exists() for name in ("a", "b", "c")}
        assert made == {"a": False, "b": False, "c": True}


async def hand_on_old_folder(bench: Workbench) -> str:
    """Have a folder handed on long after it was made, which is then looked at by its times; what a first job sees."""
    first = await told(bench, "first")
    await bench.over(bench.submit("a", {"command": "true", "environment": HOST}))
    await asyncio.sleep(0.15)
    await bench.over(bench.submit("b", {"command": "true", "environment": HOST}))
    assert not folder(bench, "a").exists()
    return first


@pytest.mark.parametrize("done", DONE_TO_IT)
async def test_a_job_finds_an_old_folder_as_if_it_were_the_first(tmp_path: Path, done: str) -> None:
    """So it is where the times of a folder that was handed on say whether anything in it was changed."""
    aside = tmp_path / "aside"
    aside.mkdir()
    async with workbench(cpus=1) as bench:
        first = await hand_on_old_folder(bench)
        command = DONE_TO_IT[done].replace("{aside}", str(aside))
        await bench.over(bench.submit("bad", {"command": command, "environment": HOST}))
        assert not folder(bench, "b").exists()
        assert await told(bench, "second") == first
        assert not {"model.txt", "outputs", "logs"} & set(os.listdir(aside))


async def test_what_is_left_in_an_old_folder_is_kept() -> None:
    """Files in outputs/ and logs/ of a folder that was handed on are its job's, whether they came in it or below it."""
    async with workbench(cpus=1) as bench:
        await hand_on_old_folder(bench)
        command = "mkdir outputs/sub; echo 1 > outputs/sub/x; echo 2 > logs/y"
        job = await bench.over(bench.submit("left", {"command": command, "environment": HOST}))
        assert (job.status, folder(bench, "b").exists()) == ("Completed", False)
        assert (bench.artifacts("left") / "outputs" / "sub" / "x").read_text() == "1\n"
        assert (bench.artifacts("left") / "logs" / "y").read_text() == "2\n"


@pytest.mark.parametrize("place", ["outputs", "logs", ".", "$VIRTUAL_ENV/bin"])
async def test_a_mount_in_the_place_of_a_folder(tmp_path: Path, place: str) -> None:
    """What a job mounted is neither handed on nor removed with the job's folder."""
    aside = tmp_path / "aside"
    aside.mkdir()
    (aside / "kept").write_text("mine\n")
    if subprocess.run(["mount", "--bind", aside, aside], check=False, capture_output=True).returncode:
        pytest.skip("only who may mount can make this mistake")
    subprocess.run(["umount", aside], check=True)

    async with workbench(cpus=1) as bench:
        first = await told(bench, "first")
        await bench.over(bench.submit("bad", {"command": f"mount --bind {aside} {place}", "environment": HOST}))
        try:
            assert await told(bench, "second") == first
            assert await told(bench, "third") == first
            remove_tree(folder(bench, "bad"))
            assert (aside / "kept").read_text() == "mine\n"
        finally:
            for point in list_mount_points(bench.home.root):
                subprocess.run(["umount", point], check=True)
