//! Shaders without a device: naga validates what is emitted for every op, for loops of every kind
//! and for linear algebra; limits of devices become errors.

mod common;

use common::graph_of;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use probpipe_backend_gpu::Gpu;
use probpipe_backend_gpu::wgsl::{Module, Step, Target, element_bytes, emit};
use probpipe_lowering::{Options, lower};
use probpipe_testing::says;
use probpipe_trace::{
    Array, ArrayType, BinaryOp, Caps, CompareOp, CumulativeOp, DType, ErrorKind, Graph, LinalgOp,
    Op, Result, ScatterOp, Triangular, UnaryOp, Vectors, arange, bind, bind1, concat, fori_loop,
    scan, verify, while_loop,
};

fn emitted(graph: &Graph, target: &Target) -> Result<Module> {
    let options = Options {
        element_bytes,
        library_matmul: Some(64),
        special_inline: true,
        ..Options::default()
    };
    let dtypes = if target.double { &DType::ALL } else { Gpu::CAPS.dtypes };
    Caps { dtypes, ..Gpu::CAPS }.check(graph)?;
    emit(&lower(verify(graph).unwrap(), &options)?, target)
}

#[track_caller]
fn validate(types: &[ArrayType], f: impl FnOnce(&[Array]) -> Vec<Array>) {
    let graph = graph_of(types, f);
    for software in [false, true] {
        let target = Target { software, storage_buffers: 32, double: true, ..Target::default() };
        let module = emitted(&graph, &target).expect("the program is emitted");
        assert!(!module.shaders.is_empty());
        for shader in &module.shaders {
            let parsed = naga::front::wgsl::parse_str(&shader.text)
                .unwrap_or_else(|e| panic!("{}\n{}", e.emit_to_string(&shader.text), shader.text));
            // What is not of double precision is plain WGSL.
            let double = match shader.text.contains("f64") {
                true => Capabilities::FLOAT64 | Capabilities::SHADER_INT64,
                false => Capabilities::empty(),
            };
            Validator::new(ValidationFlags::all(), Capabilities::IMMEDIATES | double)
                .validate(&parsed)
                .unwrap_or_else(|e| panic!("{e:?}\n{}", shader.text));
        }
    }
}

fn ty(dtype: DType, shape: &[usize]) -> ArrayType {
    ArrayType::new(dtype, shape)
}

#[test]
fn every_elementwise_op_validates() {
    for dtype in DType::ALL {
        // Both as fused kernels and inside a loop that runs in one invocation.
        for shape in [&[100][..], &[3]] {
            validate(&[ty(dtype, shape), ty(dtype, shape)], |x| {
                let mut out = Vec::new();
                for op in UnaryOp::ALL.iter().filter(|op| op.spec().accepts.contains(dtype)) {
                    out.push(bind1(Op::Unary(*op), &[&x[0]]));
                }
                for op in BinaryOp::ALL.iter().filter(|op| op.spec().accepts.contains(dtype)) {
                    out.push(bind1(Op::Binary(*op), &[&x[0], &x[1]]));
                }
                for op in CompareOp::ALL.iter().filter(|op| op.spec().accepts.contains(dtype)) {
                    let c = bind1(Op::Compare(*op), &[&x[0], &x[1]]);
                    out.push(bind1(Op::Select, &[&c, &x[0], &x[1]]));
                }
                for to in DType::ALL {
                    out.push(x[0].cast(to));
                }
                // One result: a module may bind few buffers.
                let flat: Vec<Array> =
                    out.iter().map(|a| a.cast(DType::F32).sum().reshape([1])).collect();
                vec![concat(&flat, 0)]
            });
        }
    }
}

#[test]
fn reductions_and_relayouts_validate() {
    for n in [0, 1, 7, 5000] {
        validate(&[ty(DType::F32, &[n, 3]), ty(DType::Bool, &[3])], |x| {
            vec![
                x[0].sum_axes([0]),
                x[0].max() + x[0].min_axes([0]).sum(),
                x[0].gt(0.0).all_axes([0]),
                x[1].any(),
                x[0].swap_axes(0, 1).pad([1, 0], [0, 2], 1.0).flip(0),
            ]
        });
    }
}

#[test]
fn loops_and_linear_algebra_validate() {
    for n in [1, 5, 400] {
        validate(&[ty(DType::F32, &[n]), ty(DType::I32, &[])], |x| {
            let (carry, ys) = scan((x[0].clone(), x[1].clone()), arange(6), |(q, k), t| {
                let q = q.sin() + t.cast(DType::F32);
                ((q.clone(), k + 1), q.sum())
            });
            let coupled = fori_loop(4, x[0].clone(), |_, q| {
                fori_loop(2, q, |j, q| q.flip(0) + j.cast(DType::F32))
            });
            vec![carry.0, carry.1, ys, coupled]
        });
    }
    validate(&[ty(DType::F32, &[2, 8, 8]), ty(DType::F32, &[2, 8, 3])], |x| {
        let l = x[0].cholesky();
        vec![l.solve_triangular_with(&x[1], Triangular::lower().transposed()), x[0].matmul(&x[1])]
    });
}

