//! Random orders, and choices from a population with and without replacement.
//!
//! A random order is a stable sort by random 32-bit numbers, repeated so often that elements
//! which draw equal numbers each time are as unlikely as in `jax.random`, which it follows.

use super::discrete::enough;
use super::integers::randint_of;
use super::parameters::{float_of, settled};
use super::transforms::gumbel_of;
use probpipe_trace::{
    Array, ArrayType, CumulativeOp, DType, Error, ErrorKind, IntoShape, Key, Result, Shape,
    ShapeDisplay, default_float, here, iota, searchsorted, sort_key_val, uniform_of,
};

/// The numbers `0..n` in a random order, as `i32`.
///
/// ```
/// use probpipe::prelude::*;
/// let order = probpipe::random::permutation(Key::new(0), 5);
/// assert_eq!(order.sort(0).to_vec::<i32>()?, [0, 1, 2, 3, 4]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.permutation")]
pub fn permutation(key: Key, n: usize) -> Array {
    sorted(key, iota(&ArrayType::new(DType::I32, [n]), 0), 0)
}

/// The entries of an array along one axis in a random order, the same for all other places.
#[track_caller]
#[doc(alias = "random.permutation")]
pub fn shuffle(key: Key, x: impl Into<Array>, axis: isize) -> Array {
    let x = x.into();
    settled(extent(&x, "shuffle", axis).map(|n| x.take(permutation(key, n), axis)))
}

/// The entries of an array along one axis in random orders of their own for all other places.
#[track_caller]
pub fn shuffle_each(key: Key, x: impl Into<Array>, axis: isize) -> Array {
    let x = x.into();
    settled(extent(&x, "shuffle_each", axis).map(|_| sorted(key, x.clone(), axis)))
}

/// Sorts by random numbers until no two elements have met equal ones in all rounds.
#[track_caller]
fn sorted(mut key: Key, mut x: Array, axis: isize) -> Array {
    let size = x.size().max(1) as f64;
    let rounds = (3.0 * size.ln() / f64::from(u32::MAX).ln()).ceil() as usize;
    for _ in 0..rounds {
        let (next, now) = key.split();
        key = next;
        x = sort_key_val(&now.bits(32, x.shape()), &x, axis).1;
    }
    x
}

/// The extent of an axis.
#[track_caller]
fn extent(x: &Array, sampler: &str, axis: isize) -> Result<usize> {
    if let Some(error) = x.error() {
        return Err(error.clone());
    }
    let resolved = if axis < 0 { axis + x.rank() as isize } else { axis };
    usize::try_from(resolved).ok().and_then(|axis| x.shape().get(axis).copied()).ok_or_else(|| {
        let shape = ShapeDisplay(x.shape());
        Error::new(ErrorKind::Shape, format!("`{sampler}` along axis {axis} of shape {shape}"))
            .at(here())
            .help("name an axis of the array")
    })
}

/// How [`choice_with`] chooses.
#[derive(Clone, Debug)]
pub struct ChoiceOptions {
    replace: bool,
    weights: Option<Array>,
    axis: isize,
}

impl Default for ChoiceOptions {
    fn default() -> ChoiceOptions {
        ChoiceOptions::new()
    }
}

impl ChoiceOptions {
    /// With replacement, all entries alike, along the first axis.
    pub fn new() -> ChoiceOptions {
        ChoiceOptions { replace: true, weights: None, axis: 0 }
    }

    /// No entry twice.
    pub fn without_replacement(self) -> ChoiceOptions {
        ChoiceOptions { replace: false, ..self }
    }

    /// Chances proportional to a vector, one number per entry.
    #[track_caller]
    pub fn weights(self, weights: impl Into<Array>) -> ChoiceOptions {
        ChoiceOptions { weights: Some(weights.into()), ..self }
    }

    /// Along another axis of the population.
    pub fn axis(self, axis: isize) -> ChoiceOptions {
        ChoiceOptions { axis, ..self }
    }
}

