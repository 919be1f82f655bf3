//! Random well-typed graphs, for property tests of this crate and of the backends. Not part of the
//! public interface.
//!
//! Every float stays of modest size: ops that grow fast are applied to bounded operands, so that
//! values of two implementations can be compared with one tolerance.

use probpipe_trace::{
    Array, ArrayType, Axes, BinaryOp, CompareOp, CumulativeOp, DType, DotAxes, Graph, LinalgOp, Op,
    OutOfRange, ReduceOp, Result, UnaryOp, Value, arange, bind1, concat, cond, fori_loop_dynamic,
    iota, map, scan, scan_reverse, select, switch, trace, while_loop,
};
use smallvec::smallvec;
use std::collections::VecDeque;

/// A small generator of its own (SplitMix64), so that a seed names a graph for ever. A fuzzer may
/// make the first choices itself.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
    choices: VecDeque<u8>,
}

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Random {
        Random { state: seed, choices: VecDeque::new() }
    }

    /// From choices, one per byte; when they are used up, as from the seed 0.
    pub fn from_bytes(bytes: &[u8]) -> Random {
        Random { state: 0, choices: bytes.iter().copied().collect() }
    }

    /// 64 random bits, or the next choice.
    pub fn bits(&mut self) -> u64 {
        if let Some(choice) = self.choices.pop_front() {
            return u64::from(choice);
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// A number in (-1, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// What graphs to make.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Number of steps, each of one or a few equations.
    pub steps: usize,
    /// The float type.
    pub float: DType,
    /// Whether ops whose derivative jumps may appear.
    pub kinks: bool,
    /// Whether loops may appear.
    pub loops: bool,
    /// Whether branches and conditional loops may appear, where loops may.
    pub conditions: bool,
    /// Whether scatters, running reductions, sorts and decompositions may appear.
    pub serial: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            steps: 12,
            float: DType::F64,
            kinks: true,
            loops: true,
            conditions: true,
            serial: true,
        }
    }
}

/// A graph of two to four float inputs and one to three float outputs.
pub fn random_graph(seed: u64, config: Config) -> Result<Graph> {
    graph_of_choices(Random::new(seed), config)
}

/// As [`random_graph`], from any source of choices.
pub fn graph_of_choices(mut random: Random, config: Config) -> Result<Graph> {
    let shapes: [&[usize]; 6] = [&[], &[3], &[2, 3], &[3, 3], &[2], &[2, 1, 3]];
    let count = 2 + random.below(3);
    let types: Vec<ArrayType> =
        (0..count).map(|_| ArrayType::new(config.float, *random.pick(&shapes))).collect();
    let traced = trace(&types, |inputs| {
        let mut pool = inputs.to_vec();
        for _ in 0..config.steps {
            let next = step(&mut random, &pool, config);
            pool.push(next);
        }
        let outputs = 1 + random.below(3);
        let last = pool.len();
        (0..outputs).map(|i| pool[last - 1 - i].clone()).collect()
    })?;
    Ok(traced.graph)
}

/// Inputs that fit a graph of [`random_graph`]: floats in (-1, 1).
pub fn random_inputs(seed: u64, graph: &Graph) -> Result<Vec<Value>> {
    let mut random = Random::new(seed ^ 0xabcd);
    graph
        .input_types()
        .map(|ty| {
            let data: Vec<f64> = (0..ty.size()).map(|_| random.unit()).collect();
            let value = Value::from_elements(&data, &ty.shape)?;
            Array::from_value(value).cast(ty.dtype).value()
        })
        .collect()
}

fn step(random: &mut Random, pool: &[Array], config: Config) -> Array {
    // Recent arrays are likelier, so that graphs get deep.
    let pick = |random: &mut Random| {
        let n = pool.len();
        let back = random.below(n).min(random.below(n));
        pool[n - 1 - back].clone()
    };
    let (x, y) = (pick(random), pick(random));
    let kinds = match (config.loops, config.conditions) {
        (false, _) => 17,
        (true, false) => 18,
        (true, true) => 20,
    };
    match random.below(kinds) {
        0 | 1 => unary(random, &x, config),
        2..=4 => {
            let y = match_shape(&y, &x);
            binary(random, &x, &y, config)
        }
        5 => literal(random, &x),
        6 => {
            let y = match_shape(&y, &x);
            let condition = if config.kinks {
                bind1(Op::Compare(*random.pick(CompareOp::ALL)), &[&x, &y])
            } else {
                random_mask(random, &x)
            };
            select(&condition, &x, y)
        }
        7 | 8 => reduce(random, &x, config),
        9 => reshape(random, &x),
        10 => cut(random, &x),
        11 => join(random, &x, &match_shape(&y, &x)),
        12 => product(random, &x, &y),
        13 => factor(random, &x, config),
        14 => indexed(random, &x, &y),
        15 => serial(random, &x, &y, config),
        16 => counted(random, &x, &y, config),
        17 => looped(random, &x, &y, config),
        18 => branched(random, &x, &y, config),
        _ => repeated(random, &x, &y, config),
    }
}

