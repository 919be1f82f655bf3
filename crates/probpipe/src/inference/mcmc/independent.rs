//! Independence Metropolis: proposals that do not depend on where the chain is.

use super::kernel::{Kernel, LogDensity, StepCx};
use super::metropolis::{MetropolisInfo, Place, metropolis};
use crate::distributions::{LogProb, Sample};
use probpipe_trace::{Array, Error, ErrorKind, here};

/// Proposes a draw `y` of a distribution `q`, whatever it is, and accepts it with the ratio
/// `p(y) q(x) / (p(x) q(y))` (W. K. Hastings, 1970; L. Tierney, 1994). Draws must have the shape of
/// a position; copies of a batch are one position together. The chain forgets its start at the
/// rate of the largest `p / q`, so that `q` should have no lighter tails than the density.
///
/// ```
/// use probpipe::StudentT;
/// use probpipe::inference::Target;
/// use probpipe::inference::mcmc::{Independent, Kernel};
/// use probpipe::prelude::*;
/// let target = Target::new(|x: Array| Normal::new(1.0, 0.5).log_prob(&x).sum(), zeros([2]))?;
/// let kernel = Independent::new(StudentT::new(5.0, [1.0, 1.0], 0.6));
/// let (draws, _) = kernel.sample(Key::new(0), &target, 2000)?;
/// assert!((draws.mean().item::<f32>()? - 1.0).abs() < 0.1);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Independent<D> {
    /// What is drawn from.
    pub proposal: D,
}

impl<D> Independent<D> {
    /// With proposals from a distribution.
    pub fn new(proposal: D) -> Independent<D> {
        Independent { proposal }
    }
}

impl<D: LogProb<Value = Array> + Sample> Kernel for Independent<D> {
    type State = Place;
    type Info = MetropolisInfo;

    fn init(&self, log_density: LogDensity<'_>, position: Array) -> Place {
        Place::at(log_density, position)
    }

    fn step(&self, cx: StepCx<'_>, state: Place) -> (Place, MetropolisInfo) {
        let (for_proposal, for_acceptance) = cx.key.split();
        let x = &state.position;
        let y = self.proposal.sample(for_proposal, ()).cast(x.dtype());
        let y = match y.shape() == x.shape() || x.error().is_some() {
            true => y,
            false => Array::invalid(misfit(&y, x), here()),
        };
        let new = Place::at(cx.log_density, y);
        let q = |x: &Array| self.proposal.log_prob(x).sum().cast(new.log_density.dtype());
        let ratio = (&new.log_density - q(&new.position)) - (&state.log_density - q(x));
        let value = new.log_density.clone();
        metropolis(for_acceptance, &ratio, (new, &value), state)
    }
}

#[track_caller]
fn misfit(draw: &Array, position: &Array) -> Error {
    let (has, needs) = (draw.shape(), position.shape());
    let message = format!("a proposal of shape {has:?} for a position of shape {needs:?}");
    Error::new(ErrorKind::Shape, message)
        .at(here())
        .help("give the distribution parameters of the shape of a position")
}
