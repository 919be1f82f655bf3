//! The workloads that `cargo xtask bench` and the criterion benches run, and what their speed is
//! held against: the same gradients written by hand, the bandwidth of memory, the multiply-adds
//! of a core.

#![deny(unsafe_code)]

pub mod by_hand;
pub mod distributions;
mod generative;
mod inputs;
pub mod posteriors;
pub mod probes;
pub mod scaling;
mod simd;
mod states;
mod workloads;

pub use workloads::{
    BY_HAND_TARGET, CONTRACTED_TARGET, Limit, MEAN_TARGET, MEMORY_TARGET, PEAK_TARGET, WORKLOADS,
    Workload,
};
