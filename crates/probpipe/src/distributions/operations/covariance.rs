//! Covariances of the entries of vectors.

use crate::distributions::{
    Autoregressive, CirculantNormal, Covariance, Dirichlet, Distribution, Empirical,
    GaussianRandomWalk, Independent, Kde, LowRankMultivariateNormal, MixtureSameFamily, Moments,
    Multinomial, MultinomialLogits, MultivariateNormal, MultivariateStudentT, ZeroSumNormal,
};
use probpipe_trace::{
    Array, Error, ErrorKind, ShapeDisplay, arange, eye_of, here, select, toeplitz, with_location,
};

/// Variances as a diagonal matrix.
#[track_caller]
fn diagonal(variance: &Array) -> Array {
    match variance.shape().last() {
        Some(&d) if variance.error().is_none() => {
            variance.expand_dims(-1) * eye_of(variance.dtype(), d)
        }
        _ => variance.clone(),
    }
}

/// That there is no covariance of events of a shape.
#[track_caller]
fn none(name: &str, event: &[usize], help: &str) -> Array {
    let article = if name.starts_with(['E', 'I']) { "an" } else { "a" };
    let message =
        format!("the covariance of {article} {name} with events of shape {}", ShapeDisplay(event));
    Array::invalid(Error::new(ErrorKind::Shape, message).help(help), here())
}

/// `x x'` of vectors in the last axis.
#[track_caller]
fn square(x: &Array) -> Array {
    x.expand_dims(-1) * x.expand_dims(-2)
}

impl Covariance for MultivariateNormal {
    fn cov(&self) -> Array {
        self.covariance()
    }
}

impl Covariance for MultivariateStudentT {
    /// `L L' df / (df - 2)`; infinite or NaN as the variance is.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let factor = self.scale_tril();
            let over = |x: &Array| {
                if x.rank() > 0 { x.expand_dims(-1).expand_dims(-1) } else { x.clone() }
            };
            let df = over(self.df());
            let finite = df.gt(2.0);
            let safe = select(&finite, &df, 3.0);
            let ratio = select(&finite, &safe / (&safe - 2.0), f64::INFINITY);
            let ratio = select(&df.gt(1.0), ratio, f64::NAN);
            factor.matmul(factor.swap_axes(-1, -2)) * ratio
        })
    }
}

impl Covariance for Dirichlet {
    /// `(diag(m) - m m') / (sum a + 1)` of the mean `m`.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let mean = self.mean();
            let total = self.concentration().sum_axes([-1]) + 1.0;
            let total =
                if total.rank() > 0 { total.expand_dims(-1).expand_dims(-1) } else { total };
            (diagonal(&mean) - square(&mean)) / total
        })
    }
}

/// `n (diag(p) - p p')` from the mean `n p`.
#[track_caller]
fn of_counts(mean: &Array) -> Array {
    let total = mean.sum_axes([-1]);
    let total = if total.rank() > 0 { total.expand_dims(-1).expand_dims(-1) } else { total };
    // Without trials there is nothing to divide by.
    let some = total.gt(0.0);
    diagonal(mean) - select(&some, square(mean) / select(&some, &total, 1.0), 0.0)
}

impl Covariance for Multinomial {
    fn cov(&self) -> Array {
        of_counts(&self.mean())
    }
}

impl Covariance for MultinomialLogits {
    fn cov(&self) -> Array {
        of_counts(&self.mean())
    }
}

impl<D: Moments<Value = Array>> Covariance for Independent<D> {
    /// Zero but on the diagonal; of vectors of numbers alone.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let event = self.event_shape();
            if event.len() != 1 || !self.base().event_shape().is_empty() {
                return none(
                    "Independent",
                    &event,
                    "it is known of vectors of independent numbers",
                );
            }
            diagonal(&self.variance())
        })
    }
}

impl Covariance for GaussianRandomWalk {
    /// `scale^2 (1 + min(i, j))`.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let scale = self.scale();
            if scale.error().is_some() {
                return scale.clone();
            }
            let square = scale.square();
            let square =
                if square.rank() > 0 { square.expand_dims(-1).expand_dims(-1) } else { square };
            let steps = arange(self.event_shape()[0]).cast(scale.dtype()) + 1.0;
            square * steps.expand_dims(0).minimum(steps.expand_dims(1))
        })
    }
}

impl Covariance for LowRankMultivariateNormal {
    /// `W W' + diag(D)`.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let variance = self.variance();
            if variance.error().is_some() {
                return variance;
            }
            let [factor, own] = self.spreads();
            let cov = factor.matmul(factor.swap_axes(-1, -2)) + diagonal(own);
            let shape = [variance.shape(), &variance.shape()[variance.rank() - 1..]].concat();
            cov.broadcast_to(shape)
        })
    }
}

impl Covariance for CirculantNormal {
    /// The row, turned by one entry more in each row.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let variance = self.variance();
            if variance.error().is_some() {
                return variance;
            }
            let n = self.event_shape()[0];
            let places: Vec<i32> =
                (0..n * n).map(|at| ((at % n + n - at / n) % n) as i32).collect();
            let row = self.covariance_row().in_dtype(variance.dtype());
            let cov = row.take(Array::from_slice(&places, [n, n]), -1);
            let shape = [variance.shape(), &[n]].concat();
            cov.broadcast_to(shape)
        })
    }
}

impl Covariance for ZeroSumNormal {
    /// `scale^2 (I - 1/n)`; of vectors.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let (variance, event) = (self.variance(), self.event_shape());
            if variance.error().is_some() {
                return variance;
            }
            if event.len() != 1 {
                return none("ZeroSumNormal", &event, "it is known of vectors, of one axis");
            }
            let n = event[0];
            // The variance is `scale^2 (1 - 1/n)`.
            let centred = eye_of(variance.dtype(), n) - 1.0 / n as f64;
            let part = if n > 1 { 1.0 - 1.0 / n as f64 } else { 1.0 };
            variance.expand_dims(-1) / part * centred
        })
    }
}

impl<D: Covariance<Value = Array> + Moments> Covariance for MixtureSameFamily<D> {
    /// The mean of the covariances of the components, and the covariance of their means.
    fn cov(&self) -> Array {
        with_location(here(), || {
            self.covariance(&self.components().mean(), self.components().cov())
        })
    }
}

impl Covariance for Autoregressive {
    /// `scale^2 W W'` of what each step is worth later on.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let variance = self.variance();
            if variance.error().is_some() {
                return variance;
            }
            let worth = toeplitz(&self.worth()).tril() * self.scale();
            worth.matmul(worth.transpose())
        })
    }
}

impl Covariance for Empirical<Array> {
    /// The mean of the products of distances from the mean; of vectors.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let values = self.values();
            if values.error().is_some() {
                return values.clone();
            }
            if values.rank() != 2 {
                let help = "give points [n, d]; of numbers ask for the variance";
                return none("Empirical", &self.event_shape(), help);
            }
            let centred = values - self.mean();
            let weighed = self.probs().expand_dims(-1) * &centred;
            centred.transpose().matmul(weighed)
        })
    }
}

impl Covariance for Kde {
    /// That of the points and that of a kernel; of vectors.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let own = Empirical::<Array>::from(self).cov();
            let scale = self.scale();
            if own.error().is_some() || scale.rank() != 2 {
                return own;
            }
            own + scale.matmul(scale.transpose())
        })
    }
}
