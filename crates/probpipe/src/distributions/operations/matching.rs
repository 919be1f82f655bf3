//! A distribution of another family with the same mean and variance.

use crate::constraints::Constraint;
use crate::distributions::{
    Bandwidth, Bernoulli, Beta, BetaProportion, Chi2, Covariance, Dirichlet, Empirical,
    Exponential, Gamma, GammaPoisson, Geometric, Gumbel, HalfNormal, InverseGamma, Kde, Laplace,
    LogNormal, Logistic, Moments, MultivariateNormal, NegativeBinomial2, Normal, Parametric,
    Poisson, Support, Uniform,
};
use probpipe_trace::{Array, Error, ErrorKind, Result, here};
use std::f64::consts::PI;

/// Families whose parameters follow from a mean and a variance.
pub trait MomentMatched: Parametric + Sized {
    /// The set that the draws of a source must lie in.
    fn holds() -> Constraint;

    /// The distribution with this mean and variance; of a family of one parameter that with this
    /// mean.
    #[track_caller]
    fn of_moments(mean: &Array, variance: &Array) -> Self;
}

macro_rules! matched {
    ($($family:ident on $set:ident: ($mean:pat, $variance:pat) => $of:expr;)+) => {$(
        impl MomentMatched for $family {
            fn holds() -> Constraint {
                Constraint::$set
            }

            fn of_moments($mean: &Array, $variance: &Array) -> $family {
                $of
            }
        }
    )+};
}

/// The constant of Euler.
const EULER: f64 = 0.577_215_664_901_532_9;

matched! {
    Normal on Real: (m, v) => Normal::new(m, v.sqrt());
    Laplace on Real: (m, v) => Laplace::new(m, (v * 0.5).sqrt());
    Logistic on Real: (m, v) => Logistic::new(m, (v * 3.0).sqrt() * (1.0 / PI));
    Gumbel on Real: (m, v) => {
        let scale = (v * 6.0).sqrt() * (1.0 / PI);
        Gumbel::new(m - &scale * EULER, scale)
    };
    Gamma on NonNegative: (m, v) => Gamma::new(m.square() / v, m / v);
    InverseGamma on NonNegative: (m, v) => {
        let shape = m.square() / v + 2.0;
        InverseGamma::new(&shape, m * (&shape - 1.0))
    };
    LogNormal on NonNegative: (m, v) => {
        let square = (v / m.square()).log1p();
        LogNormal::new(m.log() - &square * 0.5, square.sqrt())
    };
    Exponential on NonNegative: (m, _) => Exponential::new(m.recip());
    Chi2 on NonNegative: (m, _) => Chi2::new(m);
    HalfNormal on NonNegative: (m, _) => HalfNormal::new(m * (PI / 2.0).sqrt());
    Beta on UnitInterval: (m, v) => {
        let size = m * (1.0 - m) / v - 1.0;
        Beta::new(m * &size, (1.0 - m) * size)
    };
    BetaProportion on UnitInterval: (m, v) => BetaProportion::new(m, m * (1.0 - m) / v - 1.0);
    Bernoulli on Boolean: (m, _) => Bernoulli::new(m);
    Poisson on NonNegativeInteger: (m, _) => Poisson::new(m);
    Geometric on NonNegativeInteger: (m, _) => Geometric::new((m + 1.0).recip());
    NegativeBinomial2 on NonNegativeInteger: (m, v) => {
        NegativeBinomial2::new(m, m.square() / (v - m))
    };
    GammaPoisson on NonNegativeInteger: (m, v) => {
        GammaPoisson::new(m.square() / (v - m), m / (v - m))
    };
    Dirichlet on Simplex: (m, v) => {
        let spread = (m * (1.0 - m)).sum_axes([-1]) / v.sum_axes([-1]) - 1.0;
        let spread = if spread.rank() > 0 { spread.expand_dims(-1) } else { spread };
        Dirichlet::new(m * spread)
    };
}

