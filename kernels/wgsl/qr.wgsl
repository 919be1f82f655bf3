// Householder reflections of {{m}} rows of {{n}}, column by column: chunks of rows take the products
// of the column at hand with those from it on, then every element is reflected. H = I - tau v v^T
// with beta = -sign(alpha) |x|, v = x - beta e scaled to 1 at its head, tau = (beta - alpha) / beta
// (Golub & Van Loan 5.1; LAPACK's larfg). Below the diagonal of `pp_work` the columns stay as they
// were before their reflection; the rows of R go out when they are done. Then Q, {{m}} rows of {{k}},
// from the last reflection to the first.
// Columns are scaled by powers of two, which changes nothing in Q; and products are taken 2^50
// larger, so that those of small columns do not vanish.
// The emitter adds `pp_input(i)`, `pp_work(i)`, `pp_put_work(i, v)`, `pp_power(i)`,
// `pp_put_power(i, e)`, `pp_dot(i)`, `pp_put_dot(i, v)`, `pp_tau(i)`, `pp_put_tau(i, v)`,
// `pp_head(i)`, `pp_put_head(i, v)`, `pp_q(i)`, `pp_put_q(i, v)`, `pp_put_r(i, v)`.

fn pp_qr_largest(point: i32, t: i32) {
    let c = point % {{n}};
    let chunk = point / {{n}} % {{chunks}};
    let matrix = point / {{n}} / {{chunks}} * {{size}};
    var largest = 0.0;
    for (var i = chunk * {{rows}}; i < min((chunk + 1) * {{rows}}, {{m}}); i = i + 1) {
        largest = pp_larger(largest, pp_input(matrix + i * {{n}} + c));
    }
    pp_put_dot(point, largest);
}

fn pp_qr_powers(point: i32, t: i32) {
    let first = point / {{n}} * {{chunks}};
    var largest = 0.0;
    for (var chunk = first; chunk < first + {{chunks}}; chunk = chunk + 1) {
        largest = pp_larger(largest, pp_dot(chunk * {{n}} + point % {{n}}));
    }
    pp_put_power(point, pp_exponent(largest));
}

fn pp_qr_start(point: i32, t: i32) {
    let e = pp_power(point / {{size}} * {{n}} + point % {{n}});
    pp_put_work(point, select(pp_scale(pp_input(point), -e), 0.0, e == 5000));
}

fn pp_qr_dots(point: i32, t: i32) {
    let c = point % {{n}};
    let chunk = point / {{n}} % {{chunks}};
    let matrix = point / {{n}} / {{chunks}} * {{size}};
    if (c < t) {
        return;
    }
    var sum = 0.0;
    var some = false;
    for (var i = max(chunk * {{rows}}, t + 1); i < min((chunk + 1) * {{rows}}, {{m}}); i = i + 1) {
        let x = pp_work(matrix + i * {{n}} + t) * 1125899906842624.0;
        sum = sum + x * (pp_work(matrix + i * {{n}} + c) * 1125899906842624.0);
        some = some || !pp_is_zero(x);
    }
    // A column that is not zero has a norm.
    pp_put_dot(point, select(sum, max(sum, {{least_square}}), c == t && some));
}

fn pp_qr_sum(b: i32, c: i32, width: i32, count: i32) -> f32 {
    var sum = 0.0;
    for (var chunk = 0; chunk < count; chunk = chunk + 1) {
        sum = sum + pp_dot((b * {{chunks}} + chunk) * width + c);
    }
    return sum;
}

// Where chunks are many, their sums go to the first.
fn pp_qr_dot(b: i32, c: i32, width: i32) -> f32 {
    return pp_qr_sum(b, c, width, {{kept}});
}

fn pp_qr_sums(point: i32, t: i32) {
    let b = point / {{n}};
    let c = point % {{n}};
    pp_put_dot(b * {{chunks}} * {{n}} + c, pp_qr_sum(b, c, {{n}}, {{chunks}}));
}

fn pp_qr_back_sums(point: i32, t: i32) {
    let b = point / {{k}};
    let c = point % {{k}};
    pp_put_dot(b * {{chunks}} * {{k}} + c, pp_qr_sum(b, c, {{k}}, {{chunks}}));
}

