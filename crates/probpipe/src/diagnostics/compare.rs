//! Models in the order in which they predict, with weights for predicting by all of them.

use super::information::{Criterion, Elpd};
use super::sums::{log_sum_exp, variance};
use super::table;
use probpipe_trace::{Error, ErrorKind, Result, here};
use std::fmt;

/// How models are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weighting {
    /// The weights whose mixture predicts best, `argmax sum_i log sum_k w_k exp(elpd_ik)`. Models
    /// that predict alike share what one of them would have.
    #[default]
    Stacking,
    /// In proportion to `exp(elpd_k)`, each model alone.
    PseudoBma,
}

/// A model among others.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// Its expected log predictive density.
    pub elpd: f64,
    /// The standard error of that.
    pub se: f64,
    /// Its effective number of parameters.
    pub num_parameters: f64,
    /// By how much its density is below that of the best model, whose own is 0.
    pub elpd_diff: f64,
    /// The standard error of the difference, from the differences for each observation.
    pub diff_se: f64,
    /// Its weight. All weights sum to 1.
    pub weight: f64,
    /// Whether its density can be trusted.
    pub reliable: bool,
}

/// Models from the best to the worst, as [`compare`] gives them. It prints as a table.
#[derive(Clone, Debug)]
pub struct Comparison {
    criterion: Criterion,
    models: Vec<Compared>,
}

/// Compares models by their densities for the same observations, all by [`loo`](super::loo()) or
/// all by [`waic`](super::waic()). A difference of a few standard errors is one; below four it is
/// small whatever its error.
///
/// Y. Yao, A. Vehtari, D. Simpson and A. Gelman, "Using stacking to average Bayesian predictive
/// distributions", Bayesian Analysis 13 (2018).
///
/// ```
/// use probpipe::diagnostics::{Weighting, compare, loo};
/// use probpipe::prelude::*;
/// let y = normal(Key::new(0), [20]) + 1.0;
/// let mu = normal(Key::new(1), [2, 200, 1]) * 0.2 + y.mean();
/// let free = loo(&Normal::new(&mu, 1.0).log_prob(&y))?;
/// let at_zero = loo(&Normal::new(mu * 0.0, 1.0).log_prob(&y))?;
/// let ranking = compare(&[("at zero", &at_zero), ("free", &free)], Weighting::Stacking)?;
/// assert_eq!(ranking.models()[0].name, "free");
/// assert!(ranking.get("at zero").is_some_and(|m| m.elpd_diff > m.diff_se));
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// No models, or two of one name; numbers of observations that differ; densities that are not
/// finite; [`loo`](super::loo()) beside [`waic`](super::waic()).
#[track_caller]
pub fn compare(models: &[(&str, &Elpd)], weighting: Weighting) -> Result<Comparison> {
    let location = here();
    let refuse = |message: String, help: &str| {
        Err(Error::new(ErrorKind::Value, message).at(location).help(help))
    };
    let Some(&(first, model)) = models.first() else {
        return refuse("`compare` of no models".to_string(), "give each with its name");
    };
    for (i, &(name, elpd)) in models.iter().enumerate() {
        if models[..i].iter().any(|(other, _)| *other == name) {
            return refuse(format!("two models are called `{name}`"), "give each its own name");
        }
        let (have, want) = (elpd.summands.len(), model.summands.len());
        if have != want {
            let message = format!("`{first}` has {want} observations and `{name}` has {have}");
            return refuse(message, "models are compared by the same observations");
        }
        if elpd.criterion != model.criterion {
            let (have, want) = (elpd.criterion.name(), model.criterion.name());
            let message = format!("`{first}` was judged by {want} and `{name}` by {have}");
            return refuse(message, "judge all models alike");
        }
        if !elpd.elpd.is_finite() {
            let message = format!("the log predictive density of `{name}` is {}", elpd.elpd);
            return refuse(message, "look at its `pointwise`: some log-likelihood is not finite");
        }
    }
    let mut order: Vec<(&str, &Elpd)> = models.to_vec();
    order.sort_by(|a, b| b.1.elpd.total_cmp(&a.1.elpd));
    let best = order[0].1;
    let weights = match weighting {
        Weighting::Stacking => {
            let summands: Vec<&[f64]> = order.iter().map(|(_, e)| &e.summands[..]).collect();
            stacking(&summands)
        }
        Weighting::PseudoBma => {
            let densities: Vec<f64> = order.iter().map(|(_, e)| e.elpd).collect();
            let total = log_sum_exp(&densities);
            densities.iter().map(|x| (x - total).exp()).collect()
        }
    };
    let row = |(&(name, elpd), weight): (&(&str, &Elpd), f64)| {
        let pairs = best.summands.iter().zip(&elpd.summands);
        let differences: Vec<f64> = pairs.map(|(b, e)| b - e).collect();
        Compared {
            name: name.to_string(),
            elpd: elpd.elpd,
            se: elpd.se,
            num_parameters: elpd.num_parameters,
            elpd_diff: best.elpd - elpd.elpd,
            diff_se: (differences.len() as f64 * variance(&differences, 0.0)).sqrt(),
            weight,
            reliable: elpd.reliable,
        }
    };
    let models = order.iter().zip(weights).map(row).collect();
    Ok(Comparison { criterion: model.criterion, models })
}

