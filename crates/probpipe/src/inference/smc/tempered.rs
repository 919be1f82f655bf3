//! Particles that are led from a prior to a posterior by powers of the likelihood (P. Del Moral, A.
//! Doucet, A. Jasra, "Sequential Monte Carlo samplers", 2006).

use super::cloud::Cloud;
use super::ladder::Ladder;
use super::resampling::Resampling;
use super::sums::effective_sample_size;
use crate::inference::Posterior;
use crate::inference::mcmc::{Kernel, Located, LogDensity, StepCx};
use crate::inference::posterior::raised;
use probpipe_trace::{
    Array, Error, ErrorKind, Key, Result, Tree, concat, fori_loop, full_like, here, scan, select,
    while_loop, with_location, zeros_of,
};
use probpipe_transforms::vmap;

/// Draws particles from the prior, and raises the power of the likelihood step by step: weights
/// them by what that changes, resamples them, and moves them by a kernel that leaves the new
/// density as it is. The kernel is made anew at each step, for the [`Cloud`] of particles at hand.
///
/// The product of the means of the weights estimates the evidence without bias where the ladder and
/// the kernel do not depend on the particles, and else nearly so.
///
/// ```
/// use probpipe::inference::Posterior;
/// use probpipe::inference::mcmc::RandomWalk;
/// use probpipe::inference::smc::Tempered;
/// use probpipe::prelude::*;
/// let model = generative(|t: &mut Choices| {
///     let mean = t.sample("mean", Normal::new(0.0, 10.0));
///     t.sample("y", Normal::new(mean, 1.0))
/// });
/// let posterior = Posterior::of(model, (), &ChoiceMap::new([("y", 5.0)]))?;
/// let smc = Tempered::new(1000, |cloud| RandomWalk::new(2.0).metric(cloud.metric()));
/// let run = jit(|key| smc.run(key, &posterior).unwrap())(Key::new(0));
/// assert!(run.finished.item::<bool>()?);
/// assert_eq!(run.values["mean"].shape(), [1000]);
/// let evidence = Normal::new(0.0, 101f32.sqrt()).log_prob(&array(5.0));
/// assert!((run.log_evidence - evidence).abs().item::<f32>()? < 0.3);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tempered<F> {
    /// How many particles.
    pub particles: usize,
    /// The powers of the likelihood.
    pub ladder: Ladder,
    /// How far particles are moved at each power.
    pub mutation: Mutation,
    /// How they are taken by their weights.
    pub resampling: Resampling,
    /// The kernel for a cloud of particles.
    pub kernel: F,
}

/// How particles are moved after they were resampled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutation {
    /// Each by so many steps, of which the last is kept.
    Steps(usize),
    /// All states of chains of this length are kept as particles, so that fewer are resampled and
    /// no step is wasted (H.-D. Dau, N. Chopin, "Waste-free sequential Monte Carlo", 2022). The
    /// number of particles is a multiple of the length.
    WasteFree(usize),
}

/// What [`Tempered::run`] gives.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct TemperedParticles<T> {
    /// The particles as values of the target, of equal weights, along a first axis.
    pub values: T,
    /// The vectors that they come from, `[particles, n]`.
    pub unconstrained: Array,
    /// The logarithm of the likelihood of each, `[particles]`.
    pub log_likelihoods: Array,
    /// The logarithm of the evidence: `-inf` if all particles lost their weight, NaN if a weight
    /// was not a number or the ladder had too few steps.
    pub log_evidence: Array,
    /// How many powers there were, `i32`.
    pub steps: Array,
    /// The powers, `[steps at most]`; NaN after the last.
    pub powers: Array,
    /// The effective sample size of the weights that led to each power.
    pub effective_sample_sizes: Array,
    /// The part of the particles that were elsewhere after their moves.
    pub moved: Array,
    /// Whether the power 1 was reached. If not, the particles are not those of the posterior.
    pub finished: Array,
}

/// The particles at a power.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Stage {
    z: Array,
    log_likelihoods: Array,
    power: Array,
    log_evidence: Array,
    step: Array,
    sound: Array,
    powers: Array,
    sizes: Array,
    moved: Array,
}

impl<K: Kernel, F: Fn(&Cloud) -> K> Tempered<F> {
    /// With a number of particles and a way to make a kernel; an adaptive ladder that keeps half of
    /// the effective sample size, five steps of the kernel at each power.
    pub fn new(particles: usize, kernel: F) -> Tempered<F> {
        Tempered {
            particles,
            ladder: Ladder::default(),
            mutation: Mutation::Steps(5),
            resampling: Resampling::default(),
            kernel,
        }
    }

    /// With another ladder.
    pub fn ladder(mut self, ladder: Ladder) -> Tempered<F> {
        self.ladder = ladder;
        self
    }

    /// With other moves.
    pub fn mutation(mut self, mutation: Mutation) -> Tempered<F> {
        self.mutation = mutation;
        self
    }

    /// With another resampling.
    pub fn resampling(mut self, resampling: Resampling) -> Tempered<F> {
        self.resampling = resampling;
        self
    }

