//! Steps with bodies of their own: loops, branches and conditional loops.

use super::Config;
use super::elementwise::unary;
use crate::Random;
use probpipe_trace::{
    Array, arange, cond, fori_loop_dynamic, map, scan, scan_reverse, switch, while_loop,
};

pub(super) fn looped(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    let quiet = Config { loops: false, ..config };
    let xs = if x.rank() == 0 { x.broadcast_to([3]) } else { x.clone() };
    let outer = y.mean();
    let body = |c: Array, x: Array| {
        let grown = unary(random, &x, quiet).mean();
        let next = (&c * 0.5 + grown * &outer).tanh();
        (next, c * x)
    };
    let init = y.mean().tanh();
    let (last, ys) = if x.rank().is_multiple_of(2) {
        scan(init, xs, body)
    } else {
        scan_reverse(init, xs, body)
    };
    ys * last
}

/// A switch on data, or on the step of a loop where results must not jump.
pub(super) fn branched(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    let quiet = Config { loops: false, ..config };
    let y = y.mean();
    if config.kinks {
        // The offset keeps rounding out of it where one is the other in another order.
        let above = x.mean().gt(&y + 0.0137);
        return cond(&above, x.clone(), |x| unary(random, &x, quiet) * y.sin(), |x| x * 0.5);
    }
    let pieces = map(
        |i: Array| {
            switch(
                &(i - 1),
                x.clone(),
                (|x: Array| unary(random, &x, quiet), |x: Array| &x * y.tanh(), |_: Array| x.cos()),
            )
        },
        arange(5),
    );
    pieces.mean_axes([0])
}

/// A loop that stops by its values, or after a number of steps that it is given.
pub(super) fn repeated(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    let quiet = Config { loops: false, ..config };
    let outer = y.mean();
    if config.kinks {
        let (_, last) = while_loop(
            |(i, c): (Array, Array)| i.lt(6) & c.square().sum().gt(0.1),
            |(i, c)| (i + 1, (unary(random, &c, quiet) * 0.3 + &outer * 0.2).tanh()),
            (Array::from(0), x.tanh()),
        );
        return last;
    }
    let step = |c: Array, n: Array| {
        let next = fori_loop_dynamic(0, &n, c, |i, c| {
            let c = unary(random, &c, quiet) * 0.3 + &outer * i.cast(config.float);
            c.tanh()
        });
        (next.clone(), next.sum())
    };
    let (last, sums) = scan(x.tanh(), arange(3), step);
    last + sums.sum().tanh()
}
