"""PyPI fhirpy and sqlite3: the searches of the pull, page after page, into a table that is neither encrypted
nor indexed for search. Reads {base, token, searches, database} as JSON from standard input, so that no token
stands in the process list; writes {records, seconds}."""

import asyncio
import json
import sqlite3
import sys
import time
from urllib.parse import parse_qsl

from fhirpy import AsyncFHIRClient


async def pull(given, database):
    client = AsyncFHIRClient(given["base"], authorization=f"Bearer {given['token']}")
    waiting = list(given["searches"])

    async def worker():
        while waiting:
            kind, _, query = waiting.pop(0).partition("?")
            search = client.resources(kind)
            for name, value in parse_qsl(query):
                search = search.search(**{name: value})
            page = []
            async for one in search:
                page.append((one.resource_type, one.id, json.dumps(one.serialize())))
                if len(page) == 500:
                    store(database, page)
                    page = []
            store(database, page)

    # As many in flight as in the pull.
    await asyncio.gather(*(worker() for _ in range(4)))


def store(database, rows):
    with database:
        database.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", rows)


given = json.load(sys.stdin)
begun = time.perf_counter()
database = sqlite3.connect(given["database"])
database.execute("PRAGMA journal_mode = wal")
database.execute("PRAGMA synchronous = normal")
database.execute("CREATE TABLE records (type TEXT, id TEXT, json TEXT, PRIMARY KEY (type, id)) WITHOUT ROWID")
asyncio.run(pull(given, database))
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
seconds = time.perf_counter() - begun
(records,) = database.execute("SELECT count(*) FROM records").fetchone()
print(json.dumps({"records": records, "seconds": seconds}))
