"""Made-up rows for learners."""

from __future__ import annotations

import random

import polars as pl


def make_cars(rows: int = 120, seed: int = 3) -> pl.DataFrame:
    """Return cars whose price depends on make, size and weight, and whether it is high."""
    generator = random.Random(seed)
    made = []
    for _ in range(rows):
        make, size = generator.choice(["audi", "bmw", "kia"]), generator.uniform(1, 4)
        weight = 800 + 300 * size + generator.uniform(-100, 100)
        price = {"audi": 9000, "bmw": 12000, "kia": 4000}[make] + 3000 * size + generator.uniform(-500, 500)
        made.append((make, round(size, 2), round(weight), generator.random() < 0.5, round(price, 1)))
    return pl.DataFrame(made, schema=["make", "size", "weight", "diesel", "price"], orient="row")


CARS = make_cars()
PRICES = ["low", "middle", "high"]


def classify(frame: pl.DataFrame, count: int) -> pl.DataFrame:
    """Return the cars with a class of price instead of it."""
    edges = [frame["price"].quantile(number / count) for number in range(1, count)]
    index = sum((frame["price"] > edge).cast(pl.Int64) for edge in edges)
    return frame.drop("price").with_columns(pl.Series("class", [PRICES[value] for value in index]))
