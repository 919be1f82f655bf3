// Singular values by one-sided rotations (Hestenes; Golub & Van Loan 8.6.3): columns of a tall
// matrix, {{m}} rows of {{n}}, are turned two by two until they are orthogonal. Their norms are the
// singular values, they are the left vectors times these, and the rotations make up the right ones.
// Of a wide matrix the transpose is taken. In a round every column meets one other: chunks of rows
// take the products, then every row is turned. Columns of zeros have no direction; the emitter
// completes the others to a basis by reflections. It adds `pp_bad(i)`, `pp_put_bad(i, v)`,
// `pp_good(b)`, `pp_put_good(b, count)`, `pp_input(b, i, j)`, `pp_largest(i)`,
// `pp_put_largest(i, v)`, `pp_work(i)`, `pp_put_work(i, v)`, `pp_right(i)`, `pp_put_right(i, v)`,
// `pp_sum(i)`, `pp_put_sum(i, v)`, `pp_dot(i)`, `pp_put_dot(i, v)`, `pp_norm(i)`,
// `pp_put_norm(i, v)`, `pp_power(i)`, `pp_put_power(i, e)`, `pp_order(i)`, `pp_put_order(i, j)`,
// `pp_factor(i)`, `pp_put_factor(i, v)`, `pp_value(i, v)`, `pp_put_left(i, v)`, `pp_left(i)`,
// `pp_basis(i)`, `pp_out_left(b, i, c, v)` and `pp_out_right(b, i, c, v)`.

fn pp_svd_largest(point: i32, t: i32) {
    var largest = 0.0;
    for (var j = 0; j < {{n}}; j = j + 1) {
        largest = pp_larger(largest, pp_input(point / {{m}}, point % {{m}}, j));
    }
    pp_put_largest(point, largest);
}

fn pp_svd_peaks(point: i32, t: i32) {
    let chunk = point % {{chunks}};
    let first = point / {{chunks}} * {{m}};
    var largest = 0.0;
    for (var i = chunk * {{rows}}; i < min((chunk + 1) * {{rows}}, {{m}}); i = i + 1) {
        largest = pp_larger(largest, pp_largest(first + i));
    }
    pp_put_sum(point, largest);
}

fn pp_svd_power(point: i32, t: i32) {
    var largest = 0.0;
    for (var chunk = 0; chunk < {{chunks}}; chunk = chunk + 1) {
        largest = pp_larger(largest, pp_sum(point * {{chunks}} + chunk));
    }
    pp_put_power(point, pp_exponent(largest));
}

fn pp_svd_start(point: i32, t: i32) {
    let b = point / ({{m}} * {{n}});
    let e = pp_power(b);
    let x = pp_input(b, point / {{n}} % {{m}}, point % {{n}});
    pp_put_work(point, select(pp_scale(x, -e), 0.0, e == 5000));
}

fn pp_svd_identity(point: i32, t: i32) {
    pp_put_right(point, select(0.0, 1.0, point / {{n}} % {{n}} == point % {{n}}));
}

fn pp_svd_dots(point: i32, t: i32) {
    let chunk = point % {{chunks}};
    let k = point / {{chunks}} % {{half}};
    let matrix = point / {{chunks}} / {{half}} * {{m}} * {{n}};
    let pair = pp_meeting(t % {{rounds}}, k, {{rounds}} + 1);
    if (pair.y >= {{n}}) {
        return;
    }
    var sums = vec3<f32>();
    for (var i = chunk * {{rows}}; i < min((chunk + 1) * {{rows}}, {{m}}); i = i + 1) {
        let p = pp_work(matrix + i * {{n}} + pair.x);
        let q = pp_work(matrix + i * {{n}} + pair.y);
        sums = sums + vec3<f32>(p * p, q * q, p * q);
    }
    pp_put_dot(3 * point, sums.x);
    pp_put_dot(3 * point + 1, sums.y);
    pp_put_dot(3 * point + 2, sums.z);
}

fn pp_svd_sum(pair: i32, count: i32) -> vec3<f32> {
    var sums = vec3<f32>();
    for (var chunk = 0; chunk < count; chunk = chunk + 1) {
        let at = 3 * (pair * {{chunks}} + chunk);
        sums = sums + vec3<f32>(pp_dot(at), pp_dot(at + 1), pp_dot(at + 2));
    }
    return sums;
}

