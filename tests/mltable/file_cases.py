"""Paths, partition formats, files that are not read, Parquet, JSON lines, Delta tables, saving."""

# ruff: noqa: E501 (rows of tables)

from __future__ import annotations

from tests.mltable.cases import Case

_FILES = {
    "d/x=1/a.csv": "a,b\n1,x\n", "d/x=2/b.csv": "a,b\n2,y\n", "d/c.txt": "a,b\n3,z\n", "e.csv": "a,b\n4,w\n",
    "d/.h.csv": "a,b\n5,h\n", "d/_s.csv": "a,b\n6,s\n", "d/x=1/deep/z.csv": "a,b\n8,z\n",
}  # fmt: skip
_READ = "\ntransformations:\n  - read_delimited:\n      include_path_column: true\n"
_ORDER = "files of a folder come by name; the official package lists them in the order of the disk"
_ONE = {"a.csv": "a,b\n1,x\n2,y\n"}
_DELTA = {"t": "data:delta"}


def cases():
    return [*_paths(), *_partitions(), *_parquet(), *_json(), *_delta(), *_made(), *_saved()]


def _paths():
    same = [
        "- pattern: ./d/*.csv", "- pattern: ./d/**/*.csv", "- pattern: ./d/*/*.csv", "- pattern: ./*.csv",
        '- pattern: "**/*.csv"', "- pattern: ./d/x=?/*.csv", '- pattern: "./d/x=[12]/*.csv"', '- pattern: "./d/{c,e}*"',
        "- file: ./d", "- file: ./d/*.csv", "- folder: ./e.csv", "- file: ./missing.csv", "- folder: ./missing",
        "- pattern: ./missing*", "- file: e.csv\n  - file: d/c.txt", "- file: ./e.csv\n  - pattern: ./e*",
        "- pattern: ./d/*", "- folder: ./d/x=2",
    ]  # fmt: skip
    found = [Case(f"paths: {each}", _FILES, f"paths:\n  {each}{_READ}") for each in same]
    listed = "sorted(t.to_pandas_dataframe()['a'].tolist())"
    found.append(Case("paths: a folder, sorted", _FILES, f"paths:\n  - folder: ./d{_READ}", listed))
    found.append(Case("paths: a folder", _FILES, f"paths:\n  - folder: ./d{_READ}", differs=_ORDER))
    own = "a folder's own MLTable is not data of it"
    found.append(Case("paths: this folder", _ONE, f"paths:\n  - folder: .{_READ}", differs=own))
    plain = {"pattern": "- pattern: ./d/*/*.csv", "file": "- file: ./e.csv", "missing": "- file: ./nope"}
    found += [Case(f"streams: {name}", _FILES, f"paths:\n  {path}\n") for name, path in plain.items()]
    take = "paths:\n  - file: ./e.csv\n  - file: ./d/c.txt\ntransformations:\n  - take: 1\n"
    found.append(Case("streams: take", _FILES, take))
    words = "[(s.handler, s.resource_identifier, s.open().read().decode()) for s in t.to_pandas_dataframe()['Path']]"
    return [*found, Case("streams: opened", _FILES, "paths:\n  - file: ./e.csv\n", words)]


