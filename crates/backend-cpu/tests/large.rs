//! Sums, sorts and searches of many elements, large operations outside of `jit`, and arrays that no
//! memory holds: right values, on the interpreter and compiled.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::eval::eval_graph;
use probpipe_trace::{
    Array, ArrayType, Backend, DType, ErrorKind, Graph, OutOfRange, ScatterOp, Value, WindowAxes,
    array, digitize, histogram, interp, ones, searchsorted, segment_sum, sort_key_val,
    sort_together, trace, verify, with_interpreted, zeros,
};
use probpipe_transforms::{grad, graph_of, jit_on, vmap};
use std::sync::Arc;
use support::Random;

fn cpu() -> Arc<dyn Backend> {
    Arc::new(Cpu)
}

/// The results of a function on the interpreter, which compiled code and any number of threads
/// give to the bit.
#[track_caller]
fn results(inputs: &[Array], f: impl Fn(&[Array]) -> Vec<Array>) -> Vec<Value> {
    let values: Vec<Value> = inputs.iter().map(|x| x.value().unwrap()).collect();
    let types: Vec<ArrayType> = values.iter().map(|v| v.ty().clone()).collect();
    let graph: Graph = trace(&types, f).unwrap_or_else(|e| panic!("{e}")).graph;
    let values: Vec<&Value> = values.iter().collect();
    let want = eval_graph(&graph, &values).unwrap();
    let executable = Cpu.compile(verify(&graph).unwrap()).unwrap();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let have = pool.install(|| executable.run(&values).unwrap());
        assert!(have == want, "compiled code differs on {threads} threads");
    }
    want.into_vec()
}

#[track_caller]
fn result<T: probpipe_trace::Element>(inputs: &[Array], f: impl Fn(&[Array]) -> Array) -> Vec<T> {
    results(inputs, |x| vec![f(x)])[0].to_vec().unwrap()
}

fn filled(value: f32, n: usize) -> Array {
    Array::from_slice(&vec![value; n], [n])
}

fn ints(values: impl Iterator<Item = i32>) -> Array {
    let values: Vec<i32> = values.collect();
    Array::from_slice(&values, [values.len()])
}

#[test]
fn many_sums_in_one_place_lose_nothing() {
    let n = 1 << 25;
    let all =
        result::<f32>(&[filled(1.0, n), ints((0..n).map(|_| 0))], |x| segment_sum(&x[0], &x[1], 1));
    assert_eq!(all, [n as f32]);
    let n = 1_000_000;
    let tenths = [filled(0.1, n), ints((0..n).map(|_| 1))];
    let want = 0.1f32 as f64 * n as f64;
    for count in [2, 5_000_000] {
        // With room for all sums, and with places in order.
        let sums = result::<f32>(&tenths, |x| segment_sum(&x[0], &x[1], count));
        assert_eq!((sums[0], sums[1]), (0.0, want as f32), "{count}");
    }
    // What was there counts once; places that are not hit keep their bits.
    let start = Array::from_slice(&[-0.0f32, 3.0, 1e8, -0.0], [4]);
    let sums =
        result::<f32>(&[start, ints((0..1000).map(|i| 1 + i % 2)), filled(1.0, 1000)], |x| {
            vec![x[0].at_indices([&x[1]]).add(&x[2])].remove(0)
        });
    assert_eq!(sums, [-0.0, 503.0, 1e8 + 500.0, -0.0]);
    assert!(sums[0].is_sign_negative() && sums[3].is_sign_negative());
}

