//! Hidden Markov models: observations of states that change by the state before.

use crate::constraints::Constraint;
use crate::distributions::multivariate::held;
use crate::distributions::shapes::{is_lost, join};
use crate::distributions::{Distribution, LogProb, Moments, Sample, Support};
use crate::random::categorical;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Shape, ShapeDisplay, Tree, concat, here, scan, scan_n,
    scan_reverse, select, with_location, zeros_like,
};

/// Series of `n` observations of hidden states: the first state has the probabilities `initial`,
/// each other those in the row of `transition` of the one before it, and an observation follows
/// the distribution of its state, which is one of the batch of `emission`.
///
/// Densities are those of the forward algorithm, in logarithms; their slopes in all parameters are
/// finite also where a probability is zero. Draws are not differentiable in probabilities. Batches
/// of parameters go through `vmap`.
///
/// Source: L. R. Rabiner, "A tutorial on hidden Markov models", 1989.
///
/// ```
/// use probpipe::HiddenMarkovModel;
/// use probpipe::prelude::*;
/// let weather = HiddenMarkovModel::new(
///     [0.8, 0.2],
///     [[0.7, 0.3], [0.2, 0.8]],
///     Normal::new(array([0.0, 15.0]), array([5.0, 10.0])),
///     4,
/// );
/// let x = array([0.0, -3.0, 14.0, 21.0]);
/// assert!(weather.log_prob(&x).item::<f32>()?.is_finite());
/// assert_eq!(weather.posterior_mode(&x).to_vec::<i32>()?, [0, 0, 1, 1]);
/// assert_eq!(weather.posterior_marginals(&x).shape(), [4, 2]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct HiddenMarkovModel<D> {
    initial: Array,
    transition: Array,
    emission: D,
    #[tree(static)]
    num_steps: usize,
}

const NAME: &str = "HiddenMarkovModel";

impl<D: Distribution<Value = Array>> HiddenMarkovModel<D> {
    /// From the probabilities of the first state `[k]`, of the next one after each `[k, k]`, a
    /// distribution of batch shape `[k]` of observations in each state, and the number of
    /// observations. Known rows that do not add up to 1, shapes that do not fit, or no
    /// observations, make every use an error that says so.
    #[track_caller]
    pub fn new(
        initial: impl Into<Array>,
        transition: impl Into<Array>,
        emission: D,
        num_steps: usize,
    ) -> HiddenMarkovModel<D> {
        let (initial, transition) = (initial.into(), transition.into());
        let batch = emission.batch_shape();
        let k = batch.first().copied().unwrap_or(0);
        let lost = is_lost(&batch);
        let known = lost || initial.error().is_some() || transition.error().is_some();
        let fits = known
            || k > 0
                && batch.len() == 1
                && initial.shape() == [k]
                && transition.shape() == [k, k]
                && num_steps > 0;
        if !fits {
            let message = format!(
                "a {NAME} of {num_steps} steps has initial {}, transition {} and an emission of \
                 batch shape {}",
                ShapeDisplay(initial.shape()),
                ShapeDisplay(transition.shape()),
                ShapeDisplay(&batch)
            );
            let error = Error::new(ErrorKind::Shape, message)
                .note("initial was made", Some(initial.location()))
                .note("transition was made", Some(transition.location()))
                .help("of k states give [k], [k, k] and [k], and one step or more");
            let initial = Array::invalid(error, here());
            return HiddenMarkovModel { initial, transition, emission, num_steps };
        }
        let simplex = Constraint::Simplex;
        HiddenMarkovModel {
            initial: held(NAME, "initial", &simplex, initial),
            transition: held(NAME, "transition", &simplex, transition),
            emission,
            num_steps,
        }
    }

    /// The probabilities of the first state.
    pub fn initial(&self) -> &Array {
        &self.initial
    }

    /// The probabilities of the next state, a row for each state before it.
    pub fn transition(&self) -> &Array {
        &self.transition
    }

    /// The distribution of observations in each state.
    pub fn emission(&self) -> &D {
        &self.emission
    }

    #[track_caller]
    fn fault(&self) -> Option<Array> {
        [&self.initial, &self.transition].into_iter().find(|x| x.error().is_some()).cloned()
    }

    fn rank(&self) -> usize {
        self.emission.event_shape().len()
    }