/// Distributions that can be made of another one, of type `S`.
pub trait FromDistribution<S>: Sized {
    /// The distribution that stands for `source`; see [`from_distribution`].
    ///
    /// # Errors
    /// Draws of the source that it has not, moments that there are not, or that no member of the
    /// family has.
    #[track_caller]
    fn from_distribution(source: &S) -> Result<Self>;
}

/// A distribution of another kind for a given one: of families the one with the same mean and
/// variance (of those with one parameter, with the same mean), a [`MultivariateNormal`] with the
/// same covariance, a [`Uniform`] on an interval, and a [`Kde`] for an [`Empirical`].
///
/// ```
/// use probpipe::distributions::from_distribution;
/// use probpipe::prelude::*;
/// use probpipe::{Beta, Gamma, LogNormal};
/// let gamma: Gamma = from_distribution(&LogNormal::new(0.0, 0.5))?;
/// assert!((gamma.mean().item::<f32>()? - 0.125f32.exp()).abs() < 1e-5);
/// let error = from_distribution::<Beta, _>(&Normal::new(0.5, 0.1)).unwrap_err();
/// assert_eq!(
///     error.message(),
///     "a Beta, whose draws are in [0, 1], cannot stand for a distribution whose draws are real",
/// );
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Draws of the source that the result cannot have, as far as their ends are known;
/// [`match_moments`] does not ask. A mean or variance that is known and not finite, or that no
/// member of the family has.
#[track_caller]
pub fn from_distribution<T: FromDistribution<S>, S>(source: &S) -> Result<T> {
    T::from_distribution(source)
}

/// [`from_distribution`] of a family, whatever the draws of the source are.
///
/// # Errors
/// A mean or variance that is known and not finite, or that no member of the family has.
#[track_caller]
pub fn match_moments<T: MomentMatched, S: Moments>(source: &S) -> Result<T> {
    let [mean, variance] = moments(source)?;
    let matched = T::of_moments(&mean, &variance);
    match matched.parameters().iter().find_map(Array::error) {
        None => Ok(matched),
        Some(error) => {
            let message = format!("no {} has the moments of the source: {error}", T::FAMILY.name);
            Err(Error::new(ErrorKind::Value, message)
                .at(here())
                .help("choose a family that has a member with this mean and variance"))
        }
    }
}

/// Mean and variance, finite where they are known.
#[track_caller]
fn moments<S: Moments>(source: &S) -> Result<[Array; 2]> {
    let moments = [source.mean().checked()?, source.variance().checked()?];
    for (what, x) in ["mean", "variance"].iter().zip(&moments) {
        let numbers = x.known().and_then(|value| value.to_scalars().ok()).unwrap_or_default();
        if let Some(wrong) = numbers.iter().find(|x| !x.as_f64().is_finite()) {
            let message = format!("the {what} of the source is {}", wrong.as_f64());
            return Err(Error::new(ErrorKind::Value, message)
                .at(here())
                .help("only moments that are finite can be matched; draw an `Empirical` instead"));
        }
    }
    Ok(moments)
}

impl<T: MomentMatched, S: Moments + Support> FromDistribution<S> for T {
    fn from_distribution(source: &S) -> Result<T> {
        fits(T::FAMILY.name, &T::holds(), &source.support())?;
        match_moments(source)
    }
}

impl<S: Moments + Support> FromDistribution<S> for Uniform {
    /// The uniform distribution of this mean and variance, of a source with two ends.
    fn from_distribution(source: &S) -> Result<Uniform> {
        let support = source.support();
        let (low, high) = ends(&support);
        if support.event_rank() > 0 || low.is_none() || high.is_none() {
            return Err(refused("Uniform", "in an interval", &support));
        }
        let [mean, variance] = moments(source)?;
        let half = (variance * 3.0).sqrt();
        let matched = Uniform::new(&mean - &half, &mean + half);
        match matched.parameters().iter().find_map(Array::error) {
            None => Ok(matched),
            Some(error) => Err(error.clone()),
        }
    }
}

