//! Threefry-2x32 with 20 rounds written out in 32-bit additions, rotations and exclusive ors, so
//! that it fuses with what surrounds it and gives the same bits on every device.
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

use super::exprs::Exprs;
use crate::program::ExprId;
use crate::threefry::{PARITY, ROTATIONS};
use probpipe_trace::{BinaryOp, DType, Scalar};

/// The two output words for (key0, key1, count0, count1).
pub(super) fn expand(x: &mut Exprs, [k0, k1, c0, c1]: [ExprId; 4]) -> [ExprId; 2] {
    let word = |x: &mut Exprs, v: u32| x.literal(Scalar::Int(i128::from(v)), DType::U32);
    let parity = word(x, PARITY);
    let k01 = x.binary(BinaryOp::Xor, k0, k1);
    let keys = [k0, k1, x.binary(BinaryOp::Xor, k01, parity)];
    let mut a = x.binary(BinaryOp::Add, c0, keys[0]);
    let mut b = x.binary(BinaryOp::Add, c1, keys[1]);
    for group in 0..5usize {
        for rotation in ROTATIONS[group % 2] {
            a = x.binary(BinaryOp::Add, a, b);
            let (left, right) = (word(x, rotation), word(x, 32 - rotation));
            let high = x.binary(BinaryOp::Shl, b, left);
            let low = x.binary(BinaryOp::Shr, b, right);
            let rotated = x.binary(BinaryOp::Or, high, low);
            b = x.binary(BinaryOp::Xor, a, rotated);
        }
        a = x.binary(BinaryOp::Add, a, keys[(group + 1) % 3]);
        // Scalar work: the key word with its round number does not depend on the point.
        let number = word(x, group as u32 + 1);
        let key = x.binary(BinaryOp::Add, keys[(group + 2) % 3], number);
        b = x.binary(BinaryOp::Add, b, key);
    }
    [a, b]
}
