//! Reductions along axes outside of the innermost one, as column sums are: one running value for
//! each point of a tile, in a scratch row.

use super::code::Memory;
use super::group::Group;
use super::nest::Nest;
use super::strip::Strip;
use super::tile::{Sink, strip_points};
use super::wide::Placed;
use super::widths::cast_group;
use super::{Emitter, memory::Coordinate};
use crate::plan::Plan;
use crate::reduction::combining;
use crate::segments::Segments;
use probpipe_trace::{DType, ReduceOp, Result};

/// Sums of at most this many single precision terms run in single precision.
const SHORT_SUM: usize = 64;

/// The element type of the row of store `k`.
fn row_type(plan: &Plan, k: usize) -> DType {
    let store = &plan.kernel.stores[k];
    let dtype = plan.kernel.ty(store.value);
    let long = plan.kernel.reduce_size() > SHORT_SUM;
    if dtype == DType::F32 && store.reduce == Some(ReduceOp::Sum) && long {
        DType::F64
    } else {
        dtype
    }
}

impl Emitter<'_, '_> {
    /// Emits the reduced axes and, inside of them, the last parallel one.
    pub(super) fn rows(&mut self, nest: &mut Nest<'_>) -> Result<()> {
        let plan = nest.plan;
        let extent = plan.extents.last().copied().unwrap_or(1);
        let types: Vec<DType> = (0..plan.kernel.stores.len()).map(|k| row_type(plan, k)).collect();
        let (segments, regions) = self.cut(plan, extent, |segments| Some((segments.rows, &types)));
        let (first, tile) = (segments.rows, segments.tile);
        self.use_scratch(first + plan.kernel.stores.len(), tile, &regions);
        let reductions: Vec<(usize, ReduceOp)> = (plan.kernel.stores.iter().enumerate())
            .filter_map(|(k, store)| store.reduce.map(|op| (k, op)))
            .collect();
        let part = nest.part.filter(|_| plan.splits_tiles());
        self.each_tile(extent, tile, part, |emitter, start, length| {
            let longest = strip_points(nest, length);
            emitter.each_strip(length, longest, |emitter, in_tile, points| {
                let strip = emitter.strip(nest, start, in_tile, tile, points);
                for &(k, op) in &reductions {
                    let dtype = row_type(plan, k);
                    let empty = emitter.identity_group(op, dtype);
                    emitter.keep(&strip, first + k, dtype, &empty);
                }
                Ok(())
            })?;
            emitter.reduced_axes(nest, &segments, &regions, start, length)?;
            emitter.each_strip(length, longest, |emitter, in_tile, points| {
                let strip = emitter.strip(nest, start, in_tile, tile, points);
                for &(k, _) in &reductions {
                    let store = &plan.kernel.stores[k];
                    let total = emitter.running(&strip, k, first + k);
                    let (from, to) = (row_type(plan, k), plan.kernel.ty(store.value));
                    let total = cast_group(&mut emitter.code, from, to, &total, points);
                    emitter.store_group(&strip, store.buffer, &store.index, &total)?;
                }
                Ok(())
            })
        })
    }

    /// The loops over the reduced axes, and the tile in them.
    fn reduced_axes(
        &mut self,
        nest: &mut Nest<'_>,
        segments: &Segments,
        regions: &[Option<Placed>],
        start: super::code::Val,
        length: usize,
    ) -> Result<()> {
        let plan = nest.plan;
        let depth = nest.at.len();
        if depth > plan.outer {
            let at = nest.at.clone();
            self.evaluate(plan, &mut nest.values, &at, |i| plan.depth[i] == depth)?;
        }
        if depth + 1 == plan.extents.len() {
            let sink = Sink::Rows(segments.rows);
            return self.tile(nest, segments, regions, start, length, &sink);
        }
        if plan.extents[depth] == 0 {
            return Ok(());
        }
        let scope = self.code.open_loop(0, plan.extents[depth] as i64, 1);
        nest.at.push(Coordinate::Index(scope.index));
        let result = self.reduced_axes(nest, segments, regions, start, length);
        nest.at.pop();
        self.code.close_loop(scope);
        result
    }

    fn running(&mut self, strip: &Strip<'_>, k: usize, row: usize) -> Group {
        let dtype = row_type(strip.plan, k);
        let (base, offset) = self.row(strip, row, dtype);
        Group::load(&mut self.code, Memory::Scratch, dtype, strip.points, base, offset)
    }

    /// Combines a strip with the running values of store `k`.
    pub(super) fn add_to_row(&mut self, strip: &Strip<'_>, k: usize, row: usize, value: &Group) {
        let store = &strip.plan.kernel.stores[k];
        let Some(op) = store.reduce else { return };
        let (from, to) = (strip.plan.kernel.ty(store.value), row_type(strip.plan, k));
        let value = cast_group(&mut self.code, from, to, value, strip.points);
        let total = self.running(strip, k, row);
        let next = self.binary_group(strip, combining(op), to, &total, &value);
        self.keep(strip, row, to, &next);
    }
}
