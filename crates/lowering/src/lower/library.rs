//! Calls of dense linear algebra: operands brought to (batch, row, column).

use super::indexing::linear;
use super::kinds::{Source, What};
use super::{Block, internal};
use crate::program::*;
use probpipe_trace::{ArrayType, DotAxes, LinalgOp, Loc, Op, Result, VarId};
use smallvec::{SmallVec, smallvec};

impl Block<'_> {
    pub(super) fn library(&mut self, n: usize) -> Result<()> {
        let eqn = self.graph.eqns()[self.nodes[n].eqn].clone();
        let call = match &eqn.op {
            Op::Dot(axes) => self.matmul(axes, &eqn.inputs, eqn.outputs[0], eqn.location)?,
            Op::Linalg(LinalgOp::Cholesky) => {
                let input = self.matrices(eqn.inputs[0], eqn.location)?;
                let (batch, n, _) = matrix_extents(self.graph.ty(eqn.inputs[0]));
                let out = self.storage_of(eqn.outputs[0]);
                let out = view(&out, [n * n, n, 1])?;
                LibraryCall::Cholesky { batch, n, input: view(&input, [n * n, n, 1])?, out }
            }
            Op::Linalg(LinalgOp::TriangularSolve { lower, transpose, unit_diagonal }) => {
                let a = self.matrices(eqn.inputs[0], eqn.location)?;
                let b = self.matrices(eqn.inputs[1], eqn.location)?;
                let (batch, n, columns) = matrix_extents(self.graph.ty(eqn.inputs[1]));
                let out = self.storage_of(eqn.outputs[0]);
                LibraryCall::TriangularSolve {
                    batch,
                    n,
                    columns,
                    lower: *lower,
                    transpose: *transpose,
                    unit_diagonal: *unit_diagonal,
                    a: view(&a, [n * n, n, 1])?,
                    b: view(&b, [n * columns, columns, 1])?,
                    out: view(&out, [n * columns, columns, 1])?,
                }
            }
            Op::Linalg(
                op @ (LinalgOp::Lu
                | LinalgOp::LuSolve { .. }
                | LinalgOp::LuDet
                | LinalgOp::Qr { .. }
                | LinalgOp::Eigh { .. }
                | LinalgOp::Svd { .. }),
            ) => self.factors(*op, &eqn.inputs, &eqn.outputs, eqn.location)?,
            op @ (Op::Scatter { .. }
            | Op::Cumulative { .. }
            | Op::Sort { .. }
            | Op::Special(_)
            | Op::Callback(_)) => {
                self.indexing_call(op, &eqn.inputs, &eqn.outputs, eqn.location)?
            }
            op => return Err(internal(&format!("`{}` is no library call", op.name()))),
        };
        self.stmts.push(Stmt::Library(Box::new(Library { call, location: eqn.location })));
        Ok(())
    }

    /// A call on whole arrays in row-major order.
    fn factors(
        &mut self,
        op: LinalgOp,
        inputs: &[VarId],
        outputs: &[VarId],
        location: Loc,
    ) -> Result<LibraryCall> {
        let mut operands = Vec::with_capacity(inputs.len());
        for &v in inputs {
            let view = linear(&self.matrices(v, location)?)?;
            operands.push((view, self.graph.ty(v).clone()));
        }
        let mut results = Vec::with_capacity(outputs.len());
        for &v in outputs {
            results.push((linear(&self.storage_of(v))?, self.graph.ty(v).clone()));
        }
        Ok(LibraryCall::Factors { op, inputs: operands, outputs: results })
    }

    /// The variable in row-major order.
    pub(super) fn matrices(&mut self, var: VarId, location: Loc) -> Result<Source> {
        self.buffer_of(var, location, |source, shape| source.is_row_major(shape))
    }

    fn matmul(
        &mut self,
        axes: &DotAxes,
        inputs: &[VarId],
        out: VarId,
        location: Loc,
    ) -> Result<LibraryCall> {
        let free = |rank: usize, contract: &[usize], batch: &[usize]| -> Vec<usize> {
            (0..rank).filter(|a| !contract.contains(a) && !batch.contains(a)).collect()
        };
        let (lt, rt) = (self.graph.ty(inputs[0]).clone(), self.graph.ty(inputs[1]).clone());
        let lhs_free = free(lt.rank(), &axes.lhs_contract, &axes.lhs_batch);
        let rhs_free = free(rt.rank(), &axes.rhs_contract, &axes.rhs_batch);
        let size = |ty: &ArrayType, list: &[usize]| list.iter().map(|&a| ty.shape[a]).product();
        let batch: usize = size(&lt, &axes.lhs_batch);
        let (m, n): (usize, usize) = (size(&lt, &lhs_free), size(&rt, &rhs_free));
        let k: usize = size(&lt, &axes.lhs_contract);
        let groups = [&axes.lhs_batch[..], &lhs_free, &axes.lhs_contract];
        let lhs = self.grouped(inputs[0], &lt, groups, location)?;
        let groups = [&axes.rhs_batch[..], &axes.rhs_contract, &rhs_free];
        let rhs = self.grouped(inputs[1], &rt, groups, location)?;
        let out = self.storage_of(out);
        let out = view(&out, [m * n, n, 1])?;
        Ok(LibraryCall::Matmul { batch, m, n, k, lhs, rhs, out })
    }

    /// An operand with its axes in three groups, each of which advances by one step; copied into
    /// the order of the groups if it does not lie so.
    fn grouped(
        &mut self,
        var: VarId,
        ty: &ArrayType,
        groups: [&[usize]; 3],
        location: Loc,
    ) -> Result<View> {
        let source = self.buffer_of(var, location, |source, shape| {
            groups.iter().all(|group| group_step(source, shape, group).is_some())
        })?;
        let steps = groups.map(|group| group_step(&source, &ty.shape, group));
        if let [Some(b), Some(r), Some(c)] = steps {
            return strided(&source, [b, r, c]);
        }
        let order: SmallVec<[usize; 4]> = groups.iter().flat_map(|g| g.iter().copied()).collect();
        let permuted = ty.with_shape(order.iter().map(|&a| ty.shape[a]).collect::<Vec<_>>());
        let mut from = source.clone();
        from.strides = order.iter().map(|&a| source.strides[a]).collect();
        let copy = Source::buffer(self.cx.temporary(permuted.clone()), &permuted.shape);
        self.copy(&from, &copy, &permuted, location);
        let size = |g: &[usize]| g.iter().map(|&a| ty.shape[a] as i64).product::<i64>();
        let (r, c) = (size(groups[1]), size(groups[2]));
        strided(&copy, [r * c, c, 1])
    }
}

