//! The gradients of `posteriors` as a careful person would write them in Rust: derivatives worked
//! out on paper, one loop over the data, eight rows at a time, no allocation. They are the limit
//! that compiled programs are held against. The work is that of the model, a term for every row of
//! data: no statistics of the data taken beforehand, no products in the place of sums of
//! logarithms.

use crate::posteriors::RATE;
use crate::simd::{Job, LANES, Lanes, widest};
use std::f64::consts::PI;

/// Where steps along the gradient lead.
#[derive(Clone, Debug, PartialEq)]
pub struct Climbed {
    /// The last point.
    pub q: Vec<f64>,
    /// The sum of the log densities at the points before it.
    pub total: f64,
    /// The last gradient, at the point before the last.
    pub gradient: Vec<f64>,
}

/// A log density and its gradient.
trait Density {
    /// The log density at `q`; its gradient goes to `g`, of the same length. It must be
    /// `#[inline(always)]`, and have no closures, to be compiled for the lanes' instructions.
    fn at<L: Lanes>(&mut self, q: &[f64], g: &mut [f64]) -> f64;
}

struct Climb<'a, D> {
    density: D,
    start: &'a [f64],
    steps: usize,
}

impl<D: Density> Job for Climb<'_, D> {
    type Output = Climbed;

    #[inline(always)]
    fn run<L: Lanes>(mut self) -> Climbed {
        let mut q = self.start.to_vec();
        let mut gradient = vec![0.0; q.len()];
        let mut total = 0.0;
        for _ in 0..self.steps {
            total += self.density.at::<L>(&q, &mut gradient);
            for i in 0..q.len() {
                q[i] += gradient[i] * RATE;
            }
        }
        Climbed { q, total, gradient }
    }
}

macro_rules! climbs {
    ($($(#[$doc:meta])* $name:ident $density:ident;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(x: &[&[f64]], steps: usize) -> Climbed {
                widest(Climb { density: $density::new(&x[1..]), start: x[0], steps })
            }
        )*
    };
}

climbs! {
    /// The workload `eight_schools`: of the start, `y` and `sigma`.
    eight_schools EightSchools;
    /// The workload `kidscore`: of the start, `kid_score`, `mom_hs` and `mom_iq`.
    kidscore Kidscore;
    /// The workload `arK`: of the start and `y`.
    ar_k ArK;
    /// The workload `nes_logit`: of the start, `income` and `vote`.
    nes_logit NesLogit;
    /// The workload `garch11`: of the start, `y` and `sigma1`.
    garch11 Garch11;
}

/// `log(2 pi) / 2`.
const HALF_LOG_2PI: f64 = 0.918_938_533_204_672_8;

/// A Cauchy density at `e^s` with the Jacobian of the exponential, and the derivative in `s`.
#[inline(always)]
fn log_cauchy(sigma: f64, log_sigma: f64, scale: f64) -> (f64, f64) {
    let ratio = (sigma / scale) * (sigma / scale);
    let value = log_sigma - (PI * scale).ln() - ratio.ln_1p();
    (value, 1.0 - 2.0 * ratio / (1.0 + ratio))
}

/// Each of the first numbers in all lanes.
#[inline(always)]
fn splat<L: Lanes, const N: usize>(q: &[f64]) -> [L; N] {
    let mut lanes = [L::splat(0.0); N];
    for k in 0..N {
        lanes[k] = L::splat(q[k]);
    }
    lanes
}

/// A column, and eight zeros behind it, so that the last eight rows need no care.
fn padded(column: &[f64]) -> Vec<f64> {
    column.iter().copied().chain([0.0; LANES]).collect()
}

/// Does the same for every eight of `n` rows: where they begin, and ones for those that there are.
macro_rules! each_eight {
    ($n:expr, |$i:ident, $there:ident| $body:block) => {
        let n = $n;
        let whole = n - n % LANES;
        let mut $i = 0;
        while $i < whole {
            let $there = L::splat(1.0);
            $body
            $i += LANES;
        }
        if whole < n {
            let $there = L::first(n - whole);
            $body
        }
    };
}

/// `theta = mu + tau z`, `y ~ N(theta, sigma)`.
struct EightSchools {
    y: [f64; LANES],
    inverse_sigma: [f64; LANES],
    constant: f64,
}

impl EightSchools {
    fn new(data: &[&[f64]]) -> EightSchools {
        let (y, sigma) = (data[0], data[1]);
        let logs: f64 = sigma.iter().map(|s| s.ln()).sum();
        EightSchools {
            y: std::array::from_fn(|i| y[i]),
            inverse_sigma: std::array::from_fn(|i| 1.0 / sigma[i]),
            constant: -17.0 * HALF_LOG_2PI - logs - 5f64.ln(),
        }
    }
}

