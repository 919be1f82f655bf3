//! Newton's method whose equations are solved by conjugate gradients (Nocedal and Wright 2006,
//! algorithm 7.1): products with the second derivatives, never their matrix.

use super::minimum::{End, Minimizer, Sealed};
use super::quasi_newton::{Limits, Model, search};
use super::scale::positive;
use probpipe_trace::{Array, Tree, select, while_loop, zeros_like};
use probpipe_transforms::hvp;

/// Newton's method by conjugate gradients: a step costs some products with the second derivatives,
/// and memory for a few vectors.
///
/// ```
/// use probpipe::optimize::{NewtonCg, minimize};
/// use probpipe::prelude::*;
/// let loss = |x: Array| ((x - 1.0).square().square() * linspace(1.0, 50.0, 100)).sum();
/// let found = jit(|start| minimize(loss, start, NewtonCg::default()))(zeros([100]));
/// assert!(found.converged.item::<bool>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewtonCg {
    /// Ends when no entry of the gradient is larger than this. The default is 1e-5.
    pub tolerance: f64,
    /// Ends after this many steps; the default is 200 for every unknown.
    pub max_steps: Option<usize>,
    /// Most evaluations of the function along one direction. The default is 40.
    pub max_line_search: usize,
    /// Most products with the second derivatives for one direction; the default is twice the
    /// number of unknowns.
    pub max_products: Option<usize>,
}

impl Default for NewtonCg {
    fn default() -> NewtonCg {
        NewtonCg { tolerance: 1e-5, max_steps: None, max_line_search: 40, max_products: None }
    }
}

impl Minimizer for NewtonCg {}

impl Sealed for NewtonCg {
    fn search(&self, f: &dyn Fn(Array) -> Array, x: Array) -> End {
        let NewtonCg { tolerance, max_steps, max_line_search, max_products } = *self;
        let limits = Limits { tolerance, max_steps, max_line_search };
        let most = max_products.unwrap_or(2 * x.size());
        search(f, x, &Products { f, most }, limits).0
    }
}

struct Products<'a> {
    f: &'a dyn Fn(Array) -> Array,
    most: usize,
}

/// The conjugate gradients for `h z = g`.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Solve {
    z: Array,
    residual: Array,
    direction: Array,
    products: Array,
    done: Array,
}

impl Model for Products<'_> {
    type Known = ();

    fn nothing(&self, _: &Array) {}

    fn solve(&self, (): &(), x: &Array, gradient: &Array) -> Array {
        // As exact as the way is short: the steps converge faster than linearly.
        let length = gradient.norm();
        let enough = length.sqrt().minimum(0.5) * &length;
        let start = Solve {
            z: zeros_like(gradient),
            residual: gradient.clone(),
            direction: gradient.clone(),
            products: Array::from(0i32),
            done: length.le(0.0) | length.is_nan(),
        };
        let next = |s: Solve| {
            let bent = hvp(self.f)(x.clone(), s.direction.clone());
            let curvature = s.direction.dot(&bent);
            let square = s.residual.dot(&s.residual);
            // Where the function bends downwards, along what is known so far; at first, as far as
            // the gradient is long.
            let down = !curvature.gt(0.0);
            let first = s.products.eq(0i32);
            let far = select(&down, select(&first, 1.0, 0.0), &square / positive(&curvature));
            let z = &s.z + &far * &s.direction;
            let residual = &s.residual - &far * bent;
            let left = residual.dot(&residual);
            let direction = &residual + (&left / positive(&square)) * &s.direction;
            let done = down | left.sqrt().le(&enough);
            Solve { z, residual, direction, products: s.products + 1, done }
        };
        let most = self.most as i32;
        while_loop(|s: Solve| !s.done & s.products.lt(most), next, start).z
    }

    fn taught(&self, (): &(), _: &Array, _: &Array, _: &Array) {}
}
