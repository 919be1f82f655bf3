//! Rules that divide by the root of squares of the gradients, summed or averaged.

use super::leafwise::{Leaf, Leafwise, leafwise};
use super::momentum::{mean, remembered};
use super::{Schedule, like};
use probpipe_trace::{Array, full_like, select, zeros_like};

/// Gradients over the root of a running mean of their squares (RMSProp; Tieleman and Hinton 2012),
/// with the spread around their mean if `centered` (Graves 2013), and with momentum after it.
#[derive(Clone, Debug)]
pub struct RmsProp {
    /// The learning rate.
    pub rate: Schedule,
    /// The weight of the past in the means, in [0, 1).
    pub decay: Array,
    /// What is added inside of the root.
    pub eps: Array,
    /// Whether the square of the mean is taken off the mean of the squares.
    pub centered: bool,
    /// The weight of what was remembered, in [0, 1); none remembers nothing.
    pub momentum: Option<Array>,
    /// Whether one step is looked ahead.
    pub nesterov: bool,
}

impl RmsProp {
    /// With 0.9 and 1e-8, without momentum.
    pub fn new(rate: impl Into<Schedule>) -> RmsProp {
        let [decay, eps] = [0.9, 1e-8].map(Array::from);
        let (centered, momentum, nesterov) = (false, None, false);
        RmsProp { rate: rate.into(), decay, eps, centered, momentum, nesterov }
    }
}

impl Leafwise for RmsProp {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param); 3]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let g = leaf.gradient;
        let square = mean(&self.decay, &leaf.kept[0], &g.square());
        let (middle, spread) = match self.centered {
            true => {
                let middle = mean(&self.decay, &leaf.kept[1], g);
                (middle.clone(), &square - middle.square())
            }
            false => (leaf.kept[1].clone(), square.clone()),
        };
        let direction = -(self.rate.of(&leaf) * g / (&spread + like(g, &self.eps)).sqrt());
        let (update, sum) = match &self.momentum {
            Some(decay) => remembered(decay, self.nesterov, &direction, &leaf.kept[2]),
            None => (direction, leaf.kept[2].clone()),
        };
        (update, vec![square, middle, sum])
    }
}

/// Gradients over the root of the sum of all their squares (Adagrad; Duchi, Hazan and Singer 2011).
#[derive(Clone, Debug)]
pub struct AdaGrad {
    /// The learning rate.
    pub rate: Schedule,
    /// What the sum is at the start.
    pub initial: f64,
    /// What is added inside of the root.
    pub eps: Array,
}

impl AdaGrad {
    /// With 0.1 and 1e-7.
    pub fn new(rate: impl Into<Schedule>) -> AdaGrad {
        AdaGrad { rate: rate.into(), initial: 0.1, eps: Array::from(1e-7) }
    }
}

impl Leafwise for AdaGrad {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![full_like(param, self.initial)]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let g = leaf.gradient;
        let sum = &leaf.kept[0] + g.square();
        let some = sum.gt(0.0);
        let root = (select(&some, &sum, 1.0) + like(g, &self.eps)).sqrt();
        let direction = select(&some, g / root, 0.0);
        (-(self.rate.of(&leaf) * direction), vec![sum])
    }
}

/// Gradients times the root of the mean square of past updates over that of gradients (Adadelta;
/// Zeiler 2012, arXiv:1212.5701).
#[derive(Clone, Debug)]
pub struct AdaDelta {
    /// The learning rate; 1 in the paper.
    pub rate: Schedule,
    /// The weight of the past in both means, in [0, 1).
    pub rho: Array,
    /// What is added inside of both roots.
    pub eps: Array,
}

impl AdaDelta {
    /// With 0.9 and 1e-6.
    pub fn new(rate: impl Into<Schedule>) -> AdaDelta {
        let [rho, eps] = [0.9, 1e-6].map(Array::from);
        AdaDelta { rate: rate.into(), rho, eps }
    }
}

impl Leafwise for AdaDelta {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param); 2]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let g = leaf.gradient;
        let eps = like(g, &self.eps);
        let square = mean(&self.rho, &leaf.kept[0], &g.square());
        let delta = (&leaf.kept[1] + &eps).sqrt() / (&square + eps).sqrt() * g;
        let moved = mean(&self.rho, &leaf.kept[1], &delta.square());
        (-(self.rate.of(&leaf) * delta), vec![square, moved])
    }
}

leafwise!(RmsProp, AdaGrad, AdaDelta);
