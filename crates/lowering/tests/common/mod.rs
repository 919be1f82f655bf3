//! Runs a program statement by statement on the interpreter's ops: what a program means, for the
//! tests of the lowering. Every kernel is evaluated over its whole iteration space at once.

use probpipe_lowering::*;
use probpipe_trace::eval::{eval_graph, eval_op};
use probpipe_trace::{
    ArrayType, BinaryOp, DType, Graph, HostBuffer, LinalgOp, Loc, Op, Result, Scalar, Shape, Value,
    trace, verify,
};

pub struct Machine<'a> {
    program: &'a Program,
    memory: Vec<HostBuffer>,
    /// Loop indices.
    indices: Vec<i64>,
}

/// Runs `program` on `inputs`.
pub fn run(program: &Program, inputs: &[&Value]) -> Result<Vec<Value>> {
    // Arena buffers share bytes as the plan says, so that a wrong plan gives wrong numbers.
    let mut machine = Machine {
        program,
        memory: vec![HostBuffer::zeroed(program.arena_bytes)],
        indices: vec![0; program.loops],
    };
    for buffer in &program.buffers {
        machine.memory.push(match &buffer.place {
            Place::Input(i) => inputs[*i].to_host()?.try_clone()?,
            Place::Const(value) => value.to_host()?.try_clone()?,
            // Poisoned, to catch elements that nothing writes.
            Place::Output(_) => {
                let mut memory = HostBuffer::zeroed(buffer.ty.bytes());
                memory.bytes_mut().fill(if buffer.ty.dtype == DType::Bool { 1 } else { 0xab });
                memory
            }
            Place::Arena(_) => HostBuffer::zeroed(0),
        });
    }
    machine.memory[0].bytes_mut().fill(1);
    machine.statements(&program.body)?;
    let mut outputs = vec![None; program.outputs.len()];
    for (i, buffer) in program.buffers.iter().enumerate() {
        if let Place::Output(k) = buffer.place {
            outputs[k] = Some(Value::host(buffer.ty.clone(), machine.memory[i + 1].try_clone()?));
        }
    }
    Ok(outputs.into_iter().map(|o| o.expect("an output has a buffer")).collect())
}

/// Lowers and runs `graph` and compares with the interpreter, bit for bit but for sums.
#[track_caller]
pub fn check(graph: &Graph, inputs: &[&Value], options: &Options) -> Program {
    let program = lower(verify(graph).unwrap(), options).expect("lowers");
    let want = eval_graph(graph, inputs).expect("runs");
    let have = run(&program, inputs).unwrap_or_else(|e| panic!("{e}\n{graph}\n{program}"));
    for (i, (want, have)) in want.iter().zip(&have).enumerate() {
        assert_eq!(want.ty(), have.ty());
        let (want, have) = (want.to_scalars().unwrap(), have.to_scalars().unwrap());
        for (k, (w, h)) in want.iter().zip(&have).enumerate() {
            let (w, h) = (w.as_f64(), h.as_f64());
            let close =
                w == h || w.is_nan() && h.is_nan() || (w - h).abs() <= 1e-5 * (1.0 + w.abs());
            assert!(close, "output {i}[{k}]: {h} instead of {w}\n{graph}\n{program}");
        }
    }
    program
}

/// Traces a function of arrays, for tests.
pub fn traced(
    types: &[ArrayType],
    f: impl FnOnce(&[probpipe_trace::Array]) -> Vec<probpipe_trace::Array>,
) -> Graph {
    trace(types, f).expect("traces").graph
}

