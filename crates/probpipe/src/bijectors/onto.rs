//! From the whole space onto a constraint: which bijector leads there.

use super::{
    Affine, Bijector, CholeskyProduct, CorrelationCholesky, CorrelationProduct, Exp, Identity,
    Interval, Log, LowerCholesky, Ordered, Sigmoid, Stereographic, StickBreaking, StickBreakingL1,
    UnitBall, ZeroSum,
};
use crate::constraints::Constraint;
use probpipe_trace::{Error, ErrorKind, Result, here, with_location};
use std::f64::consts::PI;

/// A bijector from the whole space onto a set, up to its boundary: what an unconstrained parameter
/// goes through.
///
/// ```
/// use probpipe::bijectors::{Bijector, biject_to};
/// use probpipe::constraints::Constraint;
/// use probpipe::prelude::*;
/// let onto = biject_to(&Constraint::Simplex)?;
/// let p = onto.forward(&zeros([3]));
/// assert!((p.at(0).item::<f32>()? - 0.25).abs() < 1e-6);
/// assert!(Constraint::Simplex.check(&p).item::<bool>()?);
/// # Ok::<(), probpipe::Error>(())
/// ```
///
/// # Errors
/// Sets of integers have none, nor have symmetric and orthogonal matrices.
#[track_caller]
pub fn biject_to(constraint: &Constraint) -> Result<Box<dyn Bijector>> {
    let location = here();
    with_location(location, || {
        let boxed: Box<dyn Bijector> = match constraint {
            Constraint::Real | Constraint::RealVector | Constraint::RealMatrix => {
                Box::new(Identity)
            }
            Constraint::Positive
            | Constraint::NonNegative
            | Constraint::PositiveVector
            | Constraint::NonNegativeVector => Box::new(Exp),
            Constraint::UnitInterval | Constraint::OpenUnitInterval => Box::new(Sigmoid),
            Constraint::AtLeast(low) | Constraint::GreaterThan(low) => {
                Box::new(Exp.then(Affine::new(low, 1.0)))
            }
            Constraint::Below(high) => Box::new(Exp.then(Affine::new(*high, -1.0))),
            Constraint::AtMost(high) => Box::new(Exp.then(Affine::new(high, -1.0))),
            Constraint::Interval(low, high) => Box::new(Interval::new(low, high)),
            Constraint::Circular => Box::new(Interval::new(-PI, PI)),
            Constraint::Correlation => Box::new(Interval::new(-1.0, 1.0)),
            Constraint::OrderedVector => Box::new(Ordered),
            Constraint::PositiveOrderedVector => Box::new(Ordered.then(Exp)),
            Constraint::Simplex => Box::new(StickBreaking),
            Constraint::LogSimplex => Box::new(StickBreaking.then(Log)),
            Constraint::ZeroSum => Box::new(ZeroSum),
            Constraint::UnitVector => Box::new(Stereographic),
            Constraint::UnitBall => Box::new(UnitBall),
            Constraint::L1Ball => Box::new(StickBreakingL1),
            Constraint::LowerCholesky => Box::new(LowerCholesky::Exp),
            Constraint::PositiveDefinite => Box::new(LowerCholesky::Exp.then(CholeskyProduct)),
            Constraint::CorrelationCholesky => Box::new(CorrelationCholesky),
            Constraint::CorrelationMatrix => Box::new(CorrelationCholesky.then(CorrelationProduct)),
            Constraint::Boolean
            | Constraint::Integer
            | Constraint::NonNegativeInteger
            | Constraint::PositiveInteger
            | Constraint::IntegerInterval(..)
            | Constraint::Multinomial(_)
            | Constraint::Permutation
            | Constraint::BooleanVector => {
                let message = format!("no bijector leads from real numbers to {constraint}");
                return Err(Error::new(ErrorKind::Value, message)
                    .at(location)
                    .help("sum over integers, or draw them, rather than map numbers onto them"));
            }
            Constraint::OrthogonalMatrix => {
                let message = "no bijector leads from real numbers to orthogonal matrices";
                return Err(Error::new(ErrorKind::Value, message)
                    .at(location)
                    .help("of a matrix of free entries make one with `.qr()`"));
            }
            Constraint::SymmetricMatrix => {
                let message = "no bijector leads from real numbers to symmetric matrices";
                return Err(Error::new(ErrorKind::Value, message)
                    .at(location)
                    .help("of a vector of free entries make one with `.at_indices(..)`"));
            }
        };
        Ok(boxed)
    })
}
