// shader
@group(0) @binding(0) var<storage, read> in0: array<f32>;
@group(0) @binding(1) var<storage, read_write> out0: array<f32>;
@group(0) @binding(2) var<storage, read_write> arena: array<u32>;
var<private> pp_zero: u32;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    pp_zero = group.z;
    let point = i32(group.x * 1u + local);
    var v1_0: f32;
    var v1_1: f32;
    v1_0 = out0[0];
    v1_1 = out0[1];
    {
        for (var i0: i32 = 0; i0 < 2; i0 = i0 + 1) {
            let e0 = in0[i0];
            v1_0 = select(v1_0, e0, i0 == 0);
            v1_1 = select(v1_1, e0, i0 == 1);
        }
    }
    for (var t0: i32 = 0; t0 < 50; t0 = t0 + 1) {
        {
            let e1 = bitcast<f32>(0x3f000000u ^ pp_zero);
            let e3 = i32(t0);
            let e4 = f32(e3);
            let e0 = v1_0;
            let e2 = e0 * e1;
            let e5 = e2 + e4;
            v1_0 = e5;
        }
        {
            let e1 = bitcast<f32>(0x3f000000u ^ pp_zero);
            let e3 = i32(t0);
            let e4 = f32(e3);
            let e0 = v1_1;
            let e2 = e0 * e1;
            let e5 = e2 + e4;
            v1_1 = e5;
        }
    }
    out0[0] = v1_0;
    out0[1] = v1_1;
}