    /// The whole run, a loop of the program.
    ///
    /// # Errors
    /// A ladder that does not lead from 0 to 1; fewer than two particles; chains whose length does
    /// not divide their number.
    #[track_caller]
    pub fn run<T>(&self, key: Key, posterior: &Posterior<T>) -> Result<TemperedParticles<T>>
    where
        T: Tree + Clone,
    {
        with_location(here(), || {
            let taken = self.checked()?;
            let (for_start, for_steps) = key.split();
            let z = vmap(|key: Key| posterior.draw(key))(for_start.split_batch(self.particles));
            let log_likelihoods = likelihoods(posterior, &z);
            let zero = zeros_of(log_likelihoods.dtype(), ());
            let most = self.ladder.max_steps();
            let log = full_like(&zeros_of(zero.dtype(), [most]), f64::NAN);
            let start = Stage {
                z,
                log_likelihoods,
                power: zero.clone(),
                log_evidence: zero,
                step: Array::from(0i32),
                sound: Array::from(true),
                powers: log.clone(),
                sizes: log.clone(),
                moved: log,
            };
            let end = while_loop(
                |s: Stage| s.power.lt(1.0) & s.step.lt(most as i32) & s.sound,
                |stage| self.raised(&for_steps, posterior, stage, taken),
                start,
            );
            let finished = end.power.ge(1.0) & &end.sound;
            // What was summed so far is not the evidence.
            let told = &finished | end.log_evidence.eq(f64::NEG_INFINITY);
            Ok(TemperedParticles {
                values: posterior.target().constrain_each(&end.z)?,
                unconstrained: end.z,
                log_likelihoods: end.log_likelihoods,
                log_evidence: select(&told, end.log_evidence, f64::NAN),
                steps: end.step,
                powers: end.powers,
                effective_sample_sizes: end.sizes,
                moved: end.moved,
                finished,
            })
        })
    }

    /// How many particles are resampled at each power.
    #[track_caller]
    fn checked(&self) -> Result<usize> {
        self.ladder.checked()?;
        let n = self.particles;
        let fault = |message: String, help: &str| {
            Err(Error::new(ErrorKind::Value, message).at(here()).help(help))
        };
        match self.mutation {
            _ if n < 2 => fault(format!("{n} particles have no spread"), "take 2 or more"),
            Mutation::Steps(_) => Ok(n),
            Mutation::WasteFree(length) if length > 1 && n.is_multiple_of(length) => Ok(n / length),
            Mutation::WasteFree(length) => {
                let message = format!("{n} particles are not the states of chains of {length}");
                fault(message, "the length is 2 or more, and divides the number of particles")
            }
        }
    }

    /// The next power, and the particles there.
    fn raised<T>(&self, key: &Key, posterior: &Posterior<T>, s: Stage, taken: usize) -> Stage {
        let (for_choice, for_moves) = key.reuse().fold_in(&s.step).split();
        let power = self.ladder.next(&s.step, &s.power, &s.log_likelihoods);
        let log_weights = raised(&s.log_likelihoods, &(&power - &s.power));
        let taken = self.resampling.ancestors(for_choice, &log_weights, taken);
        let weights = log_weights.softmax(0);
        let kernel = (self.kernel)(&Cloud::new(&s.z, &weights, &power));
        let log_density = |z: Array| posterior.tempered(&z, &power);
        let start = s.z.take(&taken.ancestors, 0);
        let (z, moved) = self.mutation.moved(for_moves, &kernel, &log_density, start);
        let put = |log: &Array, value: &Array| log.at_indices([&s.step]).set(value);
        Stage {
            log_likelihoods: likelihoods(posterior, &z),
            z,
            log_evidence: s.log_evidence + log_weights.logmeanexp(),
            powers: put(&s.powers, &power),
            sizes: put(&s.sizes, &effective_sample_size(&log_weights)),
            moved: put(&s.moved, &moved),
            step: s.step + 1,
            sound: taken.sound,
            power,
        }
    }
}

impl Mutation {
    /// Particles after their moves from a start `[m, n]`, and the part of those that moved.
    pub(super) fn moved<K: Kernel>(
        self,
        key: Key,
        kernel: &K,
        log_density: LogDensity<'_>,
        start: Array,
    ) -> (Array, Array) {
        let (m, n) = (start.shape()[0], start.shape()[1]);
        let step = |state: K::State, key: Key| kernel.step(StepCx::new(key, log_density), state).0;
        let one = |(key, z): (Key, Array)| match self {
            Mutation::Steps(steps) => {
                let state = kernel.init(log_density, z);
                let state = fori_loop(steps, state, |i, state| step(state, key.reuse().fold_in(i)));
                let z = state.position().clone();
                (z.clone(), z)
            }
            Mutation::WasteFree(length) => {
                let state = kernel.init(log_density, z.clone());
                let (_, others) = scan(state, key.split_batch(length - 1), |state, key| {
                    let state = step(state, key);
                    (state.clone(), state.position().clone())
                });
                let last = others.at(-1);
                (concat(&[z.expand_dims(0), others], 0), last)
            }
        };
        let (all, last) = vmap(one)((key.split_batch(m), start.clone()));
        let all = match self {
            Mutation::Steps(_) => all,
            Mutation::WasteFree(length) => all.reshape([m * length, n]),
        };
        let moved = last.ne(&start).any_axes(-1).cast(start.dtype()).mean();
        (all, moved)
    }
}

/// The log-likelihoods of vectors `[m, n]`.
pub(super) fn likelihoods<T>(posterior: &Posterior<T>, z: &Array) -> Array {
    vmap(|z: Array| posterior.parts(&z).1)(z.clone())
}
