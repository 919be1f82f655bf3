//! Values and slopes at the ends of the range of numbers and at the zeros of functions, where the
//! plain formula overflows, cancels or divides by zero. Expected values are those of mpmath with
//! 60 digits and of NumPy and SciPy.
// Right values are written with the digits that they were computed to.
#![allow(clippy::excessive_precision)]

use probpipe_trace::{
    Array, ErrorKind, Keep, array, cond, interp, linspace, ones, rising_factorial, segment_prod,
    while_loop, zeros,
};
use probpipe_transforms::{grad, hessian, jacfwd, vmap};

fn wide(data: &[f64]) -> Array {
    Array::from_slice(data, [data.len()])
}

fn narrow(data: &[f32]) -> Array {
    Array::from_slice(data, [data.len()])
}

/// In `f64`, whatever the type.
#[track_caller]
fn numbers(x: &Array) -> Vec<f64> {
    let x = x.cast(probpipe_trace::DType::F64);
    x.to_vec().unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn near(x: &Array, want: &[f64], tolerance: f64) {
    let have = numbers(x);
    let close = |(a, b): (&f64, &f64)| {
        a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= tolerance * b.abs()
    };
    assert!(have.len() == want.len() && have.iter().zip(want).all(close), "{have:?} {want:?}");
}

const INF: f64 = f64::INFINITY;

#[test]
fn sums_of_exponentials_of_infinities() {
    for (x, value, slopes) in [
        ([-INF, -INF], -INF, [0.0, 0.0]),
        ([INF, 0.0], INF, [1.0, 0.0]),
        ([INF, INF], INF, [0.5, 0.5]),
        ([INF, -INF], INF, [1.0, 0.0]),
        ([-INF, 3.0], 3.0, [0.0, 1.0]),
    ] {
        let x = wide(&x);
        near(&x.logsumexp(), &[value], 1e-15);
        near(&grad(|x: Array| x.logsumexp())(x.clone()), &slopes, 1e-15);
        near(&grad(|x: Array| x.logmeanexp())(x.clone()), &slopes, 1e-15);
        near(&jacfwd(|x: Array| x.logsumexp())(x), &slopes, 1e-15);
    }
    let rows = Array::from_slice(&[-INF, -INF, INF, 0.0, 1.0, 1.0], [3, 2]);
    let slopes = grad(|x: Array| x.logsumexp_axes(1).sum())(rows.clone());
    near(&slopes, &[0.0, 0.0, 1.0, 0.0, 0.5, 0.5], 1e-15);
    near(&rows.logsumexp_axes(Keep(1)), &[-INF, INF, 1.0 + 2f64.ln()], 1e-15);
    near(&zeros([0]).logsumexp(), &[-INF], 0.0);
}

#[test]
fn weights_of_zero_do_not_count() {
    let of = |x: &[f64], w: &[f64], value: f64, in_x: &[f64]| {
        let (x, w) = (wide(x), wide(w));
        near(&x.logsumexp_weighted(&w, 0), &[value], 1e-15);
        near(&grad(move |x: Array| x.logsumexp_weighted(&w, 0))(x), in_x, 1e-15);
    };
    of(&[-1000.0, -2.0], &[1.0, 0.0], -1000.0, &[1.0, 0.0]);
    of(&[0.0, INF], &[1.0, 0.0], 0.0, &[1.0, 0.0]);
    of(&[-INF, 5.0, 1.0], &[1.0, 0.0, 2.0], 1.0 + 2f64.ln(), &[0.0, 0.0, 1.0]);
    of(&[3.0, 4.0], &[0.0, 0.0], -INF, &[0.0, 0.0]);
    let in_weights = grad(|w: Array| zeros([3]).logsumexp_weighted(w, 0));
    near(&in_weights(wide(&[2.0, 0.0, 5.0])), &[1.0 / 7.0; 3], 1e-7);
    let x = wide(&[1.0, 3.0]);
    let slopes = grad(move |w: Array| x.logsumexp_weighted(w, 0))(wide(&[2.0, 0.0]));
    near(&slopes, &[0.5, 0.5 * 2f64.exp()], 1e-15);
}

#[test]
fn ratios_of_gamma_functions() {
    near(&rising_factorial(wide(&[1e15]), 1.0), &[1e15], 1e-15);
    near(&rising_factorial(narrow(&[1e6, 1e8, 1e8]), 1.0), &[1e6, 1e8, 1e8], 3e-7);
    let x = wide(&[2.5, 1.0, 1e10, 0.001, 20.0, 7.0]);
    let n = wide(&[1.5, 170.0, 0.5, 3.0, -4.5, 0.0]);
    let want = [
        4.51351666838205,
        7.257_415_615_307_999e306,
        99_999.999_998_75,
        0.002_003_001,
        2.752_586_078_257_250_7e-6,
        1.0,
    ];
    near(&rising_factorial(&x, &n), &want, 2e-14);
    // x (x + 1) and its slope.
    near(&grad(|x: Array| rising_factorial(x, 2.0))(wide(&[1e12]).at(0)), &[2e12 + 1.0], 1e-14);
}

#[test]
fn squares_beyond_the_range() {
    let slopes = |a: Array| {
        let f = |a: Array| a.at(0).atan2(a.at(1));
        (grad(f)(a.clone()), jacfwd(f)(a))
    };
    for (a, size) in [
        (narrow(&[1e-25, 1e-25]), 5e24),
        (narrow(&[1e25, 1e25]), 5e-26),
        (wide(&[1e-170, 1e-170]), 5e169),
        (wide(&[1e200, 1e200]), 5e-201),
    ] {
        let (back, forth) = slopes(a);
        near(&back, &[size, -size], 1e-6);
        near(&forth, &[size, -size], 1e-6);
    }
    let root = 0.5f64.sqrt();
    for size in [1e-30f32, 1e30, 1e-44, 2e38, 1.0] {
        let x = narrow(&[size, size, 0.0]);
        near(&x.slice_axis(0, 0..1).norm(), &[f64::from(size)], 1e-7);
        near(&(x.norm() * 0.5), &[f64::from(size) * root], if size < 1e-40 { 0.1 } else { 1e-6 });
        near(&grad(|x: Array| x.norm())(x.clone()), &[root, root, 0.0], 1e-2);
        let cube = 2f64.powf(1.0 / 3.0);
        if size > 1e-40 && size < 1e38 {
            near(&x.norm_axes(0, 3.0), &[f64::from(size) * cube], 1e-6);
            near(
                &x.expand_dims(0).matrix_norm(probpipe_trace::MatrixNorm::Frobenius),
                &numbers(&x.norm()),
                0.0,
            );
        }
    }
    near(&wide(&[1e-200, 1e-200]).norm(), &[2f64.sqrt() * 1e-200], 1e-15);
    near(&wide(&[INF, 1.0]).norm(), &[INF], 0.0);
    near(&wide(&[0.0, 0.0]).norm(), &[0.0], 0.0);
}

#[test]
fn the_divisor_of_a_remainder() {
    let slope = |x: f64, y: f64| grad(move |y: Array| array(x) % y)(wide(&[y]).at(0));
    for (x, y, want) in [(1.0, 0.1, -9.0), (-1.0, 0.1, 9.0), (6.0, 2.0, -3.0), (0.3, 0.1, -2.0)] {
        near(&slope(x, y), &[want], 0.0);
    }
    near(&slope(5.0, INF), &[0.0], 0.0);
}

#[test]
fn determinants_of_large_numbers() {
    let det = |rows: &[f32], n: usize| Array::from_slice(rows, [n, n]).det();
    near(&det(&[4e20, 1e20, 1e20, 3e20], 2), &[INF], 0.0);
    near(&det(&[1e20, 3e20, 4e20, 1e20], 2), &[-INF], 0.0);
    near(&det(&[4e20, 1e20, 1e-19, 3e-19], 2), &[110.0], 1e-6);
    near(&det(&[1e20, 1e-20, 1.0, 1e-20], 2), &[1.0], 1e-6);
    let three = [2e15, 1e15, 0.0, 1e15, 2e15, 1e15, 0.0, 1e15, 2e15];
    near(&det(&three, 3), &[INF], 0.0);
    let mixed = [2e30, 1e30, 0.0, 1e30, 2e30, 1e30, 0.0, 1e-30, 2e-30];
    near(&det(&mixed, 3), &[4e30], 1e-6);
    let slopes = grad(|a: Array| a.det())(Array::from_slice(&[4e20f32, 1e20, 1e20, 3e20], [2, 2]));
    near(&slopes, &[3e20, -1e20, -1e20, 4e20], 1e-6);
}

#[test]
fn steps_that_never_go_back() {
    let mut state = 7u32;
    for round in 0..200 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let start = 1.0 + (state >> 8) as f32 / 1e6;
        let stop = f32::from_bits(start.to_bits() + 1 + round % 40);
        for (from, to) in [(start, stop), (stop, start)] {
            let literal = linspace(f64::from(from), f64::from(to), 50);
            let arrays = linspace(array(from), array(to), 50);
            for steps in [numbers(&literal), numbers(&arrays)] {
                let down = to < from;
                assert!(steps.windows(2).all(|w| if down { w[0] >= w[1] } else { w[0] <= w[1] }));
                assert_eq!((steps[0], steps[49]), (f64::from(from), f64::from(to)));
            }
        }
    }
    near(
        &linspace(array(-3e38f32), array(3e38f32), 3),
        &[f64::from(-3e38f32), 0.0, f64::from(3e38f32)],
        0.0,
    );
    near(&grad(|x: Array| linspace(&x, &x, 5).sum())(wide(&[2.0]).at(0)), &[5.0], 1e-15);
}

