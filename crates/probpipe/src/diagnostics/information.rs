//! How well a model predicts what it has not seen, judged from the log-likelihood of each
//! observation under draws of its posterior: leave-one-out cross-validation and WAIC.

use super::draws::Draws;
use super::psis::{efficiency, smooth};
use super::sums::{log_sum_exp, sum, variance};
use probpipe_trace::{Array, Error, ErrorKind, Result, here};
use std::fmt;

/// By what predictions were judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// Leave-one-out cross-validation by [`loo`].
    Loo,
    /// The widely applicable information criterion by [`waic`].
    Waic,
}

impl Criterion {
    /// As it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Criterion::Loo => "loo",
            Criterion::Waic => "waic",
        }
    }
}

/// The expected log predictive density of a model for new data, as [`loo`] and [`waic`] estimate
/// it: larger is better. It prints as a small table.
#[derive(Clone, Debug)]
pub struct Elpd {
    /// How it was estimated.
    pub criterion: Criterion,
    /// The estimate: the sum over all observations.
    pub elpd: f64,
    /// Its standard error, `sqrt(n var)` over the `n` observations.
    pub se: f64,
    /// The effective number of parameters: how much better the model does on what it has seen.
    pub num_parameters: f64,
    /// What each observation gives to the sum, an `f64` array of their extents.
    pub pointwise: Array,
    /// The shape of the tail of each observation's weights, of the same extents; [`loo`] only.
    pub pareto_k: Option<Array>,
    /// Whether the estimate can be trusted. For [`loo`]: every shape is at most `min(1 - 1 /
    /// log10(S), 0.7)` with `S` draws. For [`waic`]: no variance of a log-likelihood over 0.4.
    pub reliable: bool,
    /// The summands of `elpd`, flat.
    pub(super) summands: Vec<f64>,
}

/// Leave-one-out cross-validation without leaving one out. `log_likelihood` holds `log p(y_i |
/// theta_s)` as `[chains, draws, ...]`, with observations behind the draws. Draws given all data
/// become draws given all but `y_i` by the weights `1 / p(y_i | theta_s)`, which
/// [`psis`](super::psis()) smooths: `elpd_i = log sum_s w_s p(y_i | theta_s)`.
///
/// A. Vehtari, A. Gelman and J. Gabry, "Practical Bayesian model evaluation using leave-one-out
/// cross-validation and WAIC", Statistics and Computing 27 (2017).
///
/// ```
/// use probpipe::diagnostics::{loo, waic};
/// use probpipe::prelude::*;
/// // Ten observations under draws of the mean of a normal distribution.
/// let y = normal(Key::new(0), [10]);
/// let mu = normal(Key::new(1), [2, 500, 1]) * 0.1f32.sqrt() + y.mean();
/// let log_likelihood = Normal::new(mu, 1.0).log_prob(&y);
/// assert_eq!(log_likelihood.shape(), [2, 500, 10]);
/// let (loo, waic) = (loo(&log_likelihood)?, waic(&log_likelihood)?);
/// assert!(loo.reliable && (loo.elpd - waic.elpd).abs() < 0.1);
/// assert!((loo.num_parameters - 1.0).abs() < 0.5, "there is one parameter");
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Log-likelihoods that are not floats, that have no axes for chains, draws and observations, or
/// that a trace has not computed.
#[track_caller]
pub fn loo(log_likelihood: &Array) -> Result<Elpd> {
    loo_with(log_likelihood, 1.0)
}

