//! The embeddable engine: login, session, sync, views and problems.
