//! Where a search for a minimum ends, why, and what its derivatives are, whatever the method.

use crate::record::{Unravel, ravel_as};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Result, Tree, eye, here, last_resort, select, with_location,
};
use probpipe_transforms::{custom_root, grad, vmap};

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
    /// numbers in all, in the order of the leaves; of methods that have one.
    pub inverse_hessian: Option<Array>,
    /// Number of steps, `i32`.
    pub steps: Array,
    /// Whether the value is finite and the gradient within the tolerance, `bool`; for methods
    /// without gradients, whether places and values agree within it. Steps that became small are no
    /// convergence; [`Minimum::status`] says what else ended the search.
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

/// Minimises a scalar function of a tree of floats from a starting point: by [`Bfgs`], [`Lbfgs`]
/// and [`NewtonCg`] with derivatives in reverse mode, by [`NelderMead`] without any. The result is
/// an invalid array with the reason where the function does not give a float scalar or the tree
/// mixes element types. No step leads to where the function is not finite; a gradient that is not
/// ends the search at the last point where it was.
///
/// Derivatives of the result are those of the minimum and of the value there, by the implicit
/// function theorem: they solve by the matrix of second derivatives, which must be regular. The
/// start, `gradient` and `inverse_hessian` have none.
///
/// [`Bfgs`]: crate::optimize::Bfgs
/// [`Lbfgs`]: crate::optimize::Lbfgs
/// [`NewtonCg`]: crate::optimize::NewtonCg
/// [`NelderMead`]: crate::optimize::NelderMead
#[track_caller]
pub fn minimize<T: Tree>(f: impl Fn(T) -> Array, init: T, method: impl Minimizer) -> Minimum<T> {
    let location = here();
    let (x, unravel) = match with_location(location, || ravel_as("the start of `minimize`", &init))
    {
        Ok(raveled) => raveled,
        Err(error) => return refused(init, &error),
    };
    let of_vector = |x: Array| match unravel.tree(&x) {
        Ok(tree) => given(
            f(tree),
            x.dtype(),
            0,
            "`minimize` takes a function that gives a scalar",
            "reduce it, for example with `.sum()`, or convert it with `.cast(..)`",
        ),
        Err(error) => Array::invalid(error, location),
    };
    let end = with_location(location, || at_minimum(&of_vector, method.search(&of_vector, x)));
    finished(end, &unravel).unwrap_or_else(|error| refused(init, &error))
}

/// A way to search for a minimum.
pub trait Minimizer: Sealed {}

pub(super) use sealed::{End, Sealed};

mod sealed {
    use super::Array;

    /// Where a search ended, all leaves in one vector.
    #[derive(Clone, Debug)]
    pub struct End {
        pub x: Array,
        pub gradient: Array,
        pub inverse: Option<Array>,
        pub steps: Array,
        /// The conditions that were met, and those that ended the search without them.
        pub converged: Array,
        pub stuck: Array,
        pub broken: Array,
    }

    pub trait Sealed {
        /// A search from a vector, as a loop of the program.
        #[track_caller]
        fn search(&self, f: &dyn Fn(Array) -> Array, x: Array) -> End;
    }
}

/// The end with the derivatives of a minimum: the steps have none, the minimum has one, as the root
/// of the gradient.
#[track_caller]
pub(super) fn at_minimum(f: &dyn Fn(Array) -> Array, end: End) -> (Array, End) {
    let found = end.x.stop_gradient();
    let x = custom_root(|x| grad(f)(x), found, |_, x| x, newton);
    let inverse = end.inverse.map(|inverse| inverse.stop_gradient());
    (f(x.clone()), End { x, gradient: end.gradient.stop_gradient(), inverse, ..end })
}

/// What the function gives, if it is of a rank and of the arguments' type.
#[track_caller]
pub(super) fn given(value: Array, dtype: DType, rank: usize, wanted: &str, help: &str) -> Array {
    let value = value.in_dtype(dtype);
    match value.ty() {
        Ok(ty) if ty.rank() != rank || ty.dtype != dtype => Array::invalid(
            Error::new(ErrorKind::Shape, format!("{wanted} {dtype}, not {ty}"))
                .note("the value was made", Some(value.location()))
                .help(help),
            here(),
        ),
        _ => value,
    }
}

/// `h^-1 y` for the linear map `h` of the second derivatives.
fn newton(h: &dyn Fn(Array) -> Array, y: Array) -> Array {
    let basis = eye(y.size()).cast(y.dtype());
    vmap(h)(basis).solve(&y)
}

pub(super) fn finished<T: Tree>(
    (value, end): (Array, End),
    unravel: &Unravel,
) -> Result<Minimum<T>> {
    let converged = end.converged & value.is_finite();
    let says = |stop: Stop| Array::from(stop as i32);
    let failed = select(&end.stuck, says(Stop::LineSearch), says(Stop::Steps));
    let failed = select(&end.broken, says(Stop::NotFinite), failed);
    Ok(Minimum {
        x: unravel.tree(&end.x)?,
        gradient: unravel.tree(&end.gradient)?,
        status: select(&converged, says(Stop::Converged), failed),
        converged,
        value,
        inverse_hessian: end.inverse,
        steps: end.steps,
    })
}

#[track_caller]
pub(super) fn refused<T: Tree>(init: T, error: &Error) -> Minimum<T> {
    let bad = Array::invalid(error.clone(), here());
    Minimum {
        // A tree that refuses to be made again leaves no second one to give back; see `Tree`.
        gradient: init.try_map(|_| bad.clone()).unwrap_or_else(|error| last_resort(&error)),
        x: init.map(|_| bad.clone()),
        value: bad.clone(),
        inverse_hessian: None,
        steps: bad.clone(),
        converged: bad.clone(),
        status: bad,
    }
}
