//! A strip: a few consecutive points along the innermost axis, in vectors where the machine has
//! them for an op, else point by point.

use super::code::{Memory, Val, element_type};
use super::group::{Group, Registers, per_register};
use super::memory::Coordinate;
use super::point::not_inline;
use super::widths::cast_group;
use super::{Emitter, cast, scalar, vector};
use crate::lanes;
use crate::plan::{Plan, operand_type};
use crate::segments::{Held, Step, row_bytes};
use cranelift_codegen::ir::{InstBuilder, types};
use probpipe_lowering::{BufferId, Expr, ExprId, IndexMap};
use probpipe_trace::{BinaryOp, DType, Error, ErrorKind, Result, Scalar, UnaryOp};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// Where a strip is.
pub(super) struct Strip<'k> {
    pub(super) plan: &'k Plan,
    /// Coordinates of all axes; the last is that of the strip's first point.
    pub(super) at: SmallVec<[Coordinate; 4]>,
    /// The first point's place in the tile.
    pub(super) in_tile: Val,
    /// Elements of a tile.
    pub(super) tile: usize,
    /// Number of points.
    pub(super) points: usize,
    /// What is the same at all points.
    pub(super) values: &'k [Option<Val>],
    /// What is computed here.
    pub(super) groups: FxHashMap<u32, Group>,
}

impl Strip<'_> {
    pub(super) fn get(&self, id: ExprId) -> Result<Group> {
        let uniform = || self.values.get(id.0 as usize).copied().flatten().map(Group::Uniform);
        self.groups.get(&id.0).cloned().or_else(uniform).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("expression {id} is used before it is had"))
        })
    }

    /// Whether values of a type fill whole registers here.
    pub(super) fn fills(&self, dtype: DType) -> bool {
        dtype.size() >= 4 && self.points.is_multiple_of(per_register(dtype))
    }
}

impl Emitter<'_, '_> {
    /// Brings an expression into registers.
    pub(super) fn step(&mut self, strip: &mut Strip<'_>, step: Step) -> Result<()> {
        let (i, group) = match step {
            Step::Compute(i) => (i, self.group(strip, i)?),
            Step::Read(i, held) => (i, self.held(strip, i, held)?),
        };
        strip.groups.insert(i as u32, group);
        Ok(())
    }

    /// The address of a scratch row at the strip.
    pub(super) fn row(&mut self, strip: &Strip<'_>, row: usize, dtype: DType) -> (Val, i64) {
        let step = self.code.mul_const(strip.in_tile, dtype.size() as i64);
        let base = self.code.add(self.scratch, step);
        (base, (row * row_bytes(strip.tile)) as i64)
    }

    fn held(&mut self, strip: &Strip<'_>, i: usize, held: Held) -> Result<Group> {
        let dtype = strip.plan.kernel.types[i];
        let (memory, base, offset) = match held {
            Held::Row(row) => {
                let (base, offset) = self.row(strip, row, dtype);
                (Memory::Scratch, base, offset)
            }
            Held::Stored(k) => {
                let store = &strip.plan.kernel.stores[k];
                let (base, offset) = self.address(store.buffer, &store.index, &strip.at)?;
                (self.classes[store.buffer.0 as usize], base, offset)
            }
        };
        Ok(Group::load(&mut self.code, memory, dtype, strip.points, base, offset))
    }

