//! A distribution seen through a bijector.

use super::points::{all_last, inside, kept, over_event, sum_last, within};
use crate::bijectors::{Affine, Bijector};
use crate::constraints::Constraint;
use crate::distributions::formulas::Seen;
use crate::distributions::shapes::{is_lost, join};
use crate::distributions::{
    Cdf, Distribution, Entropy, LogProb, Mode, Moments, Quantile, Sample, Support,
};
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, here, select, with_location,
};

/// The distribution of `f(x)` for draws `x` of another, of density
/// `p(f^-1(y)) / |det f'(f^-1(y))|`.
///
/// Where the bijector takes larger events than the distribution has, the last batch axes are a
/// part of the event. It is reparameterised where the base is.
///
/// Of numbers, through a bijector whose [`direction`](Bijector::direction) is known, it has
/// distribution functions and quantiles where the base has: exact in both tails, which change sides
/// where the bijector falls. Through an [`Affine`] it has moments, mode and entropy too.
///
/// ```
/// use probpipe::bijectors::{Affine, Bijector, Exp};
/// use probpipe::distributions::Transformed;
/// use probpipe::prelude::*;
/// let y = Transformed::new(Normal::new(0.0, 1.0), Affine::new(0.5, 2.0).then(Exp));
/// let densities = y.log_prob(&array([-1.0, 1.0]));
/// assert_eq!(densities.at(0).item::<f32>()?, f32::NEG_INFINITY);
/// assert!((densities.at(1).item::<f32>()? + 1.6433357).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Transformed<D, B> {
    base: D,
    bijector: B,
}

impl<D: Support<Value = Array>, B: Bijector> Transformed<D, B> {
    /// From a distribution and a bijector. Every use of one whose draws are integers, or that does
    /// not fit the bijector, gives an error that says so.
    pub fn new(base: D, bijector: B) -> Transformed<D, B> {
        Transformed { base, bijector }
    }

    /// The distribution that is transformed.
    pub fn base(&self) -> &D {
        &self.base
    }

    /// What it goes through.
    pub fn bijector(&self) -> &B {
        &self.bijector
    }

    /// The rank of an event before the bijector.
    fn rank(&self) -> usize {
        self.base.event_shape().len().max(self.bijector.event_ranks().0)
    }

    /// The shape of a draw without a sample shape, and how much of it is batch.
    fn shapes(&self) -> probpipe_trace::Result<(Shape, usize)> {
        let (base, rank) = (self.base.event_shape().len(), self.rank());
        let before = join(&self.base.batch_shape(), &self.base.event_shape());
        if is_lost(&self.base.batch_shape()) {
            let lead = before.len().saturating_sub(rank);
            return Ok((before, lead));
        }
        if self.base.support().is_integer() {
            let message = "a Transformed is made of a distribution over integers";
            return Err(Error::new(ErrorKind::Value, message)
                .help("a bijector moves densities; transform the draws instead"));
        }
        if before.len() < rank {
            let message = format!(
                "a Transformed by a bijector of events of rank {rank} is made of a distribution \
                 with events of rank {base} and {} batch axes",
                before.len() - base
            );
            return Err(Error::new(ErrorKind::Shape, message)
                .help("give the parameters those axes, or use a bijector of smaller events"));
        }
        let after = self.bijector.forward_shape(&before)?;
        let (from, to) = self.bijector.event_ranks();
        let lead = after.len().saturating_sub(rank + to - from);
        Ok((after, lead))
    }

    #[track_caller]
    fn check(&self) -> Option<Array> {
        self.shapes().err().map(|error| Array::invalid(error, here()))
    }
}

impl<D: Support<Value = Array>, B: Bijector> Distribution for Transformed<D, B> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.shapes().map(|(shape, lead)| shape[..lead].into()).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        self.shapes().map(|(shape, lead)| shape[lead..].into()).unwrap_or_default()
    }
}

impl<D: Support<Value = Array>, B: Bijector> Support for Transformed<D, B> {
    /// What the bijector makes of the support of the base.
    fn support(&self) -> Constraint {
        self.bijector.image(&self.base.support())
    }
}

impl<D: LogProb<Value = Array> + Support, B: Bijector> LogProb for Transformed<D, B> {
    fn log_prob(&self, y: &Array) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        if y.error().is_some() {
            return y.clone();
        }
        if let Err(error) = self.bijector.inverse_shape(y.shape()) {
            return Array::invalid(error, here());
        }
        let (rank, support) = (self.rank(), self.support());
        let (from, to) = self.bijector.event_ranks();
        let after = rank + to - from;
        let free = matches!(support, Constraint::Real | Constraint::RealVector);
        let inside = inside(&support, y, after);
        let safe = if free { y.clone() } else { kept(&support, y, &inside, after) };
        let mut x = self.bijector.inverse(&safe);
        // An end that belongs to the support may come from infinity, where the base has nothing.
        let mut inside = inside;
        if matches!(support, Constraint::UnitInterval | Constraint::Interval(..)) {
            inside = inside & all_last(x.is_finite(), after);
            x = self.bijector.inverse(&kept(&support, y, &inside, after));
        }
        let extra = rank - self.base.event_shape().len();
        let density = sum_last(self.base.log_prob(&x), extra)
            - sum_last(self.bijector.log_det(&x), rank - from);
        if free { density } else { within(&inside, density, y, after) }
    }
}

impl<D: Sample<Value = Array> + Support, B: Bijector> Sample for Transformed<D, B> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        match self.check() {
            Some(error) => error,
            None => self.bijector.forward(&self.base.sample_shape(key, shape)),
        }
    }
}

