// op(a) X = b by substitution: one invocation per system and column. `{{forward}}` is 1 if the
// first unknown comes first; `{{unit}}` takes the diagonal as ones. `a_row` and `a_column` are
// swapped for the transpose. `pp_b(i)` may read what `pp_store(i, v)` wrote: each element of `b`
// is read before its own is stored, and never after.
fn pp_triangular_solve(point: i32, t: i32) {
    let batch = point / {{columns}};
    let column = point % {{columns}};
    let a = batch * {{a_batch}};
    let b = batch * {{b_batch}} + column * {{b_column}};
    let out = batch * {{out_batch}} + column * {{out_column}};
    for (var step = 0; step < {{n}}; step = step + 1) {
        let i = select({{n}} - 1 - step, step, {{forward}} == 1);
        var sum = pp_b(b + i * {{b_row}});
        for (var done = 0; done < step; done = done + 1) {
            let j = select({{n}} - 1 - done, done, {{forward}} == 1);
            sum = sum - pp_a(a + i * {{a_row}} + j * {{a_column}}) * pp_load(out + j * {{out_row}});
        }
        if ({{unit}} == 0) {
            // By the reciprocal, as LAPACK does.
            sum = sum * (1.0 / pp_a(a + i * {{a_row}} + i * {{a_column}}));
        }
        pp_store(out + i * {{out_row}}, sum);
    }
}