#[test]
fn what_takes_elements_in_an_order_validates() {
    // Lines of one block, of several, and of blocks of blocks.
    for n in [1, 60, 700, 20_000] {
        validate(&[ty(DType::F32, &[n, 2]), ty(DType::I32, &[n, 2])], |x| {
            let mut out = Vec::new();
            for op in CumulativeOp::ALL {
                let running = Op::Cumulative { op, axis: 0, reverse: op == CumulativeOp::Min };
                out.extend([bind1(running.clone(), &[&x[0]]), bind1(running, &[&x[1]])]);
            }
            let flags = x[1].gt(0);
            out.extend(bind(Op::Sort { axis: 0, num_keys: 3 }, &[&flags, &x[0], &x[1]]));
            for op in ScatterOp::ALL {
                let at = x[1].at_axis(1, 0);
                let scatter = Op::Scatter { op, batch: 0 };
                out.push(bind1(scatter.clone(), &[&x[0], &at, &x[0].sin()]));
                out.push(bind1(scatter, &[&x[1], &at, &(&x[1] * 2)]));
            }
            out
        });
    }
}

#[test]
fn phases_repeat_without_immediates() {
    let graph = graph_of(&[ty(DType::F32, &[1000])], |x| vec![x[0].sort(0)]);
    let loops = |immediate_bytes| {
        let target = Target { immediate_bytes, ..Target::default() };
        let steps = emitted(&graph, &target).expect("the program is emitted").steps;
        (steps.iter().filter(|s| matches!(s, Step::Loop { .. })).count(), steps.len())
    };
    assert_eq!(loops(4), (1, 3));
    assert_eq!(loops(0), (0, 6));
}

#[test]
fn decompositions_validate() {
    // By one invocation, and in phases.
    for n in [3, 20] {
        validate(&[ty(DType::F32, &[2, n, n]), ty(DType::F32, &[2, n, 3])], |x| {
            let wide = x[1].swap_axes(1, 2);
            let mut out = vec![x[0].solve(&x[1]), x[0].det(), x[0].inv().swap_axes(1, 2)];
            for a in [&x[0], &x[1], &wide] {
                for op in [
                    LinalgOp::Lu,
                    LinalgOp::Qr { full: false },
                    LinalgOp::Qr { full: true },
                    LinalgOp::Svd { vectors: Vectors::None },
                    LinalgOp::Svd { vectors: Vectors::Thin },
                    LinalgOp::Svd { vectors: Vectors::Full },
                ] {
                    out.extend(bind(Op::Linalg(op), &[a]));
                }
            }
            for vectors in [false, true] {
                out.extend(bind(Op::Linalg(LinalgOp::Eigh { vectors }), &[&x[0]]));
            }
            // One result: a module may bind few buffers.
            let flat: Vec<Array> =
                out.iter().map(|a| a.cast(DType::F32).sum().reshape([1])).collect();
            vec![concat(&flat, 0)]
        });
    }
}

#[test]
fn a_scalar_loop_is_one_dispatch() {
    let graph = graph_of(&[ty(DType::F32, &[])], |x| {
        let (q, ys) = scan(x[0].clone(), arange(10_000), |q, t| {
            let q = (q * 0.9 + t.cast(DType::F32)).tanh();
            (q.clone(), q)
        });
        vec![q, ys]
    });
    let module = emitted(&graph, &Target::default()).unwrap();
    assert!(matches!(module.steps[..], [Step::Dispatch { .. }]), "{:?}", module.steps);
}

#[test]
fn random_words_are_those_of_a_function() {
    let types = [(); 4].map(|()| ty(DType::U32, &[100]));
    let f = |x: &[Array]| bind(Op::Threefry2x32, &[&x[0], &x[1], &x[2], &x[3]]).into_vec();
    validate(&types, f);
    let module = emitted(&graph_of(&types, f), &Target::default()).unwrap();
    let text = &module.shaders[0].text;
    let main = text.split("fn main").nth(1).expect("an entry point");
    assert_eq!(main.matches("pp_threefry(").count(), 1, "{text}");
    assert!(!main.contains("<<"), "{text}");
}

