//! Calls of vector regions: which segments of a kernel become one, their arguments, and what
//! becomes of their partial reductions.

use super::code::{Memory, Val, vector_type};
use super::group::per_register;
use super::memory::Coordinate;
use super::nest::Nest;
use super::point::value;
use super::{Emitter, Extra};
use crate::plan::Plan;
use crate::segments::{self, Held, Segments, Step, row_bytes};
use crate::tuning::tuning;
use crate::wide::{self, Arg, Region, Sums};
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{InstBuilder, types};
use probpipe_lowering::{BufferId, Expr, ExprId, IndexMap, Place};
use probpipe_trace::{DType, Error, ErrorKind, Result, Scalar};
use smallvec::SmallVec;

/// Results of at least this many bytes are written past the caches, which they would only fill.
const STREAM_BYTES: usize = 8 << 20;

/// A region, its number in the module, and where in scratch its arguments lie.
pub(super) struct Placed {
    pub(super) region: Region,
    number: u32,
    pub(super) at: usize,
}

impl Emitter<'_, '_> {
    /// Cuts a kernel into segments, and gives the regions of those that become one. Functions
    /// that regions compute themselves are no calls if every segment that has one is a region.
    /// `rows` gives the first scratch row of reductions along axes outside of the innermost, and
    /// the types of these rows.
    pub(super) fn cut<'t>(
        &mut self,
        plan: &Plan,
        extent: usize,
        rows: impl Fn(&Segments) -> Option<(usize, &'t Vec<DType>)>,
    ) -> (Segments, Vec<Option<Placed>>) {
        let inline = |i: usize| wide::computes(&plan.kernel, i);
        let wanted = extent >= tuning().region_points && wide::available();
        if wanted && (0..plan.live.len()).any(|i| plan.live[i] && inline(i)) {
            let segments = segments::cut(plan, extent, inline);
            let before = self.extras.len();
            let regions = self.regions(plan, &segments, extent, rows(&segments));
            let mut pairs = segments.list.iter().zip(&regions);
            let has = |step: &Step| matches!(step, Step::Compute(i) if inline(*i));
            if pairs.all(|(segment, region)| region.is_some() || !segment.steps.iter().any(has)) {
                return (segments, regions);
            }
            self.extras.truncate(before);
        }
        let segments = segments::cut(plan, extent, |_| false);
        let regions = self.regions(plan, &segments, extent, rows(&segments));
        (segments, regions)
    }

    fn regions(
        &mut self,
        plan: &Plan,
        segments: &Segments,
        extent: usize,
        rows: Option<(usize, &Vec<DType>)>,
    ) -> Vec<Option<Placed>> {
        let count = segments.list.len();
        if extent < tuning().region_points || !wide::available() {
            return (0..count).map(|_| None).collect();
        }
        let sums = rows.map_or(Sums::Registers, |(first, types)| Sums::Rows(first, types));
        let all_rows = segments.rows + rows.map_or(0, |(_, types)| types.len());
        let mut at = all_rows * row_bytes(segments.tile);
        let streaming = self.streams(plan, segments, extent);
        let mut placed = Vec::with_capacity(count);
        for segment in &segments.list {
            let empty =
                segment.steps.is_empty() && segment.keeps.is_empty() && segment.stores.is_empty();
            let bytes = row_bytes(segments.tile);
            let elements = |buffer: BufferId| self.program.buffer(buffer).ty.size();
            let region = (!empty)
                .then(|| wide::build(plan, segment, sums, streaming, bytes, &elements))
                .flatten();
            placed.push(region.map(|mut region| {
                let number = self.extra(Extra::Region(std::mem::take(&mut region.code)));
                let here = at;
                at += region.bytes.next_multiple_of(64);
                Placed { region, number, at: here }
            }));
        }
        placed
    }

    /// Whether results are large, aligned, and not read again soon.
    fn streams(&self, plan: &Plan, segments: &Segments, extent: usize) -> bool {
        let kernel = &plan.kernel;
        let read_again = segments.list.iter().flat_map(|s| &s.steps);
        let mut read_again = read_again.filter(|s| matches!(s, Step::Read(_, Held::Stored(_))));
        let aligned = kernel.stores.iter().all(|store| {
            let size = kernel.ty(store.value).size();
            let output = matches!(self.program.buffer(store.buffer).place, Place::Output(_));
            output
                && store.index.loops.is_empty()
                && (store.index.offset as usize * size).is_multiple_of(64)
        });
        let bytes: usize =
            kernel.stores.iter().map(|store| extent * kernel.ty(store.value).size()).sum();
        plan.extents.len() == 1
            && kernel.reduce.is_empty()
            && bytes >= STREAM_BYTES
            && aligned
            && read_again.next().is_none()
    }

