"""Say of each flower of the test which species the model takes it for."""

import argparse
import csv
import pickle
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--model", type=Path)
parser.add_argument("--test-data", type=Path)
parser.add_argument("--scores", type=Path)
arguments = parser.parse_args()

forest = pickle.loads((arguments.model / "model.pkl").read_bytes())
_, *rows = csv.reader(arguments.test_data.open())
taken_for = forest.predict([[float(value) for value in row[:-1]] for row in rows])

with arguments.scores.open("w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["species", "taken_for"])
    writer.writerows(zip((row[-1] for row in rows), taken_for))
print(f"scored {len(rows)} flowers")
