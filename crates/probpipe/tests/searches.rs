//! The other searches: with limited memory, with products, without derivatives, of least squares,
//! and for roots; each against minima, roots and derivatives that are known.

use probpipe::optimize::{
    Bracket, Lbfgs, LevenbergMarquardt, NelderMead, Newton, NewtonCg, Stop, find_root,
    find_root_between, least_squares, minimize,
};
use probpipe::prelude::*;
use probpipe_testing::{self as testing, Tolerance, says};

fn double<const N: usize>(numbers: [f64; N]) -> Array {
    Array::from_slice(&numbers, [N])
}

#[track_caller]
fn close(have: &Array, want: &[f64], tolerance: f64) {
    testing::close("", have, want, Tolerance::mixed(tolerance));
}

/// Rosenbrock's function of any number of unknowns, whose minimum is 0 at ones.
fn rosenbrock(x: Array) -> Array {
    let n = x.size();
    let (a, b) = (x.slice_axis(0, 0..n - 1), x.slice_axis(0, 1..n));
    ((1.0 - &a).square() + (b - a.square()).square() * 100.0).sum()
}

#[test]
fn long_valleys_are_followed() {
    let start = (zeros([30]) - 0.5).cast(DType::F64);
    let ones = [1.0; 30];
    let found = jit(|x| minimize(rosenbrock, x, Lbfgs { memory: 5, ..Lbfgs::default() }));
    let found = found(start.clone());
    assert_eq!(found.stop().unwrap(), Stop::Converged);
    close(&found.x, &ones, 1e-5);
    assert!(found.inverse_hessian.is_none());
    let learnt = found.steps.item::<i32>().unwrap();
    let found = jit(|x| minimize(rosenbrock, x, NewtonCg::default()))(start);
    assert_eq!(found.stop().unwrap(), Stop::Converged);
    close(&found.x, &ones, 1e-6);
    assert!(found.steps.item::<i32>().unwrap() < learnt, "{} and {learnt}", found.steps);
}

/// A function whose second derivatives are indefinite at the start.
#[test]
fn saddles_are_left() {
    let f = |x: Array| (x.at(0).square() - 1.0).square() + x.at(1).square() * (2.0 + x.at(0));
    for start in [[0.1, 1.0], [-0.05, 0.3]] {
        let found = minimize(f, double(start), NewtonCg::default());
        assert_eq!(found.stop().unwrap(), Stop::Converged);
        close(&found.x.at(0).abs(), &[1.0], 1e-5);
    }
}

#[test]
fn many_at_once() {
    let starts = Array::from_slice(&[-1.2, 1.0, 0.0, 0.0, 3.0, -4.0], [3, 2]);
    let lanes = jit(vmap(|x: Array| minimize(rosenbrock, x, Lbfgs::default()).x))(starts.clone());
    close(&lanes, &[1.0; 6], 1e-5);
    let lanes = jit(vmap(|x: Array| minimize(rosenbrock, x, NelderMead::default()).x))(starts);
    close(&lanes, &[1.0; 6], 2e-2);
}

#[test]
fn derivatives_of_minima_do_not_depend_on_the_method() {
    let at = |a: Array| {
        let f =
            |x: Array| ((x.at(0) - &a).square() * 2.0 + (x.at(1) - x.at(0) * &a).square()).exp();
        minimize(f, double([0.3, 0.1]), NewtonCg { tolerance: 1e-10, ..NewtonCg::default() }).x
    };
    // x = (a, a^2).
    let slope = jit(jacfwd(at))(array(0.7).cast(DType::F64));
    close(&slope, &[1.0, 1.4], 1e-7);
    let at = |a: Array| {
        let f = |x: Array| (x - &a).square().sum();
        minimize(f, double([0.3]), Lbfgs::default()).x.at(0)
    };
    close(&grad(at)(array(0.7).cast(DType::F64)), &[1.0], 1e-9);
}

