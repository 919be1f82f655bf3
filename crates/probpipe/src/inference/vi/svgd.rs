//! Stein variational gradient descent (Q. Liu, D. Wang, 2016).

use crate::inference::Target;
use crate::optimize::{Adam, Optimizer, Schedule, apply_updates};
use probpipe_trace::{Array, Key, eye, fori_loop, normal_of};
use probpipe_transforms::{grad, vmap};

/// Points that move together to where the density is high and away from each other.
///
/// ```
/// use probpipe::inference::{Target, vi::Svgd};
/// use probpipe::prelude::*;
/// let density = |x: Array| Normal::new(3.0, 1.0).log_prob(&x).sum();
/// let target = Target::new(density, zeros([1]))?;
/// let points = jit(|key: Key| Svgd::default().points(key, &target))(Key::new(0));
/// assert!((points.mean().item::<f32>()? - 3.0).abs() < 0.1);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Svgd {
    /// How many points.
    pub points: usize,
    /// Steps.
    pub steps: usize,
    /// The learning rate of Adam.
    pub rate: Schedule,
    /// How far around the target's start the points begin.
    pub spread: f64,
}

impl Default for Svgd {
    fn default() -> Svgd {
        Svgd { points: 50, steps: 500, rate: Schedule::from(0.1), spread: 1.0 }
    }
}

impl Svgd {
    /// The points after the last step, `[points, n]`.
    #[track_caller]
    pub fn points<T>(&self, key: Key, target: &Target<T>) -> Array {
        let (start, n) = (target.start(), target.size());
        let noise = normal_of(start.dtype(), key, [self.points, n]);
        let points = start + noise * self.spread;
        let optimizer = Adam::new(self.rate.clone());
        let state = optimizer.init(&points);
        let step = |_, (points, state): (Array, _)| {
            let direction = -direction(&points, target);
            let (updates, state) = optimizer.update(direction, state, &points);
            (apply_updates(points, updates), state)
        };
        fori_loop(self.steps, (points, state), step).0
    }
}

/// `1/m sum_j k(x_j, x_i) s_j + (x_i - x_j) k(x_j, x_i) 2 / h`, with the scores `s_j`, the kernel
/// `k = exp(-|x_j - x_i|^2 / h)`, and the median of the squared distances over `log m` for `h`.
#[track_caller]
fn direction<T>(points: &Array, target: &Target<T>) -> Array {
    let m = points.shape()[0];
    let scores = vmap(grad(|z: Array| target.log_density(&z)))(points.clone());
    let apart = points.expand_dims(0) - points.expand_dims(1);
    let squares = apart.square().sum_axes([-1]);
    // The median over pairs of two different points.
    let far = &squares + eye(m).cast(squares.dtype()) * squares.max();
    let median = far.flatten().median();
    let width = (median / ((m as f64) + 1.0).ln()).maximum(f64::from(f32::MIN_POSITIVE));
    let width = width.stop_gradient();
    let kernel = (-(squares / &width)).exp();
    let pull = kernel.matmul(&scores);
    let push =
        (points * kernel.sum_axes([1]).expand_dims(-1) - kernel.matmul(points)) * (2.0 / width);
    (pull + push) / m as f64
}
