//! Gathers as loads at computed indices inside kernels; scatters, running reductions and sorts as
//! library calls on row-major arrays.

#![deny(clippy::wildcard_enum_match_arm)]

use super::exprs::{Exprs, Layout};
use super::kinds::{AxisMap, Kind, Source, What, identity, is_identity};
use super::{Block, internal};
use crate::program::*;
use probpipe_trace::eval::{IndexedDims, around};
use probpipe_trace::{BinaryOp, CompareOp, DType, Loc, Op, Result, Scalar, VarId};
use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};

impl Block<'_> {
    /// `select(all indices inside, load at (batch, indices, rest), 0)`; the load is of element 0
    /// of an axis where the index is outside, so it is always valid. Indices that are known to be
    /// inside are not looked at.
    pub(super) fn gather(
        &self,
        x: &mut Exprs,
        layout: &Layout,
        values: &FxHashMap<VarId, ExprId>,
        n: usize,
        batch: usize,
    ) -> Result<ExprId> {
        let node = &self.nodes[n];
        let eqn = &self.graph.eqns()[node.eqn];
        let (array, indices) = (eqn.inputs[0], &eqn.inputs[1..]);
        let ty = self.graph.ty(array).clone();
        let zero = x.literal(Scalar::Int(0), ty.dtype);
        if ty.size() == 0 {
            return Ok(zero);
        }
        let mut inside: Option<ExprId> = None;
        let mut places: SmallVec<[ExprId; 2]> = SmallVec::new();
        for (k, &index) in indices.iter().enumerate() {
            let map = identity(self.graph.ty(index).rank());
            let i = self.read(x, layout, values, n, index, &map, None)?;
            if self.known_below(index, ty.shape[batch + k])? {
                places.push(i);
                continue;
            }
            // One unsigned comparison refuses negative indices as well.
            let unsigned = x.push(Expr::Bitcast(i), DType::U32);
            let extent = x.literal(Scalar::Int(ty.shape[batch + k] as i128), DType::U32);
            let test = x.push(Expr::Compare(CompareOp::Lt, unsigned, extent), DType::Bool);
            let first = x.literal(Scalar::Int(0), DType::I32);
            places.push(x.push(Expr::Select(test, i, first), DType::I32));
            inside = Some(match inside {
                Some(all) => x.push(Expr::Binary(BinaryOp::And, all, test), DType::Bool),
                None => test,
            });
        }

        let leading = self.graph.ty(indices[0]).rank();
        let map: SmallVec<[AxisMap; 4]> = (0..ty.rank())
            .map(|a| match a {
                a if a < batch => AxisMap::same(a),
                a if a < batch + places.len() => AxisMap::ZERO,
                a => AxisMap::same(leading + a - batch - places.len()),
            })
            .collect();
        let (base, chased) = self.chase(array, &smallvec_zeros(ty.rank()));
        let held = values.get(&base).copied();
        let value = match held {
            // One element, which this kernel computes at its one point.
            Some(id) if is_identity(self.graph, node, base, &chased) => id,
            _ => {
                let whole = self.source(array, &identity(ty.rank()), ty.rank())?;
                let steps = &whole.strides[batch..batch + places.len()];
                let at: SmallVec<[(ExprId, i64); 2]> = places
                    .iter()
                    .zip(steps)
                    .filter(|(_, step)| **step != 0)
                    .map(|(place, step)| (*place, *step))
                    .collect();
                let affine = whole.through(&map, node.domain.len());
                let index = layout.index(&affine, &node.domain);
                self.load_at(x, &whole, index, at, ty.dtype)
            }
        };
        let Some(inside) = inside else { return Ok(value) };
        Ok(x.push(Expr::Select(inside, value, zero), ty.dtype))
    }

    /// Whether an index is data of the program of which all numbers are at least 0 and below `n`.
    fn known_below(&self, index: VarId, n: usize) -> Result<bool> {
        let (base, _) = self.chase(index, &identity(self.graph.ty(index).rank()));
        let Kind::Source(Source { what: What::Buffer(buffer), .. }) = self.kinds[base.index()]
        else {
            return Ok(false);
        };
        let Place::Const(value) = &self.cx.buffers[buffer.0 as usize].place else {
            return Ok(false);
        };
        let list = value.to_host()?;
        let (list, _) = list.bytes().as_chunks();
        Ok(list.iter().all(|i| usize::try_from(i32::from_ne_bytes(*i)).is_ok_and(|i| i < n)))
    }

    fn load_at(
        &self,
        x: &mut Exprs,
        source: &Source,
        index: IndexMap,
        at: SmallVec<[(ExprId, i64); 2]>,
        dtype: DType,
    ) -> ExprId {
        match source.what {
            What::Literal(scalar) => x.literal(scalar, dtype),
            What::Buffer(buffer) => x.push(Expr::LoadAt { buffer, index, at }, dtype),
            // The index is the value.
            What::Index => {
                let mut sum = x.push(Expr::Index(index), dtype);
                for (place, step) in at {
                    let same = dtype == DType::I32;
                    let place = if same { place } else { x.push(Expr::Cast(place), dtype) };
                    let step = x.literal(Scalar::Int(i128::from(step)), dtype);
                    let term = x.binary(BinaryOp::Mul, place, step);
                    sum = x.binary(BinaryOp::Add, sum, term);
                }
                sum
            }
        }
    }

    /// The library call of a scatter, a running reduction, a sort or a special function.
    pub(super) fn indexing_call(
        &mut self,
        op: &Op,
        inputs: &[VarId],
        outputs: &[VarId],
        location: Loc,
    ) -> Result<LibraryCall> {
        let mut views = inputs
            .iter()
            .map(|&v| linear(&self.matrices(v, location)?))
            .collect::<Result<Vec<View>>>()?;
        let mut results =
            outputs.iter().map(|&v| linear(&self.storage_of(v))).collect::<Result<Vec<View>>>()?;
        let out = results.first().cloned().ok_or_else(|| internal("a call without results"))?;
        Ok(match op {
            Op::Scatter { op, batch } => {
                let (array, index) = (self.graph.ty(inputs[0]), self.graph.ty(inputs[1]));
                let dims = IndexedDims::new(*batch, array, inputs.len() - 2, index);
                let updates = views.pop().ok_or_else(|| internal("a scatter without updates"))?;
                LibraryCall::Scatter {
                    op: *op,
                    dims,
                    input: views.remove(0),
                    indices: views,
                    updates,
                    out,
                }
            }
            Op::Cumulative { op, axis, reverse } => LibraryCall::Cumulative {
                op: *op,
                extents: around(&self.graph.ty(inputs[0]).shape, *axis),
                reverse: *reverse,
                input: views.remove(0),
                out,
            },
            Op::Sort { axis, num_keys } => LibraryCall::Sort {
                extents: around(&self.graph.ty(inputs[0]).shape, *axis),
                num_keys: *num_keys,
                inputs: views,
                outputs: std::mem::take(&mut results),
            },
            Op::Special(op) => LibraryCall::Special {
                op: *op,
                size: self.graph.ty(inputs[0]).size(),
                inputs: views,
                out,
            },
            Op::Callback(callback) => LibraryCall::Callback {
                callback: callback.clone(),
                inputs: views,
                outputs: std::mem::take(&mut results),
            },
            op @ (Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Select
            | Op::Cast(_)
            | Op::Bitcast(_)
            | Op::Threefry2x32
            | Op::Reduce { .. }
            | Op::Broadcast { .. }
            | Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::Slice { .. }
            | Op::Pad { .. }
            | Op::Concat { .. }
            | Op::Reverse { .. }
            | Op::Iota { .. }
            | Op::Gather { .. }
            | Op::Dot(_)
            | Op::Linalg(_)
            | Op::Call { .. }
            | Op::Scan(_)
            | Op::Checkpoint { .. }
            | Op::Custom(_)
            | Op::Switch(_)
            | Op::While(_)) => {
                return Err(internal(&format!("`{}` is no library call", op.name())));
            }
        })
    }
}

fn smallvec_zeros(rank: usize) -> SmallVec<[AxisMap; 4]> {
    smallvec![AxisMap::ZERO; rank]
}

/// A row-major array, element after element.
pub(super) fn linear(source: &Source) -> Result<View> {
    let What::Buffer(buffer) = source.what else {
        return Err(internal("a library call on no buffer"));
    };
    let index = IndexMap { offset: source.offset, axes: smallvec![1], loops: source.loops.clone() };
    Ok(View { buffer, index })
}