def _partitions():
    years = {"data/year=2020/m=1/a.csv": "v\n5\n", "data/year=2021/m=2/b.csv": "v\n6\n"}
    days = {"d/2020/01/02/a.csv": "v\n5\n", "d/2021/11/12/b.csv": "v\n6\n"}
    extract = '  - extract_columns_from_partition_format:\n      partition_format: "%s"\n'
    start = "paths:\n  - pattern: ./**/*.csv\ntransformations:\n"
    read = "  - read_delimited\n"
    formats = [
        (years, "/year={year}/m={month}"), (years, "/year={year}/m={month}/{name}.csv"), (years, "year={year}/m={month}"),
        (years, "/data/year={year}/m={month}/{file}.{ext}"), (years, "{year}/{m}/{f}.csv"),
        (years, "/year={year}/*/{name}.csv"), (days, "/{dt:yyyy/MM/dd}/{n}.csv"), (days, "/d/{dt:yyyy/MM/dd}/"),
        (days, "/{dt:yyyy/MM}/{x}/{n}.csv"), (days, "/{y}/{y}/"), (days, "nomatch/{y}.zip"), (days, "/{dt:MM/dd}/{n}.csv"),
        ({"d/2021-03-25-04-07-45.csv": "v\n1\n"}, "/{dt:yyyy-MM-dd-HH-mm-ss}.csv"),
        ({"d/y=1/a.csv": "v\n5\n"}, "/y={y}/"),
    ]  # fmt: skip
    found = [Case(f"partitions: {format}", files, start + extract % format + read) for files, format in formats]
    late = start + read + extract % "/year={year}/m={month}"
    found.append(Case("partitions: after the files are read", years, late))
    folder = "paths:\n  - pattern: ./d/**/*.csv\ntransformations:\n" + extract % "/{dt:yyyy/MM/dd}/{n}.csv"
    found.append(Case("partitions: of files that are not read", days, folder))
    path = start + extract % "/year={year}/" + read[:-1] + ":\n      include_path_column: true\n"
    found.append(Case("partitions: with the path", years, path))
    found += _partitions_of_read_files(extract)
    keys = "t.extract_columns_from_partition_format('/year={year}/{dt:yyyy}/{x}').partition_keys"
    found.append(Case("partitions: keys", years, start + read, keys))
    by = "t.extract_columns_from_partition_format('/year={year}/m={month}').filter('year > 2020')"
    return [*found, Case("partitions: by a program", years, start + read, by)]


def _partitions_of_read_files(extract):
    """Columns from the paths of files that are read already, and from texts in the files."""
    shops = {"d/2020/west/a.b.csv": "v\n5\n", "d/2021/e.ast/b.csv": "v\n6\n"}
    own = {"a.csv": "Path,v\n/x/y,1\n/2/z.csv,2\nnone,3\n", "b.csv": "Path,v\n/x/w,4\n"}
    with_path = "  - read_delimited:\n      include_path_column: true\n"
    dropped = '  - drop_columns: ["Path"]\n'
    start = "paths:\n  - pattern: ./**/*.csv\ntransformations:\n"
    ignore = "      ignore_errors: true\n"
    found = []
    for format in (
        "{year}/{shop}/{name}.{ext}",
        "/d/{year}/{shop}",
        "/d/{on:yyyy}/{shop}",
        "/2020/{shop}/",
        "/none/{x}",
        "/{v}/",
    ):
        table = start + with_path + extract % format + dropped
        found.append(Case(f"partitions: {format}, of files that are read", shops, table))
    for format in ("/d/{year}/{shop}", "/{year}/{shop}.{ext}", "/{v}/", "/2020/{shop}/", "/{on:yyyy}/{shop}/{at:MM}"):
        read = "  - read_delimited\n"
        found.append(Case(f"partitions: {format}, of names with dots", shops, start + extract % format + read))
    lost = start + extract % "/2020/{shop}/" + ignore + "  - read_delimited\n"
    found.append(Case("partitions: files that do not fit are left out", shops, lost))
    lost = start + with_path + extract % "/2020/{shop}/" + ignore + dropped
    found.append(Case("partitions: rows that do not fit are left out", shops, lost))
    texts = start + "  - read_delimited\n" + extract % "/{a}/{b}"
    found.append(Case("partitions: of a column of the files", own, texts))
    found.append(Case("partitions: of a column by its name", own, texts + "      path_column: v\n"))
    old = {"d/1000/a.csv": "v\n5\n"}
    found.append(
        Case(
            "partitions: of a year before all dates", old, start + extract % "/{on:yyyy}/{n}.csv" + with_path + dropped
        )
    )
    return found


