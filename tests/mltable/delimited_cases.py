"""read_delimited: its options, and the types told from the first rows."""

# ruff: noqa: E501 (rows of tables)

from __future__ import annotations

from tests.mltable.cases import Case, delimited

_THREE = {"a.csv": "a,b\n1,x\n2,y\n", "b.csv": "b,a,c\nz,3,9\n", "c.csv": "a,b\n4,w\n"}
_ALL_FILES = "paths:\n  - file: ./a.csv\n  - file: ./b.csv\n  - file: ./c.csv\ntransformations:\n  - read_delimited:\n      header: "
_BARE = "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited\n"
_TAIL = "  - skip: 248\n"


def cases():
    return [*_types(), *_dates(), *_late(), *_forms(), *_encodings(), *_headers(), *_overrides()]


def _types():
    values = {
        "ints": "a,b,c,d\n1,1.5,x,\n2,2,y,\n,3,,\n",
        "booleans": "a,b,c,d,e,f,g\ntrue,True,TRUE,t,yes,1,true\nfalse,False,FALSE,f,no,0,\n",
        "booleans with digits": "a,b,c\ntrue,1,true\n1,true,x\n",
        "floats": "a,b,c,d,e,f,g,h\n1e5,inf,nan,1.,.5,-0,+1,1_000\n1E-5,-inf,NaN,2.,-.5,-0.0,+2,2_000\n",
        "no numbers": 'a,b,c,d,e,f\n007,99999999999999999999,0x10,$5,5%,"1,000"\n008,99999999999999999998,0x11,$6,6%,"2"\n',
        "spaces": "a,b,c, d ,e\n 1, x,1 , y ,\n 2, z,2 , w ,  \n",
        "words for nothing beside numbers": "a,b,c,d,e,f\n1,1,1,1,1,1\nNA,null,None,N/A,nan,\n",
        "words for nothing beside texts": "a,b,c,d,e,f\nx,x,x,x,x,x\nNA,null,None,N/A,nan,\n",
        "booleans and dates beside others": "a,b,c\n1,1,2020-01-01\ntrue,2020-01-01,foo\n",
        "quoted empties": 'a,b,c\n"",1,""\n"",2,x\n',
        "edges of integers": "a,b,c\n9223372036854775807,9223372036854775808,-9223372036854775808\n1,1,1\n",
        "infinities": "a,b,c,d\nInfinity,+inf,INF,infinity\n1,1,1,1\n",
        "signs": "a,b,c,d,e\n+,-,.,e5,1e\n1,1,1,1,1\n",
        "mostly digits": "a\n" + "1\n" * 50 + "foo\n",
        "zeros": "a,b,c\n00,01,0\n1,1,-0\n",
        "odd case": "a,b\nTrUe,T\nfAlSe,F\n",
    }
    return [delimited(f"types: {name}", text) for name, text in values.items()]


