//! Log densities of five posteriors on the unconstrained scale, written as array programs from
//! their Stan programs. `peers/posteriors.py` is the same in JAX, [`by_hand`](crate::by_hand) the
//! same in Rust without us. The data are those of posteriordb, see `data/README.md`.

use probpipe::prelude::*;
use serde_json::Value;
use std::f64::consts::PI;

/// Gradients per call of a posterior's workload.
pub const STEPS: usize = 1000;
/// The part of the gradient that the point moves by: so little that any density stays finite, and
/// enough that no compiler may take the work out of the loop.
pub const RATE: f64 = 1e-6;

/// A posterior: its data and its density.
#[derive(Clone, Copy)]
pub struct Posterior {
    /// The folder of its data.
    pub name: &'static str,
    data: &'static str,
    checks: &'static str,
    columns: &'static [&'static str],
    /// The log density at a point, given the columns of the data.
    pub log_density: fn(&Array, &[Array]) -> Array,
}

impl std::fmt::Debug for Posterior {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! posterior {
    ($folder:literal, $columns:expr, $log_density:expr) => {
        Posterior {
            name: $folder,
            data: include_str!(concat!("../data/", $folder, "/data.json")),
            checks: include_str!(concat!("../data/", $folder, "/logp_check.json")),
            columns: $columns,
            log_density: $log_density,
        }
    };
}

/// Eight schools, not centered: 10 parameters.
pub const EIGHT_SCHOOLS: Posterior = posterior!("eight_schools", &["y", "sigma"], eight_schools);
/// A linear model with an interaction: 434 rows, 5 parameters.
pub const KIDSCORE: Posterior =
    posterior!("kidscore", &["kid_score", "mom_hs", "mom_iq"], kidscore);
/// An autoregressive model of order 5: 200 times, 7 parameters.
pub const AR_K: Posterior = posterior!("arK", &["y"], ar_k);
/// A logistic regression on one number: 1,179 rows, 2 parameters.
pub const NES_LOGIT: Posterior = posterior!("nes_logit", &["income", "vote"], nes_logit);
/// A GARCH(1, 1) model: 200 times one after the other, 4 parameters.
pub const GARCH11: Posterior = posterior!("garch11", &["y", "sigma1"], garch11);

/// All of them.
pub const POSTERIORS: [Posterior; 5] = [EIGHT_SCHOOLS, KIDSCORE, AR_K, NES_LOGIT, GARCH11];

/// A point, and what Stan finds there.
#[derive(Clone, Debug)]
pub struct Check {
    /// The unconstrained parameters.
    pub at: Vec<f64>,
    /// The log density.
    pub log_density: f64,
    /// Its gradient.
    pub gradient: Vec<f64>,
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the data in the repository are JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    let number = |v: &Value| v.as_f64().expect("a number");
    value.as_array().map_or_else(|| vec![number(value)], |list| list.iter().map(number).collect())
}

impl Posterior {
    /// The data, a column per name; a scalar is a column of one.
    #[must_use]
    pub fn columns(&self) -> Vec<Vec<f64>> {
        let data = json(self.data);
        self.columns.iter().map(|&name| numbers(&data[name])).collect()
    }

    /// The points that Stan was asked about.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let points = json(self.checks);
        let points = points["points"].as_array().expect("a list of points");
        let check = |p: &Value| Check {
            at: numbers(&p["unconstrained"]),
            log_density: p["log_prob_full_jac"].as_f64().expect("a number"),
            gradient: numbers(&p["grad_jac"]),
        };
        points.iter().map(check).collect()
    }

    /// Arguments of [`Posterior::climb`]: a draw of the posterior to start from, and the data.
    #[must_use]
    pub fn inputs(&self) -> Vec<Array> {
        let start = self.checks().swap_remove(0).at;
        std::iter::once(start).chain(self.columns()).map(Array::from).collect()
    }