/// `y` with the shape of `x`, by reducing to a number and repeating where it does not fit.
fn match_shape(y: &Array, x: &Array) -> Array {
    if y.shape() == x.shape() { y.clone() } else { y.mean().broadcast_to(x.shape()) }
}

fn unary(random: &mut Random, x: &Array, config: Config) -> Array {
    let smooth = [UnaryOp::Neg, UnaryOp::Sin, UnaryOp::Cos, UnaryOp::Tanh, UnaryOp::Erf];
    match random.below(if config.kinks { 9 } else { 7 }) {
        0 => x.sin().exp(),
        1 => (x.square() + 1.0).log(),
        2 => (x.square() + 0.5).sqrt(),
        3 => x.tanh().expm1(),
        4..=6 => bind1(Op::Unary(*random.pick(&smooth)), &[x]),
        7 => x.abs(),
        _ => (x * 3.0).floor() * 0.25,
    }
}

fn binary(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    match random.below(if config.kinks { 8 } else { 6 }) {
        0 => x + y,
        1 => x - y,
        2 => x.tanh() * y,
        3 => x / (y.square() + 1.0),
        4 => (x.square() + 0.5).pow(y.tanh()),
        5 => x.atan2(y.square() + 1.0),
        n => bind1(Op::Binary(if n == 6 { BinaryOp::Max } else { BinaryOp::Min }), &[x, y]),
    }
}

fn literal(random: &mut Random, x: &Array) -> Array {
    let numbers = [0.0, 1.0, -1.0, 2.0, 0.5, 1.5];
    let number = *random.pick(&numbers);
    match random.below(5) {
        0 => x + number,
        1 => x * number,
        2 => number - x,
        3 => x / if number == 0.0 { 4.0 } else { number },
        _ => (x.square() + 0.5).pow(Array::from(number).cast(x.dtype())),
    }
}

fn random_mask(random: &mut Random, x: &Array) -> Array {
    let n = random.below(3) as i32;
    if x.rank() == 0 {
        return Array::from_slice(&[n == 0], ());
    }
    let ty = ArrayType::new(DType::I32, x.shape());
    iota(&ty, x.rank() - 1).gt(n)
}

fn reduce(random: &mut Random, x: &Array, config: Config) -> Array {
    let axes: Axes = (0..x.rank()).filter(|_| random.below(2) == 0).collect();
    let op = match random.below(if config.kinks { 4 } else { 2 }) {
        0 => ReduceOp::Sum,
        1 => ReduceOp::Prod,
        2 => ReduceOp::Max,
        _ => ReduceOp::Min,
    };
    let reduced = bind1(Op::Reduce { op, axes }, &[&x.tanh()]);
    // Half of the time the result meets the whole again, as in a softmax.
    if random.below(2) == 0 { reduced } else { match_shape(&reduced, x) * x }
}

fn reshape(random: &mut Random, x: &Array) -> Array {
    match random.below(4) {
        0 => x.flatten(),
        1 => x.transpose(),
        2 => x.broadcast_to([&[2], x.shape()].concat()).mean_axes([0]),
        _ if x.rank() > 0 => x.flip(-1),
        _ => x.expand_dims(0),
    }
}

fn cut(random: &mut Random, x: &Array) -> Array {
    if x.rank() == 0 {
        return x.expand_dims(0).pad([1], [2], 0.5);
    }
    let n = x.shape()[0];
    match random.below(3) {
        0 => x.at(random.below(n) as isize),
        1 => x.slice_axis(0, 0..n.div_ceil(2)),
        _ => {
            let zero: Axes = smallvec![0; x.rank()];
            let mut one = zero.clone();
            one[0] = 1;
            let op = Op::Pad { low: one.clone(), high: zero, interior: one };
            let padded = bind1(op, &[x, &x.mean()]);
            padded.slice_axis(0, 0..n)
        }
    }
}

