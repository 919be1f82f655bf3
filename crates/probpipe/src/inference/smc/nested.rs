//! Nested sampling (J. Skilling, "Nested sampling for general Bayesian computation", 2006): the
//! evidence as an integral of the likelihood over the volume of the prior where it is higher.

use super::cloud::Cloud;
use super::tempered::{Mutation, likelihoods};
use super::weights::Weighted;
use crate::inference::Posterior;
use crate::inference::mcmc::Kernel;
use crate::random::randint;
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Key, Result, Tree, arange, concat, full_like, here, select,
    sort_together, uniform_of, while_loop, with_location, zeros_of,
};
use probpipe_transforms::vmap;

/// Keeps `live` points of the prior; takes away those of the least likelihood, again and again, and
/// puts new ones in their place where the likelihood is higher, by steps of a kernel from points
/// that are left. The kernel is made anew each time, for the [`Cloud`] of these points, and sees
/// the prior alone, cut off: a [`Slice`](crate::inference::mcmc::Slice) or a
/// [`RandomWalk`](crate::inference::mcmc::RandomWalk) do, kernels that follow gradients do not.
///
/// Points of equal likelihood are told apart by random labels, so that a plateau, that of zero
/// among them, is like any other volume.
///
/// ```
/// use probpipe::inference::Posterior;
/// use probpipe::inference::mcmc::Slice;
/// use probpipe::inference::smc::NestedSampling;
/// use probpipe::prelude::*;
/// // A normal density in the middle of a square of side 20.
/// let prior = Uniform::new(array([-10.0, -10.0]), array([10.0, 10.0]));
/// let density = |z: Array| Normal::new(0.0, 1.0).log_prob(&z).sum();
/// let posterior = Posterior::new(prior, density)?;
/// let nested = NestedSampling::new(200, |cloud| Slice::new(2.5).metric(cloud.metric()));
/// let run = jit(|key| nested.run(key, &posterior).unwrap())(Key::new(0));
/// assert!(run.finished.item::<bool>()?);
/// let off = (&run.log_evidence + 400f32.ln()) / &run.evidence_error;
/// assert!(off.abs().item::<f32>()? < 4.0);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NestedSampling<F> {
    /// How many points there are at a time.
    pub live: usize,
    /// How many are replaced at a time, at once: a tenth is a good choice.
    pub replaced: usize,
    /// Steps of the kernel for each new point. Too few leave it near the point it came from, and
    /// the evidence is wrong: a few times the number of dimensions.
    pub steps: usize,
    /// Ends when the live points hold no more than this part of the evidence.
    pub rest: f64,
    /// Most rounds. Each cuts the volume by the factor `exp(-replaced / live)` or so.
    pub max_rounds: usize,
    /// The kernel for a cloud of points.
    pub kernel: F,
}

/// What [`NestedSampling::run`] gives.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct NestedSamples<T> {
    /// All points that were taken away, and those alive at the end: their weights are likelihoods
    /// times volumes. There is room for `max_rounds replaced + live`; what is left of it has no
    /// weight.
    pub samples: Weighted<T>,
    /// The vectors that they come from.
    pub unconstrained: Array,
    /// The log-likelihoods of all points.
    pub log_likelihoods: Array,
    /// The logarithm of the evidence: NaN if the run did not finish, `-inf` if no point had a
    /// likelihood.
    pub log_evidence: Array,
    /// Its standard error, by the number of points that volumes are known by.
    pub evidence_error: Array,
    /// The divergence of the posterior from the prior, in nats.
    pub information: Array,
    /// Rounds, `i32`.
    pub rounds: Array,
    /// The least part of the new points of a round that are elsewhere than the point they came
    /// from. Where it is not near 1 there are too few steps, and the error is more than is told.
    pub moved: Array,
    /// Whether the live points hold little of the evidence, and all likelihoods were numbers.
    pub finished: Array,
}

/// A round.
#[derive(Tree, Clone)]
#[tree(crate = probpipe_trace)]
struct Round {
    z: Array,
    log_likelihoods: Array,
    /// Uniform numbers that order points of equal likelihoods.
    labels: Array,
    log_volume: Array,
    log_evidence: Array,
    round: Array,
    moved: Array,
    /// What was taken away.
    gone: Array,
    gone_likelihoods: Array,
    gone_weights: Array,
}

