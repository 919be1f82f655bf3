//! Ordinary differential equations: the values of their solutions at given times, as loops of the
//! program. So a solve compiles with what is around it, runs in many lanes at once, and has
//! derivatives in all that it is made of. For equations that are not stiff; stochastic ones are
//! [`EulerMaruyama`](crate::EulerMaruyama)'s.
//!
//! ```
//! use probpipe::odes::{DormandPrince, solve_ode};
//! use probpipe::prelude::*;
//! // A pendulum that swings a little, and how far it gets with its length.
//! let swing = |length: Array| {
//!     let slope = |_, (angle, speed): (Array, Array)| (speed, angle * -9.81 / &length);
//!     let start = (array(0.1), array(0.0));
//!     let times = array([0.5, 1.0]);
//!     solve_ode(slope, start, 0.0, times, DormandPrince::default()).values.0.at(1)
//! };
//! let (angle, slope) = jit(value_and_grad(swing))(array(1.0));
//! let root = 9.81f32.sqrt();
//! assert!((angle.item::<f32>()? - 0.1 * root.cos()).abs() < 1e-5);
//! assert!((slope.item::<f32>()? - 0.05 * root * root.sin()).abs() < 1e-5);
//! # Ok::<(), probpipe::Error>(())
//! ```

mod steps;
mod tableau;

use crate::record::{Unravel, ravel_as};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Loc, Result, Tree, here, scan, select, while_loop,
    with_location,
};
use steps::{Place, Tolerances};

/// Settings of [`solve_ode`] by the method of Dormand and Prince: steps of order 5 whose error is
/// estimated by one of order 4, and which are as long as that allows.
///
/// The error of a step is the root of the mean square of the errors of all numbers, each in units
/// of `absolute_tolerance + relative_tolerance |y|`, and steps where it is more than 1 are not
/// taken. A solve looks whether settings make sense, and says so where they do not.
///
/// ```
/// use probpipe::odes::{DormandPrince, solve_ode};
/// use probpipe::prelude::*;
/// let tight = DormandPrince::default().relative_tolerance(1e-10).absolute_tolerance(1e-12);
/// with_default_float(DType::F64, || {
///     let solution = solve_ode(|_, y: Array| -y, array(1.0), 0.0, [1.0], tight);
///     assert!((solution.values.at(0).item::<f64>()? - (-1f64).exp()).abs() < 1e-10);
///     let none = tight.relative_tolerance(0.0).absolute_tolerance(-1.0);
///     let error = solve_ode(|_, y: Array| -y, array(1.0), 0.0, [1.0], none).values.checked();
///     assert!(error.unwrap_err().message().contains("tolerances of 0 and -1"));
///     Ok::<(), probpipe::Error>(())
/// })?;
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DormandPrince {
    /// The error of a step that is tolerated, in parts of the value. The default is 1e-6.
    pub relative_tolerance: f64,
    /// The error of a step that is tolerated beside. The default is 1e-6.
    pub absolute_tolerance: f64,
    /// Most steps of a solve, taken or not. The default is 10,000.
    pub max_steps: usize,
    /// The length of the first step that is tried; by default one is chosen from how the slope
    /// changes.
    pub first_step: Option<f64>,
}

impl Default for DormandPrince {
    fn default() -> DormandPrince {
        DormandPrince {
            relative_tolerance: 1e-6,
            absolute_tolerance: 1e-6,
            max_steps: 10_000,
            first_step: None,
        }
    }
}

impl DormandPrince {
    /// With another error of a step that is tolerated, in parts of the value: from 0 upwards.
    #[must_use]
    #[doc(alias = "diffrax.rtol")]
    pub fn relative_tolerance(mut self, tolerance: f64) -> DormandPrince {
        self.relative_tolerance = tolerance;
        self
    }

    /// With another error of a step that is tolerated beside: from 0 upwards, and not 0 if the
    /// relative one is.
    #[must_use]
    #[doc(alias = "diffrax.atol")]
    pub fn absolute_tolerance(mut self, tolerance: f64) -> DormandPrince {
        self.absolute_tolerance = tolerance;
        self
    }

    /// With another bound for the number of steps.
    #[must_use]
    pub fn max_steps(mut self, steps: usize) -> DormandPrince {
        self.max_steps = steps;
        self
    }

    /// With a first step of this length, above 0, backwards in time too.
    #[must_use]
    #[doc(alias = "diffrax.dt0")]
    pub fn first_step(mut self, length: f64) -> DormandPrince {
        self.first_step = Some(length);
        self
    }
}

/// What [`solve_ode`] gives.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct OdeSolution<T> {
    /// The values at the times, along a new first axis; NaN from the first time on that was not
    /// reached.
    pub values: T,
    /// Whether all times were reached, `bool`.
    pub reached: Array,
    /// Number of steps, those that were not taken among them, `i32`.
    pub steps: Array,
}

