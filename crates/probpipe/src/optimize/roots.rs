//! Roots of functions, as loops of the program, with the derivatives of a root.

use super::scale::number;
use crate::record::ravel_as;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Tree, broadcast_shapes, eye, here, last_resort, select,
    while_loop, with_location,
};
use probpipe_transforms::{custom_root, jacfwd, vmap};

/// Where a search for a root ended.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Root<T> {
    /// The arguments.
    pub x: T,
    /// What the function gives there.
    pub value: T,
    /// Number of steps, `i32`.
    pub steps: Array,
    /// Whether the tolerance was met, `bool`.
    pub converged: Array,
}

/// Settings of [`find_root_between`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bracket {
    /// Ends when the bracket is no wider than this times `1 + |x|`; the default is a few units of
    /// rounding.
    pub tolerance: Option<f64>,
    /// Ends after this many steps. The default is 200.
    pub max_steps: usize,
}

impl Default for Bracket {
    fn default() -> Bracket {
        Bracket { tolerance: None, max_steps: 200 }
    }
}

#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Between {
    /// The newest point, the other end of the bracket, and the end before.
    a: (Array, Array),
    b: (Array, Array),
    c: (Array, Array),
    part: Array,
    steps: Array,
}

/// A root of a function of one number between two places where its signs differ, by the method of
/// Chandrupatla (1997): inverse quadratic interpolation where that is safe, bisection where it is
/// not. Of arrays element by element: `f` maps every element by itself, and all are searched in one
/// loop. NaN where the signs do not differ.
///
/// The root has the derivatives in what `f` holds that the implicit function theorem gives.
///
/// ```
/// use probpipe::optimize::{Bracket, find_root_between};
/// use probpipe::prelude::*;
/// let root = |a: Array| {
///     find_root_between(|x: Array| x.square() - &a, 0.0, 10.0, Bracket::default()).x
/// };
/// let (x, slope) = jit(value_and_grad(root))(array(9.0));
/// assert!((x.item::<f32>()? - 3.0).abs() < 1e-6);
/// assert!((slope.item::<f32>()? - 1.0 / 6.0).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn find_root_between(
    f: impl Fn(Array) -> Array,
    low: impl Into<Array>,
    high: impl Into<Array>,
    method: Bracket,
) -> Root<Array> {
    let (low, high) = (low.into(), high.into());
    let location = here();
    let refused = |error: Error| {
        let bad = Array::invalid(error, location);
        Root { x: bad.clone(), value: bad.clone(), steps: bad.clone(), converged: bad }
    };
    if let Some(error) = low.error().or(high.error()) {
        return refused(error.clone());
    }
    let Some(shape) = broadcast_shapes(low.shape(), high.shape()) else {
        let message = format!(
            "`find_root_between` takes ends that broadcast, not {:?} and {:?}",
            low.shape(),
            high.shape()
        );
        return refused(Error::new(ErrorKind::Shape, message).help("give one end for every root"));
    };
    let (low, high) = (low.broadcast_to(&shape), high.broadcast_to(&shape));
    with_location(location, || {
        let (fl, fh) = (f(low.clone()), f(high.clone()));
        // The function decides the shape and the type.
        let (low, high) = (&low + &fl * 0.0, &high + &fh * 0.0);
        bracketed(&f, (low.stop_gradient(), fl), (high.stop_gradient(), fh), method)
    })
}

