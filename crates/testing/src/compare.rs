//! Comparison of numbers with reference values, at a tolerance that the caller states and can
//! justify. NaN equals NaN, and infinities equal themselves alone.

use probpipe_trace::{Array, DType, Value};
use std::fmt::Display;

/// How far a number may be from its reference value: the sum of what each part allows.
///
/// ```
/// use probpipe_testing::{Tolerance, close, difference};
/// close("a third", 0.333, 1.0 / 3.0, Tolerance::relative(1e-2));
/// assert!(difference(0.333, 1.0 / 3.0, Tolerance::relative(1e-4)).is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// This much.
    pub absolute: f64,
    /// This much of the reference value.
    pub relative: f64,
    /// This much of the largest of all the reference values, or of one if that is more: the
    /// rounding of sums in which all elements take part.
    pub largest: f64,
    /// Units in the last place of the reference value in `f64`, or of one if that is more.
    pub ulps: f64,
    /// As [`Tolerance::ulps`], in `f32`.
    pub single_ulps: f64,
}

/// Equal numbers; zeros of either sign are equal.
pub const EXACT: Tolerance =
    Tolerance { absolute: 0.0, relative: 0.0, largest: 0.0, ulps: 0.0, single_ulps: 0.0 };

impl Tolerance {
    /// An absolute tolerance.
    pub const fn absolute(absolute: f64) -> Tolerance {
        Tolerance { absolute, ..EXACT }
    }

    /// A tolerance relative to the reference value.
    pub const fn relative(relative: f64) -> Tolerance {
        Tolerance { relative, ..EXACT }
    }

    /// Relative for large values, absolute for small ones: `t (1 + |want|)`.
    pub const fn mixed(t: f64) -> Tolerance {
        Tolerance { absolute: t, relative: t, ..EXACT }
    }

    /// `absolute + relative |want|`.
    pub const fn within(relative: f64, absolute: f64) -> Tolerance {
        Tolerance { absolute, relative, ..EXACT }
    }

    /// Relative to the largest of all the reference values, at least one.
    pub const fn largest(largest: f64) -> Tolerance {
        Tolerance { largest, ..EXACT }
    }

    /// Units in the last place of `max(1, |want|)` in a float type; other types are exact.
    pub const fn ulps(ulps: f64, dtype: DType) -> Tolerance {
        match dtype {
            DType::F64 => Tolerance { ulps, ..EXACT },
            DType::F32 => Tolerance { single_ulps: ulps, ..EXACT },
            _ => EXACT,
        }
    }

    /// Whether `have` is near enough to `want`, where `largest` is the size of the largest
    /// reference value.
    pub fn accepts(self, have: f64, want: f64, largest: f64) -> bool {
        if have == want || have.is_nan() && want.is_nan() {
            return true;
        }
        let size = want.abs().max(1.0);
        let units = self.ulps * ulp(size, DType::F64) + self.single_ulps * ulp(size, DType::F32);
        let bound = self.absolute
            + self.relative * want.abs()
            + self.largest * largest.max(1.0)
            + if units > 0.0 { units } else { 0.0 };
        want.is_finite() && (have - want).abs() <= bound
    }
}

/// What can be compared: arrays, values, slices and single numbers, as `f64`. 64-bit integers
/// beyond 2^53 are rounded.
pub trait Numbers {
    /// The elements in row-major order.
    fn numbers(&self) -> Vec<f64>;

    /// The shape, of what has one.
    fn shape(&self) -> Option<Vec<usize>> {
        None
    }
}

impl Numbers for Value {
    #[track_caller]
    fn numbers(&self) -> Vec<f64> {
        let elements = self.to_scalars().unwrap_or_else(|e| panic!("{e}"));
        elements.iter().map(|s| s.as_f64()).collect()
    }

    fn shape(&self) -> Option<Vec<usize>> {
        Some(self.ty().shape.to_vec())
    }
}

impl Numbers for Array {
    #[track_caller]
    fn numbers(&self) -> Vec<f64> {
        self.value().unwrap_or_else(|e| panic!("{e}")).numbers()
    }

    fn shape(&self) -> Option<Vec<usize>> {
        Some(Array::shape(self).to_vec())
    }
}

impl Numbers for f64 {
    fn numbers(&self) -> Vec<f64> {
        vec![*self]
    }
}

impl Numbers for f32 {
    fn numbers(&self) -> Vec<f64> {
        vec![f64::from(*self)]
    }
}

impl<T: Numbers> Numbers for [T] {
    #[track_caller]
    fn numbers(&self) -> Vec<f64> {
        self.iter().flat_map(Numbers::numbers).collect()
    }
}

impl<T: Numbers> Numbers for Vec<T> {
    #[track_caller]
    fn numbers(&self) -> Vec<f64> {
        self[..].numbers()
    }
}

impl<T: Numbers, const N: usize> Numbers for [T; N] {
    #[track_caller]
    fn numbers(&self) -> Vec<f64> {
        self[..].numbers()
    }
}

impl<T: Numbers + ?Sized> Numbers for &T {
    #[track_caller]
    fn numbers(&self) -> Vec<f64> {
        (**self).numbers()
    }

    fn shape(&self) -> Option<Vec<usize>> {
        (**self).shape()
    }
}

/// Where `have` first differs from `want` by more than the tolerance: the shapes where both have
/// one, the number of elements, or the index and both values.
#[track_caller]
pub fn difference(have: impl Numbers, want: impl Numbers, tolerance: Tolerance) -> Option<String> {
    if let (Some(have), Some(want)) = (have.shape(), want.shape())
        && have != want
    {
        return Some(format!("the shape is {have:?}, should be {want:?}"));
    }
    let (have, want) = (have.numbers(), want.numbers());
    if have.len() != want.len() {
        return Some(format!("{} elements, should be {}", have.len(), want.len()));
    }
    let largest = want.iter().filter(|v| v.is_finite()).fold(0.0f64, |m, v| m.max(v.abs()));
    let mut pairs = have.iter().zip(&want).enumerate();
    let (i, (x, y)) = pairs.find(|(_, (x, y))| !tolerance.accepts(**x, **y, largest))?;
    let gap = (x - y).abs();
    Some(format!("element {i} is {x:e}, should be {y:e}: {gap:.3e} apart, allowed {tolerance:?}"))
}

/// Fails where `have` differs from `want` by more than the tolerance; `what` begins the message.
#[track_caller]
pub fn close(what: impl Display, have: impl Numbers, want: impl Numbers, tolerance: Tolerance) {
    if let Some(difference) = difference(have, want, tolerance) {
        let what = what.to_string();
        let colon = if what.is_empty() { "" } else { ": " };
        panic!("{what}{colon}{difference}");
    }
}

/// The distance between neighbouring numbers of a float type at `v`, on the side away from zero.
pub fn ulp(v: f64, dtype: DType) -> f64 {
    let (digits, least) = if dtype == DType::F32 { (23, -126) } else { (52, -1022) };
    let exponent = ((v.abs().to_bits() >> 52) as i32 - 1023).max(least);
    // Below the normal numbers of f64 the power itself is not one.
    2f64.powi(exponent) * 2f64.powi(-digits)
}

/// The distance of `have` from `want` in units of the last place of `want`: zero where both are
/// NaN or equal, infinite where only one of them is finite.
pub fn ulps(have: f64, want: f64, dtype: DType) -> f64 {
    if have == want || have.is_nan() && want.is_nan() {
        return 0.0;
    }
    if !have.is_finite() || !want.is_finite() {
        return f64::INFINITY;
    }
    (have - want).abs() / ulp(want, dtype)
}