#[test]
fn rows_windows_and_gradients_add_up() {
    let n = 300_000;
    let rows = result::<f32>(
        &[
            Array::from_slice(&vec![0.1f32; 16 * n], [n, 16]),
            ints((0..n).map(|i| 7 * (i as i32 % 2))),
        ],
        |x| segment_sum(&x[0], &x[1], 3000).at(7),
    );
    assert_eq!(rows, [(0.1f32 as f64 * n as f64 / 2.0) as f32; 16]);
    let slope = result::<f32>(&[filled(2.0, 3), ints((0..n).map(|i| i as i32 % 3))], |x| {
        let places = x[1].clone();
        grad(move |x: Array| (x.take(&places, 0) * 0.1).sum())(x[0].clone())
    });
    assert_eq!(slope, [(0.1f32 as f64 * n as f64 / 3.0) as f32; 3]);
    let windows = result::<f32>(&[filled(0.0, 5), ints((0..n).map(|_| 2))], |x| {
        let axes = WindowAxes { offset: vec![1], collapsed: vec![], starts: vec![0] };
        let updates = filled(0.1, 2 * n).reshape([n, 2]);
        let starts = x[1].reshape([n, 1]);
        x[0].scatter_windows(ScatterOp::Add, &starts, &updates, &axes, OutOfRange::Fill)
    });
    let sum = (0.1f32 as f64 * n as f64) as f32;
    assert_eq!(windows, [0.0, 0.0, sum, sum, 0.0]);
    // Lanes of their own.
    let lanes =
        result::<f32>(&[filled(0.1, 2 * n).reshape([2, n]), ints((0..n).map(|_| 0))], |x| {
            let places = x[1].clone();
            vmap(move |row: Array| segment_sum(&row, &places, 2))(x[0].clone())
        });
    assert_eq!(lanes, [sum, 0.0, sum, 0.0]);
}

/// The order that sorts define: NaN last, both zeros equal, equal elements as they were.
fn order_of(x: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| match (x[a].is_nan(), x[b].is_nan()) {
        (false, false) => x[a].partial_cmp(&x[b]).unwrap(),
        (a, b) => a.cmp(&b),
    });
    order
}

#[test]
fn long_sorts_keep_the_order_of_short_ones() {
    let mut random = Random::new(3);
    for n in [1, 2, 7, 2048, 2049, 70_000] {
        let special = [f32::NAN, -f32::NAN, 0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, 1e-45];
        let x: Vec<f32> = (0..n)
            .map(|_| match random.below(3) {
                0 => special[random.below(special.len())],
                1 => random.below(100) as f32 - 50.0,
                _ => f32::from_bits(random.bits() as u32),
            })
            // Conversions make other NaN of those that signal.
            .map(|x| if x.is_nan() { x + 1.0 } else { x })
            .collect();
        let order = order_of(&x);
        let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let sorted: Vec<f32> = order.iter().map(|&i| x[i]).collect();
        let array = Array::from_slice(&x, [n]);
        let both = results(&[array], |x| vec![x[0].sort(0), x[0].argsort(0)]);
        assert!(bits(both[0].to_vec().unwrap()) == bits(sorted.clone()), "{n}");
        let places: Vec<usize> =
            both[1].to_vec::<i32>().unwrap().into_iter().map(|i| i as usize).collect();
        assert!(places == order, "{n}");
        // Wide elements, rows, columns, and keys one after the other.
        let wide: Vec<f64> = x.iter().map(|&v| v.into()).collect();
        let wide = Array::from_slice(&wide, [n]);
        let both = results(&[wide], |x| vec![x[0].sort(0).cast(DType::F32), x[0].argsort(0)]);
        assert!(bits(both[0].to_vec().unwrap()) == bits(sorted.clone()), "{n}");
        assert_eq!(both[1].to_vec::<i32>().unwrap().len(), n);
        let numbers: Vec<i64> = x.iter().map(|v| i64::from(v.to_bits() as i32) << 20).collect();
        let mut ascending = numbers.clone();
        ascending.sort();
        let numbers = Array::from_slice(&numbers, [n]);
        assert!(result::<i64>(&[numbers], |x| x[0].sort(0)) == ascending, "{n}");
        let coarse: Vec<i64> = (0..n as i64).map(|i| i * 7919 % 10).collect();
        let mut pairs: Vec<(i64, i64, usize)> =
            (0..n).map(|i| (coarse[i], (i as i64 * 31) % 4, i)).collect();
        let keys = [0, 1].map(|k| {
            let key: Vec<i64> = pairs.iter().map(|p| if k == 0 { p.0 } else { p.1 }).collect();
            Array::from_slice(&key, [n])
        });
        pairs.sort();
        let places = ints(0..n as i32);
        let have = result::<i32>(&[keys[0].clone(), keys[1].clone(), places], |x| {
            sort_together(x, 0, 2)[2].clone()
        });
        let want: Vec<i32> = pairs.iter().map(|p| p.2 as i32).collect();
        assert!(have == want, "{n}");
    }
    let m =
        Array::from_slice(&(0..60_000).map(|i| i * 7919 % 1009).collect::<Vec<i32>>(), [300, 200]);
    let columns = results(&[m], |x| {
        let (keys, values) = sort_key_val(&x[0], &(-&x[0]), 0);
        vec![
            x[0].sort(0).eq(&keys),
            keys.eq(&-values),
            x[0].sort(0).eq(x[0].transpose().sort(1).transpose()),
        ]
    });
    assert!(columns.iter().all(|v| v.to_vec::<bool>().unwrap().iter().all(|&b| b)));
}

