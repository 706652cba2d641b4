"""Mistakes in files of online deployments, which are told before anything is started."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk

DEPLOYMENT = """
    name: blue
    endpoint_name: wrong
    model: azureml:nothing:1
    code_configuration: {code: code, scoring_script: score.py}
    environment: azureml:nowhere@latest
"""


@pytest.fixture
def wrong(desk: Desk) -> Desk:
    """A desk with an endpoint and the file of a deployment that names things which are not there."""
    desk.write("code/score.py", "def init():\n    pass\ndef run(raw):\n    return 1\n")
    desk.write("blue.yml", DEPLOYMENT)
    desk.smalt("online-endpoint create -n wrong")
    return desk


def test_what_a_deployment_names_and_nobody_has_is_told_at_its_line(wrong: Desk) -> None:
    """Model and environment at once, and nothing is stored."""
    refused = wrong.smalt("online-deployment create -f blue.yml")
    assert refused.code == 2
    for words in ("blue.yml:4:8: there is no model 'nothing:1'", "blue.yml:6:14: there is no environment 'nowhere@"):
        assert words in refused.err
    assert wrong.smalt("online-deployment show -n blue -e wrong").code == 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("score.py", "scor.py", "blue.yml:5:50: there is no file 'scor.py' in the code"),
        ("code: code", "code: coda", "blue.yml:5:28: there is no"),
    ],
)
def test_a_script_that_is_not_there_is_told_at_its_line(wrong: Desk, old: str, new: str, words: str) -> None:
    """Before anything is sent."""
    wrong.write("blue.yml", DEPLOYMENT.replace(old, new))
    refused = wrong.smalt("online-deployment create -f blue.yml")
    assert (refused.code in (1, 2), words in refused.err) == (True, True), refused.err


def test_a_script_that_cannot_be_compiled_is_told_at_its_own_line(wrong: Desk) -> None:
    """Unless the user says that it is not to be compiled here, but in its environment."""
    wrong.write("code/score.py", "def init():\n    pass\ndef run(raw:\n    return 1\n")
    refused = wrong.smalt("online-deployment create -f blue.yml")
    assert (refused.code, "code/score.py:3:8: " in refused.err) == (2, True), refused.err
    refused = wrong.smalt("online-deployment create -f blue.yml --skip-script-validation")
    assert "there is no model" in refused.err
