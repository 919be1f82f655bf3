//! Traces whose arguments or results have types that are decided when they end: what is handed in
//! without an element type becomes an input in the types that the function asked for and that its
//! results need. Nothing here knows what a loop or a transform makes of it.

use crate::asked;
use crate::builder::GraphBuilder;
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind, Result};
use crate::frames::{self, Wanted, next_id, note_pair, variable};
use crate::handle::{Array, Repr};
use crate::op::Op;
use crate::op::graph::{Eqn, Graph};
use crate::promotion::literal_dtype;
use crate::types::{ArrayType, Loc, Shape};
use crate::value::Value;
use crate::var::VarId;
use smallvec::SmallVec;

/// A traced function: the graph, whose last inputs are the captured outer arrays.
#[derive(Debug, Clone)]
pub struct Traced {
    /// The graph; inputs are the arguments, then the captures.
    pub graph: Graph,
    /// Variables of outer traces that the function used, in the order of the last inputs.
    pub captures: Vec<Array>,
}

/// What a traced function takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// An array of this type.
    Typed(ArrayType),
    /// An array of this shape that takes the type of what it meets, else the default.
    Weak {
        /// The element type where nothing decides.
        default: DType,
        /// The shape.
        shape: Shape,
    },
}

impl Argument {
    /// An argument like the array, of the given shape.
    pub fn of(array: &Array, shape: &[usize]) -> Argument {
        match array.is_weak() && array.dtype() != DType::Bool {
            true => Argument::Weak { default: array.dtype(), shape: shape.into() },
            false => Argument::Typed(ArrayType::new(array.dtype(), shape)),
        }
    }

    /// The type where nothing else decides.
    pub fn ty(&self) -> ArrayType {
        match self {
            Argument::Typed(ty) => ty.clone(),
            Argument::Weak { default, shape } => ArrayType::new(*default, shape),
        }
    }
}

/// Element types that were asked for.
pub type Asked = SmallVec<[DType; 2]>;

enum Slot {
    Typed(VarId),
    Weak(DType, Wanted),
}

enum Output {
    Var(VarId),
    Literal(Scalar),
    Pair([VarId; 2], DType),
}

/// A traced function of which some types are still to be decided.
pub struct Open {
    builder: GraphBuilder,
    captures: Vec<(VarId, Array)>,
    arguments: Vec<Slot>,
    outputs: Vec<Output>,
    /// Whether equations that no result needs are removed.
    prune: bool,
    location: Loc,
}

/// Traces `f` on arguments of which some have no element type; it also gives something besides
/// arrays, which is returned also when the trace fails. Fails with the error of the first output
/// that is invalid.
pub fn trace_open<T>(
    location: Loc,
    arguments: &[Argument],
    f: impl FnOnce(&[Array]) -> (Vec<Array>, T),
) -> (Result<Open>, T) {
    let id = next_id();
    let mut builder = GraphBuilder::new();
    let mut wanted = Vec::new();
    let mut slots: Vec<Option<VarId>> = Vec::with_capacity(arguments.len());
    let given: Vec<Array> = arguments
        .iter()
        .map(|argument| match argument {
            Argument::Typed(ty) => {
                let var = builder.input(ty.clone());
                slots.push(Some(var));
                Array::traced(id, var, ty.clone(), location)
            }
            Argument::Weak { default, shape } => {
                slots.push(None);
                let index = wanted.len();
                wanted.push(Wanted { shape: shape.clone(), vars: SmallVec::new() });
                Array::argument((id, index), *default, shape.clone(), location)
            }
        })
        .collect();
    let opened = frames::open(id, builder, wanted);
    let ((arrays, extra), asked) = asked::listen(|| f(&given));
    let outputs: Result<Vec<Output>> = match asked {
        Some(error) => Err(error),
        None => arrays.iter().map(|array| output(array, location)).collect(),
    };
    let frame = frames::close(opened);
    let open = match (outputs, frame) {
        (Ok(outputs), Some(frame)) => {
            let mut wanted = frame.wanted.into_iter();
            let slot = |(argument, var): (&Argument, Option<VarId>)| match (argument, var) {
                (_, Some(var)) => Slot::Typed(var),
                (argument, None) => {
                    let none = || Wanted { shape: Shape::new(), vars: SmallVec::new() };
                    Slot::Weak(argument.ty().dtype, wanted.next().unwrap_or_else(none))
                }
            };
            let arguments: Vec<Slot> = arguments.iter().zip(slots).map(slot).collect();
            let weak = arguments.iter().any(|slot| matches!(slot, Slot::Weak(..)));
            Ok(Open {
                prune: frame.pairs || weak,
                builder: frame.builder,
                captures: frame.captures,
                arguments,
                outputs,
                location,
            })
        }
        (Err(error), _) => Err(error.at(location)),
        (Ok(_), None) => Err(Error::new(ErrorKind::Internal, "the trace stack is empty")),
    };
    (open, extra)
}

