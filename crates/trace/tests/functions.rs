//! Functions made of other operations, at the points where they differ from their neighbours:
//! ends, ties, empty and negative operands. Expected values are NumPy's. The bulk of their values
//! and all derivatives are compared with the reference cases of `probpipe-conformance`.

use probpipe_testing::{Tolerance, close, says};
use probpipe_trace::{
    Array, DType, Index, OutOfRange, PadMode, QuantileMethod, ScatterOp, WindowAxes, arange,
    arange_step, array, digitize, geomspace, histogram, interp, linspace_open, logspace,
    promote_types, segment_max, segment_min, segment_prod,
};

fn floats(x: &Array) -> Vec<f32> {
    x.to_vec().unwrap_or_else(|e| panic!("{e}"))
}

fn wholes(x: &Array) -> Vec<i32> {
    x.to_vec().unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn refused(x: &Array, part: &str) {
    says(x, &[part]);
}

#[test]
fn bits_of_every_width() {
    let bytes = Array::from(vec![0u8, 1, 127, 255]);
    assert_eq!(bytes.population_count().to_vec::<u8>().unwrap(), [0, 1, 7, 8]);
    assert_eq!(bytes.leading_zeros().to_vec::<u8>().unwrap(), [8, 7, 1, 0]);
    let words = Array::from(vec![i64::MIN, -1, 0, 1 << 40]);
    assert_eq!(words.population_count().to_vec::<i64>().unwrap(), [1, 64, 0, 1]);
    assert_eq!(words.leading_zeros().to_vec::<i64>().unwrap(), [0, 0, 64, 23]);
    refused(&array([1.0]).population_count(), "takes integers");
}

#[test]
fn divisors_and_powers() {
    let x = array([0, 0, 7, i32::MIN, i32::MIN, 832_040]);
    let y = array([0, -4, 0, 6, i32::MIN, 514_229]);
    assert_eq!(wholes(&x.gcd(&y)), [0, 4, 7, 2, i32::MIN, 1]);
    assert_eq!(wholes(&array([0, 4, -6]).lcm(array([0, 6, 4]))), [0, 12, 12]);
    let base = array([2, -3, 2, 0, -1, 1, 0, 3]);
    let exponent = array([31, 3, -1, 0, -3, -2, -1, 1_000_003]);
    let power = 3i32.wrapping_pow(1_000_003);
    assert_eq!(wholes(&base.pow(&exponent)), [i32::MIN, -27, 0, 1, -1, 1, -1, power]);
    assert_eq!(Array::from(vec![3u8]).pow(200).to_vec::<u8>().unwrap(), [3u8.wrapping_pow(200)]);
    refused(&array([1.0]).gcd(array([2.0])), "takes integers");
    refused(&array([1, 2]).gcd(array([1, 2, 3])), "");
}

/// Every power of ten that is a number of its type, and those below one, the nearest of which are
/// as good as exact.
#[test]
fn logarithms_to_base_ten_of_powers_of_ten() {
    let powers = |from: i32, to: i32| -> Vec<f64> {
        (from..=to).map(|n| format!("1e{n}").parse().unwrap()).collect()
    };
    let double = Array::from(powers(-307, 308)).log10().to_vec::<f64>().unwrap();
    assert!(double.iter().copied().eq((-307..=308).map(f64::from)), "{double:?}");
    let single: Vec<f32> = powers(-37, 38).into_iter().map(|x| x as f32).collect();
    let single = floats(&Array::from(single).log10());
    assert!(single.iter().copied().eq((-37..=38).map(|n| n as f32)), "{single:?}");
    let ends = floats(&array([0.0, f32::INFINITY, -1.0]).log10());
    assert_eq!(ends[..2], [f32::NEG_INFINITY, f32::INFINITY]);
    assert!(ends[2].is_nan());
}

#[test]
fn neighbours_of_floats() {
    let (x, y) = (array([1.0, 0.0, -0.0, 2.0]), array([0.0, -1.0, 1.0, 2.0]));
    let tiny = f32::from_bits(1);
    assert_eq!(floats(&x.nextafter(&y)), [1.0 - f32::EPSILON / 2.0, -tiny, tiny, 2.0]);
    let ends =
        array([f32::INFINITY, f32::MAX, f32::NAN]).nextafter(array([0.0, f32::INFINITY, 0.0]));
    let ends = floats(&ends);
    assert!(ends[0] == f32::MAX && ends[1] == f32::INFINITY && ends[2].is_nan());
    refused(&array([1]).nextafter(array([2])), "takes floats");
}

#[test]
fn padding_folds_more_than_once() {
    let x = array([1.0, 2.0, 3.0]);
    let padded = |mode| floats(&x.pad_mode([4], [5], mode));
    assert_eq!(padded(PadMode::Edge), [1., 1., 1., 1., 1., 2., 3., 3., 3., 3., 3., 3.]);
    assert_eq!(padded(PadMode::Reflect), [1., 2., 3., 2., 1., 2., 3., 2., 1., 2., 3., 2.]);
    assert_eq!(padded(PadMode::Symmetric), [3., 3., 2., 1., 1., 2., 3., 3., 2., 1., 1., 2.]);
    assert_eq!(padded(PadMode::Wrap), [3., 1., 2., 3., 1., 2., 3., 1., 2., 3., 1., 2.]);
    assert_eq!(padded(PadMode::Mean)[..5], [2., 2., 2., 2., 1.]);
    assert_eq!(floats(&array([5.0]).pad_mode([1], [1], PadMode::Reflect)), [5., 5., 5.]);
    refused(&x.slice_axis(0, 0..0).pad_mode([1], [0], PadMode::Edge), "pad_mode");
    refused(&x.pad_mode([1, 1], [0, 0], PadMode::Edge), "pad_mode");
}

#[test]
fn quantiles_between_elements() {
    use QuantileMethod::{Higher, Linear, Lower, Midpoint, Nearest};
    let x = array([[3.0, 1.0], [2.0, 5.0]]);
    for (method, value) in
        [(Linear, 1.9), (Lower, 1.0), (Higher, 2.0), (Midpoint, 1.5), (Nearest, 2.0)]
    {
        let q = x.quantile_with(0.3, [0, 1], method);
        close(format!("{method:?}"), q, value, Tolerance::absolute(1e-6));
    }
    assert_eq!(floats(&x.median_axes([1])), [2.0, 3.5]);
    assert!(array([1.0, f32::NAN]).median().item::<f32>().unwrap().is_nan());
    refused(&x.quantile(1.5), "no 1.5-quantile");
}

#[test]
fn reductions_without_nan() {
    let nan = f32::NAN;
    let x = array([[nan, 2.0, 4.0], [nan, nan, nan]]);
    assert_eq!(floats(&x.nansum_axes([1])), [6.0, 0.0]);
    assert_eq!(floats(&x.nanprod_axes([1])), [8.0, 1.0]);
    for (have, want) in [
        (x.nanmean_axes([1]), 3.0),
        (x.nanmax_axes([1]), 4.0),
        (x.nanmin_axes([1]), 2.0),
        (x.nanvar_axes([1], 0), 1.0),
        (x.nanstd_axes([1], 1), std::f32::consts::SQRT_2),
    ] {
        let have = floats(&have);
        assert!(have[0] == want && have[1].is_nan(), "{have:?}");
    }
}

#[test]
fn tables() {
    let (xs, ys) = (array([0.0, 1.0, 1.0, 3.0]), array([0.0, 2.0, 4.0, 8.0]));
    let at = array([-1.0, 0.5, 1.0, 2.0, 3.0, 9.0]);
    assert_eq!(floats(&interp(&at, &xs, &ys)), [0.0, 1.0, 4.0, 6.0, 8.0, 8.0]);
    assert_eq!(floats(&interp(&at, &array([2.0]), &array([7.0]))), [7.0; 6]);
    refused(&interp(&at, &xs, &array([1.0])), "interp");
    let x = array([0.0, 1.0, 2.5, 9.0]);
    assert_eq!(wholes(&digitize(&x, &array([0.0, 1.0, 2.0]), false)), [1, 2, 3, 3]);
    assert_eq!(wholes(&digitize(&x, &array([2.0, 1.0, 0.0]), false)), [2, 1, 0, 0]);
    assert_eq!(wholes(&digitize(&x, &array([2.0, 1.0, 0.0]), true)), [3, 2, 0, 0]);
    let (counts, edges) = histogram(&array([-1.0, 0.0, 1.0, 3.9, 4.0, f32::NAN]), 4, (0.0, 4.0));
    assert_eq!(floats(&counts), [1.0, 1.0, 0.0, 2.0]);
    assert_eq!(floats(&edges), [0.0, 1.0, 2.0, 3.0, 4.0]);
    refused(&histogram(&x, 0, (0.0, 1.0)).0, "histogram");
}

#[test]
fn segments_without_entries() {
    let (x, s) = (array([2, 3, 4]), array([1, 1, 9]));
    assert_eq!(wholes(&segment_prod(&x, &s, 2)), [1, 6]);
    assert_eq!(wholes(&segment_max(&x, &s, 2)), [i32::MIN, 3]);
    assert_eq!(wholes(&segment_min(&x, &s, 2)), [i32::MAX, 2]);
}

#[test]
fn sequences() {
    assert_eq!(wholes(&arange_step(5, -1, -2)), [5, 3, 1]);
    assert!(arange_step(0, 5, -1).shape() == [0]);
    refused(&arange_step(0, 5, 0), "arange_step");
    assert_eq!(floats(&linspace_open(0.0, 1.0, 2)), [0.0, 0.5]);
    assert_eq!(floats(&logspace(0.0, 2.0, 3)), [1.0, 10.0, 100.0]);
    assert_eq!(floats(&geomspace(3.0, 3.0, 1)), [3.0]);
    refused(&geomspace(0.0, 1.0, 3), "positive");
}

#[test]
fn index_parts() {
    let x = arange(24).reshape([2, 3, 4]);
    assert_eq!(wholes(&x.index((1, 1..3, -1))), [19, 23]);
    assert_eq!(wholes(&x.index((0, .., Index::step(-3)))), [3, 0, 7, 4, 11, 8]);
    assert_eq!(x.index((Index::Ellipsis, Index::NewAxis)).shape(), [2, 3, 4, 1]);
    let none = Index::Slice { start: Some(5), stop: Some(1), step: 1 };
    assert_eq!(x.index((none,)).shape(), [0, 3, 4]);
    // Index arrays side by side stay in place; parts between them send their axes to the front.
    let (i, j) = (array([1, 0, 1]), array([2, 0, -1]));
    assert_eq!(wholes(&x.index((0, &i, &j))), [6, 0, 7]);
    assert_eq!(x.index((.., &i, &j)).shape(), [2, 3]);
    assert_eq!(x.index((&i, .., &j)).shape(), [3, 3]);
    assert_eq!(wholes(&x.index((&i, .., 0))), [12, 16, 20, 0, 4, 8, 12, 16, 20]);
    let down = Index::Slice { start: Some(2), stop: Some(0), step: -1 };
    assert_eq!(wholes(&x.index(vec![Index::At(0), down, Index::At(0)])), [8, 4]);
    refused(&x.index((2,)), "index 2");
    refused(&x.index((0, 0, 0, 0)), "4 axes");
    refused(&x.index((&array([true, false]),)), "select");
}

#[test]
fn updates_of_index_parts() {
    let x = array([[1.0, 2.0], [3.0, 4.0]]);
    let twice = x.at_index((&array([0, 0, 7, -1]), 1)).add(array([1.0, 1.0, 9.0, 10.0]));
    assert_eq!(floats(&twice), [1.0, 4.0, 3.0, 14.0]);
    assert_eq!(floats(&x.at_index((.., 0)).mul(2.0)), [2.0, 2.0, 6.0, 4.0]);
    assert_eq!(floats(&x.at_mask(&x.gt(2.0)).min(3.5)), [1.0, 2.0, 3.0, 3.5]);
    refused(&x.at_index((9,)).set(0.0), "index 9");
}

#[test]
fn windows_move_or_drop_as_a_whole() {
    let x = array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    let axes = WindowAxes { offset: vec![0], collapsed: vec![0], starts: vec![1, 0] };
    let starts = array([[0, 1], [2, 0]]);
    let held = x.gather_windows(&starts, &axes, &[1, 2], OutOfRange::Clamp);
    // The window runs along the first axis of the result.
    assert_eq!((held.shape(), &floats(&held)[..]), (&[2, 2][..], &[3.0, 1.0, 4.0, 2.0][..]));
    let filled = floats(&x.gather_windows(&starts, &axes, &[1, 2], OutOfRange::Fill));
    assert!(filled[0] == 3.0 && filled[1].is_nan() && filled[3].is_nan());
    let ones = array([[1.0, 1.0], [1.0, 1.0]]);
    let sums = x.scatter_windows(ScatterOp::Add, &starts, &ones, &axes, OutOfRange::Fill);
    assert_eq!(floats(&sums), [0.0, 1.0, 2.0, 4.0, 5.0, 5.0]);
    refused(&x.gather_windows(&starts, &axes, &[1, 4], OutOfRange::Fill), "windows");
}

#[test]
fn promotion_is_symmetric_and_keeps_its_operands_values() {
    for a in DType::ALL {
        assert_eq!(promote_types(a, a), a);
        for b in DType::ALL {
            assert_eq!(promote_types(a, b), promote_types(b, a));
        }
    }
}

#[test]
fn numbers_take_the_type_of_the_array_that_they_meet() {
    let x = Array::from_slice(&[0.0f64, 2.0], [2]);
    let two = Array::from(2.0);
    let pairs = [x.xlogy(2.0), x.xlog1py(2.0), x.hypot(2.0), x.rel_entr(2.0), x.kl_div(2.0)];
    for y in pairs.into_iter().chain([two.xlogy(&x), two.hypot(&x), two.rel_entr(&x)]) {
        assert_eq!(y.dtype(), DType::F64);
        assert!(y.error().is_none());
    }
    assert_eq!(x.xlogy(2.0).to_vec::<f64>().unwrap(), [0.0, 2.0 * 2f64.ln()]);
    assert_eq!(two.hypot(&x).to_vec::<f64>().unwrap(), [2.0, 8f64.sqrt()]);
}

#[test]
fn places_are_read_as_they_are_updated() {
    let x = array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let columns = array([2, 9]);
    assert_eq!(floats(&x.at_index((.., &columns)).get()), floats(&x.index((.., &columns))));
    let filled = floats(&x.at_index((1, &columns)).get_mode(OutOfRange::Fill));
    assert!(filled[0] == 6.0 && filled[1].is_nan());
    assert_eq!(floats(&x.at_index((.., &columns)).set(0.0)), [1.0, 2.0, 0.0, 4.0, 5.0, 0.0]);
    refused(&x.at_mask(&x.gt(2.0)).get(), "names no fixed number of entries");
}
