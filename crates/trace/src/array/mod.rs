//! The operations on arrays, a folder per family. This file reads values and converts element
//! types.

mod display;
pub(crate) mod each;
pub(crate) mod elementwise;
pub(crate) mod indexing;
pub(crate) mod linalg;
pub(crate) mod make;
pub(crate) mod order;
pub(crate) mod reduce;
pub(crate) mod shape;
pub(crate) mod special;

pub use elementwise::{polyval, select, vander, where_};
pub use indexing::{AtPlaces, Index, IntoIndices, OutOfRange, WindowAxes};
pub use linalg::{LeastSquares, LuFactors, MatrixNorm, Triangular, convolve, einsum, multi_dot};
pub use make::{
    arange, arange_step, array, block_diag, eye, eye_of, eye_offset, full, full_like, full_of,
    full_typed, geomspace, iota, linspace, linspace_of, linspace_open, logspace, ones, ones_like,
    ones_of, toeplitz, tri, tril_indices, tril_indices_offset, triu_indices, triu_indices_offset,
    zeros, zeros_like, zeros_of,
};
pub use order::{
    QuantileMethod, digitize, histogram, histogram_bins, interp, searchsorted, sort_key_val,
    sort_together,
};
pub use reduce::{
    IntoAxes, Keep, OverAxes, bincount, segment_max, segment_min, segment_prod, segment_sum,
};
pub use shape::{PadMode, column_stack, concat, dstack, hstack, meshgrid, select_n, stack, vstack};
pub use special::{
    beta, beta_density, betainc, betaincinv, betaln, digamma_difference, gamma_density, gammainc,
    gammaincc, gammainccinv, gammaincinv, log_binomial, owens_t, polygamma, random_gamma_grad,
    rising_factorial, zeta,
};

use crate::context::here;
use crate::dtype::{DType, Element};
use crate::error::{Error, ErrorKind, Result};
use crate::frames::{escaped, is_open};
use crate::handle::{Array, Repr};
use crate::op::Op;
use crate::promotion::literal_dtype;
use crate::tracing::bind1;
use crate::value::Value;

impl Array {
    /// The value. Fails for traced arrays, which have none, and for invalid ones.
    #[track_caller]
    pub fn value(&self) -> Result<Value> {
        match &self.repr {
            Repr::Concrete(value) => Ok(value.clone()),
            Repr::Literal(scalar) => Ok(Value::scalar(*scalar, literal_dtype(*scalar))),
            Repr::Weak(_) => self.decided().value(),
            Repr::Invalid(error) => Err(error.clone()),
            Repr::Traced(traced) if !is_open(traced.trace) => Err(escaped(self, here())),
            Repr::Traced(traced) => {
                let message = format!("a traced {} has no value yet", traced.ty);
                Err(Error::new(ErrorKind::Trace, message)
                    .at(here())
                    .note("the array was made", Some(self.location))
                    .help(
                        "inside a traced function use array operations such as `select` and \
                         `scan`; read values outside",
                    ))
            }
        }
    }

    /// The elements in row-major order. `T` must be the array's element type.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        let location = here();
        self.value()?.to_vec().map_err(|e| e.at(location))
    }

    /// The one element of an array of size 1.
    #[track_caller]
    pub fn item<T: Element>(&self) -> Result<T> {
        let location = here();
        let elements = self.to_vec::<T>()?;
        match elements[..] {
            [one] => Ok(one),
            _ => Err(Error::new(
                ErrorKind::Shape,
                format!("`item` reads one element, not {}", self.value()?.ty()),
            )
            .at(location)
            .help("index or reduce the array first, or use `to_vec`")),
        }
    }

    /// Converts the element type: floats to integers truncate and saturate with NaN to 0,
    /// integers wrap, anything to `bool` is `x != 0`.
    #[track_caller]
    #[doc(alias = "astype")]
    #[doc(alias = "lax.convert_element_type")]
    pub fn cast(&self, dtype: DType) -> Array {
        match &self.repr {
            Repr::Literal(scalar) if scalar.fits(dtype) => {
                Array::concrete(Value::scalar(*scalar, dtype), here())
            }
            Repr::Weak(weak) if weak.default == dtype || weak.default.is_float() => {
                self.in_dtype(dtype)
            }
            Repr::Concrete(_) | Repr::Traced(_) if self.dtype() == dtype => self.clone(),
            _ => bind1(Op::Cast(dtype), &[self]),
        }
    }

    /// The same bits as another element type of the same width.
    #[track_caller]
    #[doc(alias = "lax.bitcast_convert_type")]
    pub fn bitcast(&self, dtype: DType) -> Array {
        bind1(Op::Bitcast(dtype), &[self])
    }
}
