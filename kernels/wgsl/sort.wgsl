// Stable sorts of lines: {{n}} elements, {{inner}} apart. Short lines in one phase: an element goes
// where the number of those before it says. Longer ones as records of the first key's rank and the
// place in the line: sorted blocks, then merges, in which a record counts those of the other run
// that come before it. Long ones by digits of 8 bits, the last key first: blocks count their
// digits, the counts run over all blocks, digit by digit, and say where the records of a block go.
// The emitter adds `pp_rank(i)`, the rank of an element's first key, `pp_before(start, j, k)`,
// `pp_record_before(start, key, place, other, other_place)`, `pp_move(at, to)`, `pp_key(i)`,
// `pp_place(i)`, `pp_put_record(i, key, place)`, `pp_count(i)` and `pp_put_count(i, v)`.

// Integers in the order of the numbers, NaN last, both zeros the same.
fn pp_rank_f32(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    let magnitude = bits & 0x7fffffffu;
    let b = select(bits, 0u, magnitude == 0u);
    let rank = select(b | 0x80000000u, ~b, (b >> 31u) == 1u);
    return select(rank, 0xffffffffu, magnitude > 0x7f800000u);
}

fn pp_rank_i32(x: i32) -> u32 {
    return bitcast<u32>(x) ^ 0x80000000u;
}

fn pp_rank_u32(x: u32) -> u32 {
    return x;
}

fn pp_rank_bool(x: bool) -> u32 {
    return select(0u, 1u, x);
}

// Where a line starts.
fn pp_start(line: i32) -> i32 {
    return line / {{inner}} * {{n}} * {{inner}} + line % {{inner}};
}

fn pp_sort_short(point: i32, t: i32) {
    let k = point / {{inner}} % {{n}};
    let start = point - k * {{inner}};
    var rank = 0;
    for (var j = 0; j < {{n}}; j = j + 1) {
        rank = rank + select(0, 1, pp_before(start, j, k));
    }
    pp_move(point, start + rank * {{inner}});
}

fn pp_sort_blocks(point: i32, t: i32) {
    let line = point / {{n}};
    let k = point % {{n}};
    let start = pp_start(line);
    let first = k / {{block}} * {{block}};
    let last = min(first + {{block}}, {{n}});
    var rank = 0;
    for (var j = first; j < last; j = j + 1) {
        rank = rank + select(0, 1, pp_before(start, j, k));
    }
    pp_put_record(line * {{n}} + first + rank, pp_rank(start + k * {{inner}}), k);
}

// From one half of the records to the other.
fn pp_sort_merge(point: i32, t: i32) {
    let line = point / {{n}};
    let k = point % {{n}};
    let start = pp_start(line);
    let width = {{block}} << u32(t);
    let odd = (t & 1) == 1;
    let here = line * {{n}} + select(0, {{records}}, odd);
    let there = line * {{n}} + select({{records}}, 0, odd);
    let key = pp_key(here + k);
    let place = pp_place(here + k);
    let run = k / width;
    let other = (run ^ 1) * width;
    var low = min(other, {{n}});
    var high = min(other + width, {{n}});
    while (low < high) {
        let middle = (low + high) / 2;
        let at = here + middle;
        if (pp_record_before(start, pp_key(at), pp_place(at), key, place)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    // Of a run that has no other, `other` is at or past the end, and `low` is the end.
    let count = low - min(other, {{n}});
    pp_put_record(there + min(run * width, other) + k - run * width + count, key, place);
}

fn pp_radix_keys(point: i32, t: i32) {
    let line = point / {{n}};
    var place = point % {{n}};
    if ({{first}} == 0) {
        place = pp_place({{half}} + point);
    }
    pp_put_record({{half}} + point, pp_rank(pp_start(line) + place * {{inner}}), place);
}

// Where the records of a line are before a step, and where they go.
fn pp_radix_half(line: i32, step: i32) -> i32 {
    return line * {{n}} + select({{half}}, {{records}} - {{half}}, (step & 1) == 1);
}

fn pp_radix_counter(line: i32, block: i32, key: u32, t: i32) -> i32 {
    let digit = i32((key >> u32(8 * t)) & 255u);
    return (line * 256 + digit) * {{blocks}} + block;
}

fn pp_radix_count(point: i32, t: i32) {
    let line = point / {{blocks}};
    let block = point % {{blocks}};
    let here = pp_radix_half(line, t);
    for (var digit = 0; digit < 256; digit = digit + 1) {
        pp_put_count((line * 256 + digit) * {{blocks}} + block, 0);
    }
    let first = block * {{length}};
    for (var k = first; k < min(first + {{length}}, {{n}}); k = k + 1) {
        let at = pp_radix_counter(line, block, pp_key(here + k), t);
        pp_put_count(at, pp_count(at) + 1);
    }
}

// The counts now say where the records of a digit and block end.
fn pp_radix_move(point: i32, t: i32) {
    let line = point / {{blocks}};
    let block = point % {{blocks}};
    let here = pp_radix_half(line, t);
    let there = pp_radix_half(line, t + 1);
    let first = block * {{length}};
    for (var k = min(first + {{length}}, {{n}}) - 1; k >= first; k = k - 1) {
        let key = pp_key(here + k);
        let at = pp_radix_counter(line, block, key, t);
        let to = pp_count(at) - 1;
        pp_put_count(at, to);
        pp_put_record(there + to, key, pp_place(here + k));
    }
}

fn pp_sort_move(point: i32, t: i32) {
    let line = point / {{n}};
    let k = point % {{n}};
    let start = pp_start(line);
    let place = pp_place({{sorted}} + point);
    pp_move(start + place * {{inner}}, start + k * {{inner}});
}
