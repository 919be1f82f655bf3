//! What becomes of element types where arrays of different ones meet: whole numbers and truth
//! values become floats beside floats, quotients of whole numbers are floats, and two float types
//! do not mix.

use probpipe_trace::{
    Array, ArrayType, DType, Key, Scalar, arange, array, concat, gammainc, normal, normal_of,
    select, stack, uniform, uniform_of,
};

#[track_caller]
fn is<T: probpipe_trace::Element>(have: Array, want: &[T]) {
    assert!(have.error().is_none(), "{have:?}");
    assert_eq!(have.to_vec::<T>().unwrap(), want);
}

#[track_caller]
fn refused(have: Array, message: &str) {
    let error = have.checked().unwrap_err();
    assert!(error.message().contains(message), "{error}");
}

#[test]
fn whole_numbers_become_floats_beside_floats() {
    let wide = Array::from(vec![0.5f64, 1.5, 2.5]);
    let narrow = wide.cast(DType::F32);
    let whole = arange(3);
    is(&whole * 0.5, &[0.0f32, 0.5, 1.0]);
    is(0.1 * &whole * &wide, &[0.0f64, 0.1 * 1.5, 0.2 * 2.5]);
    is(&wide + &whole, &[0.5f64, 2.5, 4.5]);
    is(&whole - &narrow, &[-0.5f32, -0.5, -0.5]);
    is(whole.maximum(&wide), &[0.5f64, 1.5, 2.5]);
    is(whole.lt(&narrow), &[true, true, true]);
    is(select(&whole.gt(0), &wide, &whole), &[0.0f64, 1.5, 2.5]);
    is(wide.dot(&whole), &[6.5f64]);
    is(concat(&[wide.clone(), whole.clone()], 0).slice_axis(0, 2..4), &[2.5f64, 0.0]);
    is(stack(&[array(1), array(0.5), wide.at(0)], 0), &[1.0f64, 0.5, 0.5]);
    is(wide.at_indices([&arange(2)]).set(&whole.slice_axis(0, 1..3)), &[1.0f64, 2.0, 2.5]);
    // Of no type until something decides.
    assert!((&whole * 0.5).is_weak() && !(&whole * 2).is_weak());
    let truths = whole.gt(0);
    is(&truths * &wide, &[0.0f64, 1.5, 2.5]);
    is(&truths + &whole, &[0i32, 2, 3]);
    is(&truths * 0.5, &[0.0f32, 0.5, 0.5]);
    is(&truths * 2, &[0i32, 2, 2]);
    is(whole.clone() * true, &[0i32, 1, 2]);
    // Two types of one kind do not mix.
    refused(&narrow * &wide, "`mul` does not mix f32[3] with f64[3]");
    refused(&whole + whole.cast(DType::I64), "`add` does not mix i32[3] with i64[3]");
    let error = (&narrow * &wide).checked().unwrap_err().to_string();
    assert!(error.contains("operand f32[3]") && error.contains("operand f64[3]"), "{error}");
    assert!(error.contains(".cast(DType::F32)"), "{error}");
    refused(Array::from(vec![1u8]) + 300, "the literal 300 does not fit an array of u8");
    refused(Array::from(vec![1i32]).at(0).expand_dims(0) & 0.5, "`and` takes an integer or bool");
}

#[test]
fn quotients_of_whole_numbers_are_floats() {
    let x = array([7, -7, 4]);
    is(&x / 2, &[3.5f32, -3.5, 2.0]);
    is(1 / array([2, 4]), &[0.5f32, 0.25]);
    is(&x / array([2, 2, 8]), &[3.5f32, -3.5, 0.5]);
    is(array(1) / 2, &[0.5f32]);
    is(array([1, 3]) / 3 * Array::from(vec![1.0f64, 1.0]), &[1.0f64 / 3.0, 1.0]);
    is(x.recip(), &[1.0f32 / 7.0, -1.0 / 7.0, 0.25]);
    is(x.mean(), &[4.0f32 / 3.0]);
    is(x.trunc_divide(2), &[3, -3, 2]);
    is(x.floor_divide(2), &[3, -4, 2]);
    is(&x % 2, &[1, -1, 0]);
    is(x.modulo(2), &[1, 1, 0]);
    is(x.powi(-1), &[0, 0, 0]);
    is(x.trunc_divide(0), &[-1, -1, -1]);
    is(x.gt(0) / 2, &[0.5f32, 0.0, 0.5]);
}