    /// States of a shape followed by the steps, `i32`, from their prior alone.
    #[track_caller]
    fn states(&self, key: Key, shape: &Shape) -> Array {
        let (first, others) = key.split();
        let start = categorical(first, shape, logs(&self.initial)).cast(DType::I32);
        if self.num_steps == 1 {
            return start.expand_dims(-1);
        }
        let rows = logs(&self.transition);
        let keys = others.split_batch(self.num_steps - 1);
        let (_, rest) = scan(start.clone(), keys, |state: Array, key: Key| {
            let next = categorical(key, shape, rows.take(&state, 0)).cast(DType::I32);
            (next.clone(), next)
        });
        concat([start.expand_dims(0), rest], 0).move_axis(0, -1)
    }
}

/// Logarithms of probabilities, without slope where these are zero.
#[track_caller]
fn logs(probs: &Array) -> Array {
    let some = probs.gt(0.0);
    select(&some, select(&some, probs, 1.0).log(), f64::NEG_INFINITY)
}

impl<D: LogProb<Value = Array>> HiddenMarkovModel<D> {
    /// The log-densities of observations in each state, the steps in front: `[n, .., k]`.
    #[track_caller]
    fn seen(&self, x: &Array) -> Result<Array, Array> {
        if let Some(error) = self.fault().or_else(|| x.error().map(|_| x.clone())) {
            return Err(error);
        }
        let event = Distribution::event_shape(self);
        if !x.shape().ends_with(&event) {
            let message = format!(
                "a {NAME} over events of shape {} is asked about an array of shape {}",
                ShapeDisplay(&event),
                ShapeDisplay(x.shape())
            );
            let error = Error::new(ErrorKind::Shape, message)
                .note("the array was made", Some(x.location()))
                .help("the last axes hold the observations");
            return Err(Array::invalid(error, here()));
        }
        let each = self.emission.log_prob(&x.expand_dims(-1 - self.rank() as isize));
        let typed = &each + self.initial.at(0) * 0.0 + self.transition.index((0, 0)) * 0.0;
        if typed.error().is_some() {
            return Err(typed);
        }
        Ok(typed.in_dtype(typed.dtype()).move_axis(-2, 0))
    }

    /// For each step and state the logarithm of the density of the observations so far and of
    /// being in that state, `[n, .., k]`.
    #[track_caller]
    fn forward(&self, seen: &Array) -> Array {
        let start = logs(&self.initial) + seen.at(0);
        if self.num_steps == 1 {
            return start.expand_dims(0);
        }
        let rest = seen.slice_axis(0, 1..self.num_steps);
        let (_, later) = scan(start.clone(), rest, |before: Array, seen: Array| {
            let now = before.expand_dims(-1).logsumexp_weighted(&self.transition, [-2]) + seen;
            (now.clone(), now)
        });
        concat([start.expand_dims(0), later], 0)
    }

    /// For each step and state the logarithm of the density of the observations after it,
    /// `[n, .., k]`.
    #[track_caller]
    fn backward(&self, seen: &Array) -> Array {
        let end = zeros_like(&seen.at(-1));
        if self.num_steps == 1 {
            return end.expand_dims(0);
        }
        let rest = seen.slice_axis(0, 1..self.num_steps);
        let (_, earlier) = scan_reverse(end.clone(), rest, |after: Array, seen: Array| {
            let now = (after + seen).expand_dims(-2).logsumexp_weighted(&self.transition, [-1]);
            (now.clone(), now)
        });
        concat([earlier, end.expand_dims(0)], 0)
    }

    /// The probabilities of the states at each step given all observations, `[.., n, k]`
    /// (forward and backward algorithm).
    #[track_caller]
    pub fn posterior_marginals(&self, x: &Array) -> Array {
        with_location(here(), || {
            self.seen(x).map_or_else(
                |error| error,
                |seen| (self.forward(&seen) + self.backward(&seen)).softmax(-1).move_axis(0, -2),
            )
        })
    }

    /// The probabilities of the states at each step given the observations up to it, `[.., n, k]`.
    #[track_caller]
    pub fn filtered_marginals(&self, x: &Array) -> Array {
        with_location(here(), || {
            self.seen(x)
                .map_or_else(|error| error, |seen| self.forward(&seen).softmax(-1).move_axis(0, -2))
        })
    }

