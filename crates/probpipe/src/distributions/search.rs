//! Searches among counts, all elements of an array together.

use probpipe_trace::{Array, select, while_loop};

/// The least count of which `reaches` is true, which is so of all above it and of `end`, or `end`
/// where that is none of the others. The search begins at `start`, steps away by powers of two
/// until it has the count between two others, and halves. Of counts too large to be told from
/// their neighbours it gives one of those.
#[track_caller]
pub(crate) fn least(start: &Array, end: &Array, reaches: &dyn Fn(&Array) -> Array) -> Array {
    // `low` is known not to reach, `high` to reach.
    let zero = start * 0.0;
    let init = (&zero - 1.0, &zero + end, start.clone(), &zero + 1.0);
    let open = |low: &Array, high: &Array, k: &Array| k.gt(low) & k.lt(high);
    let (_, found, ..) = while_loop(
        |(low, high, k, _): (Array, Array, Array, Array)| open(&low, &high, &k).any(),
        |(low, high, k, step)| {
            let active = open(&low, &high, &k);
            let reached = reaches(&select(&active, &k, 0.0));
            let high = select(&(&active & &reached), &k, high);
            let low = select(&(&active & !reached), &k, low);
            let down = &high - &step;
            let down = select(&down.ge(0.0), down, 0.0);
            let between = ((&low + &high) * 0.5).floor();
            let up = &k + &step;
            let up = select(&up.lt(&high), up, &between);
            let next = select(&low.lt(0.0), down, between);
            let next = select(&high.eq(end), up, next);
            (low, high, next, step * 2.0)
        },
        init,
    );
    found
}
