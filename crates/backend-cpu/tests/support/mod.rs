//! What the tests share: random values of any element type, and the comparison of a compiled graph
//! with the interpreter.
#![allow(dead_code)]

use probpipe_backend_cpu::Cpu;
pub use probpipe_testing::Random;
use probpipe_testing::{Tolerance, close};
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Graph, HostBuffer, Subnormals, Value, eval::eval_graph,
    trace, verify, with_subnormals,
};

/// Numbers at the edges of every type.
pub const SPECIAL: [f64; 20] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    1e-40,
    -1e-40,
    1e30,
    -1e30,
    2147483648.0,
    -2147483648.0,
    4294967296.0,
    1e-20,
];

/// Random elements; floats from the interval, integers from their whole range and its edges.
pub fn random(random: &mut Random, ty: &ArrayType, domain: (f64, f64), special: bool) -> Value {
    let mut buffer = HostBuffer::zeroed(ty.bytes());
    macro_rules! ints {
        ($t:ty) => {
            for x in buffer.elements_mut::<$t>() {
                let edges = [
                    0,
                    1,
                    <$t>::MAX,
                    <$t>::MIN,
                    <$t>::MIN.wrapping_sub(1),
                    (0 as $t).wrapping_sub(1),
                    31,
                    32,
                    33,
                ];
                *x = match random.below(3) {
                    0 => edges[random.below(edges.len())],
                    1 => random.bits() as $t,
                    _ => random.between(domain.0, domain.1) as i64 as $t,
                };
            }
        };
    }
    macro_rules! floats {
        ($t:ty) => {
            for x in buffer.elements_mut::<$t>() {
                *x = if special && random.below(2) == 0 {
                    SPECIAL[random.below(SPECIAL.len())] as $t
                } else {
                    random.between(domain.0, domain.1) as $t
                };
            }
        };
    }
    match ty.dtype {
        DType::F32 => floats!(f32),
        DType::F64 => floats!(f64),
        DType::I32 => ints!(i32),
        DType::I64 => ints!(i64),
        DType::U8 => ints!(u8),
        DType::U32 => ints!(u32),
        DType::U64 => ints!(u64),
        DType::Bool => {
            for x in buffer.elements_mut::<u8>() {
                *x = random.below(2) as u8;
            }
        }
    }
    Value::host(ty.clone(), buffer)
}

/// Compares two arrays, to units in the last place of `max(1, |want|)`.
#[track_caller]
pub fn compare(have: &Value, want: &Value, ulp: f64, what: &str) {
    assert_eq!(have.ty(), want.ty(), "{what}");
    match have.ty().dtype {
        dtype if dtype.is_float() => close(what, have, want, Tolerance::ulps(ulp, dtype)),
        _ => assert_eq!(have.to_scalars().unwrap(), want.to_scalars().unwrap(), "{what}"),
    }
}

/// Runs a graph both ways, without flushing subnormal numbers, and compares.
pub fn check(graph: &Graph, inputs: &[Value], ulp: f64, what: &str) {
    with_subnormals(Subnormals::Keep, || check_here(graph, inputs, ulp, what));
}

fn check_here(graph: &Graph, inputs: &[Value], ulp: f64, what: &str) {
    let inputs: Vec<&Value> = inputs.iter().collect();
    let want = eval_graph(graph, &inputs).unwrap();
    let executable =
        Cpu.compile(verify(graph).unwrap()).unwrap_or_else(|e| panic!("{what}: {e}\n{graph}"));
    let have = executable.run(&inputs).unwrap();
    for (i, (have, want)) in have.iter().zip(&want).enumerate() {
        if std::env::var("DUMP").is_ok() {
            for (name, text) in executable.stages() {
                eprintln!("== {name}\n{text}");
            }
        }
        compare(have, want, ulp, &format!("{what}, output {i}"));
    }
    // A second call runs in the arena of the first.
    let again = executable.run(&inputs).unwrap();
    for (have, again) in have.iter().zip(&again) {
        assert!(have == again, "{what}: two calls differ");
    }
}

/// Traces a function and compares it with the interpreter on random inputs.
#[track_caller]
pub fn check_fn(what: &str, types: &[ArrayType], ulp: f64, f: impl FnOnce(&[Array]) -> Vec<Array>) {
    let traced = trace(types, f).unwrap_or_else(|e| panic!("{what}: {e}"));
    let mut rng = Random::new(7);
    let inputs: Vec<Value> =
        types.iter().map(|ty| random(&mut rng, ty, (-2.0, 2.0), false)).collect();
    let captured = traced.captures.iter().map(|a| a.value().unwrap());
    let inputs: Vec<Value> = inputs.into_iter().chain(captured).collect();
    check(&traced.graph, &inputs, ulp, what);
}
