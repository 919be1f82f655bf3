//! Identities of simplification: what each leaves of a graph, and that it means the same at zeros,
//! infinities, NaN, subnormal and huge numbers, in both float types.

use probpipe_testing::Tolerance;
use probpipe_trace::{Array, ArrayType, DType, Graph, Value, array, eval, select, verify, zeros};
use probpipe_transforms::{grad, graph_of, raw_graph_of, vmap};

/// Numbers where identities break first.
fn specials(dtype: DType) -> Vec<f64> {
    let (tiny, least, most) = match dtype {
        DType::F32 => (1e-45, f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX)),
        _ => (5e-324, f64::MIN_POSITIVE, f64::MAX),
    };
    let sizes = [
        0.0,
        tiny,
        3.0 * tiny,
        least / 8.0,
        least,
        most.sqrt().recip(),
        1e-3,
        0.3,
        0.5,
        1.0,
        1.7,
        2.0,
        11.25,
        60.0,
        87.9,
        200.0,
        709.0,
        most.sqrt() * 1.1,
        most / 16.0,
        most,
        f64::INFINITY,
        f64::NAN,
    ];
    sizes.iter().flat_map(|x| [*x, -*x]).collect()
}

/// All pairs of special numbers, as two arrays.
fn inputs(dtype: DType) -> (Array, Array) {
    let list = specials(dtype);
    let n = list.len();
    let x: Vec<f64> = list.iter().flat_map(|x| std::iter::repeat_n(*x, n)).collect();
    let y: Vec<f64> = (0..n).flat_map(|_| list.clone()).collect();
    let made = |v: Vec<f64>| Array::from_slice(&v, [n * n]).cast(dtype);
    (made(x), made(y))
}

fn run(graph: &Graph, inputs: &[&Array]) -> Vec<Vec<f64>> {
    let values: Vec<Value> = inputs.iter().map(|x| x.value().unwrap()).collect();
    let outputs = eval::eval_graph(graph, &values.iter().collect::<Vec<_>>()).unwrap();
    let wide = |v: &Value| Array::from_value(v.clone()).cast(DType::F64).to_vec().unwrap();
    outputs.iter().map(wide).collect()
}

/// Checks that simplification keeps the values of `f` to so many units in the last place; gives
/// the simple graph of `f32`.
#[track_caller]
fn kept(ulps: f64, f: impl Fn(Array, Array) -> Array) -> Graph {
    let mut graphs = [DType::F64, DType::F32].map(|dtype| {
        let args = inputs(dtype);
        let g = |(x, y): (Array, Array)| f(x, y);
        let (raw, simple) = (raw_graph_of(g, &args).unwrap(), graph_of(g, &args).unwrap());
        verify(&simple).unwrap();
        let operands = [&args.0, &args.1];
        let (want, have) = (run(&raw, &operands), run(&simple, &operands));
        let (epsilon, least) = match dtype {
            DType::F32 => (f64::from(f32::EPSILON), f64::from(f32::MIN_POSITIVE)),
            _ => (f64::EPSILON, f64::MIN_POSITIVE),
        };
        let (x, y) = (args.0.cast(DType::F64), args.1.cast(DType::F64));
        let (x, y) = (x.to_vec::<f64>().unwrap(), y.to_vec::<f64>().unwrap());
        for (i, (have, want)) in have[0].iter().zip(&want[0]).enumerate() {
            let tolerance = Tolerance::within(ulps * epsilon, ulps * epsilon * least);
            let same = tolerance.accepts(*have, *want, 1.0);
            assert!(same, "{dtype} f({:e}, {:e}): {have:e}, not {want:e}\n{simple}", x[i], y[i]);
        }
        simple
    });
    std::mem::replace(&mut graphs[1], empty())
}

fn empty() -> Graph {
    raw_graph_of(|x: Array| x, &array(0.0)).unwrap()
}

