//! Programs whose operations may be contracted: what becomes one operation rounds once, to the bit,
//! in every kind of loop; and programs of which nothing was asked round as they are written.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, Element, Executable, Graph, Rounding, Subnormals, Value,
    eval::eval_graph, fori_loop, trace, verify, with_rounding, with_subnormals,
};
use support::{Random, compare, random};

/// Lengths for straight-line code, short loops, vectors with a rest, and several tiles.
const LENGTHS: [usize; 6] = [1, 3, 9, 37, 600, 5000];

fn graph(types: &[ArrayType], f: fn(&[Array]) -> Vec<Array>) -> Graph {
    trace(types, f).expect("traces").graph
}

fn compiled(graph: &Graph, rounding: Rounding) -> Box<dyn Executable> {
    let graph = verify(graph).expect("verifies");
    with_rounding(rounding, || Cpu.compile(graph)).expect("compiles")
}

fn run(graph: &Graph, rounding: Rounding, inputs: &[Value]) -> Vec<Value> {
    let inputs: Vec<&Value> = inputs.iter().collect();
    let run = || compiled(graph, rounding).run(&inputs);
    with_subnormals(Subnormals::Keep, run).expect("runs").into_iter().collect()
}

fn inputs(types: &[ArrayType]) -> Vec<Value> {
    let mut rng = Random::new(3);
    types.iter().map(|ty| random(&mut rng, ty, (-2.0, 2.0), false)).collect()
}

fn bytes(value: &Value) -> &[u8] {
    value.to_host().expect("on the host").bytes()
}

/// Every form of a product and a sum.
fn forms(x: &[Array]) -> Vec<Array> {
    let (x, y, z) = (&x[0], &x[1], &x[2]);
    vec![x * y + z, z + x * y, x * y - z, z - x * y, x * 0.7 + 0.1, 0.1 - x * x, y * z * x - x]
}

macro_rules! fused {
    ($t:ty, $x:ident, $y:ident, $z:ident) => {{
        let [x, y, z] = [$x, $y, $z];
        [
            x.mul_add(y, z),
            x.mul_add(y, z),
            x.mul_add(y, -z),
            (-x).mul_add(y, z),
            x.mul_add(0.7, 0.1),
            (-x).mul_add(x, 0.1),
            (y * z).mul_add(x, -x),
        ]
    }};
}

fn forms_round_once<T: Element + Copy + Default>(want: fn(T, T, T) -> [T; 7]) {
    for n in LENGTHS {
        let types = vec![ArrayType::new(T::DTYPE, [n]); 3];
        let inputs = inputs(&types);
        let elements: Vec<Vec<T>> = inputs.iter().map(|v| v.to_vec().unwrap()).collect();
        let have = run(&graph(&types, forms), Rounding::Contracted, &inputs);
        for (form, have) in have.iter().enumerate() {
            let want: Vec<T> = (0..n)
                .map(|i| want(elements[0][i], elements[1][i], elements[2][i])[form])
                .collect();
            let want = Value::from_elements(&want, &[n]).unwrap();
            assert!(bytes(have) == bytes(&want), "form {form} of {n} elements");
        }
    }
}

#[test]
fn products_and_sums_round_once() {
    forms_round_once::<f64>(|x, y, z| fused!(f64, x, y, z));
    forms_round_once::<f32>(|x, y, z| fused!(f32, x, y, z));
}

#[test]
fn programs_round_as_written_unless_told_otherwise() {
    for dtype in [DType::F32, DType::F64] {
        for n in LENGTHS {
            let types = vec![ArrayType::new(dtype, [n]); 3];
            let graph = graph(&types, forms);
            let inputs = inputs(&types);
            let refs: Vec<&Value> = inputs.iter().collect();
            let want = eval_graph(&graph, &refs).expect("runs");
            // After a program that contracts was made of the same graph, too.
            let contracted = run(&graph, Rounding::Contracted, &inputs);
            let plain = run(&graph, Rounding::AsWritten, &inputs);
            let default = with_subnormals(Subnormals::Keep, || {
                Cpu.compile(verify(&graph).unwrap()).and_then(|program| program.run(&refs))
            });
            for (k, default) in default.expect("runs").iter().enumerate() {
                assert!(bytes(default) == bytes(&want[k]), "output {k} of {n} elements");
                assert!(bytes(&plain[k]) == bytes(&want[k]), "output {k} of {n} elements");
            }
            let differ = contracted.iter().zip(want.iter()).any(|(a, b)| bytes(a) != bytes(b));
            assert!(differ || n < 9, "{n} elements round alike");
        }
    }
}