def _dates():
    one = ["2020-01-02", "2020-01-02T03:04:05", "2020-01-02 03:04:05", "2020-01-02T03:04:05Z", "2020/01/02", "20200102"]
    two = ["2021-11-12", "2020-01-02T03:04:05.123", "2020-01-02 03:04:05.5", "2020-01-02T03:04:05+02:00", "2020/11/22",
           "20201102"]  # fmt: skip
    forms = [
        "2020-12-31 3:04:05", "2020-12-31 03:04:05.123456789", "2020-12-31 03:04:05 Z", "2020-12-31 03:04:05 +0200",
        "2020/12/31T03:04:05.5+02:00", "12/31/2020", "12-31-2020", "31/12/2020", "31-12-2020", "12/31/20",
        "12/31/2020 3:04", "31-12-2020 03:04:05", "12/31/2020 03:04PM", "31/12/2020 3:04:05 pm", "31-Dec-2020",
        "31-Dec-20", " 2020-12-31",
    ]  # fmt: skip
    none = [
        "2020.12.31", "2020 12 31", "31.12.2020", "2020-31-12", "2020-12-31 3:04", "2020-12-31 03:04 PM",
        "2020-12-31 03:04Z", "12/31/2020 03:04:05.1", "12/31/2020 03:04:05Z", "12/31/2020T03:04:05", "31 Dec 2020",
        "Dec 31 2020", "2020-Dec-31", "12/2020", "2020-12", "03:04:05", "2020-12-31T", "2020-12-31 ", "2020-13-31",
        "0000-00-00", "2020-02-30", "20201231T030405",
    ]  # fmt: skip
    mixed = {
        "of two forms": ["2020-01-01", "2020-01-01 03:04:05"],
        "of two separators": ["2020-01-01", "2020/01/02"],
        "year first and last": ["2020-01-01", "01/15/2020"],
        "month and day first": ["01/15/2020", "15/01/2020"],
        "with a zone and without": ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00"],
        "T and space": ["2020-01-01 00:00:00", "2020-01-01T00:00:00"],
        "told by a later one": ["01/02/2020", "01/15/2020"],
        "ambiguous": ["01/02/2020", "11/12/2020"],
        "ambiguous beside others": ["01/02/2020", "2020-01-01"],
        "with minutes beside seconds": ["2020-01-01 00:00:00", "2020-01-01 00:00"],
        "of half and whole days": ["01/15/2020 3:04 PM", "01/15/2020 13:04"],
        "and nothing": ["2020-01-02", "", "2020-01-04"],
        "and a number": ["2020-01-01", "1"],
    }
    found = [delimited("dates: plain", "\n".join([",".join("abcdef"), ",".join(one), ",".join(two), ""]))]
    for group, values in (("dates: forms", forms), ("dates: no dates", none)):
        names = ",".join(f"c{index}" for index in range(len(values)))
        row = ",".join(f'"{value}"' for value in values)
        found.append(delimited(group, f"{names}\n{row}\n{row}\n"))
    found += [delimited(f"dates: {name}", "\n".join(["a,b", *(f"{each},x" for each in values), ""]))
              for name, values in mixed.items()]  # fmt: skip
    found.append(
        delimited(
            "dates: day, month, year of two digits", "a\n31-12-20\n02-01-19\n",
            differs="the official package sees dates there and loses them all; they are read",
        )
    )  # fmt: skip
    return found


def _late():
    found = [
        delimited(f"late: after {count}", "a,b\n" + "".join(f"{row},{row}\n" for row in range(count)) + "x,1.5\n",
                  more=f"  - skip: {count - 2}\n")
        for count in (199, 200, 201)
    ]  # fmt: skip
    values = {
        "float": ("5.5\n", "2\n-2.7\n 7 \n1e3\ntrue\n  \n\nNA\n"),
        "int": ("5\n", "2\n-2.7\n 7 \n1e3\ntrue\n  \n\nNA\n99999999999999999999\n2.50\nnan\n"),
        "bool": ("true\n", "2\nyes\n t \n0\nF\n  \n\nNA\n1.0\n"),
        "digits": ("1\n", "2\n0\n 1 \ntrue\nF\n-1\n"),
        "date": ("2020-01-01\n", "2020-01-05\n2020-01-01 00:00:00\n 2020-01-03 \n01/15/2020\n2020/01/01\n"),
        "nothing": ("\n", "5\n1\n"),
    }
    found += [delimited(f"late: {name}", "a,b\n" + start.replace("\n", ",1\n") * 250 + end.replace("\n", ",1\n"),
                        more=_TAIL) for name, (start, end) in values.items()]  # fmt: skip
    size = ("infer_column_types:", "  sample_size: 2")
    return [*found, delimited("late: sample_size", "a\n5\n6\nx\n", size)]


