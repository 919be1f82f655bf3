//! Phases that work matrix by matrix, in an order: each for all matrices at once, a point per
//! piece of one; or, where matrices are small or many, a point per matrix that goes through the
//! pieces of its own. What the phases do, the templates say.

use super::super::task::Task;
use super::super::{Emitter, Text};
use super::filling::Filling;
use probpipe_trace::{ArrayType, Result};

/// A stack of matrices.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub batch: usize,
    pub m: usize,
    pub n: usize,
}

impl Size {
    /// Of the last two axes.
    pub fn of(ty: &ArrayType) -> Size {
        let (rest, sides) = ty.shape.split_at(ty.rank() - 2);
        Size { batch: rest.iter().product(), m: sides[0], n: sides[1] }
    }

    pub fn steps(self) -> usize {
        self.m.min(self.n)
    }
}

/// Mesa's software driver leaves a loop, whatever its condition, once the loops of an invocation
/// have made 65535 iterations in all: those of one phase stay below.
pub(super) const ITERATIONS: usize = 1 << 15;

/// Rows of a chunk: products of columns are taken by so many rows at a time.
pub(super) const ROWS: usize = 32;

/// Chunks up to this number are taken together where they are needed; of more a phase between
/// makes one.
pub(super) const FEW: usize = 8;

/// A function and its points per matrix.
pub(super) type Phase = (&'static str, usize);

/// Part of a plan.
pub(super) enum Part {
    Once(Phase),
    Repeat(usize, Vec<Phase>),
}

impl Emitter<'_> {
    /// Queues the phases of a plan for all matrices.
    pub(super) fn plan(
        &mut self,
        filling: &Filling,
        size: Size,
        parts: &[Part],
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        if self.alone(size, parts) {
            return self.plan_alone(filling, size.batch, parts, tasks);
        }
        let batch = size.batch;
        for part in parts {
            match part {
                Part::Once((function, points)) => {
                    self.phase(filling, function, batch * points, tasks)?;
                }
                Part::Repeat(length, phases) => {
                    let phases: Vec<_> = phases.iter().filter(|p| batch * p.1 > 0).collect();
                    if phases.is_empty() {
                        continue;
                    }
                    self.repeat(*length, filling.location, tasks, |cx, t, tasks| {
                        phases.iter().try_for_each(|(function, points)| {
                            cx.phase_at(filling, function, batch * points, t, tasks)
                        })
                    })?;
                }
            }
        }
        Ok(())
    }

    /// Whether one invocation does the whole of a matrix: dispatches cost more than the work, or
    /// there are matrices for all invocations.
    fn alone(&self, Size { batch, m, n }: Size, parts: &[Part]) -> bool {
        let (few, many) = if self.target.software { (16, 64) } else { (4, 4096) };
        let largest = m.max(n);
        // Some points have loops, over a chunk of rows or over chunks.
        let points = |phases: &[Phase]| phases.iter().map(|p| p.1 * (2 + largest)).sum::<usize>();
        let iterations = parts.iter().map(|part| match part {
            Part::Once(phase) => points(&[*phase]),
            Part::Repeat(length, phases) => length * points(phases),
        });
        let fits = iterations.sum::<usize>() <= ITERATIONS;
        largest <= few && fits || largest <= 32 && batch >= many && (fits || !self.target.software)
    }

    fn plan_alone(
        &mut self,
        filling: &Filling,
        batch: usize,
        parts: &[Part],
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let mut text = Text { depth: 1, ..Text::default() };
        let mut functions = Vec::new();
        // Mesa's software driver computes wrong numbers in some loops that it unrolls.
        let opaque = if self.target.software { " + i32(pp_zero)" } else { "" };
        let mut phase = |(function, points): Phase, t: &str, text: &mut Text| {
            if points > 0 {
                functions.push(function);
                text.line(format_args!(
                    "for (var p: i32 = 0; p < {points}{opaque}; p = p + 1) \
                     {{ {function}(point * {points} + p, {t}); }}"
                ));
            }
        };
        for part in parts {
            match part {
                Part::Once(once) => phase(*once, "0", &mut text),
                Part::Repeat(0, _) => {}
                Part::Repeat(length, phases) => {
                    let header = "for (var t: i32 = 0; t <";
                    text.open(format_args!("{header} {length}{opaque}; t = t + 1) {{"));
                    phases.iter().for_each(|p| phase(*p, "t", &mut text));
                    text.close();
                }
            }
        }
        if functions.is_empty() {
            return Ok(());
        }
        self.queue(filling, &functions, text, batch, tasks)
    }
}
