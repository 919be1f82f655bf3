//! The innermost axis in tiles: strips of vector code, calls of tile kernels between them, and
//! reductions that gather in registers over a tile before they join the running total.

use super::accumulate::{combine, combine_all};
use super::code::{Val, Var};
use super::group::{Group, per_register};
use super::memory::Coordinate;
use super::nest::{Nest, Part};
use super::strip::Strip;
use super::wide::Placed;
use super::{Emitter, vector};
use crate::lanes;
use crate::plan::operand_type;
use crate::reduction::{combining, identity};
use crate::segments::{Argument, Held, Segments, row_bytes};
use cranelift_codegen::ir::InstBuilder;
use probpipe_trace::{DType, ReduceOp, Result, Scalar};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// A kernel with more expressions than this takes half as many points per strip, or its values
/// do not fit in the registers.
const LONG_KERNEL: usize = 20;

/// The values that a tile adds to one reduction.
struct Partial {
    op: ReduceOp,
    dtype: DType,
    vectors: Vec<Var>,
    scalar: Var,
}

/// Where the values of reductions go.
pub(super) enum Sink {
    /// To registers, for reductions along the innermost axis.
    Registers,
    /// To scratch rows from this one on, for reductions along axes outside of it.
    Rows(usize),
}

impl Emitter<'_, '_> {
    /// Emits the innermost axis of a nest.
    pub(super) fn tiles(&mut self, nest: &mut Nest<'_>) -> Result<()> {
        let extent = nest.plan.extents.last().copied().unwrap_or(1);
        let (segments, regions) = self.cut(nest.plan, extent, |_| None);
        self.use_scratch(segments.rows, segments.tile, &regions);
        for region in regions.iter().flatten() {
            self.write_args(nest, region)?;
        }
        // Parts of an axis outside of this one leave it whole.
        let part = nest.part.filter(|_| nest.plan.splits_tiles());
        self.each_tile(extent, segments.tile, part, |emitter, start, length| {
            emitter.tile(nest, &segments, &regions, start, length, &Sink::Registers)
        })
    }

    /// Reserves scratch rows, and the arguments of regions behind them.
    pub(super) fn use_scratch(&mut self, rows: usize, tile: usize, regions: &[Option<Placed>]) {
        let args = regions.iter().flatten().map(|r| r.at + r.region.bytes).max().unwrap_or(0);
        self.scratch_bytes = self.scratch_bytes.max(rows * row_bytes(tile)).max(args);
    }

    /// Calls `body` with the start and the length of every tile: a loop over the full ones, then
    /// the rest. A part is made of whole tiles, but for the last.
    pub(super) fn each_tile(
        &mut self,
        extent: usize,
        tile: usize,
        part: Option<Part>,
        mut body: impl FnMut(&mut Self, Val, usize) -> Result<()>,
    ) -> Result<()> {
        let whole = extent / tile * tile;
        if let Some(Part { begin, end, .. }) = part {
            let last = self.code.int(whole as i64);
            let until = self.code.smaller(end, last);
            let scope = self.code.open_range(begin, until, tile as i64);
            body(self, scope.index, tile)?;
            self.code.close_range(scope);
            if whole < extent {
                let after = self.code.enter_if_above(end, whole as i64);
                let start = self.code.int(whole as i64);
                body(self, start, extent - whole)?;
                self.code.jump(after);
                self.code.start(after);
            }
            return Ok(());
        }
        if whole > 0 {
            let scope = self.code.open_loop(0, whole as i64, tile as i64);
            body(self, scope.index, tile)?;
            self.code.close_loop(scope);
        }
        if whole < extent {
            let start = self.code.int(whole as i64);
            body(self, start, extent - whole)?;
        }
        Ok(())
    }

    /// Calls `body` with each strip of a tile: the start in the tile and the number of points.
    pub(super) fn each_strip(
        &mut self,
        length: usize,
        longest: usize,
        mut body: impl FnMut(&mut Self, Val, usize) -> Result<()>,
    ) -> Result<()> {
        let mut done = 0;
        for points in [longest, 4, 1] {
            let until = done + (length - done) / points * points;
            if until > done {
                let scope = self.code.open_loop(done as i64, until as i64, points as i64);
                body(self, scope.index, points)?;
                self.code.close_loop(scope);
                done = until;
            }
        }
        Ok(())
    }

