// out[b, i, j] = sum_k lhs[b, i, k] rhs[b, k, j]. One invocation computes a block of 4 by 4
// elements in registers; no workgroup memory, since software devices run barriers badly. Of long
// sums a phase takes {{slice}} products. The emitter fills in `{{...}}`: extents, steps, the
// type of a number, `pp_lhs(i)`, `pp_rhs(i)`, `pp_load(i)`, `pp_store(i, v)`.

// Which matrix a block is of, and its first row and column.
fn pp_block(point: i32) -> vec3<i32> {
    let across = ({{n}} + 3) / 4;
    let down = ({{m}} + 3) / 4;
    let tile = point % (down * across);
    return vec3<i32>(point / (down * across), (tile / across) * 4, (tile % across) * 4);
}

// Four rows or columns. Those past the edge repeat the last one, and are not stored.
fn pp_four(first: i32, extent: i32) -> vec4<i32> {
    return min(vec4<i32>(first, first + 1, first + 2, first + 3), vec4<i32>(extent - 1));
}

// Whether an entry of a block is not past the edge.
fn pp_inside(block: vec3<i32>, e: i32) -> bool {
    return block.y + (e >> 2u) < {{m}} && block.z + (e & 3) < {{n}};
}

// Where it lies in the result.
fn pp_result(block: vec3<i32>, e: i32) -> i32 {
    let row = block.y + (e >> 2u);
    let column = block.z + (e & 3);
    return block.x * {{out_batch}} + row * {{out_row}} + column * {{out_column}};
}

// An entry of a block, given its rows.
fn pp_entry(
    s0: vec4<{{number}}>,
    s1: vec4<{{number}}>,
    s2: vec4<{{number}}>,
    s3: vec4<{{number}}>,
    e: i32,
) -> {{number}} {
    let odd = (e & 4) != 0;
    let row = select(select(s0, s1, odd), select(s2, s3, odd), (e & 8) != 0);
    let half = select(row.xy, row.zw, (e & 2) != 0);
    return select(half.x, half.y, (e & 1) != 0);
}

fn pp_matmul(point: i32, t: i32) {
    let block = pp_block(point);
    let a = pp_four(block.y, {{m}}) * {{lhs_row}} + (block.x * {{lhs_batch}});
    let b = pp_four(block.z, {{n}}) * {{rhs_column}} + (block.x * {{rhs_batch}});
    var s0 = vec4<{{number}}>();
    var s1 = vec4<{{number}}>();
    var s2 = vec4<{{number}}>();
    var s3 = vec4<{{number}}>();
    // Blocks of 64 products are summed apart: the error grows with the longest chain of additions.
    let end = min((t + 1) * {{slice}}, {{k}});
    for (var first = t * {{slice}}; first < end; first = first + 64) {
        let last = min(first + 64, end);
        var p0 = vec4<{{number}}>();
        var p1 = vec4<{{number}}>();
        var p2 = vec4<{{number}}>();
        var p3 = vec4<{{number}}>();
        for (var k = first; k < last{{opaque}}; k = k + 1) {
            let r = k * {{rhs_row}};
            let l = k * {{lhs_column}};
            let v = vec4<{{number}}>(pp_rhs(b.x + r), pp_rhs(b.y + r), pp_rhs(b.z + r), pp_rhs(b.w + r));
            p0 = p0 + pp_lhs(a.x + l) * v;
            p1 = p1 + pp_lhs(a.y + l) * v;
            p2 = p2 + pp_lhs(a.z + l) * v;
            p3 = p3 + pp_lhs(a.w + l) * v;
        }
        s0 = s0 + p0;
        s1 = s1 + p1;
        s2 = s2 + p2;
        s3 = s3 + p3;
    }
    // One place writes all, for compilers that take their time over each that touches memory.
    for (var e = 0; e < 16{{opaque}}; e = e + 1) {
        let inside = pp_inside(block, e);
        let at = pp_result(block, e);
        let sum = pp_entry(s0, s1, s2, s3, e);
        if (inside && t == 0) {
            pp_store(at, sum);
        } else if (inside) {
            pp_store(at, pp_load(at) + sum);
        }
    }
}

// The high words of four sums, to which the products of a number with four others are added, and
// whether that carries in the low words.
fn pp_matmul_above(
    sum: vec4<u32>,
    carries: vec4<bool>,
    x: vec2<u32>,
    low: vec4<u32>,
    high: vec4<u32>,
) -> vec4<u32> {
    let half = vec4<u32>(0xffffu);
    let down = vec4<u32>(16u);
    let a = x.x & 0xffffu;
    let b = x.x >> 16u;
    let c = low & half;
    let d = low >> down;
    let middle = b * c + ((a * c) >> down);
    let other = a * d + (middle & half);
    let above = b * d + (middle >> down) + (other >> down) + x.x * high + x.y * low;
    return sum + above + select(vec4<u32>(0u), vec4<u32>(1u), carries);
}

// The same of 64-bit integers, pairs of words, which no order of additions changes.
fn pp_matmul_long(point: i32, t: i32) {
    let block = pp_block(point);
    let a = pp_four(block.y, {{m}}) * {{lhs_row}} + (block.x * {{lhs_batch}});
    let b = pp_four(block.z, {{n}}) * {{rhs_column}} + (block.x * {{rhs_batch}});
    var l0 = vec4<u32>();
    var h0 = vec4<u32>();
    var l1 = vec4<u32>();
    var h1 = vec4<u32>();
    var l2 = vec4<u32>();
    var h2 = vec4<u32>();
    var l3 = vec4<u32>();
    var h3 = vec4<u32>();
    let end = min((t + 1) * {{slice}}, {{k}});
    for (var k = t * {{slice}}; k < end; k = k + 1) {
        let r = k * {{rhs_row}};
        let l = k * {{lhs_column}};
        let x = pp_rhs(b.x + r);
        let y = pp_rhs(b.y + r);
        let z = pp_rhs(b.z + r);
        let w = pp_rhs(b.w + r);
        let low = vec4<u32>(x.x, y.x, z.x, w.x);
        let high = vec4<u32>(x.y, y.y, z.y, w.y);
        let x0 = pp_lhs(a.x + l);
        let s0 = l0 + x0.x * low;
        h0 = pp_matmul_above(h0, s0 < l0, x0, low, high);
        l0 = s0;
        let x1 = pp_lhs(a.y + l);
        let s1 = l1 + x1.x * low;
        h1 = pp_matmul_above(h1, s1 < l1, x1, low, high);
        l1 = s1;
        let x2 = pp_lhs(a.z + l);
        let s2 = l2 + x2.x * low;
        h2 = pp_matmul_above(h2, s2 < l2, x2, low, high);
        l2 = s2;
        let x3 = pp_lhs(a.w + l);
        let s3 = l3 + x3.x * low;
        h3 = pp_matmul_above(h3, s3 < l3, x3, low, high);
        l3 = s3;
    }
    for (var e = 0; e < 16{{opaque}}; e = e + 1) {
        let inside = pp_inside(block, e);
        let at = pp_result(block, e);
        let sum = vec2<u32>(pp_entry(l0, l1, l2, l3, e), pp_entry(h0, h1, h2, h3, e));
        if (inside && t == 0) {
            pp_store(at, sum);
        } else if (inside) {
            pp_store(at, pp_long_add(pp_load(at), sum));
        }
    }
}
