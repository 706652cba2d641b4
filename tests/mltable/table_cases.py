"""Transformations of rows, columns and types."""

# ruff: noqa: E501 (rows of tables)

from __future__ import annotations

from tests.mltable.cases import Case, delimited

_TABLE = "a,b,c,s\n1,1.5,2020-01-01,foo\n2,2.5,2020-02-01,bar\n3,,2021-01-01,\n4,4.5,2022-01-01,Baz\n"
_GAPS = "a,b\n1,x\n,y\n3,\n"
_REFUSED = (
    "the official package gives what was not meant, by an order of kinds or an unknown name; refused in a sentence"
)
_KNOWS = "the official package fails here; it is read"
_SAMPLED = "random rows are drawn by another generator: as many, and the same for the same seed, but others"


def cases():
    return [*_filters(), *_conversions(), *_columns(), *_rows(), *_refused()]


def _filters():
    same = [
        "col('a') > 2", "a > 2", "col('a') > 2 and col('b') > 3", "col('a') > 2 or b == 1.5", "not (a > 2)", "a == '1'",
        "s == 'foo'", "s != 'foo'", "s == None", "b == None", "b > 2", "b != 1.5", "c >= datetime(2021,1,1)", "a + 1 == 2",
        "a * 2 > b", "a % 2 == 0", "a / 2 == 1", "True", 'col("a") >= 2', "a > b", "a == 1.0", "b == 2", "s > 'c'",
        "a >= 2.5", "-a < -2", "a == True", "datetime(2020,1,1) == c", "a == None or a > 3", "col('c') == '2020-01-01'",
        "(a > 1) & (a < 4)", "~(a>2)", "a in [1,2]", "s is None", "s.endswith('z')", "s.contains('a')", "len(s) == 3",
        "s.lower() == 'baz'", "c >= datetime.datetime(2021,1,1)", "a", "FBI Code == 1", "record['a'] > 1", "abs(a) > 2",
        "__import__('os')", "c.year == 2020", "a if a > 1 else False", "int(b) == 2",
    ]  # fmt: skip
    gaps = [
        "a != 1", "not (a == 1)", "a < 2 or b == 'y'", "not a", "a and True", "a + b > 1", "a == 1 and b", "a // 2 == 1",
        "a ** 2 == 9", "a - 1 == 0", "'x' == b", "b + 'q' == 'xq'", "datetime(2020) > datetime(2019)", "False",
        "col('a') == 1.5", "a==1 and (b=='x' or b=='y')", "a>-1", "a > 1e0", 'b == "x"', "b == 'it\\\\'s'", "a\n> 1",
        "a <> 1", "!(a > 1)", "a > 1 && a < 3", "a == 1;", "  a == 1 ", "a =1", "a != 'x'",
    ]  # fmt: skip
    refused = ["c > '2020-06-01'", "1 < a < 4", "col('nope') > 1", "nope > 1", "a == true"]
    known = ["s.startswith('b')", "col('s').startswith('f')", "startswith(s,'f')", "s == ''"]
    booleans = ["b == True", "b", "not b", "b == 1"]

    def made(group, expressions, text, differs=None):
        return [delimited(f"{group}: {each!r}", text, program=f"t.filter({each!r})", differs=differs)
                for each in expressions]  # fmt: skip

    return [
        *made("filter", same, _TABLE),
        *made("filter with gaps", gaps, _GAPS),
        *made("filter of booleans", booleans, "b\ntrue\nfalse\n\n"),
        *made("filter", refused, _TABLE, _REFUSED),
        *made("filter", known, _TABLE, _KNOWS),
    ]


