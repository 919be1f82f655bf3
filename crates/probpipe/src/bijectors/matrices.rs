//! Bijectors onto matrices: triangular factors, correlations and covariances. Vectors hold the
//! entries below the diagonal row by row, then those of the diagonal where it is free.

use super::Bijector;
use super::elementwise::{inverse_of_softplus, log_slope_of_tanh};
use super::events::{fitted, misfit, replaced};
use crate::constraints::Constraint;
use probpipe_trace::{
    Array, CumulativeOp, Error, ErrorKind, Result, Shape, Tree, arange, concat, eye, here, select,
    zeros_of,
};
use std::f64::consts::LN_2;

/// The last extent of a shape that was checked.
fn last(x: &Array) -> usize {
    x.shape().last().copied().unwrap_or(0)
}

/// How many rows make a triangle of `k` numbers, with the diagonal or without.
fn rows(k: usize, diagonal: bool) -> Option<usize> {
    let count = |n: usize| if diagonal { n * (n + 1) / 2 } else { n * n.saturating_sub(1) / 2 };
    let about = ((8.0 * k as f64 + 1.0).sqrt() / 2.0) as usize;
    (about.saturating_sub(1).max(1)..about + 2).find(|&n| count(n) == k)
}

/// The shape of matrices from that of vectors.
fn matrices(name: &str, shape: &[usize], diagonal: bool) -> Result<Shape> {
    let n = shape.last().and_then(|&k| rows(k, diagonal));
    n.map(|n| replaced(shape, &[n, n])).ok_or_else(|| {
        let (count, help) = if diagonal {
            ("n (n + 1) / 2", "1, 3, 6, 10 numbers make matrices of 1, 2, 3, 4 rows")
        } else {
            ("n (n - 1) / 2", "1, 3, 6, 10 numbers make matrices of 2, 3, 4, 5 rows")
        };
        misfit(&format!("{name} takes vectors of {count} numbers"), shape, help)
    })
}

/// The shape of square matrices without their last axis.
fn square<'s>(name: &str, does: &str, shape: &'s [usize]) -> Result<&'s [usize]> {
    match shape {
        [.., m, n] if m == n && *n > 0 => Ok(&shape[..shape.len() - 1]),
        _ => {
            let help = "the last two axes hold the matrices, and must be equal";
            Err(misfit(&format!("{name} {does} square matrices"), shape, help))
        }
    }
}

/// The shape of vectors from that of matrices.
fn vectors(name: &str, shape: &[usize], diagonal: bool) -> Result<Shape> {
    let lead = square(name, "gives", shape)?;
    let n = shape[shape.len() - 1];
    Ok(replaced(lead, &[if diagonal { n * (n + 1) / 2 } else { n * (n - 1) / 2 }]))
}

/// A vector of the entries below the diagonal as a matrix, zeros elsewhere.
#[track_caller]
fn below(v: &Array, n: usize) -> Array {
    let shape = replaced(v.shape(), &[n, n]);
    if n == 1 {
        return zeros_of(v.dtype(), shape);
    }
    let place = |i: usize, j: usize| if j < i { (i * (i - 1) / 2 + j) as i32 } else { 0 };
    let places: Vec<i32> = (0..n * n).map(|at| place(at / n, at % n)).collect();
    v.take(Array::from_slice(&places, [n, n]), -1).tril_offset(-1)
}

/// The entries below the diagonal as a vector.
#[track_caller]
fn entries_below(m: &Array, n: usize) -> Array {
    let lead = &m.shape()[..m.rank() - 1];
    if n == 1 {
        return zeros_of(m.dtype(), replaced(lead, &[0]));
    }
    let places: Vec<i32> = (0..n).flat_map(|i| (0..i).map(move |j| (i * n + j) as i32)).collect();
    let flat = m.reshape(replaced(lead, &[n * n]));
    flat.take(Array::from_slice(&places, [places.len()]), -1)
}

