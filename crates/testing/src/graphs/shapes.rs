//! Steps that reduce, rearrange, cut and join arrays.

use super::{Config, match_shape};
use crate::Random;
use probpipe_trace::{Array, Axes, Op, ReduceOp, bind1, concat};
use smallvec::smallvec;

pub(super) fn reduce(random: &mut Random, x: &Array, config: Config) -> Array {
    let axes: Axes = (0..x.rank()).filter(|_| random.below(2) == 0).collect();
    let op = match random.below(if config.kinks { 4 } else { 2 }) {
        0 => ReduceOp::Sum,
        1 => ReduceOp::Prod,
        2 => ReduceOp::Max,
        _ => ReduceOp::Min,
    };
    let reduced = bind1(Op::Reduce { op, axes }, &[&x.tanh()]);
    // Half of the time the result meets the whole again, as in a softmax.
    if random.below(2) == 0 { reduced } else { match_shape(&reduced, x) * x }
}

pub(super) fn reshape(random: &mut Random, x: &Array) -> Array {
    match random.below(4) {
        0 => x.flatten(),
        1 => x.transpose(),
        2 => x.broadcast_to([&[2], x.shape()].concat()).mean_axes([0]),
        _ if x.rank() > 0 => x.flip(-1),
        _ => x.expand_dims(0),
    }
}

pub(super) fn cut(random: &mut Random, x: &Array) -> Array {
    if x.rank() == 0 {
        return x.expand_dims(0).pad([1], [2], 0.5);
    }
    let n = x.shape()[0];
    match random.below(3) {
        0 => x.at(random.below(n) as isize),
        1 => x.slice_axis(0, 0..n.div_ceil(2)),
        _ => {
            let zero: Axes = smallvec![0; x.rank()];
            let mut one = zero.clone();
            one[0] = 1;
            let op = Op::Pad { low: one.clone(), high: zero, interior: one };
            let padded = bind1(op, &[x, &x.mean()]);
            padded.slice_axis(0, 0..n)
        }
    }
}

pub(super) fn join(random: &mut Random, x: &Array, y: &Array) -> Array {
    if x.rank() == 0 {
        return concat(&[x.expand_dims(0), y.expand_dims(0)], 0);
    }
    let both = concat(&[x.clone(), y.clone()], 0);
    let from = random.below(x.shape()[0]);
    both.slice_axis(0, from..from + x.shape()[0])
}
