//! Where Wishart distributions and those of their inverses and factors are largest, and their
//! entropies, all by Bartlett's factor, whose entries are independent: below the diagonal normal
//! numbers, on it roots of chi-square numbers. Densities and draws are in `mod.rs`.

use super::{
    InverseWishart, InverseWishartCholesky, Wishart, WishartCholesky, over, product, valid,
};
use crate::distributions::multivariate::factors::log_determinant;
use crate::distributions::shapes::HALF_LOG_TAU;
use crate::distributions::terms::gamma_entropy;
use crate::distributions::{Entropy, Mode};
use probpipe_trace::{Array, arange, eye_of, select};
use std::f64::consts::LN_2;

impl Mode for Wishart {
    /// `(n - d - 1) S` from `d + 1` degrees of freedom on; NaN below, where the density has no
    /// bound.
    fn mode(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let left = from(&n, d as f64 + 1.0) - (d as f64 + 1.0);
        self.shaped(product(&scale) * over(&left), &[d, d])
    }
}

impl Mode for WishartCholesky {
    /// `L` with the columns `i` times `sqrt(n - i)`, of which the first is 1; NaN below `d` degrees
    /// of freedom, where the density has no bound.
    fn mode(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let columns =
            diagonal(&from(&n.in_dtype(self.dtype()), d as f64), d, |n, i| (n - i).sqrt());
        self.shaped(scale.matmul(columns), &[d, d])
    }
}

impl Mode for InverseWishart {
    /// `S / (n + d + 1)`.
    fn mode(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let more = valid(&n, d as f64 - 1.0) + (d as f64 + 1.0);
        self.shaped(product(&scale) / over(&more), &[d, d])
    }
}

impl Mode for InverseWishartCholesky {
    /// `L` with the columns `i` over `sqrt(n + i)`, of which the first is 1.
    fn mode(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let n = valid(&n.in_dtype(self.dtype()), d as f64 - 1.0);
        let columns = diagonal(&n, d, |n, i| (n + i).sqrt().recip());
        self.shaped(scale.matmul(columns), &[d, d])
    }
}

/// A number for each column from 1 on, on the diagonal of matrices.
#[track_caller]
fn diagonal(n: &Array, d: usize, of: impl FnOnce(Array, Array) -> Array) -> Array {
    let columns = arange(d).cast(n.dtype()) + 1.0;
    let n = if n.rank() > 0 { n.expand_dims(-1) } else { n.clone() };
    let unit = eye_of(columns.dtype(), d);
    select(&unit.gt(0.0), of(n, columns).expand_dims(-1), 0.0)
}

/// Where it is not below a bound, NaN elsewhere.
#[track_caller]
fn from(n: &Array, bound: f64) -> Array {
    select(&n.ge(bound), n, f64::NAN)
}

/// Of Bartlett's factor: its entropy, and the means of the logarithms of its diagonal.
struct Factor {
    entropy: Array,
    logs: Vec<Array>,
}

impl Factor {
    #[track_caller]
    fn new(n: &Array, d: usize) -> Factor {
        let n = valid(n, d as f64 - 1.0);
        let halves: Vec<Array> = (0..d).map(|i| (&n - i as f64) * 0.5).collect();
        let logs: Vec<Array> = halves.iter().map(|half| (half.digamma() + LN_2) * 0.5).collect();
        let below = (d * d.saturating_sub(1) / 2) as f64 * (HALF_LOG_TAU + 0.5);
        // Of roots of chi-square numbers: those of the numbers, less the means of `log(2 x)`.
        let entropy = halves
            .iter()
            .zip(&logs)
            .fold(&n * 0.0 + below, |sum, (half, log)| sum + (gamma_entropy(half) - log));
        Factor { entropy, logs }
    }

    /// The sum of the logarithms times weights by their place.
    #[track_caller]
    fn weighted(&self, weight: impl Fn(usize) -> usize) -> Array {
        let terms = self.logs.iter().enumerate().map(|(i, log)| log * weight(i) as f64);
        terms.reduce(|sum, term| sum + term).unwrap_or_else(|| 0.0.into())
    }
}

/// `log |d(L A) / dA|` of lower triangles `A`: what columns of them are multiplied by.
#[track_caller]
fn stretch(scale: &Array, d: usize) -> Array {
    let weight = arange(d).cast(scale.dtype()) + 1.0;
    (scale.diagonal().log() * weight).sum_axes([-1])
}

impl Entropy for WishartCholesky {
    fn entropy(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        self.shaped(Factor::new(&n, d).entropy + stretch(&scale, d), &[])
    }
}

impl Entropy for Wishart {
    /// That of the factor `L A`, and the mean of how much `A A'` spreads it.
    fn entropy(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let factor = Factor::new(&n, d);
        let spread = factor.weighted(|i| d - i) + d as f64 * LN_2;
        self.shaped(factor.entropy + spread + log_determinant(&scale) * (d as f64 + 1.0), &[])
    }
}

/// The factor of an inverse is the inverse of a factor `B` with `B' B` a Wishart matrix: one of
/// Bartlett, from the last column to the first.
impl Entropy for InverseWishartCholesky {
    fn entropy(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let factor = Factor::new(&n, d);
        let inverse = factor.weighted(|_| d + 1);
        self.shaped(factor.entropy - inverse + stretch(&scale, d), &[])
    }
}

impl Entropy for InverseWishart {
    fn entropy(&self) -> Array {
        let [n, scale] = self.checked();
        let d = self.dim();
        let factor = Factor::new(&n, d);
        let lost = factor.weighted(|i| d + 1 + i + 1) - d as f64 * LN_2;
        self.shaped(factor.entropy - lost + log_determinant(&scale) * (d as f64 + 1.0), &[])
    }
}