def _parquet():
    read = "paths:\n  - file: ./%s\ntransformations:\n  - read_parquet\n"
    types = {"t.parquet": "data:types.parquet"}
    one, two = {"p.parquet": "data:one.parquet"}, {"p.parquet": "data:one.parquet", "q.parquet": "data:two.parquet"}
    both = "paths:\n  - pattern: ./*.parquet\ntransformations:\n  - read_parquet:\n      include_path_column: true\n"
    column = read[:-1] % "p.parquet" + ":\n      include_path_column: false\n      path_column: Path\n"
    return [
        Case("parquet: types", types, read % "t.parquet"),
        Case(
            "parquet: by a program",
            one,
            None,
            "m.from_parquet_files([{'file': 'p.parquet'}], include_path_column=True)",
        ),
        Case("parquet: of two kinds", two, both),
        Case("parquet: path_column", one, column),
        Case("parquet: a frame with an index", {"p.parquet": "data:indexed.parquet"}, read % "p.parquet"),
        Case("parquet: no Parquet", {"p.parquet": "nope"}, read % "p.parquet"),
        Case(
            "parquet: filtered",
            types,
            read % "t.parquet",
            "t.filter('tz >= datetime(2020, 1, 2) and i > 1').keep_columns(['i', 's', 'b2', 'u'])",
            "columns keep the types of the file; the official package widens them",
        ),
    ]


def _json():
    basic = '{"a":1,"b":"x","c":1.5,"d":true,"e":null,"f":[1,2],"i":"2020-01-02"}\n{"a":2,"b":null,"z":5}\n'
    texts = {
        "values": (basic, ()), "blank lines": ('{"a":1}\n\n{"a":2}\n', ()), "a bad line": ('{"a":1}\nfoo\n{"a":2}\n', ()),
        "a bad line dropped": ('{"a":1}\nfoo\n{"a":2}\n', ("invalid_lines: drop",)),
        "of other types": ('{"a":1}\n{"a":"x"}\n{"a":1.5}\n', ()), "a whole number late": ('{"a":1.5}\n{"a":1}\n', ()),
        "a fraction late": ('{"a":1}\n{"a":1.5}\n', ()), "with the path": ('{"a":1}\n', ("include_path_column: true",)),
        "no objects": ('{"a":1}\n5\n[1]\n', ()), "no objects dropped": ('{"a":1}\n5\n[1]\n', ("invalid_lines: drop",)),
        "columns in their order": ('{"b":1,"a":2}\n{"c":1,"b":3}\n', ()), "a boolean": ('{"a":true}\n{"a":1}\n', ()),
        "cut off": ('{"a":1}\n{"a":', ()), "nothing": ("", ()), "a latin text": ('{"a":"\udce9"}\n', ("encoding: latin1",)),
    }  # fmt: skip
    found = []
    for name, (text, options) in texts.items():
        lines = "".join(f"      {line}\n" for line in ("encoding: utf8", *options)[-1:])
        table = "paths:\n  - file: ./a.jsonl\ntransformations:\n  - read_json_lines:\n" + lines
        found.append(Case(f"json: {name}", {"a.jsonl": text}, table))
    bare = "paths:\n  - file: ./a.jsonl\ntransformations:\n  - read_json_lines\n"
    nested = '{"a":{"h":1}}\n{"a":null}\n'
    found.append(Case("json: an object", {"a.jsonl": nested}, bare))
    twice = "the official package fails; the last value is taken"
    found.append(Case("json: a name twice", {"a.jsonl": '{"a":1,"a":2}\n'}, bare, differs=twice))
    return found


def _delta():
    table = "paths:\n  - folder: ./t\ntransformations:\n  - read_delta_lake%s\n"
    sort = ".to_pandas_dataframe().sort_values('v').reset_index(drop=True)"
    versions = {"": "now", ": {version_as_of: 0}": "version 0", ": {version_as_of: 1}": "version 1",
                ": {version_as_of: 9}": "no such version", ": {timestamp_as_of: '2022-03-01T00:00:00Z'}": "as it was",
                ": {timestamp_as_of: '2021-03-01T00:00:00Z'}": "before it was"}  # fmt: skip
    lost = "the official package loses the columns by which a Delta table is partitioned; they are there"
    found = [Case(f"delta: {name}", _DELTA, table % options, "t" + sort, None if "9" in options else lost)
             for options, name in versions.items()]  # fmt: skip
    kept = "t.keep_columns(['k', 'v'])" + sort
    found += [Case(f"delta: {name}, without partitions", _DELTA, table % options, kept)
              for options, name in versions.items()]  # fmt: skip
    made = "m.from_delta_lake('./t', version_as_of=1)" + sort
    both = "m.from_delta_lake('./t', version_as_of=1, timestamp_as_of='2022-03-01T00:00:00Z')"
    path = "sorted(p.split('/t/')[1][:4] for p in t.to_pandas_dataframe()['Path'])"
    return [
        *found,
        Case("delta: by a program", _DELTA, None, made, lost),
        Case("delta: two times", _DELTA, None, both),
        Case("delta: with the path", _DELTA, table % ": {include_path_column: true}", path),
        Case("delta: no table", {"t/a.txt": "x"}, table % ""),
    ]


