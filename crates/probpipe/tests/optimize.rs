//! Minimisation against known minima, and the derivatives of what it finds.

use probpipe::optimize::{Bfgs, Minimum, minimize};
use probpipe::prelude::*;
use probpipe_testing::{self as testing, Tolerance, says};

fn double<const N: usize>(numbers: [f64; N]) -> Array {
    Array::from_slice(&numbers, [N])
}

fn f64s(array: &Array) -> Vec<f64> {
    array.cast(DType::F64).to_vec().unwrap()
}

#[track_caller]
fn close(have: &Array, want: &[f64], tolerance: f64) {
    testing::close("", have, want, Tolerance::mixed(tolerance));
}

fn rosenbrock(x: Array) -> Array {
    let (a, b) = (x.at(0), x.at(1));
    (1.0 - &a).square() + (b - a.square()).square() * 100.0
}

#[test]
fn known_minima_are_found() {
    for start in [[-1.2, 1.0], [0.0, 0.0], [3.0, -4.0]] {
        let found = minimize(rosenbrock, double(start), Bfgs::default());
        assert!(found.converged.item::<bool>().unwrap(), "from {start:?}");
        close(&found.x, &[1.0, 1.0], 1e-6);
        assert!(found.value.item::<f64>().unwrap() < 1e-12);
        assert!(found.steps.item::<i32>().unwrap() < 80);
    }
    // Badly scaled, with a cross term: the inverse of the second derivatives is learnt.
    let matrix = double([2.0, 0.3, 0.0, 0.3, 100.0, 1.0, 0.0, 1.0, 0.05]).reshape([3, 3]);
    let b = double([1.0, -2.0, 0.5]);
    let quadratic = |x: Array| x.dot(&matrix.dot(&x)) * 0.5 - x.dot(&b);
    let found = jit(|x| minimize(quadratic, x, Bfgs { tolerance: 1e-9, ..Bfgs::default() }))(
        double([0.0; 3]),
    );
    close(&matrix.dot(&found.x), &f64s(&b), 1e-8);
}

#[test]
fn single_precision_converges() {
    let found =
        jit(|x| minimize(rosenbrock, x, Bfgs { tolerance: 1e-3, ..Bfgs::default() }))(array([
            -1.2f32, 1.0,
        ]));
    assert!(found.converged.item::<bool>().unwrap());
    close(&found.x, &[1.0, 1.0], 1e-2);
}

#[test]
fn trees_come_back_as_trees() {
    let f = |(a, b): (Array, Vec<Array>)| (a - 3.0).square() + (&b[0] - &b[1]).square().sum();
    let start = (double([0.0]).sum(), vec![double([1.0, 2.0]), double([5.0, -1.0])]);
    let Minimum { x: (a, b), converged, inverse_hessian, .. } = minimize(f, start, Bfgs::default());
    assert!(converged.item::<bool>().unwrap());
    close(&a, &[3.0], 1e-6);
    close(&b[0], &f64s(&b[1]), 1e-6);
    assert_eq!(inverse_hessian.shape(), [5, 5]);
}

#[test]
fn many_starts_at_once() {
    let starts = double([-1.2, 1.0, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0]).reshape([4, 2]);
    let fit = |x: Array| minimize(rosenbrock, x, Bfgs::default());
    let compiled = jit(vmap(fit))(starts.clone());
    assert_eq!(compiled.converged.to_vec::<bool>().unwrap(), [true; 4]);
    let found = vmap(fit)(starts.clone());
    for lane in 0..4 {
        let alone = fit(starts.at(lane));
        close(&compiled.x.at(lane), &f64s(&alone.x), 1e-6);
        close(&found.x.at(lane), &f64s(&alone.x), 1e-12);
        assert_eq!(
            found.steps.at(lane).item::<i32>().unwrap(),
            alone.steps.item::<i32>().unwrap(),
            "lane {lane}"
        );
    }
}

/// The minimum of `sum (x - p)^4 / 4 + x^2 / 2` moves with `p` by `3 t^2 / (3 t^2 + 1)`,
/// `t = x - p`.
#[test]
fn minima_can_be_differentiated() {
    let argmin = |p: Array| {
        let start = &p * 0.0;
        let f = |x: Array| ((&x - &p).square().square() * 0.25 + x.square() * 0.5).sum();
        minimize(f, start, Bfgs { tolerance: 1e-10, ..Bfgs::default() }).x.at(0)
    };
    let p = double([2.0]);
    let x = argmin(p.clone()).item::<f64>().unwrap();
    let t = x - 2.0;
    let want = 3.0 * t * t / (3.0 * t * t + 1.0);
    close(&jit(grad(argmin))(p.clone()), &[want], 1e-5);
    let forward = jvp(argmin, p.clone(), double([1.0])).1;
    close(&forward, &[want], 1e-5);
}

#[test]
fn what_cannot_be_minimised_says_so() {
    let whole = minimize(|x: Array| x.sum(), array([1, 2]), Bfgs::default());
    let message = whole.value.to_vec::<f32>().unwrap_err().to_string();
    says(&message, &["is made of i32", "optimize.rs"]);
    let vector = minimize(|x: Array| x * 2.0, array([1.0, 2.0]), Bfgs::default());
    let message = vector.x.to_vec::<f32>().unwrap_err().to_string();
    says(&message, &["gives a scalar"]);
    // A function that is not a number at the start, or has no minimum, ends without converging.
    for f in [|x: Array| x.log().sum(), |x: Array| x.sum()] {
        let lost =
            minimize(f, array([-1.0, -2.0]), Bfgs { max_steps: Some(20), ..Bfgs::default() });
        assert!(!lost.converged.item::<bool>().unwrap());
    }
}
