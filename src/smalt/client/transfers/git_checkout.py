"""The state of the git checkout that code is in: from git's files, and from `git status` whether it is dirty."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterable, Mapping

_PATIENCE = 1.0
_VARIABLES = {
    "AZUREML_GIT_REPOSITORY_URI": ("azureml.git.repository_uri", "mlflow.source.git.repoURL"),
    "AZUREML_GIT_BRANCH": ("azureml.git.branch", "mlflow.source.git.branch"),
    "AZUREML_GIT_COMMIT": ("azureml.git.commit", "mlflow.source.git.commit"),
    "AZUREML_GIT_DIRTY": ("azureml.git.dirty",),
    "AZUREML_GIT_BUILD_ID": ("azureml.git.build_id",),
    "AZUREML_GIT_BUILD_URI": ("azureml.git.build_uri",),
}


def read_properties(
    folder: str, environment: Mapping[str, str] = os.environ, sources: Iterable[str] = ()
) -> dict[str, str]:
    """Return the job properties that describe the git checkout of `folder`; {} outside a checkout.

    A change in one of the `sources` in the same checkout makes it dirty too. A build system's variables override git.
    """
    facts = {
        **_read_facts(folder, sources),
        **{name: environment[name] for name in _VARIABLES if environment.get(name)},
    }
    return {key: value for name, value in facts.items() for key in _VARIABLES[name]}


def _read_facts(folder: str, sources: Iterable[str]) -> dict[str, str]:
    git = _find_git_folder(os.path.abspath(folder))
    head = _read_file(git, "HEAD") if git else ""
    if not head:
        return {}
    common = os.path.join(git, _read_file(git, "commondir") or ".")  # of a linked worktree
    facts = {}
    if head.startswith("ref: "):
        ref = head[5:].strip()
        facts["AZUREML_GIT_BRANCH"] = ref.removeprefix("refs/heads/")
        head = _read_file(git, ref) or _read_file(common, ref) or _find_packed_ref(common, ref)
    if head:
        facts["AZUREML_GIT_COMMIT"] = head
    url = _find_remote_url(_read_file(common, "config"), facts.get("AZUREML_GIT_BRANCH", ""))
    if url:
        facts["AZUREML_GIT_REPOSITORY_URI"] = url
    dirty = _is_dirty(folder, _keep_checkout_files(git, sources))
    if dirty is not None:
        facts["AZUREML_GIT_DIRTY"] = str(dirty)
    return facts


def _keep_checkout_files(git: str, sources: Iterable[str]) -> list[str]:
    """Return the paths that are in the checkout, without those below another of them."""
    known: dict[str, bool] = {}
    found: list[str] = []
    for path in sorted({os.path.abspath(source) for source in sources}):
        if found and path.startswith(os.path.join(found[-1], "")):
            continue
        folder = os.path.dirname(path)
        if folder not in known:
            known[folder] = _find_git_folder(folder) == git
        if known[folder]:
            found.append(path)
    return found


def _is_dirty(folder: str, others: Iterable[str]) -> bool | None:
    """Return True if something in the folder or the others is not committed; None if git is missing or slow."""
    read_end, write_end = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    where, itself = (folder, ".") if os.path.isdir(folder) else os.path.split(os.path.abspath(folder))
    words = ["git", "--literal-pathspecs", "-C", os.path.abspath(where), "status", "--porcelain", "--", itself, *others]
    actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, write_end, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    try:
        pid = os.posix_spawnp(
            "git", words, {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}, file_actions=actions, setpgroup=0
        )
    except OSError:
        os.close(read_end)
        return None
    finally:
        os.close(write_end)
        os.close(null)
    try:
        answered = bool(select.select([read_end], [], [], _PATIENCE)[0])
        said = os.read(read_end, 1) if answered else b""
    finally:
        os.close(read_end)
        if not answered or said:
            os.kill(pid, signal.SIGKILL)  # the first line is enough
        status = os.waitpid(pid, 0)[1]
    if said:
        return True
    return False if answered and os.waitstatus_to_exitcode(status) == 0 else None


def _find_git_folder(folder: str) -> str:
    while True:
        git = os.path.join(folder, ".git")
        if os.path.isdir(git):
            return git
        link = _read_file(folder, ".git")
        if link.startswith("gitdir: "):
            return os.path.join(folder, link[8:].strip())
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent


def _read_file(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20).strip()
    except OSError:
        return ""


def _find_packed_ref(git: str, ref: str) -> str:
    for line in _read_file(git, "packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == ref:
            return commit
    return ""


def _find_remote_url(config: str, branch: str) -> str:
    """Return the URL that git would fetch from, without a password in it."""
    urls: dict[str, str] = {}
    chosen, section = "origin", ""
    for line in config.splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text.strip("[]")
            continue
        key, _, value = (part.strip() for part in text.partition("="))
        if section == f'branch "{branch}"' and key == "remote":
            chosen = value
        elif section.startswith('remote "') and key == "url":
            urls.setdefault(section[8:-1], value)
    return _remove_password(urls.get(chosen, ""))


def _remove_password(url: str) -> str:
    scheme, found, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if not found or scheme == "ssh" or "@" not in host:
        return url
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
