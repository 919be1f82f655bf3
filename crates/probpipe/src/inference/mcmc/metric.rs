//! What shape a density is taken to have: the linear map under which it would look round.

use probpipe_trace::{Array, Tree};

/// The shape that a density is taken to have: a linear map `L`, so that `L L'` is its covariance as
/// far as is known, the inverse of the mass matrix of Hamiltonian dynamics. Momenta are kept
/// standard normal: positions move by `L p`, momenta by `L' g` for a gradient `g`, which is the
/// same motion.
#[derive(Tree, Clone, Debug, Default)]
#[tree(crate = probpipe_trace)]
pub enum Metric {
    /// Alike in all directions.
    #[default]
    Unit,
    /// Standard deviations of the entries, of the shape of a position.
    Diagonal(Array),
    /// A factor `L` of the covariance, `[n, n]`: a triangular one, or any other.
    Dense(Array),
    /// `diag(scale) (I + U diag(stretch - 1) U')`: standard deviations of the entries, and a few
    /// directions in which, after division by these, the density is longer or shorter than 1.
    LowRank {
        /// Standard deviations of the entries, `[n]`.
        scale: Array,
        /// Orthonormal directions `U`, `[n, k]`.
        directions: Array,
        /// Lengths along these, `[k]`.
        stretch: Array,
    },
}

impl Metric {
    /// Of variances, of the shape of a position.
    pub fn of_variances(variances: impl Into<Array>) -> Metric {
        Metric::Diagonal(variances.into().sqrt())
    }

    /// Of a covariance matrix `[n, n]`.
    pub fn of_covariance(covariance: impl Into<Array>) -> Metric {
        Metric::Dense(covariance.into().cholesky())
    }

    /// `L p`: how a position moves by a momentum.
    #[track_caller]
    pub fn push(&self, p: &Array) -> Array {
        match self {
            Metric::Unit => p.clone(),
            Metric::Diagonal(scale) => scale * p,
            Metric::Dense(factor) => factor.matmul(p),
            Metric::LowRank { scale, directions, stretch } => {
                scale * stretched(p, directions, stretch)
            }
        }
    }

    /// `L' g`: how a momentum changes by a gradient.
    #[track_caller]
    pub fn pull(&self, g: &Array) -> Array {
        match self {
            Metric::Unit => g.clone(),
            Metric::Diagonal(scale) => scale * g,
            Metric::Dense(factor) => factor.transpose().matmul(g),
            Metric::LowRank { scale, directions, stretch } => {
                stretched(&(scale * g), directions, stretch)
            }
        }
    }
}

fn stretched(x: &Array, directions: &Array, stretch: &Array) -> Array {
    x + directions.matmul(&((stretch - 1.0) * directions.transpose().matmul(x)))
}
