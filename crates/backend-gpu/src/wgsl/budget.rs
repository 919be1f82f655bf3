//! How often the loops of one invocation go round. Devices stop shaders that run for seconds;
//! Mesa's software driver (seen with 22.3.6) leaves every loop of a shader, without a word, once
//! all of them together have gone round 65,535 times. What might take longer is cut into
//! dispatches.

use super::library::parts;
use probpipe_lowering::{Expr, Kernel, LibraryCall, Stmt};

/// Rounds of a special function: of its series and continued fractions.
const SPECIAL: usize = 100;

/// What one workgroup does of a program at a time.
pub(super) enum Part {
    /// So many statements.
    Run(usize),
    /// So many steps of the loop that comes next.
    Steps(usize),
    /// So many iterations of the conditional loop that comes next.
    Iterations(usize),
}

/// Who does the points of a kernel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Share {
    /// One invocation.
    Alone,
    /// One invocation, those of its lane: of so many.
    Lane(usize),
    /// So many invocations.
    Workgroup(usize),
}

/// Rounds of a statement; `None` where only its running tells.
pub(super) fn rounds(stmt: &Stmt, share: Share) -> Option<usize> {
    match stmt {
        Stmt::Kernel(kernel) => Some(of_kernel(kernel, share)),
        Stmt::Library(library) => Some(of_library(&library.call, share)),
        Stmt::Loop(l) => Some((all(&l.body, share)? + 1).saturating_mul(l.length)),
        Stmt::Branch(branch) => branch
            .branches
            .iter()
            .try_fold(0, |most: usize, body| Some(most.max(all(body, share)?))),
        Stmt::While(_) => None,
    }
}

/// Rounds of statements, one after the other.
pub(super) fn all(body: &[Stmt], share: Share) -> Option<usize> {
    body.iter().try_fold(0, |sum: usize, stmt| Some(sum.saturating_add(rounds(stmt, share)?)))
}

fn of_kernel(kernel: &Kernel, share: Share) -> usize {
    let (points, size) = (kernel.parallel_size(), kernel.reduce_size());
    // What goes round no more than once is no loop.
    let inner = if size > 1 { size } else { 0 };
    let special = |expr: &&Expr| matches!(expr, Expr::Special(..));
    let inner = inner + size * SPECIAL * kernel.exprs.iter().filter(special).count();
    match share {
        Share::Alone => points.saturating_mul(1 + inner),
        Share::Lane(lanes) => (points / lanes.max(1)).max(1).saturating_mul(1 + inner),
        Share::Workgroup(width) => match cut_in_workgroup(points, size, width) {
            Some(lanes) => 2 + size.div_ceil(lanes) + lanes,
            None => points.div_ceil(width).saturating_mul(1 + inner),
        },
    }
}

/// At most about so many; calls that would take many are dispatched.
fn of_library(call: &LibraryCall, share: Share) -> usize {
    let width = match share {
        Share::Alone | Share::Lane(_) => 1,
        Share::Workgroup(width) => width,
    };
    let log = |n: usize| n.max(2).ilog2() as usize + 1;
    let shared = |points: usize, rounds: usize| points.div_ceil(width).saturating_mul(rounds + 1);
    match call {
        LibraryCall::Matmul { batch, m, n, k, .. } => {
            shared(batch * m.div_ceil(4) * n.div_ceil(4), 5 * k + 20)
        }
        LibraryCall::Cholesky { batch, n, .. } => shared(*batch, n * n * n),
        LibraryCall::TriangularSolve { batch, n, columns, .. } => shared(batch * columns, n * n),
        LibraryCall::Factors { op, inputs, outputs } => {
            parts::cost(*op, inputs, outputs, width).rounds
        }
        LibraryCall::Callback { .. } => usize::MAX,
        LibraryCall::Special { size, .. } => shared(*size, 200),
        LibraryCall::Cumulative { extents: [outer, n, inner], .. } => shared(outer * inner, 3 * n),
        LibraryCall::Sort { extents: [outer, n, inner], .. } => {
            shared(outer * n * inner, 64 + log(*n) * (log(*n) + 2))
        }
        LibraryCall::Scatter { dims, .. } => {
            let whole = dims.extents.iter().product::<usize>() * dims.rest;
            let (count, batch) = (dims.count, dims.batch);
            let few = if count <= 128 { 2 * count } else { 64 + log(count) * (log(count) + 2) };
            shared(batch * whole, 1).saturating_add(shared(batch * count * dims.rest, 2 * few))
        }
    }
}

/// How a reduction is cut where one workgroup does all of a kernel: so many invocations for a
/// point, each of which takes a share.
pub(super) fn cut_in_workgroup(points: usize, size: usize, width: usize) -> Option<usize> {
    let lanes = (width / points.max(1)).min(size / 4);
    (size >= 64 && lanes >= 2).then_some(lanes)
}
