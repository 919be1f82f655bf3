//! Phases that work matrix by matrix, in an order: each for all matrices at once, a point per
//! piece of one; or, where matrices are small or many, a point per matrix that goes through the
//! pieces of its own. What the phases do, the templates say.

use super::super::task::Task;
use super::super::{Emitter, Text};
use super::filling::Filling;
use super::parts::{Part, Phase, SMALL, Size, rounds_alone};
use probpipe_trace::Result;

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
                Part::Once((function, points, _)) => {
                    self.phase(filling, function, batch * points, tasks)?;
                }
                Part::Repeat(length, phases) => {
                    let phases: Vec<_> = phases.iter().filter(|p| batch * p.1 > 0).collect();
                    if phases.is_empty() {
                        continue;
                    }
                    self.repeat(*length, filling.location, tasks, |cx, t, tasks| {
                        phases.iter().try_for_each(|(function, points, _)| {
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
    fn alone(&self, Size { batch, m, n, .. }: Size, parts: &[Part]) -> bool {
        let (few, many) = if self.target.software { (16, 64) } else { (4, 4096) };
        let largest = m.max(n);
        let small = largest <= few || largest <= SMALL && batch >= many;
        small && rounds_alone(parts) <= self.target.rounds
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
        let opaque = self.target.opaque();
        let mut phase = |(function, points, _): Phase, t: &str, text: &mut Text| {
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