/// Entries of a population, chosen alike and with replacement: an array of `shape` in place of its
/// first axis. A whole number `n` is the population `0..n`.
///
/// ```
/// use probpipe::prelude::*;
/// use probpipe::random::{ChoiceOptions, choice, choice_with};
/// let (first, second) = Key::new(0).split();
/// let rows = choice(first, [2], array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
/// assert_eq!(rows.shape(), [2, 2]);
/// let hand = choice_with(second, [5], 52, ChoiceOptions::new().without_replacement());
/// assert_eq!(hand.shape(), [5]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
#[doc(alias = "random.choice")]
pub fn choice(key: Key, shape: impl IntoShape, population: impl Into<Array>) -> Array {
    choice_with(key, shape, population, ChoiceOptions::new())
}

/// [`choice`] without replacement, by weights, or along another axis. Indices of alike entries
/// with replacement come from 64-bit integers where the default float type is `f64`, as in JAX
/// with 64-bit types.
#[track_caller]
pub fn choice_with(
    key: Key,
    shape: impl IntoShape,
    population: impl Into<Array>,
    options: ChoiceOptions,
) -> Array {
    settled(chosen(key, &shape.into_shape(), &population.into(), &options))
}

#[track_caller]
fn chosen(key: Key, shape: &Shape, population: &Array, options: &ChoiceOptions) -> Result<Array> {
    let counted = population.rank() == 0;
    let entries =
        if counted { number(population)? } else { extent(population, "choice", options.axis)? };
    let draws: usize = shape.iter().product();
    if entries == 0 && draws > 0 {
        return Err(Error::new(ErrorKind::Value, "`choice` from an empty population")
            .at(here())
            .help("give at least one entry to choose from"));
    }
    if !options.replace {
        enough(draws, entries)?;
    }
    let indices = match (&options.weights, options.replace) {
        (None, true) => {
            let wide = default_float() == DType::F64;
            let dtype = if wide { DType::I64 } else { DType::I32 };
            randint_of(dtype, key, shape, 0, entries).cast(DType::I32)
        }
        (None, false) => permutation(key, entries).slice_axis(0, 0..draws).reshape(shape),
        (Some(weights), replace) => {
            let weights = weights_of(weights, entries)?;
            let dtype = weights.dtype();
            if replace {
                let sums = weights.cumulative(CumulativeOp::Sum, 0, false);
                let total = sums.at(-1);
                searchsorted(&sums, total * (1.0 - uniform_of(dtype, key, shape)), false)
            } else {
                let scores = gumbel_of(dtype, key, [entries]) + weights.log();
                scores.top_k(draws).1.reshape(shape)
            }
        }
    };
    Ok(if counted { indices } else { population.take(indices, options.axis) })
}

/// The size of a population that is given as a whole number.
#[track_caller]
fn number(population: &Array) -> Result<usize> {
    let number = population.value()?.to_scalars()?.first().copied();
    let fits = |n: i128| i32::try_from(n).ok().and_then(|n| usize::try_from(n).ok());
    let whole = population.dtype().is_integer();
    number.filter(|_| whole).and_then(|n| fits(n.as_i128())).ok_or_else(|| {
        Error::new(ErrorKind::Value, "`choice` takes an array, or the size of a population")
            .at(here())
            .note("the population was made", Some(population.location()))
            .help("give a whole number from 0 to 2^31, or an array with an axis")
    })
}

/// The weights in a float type.
#[track_caller]
fn weights_of(weights: &Array, entries: usize) -> Result<Array> {
    if let Some(error) = weights.error() {
        return Err(error.clone());
    }
    if weights.shape() != [entries] {
        let shape = ShapeDisplay(weights.shape());
        let message = format!("`choice` from {entries} entries by weights of shape {shape}");
        return Err(Error::new(ErrorKind::Shape, message)
            .at(here())
            .note("the weights were made", Some(weights.location()))
            .help("give a vector with one weight per entry"));
    }
    Ok(weights.cast(float_of(&[weights])))
}