/// The step of a group of axes that lie behind each other; `None` if they do not, or repeat
/// elements.
fn group_step(source: &Source, shape: &[usize], group: &[usize]) -> Option<i64> {
    let mut step: Option<i64> = None;
    let mut want = 0;
    for &axis in group.iter().rev().filter(|&&a| shape[a] != 1) {
        let stride = source.strides[axis];
        if stride == 0 || step.is_some() && stride != want {
            return None;
        }
        step.get_or_insert(stride);
        want = stride * shape[axis] as i64;
    }
    Some(step.unwrap_or(0))
}

/// Number of matrices, rows and columns.
fn matrix_extents(ty: &ArrayType) -> (usize, usize, usize) {
    let r = ty.rank();
    (ty.shape[..r - 2].iter().product(), ty.shape[r - 2], ty.shape[r - 1])
}

fn view(source: &Source, steps: [usize; 3]) -> Result<View> {
    strided(source, steps.map(|s| s as i64))
}

fn strided(source: &Source, steps: [i64; 3]) -> Result<View> {
    let What::Buffer(buffer) = source.what else {
        return Err(internal("a library call on no buffer"));
    };
    let index = IndexMap {
        offset: source.offset,
        axes: smallvec![steps[0], steps[1], steps[2]],
        loops: source.loops.clone(),
    };
    Ok(View { buffer, index })
}
