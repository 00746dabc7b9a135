//! One encrypted SQLite file: connections, records, search.
