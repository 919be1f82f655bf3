// out[b, i, j] = sum_k lhs[b, i, k] rhs[b, k, j]. One invocation computes a block of 4 by 4
// elements in registers; no workgroup memory, since software devices run barriers badly. Of long
// sums a phase takes {{slice}} products. The emitter fills in `{{...}}`: extents, steps, and the
// type, `pp_lhs(i)`, `pp_rhs(i)`, `pp_load(i)`, `pp_store(i, v)`.
fn pp_matmul(point: i32, t: i32) {
    let across = ({{n}} + 3) / 4;
    let down = ({{m}} + 3) / 4;
    let tile = point % (down * across);
    let batch = point / (down * across);
    let row = (tile / across) * 4;
    let column = (tile % across) * 4;
    // Rows and columns past the edge repeat the last one, and are not stored.
    let rows = min(vec4<i32>(row, row + 1, row + 2, row + 3), vec4<i32>({{m}} - 1));
    let columns = min(vec4<i32>(column, column + 1, column + 2, column + 3), vec4<i32>({{n}} - 1));
    let a = rows * {{lhs_row}} + (batch * {{lhs_batch}});
    let b = columns * {{rhs_column}} + (batch * {{rhs_batch}});
    var s0 = vec4<{{type}}>();
    var s1 = vec4<{{type}}>();
    var s2 = vec4<{{type}}>();
    var s3 = vec4<{{type}}>();
    // Blocks of 64 products are summed apart: the error grows with the longest chain of additions.
    let end = min((t + 1) * {{slice}}, {{k}});
    for (var first = t * {{slice}}; first < end; first = first + 64) {
        let last = min(first + 64, end);
        var p0 = vec4<{{type}}>();
        var p1 = vec4<{{type}}>();
        var p2 = vec4<{{type}}>();
        var p3 = vec4<{{type}}>();
        for (var k = first; k < last; k = k + 1) {
            let r = k * {{rhs_row}};
            let l = k * {{lhs_column}};
            let v = vec4<{{type}}>(pp_rhs(b.x + r), pp_rhs(b.y + r), pp_rhs(b.z + r), pp_rhs(b.w + r));
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
        let i = row + (e >> 2u);
        let j = column + (e & 3);
        let odd = (e & 4) != 0;
        let sums = select(select(s0, s1, odd), select(s2, s3, odd), (e & 8) != 0);
        let half = select(sums.xy, sums.zw, (e & 2) != 0);
        let sum = select(half.x, half.y, (e & 1) != 0);
        if (i < {{m}} && j < {{n}}) {
            let at = batch * {{out_batch}} + i * {{out_row}} + j * {{out_column}};
            if (t == 0) {
                pp_store(at, sum);
            } else {
                pp_store(at, pp_load(at) + sum);
            }
        }
    }
}
