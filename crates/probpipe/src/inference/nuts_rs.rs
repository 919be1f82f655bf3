//! Densities for the samplers of [nuts-rs](https://docs.rs/nuts-rs), which know nothing of this
//! library: they ask for a number and a gradient at a place.

use super::Target;
use nuts_rs::{CpuLogpFunc, CpuMath, CpuMathError, HasDims, InitPositionError, LogpError, Model};
use probpipe_backend_cpu::Cpu;
use probpipe_trace::{Array, DType, Error, Result, Tree, here, with_location};
use probpipe_transforms::{Compiled, value_and_grad};
use rand::{Rng, RngExt};
use std::collections::HashMap;
use std::sync::Arc;
use std::{error, fmt};

/// A density as nuts-rs takes it, of vectors of [`dim`](CpuLogpFunc::dim) real numbers, compiled.
/// [`Target::constrain_each`] takes draws `[n, dim]` back to values.
///
/// ```
/// use nuts_rs::{Chain, CpuMath, LowRankNutsSettings, Settings};
/// use probpipe::constraints::Constraint;
/// use probpipe::inference::Target;
/// use probpipe::prelude::*;
/// use rand::SeedableRng;
/// let log_density = |at: Record| probpipe::Gamma::new(3.0, 2.0).log_prob(&at["rate"]);
/// let start = Record::new([("rate", array(1.0))]);
/// let target = Target::within(log_density, start, [("rate", Constraint::Positive)])?;
///
/// let mut rng = rand::rngs::StdRng::seed_from_u64(1);
/// let mut chain = LowRankNutsSettings::default()
///     .new_chain(0, CpuMath::new(target.to_nuts_rs()?), &mut rng)
///     .expect("these settings are sound");
/// chain.set_position(&[0.0]).expect("the density is finite there");
/// let mut draws = Vec::new();
/// for _ in 0..1300 {
///     draws.extend(chain.draw().expect("a draw").0);
/// }
/// let draws = Array::from(draws[300..].to_vec()).reshape([1000, 1]);
/// let rates = target.constrain_each(&draws)?;
/// assert!((rates["rate"].mean().item::<f64>()? - 1.5).abs() < 0.2);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone)]
pub struct NutsRs {
    program: Arc<Compiled<Array, (Array, Array)>>,
    start: Vec<f64>,
    dtype: DType,
}

impl<T: Tree + Clone> Target<T> {
    /// For the samplers of nuts-rs; of the feature `nuts-rs`. Numbers cross as `f64`, whatever the
    /// density computes in.
    ///
    /// # Errors
    /// What compiling the density and its gradient gives.
    #[track_caller]
    pub fn to_nuts_rs(&self) -> Result<NutsRs> {
        with_location(here(), || {
            let start = self.start();
            let density = value_and_grad(|z: Array| self.log_density(&z));
            Ok(NutsRs {
                program: Arc::new(Compiled::new(&Cpu, density, start)?),
                dtype: start.dtype(),
                start: start.cast(DType::F64).to_vec()?,
            })
        })
    }
}

impl fmt::Debug for NutsRs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NutsRs").field("dim", &self.start.len()).finish_non_exhaustive()
    }
}

/// Why there is no density at a place.
#[derive(Debug)]
pub enum NoDensity {
    /// It is not finite there, or its gradient is not, which ends a trajectory.
    NotFinite,
    /// The program failed, which ends a run.
    Failed(Error),
}

impl fmt::Display for NoDensity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoDensity::NotFinite => write!(f, "the density or its gradient is not finite"),
            NoDensity::Failed(error) => write!(f, "{error}"),
        }
    }
}

impl error::Error for NoDensity {}

impl LogpError for NoDensity {
    fn is_recoverable(&self) -> bool {
        matches!(self, NoDensity::NotFinite)
    }
}

impl NutsRs {
    fn at(&self, position: &[f64]) -> Result<(f64, Vec<f64>)> {
        let position = Array::from(position.to_vec()).cast(self.dtype);
        let (value, slope) = self.program.call(position)?;
        Ok((value.cast(DType::F64).item()?, slope.cast(DType::F64).to_vec()?))
    }
}

impl HasDims for NutsRs {
    fn dim_sizes(&self) -> HashMap<String, u64> {
        let size = self.start.len() as u64;
        ["unconstrained_parameter", "dim"].map(|name| (name.to_string(), size)).into()
    }
}

impl CpuLogpFunc for NutsRs {
    type LogpError = NoDensity;
    type FlowParameters = ();
    type ExpandedVector = Vec<f64>;

    fn dim(&self) -> usize {
        self.start.len()
    }

    fn logp(
        &mut self,
        position: &[f64],
        gradient: &mut [f64],
    ) -> std::result::Result<f64, NoDensity> {
        let (value, slope) = self.at(position).map_err(NoDensity::Failed)?;
        if !value.is_finite() || !slope.iter().all(|x| x.is_finite()) {
            return Err(NoDensity::NotFinite);
        }
        gradient.copy_from_slice(&slope);
        Ok(value)
    }

    fn expand_vector<R: Rng + ?Sized>(
        &mut self,
        _: &mut R,
        position: &[f64],
    ) -> std::result::Result<Vec<f64>, CpuMathError> {
        Ok(position.to_vec())
    }
}

/// For [`nuts_rs::Sampler`], which has several chains: they start uniformly within 1 of the start
/// of the target, where the chains of this library look for the best of ten places.
impl Model for NutsRs {
    type Math = CpuMath<NutsRs>;

    fn math<R: Rng + ?Sized>(self: Arc<Self>, _: &mut R) -> anyhow::Result<CpuMath<NutsRs>> {
        Ok(CpuMath::new((*self).clone()))
    }

    fn init_position<R: Rng + ?Sized>(
        &self,
        rng: &mut R,
        _: u64,
        position: &mut [f64],
    ) -> std::result::Result<(), InitPositionError> {
        for (x, start) in position.iter_mut().zip(&self.start) {
            *x = start + rng.random_range(-1.0..1.0);
        }
        Ok(())
    }
}
