// Lower Cholesky factors; zeros above the diagonal, NaN on and below it if a pivot is not positive.
// Only the lower triangle of the input is read. Small matrices row by row, an invocation each.
// Larger ones in blocks of {{width}} columns: what is left of the columns after those before them,
// a point per element; then the columns, a point per row, each of which factors the rows of the
// diagonal for itself. The emitter fills in `{{...}}`: extents, steps, and `pp_input(i)`,
// `pp_load(i)`, `pp_store(i, v)`, and `pp_panel(i)`, `pp_put_panel(i, v)`.

// Compared as bits: NaN, zero and negative numbers are no pivots.
fn pp_positive_root(x: f32) -> f32 {
    let bits = bitcast<i32>(x);
    let positive = bits > 0 && bits <= 0x7f800000;
    // Made at run time: WGSL has no NaN in constants.
    var quiet = 0x7fc00000u;
    return select(bitcast<f32>(quiet), sqrt(max(x, 0.0)), positive);
}

fn pp_cholesky(point: i32, t: i32) {
    let source = point * {{input_batch}};
    let dest = point * {{out_batch}};
    for (var i = 0; i < {{n}}; i = i + 1) {
        for (var j = 0; j <= i; j = j + 1) {
            var sum = pp_input(source + i * {{input_row}} + j * {{input_column}});
            for (var k = 0; k < j; k = k + 1) {
                let x = pp_load(dest + i * {{out_row}} + k * {{out_column}});
                let y = pp_load(dest + j * {{out_row}} + k * {{out_column}});
                sum = sum - x * y;
            }
            let at = dest + i * {{out_row}} + j * {{out_column}};
            if (i == j) {
                pp_store(at, pp_positive_root(sum));
            } else {
                pp_store(at, sum / pp_load(dest + j * {{out_row}} + j * {{out_column}}));
            }
        }
    }
    for (var e = 0; e < {{n}} * {{n}}; e = e + 1) {
        pp_cholesky_finish(point * {{n}} * {{n}} + e, 0);
    }
}

fn pp_cholesky_panel(point: i32, t: i32) {
    let c = point % {{width}};
    let i = point / {{width}} % {{n}};
    let b = point / {{width}} / {{n}};
    let first = t * {{width}};
    let j = first + c;
    if (j > i) {
        return;
    }
    let row = b * {{out_batch}} + i * {{out_row}};
    let other = b * {{out_batch}} + j * {{out_row}};
    var sum = 0.0;
    for (var k = 0; k < first; k = k + 1) {
        sum = sum + pp_load(row + k * {{out_column}}) * pp_load(other + k * {{out_column}});
    }
    let x = pp_input(b * {{input_batch}} + i * {{input_row}} + j * {{input_column}});
    pp_put_panel(point, x - sum);
}

fn pp_cholesky_columns(point: i32, t: i32) {
    let i = point % {{n}};
    let b = point / {{n}};
    let first = t * {{width}};
    if (i < first) {
        return;
    }
    // The rows of the diagonal, as far as this one needs them, and this row.
    let count = min({{width}}, {{n}} - first);
    var diagonal: array<f32, {{square}}>;
    var own: array<f32, {{width}}>;
    for (var r = 0; r <= count; r = r + 1) {
        let last = r == count || first + r == i;
        let row = select(first + r, i, last);
        let panel = (b * {{n}} + row) * {{width}};
        for (var c = 0; c < count && first + c <= row; c = c + 1) {
            let pivot = first + c == row;
            var sum = pp_panel(panel + c);
            for (var k = 0; k < c; k = k + 1) {
                sum = sum - own[k] * select(diagonal[c * {{width}} + k], own[k], pivot);
            }
            if (pivot) {
                own[c] = pp_positive_root(sum);
            } else {
                own[c] = sum / diagonal[c * {{width}} + c];
            }
        }
        if (last) {
            break;
        }
        for (var c = 0; c <= r; c = c + 1) {
            diagonal[r * {{width}} + c] = own[c];
        }
    }
    let to = b * {{out_batch}} + i * {{out_row}};
    for (var c = 0; c < count && first + c <= i; c = c + 1) {
        pp_store(to + (first + c) * {{out_column}}, own[c]);
    }
}

// A pivot that is none makes the last one NaN.
fn pp_cholesky_finish(point: i32, t: i32) {
    let j = point % {{n}};
    let i = point / {{n}} % {{n}};
    let b = point / {{n}} / {{n}};
    let at = b * {{out_batch}} + i * {{out_row}} + j * {{out_column}};
    let last = pp_load(b * {{out_batch}} + ({{n}} - 1) * ({{out_row}} + {{out_column}}));
    if (j > i) {
        pp_store(at, 0.0);
    } else if (pp_is_nan(last)) {
        pp_store(at, last);
    }
}