impl Machine<'_> {
    fn statements(&mut self, body: &[Stmt]) -> Result<()> {
        for stmt in body {
            match stmt {
                Stmt::Kernel(kernel) => self.kernel(kernel)?,
                Stmt::Library(library) => self.library(&library.call, library.location)?,
                Stmt::Loop(l) => {
                    for i in 0..l.length {
                        self.indices[l.id.0 as usize] = i as i64;
                        self.statements(&l.body)?;
                    }
                }
                Stmt::While(w) => loop {
                    self.statements(&w.cond)?;
                    if self.cell(w.test) == 0 {
                        break;
                    }
                    self.statements(&w.body)?;
                },
                Stmt::Branch(branch) => {
                    let last = branch.branches.len() as i64 - 1;
                    let chosen = self.cell(branch.index).clamp(0, last);
                    self.statements(&branch.branches[chosen as usize])?;
                }
            }
        }
        Ok(())
    }

    /// The one element of a `bool` or `i32` buffer.
    fn cell(&self, buffer: BufferId) -> i64 {
        let (m, at, width) = self.bytes(buffer, 0);
        match self.memory[m].bytes()[at..at + width] {
            [b] => i64::from(b),
            [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
            _ => panic!("{buffer} decides on a branch"),
        }
    }

    /// The byte range of an element.
    fn bytes(&self, buffer: BufferId, index: i64) -> (usize, usize, usize) {
        let declared = self.program.buffer(buffer);
        let width = declared.ty.dtype.size();
        assert!(
            (0..declared.ty.size() as i64).contains(&index),
            "{buffer}[{index}] is outside {}\n{}",
            declared.ty,
            self.program
        );
        match declared.place {
            Place::Arena(at) => (0, at + index as usize * width, width),
            _ => (buffer.0 as usize + 1, index as usize * width, width),
        }
    }

    /// The value of an index at every point of `space`.
    fn index(&self, map: &IndexMap, space: &[usize]) -> Vec<i64> {
        let base = map.offset
            + map.loops.iter().map(|(id, s)| s * self.indices[id.0 as usize]).sum::<i64>();
        let mut all = vec![base];
        for (&n, &step) in space.iter().zip(&map.axes) {
            all = all.iter().flat_map(|&b| (0..n as i64).map(move |i| b + i * step)).collect();
        }
        all
    }

    fn kernel(&mut self, kernel: &Kernel) -> Result<()> {
        let space: Shape = kernel.parallel.iter().chain(&kernel.reduce).copied().collect();
        let mut values: Vec<Value> = Vec::new();
        for (expr, &dtype) in kernel.exprs.iter().zip(&kernel.types) {
            let ty = ArrayType::new(dtype, &space);
            let at = |id: &ExprId| values[id.0 as usize].clone();
            let apply = |op: Op, inputs: &[Value]| -> Result<Value> {
                Ok(eval_op(&op, inputs, std::slice::from_ref(&ty))?[0].clone())
            };
            let value = match expr {
                Expr::Literal(scalar) => Value::full(*scalar, ty.clone()),
                Expr::Index(map) => {
                    let flat = self.index(map, &space);
                    let wide = Value::from_elements(&flat, &space)?;
                    apply(Op::Cast(dtype), &[wide])?
                }
                Expr::Load { buffer, index, guard } => {
                    let guard = guard.map(|g| at(&g).to_vec::<bool>()).transpose()?;
                    let mut data = HostBuffer::zeroed(ty.bytes());
                    for (p, i) in self.index(index, &space).into_iter().enumerate() {
                        if guard.as_ref().is_some_and(|g| !g[p]) {
                            continue;
                        }
                        let (m, from, width) = self.bytes(*buffer, i);
                        let bytes = self.memory[m].bytes()[from..from + width].to_vec();
                        data.bytes_mut()[p * width..(p + 1) * width].copy_from_slice(&bytes);
                    }
                    Value::host(ty.clone(), data)
                }
                Expr::LoadAt { buffer, index, at: places } => {
                    let mut flat = self.index(index, &space);
                    for (place, step) in places {
                        for (f, p) in flat.iter_mut().zip(at(place).to_vec::<i32>()?) {
                            *f += step * i64::from(p);
                        }
                    }
                    let mut data = HostBuffer::zeroed(ty.bytes());
                    for (p, i) in flat.into_iter().enumerate() {
                        let (m, from, width) = self.bytes(*buffer, i);
                        let bytes = self.memory[m].bytes()[from..from + width].to_vec();
                        data.bytes_mut()[p * width..(p + 1) * width].copy_from_slice(&bytes);
                    }
                    Value::host(ty.clone(), data)
                }
                Expr::Unary(op, x) => apply(Op::Unary(*op), &[at(x)])?,
                Expr::Binary(op, x, y) => apply(Op::Binary(*op), &[at(x), at(y)])?,
                Expr::MulAdd { factors, addend, minus } => {
                    let numbers = |x: &ExprId| -> Result<Vec<f64>> {
                        Ok(at(x).to_scalars()?.into_iter().map(Scalar::as_f64).collect())
                    };
                    let (x, y, z) =
                        (numbers(&factors[0])?, numbers(&factors[1])?, numbers(addend)?);
                    let signs = minus.map(|minus| if minus { -1.0 } else { 1.0 });
                    // Single precision has its products exactly in double precision.
                    let fused = |p: usize| (signs[0] * x[p]).mul_add(y[p], signs[1] * z[p]);
                    let all: Vec<f64> = (0..x.len()).map(fused).collect();
                    apply(Op::Cast(dtype), &[Value::from_elements(&all, &space)?])?
                }
                Expr::Summand(x, y) => apply(Op::Binary(BinaryOp::Mul), &[at(x), at(y)])?,
                Expr::Compare(op, x, y) => apply(Op::Compare(*op), &[at(x), at(y)])?,
                Expr::Select(c, x, y) => apply(Op::Select, &[at(c), at(x), at(y)])?,
                Expr::Special(op, operands) => {
                    let operands: Vec<_> = operands.iter().map(at).collect();
                    apply(Op::Special(*op), &operands)?
                }
                Expr::Cast(x) => apply(Op::Cast(dtype), &[at(x)])?,
                Expr::Bitcast(x) => apply(Op::Bitcast(dtype), &[at(x)])?,
            };
            assert_eq!(*value.ty(), ty, "{expr:?}\n{}", self.program);
            values.push(value);
        }
        for store in &kernel.stores {
            let value = &values[store.value.0 as usize];
            let (value, shape) = match store.reduce {
                None => (value.clone(), &space[..]),
                Some(op) => {
                    let axes = (kernel.parallel.len()..space.len()).collect();
                    let ty = ArrayType::new(value.ty().dtype, &kernel.parallel[..]);
                    (
                        eval_op(&Op::Reduce { op, axes }, std::slice::from_ref(value), &[ty])?[0]
                            .clone(),
                        &kernel.parallel[..],
                    )
                }
            };
            let indices = self.index(&store.index, shape);
            for (p, i) in indices.into_iter().enumerate() {
                let (m, to, width) = self.bytes(store.buffer, i);
                let bytes = value.to_host()?.bytes()[p * width..(p + 1) * width].to_vec();
                self.memory[m].bytes_mut()[to..to + width].copy_from_slice(&bytes);
            }
        }
        Ok(())
    }

    /// An operand of a library call as a contiguous (batch, row, column) array.
    fn gather(&self, view: &View, extents: [usize; 3]) -> Value {
        let dtype = self.program.buffer(view.buffer).ty.dtype;
        let ty = ArrayType::new(dtype, extents);
        let mut data = HostBuffer::zeroed(ty.bytes());
        for (p, i) in self.index(&view.index, &extents).into_iter().enumerate() {
            let (m, from, width) = self.bytes(view.buffer, i);
            let bytes = self.memory[m].bytes()[from..from + width].to_vec();
            data.bytes_mut()[p * width..(p + 1) * width].copy_from_slice(&bytes);
        }
        Value::host(ty, data)
    }

    /// An operand of a call on row-major arrays.
    fn linear(&self, view: &View, extents: &[usize]) -> Value {
        let size = extents.iter().product();
        // Views of one axis step along the first extent.
        let flat = self.gather(view, [size, 1, 1]);
        Value::host(flat.ty().with_shape(extents), flat.to_host().unwrap().try_clone().unwrap())
    }

    fn write_linear(&mut self, view: &View, value: &Value) -> Result<()> {
        for (p, i) in self.index(&view.index, &[value.ty().size()]).into_iter().enumerate() {
            let (m, to, width) = self.bytes(view.buffer, i);
            let bytes = value.to_host()?.bytes()[p * width..(p + 1) * width].to_vec();
            self.memory[m].bytes_mut()[to..to + width].copy_from_slice(&bytes);
        }
        Ok(())
    }

    /// Scatters, running reductions and sorts, on arrays with equal kinds of axes merged.
    fn indexing(&mut self, call: &LibraryCall) -> Result<bool> {
        let (op, inputs, outputs) = match call {
            LibraryCall::Scatter { op, dims, input, indices, updates, out } => {
                let mut whole = vec![dims.batch];
                whole.extend(&dims.extents);
                whole.push(dims.rest);
                let mut inputs = vec![self.linear(input, &whole)];
                for index in indices {
                    inputs.push(self.linear(index, &[dims.batch, dims.count]));
                }
                inputs.push(self.linear(updates, &[dims.batch, dims.count, dims.rest]));
                (Op::Scatter { op: *op, batch: 1 }, inputs, vec![out.clone()])
            }
            LibraryCall::Cumulative { op, extents, reverse, input, out } => {
                let op = Op::Cumulative { op: *op, axis: 1, reverse: *reverse };
                (op, vec![self.linear(input, extents)], vec![out.clone()])
            }
            LibraryCall::Sort { extents, num_keys, inputs, outputs } => {
                let inputs = inputs.iter().map(|x| self.linear(x, extents)).collect();
                (Op::Sort { axis: 1, num_keys: *num_keys }, inputs, outputs.clone())
            }
            LibraryCall::Special { op, size, inputs, out } => {
                let inputs = inputs.iter().map(|x| self.linear(x, &[*size])).collect();
                (Op::Special(*op), inputs, vec![out.clone()])
            }
            LibraryCall::Callback { callback, inputs, outputs } => {
                let pairs = inputs.iter().zip(&callback.inputs);
                let inputs = pairs
                    .map(|(x, ty)| {
                        let flat = self.linear(x, &[ty.size()]);
                        let op = Op::Reshape { shape: ty.shape.clone() };
                        eval_op(&op, &[flat], std::slice::from_ref(ty)).map(|v| v[0].clone())
                    })
                    .collect::<Result<Vec<_>>>()?;
                (Op::Callback(callback.clone()), inputs, outputs.clone())
            }
            LibraryCall::Factors { op, inputs, outputs } => {
                let operands: Vec<Value> =
                    inputs.iter().map(|(x, ty)| self.linear(x, &ty.shape)).collect();
                let types: Vec<ArrayType> = outputs.iter().map(|(_, ty)| ty.clone()).collect();
                let results = eval_op(&Op::Linalg(*op), &operands, &types)?;
                for ((view, _), value) in outputs.iter().zip(results) {
                    self.write_linear(view, &value)?;
                }
                return Ok(true);
            }
            LibraryCall::Matmul { .. }
            | LibraryCall::Cholesky { .. }
            | LibraryCall::TriangularSolve { .. } => return Ok(false),
        };
        let types: Vec<ArrayType> =
            inputs.iter().take(outputs.len()).map(|x| x.ty().clone()).collect();
        for (view, value) in outputs.iter().zip(eval_op(&op, &inputs, &types)?) {
            self.write_linear(view, &value)?;
        }
        Ok(true)
    }

    fn library(&mut self, call: &LibraryCall, _: Loc) -> Result<()> {
        if self.indexing(call)? {
            return Ok(());
        }
        let (op, inputs, out, extents) = match call {
            LibraryCall::Matmul { batch, m, n, k, lhs, rhs, out } => {
                let axes = probpipe_trace::DotAxes {
                    lhs_contract: smallvec::smallvec![2],
                    rhs_contract: smallvec::smallvec![1],
                    lhs_batch: smallvec::smallvec![0],
                    rhs_batch: smallvec::smallvec![0],
                };
                let inputs =
                    vec![self.gather(lhs, [*batch, *m, *k]), self.gather(rhs, [*batch, *k, *n])];
                (Op::Dot(axes), inputs, out, [*batch, *m, *n])
            }
            LibraryCall::Scatter { .. }
            | LibraryCall::Cumulative { .. }
            | LibraryCall::Sort { .. }
            | LibraryCall::Special { .. }
            | LibraryCall::Callback { .. }
            | LibraryCall::Factors { .. } => return Ok(()),
            LibraryCall::Cholesky { batch, n, input, out } => (
                Op::Linalg(LinalgOp::Cholesky),
                vec![self.gather(input, [*batch, *n, *n])],
                out,
                [*batch, *n, *n],
            ),
            LibraryCall::TriangularSolve {
                batch,
                n,
                columns,
                lower,
                transpose,
                unit_diagonal,
                a,
                b,
                out,
            } => (
                Op::Linalg(LinalgOp::TriangularSolve {
                    lower: *lower,
                    transpose: *transpose,
                    unit_diagonal: *unit_diagonal,
                }),
                vec![self.gather(a, [*batch, *n, *n]), self.gather(b, [*batch, *n, *columns])],
                out,
                [*batch, *n, *columns],
            ),
        };
        let ty = ArrayType::new(inputs[0].ty().dtype, extents);
        let value = eval_op(&op, &inputs, &[ty])?[0].clone();
        for (p, i) in self.index(&out.index, &extents).into_iter().enumerate() {
            let (m, to, width) = self.bytes(out.buffer, i);
            let bytes = value.to_host()?.bytes()[p * width..(p + 1) * width].to_vec();
            self.memory[m].bytes_mut()[to..to + width].copy_from_slice(&bytes);
        }
        Ok(())
    }
}
