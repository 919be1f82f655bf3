// What is read off the factors L U = A[rows]: a determinant, and right sides in the order that
// substitution takes and leaves them in. The emitter adds `pp_factor(i)`, `pp_row(i)`,
// `pp_right(i)`, `pp_store(i, v)`, `pp_seen(i)` and `pp_put_seen(i, v)`.

// A graph may be given anything as a permutation.
fn pp_row_of(b: i32, i: i32) -> i32 {
    return clamp(pp_row(b * {{n}} + i), 0, {{n}} - 1);
}

// The product of the diagonal with the sign of the permutation: n less its number of cycles. The
// cycles are gone through in one loop, a step along one or on to the next start: Mesa's software
// driver leaves a loop around another one early.
fn pp_lu_determinant(point: i32, t: i32) {
    let first = point * {{n}};
    var product = pp_wide_product(1.0);
    for (var i = 0; i < {{n}}; i = i + 1) {
        pp_put_seen(first + i, false);
        product = pp_join_product(product, pp_wide_product(pp_factor((first + i) * {{n}} + i)));
    }
    var start = 0;
    var at = 0;
    for (var step = 0; step < 2 * {{n}}; step = step + 1) {
        if (pp_seen(first + at)) {
            start = start + 1;
            at = min(start, {{n}} - 1);
        } else {
            pp_put_seen(first + at, true);
            at = pp_row_of(point, at);
            if (!pp_seen(first + at)) {
                product.x = -product.x;
            }
        }
    }
    pp_store(point, pp_narrow_product(product));
}

fn pp_lu_arrange(point: i32, t: i32) {
    let column = point % {{columns}};
    let i = point / {{columns}} % {{n}};
    let b = point / {{columns}} / {{n}};
    pp_store(point, pp_right((b * {{n}} + pp_row_of(b, i)) * {{columns}} + column));
}

// The last row that names this one, or zero.
fn pp_lu_arrange_back(point: i32, t: i32) {
    let column = point % {{columns}};
    let row = point / {{columns}} % {{n}};
    let b = point / {{columns}} / {{n}};
    var value = 0.0;
    for (var i = {{n}} - 1; i >= 0; i = i - 1) {
        if (pp_row_of(b, i) == row) {
            value = pp_right((b * {{n}} + i) * {{columns}} + column);
            break;
        }
    }
    pp_store(point, value);
}
