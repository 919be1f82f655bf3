//! Least squares and analyses of variance against certified values.

use probpipe::optimize::{LevenbergMarquardt, least_squares};
use probpipe::prelude::*;
use probpipe_posteriors::nist::{CURVES, GROUPS, LINEAR};

fn f64s<T>(run: impl FnOnce() -> T) -> T {
    with_default_float(DType::F64, run)
}

/// The largest relative difference.
fn apart(have: &Array, want: &Array) -> f64 {
    let (have, want) = (have.to_vec::<f64>().unwrap(), want.to_vec::<f64>().unwrap());
    assert_eq!(have.len(), want.len());
    let apart = |(a, b): (&f64, &f64)| ((a - b) / b).abs();
    have.iter().zip(&want).map(apart).fold(0.0, |m, x| if x.is_nan() { x } else { m.max(x) })
}

#[test]
fn curves_have_their_certified_parameters() {
    f64s(|| {
        for curve in CURVES {
            let residuals = curve.residuals();
            for (k, start) in curve.starts().into_iter().enumerate() {
                for scaled in [false, true] {
                    let unit = if scaled { start.clone() } else { ones([start.size()]) };
                    let method = LevenbergMarquardt { tolerance: 0.0, ..Default::default() };
                    let fit =
                        jit(|x: Array| least_squares(|x: Array| residuals(x * &unit), x, method));
                    let found = fit(&start / &unit);
                    let x = found.x * &unit;
                    println!(
                        "{curve:?} {k} scaled {scaled}: {:e} steps {} status {}",
                        apart(&x, &curve.certified()),
                        found.steps,
                        found.status
                    );
                }
            }
        }
    });
}

#[test]
fn linear_models_have_their_certified_coefficients() {
    f64s(|| {
        for linear in LINEAR {
            let ((x, y), (want, deviations)) = (linear.data(), linear.certified());
            let have = jit(|x: Array| x.lstsq(&y).solution)(x.clone());
            assert!(apart(&have, &want) < 1e-9, "{linear:?}: {have} {want}");
            let _ = deviations;
        }
    });
}

#[test]
fn groups_have_their_certified_variances() {
    f64s(|| {
        for groups in GROUPS {
            let (member, y) = groups.data();
            let [between, within, quotient] = groups.certified();
            let analyse = jit(|y: Array| {
                let y = &y - y.mean();
                let sizes = member.sum_axes([0]);
                let means = y.dot(&member) / &sizes;
                let between = (&sizes * means.square()).sum();
                let within = (y - member.dot(&means)).square().sum();
                (between, within)
            });
            let (a, b) = analyse(y.clone());
            let [n, k] = [member.shape()[0], member.shape()[1]].map(|n| n as f64);
            let f = (&a / (k - 1.0)) / (&b / (n - k));
            for (have, want) in [(a, between), (b, within), (f, quotient)] {
                let have = have.item::<f64>().unwrap();
                println!("{groups:?} {:e}", have / want - 1.0);
                assert!((have / want - 1.0).abs() < 1e-6, "{groups:?}: {have}, not {want}");
            }
        }
    });
}
