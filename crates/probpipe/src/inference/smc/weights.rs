//! Values with weights, and what is estimated by them.

use super::resampling::{Resampled, Resampling};
use super::sums::{effective_sample_size, weighted_mean};
use probpipe_trace::{Array, Key, Tree, here, with_location};
use probpipe_transforms::vmap;

/// Values with the logarithms of their weights.
///
/// ```
/// use probpipe::inference::smc::{Resampling, Weighted};
/// use probpipe::prelude::*;
/// let w = Weighted { values: array([1.0, 2.0]), log_weights: array([0.0, 3f32.ln()]) };
/// assert!((w.log_evidence() - 2f32.ln()).abs().item::<f32>()? < 1e-6);
/// assert!((w.means().item::<f32>()? - 1.75).abs() < 1e-6);
/// let (draws, taken) = w.resample(Key::new(0), 8, Resampling::Systematic);
/// assert!(taken.sound.item::<bool>()?);
/// assert_eq!(draws.eq(2.0).cast(DType::I32).sum().item::<i32>()?, 6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Weighted<T> {
    /// The values, along a first axis of `n`.
    pub values: T,
    /// The logarithms of their weights, `[n]`: of the density that is wanted over that of the
    /// draws, so that the mean of the weights is the evidence.
    pub log_weights: Array,
}

impl<T: Tree + Clone> Weighted<T> {
    /// The logarithm of the mean of the weights, whose expectation is the evidence.
    #[track_caller]
    pub fn log_evidence(&self) -> Array {
        self.log_weights.logmeanexp()
    }

    /// The standard error of [`Weighted::log_evidence`], by the spread of the weights:
    /// `sqrt((n / ess - 1) / (n - 1))`. Too small where few draws have most of the weight.
    #[track_caller]
    pub fn evidence_error(&self) -> Array {
        let n = self.log_weights.size() as f64;
        ((n / self.effective_sample_size() - 1.0).maximum(0.0) / (n - 1.0)).sqrt()
    }

    /// The weights, which add up to 1; NaN where no weight is above zero.
    #[track_caller]
    pub fn weights(&self) -> Array {
        self.log_weights.softmax(-1)
    }

    /// See [`effective_sample_size`].
    #[track_caller]
    pub fn effective_sample_size(&self) -> Array {
        effective_sample_size(&self.log_weights)
    }

    /// The mean of a function of a value by the weights (self-normalised).
    #[track_caller]
    pub fn mean(&self, f: impl Fn(T) -> Array) -> Array {
        with_location(here(), || weighted_mean(&vmap(f)(self.values.clone()), &self.weights()))
    }

    /// The means of the values themselves.
    #[track_caller]
    pub fn means(&self) -> T {
        with_location(here(), || {
            let weights = self.weights();
            self.values.clone().map(|x| weighted_mean(x, &weights))
        })
    }

    /// `m` values of equal weights, taken by the weights of these (sampling importance resampling;
    /// D. B. Rubin, 1987), and which they are. Without a weight above zero they are any: see
    /// [`Resampled::sound`].
    #[track_caller]
    pub fn resample(&self, key: Key, m: usize, by: Resampling) -> (T, Resampled) {
        with_location(here(), || {
            let taken = by.ancestors(key, &self.log_weights, m);
            (self.values.clone().map(|x| x.take(&taken.ancestors, 0)), taken)
        })
    }
}
