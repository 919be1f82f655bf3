//! Ops that run graphs, as a kind of their own: who treats these in another way than the rest
//! matches on [`Nested`], and need not list the rest.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::op::Op;
use crate::op::control::{Scan, Switch, While};
use crate::op::graph::Graph;
use crate::op::opaque::Custom;
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// An op that runs graphs.
#[derive(Clone, Copy, Debug)]
pub enum Nested<'a> {
    /// [`Op::Call`].
    Call(&'a Arc<Graph>),
    /// [`Op::Checkpoint`].
    Checkpoint(&'a Arc<Graph>),
    /// [`Op::Custom`].
    Custom(&'a Custom),
    /// [`Op::Scan`].
    Scan(&'a Scan),
    /// [`Op::Switch`].
    Switch(&'a Switch),
    /// [`Op::While`].
    While(&'a While),
}

impl Op {
    /// The op as one that runs graphs, if it does.
    pub fn nested(&self) -> Option<Nested<'_>> {
        match self {
            Op::Call { graph, .. } => Some(Nested::Call(graph)),
            Op::Checkpoint { graph } => Some(Nested::Checkpoint(graph)),
            Op::Custom(custom) => Some(Nested::Custom(custom)),
            Op::Scan(scan) => Some(Nested::Scan(scan)),
            Op::Switch(switch) => Some(Nested::Switch(switch)),
            Op::While(w) => Some(Nested::While(w)),
            Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select | Op::Special(_) => None,
            Op::Cast(_) | Op::Bitcast(_) | Op::Threefry2x32 | Op::Iota { .. } => None,
            Op::Reduce { .. } | Op::Cumulative { .. } | Op::Sort { .. } => None,
            Op::Broadcast { .. } | Op::Reshape { .. } | Op::Transpose { .. } => None,
            Op::Slice { .. } | Op::Pad { .. } | Op::Concat { .. } | Op::Reverse { .. } => None,
            Op::Gather { .. } | Op::Scatter { .. } | Op::Dot(_) | Op::Linalg(_) => None,
            Op::Callback(_) => None,
        }
    }

    /// The graphs that the op runs, in the order in which they are printed.
    pub fn graphs(&self) -> SmallVec<[&Arc<Graph>; 2]> {
        match self.nested() {
            None => SmallVec::new(),
            Some(Nested::Call(graph) | Nested::Checkpoint(graph)) => smallvec![graph],
            Some(Nested::Custom(custom)) => smallvec![&custom.graph],
            Some(Nested::Scan(scan)) => smallvec![&scan.body],
            Some(Nested::Switch(switch)) => switch.branches.iter().collect(),
            Some(Nested::While(w)) => smallvec![&w.cond, &w.body],
        }
    }

    /// The graph that the op is, where it could be replaced by its equations: of a call, a
    /// checkpoint, an op with derivatives of its own.
    pub fn opened(&self) -> Option<&Arc<Graph>> {
        match self.nested()? {
            Nested::Call(graph) | Nested::Checkpoint(graph) => Some(graph),
            Nested::Custom(custom) => Some(&custom.graph),
            Nested::Scan(_) | Nested::Switch(_) | Nested::While(_) => None,
        }
    }
}
