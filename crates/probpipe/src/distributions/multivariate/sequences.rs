//! Normal vectors of structure: walks, vectors that add up to zero, and circles.

use super::factors::held;
use crate::constraints::Constraint;
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::{HALF_LOG_TAU, join};
use crate::distributions::{Distribution, Entropy, LogProb, Mode, Moments, Sample, Support};
use crate::random::normal_of;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Keep, Key, Shape, ShapeDisplay, Tree, arange, concat,
    default_float, here, select, zeros_of,
};
use std::f64::consts::TAU;

/// Sums of independent normal steps: `x_0` is a step, and `x_k` is `x_(k-1)` and a step.
///
/// Its sampler is reparameterised.
///
/// ```
/// use probpipe::distributions::GaussianRandomWalk;
/// use probpipe::prelude::*;
/// let walk = GaussianRandomWalk::new(2.0, 3);
/// assert_eq!(walk.variance().to_vec::<f32>()?, [4.0, 8.0, 12.0]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct GaussianRandomWalk {
    scale: Array,
    #[tree(static)]
    num_steps: usize,
}

impl GaussianRandomWalk {
    /// From the standard deviation of a step and the number of steps. A known scale that is not
    /// positive, or no steps, make it invalid.
    #[track_caller]
    pub fn new(scale: impl Into<Array>, num_steps: usize) -> GaussianRandomWalk {
        let name = "GaussianRandomWalk";
        let scale = match num_steps {
            0 => Array::invalid(
                Error::new(ErrorKind::Value, format!("a {name} takes 1 or more steps, not 0"))
                    .help("give the number of values of a walk"),
                here(),
            ),
            _ => held(name, "scale", &Constraint::Positive, scale.into()),
        };
        GaussianRandomWalk { scale, num_steps }
    }

    /// The standard deviation of a step.
    pub fn scale(&self) -> &Array {
        &self.scale
    }
}

impl Distribution for GaussianRandomWalk {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.scale.shape().into()
    }

    fn event_shape(&self) -> Shape {
        Shape::from_slice(&[self.num_steps])
    }
}

impl Support for GaussianRandomWalk {
    fn support(&self) -> Constraint {
        Constraint::RealVector
    }
}

/// The error of events that are not of this shape.
#[track_caller]
pub(super) fn misfit(name: &str, x: &Array, event: &[usize]) -> Option<Array> {
    let fits = x.rank() >= event.len() && x.shape()[x.rank() - event.len()..] == *event;
    if fits || x.error().is_some() {
        return x.error().map(|_| x.clone());
    }
    let message = format!(
        "a {name} over events of shape {} is asked about an array of shape {}",
        ShapeDisplay(event),
        ShapeDisplay(x.shape())
    );
    let error = Error::new(ErrorKind::Shape, message)
        .note("the array was made", Some(x.location()))
        .help("the last axes hold the events");
    Some(Array::invalid(error, here()))
}

/// The type of draws of a scale.
fn float(scale: &Array) -> DType {
    if scale.is_literal() { default_float() } else { scale.dtype() }
}

/// A number for each event, over `rank` axes.
#[track_caller]
fn over(x: &Array, rank: usize) -> Array {
    if x.rank() == 0 { x.clone() } else { (0..rank).fold(x.clone(), |x, _| x.expand_dims(-1)) }
}

impl LogProb for GaussianRandomWalk {
    fn log_prob(&self, x: &Array) -> Array {
        if let Some(error) = misfit("GaussianRandomWalk", x, &self.event_shape()) {
            return error;
        }
        let steps = concat([x.slice_axis(-1, 0..1), x.diff(1, -1)], -1);
        let length = steps.square().sum_axes([-1]) / self.scale.square();
        length * -0.5 - (self.scale.log() + HALF_LOG_TAU) * self.num_steps as f64
    }
}

impl Sample for GaussianRandomWalk {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if self.scale.error().is_some() {
            return self.scale.clone();
        }
        let shape = join(&join(&shape, &self.batch_shape()), &self.event_shape());
        normal_of(float(&self.scale), key, shape).cumsum(-1) * over(&self.scale, 1)
    }
}

impl Moments for GaussianRandomWalk {
    fn mean(&self) -> Array {
        if self.scale.error().is_some() {
            return self.scale.clone();
        }
        zeros_of(float(&self.scale), join(&self.batch_shape(), &self.event_shape()))
    }

    fn variance(&self) -> Array {
        let steps = arange(self.num_steps).cast(float(&self.scale)) + 1.0;
        over(&self.scale, 1).square() * steps
    }
}