#[test]
fn corners_need_no_derivatives() {
    let f = |x: Array| (x.at(0) - 1.0).abs() + (x.at(0) + x.at(1) * 2.0).abs() * 3.0;
    let method = NelderMead { tolerance: 1e-7, ..NelderMead::default() };
    let found = jit(|x| minimize(f, x, method))(double([4.0, 3.0]));
    assert!(found.converged.item::<bool>().unwrap());
    close(&found.x, &[1.0, -0.5], 1e-6);
    // Where the function is no number, the simplex turns back.
    let f = |x: Array| x.at(0).sqrt() + (x.at(1) - 2.0).square() + x.at(0).square();
    let found = minimize(f, double([1.0, 1.0]), NelderMead::default());
    assert!(found.value.item::<f64>().unwrap() < 0.02, "{}", found.value);
}

/// The problem of Osborne's kind: decaying sums, by their residuals, with the covariance of the
/// estimate.
#[test]
fn sums_of_squares() {
    let t = linspace(0.0, 5.0, 40).cast(DType::F64);
    let model = |p: &Array| p.at(0) + p.at(1) * (-p.at(2) * &t).exp();
    let truth = double([0.5, 2.0, 1.3]);
    let y = model(&truth) + normal(Key::new(3), [40]).cast(DType::F64) * 0.01;
    let misfit = |p: Array| model(&p) - &y;
    let search = |start| least_squares(misfit, start, LevenbergMarquardt::default());
    let fit = jit(search)(double([0.0, 1.0, 0.3]));
    assert_eq!(fit.stop().unwrap(), Stop::Converged);
    assert!(fit.steps.item::<i32>().unwrap() < 30);
    close(&fit.x, &truth.to_vec::<f64>().unwrap(), 0.03);
    let other = minimize(|p| misfit(p).square().sum() * 0.5, truth.clone(), Lbfgs::default());
    close(&fit.x, &other.x.to_vec::<f64>().unwrap(), 1e-5);
    let covariance = fit.inverse_hessian.unwrap() * 1e-4;
    let deviations = covariance.diagonal().sqrt();
    let errors = ((&fit.x - &truth) / deviations).abs().max();
    assert!(errors.item::<f64>().unwrap() < 4.0);
}

/// The units of data and unknowns do not say when a search ends.
#[test]
fn sums_of_squares_of_any_size() {
    let run = |dtype: DType, size: f64, unit: f64| {
        let t = linspace(0.0, 5.0, 40).cast(dtype);
        let noise = (arange(40).cast(dtype) * 2.3).sin() * 0.05;
        let y = ((&t * -1.3).exp() * 2.0 + noise) * size;
        let misfit = |p: Array| p.at(0) * unit * (-p.at(1) * unit * &t).exp() * size - &y;
        let start = array([1.0, 0.3]).cast(dtype) / unit;
        let fit = jit(|x| least_squares(misfit, x, LevenbergMarquardt::default()))(start);
        let x = (&fit.x * unit).cast(DType::F64).to_vec::<f64>().unwrap();
        assert_eq!(fit.stop().unwrap(), Stop::Converged, "{dtype} {size} {unit}: {x:?}");
        (x, fit.steps.item::<i32>().unwrap())
    };
    // SciPy 1.17, `least_squares` with tolerances of 1e-15.
    let want = [2.00522061, 1.303182];
    let apart =
        |x: &[f64]| x.iter().zip(&want).fold(0.0f64, |m, (x, w)| m.max((x / w - 1.0).abs()));
    let (x, steps) = run(DType::F64, 1.0, 1.0);
    assert!(apart(&x) < 1e-7 && steps < 12, "{x:?} in {steps}");
    for power in [-60, -20, 20, 60] {
        assert_eq!(run(DType::F64, 2f64.powi(power), 1.0), (x.clone(), steps));
    }
    for size in [1e-6, 1e-3, 1.0, 1e6] {
        for unit in [1e-3, 1.0, 1e3] {
            let (x, steps) = run(DType::F64, size, unit);
            assert!(apart(&x) < 1e-7 && steps < 30, "{size} {unit}: {x:?} in {steps}");
            let (x, steps) = run(DType::F32, size, unit);
            assert!(apart(&x) < 1e-4 && steps < 30, "{size} {unit}: {x:?} in {steps}");
        }
    }
}

