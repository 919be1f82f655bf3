// shader
@group(0) @binding(0) var<storage, read> in0: array<f32>;
@group(0) @binding(1) var<storage, read_write> out0: array<f32>;
@group(0) @binding(2) var<storage, read_write> out1: array<f32>;
@group(0) @binding(3) var<storage, read_write> arena: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let point = i32(group.x * 64u + local);
    if (point >= 8) { return; }
    let i0 = point;
    var r0_0 = 0.0f;
    var r0_1 = 0.0f;
    for (var r: i32 = 0; r < 300; r = r + 1) {
        let j0 = r;
        let e0 = in0[i0 * 300 + j0];
        let e1 = e0 * e0;
        r0_0 = r0_0 + e1;
        if ((r & 31) == 31) {
            r0_1 = r0_1 + r0_0;
            r0_0 = 0.0f;
        }
    }
    out0[i0] = r0_0 + r0_1;
}

// shader
@group(0) @binding(0) var<storage, read> in0: array<f32>;
@group(0) @binding(1) var<storage, read_write> out0: array<f32>;
@group(0) @binding(2) var<storage, read_write> out1: array<f32>;
@group(0) @binding(3) var<storage, read_write> arena: array<u32>;
fn pp_is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn pp_max(x: f32, y: f32) -> f32 {
    let larger = select(x, y, y > x);
    return select(select(larger, y, pp_is_nan(y)), x, pp_is_nan(x));
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let point = i32(group.x * 64u + local);
    if (point >= 37) { return; }
    let lane = point / 1;
    let at = point % 1;
    var r0_0 = bitcast<f32>(0xff800000u);
    for (var r: i32 = lane; r < 2400; r = r + 37) {
        let j0 = r / 300;
        let j1 = (r) % 300;
        let e0 = in0[j0 * 300 + j1];
        r0_0 = pp_max(r0_0, e0);
    }
    arena[point] = bitcast<u32>(r0_0);
}

// shader
@group(0) @binding(0) var<storage, read> in0: array<f32>;
@group(0) @binding(1) var<storage, read_write> out0: array<f32>;
@group(0) @binding(2) var<storage, read_write> out1: array<f32>;
@group(0) @binding(3) var<storage, read_write> arena: array<u32>;
fn pp_is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn pp_max(x: f32, y: f32) -> f32 {
    let larger = select(x, y, y > x);
    return select(select(larger, y, pp_is_nan(y)), x, pp_is_nan(x));
}
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let point = i32(group.x * 1u + local);
    var r0_0 = bitcast<f32>(0xff800000u);
    for (var r: i32 = 0; r < 37; r = r + 1) {
        let j0 = r;
        let e0 = bitcast<f32>(arena[j0]);
        r0_0 = pp_max(r0_0, e0);
    }
    out1[0] = r0_0;
}

