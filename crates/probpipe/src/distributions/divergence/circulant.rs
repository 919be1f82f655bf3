//! Divergences of normal vectors around a circle: their covariances are diagonal in one basis.

use super::vectors::other_event;
use crate::distributions::shapes::join;
use crate::distributions::{CirculantNormal, Distribution, Independent, KlDivergence, Normal};
use probpipe_trace::{Array, here, select, with_location};

/// `sum(p / q - 1 - log(p / q)) / 2` of variances, exact also where they are close.
#[track_caller]
fn of_variances(p: &Array, q: &Array) -> Array {
    let excess = (p - q) / q;
    // Near 0 the logarithm takes away all digits: there it is a series.
    let series = excess.square()
        * (0.5 - &excess * (1.0 / 3.0) + excess.square() * 0.25 - excess.pow(3) * 0.2);
    let near = excess.abs().lt(1e-3);
    let plain = &excess - select(&near, 0.0, &excess).log1p();
    select(&near, series, plain).sum_axes([-1]) * 0.5
}

/// Scales of all numbers of a vector, of which one may stand for all.
#[track_caller]
fn spread(scale: &Array, n: usize) -> Array {
    match scale.shape().last() {
        Some(&last) if last == n || scale.error().is_some() => scale.clone(),
        _ => {
            let lead = &scale.shape()[..scale.rank().saturating_sub(1)];
            scale.broadcast_to(join(lead, &[n]))
        }
    }
}

impl KlDivergence for CirculantNormal {
    /// That of independent normal numbers, the coordinates along the waves.
    fn kl_divergence(&self, q: &CirculantNormal) -> Array {
        if let Some(error) = other_event(self, q) {
            return error;
        }
        with_location(here(), || {
            let ([p_variances, _], [variances, basis]) = (self.waves(), q.waves());
            let apart = (self.loc() - q.loc()).matmul(basis);
            of_variances(&p_variances, &variances)
                + (apart.square() / &variances).sum_axes([-1]) * 0.5
        })
    }
}

impl KlDivergence<CirculantNormal> for Independent<Normal> {
    /// `(sum(s^2) mean(1 / v) + sum(d^2 / v) - n + sum(log v) - sum(log s^2)) / 2` with the
    /// variances `v` along the waves and the difference `d` of the means there.
    fn kl_divergence(&self, q: &CirculantNormal) -> Array {
        if let Some(error) = other_event(self, q) {
            return error;
        }
        with_location(here(), || {
            let [variances, basis] = q.waves();
            let n = self.event_shape()[0];
            let scale = spread(self.base().scale(), n);
            let apart = (self.base().loc() - q.loc()).matmul(basis);
            let spread = scale.square().sum_axes([-1]) * variances.recip().mean_axes([-1]);
            let moved = (apart.square() / &variances).sum_axes([-1]);
            let volume = variances.log().sum_axes([-1]) - scale.log().sum_axes([-1]) * 2.0;
            (spread + moved - n as f64 + volume) * 0.5
        })
    }
}

impl KlDivergence<Independent<Normal>> for CirculantNormal {
    /// `(c_0 sum(1 / s^2) + sum((m - l)^2 / s^2) - n + sum(log s^2) - sum(log v)) / 2` with the
    /// variance `c_0` of each number and the variances `v` along the waves.
    fn kl_divergence(&self, q: &Independent<Normal>) -> Array {
        if let Some(error) = other_event(self, q) {
            return error;
        }
        with_location(here(), || {
            let [variances, _] = self.waves();
            let n = self.event_shape()[0];
            let scale = spread(q.base().scale(), n);
            let apart = (self.loc() - q.base().loc()) / &scale;
            let first = self.covariance_row().at_axis(-1, 0);
            let spread = first * scale.square().recip().sum_axes([-1]);
            let volume = scale.log().sum_axes([-1]) * 2.0 - variances.log().sum_axes([-1]);
            (spread + apart.square().sum_axes([-1]) - n as f64 + volume) * 0.5
        })
    }
}