#[test]
fn badly_scaled_residuals() {
    // Brown's badly scaled function (Moré, Garbow and Hillstrom 1981, problem 4).
    let f = |x: Array| {
        let (a, b) = (x.at(0), x.at(1));
        stack(&[&a - 1e6, &b - 2e-6, a * b - 2.0], 0)
    };
    // To as many digits as there are: one residual is a difference from a million.
    let method = LevenbergMarquardt { tolerance: 1e-14, ..LevenbergMarquardt::default() };
    let fit = least_squares(f, double([1.0, 1.0]), method);
    assert!(fit.value.item::<f64>().unwrap() < 1e-15, "{}", fit.value);
    close(&fit.x.at(0), &[1e6], 1e-9);
}

#[test]
fn roots_between() {
    let wanted = [2.0f64.powf(1.0 / 3.0), 0.739_085_133_215_160_6, 4.0];
    let f = |x: Array| {
        let each = [x.at(0).pow(3.0) - 2.0, x.at(1).cos() - x.at(1), (x.at(2) - 4.0) * 1e-3];
        stack(&each, 0)
    };
    let find = |_: Array| find_root_between(f, double([0.0, 0.0, -9.0]), 10.0, Bracket::default());
    let root = jit(find)(array(0.0));
    assert!(root.converged.all().item::<bool>().unwrap());
    close(&root.x, &wanted, 1e-14);
    assert!(root.steps.item::<i32>().unwrap() < 40, "{}", root.steps);
    // A root where the function only touches zero at an end; and none.
    let at_end = find_root_between(|x: Array| x.square(), double([0.0]), 1.0, Bracket::default());
    close(&at_end.x, &[0.0], 0.0);
    let none =
        find_root_between(|x: Array| x.square() + 1.0, double([0.0]), 1.0, Bracket::default());
    assert!(none.x.at(0).item::<f64>().unwrap().is_nan());
    assert!(!none.converged.at(0).item::<bool>().unwrap());
}

#[test]
fn roots_have_derivatives() {
    // x^3 + a x = 1, so x' = -x / (3 x^2 + a) and so on, against differences.
    let root = |a: Array| {
        let f = |x: Array| x.pow(3.0) + &a * x - 1.0;
        find_root_between(f, 0.0, 2.0, Bracket::default()).x
    };
    let at = |a: f64| array(a).cast(DType::F64);
    let value = |a: f64| root(at(a)).item::<f64>().unwrap();
    let (first, second) = (jit(grad(root))(at(1.5)), jit(grad(grad(root)))(at(1.5)));
    let h = 1e-4;
    close(&first, &[(value(1.5 + h) - value(1.5 - h)) / (2.0 * h)], 1e-7);
    let bend = (value(1.5 + h) - 2.0 * value(1.5) + value(1.5 - h)) / (h * h);
    close(&second, &[bend], 1e-6);
    let exact = Newton { tolerance: 1e-12, ..Newton::default() };
    let circle = |r: Array| {
        let f = |(x, y): (Array, Array)| (x.square() + y.square() - r.square(), &y - x * 3.0);
        find_root(f, (array(1.0).cast(DType::F64), at(1.0)), exact).x.1
    };
    close(&grad(circle)(at(2.0)), &[0.9f64.sqrt()], 1e-9);
    close(&circle(at(2.0)), &[2.0 * 0.9f64.sqrt()], 1e-9);
}

#[test]
fn what_cannot_be_searched_says_so() {
    let scalar = |x: Array| x.sum();
    let fit = least_squares(scalar, double([1.0]), LevenbergMarquardt::default());
    says(&fit.value, &["`least_squares` takes a function that gives a vector f64, not f64"]);
    let root = find_root(|x: Array| x.slice_axis(0, 0..1), double([1.0, 2.0]), Newton::default());
    says(&root.x, &["as many equations as unknowns: 2 f64, not 1 f64"]);
    let root =
        find_root_between(|x: Array| x, double([1.0, 2.0]), double([1.0; 3]), Bracket::default());
    says(&root.x, &["ends that broadcast"]);
}
