"""azure-storage-blob on the workspace's containers, as Azure's storage account or Azurite is used."""

from __future__ import annotations

import io
import json
import os
import subprocess
import urllib.request
from collections.abc import Callable

import desk
from azure.ai.ml import Input, command
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient, ContainerClient
from desk import HOST, done, ml, refused

ACCOUNT = "https://" + ml.datastores.get("workspaceblobstore").account_name.removesuffix("/?")
LARGE = os.urandom(9 << 20)
SMALL_BLOCKS = {"max_single_put_size": 1 << 20, "max_block_size": 1 << 20, "max_single_get_size": 1 << 20}
service = BlobServiceClient(ACCOUNT, credential=DefaultAzureCredential(), max_chunk_get_size=1 << 20, **SMALL_BLOCKS)
store = service.get_container_client("azureml-blobstore")


def code(call: Callable[[], object]) -> str:
    """The storage service's word for the error that the call must end with."""
    try:
        call()
    except HttpResponseError as error:
        return str(getattr(error.error_code, "value", error.error_code))
    raise AssertionError("nothing was refused")


def link(datastore: str) -> str:
    """The query that opens its container."""
    path = ml.datastores.get(datastore).id
    token = DefaultAzureCredential().get_token("https://management.azure.com/.default").token
    url = f"{os.environ['AZUREML_DEV_URL_MFE']}{path}/listSecrets"
    asked = urllib.request.Request(url, b"{}", {"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked) as answer:
        return str(json.load(answer)["sasToken"])


def it_lists_containers() -> None:
    """Those of the datastores; others are not there, and none is made or deleted by this way."""
    names = [one.name for one in service.list_containers()]
    assert {"azureml-blobstore", "azureml"} <= set(names), names
    assert store.exists()
    assert not service.get_container_client("nowhere").exists()
    assert "no container 'nowhere'" in refused(lambda: service.create_container("nowhere"))
    assert "not possible here" in refused(store.delete_container)
    assert service.get_account_information()["account_kind"] == "StorageV2"


def it_uploads_and_downloads() -> None:
    """In blocks, several at a time, each with its MD5; in ranges; an empty one, too."""
    store.upload_blob("up/large", LARGE, max_concurrency=4, validate_content=True, metadata={"a": "b"})
    got = store.download_blob("up/large", max_concurrency=3, validate_content=True)
    assert (got.readall() == LARGE, got.properties.metadata, got.properties.size) == (True, {"a": "b"}, len(LARGE))
    assert store.download_blob("up/large", offset=5 << 20, length=7).readall() == LARGE[5 << 20 : (5 << 20) + 7]
    store.upload_blob("up/empty", b"")
    assert store.download_blob("up/empty").readall() == b""
    assert code(lambda: store.upload_blob("up/empty", b"more")) == "BlobAlreadyExists"
    store.upload_blob("up/empty", b"more", overwrite=True)
    assert store.download_blob("up/empty", encoding="utf-8").readall() == "more"


def it_lists_and_deletes() -> None:
    """Flat, by prefix, by folder, in pages, with metadata."""
    for name in ("list/a", "list/b/c", "list/b/d"):
        store.upload_blob(name, b"1", metadata={"name": name[-1]})
    assert [one.name for one in store.list_blobs("list/", results_per_page=2)] == ["list/a", "list/b/c", "list/b/d"]
    assert sorted(one.name for one in store.walk_blobs("list/")) == ["list/a", "list/b/"]
    assert [one.metadata for one in store.list_blobs("list/b/", include=["metadata"])] == [{"name": "c"}, {"name": "d"}]
    store.delete_blob("list/a")
    assert not store.get_blob_client("list/a").exists()
    assert code(lambda: store.delete_blob("list/a")) == "BlobNotFound"


def it_copies() -> None:
    """Within the workspace, whole or by ranges; nothing from elsewhere."""
    source = store.upload_blob("copy/from", LARGE, metadata={"a": "b"})
    copied = store.get_blob_client("copy/to")
    assert copied.start_copy_from_url(source.url)["copy_status"] == "success"
    assert (copied.download_blob().readall() == LARGE, copied.get_blob_properties().metadata) == (True, {"a": "b"})
    other = service.get_blob_client("azureml", "copy/again")
    other.upload_blob_from_url(source.url)
    assert other.get_blob_properties().size == len(LARGE)
    parts = store.get_blob_client("copy/parts")
    parts.stage_block_from_url("one", source.url, source_offset=10, source_length=5)
    parts.stage_block_from_url("two", source.url, source_offset=0, source_length=3)
    parts.commit_block_list([BlobBlock("one"), BlobBlock("two")])
    assert parts.download_blob().readall() == LARGE[10:15] + LARGE[:3]
    assert "only a blob of this workspace" in refused(lambda: copied.start_copy_from_url("https://example.org/a/b"))


def it_opens_with_a_link() -> None:
    """One container only, also as the source of a copy."""
    sas = link("workspaceblobstore")
    linked = ContainerClient.from_container_url(f"{ACCOUNT}azureml-blobstore?{sas}")
    linked.upload_blob("sas/one", b"1")
    assert [one.name for one in linked.list_blobs("sas/")] == ["sas/one"]
    linked.get_blob_client("sas/two").start_copy_from_url(f"{ACCOUNT}azureml-blobstore/sas/one")
    assert linked.download_blob("sas/two").readall() == b"1"
    foreign = ContainerClient.from_container_url(f"{ACCOUNT}azureml?{sas}")
    for call in (lambda: foreign.upload_blob("x", b""), lambda: list(foreign.list_blobs())):
        assert "wants a token" in refused(call)
    service.get_blob_client("azureml", "hidden").upload_blob(b"hidden", overwrite=True)
    message = refused(lambda: linked.get_blob_client("x").start_copy_from_url(f"{ACCOUNT}azureml/hidden"))
    assert "does not open container 'azureml'" in message, message


def it_opens_with_a_connection_string() -> None:
    """Requests signed with the account's key; one by another key, or for another account, is refused."""
    text = az("storage", "account", "show-connection-string", "--query", "connectionString", "-o", "tsv")
    keyed = BlobServiceClient.from_connection_string(text, **SMALL_BLOCKS).get_container_client("azureml-blobstore")
    name = "key/with space & more+ü.bin"
    keyed.upload_blob(name, LARGE, max_concurrency=2, metadata={"upload_status": "done", "name": "n"})
    assert keyed.download_blob(name).readall() == LARGE
    assert next(iter(keyed.list_blobs("key/", include=["metadata"]))).metadata["upload_status"] == "done"
    keyed.get_blob_client("key/copy").start_copy_from_url(keyed.get_blob_client(name).url)
    keyed.delete_blob(name)
    assert [one.name for one in keyed.list_blobs("key/")] == ["key/copy"]
    key = text.partition("AccountKey=")[2].partition(";")[0]
    assert key == az("storage", "account", "keys", "list", "--query", "[0].value", "-o", "tsv")
    for wrong in (text.replace(key, "A" * 43 + "="), text.replace(".blob.core", "x.blob.core")):
        other = BlobServiceClient.from_connection_string(wrong).get_container_client("azureml-blobstore")
        assert "not signed with this account's key" in refused(lambda other=other: list(other.list_blobs()))


def az(*words: str) -> str:
    place = ["--defaults", "subscription=my-subscription", "group=my-group", f"workspace={ml.workspace_name}"]
    subprocess.run(["az", "configure", *place], check=True)
    return subprocess.run(["az", *words], check=True, capture_output=True, text=True).stdout.strip()


def it_goes_on_with_a_broken_upload() -> None:
    """The blocks that arrived are listed; the rest is sent, by another client."""
    store.get_blob_client("resumed").stage_block("0", LARGE[:100])
    again = BlobClient(ACCOUNT, "azureml-blobstore", "resumed", credential=DefaultAzureCredential())
    committed, waiting = again.get_block_list("all")
    assert (committed, [(one.id, one.size) for one in waiting]) == ([], [("0", 100)])
    assert "1 blocks that were not sent" in refused(lambda: again.commit_block_list([BlobBlock("0"), BlobBlock("1")]))
    again.stage_block("1", LARGE[100:250], validate_content=True)
    again.commit_block_list([BlobBlock("0"), BlobBlock("1")], metadata={"state": "done"})
    assert again.download_blob().readall() == LARGE[:250]
    assert again.get_blob_properties().metadata == {"state": "done"}


def it_notices_damage() -> None:
    """An MD5 that is not of the bytes is refused, and nothing is kept."""
    blob = store.get_blob_client("damaged")
    assert (
        code(lambda: blob.upload_blob(b"right", headers={"Content-MD5": "MTIzNDU2Nzg5MDEyMzQ1Ng=="})) == "Md5Mismatch"
    )
    assert not blob.exists()


def it_minds_conditions() -> None:
    """ETags: what changed meanwhile is not overwritten, deleted or read half and half."""
    blob = store.get_blob_client("conditional")
    first = blob.upload_blob(b"1")["etag"]
    assert (
        blob.upload_blob(b"2", overwrite=True, etag=first, match_condition=MatchConditions.IfNotModified)["etag"]
        != first
    )
    changed = {"etag": first, "match_condition": MatchConditions.IfNotModified}
    assert code(lambda: blob.upload_blob(b"3", overwrite=True, **changed)) == "ConditionNotMet"
    assert code(lambda: blob.delete_blob(**changed)) == "ConditionNotMet"
    assert code(lambda: blob.download_blob(**changed)) == "ConditionNotMet"
    assert blob.download_blob().readall() == b"2"


def it_is_what_jobs_read_and_write() -> None:
    """A blob is a job's input, and a job's log is a blob."""
    store.upload_blob("job/in.txt", io.BytesIO(b"from a blob"))
    uri = "azureml://datastores/workspaceblobstore/paths/job/in.txt"
    job = command(command="cat ${{inputs.d}}", environment=HOST, inputs={"d": Input(type="uri_file", path=uri)})
    over = done(ml.jobs.create_or_update(job))
    log = service.get_blob_client("azureml", f"ExperimentRun/dcid.{over.name}/user_logs/std_log.txt")
    assert b"from a blob" in log.download_blob().readall()


desk.report()
