// shader
@group(0) @binding(0) var<storage, read> in0: array<f32>;
@group(0) @binding(1) var<storage, read> in1: array<f32>;
@group(0) @binding(2) var<storage, read_write> out0: array<f32>;
@group(0) @binding(3) var<storage, read_write> arena: array<u32>;
var<private> pp_zero: u32;
fn pp_nan() -> f32 {
    return bitcast<f32>(0x7fc00000u);
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    pp_zero = group.z;
    let point = i32(group.x * 64u + local);
    if (point >= 1000) { return; }
    let i0 = point;
    let e0 = in0[i0];
    let e1 = bitcast<f32>(0x40000000u ^ pp_zero);
    let e2 = e0 * e1;
    let e3 = in1[i0];
    let e4 = e2 + e3;
    let e5 = select(sqrt(e4), pp_nan(), e4 < 0.0f);
    out0[i0] = e5;
}