impl<D: Support<Value = Array>, B: Bijector> Transformed<D, B> {
    /// Whether the bijector rises, to `bool`; the error of a distribution that is none of numbers,
    /// or of a bijector of which it is not known.
    #[track_caller]
    fn rising(&self) -> Result<Array, Array> {
        if let Some(error) = self.check() {
            return Err(error);
        }
        let event = self.event_shape();
        if !event.is_empty() {
            let message = format!(
                "a Transformed with events of shape {} has no distribution function",
                ShapeDisplay(&event)
            );
            let error = Error::new(ErrorKind::Shape, message)
                .help("ask the distribution of one of the numbers");
            return Err(Array::invalid(error, here()));
        }
        match self.bijector.direction() {
            Some(sign) if sign.error().is_some() => Err(sign),
            Some(sign) => Ok(sign.gt(0.0)),
            None => {
                let message =
                    "it is not known whether the bijector of a Transformed rises or falls";
                let error = Error::new(ErrorKind::Value, message)
                    .help("write its `direction`: the sign of its slope");
                Err(Array::invalid(error, here()))
            }
        }
    }

    /// One of two functions of the base, by where the bijector leads; one alone where it is known.
    #[track_caller]
    fn either(
        &self,
        rises: impl FnOnce() -> Array,
        falls: impl FnOnce() -> Array,
        rising: &Array,
    ) -> Array {
        let known = rising.known().and_then(|value| value.to_scalars().ok());
        match known.map(|all| all.iter().map(|x| x.as_f64() != 0.0).collect::<Vec<_>>()) {
            Some(all) if !all.is_empty() && all.iter().all(|&up| up) => rises(),
            Some(all) if !all.is_empty() && all.iter().all(|&up| !up) => falls(),
            _ => select(rising, rises(), falls()),
        }
    }

    /// A function of the distribution from those of the base.
    #[track_caller]
    fn tail(
        &self,
        y: &Array,
        ends: [f64; 2],
        rises: impl FnOnce(&Array) -> Array,
        falls: impl FnOnce(&Array) -> Array,
    ) -> Array {
        let rising = match self.rising() {
            Ok(rising) => rising,
            Err(error) => return error,
        };
        let seen = Seen::by_cdf(&self.support(), y);
        let x = self.bijector.inverse(&seen.at);
        seen.cdf(y, ends, self.either(|| rises(&x), || falls(&x), &rising))
    }
}

impl<D: Cdf<Value = Array> + Support, B: Bijector> Cdf for Transformed<D, B> {
    fn cdf(&self, y: &Array) -> Array {
        with_location(here(), || {
            self.tail(y, [0.0, 1.0], |x| self.base.cdf(x), |x| self.base.survival(x))
        })
    }

    fn survival(&self, y: &Array) -> Array {
        with_location(here(), || {
            self.tail(y, [1.0, 0.0], |x| self.base.survival(x), |x| self.base.cdf(x))
        })
    }

    fn log_cdf(&self, y: &Array) -> Array {
        with_location(here(), || {
            let ends = [f64::NEG_INFINITY, 0.0];
            self.tail(y, ends, |x| self.base.log_cdf(x), |x| self.base.log_survival(x))
        })
    }

    fn log_survival(&self, y: &Array) -> Array {
        with_location(here(), || {
            let ends = [0.0, f64::NEG_INFINITY];
            self.tail(y, ends, |x| self.base.log_survival(x), |x| self.base.log_cdf(x))
        })
    }
}

impl<D: Quantile<Value = Array> + Support, B: Bijector> Quantile for Transformed<D, B> {
    fn quantile(&self, q: &Array) -> Array {
        with_location(here(), || {
            self.rising().map_or_else(
                |error| error,
                |rising| {
                    let (up, down) = (|| self.base.quantile(q), || self.base.upper_quantile(q));
                    self.bijector.forward(&self.either(up, down, &rising))
                },
            )
        })
    }

    fn upper_quantile(&self, q: &Array) -> Array {
        with_location(here(), || {
            self.rising().map_or_else(
                |error| error,
                |rising| {
                    let (up, down) = (|| self.base.upper_quantile(q), || self.base.quantile(q));
                    self.bijector.forward(&self.either(up, down, &rising))
                },
            )
        })
    }
}

impl<D: Moments<Value = Array> + Support> Moments for Transformed<D, Affine> {
    fn mean(&self) -> Array {
        match self.check() {
            Some(error) => error,
            None => self.bijector.forward(&self.base.mean()),
        }
    }

    /// `scale^2 variance`.
    fn variance(&self) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        // The place has a part in the shape alone.
        let apart = self.bijector.loc() * 0.0;
        self.base.variance() * self.bijector.scale().square() + apart
    }
}

impl<D: Mode<Value = Array> + Support> Mode for Transformed<D, Affine> {
    fn mode(&self) -> Array {
        match self.check() {
            Some(error) => error,
            None => self.bijector.forward(&self.base.mode()),
        }
    }
}

impl<D: Entropy<Value = Array> + Support> Entropy for Transformed<D, Affine> {
    /// `entropy + log |scale|`, of vectors for each number.
    fn entropy(&self) -> Array {
        if let Some(error) = self.check() {
            return error;
        }
        let rank = self.rank();
        let zero = over_event(&self.base.entropy(), rank) * 0.0
            + self.bijector.loc() * 0.0
            + probpipe_trace::zeros(self.event_shape());
        let stretch = sum_last(self.bijector.scale().abs().log() + zero, rank);
        self.base.entropy() + stretch
    }
}
