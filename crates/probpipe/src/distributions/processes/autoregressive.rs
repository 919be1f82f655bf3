//! Autoregression: series of which each value follows from those before it.

use crate::constraints::Constraint;
use crate::distributions::multivariate::held;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::{Distribution, LogProb, Moments, Sample, Support};
use crate::random::normal_of;
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, concat, here, scan, scan_n,
    with_location, zeros, zeros_like,
};

/// Series of `n` values, of which each is a constant, a sum of the `p` values before it with
/// coefficients, and a normal step:
/// `x_t = constant + coefficients_1 x_(t-1) + .. + coefficients_p x_(t-p) + scale z_t`.
///
/// The values before the first are given, or zero. Its sampler is reparameterised. Batches of
/// parameters go through `vmap`.
///
/// ```
/// use probpipe::Autoregressive;
/// use probpipe::prelude::*;
/// let ar = Autoregressive::new([0.5], 1.0, 3).after([2.0]);
/// assert_eq!(ar.mean().to_vec::<f32>()?, [1.0, 0.5, 0.25]);
/// assert_eq!(ar.variance().to_vec::<f32>()?, [1.0, 1.25, 1.3125]);
/// assert_eq!(ar.sample(Key::new(0), [4]).shape(), [4, 3]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
#[doc(alias = "tfp.AR")]
pub struct Autoregressive {
    coefficients: Array,
    constant: Option<Array>,
    scale: Array,
    history: Option<Array>,
    #[tree(static)]
    num_steps: usize,
}

const NAME: &str = "Autoregressive";

impl Autoregressive {
    /// From the coefficients `[p]`, that of the last value first, the standard deviation of a step
    /// and the number of values. A known scale that is not positive, coefficients that are no
    /// vector, or no values, make it invalid.
    #[track_caller]
    pub fn new(
        coefficients: impl Into<Array>,
        scale: impl Into<Array>,
        num_steps: usize,
    ) -> Autoregressive {
        with_location(here(), || {
            let (coefficients, scale) = (coefficients.into(), scale.into() * 1.0);
            let fault = |message: String, help: &str| {
                Array::invalid(Error::new(ErrorKind::Shape, message).help(help), here())
            };
            let right = scale.error().is_some() || scale.rank() == 0;
            let scale = match num_steps {
                0 => fault(format!("an {NAME} takes 1 or more steps, not 0"), "give their number"),
                _ if !right => {
                    let shape = ShapeDisplay(scale.shape());
                    fault(format!("the scale of an {NAME} is of shape {shape}"), "give a number")
                }
                _ => held(NAME, "scale", &Constraint::Positive, scale),
            };
            let vector =
                coefficients.error().is_some() || matches!(coefficients.shape(), [p] if *p > 0);
            let coefficients = if vector {
                held(NAME, "coefficients", &Constraint::RealVector, coefficients)
            } else {
                let shape = ShapeDisplay(coefficients.shape());
                fault(
                    format!("the coefficients of an {NAME} are of shape {shape}"),
                    "give a vector, [p]",
                )
            };
            Autoregressive { coefficients, constant: None, scale, history: None, num_steps }
        })
    }

    /// With a number that is added to every value.
    #[track_caller]
    pub fn with_constant(self, constant: impl Into<Array>) -> Autoregressive {
        let constant = held(NAME, "constant", &Constraint::Real, constant.into() * 1.0);
        Autoregressive { constant: Some(constant), ..self }
    }

    /// With the values before the first, `[p]`, the last one last.
    #[track_caller]
    pub fn after(self, history: impl Into<Array>) -> Autoregressive {
        let history = history.into();
        let fits = history.error().is_some() || history.shape() == self.coefficients.shape();
        let history = if fits || self.coefficients.error().is_some() {
            history * 1.0
        } else {
            let message = format!(
                "the history of an {NAME} is of shape {}, its coefficients of shape {}",
                ShapeDisplay(history.shape()),
                ShapeDisplay(self.coefficients.shape())
            );
            let error = Error::new(ErrorKind::Shape, message)
                .note("the history was made", Some(history.location()))
                .help("give one value for each coefficient");
            Array::invalid(error, here())
        };
        Autoregressive { history: Some(history), ..self }
    }

    /// The order: how many values before one count.
    pub fn order(&self) -> usize {
        self.coefficients.shape().first().copied().unwrap_or(0)
    }

    #[track_caller]
    fn fault(&self) -> Option<Array> {
        let parts = [Some(&self.coefficients), Some(&self.scale)];
        let all = parts.into_iter().chain([self.constant.as_ref(), self.history.as_ref()]);
        all.flatten().find(|part| part.error().is_some()).cloned()
    }

