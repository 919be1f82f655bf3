//! How often the loops of one invocation go round. Devices stop shaders that run for seconds;
//! Mesa's software driver (seen with 22.3.6) leaves every loop of a shader, without a word, once
//! all of them together have gone round 65,535 times. What might take longer is cut into
//! dispatches.

use super::library::parts::{self, Cost};
use probpipe_lowering::{Expr, Kernel, LibraryCall, Loop, Stmt, While};
use probpipe_trace::eval::IndexedDims;

/// Rounds of a special function: of its series and continued fractions.
const SPECIAL: usize = 100;

/// What one workgroup does of a program at a time.
pub(super) enum Part<'a> {
    /// Statements.
    Run(&'a [Stmt]),
    /// So many steps of a loop.
    Steps(&'a Loop, usize),
    /// So many iterations of a conditional loop.
    Iterations(&'a While, usize),
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
        Stmt::Library(library) => {
            let width = match share {
                Share::Alone | Share::Lane(_) => 1,
                Share::Workgroup(width) => width,
            };
            Some(cost(&library.call, width).rounds)
        }
        Stmt::Loop(l) => {
            Some(all(&l.body, share)?.saturating_add(1).saturating_mul(l.length).saturating_add(1))
        }
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

/// Rounds of a loop: the one that finds it at its end counts too.
fn looped(length: usize) -> usize {
    if length > 1 { length.saturating_add(1) } else { 0 }
}

/// Rounds of loops inside each other, and how often the innermost is gone through.
fn nested(extents: impl Iterator<Item = usize>) -> (usize, usize) {
    extents.fold((0, 1usize), |(rounds, points), extent| {
        let own = points.saturating_mul(looped(extent));
        (rounds.saturating_add(own), points.saturating_mul(extent))
    })
}

fn of_kernel(kernel: &Kernel, share: Share) -> usize {
    let (points, size) = (kernel.parallel_size(), kernel.reduce_size());
    let special = |expr: &&Expr| matches!(expr, Expr::Special(..));
    let special = SPECIAL * kernel.exprs.iter().filter(special).count();
    let inner = looped(size).saturating_add(size.saturating_mul(special));
    let (rounds, own) = match share {
        Share::Alone => nested(kernel.parallel.iter().copied()),
        Share::Lane(lanes) => {
            let lane = kernel.parallel.iter().position(|&extent| extent == lanes);
            let others = kernel.parallel.iter().enumerate().filter(|(axis, _)| Some(*axis) != lane);
            nested(others.map(|(_, &extent)| extent))
        }
        Share::Workgroup(width) => match cut_in_workgroup(points, size, width) {
            // Shares of each point, and then what these came to.
            Some(lanes) => {
                let each = looped(size.div_ceil(lanes)) + size.div_ceil(lanes) * special;
                return 2 + each + looped(lanes);
            }
            None => {
                let own = points.div_ceil(width);
                (looped(own), own)
            }
        },
    };
    // What does not go round still takes its place in loops that are counted by it.
    rounds.saturating_add(own.saturating_mul(inner)).max(1)
}

/// At most about so much; calls that would take much are dispatched.
pub(super) fn cost(call: &LibraryCall, width: usize) -> Cost {
    let log = |n: usize| n.max(2).ilog2() as usize + 1;
    let shared = |points: usize, rounds: usize| points.div_ceil(width).saturating_mul(rounds + 1);
    let never = Cost { rounds: usize::MAX, work: usize::MAX };
    let (rounds, work) = match call {
        LibraryCall::Matmul { batch, m, n, k, .. } => {
            let blocks = batch * m.div_ceil(4) * n.div_ceil(4);
            (shared(blocks, 5 * k + 40), batch * m * n * k * 2)
        }
        LibraryCall::Cholesky { batch, n, .. } => (shared(*batch, n * n * n), batch * n * n * n),
        LibraryCall::TriangularSolve { batch, n, columns, .. } => {
            (shared(batch * columns, n * n), batch * n * n * columns)
        }
        LibraryCall::Factors { op, inputs, outputs } => {
            let Cost { rounds, work } = parts::cost(*op, inputs, outputs, width);
            (rounds, 8 * work)
        }
        // Of the host, or lowered to expressions.
        LibraryCall::Callback { .. } | LibraryCall::Special { .. } => return never,
        LibraryCall::Cumulative { extents: [outer, n, inner], .. } => {
            (shared(outer * inner, 3 * n), 4 * outer * n * inner)
        }
        LibraryCall::Sort { extents: [outer, n, inner], .. } => {
            let size = outer * n * inner;
            let rounds = 64 + log(*n) * (log(*n) + 2);
            (shared(size, rounds), size * (*n).min(64) + 16 * size)
        }
        LibraryCall::Scatter { dims, .. } => {
            let IndexedDims { batch, count, rest, .. } = *dims;
            let whole = dims.extents.iter().product::<usize>();
            let few = if count <= 128 { 2 * count } else { 64 + log(count) * (log(count) + 2) };
            let rounds = shared(batch * whole * rest, 1)
                .saturating_add(shared(batch * count * rest, 2 * few));
            (rounds, 4 * batch * rest * (whole + count))
        }
    };
    Cost { rounds, work }
}

/// How a reduction is cut where one workgroup does all of a kernel: so many invocations for a
/// point, each of which takes a share.
pub(super) fn cut_in_workgroup(points: usize, size: usize, width: usize) -> Option<usize> {
    let lanes = (width / points.max(1)).min(size / 4);
    (size >= 64 && lanes >= 2).then_some(lanes)
}
