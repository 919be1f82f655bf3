//! Sequences of numbers by start, stop and step or count. `arange`,
//! the plainest, is a fill.

use crate::array::elementwise::arithmetic::{select, unify};
use crate::array::make::fill::{arange, full, full_typed, iota};
use crate::array::shape::join::concat;
use crate::context::here;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind};
use crate::handle::{Array, Repr};
use crate::promotion::literal_dtype;
use crate::types::{ArrayType, Shape};

/// `start, start + step, ..` up to but without `stop`: `i32` if all three are whole, else of a
/// float type as [`linspace`]. Empty if the steps lead away from `stop`.
///
/// ```
/// use probpipe_trace::arange_step;
/// assert_eq!(arange_step(2, 9, 3).to_vec::<i32>()?, [2, 5, 8]);
/// assert_eq!(arange_step(1.0, 0.0, -0.5).to_vec::<f32>()?, [1.0, 0.5]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn arange_step(
    start: impl Into<Scalar>,
    stop: impl Into<Scalar>,
    step: impl Into<Scalar>,
) -> Array {
    let (start, stop, step) = (start.into(), stop.into(), step.into());
    let whole = [start, stop, step].iter().all(|s| matches!(s, Scalar::Int(_)));
    let wide = [start, stop].into_iter().map(literal_dtype).find(|&d| d != DType::I32);
    let count = ((stop.as_f64() - start.as_f64()) / step.as_f64()).ceil();
    if !count.is_finite() {
        let message = format!("`arange_step` never gets from {start} to {stop} in steps of {step}");
        let error = Error::new(ErrorKind::Value, message).help("the step is finite and not zero");
        return Array::invalid(error, here());
    }
    let of = |dtype: DType| {
        let steps = iota(&ArrayType::new(dtype, [count.max(0.0) as usize]), 0);
        let like = |s: Scalar| full_typed(&ArrayType::scalar(dtype), s);
        like(start) + steps * like(step)
    };
    if whole { of(wide.unwrap_or(DType::I32)) } else { Array::undecided(of) }
}

/// `n` evenly spaced numbers from `start` to `stop`, both included, of the float
/// type of the array they meet, else of the default float type.
///
/// The interior is `start + (stop - start) t` with `t = i / (n - 1)`, as in NumPy, which never
/// steps back; `start (1 - t) + stop t` where the difference is too large to be a number.
///
/// Ends that are arrays broadcast together and decide the float type; the numbers run along a new
/// first axis, `[n, ...]`.
///
/// ```
/// use probpipe_trace::{array, linspace};
/// assert_eq!(linspace(0.0, 1.0, 3).to_vec::<f32>()?, [0.0, 0.5, 1.0]);
/// let rows = linspace(array([0.0, 1.0]), array([2.0, 5.0]), 3);
/// assert_eq!(rows.to_vec::<f32>()?, [0.0, 1.0, 1.0, 3.0, 2.0, 5.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn linspace(start: impl Into<Array>, stop: impl Into<Array>, n: usize) -> Array {
    let (start, stop) = (start.into(), stop.into());
    match (&start.repr, &stop.repr) {
        (Repr::Literal(start), Repr::Literal(stop)) => {
            linspace_numbers(start.as_f64(), stop.as_f64(), n)
        }
        _ => linspace_arrays(&start, &stop, n),
    }
}