impl Mode for GaussianRandomWalk {
    fn mode(&self) -> Array {
        self.mean()
    }
}

impl Entropy for GaussianRandomWalk {
    fn entropy(&self) -> Array {
        (self.scale.log() + (HALF_LOG_TAU + 0.5)) * self.num_steps as f64
    }
}

/// Normal numbers less their mean, along each axis of an event: arrays that add up to zero.
///
/// Its density is that of the coordinates of the flat space in which they lie. Its sampler is
/// reparameterised.
///
/// ```
/// use probpipe::distributions::ZeroSumNormal;
/// use probpipe::prelude::*;
/// let draw = ZeroSumNormal::new(1.0, [4]).sample(Key::new(0), ());
/// assert!(draw.sum().abs().item::<f32>()? < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct ZeroSumNormal {
    scale: Array,
    #[tree(static)]
    event: Vec<usize>,
}

impl ZeroSumNormal {
    /// From the standard deviation before the means are taken away, and the shape of an event, all
    /// of whose axes add up to zero. A known scale that is not positive, or an event without axes,
    /// make it invalid.
    #[track_caller]
    pub fn new(scale: impl Into<Array>, event: impl Into<Vec<usize>>) -> ZeroSumNormal {
        let (name, event) = ("ZeroSumNormal", event.into());
        let scale = match event.iter().product::<usize>() {
            n if event.is_empty() || n == 0 => Array::invalid(
                Error::new(ErrorKind::Shape, format!("a {name} has no events without entries"))
                    .help("give the extents of an event, each at least 1"),
                here(),
            ),
            _ => held(name, "scale", &Constraint::Positive, scale.into()),
        };
        ZeroSumNormal { scale, event }
    }

    /// How many coordinates are free.
    fn free(&self) -> f64 {
        self.event.iter().map(|&n| n as f64 - 1.0).product()
    }

    fn axes(&self) -> Vec<isize> {
        (1..=self.event.len() as isize).map(|axis| -axis).collect()
    }
}

impl Distribution for ZeroSumNormal {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        self.scale.shape().into()
    }

    fn event_shape(&self) -> Shape {
        self.event.as_slice().into()
    }
}

impl Support for ZeroSumNormal {
    fn support(&self) -> Constraint {
        Constraint::ZeroSum
    }
}

impl LogProb for ZeroSumNormal {
    /// `-inf` where an axis does not add up to zero.
    fn log_prob(&self, x: &Array) -> Array {
        if let Some(error) = misfit("ZeroSumNormal", x, &self.event) {
            return error;
        }
        let length = x.square().sum_axes(self.axes()) / self.scale.square();
        let density = length * -0.5 - (self.scale.log() + HALF_LOG_TAU) * self.free();
        let rest = self.event.len() as isize - 1;
        let each = self.axes().into_iter().map(|axis| {
            let lines = Constraint::ZeroSum.check(&x.move_axis(axis, -1));
            let axes: Vec<isize> = (1..=rest).map(|axis| -axis).collect();
            if rest == 0 { lines } else { lines.all_axes(axes) }
        });
        let inside = each.reduce(|a, b| a & b).unwrap_or_else(|| true.into());
        let number = !x.is_nan().any_axes(self.axes());
        let outside = select(&number, f64::NEG_INFINITY, f64::NAN);
        select(&inside, density, outside)
    }
}

impl Sample for ZeroSumNormal {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        if self.scale.error().is_some() {
            return self.scale.clone();
        }
        let shape = join(&join(&shape, &self.batch_shape()), &self.event);
        let z = normal_of(float(&self.scale), key, shape);
        let centred = self.axes().into_iter().fold(z, |z, axis| {
            let mean = z.mean_axes(Keep([axis]));
            z - mean
        });
        centred * over(&self.scale, self.event.len())
    }
}

impl Moments for ZeroSumNormal {
    fn mean(&self) -> Array {
        if self.scale.error().is_some() {
            return self.scale.clone();
        }
        zeros_of(float(&self.scale), join(&self.batch_shape(), &self.event))
    }

    /// `scale^2 prod(1 - 1/n)`.
    fn variance(&self) -> Array {
        if self.scale.error().is_some() {
            return self.scale.clone();
        }
        let part: f64 = self.event.iter().map(|&n| 1.0 - 1.0 / n as f64).product();
        let variance = over(&self.scale, self.event.len()).square() * part;
        variance.broadcast_to(join(&self.batch_shape(), &self.event))
    }
}

impl Mode for ZeroSumNormal {
    fn mode(&self) -> Array {
        self.mean()
    }
}

