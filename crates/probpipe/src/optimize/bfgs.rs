//! The method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright 2006, "Numerical
//! Optimization", algorithm 6.1).

use super::line_search::step_length;
use super::number;
use crate::record::{Unravel, ravel_as};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Result, Tree, eye, here, last_resort, select, while_loop,
    with_location,
};
use probpipe_transforms::{custom_root, grad, value_and_grad, vmap};

/// Settings of [`minimize`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bfgs {
    /// Ends when no entry of the gradient is larger than this. The default is 1e-5.
    pub tolerance: f64,
    /// Ends after this many steps; the default is 200 for every unknown.
    pub max_steps: Option<usize>,
    /// Most evaluations of the function along one direction. The default is 40.
    pub max_line_search: usize,
}

impl Default for Bfgs {
    fn default() -> Bfgs {
        Bfgs { tolerance: 1e-5, max_steps: None, max_line_search: 40 }
    }
}

/// Why a minimisation ended: [`Minimum::status`] as a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// No entry of the gradient is larger than the tolerance.
    Converged = 0,
    /// The steps were used up.
    Steps = 1,
    /// No step against the gradient made the value smaller: the function is at the limit of its
    /// precision, falls without end, or is not smooth.
    LineSearch = 2,
    /// The value or the gradient at the start, or where a step led, is not finite.
    NotFinite = 3,
}

/// Where a minimisation ended.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Minimum<T> {
    /// The arguments.
    pub x: T,
    /// The value there, a scalar.
    pub value: Array,
    /// The gradient there.
    pub gradient: T,
    /// The last approximation of the inverse of the second derivatives, of shape `[n, n]` for `n`
    /// numbers in all, in the order of the leaves.
    pub inverse_hessian: Array,
    /// Number of steps, `i32`.
    pub steps: Array,
    /// Whether the value is finite and the gradient within the tolerance, `bool`. Steps that
    /// became small are no convergence; [`Minimum::status`] says what else ended the search.
    pub converged: Array,
    /// Why the search ended, `i32`: a [`Stop`] as its number.
    pub status: Array,
}

impl<T> Minimum<T> {
    /// Why the search ended. An error for the result of many searches at once, whose `status` has
    /// a number for each, and while tracing.
    pub fn stop(&self) -> Result<Stop> {
        Ok(match self.status.item::<i32>()? {
            0 => Stop::Converged,
            1 => Stop::Steps,
            2 => Stop::LineSearch,
            _ => Stop::NotFinite,
        })
    }
}

#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct State {
    x: Array,
    value: Array,
    gradient: Array,
    inverse: Array,
    steps: Array,
    /// Whether `inverse` has not learnt anything yet.
    fresh: Array,
    stuck: Array,
    broken: Array,
}

/// Minimises a scalar function of a tree of floats from a starting point, with derivatives by
/// reverse mode. The result is an invalid array with the reason where the function does not give a
/// float scalar or the tree mixes element types. No step leads to where the function is not
/// finite; a gradient that is not ends the search at the last point where it was.
///
/// Derivatives of the result are those of the minimum and of the value there, by the implicit
/// function theorem: they solve by the matrix of second derivatives, which must be regular. The
/// start, `gradient` and `inverse_hessian` have none.
#[track_caller]
pub fn minimize<T: Tree>(f: impl Fn(T) -> Array, init: T, method: Bfgs) -> Minimum<T> {
    let location = here();
    let (x, unravel) = match with_location(location, || ravel_as("the start of `minimize`", &init))
    {
        Ok(raveled) => raveled,
        Err(error) => return refused(init, &error),
    };
    let of_vector = |x: Array| match unravel.tree(&x) {
        Ok(tree) => scalar(f(tree), x.dtype()),
        Err(error) => Array::invalid(error, location),
    };
    let end = with_location(location, || search(of_vector, x, method));
    finished(end, &unravel, method).unwrap_or_else(|error| refused(init, &error))
}

/// What the function gives, if it is a number of the arguments' type.
#[track_caller]
fn scalar(value: Array, dtype: DType) -> Array {
    let value = value.in_dtype(dtype);
    match value.ty() {
        Ok(ty) if ty.rank() > 0 || ty.dtype != dtype => Array::invalid(
            Error::new(
                ErrorKind::Shape,
                format!("`minimize` takes a function that gives a scalar {dtype}, not {ty}"),
            )
            .note("the value was made", Some(value.location()))
            .help("reduce it, for example with `.sum()`, or convert it with `.cast(..)`"),
            here(),
        ),
        _ => value,
    }
}

fn search(f: impl Fn(Array) -> Array, x: Array, method: Bfgs) -> State {
    let (value, gradient) = value_and_grad(&f)(x.clone());
    // What counts as 1 among values: where all are small, their own size.
    let unit = select(&value.is_finite(), value.abs().minimum(1.0), 1.0);
    let start = State {
        inverse: first_inverse(&gradient),
        fresh: Array::from(true),
        stuck: Array::from(false),
        broken: !finite(&value, &gradient),
        steps: Array::from(0i32),
        x,
        value,
        gradient,
    };
    let most = method.max_steps.unwrap_or(200 * start.x.size()) as i32;
    let end = while_loop(
        |s: State| !within(&s.gradient, method) & s.steps.lt(most) & !s.stuck & !s.broken,
        |s| step(&f, s, &unit, method.max_line_search),
        start,
    );
    // The steps have no derivative: the minimum has one, as the root of the gradient.
    let found = end.x.stop_gradient();
    let x = custom_root(|x| grad(&f)(x), found, |_, x| x, newton);
    State {
        value: f(x.clone()),
        x,
        gradient: end.gradient.stop_gradient(),
        inverse: end.inverse.stop_gradient(),
        ..end
    }
}