/// [`linspace`] between arrays.
#[track_caller]
fn linspace_arrays(start: &Array, stop: &Array, n: usize) -> Array {
    let (start, stop) = match unify(&start.to_float(), &stop.to_float()) {
        Ok(ends) => ends,
        Err(error) => return Array::invalid(error, here()),
    };
    let (from, to) = match (start.ty(), stop.ty()) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(error), _) | (_, Err(error)) => return Array::invalid(error, here()),
    };
    if from != to {
        let message = format!("`linspace` cannot go from {from} to {to}");
        let help = "both ends are of one float type, and their shapes broadcast";
        return Array::invalid(Error::new(ErrorKind::Shape, message).help(help), here());
    }
    let first = start.expand_dims(0);
    if n < 2 {
        return first.slice_axis(0, 0..n);
    }
    let mut along: Shape = smallvec::smallvec![1; first.rank()];
    along[0] = n - 1;
    let t = arange(n - 1).reshape(along).to_float() / (n - 1) as f64;
    let width = &stop - &start;
    let line = &first + &width * &t;
    // The last steps may round past the end; what is taken off is no part of the slopes.
    let past = select(&width.lt(0.0), line.lt(&stop), line.gt(&stop));
    let line = &line + select(&past, &stop - &line, 0.0).stop_gradient();
    let far = first * (1.0 - &t) + &stop * &t;
    let interior = select(&width.is_finite(), line, far);
    concat([interior, stop.expand_dims(0)], 0)
}

#[track_caller]
fn linspace_numbers(start: f64, stop: f64, n: usize) -> Array {
    if n < 2 {
        return full([n], start);
    }
    Array::undecided(|dtype| {
        let t = iota(&ArrayType::new(dtype, [n - 1]), 0) / (n - 1) as f64;
        let interior = if (stop - start).abs() < f64::from(f32::MAX) {
            let line = start + (stop - start) * &t;
            if stop < start { line.maximum(stop) } else { line.minimum(stop) }
        } else {
            start * (1.0 - &t) + stop * &t
        };
        concat(&[interior, full_typed(&ArrayType::new(dtype, [1]), stop)], 0)
    })
}

/// `n` evenly spaced numbers from `start` up to but without `stop`, of a float
/// type as [`linspace`].
///
/// ```
/// use probpipe_trace::linspace_open;
/// assert_eq!(linspace_open(0.0, 1.0, 4).to_vec::<f32>()?, [0.0, 0.25, 0.5, 0.75]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn linspace_open(start: f64, stop: f64, n: usize) -> Array {
    if n == 0 {
        return full([0], start);
    }
    // As in `linspace`, with the parts counted to the end that is left out.
    Array::undecided(|dtype| {
        let t = iota(&ArrayType::new(dtype, [n]), 0) / n as f64;
        if (stop - start).abs() < f64::from(f32::MAX) {
            return start + (stop - start) * t;
        }
        start * (1.0 - &t) + stop * t
    })
}

/// `n` numbers from `10^start` to `10^stop` whose logarithms are evenly spaced, both included, of
/// a float type as [`linspace`].
#[track_caller]
pub fn logspace(start: f64, stop: f64, n: usize) -> Array {
    let exponents = linspace(start, stop, n);
    full([n], 10.0).pow(exponents)
}

/// `n` numbers from `start` to `stop`, both positive and included, each the same multiple of the
/// one before, of a float type as [`linspace`].
///
/// ```
/// use probpipe_trace::geomspace;
/// let x = geomspace(1.0, 8.0, 4).to_vec::<f32>()?;
/// assert!((x[1] - 2.0).abs() < 1e-6 && (x[2] - 4.0).abs() < 1e-6 && x[3] == 8.0);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn geomspace(start: f64, stop: f64, n: usize) -> Array {
    if !(start > 0.0 && stop > 0.0) {
        let message = format!("`geomspace` cannot go from {start} to {stop}");
        let error = Error::new(ErrorKind::Value, message).help("both ends are positive");
        return Array::invalid(error, here());
    }
    let inner = linspace(start.ln(), stop.ln(), n).exp();
    // The ends are given, not computed.
    let at = iota(&ArrayType::new(DType::I32, [n]), 0);
    let inner = select(&at.eq(0), start, inner);
    let last = i32::try_from(n).unwrap_or(i32::MAX) - 1;
    if n < 2 { inner } else { select(&at.eq(last), stop, inner) }
}
