"""What is served of MLflow at all, and how requests are read, without any server."""

from __future__ import annotations

import json

import pytest

from smalt.exceptions import NotFound, ValidationException
from smalt.service.tracking import policy, request_parsing

FILES = policy.ARTIFACTS


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact"),
        ("POST", "/api/2.0/mlflow/upload-artifact"),
        ("GET", "/get-artifact"),
        ("GET", "/model-versions/get-artifact"),
        ("POST", "/graphql"),
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/static-files/index.html"),
        ("POST", "/ajax-api/3.0/mlflow/assistant/run"),
        ("POST", "/api/3.0/mlflow/assistant/run"),
        ("POST", "/api/3.0/mlflow/gateway/secrets/create"),
        ("GET", "/api/3.0/mlflow/gateway/endpoints/list"),
        ("POST", "/gateway/chat/completions"),
        ("POST", "/api/2.0/mlflow/gateway-proxy"),
        ("POST", "/api/2.0/mlflow/webhooks"),
        ("POST", "/ajax-api/3.0/jobs"),
        ("POST", "/api/3.0/mlflow/scorers/register"),
        ("POST", "/api/2.0/mlflow/runs/create-promptlab-run"),
        ("GET", "/api/3.0/mlflow/workspaces"),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/create/x"),
        ("GET", "/api/2.0/mlflow-artifacts/presigned/x"),
        ("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url"),
        ("DELETE", f"{FILES}/ExperimentRun/dcid.a/x"),
        ("POST", "/smalt/runs"),
        ("POST", "/smalt/models"),
        ("GET", "/smalt/health"),
        ("POST", "//api/2.0/mlflow/runs/log-metric"),
        ("POST", "/api/2.0/mlflow/runs%2flog-metric"),
        ("POST", "/api/2.0/mlflow/%72uns/log-metric"),
        ("POST", "/api/2.0/mlflow//runs/log-metric"),
        ("POST", "/api/2.0/mlflow/runs/log-metric/"),
        ("POST", "/api/2.0/mlflow/runs/../runs/log-metric"),
        ("POST", "/API/2.0/mlflow/runs/log-metric"),
        ("PUT", "/api/2.0/mlflow/runs/log-metric"),
        ("HEAD", "/api/2.0/mlflow/runs/get"),
        ("OPTIONS", "/api/2.0/mlflow/runs/get"),
        ("PATCH", "/api/2.0/mlflow/logged-models/a%2fb"),
        ("PATCH", "/api/2.0/mlflow/logged-models/../x"),
    ],
)
def test_what_is_not_in_the_table_is_not_served(method: str, path: str) -> None:
    """Default-deny, for users too: dangerous routes, private ones, and other spellings of good ones."""
    for is_user in (True, False):
        with pytest.raises(NotFound, match="does not serve this route of MLflow"):
            policy.find_route(method, path, is_user=is_user)


def test_only_users_have_the_names_of_mlflows_pages() -> None:
    """/ajax-api is the same API; a job's token needs it not."""
    assert (
        policy.find_route("POST", "/ajax-api/2.0/mlflow/runs/search", is_user=True).path
        == "/api/2.0/mlflow/runs/search"
    )
    with pytest.raises(NotFound):
        policy.find_route("POST", "/ajax-api/2.0/mlflow/runs/search", is_user=False)


def test_the_registry_of_mlflow_1_is_where_it_was() -> None:
    """/api/2.0/preview leads to the registry of today."""
    found = policy.find_route("POST", "/api/2.0/preview/mlflow/registered-models/create", is_user=False)
    assert found.path == "/api/2.0/mlflow/registered-models/create"


def test_requests_that_may_be_sent_again_are_those_that_make_nothing() -> None:
    """What makes something new is sent to MLflow once."""
    for path in ("runs/create", "logged-models", "model-versions/create", "registered-models/create"):
        assert not policy.find_route("POST", f"/api/2.0/mlflow/{path}", is_user=False).route.again
    for path in ("runs/log-batch", "runs/log-metric", "runs/log-parameter", "runs/set-tag", "runs/update"):
        assert policy.find_route("POST", f"/api/2.0/mlflow/{path}", is_user=False).route.again


@pytest.mark.parametrize(
    "path",
    [
        "..", "../x", "a/../b", "a/..", "./a", "a//b", "/a", "a/", "%2e%2e/x", "a/%2e%2e/%2e%2e/b", "%252e%252e/x",
        "%25252e%25252e/x", "a%2f..%2fb", "a%252f..%252fb", "..%5cx", "a%5c..%5cb", "a%00b", "%2Fetc%2Fpasswd", "a%0ab",
        "%c0%ae%c0%ae/x", "%ff", "a%", "a%zz", "\u202e", ("%" + "25" * 6 + "2e") * 2,
    ],
)  # fmt: skip
def test_a_path_that_could_lead_out_in_any_reading_is_refused(path: str) -> None:
    """Decoded once, twice or more often, with slashes of either kind."""
    with pytest.raises(ValidationException):
        policy.find_route("PUT", f"{FILES}/{path}", is_user=True)