impl<S: Covariance + Moments + Support> FromDistribution<S> for MultivariateNormal {
    fn from_distribution(source: &S) -> Result<MultivariateNormal> {
        fits("MultivariateNormal", &Constraint::RealVector, &source.support())?;
        let [mean, _] = moments(source)?;
        let matched = MultivariateNormal::new(mean, source.cov());
        match matched.parameters().iter().find_map(Array::error) {
            None => Ok(matched),
            Some(error) => Err(error.clone()),
        }
    }
}

impl FromDistribution<Empirical<Array>> for Kde {
    /// With the bandwidth of Scott.
    fn from_distribution(source: &Empirical<Array>) -> Result<Kde> {
        let kde = Kde::of_empirical(source, Bandwidth::Scott);
        match kde.scale().error() {
            None => Ok(kde),
            Some(error) => Err(error.clone()),
        }
    }
}

/// The least and the largest number of a set of numbers, as far as they are known; infinite for
/// those that are not, which stand in nobody's way.
fn ends(of: &Constraint) -> (Option<f64>, Option<f64>) {
    let numbers = |x: &Array| -> Option<Vec<f64>> {
        Some(x.known()?.to_scalars().ok()?.iter().map(|x| x.as_f64()).collect())
    };
    let least = |x: &Array| match numbers(x) {
        Some(all) => all.into_iter().fold(f64::INFINITY, f64::min),
        None => f64::INFINITY,
    };
    let most = |x: &Array| match numbers(x) {
        Some(all) => all.into_iter().fold(f64::NEG_INFINITY, f64::max),
        None => f64::NEG_INFINITY,
    };
    let (low, high) = match of {
        Constraint::Positive
        | Constraint::NonNegative
        | Constraint::NonNegativeInteger
        | Constraint::PositiveVector
        | Constraint::PositiveOrderedVector => (Some(0.0), None),
        Constraint::PositiveInteger => (Some(1.0), None),
        Constraint::UnitInterval
        | Constraint::OpenUnitInterval
        | Constraint::Boolean
        | Constraint::Simplex => (Some(0.0), Some(1.0)),
        Constraint::Circular => (Some(-PI), Some(PI)),
        Constraint::AtLeast(low) | Constraint::GreaterThan(low) => (Some(least(low)), None),
        Constraint::Below(high) => (None, Some(*high)),
        Constraint::AtMost(high) => (None, Some(most(high))),
        Constraint::Interval(low, high) | Constraint::IntegerInterval(low, high) => {
            (Some(least(low)), Some(most(high)))
        }
        _ => (None, None),
    };
    (low.filter(|x| *x != f64::NEG_INFINITY), high.filter(|x| *x != f64::INFINITY))
}

/// Fails where draws of a source do not all lie in the set of a family.
#[track_caller]
fn fits(family: &str, target: &Constraint, source: &Constraint) -> Result<()> {
    let simplex = !matches!(target, Constraint::Simplex) || matches!(source, Constraint::Simplex);
    let kind = target.event_rank() == source.event_rank()
        && (!target.is_integer() || source.is_integer())
        && simplex;
    let ((low, high), (least, most)) = (ends(target), ends(source));
    let below = low.is_none_or(|low| least.is_some_and(|least| least >= low));
    let above = high.is_none_or(|high| most.is_some_and(|most| most <= high));
    if kind && below && above { Ok(()) } else { Err(refused(family, &target.to_string(), source)) }
}

#[track_caller]
fn refused(family: &str, holds: &str, source: &Constraint) -> Error {
    let message = format!(
        "a {family}, whose draws are {holds}, cannot stand for a distribution whose draws are \
         {source}"
    );
    Error::new(ErrorKind::Value, message)
        .at(here())
        .help("choose a family on a set that holds them, or `match_moments`, which does not ask")
}