/// The solution of `y' = f(t, y)` that has the value `start` at the time `from`, at the `times`,
/// `[n]`. A value is a tree of floats of one type, and `f` gives a tree of the same shapes.
///
/// Times follow one another, later or earlier than `from`: they may repeat, not turn back. `f` is
/// not asked about times beyond the last.
///
/// A solve fails where more steps than `max_steps` are needed, where a step becomes so short that
/// rounding swallows it, as before a singularity, or where the start or its slope is not finite:
/// `reached` says so, and the values from there on are NaN.
///
/// Derivatives are those of the steps that were taken: in the start, in the times, and in all that
/// `f` captures, forwards and backwards.
///
/// ```
/// use probpipe::odes::{DormandPrince, solve_ode};
/// use probpipe::prelude::*;
/// let decay = |_, y: Array| -y;
/// let solution = solve_ode(decay, array([1.0, 2.0]), 0.0, [1.0, 2.0], DormandPrince::default());
/// assert!(solution.reached.item::<bool>()?);
/// assert_eq!(solution.values.shape(), [2, 2]);
/// assert!((solution.values.index((1, 0)).item::<f32>()? - (-2f32).exp()).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn solve_ode<T: Tree>(
    f: impl Fn(Array, T) -> T,
    start: T,
    from: impl Into<Array>,
    times: impl Into<Array>,
    method: DormandPrince,
) -> OdeSolution<T> {
    let (location, from, times) = (here(), from.into(), times.into());
    let raveled = with_location(location, || ravel_as("the start of `solve_ode`", &start));
    let (y, unravel) = match raveled {
        Ok(raveled) => raveled,
        Err(error) => return refused(start, &error, location),
    };
    let solved = with_location(location, || {
        let (from, times) = (
            in_type("the start's time", &from, 0, y.dtype())?,
            in_type("the times", &times, 1, y.dtype())?,
        );
        settings(&method)?;
        let slope = |t: &Array, y: &Array| slope_of(&f, &unravel, t, y);
        one_way(&from, &times)?;
        Ok(solve(&slope, y, &from, &times, method))
    });
    match solved {
        Ok((values, reached, steps)) => {
            let mut at = 0;
            // The shares of the leaves in the columns.
            let leaf = |leaf: &Array| {
                let columns = at..at + leaf.size();
                at = columns.end;
                let shape: Vec<usize> =
                    values.shape()[..1].iter().chain(leaf.shape()).copied().collect();
                values.slice_axis(1, columns).reshape(shape)
            };
            OdeSolution { values: with_location(location, || start.map(leaf)), reached, steps }
        }
        Err(error) => refused(start, &error, location),
    }
}

/// The values at the times `[n, m]`, whether all were reached, and the number of steps.
#[track_caller]
fn solve(
    f: steps::Slope<'_>,
    y: Array,
    from: &Array,
    times: &Array,
    method: DormandPrince,
) -> (Array, Array, Array) {
    let n = times.size() as isize;
    // Time that passes: a solve backwards is one forwards of the slopes the other way.
    let forwards = times.at(n - 1).ge(from);
    let sign = &select(&forwards, 1.0, -1.0).cast(y.dtype());
    let passed = (times - from) * sign;
    let f = |t: &Array, y: &Array| f(&(from + t * sign), y) * sign;
    let tolerances =
        Tolerances { relative: method.relative_tolerance, absolute: method.absolute_tolerance };
    let end = &passed.at(n - 1).stop_gradient();
    let most = i32::try_from(method.max_steps).unwrap_or(i32::MAX);
    let place = Place::start(&f, y, end, method.first_step, tolerances);
    let to = |place: Place, t: Array| {
        let target = &t.stop_gradient();
        let place = while_loop(
            |p: Place| p.t.lt(target) & !p.lost & p.steps.lt(most),
            |p| p.next(&f, end, tolerances),
            place,
        );
        // A time before the one that was reached last is none that follows it.
        let there = place.t.ge(target) & !&place.lost & place.starts_by(target);
        let place = Place { lost: !&there, ..place };
        let y = select(&there, place.at(&t), f64::NAN);
        (place, y)
    };
    let (end, values) = scan(place, passed, to);
    (values, !end.lost, end.steps)
}

