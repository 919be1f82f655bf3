//! The elementwise functions, each one branch-free formula over [`crate::lane::Lane`].
//!
//! Coefficients are printed as the shortest decimals of the rounded numbers, so that they read the
//! same in the WGSL versions. No tables: a gather costs more than the multiply-adds it saves.
//!
//! No formula computes a subnormal number on its way to a normal result or to zero: each costs a
//! hundred cycles or more on many processors. Squares of tiny arguments are not taken
//! ([`apart_from_tiny`]), and what rounds to zero is not rounded but chosen. Held by
//! `tests/subnormal.rs`.
#![allow(
    clippy::approx_constant,
    clippy::excessive_precision,
    reason = "fitted coefficients come near mathematical constants"
)]

pub mod error_function;
pub mod exponential;
pub mod gamma;
pub mod inverse_trigonometric;
pub mod logarithm;
pub mod power;
pub mod trigonometric;

use crate::lane::{Lane, select};

/// Below this, `x + x^2` rounds to `x`; above it, low powers and their rounding errors are normal.
#[inline(always)]
fn tiny<L: Lane>() -> L {
    // 2^-100 and 2^-30
    L::lit(if L::DOUBLE { 7.888_609_052_210_118e-31 } else { 9.313_225_746_154_785e-10 })
}

/// Whether `x` is so near to zero that a function `x + O(x^2)` rounds to `x`, and `x` where it is
/// not; a half where it is.
#[inline(always)]
fn apart_from_tiny<L: Lane>(x: L) -> (L::Mask, L) {
    let is_tiny = x.abs().lt(tiny());
    (is_tiny, select(is_tiny, L::lit(0.5), x))
}

/// `x`, or zero where it does not show beside one.
#[inline(always)]
fn without_tiny<L: Lane>(x: L) -> L {
    select(x.abs().lt(tiny()), L::lit(0.0), x)
}
