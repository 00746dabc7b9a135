//! What real servers do that a client must bear, as it was reported in public: each line of
//! docs/failure-modes.md is a test, most of them here, over the whole product.

mod faults;
