"""Compare smalt's mltable with Azure's: tables, the MLTables of azureml-examples, and the time for a large one.

    python bench/mltable.py --official PYTHON [--examples FOLDER] [--speed MEGABYTES] [--polars PYTHON] [--write]

--official is a Python with `mltable` 1.7 and pandas below 3; --polars one with polars, pandas and pyarrow (this one
where it is not said). With --speed only the time is measured: on the clock, and of the processors, which tells more on
a machine that has other work; no imports are measured. --write keeps what both give as tests/mltable/expected.json.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
sys.path = [each for each in sys.path if Path(each or ".").resolve() != Path(__file__).parent.resolve()]

from tests.mltable import cases as cases_module  # noqa: E402

_FOLDER = """
import hashlib, json, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[3])
from tests.mltable.cases import column
import mltable
made = {}
for folder in json.load(open(sys.argv[1])):
    try:
        frame = mltable.load(folder).to_pandas_dataframe()
        columns = [[str(name), *column(frame[name], folder)] for name in frame.columns]
        content = hashlib.sha256(json.dumps(columns).encode()).hexdigest()
        made[folder] = [len(frame), [[name, kind] for name, kind, _ in columns], content]
    except Exception:
        made[folder] = "error"
json.dump(made, open(sys.argv[2], "w"))
"""
_TIMED = {
    "polars": "import polars; r = lambda p: polars.read_csv(p + '/big.csv').to_pandas()",
    "smalt": "import mltable, polars, pyarrow; r = lambda p: mltable.load(p).to_pandas_dataframe()",
    "official": "import mltable; r = lambda p: mltable.load(p).to_pandas_dataframe()",
}
_MEASURE = """
{0}
import sys, time, pandas
start, used = time.perf_counter(), time.process_time()
frame = r(sys.argv[1])
print(time.perf_counter() - start, time.process_time() - used, frame.shape)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--official", required=True)
    parser.add_argument("--polars", default=sys.executable)
    parser.add_argument("--examples")
    parser.add_argument("--speed", type=int, metavar="MEGABYTES")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smalt-bench-") as scratch:
        link = Path(scratch, "site")
        link.mkdir()
        (link / "mltable").symlink_to(ROOT / "src/smalt/mltable")
        pythons = {"official": (arguments.official, None), "smalt": (arguments.polars, str(link))}
        if arguments.speed:
            pythons["polars"] = (arguments.polars, None)
            _speed(pythons, Path(scratch), arguments.speed, arguments.rounds)
            return 0
        wrong = _cases(pythons, Path(scratch), arguments.write)
        if arguments.examples:
            wrong += _examples(pythons, Path(scratch), arguments.examples)
    return 1 if wrong else 0


def _run(python: tuple[str, str | None], *command: str) -> str:
    program, path = python
    environment = {**os.environ, **({"PYTHONPATH": path} if path else {})}
    done = subprocess.run([program, *command], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{program} {command[0]}: {done.stderr[-2000:]}")
    return done.stdout


def bare(result: dict[str, Any]) -> dict[str, Any]:
    """A result without the words of its error."""
    return {key: value for key, value in result.items() if key not in ("sentence", "kind")}


def _cases(pythons: dict[str, tuple[str, str | None]], scratch: Path, write: bool) -> int:
    found = {}
    for name, python in pythons.items():
        out = scratch / f"{name}.json"
        _run(python, str(ROOT / "tests/mltable/cases.py"), str(out))
        found[name] = {case: bare(result) for case, result in json.loads(out.read_text()).items()}
    groups: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    wrong = 0
    for case in cases_module.all_cases():
        same = found["official"][case.name] == found["smalt"][case.name]
        verdict = "same" if same else "otherwise, said why" if case.differs else "NOT THE SAME"
        verdict = "THE SAME, said not to be" if same and case.differs else verdict
        groups[case.name.partition(":")[0]][verdict] += 1
        if verdict.isupper() or verdict.startswith("THE"):
            wrong += 1
            print(f"{verdict}: {case.name}", *(f"  {name} {each[case.name]}" for name, each in found.items()), sep="\n")
    for group, counts in groups.items():
        print(f"{group:24}", ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    if write:
        otherwise = {case.name for case in cases_module.all_cases() if case.differs}
        kept = {name: result for name, result in found["smalt"].items() if name in otherwise}
        text = json.dumps({"official": found["official"], "smalt": kept}, indent=0, sort_keys=True, ensure_ascii=False)
        (ROOT / "tests/mltable/expected.json").write_text(text + "\n")
    return wrong


def _examples(pythons: dict[str, tuple[str, str | None]], scratch: Path, examples: str) -> int:
    """Every MLTable of a checkout of azureml-examples."""
    folders = sorted(str(path.parent) for path in Path(examples).rglob("MLTable"))
    listed, program = scratch / "folders.json", scratch / "folders.py"
    listed.write_text(json.dumps(folders))
    program.write_text(_FOLDER)
    found = {}
    for name, python in pythons.items():
        out = scratch / f"folders-{name}.json"
        _run(python, str(program), str(listed), str(out), str(ROOT))
        found[name] = json.loads(out.read_text())
    wrong = [each for each in folders if found["official"][each] != found["smalt"][each]]
    broken = [each for each in folders if found["official"][each] == "error"]
    for each in wrong:
        print(f"NOT THE SAME: {each}\n  official {found['official'][each]}\n  smalt {found['smalt'][each]}")
    same = len(folders) - len(wrong)
    print(f"azureml-examples: {len(folders)} MLTables, {same} the same ({len(broken)} of them errors)")
    return len(wrong)


def _speed(pythons: dict[str, tuple[str, str | None]], scratch: Path, megabytes: int, rounds: int) -> None:
    folder = scratch / "big"
    folder.mkdir()
    table = "paths:\n  - file: ./big.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n"
    (folder / "MLTable").write_text(table)
    _write_large(folder / "big.csv", megabytes << 20)
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in _TIMED}
    for _ in range(rounds):  # by turns, so that all see the same machine
        for name, code in _TIMED.items():
            seconds, cpu, shape = _run(pythons[name], "-c", _MEASURE.format(code), str(folder)).split(" ", 2)
            took[name].append((float(seconds), float(cpu)))
            print(f"  {name:9} {float(seconds):7.2f} s, {float(cpu):7.2f} s of CPU  {shape.strip()}", flush=True)
    for index, what in enumerate(("clock", "CPU")):
        polars, ours, official = ([each[index] for each in took[name]] for name in _TIMED)
        for other, times in (("polars alone", polars), ("official", official)):
            each = statistics.median(one / own for one, own in zip(times, ours, strict=True))
            print(f"{megabytes} MB, {what}: {other} / smalt {min(times) / min(ours):.2f} at their quietest", end="; ")
            print(f"{each:.2f} in the median round")


def _write_large(path: Path, size: int) -> None:
    rows = [
        f"{row},{row * 7 % 1000},{row / 7:.4f},{row % 97 / 97:.6f},name {row % 5000},{'abcdef'[row % 6] * (row % 20)},"
        f"2020-{row % 12 + 1:02}-{row % 28 + 1:02},{'true' if row % 3 else 'false'}\n"
        for row in range(200_000)
    ]
    block = "".join(rows).encode()
    with path.open("wb") as file:
        file.write(b"id,count,price,share,name,text,day,flag\n")
        while file.tell() < size:
            file.write(block)


if __name__ == "__main__":
    sys.exit(main())
