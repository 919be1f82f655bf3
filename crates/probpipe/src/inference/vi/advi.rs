//! Automatic differentiation variational inference (A. Kucukelbir et al., 2017).

use super::normal::Approximation;
use crate::distributions::LogProb;
use crate::inference::Target;
use crate::optimize::{Adam, Optimizer, Schedule, apply_updates};
use probpipe_trace::{Array, Key, Tree, concat, eye, normal_of, scan, zeros_like, zeros_of};
use probpipe_transforms::value_and_grad;

/// A normal distribution near a target, by stochastic gradients of the evidence lower bound.
///
/// Gradients go through the draws alone, not through the density of the approximation, whose part
/// has mean zero (G. Roeder, Y. Wu, D. Duvenaud, 2017): where the target is normal itself the fit
/// is exact.
///
/// ```
/// use probpipe::inference::{Target, vi::Advi};
/// use probpipe::prelude::*;
/// let density = |x: Array| Normal::new([1.0, -2.0], [0.5, 2.0]).log_prob(&x).sum();
/// let target = Target::new(density, zeros([2]))?;
/// let fit = jit(|key: Key| Advi::mean_field().fit(key, &target))(Key::new(0));
/// let scales = fit.approximation.scale_tril.diagonal().to_vec::<f32>()?;
/// assert!((scales[0] - 0.5).abs() < 1e-2 && (scales[1] - 2.0).abs() < 4e-2);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Advi {
    /// Whether all entries may depend on each other, or none on any other.
    pub full_rank: bool,
    /// Draws for each step.
    pub draws: usize,
    /// Steps.
    pub steps: usize,
    /// The learning rate of Adam at the start: over the steps it falls along a cosine to a
    /// thousandth.
    pub rate: Array,
}

/// What [`Advi::fit`] gives.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Fit {
    /// The distribution after the last step.
    pub approximation: Approximation,
    /// Estimates of the bound before every step, `[steps]`.
    pub elbos: Array,
}

/// What is fitted.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Parameters {
    loc: Array,
    /// Logarithms of the diagonal of the factor.
    log_scale: Array,
    /// The factor below its diagonal, row by row; empty for mean fields.
    below: Array,
}

impl Advi {
    /// Entries that do not depend on each other.
    pub fn mean_field() -> Advi {
        Advi { full_rank: false, draws: 8, steps: 2000, rate: Array::from(0.1) }
    }

    /// Entries that may all depend on each other.
    pub fn full_rank() -> Advi {
        Advi { full_rank: true, ..Advi::mean_field() }
    }

    /// The fit, from the target's start and unit scales.
    #[track_caller]
    pub fn fit<T>(&self, key: Key, target: &Target<T>) -> Fit {
        let loc = target.start().clone();
        let n = loc.size();
        let below = if self.full_rank { n * n.saturating_sub(1) / 2 } else { 0 };
        let start =
            Parameters { log_scale: zeros_like(&loc), below: zeros_of(loc.dtype(), [below]), loc };
        let optimizer = Adam::new(Schedule::cosine(&self.rate, self.steps as f64, 1e-3));
        let state = optimizer.init(&start);
        let step = |(at, state): (Parameters, _), key: Key| {
            let noise = normal_of(at.loc.dtype(), key, [self.draws, n]);
            let loss = |at: Parameters| -bound(&at, &noise, target);
            let (loss, slopes) = value_and_grad(loss)(at.clone());
            let (updates, state) = optimizer.update(slopes, state, &at);
            ((apply_updates(at, updates), state), -loss)
        };
        let keys = key.split_batch(self.steps);
        let ((at, _), elbos) = scan((start, state), keys, step);
        Fit { approximation: at.approximation(), elbos }
    }
}

impl Parameters {
    #[track_caller]
    fn approximation(&self) -> Approximation {
        let n = self.loc.size();
        let diagonal = eye(n).cast(self.loc.dtype()) * self.log_scale.exp();
        let scale_tril = if self.below.size() == 0 { diagonal } else { diagonal + self.lower(n) };
        Approximation { loc: self.loc.clone(), scale_tril }
    }

    /// The part below the diagonal, `[n, n]`.
    #[track_caller]
    fn lower(&self, n: usize) -> Array {
        let mut rows = Vec::new();
        let mut at = 0;
        for i in 0..n {
            let row = self.below.slice_axis(0, at..at + i);
            let rest = zeros_of(self.loc.dtype(), [n - i]);
            rows.push(concat(&[row, rest], 0).expand_dims(0));
            at += i;
        }
        concat(&rows, 0)
    }
}

/// An estimate of the bound from normal noise `[draws, n]`.
#[track_caller]
fn bound<T>(at: &Parameters, noise: &Array, target: &Target<T>) -> Array {
    let q = at.approximation();
    let z = &q.loc + noise.matmul(&q.scale_tril.transpose());
    // The density of the approximation with its parameters held still: derivatives go through `z`.
    let still = q.map(Array::stop_gradient).distribution();
    (target.log_densities(&z) - still.log_prob(&z)).mean()
}
