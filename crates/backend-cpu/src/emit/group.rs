//! The values of one expression at a few consecutive points: 128-bit registers, masks, or one
//! scalar per point, with the ways from one form to another, to memory and back.

use super::code::{Code, Memory, Val, element_type, vector_type};
use super::vector::{mask_type, reinterpret, splat};
use cranelift_codegen::ir::{InstBuilder, types};
use probpipe_trace::DType;
use smallvec::SmallVec;

/// Registers, in the order of the points.
pub(super) type Registers = SmallVec<[Val; 4]>;

/// Values at consecutive points.
#[derive(Clone, Debug)]
pub(super) enum Group {
    /// One scalar for all points.
    Uniform(Val),
    /// Vectors of 4- or 8-byte elements.
    Vectors(Registers),
    /// Truth values as lanes of this many bytes, all ones or all zeros.
    Masks(Registers, usize),
    /// A scalar for each point.
    Lanes(SmallVec<[Val; 16]>),
}

/// How many points fill one register.
pub(super) fn per_register(dtype: DType) -> usize {
    16 / dtype.size()
}

impl Group {
    /// One vector per `per_register` points; `dtype` has 4 or 8 bytes and the points fill whole
    /// registers.
    pub(super) fn vectors(&self, code: &mut Code<'_>, dtype: DType, points: usize) -> Registers {
        let ty = vector_type(dtype);
        let lanes = per_register(dtype);
        match self {
            Group::Uniform(x) => {
                let all = splat(code, ty, *x);
                SmallVec::from_elem(all, points / lanes)
            }
            Group::Vectors(registers) => registers.clone(),
            Group::Lanes(scalars) => {
                scalars.chunks(lanes).map(|chunk| gather(code, ty, chunk)).collect()
            }
            Group::Masks(..) => unreachable!("truth values are no vectors of elements"),
        }
    }

    /// Truth values as masks of `width` bytes per lane.
    pub(super) fn masks(&self, code: &mut Code<'_>, width: usize, points: usize) -> Registers {
        let ty = mask_type(width);
        let lanes = 16 / width;
        match self {
            Group::Masks(registers, have) if *have == width => registers.clone(),
            Group::Masks(registers, 4) => {
                // Sign extension doubles the width of a mask.
                let mut wide = Registers::new();
                for &x in registers {
                    wide.push(code.builder.ins().swiden_low(x));
                    wide.push(code.builder.ins().swiden_high(x));
                }
                wide
            }
            Group::Masks(registers, _) => {
                registers.chunks(2).map(|pair| even_words(code, types::I32X4, pair)).collect()
            }
            Group::Uniform(x) => {
                let lane = truth_lane(code, width, *x);
                let all = splat(code, ty, lane);
                SmallVec::from_elem(all, points / lanes)
            }
            Group::Lanes(scalars) => {
                let wide: SmallVec<[Val; 16]> =
                    scalars.iter().map(|&x| truth_lane(code, width, x)).collect();
                wide.chunks(lanes).map(|chunk| gather(code, ty, chunk)).collect()
            }
            Group::Vectors(_) => unreachable!("truth values are masks"),
        }
    }

    /// One scalar per point.
    pub(super) fn lanes(&self, code: &mut Code<'_>, points: usize) -> SmallVec<[Val; 16]> {
        match self {
            Group::Uniform(x) => SmallVec::from_elem(*x, points),
            Group::Lanes(scalars) => scalars.clone(),
            Group::Vectors(registers) => {
                let per = points / registers.len();
                let mut out = SmallVec::new();
                for &x in registers {
                    for lane in 0..per {
                        out.push(code.builder.ins().extractlane(x, lane as u8));
                    }
                }
                out
            }
            Group::Masks(registers, width) => {
                let mut out = SmallVec::new();
                for &x in registers {
                    for lane in 0..16 / width {
                        let word = code.builder.ins().extractlane(x, lane as u8);
                        let byte = code.builder.ins().ireduce(types::I8, word);
                        out.push(code.builder.ins().band_imm_u(byte, 1));
                    }
                }
                out
            }
        }
    }

