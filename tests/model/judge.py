"""The judge of one workspace: compares what came of jobs and versions with what the oracle expects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from smalt.exceptions import SmaltError
from tests.model.facts import ANYTHING, COMPLETED, Asset, Expected, Leaf, Tree
from tests.model.oracle import Oracle
from tests.model.service import Ran, Service, step_files

Made = list[tuple[Asset, Tree]]


class Kept(NamedTuple):
    """An output that must stay what it is."""

    what: str
    where: str
    tree: Tree | str


class Judge:
    def __init__(self, service: Service, oracle: Oracle) -> None:
        self.problems: list[str] = []
        self.at = 0
        """The number of the operation."""
        self.why = ""
        """The last error."""
        self._service = service
        self._oracle = oracle
        self._versions: dict[Asset, tuple[str, Tree]] = {}
        """Of every version that was ever registered: where it is, and its content."""
        self._kept: dict[str, list[Kept]] = {}
        """By job: its outputs."""
        self._metrics: dict[str, dict[str, dict[str, float]]] = {}
        """By job: what its steps logged."""
        self._steps = 0
        self._downloaded: set[Asset] = set()

    def forget(self, job: str) -> None:
        self._kept.pop(job, None)
        self._metrics.pop(job, None)

    # Jobs

    def judge(self, name: str, expected: Expected, state: str) -> Made:
        """Compare a job with what is expected; return the versions that it has registered."""
        if state == "Refused" or expected.states >= ANYTHING:
            self._judge_state(name, expected, state)
            if state == "Refused":
                return []
            self._oracle.untold.add(name)
            return list(self._registered(name))
        made: Made = []
        ran = self._service.ran(name)
        for path, leaf in expected.leaves.items():
            made += self._judge_step(name, path, leaf, ran.pop(path, None), expected)
        unexpected = [path for path in ran if expected.states != {"Refused"}]
        for path in unexpected:
            self.tell(f"{name}/{path}", "no such step", ran[path].status)
        self._judge_state(name, expected, state)
        if state == "Completed" and state in expected.states:
            self._judge_job(name, expected)
        self._oracle.settle(name, expected, state)
        self._judge_tags(name, expected)
        return made

    def _registered(self, name: str) -> Iterator[tuple[Asset, Tree]]:
        """Yield what a job of which nothing is expected has registered, as it is."""
        for step in self._service.ran(name).values():
            for where, asset in step.outputs.values():
                found = step_files(where)
                if step.status == "Completed" and asset is not None and asset.version and isinstance(found, dict):
                    yield asset, found

    def _judge_job(self, name: str, expected: Expected) -> None:
        for output, place in expected.outputs.items():
            if place.tree:  # else no step writes there
                self.compare_trees(f"{name} download {output}", place.tree, self._service.download(name, output))
        metrics = {path: leaf.metrics for path, leaf in expected.leaves.items() if leaf.metrics}
        if all(leaf.states == COMPLETED for leaf in expected.leaves.values()):
            self._metrics[name] = metrics
            self._judge_metrics(name, metrics, "")

    def _judge_metrics(self, name: str, expected: dict[str, dict[str, float]], when: str) -> None:
        found = self._service.metrics(name)
        if found != expected:
            self.tell(f"{name} metrics{when}", expected, found)

    def _judge_tags(self, name: str, expected: Expected) -> None:
        """Tags are the texts that were given."""
        wanted = expected.document[0].get("tags") or {} if expected.document else {}
        if wanted:
            tags = self._service.job(name).get("tags") or {}
            found = {key: tags.get(key) for key in wanted}
            if found != wanted:
                self.tell(f"{name} tags", wanted, found)

    def _judge_state(self, name: str, expected: Expected, state: str) -> None:
        if state not in expected.states:
            why = f" ({self.why})" if state == "Refused" else ""
            if state == "Failed":
                why = f" ({self._service.job(name).get('error')})"
            wanted = either(expected.states) + (f" ({expected.why})" if expected.why else "")
            self.tell(name, wanted, state + why)

    # Steps

    def _judge_step(
        self, name: str, path: str, leaf: Leaf, ran: Ran | None, expected: Expected
    ) -> Iterator[tuple[Asset, Tree]]:
        what = f"{name}/{path}"
        status = ran.status if ran else "absent"
        if status not in leaf.states and not (status == "NotStarted" and "Canceled" in leaf.states):
            why = f" ({self._service.last_lines(ran.job)})" if ran and status == "Failed" else ""
            self.tell(what, either(leaf.states), status + why)
        if ran is None or status != "Completed":
            return
        self._steps += 1
        kept = self._kept.setdefault(name, [])
        for output, place in leaf.outputs.items():
            if not expected.is_known(place):
                continue
            where, asset = ran.outputs.get(output, ("", None))
            found = step_files(where)
            self.compare_trees(f"{what} {output}", place.tree, found)
            if self._steps % 4 == 0:
                self.compare_trees(f"{what} download {output}", place.tree, self._service.download(ran.job, output))
            if place.fixed:
                there = step_files(self._service.place(place.fixed))
                self.compare_trees(f"{what} {place.fixed}", place.tree, there)
            else:
                kept.append(Kept(f"{what} {output}", where, found))
            wanted = leaf.assets.get(output)
            if wanted is None:
                continue
            if asset is None or not asset.version or wanted not in (asset, asset._replace(version=None)):
                self.tell(f"{what} {output}", f"registered as {wanted}", asset)
            else:
                yield asset, dict(place.tree)
        if leaf.artifact is not None:
            self.compare_trees(f"{what} artifacts", {"art.txt": leaf.artifact}, self._service.download(ran.job, None))

    # Comparisons

    def judge_comparison(self, first: str, second: str) -> None:
        """A comparison of two pipelines says that their steps differ exactly in what they differ."""
        jobs = [self._oracle.jobs.get(name) for name in (first, second)]
        before, after = jobs
        if before is None or after is None or before.states != COMPLETED or after.states != COMPLETED:
            return
        if "" in before.leaves or before.leaves.keys() != after.leaves.keys():
            return
        found = self._service.differences(first, second)
        for path, leaf in after.leaves.items():
            other = before.leaves[path]
            for key in leaf.definition.keys() | other.definition.keys():
                differs = leaf.definition.get(key) != other.definition.get(key)
                if key != "mark" and differs != (f"{path}: {key}" in found):
                    self.tell(f"compare {first} {second}", f"{path}: {key} {'differs' if differs else 'is the same'}",
                              sorted(found))  # fmt: skip
            for key in leaf.reads.keys() & other.reads.keys():
                data = leaf.reads[key]
                content, earlier = (data.tree, data.table), (other.reads[key].tree, other.reads[key].table)
                if not data.made and content != earlier and f"{path}: inputs.{key}" not in found:
                    self.tell(f"compare {first} {second}", f"{path}: inputs.{key} differs", sorted(found))
            if leaf.metrics and (leaf.metrics != other.metrics) != (f"{path}: m" in found):
                self.tell(f"compare {first} {second}", f"metrics {leaf.metrics} and {other.metrics}", sorted(found))

    # Versions

    def check_lists(self, made: Made) -> None:
        """There are exactly the versions that were registered."""
        for noun, assets in self._oracle.assets.items():
            names = {asset.name for asset, _ in made if asset.noun == noun}
            for name in names | set(assets):
                known, there = assets.get(name, {}), self._service.versions(noun, name)
                if there != set(known):
                    self.tell(f"versions of {name}", sorted(known), sorted(there))

    def check_versions(self) -> None:
        """Every version that was ever registered has the content that it had."""
        for noun, assets in self._oracle.assets.items():
            for name, versions in assets.items():
                for version, data in versions.items():
                    asset = Asset(noun, name, version)
                    if asset not in self._versions:
                        self._versions[asset] = self._service.place_of(asset), data.tree
        for asset, (where, tree) in list(self._versions.items()):
            found = step_files(where)
            if tree and found == tree and asset.noun == "models" and asset not in self._downloaded:
                self._downloaded.add(asset)
                self.compare_trees(
                    f"download of {asset.name}:{asset.version}", tree, self._service.download_model(asset)
                )
            if found != tree:
                self.compare_trees(f"{asset.noun} {asset.name}:{asset.version}", tree, found)
                self._versions[asset] = where, found if isinstance(found, dict) else tree  # told once

    def check_kept(self) -> None:
        """The outputs and metrics of jobs that were not deleted are what they were."""
        for outputs in self._kept.values():
            for one in outputs:
                self.compare_trees(f"{one.what} at the end", one.tree, step_files(one.where))
        for job, metrics in self._metrics.items():
            self._judge_metrics(job, metrics, " at the end")

    # Problems

    def compare(self, what: str, expected: frozenset[str], act: Callable[[], object]) -> bool:
        """Do something that is done (`ok`) or refused; return whether it was done."""
        try:
            act()
            found = "ok"
        except SmaltError as error:
            found = "Refused"
            self.why = str(error)
        if found not in expected:
            self.tell(what, either(expected), found + (f" ({self.why})" if found == "Refused" else ""))
        return found == "ok"

    def compare_trees(self, what: str, expected: Tree | str, found: Tree | str) -> None:
        if found != expected:
            self.tell(what, shown(expected), shown(found))

    def tell(self, what: str, expected: object, found: object) -> None:
        self.problems.append(f"at {self.at}: {what}: expected {expected}, got {found}")


def either(states: frozenset[str]) -> str:
    return " or ".join(sorted(states))


def shown(tree: Tree | str) -> str:
    if isinstance(tree, str):
        return tree
    return json.dumps({name: text.decode(errors="replace") for name, text in sorted(tree.items())})