fn join(random: &mut Random, x: &Array, y: &Array) -> Array {
    if x.rank() == 0 {
        return concat(&[x.expand_dims(0), y.expand_dims(0)], 0);
    }
    let both = concat(&[x.clone(), y.clone()], 0);
    let from = random.below(x.shape()[0]);
    both.slice_axis(0, from..from + x.shape()[0])
}

fn product(random: &mut Random, x: &Array, y: &Array) -> Array {
    let x = x.tanh();
    if x.rank() == 2 && random.below(2) == 0 {
        // A Gram matrix.
        return x.matmul(&x.transpose());
    }
    let axes = (0..x.rank()).find_map(|i| {
        let j = y.shape().iter().position(|&n| n == x.shape()[i])?;
        Some(DotAxes {
            lhs_contract: smallvec![i],
            rhs_contract: smallvec![j],
            ..DotAxes::default()
        })
    });
    match axes {
        Some(axes) if x.rank() + y.rank() <= 5 => x.dot_general(&y.sin(), axes),
        _ => &x * y.mean(),
    }
}

/// Indices of which some are negative and some out of range.
fn some_indices(random: &mut Random, shape: &[usize], n: usize) -> Array {
    let count: usize = shape.iter().product();
    let list: Vec<i32> =
        (0..count).map(|_| random.below(2 * n + 2) as i32 - n as i32 - 1).collect();
    Array::from_slice(&list, shape)
}

/// Reads at indices that are constants or come from a row of the array itself.
fn indexed(random: &mut Random, x: &Array, y: &Array) -> Array {
    if x.rank() == 0 {
        return x.sin();
    }
    let n = x.shape()[0];
    let indices = some_indices(random, &[3], n);
    match random.below(4) {
        0 => x.take_mode(&indices, 0, OutOfRange::Clamp),
        1 => {
            let counted = iota(&ArrayType::new(DType::I32, [2, 2]), 1) - 1;
            x.at_indices([&counted]).get()
        }
        2 => {
            let mut shape = x.shape().to_vec();
            shape[0] = 2;
            let indices = some_indices(random, &shape, n).clip(-(n as i32), n as i32 - 1);
            x.take_along_axis(indices, 0)
        }
        _ => {
            let start = vec![Array::from(random.below(n) as i32); x.rank()];
            let sizes: Vec<usize> = x.shape().iter().map(|n| n.div_ceil(2)).collect();
            x.dynamic_slice(&start, sizes) * y.mean()
        }
    }
}

/// What later entries owe to earlier ones.
fn serial(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    if x.rank() == 0 || !config.serial {
        return x.cos();
    }
    let axis = random.below(x.rank()) as isize;
    let n = x.shape()[0];
    let target = x.at_indices([&some_indices(random, &[3], n)]);
    let mut shape = x.shape().to_vec();
    shape[0] = 3;
    let updates =
        y.mean().broadcast_to(&shape[..]) + iota(&ArrayType::new(x.dtype(), &shape[..]), 0);
    match random.below(if config.kinks { 9 } else { 5 }) {
        0 => (x * 0.5).cumulative(CumulativeOp::Sum, axis, random.below(2) == 0),
        1 => x.tanh().cumulative(CumulativeOp::Prod, axis, random.below(2) == 0),
        2 => target.add(updates),
        3 => target.mul(updates.sin()),
        4 => target.set(updates),
        5 => x.cumulative(CumulativeOp::Max, axis, random.below(2) == 0),
        6 => x.cummin(axis),
        7 => target.max(updates.sin()),
        _ => x.sort(axis),
    }
}

