"""Sentences about processes of online deployments that ended before they answered, made of real logs."""

from __future__ import annotations

import pytest

from smalt.service.compute.backend import Exit
from smalt.service.endpoints.online.exit_reasons import explain_failed_start, find_reason

NAME = "azureml_inference_server_http.server.user_script.UserScriptError"
SERVER = "/e/venv/lib/python3.10/site-packages/azureml_inference_server_http/server"
HARMLESS = f"""
2026-11-29 23:54:29,729 E [28664] azmlinfsrv.trace - Error while fetching model IDs
Traceback (most recent call last):
  File "{SERVER}/appinsights_client.py", line 230, in _get_model_ids
    versions = [int(version) for version in os.listdir(os.path.join(config.azureml_model_dir, model))]
ValueError: invalid literal for int() with base 10: 'w.txt'
"""
LACKING = f"""{HARMLESS}
2026-11-29 23:54:29,741 E [28664] azmlinfsrv - Traceback (most recent call last):
  File "{SERVER}/user_script.py", line 88, in load_script
    raise UserScriptError(f"User script at {{user_module.__file__}} does not have a init() function defined.")
{NAME}: User script at /h/1/wd/score.py does not have a init() function defined.

2026-11-29 23:54:29,741 I [28664] gunicorn.error - Worker exiting (pid: 28664)
"""
RAISING = f"""{HARMLESS}
2026-11-29 23:54:44,106 E [29527] azmlinfsrv - Traceback (most recent call last):
  File "{SERVER}/user_script.py", line 117, in invoke_init
    self._user_init()
  File "/h/1/wd/inner/score.py", line 4, in init
    load()
  File "/e/venv/lib/python3.10/site-packages/joblib/numpy_pickle.py", line 650, in load
    with open(filename, 'rb') as f:
FileNotFoundError: [Errno 2] No such file or directory: 'model.pkl'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "{SERVER}/aml_blueprint.py", line 109, in setup
    self.user_script.invoke_init()
azureml_inference_server_http.server.user_script.UserScriptException: Caught an unhandled exception from the user script

2026-11-29 23:54:44,107 I [29527] gunicorn.error - Worker exiting (pid: 29527)
"""


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (LACKING, "score.py has no function init(), which the server calls"),
        (RAISING, "FileNotFoundError: [Errno 2] No such file or directory: 'model.pkl' (inner/score.py:4)"),
        (HARMLESS, None),
        ("Killed", None),
    ],
)
def test_the_reason_is_the_scripts_own(log: str, reason: str | None) -> None:
    """With the line of the script; what Azure's server says of itself is none."""
    assert find_reason(log.splitlines(), "/h/1/wd") == reason


def test_a_failed_start_is_a_sentence() -> None:
    """With advice where to read on; without a reason the end of the log follows."""
    ended = Exit("o1", 3, None, "exited", None, 1.0, 2.0, None)
    told = explain_failed_start(ended, RAISING.splitlines(), "/h/1/wd", "'get-logs' has its log")
    assert "\n" not in told
    assert told.startswith("the server of the deployment ended before it answered (exit code 3): FileNotFoundError")
    assert told.endswith("'get-logs' has its log")
    assert explain_failed_start(ended, ["a", "b"], "/h", "").endswith("; the end of its log:\na\nb")
