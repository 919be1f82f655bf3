//! The multivariate normal distribution whose covariance is of low rank and a diagonal.

use super::factors::{common, fitted, log_determinant, solved, squares};
use crate::constraints::Constraint;
use crate::distributions::events::Seen;
use crate::distributions::shapes::{HALF_LOG_TAU, join, spread};
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample, Support};
use crate::random::normal_of;
use probpipe_trace::{Array, DType, Key, Shape, Tree, eye_of};

/// The normal distribution on vectors of covariance `W W' + diag(D)`, with `W` of `k` columns: its
/// density takes the work of `d k^2` instead of `d^3`.
///
/// Its sampler is reparameterised.
///
/// ```
/// use probpipe::distributions::LowRankMultivariateNormal;
/// use probpipe::prelude::*;
/// let n = LowRankMultivariateNormal::new([0.0, 0.0], [[1.0], [1.0]], [1.0, 2.0]);
/// assert_eq!(n.variance().to_vec::<f32>()?, [2.0, 3.0]);
/// let same = MultivariateNormal::new([0.0, 0.0], [[2.0, 1.0], [1.0, 3.0]]);
/// let x = array([0.5, -1.0]);
/// assert!((n.log_prob(&x) - same.log_prob(&x)).abs().item::<f32>()? < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct LowRankMultivariateNormal {
    loc: Array,
    cov_factor: Array,
    cov_diag: Array,
}

impl LowRankMultivariateNormal {
    /// From the mean `[..., d]`, the factor `[..., d, k]` and the diagonal `[..., d]`. Shapes that
    /// do not fit, or a known diagonal that is not positive, make all of it invalid.
    #[track_caller]
    pub fn new(
        loc: impl Into<Array>,
        cov_factor: impl Into<Array>,
        cov_diag: impl Into<Array>,
    ) -> LowRankMultivariateNormal {
        let parameters = [
            ("loc", Constraint::RealVector, loc.into()),
            ("cov_factor", Constraint::RealMatrix, cov_factor.into()),
            ("cov_diag", Constraint::PositiveVector, cov_diag.into()),
        ];
        let help = "give loc [..., d], cov_factor [..., d, k] and cov_diag [..., d]";
        let [loc, cov_factor, cov_diag] =
            fitted("LowRankMultivariateNormal", parameters, help, |[loc, factor, diagonal]| {
                let d = factor.len().checked_sub(2).map(|lead| factor[lead])?;
                let fits = loc.last() == Some(&d) && diagonal.last() == Some(&d);
                common([(loc, 1), (factor, 2), (diagonal, 1)]).filter(|_| fits)
            });
        LowRankMultivariateNormal { loc, cov_factor, cov_diag }
    }

    /// The factor and the diagonal of the covariance.
    pub(crate) fn spreads(&self) -> [&Array; 2] {
        [&self.cov_factor, &self.cov_diag]
    }

    fn dim(&self) -> usize {
        self.loc.shape().last().copied().unwrap_or(0)
    }

    fn columns(&self) -> usize {
        self.cov_factor.shape().last().copied().unwrap_or(0)
    }

    fn dtype(&self) -> DType {
        self.cov_diag.dtype()
    }

    #[track_caller]
    fn spread(&self, statistic: Array, event: &[usize]) -> Array {
        spread(statistic, &join(&self.batch_shape(), event), None)
    }

    /// The factor of `I + W' D^-1 W`.
    #[track_caller]
    fn capacitance(&self) -> Array {
        let weighted = &self.cov_factor / self.cov_diag.expand_dims(-1);
        let inner = self.cov_factor.swap_axes(-1, -2).matmul(weighted);
        (inner + eye_of(self.dtype(), self.columns())).cholesky()
    }

    /// `log |W W' + D|`, by the lemma of the determinant.
    #[track_caller]
    fn log_volume(&self, capacitance: &Array) -> Array {
        self.cov_diag.log().sum_axes([-1]) + log_determinant(capacitance) * 2.0
    }
}

impl Distribution for LowRankMultivariateNormal {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let [loc, factor, diagonal] = [&self.loc, &self.cov_factor, &self.cov_diag];
        common([(loc.shape(), 1), (factor.shape(), 2), (diagonal.shape(), 1)]).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        Shape::from_slice(&[self.dim()])
    }
}

impl Support for LowRankMultivariateNormal {
    fn support(&self) -> Constraint {
        Constraint::RealVector
    }
}

impl LogProb for LowRankMultivariateNormal {
    /// By the identity of Woodbury:
    /// `r' (W W' + D)^-1 r = r' D^-1 r - |C^-1 W' D^-1 r|^2` with `C C' = I + W' D^-1 W`.
    fn log_prob(&self, x: &Array) -> Array {
        let r = x - &self.loc;
        if r.error().is_some() {
            return r;
        }
        let seen = Seen::new(&Constraint::RealVector, &r, &0.0.into());
        let (r, capacitance) = (&seen.at, self.capacitance());
        let scaled = r / &self.cov_diag;
        let turned = self.cov_factor.swap_axes(-1, -2).matmul(scaled.expand_dims(-1));
        let length = (r * scaled).sum_axes([-1]) - squares(&solved(&capacitance, &turned));
        let constant = HALF_LOG_TAU * self.dim() as f64;
        seen.density(length * -0.5 - (self.log_volume(&capacitance) * 0.5 + constant))
    }
}

impl Sample for LowRankMultivariateNormal {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if self.loc.error().is_some() {
            return self.loc.clone();
        }
        let (first, second) = key.split();
        let batch = join(&shape, &self.batch_shape());
        let shared = normal_of(self.dtype(), first, join(&batch, &[self.columns(), 1]));
        let own = normal_of(self.dtype(), second, join(&batch, &[self.dim()]));
        self.cov_factor.matmul(shared).squeeze(-1) + own * self.cov_diag.sqrt() + &self.loc
    }
}

impl Moments for LowRankMultivariateNormal {
    fn mean(&self) -> Array {
        self.spread(self.loc.clone(), &[self.dim()])
    }

    fn variance(&self) -> Array {
        let variance = self.cov_factor.square().sum_axes([-1]) + &self.cov_diag;
        self.spread(variance, &[self.dim()])
    }
}

impl Mode for LowRankMultivariateNormal {
    fn mode(&self) -> Array {
        self.mean()
    }
}

impl Entropy for LowRankMultivariateNormal {
    fn entropy(&self) -> Array {
        let constant = (HALF_LOG_TAU + 0.5) * self.dim() as f64;
        let entropy = self.log_volume(&self.capacitance()) * 0.5 + constant;
        self.spread(entropy, &[])
    }
}
