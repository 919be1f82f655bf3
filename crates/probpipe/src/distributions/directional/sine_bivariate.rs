//! The bivariate distribution of von Mises with a product of sines.

use super::turned::first_accepted;
use crate::constraints::Constraint;
use crate::distributions::declaration::family;
use crate::distributions::shapes::join;
use crate::distributions::{Distribution, LogProb, Moments, Sample, VonMises};
use crate::random::{normal_of, uniform_of};
use probpipe_trace::{Array, Key, Shape, broadcast_shapes, linspace, select, stack};
use std::f64::consts::{PI, TAU};

family! {
    /// Two angles that depend on each other, of density proportional to
    /// `exp(a cos(x) + b cos(y) + r sin(x) sin(y))` of the angles `x` and `y` less their means,
    /// with the concentrations `a` and `b` and the correlation `r` (H. Singh, V. Hnizdo,
    /// E. Demchuk, "Probabilistic model for two dependent circular variables", 2002).
    ///
    /// There are two modes where `r^2 > a b`. Densities are NaN where a concentration and `|r|`
    /// add up to more than 14000. Draws are made by rejection (J. T. Kent, A. M. Ganeiber,
    /// K. V. Mardia, 2018); they follow the means, and their slopes in the other parameters are
    /// zero.
    ///
    /// ```
    /// use probpipe::distributions::SineBivariateVonMises;
    /// use probpipe::prelude::*;
    /// let apart = SineBivariateVonMises::new(0.0, 1.0, 2.0, 3.0, 0.0);
    /// let both = apart.log_prob(&array([0.5, 0.5])).item::<f32>()?;
    /// let first = probpipe::VonMises::new(0.0, 2.0).log_prob(&array(0.5)).item::<f32>()?;
    /// let second = probpipe::VonMises::new(1.0, 3.0).log_prob(&array(0.5)).item::<f32>()?;
    /// assert!((both - first - second).abs() < 1e-5);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    SineBivariateVonMises::new {
        /// The mean of the first angle.
        phi_loc: Circular,
        /// The mean of the second angle.
        psi_loc: Circular,
        /// How strongly the first gathers about its mean.
        phi_concentration: Positive,
        /// How strongly the second does.
        psi_concentration: Positive,
        /// How strongly they depend on each other.
        correlation: Real,
    }
    on Circular of [2]
}

impl SineBivariateVonMises {
    /// With the correlation as a part, from -1 to 1, of `sqrt(phi_concentration
    /// psi_concentration)`, up to which there is one mode.
    #[track_caller]
    pub fn with_weighted_correlation(
        phi_loc: impl Into<Array>,
        psi_loc: impl Into<Array>,
        phi_concentration: impl Into<Array>,
        psi_concentration: impl Into<Array>,
        weighted_correlation: impl Into<Array>,
    ) -> SineBivariateVonMises {
        let (a, b) = (phi_concentration.into(), psi_concentration.into());
        let correlation = weighted_correlation.into() * (&a * &b).sqrt();
        SineBivariateVonMises::new(phi_loc, psi_loc, a, b, correlation)
    }
}

/// Points of the trapezoidal rule, which is exact to rounding on a whole turn as long as their
/// number is large beside the root of the concentrations.
const POINTS: usize = 1024;

/// The largest sum of a concentration and the correlation for which they are enough.
const LARGEST: f64 = 14_000.0;

/// The logarithm of the integral of `exp(a (cos x - 1) + b (cos y - 1) + r sin x sin y)`: over `y`
/// it is a Bessel function, over `x` a sum.
#[track_caller]
fn log_integral(a: &Array, b: &Array, r: &Array) -> Array {
    let dtype = (a + b + r).dtype();
    let x = linspace(-PI, PI - TAU / POINTS as f64, POINTS).cast(dtype);
    let over = |p: &Array| if p.rank() > 0 { p.expand_dims(-1) } else { p.clone() };
    let size = (over(b).square() + (over(r) * x.sin()).square()).sqrt();
    let half = (&x * 0.5).sin().square() * -2.0;
    let terms = over(a) * half + size.i0e().log() + (size - over(b));
    let value = terms.logsumexp_axes([-1]) + (TAU * TAU / POINTS as f64).ln();
    select(&(a.maximum(b) + r.abs()).le(LARGEST), value, f64::NAN)
}

