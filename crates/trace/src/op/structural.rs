//! Type rules of the ops that move, reduce or multiply whole arrays.

use crate::dtype::DType;
use crate::op::fault::{Fault, Inferred, checked_size};
use crate::types::{ArrayType, Axes, Shape, ShapeDisplay, other_axes};
use smallvec::smallvec;

/// How a reduction combines elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReduceOp {
    /// Sum; 0 when empty.
    Sum,
    /// Product; 1 when empty.
    Prod,
    /// Largest, NaN if any is NaN; the least value of the type when empty.
    Max,
    /// Smallest, NaN if any is NaN; the largest value of the type when empty.
    Min,
    /// All true.
    And,
    /// Any true.
    Or,
}

impl ReduceOp {
    /// Every reduction.
    pub const ALL: [ReduceOp; 6] =
        [ReduceOp::Sum, ReduceOp::Prod, ReduceOp::Max, ReduceOp::Min, ReduceOp::And, ReduceOp::Or];

    /// The name in printed graphs.
    pub const fn name(self) -> &'static str {
        match self {
            ReduceOp::Sum => "sum",
            ReduceOp::Prod => "prod",
            ReduceOp::Max => "reduce_max",
            ReduceOp::Min => "reduce_min",
            ReduceOp::And => "all",
            ReduceOp::Or => "any",
        }
    }
}

/// Which axes a [`crate::Op::Dot`] contracts and batches; pairs are in equal positions.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct DotAxes {
    /// Contracted axes of the left operand.
    pub lhs_contract: Axes,
    /// Contracted axes of the right operand.
    pub rhs_contract: Axes,
    /// Batch axes of the left operand.
    pub lhs_batch: Axes,
    /// Batch axes of the right operand.
    pub rhs_batch: Axes,
}

fn ascending_axes(name: &str, axes: &[usize], x: &ArrayType) -> Result<(), Fault> {
    if axes.iter().any(|&a| a >= x.rank()) || axes.windows(2).any(|w| w[0] >= w[1]) {
        return Err(Fault::axis(
            format!("`{name}` over axes {} does not fit {x}", ShapeDisplay(axes)),
            format!("axes are distinct numbers below the rank, {}", x.rank()),
        ));
    }
    Ok(())
}

fn per_axis(name: &str, what: &str, list: &[usize], x: &ArrayType) -> Result<(), Fault> {
    if list.len() != x.rank() {
        return Err(Fault::axis(
            format!("`{name}` has {} {what} for {x}", list.len()),
            format!("give one per axis, {} in all", x.rank()),
        ));
    }
    Ok(())
}

pub(super) fn reduce(op: ReduceOp, axes: &[usize], x: &ArrayType) -> Inferred {
    ascending_axes(op.name(), axes, x)?;
    match op {
        ReduceOp::And | ReduceOp::Or if x.dtype != DType::Bool => {
            return Err(Fault::dtype(
                format!("`{}` reduces bool, not {x}", op.name()),
                "compare first, for example with `.ne(0.0)`",
            ));
        }
        ReduceOp::Sum | ReduceOp::Prod | ReduceOp::Max | ReduceOp::Min
            if x.dtype == DType::Bool =>
        {
            return Err(Fault::dtype(
                format!("`{}` reduces numbers, not {x}", op.name()),
                "convert first with `.cast(DType::I32)`, or use `all` or `any`",
            ));
        }
        _ => {}
    }
    let shape: Shape = other_axes(x.rank(), axes).iter().map(|&a| x.shape[a]).collect();
    Ok(smallvec![x.with_shape(shape)])
}

pub(super) fn broadcast(shape: &Shape, axes: &[usize], x: &ArrayType) -> Inferred {
    per_axis("broadcast", "target axes", axes, x)?;
    let ascending = axes.windows(2).all(|w| w[0] < w[1]);
    let fits =
        axes.iter().zip(&x.shape).all(|(&a, &n)| shape.get(a).is_some_and(|&m| n == m || n == 1));
    if !ascending || !fits {
        return Err(Fault::shape(
            format!("cannot broadcast {x} to shape {}", ShapeDisplay(shape)),
            "extents, aligned at the last axis, must be equal or 1",
        ));
    }
    checked_size(shape)?;
    Ok(smallvec![x.with_shape(shape)])
}

pub(super) fn reshape(shape: &Shape, x: &ArrayType) -> Inferred {
    if checked_size(shape)? != x.size() {
        return Err(Fault::shape(
            format!("cannot reshape {x} to {}", ShapeDisplay(shape)),
            format!(
                "{} elements do not make {}",
                x.size(),
                shape.iter().map(|n| n.to_string()).collect::<Vec<_>>().join(" x ")
            ),
        ));
    }
    Ok(smallvec![x.with_shape(shape)])
}

pub(super) fn transpose(permutation: &[usize], x: &ArrayType) -> Inferred {
    per_axis("transpose", "axes", permutation, x)?;
    let mut sorted: Shape = permutation.into();
    sorted.sort_unstable();
    if sorted.iter().enumerate().any(|(i, &a)| i != a) {
        return Err(Fault::axis(
            format!("{} is not a permutation of the axes of {x}", ShapeDisplay(permutation)),
            "name every axis once",
        ));
    }
    let shape: Shape = permutation.iter().map(|&a| x.shape[a]).collect();
    Ok(smallvec![x.with_shape(shape)])
}