    /// The values before the first.
    #[track_caller]
    fn before(&self) -> Array {
        self.history.clone().unwrap_or_else(|| zeros([self.order()]))
    }

    /// What is added to every value.
    #[track_caller]
    fn constant(&self) -> Array {
        self.constant.clone().unwrap_or_else(|| 0.0.into())
    }

    /// A zero of the type of all parameters together.
    #[track_caller]
    fn zero(&self) -> Array {
        let all = &self.scale + self.constant() + self.coefficients.at(0) + self.before().at(0);
        zeros_like(&all).in_dtype(all.dtype())
    }
}

impl Distribution for Autoregressive {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    fn event_shape(&self) -> Shape {
        Shape::from_slice(&[self.num_steps])
    }
}

impl Support for Autoregressive {
    fn support(&self) -> Constraint {
        Constraint::RealVector
    }
}

impl LogProb for Autoregressive {
    /// The sum of the log-densities of the steps.
    fn log_prob(&self, x: &Array) -> Array {
        with_location(here(), || {
            if let Some(error) = self.fault() {
                return error;
            }
            let n = self.num_steps;
            if x.error().is_some() {
                return x.clone();
            }
            if x.shape().last() != Some(&n) {
                let message = format!(
                    "an {NAME} over events of shape [{n}] is asked about an array of shape {}",
                    ShapeDisplay(x.shape())
                );
                let error = Error::new(ErrorKind::Shape, message)
                    .note("the array was made", Some(x.location()))
                    .help("the last axis holds the events");
                return Array::invalid(error, here());
            }
            let p = self.order();
            let lead = &x.shape()[..x.rank() - 1];
            let before = (self.before() + self.zero()).broadcast_to(join(lead, &[p]));
            let all = concat([before, x + self.zero()], -1);
            let mut step = x - self.constant();
            for k in 0..p {
                let from = p - 1 - k;
                step -= all.slice_axis(-1, from..from + n) * self.coefficients.at(k as isize);
            }
            let length = (step / &self.scale).square().sum_axes([-1]);
            length * -0.5 - (self.scale.log() + HALF_LOG_TAU) * n as f64
        })
    }
}

impl Sample for Autoregressive {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        with_location(here(), || {
            if let Some(error) = self.fault() {
                return error;
            }
            let (p, zero) = (self.order(), self.zero());
            let noise = normal_of(zero.dtype(), key, join(&[self.num_steps], &shape));
            let steps = noise * &self.scale + self.constant() + &zero;
            // The value last drawn comes first, beside its coefficient.
            let window = (self.before().flip(-1) + &zero).broadcast_to(join(&shape, &[p]));
            let (_, values) = scan(window, steps, |window: Array, step: Array| {
                let x = (&window * &self.coefficients).sum_axes([-1]) + step;
                let rest = window.slice_axis(-1, 0..p - 1);
                (concat([x.expand_dims(-1), rest], -1), x)
            });
            values.move_axis(0, -1)
        })
    }
}

impl Moments for Autoregressive {
    fn mean(&self) -> Array {
        with_location(here(), || {
            if let Some(error) = self.fault() {
                return error;
            }
            let (p, zero) = (self.order(), self.zero());
            let (_, means) =
                scan_n(self.num_steps, self.before().flip(-1) + &zero, |window: Array| {
                    let x = (&window * &self.coefficients).sum_axes([-1]) + self.constant();
                    let rest = window.slice_axis(-1, 0..p - 1);
                    (concat([x.expand_dims(-1), rest], -1), x)
                });
            means
        })
    }

    /// `scale^2` times the running sum of the squares of what a step is worth later on.
    fn variance(&self) -> Array {
        with_location(here(), || {
            self.fault().unwrap_or_else(|| self.worth().square().cumsum(0) * self.scale.square())
        })
    }
}

impl Autoregressive {
    /// The standard deviation of a step.
    pub fn scale(&self) -> &Array {
        &self.scale
    }

    /// By how much a step of 1 moves the value of its own time and of those after it, `[n]`.
    #[track_caller]
    pub(crate) fn worth(&self) -> Array {
        let (p, zero) = (self.order(), self.zero());
        let start = concat([(&zero + 1.0).expand_dims(0), zeros([p - 1]) + &zero], 0);
        let (_, worth) = scan_n(self.num_steps, start, |window: Array| {
            let next = (&window * &self.coefficients).sum_axes([-1]);
            let rest = window.slice_axis(-1, 0..p - 1);
            (concat([next.expand_dims(-1), rest], -1), window.at(0))
        });
        worth
    }
}
