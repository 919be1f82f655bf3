//! Hidden states that move by a matrix and normal noise, seen through another matrix and noise.
//! Covariances are carried as factors, which orthogonal reductions keep (the filter of square
//! roots), so that they stay positive definite and no digits are lost.

use super::factors::{common, fitted, log_determinant, whitened};
use super::normal::MultivariateNormal;
use super::parts::reduced;
use crate::constraints::Constraint;
use crate::distributions::events::Seen;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::{Distribution, LogProb, Moments, Sample, Support};
use crate::random::normal_of;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Shape, Tree, broadcast_shapes, concat, here, scan, scan_n,
};

/// Observations `x_t = H z_t + e_t` for `t` from 0 to `num_steps - 1` of hidden states
/// `z_t = F z_(t-1) + w_t` with normal `z_0`, `w_t` and `e_t`, as matrices of a row for each step.
///
/// The density is that of the observations alone, by the filter of R. E. Kalman ("A new approach to
/// linear filtering and prediction problems", 1960) in time linear in the number of steps. Its
/// sampler is reparameterised.
///
/// ```
/// use probpipe::distributions::LinearGaussianSSM;
/// use probpipe::prelude::*;
/// let noise = |scale: f32| MultivariateNormal::diagonal([0.0], [scale]);
/// let model = LinearGaussianSSM::new(3, [[1.0]], noise(1.0), [[1.0]], noise(1.0), noise(1.0));
/// // The last is known as well as the golden ratio says.
/// let seen = model.filter(&array([[0.0], [1.0], [1.0]]));
/// assert!((seen.covariances.index((2, 0, 0)).item::<f32>()? - 8.0 / 13.0).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct LinearGaussianSSM {
    #[tree(static)]
    num_steps: usize,
    transition_matrix: Array,
    transition_noise: MultivariateNormal,
    observation_matrix: Array,
    observation_noise: MultivariateNormal,
    initial_state: MultivariateNormal,
}

/// What a filter knows of the states, each from the observations up to its own.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct FilteredStates {
    /// The density of each observation given those before it, `[..., t]`.
    pub log_likelihoods: Array,
    /// The means of the states, `[..., t, n]`.
    pub means: Array,
    /// Their covariances, `[..., t, n, n]`.
    pub covariances: Array,
}

impl LinearGaussianSSM {
    /// From the number of observations, the matrix `F` `[..., n, n]`, the distribution of the noise
    /// of a step, the matrix `H` `[..., m, n]`, the distributions of the noise of an observation
    /// and of the first state. No steps, or shapes that do not fit, make all of it invalid.
    #[track_caller]
    pub fn new(
        num_steps: usize,
        transition_matrix: impl Into<Array>,
        transition_noise: MultivariateNormal,
        observation_matrix: impl Into<Array>,
        observation_noise: MultivariateNormal,
        initial_state: MultivariateNormal,
    ) -> LinearGaussianSSM {
        let name = "LinearGaussianSSM";
        let normals = [&transition_noise, &observation_noise, &initial_state];
        let wrong = normals.iter().find_map(|of| of.loc().error().or(of.scale_tril().error()));
        let transition = match (num_steps, wrong) {
            (_, Some(error)) => Array::invalid(error.clone(), here()),
            (0, _) => Array::invalid(
                Error::new(ErrorKind::Value, format!("a {name} takes 1 or more steps, not 0"))
                    .help("give the number of observations"),
                here(),
            ),
            _ => transition_matrix.into(),
        };
        let [state, seen, first] = normals.map(|of| (of.batch_shape(), of.event_shape()));
        let parameters = [
            ("transition_matrix", Constraint::RealMatrix, transition),
            ("observation_matrix", Constraint::RealMatrix, observation_matrix.into()),
        ];
        let help = "give transition_matrix [..., n, n] and observation_matrix [..., m, n], noise \
                    and first states of n entries, and noise of observations of m";
        let [transition_matrix, observation_matrix] = fitted(name, parameters, help, |[f, h]| {
            let (n, m) = (*state.1.first()?, *seen.1.first()?);
            let fits = f.ends_with(&[n, n]) && h.ends_with(&[m, n]) && *first.1 == [n];
            let parts = [(f, 2), (h, 2), (&*state.0, 0), (&*seen.0, 0), (&*first.0, 0)];
            common(parts).filter(|_| fits)
        });
        LinearGaussianSSM {
            num_steps,
            transition_matrix,
            transition_noise,
            observation_matrix,
            observation_noise,
            initial_state,
        }
    }

