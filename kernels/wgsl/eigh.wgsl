// Eigenvalues of symmetric matrices of {{n}} rows by Jacobi rotations (Golub & Van Loan 8.5). In a
// round every index meets one other, so that the rotations of a round do not touch each other:
// first all angles, then all blocks of two rows and two columns. A sweep is so many rounds that
// each meets each. The emitter adds `pp_input(i)`, `pp_largest(i)`, `pp_put_largest(i, v)`,
// `pp_work(i)`, `pp_put_work(i, v)`, `pp_vector(i)`, `pp_put_vector(i, v)`, `pp_angle(i)`,
// `pp_put_angle(i, v)`, `pp_order(i)`, `pp_put_order(i, j)`, `pp_value(i, v)`, `pp_out(i, v)`.

// Only the lower triangle is read.
fn pp_eigh_entry(b: i32, i: i32, j: i32) -> f32 {
    return pp_input((b * {{n}} + max(i, j)) * {{n}} + min(i, j));
}

fn pp_eigh_largest(point: i32, t: i32) {
    var largest = 0.0;
    for (var j = 0; j < {{n}}; j = j + 1) {
        largest = pp_larger(largest, pp_eigh_entry(point / {{n}}, point % {{n}}, j));
    }
    pp_put_largest(point, largest);
}

fn pp_eigh_power(b: i32) -> i32 {
    var largest = 0.0;
    for (var i = 0; i < {{n}}; i = i + 1) {
        largest = pp_larger(largest, pp_largest(b * {{n}} + i));
    }
    return pp_exponent(largest);
}

fn pp_eigh_start(point: i32, t: i32) {
    let b = point / ({{n}} * {{n}});
    let i = point / {{n}} % {{n}};
    let j = point % {{n}};
    let e = pp_eigh_power(b);
    pp_put_work(point, select(pp_scale(pp_eigh_entry(b, i, j), -e), 0.0, e == 1000));
    pp_put_vector(point, select(0.0, 1.0, i == j));
}

// An index of {{n}} is that of nobody, where the number is odd.
fn pp_eigh_at(b: i32, i: i32, j: i32) -> f32 {
    if (max(i, j) >= {{n}}) {
        return 0.0;
    }
    return pp_work((b * {{n}} + i) * {{n}} + j);
}

fn pp_eigh_put(b: i32, i: i32, j: i32, v: f32) {
    if (max(i, j) < {{n}}) {
        pp_put_work((b * {{n}} + i) * {{n}} + j, v);
        pp_put_work((b * {{n}} + j) * {{n}} + i, v);
    }
}

fn pp_eigh_angles(point: i32, t: i32) {
    let b = point / {{half}};
    let pair = pp_meeting(t % {{rounds}}, point % {{half}}, {{rounds}} + 1);
    let pp = pp_eigh_at(b, pair.x, pair.x);
    let qq = pp_eigh_at(b, pair.y, pair.y);
    let turn = pp_rotation(pp, qq, pp_eigh_at(b, pair.x, pair.y));
    pp_put_angle(3 * point, turn.x);
    pp_put_angle(3 * point + 1, turn.y);
    pp_put_angle(3 * point + 2, turn.z);
}

fn pp_eigh_turn(b: i32, k: i32) -> vec3<f32> {
    let at = 3 * (b * {{half}} + k);
    return vec3<f32>(pp_angle(at), pp_angle(at + 1), pp_angle(at + 2));
}

fn pp_eigh_blocks(point: i32, t: i32) {
    let b = point / ({{half}} * {{half}});
    let down = point / {{half}} % {{half}};
    let across = point % {{half}};
    if (down > across) {
        return;
    }
    let p = pp_meeting(t % {{rounds}}, down, {{rounds}} + 1);
    let q = pp_meeting(t % {{rounds}}, across, {{rounds}} + 1);
    let row_turn = pp_eigh_turn(b, down);
    let turn = pp_eigh_turn(b, across);
    if (down == across) {
        let change = turn.z * pp_eigh_at(b, p.x, p.y);
        pp_eigh_put(b, p.x, p.x, pp_eigh_at(b, p.x, p.x) - change);
        pp_eigh_put(b, p.y, p.y, pp_eigh_at(b, p.y, p.y) + change);
        if (turn.z != 0.0) {
            pp_eigh_put(b, p.x, p.y, 0.0);
        }
        return;
    }
    let upper = pp_turn(pp_eigh_at(b, p.x, q.x), pp_eigh_at(b, p.x, q.y), turn);
    let lower = pp_turn(pp_eigh_at(b, p.y, q.x), pp_eigh_at(b, p.y, q.y), turn);
    let left = pp_turn(upper.x, lower.x, row_turn);
    let right = pp_turn(upper.y, lower.y, row_turn);
    pp_eigh_put(b, p.x, q.x, left.x);
    pp_eigh_put(b, p.y, q.x, left.y);
    pp_eigh_put(b, p.x, q.y, right.x);
    pp_eigh_put(b, p.y, q.y, right.y);
}

fn pp_eigh_rotate(point: i32, t: i32) {
    let k = point % {{half}};
    let row = point / {{half}};
    let pair = pp_meeting(t % {{rounds}}, k, {{rounds}} + 1);
    if (pair.y < {{n}}) {
        let p = row * {{n}} + pair.x;
        let q = row * {{n}} + pair.y;
        let turned = pp_turn(pp_vector(p), pp_vector(q), pp_eigh_turn(row / {{n}}, k));
        pp_put_vector(p, turned.x);
        pp_put_vector(q, turned.y);
    }
}

fn pp_eigh_values(point: i32, t: i32) {
    let b = point / {{n}};
    let i = point % {{n}};
    let own = pp_eigh_at(b, i, i);
    var rank = 0;
    for (var j = 0; j < {{n}}; j = j + 1) {
        let other = pp_eigh_at(b, j, j);
        rank = rank + select(0, 1, other < own || (other == own && j < i));
    }
    let e = pp_eigh_power(b);
    var value = pp_nan();
    if (e != 1000) {
        value = pp_scale(own, e);
    }
    pp_value(b * {{n}} + rank, value);
    pp_put_order(b * {{n}} + rank, i);
}

fn pp_eigh_vectors(point: i32, t: i32) {
    let b = point / {{n}};
    let matrix = b * {{n}} * {{n}};
    let column = matrix + pp_order(point);
    var largest = 0.0;
    var square = 0.0;
    for (var i = 0; i < {{n}}; i = i + 1) {
        let v = pp_vector(column + i * {{n}});
        largest = max(largest, abs(v));
        square = square + v * v;
    }
    var factor = 0.0;
    for (var i = 0; i < {{n}} && factor == 0.0; i = i + 1) {
        let v = pp_vector(column + i * {{n}});
        if (abs(v) >= largest * 0.999) {
            factor = select(1.0, -1.0, v < 0.0) / sqrt(square);
        }
    }
    let failed = pp_eigh_power(b) == 1000;
    for (var i = 0; i < {{n}}; i = i + 1) {
        var v = pp_nan();
        if (!failed) {
            v = factor * pp_vector(column + i * {{n}});
        }
        pp_out(matrix + i * {{n}} + point % {{n}}, v);
    }
}