def _conversions():
    number = (
        'x,y\n1,\n 2 ,\n2.7,\n-2.7,\n1e3,\nabc,\n,\n"1,5",\ntrue,\n+3,\n99999999999999999999,\n0x1F,\nnan,\n-5e30,\n'
    )
    yes = "x,y\nyes,\nno,\nYES,\nmaybe,\n,\n1,\ntrue,\n"
    date = "x,y\n2020-01-02,\n2020-01-02 03:04:05,\n01/02/2020,\n,\nfoo,\n 2020-01-02 ,\n"
    words = "x\ntrue\nFalse\nT\nf\nyes\nno\ny\nn\non\noff\n1\n0\n1.0\n"
    clock = "x\n03:04:05\n23:00:00\n"
    texts = {
        "to int": (number, "'int'"), "to float": (number, "'float'"), "to boolean": (number, "'boolean'"),
        "to string": (number, "'string'"), "words to boolean": (words, "'boolean'"),
        "by lists": (yes, "m.DataType.to_bool(['yes'], ['no'])"),
        "by lists, else true": (yes, "m.DataType.to_bool(['yes'], ['no'], 'true')"),
        "by lists, else false": (yes, "m.DataType.to_bool(['yes'], ['no'], 'false')"),
        "else true": (yes, "m.DataType.to_bool(mismatch_as='true')"),
        "date": (date, "m.DataType.to_datetime('%Y-%m-%d')"),
        "dates": (date, "m.DataType.to_datetime(['%Y-%m-%d', '%d/%m/%Y', '%Y-%m-%d %H:%M:%S'])"),
        "constant": (clock, "m.DataType.to_datetime('%Y-%m-%d %H:%M:%S', '2020-01-01 ')"),
        "time alone": (clock, "m.DataType.to_datetime('%H:%M:%S')"),
        "digits": ("x\n20200102\n20200103\n", "m.DataType.to_datetime('%Y%m%d')"),
        "words": ("x\n02 Jan 2020 01:02 PM\n", "m.DataType.to_datetime('%d %b %Y %I:%M %p')"),
        "fractions": ("x\n2020-01-02 03:04:05.123456\n2020-01-02 03:04:05\n",
                      "m.DataType.to_datetime('%Y-%m-%d %H:%M:%S.%f')"),
        "zones": ("x\n2020-01-02T03:04:05+02:00\n2020-01-02T03:04:05Z\n", "m.DataType.to_datetime('%Y-%m-%dT%H:%M:%S%z')"),
        "streams": ("x,y\nhttps://a.blob.core.windows.net/c/p.txt,\n/tmp/x.txt,\nfoo,\n,\nwasbs://c@a.blob.core.windows.net/p,\n"
                    "azureml://subscriptions/s/resourcegroups/r/workspaces/w/datastores/d/paths/p.txt,\n", "'stream_info'"),
    }  # fmt: skip
    plain = ("infer_column_types: false",)
    found = [delimited(f"convert: {name}", text, plain, f"t.convert_column_types({{'x': {type}}})")
             for name, (text, type) in texts.items()]  # fmt: skip
    rows = "a,b,d,e\n5,1.5,2020-01-02,true\n0,1e20,2020-01-02 03:04:05,false\n7,2.0,2020-01-02 03:04:05.25,t\n"
    found += [delimited(f"convert: all to {type}", rows, (), f"t.convert_column_types({{('a','b','d','e'): '{type}'}})")
              for type in ("string", "int", "float", "boolean")]  # fmt: skip
    found.append(delimited("convert: a number to datetime", "x\n20200102\n20200103\n", (),
                           "t.convert_column_types({'x': m.DataType.to_datetime('%Y%m%d')})"))  # fmt: skip
    found.append(delimited("convert: no such column", _TABLE, (), "t.convert_column_types({'zz': 'int'})"))
    steps = """  - convert_column_types:
      - columns: [a, b]
        column_type: string
      - columns: {pattern: "s"}
        column_type: boolean
      - columns: c
        column_type: {datetime: {formats: ["%Y-%m-%d"]}}
"""
    return [*found, delimited("convert: in the file", _TABLE, more=steps)]


