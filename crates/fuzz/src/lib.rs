//! Random well-typed graphs through everything that rewrites, prints, checks or compiles graphs.
//! Each must verify, and mean what the graph that it was made from means on the interpreter.
//!
//! Two programs of one function round differently, and a comparison or a floor may turn a last bit
//! into anything. So a difference is a fault only if it is larger than what noise of a few last
//! bits in every equation does to the reference itself (`noise.rs`).

#![forbid(unsafe_code)]

mod checks;
mod noise;
mod text;

pub use checks::{check, check_choices};
pub use text::check_text;

use probpipe::graph::Graph;
use probpipe::{DType, Device};
use probpipe_testing::Config;
use std::fmt;

/// What goes wrong with a graph.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The check that failed.
    pub check: &'static str,
    /// How.
    pub message: String,
    /// The graph in question, as text.
    pub graph: String,
}

impl Fault {
    fn new(check: &'static str, message: impl Into<String>, graph: &Graph) -> Fault {
        Fault { check, message: message.into(), graph: graph.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n{}", self.check, self.message, self.graph)
    }
}

/// The kind of graphs that seed `seed` stands for on a device.
pub fn config(seed: u64, device: Device) -> Config {
    let caps = device.backend().caps();
    let single = !caps.dtypes.contains(&DType::F64) || seed.is_multiple_of(4);
    Config {
        steps: 3 + (seed / 7 % 12) as usize,
        float: if single { DType::F32 } else { DType::F64 },
        kinks: !seed.is_multiple_of(3),
        serial: caps.serial,
        factors: caps.factors,
        conditions: caps.conditions,
        ..Config::default()
    }
}
