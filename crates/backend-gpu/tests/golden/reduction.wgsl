// shader
@group(0) @binding(0) var<storage, read> in0: array<f32>;
@group(0) @binding(1) var<storage, read_write> out0: array<f32>;
@group(0) @binding(2) var<storage, read_write> out1: array<f32>;
@group(0) @binding(3) var<storage, read_write> arena: array<u32>;
var<workgroup> pp_word: i32;
var<private> pp_zero: u32;
fn pp_is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn pp_max(x: f32, y: f32) -> f32 {
    let larger = select(x, y, y > x);
    return select(select(larger, y, pp_is_nan(y)), x, pp_is_nan(x));
}
fn work_w0(point: i32) {
    let lane = point / 8;
    let at = point % 8;
    let i0 = at;
    var r0_0 = bitcast<f32>(0x00000000u ^ pp_zero);
    for (var r: i32 = lane; r < 300; r = r + 32) {
        let j0 = r;
        let e0 = in0[i0 * 300 + j0];
        let e1 = e0 * e0;
        r0_0 = r0_0 + e1;
    }
    arena[point] = bitcast<u32>(r0_0);
}
fn work_w1(point: i32) {
    let i0 = point;
    var r0_0 = bitcast<f32>(0x00000000u ^ pp_zero);
    for (var r: i32 = 0; r < 32; r = r + 1) {
        let j0 = r;
        let e0 = bitcast<f32>(arena[i0 + j0 * 8]);
        r0_0 = r0_0 + e0;
    }
    out0[i0] = r0_0;
}
fn work_w2(point: i32) {
    let lane = point / 1;
    let at = point % 1;
    var r0_0 = bitcast<f32>(0xff800000u);
    for (var r: i32 = lane; r < 2400; r = r + 256) {
        let j0 = r / 300;
        let j1 = (r) % 300;
        let e0 = in0[j0 * 300 + j1];
        r0_0 = pp_max(r0_0, e0);
    }
    arena[point] = bitcast<u32>(r0_0);
}
fn work_w3(point: i32) {
    let lane = point / 1;
    let at = point % 1;
    var r0_0 = bitcast<f32>(0xff800000u);
    for (var r: i32 = lane; r < 256; r = r + 64) {
        let j0 = r;
        let e0 = bitcast<f32>(arena[j0]);
        r0_0 = pp_max(r0_0, e0);
    }
    arena[point + 256] = bitcast<u32>(r0_0);
}
fn work_w4(point: i32) {
    let lane = point / 1;
    let at = point % 1;
    var r0_0 = bitcast<f32>(0xff800000u);
    for (var r: i32 = lane; r < 64; r = r + 16) {
        let j0 = r;
        let e0 = bitcast<f32>(arena[j0 + 256]);
        r0_0 = pp_max(r0_0, e0);
    }
    arena[point + 320] = bitcast<u32>(r0_0);
}
fn work_w5(point: i32) {
    var r0_0 = bitcast<f32>(0xff800000u);
    for (var r: i32 = 0; r < 16; r = r + 1) {
        let j0 = r;
        let e0 = bitcast<f32>(arena[j0 + 320]);
        r0_0 = pp_max(r0_0, e0);
    }
    out1[0] = r0_0;
}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    pp_zero = group.z;
    let first = i32(local);
    if (first < 256) { work_w0(first); }
    storageBarrier();
    if (first < 8) { work_w1(first); }
    storageBarrier();
    if (first < 256) { work_w2(first); }
    storageBarrier();
    if (first < 64) { work_w3(first); }
    storageBarrier();
    if (first < 16) { work_w4(first); }
    storageBarrier();
    if (local == 0u) { work_w5(0); }
    storageBarrier();
}

