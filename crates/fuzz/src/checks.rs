//! What is checked of one random graph. The cheap checks run on all; of the derived graphs, one
//! kind per seed is made and compiled.

use crate::Fault;
use crate::noise::{differs, numbers, wrong};
use probpipe::graph::{Graph, Value, Verified, eval, parse, rewrite, verify};
use probpipe::{
    Array, ArrayType, DType, Device, Rounding, Subnormals, stack, with_rounding, with_subnormals,
};
use probpipe_testing::{Config, Random, graph_of_choices, random_inputs};

/// Number of lanes of mapped graphs, one per kind of loop that compiled code has.
const LANES: [usize; 4] = [1, 3, 8, 37];

/// Generates the graph of a seed and runs its checks. `Ok` names the kind of derived graph.
pub fn check(seed: u64, config: Config, device: Device) -> Result<&'static str, Fault> {
    check_choices(Random::new(seed), seed, config, device)
}

/// As [`check`], for a graph of any choices; the seed makes its inputs and picks the checks.
pub fn check_choices(
    choices: Random,
    seed: u64,
    config: Config,
    device: Device,
) -> Result<&'static str, Fault> {
    let graph = graph_of_choices(choices, config).map_err(|e| Fault {
        check: "generate",
        message: e.to_string(),
        graph: String::new(),
    })?;
    let run = Run { seed, device, float: config.float };
    run.all(&graph)
        .map_err(|fault| Fault { message: format!("seed {seed}: {}", fault.message), ..fault })
}

struct Run {
    seed: u64,
    device: Device,
    float: DType,
}

type Checked<T = ()> = Result<T, Fault>;

/// Attaches the graph and the check to errors of the library.
fn at<T>(check: &'static str, graph: &Graph, result: probpipe::Result<T>) -> Checked<T> {
    result.map_err(|e| Fault::new(check, e.to_string(), graph))
}

fn eval(check: &'static str, graph: &Graph, inputs: &[Value]) -> Checked<Vec<Value>> {
    let values = eval::eval_graph(graph, &inputs.iter().collect::<Vec<_>>());
    Ok(at(check, graph, values)?.into_iter().collect())
}

impl Run {
    /// Rounding grows through a graph; the noise decides what is beyond this.
    fn tolerance(&self) -> f64 {
        if self.float == DType::F32 { 1e-4 } else { 1e-11 }
    }