def _forms():
    multi = ("support_multi_line: true",)
    texts = {
        "quotes": 'a,b,c\n"x,1","say ""hi""",\'q\'\n"y",p"q"r," z "\n',
        "after a quote": 'a,b\n"x"y,1\nz,"2\n',
        "quoted line breaks": 'a,b\n"x\ny",1\nz,2\n',
        "carriage returns": "a,b\r\n1,x\r\n2,y\r\n",
        "blank lines": "a,b\n1,x\n\n2,y\n\n",
        "blank lines and empty rows": "a,b\n1,x\n\n,\n2,y\n",
        "blank lines of one column": "a\n1\n\n2\n\n",
        "short rows": "a,b,c\n1,2\n3,4,5\n",
        "short first rows": "a,b,c\n3,4,5\n1,2\n",
        "long rows": "a,b\n1,2,3\n3,4\n5,6,7,8\n",
        "no line break at the end": "a,b\n1,2",
        "a header alone": "a,b\n",
        "an empty file": "",
        "columns of one name": "a,a,b,a\n1,2,3,4\n",
        "columns without a name": "a,,b,\n1,2,3,4\n",
        "quoted columns": '"a x","b,c"\n1,2\n',
        "columns with spaces": " a ,b \n1,2\n",
        "a byte order mark": "\ufeffa,b\n1,2\n",
    }
    found = [delimited(f"form: {name}", text) for name, text in texts.items()]
    found.append(delimited("form: multi line", 'a,b\n"x\ny",1\nz,2\n', multi))
    found.append(delimited("form: multi line, carriage returns", "a,b\r\n1,x\r\n2,y\r\n", multi))
    lost = "the official package makes line breaks of blank lines parts of values; blank lines are left out"
    found.append(delimited("form: multi line, blank lines", "a,b\n1,x\n\n2,y\n\n", multi, differs=lost))
    for delimiter, text in (
        ("\\t", "a\tb,c\n1\tx\n"),
        (";", "a;b\n1,5;x\n"),
        ("||", "a||b\n1||x\n"),
        ("|", "a|b\n1|x\n"),
    ):
        table = _BARE[:-1] + f':\n      delimiter: "{delimiter}"\n'
        found.append(Case(f"form: delimiter {delimiter}", {"a.csv": text}, table))
    found.append(Case("form: read_delimited alone", {"a.csv": "a,b\n1,x\n"}, _BARE))
    empties = "a,b,c\n1,x,2020-01-01\n,,\n"
    found.append(delimited("form: empty_as_string", empties, ("empty_as_string: true",)))
    found.append(delimited("form: no inference", empties, ("infer_column_types: false",)))
    both = ("infer_column_types: false", "empty_as_string: true")
    return [*found, delimited("form: no inference, empty_as_string", empties, both)]


def _encodings():
    latin = "a,b\n\udce9t\udce9,\udc80x\n"
    found = [
        delimited(f"encoding: {name}", latin, (f"encoding: {name}",))
        for name in ("latin1", "iso-8859-1", "windows1252", "utf8", "ascii")
    ]
    found.append(delimited("encoding: ascii of utf8", "a,b\nété,x\n", ("encoding: ascii",)))
    utf16 = "\ufeffa,b\nété,x\n".encode("utf-16-le").decode("utf-8", "surrogateescape")
    found += [delimited(f"encoding: {name}", utf16, (f"encoding: {name}",)) for name in ("utf16", "utf-16")]
    bare = "a,b\nété,x\n".encode("utf-16-le").decode("utf-8", "surrogateescape")
    return [*found, delimited("encoding: utf16 without a mark", bare, ("encoding: utf16",))]


def _headers():
    names = ("no_header", "from_first_file", "all_files_different_headers", "all_files_same_headers")
    found = [Case(f"header: {name}", _THREE, _ALL_FILES + name + "\n") for name in names]
    path = _ALL_FILES + "all_files_same_headers\n      include_path_column: true\n"
    found.append(Case("header: with the path", _THREE, path))
    found.append(Case("header: path_column of no name", _THREE, path + "      path_column: src\n"))
    two = "paths:\n  - file: ./a.csv\n  - file: ./b.csv\ntransformations:\n  - read_delimited\n"
    found.append(Case("header: an empty file first", {"a.csv": "", "b.csv": "a,b\n1,x\n"}, two))
    return [*found, Case("header: types of all files", {"a.csv": "a\n1\n2\n", "b.csv": "a\nx\n2.5\n"}, two)]


def _overrides():
    text = "a,b,c,d\n1,2,2020-01-02,y\n3,4,2020-02-02,n\n"
    of = "m.from_delimited_files([{'file': 'a.csv'}], infer_column_types={'column_type_overrides': %s})"
    programs = {
        "texts": "{('a', 'c'): 'string'}",
        "numbers": "{'a': 'float', 'd': 'int'}",
        "booleans": "{'d': m.DataType.to_bool(['y'], ['n'])}",
        "dates": "{'c': m.DataType.to_datetime('%Y-%m-%d'), 'a': 'boolean'}",
    }
    found = [Case(f"overrides: {name}", {"a.csv": text}, None, of % types) for name, types in programs.items()]
    lines = ("infer_column_types:", "  column_type_overrides:", "    - columns: [a, b]", "      column_type: string",
             "    - columns: c", "      column_type:", "        datetime: {formats: '%Y-%m-%d'}")  # fmt: skip
    return [*found, delimited("overrides: in the file", text, lines)]
