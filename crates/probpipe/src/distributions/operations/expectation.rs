//! Means of functions of draws: exact where the draws can be listed, else estimated from some.

use crate::distributions::Sample;
use crate::distributions::shapes::join;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Shape, Tree, here, select, with_location,
    without_location, zeros_like,
};
use probpipe_transforms::vmap;

/// A mean with its standard error, of the same shape; of an exact mean the error is zero.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Estimate {
    /// The mean.
    pub value: Array,
    /// The standard deviation of the estimate, estimated from the same draws.
    pub standard_error: Array,
}

/// Expectations of functions of draws, of every distribution that has draws.
pub trait Expectation: Sample {
    /// The mean of `f(x)` over draws `x`, of the batch shape followed by that of a result of `f`,
    /// which gets one draw of one copy of the batch and gives an array of numbers.
    ///
    /// It is exact where all draws can be listed with their probabilities
    /// ([`Sample::enumerate`]): of counts whose ends are known, such as `Bernoulli`, `Binomial` and
    /// `Categorical`, and of an `Empirical`. Of others it is the mean of `f` over `draws` draws,
    /// with the standard error of that mean, and has the derivatives of the estimate where draws
    /// are reparameterised. No draws where some are needed, make it invalid.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// use probpipe::{Binomial, Expectation};
    /// let square = |x: Array| x.cast(DType::F32).square();
    /// let exact = Binomial::new(3, 0.5).expectation(square, Key::new(0), 0);
    /// assert!((exact.value.item::<f32>()? - 3.0).abs() < 1e-5);
    /// let estimate = Normal::new(1.0, 1.0).expectation(|x| x.square(), Key::new(0), 10_000);
    /// let off = (estimate.value - 2.0).abs() / estimate.standard_error;
    /// assert!(off.item::<f32>()? < 4.0);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    fn expectation(&self, f: impl Fn(Self::Value) -> Array, key: Key, draws: usize) -> Estimate
    where
        Self: Sized,
    {
        let batch = self.batch_shape();
        if let Some((points, probs)) = self.enumerate() {
            let n = probs.shape().first().copied().unwrap_or(0);
            let values = each(f, points, n, &batch);
            if let Some(error) = values.error().or(probs.error()) {
                return invalid(error.clone());
            }
            // The type is that of the results of `f`.
            let probs = if values.is_weak() { probs } else { probs.cast(values.dtype()) };
            let rank = values.rank() - probs.rank();
            let mut probs = probs;
            for _ in 0..rank {
                probs = probs.expand_dims(-1);
            }
            // What is not drawn may have any value.
            let drawn = probs.gt(0.0);
            let value = (select(&drawn, values, 0.0) * probs).sum_axes([0]);
            let standard_error = zeros_like(&value);
            return Estimate { value, standard_error };
        }
        if draws == 0 {
            let error = Error::new(ErrorKind::Value, "an expectation from no draws")
                .help("the draws of this distribution cannot be listed: ask for 1000, or more");
            return invalid(error);
        }
        let points = self.sample_shape(key, Shape::from_slice(&[draws]));
        let values = each(f, points, draws, &batch);
        if let Some(error) = values.error() {
            return invalid(error.clone());
        }
        let standard_error = match draws {
            1 => values.at(0) * f64::NAN,
            n => values.std_axes([0], 1) * (1.0 / (n as f64).sqrt()),
        };
        Estimate { value: values.mean_axes([0]), standard_error }
    }
}

impl<D: Sample> Expectation for D {}

#[track_caller]
fn invalid(error: Error) -> Estimate {
    let wrong = Array::invalid(error, here());
    Estimate { value: wrong.clone(), standard_error: wrong }
}

/// A function of each of `n` draws of each copy of a batch, as floats.
#[track_caller]
fn each<V: Tree>(f: impl Fn(V) -> Array, points: V, n: usize, batch: &[usize]) -> Array {
    let lead = join(&[n], batch);
    let rows: usize = lead.iter().product();
    let apart = |x: &Array| {
        let event = x.shape().get(lead.len()..).unwrap_or_default();
        if x.error().is_some() { x.clone() } else { x.reshape(join(&[rows], event)) }
    };
    let all = with_location(here(), || points.map(apart));
    // What the user's function does has its own lines.
    let values = vmap(|x| without_location(|| f(x)))(all);
    if values.error().is_some() {
        return values;
    }
    let rest = values.shape().get(1..).unwrap_or_default();
    let values = values.reshape(join(&lead, rest));
    let float = values.dtype().is_float();
    if float { values } else { values.cast(if wide(&values) { DType::F64 } else { DType::F32 }) }
}

/// Whether integers need the wider of the floats.
fn wide(x: &Array) -> bool {
    matches!(x.dtype(), DType::I64 | DType::U64) || probpipe_trace::default_float() == DType::F64
}
