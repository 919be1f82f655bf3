//! Minimisation against known minima, and the derivatives of what it finds.

use probpipe::optimize::{Bfgs, Minimum, Stop, minimize};
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
    assert_eq!(inverse_hessian.expect("BFGS has one").shape(), [5, 5]);
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
    // `|m x - p|^2 + |x|^2` is least at `(m' m + 1)^-1 m' p`, where it is `p (p - m x)`.
    let m = double([1.0, 2.0, 0.5, -1.0, 3.0, 0.0]).reshape([3, 2]);
    let residual = |x: &Array, p: &Array| (m.matmul(x) - p).square().sum() + x.square().sum();
    let fit = |p: Array| minimize(|x| residual(&x, &p), double([0.0, 0.0]), Bfgs::default());
    let normal = m.transpose().matmul(&m) + double([1.0, 0.0, 0.0, 1.0]).reshape([2, 2]);
    let slopes = normal.solve(&m.transpose());
    let p = double([1.0, -1.0, 2.0]);
    close(&jit(jacrev(|p| fit(p).x))(p.clone()).flatten(), &f64s(&slopes.flatten()), 1e-10);
    close(&jacfwd(|p| fit(p).x)(p.clone()).flatten(), &f64s(&slopes.flatten()), 1e-10);
    let value = (&p - m.matmul(&slopes.matmul(&p))) * 2.0;
    close(&grad(|p| fit(p).value)(p), &f64s(&value), 1e-5);
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

/// How both the interpreter and compiled code end.
#[track_caller]
fn both(f: impl Fn(Array) -> Array + Copy, start: &Array, method: Bfgs) -> Minimum<Array> {
    let compiled = jit(move |x| minimize(f, x, method))(start.clone());
    let plain = minimize(f, start.clone(), method);
    assert_eq!(plain.stop().unwrap(), compiled.stop().unwrap());
    assert_eq!(plain.converged.item::<bool>().unwrap(), plain.stop().unwrap() == Stop::Converged);
    plain
}

#[test]
fn steps_have_the_scale_of_the_function() {
    for dtype in [DType::F32, DType::F64] {
        for power in [-12, -6, 0, 6, 12] {
            let scale = 10f64.powi(power);
            let method = Bfgs { tolerance: scale * 1e-3, ..Bfgs::default() };
            for (centre, start) in [(0.0, 1000.0), (3.0, -500.0), (0.0, 1e-3)] {
                let start = array([start]).cast(dtype);
                let found = both(|x: Array| ((x - centre).square() * scale).sum(), &start, method);
                assert_eq!(found.stop().unwrap(), Stop::Converged, "{dtype} 1e{power}");
                close(&found.x, &[centre], 1e-3);
            }
        }
        // Of one function in two scales.
        let start = array([100.0, 100.0]).cast(dtype);
        let f = |x: Array| x.at(0).square() * 1e4 + x.at(1).square() * 1e-4;
        let found = both(f, &start, Bfgs { tolerance: 1e-6, ..Bfgs::default() });
        assert_eq!(found.stop().unwrap(), Stop::Converged);
        close(&found.x, &[0.0, 0.0], 1e-2);
    }
    let found = both(|x: Array| (x.square() * 1e12).sum(), &double([1000.0]), Bfgs::default());
    assert_eq!(found.stop().unwrap(), Stop::Converged);
    assert!(found.x.at(0).item::<f64>().unwrap().abs() <= 5e-18);
}

