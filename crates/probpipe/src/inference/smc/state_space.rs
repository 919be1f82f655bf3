//! Models of hidden states that are observed as they change, as a filter sees them: draws of the
//! next state, each with a weight (a Feynman-Kac model: N. Chopin, O. Papaspiliopoulos, "An
//! Introduction to Sequential Monte Carlo", 2020, chapter 5).

use crate::generative::{ChoiceMap, GenerativeFunction};
use probpipe_trace::{Array, Key, Tree};
use std::fmt;
use std::rc::Rc;

/// A state, and the logarithm of its weight.
type Drawn<S> = (S, Array);

/// States `S` of which each depends on the one before, and is seen as an observation `Y`. What is
/// to be known of time is part of one of these.
pub struct StateSpace<S, Y> {
    pub(super) first: Rc<dyn Fn(Key, Y) -> Drawn<S>>,
    pub(super) next: Rc<dyn Fn(Key, S, Y) -> Drawn<S>>,
}

impl<S, Y> Clone for StateSpace<S, Y> {
    fn clone(&self) -> StateSpace<S, Y> {
        StateSpace { first: self.first.clone(), next: self.next.clone() }
    }
}

impl<S, Y> fmt::Debug for StateSpace<S, Y> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateSpace").finish_non_exhaustive()
    }
}

impl<S: Tree + Clone + 'static, Y: Tree + Clone + 'static> StateSpace<S, Y> {
    /// Of a draw of the first state, a draw of the next one, and the log-density of an observation
    /// given its state (the bootstrap filter; N. J. Gordon, D. J. Salmond, A. F. M. Smith, 1993).
    ///
    /// ```
    /// use probpipe::inference::smc::{ParticleFilter, StateSpace};
    /// use probpipe::prelude::*;
    /// // A random walk that is seen with noise.
    /// let model = StateSpace::new(
    ///     |key| Normal::new(0.0, 1.0).sample(key, ()),
    ///     |key, x: Array| Normal::new(x, 0.5).sample(key, ()),
    ///     |x: Array, y: Array| Normal::new(x, 1.0).log_prob(&y),
    /// );
    /// let ys = array([0.3, 0.9, 1.4, 1.2]);
    /// let run = jit(|key| ParticleFilter::new(1000).run(key, &model, ys.clone()))(Key::new(0));
    /// assert!(run.log_likelihood().item::<f32>()?.is_finite());
    /// assert_eq!(run.means().shape(), [4]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    pub fn new(
        first: impl Fn(Key) -> S + 'static,
        next: impl Fn(Key, S) -> S + 'static,
        log_density: impl Fn(S, Y) -> Array + 'static,
    ) -> StateSpace<S, Y> {
        let density = Rc::new(log_density);
        let again = density.clone();
        StateSpace::guided(
            move |key, y| {
                let x = first(key);
                (x.clone(), density(x, y))
            },
            move |key, x, y| {
                let x = next(key, x);
                (x.clone(), again(x, y))
            },
        )
    }

    /// Of draws that know the observation, of the first state and of the next one, each with the
    /// logarithm of its weight: the density of the state, given the one before, times that of the
    /// observation, over the density that it was drawn by.
    pub fn guided(
        first: impl Fn(Key, Y) -> (S, Array) + 'static,
        next: impl Fn(Key, S, Y) -> (S, Array) + 'static,
    ) -> StateSpace<S, Y> {
        StateSpace { first: Rc::new(first), next: Rc::new(next) }
    }
}

impl<S: Tree + Clone + 'static> StateSpace<S, ChoiceMap> {
    /// Of the step of an [`unfold`](GenerativeFunction::unfold), from the state before the first
    /// one: observations are choices of the step, stacked as those of the unfold are, and what it
    /// does not observe is drawn.
    ///
    /// ```
    /// use probpipe::inference::smc::{ParticleFilter, StateSpace};
    /// use probpipe::prelude::*;
    /// let step = generative(|t: &mut Choices, x: Array| {
    ///     let x = t.sample("x", Normal::new(x, 0.5));
    ///     t.sample("y", Normal::new(&x, 1.0));
    ///     x
    /// });
    /// let seen = ChoiceMap::new([("y", array([0.3, 0.9, 1.4, 1.2]))]);
    /// let model = StateSpace::of(step, array(0.0));
    /// let run = jit(|key| ParticleFilter::new(1000).run(key, &model, seen.clone()))(Key::new(0));
    /// assert_eq!(run.trajectory(Key::new(1)).shape(), [4]);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    pub fn of<G>(step: G, start: S) -> StateSpace<S, ChoiceMap>
    where
        G: GenerativeFunction<Args = S, Value = S> + 'static,
        S: probpipe_trace::IntoTree<S>,
    {
        let step = Rc::new(move |key: Key, state: S, seen: ChoiceMap| {
            let (trace, weight) = step.importance(key, &seen, state);
            (trace.value().clone(), weight)
        });
        let again = step.clone();
        StateSpace::guided(
            move |key, seen| again(key, start.clone(), seen),
            move |key, state, seen| step(key, state, seen),
        )
    }
}
