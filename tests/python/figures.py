"""Reads a Parquet file of figures with DuckDB and prints what a test looks at: rows, nulls, and one figure."""

import sys

import duckdb

path = sys.argv[1]
rows = duckdb.sql(f"SELECT count(*), count(value), count(DISTINCT measure) FROM '{path}'").fetchall()[0]
print("rows", rows[0], "values", rows[1], "measures", rows[2])
total = duckdb.sql(
    f"SELECT year, subject, group_1, measure, value, is_hundredths FROM '{path}' WHERE \"table\" = 'total' ORDER BY ALL"
).fetchall()
for row in total:
    print(*row, sep="|")
named = duckdb.sql(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{path}')").fetchall()
print(*named)