/// The ops of a graph but for constants spread out, by name.
fn ops(graph: &Graph) -> Vec<&'static str> {
    graph.eqns().iter().map(|e| e.op.name()).filter(|n| *n != "broadcast").collect()
}

#[track_caller]
fn check(ulps: f64, want: &[&str], f: impl Fn(Array, Array) -> Array) {
    let graph = kept(ulps, f);
    assert_eq!(ops(&graph), want, "{graph}");
}

/// A number as the array that a user computed it with, which `Array::pow` does not look into.
fn number(x: &Array, c: f64) -> Array {
    array(c).cast(x.dtype())
}

#[test]
fn powers() {
    let power = |c: f64| move |x: Array, _: Array| x.pow(number(&x, c));
    check(0.0, &[], power(1.0));
    check(0.0, &["mul"], power(2.0));
    check(2.0, &["mul", "mul"], power(3.0));
    check(2.0, &["mul", "mul"], power(4.0));
    check(8.0, &["mul", "mul", "mul", "mul"], power(7.0));
    check(8.0, &["mul", "mul", "mul"], power(8.0));
    check(0.0, &["pow"], power(9.0));
    check(0.0, &["pow"], power(1.5));
    check(1.0, &["div"], power(-1.0));
    check(2.0, &["div", "mul"], power(-2.0));
    check(4.0, &["div", "mul", "mul"], power(-4.0));
    check(0.0, &["pow"], power(-5.0));
    // The root of -inf is not NaN, and that of -0 is +0, as of the power.
    check(1.0, &["sqrt", "mul", "eq", "abs", "select"], power(0.5));
    check(2.0, &["sqrt", "mul", "eq", "abs", "select", "div"], power(-0.5));
    check(1.0, &["exp", "sqrt"], |x, _| x.exp().pow(number(&x, 0.5)));
    check(0.0, &[], |x, _| x.pow(number(&x, 0.0)) - x.pow(number(&x, 0.0)) + 1.0);
}

#[test]
fn zeros_keep_their_reciprocals_under_roots() {
    // 1 / (-0)^0.5 is inf.
    check(1.0, &["sqrt", "mul", "eq", "abs", "select", "div"], |x, _| 1.0 / x.pow(number(&x, 0.5)));
}

#[test]
fn signs_cancel() {
    check(0.0, &[], |x, _| -(-x));
    check(0.0, &["add"], |x, y| x - -y);
    check(0.0, &["sin", "neg"], |x, _| (-x).sin());
    check(0.0, &["tanh", "mul"], |x, y| -((-&x).tanh() * y));
    check(0.0, &["neg"], |x, _| x * -1.0);
    check(0.0, &["exp"], |x, _| x.exp().abs());
    check(0.0, &["mul", "mul", "add"], |x, y| (x.square() + y.square().abs()).abs());
    check(0.0, &["sub", "abs"], |x, y| (x - y).abs());
}

#[test]
fn scales_that_are_exact() {
    check(0.0, &["mul"], |x, _| x / 4.0);
    check(0.0, &["div"], |x, _| x / 5.0);
    check(0.0, &["mul", "mul"], |x, _| x * 0.3 * 0.7);
    // Doubling what was halved with a sign: the derivative of -x^2/2. Where the half would be
    // rounded below the normal range, the rewritten one is not.
    let graph = graph_of(|x: Array| (&x * -0.5) + (&x * -0.5), &zeros([3])).unwrap();
    assert_eq!(ops(&graph), ["neg"]);
    // 2^32 * 1e38 is beyond f32: two steps reach what one would not.
    let f = |x: Array| x * 2f64.powi(32) * 1e38;
    let graph = graph_of(f, &zeros([3])).unwrap();
    assert_eq!(ops(&graph), ["mul", "mul"]);
    // Twice a number may be infinite, and zero times that is NaN.
    check(0.0, &["mul", "mul"], |x, _| x * 2.0 * 0.0);
}