/// Functions of the collection of More, Garbow and Hillstrom (1981), and where SciPy ends too.
#[test]
fn hard_functions_are_minimised() {
    let beale = |x: Array| {
        let (a, b) = (x.at(0), x.at(1));
        let part = |want: f64, power: i32| (want - &a * (1.0 - b.powi(power))).square();
        part(1.5, 1) + part(2.25, 2) + part(2.625, 3)
    };
    let powell = |x: Array| {
        let (a, b) = (x.at(0), x.at(1));
        (&a * &b * 1e4 - 1.0).square() + ((-&a).exp() + (-&b).exp() - 1.0001).square()
    };
    let long_valley = |x: Array| {
        let (a, b) = (x.slice_axis(0, 0..9), x.slice_axis(0, 1..10));
        ((1.0 - &a).square() + (b - a.square()).square() * 100.0).sum()
    };
    let singular = |x: Array| {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| x.at(i));
        (&a + &b * 10.0).square()
            + (&c - &d).square() * 5.0
            + (b - c * 2.0).square().square()
            + (a - d).square().square() * 10.0
    };
    let tight = Bfgs { tolerance: 1e-8, ..Bfgs::default() };
    let found = both(beale, &double([1.0, 1.0]), tight);
    close(&found.x, &[3.0, 0.5], 1e-6);
    let found = both(powell, &double([0.0, 1.0]), Bfgs::default());
    close(&found.x, &[1.0981593e-5, 9.1061467], 1e-4);
    let found =
        both(long_valley, &double([1.3, 0.7, 0.8, 1.9, 1.2, 0.4, 1.1, 0.9, 1.6, 0.5]), tight);
    assert_eq!(found.stop().unwrap(), Stop::Converged);
    close(&found.x, &[1.0; 10], 1e-6);
    let found = both(singular, &double([3.0, -1.0, 0.0, 1.0]), tight);
    assert_eq!(found.stop().unwrap(), Stop::Converged);
    close(&found.x, &[0.0; 4], 1e-2);
    // The slopes of a logistic regression.
    let x = double([0.5, 1.2, -0.3, 2.0, -1.0, 0.1, 1.5, -2.0]);
    let y = double([0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    let logistic = |b: Array| {
        let score = &x * b.at(1) + b.at(0);
        (score.softplus() - &score * &y).sum()
    };
    let found = both(&logistic, &double([0.0, 0.0]), tight);
    assert_eq!(found.stop().unwrap(), Stop::Converged);
    close(&found.x, &[-0.5920983988338306, 1.8277207564688713], 1e-7);
    let method = Bfgs { tolerance: 1e-4, ..Bfgs::default() };
    let found = both(beale, &array([1.0f32, 1.0]), method);
    assert_eq!(found.stop().unwrap(), Stop::Converged);
    close(&found.x, &[3.0, 0.5], 1e-2);
}

/// Least squares of `a exp(b t)`: far out the function is flat, and to be there is no success.
#[test]
fn plateaus_are_not_taken_for_minima() {
    for (end, points) in [(1.0, 10), (2.0, 20), (3.0, 20), (5.0, 50), (10.0, 20)] {
        for (a, b) in [(2.0, -1.0), (2.0, 0.5), (3.0, -1.5), (2.5, 0.3), (1.0, 1.0)] {
            let t = (0..points).map(|i| end * f64::from(i) / f64::from(points - 1));
            let t: Vec<f64> = t.collect();
            let y: Vec<f64> = t.iter().map(|t| a * (b * t).exp()).collect();
            let (t, y) = (Array::from_slice(&t, [t.len()]), Array::from_slice(&y, [y.len()]));
            let f = |x: Array| (x.at(0) * (x.at(1) * &t).exp() - &y).square().sum();
            let found = both(&f, &double([5.0, 5.0]), Bfgs::default());
            let (value, stop) = (found.value.item::<f64>().unwrap(), found.stop().unwrap());
            assert!(value < 1e-8 || stop != Stop::Converged, "{end} {a} {b}: {value} {stop:?}");
        }
    }
}

#[test]
fn numbers_too_large_are_told() {
    let huge = |x: Array| (x.square() * 5e307).sum();
    for start in [1000.0, 10.0, 3.0] {
        let found = both(huge, &double([start]), Bfgs::default());
        assert_eq!(found.stop().unwrap(), Stop::NotFinite);
        close(&found.x, &[start], 0.0);
    }
    // Where both value and slope are numbers there is a way.
    let method = Bfgs { tolerance: 1e300, ..Bfgs::default() };
    let found = both(huge, &double([0.5]), method);
    assert_eq!(found.stop().unwrap(), Stop::Converged);
    let falls = both(|x: Array| x.sum(), &double([1.0, 2.0]), Bfgs::default());
    assert!(falls.stop().unwrap() != Stop::Converged);
    assert!(f64s(&falls.x).iter().all(|x| x.is_finite()));
    assert!(falls.value.item::<f64>().unwrap().is_finite());
    // The domain ends at 0; the first step leads out of it.
    let f = |x: Array| (&x - x.log() * 1e-3).sum();
    let found = both(f, &double([0.5]), Bfgs::default());
    assert_eq!(found.stop().unwrap(), Stop::Converged);
    close(&found.x, &[1e-3], 1e-4);
}
