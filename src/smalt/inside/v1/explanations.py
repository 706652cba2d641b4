"""`azureml.interpret.ExplanationClient`: explanations of models by interpret-community, kept among a run's files."""

from __future__ import annotations

import datetime
import json
import os
import tempfile

from .errors import make_user_error
from .notices import tell_no_effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FOLDER = "explanation"
_NOTE = "upload.json"
_RANKED = ("get_ranked_global_names", "get_ranked_global_values", "get_ranked_local_names", "get_ranked_local_values",
           "get_ranked_per_class_names", "get_ranked_per_class_values", "get_feature_importance_dict")  # fmt: skip
"""The methods of explanations that take `top_k`."""


class ExplanationClient:
    """Uploads explanations to a run, and downloads them from it."""

    def __init__(
        self, service_context: Any = None, experiment_name: Any = None, run_id: Any = None, _run: Any = None
    ) -> None:
        if _run is None:
            raise make_user_error(
                "an ExplanationClient is made by ExplanationClient.from_run(run), or from_run_id(workspace, "
                "experiment_name, run_id)"
            )
        self._run = _run

    @classmethod
    def from_run(cls, run: Any) -> ExplanationClient:
        return cls(_run=run)

    @classmethod
    def from_run_id(cls, workspace: Any, experiment_name: str, run_id: str) -> ExplanationClient:
        return cls(_run=workspace.get_run(run_id))

    @property
    def run(self) -> Any:
        return self._run

    def upload_model_explanation(
        self,
        explanation: Any,
        max_num_blocks: Any = None,
        block_size: Any = None,
        top_k: int | None = None,
        comment: str | None = None,
        init_dataset_id: str | None = None,
        eval_dataset_id: str | None = None,
        ys_pred_dataset_id: str | None = None,
        ys_pred_proba_dataset_id: str | None = None,
        upload_datasets: bool = False,
        model_id: str | None = None,
        true_ys: Any = None,
        visualization_points: Any = 5000,
    ) -> None:
        """Keep an explanation in the folder explanation/ID of the run, with its data and what is said of it."""
        library = _load_library()
        if max_num_blocks is not None or block_size is not None:
            print("no effect: max_num_blocks and block_size of upload_model_explanation; files are not split")
        given = {"upload_datasets": upload_datasets, "visualization_points": visualization_points != 5000}
        tell_no_effect("upload_model_explanation", given, "the explanation is kept whole, with its data")
        id = str(explanation.id)
        note = {
            "id": id,
            "comment": comment,
            "model_id": model_id,
            "top_k": top_k,
            "raw": bool(getattr(explanation, "is_raw", False)),
            "engineered": bool(getattr(explanation, "is_engineered", False)),
            "true_ys": None if true_ys is None else [_to_plain(one) for one in true_ys],
            "datetime": datetime.datetime.now(datetime.timezone.utc).isoformat(),
            "init_dataset_id": init_dataset_id,
            "eval_dataset_id": eval_dataset_id,
            "ys_pred_dataset_id": ys_pred_dataset_id,
            "ys_pred_proba_dataset_id": ys_pred_proba_dataset_id,
        }
        with tempfile.TemporaryDirectory(prefix="smalt-explanation-") as folder:
            library.save_explanation(explanation, folder, exist_ok=True)
            with open(os.path.join(folder, _NOTE), "w") as file:
                json.dump(note, file)
            self._run.upload_folder(_FOLDER + "/" + id, folder)

    def list_model_explanations(
        self, comment: str | None = None, raw: bool | None = None, engineered: bool | None = None
    ) -> list[dict[str, Any]]:
        """Return what is said of each explanation that was uploaded, the oldest first."""
        given = {"comment": comment, "raw": raw, "engineered": engineered}
        wanted = {key: value for key, value in given.items() if value is not None}
        notes = [note for note in self._read_notes() if all(note.get(key) == value for key, value in wanted.items())]
        return sorted(notes, key=lambda note: str(note["datetime"]))

    def download_model_explanation(
        self,
        explanation_id: str | None = None,
        top_k: int | None = None,
        comment: str | None = None,
        raw: bool | None = None,
        engineered: bool | None = None,
    ) -> Any:
        """Return the explanation of that id, or the one uploaded last of those that fit; `top_k` limits its ranks."""
        library = _load_library()
        found = self.list_model_explanations(comment, raw, engineered)
        if explanation_id is not None:
            found = [note for note in found if note["id"] == explanation_id]
        if not found:
            raise make_user_error(f"run {self._run.id} has no such explanation; list_model_explanations() has all")
        place = _FOLDER + "/" + found[-1]["id"]
        with tempfile.TemporaryDirectory(prefix="smalt-explanation-") as folder:
            self._run.download_files(place, folder, append_prefix=False)
            explanation = library.load_explanation(folder)
        limit = top_k if top_k is not None else found[-1].get("top_k")
        return explanation if limit is None else _limit_ranks(explanation, limit)

    def _read_notes(self) -> list[dict[str, Any]]:
        notes = []
        with tempfile.TemporaryDirectory(prefix="smalt-explanation-") as folder:
            for number, name in enumerate(self._run.get_file_names()):
                if name.startswith(_FOLDER + "/") and name.endswith("/" + _NOTE):
                    path = os.path.join(folder, str(number))
                    self._run.download_file(name, path)
                    with open(path) as file:
                        notes.append(json.load(file))
        return notes


def _load_library() -> Any:
    """Return the module of interpret-community that writes and reads explanations."""
    try:
        from interpret_community.explanation import serialization  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        words = "ExplanationClient needs the package interpret-community here: pip install interpret-community ({})"
        raise make_user_error(words.format(error)) from None
    return serialization


def _limit_ranks(explanation: Any, limit: int) -> Any:
    """Give the ranked names and values of an explanation that many, unless a call says otherwise."""

    def make_limited(method: Any) -> Any:
        return lambda top_k=limit: method(top_k=top_k)

    for name in _RANKED:
        method = getattr(explanation, name, None)
        if method is not None:
            setattr(explanation, name, make_limited(method))
    return explanation


def _to_plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value
