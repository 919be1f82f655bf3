//! Hamiltonian dynamics: positions with standard normal momenta, and how they move.

use super::kernel::{Located, LogDensity};
use super::metric::Metric;
use probpipe_trace::{Array, Key, Tree, normal_of};
use probpipe_transforms::value_and_grad;

/// A position, with what gradient-based kernels know of the density there.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Point {
    /// The position.
    pub position: Array,
    /// The logarithm of the density there, a scalar.
    pub log_density: Array,
    /// Its gradient.
    pub gradient: Array,
}

impl Located for Point {
    fn position(&self) -> &Array {
        &self.position
    }

    fn log_density(&self) -> Option<&Array> {
        Some(&self.log_density)
    }
}

impl Point {
    /// At a position.
    #[track_caller]
    pub fn at(log_density: LogDensity<'_>, position: Array) -> Point {
        let (value, gradient) = value_and_grad(log_density)(position.clone());
        Point { position, log_density: value, gradient }
    }
}

/// A point that moves.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Moving {
    pub point: Point,
    pub momentum: Array,
    /// How the gradient changes a momentum, where finding that takes products of matrices: one step
    /// ends with it and the next begins with it.
    force: Option<Array>,
}

impl Moving {
    /// With a momentum of its own, to be moved with this metric.
    pub fn from(point: Point, key: Key, metric: &Metric) -> Moving {
        let x = &point.position;
        let momentum = normal_of(x.dtype(), key, x.shape());
        Moving::with(momentum, point, metric)
    }

    /// With a momentum, to be moved with this metric.
    pub fn with(momentum: Array, point: Point, metric: &Metric) -> Moving {
        let force = match metric {
            Metric::Unit | Metric::Diagonal(_) => None,
            Metric::Dense(_) | Metric::LowRank { .. } => Some(metric.pull(&point.gradient)),
        };
        Moving { point, momentum, force }
    }

    /// The Hamiltonian: minus the log-density of place and momentum.
    pub fn energy(&self) -> Array {
        self.momentum.square().sum() * 0.5 - &self.point.log_density
    }
}

/// How much energy is lost in one step of a size, with a momentum of its own: the logarithm of the
/// ratio that Metropolis accepts by.
pub(crate) fn one_step(
    key: Key,
    log_density: LogDensity<'_>,
    integrator: Integrator,
    metric: &Metric,
    size: &Array,
    point: &Point,
) -> Array {
    let start = Moving::from(point.clone(), key, metric);
    let before = start.energy();
    before - integrator.step(log_density, metric, size, start).energy()
}

/// How motion is cut into steps. All are reversible and keep volumes; each step has as many
/// gradients as the name says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Integrator {
    /// Leapfrog: one gradient a step.
    #[default]
    VelocityVerlet,
    /// The two-stage scheme of least error (R. I. McLachlan, 1995): two gradients a step.
    McLachlan,
    /// The fourth-order scheme of H. Yoshida (1990): three gradients a step.
    Yoshida,
    /// The fourth-order scheme of I. P. Omelyan, I. M. Mryglod, R. Folk (2003): five gradients.
    Omelyan,
}

impl Integrator {
    /// The first parts of a step, up to the middle: the rest is the same backwards.
    fn half(self) -> &'static [f64] {
        // 1 / (2 - 2^(1/3)) and what is left of 1.
        const Y: f64 = 1.351_207_191_959_657_6;
        match self {
            Integrator::VelocityVerlet => &[0.5, 1.0],
            Integrator::McLachlan => &[0.193_183_327_503_783_57, 0.5, 0.613_633_344_992_432_9],
            Integrator::Yoshida => const { &[Y / 2.0, Y, (1.0 - Y) / 2.0, 1.0 - 2.0 * Y] },
            Integrator::Omelyan => {
                const A: f64 = 0.083_983_152_628_766_93;
                const B: f64 = 0.682_236_533_571_909;
                const R: f64 = 0.253_978_510_841_060_4;
                const S: f64 = -0.032_302_867_652_699_67;
                const { &[A, R, B, S, 0.5 - A - B, 1.0 - 2.0 * (R + S)] }
            }
        }
    }

    /// Parts of a step by which momenta and positions move in turn, a momentum first and last.
    pub(super) fn parts(self) -> impl Iterator<Item = f64> {
        // An even number of parts ends with a position in the middle, an odd one with a momentum.
        let half = self.half();
        half.iter().chain(half[..half.len() - 1].iter().rev()).copied()
    }

    /// One step of a size, which may be negative.
    pub(super) fn step(
        self,
        log_density: LogDensity<'_>,
        metric: &Metric,
        size: &Array,
        from: Moving,
    ) -> Moving {
        let Moving { mut point, mut momentum, force } = from;
        let mut now = force.clone();
        for (i, part) in self.parts().enumerate() {
            if i % 2 == 0 {
                let force = now.get_or_insert_with(|| metric.pull(&point.gradient));
                momentum += size * part * &*force;
            } else {
                let position = &point.position + size * part * metric.push(&momentum);
                point = Point::at(log_density, position);
                now = None;
            }
        }
        // Parts end with a momentum, so that the force at the end is known.
        Moving { point, momentum, force: force.and(now) }
    }
}
