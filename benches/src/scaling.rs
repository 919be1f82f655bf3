//! Programs of any size, for time against size.

use crate::inputs::{chain_inputs, grid, matrices, scalar};
use crate::workloads::{chain, hmc_with};
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

/// What is done on a processor and on a GPU, to see from which size on the one is faster.
pub const CROSSOVER: &[Sized] = &[
    Sized {
        name: "chain, elements",
        largest_power: 7,
        inputs: chain_inputs,
        function: |_, x| chain(x).swap_remove(0),
    },
    Sized {
        name: "sum, elements",
        largest_power: 7,
        inputs: |n| vec![grid(-3.0, 3.0, n)],
        function: |_, x| (x[0].square() + 1.0).log().sum(),
    },
    Sized {
        name: "product, rows",
        largest_power: 3,
        inputs: matrices,
        function: |_, x| x[0].matmul(&x[1]),
    },
    Sized {
        name: "gradient, parameters",
        largest_power: 7,
        inputs: |n| vec![grid(-3.0, 3.0, n)],
        function: |_, x| {
            grad(|q: Array| (q.softplus() - &q * 0.3).sum() + q.square().sum() * 0.5)(x[0].clone())
        },
    },
    Sized {
        name: "HMC, chains",
        largest_power: 5,
        inputs: |n| vec![zeros([n, 10])],
        function: |n, x| chains(n, x),
    },
];

/// The ends of chains of 50 steps over ten numbers, each with draws of its own.
fn chains(n: usize, x: Vec<Array>) -> Array {
    let scales = grid(0.5, 2.0, 10);
    let log_prob = |q: Array| (q / &scales).square().sum() * -0.5;
    let chain = |(c, q): (Array, Array)| {
        hmc_with(|i| Key::new(0).fold_in(&c).fold_in(i), log_prob, q, 0.1, 20, 50).0
    };
    vmap(chain)((probpipe::arange(n), x[0].clone()))
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
