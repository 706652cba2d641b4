from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import uv

from smalt.exceptions import RefusedError
from smalt.machine.home import Home
from smalt.service.data.files.write_protection import allow_writing
from smalt.service.environments import BuiltEnvironment, Environments
from smalt.service.environments.builders.installed_packages import list_packages
from tests.helpers import eventually

from .conftest import Settings, conda, run


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def home(shared_home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """One home for all of these tests: each only looks at what is built in it."""
    monkeypatch.setenv("SMALT_HOME", str(shared_home.root))
    return shared_home


@pytest.fixture
def realised(environments: Environments) -> BuiltEnvironment:
    return asyncio.run(environments.get_or_build(conda("shade==1.0"), lambda line: None))


def installed(realised: BuiltEnvironment) -> list[str]:
    """What is in the shared environment itself."""
    return list_packages(realised.template.sees)


def test_a_job_sees_the_environments_packages_and_commands(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """As if they were its own: the command runs with the job's Python."""
    own = realised.clone(tmp_path / "job")
    assert run(own, "shade") == f"1.0 {tmp_path}/job"
    assert run(own, "which python pip") == f"{tmp_path}/job/bin/python\n{tmp_path}/job/bin/pip"
    assert "shade" in run(own, "pip list")


def test_a_job_that_pip_installs_changes_only_itself(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """New packages, newer ones and their commands are the job's; another job and the environment see none of it."""
    before = installed(realised)
    one, two = realised.clone(tmp_path / "one"), realised.clone(tmp_path / "two")
    run(one, "pip install hue shade==2.0")
    assert run(one, "shade; hue; python -c 'import shade; print(shade.__version__)'").split()[::2] == [
        "2.0",
        "1.0",
        "2.0",
    ]
    assert run(two, "shade") == f"1.0 {tmp_path}/two"
    assert run(two, "hue 2>/dev/null || echo none") == "none"
    assert installed(realised) == before


def test_a_job_that_pip_uninstalls_changes_only_itself(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """What the environment has cannot be taken from it; what the job installed can."""
    one, two = realised.clone(tmp_path / "one"), realised.clone(tmp_path / "two")
    assert "Not uninstalling shade" in run(one, "pip uninstall -y shade")
    run(one, "pip install shade==2.0 && pip uninstall -y shade")
    assert run(one, "python -c 'import shade; print(shade.__version__)'") == "1.0"
    assert run(two, "shade") == f"1.0 {tmp_path}/two"


def test_a_job_that_uses_uv_changes_only_itself(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """uv follows VIRTUAL_ENV, which is the job's."""
    before = installed(realised)
    own = realised.clone(tmp_path / "job")
    run(own, f"{uv.find_uv_bin()} pip install --no-index --find-links $PIP_FIND_LINKS shade==2.0 ink")
    assert run(own, "shade") == f"2.0 {tmp_path}/job"
    assert installed(realised) == before


def test_pip_knows_what_the_environment_has(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """A requirement that it meets is not installed again."""
    assert "already satisfied: shade" in run(realised.clone(tmp_path / "job"), "pip install hue")


def test_a_virtual_environment_within_a_job_is_empty(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """As it is for a job on the service."""
    own = realised.clone(tmp_path / "job")
    run(own, f"python -m venv --without-pip {tmp_path}/inner")
    assert run(own, f"{tmp_path}/inner/bin/python -c 'import shade' 2>/dev/null || echo empty") == "empty"


def test_an_untouched_view_serves_the_next_job(
    environments: Environments, realised: BuiltEnvironment, tmp_path: Path
) -> None:
    """It is moved, not made; its commands still run with their own Python."""
    first = realised.clone(tmp_path / "first")
    inode = os.stat(tmp_path / "first").st_ino
    run(first, "shade")
    environments.release_view(tmp_path / "first")
    assert not (tmp_path / "first").exists()
    second = realised.clone(tmp_path / "second")
    assert os.stat(tmp_path / "second").st_ino == inode
    assert run(second, "shade") == f"1.0 {tmp_path}/second"


def test_a_view_with_anything_installed_serves_nobody_else(
    environments: Environments, realised: BuiltEnvironment, tmp_path: Path
) -> None:
    """It is removed when its job is over."""
    first = realised.clone(tmp_path / "first")
    run(first, "pip install ink")
    environments.release_view(tmp_path / "first")
    assert "ink" not in run(realised.clone(tmp_path / "second"), "pip list")
    assert not (tmp_path / "first").exists()


def test_an_untouched_view_stays_in_a_folder_that_serves_another_job(
    environments: Environments, realised: BuiltEnvironment, tmp_path: Path
) -> None:
    """It is moved with the folder around it; one in which something was installed does not stay."""
    first = realised.clone(tmp_path / "one" / "environment")
    inode = os.stat(tmp_path / "one" / "environment").st_ino
    run(first, "shade")
    assert environments.recycle_view(tmp_path / "one" / "environment")
    (tmp_path / "one").rename(tmp_path / "two")
    second = realised.clone(tmp_path / "two" / "environment", tmp_path / "one" / "environment")
    assert os.stat(tmp_path / "two" / "environment").st_ino == inode
    assert run(second, "shade") == f"1.0 {tmp_path}/two/environment"
    run(second, "pip install ink")
    assert not environments.recycle_view(tmp_path / "two" / "environment")


def test_a_view_of_an_earlier_server_is_removed(
    environments: Environments, realised: BuiltEnvironment, tmp_path: Path
) -> None:
    """Nobody knows whether it was touched."""
    realised.clone(tmp_path / "job")
    Environments(Home(os.environ["SMALT_HOME"]), Settings()).release_view(tmp_path / "job")
    assert not (tmp_path / "job").exists()


def test_what_an_interrupted_attempt_left_is_replaced(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """A server that was killed while it made the view comes back and makes it anew."""
    (tmp_path / "job" / "bin").mkdir(parents=True)
    (tmp_path / "job" / "bin" / "python").symlink_to("/nowhere")
    assert run(realised.clone(tmp_path / "job"), "shade") == f"1.0 {tmp_path}/job"


def test_spares_of_earlier_servers_are_swept(environments: Environments, home: Home) -> None:
    """A server that was killed could not."""
    left = home.path("environments", ".spare", "999999999", "1")
    left.mkdir(parents=True)
    environments.remove_left_over()
    eventually(lambda: not left.parent.exists())


@pytest.fixture
def host(realised: BuiltEnvironment, tmp_path: Path) -> str:
    """A Python of the user's with packages of its own."""
    users = tmp_path / "users"
    shutil.copytree(realised.template.sees[0].split("/lib/")[0], users, symlinks=True)
    return str(users / "bin" / "python")


def test_host_is_the_python_that_the_user_names(environments: Environments, settings: Settings, host: str) -> None:
    """Its packages and commands are the job's; nothing is built."""
    settings.host_python = host
    assert environments.find_built({"host": True}) is None
    realised = asyncio.run(environments.get_or_build({"host": True}, lambda line: None))
    assert environments.find_built({"host": True}) is realised
    assert realised.python == host
    assert len(environments.list_stored()) == 1


def test_a_job_on_the_host_changes_only_itself(
    environments: Environments, settings: Settings, host: str, tmp_path: Path
) -> None:
    """pip install lands in the job's view, not in the user's Python."""
    settings.host_python = host
    realised = asyncio.run(environments.get_or_build({"host": True}, lambda line: None))
    before = installed(realised)
    own = realised.clone(tmp_path / "job")
    assert run(own, "shade") == f"1.0 {tmp_path}/job"
    run(own, "pip install shade==2.0 ink")
    assert run(own, "shade") == f"2.0 {tmp_path}/job"
    assert installed(realised) == before
    assert run(realised.clone(tmp_path / "other"), "shade") == f"1.0 {tmp_path}/other"


def test_a_host_with_new_packages_is_another_environment(
    environments: Environments, settings: Settings, host: str
) -> None:
    """Its realised hash follows what is installed, so that nothing is reused that should not be."""
    settings.host_python = host
    before = asyncio.run(environments.get_or_build({"host": True}, lambda line: None))
    subprocess.run([host, "-m", "pip", "install", "-q", "ink"], check=True)
    assert environments.find_built({"host": True}) is None
    after = asyncio.run(environments.get_or_build({"host": True}, lambda line: None))
    assert after.realised_hash != before.realised_hash


def test_the_systems_python_is_a_host_with_all_that_it_has(
    environments: Environments, settings: Settings, tmp_path: Path
) -> None:
    """An interpreter that is not a virtual environment: the job's view is on top of it."""
    settings.host_python = os.path.realpath(sys.executable)
    realised = asyncio.run(environments.get_or_build({"host": True}, lambda line: None))
    own = realised.clone(tmp_path / "job")
    script = "import sys; print(sys.prefix, sys.base_prefix == sys.prefix)"
    assert run(own, f"python -c '{script}'") == f"{tmp_path}/job False"


def test_the_first_python_on_path_is_the_host_but_never_smalts(
    environments: Environments, monkeypatch: pytest.MonkeyPatch, host: str, tmp_path: Path
) -> None:
    """smalt's own virtual environment is first on PATH when it is activated."""
    monkeypatch.setenv("PATH", f"{sys.prefix}/bin:{os.path.dirname(host)}:/usr/bin:/bin")
    realised = asyncio.run(environments.get_or_build({"host": True}, lambda line: None))
    expected = str(Path(host).with_name("python3")) if sys.prefix != sys.base_prefix else None
    assert expected is None or realised.python == expected


def test_a_host_that_does_not_start_is_told(environments: Environments, settings: Settings, tmp_path: Path) -> None:
    """With how to name another."""
    settings.host_python = str(tmp_path / "python3")
    with pytest.raises(RefusedError, match="does not start; name another with 'smalt config set host-python "):
        asyncio.run(environments.get_or_build({"host": True}, lambda line: None))


def test_pip_install_user_on_the_host_stays_in_the_job(
    environments: Environments, settings: Settings, tmp_path: Path
) -> None:
    """--user would be the user's home, which is not the job's."""
    settings.host_python = os.path.realpath(sys.executable)
    realised = asyncio.run(environments.get_or_build({"host": True}, lambda line: None))
    own = realised.clone(tmp_path / "job")
    run(own, "PIP_USER=1 python -m pip install ink")
    assert run(own, "python -c 'import ink; print(ink.__file__)'").startswith(f"{tmp_path}/job/lib/")


WRITES = (
    "sed -i s/1.0/9.9/ {package}/__init__.py",
    "printf 'x = 1\n' >> {package}/__init__.py",
    "ln {package}/__init__.py here && trap 'rm here' EXIT && printf 'x = 1\n' >> here",
    "rm {package}/__init__.py",
    "touch {package}/more.py",
    "printf x >> {venv}/pyvenv.cfg",
)


@pytest.mark.parametrize("write", WRITES)
def test_a_job_cannot_write_to_what_all_jobs_share(realised: BuiltEnvironment, tmp_path: Path, write: str) -> None:
    """An ordinary user's job that edits a package, by whatever name, is refused; the next one finds it as it was."""
    (site,) = realised.template.sees
    before = {path: path.read_bytes() for path in Path(site).rglob("*") if path.is_file() and path.suffix != ".pyc"}
    command = write.format(package=f"{site}/shade", venv=realised.shared)
    assert as_ordinary_user(f"cd {tmp_path} && {command}") != 0
    after = {path: path.read_bytes() for path in Path(site).rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert after == before


def as_ordinary_user(command: str) -> int:
    """Run a command without root's right to write what is read-only; return its exit code."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"]
    prefix = [*drop, "--"] if os.geteuid() == 0 else []
    return subprocess.run([*prefix, "bash", "-ec", command], check=False).returncode


def test_modules_are_compiled_once_for_all_jobs(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """The bytecode that one job leaves is the next one's, although the packages themselves are read-only."""
    (site,) = realised.template.sees
    own = realised.clone(tmp_path / "job")
    cached = run(own, "python -c 'import shade; print(shade.__cached__)'")
    assert cached.startswith(f"{site}/shade/__pycache__/")
    assert Path(cached).is_file()
    assert not os.path.realpath(cached).startswith(f"{realised.shared}/")


def test_an_environment_shares_no_file_with_uvs_cache(realised: BuiltEnvironment, uv_cache: Path) -> None:
    """Nor does what a job itself installs: whoever writes there writes only his own."""
    assert realised.shared is not None
    files = [path for path in Path(realised.shared).rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 3
    assert [path for path in files if path.stat().st_nlink > 1] == []


def test_what_a_job_installs_by_uv_shares_no_file_with_its_cache(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """A later build installs from the cache: what the job writes must not be in it."""
    own = realised.clone(tmp_path / "job")
    run(own, f"{uv.find_uv_bin()} pip install --no-index --find-links $PIP_FIND_LINKS ink")
    (installed,) = (tmp_path / "job").glob("lib/*/site-packages/ink/__init__.py")
    assert installed.stat().st_nlink == 1


def test_environments_of_an_earlier_smalt_are_protected(
    environments: Environments, realised: BuiltEnvironment, tmp_path: Path
) -> None:
    """When a server starts: their files become their own and read-only, their bytecode stays."""
    assert realised.shared is not None
    (site,) = realised.template.sees
    package, cache = Path(site, "shade"), Path(site, "shade", "__pycache__")
    allow_writing(realised.shared)
    own = realised.clone(tmp_path / "job")
    cached = Path(run(own, "python -c 'import shade; print(shade.__cached__)'"))
    target = cache.resolve()
    cache.unlink()
    target.rename(cache)
    os.link(package / "__init__.py", tmp_path / "second")
    inode = cached.stat().st_ino
    environments.remove_left_over()
    eventually(lambda: not os.stat(str(realised.shared)).st_mode & 0o222)
    assert os.stat(package / "__init__.py").st_nlink == 1
    assert cache.is_symlink()
    assert cached.stat().st_ino == inode
    assert run(own, "shade") == f"1.0 {tmp_path}/job"


def test_a_protection_that_was_killed_is_finished(
    environments: Environments, realised: BuiltEnvironment, tmp_path: Path
) -> None:
    """Even if Python has written bytecode again, in the place of the link that was not made."""
    assert realised.shared is not None
    (site,) = realised.template.sees
    cache = Path(site, "shade", "__pycache__")
    allow_writing(realised.shared)
    own = realised.clone(tmp_path / "job")
    run(own, "python -c 'import shade'")
    cache.unlink()
    cache.mkdir()
    (cache / "__init__.pyc").touch()
    environments.remove_left_over()
    eventually(lambda: not os.stat(str(realised.shared)).st_mode & 0o222)
    assert cache.is_symlink()
    assert run(own, "shade") == f"1.0 {tmp_path}/job"


CHANGES = {
    "append": ("printf 'x = 1\n' >> {site}/shade/__init__.py", "site-packages/shade/__init__.py was written"),
    "by a link": ("ln -s {site} {own}/there; printf x >> {own}/there/shade/__init__.py", "__init__.py was written"),
    "in place": ("sed -i s/1.0/9.9/ {site}/shade/__init__.py", "site-packages/shade/"),
    "add": ("touch {site}/sitecustomize.py", "site-packages/sitecustomize.py was added"),
    "remove": ("rm {site}/shade/__init__.py", "site-packages/shade/__init__.py was removed"),
    "map": (
        "python -c 'import mmap; f = open(\"{site}/shade/__init__.py\", \"r+b\"); "
        "m = mmap.mmap(f.fileno(), 0); m[0:1] = b\"#\"'",
        "__init__.py was written",
    ),
}  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")
@pytest.mark.parametrize("way", CHANGES)
def test_a_changed_environment_is_told_and_built_again(environments: Environments, tmp_path: Path, way: str) -> None:
    """Who ran in it is told what was changed, and the next job gets one as it is declared."""
    asset, lines = conda("shade==1.0", name="changed"), list[str]()
    realised = asyncio.run(environments.get_or_build(asset, lines.append))
    own = realised.clone(tmp_path / "job")
    run(own, "shade")
    assert environments.find_change(own.stored_as) is None
    assert environments.find_built(asset) is not None
    assert realised.shared is not None
    allow_writing(realised.shared)  # as root does not need, and others can do
    command, words = CHANGES[way]
    (site,) = realised.template.sees
    run(own, command.format(site=site, own=tmp_path))
    assert words in str(environments.find_change(own.stored_as))
    assert environments.find_built(asset) is None
    again = asyncio.run(environments.get_or_build(asset, lines.append))
    assert words in str(environments.find_change(own.stored_as)), "it stays so for who ran in the changed one"
    assert environments.find_change(again.stored_as) is None
    assert run(again.clone(tmp_path / "next"), "shade") == f"1.0 {tmp_path}/next"
    (new_site,) = again.template.sees
    assert not Path(new_site, "sitecustomize.py").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs inotify")
def test_a_changed_environment_keeps_its_files_for_its_jobs(
    environments: Environments, home: Home, settings: Settings, tmp_path: Path
) -> None:
    """They stay while it is built again and through the next server's start, until no job runs."""
    asset = conda("ink", name="kept")
    realised = asyncio.run(environments.get_or_build(asset, lambda line: None))
    own = realised.clone(tmp_path / "job")
    (site,) = realised.template.sees
    for _ in range(2):
        found = environments.find_built(asset)
        assert found is not None
        allow_writing(str(found.shared))
        Path(str(found.shared), "more").touch()
        assert environments.find_built(asset) is None
        asyncio.run(environments.get_or_build(asset, lambda line: None))
    Environments(home, settings).remove_left_over()
    assert asyncio.run(environments.find_problems(False, 0.0)) == []
    assert Path(str(realised.shared), "more").exists()
    assert run(own, "ink") == f"0.3 {tmp_path}/job"

    environments.release_view(tmp_path / "job")
    environments.remove_changed()
    assert not Path(site).exists()
    later, _ = asyncio.run(Environments(home, settings).find_build(asset))
    assert later is not None
    assert later.bin not in (None, realised.bin)
    assert run(later.clone(tmp_path / "next"), "ink") == f"0.3 {tmp_path}/next"
    (stored,) = [one for one in environments.list_stored() if one.names == ["kept"]]
    assert asyncio.run(environments.remove(stored.hash)) == stored.size
    assert environments.find_built(asset) is None


def test_a_removed_environment_is_not_changed(environments: Environments, tmp_path: Path) -> None:
    """What smalt itself removes was not changed by anybody."""
    realised = asyncio.run(environments.get_or_build(conda("ink", name="removed"), lambda line: None))
    assert asyncio.run(environments.remove(realised.declared_hash))
    assert environments.find_change(realised.stored_as) is None


def test_r_installs_packages_into_the_jobs_view(realised: BuiltEnvironment, tmp_path: Path) -> None:
    """The library of a conda prefix is shared by all jobs; the first of `.libPaths()` is where R installs."""
    (tmp_path / "prefix" / "lib" / "R").mkdir(parents=True)
    prefix = str(tmp_path / "prefix")
    with_r = replace(realised, shared=prefix, variables={**realised.variables, "CONDA_PREFIX": prefix})
    assert with_r.clone(tmp_path / "job").variables["R_LIBS"] == str(tmp_path / "job")
    assert "R_LIBS" not in realised.clone(tmp_path / "other").variables
