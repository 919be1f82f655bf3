//! Small kernels as straight-line code: every point with its indices known, values in registers.

use super::Emitter;
use super::accumulate::combine_all;
use super::memory::Coordinate;
use super::point::value;
use crate::plan::Plan;
use crate::reduction::identity;
use probpipe_trace::Result;
use smallvec::SmallVec;

impl Emitter<'_, '_> {
    pub(super) fn unrolled(&mut self, plan: &Plan) -> Result<()> {
        let kernel = &plan.kernel;
        for outer in points(&kernel.parallel) {
            let mut terms: Vec<Vec<_>> = vec![Vec::new(); kernel.stores.len()];
            for inner in points(&kernel.reduce) {
                let at: SmallVec<[Coordinate; 4]> = outer.iter().chain(&inner).copied().collect();
                let mut values = vec![None; kernel.exprs.len()];
                self.evaluate(plan, &mut values, &at, |_| true)?;
                for (store, terms) in kernel.stores.iter().zip(&mut terms) {
                    let value = value(&values, store.value)?;
                    match store.reduce {
                        Some(_) => terms.push(value),
                        None => self.store(store.buffer, &store.index, &at, value)?,
                    }
                }
            }
            for (store, terms) in kernel.stores.iter().zip(terms) {
                let Some(op) = store.reduce else { continue };
                let dtype = kernel.ty(store.value);
                let result = match combine_all(&mut self.code, op, dtype, terms) {
                    Some(result) => result,
                    None => self.code.literal(dtype, identity(op, dtype)),
                };
                self.store(store.buffer, &store.index, &outer, result)?;
            }
        }
        Ok(())
    }
}

/// Every point of a space, in row-major order.
fn points(extents: &[usize]) -> Vec<SmallVec<[Coordinate; 4]>> {
    let count: usize = extents.iter().product();
    (0..count)
        .map(|mut n| {
            let mut at: SmallVec<[Coordinate; 4]> = SmallVec::new();
            for &extent in extents.iter().rev() {
                at.insert(0, Coordinate::At(n % extent));
                n /= extent;
            }
            at
        })
        .collect()
}
