//! Programs of any size, for time against size.

use crate::inputs::{chain_inputs, grid, scalar};
use crate::workloads::chain;
use probpipe::prelude::*;

/// A program whose work is proportional to a size.
#[derive(Clone, Copy, Debug)]
pub struct Sized {
    /// What a unit is.
    pub name: &'static str,
    /// The largest size to measure is ten to this.
    pub largest_power: u32,
    /// The arguments for a size.
    pub inputs: fn(usize) -> Vec<Array>,
    /// The program for a size.
    pub function: fn(usize, Vec<Array>) -> Array,
}

/// All of them.
pub const ALL: &[Sized] = &[
    Sized {
        name: "element of a chain",
        largest_power: 8,
        inputs: chain_inputs,
        function: |_, x| chain(x).swap_remove(0),
    },
    Sized {
        name: "step of a scan",
        largest_power: 6,
        inputs: |_| vec![scalar(0.5)],
        function: |n, x| {
            let step = |c: Array, _: Array| {
                let c = c.sin() * 0.9 + &x[0] * 0.1;
                (c.clone(), c)
            };
            scan(scalar(0.0), probpipe::arange(n), step).1
        },
    },
    Sized {
        name: "parameter of a gradient",
        largest_power: 6,
        inputs: |n| vec![grid(-3.0, 3.0, n)],
        function: |_, x| {
            grad(|q: Array| (q.softplus() - &q * 0.3).sum() + q.square().sum() * 0.5)(x[0].clone())
        },
    },
];
