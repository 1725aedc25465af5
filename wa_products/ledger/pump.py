"""
Reads a SQLite file into Arrow streams, in a process of its own: a script, told on its standard input what to read.

In the ledger's process its driver would be a second copy of SQLite, and whenever that closed the file, the locks of
the first would be gone (SQLite, "How To Corrupt An SQLite Database File", section 2.2.1).
"""

import json
import sys
from contextlib import closing

import pyarrow as pa
from adbc_driver_sqlite.dbapi import connect

ALL_AT_ONCE = {"adbc.sqlite.query.batch_rows": str(1 << 30)}  # it decides on a column's type by the first batch


def main() -> None:
    """Write what each query finds to the standard output, one stream a query, all of one moment."""
    asked = json.load(sys.stdin)
    with closing(connect(asked["path"])) as connection:
        for words, values in asked["queries"]:
            with closing(connection.cursor()) as cursor:
                cursor.adbc_statement.set_options(**ALL_AT_ONCE)
                cursor.execute(words, values or None)
                found = cursor.fetch_record_batch()
                with pa.ipc.new_stream(sys.stdout.buffer, found.schema) as stream:
                    for batch in found:
                        stream.write_batch(batch)


if __name__ == "__main__":
    main()
