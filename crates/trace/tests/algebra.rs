//! Linear algebra by reconstruction, Threefry by its known answers, loops and calls by unrolling.

mod common;

use common::{floats, round_trip, run, ulps, value};
use probpipe_testing::{Tolerance, close};
use probpipe_trace::eval::{eval_graph, threefry2x32};
use probpipe_trace::{DType, LinalgOp, Op, Value, parse};

/// Numbers in -1..1 that look random.
fn noise(n: usize) -> Vec<f64> {
    (0..n as u32)
        .map(|i| f64::from(threefry2x32([1, 2], [0, i])[0]) / f64::from(u32::MAX) * 2.0 - 1.0)
        .collect()
}

fn product(n: usize, m: usize, at: impl Fn(usize, usize, usize) -> f64) -> Vec<f64> {
    let entry = |i: usize, j: usize| (0..n).map(|k| at(i, j, k)).sum();
    (0..n).flat_map(|i| (0..m).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect()
}

#[test]
fn cholesky_reconstructs() {
    for n in [0, 1, 2, 5, 12] {
        let mut data = Vec::new();
        for batch in 0..3 {
            let b = noise(n * n + batch);
            let b = &b[batch..];
            let mut a = product(n, n, |i, j, k| b[i * n + k] * b[j * n + k]);
            (0..n).for_each(|i| a[i * n + i] += 0.5);
            data.extend(a);
        }
        for dtype in [DType::F32, DType::F64] {
            let a = run(&Op::Cast(dtype), &[value(&data, &[3, n, n])]);
            let l = run(&Op::Linalg(LinalgOp::Cholesky), &a).remove(0);
            let (a, l) = (floats(&a[0]), floats(&l));
            for (a, l) in a.chunks_exact((n * n).max(1)).zip(l.chunks_exact((n * n).max(1))) {
                let back = product(n, n, |i, j, k| l[i * n + k] * l[j * n + k]);
                for (i, (x, y)) in a.iter().zip(&back).enumerate() {
                    let tolerance = if dtype == DType::F32 { 1e-6 } else { 1e-14 };
                    close("product", x, y, Tolerance::absolute(tolerance * n as f64));
                    assert!(i / n >= i % n || l[i] == 0.0, "zeros above the diagonal");
                }
            }
        }
    }
}

#[test]
fn cholesky_reads_the_lower_triangle_and_marks_failure() {
    let nan = f64::NAN;
    let a = value(&[4.0, nan, 2.0, 5.0, 1.0, 2.0, 2.0, 1.0, nan, 0.0, 0.0, 1.0], &[3, 2, 2]);
    let l = floats(&run(&Op::Linalg(LinalgOp::Cholesky), &[a])[0]);
    assert_eq!(l[..4], [2.0, 0.0, 1.0, 2.0]);
    for bad in [&l[4..8], &l[8..]] {
        assert!(bad[0].is_nan() && bad[2].is_nan() && bad[3].is_nan(), "{l:?}");
        assert_eq!(bad[1], 0.0, "zeros above the diagonal");
    }
}

#[test]
fn triangular_solve_reconstructs() {
    let (n, m) = (6, 3);
    let a: Vec<f64> = noise(2 * n * n).iter().map(|v| v + 2.0f64.copysign(*v)).collect();
    let b = noise(2 * n * m);
    for form in 0..8 {
        let (lower, transpose, unit_diagonal) = (form & 1 == 1, form & 2 == 2, form & 4 == 4);
        let op = Op::Linalg(LinalgOp::TriangularSolve { lower, transpose, unit_diagonal });
        let x = floats(&run(&op, &[value(&a, &[2, n, n]), value(&b, &[2, n, m])])[0]);
        for batch in 0..2 {
            let (a, b, x) = (&a[batch * n * n..], &b[batch * n * m..], &x[batch * n * m..]);
            // The triangle that the op says it reads, and no more.
            let read = |i: usize, k: usize| match (i == k, lower == (k < i)) {
                (true, _) if unit_diagonal => 1.0,
                (true, _) | (false, true) => a[i * n + k],
                (false, false) => 0.0,
            };
            let at = |i: usize, k: usize| if transpose { read(k, i) } else { read(i, k) };
            let back = product(n, m, |i, j, k| at(i, k) * x[k * m + j]);
            let size = x[..n * m].iter().fold(1.0f64, |s, v| s.max(v.abs()));
            let tolerance = Tolerance::absolute(1e-13 * size);
            close(format!("form {form}"), &back, &b[..n * m], tolerance);
        }
    }
    let empty = Op::Linalg(LinalgOp::TriangularSolve {
        lower: true,
        transpose: false,
        unit_diagonal: false,
    });
    let none: [f64; 0] = [];
    run(&empty, &[value(&none, &[2, 0, 0]), value(&none, &[2, 0, 3])]);
    run(&empty, &[value(&noise(4), &[2, 2]), value(&none, &[2, 0])]);
}

/// Key, count and hash. The first three are those of the Random123 distribution
/// (`kat_vectors`, `threefry2x32 20`); the others are what JAX 0.10.2 gives.
const THREEFRY: [[[u32; 2]; 3]; 8] = [
    [[0, 0], [0, 0], [1797259609, 2579123966]],
    [[4294967295, 4294967295], [4294967295, 4294967295], [481924860, 3137350631]],
    [[320440878, 57701188], [608135816, 2242054355], [3297917596, 1212020640]],
    [[0, 42], [0, 1], [64467757, 2916123636]],
    [[1984683077, 549238518], [543473485, 647240907], [3702755500, 3446815745]],
    [[571958166, 411175686], [2766647428, 3387046553], [2190887274, 794188230]],
    [[3221933657, 2210411248], [25609521, 1225798617], [3287310514, 1045139291]],
    [[3558279171, 563867025], [3408738779, 1056180793], [3215602979, 674966096]],
];

#[test]
fn threefry_gives_its_known_answers() {
    for [key, count, hash] in THREEFRY {
        assert_eq!(threefry2x32(key, count), hash);
    }
    let column = |which: usize, word: usize| -> Value {
        value(&THREEFRY.map(|row| row[which][word]), &[2, 4])
    };
    let inputs = [column(0, 0), column(0, 1), column(1, 0), column(1, 1)];
    let out = run(&Op::Threefry2x32, &inputs);
    assert!(out[0] == column(2, 0) && out[1] == column(2, 1));
}

/// Running sums and the products with them: two carries, one constant, scanned in and out.
const SCAN: &str = "graph (%0:f64[], %1:f64[], %2:f64[4,2]) {
  %3:f64[] %4:f64[4,2] %5:f64[4] = scan %0 %1 %2 consts=1 carries=1 length=4 reverse=REVERSE \
    body=graph (%0:f64[], %1:f64[], %2:f64[2]) {
    %3:f64[] = sum %2 axes=[0]
    %4:f64[] = mul %0 %1
    %5:f64[] = add %4 %3
    %6:f64[2] = broadcast %5 shape=[2] axes=[]
    %7:f64[2] = add %6 %2
    return %5, %7, %1
  }
  return %3, %4, %5
}";

