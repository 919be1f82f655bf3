//! What decides between zero and a draw of another distribution: a trial, by the probability of
//! zero or by its log-odds.

use crate::constraints::Constraint;
use crate::distributions::parameters::require;
use crate::distributions::shapes::join;
use crate::distributions::{Bernoulli, BernoulliLogits, Distribution, Sample};
use probpipe_trace::{Array, Key, Shape, Tree, here, select, uniform_of};

/// The trial of which 1 means zero: a [`Bernoulli`] or a [`BernoulliLogits`].
pub trait Gate: Distribution<Value = Array> + Sample + Tree + Clone {
    /// The probability of zero.
    #[track_caller]
    fn closed(&self) -> Array;

    /// The probability of a draw.
    #[track_caller]
    fn open(&self) -> Array;

    /// The logarithm of the probability of zero where `used`; elsewhere any number.
    #[track_caller]
    fn log_closed(&self, used: &Array) -> Array;

    /// The logarithm of the probability of a draw where `used`; elsewhere any number.
    #[track_caller]
    fn log_open(&self, used: &Array) -> Array;

    /// The logarithm of the probability of zero or of a draw that has the probability
    /// `exp(log_prob)`.
    #[track_caller]
    fn log_either(&self, log_prob: &Array) -> Array;
}

impl Gate for Bernoulli {
    fn closed(&self) -> Array {
        self.probs().clone()
    }

    fn open(&self) -> Array {
        1.0 - self.probs()
    }

    fn log_closed(&self, used: &Array) -> Array {
        select(used, self.probs(), 1.0).log()
    }

    fn log_open(&self, used: &Array) -> Array {
        select(used, -self.probs(), 0.0).log1p()
    }

    fn log_either(&self, log_prob: &Array) -> Array {
        let sum = self.closed() + self.open() * log_prob.exp();
        nearly_sure(self, log_prob, &sum, &sum.log())
    }
}

impl Gate for BernoulliLogits {
    fn closed(&self) -> Array {
        self.logits().sigmoid()
    }

    fn open(&self) -> Array {
        (-self.logits()).sigmoid()
    }

    fn log_closed(&self, _: &Array) -> Array {
        self.logits().log_sigmoid()
    }

    fn log_open(&self, _: &Array) -> Array {
        (-self.logits()).log_sigmoid()
    }

    fn log_either(&self, log_prob: &Array) -> Array {
        let (closed, open) = (self.logits().log_sigmoid(), (-self.logits()).log_sigmoid());
        let sum = self.closed() + self.open() * log_prob.exp();
        nearly_sure(self, log_prob, &sum, &closed.logaddexp(open + log_prob))
    }
}

/// The logarithm of a sum that is nearly 1 from what it lacks, else as it is.
#[track_caller]
fn nearly_sure<G: Gate>(gate: &G, log_prob: &Array, sum: &Array, log: &Array) -> Array {
    let sure = sum.gt(0.5);
    let lacking = gate.open() * log_prob.expm1();
    select(&sure, select(&sure, lacking, 0.0).log1p(), log)
}

/// A count in the float type that the gate decides, if it is not one of floats already.
#[track_caller]
pub(super) fn point<G: Gate>(gate: &G, x: &Array) -> Array {
    let probability = gate.closed();
    let typed = x.is_literal() || x.dtype().is_float() || probability.is_weak();
    if typed { x.clone() } else { x.cast(probability.dtype()) }
}

/// Which draws of a batch are zero.
#[track_caller]
pub(super) fn closed<G: Gate>(gate: &G, key: Key, shape: Shape) -> Array {
    let probability = gate.closed();
    uniform_of(probability.dtype(), key, shape).lt(probability)
}

/// Draws for each copy of a batch that is wider than that of the distribution: where this has one
/// copy for several, the draws of these are separate ones.
#[track_caller]
pub(super) fn draws<D: Sample<Value = Array>>(
    base: &D,
    key: Key,
    shape: &[usize],
    batch: &[usize],
) -> Array {
    let own = base.batch_shape();
    if own[..] == *batch {
        return base.sample_shape(key, shape.into());
    }
    let missing = batch.len().saturating_sub(own.len());
    let own = join(&vec![1; missing], &own);
    let repeated: Shape =
        own.iter().zip(batch).map(|(&n, &of)| if n == of { 1 } else { of }).collect();
    let drawn = base.sample_shape(key, join(shape, &repeated));
    if drawn.error().is_some() {
        return drawn;
    }
    let (lead, n) = (shape.len(), batch.len());
    let paired = (0..n).flat_map(|i| [lead + i, lead + n + i]);
    let order: Vec<isize> = (0..lead).chain(paired).map(|axis| axis as isize).collect();
    let apart = drawn.reshape(join(shape, &join(&repeated, &own)));
    apart.permute(order).reshape(join(shape, batch))
}

/// A probability of zero, checked under the name that users give it.
#[track_caller]
pub(super) fn by_probs(family: &str, gate: Array) -> Bernoulli {
    match require(family, "gate", &Constraint::UnitInterval, &gate, here()) {
        Ok(()) => Bernoulli::new(gate),
        Err(error) => Bernoulli::new(Array::invalid(error, here())),
    }
}

/// Log-odds of zero, checked under the name that users give them.
#[track_caller]
pub(super) fn by_logits(family: &str, gate: Array) -> BernoulliLogits {
    match require(family, "gate_logits", &Constraint::Real, &gate, here()) {
        Ok(()) => BernoulliLogits::new(gate),
        Err(error) => BernoulliLogits::new(Array::invalid(error, here())),
    }
}