    fn all(&self, graph: &Graph) -> Checked<&'static str> {
        self.verified("generate", graph)?;
        let printed = graph.to_string();
        let read = at("read back", graph, parse(&printed))?;
        if read.to_string() != printed {
            return Err(Fault::new("read back", format!("prints as\n{read}"), graph));
        }
        let inputs = at("inputs", graph, random_inputs(self.seed, graph))?;
        let simple = rewrite::simplify(graph);
        self.verified("simplify", &simple)?;
        self.means("simplify", &eval("simplify", &simple, &inputs)?, graph, &inputs)?;
        match self.seed % 5 {
            0 => self.compiled("compile", &simple, graph, &inputs).map(|()| "compile"),
            1 => self.forward(graph, &inputs).map(|()| "jvp"),
            2 => self.reverse(graph, &inputs).map(|()| "transpose"),
            3 => self.mapped(graph).map(|()| "vmap"),
            _ => self.second(graph, &inputs).map(|()| "second derivatives"),
        }
    }

    fn verified<'g>(&self, check: &'static str, graph: &'g Graph) -> Result<Verified<'g>, Fault> {
        verify(graph).map_err(|e| Fault::new(check, e.to_string(), graph))
    }

    /// Whether results are those of a graph.
    fn means(
        &self,
        check: &'static str,
        have: &[Value],
        graph: &Graph,
        inputs: &[Value],
    ) -> Checked {
        let wrong = wrong(have, graph, inputs, self.tolerance(), self.seed);
        match at(check, graph, wrong)? {
            Some(message) => Err(Fault::new(check, message, graph)),
            None => Ok(()),
        }
    }

    /// Compiles a graph, and compares what it gives twice with each other and with one that it
    /// means the same as.
    fn compiled(
        &self,
        check: &'static str,
        graph: &Graph,
        reference: &Graph,
        inputs: &[Value],
    ) -> Checked {
        let compile = |graph: &Graph| {
            let proof = self.verified(check, graph)?;
            at(check, graph, self.device.backend().compile(proof))
        };
        // One in three rounds otherwise, which the noise explains.
        let program = match self.seed % 3 {
            0 => with_rounding(Rounding::Contracted, || compile(&rewrite::finish(graph)))?,
            _ => compile(graph)?,
        };
        let operands: Vec<&Value> = inputs.iter().collect();
        let run = || Ok([program.run(&operands)?, program.run(&operands)?]);
        // As the interpreter computes.
        let [have, again] = at(check, graph, with_subnormals(Subnormals::Keep, run))?;
        if have != again {
            return Err(Fault::new(check, "two runs differ in their bits", graph));
        }
        self.means(check, &have, reference, inputs)
    }

    /// Random directions with the types of some values.
    fn directions<'t>(&self, salt: u64, types: impl Iterator<Item = &'t ArrayType>) -> Vec<Value> {
        let mut random = Random::new(self.seed ^ salt);
        types
            .filter_map(|ty| {
                let data: Vec<f64> = (0..ty.size()).map(|_| random.unit()).collect();
                let wide = Value::from_elements(&data, &ty.shape).ok()?;
                Array::from_value(wide).cast(ty.dtype).value().ok()
            })
            .collect()
    }

    /// Tangents: the values stay, and the linearised function gives the same tangents.
    fn forward(&self, graph: &Graph, inputs: &[Value]) -> Checked {
        let all = vec![true; inputs.len()];
        let forward = at("jvp", graph, rewrite::jvp(graph, &all))?;
        self.verified("jvp", &forward.graph)?;
        let mut operands = inputs.to_vec();
        operands.extend(self.directions(77, graph.input_types()));
        let have = eval("jvp", &forward.graph, &operands)?;
        self.means("values beside tangents", &have[..graph.outputs().len()], graph, inputs)?;
        let simple = rewrite::simplify(&forward.graph);
        self.compiled("compile a jvp", &simple, &forward.graph, &operands)
    }

    /// Cotangents: `<ct, J dx> = <J' ct, dx>`, before and after simplification.
    fn reverse(&self, graph: &Graph, inputs: &[Value]) -> Checked {
        let all = vec![true; inputs.len()];
        let linear = at("linearize", graph, rewrite::linearize(graph, &all))?;
        self.verified("linearize", &linear.primal)?;
        self.verified("linearize", &linear.linear)?;
        let primal = eval("linearize", &linear.primal, inputs)?;
        let (values, residuals) = primal.split_at(graph.outputs().len());
        self.means("values beside residuals", values, graph, inputs)?;

        let dx = self.directions(77, graph.input_types());
        let mut operands = residuals.to_vec();
        operands.extend(dx.clone());
        let dy = eval("linearize", &linear.linear, &operands)?;
        let mut flags = vec![false; linear.residuals];
        flags.extend(&all);
        let backward = at("transpose", &linear.linear, rewrite::transpose(&linear.linear, &flags))?;
        self.verified("transpose", &backward)?;
        let w = self.directions(5, linear.linear.output_types());
        let mut operands = residuals.to_vec();
        operands.extend(w.clone());
        let ct = eval("transpose", &backward, &operands)?;
        self.inner_products(graph, (&w, &dy), (&ct, &dx))?;
        let simple = rewrite::simplify(&backward);
        self.compiled("compile a transpose", &simple, &backward, &operands)
    }

    /// `<a, b> = <c, d>`, up to rounding of the largest terms.
    fn inner_products(
        &self,
        graph: &Graph,
        (a, b): (&[Value], &[Value]),
        (c, d): (&[Value], &[Value]),
    ) -> Checked {
        let sums = |a: &[Value], b: &[Value]| -> probpipe::Result<(f64, f64)> {
            let (a, b) = (numbers(a)?, numbers(b)?);
            let terms = || a.iter().flatten().zip(b.iter().flatten()).map(|(x, y)| x * y);
            Ok((terms().sum(), terms().map(f64::abs).sum()))
        };
        let (left, left_size) = at("transpose", graph, sums(a, b))?;
        let (right, right_size) = at("transpose", graph, sums(c, d))?;
        let size = 1.0 + left_size + right_size;
        let tolerance = if self.float == DType::F32 { 1e-3 } else { 1e-9 };
        let fits = (left - right).abs() <= tolerance * size || !size.is_finite();
        if fits {
            return Ok(());
        }
        let message = format!("forward and reverse mode differ: {left:e} against {right:e}");
        Err(Fault::new("transpose", message, graph))
    }

    /// Lanes: those of a mapped graph are what the graph gives one by one.
    fn mapped(&self, graph: &Graph) -> Checked {
        let lanes = LANES[(self.seed / 5) as usize % LANES.len()];
        // All inputs but the first are mapped, so that unbatched values take part.
        let axes: Vec<Option<usize>> =
            (0..graph.inputs().len()).map(|i| if i == 0 { None } else { Some(0) }).collect();
        let (mapped, out) = at("vmap", graph, rewrite::vmap(graph, lanes, &axes))?;
        self.verified("vmap", &mapped)?;
        let one = at("vmap", graph, random_inputs(self.seed, graph))?;
        let mut single = Vec::new();
        for lane in 0..lanes as u64 {
            let mut inputs = at("vmap", graph, random_inputs(self.seed + 1000 * lane, graph))?;
            inputs[0] = one[0].clone();
            single.push(inputs);
        }
        let stacked: Vec<Value> = (0..one.len())
            .map(|i| {
                let parts: Vec<Array> =
                    single.iter().map(|lane| Array::from_value(lane[i].clone())).collect();
                if i == 0 { Ok(one[0].clone()) } else { stack(&parts, 0).value() }
            })
            .collect::<probpipe::Result<_>>()
            .map_err(|e| Fault::new("vmap", e.to_string(), graph))?;
        let have = eval("vmap", &mapped, &stacked)?;
        for (lane, inputs) in single.iter().enumerate() {
            let mut part = Vec::new();
            for (value, axis) in have.iter().zip(&out) {
                let array = Array::from_value(value.clone());
                let array = if axis.is_some() { array.at(lane as isize) } else { array };
                part.push(at("vmap", graph, array.value())?);
            }
            self.means("vmap", &part, graph, inputs)?;
        }
        let simple = rewrite::simplify(&mapped);
        self.compiled("compile a map", &simple, &mapped, &stacked)
    }

    /// Tangents of cotangents, mapped: derivatives of derivatives are graphs like any other.
    fn second(&self, graph: &Graph, inputs: &[Value]) -> Checked {
        let all = vec![true; inputs.len()];
        let linear = at("linearize", graph, rewrite::linearize(graph, &all))?;
        let mut flags = vec![false; linear.residuals];
        flags.extend(&all);
        let backward = at("transpose", graph, rewrite::transpose(&linear.linear, &flags))?;
        let wrt: Vec<bool> = backward.input_types().map(|ty| ty.dtype.is_float()).collect();
        let forward = at("jvp of a transpose", &backward, rewrite::jvp(&backward, &wrt))?;
        self.verified("jvp of a transpose", &forward.graph)?;
        let primal = eval("linearize", &linear.primal, inputs)?;
        let mut operands = primal[graph.outputs().len()..].to_vec();
        operands.extend(self.directions(5, linear.linear.output_types()));
        let floats = backward.input_types().filter(|ty| ty.dtype.is_float());
        operands.extend(self.directions(9, floats));
        let simple = rewrite::simplify(&forward.graph);
        let have = eval("simplify a jvp of a transpose", &simple, &operands)?;
        self.means("simplify a jvp of a transpose", &have, &forward.graph, &operands)?;
        let again = rewrite::simplify(&simple);
        let same = eval("simplify twice", &again, &operands)?;
        let numbers = |v: &[Value]| at("simplify twice", graph, numbers(v));
        if let Some(message) = differs(&numbers(&same)?, &numbers(&have)?, self.tolerance()) {
            self.means("simplify twice", &same, &simple, &operands).map_err(|fault| Fault {
                message: format!("{message}; {}", fault.message),
                ..fault
            })?;
        }
        self.compiled("compile second derivatives", &simple, &forward.graph, &operands)
    }
}
