"""Reports of a run: leaderboard, tables and pictures of the best model, and a script that trains it again."""

from __future__ import annotations

import csv
import json
import shutil
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .settings import RunSettings
from .trials import SearchTrial, to_plain

_MOST_CLASSES = 12
_SAMPLE = 1000
_CURVES = {
    "roc_curve": ("false positive rate", "true positive rate"),
    "precision_recall_curve": ("recall", "precision"),
    "calibration_curve": ("predicted chance", "share of the class"),
    "lift_curve": ("share of the rows", "lift"),
}


class ReportWriter:
    """Writes the reports of one run into a folder; what fails is told and left."""

    def __init__(self, folder: Path, settings: RunSettings, note: Callable[[str], None]) -> None:
        self.folder, self.settings, self.note = folder, settings, note
        folder.mkdir(parents=True, exist_ok=True)

    def write_all(self, result: Any) -> None:
        self._try_to_write("leaderboard", lambda: self._write_leaderboard(result.trials))
        if result.kinds is not None:
            self._try_to_write(
                "columns", lambda: self._write_table("columns", ["column", "type", "reason"], result.kinds)
            )
        if result.predictions is not None and result.truth is not None:
            if result.labels is not None:
                self._try_to_write("pictures", lambda: self._describe_classes(result))
            else:
                self._try_to_write("pictures", lambda: self._describe_numbers(result))
        if self.settings.get_switch("enable_model_explainability", True) and result.explain is not None:
            self._try_to_write("feature importance", lambda: self._describe_importance(result))

    def _try_to_write(self, name: str, write: Callable[[], None]) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                write()
        except Exception as error:
            self.note(f"the {name} could not be written: {type(error).__name__}: {error}")

    def _write_table(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        with (self.folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)

    def _write_leaderboard(self, trials: Sequence[SearchTrial]) -> None:
        sign = -1 if self.settings.is_maximised else 1
        ranked = sorted(trials, key=lambda trial: (trial.score is None, sign * (trial.score or 0.0), trial.number))
        names = sorted({name for trial in ranked for name in trial.metrics})
        header = ["rank", "trial", "algorithm", self.settings.metric, "seconds", "error", "hyperparameters", *names]
        rows = []
        for rank, trial in enumerate(ranked, 1):
            plain = json.dumps(to_plain(trial.hyperparameters))
            own = [trial.metrics.get(name, "") for name in names]
            score = "" if trial.score is None else trial.score
            rows.append(
                [rank, trial.number, trial.algorithm, score, round(trial.seconds, 3), trial.error or "", plain, *own]
            )
        self._write_table("leaderboard", header, rows)
        described = [{"rank": rank, **trial.describe(rank == 1)} for rank, trial in enumerate(ranked, 1)]
        for one in described:
            del one["event"]
        (self.folder / "leaderboard.json").write_text(json.dumps(to_plain(described), indent=1))

    def _describe_classes(self, result: Any) -> None:
        from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

        labels, truth, chances = [str(label) for label in result.labels], result.truth, result.predictions
        counts = confusion_matrix(truth, chances.argmax(axis=1), labels=range(len(labels)))
        content = {
            "schema_type": "confusion_matrix",
            "schema_version": "1.0.0",
            "data": {"class_labels": labels, "matrix": counts.tolist()},
        }
        (self.folder / "confusion_matrix.json").write_text(json.dumps(content, indent=1))
        self._write_table(
            "confusion_matrix", ["actual", *labels], [[a, *row] for a, row in zip(labels, counts.tolist(), strict=True)]
        )
        self._draw_confusion(labels, counts)
        shown = [index for index in range(len(labels)) if 0 < (truth == index).sum() < len(truth)]
        curves: dict[str, list[Any]] = {name: [] for name in _CURVES}
        for index in shown[:_MOST_CLASSES]:
            is_class, chance = truth == index, chances[:, index]
            wrong, right, _ = roc_curve(is_class, chance)
            curves["roc_curve"].append((labels[index], wrong, right))
            precision, recall, _ = precision_recall_curve(is_class, chance)
            curves["precision_recall_curve"].append((labels[index], recall, precision))
            curves["calibration_curve"].append((labels[index], *_calibrate(is_class, chance)))
            part, gain = _accumulate(is_class, chance)
            curves["lift_curve"].append((labels[index], part, gain / part))
        for name, lines in curves.items():
            self._write_curves(name, _CURVES[name], lines, has_diagonal=name in ("roc_curve", "calibration_curve"))

    def _describe_numbers(self, result: Any) -> None:
        truth, predicted = np.asarray(result.truth), np.asarray(result.predictions)
        errors = predicted - truth
        counts, edges = np.histogram(errors, bins=min(50, max(10, len(errors) // 20)))
        self._write_table("residuals", ["from", "to", "count"], zip(edges[:-1], edges[1:], counts, strict=True))
        figure, axes = _start_picture("residuals: predicted - actual")
        axes.stairs(counts, edges, fill=True)
        axes.set(xlabel="residual", ylabel="rows")
        self._save_picture(figure, "residuals")
        self._write_table(
            "predicted_true",
            ["actual", "predicted"],
            zip(truth[: _SAMPLE * 10], predicted[: _SAMPLE * 10], strict=True),
        )
        figure, axes = _start_picture("predicted against actual")
        axes.plot(truth, predicted, ".", markersize=3, alpha=0.5)
        axes.plot([truth.min(), truth.max()], [truth.min(), truth.max()], "--", color="grey")
        axes.set(xlabel="actual", ylabel="predicted")
        self._save_picture(figure, "predicted_true")

    def _describe_importance(self, result: Any) -> None:
        found = sorted(result.explain(), key=lambda one: -one[1])
        self._write_table("feature_importance", ["column", "importance"], found)
        figure, axes = _start_picture("importance: loss of score when a column is shuffled")
        top = found[:20][::-1]
        axes.barh([name for name, _ in top], [value for _, value in top])
        self._save_picture(figure, "feature_importance")

    def _draw_confusion(self, labels: list[str], counts: Any) -> None:
        figure, axes = _start_picture("confusion matrix")
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        figure.colorbar(axes.imshow(shares, cmap="Blues", vmin=0, vmax=1), label="share of the row")
        if len(labels) <= _MOST_CLASSES:
            axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
            axes.set_yticks(range(len(labels)), labels)
            for row, column in np.ndindex(*counts.shape):
                color = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color)
        axes.set(xlabel="predicted", ylabel="actual")
        self._save_picture(figure, "confusion_matrix")

    def _write_curves(self, name: str, axes_names: tuple[str, str], lines: list[Any], has_diagonal: bool) -> None:
        rows = [
            (label, float(x), float(y)) for label, xs, ys in lines for x, y in zip(*_thin_curve(xs, ys), strict=True)
        ]
        self._write_table(name, ["class", *axes_names], rows)
        figure, axes = _start_picture(name.replace("_", " "))
        for label, xs, ys in lines:
            axes.plot(xs, ys, label=label)
        if has_diagonal:
            axes.plot([0, 1], [0, 1], "--", color="grey")
        axes.set(xlabel=axes_names[0], ylabel=axes_names[1])
        axes.legend()
        self._save_picture(figure, name)

    def _save_picture(self, figure: Any, name: str) -> None:
        figure.savefig(self.folder / f"{name}.png", dpi=90, bbox_inches="tight")


def _start_picture(title: str) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def _calibrate(is_class: Any, chance: Any) -> tuple[Any, Any]:
    bins = np.clip((chance * 10).astype(int), 0, 9)
    used = [number for number in range(10) if (bins == number).any()]
    return np.array([chance[bins == n].mean() for n in used]), np.array([is_class[bins == n].mean() for n in used])


def _accumulate(is_class: Any, chance: Any) -> tuple[Any, Any]:
    order = np.argsort(-chance, kind="stable")
    part = np.arange(1, len(order) + 1) / len(order)
    return part, np.cumsum(is_class[order]) / is_class.sum()


def _thin_curve(xs: Any, ys: Any, most: int = 200) -> tuple[Any, Any]:
    if len(xs) <= most:
        return xs, ys
    chosen = np.unique(np.linspace(0, len(xs) - 1, most).astype(int))
    return np.asarray(xs)[chosen], np.asarray(ys)[chosen]


def find_importance(
    columns: Sequence[str], frame: Any, score: Callable[[Any], float], seed: int
) -> list[tuple[str, float]]:
    """Return by how much the score falls when a column's values are shuffled."""
    generator = np.random.default_rng(seed)
    base, found = score(frame), []
    for name in columns:
        shuffled = frame.assign(**{name: frame[name].to_numpy()[generator.permutation(len(frame))]})
        found.append((name, base - score(shuffled)))
    return found


def write_training_script(folder: Path, settings: RunSettings, result: Any) -> None:
    """Write a script that trains the best model again, with the modules of featurization that it needs beside it."""
    package = Path(__file__).parent
    target = folder / __package__.rpartition(".")[2]
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in sorted(package.glob("*.py")):
        if path.name not in ("program.py", "__main__.py"):
            shutil.copyfile(path, target / path.name)
    recipe = {"best": describe_recipe(result.best, result.trials), "settings": settings.fields}
    (folder / "script.py").write_text(
        _SCRIPT.replace("__PACKAGE__", target.name).replace("__RECIPE__", repr(to_plain(recipe)))
    )


def describe_recipe(best: SearchTrial, trials: Sequence[SearchTrial]) -> dict[str, Any]:
    """Return the algorithm and hyperparameters of a trial, and those of its members if it is an ensemble."""
    numbers = [int(text.partition(":")[0]) for text in best.hyperparameters.get("members", ())]
    by_number = {trial.number: trial for trial in trials}
    members = [{"learner": by_number[n].learner, "hyperparameters": by_number[n].hyperparameters} for n in numbers]
    return {"learner": best.learner, "hyperparameters": best.hyperparameters, "members": members}


_SCRIPT = '''"""Train the best model of the AutoML job again: python script.py TRAINING_DATA [MODEL_FILE].

TRAINING_DATA is a table as the job had it. It needs the packages of ../conda_env_v_1_0_0.yml, and flaml.
"""

import sys
from pathlib import Path

import cloudpickle

import __PACKAGE__
from __PACKAGE__.retraining import train_again

RECIPE = __RECIPE__


def main(training_data, model_file="model.pkl"):
    model = train_again(RECIPE, Path(training_data))
    cloudpickle.register_pickle_by_value(__PACKAGE__)
    Path(model_file).write_bytes(cloudpickle.dumps(model))


if __name__ == "__main__":
    main(*sys.argv[1:])
'''