/// A matrix with these entries on its diagonal instead of its own.
#[track_caller]
fn with_diagonal(m: &Array, diagonal: &Array) -> Array {
    select(&eye(last(m)).gt(0.0), diagonal.expand_dims(-1), m)
}

/// `sum_k (n - k) log(L_kk)`, or from `n - 1` down: how `L L'` stretches the entries of `L`.
#[track_caller]
fn product_log_det(factor: &Array, from: usize) -> Array {
    let weight = from as f64 - arange(last(factor)).cast(factor.dtype());
    (factor.diagonal().log() * weight).sum_axes([-1])
}

/// Onto lower triangular matrices with a positive diagonal, from vectors of `n (n + 1) / 2`
/// numbers: those below the diagonal row by row, then `n` from which the diagonal is made.
///
/// ```
/// use probpipe::bijectors::{Bijector, LowerCholesky};
/// use probpipe::prelude::*;
/// let factor = LowerCholesky::Exp.forward(&array([3.0, 0.0, 0.0]));
/// assert_eq!(factor.to_vec::<f32>()?, [1.0, 0.0, 3.0, 1.0]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Copy, Debug, PartialEq)]
#[tree(crate = probpipe_trace)]
pub enum LowerCholesky {
    /// The diagonal is `exp` of the numbers.
    Exp,
    /// The diagonal is `log(1 + exp)` of the numbers.
    Softplus,
    /// The diagonal is `log(1 + exp)` of the numbers, and each row is multiplied by its entry.
    ScaledUnit,
}

impl LowerCholesky {
    /// The numbers below the diagonal, and those of the diagonal.
    #[track_caller]
    fn parts(x: &Array) -> (Array, Array) {
        let k = last(x);
        let n = rows(k, true).unwrap_or(0);
        (below(&x.slice_axis(-1, 0..k - n), n), x.slice_axis(-1, k - n..k))
    }
}

impl Bijector for LowerCholesky {
    fn forward(&self, x: &Array) -> Array {
        let factor = |x: &Array| {
            let (lower, free) = Self::parts(x);
            match self {
                LowerCholesky::Exp => with_diagonal(&lower, &free.exp()),
                LowerCholesky::Softplus => with_diagonal(&lower, &free.softplus()),
                LowerCholesky::ScaledUnit => {
                    let diagonal = free.softplus();
                    with_diagonal(&(lower * diagonal.expand_dims(-1)), &diagonal)
                }
            }
        };
        fitted(x, |shape| self.forward_shape(shape), factor)
    }

    fn inverse(&self, y: &Array) -> Array {
        let free = |y: &Array| {
            let (n, diagonal) = (last(y), y.diagonal());
            match self {
                LowerCholesky::Exp => concat([entries_below(y, n), diagonal.log()], -1),
                LowerCholesky::Softplus => {
                    concat([entries_below(y, n), inverse_of_softplus(&diagonal)], -1)
                }
                LowerCholesky::ScaledUnit => {
                    let unit = y / diagonal.expand_dims(-1);
                    concat([entries_below(&unit, n), inverse_of_softplus(&diagonal)], -1)
                }
            }
        };
        fitted(y, |shape| self.inverse_shape(shape), free)
    }

    fn log_det(&self, x: &Array) -> Array {
        let stretch = |x: &Array| {
            let (k, n) = (last(x), rows(last(x), true).unwrap_or(0));
            let free = x.slice_axis(-1, k - n..k);
            let each = match self {
                LowerCholesky::Exp => free,
                LowerCholesky::Softplus => free.log_sigmoid(),
                LowerCholesky::ScaledUnit => {
                    let below = arange(n).cast(x.dtype());
                    free.softplus().log() * below + free.log_sigmoid()
                }
            };
            each.sum_axes([-1])
        };
        fitted(x, |shape| self.forward_shape(shape), stretch)
    }

    fn domain(&self) -> Constraint {
        Constraint::RealVector
    }

