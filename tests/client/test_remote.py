"""A server somewhere else: nothing is started, and what is local here is uploaded."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, MLClient
from smalt.client.transfers import file_hashes, uploads
from smalt.client.transfers.progress import TransferProgress
from smalt.entities import Data, Model, Registry
from smalt.exceptions import RefusedError, Unauthorized, Unavailable
from smalt.machine.home import Home
from tests.client.documents import command, make
from tests.helpers import LONGEST


@pytest.fixture
def remote(served: Home, client: MLClient, monkeypatch: pytest.MonkeyPatch) -> MLClient:
    """A client that knows only a URL and a token."""
    port = client.connection.get("/smalt/v1/status")["port"]
    monkeypatch.setenv("SMALT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("SMALT_TOKEN", str(served.read_token()))
    monkeypatch.setenv("SMALT_HOME", "/nowhere")
    scope = client.subscription_id, client.resource_group_name, client.workspace_name
    return MLClient(None, *scope)  # not the defaults of a home that is not there


def output(client: MLClient, job: Any) -> str:
    events: list[dict[str, Any]] = []
    client.jobs.stream(str(client.jobs.create_or_update(job).name), events.append)
    return "".join(e["text"] for e in events if e["t"] == "log" and e["file"].startswith("user_logs"))


def test_code_is_uploaded(remote: MLClient, tmp_path: Path) -> None:
    """With what runs as a program, links and empty folders, and without what is ignored."""
    (tmp_path / "run.sh").write_text("#!/bin/sh\nls -A; cat inside/link\n")
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "file").write_text("content\n")
    (tmp_path / "inside" / "link").symlink_to("file")
    (tmp_path / "empty").mkdir()
    (tmp_path / ".amlignore").write_text("skipped\n")
    (tmp_path / "skipped").write_text("")
    said = output(remote, command("./run.sh", code=str(tmp_path)))
    assert said.endswith("content\n")
    assert {"run.sh", "inside", "empty"} <= set(said.split())
    assert "skipped" not in said.split()


def test_the_same_code_is_the_same_wherever_it_comes_from(remote: MLClient, client: MLClient, tmp_path: Path) -> None:
    """Uploaded, or read in place."""
    (tmp_path / "main.py").write_text("print(1)")
    assert remote.code.create_or_update(tmp_path) == client.code.create_or_update(tmp_path)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_local_inputs_are_uploaded(remote: MLClient, tmp_path: Path, kind: str) -> None:
    """Once for each content."""
    source = tmp_path / "data"
    file = source if kind == "file" else source / "x.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text("hello\n")
    text = "cat ${{inputs.d}}" if kind == "file" else "cat ${{inputs.d}}/x.txt"
    job = command(text, inputs={"d": {"type": f"uri_{kind}", "path": str(source)}})
    assert output(remote, job) == "hello\n"
    assert output(remote, job) == "hello\n"
    uploads = list(remote.datastores.ls("workspaceblobstore", "LocalUpload"))
    assert len(uploads) == 1


def test_data_assets_are_uploaded(remote: MLClient, tmp_path: Path) -> None:
    """To the default datastore."""
    (tmp_path / "d.txt").write_text("x")
    made: Any = remote.data.create_or_update(make("data", name="d", type="uri_file", path=str(tmp_path / "d.txt")))
    assert made.path.startswith("azureml://datastores/workspaceblobstore/paths/LocalUpload/")


def test_what_is_uploaded_is_what_a_local_client_registers(remote: MLClient, client: MLClient, tmp_path: Path) -> None:
    """Without what the ignore file names, with links followed and empty folders, and read-only."""
    data = tmp_path / "data"
    for folder in ("empty", "skipped", "__pycache__"):
        (data / folder).mkdir(parents=True)
    (data / "skipped" / "x").write_text("secret")
    (data / "a").write_text("a")
    (data / "link").symlink_to("a")
    (data / ".amlignore").write_text("skipped\n")
    found = []
    for each in (remote, client):
        made: Any = each.data.create_or_update(make("data", name="same", type="uri_folder", path=str(data)))
        place = client.connection.post(f"/smalt/v1{client.workspace_id}/resolve", {"uri": made.path})["local"]
        here = sorted(Path(place).rglob("*"))
        assert not any(path.stat().st_mode & 0o222 for path in here if path.is_file())
        found.append([(str(path.relative_to(place)), path.is_file() and path.read_text()) for path in here])
    assert found[0] == found[1]
    assert [name for name, _ in found[0]] == [".amlignore", "a", "empty", "link"]


@pytest.mark.parametrize("size", [10, 9_000_000])
def test_a_file_that_changes_while_it_is_uploaded(
    remote: MLClient, client: MLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Is told; nothing stands under the name of a content that it is not, and the next upload is whole."""
    file = tmp_path / "f.bin"
    file.write_bytes(b"1" * size)
    original = file_hashes.hash_tree

    def overtaken(root: str, ignore: bool) -> file_hashes.HashedTree:
        found = original(root, ignore)
        file.write_bytes(b"2" * size)
        return found

    data = make("data", name="moving", type="uri_file", path=str(file))
    with monkeypatch.context() as moved:
        moved.setattr(file_hashes, "hash_tree", overtaken)
        with pytest.raises(Unavailable, match=r"f\.bin changed while it was being uploaded"):
            remote.data.create_or_update(data)
    made: Any = remote.data.create_or_update(data)
    place = client.connection.post(f"/smalt/v1{client.workspace_id}/resolve", {"uri": made.path})["local"]
    assert Path(place).read_bytes() == b"2" * size


