//! Whether a Hamiltonian sampler sees all energies that the distribution has.

use super::draws::Draws;
use super::sums;
use probpipe_trace::{Array, Result};

/// The Bayesian fraction of missing information of the energies `[chains, draws, ...]` of a
/// Hamiltonian sampler, as an `f64` array `[chains, ...]`: how much of the variance of the energy
/// one step changes, `mean (E_i - E_(i - 1))^2 / var E`. Below 0.3 momenta drawn anew do not bring
/// the chain to all energies, as with heavy tails; a change of parameters helps.
///
/// M. Betancourt, "Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo",
/// arXiv:1604.00695 (2016). NaN for a single draw and for a chain that does not move.
///
/// ```
/// use probpipe::diagnostics::bfmi;
/// use probpipe::prelude::*;
/// let independent = normal(Key::new(0), [2, 1000]);
/// // Steps are small against the way that the chain has gone.
/// let walk = independent.cumsum(1);
/// assert!(bfmi(&independent)?.to_vec::<f64>()?.iter().all(|f| *f > 1.8));
/// assert!(bfmi(&walk)?.to_vec::<f64>()?.iter().all(|f| *f < 0.3));
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Energies that are not floats, that have no axes for chains and draws, or that a trace has not
/// computed.
#[track_caller]
pub fn bfmi(energies: &Array) -> Result<Array> {
    let energies = Draws::read("bfmi", energies)?;
    let of = |chain: &[f64]| {
        let steps: Vec<f64> = chain.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let squares = sums::sum(&steps, |x| x * x) / steps.len() as f64;
        squares / sums::variance(chain, 1.0)
    };
    Ok(energies.numbers_first([energies.chains()], |chains| chains.each().map(of).collect()))
}
