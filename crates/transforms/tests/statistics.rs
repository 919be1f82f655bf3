//! Derivatives of quantiles, weighted means, lines between arrays, triangular systems and sets
//! against central differences, and their batches against single calls.

use probpipe_testing::{Tolerance, close, differences};
use probpipe_trace::{
    Array, DType, Keep, QuantileMethod, Triangular, column_stack, linspace, stack,
    with_default_float,
};
use probpipe_transforms::{grad, vmap};

fn of(data: &[f64], shape: &[usize]) -> Array {
    Array::from_slice(data, shape)
}

/// The gradient of a weighted sum of the results, and a batch of two.
#[track_caller]
fn check(f: impl Fn(Array) -> Array + Clone + Send + Sync + 'static, x: Array) {
    let shape = f(x.clone()).shape().to_vec();
    let n: usize = shape.iter().product();
    let weights: Vec<f64> = (0..n).map(|i| 1.0 + 0.7 * i as f64).collect();
    let weights = of(&weights, &shape);
    let g = f.clone();
    let loss = move |x: Array| (g(x) * &weights).sum();
    close("", &grad(loss.clone())(x.clone()), differences(&loss, &x), Tolerance::mixed(1e-8));

    let other = &x * 1.25;
    let batch = vmap(f.clone())(stack([&x, &other], 0));
    let singles = stack([f(x), f(other)], 0);
    close("", &batch, &singles, Tolerance::mixed(1e-12));
}

#[test]
fn quantiles() {
    with_default_float(DType::F64, || {
        let x = of(&[0.3, -1.2, 2.0, 0.9, 1.7, -0.4, 0.1, 3.0], &[2, 4]);
        let q = of(&[0.1, 0.45, 0.8], &[3]);
        let (at, axes) = (q.clone(), q.clone());
        check(move |x| x.quantile(&at), x.clone());
        check(move |x| x.quantile_axes(&axes, Keep(1)), x.clone());
        check(|x| x.quantile_with(0.4, 0, QuantileMethod::Midpoint), x.clone());
        check(|x| x.percentile_axes(30, 1), x.clone());
        // In the places as in the elements.
        let elements = x.clone();
        check(move |q| elements.quantile_axes(q * 0.7, 1), q.clone());
        let nan = of(&[0.0, f64::NAN, 0.0, 0.0, 0.0, 0.0, f64::NAN, 0.0], &[2, 4]);
        let holes = nan.clone();
        let loss = move |x: Array| (x + &holes).nanquantile_axes(&q, 1).sum();
        close("", &grad(loss.clone())(x.clone()), differences(&loss, &x), Tolerance::mixed(1e-8));
        let loss = move |x: Array| ((&x + &nan).nanmedian_axes(1) * 2.0).sum();
        close("", &grad(loss.clone())(x.clone()), differences(&loss, &x), Tolerance::mixed(1e-8));
    });
}

#[test]
fn means_and_lines() {
    with_default_float(DType::F64, || {
        let x = of(&[0.3, -1.2, 2.0, 0.9, 1.7, -0.4], &[2, 3]);
        let weights = of(&[1.0, 2.0, 0.5], &[3]);
        check(move |x| x.average_axes(&weights, 1), x.clone());
        check(|w| of(&[1.0, 2.0, 4.0], &[3]).average(w), of(&[1.0, 2.0, 0.5], &[3]));
        check(|x| x.var_axes(Keep(0), 1), x.clone());
        check(|x| x.logsumexp_weighted(x.square(), 1), x.clone());
        check(|x| linspace(x.at(0), x.at(1), 5), x.clone());
        check(|x| x.unique_sized(8, 0.5), x.clone());
        check(|x| column_stack([x.at(0), x.at(1)]), x);
    });
}

#[test]
fn triangular_systems() {
    with_default_float(DType::F64, || {
        let a = of(&[2.0, 0.3, -0.4, 0.5, 1.5, 0.2, 0.1, -0.6, 3.0], &[3, 3]);
        let b = of(&[1.0, -2.0, 0.5], &[3]);
        for triangle in [Triangular::lower(), Triangular::upper()] {
            for triangle in [triangle, triangle.transposed(), triangle.unit_diagonal()] {
                let right = b.clone();
                check(move |a| a.solve_triangular_with(&right, triangle), a.clone());
                let left = a.clone();
                check(move |b| left.solve_triangular_with(b, triangle), b.clone());
            }
        }
        check(move |a| a.cho_solve(&b), a);
    });
}