    /// Writes the arguments of a region for the place that the outer loops are at.
    pub(super) fn write_args(&mut self, nest: &Nest<'_>, placed: &Placed) -> Result<()> {
        let kernel = &nest.plan.kernel;
        let mut at: SmallVec<[Coordinate; 4]> = nest.at.clone();
        at.resize(nest.plan.extents.len(), Coordinate::At(0));
        for (slot, arg) in placed.region.args.iter().enumerate() {
            let word = match *arg {
                Arg::Load(i) => match &kernel.exprs[i] {
                    Expr::Load { buffer, index, .. } | Expr::LoadAt { buffer, index, .. } => {
                        let (base, offset) = self.address(*buffer, index, &at)?;
                        self.code.add_const(base, offset)
                    }
                    _ => return Err(misplaced()),
                },
                Arg::Store(k) => {
                    let store = &kernel.stores[k];
                    let (base, offset) = self.address(store.buffer, &store.index, &at)?;
                    self.code.add_const(base, offset)
                }
                Arg::Rows(_) => self.scratch,
                Arg::Row(_) => return Err(misplaced()),
                Arg::Value(i) => {
                    let value = value(&nest.values, ExprId(i as u32))?;
                    match kernel.types[i] {
                        DType::Bool => self.code.builder.ins().uextend(types::I64, value),
                        _ => value,
                    }
                }
                Arg::Reciprocal(i) => {
                    let value = value(&nest.values, ExprId(i as u32))?;
                    self.reciprocal(kernel.types[i], value)
                }
                Arg::Index(i) => match &kernel.exprs[i] {
                    Expr::Index(map) => self.first_index(map, &at)?,
                    _ => return Err(misplaced()),
                },
            };
            let place = placed.at + 8 * slot;
            self.code.store(Memory::Scratch, word, self.scratch, place as i64);
        }
        Ok(())
    }

    /// The reciprocal of a divisor that quotients can be had with, else NaN.
    fn reciprocal(&mut self, dtype: DType, x: Val) -> Val {
        let (low, high) = wide::divisors(dtype);
        let bounds = [(FloatCC::GreaterThanOrEqual, low), (FloatCC::LessThanOrEqual, high)];
        let size = self.code.builder.ins().fabs(x);
        let within = bounds.map(|(condition, bound)| {
            let bound = self.code.literal(dtype, Scalar::Float(bound));
            self.code.builder.ins().fcmp(condition, size, bound)
        });
        let within = self.code.builder.ins().band(within[0], within[1]);
        let one = self.code.literal(dtype, Scalar::Float(1.0));
        let reciprocal = self.code.builder.ins().fdiv(one, x);
        let nan = self.code.literal(dtype, Scalar::Float(f64::NAN));
        self.code.choose(within, reciprocal, nan)
    }

    fn first_index(&mut self, map: &IndexMap, at: &[Coordinate]) -> Result<Val> {
        let (known, rest) = self.index_at(map, at, 1, None)?;
        Ok(match rest {
            Some(rest) => self.code.add_const(rest, known),
            None => self.code.int(known),
        })
    }

    /// Calls a region for the points of a tile, which may be the only one of its reductions.
    pub(super) fn run_region(
        &mut self,
        nest: &Nest<'_>,
        placed: &Placed,
        start: Val,
        length: usize,
        only: bool,
    ) {
        let args = self.code.add_const(self.scratch, placed.at as i64);
        let end = self.code.add_const(start, length as i64);
        self.code.call_extra(placed.number, &[args, start, end]);
        for sum in &placed.region.sums {
            let store = &nest.plan.kernel.stores[sum.store];
            let (Some(op), Some(accumulator)) = (store.reduce, nest.accumulators[sum.store]) else {
                continue;
            };
            let ty = vector_type(sum.dtype);
            let at = placed.at + sum.offset;
            let registers = (0..sum.lanes / per_register(sum.dtype))
                .map(|k| self.code.load(Memory::Scratch, ty, self.scratch, (at + 16 * k) as i64))
                .collect();
            if let Some(total) = self.fold_registers(op, sum.dtype, registers) {
                accumulator.add_tile(&mut self.code, total, only);
            }
        }
    }
}

fn misplaced() -> Error {
    Error::new(ErrorKind::Internal, "a region reads what is no load or index")
}