impl Density for EightSchools {
    #[inline(always)]
    fn at<L: Lanes>(&mut self, q: &[f64], g: &mut [f64]) -> f64 {
        let (z, mu, log_tau) = (L::at(q, 0), q[8], q[9]);
        let tau = log_tau.exp();
        let (y, inverse) = (L::load(&self.y), L::load(&self.inverse_sigma));
        let residual = y.sub(z.fma(L::splat(tau), L::splat(mu))).mul(inverse);
        let scaled = residual.mul(inverse);
        let mut gz = [0.0; LANES];
        scaled.fma(L::splat(tau), L::splat(0.0).sub(z)).store(&mut gz);
        g[..LANES].copy_from_slice(&gz);
        g[8] = scaled.sum() - mu / 25.0;
        let (prior, slope) = log_cauchy(tau, log_tau, 5.0);
        g[9] = scaled.mul(z).sum() * tau + slope;
        let squares = z.fma(z, residual.mul(residual)).sum();
        -0.5 * (squares + mu * mu / 25.0) + self.constant + prior
    }
}

/// `kid_score ~ N(b0 + b1 hs + b2 iq + b3 hs iq, sigma)`.
struct Kidscore {
    rows: usize,
    score: Vec<f64>,
    hs: Vec<f64>,
    iq: Vec<f64>,
}

impl Kidscore {
    fn new(data: &[&[f64]]) -> Kidscore {
        let [score, hs, iq] = [0, 1, 2].map(|k| padded(data[k]));
        Kidscore { rows: data[0].len(), score, hs, iq }
    }
}

impl Density for Kidscore {
    #[inline(always)]
    fn at<L: Lanes>(&mut self, q: &[f64], g: &mut [f64]) -> f64 {
        let n = self.rows;
        let b = splat::<L, 4>(q);
        // Sums of the residuals' squares, of the residuals, and of them times each column.
        let mut sums = [L::splat(0.0); 5];
        each_eight!(n, |i, there| {
            let (y, hs) = (L::at(&self.score, i), L::at(&self.hs, i));
            let iq = L::at(&self.iq, i);
            let mean = hs.fma(b[3], b[2]).fma(iq, hs.fma(b[1], b[0]));
            let r = y.sub(mean).mul(there);
            let r_iq = r.mul(iq);
            sums[0] = r.fma(r, sums[0]);
            sums[1] = sums[1].add(r);
            sums[2] = r.fma(hs, sums[2]);
            sums[3] = sums[3].add(r_iq);
            sums[4] = r_iq.fma(hs, sums[4]);
        });
        let log_sigma = q[4];
        let sigma = log_sigma.exp();
        let precision = 1.0 / (sigma * sigma);
        for k in 0..4 {
            g[k] = sums[k + 1].sum() * precision;
        }
        let squares = sums[0].sum() * precision;
        let (prior, slope) = log_cauchy(sigma, log_sigma, 2.5);
        g[4] = squares - n as f64 + slope;
        -0.5 * squares - n as f64 * (log_sigma + HALF_LOG_2PI) + prior
    }
}

/// `y[t] ~ N(alpha + sum_k beta_k y[t - k], sigma)`.
struct ArK {
    rows: usize,
    y: Vec<f64>,
}

impl ArK {
    fn new(data: &[&[f64]]) -> ArK {
        ArK { rows: data[0].len() - 5, y: padded(data[0]) }
    }
}

impl Density for ArK {
    #[inline(always)]
    fn at<L: Lanes>(&mut self, q: &[f64], g: &mut [f64]) -> f64 {
        let n = self.rows;
        let b = splat::<L, 6>(q);
        let mut squares = L::splat(0.0);
        let mut sums = [L::splat(0.0); 6];
        each_eight!(n, |i, there| {
            // The value itself, and those one to five steps back.
            let mut y = [L::splat(0.0); 6];
            for (k, back) in y.iter_mut().enumerate() {
                *back = L::at(&self.y, i + 5 - k);
            }
            let far = y[1].fma(b[1], y[2].fma(b[2], b[0]));
            let near = y[3].fma(b[3], y[4].fma(b[4], y[5].mul(b[5])));
            let r = y[0].sub(far.add(near)).mul(there);
            squares = r.fma(r, squares);
            sums[0] = sums[0].add(r);
            for k in 1..6 {
                sums[k] = r.fma(y[k], sums[k]);
            }
        });
        let log_sigma = q[6];
        let sigma = log_sigma.exp();
        let precision = 1.0 / (sigma * sigma);
        let mut prior = 0.0;
        for k in 0..6 {
            g[k] = sums[k].sum() * precision - q[k] / 100.0;
            prior += q[k] * q[k];
        }
        let squares = squares.sum() * precision;
        let (cauchy, slope) = log_cauchy(sigma, log_sigma, 2.5);
        g[6] = squares - n as f64 + slope;
        let constant = -6.0 * (HALF_LOG_2PI + 10f64.ln());
        -0.5 * (squares + prior / 100.0) - n as f64 * (log_sigma + HALF_LOG_2PI) + cauchy + constant
    }
}

/// `vote ~ Bernoulli(logistic(alpha + beta income))`.
struct NesLogit {
    rows: usize,
    income: Vec<f64>,
    vote: Vec<f64>,
}

impl NesLogit {
    fn new(data: &[&[f64]]) -> NesLogit {
        NesLogit { rows: data[0].len(), income: padded(data[0]), vote: padded(data[1]) }
    }
}

