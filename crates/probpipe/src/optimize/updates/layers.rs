//! Rules that scale a leaf's step by lengths of whole leaves.

use super::adam::{Adam, decayed};
use super::leafwise::{Leaf, Leafwise, leafwise};
use super::momentum::{mean, remembered};
use super::{Schedule, like};
use probpipe_trace::{Array, select, zeros_like};

/// The length of a leaf over that of its step, `|x| / (|u| + eps)`; 1 where either is 0.
#[track_caller]
pub(super) fn trust(param: &Array, update: &Array, eps: f64) -> Array {
    let (of_param, of_update) = (param.norm(), update.norm());
    let none = of_param.eq(0.0) | of_update.eq(0.0);
    let safe = select(&none, 1.0, of_update + eps);
    select(&none, 1.0, of_param / safe)
}

/// Gradient descent where every leaf's step is a fixed part of the leaf's length (LARS; You, Gitman
/// and Ginsburg 2017, arXiv:1708.03888), with momentum.
#[derive(Clone, Debug)]
pub struct Lars {
    /// The learning rate.
    pub rate: Schedule,
    /// How much of the parameters is added to the gradients.
    pub weight_decay: Option<Array>,
    /// The part.
    pub trust_coefficient: f64,
    /// What is added to the length of a gradient.
    pub eps: f64,
    /// The weight of what was remembered, in [0, 1).
    pub momentum: Array,
    /// Whether one step is looked ahead.
    pub nesterov: bool,
}

impl Lars {
    /// With a part of 0.001 and momentum of 0.9.
    pub fn new(rate: impl Into<Schedule>) -> Lars {
        let momentum = Array::from(0.9);
        let (weight_decay, trust_coefficient, eps, nesterov) = (None, 0.001, 0.0, false);
        Lars { rate: rate.into(), weight_decay, trust_coefficient, eps, momentum, nesterov }
    }
}

impl Leafwise for Lars {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param)]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let direction = decayed(leaf.gradient.clone(), &self.weight_decay, leaf.param);
        // Where a length is 0 the coefficient does not count either.
        let none = leaf.param.norm().eq(0.0) | direction.norm().eq(0.0);
        let part = trust(leaf.param, &direction, self.eps)
            * select(&none, 1.0, like(leaf.param, &Array::from(self.trust_coefficient)));
        let scaled = -(self.rate.of(&leaf) * part * direction);
        let (ahead, sum) = remembered(&self.momentum, self.nesterov, &scaled, &leaf.kept[0]);
        (ahead, vec![sum])
    }
}

/// Adam with one mean of squares for a whole leaf: of the length of its gradients (NovoGrad;
/// Ginsburg et al. 2019, arXiv:1905.11286).
#[derive(Clone, Debug)]
pub struct NovoGrad {
    /// The learning rate.
    pub rate: Schedule,
    /// The weight of the past in the sum of the scaled gradients, in [0, 1).
    pub b1: Array,
    /// The weight of the past in the mean of the squared lengths, in [0, 1).
    pub b2: Array,
    /// What is added to the root.
    pub eps: Array,
    /// What is added inside of the root.
    pub eps_root: Array,
    /// How much of the parameters is added to the scaled gradients.
    pub weight_decay: Option<Array>,
}

impl NovoGrad {
    /// With 0.9, 0.25 and 1e-6.
    pub fn new(rate: impl Into<Schedule>) -> NovoGrad {
        let [b1, b2, eps, eps_root] = [0.9, 0.25, 1e-6, 0.0].map(Array::from);
        NovoGrad { rate: rate.into(), b1, b2, eps, eps_root, weight_decay: None }
    }
}

impl Leafwise for NovoGrad {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param), zeros_like(&param.norm())]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let length = leaf.gradient.square().sum();
        let first = leaf.before.eq(0.0);
        let v = select(&first, &length, mean(&self.b2, &leaf.kept[1], &length));
        let root = (&v + like(&v, &self.eps_root)).sqrt() + like(&v, &self.eps);
        let scaled = decayed(leaf.gradient / root, &self.weight_decay, leaf.param);
        let old = &leaf.kept[0];
        let m = like(old, &self.b1) * old + scaled;
        (-(self.rate.of(&leaf) * &m), vec![m, v])
    }
}

/// Adam with layers: every leaf's step is as long as the leaf itself, times the rate (Lamb; You et
/// al. 2020, arXiv:1904.00962).
#[derive(Clone, Debug)]
pub struct Lamb(
    /// The rule whose directions are scaled; its rate and decay are those of the whole.
    pub Adam,
);

impl Lamb {
    /// With the usual settings of Adam, but 1e-6 for `eps`.
    pub fn new(rate: impl Into<Schedule>) -> Lamb {
        Lamb(Adam { eps: Array::from(1e-6), ..Adam::new(rate) })
    }
}

impl Leafwise for Lamb {
    fn kept(&self, param: &Array) -> Vec<Array> {
        self.0.kept(param)
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let (direction, kept) = self.0.direction(&leaf);
        let direction = decayed(direction, &self.0.weight_decay, leaf.param);
        let trust = trust(leaf.param, &direction, 0.0);
        (-(self.0.rate.of(&leaf) * trust * direction), kept)
    }
}

leafwise!(Lars, NovoGrad, Lamb);
