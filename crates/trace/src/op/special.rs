//! Special functions that are computed point by point: one op with the function as parameter. They
//! cost a hundred times an addition, so that on the CPU they are calls and not parts of kernels. On
//! a GPU, where a call would be a dispatch, they are functions of its kernels.
//!
//! The values are those of the crate `probpipe-special`, in `f64`; `f32` is rounded once, from
//! forms with fewer digits where these take much less time. A GPU computes in `f32`.

use crate::error::ErrorKind;
use crate::op::fault::{Fault, Inferred, same_types};
use crate::types::ArrayType;
use probpipe_special as special;

/// The highest total order of derivatives in parameters that have no closed form.
pub const MAX_PARAMETER_ORDER: u8 = special::MAX_ORDER as u8;

/// A special function of one to three floats. Functions with orders are derivatives of those
/// orders in their leading parameters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SpecialOp {
    /// `gamma(x)`.
    Gamma,
    /// `polygamma(n, x)`: the derivative of order `n`, a whole number, of digamma.
    Polygamma,
    /// `digamma_difference(a, b)`: digamma(a + b) - digamma(a), without cancellation.
    DigammaDifference,
    /// `betaln(a, b)`: the logarithm of the beta function.
    Betaln,
    /// `zeta(s, q)`: the Hurwitz zeta function.
    Zeta {
        /// The order of the derivative in `s`.
        order: u8,
    },
    /// `gammainc(a, x)`: the regularised lower incomplete gamma function.
    Gammainc {
        /// The order of the derivative in `a`.
        order: u8,
    },
    /// `gammaincc(a, x)`: the regularised upper incomplete gamma function.
    Gammaincc,
    /// `gamma_density(a, x)`: `x^(a-1) e^-x / gamma(a)`.
    GammaDensity,
    /// `gammaincinv(a, p)`: the inverse of `gammainc` in `x`.
    Gammaincinv,
    /// `gammainccinv(a, q)`: the inverse of `gammaincc` in `x`.
    Gammainccinv,
    /// `betainc(a, b, x)`: the regularised incomplete beta function.
    Betainc {
        /// The orders of the derivative in `a` and in `b`.
        orders: [u8; 2],
    },
    /// `beta_density(a, b, x)`: `x^(a-1) (1-x)^(b-1) / B(a, b)`.
    BetaDensity,
    /// `betaincinv(a, b, p)`: the inverse of `betainc` in `x`.
    Betaincinv,
    /// The modified Bessel function of order 0.
    I0,
    /// `e^-|x| i0(x)`.
    I0e,
    /// The derivative of `i0e`.
    I0eSlope,
    /// The modified Bessel function of order 1.
    I1,
    /// `e^-|x| i1(x)`.
    I1e,
    /// `e^(x^2)` times the repeated integral of `erfc` of an order; `erfcx` for order 0.
    Erfcx {
        /// How often `erfc` is integrated.
        order: u8,
    },
    /// The exponential integral E1.
    Exp1,
    /// The exponential integral Ei.
    Expi,
    /// `owens_t(h, a)`: Owen's T function.
    OwensT,
}