#[test]
fn what_numpy_says_of_infinities() {
    let x = wide(&[1.0, 4.0]);
    near(&x.var_axes(0, 3), &[INF], 0.0);
    near(&wide(&[2.0, 2.0]).var_axes(0, 3), &[f64::NAN], 0.0);
    near(&x.std_axes(0, 2), &[INF], 0.0);
    let (xs, ys) = (wide(&[0.0, 1.0, 2.0, 3.0]), wide(&[5.0, 6.0, INF, 7.0]));
    let at = wide(&[0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0]);
    near(&interp(&at, &xs, &ys), &[5.5, 6.0, INF, INF, INF, 7.0, 7.0], 0.0);
    let slope = grad(move |x: Array| interp(&x, &xs, &ys).sum());
    near(&slope(wide(&[0.5, 0.25])), &[1.0, 1.0], 0.0);
    near(&wide(&[-INF, 4.0, INF, -1.0]).pow(0.5), &[INF, 2.0, INF, f64::NAN], 0.0);
    near(&grad(|x: Array| x.pow(0.5).sum())(wide(&[-INF, 4.0])), &[0.0, 0.25], 0.0);
}

#[test]
fn quantiles_of_subnormal_numbers() {
    near(&narrow(&[1e-40, 1e-45]).ndtri(), &[-13.310921774100802, -14.121426613350499], 1e-6);
    near(&wide(&[1e-315, 5e-324]).ndtri(), &[-37.96730035106736, -38.467405617144346], 1e-15);
    near(&grad(|p: Array| p.ndtri().sum())(narrow(&[1e-37])), &[7.774933213e35], 2e-5);
    let p = narrow(&[1e-40, 1e-45, 1.5, 0.75, 1.0, 0.0, 2.0]);
    let want = [
        9.448790050366227,
        10.019834265884623,
        -0.4769362762044699,
        0.2253120550121781,
        0.0,
        INF,
        -INF,
    ];
    near(&p.erfc_inv(), &want, 1e-6);
    near(&wide(&[5e-324]).erfc_inv(), &[27.21329321081295], 1e-15);
    let root = std::f64::consts::PI.sqrt();
    near(&grad(|p: Array| p.erfc_inv().sum())(wide(&[1.0])), &[-0.5 * root], 1e-15);
}

