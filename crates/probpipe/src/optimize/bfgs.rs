//! The method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright 2006, "Numerical
//! Optimization", algorithm 6.1).

use super::line_search::step_length;
use super::number;
use crate::record::{Unravel, ravel_as};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Result, Tree, eye, here, last_resort, select, while_loop,
    with_location,
};
use probpipe_transforms::value_and_grad;

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
    /// Whether the gradient is within the tolerance, `bool`. Otherwise the steps were used up, or
    /// no step made the value smaller.
    pub converged: Array,
}

#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct State {
    x: Array,
    value: Array,
    gradient: Array,
    inverse: Array,
    steps: Array,
    stuck: Array,
}

/// Minimises a scalar function of a tree of floats from a starting point, with derivatives by
/// reverse mode. The result is an invalid array with the reason where the function does not give a
/// float scalar or the tree mixes element types; a function that gives NaN ends the search at the
/// last point where it gave a number.
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
    let n = x.size();
    let start = State {
        inverse: eye(n).cast(x.dtype()),
        stuck: value.ne(&value),
        steps: Array::from(0i32),
        x,
        value,
        gradient,
    };
    let most = method.max_steps.unwrap_or(200 * n) as i32;
    let tolerance = method.tolerance;
    while_loop(
        |s: State| s.gradient.abs().max().gt(tolerance) & s.steps.lt(most) & !s.stuck,
        |s| step(&f, s, method.max_line_search),
        start,
    )
}

fn step(f: &impl Fn(Array) -> Array, s: State, max_line_search: usize) -> State {
    let direction = -s.inverse.dot(&s.gradient);
    let slope = direction.dot(&s.gradient);
    let along = |t: Array| f(&s.x + t * &direction);
    let (length, found) = step_length(along, &s.value, &slope, max_line_search);
    let moved = length * &direction;
    let x = &s.x + &moved;
    let (value, gradient) = value_and_grad(f)(x.clone());
    let change = &gradient - &s.gradient;
    let curvature = change.dot(&moved);
    let first = s.steps.eq(0);
    // Before the first update the identity gets the scale of the function (equation 6.20).
    let scale = &curvature / positive(&change.dot(&change));
    let inverse = select(&first, &s.inverse * &scale, &s.inverse);
    let updated = update(&inverse, &moved, &change, &curvature);
    let keep = |new: &Array, old: &Array| select(&found, new, old);
    State {
        inverse: select(&(&found & curvature.gt(0.0)), updated, &s.inverse),
        x: keep(&x, &s.x),
        value: keep(&value, &s.value),
        gradient: keep(&gradient, &s.gradient),
        steps: s.steps + found.cast(DType::I32),
        stuck: !found,
    }
}

/// `(I - r s y') H (I - r y s') + r s s'` with `r = 1 / (y' s)`, multiplied out.
fn update(inverse: &Array, s: &Array, y: &Array, curvature: &Array) -> Array {
    let r = 1.0 / positive(curvature);
    let hy = inverse.dot(y);
    let both = s.outer(&hy);
    inverse - (&both + both.transpose()) * &r + s.outer(s) * ((y.dot(&hy) * &r + 1.0) * &r)
}

/// The number, or one where it is not positive and its quotient is not used.
fn positive(x: &Array) -> Array {
    select(&x.gt(0.0), x, number(x, 1.0))
}

fn finished<T: Tree>(end: State, unravel: &Unravel, method: Bfgs) -> Result<Minimum<T>> {
    Ok(Minimum {
        x: unravel.tree(&end.x)?,
        gradient: unravel.tree(&end.gradient)?,
        converged: end.gradient.abs().max().le(method.tolerance),
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
        converged: bad,
    }
}
