// Running reductions of {{lines}} lines of {{n}}, in blocks of {{length}}: the total of each block,
// then, once the totals run too, each block from the total before it. One invocation per line and
// block, lines next to each other. The emitter adds `pp_get(line, k)` and `pp_put(line, k, state)`,
// `pp_total(i)` and `pp_put_total(i, state)`, and how states join.

fn pp_cumulative_totals(point: i32, t: i32) {
    let line = point % {{lines}};
    let first = (point / {{lines}}) * {{length}};
    let last = min(first + {{length}}, {{n}});
    var state = pp_get(line, first);
    for (var k = first + 1; k < last; k = k + 1) {
        state = pp_join(state, pp_get(line, k));
    }
    pp_put_total(point, state);
}

fn pp_cumulative_running(point: i32, t: i32) {
    let line = point % {{lines}};
    let first = (point / {{lines}}) * {{length}};
    let last = min(first + {{length}}, {{n}});
    var state = pp_get(line, first);
    if (first > 0) {
        state = pp_join(pp_total(point - {{lines}}), state);
    }
    pp_put(line, first, state);
    for (var k = first + 1; k < last; k = k + 1) {
        state = pp_join(state, pp_get(line, k));
        pp_put(line, k, state);
    }
}