#[test]
fn quantiles_of_many() {
    let n = 200_001u64;
    let x: Vec<f32> = (0..n).map(|i| (i * 7919 % n) as f32).collect();
    let have = results(&[Array::from_slice(&x, [n as usize])], |x| {
        vec![x[0].median(), x[0].quantile(0.25), x[0].top_k(3).0]
    });
    let have: Vec<Vec<f32>> = have.iter().map(|v| v.to_vec().unwrap()).collect();
    assert_eq!(have, [vec![100_000.0], vec![50_000.0], vec![200_000.0, 199_999.0, 199_998.0]]);
}

#[test]
fn searches_halve() {
    let nan = f32::NAN;
    for n in [0usize, 1, 2, 3, 8, 9, 10, 16, 17, 1000, 20_000] {
        let mut table: Vec<f32> = (0..n).map(|i| (i / 3) as f32).collect();
        // NaN is above all.
        table.iter_mut().skip(n.max(2) - 1).for_each(|x| *x = nan);
        let values: Vec<f32> = (0..50)
            .map(|i| (i * n) as f32 / 150.0 - 1.0)
            .chain([nan, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, 1.0, 2.0])
            .collect();
        for right in [false, true] {
            let less = |a: f32, b: f32| a < b || b.is_nan() && !a.is_nan();
            let before = |&x: &f32, v: f32| if right { !less(v, x) } else { less(x, v) };
            let want: Vec<i32> = values
                .iter()
                .map(|&v| table.iter().filter(|x| before(x, v)).count() as i32)
                .collect();
            let table = Array::from_slice(&table, [n]);
            let values = Array::from_slice(&values, [values.len()]);
            let have = result::<i32>(&[table.clone(), values.clone()], |x| {
                searchsorted(&x[0], &x[1], right)
            });
            assert_eq!(have, want, "{n} {right}");
            // Rows of tables, each with its own value.
            let tables = table.broadcast_to([want.len(), n]);
            let have = result::<i32>(&[tables, values], |x| {
                vmap(move |(t, v): (Array, Array)| searchsorted(&t, v, right))((
                    x[0].clone(),
                    x[1].clone(),
                ))
            });
            assert_eq!(have, want, "{n} {right} by rows");
        }
    }
}

#[test]
fn tables_of_many() {
    let n = 40_000;
    let x = Array::from_slice(&(0..n).map(|i| i as f32).collect::<Vec<_>>(), [n]);
    assert_eq!(
        searchsorted(&x, &x, true).to_vec::<i32>().unwrap(),
        (1..=n as i32).collect::<Vec<_>>()
    );
    let half = &x + 0.5;
    let line = result::<f32>(&[x.clone(), half.clone()], |x| interp(&x[1], &x[0], &(&x[0] * 2.0)));
    assert!((0..n - 1).all(|i| line[i] == 2.0 * i as f32 + 1.0));
    let bins = result::<i32>(&[x.clone(), half.clone()], |x| digitize(&x[1], &x[0].flip(0), false));
    assert!((0..n).all(|i| bins[i] == (n - 1 - i) as i32));
    let counts = result::<f32>(&[half], |x| histogram(&x[0], 20_000, (0.0, n as f64)).0);
    assert_eq!(counts, vec![2.0; 20_000]);
    let among = result::<bool>(&[x], |x| x[0].isin(&x[0] * 2.0));
    assert!((0..n).all(|i| among[i] == (i % 2 == 0)));
    let odd = array([1.0, f32::NAN, -0.0, 3.0]).isin(concat_of(&[0.0, f32::NAN, 1.0], 40));
    assert_eq!(odd.to_vec::<bool>().unwrap(), [true, false, true, false]);
    let slope =
        grad(|x: Array| interp(&x, &array([0.0, 1.0, 3.0]), &array([0.0, 10.0, 30.0])))(array(0.5));
    assert_eq!(slope.item::<f32>().unwrap(), 10.0);
}

