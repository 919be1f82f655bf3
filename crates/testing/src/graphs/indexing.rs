//! Steps that read and write at indices, and those in which entries depend on earlier ones.

use super::Config;
use crate::Random;
use probpipe_trace::{Array, ArrayType, CumulativeOp, DType, OutOfRange, iota};

/// Indices of which some are negative and some out of range.
fn some_indices(random: &mut Random, shape: &[usize], n: usize) -> Array {
    let count: usize = shape.iter().product();
    let list: Vec<i32> =
        (0..count).map(|_| random.below(2 * n + 2) as i32 - n as i32 - 1).collect();
    Array::from_slice(&list, shape)
}

/// Reads at indices that are constants or come from a row of the array itself.
pub(super) fn indexed(random: &mut Random, x: &Array, y: &Array) -> Array {
    if x.rank() == 0 {
        return x.sin();
    }
    let n = x.shape()[0];
    let indices = some_indices(random, &[3], n);
    match random.below(4) {
        0 => x.take_mode(&indices, 0, OutOfRange::Clamp),
        1 => {
            let counted = iota(&ArrayType::new(DType::I32, [2, 2]), 1) - 1;
            x.at_indices([&counted]).get()
        }
        2 => {
            let mut shape = x.shape().to_vec();
            shape[0] = 2;
            let indices = some_indices(random, &shape, n).clip(-(n as i32), n as i32 - 1);
            x.take_along_axis(indices, 0)
        }
        _ => {
            let start = vec![Array::from(random.below(n) as i32); x.rank()];
            let sizes: Vec<usize> = x.shape().iter().map(|n| n.div_ceil(2)).collect();
            x.dynamic_slice(&start, sizes) * y.mean()
        }
    }
}

/// What later entries owe to earlier ones.
pub(super) fn serial(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    if x.rank() == 0 || !config.serial {
        return x.cos();
    }
    let axis = random.below(x.rank()) as isize;
    let n = x.shape()[0];
    let target = x.at_indices([&some_indices(random, &[3], n)]);
    let mut shape = x.shape().to_vec();
    shape[0] = 3;
    let updates =
        y.mean().broadcast_to(&shape[..]) + iota(&ArrayType::new(x.dtype(), &shape[..]), 0);
    match random.below(if config.kinks { 9 } else { 5 }) {
        0 => (x * 0.5).cumulative(CumulativeOp::Sum, axis, random.below(2) == 0),
        1 => x.tanh().cumulative(CumulativeOp::Prod, axis, random.below(2) == 0),
        2 => target.add(updates),
        3 => target.mul(updates.sin()),
        4 => target.set(updates),
        5 => x.cumulative(CumulativeOp::Max, axis, random.below(2) == 0),
        6 => x.cummin(axis),
        7 => target.max(updates.sin()),
        _ => x.sort(axis),
    }
}