def _columns():
    programs = [
        "t.drop_columns('a')", "t.drop_columns(['a', 'zz'])", "t.drop_columns([])", "t.drop_columns(('a', 's'))",
        "t.keep_columns(['s', 'a'])", "t.keep_columns(['s', 'zz'])", "t.keep_columns(['zz'])", "t.keep_columns('s')",
        "t.drop_columns(['a', 'a'])", "t.keep_columns({'a', 's'})",
    ]  # fmt: skip
    steps = [
        'drop_columns: {pattern: "[AB]"}', 'drop_columns: {pattern: "[ab]", invert: true}', 'keep_columns: {pattern: "[ab]"}',
        'keep_columns: {pattern: "^a"}', "keep_columns: [s, a]", "drop_columns: a", "drop_columns: zz",
    ]  # fmt: skip
    case = 'drop_columns: {pattern: "[AB]", ignore_case: true}'
    return [
        *(delimited(f"columns: {each}", _TABLE, program=each) for each in programs),
        *(delimited(f"columns: - {each}", _TABLE, more=f"  - {each}\n") for each in steps),
        delimited(f"columns: - {case}", _TABLE, more=f"  - {case}\n", differs="ignore_case is heeded"),
    ]


def _rows():
    steps = [
        "take: 2", "skip: 1", "skip: 10", "take: 0", "take: 3\n  - skip: 1", "skip: 1\n  - take: 2", 'filter: "a > 1"',
        'filter: col("a") > 1', "select_partitions: [0]", "select_partitions: [1]", "take: 2\n  - filter: a > 1",
    ]  # fmt: skip
    programs = ["t.take(2)", "t.skip(0)", "t.take(0)", "t.take('x')", "t.show(3)", "t.validate()",
                "t.get_partition_count()", "t.select_partitions(0)", "t._with_partition_size(30).get_partition_count()",
                "t._with_partition_size(30).select_partitions([1, 0])", "t == t.take(1)", "t == m.load('.')",
                "t.random_split(0.5, seed='x')", "t.take_random_sample(2.0)"]  # fmt: skip
    many = "a\n" + "".join(f"{row}\n" for row in range(2, 1002))
    sizes = "sorted(sum((list(x.to_pandas_dataframe()['a']) for x in t.random_split(0.3, seed=5)), [])) == list(range(2, 1002))"
    again = (
        "t.take_random_sample(0.1, 3).to_pandas_dataframe().equals(t.take_random_sample(0.1, 3).to_pandas_dataframe())"
    )
    return [
        *(delimited(f"rows: - {each}", _TABLE, more=f"  - {each}\n") for each in steps),
        *(delimited(f"rows: {each}", _TABLE, program=each) for each in programs),
        delimited("rows: random_split has all", many, program=sizes),
        delimited("rows: a sample again", many, program=again),
        delimited("rows: a sample", many, program="t.take_random_sample(0.1, 3)", differs=_SAMPLED),
        delimited("rows: sample in the file", many, differs=_SAMPLED,
                  more="  - sample: {sampler: random_percent, sampler_arguments: {probability: 0.1, seed: 1}}\n"),
    ]  # fmt: skip


def _refused():
    tables = {
        "a list": "[]", "nothing": "", "paths of a number": "paths: 5", "no such kind of path": "paths:\n  - fil: x",
        "not YAML": "foo: [", "two kinds of path": "paths:\n - file: a\n   folder: b", "no paths": "transformations: []",
        "steps of a text": "paths:\n - file: ./a.csv\ntransformations: read_delimited",
        "another type": "type: x\npaths:\n - file: ./a.csv", "an unknown key": "paths:\n - file: ./a.csv\nfoo: 1",
        "a path alone": "paths:\n - ./a.csv",
    }  # fmt: skip
    steps = ["read_delimited: {bogus: 1}", 'read_delimited: {delimiter: "|||"}', "read_delimited: {header: foo}", "take: x",
             "foo: 1", "distinct_rows", "rename_columns: {a: z}", "read_delimited\n - read_delimited",
             "convert_column_types:\n   - {columns: a, column_type: datetime}"]  # fmt: skip
    tables.update({each: f"paths:\n - file: ./a.csv\ntransformations:\n - {each}\n" for each in steps})
    found = [Case(f"refused: {name}", {"a.csv": _TABLE}, table) for name, table in tables.items()]
    found.append(Case("refused: paths of nothing", {}, "paths: []\ntransformations:\n - read_delimited\n"))
    early = "paths:\n - file: ./a.csv\ntransformations:\n - take: 1\n - read_delimited\n"
    return [*found, Case("files: taken before they are read", {"a.csv": _TABLE}, early)]
