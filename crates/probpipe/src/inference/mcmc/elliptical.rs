//! Elliptical slice sampling, for densities that are a likelihood under a normal prior.

use super::kernel::{Kernel, LogDensity, StepCx};
use super::metric::Metric;
use super::metropolis::{Place, either};
use super::slice::{MOST, SliceInfo};
use probpipe_trace::{Array, Tree, normal_of, select, uniform_of, while_loop};
use std::f64::consts::TAU;

/// Samples a posterior whose prior is normal with the given mean and the covariance `L L'` of the
/// metric; **the density is the likelihood alone** (I. Murray, R. P. Adams, D. J. C. MacKay, 2010).
/// The next position lies on the ellipse through this one and a draw of the prior, at an angle that
/// is looked for in a bracket which shrinks until the likelihood exceeds a random level. There is
/// nothing to tune. A position of any shape.
///
/// ```
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{EllipticalSlice, Kernel, Metric};
/// use probpipe::prelude::*;
/// // A prior of variance 4 and one observation, 3.0, of variance 1: the mean is 3 * 4 / 5.
/// let likelihood = |x: Array| Normal::new(3.0, 1.0).log_prob(&x).sum();
/// let target = Target::new(likelihood, zeros([1]))?;
/// let kernel = EllipticalSlice::new(0.0, Metric::of_variances([4.0]));
/// let (draws, _) = kernel.sample(Key::new(0), &target, 2000)?;
/// assert!((draws.mean().item::<f32>()? - 2.4).abs() < 0.1);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct EllipticalSlice {
    /// The mean of the prior: a scalar, or of the shape of a position.
    pub mean: Array,
    /// A factor of its covariance.
    pub metric: Metric,
}

impl EllipticalSlice {
    /// With a prior.
    pub fn new(mean: impl Into<Array>, metric: Metric) -> EllipticalSlice {
        EllipticalSlice { mean: mean.into(), metric }
    }
}

/// A search for an angle.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
struct Bracket {
    low: Array,
    high: Array,
    angle: Array,
    place: Place,
    tries: Array,
    found: Array,
}

impl Kernel for EllipticalSlice {
    type State = Place;
    type Info = SliceInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Place {
        Place::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Place) -> (Place, SliceInfo) {
        let [for_prior, for_level, for_angles] = cx.key.split_array();
        let x = &state.position;
        let other = self.metric.push(&normal_of(x.dtype(), for_prior, x.shape()));
        let off = x - &self.mean;
        let chance = |key| uniform_of(x.dtype(), key, ());
        let level = &state.log_density + uniform_of(state.log_density.dtype(), for_level, ()).log();
        let angle = chance(for_angles.reuse().fold_in(MOST)) * TAU;
        let start = Bracket {
            low: &angle - TAU,
            high: angle.clone(),
            angle,
            place: state.clone(),
            tries: Array::from(0i32),
            found: Array::from(false),
        };
        let end = while_loop(
            |t: Bracket| !t.found & t.tries.lt(MOST),
            |t| {
                let at = &self.mean + &off * t.angle.cos() + &other * t.angle.sin();
                let new = Place::at(cx.log_density, at);
                // At least: the angle 0 must be found in spite of rounding.
                let found = new.log_density.is_finite() & new.log_density.ge(&level);
                let below = t.angle.lt(0.0);
                let low = select(&below, &t.angle, t.low);
                let high = select(below, t.high, &t.angle);
                let part = chance(for_angles.reuse().fold_in(&t.tries));
                Bracket {
                    angle: &low + part * (&high - &low),
                    low,
                    high,
                    place: either(&found, new, t.place),
                    tries: t.tries + 1,
                    found,
                }
            },
            start,
        );
        (end.place, SliceInfo { evaluations: end.tries })
    }
}
