//! Bijectors of numbers without parameters, all increasing.

use super::Bijector;
use super::events::increasing;
use crate::constraints::Constraint;
use probpipe_trace::{Array, Tree};
use std::f64::consts::LN_2;

/// Declares a bijector of numbers: its sets and its three formulas.
macro_rules! elementwise {
    ($(
        $(#[$about:meta])*
        $name:ident: $domain:expr => $codomain:expr $(, $set:pat => $image:expr)?;
        forward($x:ident) => $forward:expr;
        inverse($y:ident) => $inverse:expr;
        log_det($z:ident) => $log_det:expr;
    )+) => {$(
        $(#[$about])*
        #[derive(Tree, Clone, Copy, Debug, Default, PartialEq)]
        #[tree(crate = probpipe_trace)]
        pub struct $name;

        impl Bijector for $name {
            fn forward(&self, $x: &Array) -> Array {
                $forward
            }

            fn inverse(&self, $y: &Array) -> Array {
                $inverse
            }

            fn log_det(&self, $z: &Array) -> Array {
                $log_det
            }

            fn domain(&self) -> Constraint {
                $domain
            }

            fn codomain(&self) -> Constraint {
                $codomain
            }

            fn image(&self, of: &Constraint) -> Constraint {
                $(if matches!(of, $set) {
                    return $image;
                })?
                increasing(self, of)
            }

            fn direction(&self) -> Option<Array> {
                Some(1.0.into())
            }
        }
    )+};
}

elementwise! {
    /// `exp(x)`, from real to positive numbers.
    Exp: Constraint::Real => Constraint::Positive, Constraint::LogSimplex => Constraint::Simplex;
    forward(x) => x.exp();
    inverse(y) => y.log();
    log_det(x) => x.clone();

    /// `log(x)`, from positive to real numbers.
    Log: Constraint::Positive => Constraint::Real, Constraint::Simplex => Constraint::LogSimplex;
    forward(x) => x.log();
    inverse(y) => y.exp();
    log_det(x) => -x.log();

    /// `1 / (1 + exp(-x))`, from real numbers to those between 0 and 1.
    Sigmoid: Constraint::Real => Constraint::UnitInterval;
    forward(x) => x.sigmoid();
    inverse(y) => y.logit();
    log_det(x) => log_slope_of_sigmoid(x);

    /// `log(x / (1 - x))`, from numbers between 0 and 1 to real ones.
    Logit: Constraint::UnitInterval => Constraint::Real;
    forward(x) => x.logit();
    inverse(y) => y.sigmoid();
    log_det(x) => -x.log() - (-x).log1p();

    /// `tanh(x)`, from real numbers to those between -1 and 1.
    Tanh: Constraint::Real => Constraint::Interval(Array::from(-1.0), Array::from(1.0));
    forward(x) => x.tanh();
    inverse(y) => y.atanh();
    log_det(x) => log_slope_of_tanh(x);

    /// `log(1 + exp(x))`, from real to positive numbers; far from zero it is `x`.
    Softplus: Constraint::Real => Constraint::Positive;
    forward(x) => x.softplus();
    inverse(y) => inverse_of_softplus(y);
    log_det(x) => x.log_sigmoid();
}

/// `x` itself, whatever it is.
#[derive(Tree, Clone, Copy, Debug, Default, PartialEq)]
#[tree(crate = probpipe_trace)]
pub struct Identity;

impl Bijector for Identity {
    fn forward(&self, x: &Array) -> Array {
        x.clone()
    }

    fn inverse(&self, y: &Array) -> Array {
        y.clone()
    }

    fn log_det(&self, x: &Array) -> Array {
        probpipe_trace::zeros_like(x)
    }

    fn domain(&self) -> Constraint {
        Constraint::Real
    }

    fn codomain(&self) -> Constraint {
        Constraint::Real
    }

    fn image(&self, of: &Constraint) -> Constraint {
        of.clone()
    }

    fn direction(&self) -> Option<Array> {
        Some(1.0.into())
    }
}

/// `log(sigmoid(x) (1 - sigmoid(x)))`.
#[track_caller]
pub(super) fn log_slope_of_sigmoid(x: &Array) -> Array {
    -x.softplus() - (-x).softplus()
}

/// `log(1 - tanh(x)^2)`, as `2 (log 2 - x - log(1 + exp(-2 x)))`, which does not cancel.
#[track_caller]
pub(super) fn log_slope_of_tanh(x: &Array) -> Array {
    (LN_2 - x - (x * -2.0).softplus()) * 2.0
}

/// `log(exp(y) - 1)`.
#[track_caller]
pub(super) fn inverse_of_softplus(y: &Array) -> Array {
    y + y.log1mexp()
}
