//! How arrays print: numbers nested in brackets as NumPy does, shortest digits unless a precision
//! is given; long axes are abridged.

use crate::dtype::{Scalar, for_dtype};
use crate::error::Result;
use crate::handle::{Array, Repr};
use crate::value::Value;
use std::fmt;

/// Arrays with more elements are abridged.
const LONG: usize = 1000;
/// Entries shown at each end of an abridged axis.
const EDGE: usize = 3;

impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repr {
            Repr::Literal(scalar) => number(f, &scalar_text(f, *scalar)),
            Repr::Traced(traced) => write!(f, "traced {}", traced.ty),
            Repr::Weak(_) => fmt::Display::fmt(&self.decided(), f),
            Repr::Invalid(error) => write!(f, "error: {error}"),
            Repr::Concrete(value) => match texts(f, value) {
                Ok(texts) if value.ty().rank() == 0 => number(f, &texts[0]),
                Ok(texts) => nested(f, &texts, &value.ty().shape, 1, texts.len() > LONG),
                Err(error) => write!(f, "error: {error}"),
            },
        }
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repr {
            Repr::Concrete(value) => write!(f, "Array({}, {self})", value.ty()),
            Repr::Literal(scalar) => write!(f, "Array(literal {scalar})"),
            Repr::Weak(_) => fmt::Debug::fmt(&self.decided(), f),
            Repr::Traced(_) | Repr::Invalid(_) => write!(f, "Array({self})"),
        }
    }
}

fn number(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    match f.width() {
        Some(width) => write!(f, "{text:>width$}"),
        None => f.write_str(text),
    }
}

fn scalar_text(f: &fmt::Formatter<'_>, scalar: Scalar) -> String {
    match (scalar, f.precision()) {
        (Scalar::Float(v), Some(p)) => format!("{v:.p$}"),
        _ => scalar.to_string(),
    }
}

/// Every element as text. Shortest digits are those of the element type, not of `f64`.
fn texts(f: &fmt::Formatter<'_>, value: &Value) -> Result<Vec<String>> {
    for_dtype!(value.ty().dtype, T => {
        let elements = value.to_vec::<T>()?;
        Ok(match f.precision() {
            Some(p) if value.ty().dtype.is_float() => elements
                .iter()
                .map(|&v| format!("{:.p$}", Scalar::from(v).as_f64()))
                .collect(),
            _ => elements.iter().map(|v| format!("{v:?}")).collect(),
        })
    })
}

fn nested(
    f: &mut fmt::Formatter<'_>,
    texts: &[String],
    shape: &[usize],
    indent: usize,
    abridge: bool,
) -> fmt::Result {
    let Some((&n, inner)) = shape.split_first() else {
        return number(f, &texts[0]);
    };
    let step = inner.iter().product::<usize>();
    f.write_str("[")?;
    let mut i = 0;
    while i < n {
        if i > 0 {
            if inner.is_empty() {
                f.write_str(" ")?;
            } else {
                write!(f, "\n{:indent$}", "")?;
            }
        }
        if abridge && i == EDGE && n > 2 * EDGE {
            f.write_str("...")?;
            i = n - EDGE;
            continue;
        }
        nested(f, &texts[i * step..(i + 1) * step], inner, indent + 1, abridge)?;
        i += 1;
    }
    f.write_str("]")
}
