//! Truth values, choices among a few outcomes, and waiting times, each of uniform or Gumbel
//! numbers without rejection. Integers are not drawn here, and none of these draws has a
//! derivative.
//!
//! Sources: inversion; for categories E. J. Gumbel's maximum and its top-k form, W. Kool, H. van
//! Hoof, M. Welling, "Stochastic beams and where to find them", 2019.

use super::parameters::{Resolution, epsilon, floats, join, settled};
use super::transforms::{dtype_of, gumbel_with};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, IntoShape, Key, Result, Shape, ShapeDisplay, broadcast_shapes,
    here, select, uniform_of, zeros_like,
};

/// Truth values that are true with probability `p`.
///
/// ```
/// use probpipe::prelude::*;
/// let rain = probpipe::random::bernoulli(Key::new(4), [1000], 0.25);
/// assert_eq!(rain.dtype(), DType::Bool);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.bernoulli")]
pub fn bernoulli(key: Key, shape: impl IntoShape, p: impl Into<Array>) -> Array {
    bernoulli_with(key, shape, p, Resolution::Low)
}

/// Truth values that are true with probability `p`, to a resolution.
#[track_caller]
pub fn bernoulli_with(
    key: Key,
    shape: impl IntoShape,
    p: impl Into<Array>,
    resolution: Resolution,
) -> Array {
    let shape = shape.into_shape();
    settled(floats("bernoulli", &shape, [("p", p.into())]).map(|[p]| match resolution {
        Resolution::Low => uniform_of(p.dtype(), key, &shape).lt(p),
        Resolution::High => {
            let both = uniform_of(p.dtype(), key, join(&[2], &shape));
            let bit = epsilon(p.dtype());
            (both.at(1) * bit).lt(p - both.at(0))
        }
    }))
}

/// Waiting times for the first success, that trial included, of trials that succeed with
/// probability `p`: `1 + floor(log(u) / log(1 - p))` as `i32`, at least 1. A `p` outside of
/// [0, 1] gives 0.
#[track_caller]
#[doc(alias = "random.geometric")]
pub fn geometric(key: Key, shape: impl IntoShape, p: impl Into<Array>) -> Array {
    let shape = shape.into_shape();
    settled(floats("geometric", &shape, [("p", p.into())]).map(|[p]| {
        let u = uniform_of(p.dtype(), key, &shape);
        let u = select(&u.eq(0.0), 1.0, u);
        let valid = p.ge(0.0) & p.le(1.0);
        let failures = (u.log() / (-p).log1p()).floor();
        select(&valid, failures + 1.0, 0.0).cast(DType::I32)
    }))
}

/// Indices along the last axis of `logits`, as `i32`, with chances proportional to `exp(logits)`:
/// where `logits` plus Gumbel numbers is largest. The other axes of `logits` broadcast to `shape`,
/// which is that of the result.
///
/// ```
/// use probpipe::prelude::*;
/// let logits = array([0.0, f32::NEG_INFINITY, 1.0]);
/// let draws = probpipe::random::categorical(Key::new(0), [100], logits);
/// assert!(!draws.eq(1).any().item::<bool>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.categorical")]
pub fn categorical(key: Key, shape: impl IntoShape, logits: impl Into<Array>) -> Array {
    categorical_with(key, shape, logits, -1, Resolution::Low)
}

/// [`categorical`] along any axis, to a resolution of the Gumbel numbers.
#[track_caller]
pub fn categorical_with(
    key: Key,
    shape: impl IntoShape,
    logits: impl Into<Array>,
    axis: isize,
    resolution: Resolution,
) -> Array {
    let (shape, logits) = (shape.into_shape(), logits.into());
    settled(categories(&logits, axis, &shape).map(|(axis, batch)| {
        // The axis of outcomes keeps its place among the last axes of the result.
        let lead = shape.len() - batch.len();
        let mut whole = shape.clone();
        whole.insert(lead + axis, logits.shape()[axis]);
        let (dtype, outcomes) = (dtype_of(&logits), logits.shape()[axis]);
        let (noise, logits) = (gumbel_with(dtype, key, whole, resolution), logits.cast(dtype));
        let at = (lead + axis) as isize;
        if outcomes > FEW || outcomes == 0 {
            return (noise + logits).argmax(at);
        }
        // One outcome after the other: the draws are made and compared in one pass.
        let score = |k: usize| {
            let k = k as isize;
            noise.at_axis(at, k) + logits.at_axis(axis as isize, k)
        };
        let mut best = score(0);
        let mut place = zeros_like(&best).cast(DType::I32);
        for k in 1..outcomes {
            let next = score(k);
            // A NaN is the largest, and the first one is found.
            let larger = !next.le(&best) & best.eq(&best);
            place = select(&larger, Array::from(k), place);
            best = select(&larger, next, best);
        }
        place
    }))
}

/// Up to this many outcomes are compared one by one.
const FEW: usize = 16;

/// Indices along the last axis of `logits` that differ from each other, as `i32`: the `count`
/// largest of `logits` plus Gumbel numbers, `[count, ...]` of `logits` `[..., n]`.
#[track_caller]
pub fn categorical_without_replacement(key: Key, count: usize, logits: impl Into<Array>) -> Array {
    let logits = logits.into();
    let draw = || {
        let rank = logits.rank();
        let (axis, _) = categories(&logits, -1, &logits.shape()[..rank.saturating_sub(1)])?;
        enough(count, logits.shape()[axis])?;
        let dtype = dtype_of(&logits);
        let logits = logits.cast(dtype);
        let scores = gumbel_with(dtype, key, logits.shape(), Resolution::Low) + logits;
        Ok(scores.top_k(count).1.move_axis(-1, 0))
    };
    settled(draw())
}

/// Refuses more draws without replacement than there are outcomes.
#[track_caller]
pub(super) fn enough(count: usize, outcomes: usize) -> Result<()> {
    if count <= outcomes {
        return Ok(());
    }
    let message = format!("{count} draws without replacement from {outcomes} outcomes");
    Err(Error::new(ErrorKind::Value, message)
        .at(here())
        .help("draw at most as many as there are outcomes, or draw with replacement"))
}

/// The axis of outcomes, resolved, and the other axes, which broadcast to the shape of the draw.
#[track_caller]
fn categories(logits: &Array, axis: isize, shape: &[usize]) -> Result<(usize, Shape)> {
    if let Some(error) = logits.error() {
        return Err(error.clone());
    }
    let rank = logits.rank() as isize;
    let resolved = if axis < 0 { axis + rank } else { axis };
    let own = ShapeDisplay(logits.shape());
    if resolved < 0 || resolved >= rank {
        let message = format!("`categorical` along axis {axis} of logits of shape {own}");
        return Err(Error::new(ErrorKind::Shape, message)
            .at(here())
            .help("name an axis of the logits"));
    }
    let mut batch: Shape = logits.shape().into();
    batch.remove(resolved as usize);
    if broadcast_shapes(&batch, shape).as_deref() != Some(shape) {
        let asked = ShapeDisplay(shape);
        let message = format!(
            "`categorical` draws an array of shape {asked}, to which logits of shape {own} without \
             axis {axis} do not broadcast"
        );
        return Err(Error::new(ErrorKind::Shape, message)
            .at(here())
            .help("the shape is that of the result, with the other axes of the logits last"));
    }
    Ok((resolved as usize, batch))
}
