// Lower Cholesky factors, row by row: one invocation per matrix. Zeros above the diagonal; NaN on
// and below it if a pivot is not positive. Only the lower triangle of the input is read.
// The emitter fills in `{{...}}`: extents, steps, and `pp_input(i)`, `pp_load(i)`, `pp_store(i, v)`.
fn pp_cholesky(point: i32, t: i32) {
    let source = point * {{input_batch}};
    let dest = point * {{out_batch}};
    var definite = true;
    // Made at run time: WGSL has no NaN in constants.
    var quiet = 0x7fc00000u;
    let nan = bitcast<f32>(quiet);
    for (var i = 0; i < {{n}}; i = i + 1) {
        for (var j = 0; j <= i; j = j + 1) {
            var sum = pp_input(source + i * {{input_row}} + j * {{input_column}});
            for (var k = 0; k < j; k = k + 1) {
                let x = pp_load(dest + i * {{out_row}} + k * {{out_column}});
                let y = pp_load(dest + j * {{out_row}} + k * {{out_column}});
                sum = sum - x * y;
            }
            let at = dest + i * {{out_row}} + j * {{out_column}};
            if (i == j) {
                // Compared as bits: NaN, zero, infinity and negative numbers are no pivots.
                let bits = bitcast<i32>(sum);
                definite = definite && bits > 0 && bits < 0x7f800000;
                pp_store(at, sqrt(max(sum, 0.0)));
            } else {
                pp_store(at, sum / pp_load(dest + j * {{out_row}} + j * {{out_column}}));
            }
        }
        for (var j = i + 1; j < {{n}}; j = j + 1) {
            pp_store(dest + i * {{out_row}} + j * {{out_column}}, 0.0);
        }
    }
    if (!definite) {
        for (var i = 0; i < {{n}}; i = i + 1) {
            for (var j = 0; j <= i; j = j + 1) {
                pp_store(dest + i * {{out_row}} + j * {{out_column}}, nan);
            }
        }
    }
}
