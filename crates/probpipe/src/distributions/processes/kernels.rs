//! Covariance functions of Gaussian processes, and their sums and products.

use crate::constraints::Constraint;
use crate::distributions::multivariate::held;
use probpipe_trace::{Array, Error, ErrorKind, ShapeDisplay, Tree, here, select, with_location};
use std::f64::consts::PI;
use std::ops::{Add, Mul};

/// A covariance function of points. Points are numbers `[n]` or vectors `[n, d]`; parameters are
/// numbers, and a length scale may be a vector `[d]` with one for each coordinate. All parameters
/// are leaves, to be differentiated; batches of kernels go through `vmap`.
///
/// With `r^2 = sum ((x - y) / length_scale)^2` and the amplitude `a`:
///
/// | | |
/// |---|---|
/// | [`rbf`](Kernel::rbf) | `a^2 exp(-r^2 / 2)` |
/// | [`matern12`](Kernel::matern12) | `a^2 exp(-r)` |
/// | [`matern32`](Kernel::matern32) | `a^2 (1 + s) exp(-s)`, `s = sqrt(3) r` |
/// | [`matern52`](Kernel::matern52) | `a^2 (1 + s + s^2 / 3) exp(-s)`, `s = sqrt(5) r` |
/// | [`periodic`](Kernel::periodic) | `a^2 exp(-2 sum (sin(pi (x - y) / period) / length)^2)` |
/// | [`linear`](Kernel::linear) | `a^2 (x - shift) . (y - shift)` |
/// | [`constant`](Kernel::constant) | `a^2` |
///
/// Source: C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006,
/// chapter 4.
///
/// ```
/// use probpipe::Kernel;
/// use probpipe::prelude::*;
/// let kernel = Kernel::rbf(1.0, 0.5) + Kernel::linear(0.1, 0.0) * Kernel::matern32(1.0, 2.0);
/// let x = array([0.0, 0.5, 1.0]);
/// assert_eq!(kernel.matrix(&x, &x).shape(), [3, 3]);
/// assert!((kernel.matrix(&x, &x).index((0, 1)).item::<f32>()? - (-0.5f32).exp()).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Kernel {
    form: Form,
}

#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
enum Form {
    Stationary(Stationary),
    Periodic { amplitude: Array, length_scale: Array, period: Array },
    Linear { amplitude: Array, shift: Array },
    Constant { amplitude: Array },
    Sum(Vec<Kernel>),
    Product(Vec<Kernel>),
}

/// A function of the distance of two points alone.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
struct Stationary {
    #[tree(static)]
    family: Family,
    amplitude: Array,
    length_scale: Array,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Family {
    Rbf,
    Matern12,
    Matern32,
    Matern52,
}

/// A parameter that is positive, and of a rank up to a limit.
#[track_caller]
fn positive(name: &str, array: Array, rank: usize) -> Array {
    ranked(name, held("Kernel", name, &Constraint::Positive, float(array)), rank)
}

/// A whole literal as a fractional one, so that it takes a float type.
#[track_caller]
fn float(array: Array) -> Array {
    if array.is_literal() { array * 1.0 } else { array }
}

#[track_caller]
fn ranked(name: &str, array: Array, rank: usize) -> Array {
    if array.error().is_some() || array.rank() <= rank {
        return array;
    }
    let message = format!("the {name} of a Kernel is of shape {}", ShapeDisplay(array.shape()));
    let error = Error::new(ErrorKind::Shape, message)
        .note("it was made", Some(array.location()))
        .help("give a number, or of a length scale a vector [d]; batches go through `vmap`");
    Array::invalid(error, here())
}

impl Kernel {
    /// Infinitely smooth functions: the squared exponential, or radial basis function.
    #[track_caller]
    #[doc(alias = "tfp.ExponentiatedQuadratic")]
    pub fn rbf(amplitude: impl Into<Array>, length_scale: impl Into<Array>) -> Kernel {
        Kernel::stationary(Family::Rbf, amplitude.into(), length_scale.into())
    }

    /// Functions without a derivative: of order 1/2.
    #[track_caller]
    #[doc(alias = "tfp.MaternOneHalf")]
    pub fn matern12(amplitude: impl Into<Array>, length_scale: impl Into<Array>) -> Kernel {
        Kernel::stationary(Family::Matern12, amplitude.into(), length_scale.into())
    }

    /// Functions with one derivative: of order 3/2.
    #[track_caller]
    #[doc(alias = "tfp.MaternThreeHalves")]
    pub fn matern32(amplitude: impl Into<Array>, length_scale: impl Into<Array>) -> Kernel {
        Kernel::stationary(Family::Matern32, amplitude.into(), length_scale.into())
    }

    /// Functions with two derivatives: of order 5/2.
    #[track_caller]
    #[doc(alias = "tfp.MaternFiveHalves")]
    pub fn matern52(amplitude: impl Into<Array>, length_scale: impl Into<Array>) -> Kernel {
        Kernel::stationary(Family::Matern52, amplitude.into(), length_scale.into())
    }

    #[track_caller]
    fn stationary(family: Family, amplitude: Array, length_scale: Array) -> Kernel {
        let amplitude = positive("amplitude", amplitude, 0);
        let length_scale = positive("length_scale", length_scale, 1);
        Kernel { form: Form::Stationary(Stationary { family, amplitude, length_scale }) }
    }