/// The slope as a vector, if it is of the shapes and the type of the value.
#[track_caller]
fn slope_of<T: Tree>(f: &impl Fn(Array, T) -> T, unravel: &Unravel, t: &Array, y: &Array) -> Array {
    let slope = unravel.tree(y).and_then(|tree: T| {
        let want: Vec<_> = tree.leaves().iter().map(|leaf| leaf.shape().to_vec()).collect();
        let slope = f(t.clone(), tree);
        let leaves = slope.leaves();
        if let Some(error) = leaves.iter().find_map(|leaf| leaf.error()) {
            return Err(error.clone());
        }
        let have: Vec<_> = leaves.iter().map(|leaf| leaf.shape().to_vec()).collect();
        if have != want {
            let message =
                format!("the value of an equation is of shapes {want:?}, its slope of {have:?}");
            return Err(Error::new(ErrorKind::Shape, message)
                .note("the slope was made", leaves.first().map(|leaf| leaf.location()))
                .help("give the slope of every number of the value"));
        }
        Ok(ravel_as("the slope", &slope)?.0)
    });
    match slope {
        Ok(slope) if slope.is_weak() || slope.dtype() == y.dtype() => slope.in_dtype(y.dtype()),
        Ok(slope) => {
            let message =
                format!("the value of an equation is {}, its slope {}", y.dtype(), slope.dtype());
            let error = Error::new(ErrorKind::DType, message)
                .note("the slope was made", Some(slope.location()))
                .help("convert one with `.cast(DType::F64)`");
            Array::invalid(error, here())
        }
        Err(error) => Array::invalid(error, here()),
    }
}

/// A time or times, in the type of the values.
#[track_caller]
fn in_type(what: &str, t: &Array, rank: usize, dtype: DType) -> Result<Array> {
    let ty = t.ty()?;
    let one = if rank == 0 { "a number" } else { "a vector of one or more" };
    if ty.rank() != rank || ty.shape.contains(&0) {
        return Err(Error::new(
            ErrorKind::Shape,
            format!("{what} of `solve_ode` is {one}, not {ty}"),
        )
        .note("made", Some(t.location()))
        .help("give the times at which values are wanted as one axis"));
    }
    if !t.is_weak() && ty.dtype != dtype {
        let message = format!("`solve_ode` starts from {dtype}, but {what} is {ty}");
        return Err(Error::new(ErrorKind::DType, message)
            .note("made", Some(t.location()))
            .help(format!("convert it with `.cast(DType::{dtype:?})`")));
    }
    Ok(t.in_dtype(dtype))
}

fn settings(method: &DormandPrince) -> Result<()> {
    let DormandPrince { relative_tolerance, absolute_tolerance, first_step, .. } = *method;
    let positive = |x: f64| x > 0.0 && x.is_finite();
    let at_least_zero = |x: f64| x >= 0.0 && x.is_finite();
    let some = at_least_zero(relative_tolerance) && at_least_zero(absolute_tolerance);
    if !some || !(relative_tolerance > 0.0 || absolute_tolerance > 0.0) {
        let message = format!(
            "`solve_ode` cannot meet tolerances of {relative_tolerance} and {absolute_tolerance}"
        );
        return Err(Error::new(ErrorKind::Value, message)
            .at(here())
            .help("give tolerances from zero upwards, one of them above"));
    }
    match first_step {
        Some(first) if !positive(first) => {
            Err(Error::new(ErrorKind::Value, format!("a first step of {first} leads nowhere"))
                .at(here())
                .help("give a length above zero, backwards in time too, or `None`"))
        }
        _ => Ok(()),
    }
}

/// Refuses known times that turn back.
fn one_way(from: &Array, times: &Array) -> Result<()> {
    let (Ok(from), Ok(times)) = (known(from), known(times)) else { return Ok(()) };
    let all: Vec<f64> = from.into_iter().chain(times).collect();
    let up = all.windows(2).all(|pair| pair[0] <= pair[1]);
    let down = all.windows(2).all(|pair| pair[0] >= pair[1]);
    if up || down {
        return Ok(());
    }
    let turn = all.windows(3).position(|t| (t[1] - t[0]) * (t[2] - t[1]) < 0.0);
    let message = match turn {
        Some(k) => format!("times turn back: {}, {}, {}", all[k], all[k + 1], all[k + 2]),
        None => "times turn back, or are not numbers".to_string(),
    };
    Err(Error::new(ErrorKind::Value, message)
        .at(here())
        .help("give times in order, all after the start or all before it"))
}

fn known(times: &Array) -> Result<Vec<f64>> {
    match times.dtype() {
        DType::F32 => Ok(times.to_vec::<f32>()?.into_iter().map(f64::from).collect()),
        _ => times.to_vec::<f64>(),
    }
}

#[track_caller]
fn refused<T: Tree>(start: T, error: &Error, location: Loc) -> OdeSolution<T> {
    let bad = Array::invalid(error.clone(), location);
    OdeSolution { values: start.map(|_| bad.clone()), reached: bad.clone(), steps: bad }
}
