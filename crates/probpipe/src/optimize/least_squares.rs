//! Sums of squares, by the method of Levenberg and Marquardt as Madsen, Nielsen and Tingleff have
//! it ("Methods for non-linear least squares problems", 2004, algorithm 3.16).

use super::minimum::{End, Minimum, at_minimum, finished, given, refused};
use super::scale::{number, positive};
use crate::record::ravel_as;
use probpipe_trace::{
    Array, DType, Tree, concat, eye, here, select, while_loop, with_location, zeros_of,
};
use probpipe_transforms::jacfwd;

/// Settings of [`least_squares`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevenbergMarquardt {
    /// Ends when no entry of the gradient is larger than this part of what it is made of: of
    /// `|j| max(|r|, |j| |x|)`, for the residuals `r` and their derivatives `j` in the unknown `x`.
    /// Then residuals are at right angles to all derivatives, or no unknown by itself would move
    /// further than this part of it, whatever the units of data and unknowns. The default is 1e-8;
    /// of `f32` it counts as 1e-6 at least, where rounding errors begin.
    #[doc(alias = "scipy.optimize.gtol")]
    #[doc(alias = "scipy.optimize.ftol")]
    #[doc(alias = "scipy.optimize.xtol")]
    pub tolerance: f64,
    /// Ends after this many steps; the default is 200 for every unknown.
    pub max_steps: Option<usize>,
    /// What the first damping is in units of the largest second derivative. The default is 1e-3.
    pub damping: f64,
}

impl Default for LevenbergMarquardt {
    fn default() -> LevenbergMarquardt {
        LevenbergMarquardt { tolerance: 1e-8, max_steps: None, damping: 1e-3 }
    }
}

#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct State {
    x: Array,
    residuals: Array,
    jacobian: Array,
    damping: Array,
    /// What the damping grows by at the next failure.
    growth: Array,
    steps: Array,
    stuck: Array,
}

/// Minimises half the sum of the squares of a function of a tree of floats, which gives a vector.
/// Its derivatives are taken in forward mode, one pass for each unknown.
///
/// The result is as that of [`minimize`](super::minimize), with the same derivatives, and
/// `(J^T J)^-1` for the inverse of the second derivatives, which times the variance of the
/// residuals is the covariance of the estimate.
///
/// ```
/// use probpipe::optimize::{LevenbergMarquardt, least_squares};
/// use probpipe::prelude::*;
/// let t = linspace(0.0, 3.0, 20);
/// let y = (&t * -1.3).exp() * 2.5;
/// let misfit = |(a, b): (Array, Array)| a * (&t * b).exp() - &y;
/// let start = (array(1.0), array(-1.0));
/// let fit = jit(|start| least_squares(misfit, start, LevenbergMarquardt::default()))(start);
/// assert!((fit.x.0.item::<f32>()? - 2.5).abs() < 1e-4);
/// assert!((fit.x.1.item::<f32>()? + 1.3).abs() < 1e-4);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn least_squares<T: Tree>(
    f: impl Fn(T) -> Array,
    init: T,
    method: LevenbergMarquardt,
) -> Minimum<T> {
    let location = here();
    let raveled = with_location(location, || ravel_as("the start of `least_squares`", &init));
    let (x, unravel) = match raveled {
        Ok(raveled) => raveled,
        Err(error) => return refused(init, &error),
    };
    let of_vector = |x: Array| match unravel.tree(&x) {
        Ok(tree) => given(
            f(tree),
            x.dtype(),
            1,
            "`least_squares` takes a function that gives a vector",
            "give all residuals as one axis, for example with `.flatten()`",
        ),
        Err(error) => Array::invalid(error, location),
    };
    let half = |x: Array| of_vector(x).square().sum() * 0.5;
    let end = with_location(location, || at_minimum(&half, search(&of_vector, x, method)));
    finished(end, &unravel).unwrap_or_else(|error| refused(init, &error))
}

fn gradient(s: &State) -> Array {
    s.residuals.matmul(&s.jacobian)
}

#[track_caller]
fn search(f: &dyn Fn(Array) -> Array, x: Array, method: LevenbergMarquardt) -> End {
    let at = |x: Array| (f(x.clone()), jacfwd(f)(x));
    let (residuals, jacobian) = at(x.clone());
    let largest = jacobian.square().sum_axes([0]).max();
    let start = State {
        damping: positive(&largest) * method.damping,
        growth: number(&x, 2.0),
        steps: Array::from(0i32),
        stuck: Array::from(false),
        x,
        residuals,
        jacobian,
    };
    let most = method.max_steps.unwrap_or(200 * start.x.size()) as i32;
    let finite = |s: &State| s.residuals.is_finite().all() & s.jacobian.is_finite().all();
    let single = start.x.dtype() == DType::F32;
    let tolerance = if single { method.tolerance.max(1e-6) } else { method.tolerance };
    let within = |s: &State| {
        let steep = s.jacobian.norm_axes([0], 2.0);
        let size = s.residuals.norm().maximum(&steep * s.x.abs());
        (gradient(s).abs() / positive(&steep)).le(size * tolerance).all()
    };
    let broken = !finite(&start);
    let next = |s: State| {
        let step = damped(&s);
        let x = &s.x + &step;
        let (residuals, jacobian) = at(x.clone());
        let fell = (s.residuals.square().sum() - residuals.square().sum()) * 0.5;
        let promised = (&step * (&s.damping * &step - gradient(&s))).sum() * 0.5;
        let gain = &fell / positive(&promised);
        let better = fell.gt(0.0)
            & promised.gt(0.0)
            & residuals.is_finite().all()
            & jacobian.is_finite().all();
        let less = (1.0 - (&gain * 2.0 - 1.0).pow(3.0)).maximum(1.0 / 3.0);
        let damping = select(&better, &s.damping * less, &s.damping * &s.growth);
        // A step that rounding swallows.
        let stuck = !&better & x.eq(&s.x).all();
        State {
            x: select(&better, x, s.x),
            residuals: select(&better, residuals, s.residuals),
            jacobian: select(&better, jacobian, s.jacobian),
            growth: select(&better, 2.0, s.growth * 2.0),
            damping,
            steps: s.steps + 1,
            stuck,
        }
    };
    let go_on = |s: State| !within(&s) & s.steps.lt(most) & !s.stuck & !&broken;
    let end = while_loop(go_on, next, start);
    let squares = end.jacobian.transpose().matmul(&end.jacobian);
    End {
        gradient: gradient(&end),
        converged: within(&end),
        inverse: Some(squares.inv()),
        x: end.x,
        steps: end.steps,
        stuck: end.stuck,
        broken: broken.clone(),
    }
}

/// The shortest `h` of `(J^T J + damping) h = -J^T r`, from an orthogonal factor of `J` over the
/// root of the damping: the condition of `J` is not squared.
#[track_caller]
fn damped(s: &State) -> Array {
    let n = s.x.size();
    let ridge = eye(n).cast(s.x.dtype()) * s.damping.sqrt();
    let (q, r) = concat(&[s.jacobian.clone(), ridge], 0).qr();
    let right = concat(&[-&s.residuals, zeros_of(s.x.dtype(), [n])], 0);
    r.solve(&right.matmul(&q))
}
