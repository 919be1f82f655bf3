//! Particles taken by their weights. Nothing here moves or weighs any.
//!
//! Source of all schemes but the residual one: R. Douc, O. Cappé, E. Moulines, "Comparison of
//! resampling schemes for particle filtering", 2005.

use super::sums::relative;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Result, Tree, arange, here, searchsorted, select,
    uniform_of, with_location,
};

/// A way to take particles by their weights, each as often as its share says, on average. Particles
/// of no weight are never taken.
///
/// ```
/// use probpipe::inference::smc::Resampling;
/// use probpipe::prelude::*;
/// let equal = zeros([5]);
/// let taken = Resampling::Systematic.ancestors(Key::new(0), &equal, 5);
/// assert_eq!(taken.ancestors.to_vec::<i32>()?, [0, 1, 2, 3, 4]);
/// let none = zeros([5]) - f32::INFINITY;
/// assert!(!Resampling::Systematic.ancestors(Key::new(0), &none, 5).sound.item::<bool>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Resampling {
    /// Each by itself: what others are compared with.
    Multinomial,
    /// A comb of equal distances at one random place: each particle is taken as often as its share
    /// says, rounded up or down.
    #[default]
    Systematic,
    /// One in each of `m` stretches of equal length.
    Stratified,
    /// The whole part of each share for certain, and the rest each by itself (J. S. Liu, R. Chen,
    /// 1998).
    Residual,
}

/// Which particles were taken.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Resampled {
    /// Their indices, `[m]` of `i32`: in order, but for those that are taken each by itself.
    pub ancestors: Array,
    /// Whether the weights had a sum that is finite and above zero. If not, no choice is right, and
    /// each particle is taken once, from the first on.
    pub sound: Array,
}

impl Resampling {
    /// `m` of `n` particles by the logarithms of their weights `[n]`, of any sum. In `f32` up to
    /// `2^24` particles are told apart.
    #[track_caller]
    pub fn ancestors(self, key: Key, log_weights: &Array, m: usize) -> Resampled {
        with_location(here(), || match checked(log_weights, m) {
            Ok(w) => self.taken(key, &w, m),
            Err(error) => {
                let bad = Array::invalid(error, here());
                Resampled { ancestors: bad.clone(), sound: bad }
            }
        })
    }

    fn taken(self, key: Key, log_weights: &Array, m: usize) -> Resampled {
        let sound = log_weights.logsumexp().is_finite();
        let p = select(&sound, relative(log_weights), 1.0);
        let dtype = p.dtype();
        let ancestors = match self {
            Resampling::Multinomial => each_by_itself(key, &p, m),
            Resampling::Systematic => {
                let place = uniform_of(dtype, key, ());
                by_stretches(&p, m, |_| place)
            }
            Resampling::Stratified => {
                let places = uniform_of(dtype, key, [m]);
                by_stretches(&p, m, |stretch| places.take(stretch, 0))
            }
            Resampling::Residual => residual(key, &p, m),
        };
        let stay = arange(m) % log_weights.size() as i32;
        Resampled { ancestors: select(&sound, ancestors, stay), sound }
    }
}

fn checked(log_weights: &Array, m: usize) -> Result<Array> {
    let ty = log_weights.ty()?;
    let fits = ty.rank() == 1 && ty.size() > 0 && m > 0;
    if !fits || !ty.dtype.is_float() || i32::try_from(ty.size().max(m)).is_err() {
        let message = format!("{m} particles cannot be taken by log weights {ty}");
        return Err(Error::new(ErrorKind::Shape, message)
            .note("they were made", Some(log_weights.location()))
            .help("give a vector of floats, one for each particle, and take one or more"));
    }
    Ok(log_weights.decided())
}

/// Running sums of weights. An element of no weight repeats what is before it, whatever the
/// rounding, so that nothing lies between the two.
fn running(p: &Array) -> Array {
    select(&p.gt(0.0), p.cumsum(0), 0.0).cummax(0)
}

/// The places of points among running sums of weights, of which the last is `total`.
fn each_by_itself(key: Key, p: &Array, m: usize) -> Array {
    let sums = running(p);
    let total = sums.at(-1);
    let points = uniform_of(p.dtype(), key, [m]) * &total;
    // A point may be rounded up to the sum: the last of any weight is there.
    let last = searchsorted(&sums, &total, false);
    searchsorted(&sums, points, true).minimum(last)
}

/// One point in each of `m` stretches of equal length, at a place in `[0, 1)` of it. The number of
/// points below a running sum is that of the whole stretches and whether the point of the one that
/// it lies in is: no sum of an index and a fraction is rounded, so that equal weights are exact.
fn by_stretches(p: &Array, m: usize, place: impl FnOnce(&Array) -> Array) -> Array {
    let sums = running(p);
    let total = sums.at(-1);
    let scaled = &sums * (m as f64 / &total);
    let whole = scaled.floor();
    let stretch = whole.cast(DType::I32);
    let place = place(&stretch.minimum(m as i32 - 1));
    let below = stretch + place.lt(scaled - whole).cast(DType::I32);
    let below = select(&sums.ge(&total), m as i32, below.minimum(m as i32));
    searchsorted(&below, arange(m), true)
}

fn residual(key: Key, p: &Array, m: usize) -> Array {
    let scaled = p * (m as f64 / p.sum());
    let whole = scaled.floor();
    let sums = whole.cast(DType::I32).cumsum(0);
    let slots = arange(m);
    let certain = searchsorted(&sums, &slots, true);
    let others = each_by_itself(key, &(scaled - whole), m);
    select(&slots.lt(sums.at(-1)), certain, others)
}