#[test]
fn lanes_keep_their_loop_in_one_dispatch() {
    // Also with a counter that all lanes share.
    let graph = graph_of(&[ty(DType::F32, &[5000, 3]), ty(DType::F32, &[])], |x| {
        let (q, s) = fori_loop(100, (x[0].clone(), x[1].clone()), |_, (q, s)| {
            (q.sin() * 0.5 + q.sum_axes([1]).reshape([5000, 1]) * &s, s * 0.99)
        });
        vec![q, s]
    });
    let module = emitted(&graph, &Target::default()).unwrap();
    let loops = module.steps.iter().filter(|s| matches!(s, Step::Loop { .. })).count();
    assert_eq!(loops, 0, "{:?}", module.steps);
}

#[test]
fn limits_of_the_device_are_errors() {
    let graph = graph_of(&[ty(DType::F32, &[1 << 20])], |x| vec![x[0].sin()]);
    let small = Target { binding_bytes: 1 << 20, ..Target::default() };
    let error = emitted(&graph, &small).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Backend);
    says(&error, &["f32[1048576] take 4194304 bytes"]);

    // More arrays than are bound lie in the arena.
    let types: Vec<ArrayType> = (0..12).map(|_| ty(DType::F32, &[100])).collect();
    let graph = graph_of(&types, |x| vec![x.iter().skip(1).fold(x[0].clone(), |sum, x| sum + x)]);
    let module = emitted(&graph, &Target { storage_buffers: 8, ..Target::default() }).unwrap();
    assert_eq!(module.copies.len(), 13);
    assert!(module.groups.iter().all(|slots| slots.len() <= 2), "{:?}", module.groups);

    let graph = graph_of(&[ty(DType::F32, &[100_000])], |x| {
        vec![fori_loop(5, x[0].clone(), |_, x| x.flip(0) + 1.0)]
    });
    let error = emitted(&graph, &Target { immediate_bytes: 0, ..Target::default() }).unwrap_err();
    says(&error, &["loops are nested 1 deep"]);
}

/// A software device, which has one workgroup do what takes less time than dispatches.
fn software() -> Target {
    Target { software: true, storage_buffers: 32, ..Target::default() }
}

#[test]
fn works_that_do_not_meet_share_a_loop() {
    let types = [ty(DType::F32, &[256]), ty(DType::F32, &[256])];
    let graph = graph_of(&types, |x| {
        let step = |_, (y, z): (Array, Array)| (z.flip(0) * 0.5, y.flip(0) + 1.0);
        let (y, z) = fori_loop(5, (x[0].clone(), x[1].clone()), step);
        vec![y, z]
    });
    let module = emitted(&graph, &software()).expect("the program is emitted");
    let text: String = module.shaders.iter().map(|shader| shader.text.as_str()).collect();
    let together = text.lines().filter(|line| line.matches("(point);").count() > 1);
    assert!(together.count() > 0, "every work has a loop of its own:\n{text}");
}

#[test]
fn shaders_for_software_touch_memory_in_few_places() {
    let graph = graph_of(&[ty(DType::F32, &[256])], |x| {
        vec![(0..40).fold(x[0].clone(), |y, _| y.flip(0) * 0.5 + y.sum())]
    });
    let places = |target: &Target| {
        let module = emitted(&graph, target).expect("the program is emitted");
        let count = |text: &str| ["arena[", "in0[", "out0["].map(|a| text.matches(a).count());
        let counts = module.shaders.iter().map(|shader| count(&shader.text).iter().sum::<usize>());
        counts.max().unwrap_or(0)
    };
    let hardware = Target { storage_buffers: 32, ..Target::default() };
    let (few, many) = (places(&software()), places(&hardware));
    assert!(few <= 48 && many > 48, "{few} places on software, {many} elsewhere");
}

#[test]
fn a_condition_is_one_shader() {
    fn conditions(steps: &[Step], found: &mut Vec<usize>) {
        for step in steps {
            match step {
                Step::Dispatch { .. } | Step::Clear { .. } => {}
                Step::Loop { body, .. } => conditions(body, found),
                Step::While { cond, body, .. } => {
                    found.push(cond.len());
                    conditions(body, found);
                }
            }
        }
    }
    let graph = graph_of(&[ty(DType::F32, &[100_000])], |x| {
        let inner = |y: Array| {
            while_loop(|y: Array| y.at(1).gt(0.5), |y: Array| y.flip(0) * 0.5, y * 4.0) * 0.1
        };
        vec![while_loop(|y: Array| y.at(0).gt(1e-3), inner, x[0].clone())]
    });
    let module = emitted(&graph, &Target::default()).expect("the program is emitted");
    let mut found = Vec::new();
    conditions(&module.steps, &mut found);
    assert_eq!(found, [1, 1]);
}