    /// Emits one tile.
    pub(super) fn tile(
        &mut self,
        nest: &mut Nest<'_>,
        segments: &Segments,
        regions: &[Option<Placed>],
        start: Val,
        length: usize,
        sink: &Sink,
    ) -> Result<()> {
        let plan = nest.plan;
        let longest = strip_points(nest, length);
        let only = nest.is_only_tile(length);
        let mut partials = match sink {
            Sink::Registers => self.partials(nest, longest),
            Sink::Rows(_) => Vec::new(),
        };
        for sum in regions.iter().flatten().flat_map(|region| &region.region.sums) {
            partials[sum.store] = None;
        }
        for (segment, region) in segments.list.iter().zip(regions) {
            if let Some(region) = region {
                if let Sink::Rows(_) = sink {
                    self.write_args(nest, region)?;
                }
                self.run_region(nest, region, start, length, only);
            } else if !segment.steps.is_empty()
                || !segment.keeps.is_empty()
                || !segment.stores.is_empty()
            {
                self.each_strip(length, longest, |emitter, in_tile, points| {
                    let mut strip = emitter.strip(nest, start, in_tile, segments.tile, points);
                    for &step in &segment.steps {
                        emitter.step(&mut strip, step)?;
                    }
                    for &(i, row) in &segment.keeps {
                        let value = strip.get(probpipe_lowering::ExprId(i as u32))?;
                        emitter.keep(&strip, row, plan.kernel.types[i], &value);
                    }
                    for &k in &segment.stores {
                        let store = &plan.kernel.stores[k];
                        let value = strip.get(store.value)?;
                        match (partials.get(k), sink) {
                            (Some(Some(partial)), _) => emitter.add(partial, &strip, &value),
                            (_, Sink::Rows(first)) if store.reduce.is_some() => {
                                emitter.add_to_row(&strip, k, first + k, &value);
                            }
                            _ => emitter.store_group(&strip, store.buffer, &store.index, &value)?,
                        }
                    }
                    Ok(())
                })?;
            }
            for call in &segment.calls {
                self.tile_call(nest, segments, start, length, call)?;
            }
        }
        for (partial, accumulator) in partials.iter().zip(&nest.accumulators) {
            if let (Some(partial), Some(accumulator)) = (partial, accumulator) {
                let total = self.fold(partial);
                accumulator.add_tile(&mut self.code, total, only);
            }
        }
        if only {
            for accumulator in nest.accumulators.iter_mut().flatten() {
                *accumulator = accumulator.whole();
            }
        }
        Ok(())
    }