    /// Functions that repeat in every coordinate.
    #[track_caller]
    #[doc(alias = "sklearn.ExpSinSquared")]
    pub fn periodic(
        amplitude: impl Into<Array>,
        length_scale: impl Into<Array>,
        period: impl Into<Array>,
    ) -> Kernel {
        let amplitude = positive("amplitude", amplitude.into(), 0);
        let length_scale = positive("length_scale", length_scale.into(), 1);
        let period = positive("period", period.into(), 1);
        Kernel { form: Form::Periodic { amplitude, length_scale, period } }
    }

    /// Lines, or planes, that are zero at `shift`, a number or a vector `[d]`.
    #[track_caller]
    pub fn linear(amplitude: impl Into<Array>, shift: impl Into<Array>) -> Kernel {
        let amplitude = positive("amplitude", amplitude.into(), 0);
        let shift = held("Kernel", "shift", &Constraint::Real, float(shift.into()));
        Kernel { form: Form::Linear { amplitude, shift: ranked("shift", shift, 1) } }
    }

    /// Functions that are constant.
    #[track_caller]
    pub fn constant(amplitude: impl Into<Array>) -> Kernel {
        Kernel { form: Form::Constant { amplitude: positive("amplitude", amplitude.into(), 0) } }
    }

    /// The covariances of values at points `x` and `y`, `[n]` and `[m]` or `[n, d]` and `[m, d]`,
    /// as `[n, m]`. Vectors that are not as long make it invalid.
    #[track_caller]
    pub fn matrix(&self, x: &Array, y: &Array) -> Array {
        with_location(here(), || {
            let (x, y) = (rows(x), rows(y));
            let pair = [&x, &y];
            if let Some(wrong) = pair.iter().find(|x| x.error().is_some()) {
                return (*wrong).clone();
            }
            if x.rank() != 2 || y.rank() != 2 || x.shape()[1] != y.shape()[1] {
                let message = format!(
                    "a Kernel takes points [n] or [n, d], not {} and {}",
                    ShapeDisplay(x.shape()),
                    ShapeDisplay(y.shape())
                );
                let error = Error::new(ErrorKind::Shape, message)
                    .note("the first were made", Some(x.location()))
                    .note("the others were made", Some(y.location()))
                    .help("give points of as many coordinates");
                return Array::invalid(error, here());
            }
            self.pairs(&x.expand_dims(1), &y.expand_dims(0))
        })
    }

    /// The variances of values at points, `[n]`.
    #[track_caller]
    pub fn diagonal(&self, x: &Array) -> Array {
        with_location(here(), || {
            let x = rows(x);
            if x.error().is_some() { x } else { self.pairs(&x, &x) }
        })
    }

    /// The covariances of pairs of points, whose coordinates are the last axis.
    #[track_caller]
    fn pairs(&self, x: &Array, y: &Array) -> Array {
        let zero = || (x - y).sum_axes([-1]) * 0.0;
        match &self.form {
            Form::Stationary(of) => of.at(&((x - y) / &of.length_scale).square().sum_axes([-1])),
            Form::Periodic { amplitude, length_scale, period } => {
                let turn = ((x - y) * PI / period).sin() / length_scale;
                amplitude.square() * (turn.square().sum_axes([-1]) * -2.0).exp()
            }
            Form::Linear { amplitude, shift } => {
                amplitude.square() * ((x - shift) * (y - shift)).sum_axes([-1])
            }
            Form::Constant { amplitude } => amplitude.square() + zero(),
            Form::Sum(all) => {
                all.iter().map(|of| of.pairs(x, y)).reduce(|a, b| a + b).unwrap_or_else(zero)
            }
            Form::Product(all) => {
                all.iter().map(|of| of.pairs(x, y)).reduce(|a, b| a * b).unwrap_or_else(zero)
            }
        }
    }
}

impl Stationary {
    /// At the square of the distance, at zero without slope.
    #[track_caller]
    fn at(&self, square: &Array) -> Array {
        let r = || {
            let apart = square.gt(0.0);
            select(&apart, select(&apart, square, 1.0).sqrt(), 0.0)
        };
        let part = match self.family {
            Family::Rbf => (square * -0.5).exp(),
            Family::Matern12 => (-r()).exp(),
            Family::Matern32 => {
                let s = r() * 3f64.sqrt();
                (&s + 1.0) * (-s).exp()
            }
            Family::Matern52 => {
                let s = r() * 5f64.sqrt();
                (&s + 1.0 + square * (5.0 / 3.0)) * (-s).exp()
            }
        };
        self.amplitude.square() * part
    }
}

/// Points as rows of coordinates.
#[track_caller]
fn rows(x: &Array) -> Array {
    if x.error().is_none() && x.rank() == 1 { x.expand_dims(-1) } else { x.clone() }
}

impl Add for Kernel {
    type Output = Kernel;

    /// The sum of two functions, one of each.
    fn add(self, other: Kernel) -> Kernel {
        let both = match (self.form, other.form) {
            (Form::Sum(mut all), other) => {
                all.push(Kernel { form: other });
                all
            }
            (own, other) => vec![Kernel { form: own }, Kernel { form: other }],
        };
        Kernel { form: Form::Sum(both) }
    }
}

impl Mul for Kernel {
    type Output = Kernel;

    /// The product of two covariances.
    fn mul(self, other: Kernel) -> Kernel {
        let both = match (self.form, other.form) {
            (Form::Product(mut all), other) => {
                all.push(Kernel { form: other });
                all
            }
            (own, other) => vec![Kernel { form: own }, Kernel { form: other }],
        };
        Kernel { form: Form::Product(both) }
    }
}
