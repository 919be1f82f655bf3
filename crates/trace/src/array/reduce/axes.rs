//! Which axes a reduction goes over and whether they stay in the shape, as users write it and as
//! reductions use it.

use crate::array::shape::reshape::resolve_axes;
use crate::context::{here, with_location};
use crate::error::Result;
use crate::handle::Array;
use crate::types::{Axes, Shape};
use std::ops::RangeFull;

/// Axes to reduce that stay in the shape as extents of 1, so that the result broadcasts against
/// what was reduced: NumPy's `keepdims`.
///
/// ```
/// use probpipe_trace::{Keep, array};
/// let x = array([[1.0, 3.0], [2.0, 8.0]]);
/// assert_eq!(x.max_axes(Keep(1)).shape(), [2, 1]);
/// assert_eq!(x.sum_axes(Keep(..)).shape(), [1, 1]);
/// assert_eq!((&x / x.max_axes(Keep(0))).to_vec::<f32>()?, [0.5, 0.375, 1.0, 1.0]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[doc(alias = "keepdims")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep<A>(pub A);

/// Axes as [`IntoAxes`] gives them, not yet checked against an array.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OverAxes {
    /// The axes, negative ones counted from the last; `None` for all.
    pub axes: Option<Vec<isize>>,
    /// Whether they stay as extents of 1.
    pub keep: bool,
}

/// What can be given where axes to reduce are asked for: one, several, `..` for all, and any of
/// these as [`Keep`]. Negative ones count from the last.
///
/// Every reduction has two names: `x.sum()` takes all elements, `x.sum_axes(axes)` goes over the
/// axes named. What the plain form takes comes before the axes (`x.quantile_axes(0.9, 1)`), what
/// it takes for granted after them (`x.var_axes(.., 1)` divides by one less than `x.var()`).
///
/// ```
/// use probpipe_trace::{Keep, array};
/// let x = array([[1.0, 2.0], [3.0, 6.0]]);
/// assert_eq!(x.sum_axes(0).to_vec::<f32>()?, [4.0, 8.0]);
/// assert_eq!(x.sum_axes([0, 1]).item::<f32>()?, 12.0);
/// assert_eq!(x.mean_axes(Keep(-1)).shape(), [2, 1]);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
pub trait IntoAxes {
    /// The axes.
    fn into_axes(self) -> OverAxes;
}

impl IntoAxes for isize {
    fn into_axes(self) -> OverAxes {
        OverAxes { axes: Some(vec![self]), keep: false }
    }
}

impl IntoAxes for RangeFull {
    fn into_axes(self) -> OverAxes {
        OverAxes { axes: None, keep: false }
    }
}

impl<const N: usize> IntoAxes for [isize; N] {
    fn into_axes(self) -> OverAxes {
        OverAxes { axes: Some(self.to_vec()), keep: false }
    }
}

impl<const N: usize> IntoAxes for &[isize; N] {
    fn into_axes(self) -> OverAxes {
        OverAxes { axes: Some(self.to_vec()), keep: false }
    }
}

impl IntoAxes for &[isize] {
    fn into_axes(self) -> OverAxes {
        OverAxes { axes: Some(self.to_vec()), keep: false }
    }
}

impl IntoAxes for Vec<isize> {
    fn into_axes(self) -> OverAxes {
        OverAxes { axes: Some(self), keep: false }
    }
}

impl IntoAxes for &Vec<isize> {
    fn into_axes(self) -> OverAxes {
        OverAxes { axes: Some(self.clone()), keep: false }
    }
}

impl IntoAxes for OverAxes {
    fn into_axes(self) -> OverAxes {
        self
    }
}

impl<A: IntoAxes> IntoAxes for Keep<A> {
    fn into_axes(self) -> OverAxes {
        OverAxes { keep: true, ..self.0.into_axes() }
    }
}

/// Axes of one array, from 0 and ascending.
pub(crate) struct Over {
    pub(crate) axes: Axes,
    keep: bool,
}

impl Over {
    /// Checks axes against the array that `name` reduces.
    #[track_caller]
    pub(crate) fn new(name: &str, x: &Array, axes: impl IntoAxes) -> Result<Over> {
        let OverAxes { axes, keep } = axes.into_axes();
        let axes = match axes {
            Some(axes) => resolve_axes(name, x, &axes)?,
            None => {
                x.ty()?;
                (0..x.rank()).collect()
            }
        };
        Ok(Over { axes, keep })
    }

    /// How many elements make one of the result.
    pub(crate) fn count(&self, x: &Array) -> usize {
        self.axes.iter().map(|&a| x.shape()[a]).product()
    }

    /// The shape of `x` with the axes as extents of 1.
    fn kept(&self, x: &Array) -> Shape {
        let mut shape = Shape::from_slice(x.shape());
        self.axes.iter().for_each(|&a| shape[a] = 1);
        shape
    }

    /// What was reduced over the axes, to broadcast against `x`.
    #[track_caller]
    pub(crate) fn back(&self, x: &Array, reduced: &Array) -> Array {
        reduced.reshape(self.kept(x))
    }

    /// What was reduced over the axes, in the shape that the user asked for; axes in front of
    /// those of `x` stay.
    #[track_caller]
    fn finish(&self, x: &Array, reduced: Array) -> Array {
        if !self.keep || reduced.error().is_some() {
            return reduced;
        }
        let lead = reduced.rank().saturating_sub(x.rank() - self.axes.len());
        let mut shape = Shape::from_slice(&reduced.shape()[..lead]);
        shape.extend(self.kept(x));
        reduced.reshape(shape)
    }
}

/// A reduction of `x`, whose axes `of` lets vanish.
#[track_caller]
pub(crate) fn reduced(
    name: &str,
    x: &Array,
    axes: impl IntoAxes,
    of: impl FnOnce(&Array, &Over) -> Array,
) -> Array {
    let location = here();
    match Over::new(name, x, axes) {
        // The caller's line does not reach into closures by itself.
        Ok(over) => with_location(location, || over.finish(x, of(x, &over))),
        Err(error) => Array::invalid(error, location),
    }
}

/// Two methods for each reduction that takes nothing else: over all elements, and over axes.
macro_rules! reductions {
    ($($(#[$doc:meta])* $all:ident $some:ident $of:expr;)*) => {
        impl crate::handle::Array {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $all(&self) -> crate::handle::Array {
                $crate::array::reduce::axes::reduced(stringify!($all), self, .., $of)
            }

            #[doc = concat!("[`Array::", stringify!($all), "`] over the given axes: `1`, `[0, -1]`,")]
            /// `..` for all. They vanish from the shape, or stay as extents of 1 under
            /// [`Keep`](crate::Keep).
            #[track_caller]
            pub fn $some(
                &self,
                axes: impl $crate::array::reduce::axes::IntoAxes,
            ) -> crate::handle::Array {
                $crate::array::reduce::axes::reduced(stringify!($all), self, axes, $of)
            }
        )*}
    };
}
pub(crate) use reductions;