    /// A strip with what is known outside of the innermost axis.
    pub(super) fn strip<'k>(
        &mut self,
        nest: &'k Nest<'_>,
        start: Val,
        in_tile: Val,
        tile: usize,
        points: usize,
    ) -> Strip<'k> {
        let mut at = nest.at.clone();
        let position = match (self.code.known_int(start), self.code.known_int(in_tile)) {
            (Some(0), _) => in_tile,
            (Some(a), Some(b)) => self.code.int(a + b),
            _ => self.code.add(start, in_tile),
        };
        // Outside of the reduced axes, where maps without steps along them are read.
        at.resize(nest.plan.extents.len() - 1, Coordinate::At(0));
        at.push(Coordinate::Index(position));
        let groups = FxHashMap::default();
        Strip { plan: nest.plan, at, in_tile, tile, points, values: &nest.values, groups }
    }

    /// Writes a scratch row.
    pub(super) fn keep(&mut self, strip: &Strip<'_>, row: usize, dtype: DType, value: &Group) {
        let (base, offset) = self.row(strip, row, dtype);
        let memory = super::code::Memory::Scratch;
        value.store(&mut self.code, memory, dtype, strip.points, base, offset);
    }

    fn tile_call(
        &mut self,
        nest: &Nest<'_>,
        segments: &Segments,
        start: Val,
        length: usize,
        call: &crate::segments::TileCall,
    ) -> Result<()> {
        let plan = nest.plan;
        let mut at = nest.at.clone();
        at.push(Coordinate::Index(start));
        let bytes = row_bytes(segments.tile);
        let row = |emitter: &mut Self, row: usize| {
            emitter.code.add_const(emitter.scratch, (row * bytes) as i64)
        };
        let mut args: SmallVec<[Val; 8]> = SmallVec::new();
        for result in &call.results {
            args.push(match *result {
                Held::Row(r) => row(self, r),
                Held::Stored(k) => {
                    let store = &plan.kernel.stores[k];
                    let (base, offset) = self.address(store.buffer, &store.index, &at)?;
                    self.code.add_const(base, offset)
                }
            });
        }
        for argument in &call.arguments {
            args.push(match *argument {
                Argument::Row(r) => row(self, r),
                Argument::Value(i) => {
                    super::point::value(&nest.values, probpipe_lowering::ExprId(i as u32))?
                }
                Argument::Loaded(i) => match &plan.kernel.exprs[i] {
                    probpipe_lowering::Expr::Load { buffer, index, .. } => {
                        let (base, offset) = self.address(*buffer, index, &at)?;
                        self.code.add_const(base, offset)
                    }
                    _ => self.scratch,
                },
            });
        }
        args.push(self.code.int(length as i64));
        self.code.call(call.function, &args, None);
        Ok(())
    }

    fn partials(&mut self, nest: &Nest<'_>, longest: usize) -> Vec<Option<Partial>> {
        let kernel = &nest.plan.kernel;
        let mut partials = Vec::new();
        for store in &kernel.stores {
            let Some(op) = store.reduce.filter(|_| !kernel.reduce.is_empty()) else {
                partials.push(None);
                continue;
            };
            let dtype = kernel.ty(store.value);
            let empty = self.code.literal(dtype, identity(op, dtype));
            let scalar = self.code.variable(empty);
            let mut vectors = Vec::new();
            if dtype.size() >= 4 && lanes::has_binary(combining(op), dtype) {
                let all = vector::splat(&mut self.code, super::code::vector_type(dtype), empty);
                for _ in 0..longest / per_register(dtype) {
                    vectors.push(self.code.variable(all));
                }
            }
            partials.push(Some(Partial { op, dtype, vectors, scalar }));
        }
        partials
    }

    fn add(&mut self, partial: &Partial, strip: &Strip<'_>, value: &Group) {
        let Partial { op, dtype, .. } = *partial;
        if !partial.vectors.is_empty() && strip.fills(dtype) {
            let registers = value.vectors(&mut self.code, dtype, strip.points);
            for (&var, x) in partial.vectors.iter().zip(registers) {
                let total = self.code.get(var);
                let next = vector::binary(&mut self.code, combining(op), dtype, total, x);
                self.code.set(var, next.unwrap_or(total));
            }
            return;
        }
        let lanes = value.lanes(&mut self.code, strip.points).to_vec();
        if let Some(x) = combine_all(&mut self.code, op, dtype, lanes) {
            let total = self.code.get(partial.scalar);
            let next = combine(&mut self.code, op, dtype, total, x);
            self.code.set(partial.scalar, next);
        }
    }

    /// The reduction of a tile.
    fn fold(&mut self, partial: &Partial) -> Val {
        let Partial { op, dtype, .. } = *partial;
        let scalar = self.code.get(partial.scalar);
        let registers = partial.vectors.iter().map(|&var| self.code.get(var)).collect();
        match self.fold_registers(op, dtype, registers) {
            Some(x) => combine(&mut self.code, op, dtype, x, scalar),
            None => scalar,
        }
    }

    /// The reduction of all lanes of some registers.
    pub(super) fn fold_registers(
        &mut self,
        op: ReduceOp,
        dtype: DType,
        mut registers: Vec<Val>,
    ) -> Option<Val> {
        // What the machine has no instruction for is combined lane by lane.
        while lanes::has_binary(combining(op), dtype) && registers.len() > 1 {
            let half = registers.len().div_ceil(2);
            for i in 0..registers.len() - half {
                let (x, y) = (registers[i], registers[half + i]);
                if let Some(z) = vector::binary(&mut self.code, combining(op), dtype, x, y) {
                    registers[i] = z;
                }
            }
            registers.truncate(half);
        }
        let mut lanes = Vec::new();
        for register in registers {
            for lane in 0..per_register(dtype) {
                lanes.push(self.code.builder.ins().extractlane(register, lane as u8));
            }
        }
        combine_all(&mut self.code, op, dtype, lanes)
    }

    /// A literal for the rows of a reduction.
    pub(super) fn identity_group(&mut self, op: ReduceOp, dtype: DType) -> Group {
        let empty: Scalar = identity(op, dtype);
        self.literal_group(dtype, empty)
    }
}

/// Points of a full strip: four registers of the widest type that varies, fewer where the kernel
/// is long or the tile short.
pub(super) fn strip_points(nest: &Nest<'_>, length: usize) -> usize {
    let plan = nest.plan;
    let inner = plan.extents.len();
    let varying = (0..plan.live.len()).filter(|&i| plan.live[i] && plan.depth[i] == inner);
    let (mut wide, mut count) = (false, 0);
    for i in varying {
        wide |= plan.kernel.types[i].size() == 8 || operand_type(&plan.kernel, i).size() == 8;
        count += 1;
    }
    let mut points = if wide { 8 } else { 16 };
    if count > LONG_KERNEL {
        points /= 2;
    }
    while points > 4 && points > length {
        points /= 2;
    }
    points
}
