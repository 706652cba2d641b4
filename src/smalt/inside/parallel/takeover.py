"""Mini-batches that an earlier run of the same work finished, which a job takes over."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

from .cutting import CutInput
from .journal import BatchJournal, JournalBusy
from .reports import Reports
from .settings import CHANGED_VARIABLE, OWN_VARIABLE, ParallelSettings, find_folder, get_port


def open_journal(settings: ParallelSettings, cut: CutInput, reports: Reports) -> BatchJournal:
    """Return the journal, with what an earlier run of the same work finished if that can be taken over."""
    outputs = {name: get_port(os.environ, "outputs", name) for name in settings.outputs}
    about: dict[str, Any] = {
        "plan": cut.digest, "job": os.environ.get("AZUREML_RUN_ID", ""), "outputs": outputs, "created": time.time(),
    }  # fmt: skip
    folder = find_folder(os.environ, os.getcwd())
    try:
        journal = BatchJournal(folder)
    except JournalBusy:
        reports.say("another job runs the same mini-batches now, so this one takes none of them over")
        journal = BatchJournal(os.path.join(os.getcwd(), ".parallel"))
    why_not = _find_obstacle(settings, cut, journal, outputs) if journal.about else "nothing"
    if not why_not and journal.records:
        earlier = journal.about["job"]
        reports.say(f"{len(journal.records)} mini-batches are taken over from job {earlier}, where they ended")
        for name in _bring_outputs(settings, journal.about["outputs"], outputs):
            reports.say(
                f"the output '{name}' begins with all that job {earlier} wrote to it, and so with what calls of run() "
                "wrote that failed or were stopped; submit the job with force_rerun to begin with nothing"
            )
        if journal.about["outputs"] != outputs:
            journal.hand_on(outputs, about["job"])
        return journal
    if journal.records and why_not:
        reports.say(f"the {len(journal.records)} mini-batches that ended before are not taken over: {why_not}")
    if journal.about.get("job") == about["job"]:
        _empty_outputs(outputs)
    journal.start_over(about)
    return journal


def _empty_outputs(outputs: dict[str, str]) -> None:
    """Remove what an earlier attempt of this job wrote to places of its own: all of it is made again."""
    for name in filter(None, os.environ.get(OWN_VARIABLE, "").split(",")):
        path = outputs.get(name, "")
        for entry in os.listdir(path) if os.path.isdir(path) else ():
            inner = os.path.join(path, entry)
            if os.path.isdir(inner) and not os.path.islink(inner):
                shutil.rmtree(inner)
            else:
                os.unlink(inner)


def _find_obstacle(settings: ParallelSettings, cut: CutInput, journal: BatchJournal, outputs: dict[str, str]) -> str:
    """Return why the records of a journal cannot be taken over; an empty text if they can."""
    if journal.about.get("plan") != cut.digest:
        return "the mini-batches are others"
    if cut.has_shutdown:
        return "the entry script has a shutdown(), for which its processes may have kept something in memory"
    changed = float(os.environ.get(CHANGED_VARIABLE) or 0)
    if changed > journal.about.get("created", 0):
        return "an input was changed since they began"
    for name, path in journal.about.get("outputs", {}).items():
        if name != settings.append_row_to and path != outputs.get(name) and not os.path.exists(path):
            return f"what they wrote to the output '{name}' is not there any more"
    return ""


def _bring_outputs(settings: ParallelSettings, there: dict[str, str], here: dict[str, str]) -> list[str]:
    """Copy what an earlier job wrote to outputs besides what `run` returned; return the outputs that it wrote to.

    Which call wrote a file is not known, so what failed calls wrote is copied with the rest.
    """
    brought = []
    for name, path in there.items():
        if name == settings.append_row_to or path == here[name] or not os.path.exists(path):
            continue
        if not os.path.isdir(path) or os.listdir(path):
            brought.append(name)
        if os.path.isdir(path):
            _copy_tree(path, here[name])
        else:
            shutil.copy2(path, here[name])
    return brought


def _copy_tree(source: str, target: str) -> None:
    for folder, _, names in os.walk(source):
        into = os.path.join(target, os.path.relpath(folder, source))
        os.makedirs(into, exist_ok=True)
        for name in names:
            shutil.copy2(os.path.join(folder, name), os.path.join(into, name), follow_symlinks=False)
