"""The entry script of an MLflow model that was deployed without one: it reads each file as the model's signature says.

It runs in the model's environment, so that MLflow, pandas and what the model needs are there.
"""

from __future__ import annotations

import glob
import json
import os
import sys
from typing import Any

_IMAGES = (".png", ".jpg", ".jpeg", ".tiff", ".bmp", ".gif")
_TABLES = (".csv", ".parquet", ".pqt", ".json", ".jsonl")
_model: Any = None


def init() -> None:
    global _model
    import mlflow.pyfunc  # type: ignore[import-not-found,import-untyped,unused-ignore]

    (path,) = glob.glob(os.path.join(os.environ["AZUREML_MODEL_DIR"], "*"))
    _model = mlflow.pyfunc.load_model(path)


def run(mini_batch: list[str]) -> list[str]:
    """Return a line `row,prediction,file` for each row of a table, and `prediction,file` for each image."""
    lines: list[str] = []
    for path in mini_batch:
        try:
            is_table, data = _read_file(path)
            is_empty = is_table and len(data) == 0  # which models refuse
            predictions = [] if is_empty else _list_predictions(_model.predict(data))
        except Exception as error:
            sys.stderr.write(f"Error processing input file: '{path}'. {error}\n")
            raise
        name = os.path.basename(path)
        for number, prediction in enumerate(predictions):
            cells = [number, prediction, name] if is_table else [prediction, name]
            lines.append(",".join(map(_format_cell, cells)))
    return lines


def _read_file(path: str) -> tuple[bool, Any]:
    """Return True for a table, and what the file gives to the model."""
    ending = os.path.splitext(path)[1].lower()
    inputs = getattr(_model.metadata.get_input_schema(), "inputs", None)
    if ending in _IMAGES:
        return False, _read_image(path, inputs)
    if ending not in _TABLES:
        raise ValueError(f"File type '{ending.lstrip('.') or 'none'}' is not supported; write a scoring script for it")
    table = _read_table(path, ending)
    if inputs and getattr(inputs[0], "shape", None) is not None:
        return True, _to_tensor(table.to_numpy(), inputs[0])
    return True, _cast_columns(table, inputs)


def _read_table(path: str, ending: str) -> Any:
    import pandas

    if ending == ".csv":
        return pandas.read_csv(path)
    if ending in (".json", ".jsonl"):
        return _read_json(path, ending == ".jsonl")
    return pandas.read_parquet(path)


def _read_json(path: str, has_lines: bool) -> Any:
    """Return the table of lines, of a list of records, or of MLflow's `dataframe_split` and its kin."""
    import pandas

    if has_lines:
        return pandas.read_json(path, lines=True)
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    if isinstance(found, dict):
        found = found.get("input_data", found)
    if isinstance(found, dict):
        split = found.get("dataframe_split", found if {"columns", "data"} <= found.keys() else None)
        if split is not None:
            return pandas.DataFrame(split["data"], columns=split["columns"])
        found = found.get("dataframe_records", found)
    return pandas.DataFrame(found)


def _cast_columns(table: Any, inputs: Any) -> Any:
    """Return the table with the columns and types of the signature; columns that it does not name are left out."""
    names = [one.name for one in inputs or () if getattr(one, "name", None)]
    if not names:
        return table
    needed = [one.name for one in inputs if getattr(one, "required", True)]
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise ValueError(f"the columns {', '.join(missing)} of the model's signature are not in it")
    table = table[[name for name in names if name in table.columns]]
    types = {
        one.name: one.type.to_pandas() for one in inputs if one.name in table.columns and hasattr(one.type, "to_pandas")
    }
    return table.astype(types)


def _read_image(path: str, inputs: Any) -> Any:
    import numpy

    try:
        from PIL import Image  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise ImportError("the model's environment has no Pillow, which reads images; add 'pillow' to it") from None
    with Image.open(path) as image:
        pixels = numpy.asarray(image)
    return _to_tensor(pixels, inputs[0]) if inputs and getattr(inputs[0], "shape", None) is not None else pixels


def _to_tensor(values: Any, spec: Any) -> Any:
    """Return the values in the type of the signature, and in its shape: one axis of any length may be open."""
    shape = tuple(spec.shape)
    wanted = (1, *shape[1:]) if shape and shape[0] == -1 and values.shape == tuple(shape[1:]) else shape
    return values.astype(spec.type).reshape(wanted)


def _list_predictions(predicted: Any) -> list[Any]:
    """Return a prediction for each row."""
    if hasattr(predicted, "iloc"):
        if getattr(predicted, "ndim", 1) == 2 and predicted.shape[1] == 1:
            predicted = predicted.iloc[:, 0]
        return predicted.values.tolist()  # type: ignore[no-any-return]
    if isinstance(predicted, dict):
        columns = [_list_predictions(one) for one in predicted.values()]
        return [[column[number] for column in columns] for number in range(min(map(len, columns), default=0))]
    return predicted.tolist() if hasattr(predicted, "tolist") else list(predicted)


def _format_cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if any(letter in text for letter in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text
