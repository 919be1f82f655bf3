//! The particle filter: states drawn ahead, weighted by what is observed, and resampled where few
//! have most of the weight. Parameters are not inferred here.

use super::resampling::Resampling;
use super::state_space::StateSpace;
use super::sums::{effective_sample_size, weighted_mean};
use crate::random::categorical;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Shape, Tree, arange, concat, here, scan, scan_reverse,
    select, tree_map, with_location, zeros_like,
};
use probpipe_transforms::vmap;

/// Filters the states of a [`StateSpace`] model.
///
/// ```
/// use probpipe::inference::smc::{ParticleFilter, Resampling, StateSpace};
/// use probpipe::prelude::*;
/// // A proposal that knows the observation: the state is as likely near it as near the last one.
/// let draw = |key, before: Array, scale: f64, y: Array| {
///     let near = Normal::new((&before + &y) * 0.5, scale * 0.5f64.sqrt());
///     let x = near.sample(key, ());
///     let joint = Normal::new(before, scale).log_prob(&x) + Normal::new(&x, scale).log_prob(&y);
///     (x.clone(), joint - near.log_prob(&x))
/// };
/// let model = StateSpace::guided(
///     move |key, y| draw(key, array(0.0), 1.0, y),
///     move |key, x, y| draw(key, x, 1.0, y),
/// );
/// let filter = ParticleFilter::new(500).resampling(Resampling::Stratified);
/// let run = filter.run(Key::new(0), &model, array([0.5, 1.0, 0.2]));
/// assert_eq!(run.effective_sample_sizes.shape(), [3]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ParticleFilter {
    /// How many particles.
    pub particles: usize,
    /// How they are taken by their weights.
    pub resampling: Resampling,
    /// They are resampled before a step if their effective sample size is below this part of their
    /// number: at 0 never, at 1 whenever weights differ.
    pub threshold: f64,
}

/// What [`ParticleFilter::run`] gives: `t` steps of `n` particles, as they were after each
/// observation.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Filtered<S> {
    /// The states, along first axes `[t, n]`.
    pub states: S,
    /// The logarithms of their weights, `[t, n]`, which add up to 1 at each step; NaN from the
    /// step on at which no particle had a weight.
    pub log_weights: Array,
    /// Of each particle the one before that it comes from, `[t, n]` of `i32`; at the first step
    /// itself.
    pub ancestors: Array,
    /// The logarithm of the density of each observation given those before it, `[t]`.
    pub log_likelihoods: Array,
    /// The effective sample sizes of the weights, `[t]`.
    pub effective_sample_sizes: Array,
    /// Whether particles were resampled before each step, `[t]`.
    pub resampled: Array,
    /// Whether up to each step some particle had a weight, and all weights were numbers, `[t]`.
    pub sound: Array,
}

/// What a step hands on.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Front<S> {
    states: S,
    log_weights: Array,
    sound: Array,
}

impl ParticleFilter {
    /// With a number of particles, resampled systematically where the effective sample size is
    /// below half of it.
    pub fn new(particles: usize) -> ParticleFilter {
        ParticleFilter { particles, resampling: Resampling::default(), threshold: 0.5 }
    }

    /// With another resampling.
    pub fn resampling(mut self, resampling: Resampling) -> ParticleFilter {
        self.resampling = resampling;
        self
    }

    /// With another part of the particles.
    pub fn threshold(mut self, threshold: f64) -> ParticleFilter {
        self.threshold = threshold;
        self
    }