def test_an_interrupt_stops_an_upload(
    remote: MLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """At once, with what has arrived kept: the next upload sends the rest."""
    for number in range(1000):  # far more than are sent until this thread is interrupted
        (tmp_path / f"{number:03}").write_bytes(f"{number:4}".encode() * 250)
    monkeypatch.setattr(uploads, "_REQUEST", 3000)
    sent: list[int] = []
    data = make("data", name="cut", type="uri_folder", path=str(tmp_path))
    original, guard, interrupted = TransferProgress.add_sent, threading.Lock(), threading.Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    def add(self: TransferProgress, files: int, size: int) -> None:
        original(self, files, size)
        with guard:
            is_due = sum(sent) < 30 <= sum(sent) + files
            sent.append(files)
        if is_due:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        if sum(sent) >= 30:  # a busy machine may let senders end before the main thread hears of it
            assert interrupted.wait(LONGEST)

    monkeypatch.setattr(TransferProgress, "add_sent", add)
    before = signal.signal(signal.SIGINT, interrupt)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with pytest.raises(KeyboardInterrupt):
        remote.data.create_or_update(data)
    first = sum(sent)
    assert 30 <= first < 1000
    remote.data.create_or_update(data)
    assert sum(sent) == 1000


def test_results_are_downloaded(remote: MLClient, tmp_path: Path) -> None:
    """File by file, in az's layout."""
    text = "mkdir ${{outputs.o}}/deep; echo 1 > ${{outputs.o}}/deep/a; echo 2 > ${{outputs.f}}; echo 3 > outputs/x"
    job = remote.jobs.create_or_update(command(text, outputs={"o": None, "f": {"type": "uri_file"}}))
    remote.jobs.stream(str(job.name), lambda event: None)
    remote.jobs.download(str(job.name), download_path=tmp_path, all=True)
    assert (tmp_path / "named-outputs/o/deep/a").read_text() == "1\n"
    assert [path.read_text() for path in (tmp_path / "named-outputs/f").iterdir()] == ["2\n"]
    assert (tmp_path / "artifacts/outputs/x").read_text() == "3\n"


def test_long_lists_come_in_pages(remote: MLClient) -> None:
    """Whose addresses are the server's, as this client reaches it."""
    for number in range(3):
        remote.components.create_or_update(
            make("component", type="command", name=f"c{number}", command="x", environment="azureml:host")
        )
    found = remote.connection.list_items(f"{remote.workspace_id}/components", count=1)
    assert [body["name"] for body in found] == ["c0", "c1", "c2"]


def test_a_wrong_token_is_refused(remote: MLClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything else."""
    monkeypatch.setenv("SMALT_TOKEN", "wrong")
    with pytest.raises(Unauthorized):
        MLClient().workspaces.get()


def test_a_path_of_the_servers_machine_is_refused(remote: MLClient) -> None:
    """Only who reads the server's files may name them."""
    with pytest.raises(RefusedError):
        remote.connection.post(f"/smalt/v1{remote.workspace_id}/snapshots", {"path": "/etc"})


def test_registries(remote: MLClient, client: MLClient, tmp_path: Path) -> None:
    """What is local here becomes files of a registry there, and comes back; paths of its machine cannot be named."""
    registry = MLClient(registry_name="afar")
    remote.registries.begin_create(Registry(name="afar", location="westeurope")).result()
    with pytest.raises(RefusedError, match="Unix socket"):
        remote.registries.begin_create(Registry(name="near", location=str(tmp_path))).result()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("1 2 3")
    made = registry.models.create_or_update(Model(name="m", path=str(tmp_path / "model"), type="custom_model"))
    assert made.path == "azureml://registries/afar/models/m/versions/1"
    registry.models.download("m", "1", tmp_path / "got")
    assert (tmp_path / "got" / "m" / "weights").read_text() == "1 2 3"
    assert "1 2 3" in output(remote, command("cat ${{inputs.m}}/weights", inputs={"m": _model(made.path)}))
    path = registry.models._build_put_path("m", "2")
    with pytest.raises(RefusedError, match="path of the server's machine"):
        remote.connection.put(path, {"properties": {"modelUri": "file:///etc/hostname", "modelType": "custom_model"}})


def _model(path: str | None) -> Input:
    return Input(type="custom_model", path=path)


def _tree(folder: Path) -> Path:
    for number in range(30):
        file = folder / f"d{number % 3}" / f"f{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes([number]) * 1000)
    (folder / "large").write_bytes(b"x" * 9_000_000)
    return folder


def _sent(remote: MLClient, monkeypatch: pytest.MonkeyPatch, most: int = 1000) -> list[int]:
    """The sizes of the requests with content; the connection breaks after `most` of them."""
    from smalt.client.connection.connection import ApiConnection
    from smalt.client.connection.http1 import BodyParts

    sizes: list[int] = []
    request = ApiConnection.request

    def noted(self: ApiConnection, method: str, path: str, body: object = None, *more: Any, **rest: Any) -> Any:
        if isinstance(body, BodyParts):
            if len(sizes) == most:
                raise Unavailable("the line is cut")
            sizes.append(sum(map(len, body)))
        return request(self, method, path, body, *more, **rest)

    monkeypatch.setattr(ApiConnection, "request", noted)
    return sizes


def test_many_files_go_in_few_requests(remote: MLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each content once: what is there is not sent again, under whatever name, and unchanged files are not read."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = _tree(tmp_path / "tree")
    sizes = _sent(remote, monkeypatch)
    made = remote.data.create_or_update(Data(name="tree", path=str(tree)))
    assert (len(sizes), sum(sizes) > 9_030_000) == (3, True)
    again = remote.data.create_or_update(Data(name="other", path=str(tree)))
    assert (again.path, len(sizes)) == (made.path, 3)
    job = command("cd ${{inputs.d}} && cat */f* | wc -c; wc -c < large", inputs={"d": Input(path=made.path)})
    assert output(remote, job).split()[-2:] == ["30000", "9000000"]


def test_an_upload_that_broke_goes_on(remote: MLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What had arrived is not sent again, and nothing is registered meanwhile."""
    tree = _tree(tmp_path / "broken")
    with monkeypatch.context() as cut:
        first = _sent(remote, cut, most=1)
        with pytest.raises(Unavailable, match="cut"):
            remote.data.create_or_update(Data(name="broken", version="1", path=str(tree)))
    assert not [one.name for one in remote.data.list() if one.name == "broken"]
    second = _sent(remote, monkeypatch)
    remote.data.create_or_update(Data(name="broken", version="1", path=str(tree)))
    assert sum(first) > 0
    assert sum(first) + sum(second) < 9_040_000


def test_code_goes_in_few_requests(remote: MLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files together; the same code is not sent again."""
    tree = _tree(tmp_path / "code")
    (tree / "large").unlink()
    sizes = _sent(remote, monkeypatch)
    assert remote.code.create_or_update(tree) == remote.code.create_or_update(tree)
    assert len(sizes) == 1
