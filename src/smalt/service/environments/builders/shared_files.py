"""Files that several distributions of an environment own with different content, and whose version pip would leave
there.

mlflow and mlflow-skinny are such a pair: both write `mlflow/`. pip installs one distribution after the other,
so the last one's files stay, always. uv installs all at once and leaves a mixture. Reinstalling the
distributions that share files, in pip's order, gives what pip gives.

Run as a program by the environment's own Python (which has pip, for what pip knows of markers), this file
prints one line per distribution to reinstall: its requirement, a tab, and a sentence for the log. Standard
library only, for any Python from 3.8, since smalt runs it inside containers as well.
"""

from __future__ import annotations

import glob
import json
import os
import re
import sys
from collections import defaultdict

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?")
_BROUGHT = ("pip", "setuptools", "wheel")
"""Distributions that pip finds in a new environment, and does not install."""


class InstalledDistribution:
    """An installed distribution, read from its `.dist-info` folder."""

    def __init__(self, folder: str) -> None:
        name, _, self.version = os.path.basename(folder)[: -len(".dist-info")].rpartition("-")
        self.name = normalize(name)
        self.folder = folder

    def read_requirements(self) -> list[str]:
        lines = _read_lines(self.folder, "METADATA")
        headers = lines[: lines.index("")] if "" in lines else lines  # the description follows
        return [line.partition(":")[2].strip() for line in headers if line.lower().startswith("requires-dist:")]

    def read_hashes(self) -> dict[str, str]:
        """Return the hash of each file, by its path below the folder of packages."""
        found = {}
        for line in _read_lines(self.folder, "RECORD"):
            path, _, digest = line.rpartition(",")[0].rpartition(",")
            if digest and ".dist-info/" not in path:
                found[path.strip('"')] = digest
        return found

    @property
    def requirement(self) -> str:
        """The requirement that installs this very distribution again."""
        try:
            origin = json.loads("\n".join(_read_lines(self.folder, "direct_url.json")))
        except ValueError:
            return f"{self.name}=={self.version}"
        vcs, url = origin.get("vcs_info"), origin.get("url", "")
        return f"{self.name} @ {vcs['vcs']}+{url}@{vcs['commit_id']}" if vcs else f"{self.name} @ {url}"


def read_distributions(folder: str) -> dict[str, InstalledDistribution]:
    found = map(InstalledDistribution, glob.glob(os.path.join(glob.escape(folder), "*.dist-info")))
    return {one.name: one for one in found}


def find_owners(folder: str) -> dict[frozenset[str], int]:
    """Return the groups of distributions in the folder of packages `folder` that contest files."""
    hashes: dict[str, dict[str, str]] = defaultdict(dict)
    for one in read_distributions(folder).values():
        for path, digest in one.read_hashes().items():
            hashes[path][one.name] = digest
    counts: dict[frozenset[str], int] = defaultdict(int)
    for by_name in hashes.values():
        if len(set(by_name.values())) > 1:
            counts[frozenset(by_name)] += 1
    return counts


def order_installation(needs: dict[str, set[str]], roots: set[str]) -> list[str]:
    """Return the names in the order in which pip installs them, dependencies first.

    The order is that of pip's `get_topological_weights`: rounds of names without needs, then the longest path from
    the roots, and Z before A among equals.
    """
    left = {name: set(needed) for name, needed in needs.items()}
    weights: dict[str, int] = {}
    while True:
        leaves = [name for name, needed in left.items() if not needed]
        if not leaves:
            break
        for name in leaves:
            weights[name] = len(left)
        for name in leaves:
            del left[name]
        for needed in left.values():
            needed.difference_update(leaves)
    _weigh_paths(left, roots, [], weights)
    return sorted(weights, key=lambda name: (weights[name], name), reverse=True)


def _weigh_paths(left: dict[str, set[str]], names: set[str], path: list[str], weights: dict[str, int]) -> None:
    for name in names:
        if name in left and name not in path:
            path.append(name)
            _weigh_paths(left, left[name], path, weights)
            path.pop()
            weights[name] = max(weights.get(name, 0), len(path) + 1)


def resolve_needs(
    distributions: dict[str, InstalledDistribution], requirements: list[str]
) -> tuple[dict[str, set[str]], set[str]]:
    """Return what each distribution needs, and the roots; `name[extra]` is a node of its own that needs `name`."""
    needs: dict[str, set[str]] = {"": set()}
    todo = [("", line) for line in requirements if not line.startswith("-")]
    while todo:
        by, line = todo.pop()
        match = _REQUIREMENT.match(line)
        name = normalize(match.group(1)) if match else ""
        if match is None or name not in distributions or name in _BROUGHT:
            continue
        extras = sorted(normalize(extra.strip()) for extra in (match.group(2) or "").split(",") if extra.strip())
        node = f"{name}[{','.join(extras)}]" if extras else name
        needs[by].add(node)
        if node in needs:
            continue
        needs[node] = set()
        todo += [(node, name)] if extras else []
        todo += [(node, each) for each in distributions[name].read_requirements() if _applies(each, extras)]
    return needs, needs.pop("")


def _applies(requirement: str, extras: list[str]) -> bool:
    """True if a requirement applies here, with one of the extras if there are any."""
    _, _, text = requirement.partition(";")
    if not text.strip():
        return not extras
    try:
        from pip._vendor.packaging.markers import Marker
    except ImportError:
        return "extra" not in text
    marker = Marker(text)
    return any(marker.evaluate({"extra": extra}) for extra in extras or [""])


def choose_reinstalled(folder: str, requirements: list[str]) -> list[tuple[InstalledDistribution, str]]:
    """Return the distributions to install again, in order, each with a sentence that says why."""
    groups = find_owners(folder)
    if not groups:
        return []
    distributions = read_distributions(folder)
    order = [name for name in order_installation(*resolve_needs(distributions, requirements)) if "[" not in name]
    before = sorted(set(distributions) - set(order))  # of conda, or brought by the Python
    rank = {name: number for number, name in enumerate(before + order)}
    again: dict[str, str] = {}
    for names, count in groups.items():
        group = [distributions[name] for name in sorted(names, key=lambda name: rank[name])]
        told = [f"{one.name} {one.version}" for one in group]
        files = "file" if count == 1 else "files"
        for one in group[1:]:
            again.setdefault(one.name, "")
        again[group[-1].name] = (
            f"{', '.join(told[:-1])} and {told[-1]} own {count} {files} of the same name with different content; "
            f"those of {told[-1]} are used, which pip installs last"
        )
    return [(distributions[name], again[name]) for name in order if name in again]


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _read_lines(folder: str, name: str) -> list[str]:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def main() -> None:
    """Answer for the folder of packages and the file of requirements that are the arguments."""
    with open(sys.argv[2], encoding="utf-8") as file:
        requirements = file.read().splitlines()
    for one, sentence in choose_reinstalled(sys.argv[1], requirements):
        print(one.requirement, sentence, sep="\t")


if __name__ == "__main__":
    main()