    #[track_caller]
    fn fault(&self) -> Option<Array> {
        let normals = [&self.transition_noise, &self.observation_noise, &self.initial_state];
        let more = normals.into_iter().flat_map(|of| of.parts());
        let own = [self.transition_matrix.clone(), self.observation_matrix.clone()];
        own.into_iter().chain(more).find(|array| array.error().is_some())
    }

    fn dtype(&self) -> DType {
        self.observation_noise.scale_tril().dtype()
    }

    /// The numbers of entries of a state and of an observation.
    fn extents(&self) -> [usize; 2] {
        match *self.observation_matrix.shape() {
            [.., m, n] => [n, m],
            _ => [0, 0],
        }
    }

    /// The mean and the factor of the state after one of this mean and factor.
    #[track_caller]
    fn next(&self, mean: &Array, factor: &Array, batch: &Shape) -> [Array; 2] {
        let n = self.extents()[0];
        let [loc, noise] = self.transition_noise.parts();
        let spread = |x: &Array| x.broadcast_to(join(batch, &[n, n]));
        let moved = self.transition_matrix.matmul(factor);
        let whole = concat([spread(&moved), spread(&noise)], -1);
        [times(&self.transition_matrix, mean) + loc, reduced(&whole)]
    }

    /// What is known of each state from the observations `[..., t, m]` up to its own.
    #[track_caller]
    pub fn filter(&self, x: &Array) -> FilteredStates {
        let fault = self
            .fault()
            .or_else(|| super::sequences::misfit("LinearGaussianSSM", x, &self.event_shape()));
        if let Some(wrong) = fault {
            return FilteredStates {
                log_likelihoods: wrong.clone(),
                means: wrong.clone(),
                covariances: wrong,
            };
        }
        let ([n, m], batch) = (self.extents(), self.batch_shape());
        let [loc, factor] = self.initial_state.parts();
        let [level, noise] = self.observation_noise.parts();
        let lead = broadcast_shapes(&batch, &x.shape()[..x.rank() - 2]);
        let Some(lead) = lead else {
            let wrong = x + self.mean();
            return FilteredStates {
                log_likelihoods: wrong.clone(),
                means: wrong.clone(),
                covariances: wrong,
            };
        };
        let start = (
            loc.cast(self.dtype()).broadcast_to(join(&lead, &[n])),
            factor.broadcast_to(join(&batch, &[n, n])),
        );
        let observations = x.cast(self.dtype()).move_axis(-2, 0);
        let step = |(mean, factor): (Array, Array), x: Array| {
            // Of the observation and the state, as rows: [[R, H L], [0, L]].
            let spread = |x: &Array, rows, columns| x.broadcast_to(join(&batch, &[rows, columns]));
            let (noise, none) = (spread(&noise, m, m), spread(&(&factor * 0.0).sum(), n, m));
            let seen = spread(&self.observation_matrix.matmul(&factor), m, n);
            let top = concat([noise, seen], -1);
            let bottom = concat([none, spread(&factor, n, n)], -1);
            let whole = reduced(&concat([top, bottom], -2));
            let rows = |from: usize, to: usize| whole.slice_axis(-2, from..to);
            let of_seen = rows(0, m).slice_axis(-1, 0..m);
            let (gain, rest) =
                (rows(m, m + n).slice_axis(-1, 0..m), rows(m, m + n).slice_axis(-1, m..m + n));
            let surprise = x - (times(&self.observation_matrix, &mean) + &level);
            let z = whitened(&of_seen, &surprise);
            let density = z.square().sum_axes([-1]) * -0.5
                - (log_determinant(&of_seen) + HALF_LOG_TAU * m as f64);
            let mean = mean + times(&gain, &z);
            let [next, moved] = self.next(&mean, &rest, &batch);
            let covariance = rest.matmul(rest.swap_axes(-1, -2));
            ((next, moved), (density, mean, covariance))
        };
        let (_, (densities, means, covariances)) = scan(start, observations, step);
        FilteredStates {
            log_likelihoods: densities.move_axis(0, -1),
            means: means.move_axis(0, -2),
            covariances: covariances.move_axis(0, -3),
        }
    }

