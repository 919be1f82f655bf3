//! The workloads that the criterion benches and `cargo xtask bench` run.
