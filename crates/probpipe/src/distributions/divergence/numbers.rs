//! Divergences between distributions of numbers, by pair.

use crate::distributions::terms::log_exprel;
use crate::distributions::{
    Beta, Cauchy, Chi, Chi2, ContinuousBernoulli, ExpGamma, ExpInverseGamma, Exponential, Gamma,
    Gumbel, HalfNormal, InverseGamma, KlDivergence, Kumaraswamy, Laplace, LogNormal, LogitNormal,
    Moments, Moyal, Normal, Pareto, Uniform, VonMises, Weibull,
};
use probpipe_trace::{Array, DType, betaln, select};
use std::f64::consts::{LN_2, PI};

/// Euler's constant, `-digamma(1)`.
const EULER: f64 = 0.577_215_664_901_532_9;

macro_rules! divergences {
    ($($p:ident, $q:ident: |$a:ident, $b:ident| $formula:expr;)+) => {$(
        impl KlDivergence<$q> for $p {
            fn kl_divergence(&self, q: &$q) -> Array {
                let ($a, $b) = (self, q);
                $formula
            }
        }
    )+};
}

divergences! {
    Beta, Beta: |p, q| {
        let (a, b) = (p.concentration1(), p.concentration0());
        let (c, d) = (q.concentration1(), q.concentration0());
        betaln(c, d) - betaln(a, b) + (a - c) * a.digamma() + (b - d) * b.digamma()
            - (a - c + (b - d)) * (a + b).digamma()
    };
    Cauchy, Cauchy: |p, q| {
        // log(((s + t)^2 + d^2) / (4 s t)) = log(1 + ((s - t)^2 + d^2) / (4 s t))
        let (s, t) = (p.scale(), q.scale());
        let apart = (s - t).square() + (p.loc() - q.loc()).square();
        (apart / (s * t * 4.0)).log1p()
    };
    Chi, Chi: |p, q| chi_squares(p.df(), q.df());
    Chi2, Chi2: |p, q| chi_squares(p.df(), q.df());
    Chi2, Gamma: |p, q| {
        let half = p.df() * 0.0 + 0.5;
        gammas(&(p.df() * 0.5), &half, q.concentration(), q.rate())
    };
    ContinuousBernoulli, ContinuousBernoulli: |p, q| {
        let (a, b) = (p.logits(), q.logits());
        (a - b) * p.mean() - (log_exprel(a) - log_exprel(b))
    };
    ExpGamma, ExpGamma: |p, q| {
        gammas(p.concentration(), p.rate(), q.concentration(), q.rate())
    };
    ExpInverseGamma, ExpInverseGamma: |p, q| {
        gammas(p.concentration(), p.rate(), q.concentration(), q.rate())
    };
    Exponential, Gamma: |p, q| {
        gammas(&(p.rate() * 0.0 + 1.0), p.rate(), q.concentration(), q.rate())
    };
    Gamma, Chi2: |p, q| {
        let half = q.df() * 0.0 + 0.5;
        gammas(p.concentration(), p.rate(), &(q.df() * 0.5), &half)
    };
    Gamma, Exponential: |p, q| {
        gammas(p.concentration(), p.rate(), &(q.rate() * 0.0 + 1.0), q.rate())
    };
    Kumaraswamy, Beta: |p, q| {
        let (a, b) = (p.concentration1(), p.concentration0());
        let (c, d) = (q.concentration1(), q.concentration0());
        let mean_log = -((b + 1.0).digamma() + EULER) / a;
        a.log() + b.log() + betaln(c, d) - (1.0 - b.recip()) + (a - c) * mean_log
            - (d - 1.0) * mean_log_rest(a, b)
    };
    LogitNormal, LogitNormal: |p, q| normals(p.loc(), p.scale(), q.loc(), q.scale());
    Moyal, Moyal: |p, q| {
        // exp(-z) is the square of a normal number, of which the power r has this mean.
        let r = p.scale() / q.scale();
        let apart = (p.loc() - q.loc()) / q.scale();
        let power = (&r * LN_2 + (&r + 0.5).lgamma() - 0.5 * PI.ln() - &apart).exp();
        (&apart + (&r - 1.0) * (EULER + LN_2) + power - 1.0) * 0.5 - r.log()
    };
    Exponential, Exponential: |p, q| of_ratio(&(q.rate() / p.rate()));
    Gamma, Gamma: |p, q| {
        gammas(p.concentration(), p.rate(), q.concentration(), q.rate())
    };
    Gumbel, Gumbel: |p, q| {
        let ratio = p.scale() / q.scale();
        let apart = (p.loc() - q.loc()) / q.scale();
        let far = ((&ratio + 1.0).lgamma() - &apart).exp();
        far - 1.0 - ratio.log() + (&ratio - 1.0) * EULER + apart
    };
    HalfNormal, HalfNormal: |p, q| of_ratio(&(p.scale() / q.scale()).square()) * 0.5;
    InverseGamma, InverseGamma: |p, q| {
        gammas(p.concentration(), p.rate(), q.concentration(), q.rate())
    };
    Laplace, Laplace: |p, q| {
        let apart = (p.loc() - q.loc()).abs();
        let ratio = p.scale() / q.scale();
        &ratio * (-(&apart / p.scale())).exp() - 1.0 + apart / q.scale() - ratio.log()
    };
    LogNormal, LogNormal: |p, q| normals(p.loc(), p.scale(), q.loc(), q.scale());
    Normal, Normal: |p, q| normals(p.loc(), p.scale(), q.loc(), q.scale());
    Pareto, Pareto: |p, q| {
        let covered = p.scale().ge(q.scale());
        let ratio = q.alpha() / p.alpha();
        let shift = q.alpha() * (select(&covered, p.scale(), q.scale()) / q.scale()).log();
        finite_where(&covered, shift + of_ratio(&ratio))
    };
    Uniform, Uniform: |p, q| {
        let covered = p.low().ge(q.low()) & p.high().le(q.high());
        finite_where(&covered, (q.high() - q.low()).log() - (p.high() - p.low()).log())
    };
    VonMises, VonMises: |p, q| {
        let (a, b) = (p.concentration(), q.concentration());
        let length = a.i1e() / a.i0e();
        let turned = ((p.loc() - q.loc()) * 0.5).sin().square() * 2.0;
        &length * b * turned + (a - b) * (&length - 1.0) + (b.i0e() / a.i0e()).log()
    };
    Weibull, Gamma: |p, q| {
        let (k, a) = (p.concentration(), q.concentration());
        let mean_log = p.scale().log() - k.recip() * EULER;
        let mean = p.scale() * (k.recip() + 1.0).gamma();
        entropy_term(p) - (q.rate().log() * a - a.lgamma() + (a - 1.0) * mean_log)
            + q.rate() * mean
    };
    Weibull, Weibull: |p, q| {
        let (k, m) = (p.concentration(), q.concentration());
        let scales = p.scale().log() - q.scale().log();
        let power = (m * &scales + (m / k + 1.0).lgamma()).exp();
        let mean_log = scales - k.recip() * EULER;
        entropy_term(p) - (m.log() - q.scale().log() + (m - 1.0) * mean_log) + power
    };
}

