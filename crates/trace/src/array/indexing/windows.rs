//! Reading and updating windows of one size at computed places: XLA's gather and scatter, with
//! their numbering of axes. `take`, `at_indices` and `index` say the common cases in fewer words.

use crate::array::elementwise::arithmetic::select;
use crate::array::indexing::gather::{OutOfRange, fill_value};
use crate::array::make::fill::iota;
use crate::context::here;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;
use crate::op::Op;
use crate::op::indexing::ScatterOp;
use crate::tracing::bind1;
use crate::types::{ArrayType, Axes, Shape, other_axes};

/// How windows of an array and the axes of a result belong together. The last axis of the array
/// of starts holds the coordinates of one window; its other axes are batch axes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WindowAxes {
    /// The axes of the result (of the updates, in a scatter) that run over the window, in the
    /// order of the array's axes; the others are the batch axes.
    pub offset: Vec<usize>,
    /// The axes of the array, along which windows have extent 1, that the result does not have.
    pub collapsed: Vec<usize>,
    /// The axis of the array that each coordinate of a start belongs to.
    pub starts: Vec<usize>,
}

/// Where the elements of all windows are.
struct Located {
    /// The axes of the array that are indexed.
    axes: Axes,
    /// The indices along them, over batch axes and then the indexed axes of a window.
    indices: Vec<Array>,
    /// Over the batch axes, whether a window lies inside; nothing to ask if all are held there.
    inside: Option<Array>,
    /// Batch axes.
    batch: usize,
}

#[track_caller]
fn fault(message: String) -> Error {
    Error::new(ErrorKind::Shape, message).at(here()).help(
        "windows are not larger than the array, collapsed axes have extent 1, and the axes named \
         are different axes of the array and of the result",
    )
}

/// Whether all are below a limit and in ascending or at least in any order without repetition.
fn distinct(axes: &[usize], rank: usize) -> bool {
    axes.iter().enumerate().all(|(i, a)| *a < rank && !axes[..i].contains(a))
}

#[track_caller]
fn locate(
    x: &ArrayType,
    starts: &Array,
    axes: &WindowAxes,
    sizes: &[usize],
    mode: OutOfRange,
) -> Result<Located> {
    let ty = starts.ty()?;
    let coordinates = ty.shape.last().copied();
    let fits = coordinates == Some(axes.starts.len())
        && distinct(&axes.starts, x.rank())
        && distinct(&axes.collapsed, x.rank())
        && sizes.len() == x.rank()
        && sizes.iter().zip(&x.shape).all(|(s, n)| s <= n)
        && axes.collapsed.iter().all(|&a| sizes[a] == 1)
        && axes.offset.len() + axes.collapsed.len() == x.rank()
        && distinct(&axes.offset, ty.rank() - 1 + axes.offset.len());
    if !fits || ty.dtype != DType::I32 {
        return Err(fault(format!(
            "windows of shape {sizes:?} at {ty} with {axes:?} do not fit {x}"
        )));
    }
    let batch = ty.rank() - 1;
    let moving = |a: &usize| axes.starts.contains(a) || sizes[*a] != x.shape[*a];
    let indexed: Axes = (0..x.rank()).filter(moving).collect();
    let mut shape = Shape::from_slice(&ty.shape[..batch]);
    shape.extend(indexed.iter().map(|&a| sizes[a]));
    let mut indices = Vec::with_capacity(indexed.len());
    let mut inside: Option<Array> = None;
    for (i, &a) in indexed.iter().enumerate() {
        let steps = iota(&ArrayType::new(DType::I32, &shape), batch + i);
        let Some(k) = axes.starts.iter().position(|&s| s == a) else {
            indices.push(steps);
            continue;
        };
        let mut start = starts.at_axis(-1, k as isize);
        let last = i32::try_from(x.shape[a] - sizes[a]).unwrap_or(i32::MAX);
        match mode {
            OutOfRange::Clamp => start = start.clip(0, last),
            OutOfRange::Wrap => start = start.modulo(last.saturating_add(1)),
            OutOfRange::Fill => {
                let here = start.ge(0) & start.le(last);
                inside = Some(match inside {
                    Some(inside) => inside & here,
                    None => here,
                });
            }
        }
        indices.push(spread(&start, &shape) + steps);
    }
    Ok(Located { axes: indexed, indices, inside, batch })
}

/// An array over the leading axes of a shape, the same along the others.
#[track_caller]
fn spread(x: &Array, shape: &[usize]) -> Array {
    let axes = (0..x.rank()).collect();
    bind1(Op::Broadcast { shape: shape.into(), axes }, &[x])
}

