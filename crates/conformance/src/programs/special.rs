//! Programs about densities with special functions.

use super::{Inputs, Program, get};
use probpipe::{Array, grad, hessian};
use std::f64::consts::PI;

/// The program of this name.
pub(super) fn find(name: &str) -> Option<Program> {
    Some(match name {
        "poisson_regression" => poisson_regression,
        "vonmises_i0e" => vonmises_i0e,
        "beta_binomial_grad" => beta_binomial_grad,
        _ => return None,
    })
}

fn poisson_regression(i: &Inputs) -> Vec<Array> {
    let (x, y, w) = (get(i, "X"), get(i, "y"), get(i, "w"));
    let loss = |w: Array| {
        let rate = x.dot(&w);
        (rate.exp() - &y * rate + (&y + 1.0).lgamma()).sum()
    };
    vec![loss(w.clone()), grad(loss)(w.clone()), hessian(loss)(w)]
}

fn vonmises_i0e(i: &Inputs) -> Vec<Array> {
    type Point = (Array, Array, Array);
    let density = |(x, m, k): Point| &k * ((x - m).cos() - 1.0) - (2.0 * PI).ln() - k.i0e().log();
    let point = || (get(i, "x"), get(i, "m"), get(i, "k"));
    let (dx, dm, dk) = grad(density)(point());
    let along = |k: Array| density((get(i, "x"), get(i, "m"), k));
    vec![density(point()), dx, dm, dk, grad(grad(along))(get(i, "k"))]
}

fn beta_binomial_grad(i: &Inputs) -> Vec<Array> {
    let (k, n, t) = (get(i, "k"), get(i, "n"), get(i, "t"));
    let beta = |a: &Array, b: &Array| a.lgamma() + b.lgamma() - (a + b).lgamma();
    let density = |t: Array| {
        let (a, b) = (t.at(0).exp(), t.at(1).exp());
        (beta(&(&k + &a), &(&n - &k + &b)) - beta(&a, &b)).sum()
    };
    vec![density(t.clone()), grad(density)(t.clone()), hessian(density)(t)]
}
