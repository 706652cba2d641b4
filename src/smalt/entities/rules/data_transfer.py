"""The rules of data transfers: each task has its own keys, inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import ASSETS, Input, Output
from smalt.entities.schema.problems import Path, join_words
from smalt.entities.syntax.expression import has_expression, parse_binding

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

COPY, IMPORT, EXPORT = "copy_data", "import_data", "export_data"
SOURCE, SINK = "source", "sink"
WRITTEN = {"database": "mltable", "file_system": "uri_folder"}
"""The type of what is imported, by the type of the source; Azure's client asks for the same."""
_ENDS = {IMPORT: SOURCE, EXPORT: SINK}
"""The key with the place elsewhere, by task."""
_DEFAULT_TYPE = "uri_folder"


def check_whole(job: Any, path: Path, reader: Reader) -> None:
    """Check a job or a component, which say all by themselves."""
    if reader.is_answer:
        return
    _check_keys(job, path, reader)
    _check_end(job, path, reader)
    _check_ports(job, path, reader)


def check_step(step: Any, path: Path, reader: Reader) -> None:
    """Check a step; one with a component has its ports checked against that."""
    if reader.is_answer:
        return
    _check_keys(step, path, reader)
    component = vars(step).get("component")
    task = getattr(component, "task", None)
    if task is not None and step.task is not None and task != step.task:
        words = f"the step's task is {step.task}, but that of its component is {task}"
        reader.add_problem((*path, "task"), words)
        return
    _check_end(step, path, reader)
    if component is None:
        _check_ports(step, path, reader)


def check_database(database: Any, path: Path, reader: Reader) -> None:
    """Check that a database says one thing to read or to write."""
    if reader.is_answer:
        return
    named = [key for key in ("query", "table_name", "stored_procedure") if getattr(database, key)]
    if len(named) > 1:
        words = f"a database has one of 'query', 'table_name' and 'stored_procedure', not {join_words(named, 'and')}"
        reader.add_problem((*path, named[1]), words, at_key=True)
    elif not named:
        is_sink = bool(path) and path[-1] == SINK
        words = "'table_name', the table to write to" if is_sink else "'query', 'table_name' or 'stored_procedure'"
        reader.add_problem(path, f"a database needs {words}", at_key=True)
    elif path and path[-1] == SINK and named != ["table_name"]:
        words = f"data is written to a table; write 'table_name' in place of '{named[0]}'"
        reader.add_problem((*path, named[0]), words, at_key=True)
    if database.stored_procedure_params and not database.stored_procedure:
        words = "'stored_procedure_params' belong to a 'stored_procedure', which is missing"
        reader.add_problem((*path, "stored_procedure_params"), words, at_key=True)


def find_copy_problem(inputs: Mapping[str, str], output: str) -> str | None:
    """Return the sentence about the type of a copy's output, given the types of its inputs; None if it is right."""
    types = list(inputs.values())
    if len(types) == 1 and types[0] != output:
        return f"a copy of one {types[0]} is a {types[0]}, and the output is declared as {output}"
    if len(types) > 1 and output != _DEFAULT_TYPE:
        return f"a copy of several inputs is a uri_folder, and the output is declared as {output}"
    return None


def _check_keys(noun: Any, path: Path, reader: Reader) -> None:
    """Report the keys of other tasks."""
    task, given = noun.task, vars(noun)
    if task not in (COPY, IMPORT, EXPORT):
        return
    for key, of in ((SOURCE, IMPORT), (SINK, EXPORT), ("data_copy_mode", COPY)):
        if given.get(key) is not None and task != of:
            words = f"'{key}' belongs to the task {of}, and the task is {task}; remove it"
            reader.add_problem((*path, key), words, at_key=True)


def _check_end(noun: Any, path: Path, reader: Reader) -> None:
    end = _ENDS.get(str(noun.task))
    if end and vars(noun).get(end) is None and not noun._partial:
        reader.add_problem(path, f"{noun.noun} with 'task: {noun.task}' needs '{end}'", at_key=True)


def _check_ports(noun: Any, path: Path, reader: Reader) -> None:
    if noun.task == COPY:
        _check_copy(noun, path, reader)
    elif noun.task == IMPORT:
        _check_import(noun, path, reader)
    elif noun.task == EXPORT:
        _check_export(noun, path, reader)


def _check_copy(noun: Any, path: Path, reader: Reader) -> None:
    inputs, outputs = noun.inputs, noun.outputs
    if not inputs:
        reader.add_problem(path, f"{noun.noun} with 'task: copy_data' needs an input to copy", at_key=True)
    if len(outputs) != 1:
        where = (*path, "outputs") if outputs else path
        number = f"has {len(outputs)}" if outputs else "has none"
        reader.add_problem(where, f"copy_data writes one output, and this {number}", at_key=True)
        return
    types = {name: _find_type(value) for name, value in inputs.items()}
    for name, type in types.items():
        if type is not None and type not in ASSETS:
            words = f"copy_data copies files and folders, and '{name}' is a value"
            reader.add_problem((*path, "inputs", name), words)
    ((name, output),) = outputs.items()
    output_type = _find_type(output)
    known = {name: type for name, type in types.items() if type in ASSETS}
    if known and len(known) == len(types) and output_type is not None:
        problem = find_copy_problem({name: str(type) for name, type in known.items()}, output_type)
        if problem:
            reader.add_problem((*path, "outputs", name), problem, at_key=True)


def _check_import(noun: Any, path: Path, reader: Reader) -> None:
    for name in noun.inputs:
        words = f"import_data has no inputs: its data comes from '{SOURCE}'; remove '{name}'"
        reader.add_problem((*path, "inputs", name), words, at_key=True)
    wanted = WRITTEN.get(str(getattr(vars(noun).get(SOURCE), "type", None)))
    if not noun.outputs:
        if wanted:
            noun.outputs = {SINK: Output(type=wanted)}
        return
    if list(noun.outputs) != [SINK]:
        words = f"import_data writes one output, which is named '{SINK}'"
        reader.add_problem((*path, "outputs"), words, at_key=True)
        return
    type = _find_type(noun.outputs[SINK])
    if wanted and type is not None and type != wanted:
        what = "a database is imported as an" if wanted == "mltable" else "a file system is imported as a"
        reader.add_problem((*path, "outputs", SINK), f"{what} {wanted}; write 'type: {wanted}'", at_key=True)


def _check_export(noun: Any, path: Path, reader: Reader) -> None:
    for name in noun.outputs:
        words = f"export_data has no outputs: its data goes to '{SINK}'; remove '{name}'"
        reader.add_problem((*path, "outputs", name), words, at_key=True)
    if list(noun.inputs) != [SOURCE]:
        where = (*path, "inputs") if noun.inputs else path
        reader.add_problem(where, f"export_data has one input, which is named '{SOURCE}'", at_key=True)
        return
    type = _find_type(noun.inputs[SOURCE])
    if type is not None and type not in ASSETS:
        words = f"export_data sends a file or a folder, and '{SOURCE}' is a value"
        reader.add_problem((*path, "inputs", SOURCE), words)


def _find_type(value: Any) -> str | None:
    """Return the type of an input or output; None for one that is bound to something else."""
    if isinstance(value, (Input, Output)):
        is_bound = has_expression(value.path) and parse_binding(value.path) is not None
        return value.type or (None if is_bound else _DEFAULT_TYPE)
    if isinstance(value, str) and has_expression(value):
        return None
    return "string"
