//! The Dirichlet distribution.

use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::terms::log_power;
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample, Support};
use crate::random::dirichlet;
use probpipe_trace::{Array, Keep, Key, Shape, select};

family! {
    /// The Dirichlet distribution on vectors of probabilities, of density
    /// `Gamma(sum a) prod(x^(a - 1) / Gamma(a))` in all entries but one.
    ///
    /// Its sampler is reparameterised through gamma numbers.
    ///
    /// ```
    /// use probpipe::distributions::Dirichlet;
    /// use probpipe::prelude::*;
    /// let d = Dirichlet::new([1.0, 1.0, 1.0]);
    /// assert!((d.prob(&array([0.2, 0.3, 0.5])).item::<f32>()? - 2.0).abs() < 1e-5);
    /// assert!((d.sample(Key::new(0), ()).sum().item::<f32>()? - 1.0).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Dirichlet::new {
        /// How strongly mass gathers in each entry, `[..., k]`.
        concentration: PositiveVector,
    }
    on Simplex
}

impl Dirichlet {
    fn size(&self) -> usize {
        self.concentration().shape().last().copied().unwrap_or(0)
    }
}

impl LogProb for Dirichlet {
    /// `sum((a - 1) log x) + lgamma(sum a) - sum(lgamma(a))`.
    fn log_prob(&self, x: &Array) -> Array {
        let [a] = self.checked();
        if a.error().is_some() {
            return a;
        }
        let equal = Array::from(1.0 / self.size().max(1) as f64);
        let seen = Seen::new(&self.support(), x, &equal);
        let powers = log_power(&(&a - 1.0), &seen.at).sum_axes([-1]);
        seen.density(powers + (a.sum_axes([-1]).lgamma() - a.lgamma().sum_axes([-1])))
    }
}

impl Sample for Dirichlet {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [a] = self.checked();
        dirichlet(key, join(&shape, &self.batch_shape()), a)
    }
}

impl Moments for Dirichlet {
    fn mean(&self) -> Array {
        let [a] = self.checked();
        self.shaped(&a / a.sum_axes(Keep([-1])), &[self.size()])
    }

    fn variance(&self) -> Array {
        let [a] = self.checked();
        let total = a.sum_axes(Keep([-1]));
        let mean = &a / &total;
        let variance = &mean * ((&total - &a) / &total) / (total + 1.0);
        self.shaped(variance, &[self.size()])
    }
}

impl Mode for Dirichlet {
    /// `(a - 1) / sum(a - 1)` where all `a` are above 1, NaN elsewhere.
    fn mode(&self) -> Array {
        let [a] = self.checked();
        let inside = a.gt(1.0).all_axes(Keep([-1]));
        let above = select(&inside, &a - 1.0, 1.0);
        let mode = select(&inside, &above / above.sum_axes(Keep([-1])), f64::NAN);
        self.shaped(mode, &[self.size()])
    }
}

impl Entropy for Dirichlet {
    /// `log B(a) + (A - k) digamma(A) - sum((a - 1) digamma(a))` with `A = sum a`.
    fn entropy(&self) -> Array {
        let [a] = self.checked();
        let total = a.sum_axes([-1]);
        let log_beta = a.lgamma().sum_axes([-1]) - total.lgamma();
        let each = ((&a - 1.0) * a.digamma()).sum_axes([-1]);
        self.shaped(log_beta + (&total - self.size() as f64) * total.digamma() - each, &[])
    }
}