#[test]
fn functions_of_floats_take_whole_numbers() {
    is(array([4, 9]).sqrt(), &[2.0f32, 3.0]);
    is(array([0, 1]).exp(), &[1.0f32, 1f32.exp()]);
    is(array([4, 9]).sqrt() * Array::from(vec![1.0f64, 1.0]), &[2.0f64, 3.0]);
    is(array([5]).gamma(), &[24.0f32]);
    is(gammainc(1, array([0.5])), &[0.393_469_33f32]);
    is(array([1]).atan2(array([1])), &[std::f32::consts::FRAC_PI_4]);
    is(array([2]).pow(0.5), &[2f32.sqrt()]);
    is(array([2]).pow(array([1.5])), &[2f32.powf(1.5)]);
    is(array([2, 3]).is_finite(), &[true, true]);
    // What whole numbers have of their own stays whole.
    is(array([-2, 3]).abs(), &[2, 3]);
    is(array([2]).pow(array([3])), &[8]);
    assert_eq!(array([1, 2]).sum().dtype(), DType::I32);
}

#[test]
fn arrays_are_changed_in_place_summed_and_collected() {
    let n: usize = 2;
    let mut x = Array::from(vec![1.0f64, 2.0]);
    x += 0.1;
    x -= array([0.1, 0.1]);
    x *= n;
    x /= 4;
    x %= 1.0;
    is(x.clone(), &[(1.0 + 0.1 - 0.1) * 2.0 / 4.0, (2.0f64 + 0.1 - 0.1) * 2.0 / 4.0 % 1.0]);
    let parts = [array([1.0, 2.0]), array([0.5, 0.5])];
    is(parts.iter().sum::<Array>(), &[1.5f32, 2.5]);
    is(parts.into_iter().product::<Array>(), &[0.5f32, 1.0]);
    is(&x * std::iter::empty::<Array>().sum::<Array>(), &[0.0f64, 0.0]);
    let squares: Array = (0..3i64).map(|i| i * i).collect();
    is(squares, &[0i64, 1, 4]);
    let stacked: Array = (0..2).map(|i| array([1.0, 2.0]) * i).collect();
    assert_eq!(stacked.shape(), [2, 2]);
    is(array(vec![vec![1.0f32, 2.0], vec![3.0, 4.0]]).sum_axes([0]), &[4.0f32, 6.0]);
    is(array(vec![[1, 2], [3, 4]]).sum_axes([0]), &[4, 6]);
    refused(array(vec![vec![1.0], vec![1.0, 2.0]]), "row 1 has 2 numbers and row 0 has 1");
    // An error says a line of ours, not one of the library.
    let bad = [array([1.0, 2.0]), array([1.0, 2.0, 3.0])].iter().sum::<Array>();
    assert!(bad.error().unwrap().location().unwrap().file().ends_with("types.rs"));
}

#[test]
fn draws_have_the_type_that_is_named() {
    let wide = ArrayType::new(DType::F64, [3]);
    assert_eq!(normal_of(DType::F64, Key::new(1), [3]).ty().unwrap(), wide);
    assert_eq!(uniform_of(DType::F64, Key::new(1), [3]).ty().unwrap(), wide);
    assert!(!normal(Key::new(1), [3]).is_weak() && !uniform(Key::new(1), [3]).is_weak());
    refused(normal_of(DType::I32, Key::new(1), [3]), "draws floats");
}

#[test]
fn types_are_named_where_wanted() {
    assert_eq!(array([0.1]).in_dtype(DType::F64).to_vec::<f64>().unwrap(), [0.1]);
    assert_eq!(array([0.1]).cast(DType::F64).to_vec::<f64>().unwrap(), [0.1]);
    assert_eq!(array(0.1).decided().dtype(), DType::F32);
    assert!(array([0.1]).value_ref().is_none() && array([0.1]).value().is_ok());
    assert_eq!(array([0.25, 0.5]).to_string(), "[0.25 0.5]");
    assert_eq!(format!("{:?}", array([0.25])), "Array(f32[1], [0.25])");
    assert_eq!(array([0.1]).cast(DType::I32).to_vec::<i32>().unwrap(), [0]);
    refused(array(0.5).in_dtype(DType::I32), "the literal 0.5 does not fit an array of i32");
    assert_eq!(Scalar::from(0.5), Scalar::Float(0.5));
}