def _made():
    of = "m.from_delimited_files([{'file': 'a.csv'}]%s)"
    programs = [
        of % "", of % ", header='no_header'", of % ", header=m.MLTableHeaders.from_first_file", of % ", header='foo'",
        of % ", header=1", of % ", encoding='foo'", of % ", encoding=m.MLTableFileEncoding.ascii", of % ", delimiter='x'",
        of % ", infer_column_types=False", of % ", infer_column_types={}", of % ", infer_column_types=5",
        of % ", infer_column_types={'x': 1}", of % ", infer_column_types={'sample_size': 0}", of % ", empty_as_string=True",
        of % ", include_path_column=True", of % ", infer_column_types={'column_type_overrides': {'a': 'stream_info'}}",
        "m.from_paths([{'file': 'a.csv'}])", "m.from_paths([{'fil': 'a.csv'}])", "m.from_paths('a.csv')", "m.load('nope')",
        "m.from_json_lines_files([{'file': 'a.csv'}], invalid_lines='x')", "m.DataType.to_bool(['a'], ['a'])",
        "m.DataType.to_bool(['a'])", "m.DataType.to_datetime(None)", "m.from_paths([{'file': './a.csv'}]).paths",
        "str(m.from_parquet_files([{'file': './a.parquet'}]))", "str(m.from_json_lines_files([{'file': './a.jsonl'}]))",
        "str(m.from_delta_lake('./x', version_as_of=2))", f"str({of % ''})",
        "str(m.from_paths([{'file': 'a'}]).extract_columns_from_partition_format('/{a}/{b}'))",
        f"str({of % ''}.take(5).filter(\"col('a') > 1\").drop_columns('b').convert_column_types({{'a': 'int'}}).skip(2))",
    ]  # fmt: skip
    traits = (
        "(setattr(t.traits, 'timestamp_column', 'a'), setattr(t.traits, 'index_columns', ['a']), t.metadata.add('k', 'v'),"
        " [str(t), t.metadata.get('k'), t.metadata.get('z'), t.metadata.has('k'), t.traits.timestamp_column])[-1]"
    )
    read = "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited\n"
    kept = read + "traits: {timestamp_column: a, index_columns: [a]}\nmetadata: {owner: me}\n"
    return [
        *(Case(f"program: {each}", _ONE, None, each) for each in programs),
        Case("program: traits and metadata", _ONE, read, traits),
        Case("program: no traits", _ONE, read, "t.traits.timestamp_column"),
        Case("program: traits are not dropped", _ONE, kept, "t.drop_columns('a')"),
        Case("program: traits are kept", _ONE, kept, "t.keep_columns(['a'])"),
        Case("program: traits of the file", _ONE, kept, "str(t)"),
    ]


def _saved():
    read = "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited\n"
    seen = "[(f, open(f).read()) for f in sorted(os.path.join(r, f) for r, _, fs in os.walk('out') for f in fs)]"
    programs = {
        "save": f"[t.take(1).save('out'), {seen}][1]",
        "save colocated": f"[t.take(1).save('out', colocated=True), {seen}][1]",
        "save twice": "[t.save('out'), t.save('out', overwrite=False)]",
        "save over": "[t.save('out'), t.take(1).save('out'), m.load('out').to_pandas_dataframe().shape[0]][2]",
        "save skipping": "[t.save('out'), t.take(1).save('out', overwrite='skip'), m.load('out').paths][2]",
        "save here": "[t.save('.'), open('MLTable').read()][1]",
        "save and load": "[t.save('out', colocated=True), m.load('out')][1]",
        "save of the web": "[m.from_delimited_files([{'file': 'https://x.com/a.csv'}]).save('out'), " + seen + "][1]",
    }
    return [Case(f"saved: {name}", _ONE, read, program) for name, program in programs.items()]