    /// [`STEPS`] gradients in one program: the point where they lead, and the sum of the densities
    /// on the way.
    #[must_use]
    pub fn climb(&self, x: &[Array]) -> Vec<Array> {
        let (start, data) = (x[0].clone(), &x[1..]);
        let gradient = value_and_grad(|q: Array| (self.log_density)(&q, data));
        let (q, total) = fori_loop(STEPS, (start, crate::inputs::scalar(0.0)), |_, (q, total)| {
            let (value, g) = gradient(q.clone());
            (q + g * RATE, total + value)
        });
        vec![q, total]
    }
}

/// The log density of a Cauchy distribution about zero.
fn cauchy(x: &Array, scale: f64) -> Array {
    -(x / scale).square().log1p() - (PI * scale).ln()
}

/// The logarithm of the slope of the logistic function, the Jacobian of a unit interval.
fn log_slope(x: &Array) -> Array {
    -x.softplus() - (-x).softplus()
}

fn eight_schools(q: &Array, data: &[Array]) -> Array {
    let (z, mu, log_tau) = (q.slice_axis(0, 0..8), q.at(8), q.at(9));
    let tau = log_tau.exp();
    let theta = &z * &tau + &mu;
    Normal::new(0.0, 1.0).log_prob(&z).sum()
        + Normal::new(theta, &data[1]).log_prob(&data[0]).sum()
        + Normal::new(0.0, 5.0).log_prob(&mu)
        + cauchy(&tau, 5.0)
        + log_tau
}

fn kidscore(q: &Array, data: &[Array]) -> Array {
    let (score, hs, iq) = (&data[0], &data[1], &data[2]);
    let log_sigma = q.at(4);
    let sigma = log_sigma.exp();
    let mean = q.at(0) + q.at(1) * hs + q.at(2) * iq + q.at(3) * (hs * iq);
    Normal::new(mean, &sigma).log_prob(score).sum() + cauchy(&sigma, 2.5) + log_sigma
}

fn ar_k(q: &Array, data: &[Array]) -> Array {
    let y = &data[0];
    let n = y.size();
    let log_sigma = q.at(6);
    let sigma = log_sigma.exp();
    // The coefficient of the value `k` steps back.
    let mean =
        (1..=5).fold(q.at(0), |mean, k| mean + q.at(k as isize) * y.slice_axis(0, 5 - k..n - k));
    Normal::new(mean, &sigma).log_prob(&y.slice_axis(0, 5..n)).sum()
        + Normal::new(0.0, 10.0).log_prob(&q.slice_axis(0, 0..6)).sum()
        + cauchy(&sigma, 2.5)
        + log_sigma
}

fn nes_logit(q: &Array, data: &[Array]) -> Array {
    let (income, vote) = (&data[0], &data[1]);
    let z = q.at(0) + q.at(1) * income;
    (vote * &z - z.softplus()).sum()
}

fn garch11(q: &Array, data: &[Array]) -> Array {
    let (y, sigma1) = (&data[0], data[1].at(0));
    let n = y.size();
    let (mu, alpha0) = (q.at(0), q.at(1).exp());
    let alpha1 = q.at(2).sigmoid();
    let left = 1.0 - &alpha1;
    let beta1 = &left * q.at(3).sigmoid();
    let squares = (y - mu).square();
    // The variances, one after the other.
    let (_, rest) = scan(sigma1.square(), squares.slice_axis(0, 0..n - 1), |h, square| {
        let h = &alpha0 + &alpha1 * square + &beta1 * h;
        (h.clone(), h)
    });
    let h = probpipe::concat(&[sigma1.square().reshape([1]), rest], 0);
    let jacobian = q.at(1) + log_slope(&q.at(2)) + left.log() + log_slope(&q.at(3));
    (h.log() + squares / &h).sum() * -0.5 - 0.5 * n as f64 * (2.0 * PI).ln() + jacobian
}
