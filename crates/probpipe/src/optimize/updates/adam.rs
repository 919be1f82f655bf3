//! Adam and its kin, which scale every number's steps by the size of its own gradients.

use super::leafwise::{Leaf, Leafwise, leafwise};
use super::momentum::{mean, weight};
use super::{Schedule, like};
use probpipe_trace::{Array, zeros_like};

/// Adam (Kingma and Ba 2015, arXiv:1412.6980, algorithm 1): with running means `m` of the gradients
/// and `v` of their squares, both divided by what they lack of weight in the first steps, updates
/// of `-rate (m / (sqrt(v + eps_root) + eps) + weight_decay x)`.
///
/// ```
/// use probpipe::optimize::{Adam, Optimizer};
/// use probpipe::prelude::*;
/// let adam = Adam { b1: array(0.8), ..Adam::new(0.1) };
/// let x = array([1.0, 2.0]);
/// let (step, _) = adam.update(array([1e-3, -20.0]), adam.init(&x), &x);
/// // The first step has the same size along every axis.
/// assert!((step.at(0).item::<f32>()? + 0.1).abs() < 1e-5);
/// assert!((step.at(1).item::<f32>()? - 0.1).abs() < 1e-5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Adam {
    /// The learning rate.
    pub rate: Schedule,
    /// The weight of the past in the mean of the gradients, in [0, 1).
    pub b1: Array,
    /// The weight of the past in the mean of their squares, in [0, 1).
    pub b2: Array,
    /// What is added to the root, so that it is not zero.
    pub eps: Array,
    /// What is added inside of the root: positive where the fit itself is to be differentiated.
    pub eps_root: Array,
    /// Whether the mean is taken one step ahead (NAdam; Dozat 2016).
    pub nesterov: bool,
    /// Whether a mean of squares never falls (AMSGrad; Reddi, Kale and Kumar 2018).
    pub amsgrad: bool,
    /// How much of the parameters every step takes off, apart from the gradients (AdamW;
    /// Loshchilov and Hutter 2019).
    pub weight_decay: Option<Array>,
}

impl Adam {
    /// With the settings of its authors: 0.9, 0.999 and 1e-8.
    pub fn new(rate: impl Into<Schedule>) -> Adam {
        let [b1, b2, eps, eps_root] = [0.9, 0.999, 1e-8, 0.0].map(Array::from);
        let (nesterov, amsgrad, weight_decay) = (false, false, None);
        Adam { rate: rate.into(), b1, b2, eps, eps_root, nesterov, amsgrad, weight_decay }
    }

    /// AdamW: with decay of the parameters, in the usual settings.
    pub fn with_decay(rate: impl Into<Schedule>, decay: impl Into<Array>) -> Adam {
        Adam { weight_decay: Some(decay.into()), ..Adam::new(rate) }
    }

    /// The direction without rate and decay, and what is kept.
    #[track_caller]
    pub(super) fn direction(&self, leaf: &Leaf<'_>) -> (Array, Vec<Array>) {
        let (g, count) = (leaf.gradient, leaf.count());
        let m = mean(&self.b1, &leaf.kept[0], g);
        let v = mean(&self.b2, &leaf.kept[1], &g.square());
        let first = match self.nesterov {
            true => {
                let ahead = &m / weight(&self.b1, &count + 1.0);
                mean(&self.b1, &ahead, &(g / weight(&self.b1, count.clone())))
            }
            false => &m / weight(&self.b1, count.clone()),
        };
        let mut second = &v / weight(&self.b2, count);
        let mut kept = vec![m, v];
        if self.amsgrad {
            second = second.maximum(&leaf.kept[2]);
            kept.push(second.clone());
        }
        (ratio(&first, &second, &self.eps_root, &self.eps), kept)
    }
}

/// `m / (sqrt(v + eps_root) + eps)`.
#[track_caller]
pub(super) fn ratio(m: &Array, v: &Array, eps_root: &Array, eps: &Array) -> Array {
    m / ((v + like(v, eps_root)).sqrt() + like(v, eps))
}

/// The direction with what decay takes off.
#[track_caller]
pub(super) fn decayed(direction: Array, decay: &Option<Array>, param: &Array) -> Array {
    match decay {
        Some(decay) => direction + like(param, decay) * param,
        None => direction,
    }
}

impl Leafwise for Adam {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param); if self.amsgrad { 3 } else { 2 }]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let (direction, kept) = self.direction(&leaf);
        let direction = decayed(direction, &self.weight_decay, leaf.param);
        (-(self.rate.of(&leaf) * direction), kept)
    }
}

/// Adam with the largest size of the gradients, each weighted by `b2` once more at every step,
/// instead of a mean of squares (the same paper, algorithm 2).
#[derive(Clone, Debug)]
pub struct Adamax {
    /// The learning rate.
    pub rate: Schedule,
    /// The weight of the past in the mean of the gradients, in [0, 1).
    pub b1: Array,
    /// What is left of a size after a step, in [0, 1).
    pub b2: Array,
    /// What is added to the sizes, so that they are not zero.
    pub eps: Array,
    /// How much of the parameters every step takes off.
    pub weight_decay: Option<Array>,
}

impl Adamax {
    /// With the settings of its authors: 0.9, 0.999 and 1e-8.
    pub fn new(rate: impl Into<Schedule>) -> Adamax {
        let [b1, b2, eps] = [0.9, 0.999, 1e-8].map(Array::from);
        Adamax { rate: rate.into(), b1, b2, eps, weight_decay: None }
    }
}

impl Leafwise for Adamax {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param); 2]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let g = leaf.gradient;
        let m = mean(&self.b1, &leaf.kept[0], g);
        let old = &leaf.kept[1];
        let most = (g.abs() + like(g, &self.eps)).maximum(like(old, &self.b2) * old);
        let direction = &m / weight(&self.b1, leaf.count()) / &most;
        let direction = decayed(direction, &self.weight_decay, leaf.param);
        (-(self.rate.of(&leaf) * direction), vec![m, most])
    }
}

leafwise!(Adam, Adamax);
