"""The program: reads its settings, searches, and writes the journal, the best model and its reports."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import checks, words
from .problems import AutoMLError, NoModelError, join_columns
from .settings import RunSettings, read_settings
from .trials import SearchTrial, TrialJournal, TrialTeller, to_plain


def main(arguments: Sequence[str]) -> int:
    options = _parse_arguments(arguments)
    outputs = Path(options.outputs)
    journal = TrialJournal(Path(options.journal) if options.journal else outputs / "automl" / "journal.jsonl")
    try:
        settings = _make_settings(options)
        _check_packages()
        result = AutoMLProgram(settings, journal).run()
    except AutoMLError as error:
        return _end_with_error(outputs, journal, str(error), error.exit_code)
    except Exception as error:
        import traceback

        traceback.print_exc()
        text = f"the search itself failed: {type(error).__name__}: {error}; its log has the traceback"
        return _end_with_error(outputs, journal, text, 1)
    journal.write(result)
    _write_result(outputs, result)
    return 0


def _parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="smalt_automl", description="Searches for the best model of a table.")
    parser.add_argument("settings", nargs="?", help="a JSON file, or the JSON itself; default: $SMALT_AUTOML_SETTINGS")
    parser.add_argument("--training-data", required=True, metavar="PATH")
    parser.add_argument("--validation-data", metavar="PATH")
    parser.add_argument("--test-data", metavar="PATH")
    parser.add_argument("--best-model", metavar="FOLDER", help="where the best model goes, in MLflow's format")
    parser.add_argument("--outputs", default="outputs", metavar="FOLDER")
    parser.add_argument("--journal", metavar="FILE")
    parser.add_argument("--trials", metavar="FOLDER", help="where the files of trial N go: FOLDER/N/outputs")
    parser.add_argument(
        "--tell", action="store_true", help="log each trial's number as the MLflow metric 'smalt.trial'"
    )
    return parser.parse_args(arguments)


def _make_settings(options: argparse.Namespace) -> RunSettings:
    fields = read_settings(options.settings or os.environ.get("SMALT_AUTOML_SETTINGS") or "{}")
    task = fields["task"]
    asked = fields.get("primary_metric")
    metric = words.find_word(asked, words.PRIMARY_METRICS[task]) if asked else words.DEFAULT_METRICS[task]
    return RunSettings(
        task=task,
        target=fields["target_column_name"],
        metric=str(metric),
        training_data=Path(options.training_data),
        validation_data=Path(options.validation_data) if options.validation_data else None,
        test_data=Path(options.test_data) if options.test_data else None,
        best_model=Path(options.best_model) if options.best_model else None,
        outputs=Path(options.outputs),
        trials=Path(options.trials) if options.trials else None,
        tells=options.tell,
        fields=fields,
    )


def _check_packages() -> None:
    """Tell of an environment that another than smalt made before a traceback does."""
    if missing := [name for name in _PACKAGES if importlib.util.find_spec(name) is None]:
        raise AutoMLError(
            f"environment_id: the environment has no {join_columns(missing)}; leave environment_id out, or name an "
            "environment with the packages of azureml:smalt-automl"
        )


def _end_with_error(outputs: Path, journal: TrialJournal, text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    journal.write({"event": "error", "text": text})
    _write_result(outputs, {"event": "error", "text": text})
    return code


def _write_result(outputs: Path, result: dict[str, Any]) -> None:
    path = outputs / "automl" / "result.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_plain(result), indent=1))


_PACKAGES = ("cloudpickle", "flaml", "lightgbm", "mlflow", "numpy", "pandas", "scipy", "sklearn", "xgboost")
"""The packages that every search needs; others are for some tasks and algorithms only."""
_METHODS = {
    "classification": ("predict", "predict_proba"),
    "regression": ("predict",),
    "forecasting": ("predict", "forecast_quantiles"),
}


class AutoMLProgram:
    """One run: the search, and all that is written of it."""

    def __init__(self, settings: RunSettings, journal: TrialJournal) -> None:
        self.settings, self.journal = settings, journal
        self.best_score: float | None = None
        self.teller = TrialTeller() if settings.tells else None

    def run(self) -> dict[str, Any]:
        """Return the last line of the journal."""
        settings = self.settings
        for ignored in checks.find_ignored(settings.fields):
            self.journal.write_note(f"{'.'.join(map(str, ignored.path))} has no effect: {ignored.text}")
        runner = self._make_runner()
        self._heed_signals()
        result = runner.run()
        self._write_files(result)
        best = result.best
        return {
            "event": "best",
            "number": best.number,
            "algorithm": best.algorithm,
            "score": best.score,
            "metric": settings.metric,
            "goal": "maximize" if settings.is_maximised else "minimize",
            "metrics": best.metrics,
            "test_metrics": result.test_metrics,
        }

    def _make_runner(self) -> Any:
        from .saving import ModelWriter

        if self.settings.task == "forecasting":
            from .forecasting import ForecastRun

            self.runner: Any = ForecastRun(self.settings, self.journal.write_note, self._report_trial)
        else:
            from .tabular import TableRun

            self.runner = TableRun(self.settings, self.journal.write_note, self._report_trial)
        self.writer = ModelWriter(lambda: self.runner.get_example())
        return self.runner

    def _report_trial(self, trial: SearchTrial) -> None:
        """Save and tell a trial; a signal waits for it, so that no trial is counted which nobody was told of."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            self._tell_trial(trial)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _tell_trial(self, trial: SearchTrial) -> None:
        is_best = trial.is_completed and self._is_better(trial.score)
        if is_best:
            self.best_score = trial.score
        if self.settings.trials is not None and trial.is_completed and trial.model is not None:
            self._save_trial(trial)
        self.journal.write(trial.describe(is_best))
        mark = "*" if is_best else " "
        shown = f"{self.settings.metric} {trial.score:.5f}" if trial.is_completed else f"failed: {trial.error}"
        print(f"{mark} trial {trial.number:3d}  {trial.algorithm:20s} {shown}  {trial.seconds:.1f} s", flush=True)
        if self.teller is not None:
            self.teller.tell(trial.number)

    def _save_trial(self, trial: SearchTrial) -> None:
        """Write a trial's model where its job finds it, before the journal tells of the trial."""
        outputs = Path(str(self.settings.trials)) / str(trial.number) / "outputs"
        self.writer.write_trial(outputs, self.runner.wrap_model(trial.model), trial)

    def _is_better(self, score: float | None) -> bool:
        if score is None or self.best_score is None:
            return score is not None
        return score > self.best_score if self.settings.is_maximised else score < self.best_score

    def _heed_signals(self) -> None:
        """End the search at SIGTERM; what is made of the trials that there are is finished."""
        from .learners import SearchStop

        def end(number: int, frame: Any) -> None:
            if self.runner.stage == "preparing":
                raise NoModelError("the job was ended before the first trial")
            if self.runner.stage == "searching":
                raise SearchStop("it was told to stop")

        signal.signal(signal.SIGTERM, end)

    def _write_files(self, result: Any) -> None:
        from . import saving
        from .reports import ReportWriter, write_training_script

        settings, started = self.settings, time.time()
        folder = settings.outputs / "mlflow-model"
        self.writer.write_model(folder, result.model, result.best)
        saving.write_service_files(settings.outputs, folder, result.model, result.example, _METHODS[settings.task])
        ReportWriter(settings.outputs / "automl", settings, self.journal.write_note).write_all(result)
        write_training_script(settings.outputs / "generated_code", settings, result)
        if settings.best_model is not None:
            settings.best_model.mkdir(parents=True, exist_ok=True)
            shutil.copytree(folder, settings.best_model, dirs_exist_ok=True)
        if result.test_table is not None:
            result.test_table.to_csv(settings.outputs / "predictions.csv", index=False)
        if settings.trials is not None:
            self._copy_files(settings.trials / str(result.best.number) / "outputs")
        self.journal.write_note(f"the best model was written in {time.time() - started:.1f} s")

    def _copy_files(self, folder: Path) -> None:
        """Copy what was written of the best model to the files of its trial."""
        for name in ("mlflow-model", "generated_code", "automl"):
            if (self.settings.outputs / name).is_dir():
                shutil.rmtree(folder / name, ignore_errors=True)
                shutil.copytree(self.settings.outputs / name, folder / name)
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.settings.outputs.iterdir():
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
