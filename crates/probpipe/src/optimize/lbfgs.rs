//! BFGS with limited memory (Nocedal and Wright 2006, algorithm 7.5).

use super::minimum::{End, Minimizer, Sealed};
use super::pairs::Pairs;
use super::quasi_newton::{Limits, Model, search};
use probpipe_trace::Array;

/// BFGS with limited memory: second derivatives are known from the last few steps, in `2 memory n`
/// numbers.
///
/// ```
/// use probpipe::optimize::{Lbfgs, minimize};
/// use probpipe::prelude::*;
/// let loss = |x: Array| ((x - 1.0).square() * linspace(1.0, 50.0, 100)).sum();
/// let found = jit(|start| minimize(loss, start, Lbfgs::default()))(zeros([100]));
/// assert!(found.converged.item::<bool>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lbfgs {
    /// How many steps are remembered. The default is 10.
    pub memory: usize,
    /// Ends when no entry of the gradient is larger than this. The default is 1e-5.
    pub tolerance: f64,
    /// Ends after this many steps; the default is 200 for every unknown.
    pub max_steps: Option<usize>,
    /// Most evaluations of the function along one direction. The default is 40.
    pub max_line_search: usize,
}

impl Default for Lbfgs {
    fn default() -> Lbfgs {
        Lbfgs { memory: 10, tolerance: 1e-5, max_steps: None, max_line_search: 40 }
    }
}

impl Minimizer for Lbfgs {}

impl Sealed for Lbfgs {
    fn search(&self, f: &dyn Fn(Array) -> Array, x: Array) -> End {
        let Lbfgs { tolerance, max_steps, max_line_search, .. } = *self;
        let limits = Limits { tolerance, max_steps, max_line_search };
        search(f, x, self, limits).0
    }
}

impl Model for Lbfgs {
    type Known = Pairs;

    fn nothing(&self, gradient: &Array) -> Pairs {
        Pairs::empty(gradient, self.memory.max(1))
    }

    fn solve(&self, pairs: &Pairs, _: &Array, gradient: &Array) -> Array {
        pairs.apply(gradient, &pairs.scale)
    }

    fn taught(&self, pairs: &Pairs, s: &Array, y: &Array, _: &Array) -> Pairs {
        pairs.with(s, y, &Array::from(true))
    }
}
