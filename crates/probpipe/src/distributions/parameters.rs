//! Parameters of families: their checks, their element type, their shapes.

use probpipe_trace::{Array, DType, Error, ErrorKind, Shape, here};

/// `log(2 pi) / 2`.
pub(super) const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;

/// A parameter that must be positive: checked at once where its value is known.
#[track_caller]
pub(super) fn positive(what: &str, parameter: Array) -> Array {
    let Ok(value) = parameter.value() else { return parameter };
    let bad = value
        .to_scalars()
        .unwrap_or_default()
        .into_iter()
        .map(|s| s.as_f64())
        .find(|v| v.is_nan() || *v <= 0.0);
    match bad {
        Some(v) => Array::invalid(
            Error::new(ErrorKind::Value, format!("{what} must be positive, not {v}"))
                .help("parameterise by the logarithm and take `.exp()` to stay positive"),
            here(),
        ),
        None => parameter,
    }
}

/// The float type that parameters decide.
pub(super) fn float_of(parameters: &[&Array]) -> DType {
    parameters
        .iter()
        .filter(|a| !a.is_literal())
        .map(|a| a.dtype())
        .find(|d| d.is_float())
        .unwrap_or_else(probpipe_trace::default_float)
}

/// The shape `a` followed by `b`.
pub(super) fn join(a: &[usize], b: &[usize]) -> Shape {
    a.iter().chain(b).copied().collect()
}
