//! Shapes and array types, and the arithmetic on shapes that every layer shares.

use crate::dtype::DType;
use smallvec::SmallVec;
use std::fmt;
use std::hash::{Hash, Hasher};

/// Extents along each axis, outermost first. Rank 0 is a scalar.
pub type Shape = SmallVec<[usize; 4]>;

/// A list of axes.
pub type Axes = SmallVec<[usize; 4]>;

/// Where in the user's source something was written.
pub type Loc = &'static std::panic::Location<'static>;

/// Whether a line is of the standard library: an operation that was handed over as a function, as
/// in `.map(Array::cholesky)`, is called from there, and the user's line is not known.
pub(crate) fn is_foreign(location: Loc) -> bool {
    // `/rustc/HASH/library/core/src/..`, or below the folder of a toolchain with its sources.
    let file = location.file().replace('\\', "/");
    ["core", "alloc", "std"].iter().any(|part| file.contains(&format!("/library/{part}/src/")))
}

/// Element type and shape of an array: all that is known of it before it has a value.
#[derive(Eq)]
pub struct ArrayType {
    /// The element type.
    pub dtype: DType,
    /// The extents.
    pub shape: Shape,
}

impl PartialEq for ArrayType {
    #[inline]
    fn eq(&self, other: &ArrayType) -> bool {
        // Extent by extent: shapes are too short for a call of `memcmp`.
        self.dtype == other.dtype
            && self.shape.len() == other.shape.len()
            && self.shape.iter().zip(&other.shape).all(|(a, b)| a == b)
    }
}

impl Hash for ArrayType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.dtype.hash(state);
        self.shape.hash(state);
    }
}

impl Clone for ArrayType {
    #[inline]
    fn clone(&self) -> ArrayType {
        // Copies words; the clone of a `SmallVec` goes element by element.
        ArrayType { dtype: self.dtype, shape: Shape::from_slice(&self.shape) }
    }
}

impl ArrayType {
    /// A type from its parts.
    pub fn new(dtype: DType, shape: impl IntoShape) -> ArrayType {
        ArrayType { dtype, shape: shape.into_shape() }
    }

    /// The type of a scalar.
    pub fn scalar(dtype: DType) -> ArrayType {
        ArrayType { dtype, shape: Shape::new() }
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// Size of the data in bytes.
    pub fn bytes(&self) -> usize {
        self.size() * self.dtype.size()
    }

    /// The same shape with another element type.
    pub fn with_dtype(&self, dtype: DType) -> ArrayType {
        ArrayType { dtype, shape: self.shape.clone() }
    }

    /// The same element type with another shape.
    pub fn with_shape(&self, shape: impl IntoShape) -> ArrayType {
        ArrayType { dtype: self.dtype, shape: shape.into_shape() }
    }
}

impl fmt::Display for ArrayType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype, ShapeDisplay(&self.shape))
    }
}

impl fmt::Debug for ArrayType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Prints extents or axes as `[2,3]`.
pub struct ShapeDisplay<'a>(pub &'a [usize]);

impl fmt::Debug for ShapeDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ShapeDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, n) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{n}")?;
        }
        f.write_str("]")
    }
}

/// What can be given where a shape is asked for: `[2, 3]`, `3`, `()`, a slice, a vector, a
/// [`Shape`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a shape",
    label = "not a shape",
    note = "a shape is made of `usize`: `[2, 3]`, `n` for one axis, `()` for a scalar, a slice, a `Vec<usize>`"
)]
pub trait IntoShape {
    /// The shape.
    fn into_shape(self) -> Shape;
}

impl IntoShape for () {
    fn into_shape(self) -> Shape {
        Shape::new()
    }
}

impl IntoShape for usize {
    fn into_shape(self) -> Shape {
        smallvec::smallvec![self]
    }
}

impl<const N: usize> IntoShape for [usize; N] {
    fn into_shape(self) -> Shape {
        Shape::from_slice(&self)
    }
}

