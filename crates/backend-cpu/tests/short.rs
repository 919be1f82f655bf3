//! Reductions along a few elements have the bits of the interpreter, the values beside them too.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Subnormals, Value, eval::eval_graph, trace, verify,
    with_subnormals,
};
use support::{Random, random};

/// Every reduction of differences of all pairs, and the differences.
fn pairs(x: &[Array]) -> Vec<Array> {
    let x = &x[0];
    let difference = x.expand_dims(1) - x.expand_dims(0);
    vec![
        (&difference * &difference).sum_axes(2),
        difference.prod_axes(2),
        difference.max_axes(2),
        difference.min_axes(2),
        difference.gt(0.0).all_axes(2),
        difference.gt(0.0).any_axes(2),
        difference,
    ]
}

/// Sums along two axes at once, of values that do not all vary along both.
fn blocks(x: &[Array]) -> Vec<Array> {
    let x = &x[0];
    let both = x.expand_dims(0).expand_dims(3) * x.expand_dims(1).expand_dims(2);
    vec![both.sum_axes([2, 3]), (x.expand_dims(0) - x.expand_dims(1)).sum_axes([2])]
}

fn canonical(value: &Value, dtype: DType) -> Vec<u8> {
    let host = value.to_host().expect("on the host");
    // Which bits a NaN has is not defined.
    match (value.ty().dtype == dtype, dtype) {
        (true, DType::F32) => host
            .elements::<f32>()
            .iter()
            .flat_map(|x| if x.is_nan() { f32::NAN } else { *x }.to_ne_bytes())
            .collect(),
        (true, DType::F64) => host
            .elements::<f64>()
            .iter()
            .flat_map(|x| if x.is_nan() { f64::NAN } else { *x }.to_ne_bytes())
            .collect(),
        _ => host.bytes().to_vec(),
    }
}

fn same_bits(name: &str, f: fn(&[Array]) -> Vec<Array>, dtype: DType, shape: [usize; 2]) {
    let ty = ArrayType::new(dtype, shape);
    let graph = trace(std::slice::from_ref(&ty), f).expect("traces").graph;
    let executable = Cpu.compile(verify(&graph).unwrap()).expect("compiles");
    let mut source = Random::new(31);
    for special in [false, true, true] {
        let x = random(&mut source, &ty, (-2.0, 2.0), special);
        let got = with_subnormals(Subnormals::Keep, || executable.run(&[&x])).expect("runs");
        let want = eval_graph(&graph, &[&x]).expect("runs");
        for (k, (got, want)) in got.iter().zip(&want).enumerate() {
            let same = canonical(got, dtype) == canonical(want, dtype);
            assert!(same, "result {k} of {name}, {dtype} {shape:?}:\n{got:?}\n{want:?}");
        }
    }
}

#[test]
fn along_the_last_axis() {
    for dtype in [DType::F32, DType::F64, DType::I32] {
        // Four fill a vector, along which the sum then runs.
        for length in [2, 3] {
            same_bits("pairs", pairs, dtype, [17, length]);
        }
    }
}

#[test]
fn along_two_axes() {
    for dtype in [DType::F32, DType::F64] {
        same_bits("blocks", blocks, dtype, [16, 2]);
    }
}
