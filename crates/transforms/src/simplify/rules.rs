//! Which rules an op meets: the table that joins the arena with the files of rules.

use super::arena::{Arena, Node, Rule, Rules};
use super::branch::simplify_switch;
use super::lanes;
use super::scan::simplify_scan;
use super::while_loop::simplify_while;
use super::{choice, contract, draws, elementwise, join, linalg, quotient, scatter, structural};
use probpipe_trace::{LaneForm, Op, Result, VarId};

pub(super) const RULES: Rules = Rules { lists, control };

fn lists(op: &Op) -> &'static [&'static [Rule]] {
    match op {
        Op::Unary(_) => &[elementwise::ANY, elementwise::UNARY, choice::UNARY, choice::ANY],
        Op::Binary(_) => {
            const LISTS: &[&[Rule]] = &[
                elementwise::BINARY,
                quotient::BINARY,
                choice::BINARY,
                join::BINARY,
                elementwise::ANY,
                choice::ANY,
                contract::BINARY,
            ];
            LISTS
        }
        Op::Compare(_) => &[elementwise::COMPARE, elementwise::ANY, choice::ANY],
        Op::Bitcast(_) => &[elementwise::BITCAST, elementwise::ANY, choice::ANY],
        Op::Special(_) => &[elementwise::ANY, choice::ANY],
        Op::Select => &[choice::SELECT, elementwise::ANY, choice::ANY],
        Op::Cast(_) => &[elementwise::CAST, elementwise::ANY, choice::ANY],
        Op::Reduce { .. } => &[structural::REDUCE, contract::REDUCE],
        Op::Broadcast { .. } => &[structural::BROADCAST],
        Op::Reshape { .. } => &[structural::RESHAPE],
        Op::Transpose { .. } => &[structural::TRANSPOSE],
        Op::Slice { .. } => &[structural::SLICE, draws::SLICE],
        Op::Pad { .. } => &[structural::PAD],
        Op::Concat { .. } => &[structural::CONCAT],
        Op::Reverse { .. } => &[structural::REVERSE],
        Op::Iota { .. } => &[structural::IOTA],
        Op::Dot(_) => &[linalg::DOT],
        Op::Scatter { .. } => &[scatter::SCATTER],
        Op::Gather { .. } | Op::Cumulative { .. } | Op::Sort { .. } => &[],
        Op::Threefry2x32 | Op::Linalg(_) | Op::Call { .. } => &[],
        Op::Scan(_) | Op::Switch(_) | Op::While(_) => &[],
        Op::Checkpoint { .. } | Op::Custom(_) | Op::Callback(_) => &[],
    }
}

/// A loop or a branch, simplified as a whole.
fn control(arena: &mut Arena<'_>, node: &Node<'_>) -> Option<Result<Vec<VarId>>> {
    let Node { op, inputs, location } = *node;
    match op {
        Op::Scan(scan) => Some(simplify_scan(arena, scan, inputs, location)),
        Op::Switch(switch) => Some(simplify_switch(arena, switch, inputs, location)),
        Op::While(w) => Some(simplify_while(arena, w, inputs, location)),
        Op::Call { lane: Some(lane), .. } => match arena.simplifier.lanes() {
            LaneForm::InStep | LaneForm::AsWritten => None,
            LaneForm::Grouped => lanes::grouped(arena, lane, inputs, location),
            // Where all take the same way, they fill a device together.
            LaneForm::Apart if !lanes::waits(&lane.graph) => None,
            LaneForm::Apart => Some(lanes::apart(arena, lane, inputs, location)),
        },
        _ => None,
    }
}

/// The names of all rules.
pub(super) fn rule_names() -> Vec<&'static str> {
    let lists = [
        elementwise::ANY,
        elementwise::UNARY,
        elementwise::BINARY,
        elementwise::COMPARE,
        elementwise::CAST,
        elementwise::BITCAST,
        quotient::BINARY,
        contract::BINARY,
        contract::REDUCE,
        choice::ANY,
        choice::UNARY,
        choice::BINARY,
        choice::SELECT,
        join::BINARY,
        structural::REDUCE,
        structural::BROADCAST,
        structural::RESHAPE,
        structural::TRANSPOSE,
        structural::SLICE,
        draws::SLICE,
        structural::PAD,
        structural::CONCAT,
        structural::REVERSE,
        structural::IOTA,
        linalg::DOT,
        scatter::SCATTER,
    ];
    lists.iter().flat_map(|list| list.iter()).map(|rule| rule.name).collect()
}
