"""Featurization, validation and grids of series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from smalt_automl.columns import to_dates
from smalt_automl.featurization import Featurizer
from smalt_automl.grids import GridError, fill_gaps, fix_frequency, infer_frequency, make_grid
from smalt_automl.headers import read_header
from smalt_automl.problems import AutoMLError
from smalt_automl.splits import make_folds
from smalt_automl.tables import read_table


def types_of(frame: pd.DataFrame, **settings: object) -> dict[str, str]:
    return {name: kind for name, kind, _ in Featurizer(settings).fit(frame).list_types()}


@pytest.mark.parametrize(
    "text",
    ["a;b;y\n1;2;u\n", "a\tb\ty\n1\t2\tu\n", '"a;b;c;d","b",y\n1,2,u\n', "\n \na|b|y\n1|2|u\n", ",,y\n1,2,u\n"],
)
def test_the_table_has_the_columns_that_were_found_before_submission(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    frame = read_table("training_data", path, "uri_file")
    assert list(frame.columns) == read_header(path).columns
    assert frame.to_numpy().tolist() == [[1, 2, "u"]]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    """The second would be a feature that may tell the target."""
    (tmp_path / "table.csv").write_text("a,y,y\n1,2,3\n")
    with pytest.raises(AutoMLError, match="it has two columns named 'y'; rename one of them"):
        read_table("training_data", tmp_path / "table.csv", "uri_file")


def table(rows: int = 200) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    words = np.array(["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "runs", "away"])
    return pd.DataFrame(
        {
            "number": generator.random(rows),
            "flag": generator.random(rows) > 0.5,
            "color": generator.choice(["red", "green"], rows),
            "day": pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d"),
            "text": [" ".join(generator.choice(words, 8)) for _ in range(rows)],
            "id": [f"key{number}" for number in range(rows)],
            "constant": 1,
            "empty": None,
        }
    )


def test_each_column_gets_its_type() -> None:
    assert types_of(table()) == {
        "number": "Number",
        "flag": "Number",
        "color": "Category",
        "day": "Date",
        "text": "Text",
        "id": "Ignored",
        "constant": "Ignored",
        "empty": "Ignored",
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1980, 1981], ["1980-01-01", "1981-01-01"]),
        ([1980.0, None], ["1980-01-01", None]),
        ([20200131, 20200201], ["2020-01-31", "2020-02-01"]),
        ([20201301, 4, 5.5, 1577836800, True], [None] * 5),
        (["2020-01-31", "1980"], ["2020-01-31", "1980-01-01"]),
        ([2020, "2020-02-01"], ["2020-01-01", "2020-02-01"]),
    ],
)
def test_numbers_are_years_or_days(values: list[object], expected: list[str | None]) -> None:
    """And no nanoseconds since 1970."""
    found = to_dates(pd.Series(values))
    assert [None if pd.isna(one) else str(one.date()) for one in found] == expected


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        ("DateTime", [5.1, 4.9], "'a' has no date in any row, but 5.1"),
        ("Numeric", ["red", "green"], "'a' has no number in any row, but 'red'"),
    ],
)
def test_a_type_that_no_value_has_is_refused(kind: str, values: list[object], sentence: str) -> None:
    with pytest.raises(AutoMLError, match=sentence):
        Featurizer({"column_name_and_types": {"a": kind}}).fit(pd.DataFrame({"a": values}))


def test_the_users_types_win() -> None:
    types = {"number": "Categorical", "color": "Ignore", "id": "CategoricalHash"}
    found = types_of(table(), column_name_and_types=types)
    assert (found["number"], found["color"], found["id"]) == ("Category", "Ignored", "Hashed")


def test_features_are_the_same_for_one_row_as_for_all() -> None:
    frame = table()
    featurizer = Featurizer().fit(frame)
    whole = featurizer.transform(frame)
    one = featurizer.transform(frame.iloc[[17]])
    pd.testing.assert_frame_equal(one, whole.iloc[[17]])


@pytest.mark.parametrize(
    ("column", "name"), [([1.0, 2.5, 3.0, 1.0], "a number"), ([True, False, None, True], "a truth value")]
)
def test_a_category_is_the_same_in_a_row_of_its_own(column: list[object], name: str) -> None:
    """A single row has other types of columns than the table that was learned from: no NaN, no fraction."""
    frame = pd.DataFrame({name: column * 10})
    featurizer = Featurizer({"column_name_and_types": {name: "Categorical"}}).fit(frame)
    (feature,) = featurizer.transform(frame).columns
    alone = featurizer.transform(pd.DataFrame({name: column[:1]}))[feature]
    assert list(alone) == list(featurizer.transform(frame)[feature][:1])
    assert alone.notna().all()


def test_parameters_of_a_transformer_are_those_of_their_columns() -> None:
    entries = [
        {"fields": ["text"], "parameters": {"ngram_range": [1, 1], "max_features": 3}},
        {"fields": ["other"], "parameters": {"ngram_range": [1, 1], "max_features": 2}},
    ]
    frame = table().assign(other=lambda frame: frame.text.str.upper())[["text", "other"]]
    names = list(Featurizer({"transformer_params": {"tf_idf": entries}}).fit_transform(frame).columns)
    assert len([name for name in names if name.startswith("text_word")]) == 3
    assert len([name for name in names if name.startswith("other_word")]) == 2


def test_unseen_and_missing_values_do_not_fail() -> None:
    frame = table()
    featurizer = Featurizer().fit(frame)
    odd = pd.DataFrame({"number": ["x", None], "color": ["blue", None], "day": ["never", None]})
    features = featurizer.transform(odd)
    assert features.select_dtypes("number").notna().all().all()


@pytest.mark.parametrize(
    ("strategy", "expected"), [({"strategy": "mean"}, 2.0), ({"strategy": "constant", "fill_value": 7}, 7.0)]
)
def test_the_imputer_fills_as_the_user_says(strategy: dict[str, object], expected: float) -> None:
    settings = {"transformer_params": {"imputer": [{"fields": ["a"], "parameters": strategy}]}}
    features = Featurizer(settings).fit_transform(pd.DataFrame({"a": [1.0, 1.0, 4.0, None]}))
    assert list(features["a"]) == [1.0, 1.0, 4.0, expected]


def test_a_fill_value_that_is_not_a_number_is_one_sentence() -> None:
    entry = {"fields": ["number"], "parameters": {"strategy": "constant", "fill_value": "abc"}}
    with pytest.raises(
        AutoMLError, match="the column 'number' is of numbers, and the fill value 'abc' is not a number"
    ):
        Featurizer({"transformer_params": {"imputer": [entry]}}).fit(table())


def test_imputers_that_do_nothing_are_named() -> None:
    """Strategies have to fit the type of the column: a category has no mean, and dates and texts are never filled."""
    entries = [{"fields": ["number", "color", "day", "text"], "parameters": {"strategy": "median"}}]
    found = Featurizer({"transformer_params": {"imputer": entries}}).fit(table()).list_ineffective_imputers()
    assert found == [
        "the imputer of 'color' has no effect: the strategy median does not act on a column of the type category; "
        "most_frequent and constant do",
        "the imputer of 'day' has no effect: the strategy median does not act on a column of the type date",
        "the imputer of 'text' has no effect: the strategy median does not act on a column of the type text",
    ]
    entries = [{"fields": ["number", "color"], "parameters": {"strategy": "most_frequent"}}]
    assert not Featurizer({"transformer_params": {"imputer": entries}}).fit(table()).list_ineffective_imputers()


def test_names_of_features_are_plain_and_unique() -> None:
    frame = pd.DataFrame({"a b": [1.0, 2.0], "a.b": [3.0, 5.0], "größe": [1.0, 4.0]})
    names = list(Featurizer().fit_transform(frame).columns)
    assert len(set(names)) == 3
    assert all(name.isascii() and name.isidentifier() for name in names)


def test_a_class_of_one_row_is_always_trained_on() -> None:
    truth = np.array([0] * 20 + [1] * 20 + [2])
    folds = make_folds({"n_cross_validations": 4}, pd.DataFrame(index=range(41)), truth, True, 1)
    assert all(40 in train and 40 not in valid for train, valid in folds.pairs)
    assert sorted(np.concatenate([valid for _, valid in folds.pairs])) == list(range(40))


@pytest.mark.parametrize(("rows", "folds"), [(500, 10), (5000, 3), (20001, 1)])
def test_the_service_s_defaults_depend_on_the_rows(rows: int, folds: int) -> None:
    made = make_folds({}, pd.DataFrame(index=range(rows)), np.arange(rows) % 2, True, 1)
    assert len(made.pairs) == folds


def test_columns_say_which_rows_validate() -> None:
    frame = pd.DataFrame({"cv1": [1, 1, 0], "cv2": [0, 1, 1]})
    made = make_folds({"cv_split_column_names": ["cv1", "cv2"]}, frame, np.array([0, 1, 0]), True, 1)
    assert [(list(train), list(valid)) for train, valid in made.pairs] == [([0, 1], [2]), ([1, 2], [0])]
    with pytest.raises(AutoMLError, match="no column 'cv3'"):
        make_folds({"cv_split_column_names": ["cv3"]}, frame, np.array([0, 1, 0]), True, 1)


@pytest.mark.parametrize(("name", "fixed"), [("H", "h"), ("W-THU", "W-THU"), ("M", "ME"), ("15T", "15min"), ("D", "D")])
def test_old_names_of_frequencies_are_known(name: str, fixed: str) -> None:
    assert fix_frequency(name) == fixed


def test_a_frequency_that_pandas_does_not_know_is_one_sentence() -> None:
    with pytest.raises(GridError, match="'fortnight' is no frequency"):
        fix_frequency("fortnight")


def test_the_frequency_is_inferred_and_gaps_are_filled() -> None:
    times = pd.DatetimeIndex(["2020-01-06", "2020-01-13", "2020-01-20", "2020-02-03", "2020-02-10", "2020-02-17"])
    frequency = infer_frequency(times, ["a"] * 6)
    grid = make_grid(["a"] * 6, times, [1.0, 2.0, 3.0, 5.0, 6.0, 7.0], frequency)
    assert grid.values.shape == (1, 7)
    assert fill_gaps(grid, {}) == 1
    assert grid.values[0, 3] == 3.0


def test_a_gap_is_filled_with_the_mean_of_what_came_before() -> None:
    """The mean of all would tell a forecast that begins after the gap of what comes later."""
    times = pd.date_range("2020-01-01", periods=6)
    grid = make_grid(["a"] * 6, times, [1.0, 3.0, np.nan, 50.0, np.nan, 90.0], "D")
    assert fill_gaps(grid, {"strategy": "mean"}) == 2
    assert list(grid.values[0]) == [1.0, 3.0, 2.0, 50.0, 18.0, 90.0]


def test_a_time_beside_the_grid_is_one_sentence() -> None:
    with pytest.raises(GridError, match="is not on the frequency 'D'"):
        make_grid(["a", "a"], ["2020-01-01", "2020-01-02 05:00"], [1.0, 2.0], "D")