#[test]
fn exponentials_and_logarithms() {
    // These only gain range.
    let gains = |f: fn(Array) -> Array| ops(&graph_of(f, &zeros([3])).unwrap());
    assert!(gains(|x| x.exp().log()).is_empty());
    assert!(gains(|x| x.expm1().log1p()).is_empty());
    // These would lose it, or digits.
    check(0.0, &["log", "exp"], |x, _| x.log().exp());
    check(0.0, &["add", "log"], |x, _| (x + 1.0).log());
    check(0.0, &["log1p"], |x, _| x.log1p());
}

#[test]
fn comparisons() {
    check(0.0, &["ne", "select"], |x, y| select(&!x.eq(&y), &x, &y));
    check(0.0, &["ge", "select"], |x, y| select(&!x.ge(&y), &x, &y));
    check(0.0, &["ge", "not", "gt", "and", "select"], |x, y| {
        select(&(!x.ge(&y) & x.gt(number(&x, 1.0))), &x, &y)
    });
    check(0.0, &[], |x, y| select(&x.lt(&x), &x, &y));
    // NaN is not itself.
    check(0.0, &["ne", "select"], |x, y| select(&x.is_nan(), &y, &x));
    check(0.0, &[], |x, y| select(&(x.eq(0.0) & x.abs().eq(f64::INFINITY)), &x, &y));
    check(0.0, &["eq", "abs", "eq", "and", "select"], |x, y| {
        select(&(x.eq(-1.0) & x.abs().eq(1.0)), &x, &y)
    });
}

#[test]
fn choices() {
    let c = |x: &Array| x.gt(0.0);
    check(0.0, &["gt", "select"], |x, y| select(&c(&x), select(&c(&x), &y, &x), &x));
    check(0.0, &["gt", "select"], |x, y| select(&c(&x), &y, 0.0) + select(&c(&x), 0.0, &x));
    check(0.0, &["gt", "sub", "select"], |x, y| select(&c(&x), 3.0, &x) - select(&c(&x), &y, 0.0));
    check(0.0, &["gt", "select"], |x, _| {
        select(&c(&x), number(&x, 3.0), number(&x, 5.0)) * 2.0 - 1.0
    });
    check(0.0, &["gt", "add", "add", "select"], |x, y| {
        (&y + select(&c(&x), number(&x, -1.0), number(&x, 0.0))) + select(&c(&x), 0.0, &x)
    });
    // Where both sides are sums, two choices and a sum are no more than a choice and two sums.
    check(0.0, &["gt", "select", "select", "add"], |x, y| {
        select(&c(&x), &x, &y) + select(&c(&x), &y, 1.0)
    });
}

#[test]
fn reciprocals_are_shared() {
    let logistic = |x: Array| (1.0 + (-x).exp()).pow(-1);
    let at = zeros([5]);
    let count = |graph: &Graph, name| ops(graph).iter().filter(|n| **n == name).count();
    let first = graph_of(vmap(grad(logistic)), &at).unwrap();
    assert_eq!(ops(&first), ["neg", "exp", "add", "div", "mul", "mul"], "{first}");
    let second = graph_of(vmap(grad(grad(logistic))), &at).unwrap();
    assert_eq!((count(&second, "exp"), count(&second, "div")), (1, 1), "{second}");
    assert_eq!(ops(&second).len(), 10, "{second}");

    check(1.5, &["div", "mul"], |x, _| 1.0 / &x / &x);
    check(1.5, &["div", "mul", "neg"], |x, _| -1.0 / &x / &x);
    // 1 / (1 + y^2) is below the normal range for the largest y only.
    check(4.0, &["mul", "add", "div", "mul", "add"], |x, y| {
        let below = y.square() + 1.0;
        1.0 / &below + x / below
    });
    check(1.0, &["exp", "add", "div", "mul", "neg"], |x, _| {
        let below = x.exp() + 1.0;
        1.0 / &below * (-1.0 / &below)
    });
    // Nothing is known of what is below here: a reciprocal might be infinite.
    check(0.0, &["div", "div", "add"], |x, y| 1.0 / &y + x / y);
}

