//! Second derivatives of symmetric functions of eigenvalues and singular values where values
//! repeat, against differences of gradients: smooth functions of the matrix, computed through
//! values whose vectors are not unique there.

use probpipe_testing::{Tolerance, close};
use probpipe_trace::{Array, DType, MatrixNorm, array, cond, eye, scan, stack, zeros};
use probpipe_transforms::{checkpoint, grad, hessian, hvp, jacfwd, jacrev, jit, vmap};
use std::sync::Arc;

type Loss = Arc<dyn Fn(Array) -> Array>;

fn wide(data: &[f64], shape: &[usize]) -> Array {
    Array::from_slice(data, shape)
}

/// Numbers in -1..1 that look random.
fn noise(shape: &[usize], seed: f64) -> Array {
    let n: usize = shape.iter().product();
    let at = |i: usize| (((i as f64 + seed) * 12.9898).sin() * 43758.5453).fract();
    wide(&(0..n).map(at).collect::<Vec<f64>>(), shape)
}

fn numbers(x: &Array) -> Vec<f64> {
    x.cast(DType::F64).to_vec().unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn near(what: &str, have: &Array, want: &Array, tolerance: f64) {
    close(what, &have.cast(DType::F64), want, Tolerance::largest(tolerance));
}

fn turn(m: usize, seed: f64) -> Array {
    noise(&[m, m], seed).qr().0
}

/// A matrix with these singular values (eigenvalues where it is symmetric), in the standard frame
/// and in another.
fn of_values(values: &[f64], [m, n]: [usize; 2], symmetric: bool) -> [Array; 2] {
    let mut data = vec![0.0; m * n];
    for (i, v) in values.iter().enumerate() {
        data[i * n + i] = *v;
    }
    let (plain, left) = (wide(&data, &[m, n]), turn(m, 0.3));
    let right = if symmetric { left.clone() } else { turn(n, 0.7) };
    let turned = left.matmul(&plain).matmul(&right.swap_axes(-1, -2));
    let turned = if symmetric { (&turned + turned.swap_axes(-1, -2)) * 0.5 } else { turned };
    [plain, turned]
}

/// The Hessian of `f` at `a` by differences of gradients.
fn differences(f: &Loss, a: &Array) -> Array {
    let (n, h) = (a.size(), 1e-4);
    let slope = |step: &Array, k: f64| {
        let f = f.clone();
        grad(move |a: Array| f(a))(a + step * (k * h))
    };
    let rows: Vec<Array> = (0..n)
        .map(|i| {
            let unit: Vec<f64> = (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect();
            let e = wide(&unit, a.shape());
            let near = (slope(&e, 1.0) - slope(&e, -1.0)) * 8.0;
            let row = (near - slope(&e, 2.0) + slope(&e, -2.0)) / (12.0 * h);
            row.reshape(n)
        })
        .collect();
    stack(&rows, 0)
}

#[track_caller]
fn check(what: &str, f: &Loss, a: &Array) {
    let n = a.size();
    let want = differences(f, a);
    let size = numbers(&want.abs().max()).first().copied().unwrap_or(0.0).max(1.0);
    let f = |a: Array| f(a);
    near(what, &(hessian(f)(a.clone()).reshape([n, n]) / size), &(&want / size), 2e-8);
    let twice = jacrev(grad(f))(a.clone()).reshape([n, n]);
    near(&format!("{what}, reverse twice"), &(twice / size), &(want / size), 2e-8);
}

type Named = (&'static str, fn(Array) -> Array);

fn losses(list: Vec<Named>) -> Vec<(&'static str, Loss)> {
    list.into_iter().map(|(name, f)| (name, Arc::new(f) as Loss)).collect()
}

#[test]
fn symmetric_functions_of_eigenvalues() {
    let functions = losses(vec![
        ("log", |a| a.eigvalsh().log().sum()),
        ("from eigh", |a| a.eigh().0.log().sum()),
        ("squares", |a| a.eigvalsh().square().sum()),
        ("exp", |a| a.eigvalsh().exp().sum()),
        ("sum", |a| a.eigvalsh().sum()),
        ("product", |a| a.eigvalsh().prod()),
        ("log-sum-exp", |a| a.eigvalsh().logsumexp()),
        ("entropy", |a| {
            let w = a.eigvalsh();
            let p = &w / w.sum();
            -(&p * p.log()).sum()
        }),
        // The slopes are zero at the identity, and so are lost in rounding.
        ("divergence", |a| a.trace() - a.eigvalsh().log().sum()),
        ("variance", |a| a.eigvalsh().var()),
        ("mixed", |a| (a.eigvalsh().log().sum() * a.square().sum()).sin() + a.at(0).at(1)),
        ("twice", |a| (a.eigvalsh() * a.eigvalsh().exp()).sum()),
        ("of a program", |a| {
            let f = jit(|a: Array| a.eigvalsh().log().sum());
            f(a).square()
        }),
        ("computed anew", |a| checkpoint(|a: Array| a.eigvalsh().log().sum())(a).square()),
    ]);
    for values in [&[2.0, 2.0][..], &[1.0; 3], &[2.0, 0.5, 2.0], &[0.5, 3.0, 3.0, 0.5]] {
        let n = values.len();
        for a in of_values(values, [n, n], true) {
            for (name, f) in &functions {
                check(&format!("{name} at {values:?}"), f, &a);
            }
        }
    }
    // Values that are nearly equal, and zero.
    for gap in [1e-15, 1e-13, 1e-10, 1e-8, 1e-6] {
        for a in of_values(&[2.0, 2.0 + gap, 1.0], [3, 3], true) {
            for (name, f) in &functions[..4] {
                check(&format!("{name}, {gap} apart"), f, &a);
            }
        }
    }
    for values in [[0.0; 3], [0.0, 1.0, 0.0]] {
        for a in of_values(&values, [3, 3], true) {
            for (name, f) in &functions[2..5] {
                check(&format!("{name} at {values:?}"), f, &a);
            }
        }
    }
}

#[test]
fn symmetric_functions_of_singular_values() {
    let functions = losses(vec![
        ("squares", |a| a.svdvals().square().sum()),
        ("from svd", |a| a.svd().1.square().sum()),
        ("from a full svd", |a| a.svd_full().1.square().sum()),
        ("cosh", |a| a.svdvals().cosh().sum()),
        ("log of squares", |a| (a.svdvals().square() + 1.0).log().sum()),
        ("log", |a| a.svdvals().log().sum()),
        ("nuclear", |a| a.matrix_norm(MatrixNorm::Nuclear)),
        ("ratio", |a| a.svdvals().sum().square() / a.svdvals().square().sum()),
    ]);
    for shape in [[2, 2], [3, 3], [3, 2], [2, 4]] {
        let k = shape[0].min(shape[1]);
        for values in [&[2.0; 3][..k], &[2.0, 0.5, 0.5][..k], &[1.0, 1.0, 3.0][..k]] {
            for a in of_values(values, shape, false) {
                for (name, f) in &functions {
                    check(&format!("{name} at {values:?} of {shape:?}"), f, &a);
                }
            }
        }
        // At zero the even functions are smooth.
        for values in [&[0.0; 3][..k], &[1.0, 0.0, 0.0][..k]] {
            for a in of_values(values, shape, false) {
                for (name, f) in &functions[..5] {
                    check(&format!("{name} at {values:?} of {shape:?}"), f, &a);
                }
            }
        }
    }
}

#[test]
fn the_reported_values() {
    let a = eye(2).cast(DType::F64) * 2.0;
    let log = hessian(|a: Array| a.eigvalsh().log().sum())(a.clone()).reshape([4, 4]);
    let half = [-0.25, 0.0, 0.0, 0.0, 0.0, -0.125, -0.125, 0.0];
    let rest = [0.0, -0.125, -0.125, 0.0, 0.0, 0.0, 0.0, -0.25];
    near("log", &log, &wide(&[half, rest].concat(), &[4, 4]), 1e-14);
    let squares = hessian(|a: Array| a.svdvals().square().sum())(a.cast(DType::F32));
    near("squares", &squares.reshape([4, 4]), &(eye(4).cast(DType::F64) * 2.0), 1e-6);
    // Graded values stay apart.
    let a = wide(&[1e-12, 0.0, 0.0, 0.0, 3e-12, 0.0, 0.0, 0.0, 1.0], &[3, 3]);
    let log = hessian(|a: Array| a.eigvalsh().log().sum())(a);
    near("graded", &(log.at(0).at(1).at(0).at(1) * 6e-24), &array(-1.0).cast(DType::F64), 1e-12);
}

#[test]
fn lanes_and_programs() {
    let f = |a: Array| a.eigvalsh().log().sum();
    let [plain, turned] = of_values(&[2.0, 2.0, 1.0], [3, 3], true);
    let both = stack(&[plain.clone(), turned.clone()], 0);
    let want = stack(&[hessian(f)(plain.clone()), hessian(f)(turned.clone())], 0);
    near("vmap", &vmap(hessian(f))(both.clone()), &want, 1e-13);
    near("jit", &jit(vmap(hessian(f)))(both.clone()), &want, 1e-13);
    // A batch in one loss: blocks on the diagonal.
    for whole in [hessian(move |a: Array| a.eigvalsh().log().sum())(both.clone()), {
        jacfwd(vmap(grad(f)))(both.clone())
    }] {
        near("batch", &whole.at(0).slice_axis(2, 0..1).squeeze(2), &want.at(0), 1e-13);
        near("batch", &whole.at(1).slice_axis(2, 1..2).squeeze(2), &want.at(1), 1e-13);
        near("batch", &whole.at(0).slice_axis(2, 1..2), &(want.at(0).expand_dims(2) * 0.0), 0.0);
    }
    let t = noise(&[3, 3], 0.2);
    let product = (want.at(0).reshape([9, 9]).matmul(&t.reshape(9))).reshape([3, 3]);
    near("hvp", &hvp(f)(plain, t), &product, 1e-13);
}

/// Nothing is made up where there is no second derivative, or where none can be found.
#[test]
fn no_number_where_none_is_right() {
    let nan = |what: &str, x: Array| {
        assert!(numbers(&x).iter().any(|x| !x.is_finite()), "{what}: {x:?}");
    };
    let a = eye(2).cast(DType::F64);
    nan("largest", hessian(|a: Array| a.eigvalsh().at(1))(a.clone()));
    nan("nuclear at zero", hessian(|a: Array| a.matrix_norm(MatrixNorm::Nuclear))(zeros([2, 2])));
    nan("third", jacfwd(hessian(|a: Array| a.eigvalsh().log().sum()))(a.clone()));
    nan("forward", jacfwd(jacfwd(|a: Array| a.eigvalsh().log().sum()))(a.clone()));
    // The values are on one side of a loop and what is made of them on the other.
    let looped = |a: Array| {
        let sizes = wide(&[1.0, 2.0, 3.0], &[3]);
        let zero = array(0.0).cast(DType::F64);
        let step = move |c: Array, size: Array| (c.sin() + (&a * size).eigvalsh().log().sum(), ());
        scan(zero, sizes, step).0
    };
    let slope = grad(looped)(a.clone());
    assert!(numbers(&slope).iter().all(|x| x.is_finite()), "{slope}");
    nan("loop", hessian(looped)(a.clone()));
    let chosen = |a: Array| {
        let held = a.at(0).at(0).gt(0.0);
        cond(held, a, |a: Array| a.eigvalsh().log().sum(), |a: Array| a.sum())
    };
    nan("branch", hessian(chosen)(a));
}

/// Where values are apart nothing changes: third derivatives against differences of Hessians.
#[test]
fn third_derivatives_where_values_are_apart() {
    let [a, _] = of_values(&[1.0, 2.0, 4.0], [3, 3], true);
    let a = a + (noise(&[3, 3], 0.4) * 0.1);
    for f in [
        (|a: Array| a.eigvalsh().log().sum()) as fn(Array) -> Array,
        |a: Array| a.svdvals().square().log().sum(),
        |a: Array| a.svdvals().at(0) * a.eigvalsh().at(1),
    ] {
        let (h, t) = (1e-3, noise(&[3, 3], 0.6));
        let at = |k: f64| hessian(f)(&a + &t * (k * h));
        let want = ((at(1.0) - at(-1.0)) * 8.0 - at(2.0) + at(-2.0)) / (12.0 * h);
        let third = jacfwd(hessian(f))(a.clone()).reshape([81, 9]).matmul(&t.reshape(9));
        near("third", &third, &want.reshape(81), 1e-8);
    }
}
