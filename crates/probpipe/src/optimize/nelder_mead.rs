//! The simplex method of Nelder and Mead (1965), for functions without derivatives.

use super::minimum::{End, Minimizer, Sealed};
use super::scale::number;
use probpipe_trace::{Array, Tree, concat, cond, eye, select, while_loop};
use probpipe_transforms::{grad, vmap};

/// The method of Nelder and Mead: a simplex of `n + 1` points, whose worst is moved through the
/// others. It asks for values alone, so it minimises functions with corners and steps; for smooth
/// ones the other methods are faster by far. It may stop short of a minimum.
///
/// ```
/// use probpipe::optimize::{NelderMead, minimize};
/// use probpipe::prelude::*;
/// let loss = |x: Array| (x - array([1.0, -2.0])).abs().sum();
/// let found = jit(|start| minimize(loss, start, NelderMead::default()))(zeros([2]));
/// assert!((found.x.at(0).item::<f32>()? - 1.0).abs() < 1e-3);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NelderMead {
    /// Ends when no point of the simplex is farther from the best along any axis, nor any value
    /// from the best one. The default is 1e-4.
    pub tolerance: f64,
    /// Ends after this many steps; the default is 200 for every unknown.
    pub max_steps: Option<usize>,
}

impl Default for NelderMead {
    fn default() -> NelderMead {
        NelderMead { tolerance: 1e-4, max_steps: None }
    }
}

impl Minimizer for NelderMead {}

/// Points `[n + 1, n]` and their values, the best first.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Simplex {
    points: Array,
    values: Array,
    steps: Array,
}

impl Simplex {
    #[track_caller]
    fn sorted(points: Array, values: Array, steps: Array) -> Simplex {
        // What is no number is the worst.
        let values = select(&values.is_nan(), f64::INFINITY, values);
        let order = values.argsort(-1);
        Simplex { points: points.take(&order, 0), values: values.take(&order, 0), steps }
    }
}

impl Sealed for NelderMead {
    fn search(&self, f: &dyn Fn(Array) -> Array, x: Array) -> End {
        let n = x.size();
        let most = self.max_steps.unwrap_or(200 * n) as i32;
        // The start, and a twentieth more along every axis.
        let longer = select(&x.eq(0.0), number(&x, 0.00025), &x * 0.05);
        let corners = &x + eye(n).cast(x.dtype()) * longer;
        let points = concat(&[x.expand_dims(0), corners], 0);
        let values = vmap(f)(points.clone());
        let broken = !values.at(0).is_finite();
        let start = Simplex::sorted(points, values, Array::from(0i32));
        let within = |s: &Simplex| {
            let far = (&s.points - s.points.at(0)).abs().max();
            far.le(self.tolerance) & (&s.values - s.values.at(0)).abs().max().le(self.tolerance)
        };
        let end = while_loop(
            |s: Simplex| !within(&s) & s.steps.lt(most) & !&broken,
            |s| step(f, s, n),
            start,
        );
        let x = end.points.at(0);
        End {
            gradient: grad(f)(x.clone()),
            converged: within(&end),
            inverse: None,
            x,
            steps: end.steps,
            stuck: Array::from(false),
            broken: broken.clone(),
        }
    }
}

/// Two evaluations: the reflected worst point, and one beyond it, short of it, or before it, by
/// what its value is. If that is no better than the worst, all points move half way to the best.
fn step(f: &dyn Fn(Array) -> Array, s: Simplex, n: usize) -> Simplex {
    let middle = s.points.slice_axis(0, 0..n).mean_axes([0]);
    let away = &middle - s.points.at(-1);
    let (best, second, worst) = (s.values.at(0), s.values.at(n as isize - 1), s.values.at(-1));
    let reflected = &middle + &away;
    // What is no number is worse than the worst.
    let number_or_worst = |value: Array| select(&value.is_nan(), f64::INFINITY, value);
    let first = number_or_worst(f(reflected.clone()));
    let (expands, accepted) = (first.lt(&best), first.lt(&second));
    let outside = first.lt(&worst);
    let far = select(&expands, 2.0, select(&outside, 0.5, number(&first, -0.5)));
    let other = &middle + far * &away;
    let value = number_or_worst(f(other.clone()));
    let better = value.lt(select(&expands, &first, first.minimum(&worst)));
    let take_first = (&expands & !&better) | (!&expands & &accepted);
    let (point, new) = (select(&take_first, reflected, other), select(&take_first, first, value));
    let moves = take_first | better;
    let points = concat(&[s.points.slice_axis(0, 0..n), point.expand_dims(0)], 0);
    let values = concat(&[s.values.slice_axis(0, 0..n), new.expand_dims(0)], 0);
    let shrunk = |_| {
        let nearer = (&s.points + s.points.at(0)) * 0.5;
        (nearer.clone(), vmap(f)(nearer))
    };
    let (points, values) = cond(moves, (points, values), |moved| moved, shrunk);
    Simplex::sorted(points, values, s.steps + 1)
}