pub(super) fn slice(start: &[usize], limit: &[usize], stride: &[usize], x: &ArrayType) -> Inferred {
    per_axis("slice", "starts", start, x)?;
    per_axis("slice", "limits", limit, x)?;
    per_axis("slice", "strides", stride, x)?;
    let mut shape = Shape::new();
    for axis in 0..x.rank() {
        let (from, to, step) = (start[axis], limit[axis], stride[axis]);
        if from > to || to > x.shape[axis] || step == 0 {
            return Err(Fault::axis(
                format!("slice {from}..{to} by {step} does not fit axis {axis} of {x}"),
                format!("the axis has {} entries; steps are at least 1", x.shape[axis]),
            ));
        }
        shape.push((to - from).div_ceil(step));
    }
    Ok(smallvec![x.with_shape(shape)])
}

pub(super) fn pad(
    low: &[usize],
    high: &[usize],
    interior: &[usize],
    x: &ArrayType,
    value: &ArrayType,
) -> Inferred {
    for (what, list) in [("lows", low), ("highs", high), ("interiors", interior)] {
        per_axis("pad", what, list, x)?;
    }
    if *value != ArrayType::scalar(x.dtype) {
        return Err(Fault::dtype(
            format!("`pad` of {x} fills with a scalar {}, not {value}", x.dtype),
            "give one number of the array's element type",
        ));
    }
    let shape: Shape = (0..x.rank())
        .map(|a| {
            let n = x.shape[a];
            // Saturated extents are refused by `checked_size` below.
            let between = n.saturating_sub(1).saturating_mul(interior[a]);
            n.saturating_add(between).saturating_add(low[a]).saturating_add(high[a])
        })
        .collect();
    checked_size(&shape)?;
    Ok(smallvec![x.with_shape(shape)])
}

pub(super) fn concat(axis: usize, inputs: &[&ArrayType]) -> Inferred {
    let Some(first) = inputs.first() else {
        return Err(Fault::shape("`concat` needs an array", "give at least one"));
    };
    if axis >= first.rank() {
        return Err(Fault::axis(
            format!("`concat` along axis {axis} does not fit {first}"),
            "scalars are joined with `stack`; an axis is below the rank",
        ));
    }
    let mut shape = first.shape.clone();
    shape[axis] = 0;
    for x in inputs {
        let fits = x.dtype == first.dtype
            && x.rank() == first.rank()
            && (0..x.rank()).all(|a| a == axis || x.shape[a] == first.shape[a]);
        if !fits {
            let message = format!("`concat` along axis {axis} cannot join {first} with {x}");
            let help = "element types and all other extents must be equal";
            return Err(if x.dtype == first.dtype {
                Fault::shape(message, help)
            } else {
                Fault::dtype(message, help)
            });
        }
        shape[axis] = shape[axis].saturating_add(x.shape[axis]);
    }
    checked_size(&shape)?;
    Ok(smallvec![first.with_shape(shape)])
}

pub(super) fn reverse(axes: &[usize], x: &ArrayType) -> Inferred {
    ascending_axes("reverse", axes, x)?;
    Ok(smallvec![x.clone()])
}

pub(super) fn iota(ty: &ArrayType, axis: usize) -> Inferred {
    if axis >= ty.rank() {
        return Err(Fault::axis(
            format!("`iota` along axis {axis} does not fit {ty}"),
            "the axis must be below the rank",
        ));
    }
    if !ty.dtype.is_number() {
        return Err(Fault::dtype(format!("`iota` counts in numbers, not {ty}"), "use an integer"));
    }
    checked_size(&ty.shape)?;
    Ok(smallvec![ty.clone()])
}

pub(super) fn dot(axes: &DotAxes, lhs: &ArrayType, rhs: &ArrayType) -> Inferred {
    if lhs.dtype != rhs.dtype || !lhs.dtype.is_number() {
        return Err(Fault::dtype(
            format!("`dot` does not multiply {lhs} with {rhs}"),
            "give both numbers of one element type, see `.cast(..)`",
        ));
    }
    let distinct = |list: &[usize], more: &[usize], rank: usize| {
        let all: Vec<usize> = list.iter().chain(more).copied().collect();
        all.iter().enumerate().all(|(i, a)| *a < rank && !all[..i].contains(a))
    };
    let pairs = |a: &[usize], b: &[usize]| {
        a.len() == b.len() && a.iter().zip(b).all(|(&i, &j)| lhs.shape[i] == rhs.shape[j])
    };
    if !distinct(&axes.lhs_contract, &axes.lhs_batch, lhs.rank())
        || !distinct(&axes.rhs_contract, &axes.rhs_batch, rhs.rank())
        || !pairs(&axes.lhs_contract, &axes.rhs_contract)
        || !pairs(&axes.lhs_batch, &axes.rhs_batch)
    {
        return Err(Fault::shape(
            format!(
                "`dot` of {lhs} and {rhs} cannot contract axes {} with {}",
                ShapeDisplay(&axes.lhs_contract),
                ShapeDisplay(&axes.rhs_contract)
            ),
            "contracted and batched extents must be equal in pairs",
        ));
    }
    let free = |ty: &ArrayType, contract: &[usize], batch: &[usize]| -> Vec<usize> {
        (0..ty.rank())
            .filter(|a| !contract.contains(a) && !batch.contains(a))
            .map(|a| ty.shape[a])
            .collect()
    };
    let mut shape: Shape = axes.lhs_batch.iter().map(|&a| lhs.shape[a]).collect();
    shape.extend(free(lhs, &axes.lhs_contract, &axes.lhs_batch));
    shape.extend(free(rhs, &axes.rhs_contract, &axes.rhs_batch));
    checked_size(&shape)?;
    Ok(smallvec![lhs.with_shape(shape)])
}
