//! Kernels of a few points, written out one after the other for one invocation: indices are known
//! then, and small arrays become variables.

use super::Emitter;
use super::expr::At;
use super::kernel::{Point, Visit, places};
use super::region::accesses_of;
use super::register::Register;
use super::{Text, Uses};
use probpipe_lowering::{BufferId, Expr, Kernel};
use rustc_hash::FxHashMap;

/// Points of a kernel up to which it is written out.
const POINTS: usize = 16;
/// Instructions that come of it at most.
const INSTRUCTIONS: usize = 1024;

/// Instructions that an expression takes, roughly.
fn instructions(expr: &Expr) -> usize {
    match expr {
        Expr::Special(..) => 256,
        Expr::Unary(op, _) if op.instruction().is_none() => 32,
        Expr::Binary(op, ..) if op.instruction().is_none() => 32,
        _ => 1,
    }
}

impl Emitter<'_> {
    /// Whether to write out the points of a kernel, those of a lane where there are lanes. It is
    /// of use where it touches no memory: the places where it does would be many.
    pub(super) fn is_written_out(
        &self,
        kernel: &Kernel,
        lane: Option<usize>,
        registers: &FxHashMap<BufferId, Register>,
    ) -> bool {
        let others = kernel.parallel.iter().enumerate().filter(|(axis, _)| Some(*axis) != lane);
        let points = others.map(|(_, &extent)| extent).product::<usize>() * kernel.reduce_size();
        let work: usize = kernel.exprs.iter().map(instructions).sum();
        let known = |buffer| self.memory.constant(buffer, 0).is_some();
        let at_hand = |buffer| registers.contains_key(&buffer) || known(buffer);
        let computed = |expr: &Expr| matches!(expr, Expr::LoadAt { .. });
        (2..=POINTS).contains(&points)
            && points * work <= INSTRUCTIONS
            && !kernel.exprs.iter().any(computed)
            && accesses_of(kernel).all(|access| at_hand(access.buffer))
    }

    pub(super) fn written_out(
        &self,
        kernel: &Kernel,
        lane: Option<usize>,
        registers: &FxHashMap<BufferId, Register>,
        text: &mut Text,
        uses: &mut Uses,
    ) {
        let mut extents = kernel.parallel.to_vec();
        if let Some(lane) = lane {
            extents[lane] = 1;
        }
        for place in places(&extents) {
            text.open(format_args!("{{"));
            let mut axes: Vec<At> = place.into_iter().map(At::Fixed).collect();
            if let Some(lane) = lane {
                axes[lane] = At::Named("point".into());
            }
            let point = Point { axes, lane, registers, visit: Visit::WrittenOut };
            self.body(kernel, point, text, uses);
            text.close();
        }
    }
}
