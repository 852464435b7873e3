"""Reads one yearbook three times, and finds the same figures each time: its canonical bytes as proto/creditbank/v1/
statistics.proto describes them, the CSV, and the Parquet file with DuckDB.

figures.py YEARBOOK.bin YEARBOOK.csv YEARBOOK.parquet     (CSV and Parquet in English)
"""

import csv
import hashlib
import struct
import sys
from decimal import Decimal

import duckdb

SUBJECTS = {1: "Learning", 2: "Recognition", 3: "Points"}
TABLES = "total month category district institution age sex tenure month-category category-district category-age age-sex".split()
MEASURES = {
    1: ["Learners", "Attendances", "Completions", "Hours", "Credits"],
    2: ["People concerned", "Applications", "Decisions", "Conversions", "Appeals"],
    3: ["People concerned", "Movements", "Earned", "Redeemed", "Expired or taken back"],
}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def text(self):
        return self.take(f"{self.take('H')}s").decode()


def canonical(data):
    context = b"creditbank/yearbook/v1\n"
    assert data.startswith(context)
    it = Reader(data[len(context) :])
    book = {"origin": it.text(), "year": it.take("H"), "size": it.take("Q"), "root": it.take("32s").hex()}
    book["source"], book["dated"] = it.text(), it.text()
    book["residents"] = dict(it.take("IQ") for _ in range(it.take("I")))
    book["days"] = [it.take("I") for _ in range(it.take("B"))]
    book["figures"] = {}
    for _ in range(it.take("I")):
        year, subject, table, first, second, shown = it.take("HBBIIB")
        assert year == book["year"]
        for at, measure in enumerate(MEASURES[subject]):
            value = Decimal(it.take("q")) if shown >> at & 1 else None
            if value is not None and subject == 1 and at >= 3:
                value /= 100
            book["figures"][SUBJECTS[subject], TABLES[table - 1], first, second, measure] = value
    assert it.at == len(it.data)
    return book


def split(rows):
    """Lines about the yearbook, its figures, participation and days; each a dictionary."""
    about, figures, others = {}, {}, {}
    for year, subject, table, code_1, _, code_2, _, measure, unit, value, note in rows:
        assert (value is None) == (note != ""), (measure, value, note)
        key = (subject, table, int(code_1), int(code_2), measure)
        if table == "about":
            about[measure] = note or int(value)
        elif table in ("participation", "days"):
            others[key] = value
        else:
            assert unit and note in ("", "suppressed")
            assert key not in figures
            figures[key] = value
    return about, figures, others


def main(of_bytes, of_csv, of_parquet):
    with open(of_bytes, "rb") as file:
        data = file.read()
    book = canonical(data)
    digest = hashlib.sha256(data).hexdigest()
    with open(of_csv, encoding="utf-8", newline="") as file:
        text = file.read()
    assert text[0] == "\ufeff", "spreadsheets take it for another encoding"
    rows = list(csv.reader(text[1:].splitlines()))
    assert rows[0] == "year subject table code_1 group_1 code_2 group_2 measure unit value note".split(), rows[0]
    rows = [row[:9] + [Decimal(row[9]) if row[9] else None, row[10]] for row in rows[1:]]
    again = duckdb.sql(f"SELECT * FROM '{of_parquet}'")
    assert again.columns == "year subject table code_1 group_1 code_2 group_2 measure unit value note".split()
    assert str(again.types[9]) == "DECIMAL(18,2)", again.types
    named = dict(duckdb.sql(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{of_parquet}')").fetchall())
    assert named["yearbook"] == digest, named
    for lines in (rows, again.fetchall()):
        about, figures, others = split(lines)
        assert about["SHA-256 of the yearbook"] == digest
        assert about["Size of the log"] == book["size"]
        assert about["Root of the log"] == book["root"] and about["Log"] == book["origin"]
        if book["source"]:
            assert about["Source of residents"] == book["source"]
            assert about["Date of residents"] == book["dated"]
        assert figures == book["figures"], "figures differ"
        learners = {
            0: figures.get(("Learning", "total", 0, 0, "Learners")),
            **{key[2]: value for key, value in figures.items() if key[1] == "district" and key[4] == "Learners"},
        }
        for district, residents in book["residents"].items():
            if district in learners:
                key = ("Learning", "participation", district, 0)
                assert others[*key, "Residents"] == residents
                known = learners[district]
                assert others[*key, "Learners in 10,000"] == (None if known is None else known * 10000 // residents)
        days = [value for key, value in others.items() if key[1] == "days" and value is not None]
        assert days == book["days"], (days, book["days"])
    suppressed = sum(value is None for value in book["figures"].values())
    told = sum(key[1] == "participation" for key in others)
    print(f"{len(book['figures'])} figures, {suppressed} suppressed, {told} of participation: all the same")


main(*sys.argv[1:])
