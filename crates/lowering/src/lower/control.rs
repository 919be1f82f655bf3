//! Loops, and the padding and joining that is written piece by piece.

use super::analyse::{self, AxisMap, Source, What};
use super::{Block, Target, block, flatten, internal};
use crate::program::*;
use probpipe_trace::{Op, Result, Scan, Shape, ShapeDisplay};
use smallvec::SmallVec;

impl Block<'_> {
    /// A loop: carries live in buffers of their own, stacked inputs are read and stacked outputs
    /// written at the entry of the step.
    pub(super) fn scan(&mut self, n: usize) -> Result<()> {
        let eqn = self.graph.eqns()[self.nodes[n].eqn].clone();
        let Op::Scan(scan) = &eqn.op else { return Err(internal("a loop that is none")) };
        let Scan { body, consts, carries, length, reverse } = scan;
        let id = LoopId(self.cx.loops);
        self.cx.loops += 1;

        let mut bindings = Vec::with_capacity(eqn.inputs.len());
        for (i, &var) in eqn.inputs.iter().enumerate() {
            let ty = self.graph.ty(var).clone();
            let identity = analyse::identity(ty.rank());
            if i < *consts {
                bindings.push(self.source(var, &identity, ty.rank())?);
            } else if i < consts + carries {
                let out = eqn.outputs[i - consts];
                let carry = self.storage_of(out);
                let init = self.source(var, &identity, ty.rank())?;
                self.copy(&init, &carry, &ty, eqn.location);
                bindings.push(carry);
            } else {
                let whole = self.source(var, &identity, ty.rank())?;
                bindings.push(step(&whole, id, *length, *reverse));
            }
        }
        let mut targets = Vec::with_capacity(eqn.outputs.len());
        for (i, &var) in eqn.outputs.iter().enumerate() {
            let source = self.storage_of(var);
            targets.push(if i < *carries {
                Target { source, carry: Some(consts + i) }
            } else {
                Target { source: step(&source, id, *length, *reverse), carry: None }
            });
        }
        let body = flatten::flatten_calls(body);
        let stmts = block(self.cx, &body, &bindings, &targets)?;
        self.stmts.push(Stmt::Loop(Loop {
            id,
            length: *length,
            body: stmts,
            location: eqn.location,
        }));
        Ok(())
    }

    /// Padding and joining too large for guarded loads.
    pub(super) fn pieces(&mut self, n: usize) -> Result<()> {
        let eqn = self.graph.eqns()[self.nodes[n].eqn].clone();
        let out_ty = self.graph.ty(eqn.outputs[0]).clone();
        let out = self.storage_of(eqn.outputs[0]);
        match &eqn.op {
            Op::Pad { low, interior, .. } => {
                let fill: SmallVec<[AxisMap; 4]> = SmallVec::new();
                let fill = self.source(eqn.inputs[1], &fill, out_ty.rank())?;
                self.copy(&fill, &out, &out_ty, eqn.location);
                let mut inner = out.clone();
                for axis in 0..out_ty.rank() {
                    inner.offset += out.strides[axis] * low[axis] as i64;
                    inner.strides[axis] *= interior[axis] as i64 + 1;
                }
                self.piece(eqn.inputs[0], &inner, eqn.location)
            }
            Op::Concat { axis } => {
                let mut part = out;
                for &var in &eqn.inputs {
                    self.piece(var, &part, eqn.location)?;
                    part.offset += part.strides[*axis] * self.graph.ty(var).shape[*axis] as i64;
                }
                Ok(())
            }
            op => Err(internal(&format!("`{}` is not written in pieces", op.name()))),
        }
    }

    fn piece(
        &mut self,
        var: probpipe_trace::VarId,
        to: &Source,
        location: probpipe_trace::Loc,
    ) -> Result<()> {
        let ty = self.graph.ty(var).clone();
        let from = self.source(var, &analyse::identity(ty.rank()), ty.rank())?;
        self.copy(&from, to, &ty, location);
        Ok(())
    }
}

/// The entry of a stacked array at the step of loop `id`.
fn step(whole: &Source, id: LoopId, length: usize, reverse: bool) -> Source {
    let mut entry = whole.clone();
    if whole.strides.is_empty() {
        debug_assert!(false, "scanned array of shape {}", ShapeDisplay(&Shape::new()));
        return entry;
    }
    let stride = entry.strides.remove(0);
    if matches!(whole.what, What::Literal(_)) || stride == 0 {
        return entry;
    }
    if reverse {
        entry.offset += stride * (length as i64 - 1);
        entry.loops.push((id, -stride));
    } else {
        entry.loops.push((id, stride));
    }
    entry
}
