//! Comparison of numbers and messages: what is accepted, what is refused, and what a failure says.

use probpipe_testing::{EXACT, Tolerance, close, difference, differences, reads, says, slope};
use probpipe_testing::{reference, relative, ulp, ulps};
use probpipe_trace::{Array, DType, ones, zeros};
use serde_json::json;

#[test]
fn special_numbers_equal_themselves() {
    let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0];
    close("special", special, [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0], EXACT);
    let wide = Tolerance::mixed(1e300);
    for (x, y) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0), (1.0, f64::INFINITY)] {
        assert!(difference(x, y, wide).is_some(), "{x} {y}");
    }
    assert!(difference(f64::INFINITY, f64::NEG_INFINITY, wide).is_some());
}

#[test]
fn every_part_of_a_tolerance_counts() {
    let refused = |have: f64, want: f64, t: Tolerance| difference(have, want, t).is_some();
    for (tolerance, near, far) in [
        (Tolerance::absolute(0.5), 100.4, 100.6),
        (Tolerance::relative(0.01), 100.9, 101.1),
        (Tolerance::mixed(0.01), 101.0, 101.02),
        (Tolerance::within(0.01, 0.5), 101.4, 101.6),
        (Tolerance::largest(0.01), 100.9, 101.1),
        (Tolerance::ulps(2.0, DType::F64), 100.0 + 2.5e-14, 100.0 + 6e-14),
        (Tolerance::ulps(2.0, DType::F32), 100.0 + 1.5e-5, 100.0 + 3e-5),
    ] {
        assert!(!refused(near, 100.0, tolerance), "{tolerance:?}");
        assert!(refused(far, 100.0, tolerance), "{tolerance:?}");
    }
    assert!(refused(1.0, 2.0, Tolerance::ulps(9.0, DType::I32)));
    // The largest element sets the scale of all.
    assert!(difference([1.0, 1000.0], [1.5, 1000.0], Tolerance::largest(1e-3)).is_none());
    assert!(difference([1.0, 10.0], [1.5, 10.0], Tolerance::largest(1e-3)).is_some());
}

#[test]
fn a_difference_says_where() {
    let text = difference([1.0, 2.0, 3.0], [1.0, 2.5, 9.0], EXACT).unwrap();
    says(&text, &["element 1", "2e0", "2.5e0"]);
    says(difference([1.0], [1.0, 2.0], EXACT).unwrap(), &["1 elements, should be 2"]);
    says(difference(zeros([2]), zeros([2, 1]), EXACT).unwrap(), &["[2], should be [2, 1]"]);
    assert_eq!(difference(zeros([2, 2]), [0.0; 4], EXACT), None);
}

#[test]
fn units_in_the_last_place() {
    assert_eq!(ulp(1.0, DType::F64), f64::EPSILON);
    assert_eq!(ulp(1.0, DType::F32), f64::from(f32::EPSILON));
    assert_eq!(ulp(0.0, DType::F64), 5e-324);
    assert_eq!(ulp(0.0, DType::F32), f64::from(f32::from_bits(1)));
    assert_eq!(ulp(-3.0, DType::F64), 2.0 * f64::EPSILON);
    assert_eq!(ulps(1.0 + 3.0 * f64::EPSILON, 1.0, DType::F64), 3.0);
    assert_eq!(ulps(f64::NAN, f64::NAN, DType::F64), 0.0);
    assert_eq!(ulps(f64::NAN, 0.0, DType::F64), f64::INFINITY);
    assert_eq!(ulps(f64::INFINITY, f64::MAX, DType::F64), f64::INFINITY);
}

#[test]
fn messages_with_lines_as_offsets() {
    let line = line!();
    let x = zeros([4]);
    let sum = x + ones([3]);
    reads(
        &sum,
        line,
        "
        `add` cannot broadcast f32[4] with f32[3]
          --> line +2
           = operand f32[4] from line +1
           = operand f32[3] from line +2
           = help: extents, aligned at the last axis, must be equal or 1; see `reshape` and `broadcast_to`
        ",
    );
    assert_eq!(relative("at a.rs:12:3", "a.rs", 10), "at line +2");
    let failure = std::panic::catch_unwind(|| reads("one", 1, "two")).unwrap_err();
    let text = failure.downcast_ref::<String>().unwrap();
    says(text, &["- two", "+ one"]);
    let failure = std::panic::catch_unwind(|| says("one", &["two"])).unwrap_err();
    says(failure.downcast_ref::<String>().unwrap(), &["`two`", "one"]);
}

#[test]
fn parts_of_reference_files() {
    let object = json!({"dtype": "f32", "shape": [2, 2], "data": [1, "nan", "-inf", 0.1]});
    let read = reference::array(&object, None).unwrap();
    assert_eq!((read.dtype(), read.shape()), (DType::F32, &[2, 2][..]));
    close("array", &read, [1.0, f64::NAN, f64::NEG_INFINITY, f64::from(0.1f32)], EXACT);
    assert_eq!(reference::array(&object, Some(DType::F64)).unwrap().dtype(), DType::F64);
    let whole = json!({"dtype": "u64", "shape": [1], "data": [u64::MAX]});
    assert_eq!(reference::array(&whole, None).unwrap().to_vec::<u64>().unwrap(), [u64::MAX]);
    assert!(reference::array(&json!({"dtype": "f8", "shape": [], "data": [1]}), None).is_none());
    assert!(reference::number(&json!({})).is_nan());
    assert_eq!(reference::extents(&json!(3)), [3]);
    assert_eq!(reference::numbers(&object)[3], f64::from(0.1f32));
    assert_eq!(reference::numbers(&json!([0.1])), [0.1]);
}

#[test]
fn derivatives_by_differences() {
    close("slope", slope(f64::sin, 0.3), 0.3f64.cos(), Tolerance::mixed(1e-9));
    let f = |(x, y): (Array, Array)| (x.square() * y).sum();
    let at = (Array::from(vec![1.0f64, 2.0]), Array::from(vec![3.0f64, 5.0]));
    let slopes = differences(f, &at);
    close("both", &slopes, [6.0, 20.0, 1.0, 4.0], Tolerance::mixed(1e-8));
    assert!(difference(&slopes, [6.0, 20.1, 1.0, 4.0], Tolerance::mixed(1e-8)).is_some());
}
