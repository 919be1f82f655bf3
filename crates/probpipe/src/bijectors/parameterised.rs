//! Bijectors of numbers with parameters, which broadcast against their argument and are
//! differentiable.

use super::Bijector;
use super::elementwise::log_slope_of_sigmoid;
use super::events::{between, ends, increasing};
use crate::constraints::Constraint;
use probpipe_trace::{
    Array, Error, ErrorKind, Loc, Result, Shape, ShapeDisplay, Tree, broadcast_shapes, here,
    select, with_location,
};

/// The common shape of an argument and of parameters.
fn together(shape: &[usize], parameters: &[&Array]) -> Result<Shape> {
    let mut common = Shape::from(shape);
    for parameter in parameters {
        common = broadcast_shapes(&common, parameter.shape()).ok_or_else(|| {
            let (x, p) = (ShapeDisplay(shape), ShapeDisplay(parameter.shape()));
            let message = format!("an array of shape {x} and a parameter of shape {p} do not fit");
            Error::new(ErrorKind::Shape, message)
                .note("the parameter was made", Some(parameter.location()))
                .help("extents, aligned at the last axis, must be equal or 1")
        })?;
    }
    Ok(common)
}

/// A logarithm that depends on parameters alone, for every number of `x` and in its type.
#[track_caller]
fn spread(log_det: Array, x: &Array) -> Array {
    if log_det.error().is_some() || x.error().is_some() {
        return log_det + x;
    }
    let typed = if x.is_weak() { log_det } else { log_det.in_dtype(x.dtype()) };
    match broadcast_shapes(typed.shape(), x.shape()) {
        Some(shape) if typed.shape() != &shape[..] => typed.broadcast_to(shape),
        _ => typed,
    }
}

/// The numbers of an array whose value is known.
fn numbers(x: &Array) -> Option<Vec<f64>> {
    let scalars = x.known()?.to_scalars().ok()?;
    Some(scalars.iter().map(|v| v.as_f64()).collect())
}

/// An array, or the error that one of its known numbers is not as it must be.
fn required(
    what: &str,
    parameter: Array,
    right: impl Fn(f64) -> bool,
    must: &str,
    location: Loc,
) -> Array {
    let wrong = numbers(&parameter).and_then(|all| all.into_iter().find(|x| !right(*x)));
    let Some(wrong) = wrong else { return parameter };
    let error = Error::new(ErrorKind::Value, format!("the {what} must be {must}, not {wrong}"))
        .note("it was made", Some(parameter.location()));
    Array::invalid(error, location)
}

/// `loc + scale * x`, from real to real numbers.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Affine {
    loc: Array,
    scale: Array,
}

impl Affine {
    /// With a place and a scale, which may be negative. A known scale of zero makes it invalid.
    #[track_caller]
    pub fn new(loc: impl Into<Array>, scale: impl Into<Array>) -> Affine {
        let right = |x: f64| x != 0.0 && x.is_finite();
        let must = "finite and not zero";
        let scale = required("scale of an Affine", scale.into(), right, must, here());
        Affine { loc: loc.into(), scale }
    }
}

impl Affine {
    /// What is added.
    pub fn loc(&self) -> &Array {
        &self.loc
    }

    /// What is multiplied by.
    pub fn scale(&self) -> &Array {
        &self.scale
    }
}

impl Bijector for Affine {
    fn forward(&self, x: &Array) -> Array {
        x * &self.scale + &self.loc
    }

    fn inverse(&self, y: &Array) -> Array {
        (y - &self.loc) / &self.scale
    }

    fn log_det(&self, x: &Array) -> Array {
        spread(self.scale.abs().log(), x)
    }

    fn domain(&self) -> Constraint {
        Constraint::Real
    }

    fn codomain(&self) -> Constraint {
        Constraint::Real
    }