#[test]
fn scan_unrolls() {
    let xs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    for reverse in [false, true] {
        let graph = parse(&SCAN.replace("REVERSE", &reverse.to_string())).unwrap();
        round_trip(&graph);
        let inputs = [value(&[0.5], &[]), value(&[10.0], &[]), value(&xs, &[4, 2])];
        let out = eval_graph(&graph, &inputs.iter().collect::<Vec<_>>()).unwrap();
        let mut carry = 10.0;
        let (mut sums, mut before) = ([0.0; 8], [0.0; 4]);
        let order: Vec<usize> = if reverse { (0..4).rev().collect() } else { (0..4).collect() };
        for i in order {
            before[i] = carry;
            carry = 0.5 * carry + xs[2 * i] + xs[2 * i + 1];
            sums[2 * i] = carry + xs[2 * i];
            sums[2 * i + 1] = carry + xs[2 * i + 1];
        }
        assert_eq!(floats(&out[0]), [carry]);
        assert_eq!(floats(&out[1]), sums);
        assert_eq!(floats(&out[2]), before);
    }
}

#[test]
fn long_scans_are_quick_and_short_ones_may_be_empty() {
    let text = "graph (%0:f32[2]) {
      %1:f32[2] %2:f32[LENGTH,2] = scan %0 consts=0 carries=1 length=LENGTH reverse=false
        body=graph (%0:f32[2]) {
          %1:f32[] = const 0.999
          %2:f32[2] = broadcast %1 shape=[2] axes=[]
          %3:f32[2] = mul %0 %2
          %4:f32[2] = sin %3
          return %4, %3
        }
      return %1, %2
    }";
    let x = value(&[1.0f32, 2.0], &[2]);
    let graph = parse(&text.replace("LENGTH", "0")).unwrap();
    let out = eval_graph(&graph, &[&x]).unwrap();
    assert!(out[0] == x && out[1].ty().shape.as_slice() == [0, 2]);

    let graph = parse(&text.replace("LENGTH", "10000")).unwrap();
    let start = std::time::Instant::now();
    let out = eval_graph(&graph, &[&x]).unwrap();
    // A few hundredths of a second; the limit is for machines under load.
    assert!(start.elapsed().as_secs_f64() < 5.0, "{:?}", start.elapsed());
    assert_eq!(out[1].ty().shape.as_slice(), [10000, 2]);
}

#[test]
fn calls_run_their_graph_and_inputs_are_checked() {
    let text = "graph (%0:f64[]) {
  %1:f64[] %2:f64[] = call %0 name=twice body=graph (%0:f64[]) {
    %1:f64[] = add %0 %0
    return %1, %0
  }
  %3:f64[] = mul %1 %2
  return %3, %3, %0
}";
    let graph = parse(text).unwrap();
    assert_eq!(graph.to_string(), text);
    let x = value(&[3.0], &[]);
    let out = eval_graph(&graph, &[&x]).unwrap();
    assert_eq!(out.iter().map(|v| floats(v)[0]).collect::<Vec<_>>(), [18.0, 18.0, 3.0]);
    assert!(eval_graph(&graph, &[]).is_err());
    assert!(eval_graph(&graph, &[&value(&[3.0f32], &[])]).is_err());
    assert_eq!(ulps(1.0, 1.0, DType::F64), 0.0);
}
