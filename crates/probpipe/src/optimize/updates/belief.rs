//! Variants of Adam that change what the squares are means of, or when they are believed.

use super::adam::ratio;
use super::leafwise::{Leaf, Leafwise, leafwise};
use super::momentum::{mean, weight};
use super::{Schedule, like};
use probpipe_trace::{Array, full_like, select, zeros_like};

/// Adam with squares of what the gradients differ from their mean by (AdaBelief; Zhuang et al.
/// 2020, arXiv:2010.07468).
#[derive(Clone, Debug)]
pub struct AdaBelief {
    /// The learning rate.
    pub rate: Schedule,
    /// The weight of the past in the mean of the gradients, in [0, 1).
    pub b1: Array,
    /// The weight of the past in the mean of the squares, in [0, 1).
    pub b2: Array,
    /// What is added to the root.
    pub eps: Array,
    /// What is added inside of the root.
    pub eps_root: Array,
}

impl AdaBelief {
    /// With 0.9, 0.999 and 1e-16.
    pub fn new(rate: impl Into<Schedule>) -> AdaBelief {
        let [b1, b2, eps, eps_root] = [0.9, 0.999, 1e-16, 1e-16].map(Array::from);
        AdaBelief { rate: rate.into(), b1, b2, eps, eps_root }
    }
}

impl Leafwise for AdaBelief {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param); 2]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let g = leaf.gradient;
        let m = mean(&self.b1, &leaf.kept[0], g);
        let v = mean(&self.b2, &leaf.kept[1], &(g - &m).square());
        let first = &m / weight(&self.b1, leaf.count());
        let second = &v / weight(&self.b2, leaf.count());
        let direction = ratio(&first, &second, &self.eps_root, &self.eps);
        (-(self.rate.of(&leaf) * direction), vec![m, v])
    }
}

/// Adam whose mean of squares moves by at most a part of the newest square (Yogi; Zaheer et al.
/// 2018).
#[derive(Clone, Debug)]
pub struct Yogi {
    /// The learning rate.
    pub rate: Schedule,
    /// The weight of the past in the mean of the gradients, in [0, 1).
    pub b1: Array,
    /// One less the part, in [0, 1).
    pub b2: Array,
    /// What is added to the root.
    pub eps: Array,
    /// What both means are at the start.
    pub initial: f64,
}

impl Yogi {
    /// With 0.9, 0.999, 1e-3 and 1e-6.
    pub fn new(rate: impl Into<Schedule>) -> Yogi {
        let [b1, b2, eps] = [0.9, 0.999, 1e-3].map(Array::from);
        Yogi { rate: rate.into(), b1, b2, eps, initial: 1e-6 }
    }
}

impl Leafwise for Yogi {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![full_like(param, self.initial); 2]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let (g, old) = (leaf.gradient, &leaf.kept[1]);
        let m = mean(&self.b1, &leaf.kept[0], g);
        let square = g.square();
        let v = old - (1.0 - like(g, &self.b2)) * (old - &square).sign() * square;
        let first = &m / weight(&self.b1, leaf.count());
        let second = &v / weight(&self.b2, leaf.count());
        let direction = ratio(&first, &second, &Array::from(0.0), &self.eps);
        (-(self.rate.of(&leaf) * direction), vec![m, v])
    }
}

/// Adam that takes plain means until the squares of enough gradients are known (RAdam; Liu et al.
/// 2020, arXiv:1908.03265).
#[derive(Clone, Debug)]
pub struct RAdam {
    /// The learning rate.
    pub rate: Schedule,
    /// The weight of the past in the mean of the gradients, in [0, 1).
    pub b1: Array,
    /// The weight of the past in the mean of their squares, in [0, 1).
    pub b2: Array,
    /// What is added to the root.
    pub eps: Array,
    /// What is added inside of the root.
    pub eps_root: Array,
    /// The length of a simple mean from which on squares are believed.
    pub threshold: f64,
}

impl RAdam {
    /// With 0.9, 0.999, 1e-8 and 5.
    pub fn new(rate: impl Into<Schedule>) -> RAdam {
        let [b1, b2, eps, eps_root] = [0.9, 0.999, 1e-8, 0.0].map(Array::from);
        RAdam { rate: rate.into(), b1, b2, eps, eps_root, threshold: 5.0 }
    }
}

impl Leafwise for RAdam {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param); 2]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let (g, count) = (leaf.gradient, leaf.count());
        let m = mean(&self.b1, &leaf.kept[0], g);
        let v = mean(&self.b2, &leaf.kept[1], &g.square());
        let (first, whole) =
            (&m / weight(&self.b1, count.clone()), weight(&self.b2, count.clone()));
        let b2 = like(&count, &self.b2);
        // How many gradients a simple mean of the same spread would have.
        let most = 2.0 / (1.0 - b2) - 1.0;
        let length = &most - count * 2.0 * (1.0 - &whole) / &whole;
        let enough = length.ge(self.threshold);
        let safe = select(&enough, &length, 5.0);
        let rectified = ((&safe - 4.0) * (&safe - 2.0) * &most
            / ((&most - 4.0) * (&most - 2.0) * &safe))
            .sqrt();
        let scaled = rectified * ratio(&first, &(&v / whole), &self.eps_root, &self.eps);
        (-(self.rate.of(&leaf) * select(&enough, scaled, first)), vec![m, v])
    }
}

leafwise!(AdaBelief, Yogi, RAdam);