impl<K: Kernel, F: Fn(&Cloud) -> K> NestedSampling<F> {
    /// With a number of live points, a tenth of which is replaced at a time by 20 steps of a kernel
    /// each, until they hold a thousandth of the evidence.
    pub fn new(live: usize, kernel: F) -> NestedSampling<F> {
        let replaced = (live / 10).max(1);
        NestedSampling { live, replaced, steps: 20, rest: 1e-3, max_rounds: 1000, kernel }
    }

    /// With another number of steps.
    pub fn steps(mut self, steps: usize) -> NestedSampling<F> {
        self.steps = steps;
        self
    }

    /// The whole run, a loop of the program.
    ///
    /// # Errors
    /// Fewer points left than two or replaced than one.
    #[track_caller]
    pub fn run<T>(&self, key: Key, posterior: &Posterior<T>) -> Result<NestedSamples<T>>
    where
        T: Tree + Clone,
    {
        with_location(here(), || {
            let (n, k) = (self.live, self.replaced);
            if k == 0 || k + 2 > n || self.max_rounds == 0 {
                let message = format!("{k} of {n} live points cannot be replaced at a time");
                return Err(Error::new(ErrorKind::Value, message)
                    .at(here())
                    .help("replace one or more, and keep two or more"));
            }
            let [for_start, for_labels, for_rounds] = key.split_array();
            let z = vmap(|key: Key| posterior.draw(key))(for_start.split_batch(n));
            let log_likelihoods = likelihoods(posterior, &z);
            let none = log_likelihoods.eq(f64::NEG_INFINITY).all();
            let sound = log_likelihoods.lt(f64::INFINITY).all() & !&none;
            let labels = uniform_of(log_likelihoods.dtype(), for_labels, [n]);
            let start = self.start(z, log_likelihoods, labels);
            let more = |r: Round| {
                let rest = &r.log_volume + r.log_likelihoods.max();
                let much = (&rest - r.log_evidence.logaddexp(&rest)).gt(self.rest.ln());
                much & r.round.lt(self.max_rounds as i32) & &sound
            };
            let end = while_loop(more, |r| self.round(&for_rounds, posterior, r), start);
            self.summed(posterior, end, &sound, &none)
        })
    }

    fn start(&self, z: Array, log_likelihoods: Array, labels: Array) -> Round {
        let rows = self.max_rounds * self.replaced;
        let zero = zeros_of(log_likelihoods.dtype(), ());
        let none = full_like(&zeros_of(zero.dtype(), [rows]), f64::NEG_INFINITY);
        Round {
            log_evidence: full_like(&zero, f64::NEG_INFINITY),
            moved: full_like(&zero, 1.0),
            log_volume: zero,
            round: Array::from(0i32),
            gone: zeros_of(z.dtype(), [rows, z.shape()[1]]),
            gone_likelihoods: none.clone(),
            gone_weights: none,
            z,
            log_likelihoods,
            labels,
        }
    }

    /// New points from a start, above a log-likelihood, or at it with a larger label: the density
    /// is the prior times the part of all labels that a place has left. And the part that moved.
    fn moved<T>(
        &self,
        key: Key,
        posterior: &Posterior<T>,
        cloud: &Cloud,
        start: Array,
        (level, label): (&Array, &Array),
    ) -> (Array, Array) {
        let kernel = (self.kernel)(cloud);
        let left = (1.0 - label).log();
        let log_density = |z: Array| {
            let (prior, likelihood) = posterior.parts(&z);
            let at = select(&likelihood.eq(level), &prior + &left, f64::NEG_INFINITY);
            select(&likelihood.gt(level), prior, at)
        };
        Mutation::Steps(self.steps).moved(key, &kernel, &log_density, start)
    }

