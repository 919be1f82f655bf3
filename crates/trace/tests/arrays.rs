//! Habits of those who come from NumPy and JAX: axes in every form, element types by name, lists
//! of arrays, sets. Expected values are NumPy's, or JAX's where NumPy has no such function.

use probpipe_trace::{
    Array, DType, Keep, Key, QuantileMethod, Triangular, arange, array, column_stack, concat,
    convolve, dstack, eye_of, full_like, full_of, hstack, linspace, linspace_of, multi_dot, normal,
    normal_of, ones, ones_of, select, stack, trace, tril_indices_offset, triu_indices_offset,
    uniform, uniform_of, vstack, where_, with_default_float, zeros, zeros_of,
};

#[track_caller]
fn floats(x: &Array) -> Vec<f32> {
    x.to_vec().unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn wholes(x: &Array) -> Vec<i32> {
    x.to_vec().unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn near(x: &Array, want: &[f32]) {
    let have = floats(x);
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 2e-6 * b.abs().max(1.0);
    assert!(have.len() == want.len() && have.iter().zip(want).all(close), "{have:?} {want:?}");
}

#[track_caller]
fn refused(x: &Array, part: &str) {
    let message = x.error().map(ToString::to_string).unwrap_or_default();
    assert!(message.contains(part), "`{part}` in {message:?}");
}

fn holes() -> Array {
    let nan = f32::NAN;
    array([[3.0, 1.0, nan, 2.0], [4.0, 8.0, 6.0, nan]])
}

#[test]
fn axes_in_every_form() {
    let x = arange(24).reshape([2, 3, 4]);
    let sum = x.sum_axes([0, 2]);
    assert_eq!(wholes(&sum), [60, 92, 124]);
    let list = vec![0, -1];
    for same in [x.sum_axes(&[-3, 2]), x.sum_axes(&list), x.sum_axes(&list[..]), x.sum_axes(list)] {
        assert_eq!(wholes(&same), wholes(&sum));
    }
    assert_eq!(wholes(&x.max_axes(-1)), [3, 7, 11, 15, 19, 23]);
    assert_eq!(wholes(&x.sum_axes(..)), wholes(&x.sum()));
    assert_eq!(x.sum_axes(Keep([0, 2])).shape(), [1, 3, 1]);
    assert_eq!(x.mean_axes(Keep(1)).shape(), [2, 1, 4]);
    assert_eq!(x.var_axes(Keep(..), 1).shape(), [1, 1, 1]);
    assert_eq!(x.quantile_axes(array([0.1, 0.2]), Keep(1)).shape(), [2, 2, 1, 4]);
    assert_eq!(x.sum_axes([0isize; 0]).shape(), [2, 3, 4]);
    refused(&x.sum_axes(3), "`sum`: axis 3");
    refused(&x.logsumexp_axes([0, 0]), "`logsumexp` names an axis twice");
}

#[test]
fn truth_values_count_and_integers_have_statistics() {
    let b = array([true, false, true]);
    assert_eq!(b.sum().item::<i32>().unwrap(), 2);
    assert_eq!(b.prod().item::<i32>().unwrap(), 0);
    assert_eq!(wholes(&b.cumsum(0)), [1, 1, 2]);
    near(&b.mean(), &[2.0 / 3.0]);
    near(&b.var(), &[2.0 / 9.0]);
    let y = array([[3, 1, 2], [9, 4, 7]]);
    near(&y.var(), &[7.888_889]);
    near(&y.std_axes(0, 1), &[4.242_640_5, 2.121_320_2, 3.535_534]);
    near(&y.median(), &[3.5]);
    near(&y.average_axes(array([1, 2, 1]), 1), &[1.75, 6.0]);
    near(&y.cov(), &[1.0, 2.5, 2.5, 6.333_333_5]);
    near(&y.corrcoef(), &[1.0, 0.993_399_3, 0.993_399_3, 1.0]);
    near(&y.nanmean(), &[26.0 / 6.0]);
    assert_eq!(wholes(&y.nansum_axes(0)), [12, 5, 9]);
    assert_eq!(wholes(&y.nanmax_axes(1)), [3, 9]);
    near(&array([3, 4]).norm(), &[5.0]);
    near(&array([0, 0]).softmax(0), &[0.5, 0.5]);
    near(&array([0, 0]).logsumexp(), &[2f32.ln()]);
    near(&array([1, 2, 3]).trapezoid(&array([0, 1, 3])), &[6.5]);
    assert_eq!(with_default_float(DType::F64, || y.mean()).dtype(), DType::F64);
    refused(&y.average(array([1, 2, 1])), "`average` of f32[2,3]");
}

#[test]
fn composites_name_themselves() {
    let x = array([1.0, 2.0]);
    for (name, bad) in [
        ("softmax", x.softmax(1)),
        ("log_softmax", x.log_softmax(-2)),
        ("standardize", x.standardize(1, 0.0)),
        ("mean", x.mean_axes(1)),
        ("var", x.var_axes(1, 0)),
        ("std", x.std_axes(1, 0)),
        ("median", x.median_axes(1)),
        ("percentile", x.percentile_axes(3, 1)),
        ("nanmedian", x.nanmedian_axes(1)),
        ("norm", x.norm_axes(1, 2.0)),
        ("ptp", x.ptp_axes(1)),
        ("logmeanexp", x.logmeanexp_axes(1)),
        ("cov", array([1.0]).reshape(()).cov()),
        ("stack", stack([&x, &x], 3)),
        ("vstack", vstack([0.0; 0])),
        ("trace", x.trace()),
        ("hypot", x.hypot(ones(3))),
        ("logaddexp", x.logaddexp(ones(3))),
        ("clip", x.clip(ones(3), 4.0)),
        ("copysign", x.copysign(ones(3))),
        ("isclose", x.isclose(ones(3))),
        ("vdot", x.vdot(ones(3))),
        ("inner", x.inner(ones(3))),
        ("matmul", eye_of(DType::F32, 2).matmul(eye_of(DType::F64, 2))),
        ("solve_triangular", x.solve_triangular(&x)),
        ("cho_solve", eye_of(DType::F32, 2).cho_solve(ones(3))),
    ] {
        refused(&bad, &format!("`{name}`"));
    }
}

#[test]
fn quantiles_of_several_numbers() {
    use QuantileMethod::{Higher, Linear, Lower, Midpoint, Nearest};
    let y = array([[3, 1, 2], [9, 4, 7]]);
    let q = array([0.1, 0.5, 0.9]);
    for (method, want) in [
        (Linear, [1.2, 4.6, 2.0, 7.0, 2.8, 8.6]),
        (Lower, [1.0, 4.0, 2.0, 7.0, 2.0, 7.0]),
        (Higher, [2.0, 7.0, 2.0, 7.0, 3.0, 9.0]),
        (Midpoint, [1.5, 5.5, 2.0, 7.0, 2.5, 8.0]),
        (Nearest, [1.0, 4.0, 2.0, 7.0, 3.0, 9.0]),
    ] {
        let several = y.quantile_with(&q, 1, method);
        assert_eq!(several.shape(), [3, 2]);
        near(&several, &want);
        for (i, one) in [0.1, 0.5, 0.9].into_iter().enumerate() {
            near(&y.quantile_with(one, 1, method), &want[2 * i..2 * i + 2]);
        }
    }
    near(&y.percentile_axes(array([10, 75]), 0), &[3.6, 1.3, 2.5, 7.5, 3.25, 5.75]);
    near(&y.percentile(50), &[3.5]);
    assert_eq!(y.quantile(array([[0.5], [0.25]])).shape(), [2, 1]);
    let nan = holes().quantile_axes(&q, 0);
    assert!(floats(&nan.at_axis(1, 2)).iter().all(|x| x.is_nan()));
    near(&nan.at_axis(1, 0), &[3.1, 3.5, 3.9]);
    // An infinite element beside the one that is asked for does not spoil it.
    let x = array([1.0, f32::INFINITY]);
    near(&x.quantile(array([0.0])), &[1.0]);
    refused(&y.quantile(array([0.5, 1.5])), "there is no 1.5-quantile");
    refused(&y.percentile(150), "`percentile` of f32[2,3]: there is no 1.5-quantile");
    refused(&zeros([2, 0]).median_axes(1), "`median` over axes [1] of f32[2,0] has no elements");
}

#[test]
fn quantiles_without_nan() {
    let x = holes();
    near(&x.nanmedian_axes(1), &[2.0, 6.0]);
    near(&x.nanquantile_axes(array([0.25, 0.9]), 1), &[1.5, 5.0, 2.8, 7.6]);
    near(&x.nanquantile(0.3), &[2.5]);
    assert!(array([f32::NAN]).nanmedian().item::<f32>().unwrap().is_nan());
    near(&array([1, 2]).nanmedian(), &[1.5]);
}

#[test]
fn shapes_as_one_number_and_with_an_open_extent() {
    assert_eq!(zeros(3).shape(), [3]);
    assert_eq!(normal(Key::new(0), 5).shape(), [5]);
    assert_eq!(uniform(Key::new(0), [2, 3]).shape(), [2, 3]);
    let x = arange(6);
    let n = 2usize;
    assert_eq!(x.reshape([n, 3]).shape(), [2, 3]);
    assert_eq!(x.reshape([-1, 2]).shape(), [3, 2]);
    assert_eq!(x.reshape([1, -1]).reshape(-1).shape(), [6]);
    assert_eq!(x.reshape(vec![3isize, -1]).shape(), [3, 2]);
    assert_eq!(zeros([0, 3]).reshape([-1, 3]).shape(), [0, 3]);
    refused(&x.reshape([-1, 4]), "`reshape` of i32[6] to [-1, 4] leaves no whole extent");
    refused(&x.reshape([-1, -1]), "but for one that may be -1");
    refused(&x.reshape([-2, 3]), "but for one that may be -1");
    refused(&zeros([0, 3]).reshape([-1, 0]), "leaves no whole extent");
    refused(&x.reshape([4, 2]), "");
}

#[test]
fn element_types_by_name() {
    assert_eq!(zeros_of(DType::I32, 2).to_vec::<i32>().unwrap(), [0, 0]);
    assert_eq!(ones_of(DType::F64, [1]).to_vec::<f64>().unwrap(), [1.0]);
    assert_eq!(full_of(DType::F64, [2], 0.1).to_vec::<f64>().unwrap(), [0.1, 0.1]);
    assert_eq!(wholes(&full_of(DType::I32, [2], array([1.5, 2.5]))), [1, 2]);
    assert_eq!(full_like(&ones([2, 2]), 3).dtype(), DType::F32);
    assert_eq!(eye_of(DType::U8, 2).to_vec::<u8>().unwrap(), [1, 0, 0, 1]);
    refused(&full_like(&arange(2), 0.5), "`full_like`: the literal 0.5 does not fit");
    // The bits are those of the default type's draws.
    let wide = |f: fn() -> Array| with_default_float(DType::F64, f).to_vec::<f64>().unwrap();
    let u = uniform_of(DType::F64, Key::new(1), 3).to_vec::<f64>().unwrap();
    assert_eq!(u, wide(|| uniform(Key::new(1), 3)));
    let z = normal_of(DType::F64, Key::new(1), 3).to_vec::<f64>().unwrap();
    assert_eq!(z, wide(|| normal(Key::new(1), 3)));
    refused(&normal_of(DType::I32, Key::new(1), 3), "`normal_of` draws floats, not i32");
}

#[test]
fn lines_between_arrays() {
    let lines = linspace(array([0.0, 1.0]), array([[1.0], [3.0]]), 4);
    assert_eq!(lines.shape(), [4, 2, 2]);
    near(&lines.at(0), &[0.0, 1.0, 0.0, 1.0]);
    near(&lines.at(2), &[2.0 / 3.0, 1.0, 2.0, 7.0 / 3.0]);
    near(&linspace(array([0, 1]), 5, 3), &[0.0, 1.0, 2.5, 3.0, 5.0, 5.0]);
    assert_eq!(linspace(array([0.0, 1.0]), 5.0, 1).shape(), [1, 2]);
    assert_eq!(linspace(array([0.0, 1.0]), 5.0, 0).shape(), [0, 2]);
    let wide = linspace_of(DType::F64, 0.0, 0.3, 4).to_vec::<f64>().unwrap();
    assert!((wide[1] - 0.1).abs() < 1e-16 && wide[3] == 0.3);
    refused(&linspace(array([0.0, 1.0]), array([1.0, 2.0, 3.0]), 4), "`linspace` cannot go from");
    refused(&linspace_of(DType::I32, 0, 5, 6), "`linspace_of` makes floats");
}

#[test]
fn arrays_by_value_and_by_reference() {
    let (a, b) = (array([[1.0, 2.0], [3.0, 4.0]]), array([1.0, -1.0]));
    assert_eq!(floats(&a.dot(&b)), floats(&a.dot(b.clone())));
    assert_eq!(floats(&a.matmul(a.transpose())), [5.0, 11.0, 11.0, 25.0]);
    assert_eq!(floats(&a.solve(array([5.0, 11.0]))), floats(&a.solve(&array([5.0, 11.0]))));
    assert_eq!(floats(&select(a.gt(2.0), &a, 0.0)), [0.0, 0.0, 3.0, 4.0]);
    assert_eq!(floats(&where_(&a.gt(2.0), a.clone(), 0.0)), [0.0, 0.0, 3.0, 4.0]);
    assert_eq!(floats(&stack([&b, &b], 0)), floats(&stack(vec![b.clone(), b.clone()], 0)));
    assert_eq!(floats(&concat(&[&b, &b], 0)), [1.0, -1.0, 1.0, -1.0]);
    assert_eq!(floats(&stack([1.0, 2.0], 0)), [1.0, 2.0]);
    assert_eq!(stack([Array::from(1), arange(2).at(1)], 0).dtype(), DType::I32);
    assert_eq!(floats(&multi_dot([&a, &a, &a])), floats(&a.dot(&a).dot(&a)));
    assert_eq!(floats(&convolve(&b, array([2.0, 1.0]))), [2.0, -1.0, -1.0]);
}

#[test]
fn stacks() {
    let (a, b) = (array([1, 2]), array([3, 4]));
    assert_eq!(wholes(&hstack([&a, &b])), [1, 2, 3, 4]);
    assert_eq!(wholes(&hstack([1, 2])), [1, 2]);
    assert_eq!(wholes(&vstack([&a, &b])), [1, 2, 3, 4]);
    assert_eq!(dstack([&a, &b]).shape(), [1, 2, 2]);
    assert_eq!(wholes(&column_stack([&a, &b])), [1, 3, 2, 4]);
    let m = a.reshape([2, 1]);
    assert_eq!(wholes(&hstack([&m, &m])), [1, 1, 2, 2]);
    assert_eq!(wholes(&column_stack([&m, &b])), [1, 3, 2, 4]);
    assert_eq!(dstack([&m, &m]).shape(), [2, 1, 2]);
}

#[test]
fn triangles() {
    let [rows, columns] = tril_indices_offset(3, 3, -1);
    assert_eq!((wholes(&rows), wholes(&columns)), (vec![1, 2, 2], vec![0, 0, 1]));
    let [rows, columns] = triu_indices_offset(2, 4, 1);
    assert_eq!((wholes(&rows), wholes(&columns)), (vec![0, 0, 0, 1, 1], vec![1, 2, 3, 2, 3]));
    let [rows, columns] = tril_indices_offset(2, 3, 0);
    assert_eq!((wholes(&rows), wholes(&columns)), (vec![0, 1, 1], vec![0, 0, 1]));
    assert!(tril_indices_offset(2, 2, isize::MIN)[0].shape() == [0]);

    let a = array([[2.0, 5.0], [1.0, 4.0]]);
    let b = array([4.0, 9.0]);
    let solve = |t: Triangular| floats(&a.solve_triangular_with(&b, t));
    assert_eq!(solve(Triangular::lower()), [2.0, 1.75]);
    assert_eq!(solve(Triangular::lower().transposed()), [0.875, 2.25]);
    assert_eq!(solve(Triangular::upper()), [-3.625, 2.25]);
    assert_eq!(solve(Triangular::upper().unit_diagonal()), [-41.0, 9.0]);
    assert_eq!(solve(Triangular::upper().transposed()), [2.0, -0.25]);
    // One factor against a batch of columns.
    let columns = ones([3, 2, 1]);
    let x = a.solve_triangular(&columns);
    assert_eq!((x.shape(), floats(&x.at(2))), (&[3, 2, 1][..], vec![0.5, 0.125]));
}

#[test]
fn sets() {
    let x = array([2.0, f32::NAN, -0.0, 0.0, f32::NAN, 1.0]);
    let distinct = floats(&x.unique());
    assert!(distinct[..3] == [0.0, 1.0, 2.0] && distinct[3].is_nan() && distinct.len() == 4);
    let sized = floats(&x.unique_sized(5, -1.0));
    assert!(sized[..3] == [0.0, 1.0, 2.0] && sized[3].is_nan() && sized[4] == -1.0);
    assert_eq!(wholes(&array([2, 2, 5, 1]).unique_sized(2, 0)), [1, 2]);
    assert_eq!(array([true, true]).unique().to_vec::<bool>().unwrap(), [true]);
    assert_eq!(zeros(0).unique().shape(), [0]);
    assert_eq!(floats(&zeros(0).unique_sized(2, 7.0)), [7.0, 7.0]);
    refused(&arange(2).unique_sized(3, 0.5), "does not fit");
    let ty = x.ty().unwrap();
    let traced = trace(&[ty], |x| vec![x[0].unique()]);
    assert!(traced.err().is_some_and(|e| e.to_string().contains("`unique_sized`")));
    assert_eq!(array([1, 5]).isin(5).to_vec::<bool>().unwrap(), [false, true]);
    assert!(!x.isin(&x).to_vec::<bool>().unwrap()[1]);
}

#[test]
fn equality_up_to_rounding() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let x = array([1.0, 1e-9, inf, nan, 1.00002, 1.0, inf]);
    let y = array([1.000005, 0.0, inf, nan, 1.0, inf, -inf]);
    let close = x.isclose(&y).to_vec::<bool>().unwrap();
    assert_eq!(close, [true, true, true, false, false, false, false]);
    assert!(array([3, 4]).allclose(array([3, 4])).item::<bool>().unwrap());
    assert!(array([3, 4]).allclose_with(array([3, 5]), 0.2, 0.0).item::<bool>().unwrap());
    assert!(!ones(2).allclose(1.1).item::<bool>().unwrap());
}