/// [`loo`] of draws that depend on each other: `relative_efficiency` is their effective sample
/// size, as of [`Ess::Mean`](super::Ess::Mean), over their number.
///
/// # Errors
/// As [`loo`]; an efficiency that is not positive.
#[track_caller]
pub fn loo_with(log_likelihood: &Array, relative_efficiency: f64) -> Result<Elpd> {
    efficiency("loo", relative_efficiency)?;
    let draws = observations("loo", log_likelihood)?;
    let num_draws = (draws.chains() * draws.draws()) as f64;
    let (mut summands, mut shapes, mut seen) = (Vec::new(), Vec::new(), 0.0);
    draws.each(|observation| {
        let log_likelihood = &observation.values;
        let mut weights: Vec<f64> = log_likelihood.iter().map(|l| -l).collect();
        shapes.push(smooth(&mut weights, relative_efficiency));
        for (w, l) in weights.iter_mut().zip(log_likelihood) {
            *w += l;
        }
        summands.push(log_sum_exp(&weights));
        seen += log_sum_exp(log_likelihood) - num_draws.ln();
    });
    let good = (1.0 - 1.0 / num_draws.log10()).min(0.7);
    let reliable = shapes.iter().all(|k| *k <= good);
    let pareto_k = Some(Array::from_slice(&shapes, draws.shape()));
    let elpd = sum(&summands, |x| x);
    Ok(Elpd::new(Criterion::Loo, summands, seen - elpd, draws.shape(), pareto_k, reliable))
}

/// The widely applicable information criterion, on the scale of log densities: `elpd_i = log mean_s
/// p(y_i | theta_s) - var_s log p(y_i | theta_s)`, where `log_likelihood` holds `log p(y_i |
/// theta_s)` as `[chains, draws, ...]`. [`loo`] is as easily had and says when it fails.
///
/// S. Watanabe, "Asymptotic equivalence of Bayes cross validation and widely applicable information
/// criterion in singular learning theory", Journal of Machine Learning Research 11 (2010).
///
/// # Errors
/// As [`loo`].
#[track_caller]
pub fn waic(log_likelihood: &Array) -> Result<Elpd> {
    let draws = observations("waic", log_likelihood)?;
    let num_draws = (draws.chains() * draws.draws()) as f64;
    let (mut summands, mut variances) = (Vec::new(), Vec::new());
    draws.each(|observation| {
        let spread = variance(&observation.values, 0.0);
        summands.push(log_sum_exp(&observation.values) - num_draws.ln() - spread);
        variances.push(spread);
    });
    let reliable = variances.iter().all(|v| *v <= 0.4);
    let parameters = sum(&variances, |v| v);
    Ok(Elpd::new(Criterion::Waic, summands, parameters, draws.shape(), None, reliable))
}

#[track_caller]
fn observations(what: &str, log_likelihood: &Array) -> Result<Draws> {
    let draws = Draws::read(what, log_likelihood)?;
    if draws.shape().is_empty() || draws.shape().contains(&0) {
        let ty = log_likelihood.ty()?;
        let message =
            format!("`{what}` takes log-likelihoods [chains, draws, observations...], not {ty}");
        return Err(Error::new(ErrorKind::Shape, message)
            .at(here())
            .note("they were made", Some(log_likelihood.location()))
            .help("do not sum the log-likelihood over the observations"));
    }
    Ok(draws)
}

impl Elpd {
    fn new(
        criterion: Criterion,
        summands: Vec<f64>,
        num_parameters: f64,
        shape: &[usize],
        pareto_k: Option<Array>,
        reliable: bool,
    ) -> Elpd {
        Elpd {
            criterion,
            elpd: sum(&summands, |x| x),
            se: (summands.len() as f64 * variance(&summands, 0.0)).sqrt(),
            num_parameters,
            pointwise: Array::from_slice(&summands, shape),
            pareto_k,
            reliable,
            summands,
        }
    }
}

impl fmt::Display for Elpd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        let name = self.criterion.name();
        let elpd = format!("{:.digits$}", self.elpd);
        let parameters = format!("{:.digits$}", self.num_parameters);
        let (wide, long) = (elpd.len().max(parameters.len()), name.len());
        writeln!(f, "elpd_{name}  {elpd:>wide$} ± {:.digits$}", self.se)?;
        write!(f, "p_{name:long$}     {parameters:>wide$}")?;
        if !self.reliable {
            let why = match self.criterion {
                Criterion::Loo => "some observations say too much: see `pareto_k`",
                Criterion::Waic => "some log-likelihoods vary too much: see `loo`",
            };
            write!(f, "\nnot to be trusted, {why}")?;
        }
        Ok(())
    }
}
