//! Loops and branches, and the padding and joining that is written piece by piece.

use super::kinds::{self, AxisMap, Source, What};
use super::{Block, Target, block, flatten, internal};
use crate::program::{self, Branch, Loop, LoopId, Stmt};
use probpipe_trace::{ArrayType, DType, Eqn, Op, Result, Scan, Shape, ShapeDisplay, Switch, While};
use smallvec::SmallVec;

impl Block<'_> {
    /// A loop or a branch.
    pub(super) fn control(&mut self, n: usize) -> Result<()> {
        let eqn = self.graph.eqns()[self.nodes[n].eqn].clone();
        match &eqn.op {
            Op::Scan(scan) => self.scan(scan, &eqn),
            Op::Switch(switch) => self.switch(switch, &eqn),
            Op::While(w) => self.while_loop(w, &eqn),
            op => Err(internal(&format!("`{}` is neither loop nor branch", op.name()))),
        }
    }

    /// A branch: each writes the results where they live, which may be where an operand does.
    fn switch(&mut self, switch: &Switch, eqn: &Eqn) -> Result<()> {
        let place = self.buffer_of(eqn.inputs[0], eqn.location, |source, _| {
            source.offset == 0 && source.loops.is_empty()
        })?;
        let What::Buffer(index) = place.what else {
            return Err(internal("the index of a branch is in no buffer"));
        };
        let mut bindings = Vec::with_capacity(eqn.inputs.len() - 1);
        for &var in &eqn.inputs[1..] {
            let rank = self.graph.ty(var).rank();
            bindings.push(self.source(var, &kinds::identity(rank), rank)?);
        }
        let results: Vec<Source> = eqn.outputs.iter().map(|&v| self.storage_of(v)).collect();
        let target = |source: &Source| Target {
            source: source.clone(),
            carry: bindings.iter().position(|operand| operand == source),
        };
        let branches = switch
            .branches
            .iter()
            .map(|branch| {
                let targets: Vec<Target> = results.iter().map(target).collect();
                block(self.cx, &flatten::flatten_calls(branch), &bindings, &targets)
            })
            .collect::<Result<_>>()?;
        self.stmts.push(Stmt::Branch(Branch { index, branches, location: eqn.location }));
        Ok(())
    }

    /// A conditional loop: carries live in buffers of their own, which the condition reads.
    fn while_loop(&mut self, w: &While, eqn: &Eqn) -> Result<()> {
        let mut bindings = Vec::with_capacity(eqn.inputs.len());
        for (i, &var) in eqn.inputs.iter().enumerate() {
            let ty = self.graph.ty(var).clone();
            let from = self.source(var, &kinds::identity(ty.rank()), ty.rank())?;
            bindings.push(match i.checked_sub(w.consts()) {
                None => from,
                Some(carry) => {
                    let to = self.storage_of(eqn.outputs[carry]);
                    self.copy(&from, &to, &ty, eqn.location);
                    to
                }
            });
        }
        let carries = bindings.split_off(w.consts());
        let with = |consts: &[Source]| [consts, &carries].concat();
        let flag = ArrayType::scalar(DType::Bool);
        let test = self.cx.temporary(flag.clone());
        let tests = [Target { source: Source::buffer(test, &flag.shape), carry: None }];
        let cond = flatten::flatten_calls(&w.cond);
        let cond = block(self.cx, &cond, &with(&bindings[..w.cond_consts]), &tests)?;
        let target = |(i, source): (usize, &Source)| Target {
            source: source.clone(),
            carry: Some(w.body_consts + i),
        };
        let targets: Vec<Target> = carries.iter().enumerate().map(target).collect();
        let body = flatten::flatten_calls(&w.body);
        let body = block(self.cx, &body, &with(&bindings[w.cond_consts..]), &targets)?;
        self.stmts.push(Stmt::While(program::While { cond, test, body, location: eqn.location }));
        Ok(())
    }

    /// A loop of known length: carries live in buffers of their own, stacked inputs are read and
    /// stacked outputs written at the entry of the step.
    fn scan(&mut self, scan: &Scan, eqn: &Eqn) -> Result<()> {
        let Scan { body, consts, carries, length, reverse } = scan;
        let id = LoopId(self.cx.loops);
        self.cx.loops += 1;

        let mut bindings = Vec::with_capacity(eqn.inputs.len());
        for (i, &var) in eqn.inputs.iter().enumerate() {
            let ty = self.graph.ty(var).clone();
            let identity = kinds::identity(ty.rank());
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
            apart: *carries == 0,
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
        let from = self.source(var, &kinds::identity(ty.rank()), ty.rank())?;
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