    /// Reads consecutive elements.
    pub(super) fn load(
        code: &mut Code<'_>,
        memory: Memory,
        dtype: DType,
        points: usize,
        base: Val,
        offset: i64,
    ) -> Group {
        let size = dtype.size() as i64;
        if dtype.size() < 4 || points < per_register(dtype) {
            let ty = element_type(dtype);
            let lane = |k: usize| offset + k as i64 * size;
            return Group::Lanes(
                (0..points).map(|k| code.load(memory, ty, base, lane(k))).collect(),
            );
        }
        let ty = vector_type(dtype);
        let registers = points / per_register(dtype);
        Group::Vectors(
            (0..registers).map(|k| code.load(memory, ty, base, offset + 16 * k as i64)).collect(),
        )
    }

    /// Writes consecutive elements.
    pub(super) fn store(
        &self,
        code: &mut Code<'_>,
        memory: Memory,
        dtype: DType,
        points: usize,
        base: Val,
        offset: i64,
    ) {
        if let Group::Masks(..) = self
            && points >= 4
        {
            let masks = self.masks(code, 4, points);
            return store_truth(code, memory, &masks, base, offset);
        }
        if dtype.size() < 4 || points < per_register(dtype) {
            for (k, x) in self.lanes(code, points).into_iter().enumerate() {
                code.store(memory, x, base, offset + (k * dtype.size()) as i64);
            }
            return;
        }
        for (k, x) in self.vectors(code, dtype, points).into_iter().enumerate() {
            code.store(memory, x, base, offset + 16 * k as i64);
        }
    }
}

/// Scalars side by side.
fn gather(code: &mut Code<'_>, ty: cranelift_codegen::ir::Type, scalars: &[Val]) -> Val {
    let mut vector = code.builder.ins().scalar_to_vector(ty, scalars[0]);
    for (lane, &x) in scalars.iter().enumerate().skip(1) {
        vector = code.builder.ins().insertlane(vector, x, lane as u8);
    }
    vector
}

/// 0 or 1 as a lane of all zeros or all ones.
fn truth_lane(code: &mut Code<'_>, width: usize, x: Val) -> Val {
    let ty = if width == 8 { types::I64 } else { types::I32 };
    let word = code.builder.ins().uextend(ty, x);
    code.builder.ins().ineg(word)
}

/// The even 32-bit words of two registers: the low halves of 64-bit lanes.
pub(super) fn even_words(
    code: &mut Code<'_>,
    ty: cranelift_codegen::ir::Type,
    pair: &[Val],
) -> Val {
    let low = reinterpret(code, types::I8X16, pair[0]);
    let high = pair.get(1).map_or(low, |&x| reinterpret(code, types::I8X16, x));
    let mask: Vec<u8> =
        [0u8, 8, 16, 24].iter().flat_map(|&at| (at..at + 4).collect::<Vec<u8>>()).collect();
    let mask = code.builder.func.dfg.immediates.push(mask.into());
    let words = code.builder.ins().shuffle(low, high, mask);
    reinterpret(code, ty, words)
}

/// Masks of four lanes as bytes of 0 or 1.
fn store_truth(code: &mut Code<'_>, memory: Memory, masks: &[Val], base: Val, offset: i64) {
    for (k, four) in masks.chunks(4).enumerate() {
        let at = |i: usize| four[i.min(four.len() - 1)];
        let low = code.builder.ins().snarrow(at(0), at(1));
        let high = code.builder.ins().snarrow(at(2), at(3));
        let bytes = code.builder.ins().snarrow(low, high);
        let ones = code.vector_constant(types::I8X16, [1; 16]);
        let bytes = code.builder.ins().band(bytes, ones);
        let (value, ty) = match four.len() {
            4 => (bytes, types::I8X16),
            2 => (bytes, types::I64X2),
            _ => (bytes, types::I32X4),
        };
        let offset = offset + 16 * k as i64;
        match four.len() {
            4 => code.store(memory, value, base, offset),
            1 | 2 => {
                let whole = reinterpret(code, ty, value);
                let part = code.builder.ins().extractlane(whole, 0u8);
                code.store(memory, part, base, offset);
            }
            _ => {
                for i in 0..4 * four.len() {
                    let byte = code.builder.ins().extractlane(value, i as u8);
                    code.store(memory, byte, base, offset + i as i64);
                }
            }
        }
    }
}