#[test]
fn digits_beside_zeros() {
    let x = narrow(&[0.4999999, 0.5000001, 0.49, 0.3, 0.7499, 0.5]);
    let want = [
        -3.5762786865234756e-7,
        4.76837158203134e-07,
        -0.04000529645146163,
        -0.8472978036208759,
        1.098078937946385,
        0.0,
    ];
    near(&x.logit(), &want, 2.5e-7);
    near(
        &grad(|x: Array| x.logit().sum())(wide(&[0.5, 0.4, 0.1])),
        &[4.0, 1.0 / 0.24, 1.0 / 0.09],
        1e-14,
    );

    let x = narrow(&[1.0, 36.56352, 2.0, 1.0, 1.0, 3.0]);
    let y = narrow(&[1.0001, 45.29369, 1.9999, 2.2, 0.51, 3.0]);
    let divergence = [
        5.001_326_056_704_25e-9,
        0.9013097593307412,
        2.5009131434471777e-9,
        0.4115426656450296,
        0.183344562426519,
        0.0,
    ];
    near(&x.kl_div(&y), &divergence, 3.6e-7);
    let entropy = [
        -0.00010001159260704876,
        -7.82886144428254,
        0.00010001909494624892,
        -0.7884573820386862,
        0.6733445719632621,
        0.0,
    ];
    near(&x.rel_entr(&y), &entropy, 2.5e-7);
    near(&array([0.0, 0.0, 1.0]).kl_div(array([2.0, 0.0, 0.0])), &[2.0, 0.0, INF], 0.0);
    // d kl/dx = log(x / y), d kl/dy = 1 - x/y
    let y = wide(&[1.25]);
    near(&grad(move |x: Array| x.kl_div(&y).sum())(wide(&[1.0])), &[-(1.25f64.ln())], 1e-15);
    near(&grad(|y: Array| ones([1]).kl_div(y).sum())(wide(&[1.25])), &[0.2], 1e-15);
}