fn pp_qr_reflect(point: i32, t: i32) {
    let c = point % {{n}};
    let i = point / {{n}} % {{m}};
    let b = point / {{size}};
    if (c < t || i < t) {
        return;
    }
    let matrix = b * {{size}};
    let alpha = pp_work(matrix + t * {{n}} + t) * 1125899906842624.0;
    let tail = pp_qr_dot(b, t, {{n}});
    var beta = alpha;
    var tau = 0.0;
    var head = 0.0;
    // What is zero below stays as it is.
    if (tail > 0.0 && alpha * alpha + tail > {{no_square}}) {
        let norm = sqrt(alpha * alpha + tail);
        beta = select(-norm, norm, pp_is_negative(alpha));
        tau = (beta - alpha) / beta;
        head = 1.0 / (alpha - beta);
    }
    if (c == t) {
        if (i == t) {
            pp_put_tau(b * {{steps}} + t, tau);
            pp_put_head(b * {{steps}} + t, head);
            let e = pp_power(b * {{n}} + t);
            pp_put_r((b * {{k}} + t) * {{n}} + t, pp_scale(beta * 8.881784197001252e-16, e));
        }
        return;
    }
    let top = pp_work(matrix + t * {{n}} + c);
    let dot = tau * (top + pp_qr_dot(b, c, {{n}}) * 8.881784197001252e-16 * head);
    if (i == t) {
        let e = pp_power(b * {{n}} + c);
        pp_put_r((b * {{k}} + t) * {{n}} + c, pp_scale(top - dot, e));
    } else {
        let v = pp_work(matrix + i * {{n}} + t) * 1125899906842624.0 * head;
        pp_put_work(point, pp_work(point) - v * dot);
    }
}

fn pp_qr_identity(point: i32, t: i32) {
    pp_put_q(point, select(0.0, 1.0, point / {{k}} % {{m}} == point % {{k}}));
}

fn pp_qr_component(b: i32, i: i32, t: i32) -> f32 {
    if (i == t) {
        return 1.0;
    }
    let head = pp_head(b * {{steps}} + t);
    return pp_work(b * {{size}} + i * {{n}} + t) * 1125899906842624.0 * head;
}

fn pp_qr_back_dots(point: i32, step: i32) {
    let t = {{steps}} - 1 - step;
    let c = point % {{k}};
    let chunk = point / {{k}} % {{chunks}};
    let b = point / {{k}} / {{chunks}};
    if (c < t) {
        return;
    }
    var sum = 0.0;
    for (var i = max(chunk * {{rows}}, t); i < min((chunk + 1) * {{rows}}, {{m}}); i = i + 1) {
        sum = sum + pp_qr_component(b, i, t) * pp_q((b * {{m}} + i) * {{k}} + c);
    }
    pp_put_dot(point, sum);
}

fn pp_qr_back(point: i32, step: i32) {
    let t = {{steps}} - 1 - step;
    let c = point % {{k}};
    let i = point / {{k}} % {{m}};
    let b = point / {{k}} / {{m}};
    if (c < t || i < t) {
        return;
    }
    let dot = pp_tau(b * {{steps}} + t) * pp_qr_dot(b, c, {{k}});
    pp_put_q(point, pp_q(point) - pp_qr_component(b, i, t) * dot);
}

fn pp_qr_failed(b: i32) -> bool {
    for (var c = 0; c < {{n}}; c = c + 1) {
        if (pp_power(b * {{n}} + c) == 5000) {
            return true;
        }
    }
    return false;
}

fn pp_qr_finish_q(point: i32, t: i32) {
    if (pp_qr_failed(point / {{k}} / {{m}})) {
        pp_put_q(point, pp_nan());
    }
}

fn pp_qr_finish_r(point: i32, t: i32) {
    let i = point / {{n}} % {{k}};
    if (i >= {{steps}} || point % {{n}} < i) {
        pp_put_r(point, 0.0);
    }
    if (point % {{n}} >= i && pp_qr_failed(point / {{n}} / {{k}})) {
        pp_put_r(point, pp_nan());
    }
}