/// `r - 1 - log(r)`, about 1 without the rounding of its logarithm.
#[track_caller]
fn of_ratio(r: &Array) -> Array {
    let less = r - 1.0;
    let near = less.abs().lt(0.5);
    let close = select(&near, &less, 0.0).log1p();
    &less - select(&near, close, select(&near, 1.0, r).log())
}

#[track_caller]
fn normals(loc: &Array, scale: &Array, other: &Array, spread: &Array) -> Array {
    let apart = ((loc - other) / spread).square();
    (of_ratio(&(scale / spread).square()) + apart) * 0.5
}

/// Of gamma numbers, or of their inverses.
#[track_caller]
fn gammas(a: &Array, b: &Array, c: &Array, d: &Array) -> Array {
    (a - c) * a.digamma() - a.lgamma() + c.lgamma() + c * (b.log() - d.log()) + a * ((d - b) / b)
}

/// The mean of the logarithm of a Weibull density.
#[track_caller]
fn entropy_term(p: &Weibull) -> Array {
    let k = p.concentration();
    k.log() - p.scale().log() - (1.0 - k.recip()) * EULER - 1.0
}

#[track_caller]
fn chi_squares(df: &Array, other: &Array) -> Array {
    let (a, b) = (df * 0.5, other * 0.5);
    (&a - &b) * a.digamma() - a.lgamma() + b.lgamma()
}

/// The mean of `log(1 - x)` of Kumaraswamy numbers `x`: the integral over the survival `w` of
/// `log(1 - (1 - w^(1/b))^(1/a))`, which is singular at the ends, by the rule of H. Takahasi and
/// M. Mori, "Double exponential formulas for numerical integration", 1974.
#[track_caller]
fn mean_log_rest(a: &Array, b: &Array) -> Array {
    let (a, b) = (a.expand_dims(-1), b.expand_dims(-1));
    let (step, nodes) = (0.0625, -64..=64);
    let (mut log_survivals, mut weights) = (vec![], vec![]);
    for k in nodes {
        let t = f64::from(k) * step;
        let size = PI * t.sinh();
        // The logarithms of w = 1 / (1 + exp(-size)) and of what it lacks to 1.
        let (log, rest) = (-(-size).exp().ln_1p(), -size.exp().ln_1p());
        log_survivals.push(log);
        weights.push((log + rest).exp() * PI * t.cosh() * step);
    }
    let n = weights.len();
    let dtype = (&a + &b).dtype();
    let tiny = if dtype == DType::F64 { -1e-300 } else { -1e-37 };
    let list = |all: &[f64]| Array::from_slice(all, [n]).cast(dtype);
    // log(w^(1/b)), and the logarithms of 1 less that and of 1 less x; smaller is not told from 0.
    let power = list(&log_survivals) / b;
    let less = (-power.minimum(tiny)).log1mexp();
    let log_x = less / a;
    let value = (-log_x.minimum(tiny)).log1mexp();
    (value * list(&weights)).sum_axes([-1])
}

/// Infinite where a support is not covered.
#[track_caller]
fn finite_where(covered: &Array, value: Array) -> Array {
    select(covered, value, f64::INFINITY)
}
