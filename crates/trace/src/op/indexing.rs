//! Type rules of the ops that read or write at computed indices, accumulate along an axis, or sort.

use crate::dtype::DType;
use crate::op::fault::{Fault, Inferred, checked_size};
use crate::types::{ArrayType, Shape, ShapeDisplay};
use smallvec::smallvec;

/// How [`crate::Op::Scatter`] combines what is there with what comes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ScatterOp {
    /// The last update stands.
    Set,
    /// Sum.
    Add,
    /// Product.
    Mul,
    /// Smallest, NaN if any is NaN.
    Min,
    /// Largest, NaN if any is NaN.
    Max,
}

impl ScatterOp {
    /// Every way to combine.
    pub const ALL: [ScatterOp; 5] =
        [ScatterOp::Set, ScatterOp::Add, ScatterOp::Mul, ScatterOp::Min, ScatterOp::Max];

    /// The name in printed graphs.
    pub const fn name(self) -> &'static str {
        match self {
            ScatterOp::Set => "scatter_set",
            ScatterOp::Add => "scatter_add",
            ScatterOp::Mul => "scatter_mul",
            ScatterOp::Min => "scatter_min",
            ScatterOp::Max => "scatter_max",
        }
    }
}

/// How [`crate::Op::Cumulative`] combines elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CumulativeOp {
    /// Running sum.
    Sum,
    /// Running product.
    Prod,
    /// Running maximum, NaN from the first NaN on.
    Max,
    /// Running minimum, NaN from the first NaN on.
    Min,
}

impl CumulativeOp {
    /// Every way to combine.
    pub const ALL: [CumulativeOp; 4] =
        [CumulativeOp::Sum, CumulativeOp::Prod, CumulativeOp::Max, CumulativeOp::Min];

    /// The name in printed graphs.
    pub const fn name(self) -> &'static str {
        match self {
            CumulativeOp::Sum => "cumsum",
            CumulativeOp::Prod => "cumprod",
            CumulativeOp::Max => "cummax",
            CumulativeOp::Min => "cummin",
        }
    }
}

/// The shape of what is read or written: batch axes, index axes, then what is left of `x`.
fn window(name: &str, batch: usize, x: &ArrayType, indices: &[&ArrayType]) -> Result<Shape, Fault> {
    let Some(first) = indices.first() else {
        return Err(Fault::shape(
            format!("`{name}` of {x} has no indices"),
            "give one index array per indexed axis",
        ));
    };
    for index in indices {
        if index.dtype != DType::I32 {
            return Err(Fault::dtype(
                format!("`{name}` of {x} is indexed by {index}"),
                "indices are i32, see `.cast(DType::I32)`",
            ));
        }
        if index.shape != first.shape {
            return Err(Fault::shape(
                format!("`{name}` of {x} has indices {first} and {index}"),
                "index arrays have one shape",
            ));
        }
    }
    let used = batch.saturating_add(indices.len());
    if used > x.rank() || batch > first.rank() || x.shape[..batch] != first.shape[..batch] {
        return Err(Fault::shape(
            format!(
                "`{name}` with {batch} batch axes and {} indices {first} does not fit {x}",
                indices.len()
            ),
            "leading batch extents are equal, and each index array takes one axis more",
        ));
    }
    if x.shape[batch..used].iter().any(|&n| i32::try_from(n).is_err()) {
        return Err(Fault::shape(
            format!("`{name}` cannot index {x}"),
            "indexed extents are below 2^31",
        ));
    }
    let shape: Shape = first.shape.iter().chain(&x.shape[used..]).copied().collect();
    checked_size(&shape)?;
    Ok(shape)
}

pub(super) fn gather(batch: usize, inputs: &[&ArrayType]) -> Inferred {
    let Some((x, indices)) = inputs.split_first() else {
        return Err(Fault::shape("`gather` needs an array", "give an array and its indices"));
    };
    let shape = window("gather", batch, x, indices)?;
    Ok(smallvec![x.with_shape(shape)])
}

pub(super) fn scatter(op: ScatterOp, batch: usize, inputs: &[&ArrayType]) -> Inferred {
    let [x, indices @ .., updates] = inputs else {
        return Err(Fault::shape(
            format!("`{}` needs an array and updates", op.name()),
            "give an array, its indices and the updates",
        ));
    };
    let shape = window(op.name(), batch, x, indices)?;
    if updates.dtype != x.dtype || (op != ScatterOp::Set && !x.dtype.is_number()) {
        return Err(Fault::dtype(
            format!("`{}` does not combine {x} with {updates}", op.name()),
            "both sides are numbers of one element type; any type can be set",
        ));
    }
    if updates.shape != shape {
        return Err(Fault::shape(
            format!(
                "`{}` of {x} takes updates of shape {}, not {updates}",
                op.name(),
                ShapeDisplay(&shape)
            ),
            "updates have the shape of the indices and of the axes not indexed",
        ));
    }
    Ok(smallvec![(*x).clone()])
}

pub(super) fn cumulative(op: CumulativeOp, axis: usize, x: &ArrayType) -> Inferred {
    below_rank(op.name(), axis, x)?;
    if !x.dtype.is_number() {
        return Err(Fault::dtype(
            format!("`{}` accumulates numbers, not {x}", op.name()),
            "convert first with `.cast(DType::I32)`",
        ));
    }
    Ok(smallvec![x.clone()])
}

pub(super) fn sort(axis: usize, num_keys: usize, inputs: &[&ArrayType]) -> Inferred {
    let Some(first) = inputs.first() else {
        return Err(Fault::shape("`sort` needs an array", "give at least one"));
    };
    below_rank("sort", axis, first)?;
    if let Some(other) = inputs.iter().find(|x| x.shape != first.shape) {
        return Err(Fault::shape(
            format!("`sort` cannot sort {other} along with {first}"),
            "arrays that are sorted together have one shape",
        ));
    }
    if !(1..=inputs.len()).contains(&num_keys) {
        return Err(Fault::shape(
            format!("`sort` of {} arrays cannot have {num_keys} keys", inputs.len()),
            "the leading arrays are the keys, one at least",
        ));
    }
    Ok(inputs.iter().map(|x| (*x).clone()).collect())
}

fn below_rank(name: &str, axis: usize, x: &ArrayType) -> Result<(), Fault> {
    if axis < x.rank() {
        return Ok(());
    }
    Err(Fault::axis(
        format!("`{name}` along axis {axis} does not fit {x}"),
        "the axis must be below the rank",
    ))
}