#[test]
fn slopes_of_stable_sums_of_exponentials_are_one_choice() {
    let loss = |(y, z): (Array, Array)| (&y * &z - z.logaddexp(0.0)).sum();
    let graph = graph_of(|yz| grad(loss)(yz).1, &(zeros([9]), zeros([9]))).unwrap();
    let n = ops(&graph).len();
    assert!(n <= 11, "{n} ops in\n{graph}");
    let once = |op| assert_eq!(ops(&graph).iter().filter(|o| **o == op).count(), 1, "{graph}");
    ["exp", "div", "select"].into_iter().for_each(once);
}

#[test]
fn bits_come_back_once_nothing_is_differentiated() {
    let f = |x: Array| x.stop_gradient() * 2.0;
    let graph = graph_of(f, &zeros([3])).unwrap();
    assert_eq!(ops(&graph), ["mul"]);
    let slope = grad(move |x: Array| f(x).sum())(array([1.0, 2.0]));
    assert_eq!(slope.to_vec::<f32>().unwrap(), [0.0, 0.0]);
}

#[test]
fn gradients_in_parts_of_a_vector_are_joined() {
    let count = |n: usize| {
        let f = move |p: Array| {
            let term = |i: usize| p.at(i as isize).sin() * (i as f64 + 1.5);
            (0..n).fold(array(0.0), |sum, i| sum + term(i))
        };
        let args = Array::from_slice(&(0..n).map(|i| i as f32 * 0.1).collect::<Vec<_>>(), [n]);
        let (raw, simple) =
            (raw_graph_of(grad(f), &args).unwrap(), graph_of(grad(f), &args).unwrap());
        assert_eq!(run(&raw, &[&args]), run(&simple, &[&args]));
        let named = |name| ops(&simple).iter().filter(|n| **n == name).count();
        (named("pad"), named("concat"), named("add"))
    };
    assert_eq!(count(2), (0, 1, 0));
    assert_eq!(count(10), (0, 1, 0));
    // Long sums are joined in parts, so that the work stays linear.
    let (pads, concats, adds) = count(200);
    assert!(pads + concats + adds <= 20, "{pads} {concats} {adds}");

    // Slices with gaps between them, of rows of a matrix, and such that overlap.
    let f = |x: Array| {
        let part = |from: usize, to: usize| x.slice_axis(0, from..to);
        part(1, 3).sin().sum() + part(4, 6).cos().sum() + part(2, 5).exp().sum()
    };
    let values: Vec<f32> = (0..14).map(|i| i as f32 * 0.3 - 2.0).collect();
    let args = Array::from_slice(&values, [7, 2]);
    let (raw, simple) = (raw_graph_of(grad(f), &args).unwrap(), graph_of(grad(f), &args).unwrap());
    assert_eq!(run(&raw, &[&args]), run(&simple, &[&args]));
    assert_eq!(ops(&simple).iter().filter(|n| **n == "add").count(), 1, "{simple}");
}

#[test]
fn one_number_of_a_reshaped_array_is_cut_from_its_source() {
    let f = |x: Array| x.sin().expand_dims(1).expand_dims(0).at(0).at(1).squeeze(0);
    let graph = graph_of(f, &zeros([3])).unwrap();
    assert_eq!(ops(&graph), ["sin", "slice", "reshape"], "{graph}");
    let ty = ArrayType::new(DType::F32, [3, 1]);
    let f = |x: Array| x.expand_dims(1).slice_axis(1, 0..0).sum() + ty.size() as f64;
    let args = array([1.0, 2.0, 3.0]);
    let (raw, simple) = (raw_graph_of(f, &args).unwrap(), graph_of(f, &args).unwrap());
    assert_eq!(run(&raw, &[&args]), run(&simple, &[&args]));
}
