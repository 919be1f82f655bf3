//! The powers of the likelihood by which particles are led to the posterior.

use super::sums::effective_sample_size;
use crate::inference::posterior::raised;
use probpipe_trace::{Array, DType, Error, ErrorKind, Result, array, fori_loop, here, select};

/// How the powers of the likelihood rise from 0 to 1.
#[derive(Clone, PartialEq, Debug)]
pub enum Ladder {
    /// By these powers: they rise, and the last is 1.
    Fixed(Vec<f64>),
    /// Each time as far as the weights allow, so that their effective sample size is `ess` of the
    /// number of particles (A. Jasra et al., 2011), found by halving.
    Adaptive {
        /// The part that is left, between 0 and 1.
        ess: f64,
        /// Most powers: a run that needs more says that it did not finish.
        max_steps: usize,
    },
}

impl Default for Ladder {
    fn default() -> Ladder {
        Ladder::Adaptive { ess: 0.5, max_steps: 200 }
    }
}

impl Ladder {
    /// `steps` powers at equal distances.
    pub fn linear(steps: usize) -> Ladder {
        Ladder::Fixed((1..=steps).map(|i| i as f64 / steps as f64).collect())
    }

    /// Adaptive, with a part between 0 and 1.
    pub fn adaptive(ess: f64) -> Ladder {
        Ladder::Adaptive { ess, max_steps: 200 }
    }

    /// How many steps there can be.
    pub(super) fn max_steps(&self) -> usize {
        match self {
            Ladder::Fixed(powers) => powers.len(),
            Ladder::Adaptive { max_steps, .. } => *max_steps,
        }
    }

    /// # Errors
    /// Powers that do not rise from above 0 to 1; no part; no steps.
    #[track_caller]
    pub(super) fn checked(&self) -> Result<()> {
        let fault = |message: String, help: &str| {
            Err(Error::new(ErrorKind::Value, message).at(here()).help(help))
        };
        match self {
            Ladder::Fixed(powers) => {
                let rise = powers.iter().zip(powers.iter().skip(1)).all(|(a, b)| a < b);
                let ends = powers.first().is_some_and(|&p| p > 0.0) && powers.last() == Some(&1.0);
                if rise && ends {
                    return Ok(());
                }
                let message = format!("the powers {powers:?} do not rise from above 0 to 1");
                fault(message, "list them in order, the last 1; 0 is where particles begin")
            }
            Ladder::Adaptive { ess, max_steps } if *ess > 0.0 && *ess < 1.0 && *max_steps > 0 => {
                Ok(())
            }
            Ladder::Adaptive { ess, max_steps } => {
                let message = format!("a ladder cannot keep {ess} in {max_steps} steps");
                fault(message, "keep a part between 0 and 1, such as 0.5, in one step or more")
            }
        }
    }

    /// The power after `power`, at a step, for particles of these log-likelihoods `[n]`.
    pub(super) fn next(&self, step: &Array, power: &Array, log_likelihoods: &Array) -> Array {
        let dtype = power.dtype();
        match self {
            Ladder::Fixed(powers) => {
                Array::from_slice(powers, [powers.len()]).cast(dtype).take(step, 0)
            }
            Ladder::Adaptive { ess, .. } => {
                // Particles of no likelihood lose their weight however little the power rises.
                let some = log_likelihoods.gt(f64::NEG_INFINITY).cast(dtype).sum();
                let wanted = some * *ess;
                let kept = |rise: &Array| {
                    effective_sample_size(&raised(log_likelihoods, rise)).ge(&wanted)
                };
                let rest = 1.0 - power;
                let halvings = if dtype == DType::F64 { 60 } else { 40 };
                let start = (&rest * 0.0, rest.clone());
                let (_, rise) = fori_loop(halvings, start, |_, (low, high)| {
                    let middle = (&low + &high) * 0.5;
                    let up = kept(&middle);
                    (select(&up, &middle, low), select(&up, high, &middle))
                });
                let whole = array(1.0).in_dtype(dtype);
                select(&kept(&rest), whole, power + rise)
            }
        }
    }
}
