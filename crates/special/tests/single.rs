//! The forms for results of single precision against those with all digits, over the numbers that
//! `f32` has.

use probpipe_special::*;

/// From half to twice as large as this is each of the points.
const SIZES: [f64; 17] = [
    1e-38, 1e-10, 1e-3, 0.0099, 0.0101, 0.1, 0.5, 1.0, 1.1, 3.0, 8.0, 31.0, 70.0, 300.0, 990.0,
    3e3, 1e6,
];

/// Numbers around each size, with no pattern: `f32` as `f64`.
fn numbers(salt: u32) -> Vec<f64> {
    let mut state = salt;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    SIZES
        .iter()
        .flat_map(|size| std::iter::repeat_n(*size, 5))
        .map(|size| f64::from((size * (0.5 + 1.5 * next())) as f32))
        .collect()
}

/// Results that `f32` tells from zero agree to nine digits.
fn compare(name: &str, x: &[f64], single: f64, full: f64) -> f64 {
    if full.abs() < f64::from(f32::from_bits(1)) {
        assert!(single.abs() < 1.1 * f64::from(f32::from_bits(1)), "{name}{x:?}: {single:e}");
        return 0.0;
    }
    if full.is_nan() || full.is_infinite() {
        assert_eq!(single.to_bits(), full.to_bits(), "{name}{x:?}");
        return 0.0;
    }
    let error = (single / full - 1.0).abs();
    assert!(error < 2e-10, "{name}{x:?}: {single:e}, not {full:e}: {error:.1e}");
    error
}

type Two = fn(f64, f64) -> f64;
type Three = fn(f64, f64, f64) -> f64;

#[test]
fn incomplete_gamma() {
    let mut worst = [0f64; 3];
    let forms: [(&str, Two, Two); 3] = [
        ("gammainc", gammainc_single, gammainc),
        ("gammaincc", gammaincc_single, gammaincc),
        ("gamma_density", gamma_density_single, gamma_density),
    ];
    let ends = [0.0, f64::INFINITY, f64::NAN, -1.0];
    for a in numbers(1).into_iter().chain(ends) {
        // Also close to the mean, where sums are longest.
        let near = [0.7, 0.95, 1.0, 1.0001, 1.05, 1.4].map(|r| f64::from((r * a) as f32));
        for x in numbers(2).into_iter().chain(ends).chain(near) {
            for ((name, single, full), worst) in forms.iter().zip(&mut worst) {
                *worst = worst.max(compare(name, &[a, x], single(a, x), full(a, x)));
            }
        }
    }
    println!("gammainc, gammaincc, gamma_density: {worst:?}");
}

#[test]
fn incomplete_beta() {
    let mut worst = [0f64; 2];
    let forms: [(&str, Three, Three); 2] =
        [("betainc", betainc_single, betainc), ("beta_density", beta_density_single, beta_density)];
    let ends = [0.0, 1.0, f64::INFINITY, f64::NAN, -1.0];
    let inside: Vec<f64> =
        [1e-38, 1e-6, 0.01, 0.1, 0.4, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0 - 1e-5, 1.0 - 6e-8]
            .map(|x| f64::from(x as f32))
            .into();
    for a in numbers(3).into_iter().chain(ends) {
        for b in numbers(4).into_iter().chain(ends) {
            let mean = a / (a + b);
            let near = [0.9, 0.999, 1.0, 1.001, 1.1].map(|r| f64::from((r * mean) as f32));
            for x in inside.iter().copied().chain(ends).chain(near) {
                for ((name, single, full), worst) in forms.iter().zip(&mut worst) {
                    *worst = worst.max(compare(name, &[a, b, x], single(a, b, x), full(a, b, x)));
                }
            }
        }
    }
    println!("betainc, beta_density: {worst:?}");
}