    /// Computes expression `i` from its operands.
    fn group(&mut self, strip: &Strip<'_>, i: usize) -> Result<Group> {
        let kernel = &strip.plan.kernel;
        let dtype = kernel.types[i];
        let from = operand_type(kernel, i);
        let points = strip.points;
        match &kernel.exprs[i] {
            Expr::Literal(x) => Ok(Group::Uniform(self.code.literal(dtype, *x))),
            Expr::Load { buffer, index, guard } => {
                let guard = guard.map(|g| strip.get(g)).transpose()?;
                self.load_group(strip, *buffer, index, guard)
            }
            Expr::LoadAt { buffer, index, at } => self.load_at_group(strip, *buffer, index, at),
            Expr::Index(map) => self.index_group(strip, map, dtype),
            Expr::Unary(op, x) => {
                let x = strip.get(*x)?;
                Ok(self.unary_group(strip, *op, from, &x))
            }
            Expr::Binary(op, x, y) => {
                let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr);
                let literal = match kernel.expr(*y) {
                    Expr::Literal(amount) if shift => Some(amount.as_i128()),
                    _ => None,
                };
                let (x, y) = (strip.get(*x)?, strip.get(*y)?);
                if let (Some(amount), true) = (literal, strip.fills(dtype)) {
                    let left = *op == BinaryOp::Shl;
                    let registers = x.vectors(&mut self.code, dtype, points);
                    return Ok(Group::Vectors(
                        registers
                            .into_iter()
                            .map(|x| vector::shift(&mut self.code, left, dtype, x, amount))
                            .collect(),
                    ));
                }
                Ok(self.binary_group(strip, *op, dtype, &x, &y))
            }
            Expr::MulAdd { factors: [x, y], addend, minus } => {
                let operands = [strip.get(*x)?, strip.get(*y)?, strip.get(*addend)?];
                Ok(self.mul_add_group(strip, dtype, &operands, *minus))
            }
            Expr::Summand(x, y) => {
                let (x, y) = (strip.get(*x)?, strip.get(*y)?);
                Ok(self.binary_group(strip, BinaryOp::Mul, dtype, &x, &y))
            }
            Expr::Compare(op, x, y) => {
                let (x, y) = (strip.get(*x)?, strip.get(*y)?);
                if from == DType::Bool
                    && let (Group::Masks(..), _) | (_, Group::Masks(..)) = (&x, &y)
                {
                    let width = width_of(&[&x, &y]);
                    let (a, b) = self.both_masks(&x, &y, width, points);
                    let equal = *op == probpipe_trace::CompareOp::Eq;
                    let pairs = a.into_iter().zip(b).map(|(a, b)| {
                        let differ = self.code.builder.ins().bxor(a, b);
                        if equal { self.code.builder.ins().bnot(differ) } else { differ }
                    });
                    return Ok(Group::Masks(pairs.collect(), width));
                }
                if from != DType::Bool && strip.fills(from) && lanes::has_compare(*op, from) {
                    let (a, b) = self.both(&x, &y, from, points);
                    let masks: Option<Registers> = a
                        .into_iter()
                        .zip(b)
                        .map(|(a, b)| vector::compare(&mut self.code, *op, from, a, b))
                        .collect();
                    if let Some(masks) = masks {
                        return Ok(Group::Masks(masks, from.size()));
                    }
                }
                Ok(self
                    .by_lane2(&x, &y, points, |code, x, y| scalar::compare(code, *op, from, x, y)))
            }
            Expr::Select(c, x, y) => {
                let (c, x, y) = (strip.get(*c)?, strip.get(*x)?, strip.get(*y)?);
                Ok(self.select_group(strip, dtype, &c, &x, &y))
            }
            Expr::Special(op, _) => Err(not_inline(*op)),
            Expr::Cast(x) => Ok(cast_group(&mut self.code, from, dtype, &strip.get(*x)?, points)),
            Expr::Bitcast(x) => {
                let x = strip.get(*x)?;
                if let (Group::Vectors(registers), true) = (&x, dtype != DType::Bool) {
                    let ty = super::code::vector_type(dtype);
                    let same = |&x: &Val| vector::reinterpret(&mut self.code, ty, x);
                    return Ok(Group::Vectors(registers.iter().map(same).collect()));
                }
                Ok(self.by_lane(&x, points, |code, x| cast::bitcast(code, dtype, x)))
            }
        }
    }

    fn load_group(
        &mut self,
        strip: &Strip<'_>,
        buffer: BufferId,
        index: &IndexMap,
        guard: Option<Group>,
    ) -> Result<Group> {
        let ty = &self.program.buffer(buffer).ty;
        let (dtype, points) = (ty.dtype, strip.points);
        let step = index.axes.last().copied().unwrap_or(0);
        if step == 1 && guard.is_none() {
            let class = self.classes[buffer.0 as usize];
            let (base, offset) = self.address(buffer, index, &strip.at)?;
            return Ok(Group::load(&mut self.code, class, dtype, points, base, offset));
        }
        let guards = guard.map(|g| g.lanes(&mut self.code, points));
        let mut lanes = SmallVec::new();
        for k in 0..points {
            // The point's index is the strip's with `k` steps more.
            let map = IndexMap { offset: index.offset + k as i64 * step, ..index.clone() };
            let guard = guards.as_ref().map(|g| g[k]);
            lanes.push(self.load(buffer, &map, &strip.at, guard)?);
        }
        if strip.fills(dtype) {
            // Gathered at once, so that each lane is moved but once.
            let registers = Group::Lanes(lanes).vectors(&mut self.code, dtype, points);
            return Ok(Group::Vectors(registers));
        }
        Ok(Group::Lanes(lanes))
    }

    fn index_group(&mut self, strip: &Strip<'_>, map: &IndexMap, dtype: DType) -> Result<Group> {
        let points = strip.points;
        let step = map.axes.last().copied().unwrap_or(0);
        let (known, rest) = self.index_at(map, &strip.at, 1, None)?;
        let first = match rest {
            Some(rest) => self.code.add_const(rest, known),
            None => self.code.int(known),
        };
        if dtype.is_integer() && strip.fills(dtype) {
            let wide = dtype.size() == 8;
            let start =
                if wide { first } else { self.code.builder.ins().ireduce(types::I32, first) };
            let ty = super::code::vector_type(dtype);
            let start = vector::splat(&mut self.code, ty, start);
            let per = per_register(dtype);
            let mut registers = Registers::new();
            for k in 0..points / per {
                let mut bytes = [0u8; 16];
                for lane in 0..per {
                    let value = (k * per + lane) as i64 * step;
                    let size = dtype.size();
                    bytes[lane * size..][..size].copy_from_slice(&value.to_le_bytes()[..size]);
                }
                let more = self.code.vector_constant(ty, bytes);
                registers.push(self.code.builder.ins().iadd(start, more));
            }
            return Ok(Group::Vectors(registers));
        }
        let lanes: SmallVec<[Val; 16]> = (0..points)
            .map(|k| {
                let index = self.code.add_const(first, k as i64 * step);
                cast::cast(&mut self.code, DType::I64, dtype, index)
            })
            .collect();
        Ok(Group::Lanes(lanes))
    }

    fn unary_group(&mut self, strip: &Strip<'_>, op: UnaryOp, dtype: DType, x: &Group) -> Group {
        let points = strip.points;
        if let (Group::Masks(registers, width), UnaryOp::Not) = (x, op) {
            let not = |&x: &Val| self.code.builder.ins().bnot(x);
            return Group::Masks(registers.iter().map(not).collect(), *width);
        }
        if dtype != DType::Bool && strip.fills(dtype) && lanes::has_unary(op, dtype) {
            let registers = x.vectors(&mut self.code, dtype, points);
            let results: Option<Registers> = registers
                .into_iter()
                .map(|x| vector::unary(&mut self.code, op, dtype, x))
                .collect();
            if let Some(results) = results {
                return if op == UnaryOp::IsFinite {
                    Group::Masks(results, dtype.size())
                } else {
                    Group::Vectors(results)
                };
            }
        }
        self.by_lane(x, points, |code, x| scalar::unary(code, op, dtype, x))
    }

    /// `x op y` of groups.
    pub(super) fn binary_group(
        &mut self,
        strip: &Strip<'_>,
        op: BinaryOp,
        dtype: DType,
        x: &Group,
        y: &Group,
    ) -> Group {
        let points = strip.points;
        if let (DType::Bool, (Group::Masks(..), _) | (_, Group::Masks(..))) = (dtype, (x, y)) {
            let width = width_of(&[x, y]);
            let (a, b) = self.both_masks(x, y, width, points);
            // Masks are integers to the machine.
            let word = if width == 8 { DType::I64 } else { DType::I32 };
            let results: Option<Registers> = a
                .into_iter()
                .zip(b)
                .map(|(a, b)| vector::binary(&mut self.code, op, word, a, b))
                .collect();
            if let Some(results) = results {
                return Group::Masks(results, width);
            }
        }
        let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr);
        if dtype != DType::Bool && !shift && strip.fills(dtype) && lanes::has_binary(op, dtype) {
            let (a, b) = self.both(x, y, dtype, points);
            let results: Option<Registers> = a
                .into_iter()
                .zip(b)
                .map(|(a, b)| vector::binary(&mut self.code, op, dtype, a, b))
                .collect();
            if let Some(results) = results {
                return Group::Vectors(results);
            }
        }
        self.by_lane2(x, y, points, |code, x, y| scalar::binary(code, op, dtype, x, y))
    }

    /// `x y + z` of groups of floats, with the signs of [`vector::mul_add`].
    fn mul_add_group(
        &mut self,
        strip: &Strip<'_>,
        dtype: DType,
        operands: &[Group; 3],
        minus: [bool; 2],
    ) -> Group {
        let fills = strip.fills(dtype);
        let [x, y, z] = operands.each_ref().map(|group| match fills {
            true => group.vectors(&mut self.code, dtype, strip.points),
            false => group.lanes(&mut self.code, strip.points).into_iter().collect(),
        });
        let all = x.into_iter().zip(y).zip(z);
        let results = all.map(|((x, y), z)| vector::mul_add(&mut self.code, [x, y, z], minus));
        if fills { Group::Vectors(results.collect()) } else { Group::Lanes(results.collect()) }
    }

    fn select_group(
        &mut self,
        strip: &Strip<'_>,
        dtype: DType,
        c: &Group,
        x: &Group,
        y: &Group,
    ) -> Group {
        let points = strip.points;
        if strip.fills(dtype) {
            let masks = c.masks(&mut self.code, dtype.size(), points);
            let (a, b) = self.both(x, y, dtype, points);
            let lanes = masks.into_iter().zip(a.into_iter().zip(b));
            return Group::Vectors(
                lanes.map(|(m, (a, b))| vector::choose(&mut self.code, m, a, b)).collect(),
            );
        }
        let masked = [c, x, y].iter().any(|g| matches!(g, Group::Masks(..)));
        if dtype == DType::Bool && masked {
            let width = width_of(&[c, x, y]);
            let masks = c.masks(&mut self.code, width, points);
            let (a, b) = self.both_masks(x, y, width, points);
            let lanes = masks.into_iter().zip(a.into_iter().zip(b));
            return Group::Masks(
                lanes.map(|(m, (a, b))| vector::choose(&mut self.code, m, a, b)).collect(),
                width,
            );
        }
        let c = c.lanes(&mut self.code, points);
        let x = x.lanes(&mut self.code, points);
        let y = y.lanes(&mut self.code, points);
        Group::Lanes((0..points).map(|k| self.code.choose(c[k], x[k], y[k])).collect())
    }

    fn both(
        &mut self,
        x: &Group,
        y: &Group,
        dtype: DType,
        points: usize,
    ) -> (Registers, Registers) {
        let x = x.vectors(&mut self.code, dtype, points);
        (x, y.vectors(&mut self.code, dtype, points))
    }

    fn both_masks(
        &mut self,
        x: &Group,
        y: &Group,
        width: usize,
        points: usize,
    ) -> (Registers, Registers) {
        let x = x.masks(&mut self.code, width, points);
        (x, y.masks(&mut self.code, width, points))
    }

    fn by_lane(
        &mut self,
        x: &Group,
        points: usize,
        mut f: impl FnMut(&mut super::code::Code<'_>, Val) -> Val,
    ) -> Group {
        let lanes = x.lanes(&mut self.code, points);
        Group::Lanes(lanes.into_iter().map(|x| f(&mut self.code, x)).collect())
    }

    fn by_lane2(
        &mut self,
        x: &Group,
        y: &Group,
        points: usize,
        mut f: impl FnMut(&mut super::code::Code<'_>, Val, Val) -> Val,
    ) -> Group {
        let x = x.lanes(&mut self.code, points);
        let y = y.lanes(&mut self.code, points);
        Group::Lanes(x.into_iter().zip(y).map(|(x, y)| f(&mut self.code, x, y)).collect())
    }

    /// Writes a group to a buffer.
    pub(super) fn store_group(
        &mut self,
        strip: &Strip<'_>,
        buffer: BufferId,
        index: &IndexMap,
        value: &Group,
    ) -> Result<()> {
        let dtype = self.program.buffer(buffer).ty.dtype;
        let step = index.axes.last().copied().unwrap_or(0);
        let class = self.classes[buffer.0 as usize];
        let (base, offset) = self.address(buffer, index, &strip.at)?;
        if step == 1 {
            value.store(&mut self.code, class, dtype, strip.points, base, offset);
            return Ok(());
        }
        let size = dtype.size() as i64;
        for (k, x) in value.lanes(&mut self.code, strip.points).into_iter().enumerate() {
            self.code.store(class, x, base, offset + k as i64 * step * size);
        }
        Ok(())
    }

    /// A literal at every point of a strip.
    pub(super) fn literal_group(&mut self, dtype: DType, value: Scalar) -> Group {
        let x = self.code.literal(dtype, value);
        debug_assert_eq!(self.code.type_of(x), element_type(dtype));
        Group::Uniform(x)
    }
}

/// The wider of the masks' lanes.
fn width_of(groups: &[&Group]) -> usize {
    let width = |g: &&Group| if let Group::Masks(_, width) = g { *width } else { 0 };
    groups.iter().map(width).max().unwrap_or(4).max(4)
}