#[track_caller]
fn bracketed(
    f: &dyn Fn(Array) -> Array,
    low: (Array, Array),
    high: (Array, Array),
    method: Bracket,
) -> Root<Array> {
    let (fl, fh) = (low.1.stop_gradient(), high.1.stop_gradient());
    let rounding = match fl.dtype() {
        DType::F32 => f64::from(f32::EPSILON),
        _ => f64::EPSILON,
    };
    let tolerance = method.tolerance.unwrap_or(4.0 * rounding);
    let differ = (fl.sign() * fh.sign()).le(0.0);
    let best = |s: &Between| {
        let nearer = s.a.1.abs().lt(s.b.1.abs());
        (select(&nearer, &s.a.0, &s.b.0), select(&nearer, &s.a.1, &s.b.1))
    };
    let width = |x: &Array| (x.abs() + 1.0) * tolerance;
    let done = |s: &Between| {
        let (x, value) = best(s);
        value.eq(0.0) | (&s.a.0 - &s.b.0).abs().le(width(&x)) | !&differ
    };
    let next = |s: Between| {
        let stay = done(&s);
        let x = &s.a.0 + &s.part * (&s.b.0 - &s.a.0);
        let value = f(x.clone()).stop_gradient();
        let same = value.sign().eq(s.a.1.sign());
        let pick = |here: &Array, a: &(Array, Array), b: &(Array, Array)| {
            (select(here, &a.0, &b.0), select(here, &a.1, &b.1))
        };
        let c = s.a.clone();
        let b = pick(&same, &s.b, &s.a);
        let before = pick(&same, &c, &s.b);
        let a = (x, value);
        // Inverse quadratic interpolation, where the three points are on one branch of it.
        let xi = (&a.0 - &b.0) / nonzero(&(&before.0 - &b.0));
        let phi = (&a.1 - &b.1) / nonzero(&(&before.1 - &b.1));
        let safe = phi.square().lt(&xi) & (1.0 - &phi).square().lt(1.0 - &xi);
        let quadratic = &a.1 / nonzero(&(&b.1 - &a.1)) * &before.1 / nonzero(&(&b.1 - &before.1))
            + (&before.0 - &a.0) / nonzero(&(&b.0 - &a.0)) * &a.1 / nonzero(&(&before.1 - &a.1))
                * &b.1
                / nonzero(&(&before.1 - &b.1));
        let part = select(&(safe & quadratic.is_finite()), quadratic, 0.5);
        let least = width(&a.0) * 0.5 / nonzero(&(&b.0 - &a.0).abs());
        let least = least.minimum(0.5);
        let part = part.maximum(&least).minimum(1.0 - &least);
        let keep = |new: (Array, Array), old: (Array, Array)| pick(&stay, &old, &new);
        Between {
            a: keep(a, s.a),
            b: keep(b, s.b),
            c: keep(before, s.c),
            part: select(&stay, s.part, part),
            steps: s.steps + 1,
        }
    };
    let start = Between {
        part: number(&fl, 0.5).broadcast_to(fl.shape()),
        a: (low.0, fl),
        c: (high.0.clone(), fh.clone()),
        b: (high.0, fh),
        steps: Array::from(0i32),
    };
    let most = method.max_steps as i32;
    let end = while_loop(|s: Between| !done(&s).all() & s.steps.lt(most), next, start);
    let converged = done(&end) & &differ;
    let found = select(&differ, best(&end).0, f64::NAN).stop_gradient();
    // Element by element, so the derivative of `f` is a factor.
    let divide = |h: &dyn Fn(Array) -> Array, y: Array| {
        let slope = h(probpipe_trace::ones_like(&y));
        y / slope
    };
    let x = custom_root(f, found, |_, x| x, divide);
    Root { value: f(x.clone()), x, steps: end.steps, converged }
}

/// The number, or one where it is zero and its quotient is not used.
fn nonzero(x: &Array) -> Array {
    select(&x.ne(0.0), x, number(x, 1.0))
}

/// Settings of [`find_root`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Newton {
    /// Ends when no value is larger than this. The default is 1e-6.
    pub tolerance: f64,
    /// Ends after this many steps. The default is 100.
    pub max_steps: usize,
}

impl Default for Newton {
    fn default() -> Newton {
        Newton { tolerance: 1e-6, max_steps: 100 }
    }
}

#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Step {
    x: Array,
    value: Array,
    steps: Array,
    stuck: Array,
}

