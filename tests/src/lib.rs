//! End-to-end tests of the suite; all of it is in `e2e/`.