/// `h^-1 y` for the linear map `h` of the second derivatives.
fn newton(h: &dyn Fn(Array) -> Array, y: Array) -> Array {
    let basis = eye(y.size()).cast(y.dtype());
    vmap(h)(basis).solve(&y)
}

fn finite(value: &Array, gradient: &Array) -> Array {
    value.is_finite() & gradient.is_finite().all()
}

fn within(gradient: &Array, method: Bfgs) -> Array {
    gradient.abs().le(method.tolerance).all()
}

/// The identity, so scaled that the first step is no longer than 1: nothing is known of how far the
/// function goes on as it does here.
fn first_inverse(gradient: &Array) -> Array {
    let largest = positive(&gradient.abs().max());
    let length = positive(&(gradient / &largest).norm());
    let scale = (1.0 / largest / length).minimum(1.0).stop_gradient();
    eye(gradient.size()).cast(gradient.dtype()) * scale
}

fn step(f: &impl Fn(Array) -> Array, s: State, unit: &Array, max_line_search: usize) -> State {
    let learnt = -s.inverse.dot(&s.gradient);
    let falls = learnt.dot(&s.gradient).lt(0.0) & learnt.is_finite().all();
    // Rounding may have spoilt the approximation.
    let inverse = select(&falls, &s.inverse, first_inverse(&s.gradient));
    let fresh = &s.fresh | !&falls;
    let direction = -inverse.dot(&s.gradient);
    let slope = direction.dot(&s.gradient);
    let along = |t: Array| f(&s.x + t * &direction);
    let (length, found) = step_length(along, (&s.value, &slope), unit, max_line_search);
    let moved = length.stop_gradient() * &direction;
    let x = &s.x + &moved;
    let (value, gradient) = value_and_grad(f)(x.clone());
    let broken = &found & !finite(&value, &gradient);
    let found = found & !&broken;
    let change = &gradient - &s.gradient;
    let updated = update(&inverse, &moved, &change, &fresh);
    let learns = &found & change.dot(&moved).gt(0.0) & updated.is_finite().all();
    // A search that fails along a direction that was learnt starts again against the gradient.
    let again = &found | &fresh | &broken;
    let inverse = select(&again, inverse, first_inverse(&s.gradient));
    let keep = |new: &Array, old: &Array| select(&found, new, old);
    State {
        inverse: select(&learns, updated, inverse),
        x: keep(&x, &s.x),
        value: keep(&value, &s.value),
        gradient: keep(&gradient, &s.gradient),
        steps: s.steps + found.cast(DType::I32),
        stuck: !&found & &fresh,
        fresh: (&found & &fresh & !&learns) | !&found,
        broken,
    }
}

/// `(I - r s y') H (I - r y s') + r s s'` with `r = 1 / (y' s)`, multiplied out, for `s` and `y` in
/// units of their largest elements, so that no product of two overflows. Before the first update
/// the identity gets the scale of the function (equation 6.20).
fn update(inverse: &Array, s: &Array, y: &Array, fresh: &Array) -> Array {
    let (s_unit, y_unit) = (positive(&s.abs().max()), positive(&y.abs().max()));
    let (s, y) = (s / &s_unit, y / &y_unit);
    let ratio = s_unit / y_unit;
    let curvature = positive(&y.dot(&s));
    let first = eye(s.size()).cast(s.dtype()) * (&curvature / positive(&y.dot(&y)) * &ratio);
    let inverse = select(fresh, first, inverse);
    let hy = inverse.dot(&y) / &curvature;
    let both = s.outer(&hy);
    let outer = s.outer(&s) * ((y.dot(&hy) + ratio) / &curvature);
    inverse - (&both + both.transpose()) + outer
}

/// The number, or one where it is not positive and its quotient is not used.
fn positive(x: &Array) -> Array {
    select(&x.gt(0.0), x, number(x, 1.0))
}

fn finished<T: Tree>(end: State, unravel: &Unravel, method: Bfgs) -> Result<Minimum<T>> {
    let converged = within(&end.gradient, method) & end.value.is_finite();
    let says = |stop: Stop| Array::from(stop as i32);
    let failed = select(&end.stuck, says(Stop::LineSearch), says(Stop::Steps));
    let failed = select(&end.broken, says(Stop::NotFinite), failed);
    Ok(Minimum {
        x: unravel.tree(&end.x)?,
        gradient: unravel.tree(&end.gradient)?,
        status: select(&converged, says(Stop::Converged), failed),
        converged,
        value: end.value,
        inverse_hessian: end.inverse,
        steps: end.steps,
    })
}

#[track_caller]
fn refused<T: Tree>(init: T, error: &Error) -> Minimum<T> {
    let bad = Array::invalid(error.clone(), here());
    Minimum {
        // A tree that refuses to be made again leaves no second one to give back; see `Tree`.
        gradient: init.try_map(|_| bad.clone()).unwrap_or_else(|error| last_resort(&error)),
        x: init.map(|_| bad.clone()),
        value: bad.clone(),
        inverse_hessian: bad.clone(),
        steps: bad.clone(),
        converged: bad.clone(),
        status: bad,
    }
}
