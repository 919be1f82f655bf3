//! Random well-typed graphs, for property tests of the rewrites and of the backends.
//!
//! Every float stays of modest size: ops that grow fast are applied to bounded operands, so that
//! values of two implementations can be compared with one tolerance.

mod control;
mod elementwise;
mod indexing;
mod matrices;
mod shapes;

use crate::Random;
use control::{branched, looped, repeated};
use elementwise::{binary, counted, literal, random_mask, unary};
use indexing::{indexed, serial};
use matrices::{factor, product};
use probpipe_trace::{
    Array, ArrayType, CompareOp, DType, Graph, Op, Result, Value, bind1, select, trace,
};
use shapes::{cut, join, reduce, reshape};

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
    /// Whether scatters, running reductions and sorts may appear.
    pub serial: bool,
    /// Whether decompositions other than Cholesky's may appear.
    pub factors: bool,
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
            factors: true,
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