    fn codomain(&self) -> Constraint {
        Constraint::LowerCholesky
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        matrices("LowerCholesky", shape, true)
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        vectors("LowerCholesky", shape, true)
    }
}

/// Onto the Cholesky factors of correlation matrices, from vectors of `n (n - 1) / 2` numbers:
/// entry `j` of a row is `tanh(x_ij)` times the length that those before it leave of 1.
#[derive(Tree, Clone, Copy, Debug, Default, PartialEq)]
#[tree(crate = probpipe_trace)]
pub struct CorrelationCholesky;

impl CorrelationCholesky {
    /// `log(1 - r^2)` below the diagonal, and their sums over the entries before each in its row.
    #[track_caller]
    fn lengths(x: &Array, n: usize) -> (Array, Array) {
        let left = below(&log_slope_of_tanh(x), n);
        let before = left.cumsum(-1) - &left;
        (left, before)
    }
}

impl Bijector for CorrelationCholesky {
    fn forward(&self, x: &Array) -> Array {
        let factor = |x: &Array| {
            let n = rows(last(x), false).unwrap_or(1);
            let (_, before) = Self::lengths(x, n);
            let length = (before * 0.5).exp();
            with_diagonal(&(below(&x.tanh(), n) * &length), &length.diagonal())
        };
        fitted(x, |shape| self.forward_shape(shape), factor)
    }

    /// `asinh(y_ij / |(y_ik)_(k > j)|)`, in which nothing cancels.
    fn inverse(&self, y: &Array) -> Array {
        let free = |y: &Array| {
            let n = last(y);
            let squares = y.square();
            let after = squares.cumulative(CumulativeOp::Sum, -1, true).slice_axis(-1, 1..n);
            // A last column for the shape, which lies on the diagonal or above it.
            let after = concat([after, zeros_of(y.dtype(), replaced(y.shape(), &[1]))], -1);
            (entries_below(y, n) / entries_below(&after, n).sqrt()).asinh()
        };
        fitted(y, |shape| self.inverse_shape(shape), free)
    }

    fn log_det(&self, x: &Array) -> Array {
        let stretch = |x: &Array| {
            let n = rows(last(x), false).unwrap_or(1);
            let (left, before) = Self::lengths(x, n);
            (left + before.tril_offset(-1) * 0.5).sum_axes([-2, -1])
        };
        fitted(x, |shape| self.forward_shape(shape), stretch)
    }

    fn domain(&self) -> Constraint {
        Constraint::RealVector
    }

    fn codomain(&self) -> Constraint {
        Constraint::CorrelationCholesky
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        matrices("CorrelationCholesky", shape, false)
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        vectors("CorrelationCholesky", shape, false)
    }
}

/// Declares a product `L L'`: its name, its sets, and how it stretches volumes.
macro_rules! products {
    ($(
        $(#[$about:meta])*
        $name:ident: $domain:ident => $codomain:ident;
        log_det($factor:ident, $n:ident) => $log_det:expr;
    )+) => {$(
        $(#[$about])*
        #[derive(Tree, Clone, Copy, Debug, Default, PartialEq)]
        #[tree(crate = probpipe_trace)]
        pub struct $name;

        impl Bijector for $name {
            fn forward(&self, x: &Array) -> Array {
                let shape = |shape: &[usize]| self.forward_shape(shape);
                fitted(x, shape, |x| x.matmul(x.swap_axes(-1, -2)))
            }

            fn inverse(&self, y: &Array) -> Array {
                fitted(y, |shape| self.inverse_shape(shape), |y| y.cholesky())
            }

            fn log_det(&self, x: &Array) -> Array {
                let stretch = |$factor: &Array| {
                    let $n = last($factor);
                    $log_det
                };
                fitted(x, |shape| self.forward_shape(shape), stretch)
            }

            fn domain(&self) -> Constraint {
                Constraint::$domain
            }

            fn codomain(&self) -> Constraint {
                Constraint::$codomain
            }

            fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
                square(stringify!($name), "takes", shape).map(|_| shape.into())
            }

            fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
                square(stringify!($name), "gives", shape).map(|_| shape.into())
            }
        }
    )+};
}

