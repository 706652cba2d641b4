"""Methods that only v1's objects have: called on an object that the text does not tell, they are for a person."""

from __future__ import annotations

import ast

from smalt.v1.upgrade.values import NeedsPersonError

_SUBMITTED = frozenset(("ScriptRunConfig", "Pipeline", "AutoMLConfig", "Sweep"))
_ONLY_IN_V1 = frozenset(
    (
        "wait_for_completion", "get_metrics", "get_file_names", "get_details", "get_details_with_logs",
        "get_portal_url", "register_model", "download_files", "get_all_logs", "find_step_run", "submit_child",
        "get_best_run_by_primary_metric", "get_best_child", "get_children_sorted_by_primary_metric",
        "as_named_input", "as_mount", "as_download", "log_list", "log_row", "log_confusion_matrix",
        "start_logging", "register_on_complete", "run_after", "get_default_datastore",
    )
)  # fmt: skip
"""Methods that no other library is likely to have."""


def check_method(node: ast.Call, function: ast.Attribute, given: set[str]) -> None:
    """Raise NeedsPersonError for a method that only v1's objects have; `given` are the kinds of its arguments."""
    if function.attr == "submit" and given & _SUBMITTED:
        form = "ml_client.jobs.create_or_update(job, experiment_name=…)"
    elif function.attr in _ONLY_IN_V1:
        form = _find_form(function.attr)
    else:
        return
    text = f"the text does not tell what '{ast.unparse(function.value)}' is, so it may be v2's by now; write {form}"
    raise NeedsPersonError(text, node=node)


def _find_form(method: str) -> str:
    """Return what a method of v1's is in v2."""
    from smalt.v1.mapping import list_rows

    rows = (row for row in list_rows() if row.name.rpartition(".")[2] == method and row.v2 not in ("", "none"))
    return next((row.v2 for row in rows), "its form in v2")