/// A root of as many equations as there are unknowns, a tree of floats each, by Newton's method:
/// steps are halved until the length of the values falls.
///
/// The root has the derivatives in what `f` holds that the implicit function theorem gives.
///
/// ```
/// use probpipe::optimize::{Newton, find_root};
/// use probpipe::prelude::*;
/// let circle_and_line = |(x, y): (Array, Array)| (x.square() + y.square() - 2.0, x - y);
/// let root = find_root(circle_and_line, (array(3.0), array(1.0)), Newton::default());
/// assert!((root.x.0.item::<f32>()? - 1.0).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn find_root<T: Tree>(f: impl Fn(T) -> T, init: T, method: Newton) -> Root<T> {
    let location = here();
    let raveled = with_location(location, || ravel_as("the start of `find_root`", &init));
    let (x, unravel) = match raveled {
        Ok(raveled) => raveled,
        Err(error) => return refused(init, &error),
    };
    let n = x.size();
    let of_vector = |x: Array| {
        let values = unravel.tree(&x).and_then(|tree: T| ravel_as("the values", &f(tree)));
        match values {
            Ok((values, _)) if values.size() == n && values.dtype() == x.dtype() => values,
            Ok((values, _)) => {
                let (dtype, have) = (x.dtype(), values.size());
                let message = format!(
                    "`find_root` takes as many equations as unknowns: {n} {dtype}, not {have} {}",
                    values.dtype()
                );
                let error = Error::new(ErrorKind::Shape, message)
                    .note("the values were made", Some(values.location()))
                    .help("give one number for every number of the start");
                Array::invalid(error, location)
            }
            Err(error) => Array::invalid(error, location),
        }
    };
    let (x, value, end, converged) = with_location(location, || newton(&of_vector, x, method));
    let back = unravel.tree(&x).and_then(|x| Ok((x, unravel.tree(&value)?)));
    match back {
        Ok((x, value)) => Root { x, value, steps: end.steps, converged },
        Err(error) => refused(init, &error),
    }
}

#[track_caller]
fn newton(f: &dyn Fn(Array) -> Array, x: Array, method: Newton) -> (Array, Array, Step, Array) {
    let start = Step {
        value: f(x.clone()).stop_gradient(),
        x: x.stop_gradient(),
        steps: Array::from(0i32),
        stuck: Array::from(false),
    };
    let within = |s: &Step| s.value.abs().le(method.tolerance).all();
    let most = method.max_steps as i32;
    let next = |s: Step| {
        let direction = -jacfwd(f)(s.x.clone()).solve(&s.value);
        let length = s.value.square().sum();
        // Halved until the values fall; a part in a billion of a step is none.
        let try_at = |part: &Array| {
            let x = &s.x + part * &direction;
            let value = f(x.clone());
            (x, value)
        };
        let falls = |value: &Array| value.square().sum().lt(&length);
        let part = while_loop(
            |part: Array| !falls(&try_at(&part).1) & part.gt(1e-9),
            |part| part * 0.5,
            number(&s.x, 1.0),
        );
        let (x, value) = try_at(&part);
        let found = falls(&value);
        Step {
            x: select(&found, x, s.x),
            value: select(&found, value, s.value),
            steps: s.steps + 1,
            stuck: !found,
        }
    };
    let end = while_loop(|s: Step| !within(&s) & s.steps.lt(most) & !s.stuck, next, start);
    let converged = within(&end);
    let solve = |h: &dyn Fn(Array) -> Array, y: Array| {
        vmap(h)(eye(y.size()).cast(y.dtype())).transpose().solve(&y)
    };
    let x = custom_root(f, end.x.stop_gradient(), |_, x| x, solve);
    let value = f(x.clone());
    (x, value, end, converged)
}

#[track_caller]
fn refused<T: Tree>(init: T, error: &Error) -> Root<T> {
    let bad = Array::invalid(error.clone(), here());
    Root {
        value: init.try_map(|_| bad.clone()).unwrap_or_else(|error| last_resort(&error)),
        x: init.map(|_| bad.clone()),
        steps: bad.clone(),
        converged: bad,
    }
}
