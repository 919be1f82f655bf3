// Eigenvalues of symmetric matrices of {{n}} rows by Jacobi rotations (Golub & Van Loan 8.5). In a
// round every index meets one other, so that the rotations of a round do not touch each other, and
// every block of two rows and two columns is turned by itself. A sweep is so many rounds that each
// meets each. Elements go from one half of `pp_work` to the other: blocks look at the diagonal ones
// for their angles. The emitter adds `pp_input(i)`, `pp_largest(i)`, `pp_put_largest(i, v)`,
// `pp_power(i)`, `pp_put_power(i, e)`, `pp_work(i)`, `pp_put_work(i, v)`, `pp_vector(i)`,
// `pp_put_vector(i, v)`, `pp_order(i)`, `pp_put_order(i, j)`, `pp_value(i, v)`, `pp_out(i, v)`.

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

fn pp_eigh_power(point: i32, t: i32) {
    var largest = 0.0;
    for (var i = 0; i < {{n}}; i = i + 1) {
        largest = pp_larger(largest, pp_largest(point * {{n}} + i));
    }
    pp_put_power(point, pp_exponent(largest));
}

fn pp_eigh_start(point: i32, t: i32) {
    let b = point / ({{n}} * {{n}});
    let i = point / {{n}} % {{n}};
    let j = point % {{n}};
    let e = pp_power(b);
    pp_put_work(point, select(pp_scale(pp_eigh_entry(b, i, j), -e), 0.0, e == 5000));
    pp_put_vector(point, select(0.0, 1.0, i == j));
}

// An index of {{n}} is that of nobody, where the number is odd.
fn pp_eigh_at(b: i32, i: i32, j: i32, t: i32) -> f32 {
    if (max(i, j) >= {{n}}) {
        return 0.0;
    }
    return pp_work(select(0, {{other}}, (t & 1) == 1) + (b * {{n}} + i) * {{n}} + j);
}

fn pp_eigh_put(b: i32, i: i32, j: i32, t: i32, v: f32) {
    if (max(i, j) < {{n}}) {
        let matrix = select({{other}}, 0, (t & 1) == 1) + b * {{n}} * {{n}};
        pp_put_work(matrix + i * {{n}} + j, v);
        pp_put_work(matrix + j * {{n}} + i, v);
    }
}

fn pp_eigh_turn(b: i32, p: vec2<i32>, t: i32) -> vec3<f32> {
    let pq = pp_eigh_at(b, p.x, p.y, t);
    return pp_rotation(pp_eigh_at(b, p.x, p.x, t), pp_eigh_at(b, p.y, p.y, t), pq);
}

// The pieces of a matrix: its blocks, then pairs of elements of its vectors.
fn pp_eigh_round(point: i32, t: i32) {
    let b = point / {{pieces}};
    let piece = point % {{pieces}};
    let across = piece % {{half}};
    let q = pp_meeting(t % {{rounds}}, across, {{rounds}} + 1);
    if (piece >= {{half}} * {{half}}) {
        if (q.y < {{n}}) {
            let row = (b * {{n}} + piece / {{half}} - {{half}}) * {{n}};
            let turn = pp_eigh_turn(b, q, t);
            let turned = pp_turn(pp_vector(row + q.x), pp_vector(row + q.y), turn);
            pp_put_vector(row + q.x, turned.x);
            pp_put_vector(row + q.y, turned.y);
        }
        return;
    }
    let down = piece / {{half}};
    if (down > across) {
        return;
    }
    let turn = pp_eigh_turn(b, q, t);
    if (down == across) {
        let pq = pp_eigh_at(b, q.x, q.y, t);
        let change = turn.z * pq;
        pp_eigh_put(b, q.x, q.x, t, pp_eigh_at(b, q.x, q.x, t) - change);
        pp_eigh_put(b, q.y, q.y, t, pp_eigh_at(b, q.y, q.y, t) + change);
        pp_eigh_put(b, q.x, q.y, t, select(0.0, pq, turn.z == 0.0));
        return;
    }
    let p = pp_meeting(t % {{rounds}}, down, {{rounds}} + 1);
    let row_turn = pp_eigh_turn(b, p, t);
    let upper = pp_turn(pp_eigh_at(b, p.x, q.x, t), pp_eigh_at(b, p.x, q.y, t), turn);
    let lower = pp_turn(pp_eigh_at(b, p.y, q.x, t), pp_eigh_at(b, p.y, q.y, t), turn);
    let left = pp_turn(upper.x, lower.x, row_turn);
    let right = pp_turn(upper.y, lower.y, row_turn);
    pp_eigh_put(b, p.x, q.x, t, left.x);
    pp_eigh_put(b, p.y, q.x, t, left.y);
    pp_eigh_put(b, p.x, q.y, t, right.x);
    pp_eigh_put(b, p.y, q.y, t, right.y);
}

// What is left beside the diagonal.
fn pp_eigh_rest(point: i32, t: i32) {
    let b = point / {{n}};
    let i = point % {{n}};
    var largest = 0.0;
    for (var j = 0; j < {{n}}; j = j + 1) {
        largest = pp_larger(largest, select(pp_eigh_at(b, i, j, {{length}}), 0.0, i == j));
    }
    pp_put_largest(point, largest);
}

// Not finite, or so many rotations were not enough.
fn pp_eigh_failed(b: i32) -> bool {
    var largest = 0.0;
    for (var i = 0; i < {{n}}; i = i + 1) {
        largest = pp_larger(largest, pp_largest(b * {{n}} + i));
    }
    return pp_power(b) == 5000 || !(largest < {{unsettled}});
}

fn pp_eigh_values(point: i32, t: i32) {
    let b = point / {{n}};
    let i = point % {{n}};
    let own = pp_eigh_at(b, i, i, {{length}});
    var rank = 0;
    for (var j = 0; j < {{n}}; j = j + 1) {
        let other = pp_eigh_at(b, j, j, {{length}});
        rank = rank + select(0, 1, other < own || (other == own && j < i));
    }
    var value = pp_nan();
    if (!pp_eigh_failed(b)) {
        value = pp_scale(own, pp_power(b));
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
    let failed = pp_eigh_failed(b);
    for (var i = 0; i < {{n}}; i = i + 1) {
        var v = pp_nan();
        if (!failed) {
            v = factor * pp_vector(column + i * {{n}});
        }
        pp_out(matrix + i * {{n}} + point % {{n}}, v);
    }
}
