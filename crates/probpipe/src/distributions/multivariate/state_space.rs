//! States that follow from those before them by a matrix and normal noise.

use super::factors::{common, fitted, log_determinant, solved, squares};
use crate::constraints::Constraint;
use crate::distributions::events::Seen;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample, Support};
use crate::random::normal_of;
use probpipe_trace::{Array, DType, Error, ErrorKind, Key, Shape, Tree, concat, here, scan};

/// States `z_t = A z_(t-1) + e_t` for `t` from 1 to `num_steps`, with normal noise `e_t` and a
/// known `z_0`, as matrices of a row for each step.
///
/// Its sampler is reparameterised.
///
/// ```
/// use probpipe::distributions::GaussianStateSpace;
/// use probpipe::prelude::*;
/// let path = GaussianStateSpace::new(3, [[0.5]], [[1.0]], [2.0]);
/// assert_eq!(path.mean().to_vec::<f32>()?, [1.0, 0.5, 0.25]);
/// assert_eq!(path.variance().to_vec::<f32>()?, [1.0, 1.25, 1.3125]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct GaussianStateSpace {
    #[tree(static)]
    num_steps: usize,
    transition_matrix: Array,
    scale_tril: Array,
    initial_value: Array,
}

impl GaussianStateSpace {
    /// From the number of steps, the matrix `A` `[..., d, d]`, the lower Cholesky factor of the
    /// covariance of the noise `[..., d, d]`, and the state before the first `[..., d]`. No steps,
    /// shapes that do not fit, or a known factor that is none, make all of it invalid.
    #[track_caller]
    pub fn new(
        num_steps: usize,
        transition_matrix: impl Into<Array>,
        scale_tril: impl Into<Array>,
        initial_value: impl Into<Array>,
    ) -> GaussianStateSpace {
        let name = "GaussianStateSpace";
        let transition = match num_steps {
            0 => Array::invalid(
                Error::new(ErrorKind::Value, format!("a {name} takes 1 or more steps, not 0"))
                    .help("give the number of states after the first one"),
                here(),
            ),
            _ => transition_matrix.into(),
        };
        let parameters = [
            ("transition_matrix", Constraint::RealMatrix, transition),
            ("scale_tril", Constraint::LowerCholesky, scale_tril.into()),
            ("initial_value", Constraint::RealVector, initial_value.into()),
        ];
        let help = "give transition_matrix [..., d, d], scale_tril [..., d, d] and initial_value \
                    [..., d]";
        let [transition_matrix, scale_tril, initial_value] =
            fitted(name, parameters, help, |[a, l, z]| batch(a, l, z));
        GaussianStateSpace { num_steps, transition_matrix, scale_tril, initial_value }
    }

    fn dim(&self) -> usize {
        self.initial_value.shape().last().copied().unwrap_or(0)
    }

    fn dtype(&self) -> DType {
        self.scale_tril.dtype()
    }

    /// `A z` of states in the last axis.
    #[track_caller]
    fn moved(&self, z: &Array) -> Array {
        self.transition_matrix.matmul(z.expand_dims(-1)).squeeze(-1)
    }
}

/// The batch shape, where the parameters fit.
fn batch(transition: &[usize], factor: &[usize], initial: &[usize]) -> Option<Shape> {
    let d = *initial.last()?;
    let square = |x: &[usize]| matches!(*x, [.., a, b] if a == d && b == d);
    common([(transition, 2), (factor, 2), (initial, 1)])
        .filter(|_| square(transition) && square(factor))
}

impl Distribution for GaussianStateSpace {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let (a, l) = (self.transition_matrix.shape(), self.scale_tril.shape());
        batch(a, l, self.initial_value.shape()).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        Shape::from_slice(&[self.num_steps, self.dim()])
    }
}

impl Support for GaussianStateSpace {
    fn support(&self) -> Constraint {
        Constraint::RealMatrix
    }
}