    /// Where the sign of the scale is not known, a half-line has one infinite end of two.
    fn image(&self, of: &Constraint) -> Constraint {
        // A caller's line does not pass through a closure by itself.
        with_location(here(), || {
            let (low, high) = match ends(of) {
                (None, None) => {
                    return match of.event_rank() {
                        0 => Constraint::Real,
                        1 => Constraint::RealVector,
                        _ => Constraint::RealMatrix,
                    };
                }
                ends => ends,
            };
            let signs = numbers(&self.scale).unwrap_or_default();
            let all = |sign: f64| !signs.is_empty() && signs.iter().all(|s| s * sign > 0.0);
            let at = |x: Option<Array>| x.map(|x| self.forward(&x));
            if all(1.0) {
                return between(at(low), at(high));
            }
            if all(-1.0) {
                return between(at(high), at(low));
            }
            let end = |x: Option<Array>, infinite: f64| {
                self.forward(&x.unwrap_or_else(|| Array::from(infinite)))
            };
            let (a, b) = (end(low, f64::NEG_INFINITY), end(high, f64::INFINITY));
            Constraint::Interval(a.minimum(&b), a.maximum(&b))
        })
    }

    fn direction(&self) -> Option<Array> {
        Some(self.scale.sign())
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        together(shape, &[&self.loc, &self.scale])
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        together(shape, &[&self.loc, &self.scale])
    }
}

/// `x^exponent`, from positive to positive numbers.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Power {
    exponent: Array,
}

impl Power {
    /// With an exponent, which may be negative. A known exponent of zero makes it invalid.
    #[track_caller]
    pub fn new(exponent: impl Into<Array>) -> Power {
        let right = |x: f64| x != 0.0 && x.is_finite();
        let must = "finite and not zero";
        Power { exponent: required("exponent of a Power", exponent.into(), right, must, here()) }
    }
}

impl Bijector for Power {
    fn forward(&self, x: &Array) -> Array {
        x.pow(&self.exponent)
    }

    fn inverse(&self, y: &Array) -> Array {
        y.pow(self.exponent.recip())
    }

    fn log_det(&self, x: &Array) -> Array {
        self.exponent.abs().log() + (&self.exponent - 1.0) * x.log()
    }

    fn domain(&self) -> Constraint {
        Constraint::Positive
    }

    fn codomain(&self) -> Constraint {
        Constraint::Positive
    }

    fn image(&self, of: &Constraint) -> Constraint {
        match numbers(&self.exponent) {
            Some(all) if all.iter().all(|&x| x > 0.0) => increasing(self, of),
            _ => Constraint::Positive,
        }
    }

    fn direction(&self) -> Option<Array> {
        Some(self.exponent.sign())
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        together(shape, &[&self.exponent])
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        together(shape, &[&self.exponent])
    }
}

/// `low + (high - low) sigmoid(x)`, from real numbers to those between two bounds. Its inverse
/// `log(y - low) - log(high - y)` is exact near both.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Interval {
    low: Array,
    high: Array,
}

impl Interval {
    /// With two bounds. Known ones of which the first is not less make it invalid.
    #[track_caller]
    pub fn new(low: impl Into<Array>, high: impl Into<Array>) -> Interval {
        let (low, high, location) = (low.into(), high.into(), here());
        let known = low.known().is_some() && high.known().is_some();
        if !known || broadcast_shapes(low.shape(), high.shape()).is_none() {
            return Interval { low, high };
        }
        let right = |x: f64| x > 0.0 && x.is_finite();
        let width = &high - &low;
        let what = "width from the low to the high end of an Interval";
        match required(what, width, right, "positive and finite", location) {
            wrong if wrong.error().is_some() => Interval { low: wrong.clone(), high: wrong },
            _ => Interval { low, high },
        }
    }
}

impl Bijector for Interval {
    fn forward(&self, x: &Array) -> Array {
        // From the nearer end, so that neither is passed by rounding.
        let right = x.gt(0.0);
        let part = select(&right, -x, x).sigmoid() * (&self.high - &self.low);
        select(&right, &self.high - &part, &self.low + &part)
    }

    fn inverse(&self, y: &Array) -> Array {
        (y - &self.low).log() - (&self.high - y).log()
    }

    fn log_det(&self, x: &Array) -> Array {
        log_slope_of_sigmoid(x) + (&self.high - &self.low).log()
    }

    fn domain(&self) -> Constraint {
        Constraint::Real
    }

    fn codomain(&self) -> Constraint {
        Constraint::Interval(self.low.clone(), self.high.clone())
    }

    fn image(&self, of: &Constraint) -> Constraint {
        increasing(self, of)
    }

    fn direction(&self) -> Option<Array> {
        Some(1.0.into())
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        together(shape, &[&self.low, &self.high])
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        together(shape, &[&self.low, &self.high])
    }
}
