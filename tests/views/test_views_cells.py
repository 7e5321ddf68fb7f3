import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allthepoints.views.cells import Value, cell


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        ("", ""),
        (True, "true"),
        (1845, "1845"),
        (-500, "-500"),
        (2.5, "2.5"),
        ("-500", "-500"),
        ("+5", "+5"),
        ("-1.5", "-1.5"),
        ("Pick the next map 🗺", "Pick the next map 🗺"),
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\n'=1"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\n=1", "'\n'=1"),
        ("  =1", "'  =1"),
        ("＝1+1", "'＝1+1"),
        ("-", "'-"),
        ("a=b", "a=b"),
        ("2026-11-25T21:00:00.000Z", "2026-11-25T21:00:00.000Z"),
        ("-١", "'-١"),
        ("a;=1+1", "a;'=1+1"),
        ("a; ＠SUM(A1)", "a; '＠SUM(A1)"),
        ("a\t-2+3", "a\t'-2+3"),
        ("a\r\n=1", "a\n'=1"),
        ("=1;=2", "'=1;'=2"),
        ("a;;+1", "a;;'+1"),
        ("a; b", "a; b"),
    ],
)
def test_no_cell_is_a_formula(value: Value, expected: str) -> None:
    assert cell(value) == expected


@given(st.text() | st.text(alphabet="=+-@;,'\t\n\r a1"))
def test_a_reader_gets_the_text_back_and_nothing_that_begins_a_formula(text: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerow([cell(text), "end"])
    ((read, end),) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert end == "end"
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert read.replace("'", "") == plain.replace("'", "")
    assert read[:1] not in {"=", "@", "\t", "\r", "\n"}
    for part in re.split("[;\\t\\n]", read)[1:]:
        assert part.lstrip(" ")[:1] not in {"=", "@", "+", "-"}, "wherever a spreadsheet cuts"