impl LogProb for GaussianStateSpace {
    fn log_prob(&self, x: &Array) -> Array {
        if self.scale_tril.error().is_some() {
            return self.scale_tril.clone();
        }
        if let Some(error) = super::sequences::misfit("GaussianStateSpace", x, &self.event_shape())
        {
            return error;
        }
        let seen = Seen::new(&Constraint::RealMatrix, x, &0.0.into());
        // States as columns, each beside the one before it.
        let x = seen.at.swap_axes(-1, -2);
        let lead = x.shape()[..x.rank() - 2].to_vec();
        let first = self.initial_value.expand_dims(-1);
        let shape = common([(&lead, 0), (first.shape(), 2)]).unwrap_or_default();
        let first = first.broadcast_to(join(&shape, &[self.dim(), 1]));
        let spread = x.broadcast_to(join(&shape, &[self.dim(), self.num_steps]));
        let before = concat([first, spread.slice_axis(-1, 0..self.num_steps - 1)], -1);
        let noise = solved(&self.scale_tril, &(x - self.transition_matrix.matmul(before)));
        let constant = log_determinant(&self.scale_tril) + HALF_LOG_TAU * self.dim() as f64;
        seen.density(squares(&noise) * -0.5 - constant * self.num_steps as f64)
    }
}

impl Sample for GaussianStateSpace {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if self.scale_tril.error().is_some() {
            return self.scale_tril.clone();
        }
        let (d, batch) = (self.dim(), join(&shape, &self.batch_shape()));
        let steps = join(&[self.num_steps], &join(&batch, &[d, 1]));
        let noise = self.scale_tril.matmul(normal_of(self.dtype(), key, steps)).squeeze(-1);
        let start = self.initial_value.broadcast_to(join(&batch, &[d]));
        let (_, states) = scan(start, noise, |z: Array, noise: Array| {
            let z = self.moved(&z) + noise;
            (z.clone(), z)
        });
        states.move_axis(0, -2)
    }
}

impl GaussianStateSpace {
    /// What `step` makes of a statistic of each state for the next, from `start` on.
    #[track_caller]
    fn followed(&self, start: Array, step: impl FnOnce(Array) -> (Array, Array)) -> Array {
        let (_, all) = probpipe_trace::scan_n(self.num_steps, start, step);
        all.move_axis(0, -2).broadcast_to(join(&self.batch_shape(), &self.event_shape()))
    }
}

impl Moments for GaussianStateSpace {
    fn mean(&self) -> Array {
        if self.scale_tril.error().is_some() {
            return self.scale_tril.clone();
        }
        let start = self.initial_value.broadcast_to(join(&self.batch_shape(), &[self.dim()]));
        self.followed(start, |z| {
            let z = self.moved(&z);
            (z.clone(), z)
        })
    }

    fn variance(&self) -> Array {
        if self.scale_tril.error().is_some() {
            return self.scale_tril.clone();
        }
        let (a, l) = (&self.transition_matrix, &self.scale_tril);
        let noise = l.matmul(l.swap_axes(-1, -2));
        let d = self.dim();
        let start = (&noise * 0.0).broadcast_to(join(&self.batch_shape(), &[d, d]));
        self.followed(start, |covariance| {
            let next = a.matmul(covariance).matmul(a.swap_axes(-1, -2)) + &noise;
            let diagonal = next.diagonal();
            (next, diagonal)
        })
    }
}

impl Mode for GaussianStateSpace {
    fn mode(&self) -> Array {
        self.mean()
    }
}

impl Entropy for GaussianStateSpace {
    /// That of the noise of all steps.
    fn entropy(&self) -> Array {
        if self.scale_tril.error().is_some() {
            return self.scale_tril.clone();
        }
        let constant = (HALF_LOG_TAU + 0.5) * self.dim() as f64;
        let each = log_determinant(&self.scale_tril) + constant;
        (each * self.num_steps as f64).broadcast_to(self.batch_shape())
    }
}
