// Gaussian elimination with partial pivoting, column by column: chunks of rows look for their
// largest magnitude, then every element finds the pivot among those, where chunks are many in a
// phase between, and where it stands after the swap. Elements go from one half of `pp_work` to the other, so that none is read after its change.
// Matrices of {{m}} rows of {{n}}. The emitter adds `pp_input(i)`, `pp_lu(i, v)`, `pp_work(i)`,
// `pp_put_work(i, v)`, `pp_best(i)`, `pp_put_best(i, row)`, `pp_pivot(i)`, `pp_put_pivot(i, row)`,
// `pp_permutation(i)` and `pp_put_permutation(i, row)`.

fn pp_lu_start(point: i32, t: i32) {
    pp_put_work(point, pp_input(point));
}

// The size of what is none.
fn pp_no_pivot() -> u32 {
    return 0u;
}

// By the bits: NaN is never larger, and nothing is larger than a NaN that comes first.
fn pp_pivot_size(x: f32, first: bool) -> u32 {
    let bits = bitcast<u32>(x) & 0x7fffffffu;
    return select(bits, select(0u, 0xffffffffu, first), bits > 0x7f800000u);
}

fn pp_lu_search(point: i32, t: i32) {
    let chunk = point % {{chunks}};
    let matrix = point / {{chunks}} * {{size}} + select(0, {{half}}, (t & 1) == 1);
    let first = max(chunk * {{rows}}, t);
    var best = first;
    var size = pp_no_pivot();
    for (var i = first; i < min((chunk + 1) * {{rows}}, {{m}}); i = i + 1) {
        let own = pp_pivot_size(pp_work(matrix + i * {{n}} + t), i == t);
        if (own > size) {
            best = i;
            size = own;
        }
    }
    pp_put_best(point, best);
}

fn pp_lu_best(b: i32, t: i32) -> i32 {
    let matrix = b * {{size}} + select(0, {{half}}, (t & 1) == 1);
    var pivot = t;
    var size = pp_pivot_size(pp_work(matrix + t * {{n}} + t), true);
    for (var chunk = t / {{rows}}; chunk < {{chunks}}; chunk = chunk + 1) {
        let row = pp_best(b * {{chunks}} + chunk);
        let own = pp_pivot_size(pp_work(matrix + row * {{n}} + t), row == t);
        if (own > size) {
            pivot = row;
            size = own;
        }
    }
    return pivot;
}

fn pp_lu_pivot(point: i32, t: i32) {
    pp_put_pivot(point * {{k}} + t, pp_lu_best(point, t));
}

fn pp_lu_step(point: i32, t: i32) {
    let b = point / {{size}};
    let i = point % {{size}} / {{n}};
    let c = point % {{n}};
    let odd = (t & 1) == 1;
    let matrix = b * {{size}} + select(0, {{half}}, odd);
    var pivot = 0;
    if ({{chosen}} == 1) {
        pivot = pp_pivot(b * {{k}} + t);
    } else {
        pivot = pp_lu_best(b, t);
        if (point % {{size}} == 0) {
            pp_put_pivot(b * {{k}} + t, pivot);
        }
    }
    let source = select(select(i, t, i == pivot), pivot, i == t);
    var value = pp_work(matrix + source * {{n}} + c);
    if (i > t && c >= t) {
        // A zero pivot heads a column of zeros, which is its own column of L.
        let head = pp_work(matrix + pivot * {{n}} + t);
        var factor = pp_work(matrix + source * {{n}} + t);
        if (!pp_is_zero(head)) {
            factor = factor / head;
        }
        value = select(value - factor * pp_work(matrix + pivot * {{n}} + c), factor, c == t);
    }
    pp_put_work(select({{half}}, 0, odd) + point, value);
}

fn pp_lu_finish(point: i32, t: i32) {
    pp_lu(point, pp_work({{result}} + point));
}

fn pp_lu_order(point: i32, t: i32) {
    pp_put_permutation(point, point % {{m}});
}

fn pp_lu_permutation(point: i32, t: i32) {
    let first = point * {{m}};
    for (var i = 0; i < {{k}}; i = i + 1) {
        let row = first + pp_pivot(point * {{k}} + i);
        let own = pp_permutation(first + i);
        pp_put_permutation(first + i, pp_permutation(row));
        pp_put_permutation(row, own);
    }
}
