//! Rules that follow the signs of gradients, whatever their size.

use super::adam::decayed;
use super::leafwise::{Leaf, Leafwise, leafwise};
use super::momentum::mean;
use super::{Schedule, like};
use probpipe_trace::{Array, full_like, select, zeros_like};

/// Steps of the learning rate against the sign of every number's gradient.
#[derive(Clone, Debug)]
pub struct SignSgd {
    /// The learning rate.
    pub rate: Schedule,
}

impl SignSgd {
    /// With a learning rate.
    pub fn new(rate: impl Into<Schedule>) -> SignSgd {
        SignSgd { rate: rate.into() }
    }
}

impl Leafwise for SignSgd {
    fn kept(&self, _: &Array) -> Vec<Array> {
        vec![]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        (-(self.rate.of(&leaf) * leaf.gradient.sign()), vec![])
    }
}

/// Signs of a mean of gradients in which the newest weighs more than in what is kept (Lion; Chen et
/// al. 2023, arXiv:2302.06675).
#[derive(Clone, Debug)]
pub struct Lion {
    /// The learning rate.
    pub rate: Schedule,
    /// The weight of the past in what the sign is taken of, in [0, 1).
    pub b1: Array,
    /// The weight of the past in what is kept, in [0, 1).
    pub b2: Array,
    /// How much of the parameters every step takes off.
    pub weight_decay: Option<Array>,
}

impl Lion {
    /// With 0.9, 0.99 and a decay of 0.001.
    pub fn new(rate: impl Into<Schedule>) -> Lion {
        let [b1, b2, decay] = [0.9, 0.99, 1e-3].map(Array::from);
        Lion { rate: rate.into(), b1, b2, weight_decay: Some(decay) }
    }
}

impl Leafwise for Lion {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param)]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let (g, old) = (leaf.gradient, &leaf.kept[0]);
        let sign = mean(&self.b1, old, g).sign();
        let direction = decayed(sign, &self.weight_decay, leaf.param);
        (-(self.rate.of(&leaf) * direction), vec![mean(&self.b2, old, g)])
    }
}

/// Every number has a step size of its own, which grows while its gradient keeps its sign and
/// shrinks when it turns, and then waits for one step (Rprop; Riedmiller and Braun 1993).
#[derive(Clone, Debug)]
pub struct RProp {
    /// The first step size.
    pub rate: f64,
    /// The factor after a turn.
    pub eta_minus: f64,
    /// The factor without one.
    pub eta_plus: f64,
    /// The smallest step size.
    pub min_step: f64,
    /// The largest step size.
    pub max_step: f64,
    /// Whether every step is taken one call later than it is found, as optax 0.2.8 does.
    pub late: bool,
}

impl RProp {
    /// With factors of 0.5 and 1.2, between 1e-6 and 50.
    pub fn new(rate: f64) -> RProp {
        RProp { rate, eta_minus: 0.5, eta_plus: 1.2, min_step: 1e-6, max_step: 50.0, late: false }
    }
}

impl Leafwise for RProp {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![full_like(param, self.rate), zeros_like(param)]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let (g, size, last) = (leaf.gradient, &leaf.kept[0], &leaf.kept[1]);
        let same = g.sign() * last.sign();
        let factor = select(&same.gt(0.0), like(g, &self.eta_plus.into()), self.eta_minus);
        let scaled = (size * factor).clip(self.min_step, self.max_step);
        let size = select(&same.eq(0.0), size, scaled);
        let turned = same.lt(0.0);
        let step = select(&turned, 0.0, &size * g.sign());
        let taken = if self.late { select(&turned, 0.0, last) } else { step.clone() };
        (-taken, vec![size, step])
    }
}

leafwise!(SignSgd, Lion, RProp);
