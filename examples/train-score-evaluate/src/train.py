"""Train a random forest on a part of the flowers; leave the rest for the test."""

import argparse
import csv
import pickle
from pathlib import Path

from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--flowers", type=Path)
parser.add_argument("--test-share", type=float)
parser.add_argument("--trees", type=int)
parser.add_argument("--model", type=Path)
parser.add_argument("--test-data", type=Path)
arguments = parser.parse_args()

header, *rows = csv.reader(arguments.flowers.open())
train, test = train_test_split(rows, test_size=arguments.test_share, random_state=0, stratify=[row[-1] for row in rows])
print(f"training on {len(train)} flowers, keeping {len(test)} for the test")

forest = RandomForestClassifier(arguments.trees, random_state=0)
forest.fit([[float(value) for value in row[:-1]] for row in train], [row[-1] for row in train])
(arguments.model / "model.pkl").write_bytes(pickle.dumps(forest))

with arguments.test_data.open("w", newline="") as file:
    csv.writer(file).writerows([header, *test])
print(f"wrote {arguments.model / 'model.pkl'}")
