// shader
@group(0) @binding(0) var<storage, read> in0: array<f32>;
@group(0) @binding(1) var<storage, read_write> out0: array<f32>;
@group(0) @binding(2) var<storage, read_write> arena: array<u32>;
var<private> pp_zero: u32;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    pp_zero = group.z;
    let point = i32(group.x * 1u + local);
    var v1: array<f32, 2>;
    v1[0] = out0[0];
    v1[1] = out0[1];
    {
        for (var i0: i32 = 0; i0 < 2; i0 = i0 + 1) {
            let e0 = in0[i0];
            v1[i0] = e0;
        }
    }
    for (var t0: i32 = 0; t0 < 50; t0 = t0 + 1) {
        {
            for (var i0: i32 = 0; i0 < 2; i0 = i0 + 1) {
                let e1 = bitcast<f32>(0x3f000000u ^ pp_zero);
                let e3 = i32(t0);
                let e4 = f32(e3);
                let e0 = v1[i0];
                let e2 = e0 * e1;
                let e5 = e2 + e4;
                v1[i0] = e5;
            }
        }
    }
    out0[0] = v1[0];
    out0[1] = v1[1];
}

