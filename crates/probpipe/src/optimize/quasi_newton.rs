//! The loop that methods share which know second derivatives, learnt or computed: a direction,
//! a step along it, and what the step teaches.

use super::line_search::step_length;
use super::minimum::End;
use super::scale::first_scale;
use probpipe_trace::{Array, DType, Tree, select, tree_map, while_loop};
use probpipe_transforms::value_and_grad;

/// A way to know second derivatives.
pub(super) trait Model {
    /// What is known of them.
    type Known: Tree + Clone;

    /// Nothing, at a gradient.
    fn nothing(&self, gradient: &Array) -> Self::Known;

    /// The inverse of the second derivatives at `x` times the gradient there.
    fn solve(&self, known: &Self::Known, x: &Array, gradient: &Array) -> Array;

    /// With what a step `s` and the change `y` of the gradient along it teach, where `s . y > 0`
    /// and all is finite; `fresh` if nothing was known before.
    fn taught(&self, known: &Self::Known, s: &Array, y: &Array, fresh: &Array) -> Self::Known;
}

/// When a search ends.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub tolerance: f64,
    pub max_steps: Option<usize>,
    pub max_line_search: usize,
}

#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct State<K> {
    x: Array,
    value: Array,
    gradient: Array,
    known: K,
    steps: Array,
    /// Whether `known` has not learnt anything yet.
    fresh: Array,
    stuck: Array,
    broken: Array,
}

/// A search from a vector, and what is known in the end.
#[track_caller]
pub(super) fn search<M: Model>(
    f: &dyn Fn(Array) -> Array,
    x: Array,
    model: &M,
    limits: Limits,
) -> (End, M::Known) {
    let (value, gradient) = value_and_grad(f)(x.clone());
    // What counts as 1 among values: where all are small, their own size.
    let unit = select(&value.is_finite(), value.abs().minimum(1.0), 1.0);
    let start = State {
        known: model.nothing(&gradient),
        fresh: Array::from(true),
        stuck: Array::from(false),
        broken: !finite(&value, &gradient),
        steps: Array::from(0i32),
        x,
        value,
        gradient,
    };
    let most = limits.max_steps.unwrap_or(200 * start.x.size()) as i32;
    let within = |gradient: &Array| gradient.abs().le(limits.tolerance).all();
    let end = while_loop(
        |s: State<M::Known>| !within(&s.gradient) & s.steps.lt(most) & !s.stuck & !s.broken,
        |s| step(f, model, s, &unit, limits.max_line_search),
        start,
    );
    let converged = within(&end.gradient);
    let State { x, gradient, known, steps, stuck, broken, .. } = end;
    (End { x, gradient, inverse: None, steps, converged, stuck, broken }, known)
}

fn finite(value: &Array, gradient: &Array) -> Array {
    value.is_finite() & gradient.is_finite().all()
}

fn step<M: Model>(
    f: &dyn Fn(Array) -> Array,
    model: &M,
    s: State<M::Known>,
    unit: &Array,
    max_line_search: usize,
) -> State<M::Known> {
    let choose = |here: &Array, a: M::Known, b: M::Known| {
        tree_map(|a: Array, b: Array| select(here, a, b), a, b)
    };
    let learnt = -model.solve(&s.known, &s.x, &s.gradient);
    let falls = learnt.dot(&s.gradient).lt(0.0) & learnt.is_finite().all();
    // Rounding may have spoilt the approximation.
    let nothing = model.nothing(&s.gradient);
    let known = choose(&falls, s.known, nothing.clone());
    let fresh = &s.fresh | !&falls;
    let direction = select(&falls, learnt, -(first_scale(&s.gradient) * &s.gradient));
    let slope = direction.dot(&s.gradient);
    let along = |t: Array| f(&s.x + t * &direction);
    let (length, found) = step_length(along, (&s.value, &slope), unit, max_line_search);
    let moved = length.stop_gradient() * &direction;
    let x = &s.x + &moved;
    let (value, gradient) = value_and_grad(f)(x.clone());
    let broken = &found & !finite(&value, &gradient);
    let found = found & !&broken;
    let change = &gradient - &s.gradient;
    let taught = model.taught(&known, &moved, &change, &fresh);
    let whole = taught.leaves().iter().map(|leaf| leaf.is_finite().all()).reduce(|a, b| a & b);
    let learns = &found & change.dot(&moved).gt(0.0);
    let learns = whole.map_or(learns.clone(), |whole| learns & whole);
    // A search that fails along a direction that was learnt starts again against the gradient.
    let again = &found | &fresh | &broken;
    let kept = choose(&again, known, nothing);
    let keep = |new: &Array, old: &Array| select(&found, new, old);
    State {
        known: choose(&learns, taught, kept),
        x: keep(&x, &s.x),
        value: keep(&value, &s.value),
        gradient: keep(&gradient, &s.gradient),
        steps: s.steps + found.cast(DType::I32),
        stuck: !&found & &fresh,
        fresh: (&found & &fresh & !&learns) | !&found,
        broken,
    }
}
