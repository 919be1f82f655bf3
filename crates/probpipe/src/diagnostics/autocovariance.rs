//! Autocovariances of chains: all of them for those who ask, and lag by lag for the sums of
//! [`ess`](super::ess()), which end early where chains mix.

use super::draws::{Chains, Draws};
use super::fourier::products_at_lags;
use super::sums;
use probpipe_trace::{Array, Result};

/// The autocovariances of each chain of `[chains, draws, ...]` at all lags, as an `f64` array of
/// the same shape: at lag `t` of `n` draws `sum_i (x_i - mean) (x_(i + t) - mean) / n`, with the
/// mean of the chain. All are divided by `n`, which makes them those of some process.
///
/// ```
/// use probpipe::diagnostics::{autocorrelation, autocovariance};
/// use probpipe::prelude::*;
/// let draws = array([[1.0, -1.0, 1.0, -1.0]]);
/// assert_eq!(autocovariance(&draws)?.to_vec::<f64>()?, [1.0, -0.75, 0.5, -0.25]);
/// assert_eq!(autocorrelation(&draws)?.shape(), [1, 4]);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Draws that are not floats, that have no axes for chains and draws, or that a trace has not
/// computed.
#[track_caller]
pub fn autocovariance(draws: &Array) -> Result<Array> {
    let draws = Draws::read("autocovariance", draws)?;
    let extents = [draws.chains(), draws.draws()];
    Ok(draws.numbers_first(extents, |chains| chains.each().flat_map(of_chain).collect()))
}

/// The autocovariances divided by that at lag zero, of the same shape; NaN for a chain that does
/// not move.
///
/// # Errors
/// As [`autocovariance`].
#[track_caller]
pub fn autocorrelation(draws: &Array) -> Result<Array> {
    let draws = Draws::read("autocorrelation", draws)?;
    let extents = [draws.chains(), draws.draws()];
    let of = |chain: &[f64]| {
        let covariances = of_chain(chain);
        let variance = covariances[0];
        covariances.into_iter().map(move |x| x / variance)
    };
    Ok(draws.numbers_first(extents, |chains| chains.each().flat_map(of).collect()))
}

fn of_chain(chain: &[f64]) -> Vec<f64> {
    let one = Chains { values: chain.to_vec(), draws: chain.len() };
    let mut lags = Autocovariances::new(&one);
    (0..chain.len()).map(|lag| lags.at(lag)).collect()
}

/// Lags of long chains that are summed one by one. A chain that needs more of them needs many.
const NEAR: usize = 64;

/// Chains of which all lags are summed one by one.
const SHORT: usize = 256;

/// The mean over chains of their autocovariances, lag by lag.
pub(super) struct Autocovariances {
    /// Draws without the means of their chains.
    centred: Chains,
    /// All lags, once one that is not near was asked for.
    all: Option<Vec<f64>>,
}

impl Autocovariances {
    pub fn new(chains: &Chains) -> Autocovariances {
        let centre = |chain: &[f64]| {
            let mean = sums::mean(chain);
            chain.iter().map(|x| x - mean).collect::<Vec<f64>>()
        };
        let values = chains.each().flat_map(centre).collect();
        Autocovariances { centred: Chains { values, draws: chains.draws }, all: None }
    }

    /// At a lag below the number of draws.
    pub fn at(&mut self, lag: usize) -> f64 {
        let number = (self.centred.draws * self.centred.count()) as f64;
        if self.centred.draws > SHORT && lag >= NEAR {
            let all = self
                .all
                .get_or_insert_with(|| products_at_lags(&self.centred.each().collect::<Vec<_>>()));
            return all[lag] / number;
        }
        self.centred.each().map(|chain| sums::dot(chain, &chain[lag..])).sum::<f64>() / number
    }
}