@pytest.mark.parametrize("name", ["a b.txt", "é.png", "k%step%1.png", "100%.txt", "a;b?c#d", "..x", "x..", "~", "a:b"])
def test_a_files_name_may_be_odd(name: str) -> None:
    """What was understood is encoded anew, to the same name."""
    from urllib.parse import quote

    found = policy.find_route("PUT", f"{FILES}/ExperimentRun/dcid.j/{quote(name)}", is_user=False)
    assert found.ids == ("ExperimentRun", "dcid.j", name)
    assert found.path == f"{FILES}/ExperimentRun/dcid.j/{quote(name, safe='')}"


@pytest.mark.parametrize(
    "raw",
    [
        b'{"run_id":"a","run_id":"b"}', b'{"tags":[{"key":"a","key":"b"}]}', b'"{\\"run_id\\": \\"a\\"}"', b"[]", b"1",
        b'{"runId":"a"}', b'{"run\\u0049d":"a"}', b'{"value":NaN}', b'{"value":-Infinity}', b"{", b'\xef\xbb\xbf{}',
        '{"run_id":"a"}'.encode("utf-16"), b'{"a":"\xff"}', b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"run_id ":"a"}', b'{"":1}',
    ],
)  # fmt: skip
def test_a_body_that_can_be_read_in_two_ways_is_refused(raw: bytes) -> None:
    """Keys twice, JSON in JSON, other encodings, other spellings of a field, numbers that are none."""
    with pytest.raises(ValidationException):
        request_parsing.parse_body(raw)


def test_an_escaped_key_is_the_key_that_it_spells() -> None:
    """The check sees what MLflow will see."""
    assert request_parsing.parse_body(b'{"run\\u005fid":"a"}') == {"run_id": "a"}
    assert json.loads(request_parsing.dump_json(request_parsing.parse_body(b'{"run\\u005fid":"a"}'))) == {"run_id": "a"}
    with pytest.raises(ValidationException):
        request_parsing.parse_body(b'{"run\\u005fid":"a","run_id":"b"}')


@pytest.mark.parametrize("value", [["a"], {"a": 1}, 1, True])
def test_an_id_is_a_text(value: object) -> None:
    """Lists and objects are no ids."""
    with pytest.raises(ValidationException, match="must be a text"):
        request_parsing.get_text({"run_id": value}, "run_id", "run_uuid")


def test_two_names_of_a_field_must_agree() -> None:
    """Clients send run_id and run_uuid; null is none."""
    assert request_parsing.get_text({"run_id": "a", "run_uuid": "a"}, "run_id", "run_uuid") == "a"
    assert request_parsing.get_text({"run_id": None, "run_uuid": "a"}, "run_id", "run_uuid") == "a"
    with pytest.raises(ValidationException, match="differ"):
        request_parsing.get_text({"run_id": "a", "run_uuid": "b"}, "run_id", "run_uuid")


@pytest.mark.parametrize("text", ["run_id=a&run_id=b", "path=a&path=b", "runId=a", "run_id=%ff", "a"])
def test_a_query_that_can_be_read_in_two_ways_is_refused(text: str) -> None:
    """What names a thing is there once."""
    with pytest.raises(ValidationException):
        request_parsing.parse_query(text)


@pytest.mark.parametrize(
    "source",
    [
        "/etc", "file:///etc", "s3://b/x", "dbfs:/x", "http://h/x", "runs:/../x", "runs:/a/%2e%2e/b", "runs://h/a/b",
        "mlflow-artifacts:/../x", "mlflow-artifacts://h/x", "mlflow-artifacts:/other/x",
        "mlflow-artifacts:/ExperimentRun",
        "azureml://datastores/x/paths/y", "azureml://jobs/a/outputs/artifacts/paths/../../x", "", "models:/",
    ],
)  # fmt: skip
def test_a_model_version_comes_from_the_workspace_only(source: str) -> None:
    """Not from the machine's files, nor from elsewhere with the server's own means."""
    with pytest.raises(ValidationException, match=r"cannot come from|not a path"):
        policy.resolve_source(source)


def test_a_jobs_output_is_a_source_as_azure_ml_spells_it() -> None:
    """azureml://jobs/… is the same files as the run's."""
    assert (
        policy.resolve_source("azureml://jobs/j/outputs/artifacts/paths/model")
        == "mlflow-artifacts:/ExperimentRun/dcid.j/model"
    )
    for source in ("runs:/j/model", "models:/m/1", "models:/m-0123456789abcdef", "mlflow-artifacts:/mlflow/1/models/m"):
        assert policy.resolve_source(source) == source