/// What a function gives, in every type that it may still take.
fn output(array: &Array, location: Loc) -> Result<Output> {
    let record = |array: &Array| variable(array, location);
    match &array.repr {
        Repr::Literal(scalar) => Ok(Output::Literal(*scalar)),
        Repr::Weak(weak) if weak.default.is_float() => {
            let narrow = record(&array.in_dtype(DType::F32))?;
            let wide = record(&array.in_dtype(DType::F64))?;
            note_pair();
            Ok(Output::Pair([narrow, wide], weak.default))
        }
        _ => Ok(Output::Var(record(&array.decided())?)),
    }
}

impl Open {
    /// The type of a result, and whether it is still to be decided.
    pub fn output(&self, i: usize) -> (ArrayType, bool) {
        match &self.outputs[i] {
            Output::Var(var) => (self.builder.ty(*var).clone(), false),
            Output::Literal(scalar) => (ArrayType::scalar(literal_dtype(*scalar)), true),
            Output::Pair([var, _], default) => (self.builder.ty(*var).with_dtype(*default), true),
        }
    }

    /// Number of results.
    pub fn outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Gives a result its element type, if it has none and the type can hold it.
    pub fn decide(&mut self, i: usize, dtype: DType) {
        match &self.outputs[i] {
            Output::Literal(scalar) if scalar.fits(dtype) => {
                let value = Value::scalar(*scalar, dtype);
                self.outputs[i] = Output::Var(self.builder.constant(value));
            }
            Output::Pair([narrow, wide], default) => {
                let dtype = if dtype.is_float() { dtype } else { *default };
                self.outputs[i] = Output::Var(if dtype == DType::F64 { *wide } else { *narrow });
            }
            Output::Literal(_) | Output::Var(_) => {}
        }
    }

    /// Gives every result that has none its default type.
    pub fn decide_rest(&mut self) {
        for i in 0..self.outputs.len() {
            let (ty, open) = self.output(i);
            if open {
                self.decide(i, ty.dtype);
            }
        }
    }

    /// The types in which the decided results need each argument; none for those that have one.
    pub fn asked(&self) -> Vec<Asked> {
        let live = self.live();
        let asked = |slot: &Slot| match slot {
            Slot::Typed(_) => Asked::new(),
            Slot::Weak(_, wanted) => {
                let needed = wanted.vars.iter().filter(|(_, var)| live[var.index()]);
                needed.map(|(dtype, _)| *dtype).collect()
            }
        };
        self.arguments.iter().map(asked).collect()
    }

    /// The variables that the decided results depend on.
    fn live(&self) -> Vec<bool> {
        let graph = self.builder.graph();
        let mut live = vec![false; graph.num_vars()];
        for output in &self.outputs {
            if let Output::Var(var) = output {
                live[var.index()] = true;
            }
        }
        for eqn in graph.eqns().iter().rev() {
            if eqn.outputs.iter().any(|var| live[var.index()]) {
                eqn.inputs.iter().for_each(|var| live[var.index()] = true);
            }
        }
        live
    }