fn concat_of(x: &[f32], times: usize) -> Array {
    let all: Vec<f32> = x.iter().copied().cycle().take(times * x.len()).collect();
    Array::from_slice(&all, [all.len()])
}

#[track_caller]
fn lacks_memory(x: Array, bytes: &str) {
    let error = x.value().expect_err("there is no such memory");
    assert_eq!(error.kind(), ErrorKind::Device, "{error}");
    let text = error.to_string();
    assert!(
        text.contains(bytes) && text.contains("large.rs:") && text.contains("help: "),
        "{text}"
    );
}

#[test]
fn what_no_memory_holds_is_an_error() {
    let n = 1usize << 40;
    let wide = |x: Array| x.cast(DType::F64);
    lacks_memory(wide(zeros([n])), "8796093022208 bytes");
    lacks_memory(wide(array(2.0)).broadcast_to([n]), "8796093022208 bytes");
    lacks_memory(wide(array([1.0, 2.0])).broadcast_to([n / 2, 2]) * 2.0, "8796093022208 bytes");
    let f = jit_on(cpu(), move |x: Array| (x + zeros([n])).cast(DType::F64));
    lacks_memory(f(wide(array(1.0))), "8796093022208 bytes");
    let f = jit_on(cpu(), move |x: Array| (x + ones([n])).sort(0).at(0));
    lacks_memory(f(wide(array(1.0))), "17592186044608 bytes");
    let f = probpipe_transforms::jit(move |x: Array| (x + zeros([n])).cast(DType::F64));
    lacks_memory(f(wide(array(1.0))), "8796093022208 bytes");
    // What is only summed up is not made.
    assert!(graph_of(move |x: Array| (x + zeros([n])).sum(), &array(1.0)).is_ok());
    // The thread goes on.
    assert_eq!(zeros([3]).to_vec::<f32>().unwrap(), [0.0; 3]);
}

#[test]
fn large_operations_outside_of_traces_are_compiled() {
    let n = 1 << 17;
    let x =
        Array::from_slice(&(0..n).map(|i| (i as f32 * 0.37).sin() * 3.0).collect::<Vec<_>>(), [n]);
    let m = x.reshape([128, 1024]);
    let square = m.matmul(m.transpose()) * 0.01 + probpipe_trace::eye(128);
    type Row = (&'static str, Array, fn(Array) -> Array);
    let ops: [Row; 9] = [
        ("exp", x.clone(), |x| x.exp()),
        ("tanh", x.clone(), |x| x.tanh()),
        ("sum", x.clone(), |x| x.sum()),
        ("sum of columns", m.clone(), |x| x.sum_axes(0)),
        ("matmul", m.clone(), |x| x.matmul(x.transpose())),
        ("sort", m.clone(), |x| x.sort(1)),
        ("cholesky", square.clone(), |x| x.cholesky()),
        ("svd", square.clone(), |x| x.svd().1),
        ("gather", x.clone(), |x| x.take(&ints((0..1 << 17).rev()), 0)),
    ];
    let value = |x: Array| x.value().unwrap_or_else(|e| panic!("{e}"));
    let mut differ = 0;
    for (name, x, f) in ops {
        let eager = value(f(x.clone()));
        let interpreted = value(with_interpreted(true, || f(x.clone())));
        assert!(interpreted == value(probpipe_transforms::jit(f)(x.clone())), "{name}");
        assert!(eager == value(f(x.clone())), "{name} twice");
        // Alone in its program, as outside: transposes and constants fuse with what they meet.
        if !matches!(name, "matmul" | "gather") {
            assert!(eager == value(jit_on(cpu(), f)(x)), "{name}");
        }
        probpipe_testing::close(
            name,
            &eager,
            &interpreted,
            probpipe_testing::Tolerance::mixed(1e-4),
        );
        differ += usize::from(eager != interpreted);
    }
    // Or nothing here was compiled.
    assert!(differ > 0);
    // Small ones are the interpreter's.
    let few = x.slice_axis(0, 0..1000);
    assert!(value(few.tanh()) == value(with_interpreted(true, || few.tanh())));
}
