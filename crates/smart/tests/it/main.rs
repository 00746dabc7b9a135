//! The protocol side against servers that answer in raw HTTP and JSON.