    /// The graph with one input per argument, of the given element types where it had none; other
    /// types that were asked for are conversions of it.
    pub fn close(self, types: &[DType]) -> Traced {
        let inputs = |slots: Vec<Slot>, builder: &mut GraphBuilder, live: &[bool]| {
            let (mut inputs, mut casts) = (Vec::new(), Vec::new());
            for (i, slot) in slots.into_iter().enumerate() {
                let (default, Wanted { shape, vars }) = match slot {
                    Slot::Typed(var) => {
                        inputs.push(var);
                        continue;
                    }
                    Slot::Weak(default, wanted) => (default, wanted),
                };
                let dtype = types.get(i).copied().unwrap_or(default);
                let own = vars.iter().find(|(d, _)| *d == dtype).map(|(_, var)| *var);
                let own = own.unwrap_or_else(|| builder.var(ArrayType::new(dtype, shape)));
                inputs.push(own);
                let others = vars.into_iter().filter(|(d, var)| *d != dtype && live[var.index()]);
                casts.extend(others.map(|(d, var)| (own, d, var)));
            }
            (inputs, casts)
        };
        self.finish(inputs)
    }

    /// The graph with an input for each type in which an argument is needed, and those types.
    pub fn close_asked(mut self) -> (Traced, Vec<Asked>) {
        // What closing decides asks for arguments too.
        self.decide_rest();
        let asked = self.asked();
        let inputs = |slots: Vec<Slot>, _: &mut GraphBuilder, live: &[bool]| {
            let mut inputs = Vec::new();
            for slot in slots {
                match slot {
                    Slot::Typed(var) => inputs.push(var),
                    Slot::Weak(_, wanted) => {
                        let vars = wanted.vars.into_iter().map(|(_, var)| var);
                        inputs.extend(vars.filter(|var| live[var.index()]));
                    }
                }
            }
            (inputs, Vec::new())
        };
        (self.finish(inputs), asked)
    }

    fn finish(
        mut self,
        inputs: impl FnOnce(
            Vec<Slot>,
            &mut GraphBuilder,
            &[bool],
        ) -> (Vec<VarId>, Vec<(VarId, DType, VarId)>),
    ) -> Traced {
        self.decide_rest();
        let live = self.live();
        let (mut inputs, casts) = inputs(self.arguments, &mut self.builder, &live);
        let outputs = self.outputs.iter().filter_map(|output| match output {
            Output::Var(var) => Some(*var),
            // All have been decided.
            Output::Literal(_) | Output::Pair(..) => None,
        });
        let outputs: Vec<VarId> = outputs.collect();
        let (mut captures, mut own) = (Vec::new(), Vec::new());
        for (var, array) in self.captures {
            if !self.prune || live[var.index()] {
                own.push(var);
                captures.push(array);
            }
        }
        inputs.extend(own);
        let casts = casts.into_iter().map(|(from, dtype, to)| Eqn {
            op: Op::Cast(dtype),
            inputs: smallvec::smallvec![from],
            outputs: smallvec::smallvec![to],
            location: self.location,
        });
        let casts: Vec<Eqn> = casts.collect();
        let graph = match self.prune {
            true => self.builder.finish_live(inputs, casts, outputs, &live),
            false => self.builder.finish(outputs),
        };
        Traced { graph, captures }
    }
}

/// The type of an argument that was needed in several, if it can have one only: the wider float,
/// which holds what the other one holds, but of a whole literal an integer type.
pub fn one_of(asked: &[DType], default: DType) -> DType {
    let whole = asked.iter().copied().find(|dtype| dtype.is_integer());
    match (whole, asked) {
        (_, []) => default,
        (Some(dtype), _) => dtype,
        (None, _) if asked.contains(&DType::F64) => DType::F64,
        (None, _) => DType::F32,
    }
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("outputs", &self.outputs.len()).finish_non_exhaustive()
    }
}
