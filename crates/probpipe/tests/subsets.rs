//! Subsets whose members repel each other: probabilities of all of them against determinants,
//! moments against sums over them, slopes against differences, and what has no probability. That
//! draws follow them is held by `draws`.

mod golden;

use golden::{assert_close, floats};
use probpipe::DeterminantalPointProcess;
use probpipe::prelude::*;

fn wide(x: Array) -> Array {
    x.cast(DType::F64)
}

/// A basis of five directions.
fn basis() -> Array {
    let x = probpipe::normal_of(DType::F64, Key::new(4), [5, 5]);
    x.matmul(x.transpose()).eigh().1
}

fn values() -> Array {
    wide(array([0.25, 3.0, 0.0, 40.0, 1e-3]))
}

/// The determinant of a matrix at some rows and columns, by the first row.
fn minor(m: &[f64], n: usize, rows: &[usize], columns: &[usize]) -> f64 {
    let Some((first, rest)) = rows.split_first() else { return 1.0 };
    let mut total = 0.0;
    for k in 0..columns.len() {
        let mut others = columns.to_vec();
        let column = others.remove(k);
        let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
        total += sign * m[first * n + column] * minor(m, n, rest, &others);
    }
    total
}

#[test]
fn all_subsets() {
    let (v, values) = (basis(), values());
    let kernel = floats(&(&v * values.expand_dims(-2)).matmul(v.transpose()));
    let whole: f64 = floats(&values).iter().map(|x| 1.0 + x).product();
    for dtype in [DType::F64, DType::F32] {
        let d = DeterminantalPointProcess::new(values.cast(dtype), v.cast(dtype));
        let (sets, probs) = d.enumerate().unwrap();
        assert_eq!((sets.shape(), probs.shape()), (&[32, 5][..], &[32][..]));
        let compiled = jit(|x: Array| d.prob(&x))(sets.clone());
        for probs in [floats(&probs), floats(&compiled)] {
            let tolerance = if dtype == DType::F64 { 1e-13 } else { 1e-5 };
            for (set, have) in floats(&sets).chunks(5).zip(&probs) {
                let members: Vec<usize> = (0..5).filter(|&k| set[k] == 1.0).collect();
                let full = members.len() == 5;
                let want = if full { 0.0 } else { minor(&kernel, 5, &members, &members) / whole };
                assert!((have - want).abs() <= tolerance, "{set:?} {dtype}: {have}, not {want}");
                assert_eq!(*have == 0.0, full, "{set:?} {dtype}");
            }
            assert_close("sum", &[probs.iter().sum()], &[1.0], 10.0 * tolerance, 0.0);
        }
    }
}

#[test]
fn moments_are_sums_over_subsets() {
    let batch = stack([values(), wide(array([1.0, 2.0, 0.5, 0.1, 7.0]))], 0);
    let d = DeterminantalPointProcess::new(&batch, basis());
    assert_eq!((&d.batch_shape()[..], &d.event_shape()[..]), (&[2][..], &[5][..]));
    let (sets, probs) = d.enumerate().unwrap();
    let probs = probs.expand_dims(-1);
    let mean = (&sets * &probs).sum_axes([0]);
    assert_close("mean", &floats(&d.mean()), &floats(&mean), 1e-12, 0.0);
    let apart = &sets - &mean;
    let outer = apart.expand_dims(-1) * (&apart * &probs).expand_dims(-2);
    let cov = floats(&outer.sum_axes([0]));
    assert_close("cov", &floats(&d.cov()), &cov, 1e-12, 1e-15);
    let variance: Vec<f64> = (0..10).map(|k| cov[k / 5 * 25 + k % 5 * 6]).collect();
    assert_close("variance", &floats(&d.variance()), &variance, 1e-12, 0.0);
    assert_eq!(d.sample(Key::new(0), [3, 4]).shape(), [3, 4, 2, 5]);
}

#[test]
fn slopes_and_what_has_none() {
    let v = basis();
    let two = wide(array([0.0, 1.0, 0.0, 1.0, 0.0]));
    let log_prob = |l: Array| DeterminantalPointProcess::new(l, &v).log_prob(&two);
    let slope = floats(&jit(grad(log_prob))(values()));
    for (k, slope) in slope.iter().enumerate() {
        let h = 1e-4 * floats(&values())[k].max(0.1);
        let to = |h: f64| {
            let mut l = floats(&values());
            l[k] += h;
            floats(&log_prob(Array::from_slice(&l, [5])))[0]
        };
        // From one side, as none is below zero.
        let want = (-3.0 * to(0.0) + 4.0 * to(h) - to(2.0 * h)) / (2.0 * h);
        assert!((slope - want).abs() < 1e-4 * want.abs().max(1.0), "[{k}] {slope}, not {want}");
    }
    // Things that are the same never come together; nor do more than there are eigenvalues.
    let twins = wide(array([[1.0, 1.0, 0.25], [1.0, 1.0, 0.25], [0.25, 0.25, 2.0]]));
    let (l, u) = twins.eigh();
    let d = DeterminantalPointProcess::new(l.maximum(0.0), u);
    let all = |l: &Array, x: [f64; 3]| {
        let x = wide(array(x));
        DeterminantalPointProcess::new(l, d.eigenvectors()).log_prob(&x)
    };
    for set in [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.5, 1.0, 0.0], [2.0, 0.0, 0.0]] {
        assert_eq!(floats(&all(d.eigenvalues(), set)), [f64::NEG_INFINITY], "{set:?}");
        let slope = floats(&grad(|l: Array| all(&l, set))(d.eigenvalues().clone()));
        assert!(slope.iter().all(|s| s.is_finite()), "{set:?}: {slope:?}");
    }
    assert!(floats(&all(d.eigenvalues(), [1.0, 0.0, 1.0]))[0].is_finite());
    let skewed = DeterminantalPointProcess::new([1.0, 2.0], [[1.0, 0.5], [0.0, 1.0]]);
    let error = skewed.log_prob(&array([1.0, 0.0])).checked().unwrap_err();
    let want = "the eigenvectors of a DeterminantalPointProcess must be an orthogonal matrix";
    assert_eq!(error.message(), want);
}