    /// The least points taken away and replaced.
    fn round<T>(&self, key: &Key, posterior: &Posterior<T>, r: Round) -> Round {
        let (n, k) = (self.live, self.replaced);
        let [for_choice, for_moves, for_labels] = key.reuse().fold_in(&r.round).split_array();
        let keys = [r.log_likelihoods.clone(), r.labels.clone(), arange(n)];
        let order = sort_together(&keys, 0, 2).swap_remove(2);
        let (least, left) = (order.slice_axis(0, 0..k), order.slice_axis(0, k..n));
        let lost = r.log_likelihoods.take(&least, 0);
        let last = least.at(-1);
        let (level, label) = (lost.at(-1), r.labels.take(&last, 0));
        let (shrunk, shells) = volumes(n, k, lost.dtype());
        let weights = &lost + &r.log_volume + shells;
        let survivors = r.z.take(&left, 0);
        let likelihoods_left = r.log_likelihoods.take(&left, 0);
        let equal = likelihoods_left.clone() * 0.0 + 1.0 / (n - k) as f64;
        let cloud = Cloud::new(&survivors, &equal, &Array::from(0.0).in_dtype(r.z.dtype()));
        let from = randint(for_choice, [k], 0, (n - k) as i32);
        let start = survivors.take(&from, 0);
        let (new, moved) = self.moved(for_moves, posterior, &cloud, start, (&level, &label));
        let new_likelihoods = likelihoods(posterior, &new);
        let labels = uniform_of(label.dtype(), for_labels, [k]);
        let above = &label + (1.0 - &label) * &labels;
        let labels = select(&new_likelihoods.eq(&level), above, labels);
        let row = &r.round * k as i32;
        let places = &row + arange(k);
        let put = |all: &Array, rows: &Array| all.at_indices([&places]).set(rows);
        Round {
            gone: put(&r.gone, &r.z.take(&least, 0)),
            gone_likelihoods: put(&r.gone_likelihoods, &lost),
            gone_weights: put(&r.gone_weights, &weights),
            moved: r.moved.minimum(moved),
            labels: concat(&[r.labels.take(&left, 0), labels], 0),
            log_evidence: r.log_evidence.logaddexp(weights.logsumexp()),
            log_volume: r.log_volume + shrunk,
            round: r.round + 1,
            log_likelihoods: concat(&[likelihoods_left, new_likelihoods], 0),
            z: concat(&[survivors, new], 0),
        }
    }

    /// All points with their weights.
    fn summed<T: Tree + Clone>(
        &self,
        posterior: &Posterior<T>,
        end: Round,
        sound: &Array,
        none: &Array,
    ) -> Result<NestedSamples<T>> {
        let (n, k) = (self.live, self.replaced);
        let rest = &end.log_volume + end.log_likelihoods.max();
        let little = (&rest - end.log_evidence.logaddexp(&rest)).le(self.rest.ln());
        let last = &end.log_likelihoods + (&end.log_volume - (n as f64).ln());
        let log_likelihoods = concat(&[end.gone_likelihoods, end.log_likelihoods], 0);
        let mass = concat(&[end.gone_weights, last], 0);
        let log_evidence = mass.logsumexp();
        let p = (&mass - &log_evidence).exp();
        let gains = select(&p.gt(0.0), &log_likelihoods - &log_evidence, 0.0);
        let information = (p * gains).sum().maximum(0.0);
        // The variance of the logarithm of the volume for each unit by which it falls.
        let terms = (0..k).map(|i| 1.0 / (n - i) as f64);
        let (fall, spread) = terms.fold((0.0, 0.0), |(a, b), x| (a + x, b + x * x));
        let finished = little & sound;
        let told = |x: Array| select(&finished, x, f64::NAN);
        let unconstrained = concat(&[end.gone, end.z], 0);
        // The mean of the weights is the evidence.
        let log_weights = mass + ((self.max_rounds * k + n) as f64).ln();
        Ok(NestedSamples {
            samples: Weighted {
                values: posterior.target().constrain_each(&unconstrained)?,
                log_weights: told(log_weights),
            },
            unconstrained,
            log_likelihoods,
            log_evidence: select(none, f64::NEG_INFINITY, told(log_evidence)),
            evidence_error: told((&information * (spread / fall)).sqrt()),
            information: told(information),
            rounds: end.round,
            moved: end.moved,
            finished,
        })
    }
}

/// By how much the logarithm of the volume falls where the least `k` of `n` points are taken away
/// one after the other, and the logarithms of the volumes between them: each leaves `exp(-1 / m)`
/// of what there was with `m` points, the mean of the logarithm.
fn volumes(n: usize, k: usize, dtype: DType) -> (f64, Array) {
    let mut fallen = 0.0f64;
    let shells: Vec<f64> = (0..k)
        .map(|i| {
            let part = 1.0 / (n - i) as f64;
            let shell = (-(-part).exp_m1()).ln() - fallen;
            fallen += part;
            shell
        })
        .collect();
    (-fallen, Array::from_slice(&shells, [k]).cast(dtype))
}
