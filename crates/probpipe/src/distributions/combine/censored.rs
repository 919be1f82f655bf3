//! Observations of which only a bound, or two, is known.

use super::gate::draws;
use super::points::kept;
use crate::constraints::Constraint;
use crate::distributions::{Cdf, Distribution, LogProb, Sample, Support};
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, broadcast_shapes, here, select,
};

/// Declares a distribution of observations that are bounds where a flag says so.
macro_rules! censored {
    ($(
        $(#[$about:meta])*
        $name:ident: $bound:ident;
    )+) => {$(
        $(#[$about])*
        #[derive(Tree, Clone, Debug)]
        #[tree(crate = probpipe_trace)]
        pub struct $name<D> {
            base: D,
            censored: Array,
        }

        impl<D: Distribution<Value = Array>> $name<D> {
            /// With a flag of `bool` that says which observations are bounds; it broadcasts
            /// against the batch shape.
            pub fn new(base: D, censored: impl Into<Array>) -> $name<D> {
                $name { base, censored: censored.into() }
            }

            /// The distribution of what is observed.
            pub fn base(&self) -> &D {
                &self.base
            }
        }

        impl<D: Distribution<Value = Array>> Distribution for $name<D> {
            type Value = Array;

            fn batch_shape(&self) -> Shape {
                let batch = self.base.batch_shape();
                broadcast_shapes(&batch, self.censored.shape()).unwrap_or(batch)
            }

            fn event_shape(&self) -> Shape {
                self.base.event_shape()
            }
        }

        impl<D: Support<Value = Array>> Support for $name<D> {
            fn support(&self) -> Constraint {
                self.base.support()
            }
        }

        impl<D: LogProb<Value = Array> + Cdf + Support> LogProb for $name<D> {
            /// The logarithm of a density, or of the probability that lies beyond a bound.
            fn log_prob(&self, x: &Array) -> Array {
                // Each formula sees the points that are its own.
                let support = self.base.support();
                let bound = kept(&support, x, &self.censored, 0);
                let point = kept(&support, x, &!&self.censored, 0);
                select(&self.censored, self.base.$bound(&bound), self.base.log_prob(&point))
            }
        }

        impl<D: Sample<Value = Array>> Sample for $name<D> {
            /// Draws of the base, one for each flag: what would have been observed. The flags say
            /// nothing of where the bounds of further observations would lie.
            fn sample_shape(&self, key: Key, shape: Shape) -> Array {
                if self.censored.error().is_some() {
                    return self.censored.clone();
                }
                draws(&self.base, key, &shape, &self.batch_shape())
            }
        }
    )+};
}

censored! {
    /// Observations that are lower bounds where a flag says so: what is observed is at least `x`,
    /// as where a patient has left a study. Of discrete families, it is more than `x`.
    ///
    /// ```
    /// use probpipe::distributions::RightCensored;
    /// use probpipe::prelude::*;
    /// let times = RightCensored::new(Exponential::new(2.0), array([false, true]));
    /// let density = times.log_prob(&array([1.0, 1.0]));
    /// assert!((density.at(0).item::<f32>()? - (2f32.ln() - 2.0)).abs() < 1e-6);
    /// assert_eq!(density.at(1).item::<f32>()?, -2.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    RightCensored: log_survival;

    /// Observations that are upper bounds where a flag says so: what is observed is at most `x`,
    /// as below the limit of an instrument.
    ///
    /// ```
    /// use probpipe::distributions::LeftCensored;
    /// use probpipe::prelude::*;
    /// let n = LeftCensored::new(Normal::new(0.0, 1.0), true);
    /// assert!((n.prob(&array(0.0)).item::<f32>()? - 0.5).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    LeftCensored: log_cdf;
}

/// Observations of which a lower and an upper bound are known: events `[lower, upper]`, of
/// density `F(upper) - F(lower)`. An infinite bound is none. It has no draws: bounds do not follow
/// from the distribution of what lies between them.
///
/// ```
/// use probpipe::distributions::IntervalCensored;
/// use probpipe::prelude::*;
/// let n = IntervalCensored::new(Normal::new(0.0, 1.0));
/// let p = n.prob(&array([[-1.0, 1.0], [0.0, f64::INFINITY]]));
/// assert!((p.at(0).item::<f32>()? - 0.6826895).abs() < 1e-6);
/// assert!((p.at(1).item::<f32>()? - 0.5).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct IntervalCensored<D> {
    base: D,
}

impl<D: Distribution<Value = Array>> IntervalCensored<D> {
    /// From the distribution of what is observed, which is one of numbers.
    pub fn new(base: D) -> IntervalCensored<D> {
        IntervalCensored { base }
    }

    /// The distribution of what is observed.
    pub fn base(&self) -> &D {
        &self.base
    }
}

impl<D: Distribution<Value = Array>> Distribution for IntervalCensored<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.base.batch_shape()
    }

    fn event_shape(&self) -> Shape {
        Shape::from_slice(&[2])
    }
}

impl<D: Cdf<Value = Array>> LogProb for IntervalCensored<D> {
    /// `log(F(upper) - F(lower))`, of the smaller tails: exact far from the middle. `-inf` where
    /// the upper bound is not above the lower one.
    fn log_prob(&self, x: &Array) -> Array {
        if x.error().is_some() {
            return x.clone();
        }
        if x.shape().last() != Some(&2) {
            let message = format!(
                "an IntervalCensored takes pairs of bounds, not an array of shape {}",
                ShapeDisplay(x.shape())
            );
            let error = Error::new(ErrorKind::Shape, message)
                .note("the array was made", Some(x.location()))
                .help("the last axis holds the lower and the upper bound");
            return Array::invalid(error, here());
        }
        let (low, high) = (x.at_axis(-1, 0), x.at_axis(-1, 1));
        let right = self.base.survival(&low).lt(0.5);
        let below = |x: &Array| self.base.log_cdf(x);
        let above = |x: &Array| self.base.log_survival(x);
        let large = select(&right, above(&low), below(&high));
        let small = select(&right, above(&high), below(&low));
        // log(e^a - e^b) = a + log(1 - e^(b - a)); without the second where that is nothing.
        let none = small.eq(f64::NEG_INFINITY);
        let some = large.gt(&small);
        let both = &some & !&none;
        let gap = select(&both, &large - select(&none, 0.0, &small), 1.0);
        let part = select(&both, gap.log1mexp(), 0.0);
        let nothing = select(&(large.is_nan() | small.is_nan()), f64::NAN, f64::NEG_INFINITY);
        select(&some, large + part, nothing)
    }
}