/// Integers made of floats, what is done to integers, and back to floats of modest size.
fn counted(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    if !config.kinks {
        return x.sin();
    }
    let whole = |x: &Array| (x.tanh() * 9.0).cast(DType::I32);
    let (i, j) = (whole(x), whole(&match_shape(y, x)));
    let ops = [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Rem,
        BinaryOp::Max,
        BinaryOp::Min,
        BinaryOp::And,
        BinaryOp::Or,
        BinaryOp::Xor,
        BinaryOp::Shl,
        BinaryOp::Shr,
    ];
    let k = match random.below(8) {
        0 => {
            let words = [&i, &j, &i, &j].map(|a| a.cast(DType::U32));
            let words: Vec<&Array> = words.iter().collect();
            let bits = probpipe_trace::bind(Op::Threefry2x32, &words);
            (bits[random.below(2)].clone() % 17u32).cast(DType::I32)
        }
        1 => select(&bind1(Op::Compare(*random.pick(CompareOp::ALL)), &[&i, &j]), &i, -&j),
        2 => -(i.cast(DType::U32).cast(DType::I32)) + i.ne(&j).cast(DType::I32),
        _ => bind1(Op::Binary(*random.pick(&ops)), &[&i, &j]),
    };
    (k % 7).cast(x.dtype()) * 0.25 + x
}

/// A factor, a solve, a determinant or eigenvalues of a matrix that is far from singular by
/// construction, with eigenvalues far apart where they count.
fn factor(random: &mut Random, x: &Array, config: Config) -> Array {
    if x.rank() != 2 {
        return x.sin();
    }
    let x = x.tanh();
    let n = x.shape()[0];
    let ty = ArrayType::new(DType::I32, [n, n]);
    let eye = iota(&ty, 0).eq(iota(&ty, 1)).cast(x.dtype());
    let gram = x.matmul(&x.transpose());
    match random.below(if config.serial { 5 } else { 1 }) {
        0 => {
            let factor = bind1(Op::Linalg(LinalgOp::Cholesky), &[&(gram + eye * 2.0)]);
            factor.solve_triangular(&x)
        }
        1 => (gram + eye * 2.0).solve(&x),
        2 => (gram * 0.2 + eye * iota(&ArrayType::new(x.dtype(), [n, n]), 0) * 2.0).eigvalsh(),
        3 => (gram + eye * 2.0).slogdet().1,
        _ => (x * 0.3).svdvals().square().sum(),
    }
}

fn looped(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    let quiet = Config { loops: false, ..config };
    let xs = if x.rank() == 0 { x.broadcast_to([3]) } else { x.clone() };
    let outer = y.mean();
    let body = |c: Array, x: Array| {
        let grown = unary(random, &x, quiet).mean();
        let next = (&c * 0.5 + grown * &outer).tanh();
        (next, c * x)
    };
    let init = y.mean().tanh();
    let (last, ys) = if x.rank().is_multiple_of(2) {
        scan(init, xs, body)
    } else {
        scan_reverse(init, xs, body)
    };
    ys * last
}

/// A switch on data, or on the step of a loop where results must not jump.
fn branched(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    let quiet = Config { loops: false, ..config };
    let y = y.mean();
    if config.kinks {
        // The offset keeps rounding out of it where one is the other in another order.
        let above = x.mean().gt(&y + 0.0137);
        return cond(&above, x.clone(), |x| unary(random, &x, quiet) * y.sin(), |x| x * 0.5);
    }
    let pieces = map(
        |i: Array| {
            switch(
                &(i - 1),
                x.clone(),
                (|x: Array| unary(random, &x, quiet), |x: Array| &x * y.tanh(), |_: Array| x.cos()),
            )
        },
        arange(5),
    );
    pieces.mean_axes([0])
}

/// A loop that stops by its values, or after a number of steps that it is given.
fn repeated(random: &mut Random, x: &Array, y: &Array, config: Config) -> Array {
    let quiet = Config { loops: false, ..config };
    let outer = y.mean();
    if config.kinks {
        let (_, last) = while_loop(
            |(i, c): (Array, Array)| i.lt(6) & c.square().sum().gt(0.1),
            |(i, c)| (i + 1, (unary(random, &c, quiet) * 0.3 + &outer * 0.2).tanh()),
            (Array::from(0), x.tanh()),
        );
        return last;
    }
    let step = |c: Array, n: Array| {
        let next = fori_loop_dynamic(0, &n, c, |i, c| {
            let c = unary(random, &c, quiet) * 0.3 + &outer * i.cast(config.float);
            c.tanh()
        });
        (next.clone(), next.sum())
    };
    let (last, sums) = scan(x.tanh(), arange(3), step);
    last + sums.sum().tanh()
}