#[test]
fn predicates_are_truth_values() {
    let looped = while_loop(|x: Array| x, |x| x * 0.5, array(1.0));
    let error = looped.error().cloned();
    assert!(error.is_some_and(|e| e.kind() == ErrorKind::DType && e.to_string().contains("bool")));
}

#[test]
fn products_beyond_the_range() {
    let slopes = |x: &[f32], segments: &[i32]| {
        let segments = Array::from_slice(segments, [segments.len()]);
        let f = move |x: Array| segment_prod(&x, &segments, 2).sum();
        let back = grad(f.clone())(narrow(x));
        // Forwards an infinite slope meets the zeros of the other directions.
        if numbers(&back).iter().all(|x| x.is_finite()) {
            assert_eq!(numbers(&back), numbers(&jacfwd(f)(narrow(x))));
        }
        back
    };
    let one = [0; 4];
    near(&slopes(&[1e-25, 1e-25, 1e20, 1.0], &one), &[1e-5, 1e-5, 0.0, 1e-30], 1e-6);
    near(&slopes(&[1e30, 1e30, 1e-30, 1.0], &one), &[1.0, 1.0, INF, 1e30], 1e-6);
    near(&slopes(&[1e-25, 1e-25, 1e30, 3.0], &[0, 0, 1, 1]), &[1e-25, 1e-25, 3.0, 1e30], 1e-6);
    near(&slopes(&[0.0, 1e-30, -1e-30, 2e30], &one), &[-2e-30, 0.0, 0.0, 0.0], 1e-6);
    near(&slopes(&[0.0, 3.0, 2.0, 0.0], &one), &[0.0; 4], 0.0);
    // Multiplied into a number that is there already.
    let f =
        |x: Array| x.slice_axis(0, 0..1).at_indices([&array([0, 0])]).mul(x.slice_axis(0, 1..3));
    let back = grad(move |x: Array| f(x).sum())(wide(&[1e200, 1e-200, 1e-300]));
    near(&back, &[0.0, 1e-100, 1.0], 1e-14);
    // Second derivatives of x y z: the elements.
    let f = |x: Array| segment_prod(&x, &Array::from_slice(&[0, 0, 0], [3]), 1).sum();
    let x = wide(&[1e-200, 2e-200, 4e200]);
    let want = [0.0, 4e200, 2e-200, 4e200, 0.0, 1e-200, 2e-200, 1e-200, 0.0];
    near(&hessian(f)(x).reshape(9), &want, 1e-14);
}

