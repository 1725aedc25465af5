"""
Reads a SQLite file into Arrow streams, in a process of its own: a script, told on its standard input what to read.

In the ledger's process its driver would be a second copy of SQLite, and whenever that closed the file, the locks of
the first would be gone (SQLite, "How To Corrupt An SQLite Database File", section 2.2.1).
"""

import json
import sys

import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_sqlite import connect  # not its `dbapi`, which takes longer to import than most queries take

ALL_AT_ONCE = {"adbc.sqlite.query.batch_rows": str(1 << 30)}  # it decides on a column's type by the first batch


def main() -> None:
    """Write what each query finds to the standard output, one stream a query, all of one moment."""
    asked = json.load(sys.stdin)
    with connect(asked["path"]) as database, AdbcConnection(database) as connection:
        connection.set_autocommit(False)
        for words, values in asked["queries"]:
            with AdbcStatement(connection) as statement:
                statement.set_options(**ALL_AT_ONCE)
                statement.set_sql_query(words)
                if values:
                    statement.bind(pa.record_batch([[value] for value in values], [str(n) for n in range(len(values))]))
                found = pa.RecordBatchReader.from_stream(statement.execute_query()[0])
                with found, pa.ipc.new_stream(sys.stdout.buffer, found.schema) as stream:
                    for batch in found:
                        stream.write_batch(batch)


if __name__ == "__main__":
    main()