// Where chunks are many, their sums go to the first.
fn pp_svd_sums(point: i32, t: i32) {
    let sums = pp_svd_sum(point, {{chunks}});
    let at = 3 * point * {{chunks}};
    pp_put_dot(at, sums.x);
    pp_put_dot(at + 1, sums.y);
    pp_put_dot(at + 2, sums.z);
}

// Rows of the matrix, then of the right vectors.
fn pp_svd_turn(point: i32, t: i32) {
    let k = point % {{half}};
    let row = point / {{half}} % ({{m}} + {{n}});
    let b = point / {{half}} / ({{m}} + {{n}});
    let pair = pp_meeting(t % {{rounds}}, k, {{rounds}} + 1);
    if (pair.y >= {{n}}) {
        return;
    }
    let sums = pp_svd_sum(b * {{half}} + k, {{kept}});
    if (abs(sums.z) <= {{upright}} * sqrt(sums.x) * sqrt(sums.y)) {
        return;
    }
    let turn = pp_rotation(sums.x, sums.y, sums.z);
    if (row < {{m}}) {
        let at = (b * {{m}} + row) * {{n}};
        let turned = pp_turn(pp_work(at + pair.x), pp_work(at + pair.y), turn);
        pp_put_work(at + pair.x, turned.x);
        pp_put_work(at + pair.y, turned.y);
    } else {
        let at = (b * {{n}} + row - {{m}}) * {{n}};
        let turned = pp_turn(pp_right(at + pair.x), pp_right(at + pair.y), turn);
        pp_put_right(at + pair.x, turned.x);
        pp_put_right(at + pair.y, turned.y);
    }
}

fn pp_svd_squares(point: i32, t: i32) {
    let c = point % {{n}};
    let chunk = point / {{n}} % {{chunks}};
    let matrix = point / {{n}} / {{chunks}} * {{m}} * {{n}};
    var square = 0.0;
    for (var i = chunk * {{rows}}; i < min((chunk + 1) * {{rows}}, {{m}}); i = i + 1) {
        let x = pp_work(matrix + i * {{n}} + c);
        square = square + x * x;
    }
    pp_put_sum(point, square);
}

fn pp_svd_norms(point: i32, t: i32) {
    let first = point / {{n}} * {{chunks}};
    var square = 0.0;
    for (var chunk = first; chunk < first + {{chunks}}; chunk = chunk + 1) {
        square = square + pp_sum(chunk * {{n}} + point % {{n}});
    }
    pp_put_norm(point, sqrt(square));
    pp_put_bad(point, square < {{no_direction}});
}

// Columns of rounding errors may not be orthogonal yet, and need not be: of two that are not the
// smaller has no direction of its own.
fn pp_svd_check(point: i32, t: i32) {
    let pair = pp_meeting(t, point % {{half}}, {{rounds}} + 1);
    if (pair.y >= {{n}}) {
        return;
    }
    let sums = pp_svd_sum(point, {{kept}});
    if (abs(sums.z) > {{askew}} * sqrt(sums.x) * sqrt(sums.y)) {
        pp_put_bad(point / {{half}} * {{n}} + select(pair.x, pair.y, sums.y < sums.x), true);
    }
}

// How many columns have a direction: those before the first that has none.
fn pp_svd_count(point: i32, t: i32) {
    let first = point * {{n}};
    var count = 0;
    while (count < {{n}} && !pp_bad(first + pp_order(first + min(count, {{n}} - 1)))) {
        count = count + 1;
    }
    pp_put_good(point, count);
}

fn pp_svd_values(point: i32, t: i32) {
    let first = point / {{n}} * {{n}};
    let own = pp_norm(point);
    var rank = first;
    for (var j = first; j < first + {{n}}; j = j + 1) {
        let other = pp_norm(j);
        rank = rank + select(0, 1, other > own || (other == own && j < point));
    }
    let e = pp_power(point / {{n}});
    var value = pp_nan();
    if (e != 5000) {
        value = pp_scale(own, e);
    }
    pp_value(rank, value);
    pp_put_order(rank, point - first);
}

// Whether a column, by its place in the order, has a direction.
fn pp_svd_good(b: i32, c: i32) -> bool {
    return c < pp_good(b);
}