impl Array {
    /// Windows of extents `sizes` that begin at `starts`, an `i32` array whose last axis holds the
    /// coordinates. Negative starts do not count from the end. What `mode` says holds for whole
    /// windows: they are moved inside, or filled with NaN.
    ///
    /// ```
    /// use probpipe_trace::{array, OutOfRange, WindowAxes};
    /// let x = array([1.0, 2.0, 3.0, 4.0]);
    /// let axes = WindowAxes { offset: vec![1], collapsed: vec![], starts: vec![0] };
    /// let pairs = x.gather_windows(&array([[0], [9]]), &axes, &[2], OutOfRange::Clamp);
    /// assert_eq!(pairs.to_vec::<f32>()?, [1.0, 2.0, 3.0, 4.0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "lax.gather")]
    pub fn gather_windows(
        &self,
        starts: &Array,
        axes: &WindowAxes,
        sizes: &[usize],
        mode: OutOfRange,
    ) -> Array {
        let located = self.ty().and_then(|ty| locate(&ty, starts, axes, sizes, mode));
        let located = match located {
            Ok(located) => located,
            Err(error) => return Array::invalid(error, here()),
        };
        let batch = located.batch;
        let rest = other_axes(self.rank(), &located.axes);
        let permutation: Axes = located.axes.iter().chain(&rest).copied().collect();
        let x = bind1(Op::Transpose { permutation: permutation.clone() }, &[self]);
        let mut read = if located.indices.is_empty() {
            let mut shape = Shape::from_slice(&starts.shape()[..batch]);
            shape.extend_from_slice(x.shape());
            x.broadcast_to(shape)
        } else {
            x.at_indices(&located.indices).get()
        };
        if let Some(inside) = &located.inside {
            let filled = select(&spread(inside, read.shape()), &read, fill_value(self));
            read = filled;
        }
        // From (batch, indexed axes, the rest) to the order of the result: first the axes of the
        // window in the array's order, without those that collapse.
        let kept = other_axes(self.rank(), &axes.collapsed);
        let mut shape = Shape::from_slice(&read.shape()[..batch.min(read.rank())]);
        shape.extend(permutation.iter().filter(|a| kept.contains(a)).map(|&a| sizes[a]));
        let read = read.reshape(shape);
        let window: Axes = permutation.iter().copied().filter(|a| kept.contains(a)).collect();
        let from_window =
            |k: usize| batch + window.iter().position(|&a| a == kept[k]).unwrap_or_default();
        let mut batches = 0..batch;
        let order: Axes = (0..batch + kept.len())
            .map(|i| match axes.offset.iter().filter(|&&o| o < i).count() {
                k if axes.offset.contains(&i) => from_window(k),
                _ => batches.next().unwrap_or_default(),
            })
            .collect();
        bind1(Op::Transpose { permutation: order }, &[&read])
    }

    /// The array with windows that begin at `starts` combined with `updates`, whose axes belong to
    /// the array's as in [`Array::gather_windows`]. Windows that reach out of the array are moved
    /// inside with [`OutOfRange::Clamp`], else they change nothing.
    #[track_caller]
    #[doc(alias = "lax.scatter")]
    #[doc(alias = "lax.scatter_add")]
    #[doc(alias = "lax.scatter_mul")]
    #[doc(alias = "lax.scatter_min")]
    #[doc(alias = "lax.scatter_max")]
    pub fn scatter_windows(
        &self,
        op: ScatterOp,
        starts: &Array,
        updates: &Array,
        axes: &WindowAxes,
        mode: OutOfRange,
    ) -> Array {
        let located = (|| {
            let (ty, update) = (self.ty()?, updates.ty()?);
            if !distinct(&axes.offset, update.rank())
                || !distinct(&axes.collapsed, ty.rank())
                || axes.offset.len() + axes.collapsed.len() != ty.rank()
                || update.rank() + 1 != axes.offset.len() + starts.rank()
            {
                return Err(fault(format!("updates {update} with {axes:?} do not fit {ty}")));
            }
            let kept = other_axes(ty.rank(), &axes.collapsed);
            let mut offset = axes.offset.clone();
            offset.sort_unstable();
            let mut sizes = vec![1; ty.rank()];
            kept.iter().zip(&offset).for_each(|(&a, &o)| sizes[a] = update.shape[o]);
            Ok((locate(&ty, starts, axes, &sizes, mode)?, kept, offset, sizes))
        })();
        let (located, kept, offset, sizes) = match located {
            Ok(located) => located,
            Err(error) => return Array::invalid(error, here()),
        };
        let rest = other_axes(self.rank(), &located.axes);
        let permutation: Axes = located.axes.iter().chain(&rest).copied().collect();
        // Updates to (batch, indexed axes, the rest).
        let from = |a: usize| kept.iter().position(|&k| k == a).map(|k| offset[k]);
        let order: Axes = other_axes(updates.rank(), &offset)
            .into_iter()
            .chain(permutation.iter().filter_map(|&a| from(a)))
            .collect();
        let mut shape = Shape::from_slice(&starts.shape()[..located.batch]);
        shape.extend(permutation.iter().map(|&a| sizes[a]));
        let updates = bind1(Op::Transpose { permutation: order }, &[updates]).reshape(shape);
        let x = bind1(Op::Transpose { permutation: permutation.clone() }, &[self]);
        let indices: Vec<Array> = match &located.inside {
            // An index below zero is nowhere.
            Some(inside) => {
                located.indices.iter().map(|i| select(&spread(inside, i.shape()), i, -1)).collect()
            }
            None => located.indices,
        };
        if indices.is_empty() {
            // Every window is the whole array; XLA allows it and nobody means it.
            return Array::invalid(fault(format!("{axes:?} moves no axis of the array")), here());
        }
        let mut operands = vec![&x];
        operands.extend(&indices);
        operands.push(&updates);
        let written = bind1(Op::Scatter { op, batch: 0 }, &operands);
        let mut back = permutation.clone();
        permutation.iter().enumerate().for_each(|(i, &a)| back[a] = i);
        bind1(Op::Transpose { permutation: back }, &[&written])
    }
}
