//! Arrays from numbers as written, from vectors and slices, and from values.

use crate::array::shape::join::stack;
use crate::context::{here, with_location};
use crate::dtype::{DType, Element, Scalar};
use crate::error::{Error, ErrorKind};
use crate::handle::{Array, Repr};
use crate::types::{IntoShape, Loc, Shape};
use crate::value::Value;

impl Array {
    /// An array over a value, as the caller's.
    #[track_caller]
    pub fn from_value(value: Value) -> Array {
        Array::concrete(value, here())
    }

    /// An array of the given shape from elements in row-major order, with exactly the element
    /// type of the data. Invalid when their number does not fit the shape.
    ///
    /// ```
    /// use probpipe_trace::Array;
    /// let m = Array::from_slice(&[1.0f64, 2.0, 3.0, 4.0], [2, 2]);
    /// assert_eq!(m.at(1).to_vec::<f64>()?, [3.0, 4.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn from_slice<T: Element>(data: &[T], shape: impl IntoShape) -> Array {
        let location = here();
        match Value::from_elements(data, &shape.into_shape()) {
            Ok(value) => Array::concrete(value, location),
            Err(error) => Array::invalid(error, location),
        }
    }
}

/// An array from numbers as written: `array(3.0)`, `array([1.0, 2.0])`, `array([[1, 2], [3, 4]])`.
///
/// A number, or nested arrays of `f64`, which is how Rust types plain float literals, take the
/// element type of the array they meet, from the digits written, and are of the default float type
/// (`f32` unless [`crate::with_default_float`] says otherwise) where nothing decides; see
/// [`Array::is_weak`]. A `Vec` or a slice is data and keeps its element type, as
/// [`Array::from_slice`] does.
///
/// ```
/// use probpipe_trace::{Array, array};
/// let data = Array::from(vec![1.0f64, 2.0]);
/// assert_eq!((data * array([0.1, 0.2])).to_vec::<f64>()?, [0.1, 0.4]);
/// assert_eq!(array([0.1, 0.2]).to_vec::<f32>()?, [0.1, 0.2]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "asarray")]
pub fn array(data: impl Into<Array>) -> Array {
    let mut array = data.into();
    array.location = here();
    array
}

impl From<&Array> for Array {
    fn from(array: &Array) -> Array {
        array.clone()
    }
}

/// For lists of references, as in `concat(&[&a, &b], 0)`.
impl From<&&Array> for Array {
    fn from(array: &&Array) -> Array {
        (*array).clone()
    }
}

impl From<Value> for Array {
    #[track_caller]
    fn from(value: Value) -> Array {
        Array::from_value(value)
    }
}

macro_rules! from_number {
    ($($t:ty),*) => {$(
        impl From<$t> for Array {
            #[track_caller]
            fn from(v: $t) -> Array {
                Array { repr: Repr::Literal(Scalar::from(v)), location: here() }
            }
        }
    )*};
}
from_number!(f32, f64, i32, i64, u32, u64, bool);

impl From<usize> for Array {
    #[track_caller]
    fn from(v: usize) -> Array {
        Array { repr: Repr::Literal(Scalar::Int(v as i128)), location: here() }
    }
}

impl<T: Element> From<Vec<T>> for Array {
    #[track_caller]
    fn from(data: Vec<T>) -> Array {
        Array::from_slice(&data, [data.len()])
    }
}

impl<T: Element> From<&[T]> for Array {
    #[track_caller]
    fn from(data: &[T]) -> Array {
        Array::from_slice(data, [data.len()])
    }
}

/// Written-out numbers: `f64`, the type of Rust's float literals, takes the type of what it meets,
/// everything else has its own.
fn written<T: Element + Into<Scalar>>(data: &[T], shape: Shape, location: Loc) -> Array {
    match Value::from_elements(data, &shape) {
        Ok(value) if T::DTYPE == DType::F64 => Array::written(value, location),
        Ok(value) => Array::concrete(value, location),
        Err(error) => Array::invalid(error, location),
    }
}

impl<T: Element + Into<Scalar>, const N: usize> From<[T; N]> for Array {
    #[track_caller]
    fn from(data: [T; N]) -> Array {
        written(&data, Shape::from_slice(&[N]), here())
    }
}

impl<T: Element + Into<Scalar>, const N: usize, const M: usize> From<[[T; N]; M]> for Array {
    #[track_caller]
    fn from(data: [[T; N]; M]) -> Array {
        written(data.as_flattened(), Shape::from_slice(&[M, N]), here())
    }
}

impl<T: Element + Into<Scalar>, const N: usize, const M: usize, const L: usize>
    From<[[[T; N]; M]; L]> for Array
{
    #[track_caller]
    fn from(data: [[[T; N]; M]; L]) -> Array {
        written(data.as_flattened().as_flattened(), Shape::from_slice(&[L, M, N]), here())
    }
}

/// Rows of numbers as data, with an axis in front. Rows of different lengths are an error.
#[track_caller]
fn rows<T: Element>(rows: &[impl AsRef<[T]>]) -> Array {
    let width = rows.first().map_or(0, |row| row.as_ref().len());
    if let Some((i, row)) = rows.iter().enumerate().find(|(_, row)| row.as_ref().len() != width) {
        let message = format!("row {i} has {} numbers and row 0 has {width}", row.as_ref().len());
        let error = Error::new(ErrorKind::Shape, message).help("give all rows one length");
        return Array::invalid(error, here());
    }
    let data: Vec<T> = rows.iter().flat_map(|row| row.as_ref().iter().copied()).collect();
    Array::from_slice(&data, [rows.len(), width])
}

/// A matrix by its rows, as data. Rows of different lengths give an invalid array.
///
/// ```
/// use probpipe_trace::array;
/// let x = array(vec![vec![1.0f64, 2.0], vec![3.0, 4.0]]);
/// assert_eq!(x.shape(), [2, 2]);
/// assert!(array(vec![vec![1.0f64], vec![]]).error().is_some());
/// ```
impl<T: Element> From<Vec<Vec<T>>> for Array {
    #[track_caller]
    fn from(data: Vec<Vec<T>>) -> Array {
        rows(&data)
    }
}

impl<T: Element, const N: usize> From<Vec<[T; N]>> for Array {
    #[track_caller]
    fn from(data: Vec<[T; N]>) -> Array {
        let width = [data.len(), N];
        Array::from_slice(data.as_flattened(), width)
    }
}

/// Numbers as data, with exactly their element type.
///
/// ```
/// use probpipe_trace::Array;
/// let squares: Array = (0..3).map(|i| f64::from(i * i)).collect();
/// assert_eq!(squares.to_vec::<f64>()?, [0.0, 1.0, 4.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
impl<T: Element> FromIterator<T> for Array {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Array {
        Array::from(numbers.into_iter().collect::<Vec<T>>())
    }
}

/// Arrays of one shape along a new leading axis, as [`crate::stack`].
impl FromIterator<Array> for Array {
    fn from_iter<I: IntoIterator<Item = Array>>(arrays: I) -> Array {
        let arrays: Vec<Array> = arrays.into_iter().collect();
        // `Iterator::collect` does not pass its caller's line on.
        let location = arrays.last().map_or_else(here, Array::location);
        with_location(location, || stack(&arrays, 0))
    }
}