impl Density for NesLogit {
    #[inline(always)]
    fn at<L: Lanes>(&mut self, q: &[f64], g: &mut [f64]) -> f64 {
        let (alpha, beta) = (L::splat(q[0]), L::splat(q[1]));
        let (zero, one) = (L::splat(0.0), L::splat(1.0));
        let [mut value, mut ga, mut gb] = [zero; 3];
        each_eight!(self.rows, |i, there| {
            let (x, y) = (L::at(&self.income, i), L::at(&self.vote, i));
            let z = x.fma(beta, alpha);
            let e = zero.sub(z.abs()).exp_negative();
            // softplus z = max(z, 0) + log(1 + e), logistic z = (1 or e) / (1 + e).
            let p = z.where_less(zero, e, one).div(one.add(e));
            let r = y.sub(p).mul(there);
            ga = ga.add(r);
            gb = r.fma(x, gb);
            let log_density = y.fma(z, zero.sub(z.max(zero))).sub(e.log1p_unit());
            value = log_density.fma(there, value);
        });
        g[0] = ga.sum();
        g[1] = gb.sum();
        value.sum()
    }
}

/// `y[t] ~ N(mu, sqrt(h[t]))`, `h[t] = alpha0 + alpha1 (y[t-1] - mu)^2 + beta1 h[t-1]`.
struct Garch11<'a> {
    y: &'a [f64],
    h1: f64,
    /// The deviations, the variances, and the derivative of the density in each variance. All are
    /// longer than the data by eight ones, so that the last eight need no care.
    r: Vec<f64>,
    h: Vec<f64>,
    w: Vec<f64>,
}

impl<'a> Garch11<'a> {
    fn new(data: &[&'a [f64]]) -> Garch11<'a> {
        let room = || vec![1.0; data[0].len() + LANES];
        Garch11 { y: data[0], h1: data[1][0] * data[1][0], r: room(), h: room(), w: room() }
    }
}

#[inline(always)]
fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Density for Garch11<'_> {
    #[inline(always)]
    fn at<L: Lanes>(&mut self, q: &[f64], g: &mut [f64]) -> f64 {
        let n = self.y.len();
        let (mu, alpha0) = (q[0], q[1].exp());
        let (alpha1, share) = (logistic(q[2]), logistic(q[3]));
        let left = 1.0 - alpha1;
        let beta1 = left * share;
        let (zero, one) = (L::splat(0.0), L::splat(1.0));
        let (r, h, w) =
            (&mut self.r[..n + LANES], &mut self.h[..n + LANES], &mut self.w[..n + LANES]);
        // What the recursion adds at each step depends on no other step.
        for t in 0..n {
            r[t] = self.y[t] - mu;
            w[t] = (r[t] * r[t]).mul_add(alpha1, alpha0);
        }
        let mut variance = self.h1;
        h[0] = variance;
        for t in 1..n {
            variance = variance.mul_add(beta1, w[t - 1]);
            h[t] = variance;
        }
        // -log h / 2 - r^2 / 2h, and its derivatives in h and in mu.
        let [mut value, mut slope] = [zero; 2];
        each_eight!(n, |t, there| {
            let (v, r) = (L::at(h, t), L::at(r, t));
            let inverse = one.div(v);
            let scaled = r.mul(inverse);
            let square = r.mul(scaled);
            value = v.log().add(square).fma(there, value);
            slope = scaled.fma(there, slope);
            let mut derivative = [0.0; LANES];
            let half = inverse.mul(L::splat(0.5)).mul(there);
            square.sub(one).mul(half).store(&mut derivative);
            w[t..t + LANES].copy_from_slice(&derivative);
        });
        // Backwards: the derivative in h[t] also by way of h[t + 1].
        let mut adjoint = 0.0;
        for t in (1..n).rev() {
            adjoint = beta1.mul_add(adjoint, w[t]);
            w[t] = adjoint;
        }
        let [mut d_mu, mut d0, mut d1, mut d_beta] = [zero; 4];
        each_eight!(n - 1, |t, there| {
            let (a, r) = (L::at(w, t + 1).mul(there), L::at(r, t));
            let ar = a.mul(r);
            d0 = d0.add(a);
            d_mu = d_mu.add(ar);
            d1 = ar.fma(r, d1);
            d_beta = a.fma(L::at(h, t), d_beta);
        });
        let (d0, d1, d_beta) = (d0.sum(), d1.sum(), d_beta.sum());
        g[0] = slope.sum() - 2.0 * alpha1 * d_mu.sum();
        g[1] = d0 * alpha0 + 1.0;
        // beta1 = (1 - alpha1) share, so alpha1 moves both, and the Jacobian.
        let d_alpha1 = d1 - share * d_beta - 1.0 / left;
        g[2] = d_alpha1 * alpha1 * left + (1.0 - 2.0 * alpha1);
        g[3] = d_beta * left * share * (1.0 - share) + (1.0 - 2.0 * share);
        let jacobian = q[1] + (alpha1 * left).ln() + left.ln() + (share * (1.0 - share)).ln();
        -0.5 * value.sum() - n as f64 * HALF_LOG_2PI + jacobian
    }
}