products! {
    /// `L L'`, from Cholesky factors to positive definite matrices; the volume is that of the lower
    /// triangle.
    CholeskyProduct: LowerCholesky => PositiveDefinite;
    log_det(factor, n) => product_log_det(factor, n) + LN_2 * n as f64;

    /// `L L'`, from the Cholesky factors of correlation matrices to those; the volume is that of
    /// the entries below the diagonal.
    CorrelationProduct: CorrelationCholesky => CorrelationMatrix;
    log_det(factor, n) => product_log_det(factor, n - 1);
}

/// `loc + L x`, from vectors to vectors, with a triangular `L`.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct LowerCholeskyAffine {
    loc: Array,
    factor: Array,
}

impl LowerCholeskyAffine {
    /// With a place `[n]` and a lower triangular matrix `[n, n]`. A known matrix that is not
    /// triangular with a positive diagonal makes it invalid.
    #[track_caller]
    pub fn new(loc: impl Into<Array>, factor: impl Into<Array>) -> LowerCholeskyAffine {
        let (loc, factor) = (loc.into(), factor.into());
        let name = "LowerCholeskyAffine";
        let location = here();
        let fits = loc.rank() == 1 && factor.rank() == 2 && factor.shape()[0] == loc.shape()[0];
        let fault = match square(name, "takes", factor.shape()) {
            _ if loc.error().is_some() || factor.error().is_some() => None,
            Ok(_) if fits => Constraint::LowerCholesky.violation(&factor).map(|_| {
                let set = Constraint::LowerCholesky;
                let message = format!("the factor of a {name} must be {set}");
                Error::new(ErrorKind::Value, message).help(set.remedy())
            }),
            _ => Some(misfit(
                &format!("{name} takes a loc [n] and a factor [n, n]"),
                factor.shape(),
                "give one place and one matrix; use `vmap` for several",
            )),
        };
        match fault {
            Some(error) => {
                let error = error.note("the factor was made", Some(factor.location()));
                LowerCholeskyAffine { loc, factor: Array::invalid(error, location) }
            }
            None => LowerCholeskyAffine { loc, factor },
        }
    }

    fn fits(&self, shape: &[usize]) -> Result<Shape> {
        if let Some(error) = self.factor.error().or(self.loc.error()) {
            return Err(error.clone());
        }
        let n = last(&self.loc);
        match shape.last() {
            Some(&extent) if extent == n => Ok(shape.into()),
            _ => {
                let takes = format!("this LowerCholeskyAffine takes vectors of {n} numbers");
                Err(misfit(&takes, shape, "the last axis holds the vectors"))
            }
        }
    }
}

impl Bijector for LowerCholeskyAffine {
    fn forward(&self, x: &Array) -> Array {
        fitted(x, |s| self.fits(s), |x| x.matmul(self.factor.tril().transpose()) + &self.loc)
    }

    fn inverse(&self, y: &Array) -> Array {
        let solve = |y: &Array| {
            let centred = y - &self.loc;
            let rows = centred.size() / last(y).max(1);
            let columns = centred.reshape([rows, last(y)]).transpose();
            self.factor.solve_triangular(&columns).transpose().reshape(centred.shape())
        };
        fitted(y, |s| self.fits(s), solve)
    }

    fn log_det(&self, x: &Array) -> Array {
        let stretch = |x: &Array| {
            let log_det = self.factor.diagonal().log().sum_axes([-1]);
            log_det.broadcast_to(&x.shape()[..x.rank() - 1])
        };
        fitted(x, |s| self.fits(s), stretch)
    }

    fn domain(&self) -> Constraint {
        Constraint::RealVector
    }

    fn codomain(&self) -> Constraint {
        Constraint::RealVector
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        self.fits(shape)
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        self.fits(shape)
    }
}