    /// All steps over observations along the first axes of a tree. No observations, no particles or
    /// axes that differ make all of the result invalid.
    #[track_caller]
    pub fn run<S, Y>(
        &self,
        key: Key,
        model: &StateSpace<S, Y>,
        observations: impl Into<Y>,
    ) -> Filtered<S>
    where
        S: Tree + Clone,
        Y: Tree + Clone,
    {
        let observations = observations.into();
        with_location(here(), || {
            let (steps, fault) = match steps_of(&observations, self.particles) {
                Ok(steps) => (steps, None),
                Err(error) => (1, Some(error)),
            };
            let keys = key.split_batch(steps);
            let at = |i: isize| observations.clone().map(|y| y.at(i));
            let start = self.first(keys_at(&keys, 0), model, at(0));
            let alone = start.1.clone().map(|x| x.expand_dims(0));
            let run = if steps == 1 {
                alone
            } else {
                let rest = observations.clone().map(|y| y.slice_axis(0, 1..steps));
                let later = keys.map(|k| k.slice_axis(0, 1..steps));
                let (_, others) =
                    scan(start.0, (later, rest), |front, (key, y)| self.next(key, model, front, y));
                tree_map(|a: Array, b| concat(&[a, b], 0), alone, others)
            };
            match fault {
                None => run,
                Some(error) => run.map(|_| Array::invalid(error.clone(), here())),
            }
        })
    }

    fn first<S, Y>(&self, key: Key, model: &StateSpace<S, Y>, y: Y) -> (Front<S>, Filtered<S>)
    where
        S: Tree + Clone,
        Y: Tree + Clone,
    {
        let keys = key.split_batch(self.particles);
        let (states, g) = vmap(|key: Key| (model.first)(key, y.clone()))(keys);
        let equal = zeros_like(&g) - (self.particles as f64).ln();
        let own = arange(self.particles);
        let none = Array::from(false);
        self.weighed(states, &g, &equal, own, none, &Array::from(true))
    }

    fn next<S, Y>(
        &self,
        key: Key,
        model: &StateSpace<S, Y>,
        front: Front<S>,
        y: Y,
    ) -> (Front<S>, Filtered<S>)
    where
        S: Tree + Clone,
        Y: Tree + Clone,
    {
        let n = self.particles;
        let (for_choice, for_steps) = key.split();
        let Front { states, log_weights, sound } = front;
        let size = effective_sample_size(&log_weights);
        let few = size.lt(self.threshold * n as f64);
        let taken = self.resampling.ancestors(for_choice, &log_weights, n).ancestors;
        let ancestors = select(&few, taken, arange(n));
        let states = states.map(|x| x.take(&ancestors, 0));
        let log_weights = select(&few, -(n as f64).ln(), log_weights);
        let step = |(key, x): (Key, S)| (model.next)(key, x, y.clone());
        let (states, g) = vmap(step)((for_steps.split_batch(n), states));
        self.weighed(states, &g, &log_weights, ancestors, few, &sound)
    }

    /// Weights, if there is one number for each particle.
    fn one_each(&self, log_weights: &Array) -> Array {
        match log_weights.ty() {
            Ok(ty) if ty.shape[..] != [self.particles] => {
                let message = format!("the log weights of {} particles are {ty}", self.particles);
                let error = Error::new(ErrorKind::Shape, message)
                    .at(here())
                    .help("the log-density of an observation is one number: `.sum()`");
                Array::invalid(error, here())
            }
            _ => log_weights.clone(),
        }
    }

    /// What is handed on and what is recorded, after weights before the observation were multiplied
    /// by those of it.
    fn weighed<S: Tree + Clone>(
        &self,
        states: S,
        g: &Array,
        before: &Array,
        ancestors: Array,
        resampled: Array,
        sound: &Array,
    ) -> (Front<S>, Filtered<S>) {
        let joint = before + &self.one_each(g);
        let log_likelihood = joint.logsumexp();
        let now = log_likelihood.is_finite();
        let sound = sound & &now;
        let log_weights = joint - &log_likelihood;
        let equal = -(self.particles as f64).ln();
        // After a step without weights the filter goes on from equal ones, and says so.
        let front = Front {
            states: states.clone(),
            log_weights: select(&now, &log_weights, equal),
            sound: sound.clone(),
        };
        let told = select(&sound, &log_weights, f64::NAN);
        let filtered = Filtered {
            states,
            effective_sample_sizes: effective_sample_size(&told),
            log_weights: told,
            ancestors,
            log_likelihoods: log_likelihood,
            resampled,
            sound,
        };
        (front, filtered)
    }
}

