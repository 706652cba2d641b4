"""The trials of an AutoML job: its search writes a line for each to a journal, and each becomes a child job."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smalt import wire
from smalt.entities import CommandJob
from smalt.exceptions import SmaltError
from smalt.service.data import Location
from smalt.service.data.files.copying import copy_tree, remove_tree
from smalt.service.engine.kinds.automl_search import ENVIRONMENT, SEARCH, TRIALS
from smalt.service.engine.kinds.control_flow.control_jobs import read_output_uris
from smalt.service.engine.kinds.properties import RAN_IN
from smalt.service.engine.kinds.protocol import ChildEnd, CompositeView, NewChild
from smalt.service.engine.outcome import make_error
from smalt.service.records.jobs import Job

ALGORITHM, SCORE = "run_algorithm", "score"
"""The properties of a trial with its algorithm and the value of the primary metric, as the service has them."""
REPORTS = "outputs/automl"
"""The folder with the leaderboard and the pictures among the artifacts of the search, and of its AutoML job."""
_JOURNAL = "journal.jsonl"


@dataclass
class SearchJournal:
    """The lines that a search has written so far."""

    trials: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    """The last line of a search that succeeded."""
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    offset: int = 0
    """The bytes of the file that are read."""

    def read_on(self, path: Path) -> None:
        """Read the whole lines since the last time; a line that is being written is left out, as is a missing file."""
        try:
            with path.open("rb") as file:
                file.seek(self.offset)
                text = file.read()
        except FileNotFoundError:
            return
        for line in text.splitlines(keepends=True):
            if line.endswith(b"\n"):
                self._add_line(json.loads(line))
                self.offset += len(line)

    def _add_line(self, line: dict[str, Any]) -> None:
        event = line.get("event")
        if event == "trial":
            self.trials.append(line)
        elif event == "best":
            self.best = line
        elif event == "error":
            self.error = "; ".join(filter(None, (self.error, str(line.get("text")))))
        elif event == "note":
            self.notes.append(str(line.get("text")))


def find_folder(view: CompositeView, search: Job) -> Location | None:
    """Return where the search writes its journal, or where that of the step is that it reuses."""
    uri = read_output_uris(view.read_child_properties(search)).get(TRIALS)
    return view.context.data.locate(view.follow(search, uri), view.workspace) if uri else None


def read_live(view: CompositeView, search: Job) -> SearchJournal | None:
    """Read what a search that runs wrote since the last time; None if its journal is not here yet, or not readable."""
    journal: SearchJournal = view.cache.setdefault("journal", SearchJournal())
    try:
        folder = find_folder(view, search)
        if folder is None or folder.path is None:
            return None
        path = folder.path / _JOURNAL
        if journal.offset and path.stat().st_size < journal.offset:  # the search began again
            journal = view.cache["journal"] = SearchJournal()
        journal.read_on(path)
        return journal
    except (OSError, ValueError, SmaltError):
        del view.cache["journal"]
        return None  # it is read at the end of the search, which tells what is wrong


def read_ended(folder: Path, reports: Path | None, artifacts: str) -> SearchJournal:
    """Read the whole journal, and copy the files of each trial and the reports to the artifacts of their jobs.

    `artifacts` is the folder of the AutoML job's; those of its trials have their numbers in their names.
    """
    journal = SearchJournal()
    journal.read_on(folder / _JOURNAL)
    for trial in journal.trials:
        source, target = folder / str(trial["number"]), Path(make_trial_name(artifacts, trial["number"]))
        for file in sorted(source.iterdir()) if source.is_dir() else ():
            _copy_again(file, target / file.name)
    if reports is not None and reports.is_dir():
        _copy_again(reports, Path(artifacts, REPORTS))
    return journal


def _copy_again(source: Path, target: Path) -> None:
    """Copy a file or folder over what a server has left that was killed while it copied."""
    remove_tree(target)
    copy_tree(source, target)


def make_trials(
    view: CompositeView, trials: Iterable[dict[str, Any]], goal: str, known: Sequence[Job]
) -> list[NewChild]:
    """Return the children for the trials that are not there yet."""
    there = {child.node for child in known}
    return [_make_trial(view, trial, goal) for trial in trials if make_node_name(trial["number"]) not in there]


def list_scores(journal: SearchJournal) -> dict[str, float]:
    """Return number → score of the trials that have one, as the views of trials read it."""
    return {str(trial["number"]): trial["score"] for trial in journal.trials if trial.get("score") is not None}


def make_node_name(number: int) -> str:
    return f"trial_{number}"


def make_trial_name(job: str, number: int) -> str:
    """Return the name of a trial's job, as the service has it."""
    return f"{job}_{number}"


def _make_trial(view: CompositeView, trial: dict[str, Any], goal: str) -> NewChild:
    job, number = view.job, int(trial["number"])
    algorithm, score = str(trial.get("algorithm")), trial.get("score")
    parameters = {"algorithm": algorithm, **(trial.get("hyperparameters") or {})}
    properties = {
        ALGORITHM: algorithm,
        "primary_metric": goal,
        "iteration": str(number),
        "runTemplate": "automl_child",
        RAN_IN: f"{job.name}_{SEARCH}",
    }
    if score is not None:
        properties[SCORE] = repr(score)
    entity = CommandJob(
        command=f"echo 'trial {number} of {job.name} ran in its step {SEARCH}, not by itself' >&2; exit 1",
        environment=view.entity.environment_id or ENVIRONMENT,
        inputs={name: _to_literal(value) for name, value in parameters.items()},
        tags={"hyperparameters": json.dumps(parameters)},
        properties=properties,
        experiment_name=job.experiment,
        display_name=f"{job.display_name or job.name}_{number}",
    )
    body = wire.to_rest(entity)["properties"]
    started = float(trial["started"])
    error = make_error(str(trial["error"])) if trial.get("error") else None
    end = ChildEnd(
        str(trial["status"]), started, started + float(trial.get("seconds") or 0.0), error, trial.get("metrics") or {}
    )
    return NewChild(
        make_node_name(number), make_trial_name(job.name, number), "command", body,
        display_name=entity.display_name, end=end,
    )  # fmt: skip


def _to_literal(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) else json.dumps(value)
