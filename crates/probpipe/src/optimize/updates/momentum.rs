//! Gradient descent, with and without momentum, and the running sums and means that it is made of.

use super::leafwise::{Leaf, Leafwise, leafwise};
use super::{Schedule, like};
use probpipe_trace::{Array, zeros_like};

/// Gradient descent: updates of `-rate` times the gradient or, with momentum, times the sum of all
/// gradients so far, each weighted by `momentum` once more at every step.
///
/// ```
/// use probpipe::optimize::{Optimizer, Sgd};
/// use probpipe::prelude::*;
/// let descent = Sgd::new(0.5);
/// let x = array(2.0);
/// let state = descent.init(&x);
/// let (step, _) = descent.update(array(3.0), state, &x);
/// assert_eq!(step.item::<f32>()?, -1.5);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sgd {
    /// The learning rate.
    pub rate: Schedule,
    /// The weight of what was remembered, in [0, 1); none remembers nothing.
    pub momentum: Option<Array>,
    /// Whether the gradient is taken as if it were known where the momentum leads (Nesterov 1983).
    pub nesterov: bool,
}

impl Sgd {
    /// Without momentum.
    pub fn new(rate: impl Into<Schedule>) -> Sgd {
        Sgd { rate: rate.into(), momentum: None, nesterov: false }
    }

    /// With momentum.
    pub fn with_momentum(rate: impl Into<Schedule>, momentum: impl Into<Array>) -> Sgd {
        Sgd { momentum: Some(momentum.into()), ..Sgd::new(rate) }
    }
}

impl Leafwise for Sgd {
    fn kept(&self, param: &Array) -> Vec<Array> {
        self.momentum.iter().map(|_| zeros_like(param)).collect()
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let rate = self.rate.of(&leaf);
        match (&self.momentum, leaf.kept) {
            (Some(momentum), [sum]) => {
                let (ahead, sum) = remembered(momentum, self.nesterov, leaf.gradient, sum);
                (-(rate * ahead), vec![sum])
            }
            _ => (-(rate * leaf.gradient), vec![]),
        }
    }
}

/// The sum that is handed on, and the one that is kept.
#[track_caller]
pub(super) fn remembered(decay: &Array, nesterov: bool, g: &Array, sum: &Array) -> (Array, Array) {
    let decay = like(sum, decay);
    let sum = &decay * sum + g;
    (if nesterov { decay * &sum + g } else { sum.clone() }, sum)
}

/// The sum of all updates so far, each weighted by `decay` once more at every step: momentum as a
/// rule of its own.
#[derive(Clone, Debug)]
pub struct Momentum {
    /// The weight of what was remembered, in [0, 1).
    pub decay: Array,
    /// Whether one step is looked ahead.
    pub nesterov: bool,
}

impl Momentum {
    /// Without looking ahead.
    pub fn new(decay: impl Into<Array>) -> Momentum {
        Momentum { decay: decay.into(), nesterov: false }
    }
}

impl Leafwise for Momentum {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param)]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let (ahead, sum) = remembered(&self.decay, self.nesterov, leaf.gradient, &leaf.kept[0]);
        (ahead, vec![sum])
    }
}

/// The running mean of the updates: `m = decay m + (1 - decay) u`, over what it lacks of weight in
/// the first steps.
#[derive(Clone, Debug)]
pub struct Ema {
    /// The weight of the past, in [0, 1).
    pub decay: Array,
    /// Whether the first means are divided by what they lack of weight.
    pub debias: bool,
}

impl Ema {
    /// With means that have their whole weight from the first step on.
    pub fn new(decay: impl Into<Array>) -> Ema {
        Ema { decay: decay.into(), debias: true }
    }
}

impl Leafwise for Ema {
    fn kept(&self, param: &Array) -> Vec<Array> {
        vec![zeros_like(param)]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        let mean = mean(&self.decay, &leaf.kept[0], leaf.gradient);
        let out =
            if self.debias { &mean / weight(&self.decay, leaf.count()) } else { mean.clone() };
        (out, vec![mean])
    }
}

/// `decay old + (1 - decay) new`.
#[track_caller]
pub(super) fn mean(decay: &Array, old: &Array, new: &Array) -> Array {
    let decay = like(old, decay);
    &decay * old + (1.0 - decay) * new
}

/// The weights of all terms of a running mean add up to this after some steps.
#[track_caller]
pub(super) fn weight(decay: &Array, count: Array) -> Array {
    1.0 - like(&count, decay).pow(count)
}

/// Updates times a number, or a number for every step: `Scale::new(-0.1)` at the end of a chain
/// makes a descent of it.
#[derive(Clone, Debug)]
pub struct Scale(
    /// The number.
    pub Schedule,
);

impl Scale {
    /// By a number, or one for every step.
    pub fn new(by: impl Into<Schedule>) -> Scale {
        Scale(by.into())
    }
}

impl Leafwise for Scale {
    fn kept(&self, _: &Array) -> Vec<Array> {
        vec![]
    }

    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>) {
        (self.0.of(&leaf) * leaf.gradient, vec![])
    }
}

leafwise!(Sgd, Momentum, Ema, Scale);
