//! Workloads whose time hangs on the state of the processor: code that runs after a call of other
//! code, which may leave vector registers in use; and numbers too small to be normal, which many
//! processors compute with in microcode.

use crate::inputs::{full_rank, grid, scalar, sin_matrix};
use probpipe::prelude::*;
use probpipe::{fori_loop, gammainc, pure_callback};

/// `rounds` times a call, then scalar and vector code on what it gives.
fn after(rounds: usize, x: &Array, call: impl Fn(&Array) -> Array) -> Array {
    fori_loop(rounds, x.clone(), |_, c: Array| {
        let y = call(&c);
        let s = y.square().mean();
        let t = &s / (1.0 + &s);
        &y / (1.0 + y.square()) + t * 0.1
    })
}

pub(crate) fn square_32() -> Vec<Array> {
    vec![sin_matrix(32, 32)]
}

pub(crate) fn row_256() -> Vec<Array> {
    vec![grid(0.1, 1.0, 256)]
}

/// A product of matrices.
pub(crate) fn after_product(x: Vec<Array>) -> Vec<Array> {
    vec![after(100, &x[0], |c| c.matmul(c))]
}

/// LU factors and a solve.
pub(crate) fn after_solve(x: Vec<Array>) -> Vec<Array> {
    let shift = eye(32) * 8.0;
    vec![after(100, &x[0], |c| (c + &shift).solve(&x[0]))]
}

pub(crate) fn after_sort(x: Vec<Array>) -> Vec<Array> {
    vec![after(100, &x[0], |c| (c * 7.0 - c.square() * 5.0).sort(0))]
}

/// A special function of two arguments.
pub(crate) fn after_special(x: Vec<Array>) -> Vec<Array> {
    vec![after(10, &x[0], |c| gammainc(&(c.abs() + 0.5), &x[0]))]
}

/// A kernel on tiles.
pub(crate) fn after_kernel(x: Vec<Array>) -> Vec<Array> {
    vec![after(100, &x[0], |c| (c * 2.0).tanh())]
}

/// A function of the host.
pub(crate) fn after_host(x: Vec<Array>) -> Vec<Array> {
    vec![after(10, &x[0], |c| pure_callback(|c: Array| -c, &c.clone(), c.clone()))]
}

pub(crate) fn newton_data() -> Vec<Array> {
    vec![grid(-0.5, 0.5, 5), full_rank(200, 5)]
}

/// The gradient of a sum of Newton steps: a product of matrices, factors, solves, and small loops
/// between them.
pub(crate) fn newton_grad(x: Vec<Array>) -> Vec<Array> {
    let design = x[1].clone();
    let nll = move |b: Array| design.dot(&b).logaddexp(0.0).sum();
    let step = move |b: Array| hessian(&nll)(b).solve(&ones([5])).sum();
    vec![grad(step)(x[0].clone())]
}

/// e^x where it is subnormal.
pub(crate) fn exp_tail(x: Vec<Array>) -> Vec<Array> {
    vec![x[0].exp()]
}

pub(crate) fn tail_20000() -> Vec<Array> {
    vec![grid(-100.0, -90.0, 20_000)]
}

/// The log density of a mixture of three normals, far out: two of the three weights underflow.
pub(crate) fn mixture_tail(x: Vec<Array>) -> Vec<Array> {
    let locs = array([-2.0, 0.0, 3.0]);
    let terms = (x[0].expand_dims(1) - locs).square() * -0.5;
    vec![terms.logsumexp_axes(1)]
}

pub(crate) fn far_500() -> Vec<Array> {
    vec![grid(25.0, 35.0, 500)]
}

/// A number that decays to nothing.
pub(crate) fn decay(x: Vec<Array>) -> Vec<Array> {
    vec![fori_loop(10_000, x[0].clone(), |_, c: Array| c * 0.9)]
}

pub(crate) fn one() -> Vec<Array> {
    vec![scalar(1.0)]
}
