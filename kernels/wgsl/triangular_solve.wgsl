// op(a) X = b by substitution. `{{forward}}` is 1 if the first unknown comes first; `{{unit}}`
// takes the diagonal as ones. `a_row` and `a_column` are swapped for the transpose. Few unknowns by
// one invocation per system and column. Many in blocks of {{width}}: an invocation per system and
// column solves for those of a block, then one per unknown takes them out of the rest. `pp_b(i)`
// may read what `pp_store(i, v)` wrote: each element of `b` is read before its own is stored, and
// never after. `pp_load(i)` reads what was stored.

fn pp_unknown(step: i32) -> i32 {
    return select({{n}} - 1 - step, step, {{forward}} == 1);
}

fn pp_coefficient(b: i32, i: i32, j: i32) -> f32 {
    return pp_a(b * {{a_batch}} + i * {{a_row}} + j * {{a_column}});
}

// By the reciprocal, as LAPACK does.
fn pp_solved(b: i32, i: i32, sum: f32) -> f32 {
    if ({{unit}} == 1) {
        return sum;
    }
    return sum * (1.0 / pp_coefficient(b, i, i));
}

fn pp_triangular_solve(point: i32, t: i32) {
    let batch = point / {{columns}};
    let column = point % {{columns}};
    let b = batch * {{b_batch}} + column * {{b_column}};
    let out = batch * {{out_batch}} + column * {{out_column}};
    for (var step = 0; step < {{n}}; step = step + 1) {
        let i = pp_unknown(step);
        var sum = pp_b(b + i * {{b_row}});
        for (var done = 0; done < step; done = done + 1) {
            let j = pp_unknown(done);
            sum = sum - pp_coefficient(batch, i, j) * pp_load(out + j * {{out_row}});
        }
        pp_store(out + i * {{out_row}}, pp_solved(batch, i, sum));
    }
}

fn pp_triangular_copy(point: i32, t: i32) {
    let column = point % {{columns}};
    let i = point / {{columns}} % {{n}};
    let batch = point / {{columns}} / {{n}};
    let x = pp_b(batch * {{b_batch}} + i * {{b_row}} + column * {{b_column}});
    pp_store(batch * {{out_batch}} + i * {{out_row}} + column * {{out_column}}, x);
}

fn pp_triangular_block(point: i32, t: i32) {
    let batch = point / {{columns}};
    let out = batch * {{out_batch}} + point % {{columns}} * {{out_column}};
    let first = t * {{width}};
    for (var step = first; step < min(first + {{width}}, {{n}}); step = step + 1) {
        let i = pp_unknown(step);
        var sum = pp_load(out + i * {{out_row}});
        for (var done = first; done < step; done = done + 1) {
            let j = pp_unknown(done);
            sum = sum - pp_coefficient(batch, i, j) * pp_load(out + j * {{out_row}});
        }
        pp_store(out + i * {{out_row}}, pp_solved(batch, i, sum));
    }
}

fn pp_triangular_rest(point: i32, t: i32) {
    let step = point / {{columns}} % {{n}};
    let first = t * {{width}};
    if (step < first + {{width}}) {
        return;
    }
    let batch = point / {{columns}} / {{n}};
    let out = batch * {{out_batch}} + point % {{columns}} * {{out_column}};
    let i = pp_unknown(step);
    var sum = 0.0;
    for (var done = first; done < first + {{width}}; done = done + 1) {
        let j = pp_unknown(done);
        sum = sum + pp_coefficient(batch, i, j) * pp_load(out + j * {{out_row}});
    }
    pp_store(out + i * {{out_row}}, pp_load(out + i * {{out_row}}) - sum);
}