    /// The most probable series of states given all observations, `[.., n]` of `i32` (A. Viterbi,
    /// 1967). Of states that are equally probable the first is taken.
    #[track_caller]
    pub fn posterior_mode(&self, x: &Array) -> Array {
        with_location(here(), || {
            let seen = match self.seen(x) {
                Ok(seen) => seen,
                Err(error) => return error,
            };
            let rows = logs(&self.transition);
            let start = logs(&self.initial) + seen.at(0);
            if self.num_steps == 1 {
                return start.argmax(-1).cast(DType::I32).expand_dims(-1);
            }
            let rest = seen.slice_axis(0, 1..self.num_steps);
            let (best, from) = scan(start, rest, |before: Array, seen: Array| {
                let ways = before.expand_dims(-1) + &rows;
                (ways.max_axes([-2]) + seen, ways.argmax(-2).cast(DType::I32))
            });
            let last = best.argmax(-1).cast(DType::I32);
            let (_, earlier) = scan_reverse(last.clone(), from, |state: Array, from: Array| {
                let before = from.take_along_axis(state.expand_dims(-1), -1).squeeze(-1);
                (before.clone(), before)
            });
            concat([earlier, last.expand_dims(0)], 0).move_axis(0, -1)
        })
    }
}

impl<D: Support<Value = Array>> Support for HiddenMarkovModel<D> {
    /// That of one observation: it holds for each.
    fn support(&self) -> Constraint {
        self.emission.support()
    }
}

impl<D: Distribution<Value = Array>> Distribution for HiddenMarkovModel<D> {
    type Value = Array;

    fn batch_shape(&self) -> Shape {
        Shape::new()
    }

    fn event_shape(&self) -> Shape {
        join(&[self.num_steps], &self.emission.event_shape())
    }
}

impl<D: LogProb<Value = Array>> LogProb for HiddenMarkovModel<D> {
    fn log_prob(&self, x: &Array) -> Array {
        with_location(here(), || {
            self.seen(x)
                .map_or_else(|error| error, |seen| self.forward(&seen).at(-1).logsumexp_axes([-1]))
        })
    }
}

impl<D: Sample<Value = Array>> Sample for HiddenMarkovModel<D> {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        with_location(here(), || {
            if let Some(error) = self.fault() {
                return error;
            }
            let (hidden, shown) = key.split();
            let states = self.states(hidden, &shape);
            let all = self.emission.sample_shape(shown, join(&shape, &[self.num_steps]));
            if all.error().is_some() {
                return all;
            }
            let rank = self.rank();
            let index = (0..=rank).fold(states, |index, _| index.expand_dims(-1));
            let mut extents: Shape = all.shape().into();
            let at = extents.len() - 1 - rank;
            extents[at] = 1;
            let axis = -1 - rank as isize;
            all.take_along_axis(index.broadcast_to(extents), axis).squeeze(axis)
        })
    }
}

impl<D: Sample<Value = Array>> HiddenMarkovModel<D> {
    /// Draws of the hidden states alone, of the sample shape and the steps, `i32`.
    #[track_caller]
    pub fn sample_states(&self, key: Key, shape: impl probpipe_trace::IntoShape) -> Array {
        with_location(here(), || {
            self.fault().unwrap_or_else(|| self.states(key, &shape.into_shape()))
        })
    }
}

impl<D: Moments<Value = Array>> HiddenMarkovModel<D> {
    /// Of each step the mean over states of something of each, `[.., k, event]`.
    #[track_caller]
    fn over_states(&self, each: &Array) -> Array {
        if each.error().is_some() {
            return each.clone();
        }
        let all = [&self.initial, &self.transition, each];
        let decided = all.into_iter().find(|x| !x.is_weak()).unwrap_or(&self.initial);
        let start = self.initial.in_dtype(decided.dtype());
        let (_, probs) = scan_n(self.num_steps, start, |probs: Array| {
            let next = (probs.expand_dims(-1) * &self.transition).sum_axes([-2]);
            (next, probs)
        });
        let rank = self.rank();
        let probs = (0..rank).fold(probs, |probs, _| probs.expand_dims(-1));
        (probs * each).sum_axes([-1 - rank as isize])
    }
}

impl<D: Moments<Value = Array>> Moments for HiddenMarkovModel<D> {
    fn mean(&self) -> Array {
        with_location(here(), || {
            self.fault().unwrap_or_else(|| self.over_states(&self.emission.mean()))
        })
    }

    /// The mean of the variances and the variance of the means.
    fn variance(&self) -> Array {
        with_location(here(), || {
            if let Some(error) = self.fault() {
                return error;
            }
            let apart = self.mean().expand_dims(-1 - self.rank() as isize);
            let spread = (self.emission.mean() - apart).square();
            self.over_states(&(self.emission.variance() + spread))
        })
    }
}
