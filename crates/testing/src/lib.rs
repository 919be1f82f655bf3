//! What the tests of the workspace share: random graphs, comparison of numbers and of messages,
//! reference files, finite differences and statistical tests.
//!
//! It is no part of the product: only tests, the fuzzer and the conformance runner depend on it.
//! Everything here is deterministic: what is random follows from a seed.

#![forbid(unsafe_code)]

mod compare;
mod differences;
mod graphs;
mod messages;
mod random;
pub mod reference;
pub mod statistics;

pub use compare::{EXACT, Numbers, Tolerance, close, difference, ulp, ulps};
pub use differences::{Points, differences, slope};
pub use graphs::{Config, graph_of_choices, random_graph, random_inputs};
pub use messages::{Fault, reads, relative, says};
// For tests of crates below `trace`.
pub use probpipe_trace::DType;
pub use random::Random;