impl<const N: usize> IntoShape for &[usize; N] {
    fn into_shape(self) -> Shape {
        Shape::from_slice(self)
    }
}

impl IntoShape for &[usize] {
    fn into_shape(self) -> Shape {
        Shape::from_slice(self)
    }
}

impl IntoShape for Vec<usize> {
    fn into_shape(self) -> Shape {
        Shape::from_vec(self)
    }
}

impl IntoShape for Shape {
    fn into_shape(self) -> Shape {
        self
    }
}

impl IntoShape for &Shape {
    fn into_shape(self) -> Shape {
        self.clone()
    }
}

/// Extents of which one may be -1, what the others leave: the argument of `reshape`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extents(SmallVec<[i128; 4]>);

/// What can be given where extents with a free one are asked for: all that a shape can be, also in
/// signed integers.
pub trait IntoExtents {
    /// The extents.
    fn into_extents(self) -> Extents;
}

impl IntoExtents for () {
    fn into_extents(self) -> Extents {
        Extents(SmallVec::new())
    }
}

impl IntoExtents for Shape {
    fn into_extents(self) -> Extents {
        self[..].into_extents()
    }
}

impl IntoExtents for &Shape {
    fn into_extents(self) -> Extents {
        self[..].into_extents()
    }
}

// With several integer types a literal such as `[2, 3]` falls back to `i32`, so that one is here.
macro_rules! into_extents {
    ($($int:ident)*) => {$(
        impl IntoExtents for $int {
            fn into_extents(self) -> Extents {
                [self].into_extents()
            }
        }

        impl<const N: usize> IntoExtents for [$int; N] {
            fn into_extents(self) -> Extents {
                self[..].into_extents()
            }
        }

        impl<const N: usize> IntoExtents for &[$int; N] {
            fn into_extents(self) -> Extents {
                self[..].into_extents()
            }
        }

        impl IntoExtents for &[$int] {
            fn into_extents(self) -> Extents {
                Extents(self.iter().map(|&n| n as i128).collect())
            }
        }

        impl IntoExtents for Vec<$int> {
            fn into_extents(self) -> Extents {
                self[..].into_extents()
            }
        }
    )*};
}
into_extents!(usize isize i32);

impl Extents {
    /// The shape of `size` elements; else what is wrong with the extents, and what to do.
    pub(crate) fn resolve(&self, size: usize) -> Result<Shape, (String, &'static str)> {
        let to = || format!("to {:?}", &self.0[..]);
        let free = self.0.iter().filter(|&&n| n == -1).count();
        if free > 1 || self.0.iter().any(|&n| n < -1) {
            return Err((to(), "extents are not negative, but for one that may be -1"));
        }
        let rest = self.0.iter().filter(|&&n| n != -1).fold(1i128, |p, &n| p.saturating_mul(n));
        let left = match (free, size as i128) {
            (0, _) => 0,
            (_, size) if rest != 0 && size % rest == 0 => size / rest,
            (_, size) => {
                let message = format!("{} leaves no whole extent for -1: {size} elements", to());
                return Err((message, "the other extents must divide the number of elements"));
            }
        };
        Ok(self.0.iter().map(|&n| if n == -1 { left as usize } else { n as usize }).collect())
    }
}

/// Row-major strides, in elements.
pub fn row_major_strides(shape: &[usize]) -> Shape {
    let mut strides: Shape = smallvec::smallvec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// The shape that two shapes broadcast to, aligned at their last axes; `None` if they do not.
pub fn broadcast_shapes(a: &[usize], b: &[usize]) -> Option<Shape> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], i: usize| (i + s.len()).checked_sub(rank).map_or(1, |k| s[k]);
    (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

/// The axes of `0..rank` that are not in `axes`, in order.
pub fn other_axes(rank: usize, axes: &[usize]) -> Axes {
    (0..rank).filter(|a| !axes.contains(a)).collect()
}
