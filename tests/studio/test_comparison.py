"""What the page that compares jobs asks for: facts of steps, and variables without secrets."""

from __future__ import annotations

from smalt.service.api.comparison.hidden_values import hide_secrets
from smalt.service.api.comparison.job_comparison import parse_packages
from tests.helpers import Server, host_job
from tests.studio.pipelines import make_step, run_pipeline


def test_the_facts_of_steps(server: Server, workspace: str) -> None:
    """Each step with what it ran and read, by its path; an output that another step reads is named by that step."""
    steps = {
        "make": make_step("echo 1 > ${{outputs.o}}/f", outputs={"o": {"type": "uri_folder"}}),
        "read": make_step(
            "echo ${{inputs.rate}}; cat ${{inputs.i}}/f",
            inputs={"i": {"type": "uri_folder"}, "rate": {"type": "number"}},
            values={
                "i": {"job_input_type": "uri_folder", "uri": "${{parent.jobs.make.outputs.o}}"},
                "rate": {"job_input_type": "literal", "value": "${{parent.inputs.rate}}"},
            },
        ),
    }
    inputs = {"rate": {"jobInputType": "literal", "value": "0.5"}}
    assert run_pipeline(server, workspace, "p", steps, inputs=inputs) == "Completed"
    found = server.ask("GET", f"/smalt/v1{workspace}/jobs/p/step-facts").body["steps"]
    assert list(found) == ["", "make", "read"]
    assert found[""] == {"job": "p", "parameters": {"rate": "0.5"}}
    assert found["read"]["parameters"] == {"rate": "0.5"}
    assert found["read"]["inputs"] == {"i": "make.outputs.o"}
    assert found["read"]["command"] == "echo ${{inputs.rate}}; cat ${{inputs.i}}/f"
    assert found["make"]["status"] == "Completed"
    flat = server.ask("POST", f"/smalt/v1{workspace}/compare", {"jobs": ["p"]}).body["jobs"][0]["steps"]
    assert (flat["read: inputs.rate"], flat["read: inputs.i"]) == ("0.5", "make.outputs.o")
    assert server.ask("GET", f"/smalt/v1{workspace}/jobs/none/step-facts").status == 404


def test_packages_are_the_lines_of_text() -> None:
    """Whatever else a conda file has in their place, however much its aliases make of it, is no package."""
    levels = ", ".join(f"&l{k} [{', '.join([f'*l{k - 1}'] * 9) if k else 1}]" for k in range(9))
    conda = f"dependencies: [python=3.11, {levels}, {{pip: [numpy==2.0, *l8]}}]"
    assert parse_packages(conda) == {"python": "=3.11", "numpy": "==2.0"}
    assert parse_packages("a: [") == {}


def test_variables_are_compared_without_their_secrets(server: Server, workspace: str) -> None:
    """A value that may be a secret is a mark, the same for the same value and no part of it."""
    for name, key in (("a", "k1"), ("b", "k1"), ("c", "k2")):
        body = host_job("true", environmentVariables={"API_KEY": key, "EPOCHS": "3"})
        assert server.ask("PUT", f"{workspace}/jobs/{name}", body).status == 201
    jobs = server.ask("POST", f"/smalt/v1{workspace}/compare", {"jobs": ["a", "b", "c"]}).body["jobs"]
    a, b, c = (job["variables"]["API_KEY"] for job in jobs)
    assert a == b != c
    assert a.startswith("hidden (")
    assert {job["variables"]["EPOCHS"] for job in jobs} == {"3"}


def test_what_may_be_a_secret() -> None:
    """By its name, or by a password in its value; a reference to a secret is none."""
    shown = hide_secrets(
        {
            "DB_PASSWORD": "x",
            "URL": "postgres://me:pw@host/db",
            "STORE": "DefaultEndpointsProtocol=https;AccountKey=abc",
            "HF_TOKEN": "${{secrets.hf}}",
            "MIXED_TOKEN": "x${{secrets.hf}}",
            "KEYBOARD": "de",
            "MONKEY": "1",
            "PLAIN_URL": "https://host/db",
            "EMPTY_TOKEN": "",
        }
    )
    hidden = {name for name, value in shown.items() if value.startswith("hidden")}
    assert hidden == {"DB_PASSWORD", "URL", "STORE", "MIXED_TOKEN"}
    assert hide_secrets(None) == {}
