//! Monte Carlo standard errors: how far estimates from these draws may be from those of endlessly
//! many.

use super::draws::{Chains, Draws, probability};
use super::ess::Ess;
use super::moments::sorted;
use super::sums;
use probpipe_trace::{Array, Result, SpecialOp};

/// What a Monte Carlo standard error is of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Mcse {
    /// The mean.
    #[default]
    Mean,
    /// The standard deviation.
    Sd,
    /// The median.
    Median,
    /// The quantile at a probability.
    Quantile(f64),
}

/// The Monte Carlo standard error of an estimate from draws `[chains, draws, ...]`, as an `f64`
/// array `[...]`, with the effective sample size `N` of [`ess`](super::ess()) for that estimate.
///
/// Of the mean it is `sd / sqrt(N)`; of the standard deviation `sqrt((m4 - m2^2) / (4 m2 N))` with
/// the central moments `m2` and `m4` (by the delta method); of the quantile at `p` half of the
/// distance between the draws at the orders where a beta distribution of parameters `N p + 1` and
/// `N (1 - p) + 1` has its quantiles at 0.1587 and 0.8413, one normal standard deviation to each
/// side. NaN for fewer than four draws and where one is NaN.
///
/// Vehtari, Gelman, Simpson, Carpenter and Bürkner, "Rank-normalization, folding, and localization:
/// an improved R-hat for assessing convergence of MCMC", Bayesian Analysis 16 (2021), section 4.
///
/// ```
/// use probpipe::diagnostics::{Mcse, mcse};
/// use probpipe::prelude::*;
/// let draws = normal(Key::new(0), [4, 2500]);
/// let error = mcse(&draws, Mcse::Mean)?.item::<f64>()?;
/// assert!((error - 0.01).abs() < 0.001, "1 / sqrt(10000), not {error}");
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Draws that are not floats, that have no axes for chains and draws, or that a trace has not
/// computed; a probability outside of 0 to 1.
#[track_caller]
pub fn mcse(draws: &Array, of: Mcse) -> Result<Array> {
    if let Mcse::Quantile(p) = of {
        probability("`Mcse::Quantile`", p)?;
    }
    Ok(Draws::read("mcse", draws)?.number(|chains| of.value(chains)))
}

impl Mcse {
    pub(super) fn value(self, chains: &Chains) -> f64 {
        if chains.unfit(1) {
            return f64::NAN;
        }
        match self {
            Mcse::Mean => {
                let sd = sums::variance(&chains.values, 1.0).sqrt();
                sd / Ess::Mean.value(chains).sqrt()
            }
            Mcse::Sd => of_sd(chains),
            Mcse::Median => of_quantile(chains, 0.5),
            Mcse::Quantile(p) => of_quantile(chains, p),
        }
    }
}

fn of_sd(chains: &Chains) -> f64 {
    let mean = sums::mean(&chains.values);
    // In proportion, for fourth powers overflow.
    let Some((far, size)) = chains.map(|x| x - mean).in_proportion() else { return f64::NAN };
    let moment = |power| sums::sum(&far.values, |x| x.powi(power)) / far.values.len() as f64;
    let (second, fourth) = (moment(2), moment(4));
    size * ((fourth - second * second) / (4.0 * second * Ess::Sd.value(chains))).sqrt()
}

fn of_quantile(chains: &Chains, p: f64) -> f64 {
    /// `ndtr(-1)`.
    const BELOW: f64 = 0.1586553;
    let size = Ess::Quantile(p).value(chains);
    let sorted = sorted(&chains.values);
    let last = (sorted.len() - 1) as f64;
    let (a, b) = (size * p + 1.0, size * (1.0 - p) + 1.0);
    let place = |q| SpecialOp::Betaincinv.value([a, b, q]) * sorted.len() as f64 - 1.0;
    // NaN, which a beta distribution that is too narrow gives, becomes the first draw or the last.
    let low = place(BELOW).max(0.0).min(last).floor();
    let high = place(1.0 - BELOW).min(last).max(0.0).ceil();
    (sorted[high as usize] - sorted[low as usize]) / 2.0
}
