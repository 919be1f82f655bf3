//! Long arrays run in wide vectors, short ones in scalars: the values have the same bits.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{Array, ArrayType, Backend, Element, Value, select, trace, verify};
use support::{Random, SPECIAL};

/// Results of a function on arrays of this many elements at a time.
fn in_pieces<T: Element>(f: fn(&[Array]) -> Vec<Array>, data: &[T], piece: usize) -> Vec<Vec<u8>> {
    let graph = trace(&[ArrayType::new(T::DTYPE, [piece])], f).expect("traces").graph;
    let executable = Cpu.compile(verify(&graph).unwrap()).expect("compiles");
    let mut out = vec![Vec::new(); graph.outputs().len()];
    for chunk in data.chunks_exact(piece) {
        let value = Value::from_elements(chunk, &[piece]).expect("fits");
        for (all, part) in out.iter_mut().zip(executable.run(&[&value]).expect("runs")) {
            all.extend(part.to_host().expect("on the host").bytes());
        }
    }
    out
}

fn functions(x: &[Array]) -> Vec<Array> {
    let x = &x[0];
    let e = x.exp();
    vec![
        e.clone(),
        (1.0 + (-x).exp()).pow(-1),
        &e / (&e + 1.0),
        select(&x.gt(0.5), &e, &(x * x - 3.0)),
        x.maximum(&(x * 0.5)).minimum(&e),
        x.floor() + x.round() * x.ceil() - x.abs().sqrt() * x.sign(),
        x.is_finite() & x.le(1.0) | !x.eq(x),
        x.eq(0.0).cast(x.dtype()) - x,
    ]
}

fn same_bits<T: Element>(data: &[T]) {
    let names = ["exp", "logistic", "quotient", "select", "extremes", "rounding", "truth", "cast"];
    let long = in_pieces(functions, data, 600);
    let short = in_pieces(functions, data, 3);
    for ((long, short), name) in long.iter().zip(&short).zip(names) {
        let size = long.len() / data.len();
        for (i, (a, b)) in long.chunks(size).zip(short.chunks(size)).enumerate() {
            assert!(a == b, "{name} of element {i}: {a:02x?} in long arrays, {b:02x?} in short");
        }
    }
}

#[test]
fn single_precision() {
    let mut random = Random::new(11);
    let mut data: Vec<f32> = SPECIAL.iter().map(|&x| x as f32).collect();
    while data.len() < 24_000 {
        data.push(f32::from_bits(random.bits() as u32));
        data.push(random.between(-110.0, 95.0) as f32);
        data.push(random.between(-2.0, 2.0) as f32);
    }
    data.truncate(24_000);
    // Which bits a NaN has is not defined.
    data.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = f32::NAN);
    same_bits(&data);
}

#[test]
fn double_precision() {
    let mut random = Random::new(12);
    let mut data: Vec<f64> = SPECIAL.to_vec();
    while data.len() < 24_000 {
        data.push(f64::from_bits(random.bits()));
        data.push(random.between(-750.0, 715.0));
        data.push(random.between(-2.0, 2.0));
    }
    data.truncate(24_000);
    data.iter_mut().filter(|x| x.is_nan()).for_each(|x| *x = f64::NAN);
    same_bits(&data);
}