impl SpecialOp {
    /// Every function, without orders.
    pub const ALL: &'static [SpecialOp] = &[
        SpecialOp::Gamma,
        SpecialOp::Polygamma,
        SpecialOp::DigammaDifference,
        SpecialOp::Betaln,
        SpecialOp::Zeta { order: 0 },
        SpecialOp::Gammainc { order: 0 },
        SpecialOp::Gammaincc,
        SpecialOp::GammaDensity,
        SpecialOp::Gammaincinv,
        SpecialOp::Gammainccinv,
        SpecialOp::Betainc { orders: [0, 0] },
        SpecialOp::BetaDensity,
        SpecialOp::Betaincinv,
        SpecialOp::I0,
        SpecialOp::I0e,
        SpecialOp::I0eSlope,
        SpecialOp::I1,
        SpecialOp::I1e,
        SpecialOp::Erfcx { order: 0 },
        SpecialOp::Exp1,
        SpecialOp::Expi,
        SpecialOp::OwensT,
    ];

    /// The name in printed graphs and messages.
    pub const fn name(self) -> &'static str {
        match self {
            SpecialOp::Gamma => "gamma",
            SpecialOp::Polygamma => "polygamma",
            SpecialOp::DigammaDifference => "digamma_difference",
            SpecialOp::Betaln => "betaln",
            SpecialOp::Zeta { .. } => "zeta",
            SpecialOp::Gammainc { .. } => "gammainc",
            SpecialOp::Gammaincc => "gammaincc",
            SpecialOp::GammaDensity => "gamma_density",
            SpecialOp::Gammaincinv => "gammaincinv",
            SpecialOp::Gammainccinv => "gammainccinv",
            SpecialOp::Betainc { .. } => "betainc",
            SpecialOp::BetaDensity => "beta_density",
            SpecialOp::Betaincinv => "betaincinv",
            SpecialOp::I0 => "i0",
            SpecialOp::I0e => "i0e",
            SpecialOp::I0eSlope => "i0e_slope",
            SpecialOp::I1 => "i1",
            SpecialOp::I1e => "i1e",
            SpecialOp::Erfcx { .. } => "erfcx",
            SpecialOp::Exp1 => "exp1",
            SpecialOp::Expi => "expi",
            SpecialOp::OwensT => "owens_t",
        }
    }

    /// The number of operands.
    pub const fn arity(self) -> usize {
        match self {
            SpecialOp::Gamma => 1,
            SpecialOp::I0 | SpecialOp::I0e | SpecialOp::I0eSlope => 1,
            SpecialOp::I1 | SpecialOp::I1e | SpecialOp::Erfcx { .. } => 1,
            SpecialOp::Exp1 | SpecialOp::Expi => 1,
            SpecialOp::Polygamma | SpecialOp::DigammaDifference | SpecialOp::Betaln => 2,
            SpecialOp::Zeta { .. } | SpecialOp::Gammainc { .. } | SpecialOp::Gammaincc => 2,
            SpecialOp::GammaDensity | SpecialOp::Gammaincinv | SpecialOp::Gammainccinv => 2,
            SpecialOp::OwensT => 2,
            SpecialOp::Betainc { .. } | SpecialOp::BetaDensity | SpecialOp::Betaincinv => 3,
        }
    }

    /// The intervals that tests draw operands from; whole numbers for the first of `polygamma`.
    pub const fn domain(self) -> [(f64, f64); 3] {
        const NONE: (f64, f64) = (0.0, 0.0);
        match self {
            SpecialOp::Gamma => [(0.3, 8.0), NONE, NONE],
            SpecialOp::Polygamma => [(1.0, 4.0), (0.5, 20.0), NONE],
            SpecialOp::DigammaDifference => [(0.5, 20.0), (0.1, 20.0), NONE],
            SpecialOp::Betaln => [(0.3, 20.0), (0.3, 20.0), NONE],
            SpecialOp::Zeta { .. } => [(1.3, 8.0), (0.5, 10.0), NONE],
            SpecialOp::Gammainc { .. } | SpecialOp::Gammaincc | SpecialOp::GammaDensity => {
                [(0.3, 60.0), (0.2, 60.0), NONE]
            }
            SpecialOp::Gammaincinv | SpecialOp::Gammainccinv => [(0.8, 40.0), (0.05, 0.95), NONE],
            SpecialOp::Betainc { .. } | SpecialOp::BetaDensity => {
                [(0.5, 50.0), (0.5, 50.0), (0.05, 0.95)]
            }
            SpecialOp::Betaincinv => [(0.8, 20.0), (0.8, 20.0), (0.05, 0.95)],
            SpecialOp::I0 | SpecialOp::I1 => [(-5.0, 5.0), NONE, NONE],
            SpecialOp::I0e | SpecialOp::I0eSlope => [(0.1, 30.0), NONE, NONE],
            SpecialOp::I1e => [(0.1, 30.0), NONE, NONE],
            SpecialOp::Erfcx { .. } => [(-2.0, 10.0), NONE, NONE],
            SpecialOp::Exp1 | SpecialOp::Expi => [(0.1, 5.0), NONE, NONE],
            SpecialOp::OwensT => [(-3.0, 3.0), (-3.0, 3.0), NONE],
        }
    }

    /// The orders of derivatives in parameters, for ops that have them.
    pub fn orders(self) -> Option<Vec<u8>> {
        match self {
            SpecialOp::Zeta { order }
            | SpecialOp::Gammainc { order }
            | SpecialOp::Erfcx { order } => Some(vec![order]),
            SpecialOp::Betainc { orders } => Some(orders.to_vec()),
            SpecialOp::Gamma
            | SpecialOp::Polygamma
            | SpecialOp::DigammaDifference
            | SpecialOp::Betaln
            | SpecialOp::Gammaincc
            | SpecialOp::GammaDensity
            | SpecialOp::Gammaincinv
            | SpecialOp::Gammainccinv
            | SpecialOp::BetaDensity
            | SpecialOp::Betaincinv
            | SpecialOp::I0
            | SpecialOp::I0e
            | SpecialOp::I0eSlope
            | SpecialOp::I1
            | SpecialOp::I1e
            | SpecialOp::Exp1
            | SpecialOp::Expi
            | SpecialOp::OwensT => None,
        }
    }

    /// The op with this name, of the orders given.
    pub fn by_name(name: &str, orders: &[usize]) -> Option<SpecialOp> {
        let op = SpecialOp::ALL.iter().copied().find(|op| op.name() == name)?;
        let order = |i: usize| orders.get(i).and_then(|o| u8::try_from(*o).ok());
        if op.orders().map_or(0, |o| o.len()) != orders.len() {
            return None;
        }
        Some(match op {
            SpecialOp::Zeta { .. } => SpecialOp::Zeta { order: order(0)? },
            SpecialOp::Gammainc { .. } => SpecialOp::Gammainc { order: order(0)? },
            SpecialOp::Erfcx { .. } => SpecialOp::Erfcx { order: order(0)? },
            SpecialOp::Betainc { .. } => SpecialOp::Betainc { orders: [order(0)?, order(1)?] },
            other => other,
        })
    }

    /// The value at a point; operands past the arity are not read.
    pub fn value(self, [x, y, z]: [f64; 3]) -> f64 {
        match self {
            SpecialOp::Gamma => special::gamma(x),
            SpecialOp::Polygamma => special::polygamma(x, y),
            SpecialOp::DigammaDifference => special::digamma_difference(x, y),
            SpecialOp::Betaln => special::betaln(x, y),
            SpecialOp::Zeta { order } => special::zeta_derivative(x, y, order.into()),
            SpecialOp::Gammainc { order } => special::gammainc_derivative(x, y, order.into()),
            SpecialOp::Gammaincc => special::gammaincc(x, y),
            SpecialOp::GammaDensity => special::gamma_density(x, y),
            SpecialOp::Gammaincinv => special::gammaincinv(x, y),
            SpecialOp::Gammainccinv => special::gammainccinv(x, y),
            SpecialOp::Betainc { orders: [a, b] } => {
                special::betainc_derivative(x, y, z, (a.into(), b.into()))
            }
            SpecialOp::BetaDensity => special::beta_density(x, y, z),
            SpecialOp::Betaincinv => special::betaincinv(x, y, z),
            SpecialOp::I0 => special::i0(x),
            SpecialOp::I0e => special::i0e(x),
            SpecialOp::I0eSlope => special::i0e_slope(x),
            SpecialOp::I1 => special::i1(x),
            SpecialOp::I1e => special::i1e(x),
            SpecialOp::Erfcx { order } => special::erfcx(x, order.into()),
            SpecialOp::Exp1 => special::exp1(x),
            SpecialOp::Expi => special::expi(x),
            SpecialOp::OwensT => special::owens_t(x, y),
        }
    }

    /// [`SpecialOp::value`] for a result that is rounded to `f32`: to nine digits or more.
    pub fn value_for_single(self, point: [f64; 3]) -> f64 {
        let [x, y, z] = point;
        match self {
            SpecialOp::Gammainc { order: 0 } => special::gammainc_single(x, y),
            SpecialOp::Gammaincc => special::gammaincc_single(x, y),
            SpecialOp::GammaDensity => special::gamma_density_single(x, y),
            SpecialOp::Betainc { orders: [0, 0] } => special::betainc_single(x, y, z),
            SpecialOp::BetaDensity => special::beta_density_single(x, y, z),
            _ => self.value(point),
        }
    }
}

/// Operands are floats of one type; orders in parameters have an end.
pub(super) fn special(op: SpecialOp, inputs: &[&ArrayType]) -> Inferred {
    for x in inputs {
        same_types(op.name(), inputs[0], x)?;
    }
    let ty = inputs[0];
    if !ty.dtype.is_float() {
        return Err(Fault::dtype(
            format!("`{}` takes a float, not {ty}", op.name()),
            "convert first, for example with `.cast(DType::F32)`",
        ));
    }
    let most = if matches!(op, SpecialOp::Erfcx { .. }) { 100 } else { MAX_PARAMETER_ORDER };
    let total: u32 = op.orders().unwrap_or_default().into_iter().map(u32::from).sum();
    if total > u32::from(most) {
        return Err(Fault {
            kind: ErrorKind::Transform,
            message: format!("`{}` has no derivative of order {total} here", op.name()),
            help: format!("derivatives of its parameters go up to order {most}"),
        });
    }
    Ok(smallvec::smallvec![ty.clone()])
}