impl LogProb for SineBivariateVonMises {
    fn log_prob(&self, x: &Array) -> Array {
        let [phi, psi, a, b, r] = self.checked();
        if phi.error().is_some() {
            return phi;
        }
        if x.error().is_some() || x.rank() == 0 || x.shape()[x.rank() - 1] != 2 {
            return super::sine_skewed::misfit("SineBivariateVonMises", x, &[2]);
        }
        let circular = Constraint::Circular.check(x).all_axes([-1]);
        let number = !x.is_nan().any_axes([-1]);
        let safe = select(&circular.expand_dims(-1), x, 0.0);
        let at = |k: usize, loc: &Array| safe.slice_axis(-1, k..k + 1).squeeze(-1) - loc;
        let (x, y) = (at(0, &phi), at(1, &psi));
        let far = |x: &Array| (x * 0.5).sin().square() * -2.0;
        let value = &a * far(&x) + &b * far(&y) + &r * x.sin() * y.sin();
        let outside = select(&number, f64::NEG_INFINITY, f64::NAN);
        select(&circular, value - log_integral(&a, &b, &r), outside)
    }
}

impl Sample for SineBivariateVonMises {
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [phi, psi, a, b, r] = self.checked();
        if phi.error().is_some() {
            return phi;
        }
        let (dtype, batch) = (self.dtype(), join(&shape, &self.batch_shape()));
        let start = Array::from(0.0).cast(dtype).broadcast_to(&batch);
        let [a, b, r] = [a, b, r].map(|p| p.stop_gradient() + &start);
        let (of_first, of_second) = key.split();
        // The first angle against the direction of a normal vector of two variances.
        let excess = (&a - r.square() / &b) * 0.5;
        let size = excess.abs();
        let spread = 1.0 - &size + (size.square() + 1.0).sqrt();
        let narrow = (&size / &spread * 2.0 + 1.0).sqrt().recip();
        let along_cosine = excess.lt(0.0);
        let first = first_accepted(of_first, start.clone(), |key| {
            let [one, two, three] = key.split_array();
            let (z, w) = (normal_of(dtype, one, &batch), normal_of(dtype, two, &batch));
            let cosine = select(&along_cosine, &z * &narrow, &z);
            let sine = select(&along_cosine, &w, &w * &narrow);
            let angle = sine.atan2(cosine);
            let (sine, far) = (angle.sin(), (&angle * 0.5).sin().square() * -2.0);
            let bent = (b.square() + (&r * &sine).square()).sqrt();
            let least = select(&along_cosine, &excess, 0.0);
            let level = &a * far + least + (bent.i0e() / b.i0e()).log() + (&bent - &b);
            let part = select(&along_cosine, angle.cos().square(), sine.square()) * &size;
            let bound = (&spread * 0.5 + part).log() + (1.0 - &spread * 0.5);
            (uniform_of(dtype, three, &batch).log().le(level + bound), angle)
        });
        let pull = &r * first.sin();
        let about = pull.atan2(b.clone());
        let second = VonMises::new(about, (b.square() + pull.square()).sqrt())
            .sample(of_second, ())
            .stop_gradient();
        let turn = |x: Array| &x - (&x / TAU).round() * TAU;
        stack([turn(first + phi), turn(second + psi)], -1)
    }
}

impl Moments for SineBivariateVonMises {
    /// The mean directions.
    fn mean(&self) -> Array {
        let [phi, psi, ..] = self.checked();
        if phi.error().is_some() {
            return phi;
        }
        let both = broadcast_shapes(phi.shape(), psi.shape()).unwrap_or_default();
        let both = [phi.broadcast_to(&both), psi.broadcast_to(&both)];
        self.shaped(stack(both, -1), &[2])
    }

    /// The variances of the directions, `1 - E cos`, which are derivatives of the integral.
    fn variance(&self) -> Array {
        let [phi, _, a, b, r] = self.checked();
        if phi.error().is_some() {
            return phi;
        }
        let start = (&a + &b + &r) * 0.0;
        let [a, b, r] = [a + &start, b + &start, r + &start];
        let total = |(a, b): (Array, Array)| log_integral(&a, &b, &r).sum();
        let (of_a, of_b) = probpipe_transforms::grad(total)((a, b));
        self.shaped(stack([-of_a, -of_b], -1), &[2])
    }
}
