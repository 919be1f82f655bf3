//! Looking up values in tables: piecewise linear interpolation, bins and histograms.

use crate::array::each::in_each;
use crate::array::elementwise::arithmetic::select;
use crate::array::make::ranges::linspace;
use crate::array::order::search::searchsorted;
use crate::array::reduce::segments::bincount;
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;

/// At each `x` the value of the polygon through the points `(xs[i], ys[i])`, with `xs` ascending;
/// beyond its ends the value at the nearest end. Vectors `xs` and `ys` of floats of one length.
///
/// ```
/// use probpipe_trace::{array, interp};
/// let y = interp(&array([0.5, 2.0, 9.0]), &array([0.0, 1.0, 3.0]), &array([0.0, 10.0, 30.0]));
/// assert_eq!(y.to_vec::<f32>()?, [5.0, 20.0, 30.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn interp(x: &Array, xs: &Array, ys: &Array) -> Array {
    in_each(&[x, xs, ys], |a| polygon(&a[0], &a[1], &a[2]))
}

#[track_caller]
fn polygon(x: &Array, xs: &Array, ys: &Array) -> Array {
    let checked = || -> Result<usize> {
        let (a, b) = (xs.ty()?, ys.ty()?);
        if a.rank() == 1 && a == b && a.size() > 0 && a.dtype.is_float() {
            return Ok(a.size());
        }
        Err(Error::new(
            ErrorKind::Shape,
            format!("`interp` takes points as two vectors of floats, not {a} and {b}"),
        )
        .help("give as many values as positions, one at least"))
    };
    let n = match checked() {
        Ok(n) => n,
        Err(error) => return Array::invalid(error, here()),
    };
    let last = i32::try_from(n - 1).unwrap_or(i32::MAX);
    let right = searchsorted(xs, x, true).clip(last.min(1), last);
    let left = (&right - 1).maximum(0);
    let at = |points: &Array, i: &Array| points.at_indices([i]).get();
    let (x0, y0) = (at(xs, &left), at(ys, &left));
    let (x1, y1) = (at(xs, &right), at(ys, &right));
    let width = &x1 - &x0;
    // Between two equal positions there is nothing to divide.
    let flat = width.eq(0.0);
    let width = select(&flat, 1.0, width);
    // Beside an infinite value there is no line: at the ends their values, the mean between.
    let rise = (&y1 - &y0) / &width;
    let broken = !rise.is_finite();
    let slope = select(&broken, 0.0, &y1 - &y0) / &width;
    let line = &y0 + (x - &x0) * slope;
    let t = (x - &x0) / &width;
    let mean = &y0 * (1.0 - &t) + &y1 * &t;
    let mean = select(&x.eq(&x1), &y1, mean);
    let mean = select(&x.eq(&x0), &y0, mean);
    let inside = select(&flat, &y0, select(&broken, mean, line));
    let inside = select(&x.lt(xs.at(0)), ys.at(0), inside);
    select(&x.gt(xs.at(-1)), ys.at(-1), inside)
}

/// The number of the bin that each `x` falls in, as `i32`: with ascending edges `bins`, `i` where
/// `bins[i - 1] <= x < bins[i]`, or `bins[i - 1] < x <= bins[i]` with `right`. Descending edges
/// are taken the other way round.
#[track_caller]
pub fn digitize(x: &Array, bins: &Array, right: bool) -> Array {
    let n = bins.size() as i32;
    if bins.error().is_some() || bins.rank() != 1 || n < 2 {
        return searchsorted(bins, x, !right);
    }
    let up = bins.at(-1).ge(bins.at(0));
    let place = searchsorted(&select(&up, bins, bins.flip(0)), x, !right);
    select(&up, &place, n - &place)
}

/// How many elements lie in each of `bins` bins of equal width from `range.0` to `range.1`, and the
/// `bins + 1` edges, both in the array's float type. Bins are closed on the left, the last one on
/// both sides; what lies outside is not counted.
///
/// ```
/// use probpipe_trace::{array, histogram};
/// let (counts, edges) = histogram(&array([0.1, 0.2, 0.9, 1.0, 7.0]), 2, (0.0, 1.0));
/// assert_eq!(counts.to_vec::<f32>()?, [2.0, 2.0]);
/// assert_eq!(edges.to_vec::<f32>()?, [0.0, 0.5, 1.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn histogram(x: &Array, bins: usize, range: (f64, f64)) -> (Array, Array) {
    let invalid = |error: Error| {
        let array = Array::invalid(error, here());
        (array.clone(), array)
    };
    if let Some(error) = x.error() {
        return invalid(error.clone());
    }
    if !x.dtype().is_float()
        || bins == 0
        || range.0.partial_cmp(&range.1) != Some(std::cmp::Ordering::Less)
    {
        let message = format!(
            "`histogram` cannot count {} in {bins} bins from {} to {}",
            x.dtype(),
            range.0,
            range.1
        );
        let help = "give floats, one bin at least, and a range that ascends";
        return invalid(Error::new(ErrorKind::Value, message).help(help));
    }
    let edges = linspace(range.0, range.1, bins + 1).cast_like(x);
    let counts = histogram_bins(x, &edges);
    (counts, edges)
}

/// [`histogram`] between given ascending edges: the counts.
#[track_caller]
pub fn histogram_bins(x: &Array, edges: &Array) -> Array {
    let x = x.flatten();
    let bin = searchsorted(edges, &x, true);
    let last = edges.size();
    if bin.error().is_some() || last < 2 {
        return if bin.error().is_some() { bin } else { edges.slice_axis(0, 0..0) };
    }
    let bin = select(&x.eq(edges.at(-1)), (last - 1) as i32, bin.cast(DType::I32));
    bincount(&bin, last).slice_axis(0, 1..last).cast_like(&x)
}
