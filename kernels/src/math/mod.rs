//! The elementwise functions, each one branch-free formula over [`crate::lane::Lane`].
//!
//! Coefficients are printed as the shortest decimals of the rounded numbers, so that they read the
//! same in the WGSL versions. No tables: a gather costs more than the multiply-adds it saves.
#![allow(
    clippy::approx_constant,
    clippy::eq_op,
    clippy::excessive_precision,
    reason = "fitted coefficients come near mathematical constants; x == x tests for NaN"
)]

pub mod error_function;
pub mod exponential;
pub mod gamma;
pub mod inverse_trigonometric;
pub mod logarithm;
pub mod power;
pub mod trigonometric;
