"""Servers that speak as the clouds do, on this machine, and what reaches them.

`smalt[azure,s3,gcs]`, `moto[server]`, `gcp-storage-emulator`, and Azurite from npm (`azurite-blob` on the PATH,
or named by SMALT_TEST_AZURITE).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.helpers import eventually, find_free_port

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, the same everywhere."""


class Cloud(NamedTuple):
    """A container called `box`, and the datastore that is it."""

    files: Any
    """fsspec's own file system, for a test to look with."""
    datastore: dict[str, Any]
    secret: str
    url: str
    """Its container as a URL of the cloud."""


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    _need("adlfs")
    program = os.environ.get("SMALT_TEST_AZURITE") or shutil.which("azurite-blob") or _need("azurite-blob")
    folder, port = tmp_path_factory.mktemp("azurite"), find_free_port()
    where = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    command = [str(program), *where, "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    with _running(command, folder, port):
        import adlfs

        endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
        text = f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};"
        files = adlfs.AzureBlobFileSystem(account_name=ACCOUNT, connection_string=text, use_listings_cache=False)
        files.mkdir("box")
        datastore = {
            "datastoreType": "AzureBlob", "accountName": ACCOUNT, "containerName": "box", "endpoint": endpoint,
            "credentials": {"credentialsType": "AccountKey", "secrets": {"secretsType": "AccountKey", "key": KEY}},
        }  # fmt: skip
        yield Cloud(files, datastore, KEY, f"wasbs://box@{ACCOUNT}.blob.core.windows.net")


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    _need("s3fs")
    _need("moto")
    port = find_free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _running(command, tmp_path_factory.mktemp("moto"), port):
        import s3fs

        endpoint = f"http://127.0.0.1:{port}"
        files = s3fs.S3FileSystem(key="id", secret="s3-secret-key", endpoint_url=endpoint, use_listings_cache=False)
        files.mkdir("box")
        secrets = {"secretsType": "AccessKey", "secretAccessKey": "s3-secret-key"}
        datastore = {
            "datastoreType": "S3", "bucketName": "box", "endpoint": endpoint,
            "credentials": {"credentialsType": "AccessKey", "accessKeyId": "id", "secrets": secrets},
        }  # fmt: skip
        yield Cloud(files, datastore, "s3-secret-key", "s3://box")


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Google's storage, which everybody may read and write."""
    _need("gcsfs")
    _need("gcp_storage_emulator")
    port = find_free_port()
    where = ["start", "--host=127.0.0.1", f"--port={port}", "--in-memory", "--default-bucket=box"]
    command = [sys.executable, "-c", "from gcp_storage_emulator.__main__ import main; main()", *where]
    with _running(command, tmp_path_factory.mktemp("gcs"), port):
        from gcsfs.core import GCSFileSystem

        endpoint = f"http://127.0.0.1:{port}"
        files = GCSFileSystem(token="anon", endpoint_url=endpoint, use_listings_cache=False)
        datastore = {
            "datastoreType": "Gcs", "bucketName": "box", "endpoint": endpoint,
            "credentials": {"credentialsType": "None"},
        }  # fmt: skip
        yield Cloud(files, datastore, "", "gs://box")


@pytest.fixture(params=["azurite", "moto", "gcs"])
def cloud(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def _need(name: str) -> None:
    """Installed, or the test says that it cannot be; in CI that is a failure."""
    if find_spec(name.replace("-", "_")) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed: see {__file__}")


@contextlib.contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    with open(folder / "said.txt", "wb") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, start_new_session=True)
    try:
        eventually(lambda: _answers(port) or process.poll() is not None, "the server")
        assert process.poll() is None, (folder / "said.txt").read_text()
        yield
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
