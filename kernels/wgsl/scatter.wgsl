// Updates combined at computed places. One is by itself. Where few update an array each looks at
// all: the first to name its target combines it with the later ones. Many are sorted by their
// targets; blocks of the sorted list combine runs of one target. A run that leaves its block goes on
// to a shorter list: two entries per block, for its first and its last run. The emitter adds
// `pp_target(tuple)`, below 0 for none, `pp_load(i)` and `pp_store(i, v)` of the array,
// `pp_update(i)`, how states join, and `pp_key(i)`, `pp_some(i)`, `pp_value(i, r)` and
// `pp_put(i, r, key, some, state)` of the lists.

fn pp_scatter_copy(point: i32, t: i32) {
    pp_store(point, pp_input(point));
}

fn pp_scatter_one(point: i32, t: i32) {
    let to = pp_target(point / {{rest}});
    if (to < 0) {
        return;
    }
    let at = to * {{rest}} + point % {{rest}};
    pp_store(at, pp_narrow(pp_join(pp_wide(pp_load(at)), pp_wide(pp_update(point)))));
}

fn pp_scatter_few(point: i32, t: i32) {
    let r = point % {{rest}};
    let tuple = point / {{rest}};
    let first = tuple / {{count}} * {{count}};
    let to = pp_target(tuple);
    if (to < 0) {
        return;
    }
    for (var other = first; other < tuple; other = other + 1) {
        if (pp_target(other) == to) {
            return;
        }
    }
    let at = to * {{rest}} + r;
    var state = pp_wide(pp_load(at));
    for (var other = tuple; other < first + {{count}}; other = other + 1) {
        if (pp_target(other) == to) {
            state = pp_join(state, pp_wide(pp_update(other * {{rest}} + r)));
        }
    }
    pp_store(at, pp_narrow(state));
}

fn pp_scatter_keys(point: i32, t: i32) {
    pp_put_target(point, bitcast<u32>(pp_target(point)));
}

fn pp_scatter_runs(point: i32, t: i32) {
    let r = point % {{rest}};
    let block = point / {{rest}};
    let begin = block / {{blocks}} * {{entries}};
    let end = begin + {{entries}};
    let first = begin + block % {{blocks}} * {{length}};
    let last = min(first + {{length}}, end);
    let before = pp_key(max(first - 1, begin));
    let after = pp_key(min(last, end - 1));
    var i = first;
    while (i < last) {
        let head = i;
        let key = pp_key(i);
        let at = bitcast<i32>(key) * {{rest}} + r;
        let open = (first > begin && key == before) || (last < end && key == after);
        var some = false;
        var state: {{state}};
        while (i < last && pp_key(i) == key) {
            if (at >= 0 && pp_some(i)) {
                let value = pp_value(i, r);
                if (some) {
                    state = pp_join(state, value);
                } else if (open) {
                    state = value;
                } else {
                    state = pp_join(pp_wide(pp_load(at)), value);
                }
                some = true;
            }
            i = i + 1;
        }
        if (some && !open) {
            pp_store(at, pp_narrow(state));
        }
        some = some && open;
        if (head == first) {
            pp_put(2 * block, r, key, some, state);
        }
        if (i == last) {
            // A run that fills its block has gone into the first entry.
            pp_put(2 * block + 1, r, key, some && head != first, state);
        }
    }
}
