//! Isokinetic dynamics: motion of constant speed, whose direction turns to where the density grows,
//! so that positions follow the density (J. Robnik, G. B. De Luca, E. Silverstein, U. Seljak, 2023,
//! "Microcanonical Hamiltonian Monte Carlo"; G. Ver Steeg, A. Galstyan, 2021).

use super::dynamics::{Integrator, Point};
use super::kernel::LogDensity;
use super::metric::Metric;
use probpipe_trace::{Array, Error, ErrorKind, Key, Tree, full_like, here, normal_of, select};

/// A point that moves in a direction, a unit vector in units of the metric.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub(super) struct Drifting {
    pub point: Point,
    pub direction: Array,
}

/// A direction at random.
pub(super) fn direction_like(x: &Array, key: Key) -> Array {
    unit(normal_of(x.dtype(), key, x.shape()))
}

/// A direction that is always the same, to begin with; invalid for one dimension, which has no
/// directions to turn to.
#[track_caller]
pub(super) fn some_direction(x: &Array) -> Array {
    if x.error().is_none() && x.size() < 2 {
        let message = format!("a microcanonical kernel at a position of shape {:?}", x.shape());
        let error = Error::new(ErrorKind::Value, message)
            .at(here())
            .help("it needs two dimensions at least: take `Hmc` or `Nuts`");
        return Array::invalid(error, here());
    }
    unit(full_like(x, 1.0))
}

fn unit(x: Array) -> Array {
    &x / x.norm()
}

/// The direction after noise that forgets it over a length, for a part of that: of the sum of `u`
/// and normal numbers of variance `(exp(2 step / length) - 1) / n`.
pub(super) fn refreshed(u: &Array, step: &Array, length: &Array, key: Key) -> Array {
    let variance = (step / length * 2.0).expm1() / u.size() as f64;
    unit(u + variance.sqrt() * normal_of(u.dtype(), key, u.shape()))
}

/// One step of a size, and how much kinetic energy it has brought: the part of the energy that is
/// not minus the log-density.
pub(super) fn isokinetic(
    integrator: Integrator,
    log_density: LogDensity<'_>,
    metric: &Metric,
    size: &Array,
    from: Drifting,
) -> (Drifting, Array) {
    let Drifting { mut point, mut direction } = from;
    let mut change = &point.log_density * 0.0;
    for (i, part) in integrator.parts().enumerate() {
        if i % 2 == 0 {
            let (next, more) = turned(&direction, &metric.pull(&point.gradient), &(size * part));
            (direction, change) = (next, change + more);
        } else {
            let position = &point.position + size * part * metric.push(&direction);
            point = Point::at(log_density, position);
        }
    }
    (Drifting { point, direction }, change)
}

/// The direction `u` after a time `t` in a constant slope `g`, which is solved exactly: with
/// `e = g / |g|` and `d = t |g| / (n - 1)` it is
/// `(u + e (sinh d + e.u (cosh d - 1))) / (cosh d + e.u sinh d)`, and the kinetic energy grows by
/// `n - 1` times the logarithm of the denominator. Both are written with `exp(-d)`, which cannot
/// overflow.
fn turned(u: &Array, g: &Array, t: &Array) -> (Array, Array) {
    let rest = (u.size().max(2) - 1) as f64;
    let length = g.norm();
    let level = length.eq(0.0);
    let e = g / select(&level, 1.0, &length);
    // Negative for steps backwards, which are those forwards with the slope turned round.
    let signed = t * &length / rest;
    let back = signed.lt(0.0);
    let e = select(&back, -&e, &e);
    let d = signed.abs();
    let along = (&e * u).sum();
    let z = (-&d).exp();
    let next = e * ((1.0 - &z) * (1.0 + &z + &along * (1.0 - &z))) + u * &z * 2.0;
    // log(((1 + a) + (1 - a) z^2) / 2) + d: a may be -1 up to rounding, where it is -d.
    let grown = ((1.0 + &along).maximum(0.0) + (1.0 - &along) * z.square()).log() - 2f64.ln();
    (unit(next), (grown + d) * rest)
}
