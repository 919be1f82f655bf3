//! Effective sample sizes: how many independent draws would tell as much.

use super::autocovariance::Autocovariances;
use super::draws::{Chains, Draws, probability};
use super::moments::{median, quantile, sorted};
use super::ranks::{fold, z_scale};
use super::sums;
use probpipe_trace::{Array, Error, ErrorKind, Result, here};

/// What the draws of an effective sample size are to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ess {
    /// Where the bulk of the distribution lies: the normal quantiles at the ranks of draws. It is
    /// defined where the distribution has no mean. The one to look at, with [`Ess::Tail`].
    #[default]
    Bulk,
    /// The tails: the smaller of those of the quantiles at 0.05 and 0.95.
    Tail,
    /// The mean.
    Mean,
    /// The standard deviation: squared distances from the mean.
    Sd,
    /// The median.
    Median,
    /// The median of the distances from the median.
    Mad,
    /// The quantile at a probability: which draws lie at or below it.
    Quantile(f64),
    /// The probability between two quantiles, at a lower and a higher probability.
    Local(f64, f64),
    /// The same as [`Ess::Bulk`], by its other name.
    ZScale,
    /// Normal quantiles at the ranks of the distances from the median.
    Folded,
    /// The mean, by whole chains instead of halves.
    Identity,
}

/// The effective sample size of draws `[chains, draws, ...]`, as an `f64` array `[...]`: the number
/// of all draws over `1 + 2 sum_t rho_t`, the time over which chains forget. The correlation at a
/// lag is taken from all chains together, `rho_t = 1 - (W - mean of autocovariances) / V`, where
/// `W` is the variance within chains and `V` the one that counts differences between them, as in
/// [`r_hat`](super::r_hat()), so chains that disagree count little. The sum ends where the sum of
/// two neighbours would be negative, and sums of two do not rise (Geyer 1992, initial monotone
/// sequence). Chains that alternate may give more than the number of draws, but no more than
/// `log10` of it times that. All variants but [`Ess::Identity`] take halves of chains for chains.
///
/// Estimates are to be trusted above 100 per chain. The number of draws where all are equal; NaN
/// for fewer than four draws and where one is NaN.
///
/// Vehtari, Gelman, Simpson, Carpenter and Bürkner, "Rank-normalization, folding, and localization:
/// an improved R-hat for assessing convergence of MCMC", Bayesian Analysis 16 (2021).
///
/// ```
/// use probpipe::diagnostics::{Ess, ess};
/// use probpipe::prelude::*;
/// // Each draw is half of the one before, and noise.
/// let noise = normal(Key::new(1), [1000, 4, 2]);
/// let step = |x: Array, e: Array| (&x * 0.5 + &e, x * 0.5 + e);
/// let draws = scan(zeros([4, 2]), noise, step).1.swap_axes(0, 1);
/// let sizes = ess(&draws, Ess::Mean)?.to_vec::<f64>()?;
/// assert!(sizes.iter().all(|n| (1000.0..1800.0).contains(n)), "a third of 4000: {sizes:?}");
/// assert_eq!(ess(&draws, Ess::Tail)?.shape(), [2]);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Draws that are not floats, that have no axes for chains and draws, or that a trace has not
/// computed; probabilities outside of 0 to 1, or in the wrong order.
#[track_caller]
pub fn ess(draws: &Array, of: Ess) -> Result<Array> {
    match of {
        Ess::Quantile(p) => probability("`Ess::Quantile`", p)?,
        Ess::Local(low, high) => {
            probability("`Ess::Local`", low)?;
            probability("`Ess::Local`", high)?;
            if low >= high {
                let message = format!("`Ess::Local` between {low} and {high} holds nothing");
                let error = Error::new(ErrorKind::Value, message).at(here());
                return Err(error.help("the lower probability comes first"));
            }
        }
        _ => {}
    }
    Ok(Draws::read("ess", draws)?.number(|chains| of.value(chains)))
}

impl Ess {
    pub(super) fn value(self, chains: &Chains) -> f64 {
        if chains.unfit(1) {
            return f64::NAN;
        }
        let values = &chains.values;
        let where_true =
            |f: &dyn Fn(f64) -> bool| effective(&chains.map(|x| f64::from(u8::from(f(x)))).split());
        let below = |sorted: &[f64], p: f64| {
            let at = quantile(sorted, p);
            where_true(&|x| x <= at)
        };
        match self {
            Ess::Bulk | Ess::ZScale => effective(&z_scale(&chains.split())),
            Ess::Tail => {
                let sorted = sorted(values);
                smaller(below(&sorted, 0.05), below(&sorted, 0.95))
            }
            Ess::Mean => effective(&chains.split()),
            Ess::Sd => {
                let mean = sums::mean(values);
                match chains.map(|x| x - mean).in_proportion() {
                    Some((far, _)) => effective(&far.map(|x| x * x).split()),
                    None => values.len() as f64,
                }
            }
            Ess::Median => below(&sorted(values), 0.5),
            Ess::Mad => {
                let middle = median(values);
                let spread = median(&fold(chains).values);
                where_true(&|x| (x - middle).abs() <= spread)
            }
            Ess::Quantile(p) => below(&sorted(values), p),
            Ess::Local(low, high) => {
                let sorted = sorted(values);
                let (low, high) = (quantile(&sorted, low), quantile(&sorted, high));
                where_true(&|x| low <= x && x <= high)
            }
            Ess::Folded => effective(&z_scale(&fold(&chains.split()))),
            Ess::Identity => effective(chains),
        }
    }
}

/// The smaller of two numbers, NaN if one is.
fn smaller(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() { f64::NAN } else { x.min(y) }
}

/// The effective sample size for the mean of chains as they are.
fn effective(chains: &Chains) -> f64 {
    let size = chains.values.len() as f64;
    let Some(chains) = chains.in_units() else { return size };
    let draws = chains.draws;
    let mut lags = Autocovariances::new(&chains);
    let n = draws as f64;
    let within = lags.at(0) * n / (n - 1.0);
    let means: Vec<f64> = chains.each().map(sums::mean).collect();
    let between = if means.len() > 1 { sums::variance(&means, 1.0) } else { 0.0 };
    let total = within * (n - 1.0) / n + between;
    let mut rho_at = |lag| 1.0 - (within - lags.at(lag)) / total;

    // Initial positive sequence: sums of an even lag and the one behind it.
    let (mut even, mut odd) = (1.0, rho_at(1));
    let mut rho = vec![even, odd];
    while rho.len() + 2 < draws && even + odd > 0.0 {
        (even, odd) = (rho_at(rho.len()), rho_at(rho.len() + 1));
        let positive = even + odd >= 0.0;
        rho.extend(if positive { [even, odd] } else { [0.0; 2] });
    }
    let last = rho.len() - 2;
    // An even lag alone may still count.
    if even > 0.0 {
        rho[last] = even;
    }
    // Initial monotone sequence. The last pair takes no part.
    for k in (2..last).step_by(2) {
        if rho[k] + rho[k + 1] > rho[k - 2] + rho[k - 1] {
            let half = (rho[k - 2] + rho[k - 1]) / 2.0;
            (rho[k], rho[k + 1]) = (half, half);
        }
    }
    if rho.iter().any(|r| r.is_nan()) {
        return f64::NAN;
    }
    let time = -1.0 + 2.0 * rho[..last].iter().sum::<f64>() + rho[last];
    size / time.max(1.0 / size.log10())
}
