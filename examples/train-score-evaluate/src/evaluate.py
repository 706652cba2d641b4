"""Compare what the model said with what the flowers are."""

import argparse
import csv
import json
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--scores", type=Path)
parser.add_argument("--report", type=Path)
arguments = parser.parse_args()

pairs = [(row["species"], row["taken_for"]) for row in csv.DictReader(arguments.scores.open())]
right = sum(species == taken_for for species, taken_for in pairs)
report = {"flowers": len(pairs), "right": right, "accuracy": round(right / len(pairs), 4)}
arguments.report.write_text(json.dumps(report, indent=2) + "\n")
print(json.dumps(report))
