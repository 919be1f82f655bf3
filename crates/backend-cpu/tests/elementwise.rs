//! Every elementwise op and cast, for every element type, against the interpreter, at sizes that
//! take the straight-line, the scalar and the vector paths.

mod support;

use probpipe_trace::{
    ArrayType, BinaryOp, CompareOp, DType, Graph, GraphBuilder, Loc, Op, SpecialOp, UnaryOp, Value,
};
use support::{Random, check, random};

const SIZES: [usize; 6] = [1, 3, 7, 64, 513, 5000];

#[track_caller]
fn here() -> Loc {
    std::panic::Location::caller()
}

fn graph(types: &[ArrayType], op: Op) -> Option<Graph> {
    let mut builder = GraphBuilder::new();
    let inputs: Vec<_> = types.iter().map(|ty| builder.input(ty.clone())).collect();
    let out = builder.push(op, &inputs, here()).ok()?;
    Some(builder.finish(out.to_vec()))
}

fn run(name: &str, dtypes: &[DType], domain: [(f64, f64); 2], ulp: f64, op: Op) -> bool {
    // Calls for each point have one path, and the interpreter takes its time over them.
    let sizes = if matches!(op, Op::Special(_)) { &SIZES[..4] } else { &SIZES[..] };
    let mut rng = Random::new(1);
    for &size in sizes {
        let types: Vec<ArrayType> = dtypes.iter().map(|&d| ArrayType::new(d, [size])).collect();
        let Some(graph) = graph(&types, op.clone()) else { return false };
        for special in [false, true] {
            let inputs: Vec<Value> = types
                .iter()
                .zip([domain[0], domain[1], domain[1]])
                .map(|(ty, domain)| random(&mut rng, ty, domain, special))
                .collect();
            check(&graph, &inputs, ulp, &format!("{name} {dtypes:?} x {size}"));
        }
    }
    true
}

#[test]
fn unary_ops() {
    for &op in UnaryOp::ALL {
        let spec = op.spec();
        let runs = DType::ALL
            .iter()
            .filter(|&&d| run(spec.name, &[d], spec.domain, spec.ulp.max(1.0), Op::Unary(op)))
            .count();
        assert!(runs > 0, "{} ran for no type", spec.name);
    }
}

#[test]
fn binary_ops() {
    for &op in BinaryOp::ALL {
        let spec = op.spec();
        let runs = DType::ALL
            .iter()
            .filter(|&&d| run(spec.name, &[d, d], spec.domain, spec.ulp, Op::Binary(op)))
            .count();
        assert!(runs > 0, "{} ran for no type", spec.name);
    }
}

/// The interpreter's own function, so that not a bit differs.
#[test]
fn special_functions() {
    for &op in SpecialOp::ALL {
        let [first, second, _] = op.domain();
        for dtype in [DType::F32, DType::F64] {
            let dtypes = vec![dtype; op.arity()];
            assert!(run(op.name(), &dtypes, [first, second], 0.0, Op::Special(op)));
        }
    }
}

#[test]
fn comparisons() {
    for &op in CompareOp::ALL {
        let spec = op.spec();
        for dtype in DType::ALL {
            run(spec.name, &[dtype, dtype], spec.domain, 0.0, Op::Compare(op));
        }
    }
}

#[test]
fn casts() {
    for from in DType::ALL {
        for to in DType::ALL {
            let name = format!("cast to {to}");
            assert!(run(&name, &[from], [(-300.0, 300.0); 2], 0.0, Op::Cast(to)));
            run(&format!("bitcast to {to}"), &[from], [(-300.0, 300.0); 2], 0.0, Op::Bitcast(to));
        }
    }
}

#[test]
fn selects() {
    for dtype in DType::ALL {
        assert!(run("select", &[DType::Bool, dtype, dtype], [(-3.0, 3.0); 2], 0.0, Op::Select));
    }
}