#[test]
fn singular_values_of_any_size() {
    let f = |a: Array| {
        let (u, _, vt) = a.svd();
        u.at(0).at(0) * vt.at(1).at(0)
    };
    let slopes = |size: f32| {
        let a = narrow(&[2.0, 1.0, 0.5, 3.0]).reshape([2, 2]) * size;
        grad(f)(a) * size
    };
    let want = numbers(&slopes(1.0));
    assert!(want.iter().all(|x| x.is_finite() && x.abs() > 1e-3), "{want:?}");
    for size in [1e-20, 1e20, 1e-30, 1e30] {
        near(&slopes(size), &want, 1e-5);
    }
    let curvature = |size: f32| {
        let a = narrow(&[2.0, 1.0, 0.5, 3.0]).reshape([2, 2]) * size;
        hessian(|a: Array| a.svdvals().at(0))(a) * size
    };
    let want = numbers(&curvature(1.0).reshape(16));
    for size in [1e-18, 1e18] {
        near(&curvature(size).reshape(16), &want, 1e-4);
    }
}

#[test]
fn roots_of_matrices_with_repeated_values() {
    let corner = |a: Array| a.sqrtm_spd().at(0).at(1);
    let eye = wide(&[1.0, 0.0, 0.0, 1.0]).reshape([2, 2]);
    near(&grad(corner)(eye.clone()).reshape(4), &[0.0, 0.25, 0.25, 0.0], 1e-15);
    // tr sqrt(a) at c I has the Hessian -c^(-3/2)/4 on the symmetric part.
    let curvature = hessian(|a: Array| a.sqrtm_spd().trace())(&eye * 4.0).reshape(16);
    let (on, off) = (-1.0 / 32.0, -1.0 / 64.0);
    let want = [on, 0.0, 0.0, 0.0, 0.0, off, off, 0.0, 0.0, off, off, 0.0, 0.0, 0.0, 0.0, on];
    near(&curvature, &want, 1e-14);
    // At different values against the square: the root of a moves as R' R + R R' = A'.
    let a = wide(&[4.0, 1.0, 0.5, 1.0, 3.0, 0.2, 0.5, 0.2, 2.0]).reshape([3, 3]);
    let back = |a: Array| {
        let root = a.sqrtm_spd();
        root.matmul(&root).at(0).at(1) * 2.0
    };
    let want = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let slopes = grad(back)(a.clone()).reshape(9);
    near(&(slopes + 1.0), &want.map(|x| x + 1.0), 1e-13);
    near(&(hessian(back)(a).reshape(81) + 1.0), &[1.0; 81], 1e-12);
}

#[test]
fn deeply_nested_branches() {
    fn nested(x: Array, depth: usize) -> Array {
        if depth == 0 {
            return x.sin();
        }
        cond(
            x.gt(0.1 * depth as f64),
            x,
            move |x: Array| nested(x, depth - 1) * 1.01,
            |x: Array| x.square(),
        )
    }
    let depth = 40;
    let slope = |x: f64| grad(move |x: Array| nested(x, depth))(wide(&[x]).at(0)).item::<f64>();
    let want = 5f64.cos() * 1.01f64.powi(40);
    assert!(slope(5.0).is_ok_and(|s| (s - want).abs() < 1e-13));
    assert_eq!(slope(1.0).ok(), Some(2.0));
    let lanes = vmap(move |x: Array| grad(move |x: Array| nested(x, 12))(x));
    near(&lanes(wide(&[5.0, 1.0])), &[5f64.cos() * 1.01f64.powi(12), 2.0], 1e-13);
}