fn keys_at(keys: &Key, i: isize) -> Key {
    keys.reuse().map(|data| data.at(i))
}

/// The length of the first axes.
fn steps_of<Y: Tree>(observations: &Y, particles: usize) -> Result<usize, Error> {
    let mut steps = None;
    for leaf in observations.leaves() {
        let ty = leaf.ty()?;
        let own = ty.shape.first().copied().unwrap_or(0);
        if own == 0 || *steps.get_or_insert(own) != own {
            let message = format!("the observations of a filter are given as {ty}");
            return Err(Error::new(ErrorKind::Shape, message)
                .at(leaf.location())
                .help("stack one or more along a first axis, the same for all parts"));
        }
    }
    match (steps, particles) {
        (Some(steps), 1..) => Ok(steps),
        (None, _) => Err(Error::new(ErrorKind::Value, "a filter needs observations").at(here())),
        (_, 0) => Err(Error::new(ErrorKind::Value, "a filter needs particles").at(here())),
    }
}

impl<S: Tree + Clone> Filtered<S> {
    /// The logarithm of the density of all observations: its exponential is without bias.
    #[track_caller]
    pub fn log_likelihood(&self) -> Array {
        self.log_likelihoods.sum()
    }

    /// The mean of the state at each step given the observations up to it, along a first axis
    /// `[t]`; of integers and truth values as floats.
    #[track_caller]
    pub fn means(&self) -> S {
        with_location(here(), || {
            let weights = self.log_weights.exp();
            self.states.clone().map(|x| {
                vmap(|(x, w): (Array, Array)| weighted_mean(&x, &w))((x.clone(), weights.clone()))
            })
        })
    }

    /// Of each particle of the last step the one that it comes from at every step, `[t, n]` of
    /// `i32`.
    #[track_caller]
    pub fn lineages(&self) -> Array {
        with_location(here(), || {
            let last = arange(self.ancestors.shape().get(1).copied().unwrap_or(1));
            scan_reverse(last, self.ancestors.clone(), |now: Array, ancestors: Array| {
                (ancestors.take(&now, 0), now)
            })
            .1
        })
    }

    /// The states from which each particle of the last step comes, along first axes `[t, n]`. With
    /// the last weights they are of the distribution of all states given all observations; early
    /// states are those of few particles, as most lineages have ended.
    #[track_caller]
    pub fn trajectories(&self) -> S {
        with_location(here(), || {
            let lineages = self.lineages();
            self.states.clone().map(|x| along(x, &lineages))
        })
    }

    /// One of these, taken by the last weights: the states along a first axis `[t]`.
    #[track_caller]
    pub fn trajectory(&self, key: Key) -> S {
        with_location(here(), || {
            let last = categorical(key, Shape::new(), self.log_weights.at(-1));
            let way = self.lineages().take(last.cast(DType::I32), 1);
            // Without weights there is none.
            let sound = self.sound.at(-1);
            let way = select(&sound, way, i32::MAX);
            self.states.clone().map(|x| along(x, &way))
        })
    }

    /// The means of the states at each step given all observations, along a first axis `[t]`, by
    /// lineages.
    #[track_caller]
    pub fn smoothed_means(&self) -> S {
        with_location(here(), || {
            let weights = self.log_weights.at(-1).exp();
            let mean = |x: &Array| vmap(|x: Array| weighted_mean(&x, &weights))(x.clone());
            self.trajectories().map(mean)
        })
    }
}

/// At each step the entries of particles.
fn along(x: &Array, particles: &Array) -> Array {
    vmap(|(x, i): (Array, Array)| x.take(&i, 0))((x.clone(), particles.clone()))
}