#[test]
fn texts_show_what_is_contracted() {
    let types = vec![ArrayType::new(DType::F64, [600]); 3];
    let text = |rounding, f| {
        let stages = compiled(&graph(&types, f), rounding).stages();
        stages.into_iter().find(|(name, _)| *name == "program").expect("there is one").1
    };
    let sum: fn(&[Array]) -> Vec<Array> = |x| vec![(&x[0] * &x[1]).sum()];
    assert!(!text(Rounding::AsWritten, forms).contains("mul_add"));
    assert!(text(Rounding::Contracted, forms).contains("mul_add"));
    assert!(!text(Rounding::AsWritten, sum).contains("summand"));
    assert!(text(Rounding::Contracted, sum).contains("summand"));
    // What is needed elsewhere, too, stays a product; what is the same at all points is made once.
    let twice: fn(&[Array]) -> Vec<Array> = |x| {
        let product = &x[0] * &x[1];
        vec![&product + &x[2], product]
    };
    assert!(!text(Rounding::Contracted, twice).contains("mul_add"));
    let uniform: fn(&[Array]) -> Vec<Array> = |x| vec![&x[0] + x[1].at(0) * x[1].at(1)];
    assert!(!text(Rounding::Contracted, uniform).contains("mul_add"));
}

/// Sums of products, products with numbers, and chains in registers.
fn sums(x: &[Array]) -> Vec<Array> {
    let (x, y, z) = (&x[0], &x[1], &x[2]);
    let r = z - (x * y.at(0) + x * y * 0.3 + 0.2);
    vec![
        (x * y).sum(),
        (&r * &r).sum(),
        (&r * x).sum() + (&r * 0.5).sum(),
        (y.exp() * &r).sum(),
        (x.reshape([1, -1]) * y.reshape([-1, 1])).sum_axes([1]),
        x.gt(0.0).cast(x.dtype()) * y + z,
    ]
}

#[test]
fn sums_are_near_those_as_written() {
    for (dtype, lengths) in [(DType::F32, &LENGTHS[..5]), (DType::F64, &LENGTHS[..5])] {
        for &n in lengths {
            let types = vec![ArrayType::new(dtype, [n]); 3];
            let graph = graph(&types, sums);
            let inputs = inputs(&types);
            let want = run(&graph, Rounding::AsWritten, &inputs);
            let have = run(&graph, Rounding::Contracted, &inputs);
            for (k, (have, want)) in have.iter().zip(&want).enumerate() {
                // Each of the terms is off by at most one unit in its last place.
                compare(have, want, 4.0 * n as f64 + 4.0, &format!("output {k} of {n} elements"));
            }
        }
    }
}

#[test]
fn recursions_in_registers_round_once() {
    let f = |x: &[Array]| {
        let (a, b, start) = (x[0].at(0), x[0].at(1), x[0].at(2));
        vec![fori_loop(100, start, |_, h: Array| &a * h + &b)]
    };
    let types = [ArrayType::new(DType::F64, [3])];
    let start = Value::from_elements(&[0.97, 0.11, 0.3], &[3]).unwrap();
    let graph = trace(&types, f).expect("traces").graph;
    let have = run(&graph, Rounding::Contracted, std::slice::from_ref(&start));
    let want = (0..100).fold(0.3f64, |h, _| 0.97f64.mul_add(h, 0.11));
    assert_eq!(have[0].to_vec::<f64>().unwrap(), [want]);
}
