//! Vectors that hold softly one of several, and their logarithms.

use super::one_hot::size;
use crate::constraints::Constraint;
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Sample};
use crate::random::gumbel_of;
use probpipe_trace::{Array, DType, Key, Shape, select};

family! {
    /// The distribution of the softmax of `(logits + g) / temperature` of independent Gumbel
    /// numbers `g` (C. J. Maddison, A. Mnih, Y. W. Teh, "The concrete distribution", 2017): near to
    /// one-hot vectors for small temperatures.
    ///
    /// Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::distributions::RelaxedOneHotCategorical;
    /// use probpipe::prelude::*;
    /// let r = RelaxedOneHotCategorical::new(0.5, [0.0, 1.0, 2.0]);
    /// assert!((r.sample(Key::new(0), ()).sum().item::<f32>()? - 1.0).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    RelaxedOneHotCategorical::new {
        /// How far draws are from one-hot vectors.
        temperature: Positive,
        /// The logarithm of the weight of each entry, `[..., k]`.
        logits: RealVector,
    }
    on Simplex
}

family! {
    /// The distribution of the logarithms of a [`RelaxedOneHotCategorical`], which are exact where
    /// its entries would be 0: of vectors whose exponentials add up to 1.
    ///
    /// Its sampler is reparameterised. Its density is that of the simplex times all entries.
    ///
    /// ```
    /// use probpipe::distributions::{ExpRelaxedOneHotCategorical, RelaxedOneHotCategorical};
    /// use probpipe::prelude::*;
    /// let e = ExpRelaxedOneHotCategorical::new(0.5, [0.0, 1.0, 2.0]);
    /// let r = RelaxedOneHotCategorical::new(0.5, [0.0, 1.0, 2.0]);
    /// let x = array([0.2, 0.3, 0.5]);
    /// let apart = e.log_prob(&x.log()) - r.log_prob(&x) - x.log().sum();
    /// assert!(apart.abs().item::<f32>()? < 1e-5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ExpRelaxedOneHotCategorical::new {
        /// How far draws are from one-hot vectors.
        temperature: Positive,
        /// The logarithm of the weight of each entry, `[..., k]`.
        logits: RealVector,
    }
    on LogSimplex
}

/// A number for each vector, beside its entries.
#[track_caller]
fn over(temperature: &Array) -> Array {
    if temperature.rank() > 0 { temperature.expand_dims(-1) } else { temperature.clone() }
}

/// `(logits + g) / temperature` of Gumbel numbers `g`.
#[track_caller]
fn noisy([temperature, logits]: [Array; 2], dtype: DType, key: Key, batch: Shape) -> Array {
    let noise = gumbel_of(dtype, key, join(&batch, &[size(&logits)]));
    (noise + logits) / over(&temperature)
}

/// `log Gamma(k) + (k - 1) log t + sum(l - t y) - k log sum(exp(l - t y))` of logarithms `y`.
#[track_caller]
fn log_density([temperature, logits]: &[Array; 2], y: &Array) -> Array {
    let scores = logits - y * over(temperature);
    let n = size(logits) as f64;
    let constant = (temperature * 0.0 + n).lgamma() + temperature.log() * (n - 1.0);
    scores.sum_axes([-1]) - scores.logsumexp_axes([-1]) * n + constant
}

impl LogProb for RelaxedOneHotCategorical {
    fn log_prob(&self, x: &Array) -> Array {
        let parameters = self.checked();
        if parameters[1].error().is_some() {
            return parameters[1].clone();
        }
        let k = size(&parameters[1]);
        let seen = Seen::new(&Constraint::Simplex, x, &Array::from(1.0 / k.max(1) as f64));
        // At the boundary the limit depends on the way there.
        let open = seen.at.gt(0.0).all_axes([-1]);
        let logs = select(&open.expand_dims(-1), &seen.at, 1.0).log();
        let value = log_density(&parameters, &logs) - logs.sum_axes([-1]);
        seen.density(select(&open, value, f64::NEG_INFINITY))
    }
}

impl LogProb for ExpRelaxedOneHotCategorical {
    fn log_prob(&self, x: &Array) -> Array {
        let parameters = self.checked();
        if parameters[1].error().is_some() {
            return parameters[1].clone();
        }
        let k = size(&parameters[1]);
        let seen = Seen::new(&Constraint::LogSimplex, x, &Array::from(-(k.max(1) as f64).ln()));
        seen.density(log_density(&parameters, &seen.at))
    }
}

impl Sample for RelaxedOneHotCategorical {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let batch = join(&shape, &self.batch_shape());
        noisy(self.checked(), self.dtype(), key, batch).softmax(-1)
    }
}

impl Sample for ExpRelaxedOneHotCategorical {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let batch = join(&shape, &self.batch_shape());
        noisy(self.checked(), self.dtype(), key, batch).log_softmax(-1)
    }
}
