//! The distribution of a number that is known.

use crate::distributions::LogProb;
use crate::distributions::declaration::family;
use probpipe_trace::{Array, select};

family! {
    /// All probability at one number, with a density there that may be chosen.
    ///
    /// ```
    /// use probpipe::{Delta, prelude::*};
    /// let d = Delta::new(1.5);
    /// let density = d.log_prob(&array([1.5, 1.0]));
    /// assert_eq!(density.to_vec::<f32>()?, [0.0, f32::NEG_INFINITY]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    Delta::with_log_density {
        /// The number.
        v: Real,
        /// The logarithm of the density at it.
        log_density: Real,
    }
    on Interval(v, v) {
        Sample { uniform(u) => u * 0.0 + v }
        Moments { mean => v.clone(), variance => v * 0.0 }
        Mode { mode => v.clone() }
        Entropy { entropy => -log_density }
    }
}

impl LogProb for Delta {
    /// Beside `v` it is `-inf` with the slope of `log_density`, as everywhere.
    fn log_prob(&self, x: &Array) -> Array {
        let [v, log_density] = self.checked();
        let mass = select(&x.eq(v), 0.0, select(&x.is_nan(), f64::NAN, f64::NEG_INFINITY));
        mass + log_density
    }
}

impl Delta {
    /// With the mass 1 at `v`, whose logarithm is 0.
    #[track_caller]
    pub fn new(v: impl Into<Array>) -> Delta {
        Delta::with_log_density(v, 0.0)
    }
}