fn pp_svd_left(point: i32, t: i32) {
    let c = point % {{n}};
    let row = point / {{n}};
    let b = row / {{m}};
    var value = 0.0;
    if (pp_svd_good(b, c)) {
        let source = pp_order(b * {{n}} + c);
        value = pp_work(row * {{n}} + source) / pp_norm(b * {{n}} + source);
    }
    pp_put_left(point, value);
}

fn pp_svd_left_at(b: i32, i: i32, c: i32) -> f32 {
    if (pp_svd_good(b, c)) {
        return pp_left((b * {{m}} + i) * {{n}} + c);
    }
    return pp_basis((b * {{m}} + i) * {{k}} + c);
}

fn pp_svd_tops(point: i32, t: i32) {
    let c = point % {{k}};
    let chunk = point / {{k}} % {{chunks}};
    let b = point / {{k}} / {{chunks}};
    var largest = 0.0;
    for (var i = chunk * {{rows}}; i < min((chunk + 1) * {{rows}}, {{m}}); i = i + 1) {
        largest = max(largest, abs(pp_svd_left_at(b, i, c)));
    }
    pp_put_sum(point, largest);
}

// Positive where the first element of about the largest magnitude is: the first chunk with such an
// element, then that.
fn pp_svd_left_sign(b: i32, c: i32) -> f32 {
    var largest = 0.0;
    for (var chunk = 0; chunk < {{chunks}}; chunk = chunk + 1) {
        largest = max(largest, pp_sum((b * {{chunks}} + chunk) * {{k}} + c));
    }
    var first = 0;
    while (first + 1 < {{chunks}} && pp_sum((b * {{chunks}} + first) * {{k}} + c) < largest * 0.999) {
        first = first + 1;
    }
    for (var i = first * {{rows}}; i < min((first + 1) * {{rows}}, {{m}}); i = i + 1) {
        let x = pp_svd_left_at(b, i, c);
        if (abs(x) >= largest * 0.999) {
            return select(1.0, -1.0, x < 0.0);
        }
    }
    return 1.0;
}

// The sign, over the norm.
fn pp_svd_right_factor(b: i32, source: i32) -> f32 {
    var largest = 0.0;
    var square = 0.0;
    for (var i = 0; i < {{n}}; i = i + 1) {
        let x = pp_right((b * {{n}} + i) * {{n}} + source);
        largest = max(largest, abs(x));
        square = square + x * x;
    }
    for (var i = 0; i < {{n}}; i = i + 1) {
        let x = pp_right((b * {{n}} + i) * {{n}} + source);
        if (abs(x) >= largest * 0.999) {
            return select(1.0, -1.0, x < 0.0) / sqrt(square);
        }
    }
    return 1.0;
}

// What a left vector and the right one beside it are multiplied by. The sign is that of the vector
// in U: the left one, or the right one of a transpose. One that completes a basis is positive in
// itself.
fn pp_svd_signs(point: i32, t: i32) {
    let c = point % {{k}};
    let b = point / {{k}};
    let good = pp_svd_good(b, c);
    var left = pp_svd_left_sign(b, c);
    if (c < {{n}}) {
        var right = pp_svd_right_factor(b, pp_order(b * {{n}} + c));
        if ({{wide}} == 1) {
            left = select(left, 1.0, good) * sign(right);
        } else {
            right = abs(right) * select(1.0, left, good);
        }
        pp_put_factor(2 * point + 1, right);
    }
    pp_put_factor(2 * point, left);
}

fn pp_svd_finish_left(point: i32, t: i32) {
    let c = point % {{k}};
    let i = point / {{k}} % {{m}};
    let b = point / {{k}} / {{m}};
    var x = pp_nan();
    if (pp_power(b) != 5000) {
        x = pp_factor(2 * (b * {{k}} + c)) * pp_svd_left_at(b, i, c);
    }
    pp_out_left(b, i, c, x);
}

fn pp_svd_finish_right(point: i32, t: i32) {
    let c = point % {{n}};
    let i = point / {{n}} % {{n}};
    let b = point / {{n}} / {{n}};
    var x = pp_nan();
    if (pp_power(b) != 5000) {
        let source = pp_order(b * {{n}} + c);
        x = pp_factor(2 * (b * {{k}} + c) + 1) * pp_right((b * {{n}} + i) * {{n}} + source);
    }
    pp_out_right(b, i, c, x);
}
