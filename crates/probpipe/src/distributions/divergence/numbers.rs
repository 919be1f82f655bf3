//! Divergences between distributions of numbers, by pair.

use crate::distributions::{
    Beta, Cauchy, Chi2, Exponential, Gamma, Gumbel, HalfNormal, InverseGamma, KlDivergence,
    Laplace, LogNormal, Normal, Pareto, Uniform, VonMises, Weibull,
};
use probpipe_trace::{Array, betaln, select};

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
    Chi2, Chi2: |p, q| {
        let (a, b) = (p.df() * 0.5, q.df() * 0.5);
        (&a - &b) * a.digamma() - a.lgamma() + b.lgamma()
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

/// Infinite where a support is not covered.
#[track_caller]
fn finite_where(covered: &Array, value: Array) -> Array {
    select(covered, value, f64::INFINITY)
}