impl Comparison {
    /// The models, the best first.
    pub fn models(&self) -> &[Compared] {
        &self.models
    }

    /// The model of this name.
    pub fn get(&self, name: &str) -> Option<&Compared> {
        self.models.iter().find(|m| m.name == name)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.criterion.name();
        let head = ["", &format!("elpd_{name}"), "se", &format!("p_{name}"), "elpd_diff"];
        let mut rows = vec![[&head[..], &["diff_se", "weight", ""]].concat()];
        let digits = f.precision().unwrap_or(2);
        let cells: Vec<[String; 8]> = self
            .models
            .iter()
            .map(|m| {
                let number = |x: f64| format!("{x:.digits$}");
                let doubt = if m.reliable { "" } else { "not to be trusted" };
                [
                    m.name.clone(),
                    number(m.elpd),
                    number(m.se),
                    number(m.num_parameters),
                    number(m.elpd_diff),
                    number(m.diff_se),
                    number(m.weight),
                    doubt.to_string(),
                ]
            })
            .collect();
        rows.extend(cells.iter().map(|row| row.iter().map(String::as_str).collect()));
        f.write_str(&table::aligned(&rows))
    }
}

/// The weights of the mixture that predicts best, from the log densities of each model for each
/// observation. The logarithm of a sum that is linear in the weights makes it concave; since the
/// mixture grows as its weights do, that they sum to 1 is the same as a price of 1 for each (the
/// multiplier at the maximum). A barrier `b sum_k log w_k` that gives way keeps them positive, and
/// Newton's steps go to the maximum for each (Boyd and Vandenberghe, "Convex Optimization", 2004,
/// section 11.3).
fn stacking(log_densities: &[&[f64]]) -> Vec<f64> {
    let models = log_densities.len();
    // Densities of an observation up to a factor; one that no model can explain says nothing.
    let observations = (0..log_densities[0].len()).filter_map(|i| {
        let row: Vec<f64> = log_densities.iter().map(|d| d[i]).collect();
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest.is_finite().then(|| row.iter().map(|d| (d - largest).exp()).collect())
    });
    let densities: Vec<Vec<f64>> = observations.collect();
    let n = densities.len() as f64;
    let mixture = |p: &[f64], w: &[f64]| -> f64 { p.iter().zip(w).map(|(p, w)| p * w).sum() };
    let value = |w: &[f64], barrier: f64| {
        let predicted: f64 = densities.iter().map(|p| mixture(p, w).ln()).sum();
        let kept: f64 = w.iter().map(|w| barrier * w.ln() - w).sum();
        predicted / n + kept
    };
    let mut w = vec![1.0 / models as f64; models];
    for power in 1..=12 {
        let barrier = 0.1f64.powi(power);
        for _ in 0..50 {
            let mut gradient: Vec<f64> = w.iter().map(|w| barrier / w - 1.0).collect();
            let mut curvature = vec![vec![0.0; models]; models];
            for (k, row) in curvature.iter_mut().enumerate() {
                row[k] = barrier / (w[k] * w[k]);
            }
            for p in &densities {
                let total = mixture(p, &w);
                for k in 0..models {
                    let share = p[k] / total / n;
                    gradient[k] += share;
                    for j in 0..models {
                        curvature[k][j] += share * p[j] / total;
                    }
                }
            }
            let step = solve(curvature, &gradient);
            let gain: f64 = step.iter().zip(&gradient).map(|(s, g)| s * g).sum();
            // Halved until it leads upwards, inside.
            let before = value(&w, barrier);
            let found = (0..60).map(|k| 0.5f64.powi(k)).find_map(|size| {
                let next: Vec<f64> = w.iter().zip(&step).map(|(w, s)| w + size * s).collect();
                let inside = next.iter().all(|w| *w > 0.0);
                (inside && value(&next, barrier) >= before + 1e-4 * size * gain).then_some(next)
            });
            match found {
                Some(next) if gain > 1e-15 => w = next,
                _ => break,
            }
        }
    }
    w.iter_mut().filter(|w| **w < 1e-9).for_each(|w| *w = 0.0);
    let total: f64 = w.iter().sum();
    w.iter().map(|w| w / total).collect()
}

/// Solves `a x = b` for a positive definite matrix by Cholesky's factors.
fn solve(mut a: Vec<Vec<f64>>, b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut x = b.to_vec();
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let rest = a[i][j] - known;
            a[i][j] = if i == j { rest.sqrt() } else { rest / a[j][j] };
        }
        let known: f64 = (0..i).map(|k| a[i][k] * x[k]).sum();
        x[i] = (x[i] - known) / a[i][i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| a[k][i] * x[k]).sum();
        x[i] = (x[i] - known) / a[i][i];
    }
    x
}