    /// A statistic of each observation from the mean and the covariance of its state.
    #[track_caller]
    fn followed(&self, statistic: impl Fn(&Array, &Array) -> Array) -> Array {
        if let Some(wrong) = self.fault() {
            return wrong;
        }
        let (n, batch) = (self.extents()[0], self.batch_shape());
        let [loc, factor] = self.initial_state.parts();
        let [drift, noise] = self.transition_noise.parts();
        let start = (
            loc.cast(self.dtype()).broadcast_to(join(&batch, &[n])),
            square(&factor).broadcast_to(join(&batch, &[n, n])),
        );
        let f = &self.transition_matrix;
        let (_, all) = scan_n(self.num_steps, start, |(mean, covariance): (Array, Array)| {
            let seen = statistic(&mean, &covariance);
            let moved = f.matmul(&covariance).matmul(f.swap_axes(-1, -2)) + square(&noise);
            ((times(f, &mean) + &drift, moved), seen)
        });
        all.move_axis(0, -2).broadcast_to(join(&batch, &self.event_shape()))
    }
}

/// `A z` of vectors in the last axis.
#[track_caller]
fn times(a: &Array, z: &Array) -> Array {
    a.matmul(z.expand_dims(-1)).squeeze(-1)
}

/// `L L'`.
#[track_caller]
fn square(factor: &Array) -> Array {
    factor.matmul(factor.swap_axes(-1, -2))
}

impl Distribution for LinearGaussianSSM {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        let normals = [&self.transition_noise, &self.observation_noise, &self.initial_state];
        let [a, b, c] = normals.map(|of| of.batch_shape());
        let (f, h) = (self.transition_matrix.shape(), self.observation_matrix.shape());
        common([(f, 2), (h, 2), (&*a, 0), (&*b, 0), (&*c, 0)]).unwrap_or_default()
    }

    fn event_shape(&self) -> Shape {
        Shape::from_slice(&[self.num_steps, self.extents()[1]])
    }
}

impl Support for LinearGaussianSSM {
    fn support(&self) -> Constraint {
        Constraint::RealMatrix
    }
}

impl LogProb for LinearGaussianSSM {
    /// The sum of the densities of the observations, each given those before it.
    fn log_prob(&self, x: &Array) -> Array {
        let wrong = self
            .fault()
            .or_else(|| super::sequences::misfit("LinearGaussianSSM", x, &self.event_shape()));
        if let Some(wrong) = wrong {
            return wrong;
        }
        let seen = Seen::new(&Constraint::RealMatrix, x, &0.0.into());
        seen.density(self.filter(&seen.at).log_likelihoods.sum_axes([-1]))
    }
}

impl Sample for LinearGaussianSSM {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if let Some(wrong) = self.fault() {
            return wrong;
        }
        let ([n, m], dtype) = (self.extents(), self.dtype());
        let batch = join(&shape, &self.batch_shape());
        let (first, rest) = key.split();
        let (second, third) = rest.split();
        let steps = join(&[self.num_steps], &batch);
        let noise = |of: &MultivariateNormal, key, shape: &Shape, d: usize| {
            let [loc, factor] = of.parts();
            factor.matmul(normal_of(dtype, key, join(shape, &[d, 1]))).squeeze(-1) + loc
        };
        let start = noise(&self.initial_state, first, &batch, n);
        let moves = noise(&self.transition_noise, second, &steps, n);
        let errors = noise(&self.observation_noise, third, &steps, m);
        let (_, all) = scan(start, (moves, errors), |z: Array, (step, error): (Array, Array)| {
            let seen = times(&self.observation_matrix, &z) + error;
            (times(&self.transition_matrix, &z) + step, seen)
        });
        all.move_axis(0, -2)
    }
}

impl Moments for LinearGaussianSSM {
    fn mean(&self) -> Array {
        self.followed(|mean, _| {
            times(&self.observation_matrix, mean) + self.observation_noise.loc()
        })
    }

    fn variance(&self) -> Array {
        self.followed(|_, covariance| {
            let h = &self.observation_matrix;
            let noise = square(self.observation_noise.scale_tril());
            (h.matmul(covariance).matmul(h.swap_axes(-1, -2)) + noise).diagonal()
        })
    }
}
