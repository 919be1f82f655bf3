//! Elementwise steps: functions of one and two arrays, literals, masks, and what integers do.

use super::{Config, match_shape};
use crate::Random;
use probpipe_trace::{
    Array, ArrayType, BinaryOp, CompareOp, DType, Op, UnaryOp, bind1, iota, select,
};

pub(super) fn unary(random: &mut Random, x: &Array, config: Config) -> Array {
    let smooth = [UnaryOp::Neg, UnaryOp::Sin, UnaryOp::Cos, UnaryOp::Tanh, UnaryOp::Erf];
    match random.below(if config.kinks { 9 } else { 7 }) {
        0 => x.sin().exp(),
        1 => (x.square() + 1.0).log(),
        2 => (x.square() + 0.5).sqrt(),
        3 => x.tanh().expm1(),
        4..=6 => bind1(Op::Unary(*random.pick(&smooth)), &[x]),
        7 => x.abs(),
        _ => (x * 3.0).floor() * 0.25,
    }
}

pub(super) fn binary(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    match random.below(if config.kinks { 8 } else { 6 }) {
        0 => x + y,
        1 => x - y,
        2 => x.tanh() * y,
        3 => x / (y.square() + 1.0),
        4 => (x.square() + 0.5).pow(y.tanh()),
        5 => x.atan2(y.square() + 1.0),
        n => bind1(Op::Binary(if n == 6 { BinaryOp::Max } else { BinaryOp::Min }), &[x, y]),
    }
}

pub(super) fn literal(random: &mut Random, x: &Array) -> Array {
    let numbers = [0.0, 1.0, -1.0, 2.0, 0.5, 1.5];
    let number = *random.pick(&numbers);
    match random.below(5) {
        0 => x + number,
        1 => x * number,
        2 => number - x,
        3 => x / if number == 0.0 { 4.0 } else { number },
        _ => (x.square() + 0.5).pow(Array::from(number).cast(x.dtype())),
    }
}

pub(super) fn random_mask(random: &mut Random, x: &Array) -> Array {
    let n = random.below(3) as i32;
    if x.rank() == 0 {
        return Array::from_slice(&[n == 0], ());
    }
    let ty = ArrayType::new(DType::I32, x.shape());
    iota(&ty, x.rank() - 1).gt(n)
}

/// Integers made of floats, what is done to integers, and back to floats of modest size.
pub(super) fn counted(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    if !config.kinks {
        return x.sin();
    }
    let dtype = *random.pick(&[DType::I32, DType::I32, DType::I64, DType::U64]);
    // Of 64 bits the high words count too.
    let far = if dtype == DType::I32 { 1 } else { *random.pick(&[1i64, 1 << 31, (1 << 33) + 5]) };
    let whole = |x: &Array| {
        let small = (x.tanh() * 9.0).cast(DType::I32).cast(dtype);
        if far == 1 { small } else { small * far }
    };
    let (i, j) = (whole(x), whole(&match_shape(y, x)));
    let turned = |x: &Array| if dtype == DType::U64 { !x } else { -x };
    let ops = [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Rem,
        BinaryOp::Max,
        BinaryOp::Min,
        BinaryOp::And,
        BinaryOp::Or,
        BinaryOp::Xor,
        BinaryOp::Shl,
        BinaryOp::Shr,
    ];
    let k = match random.below(8) {
        0 => {
            let words = [&i, &j, &i, &j].map(|a| a.cast(DType::U32));
            let words: Vec<&Array> = words.iter().collect();
            let bits = probpipe_trace::bind(Op::Threefry2x32, &words);
            (bits[random.below(2)].clone() % 17u32).cast(dtype)
        }
        1 => select(&bind1(Op::Compare(*random.pick(CompareOp::ALL)), &[&i, &j]), &i, turned(&j)),
        2 => turned(&i.cast(DType::U32).cast(dtype)) + i.ne(&j).cast(dtype),
        _ => bind1(Op::Binary(*random.pick(&ops)), &[&i, &j]),
    };
    (k % 7).cast(x.dtype()) * 0.25 + x
}