impl Entropy for ZeroSumNormal {
    /// Of the coordinates of the flat space.
    fn entropy(&self) -> Array {
        (self.scale.log() + (HALF_LOG_TAU + 0.5)) * self.free()
    }
}

family! {
    /// The normal distribution on vectors around a circle: the covariance of two entries depends on
    /// how far they are apart, which the first row of the covariance says for all.
    ///
    /// The row must be symmetric, `c_k = c_(n-k)`, with a positive transform; where that is not
    /// positive densities are NaN. Its sampler is reparameterised.
    ///
    /// ```
    /// use probpipe::distributions::CirculantNormal;
    /// use probpipe::prelude::*;
    /// let n = CirculantNormal::new([0.0, 0.0, 0.0], [2.0, 0.5, 0.5]);
    /// let rows = array([[2.0, 0.5, 0.5], [0.5, 2.0, 0.5], [0.5, 0.5, 2.0]]);
    /// let same = MultivariateNormal::new(zeros([3]), rows);
    /// let x = array([1.0, -0.5, 0.25]);
    /// assert!((n.log_prob(&x) - same.log_prob(&x)).abs().item::<f32>()? < 1e-5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    CirculantNormal::new {
        /// The mean, `[..., n]`.
        loc: RealVector,
        /// The first row of the covariance, `[..., n]`.
        covariance_row: RealVector,
    }
    on RealVector
}

/// `cos(2 pi j k / n)` and the sine, of which the sums are an orthogonal basis up to `sqrt(n)`: the
/// transform of Hartley, in which circulant symmetric matrices are diagonal.
#[track_caller]
fn waves(dtype: DType, n: usize) -> [Array; 2] {
    let angle = |j: usize, k: usize| TAU * ((j * k) % n) as f64 / n as f64;
    let table = |f: fn(f64) -> f64| -> Array {
        let all: Vec<f64> = (0..n * n).map(|at| f(angle(at / n, at % n))).collect();
        Array::from_slice(&all, [n, n]).cast(dtype)
    };
    [table(f64::cos), table(f64::sin)]
}

impl CirculantNormal {
    fn dim(&self) -> usize {
        self.loc().shape().last().copied().unwrap_or(0)
    }

    /// The variances along the waves, and the waves at length 1.
    #[track_caller]
    fn spectrum(&self, row: &Array) -> [Array; 2] {
        let [cosines, sines] = waves(self.dtype(), self.dim());
        let basis = (&cosines + sines) * (1.0 / (self.dim() as f64).sqrt());
        [row.matmul(cosines), basis]
    }
}

impl CirculantNormal {
    /// The variances along the waves, and the waves at length 1, as columns.
    #[track_caller]
    pub(crate) fn waves(&self) -> [Array; 2] {
        let [_, row] = self.checked();
        self.spectrum(&row)
    }
}

impl LogProb for CirculantNormal {
    fn log_prob(&self, x: &Array) -> Array {
        let [loc, row] = self.checked();
        let centred = x - loc;
        if centred.error().is_some() {
            return centred;
        }
        let seen = Seen::new(&Constraint::RealVector, &centred, &0.0.into());
        let [variances, basis] = self.spectrum(&row);
        let length = (seen.at.matmul(basis).square() / &variances).sum_axes([-1]);
        let constant = HALF_LOG_TAU * self.dim() as f64;
        seen.density(length * -0.5 - (variances.log().sum_axes([-1]) * 0.5 + constant))
    }
}

impl Sample for CirculantNormal {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [loc, row] = self.checked();
        let [variances, basis] = self.spectrum(&row);
        let shape = join(&join(&shape, &self.batch_shape()), &[self.dim()]);
        let z = normal_of(self.dtype(), key, shape);
        (z * variances.sqrt()).matmul(basis) + loc
    }
}

impl Moments for CirculantNormal {
    fn mean(&self) -> Array {
        let [loc, _] = self.checked();
        self.shaped(loc, &[self.dim()])
    }

    fn variance(&self) -> Array {
        let [_, row] = self.checked();
        self.shaped(row.slice_axis(-1, 0..1), &[self.dim()])
    }
}

impl Mode for CirculantNormal {
    fn mode(&self) -> Array {
        self.mean()
    }
}

impl Entropy for CirculantNormal {
    fn entropy(&self) -> Array {
        let [_, row] = self.checked();
        let [variances, _] = self.spectrum(&row);
        let constant = (HALF_LOG_TAU + 0.5) * self.dim() as f64;
        self.shaped(variances.log().sum_axes([-1]) * 0.5 + constant, &[])
    }
}
