"""Steps whose outputs were about to be reused, and whose job is deleted while they are looked at."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from smalt.service.records import job_removal, jobs
from smalt.service.records import reuse as records
from smalt.service.reuse.reuse import Reuse
from smalt.service.reuse.settlement import Settlement
from tests.engine.bench import workbench

STEP = {
    "command": "echo x > ${{outputs.o}}/f", "environment": "azureml:host", "outputs": {"o": {"type": "uri_folder"}},
}  # fmt: skip


@pytest.mark.parametrize(("owner", "look"), [(Settlement, "settle_step"), (Reuse, "_check_outputs")])
@pytest.mark.parametrize("when", ["before", "during", "after"])
async def test_a_step_whose_twin_is_deleted_meanwhile_runs(
    owner: type, look: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs as if there had been none, and no turn fails."""
    original: Any = getattr(owner, look)
    deleted: list[str] = []
    async with workbench() as bench:

        def delete_first(*, now: bool) -> None:
            first = jobs.find_by_name(bench.db, bench.workspace.id, "first")
            if now and first is not None:
                deleted.append(first.name)
                job_removal.remove_tree(bench.db, first)

        def look_slowly(self: Any, step: Any) -> Generator[Any, Any, Any]:
            delete_first(now=is_wanted and when == "before")
            looking = original(self, step)
            try:
                places = next(looking)
                while True:
                    contents = yield places
                    delete_first(now=is_wanted and when == "during")
                    places = looking.send(contents)
            except StopIteration as end:
                delete_first(now=is_wanted and when == "after")
                return end.value

        is_wanted = False
        monkeypatch.setattr(owner, look, look_slowly)
        for name in ("first", "second") if look == "_check_outputs" else ("first",):
            assert (await bench.over(bench.submit(name, {"jobs": {"s": STEP}}))).status == "Completed"
        if look == "_check_outputs":  # the second reused the first, which is settled by that
            second = jobs.find_by_name(bench.db, bench.workspace.id, "second")
            assert second is not None
            job_removal.remove_tree(bench.db, second)
        is_wanted = True
        again = bench.submit("again", {"jobs": {"s": STEP}})
        assert (await bench.over(again)).status == "Completed"
        assert deleted == ["first"]
        step = bench.child(again, "s")
        assert (step.error, records.find_origin(bench.db, step.id)) == (None, None)
        assert bench.db.value("SELECT count(*) FROM reuse_keys WHERE job_id NOT IN (SELECT id FROM jobs)") == 0
