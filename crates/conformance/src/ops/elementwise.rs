//! Elementwise operations of one operand.

use super::Class::{Elementwise as E, Exact, Hard};
use super::{Rule, one, whole};
use crate::attrs::Attrs;
use probpipe::{Array, DType, zeros_like};
use probpipe_testing::reference::dtype;

/// The rule for an operation of one operand.
pub(super) fn find(op: &str, attrs: &Attrs) -> Option<Rule> {
    exact(op, attrs).or_else(|| rounded(op))
}

fn exact(op: &str, attrs: &Attrs) -> Option<Rule> {
    let exponent = || {
        let y = whole(attrs, "y").or_else(|| whole(attrs, "exponent"))?;
        i32::try_from(y).ok()
    };
    match op {
        "neg" => one(Exact, |x| if x.dtype().is_signed() { -x } else { zeros_like(x) - x }),
        "abs" => one(Exact, Array::abs),
        "sign" => one(Exact, Array::sign),
        "floor" => one(Exact, Array::floor),
        "ceil" => one(Exact, Array::ceil),
        "trunc" => one(Exact, Array::trunc),
        "round_half_even" => one(Exact, Array::round),
        "round_half_away" => one(Exact, Array::round_half_away),
        "isfinite" => one(Exact, Array::is_finite),
        "isnan" => one(Exact, Array::is_nan),
        "isinf" => one(Exact, Array::is_inf),
        "signbit" => one(Exact, Array::signbit),
        "nan_to_num" => one(Exact, Array::nan_to_num),
        "not" => one(Exact, |x| !x),
        "logical_not" => one(Exact, |x| if x.dtype() == DType::Bool { !x } else { x.eq(0) }),
        "relu" => one(Exact, Array::relu),
        "relu6" => one(Exact, Array::relu6),
        "hard_tanh" => one(Exact, Array::hard_tanh),
        "population_count" => one(Exact, Array::population_count),
        "clz" => one(Exact, Array::leading_zeros),
        "index_mask_where" => one(Exact, |x| probpipe::select(&x.gt(0.0), x, 0.0)),
        "integer_pow" => exponent().and_then(|y| one(Exact, move |x| x.powi(y))),
        "pow_int_exp" => exponent().and_then(|y| one(E, move |x| x.powi(y))),
        "convert" => dtype(&attrs["to"]).and_then(|to| one(Exact, move |x| x.cast(to))),
        "bitcast" => dtype(&attrs["to"]).and_then(|to| one(Exact, move |x| x.bitcast(to))),
        "clip" => {
            let bounds = (attrs["min"].as_f64()?, attrs["max"].as_f64()?);
            one(Exact, move |x| {
                let bound = |v: f64| Array::from(v).cast(DType::F64).cast(x.dtype());
                x.clip(bound(bounds.0), bound(bounds.1))
            })
        }
        _ => None,
    }
}

fn rounded(op: &str) -> Option<Rule> {
    match op {
        "sqrt" => one(E, Array::sqrt),
        "rsqrt" => one(E, Array::rsqrt),
        "cbrt" => one(E, Array::cbrt),
        "square" => one(E, Array::square),
        "reciprocal" => one(E, Array::recip),
        "exp" | "empty_unary" => one(E, Array::exp),
        "exp2" => one(Hard, Array::exp2),
        "expm1" => one(E, Array::expm1),
        "log" => one(E, Array::log),
        "log2" => one(E, Array::log2),
        "log10" => one(E, Array::log10),
        "log1p" => one(E, Array::log1p),
        "sin" => one(E, Array::sin),
        "cos" => one(E, Array::cos),
        "tan" => one(E, Array::tan),
        "asin" => one(E, Array::asin),
        "acos" => one(E, Array::acos),
        "atan" => one(E, Array::atan),
        "sinh" => one(Hard, Array::sinh),
        "cosh" => one(Hard, Array::cosh),
        "tanh" => one(E, Array::tanh),
        "asinh" => one(E, Array::asinh),
        "acosh" => one(E, Array::acosh),
        "atanh" => one(E, Array::atanh),
        "logistic" => one(E, Array::sigmoid),
        "log_sigmoid" => one(E, Array::log_sigmoid),
        "softplus" => one(E, Array::softplus),
        "gelu_tanh" => one(E, Array::gelu_tanh),
        "gelu_erf" => one(E, Array::gelu),
        "silu" => one(E, Array::silu),
        "elu" => one(E, |x| x.elu(1.0)),
        "selu" => one(E, Array::selu),
        "celu" => one(E, |x| x.celu(1.0)),
        "leaky_relu" => one(E, |x| x.leaky_relu(0.01)),
        "soft_sign" => one(E, Array::soft_sign),
        "mish" => one(E, Array::mish),
        "erf" => one(E, Array::erf),
        "erfc" => one(E, Array::erfc),
        "erf_inv" => one(Hard, Array::erf_inv),
        "lgamma" => one(Hard, Array::lgamma),
        "digamma" => one(Hard, Array::digamma),
        "i0e" => one(E, Array::i0e),
        "i1e" => one(E, Array::i1e),
        "ndtr" => one(E, Array::ndtr),
        "log_ndtr" => one(Hard, Array::log_ndtr),
        "ndtri" => one(E, Array::ndtri),
        "logit" => one(E, Array::logit),
        "entr" => one(E, Array::entr),
        "sinc" => one(E, Array::sinc),
        "deg2rad" => one(E, Array::deg2rad),
        "rad2deg" => one(E, Array::rad2deg),
        "integer_pow_3" => one(E, |x| x.powi(3)),
        "integer_pow_m2" => one(E, |x| x.powi(-2)),
        "integer_pow_0" => one(E, |x| x.powi(0)),
        "where_safe_grad" => one(E, |x| {
            let positive = x.gt(0.0);
            probpipe::select(&positive, probpipe::select(&positive, x, 1.0).log(), 0.0)
        }),
        "where_unsafe_grad" => one(E, |x| probpipe::select(&x.gt(0.0), x.sqrt(), 0.0)),
        _ => None,
    }
}
