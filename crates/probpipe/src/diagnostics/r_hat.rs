//! The potential scale reduction: whether chains tell one story.

use super::draws::{Chains, Draws};
use super::ranks::{fold, z_scale};
use super::sums;
use probpipe_trace::{Array, Result};

/// What [`r_hat`] compares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RHat {
    /// The larger of [`RHat::ZScale`] and [`RHat::Folded`]: chains that differ in place or in
    /// scale, also where variances are infinite. The one to look at.
    #[default]
    Rank,
    /// Halves of chains as they are.
    Split,
    /// Normal quantiles at the ranks of the distances from the median: differences of scale.
    Folded,
    /// Normal quantiles at the ranks: differences of place.
    ZScale,
    /// Whole chains as they are (Gelman and Rubin 1992).
    Identity,
}

/// The potential scale reduction of draws `[chains, draws, ...]`, as an `f64` array `[...]`: the
/// square root of a variance that counts differences between chains over the variance within them,
/// `sqrt((B / W + n - 1) / n)`, where `B` is `n` times the variance of the means of chains of `n`
/// draws and `W` the mean of their variances. All variants but [`RHat::Identity`] compare halves of
/// chains, so that a chain that drifts differs from itself.
///
/// It nears 1 as chains forget where they began; above 1.01 they have not mixed. NaN for a single
/// chain, for fewer than four draws, where all draws are equal and where one is NaN.
///
/// Vehtari, Gelman, Simpson, Carpenter and Bürkner, "Rank-normalization, folding, and localization:
/// an improved R-hat for assessing convergence of MCMC", Bayesian Analysis 16 (2021).
///
/// ```
/// use probpipe::diagnostics::{RHat, r_hat};
/// use probpipe::prelude::*;
/// let draws = normal(Key::new(0), [4, 500]);
/// assert!(r_hat(&draws, RHat::Rank)?.item::<f64>()? < 1.01);
/// // One chain lies elsewhere.
/// let apart = draws + array([[0.0], [0.0], [0.0], [2.0]]);
/// assert!(r_hat(&apart, RHat::Rank)?.item::<f64>()? > 1.3);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Draws that are not floats, that have no axes for chains and draws, or that a trace has not
/// computed.
#[track_caller]
pub fn r_hat(draws: &Array, of: RHat) -> Result<Array> {
    Ok(Draws::read("r_hat", draws)?.number(|chains| of.value(chains)))
}

impl RHat {
    pub(super) fn value(self, chains: &Chains) -> f64 {
        if chains.unfit(2) {
            return f64::NAN;
        }
        match self {
            RHat::Rank => {
                let split = chains.split();
                let (place, scale) = (ratio(&z_scale(&split)), ratio(&z_scale(&fold(&split))));
                // All draws may be as far from their median, which says nothing of scale.
                if scale > place { scale } else { place }
            }
            RHat::Split => ratio(&chains.split()),
            RHat::Folded => ratio(&z_scale(&fold(&chains.split()))),
            RHat::ZScale => ratio(&z_scale(&chains.split())),
            RHat::Identity => ratio(chains),
        }
    }
}

fn ratio(chains: &Chains) -> f64 {
    let Some(chains) = chains.in_units() else { return f64::NAN };
    let n = chains.draws as f64;
    let means: Vec<f64> = chains.each().map(sums::mean).collect();
    let variances: Vec<f64> = chains.each().map(|chain| sums::variance(chain, 1.0)).collect();
    let (between, within) = (n * sums::variance(&means, 1.0), sums::mean(&variances));
    ((between / within + n - 1.0) / n).sqrt()
}
