//! Each fault of the mock server, alone and in pairs, in the middle of a sync: what was not received is
//! never called complete, and the next sync that nobody disturbs ends with what an undisturbed one ends
//! with. The whole matrix is `make torture-faults`; a part of it, always the same, runs with the tests.

pub(crate) mod chart;
pub(crate) mod kinds;
pub(crate) mod play;

pub(crate) use kinds::{alone, pairs};
pub(crate) use play::Stage;
