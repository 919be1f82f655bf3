//! Arrays whose element type nobody has named: constants made of float literals, what arithmetic
//! among them gives, and literals handed into a trace. They take the type of the array they meet.
//! Scalars as written are `Repr::Literal`; here is everything with a shape or a trace.
//!
//! Such an array is the same value in `f32` and in `f64`, made where it is asked for. An operation
//! all of whose floats are undecided is bound once per type; what nobody uses of a trace is
//! removed when it ends. Comparisons and other results that are no floats use the default type.

use crate::context::{default_float, here, with_location};
use crate::dtype::{DType, Scalar};
use crate::error::{Error, ErrorKind, Result};
use crate::frames::{apply, ask, is_tracing, note_pair};
use crate::handle::{Array, Outputs, Recipe, Repr, TraceId, Weak};
use crate::op::elementwise::UnaryOp;
use crate::op::graph::Graph;
use crate::op::nested::Nested;
use crate::op::{Op, infer};
use crate::promotion::literal_dtype;
use crate::types::{ArrayType, Loc, Shape};
use crate::value::Value;
use std::sync::{Arc, OnceLock};

/// The one result of an op.
#[track_caller]
fn one(op: Op, x: &Array) -> Array {
    let mut results = apply(op, &[x]);
    results.pop().unwrap_or_else(|| x.clone())
}

/// An array that has an element type in another one.
#[track_caller]
fn converted(x: &Array, dtype: DType) -> Array {
    if x.dtype() == dtype || x.error().is_some() { x.clone() } else { one(Op::Cast(dtype), x) }
}

fn place(dtype: DType) -> usize {
    usize::from(dtype == DType::F64)
}

impl Weak {
    fn new(default: DType, shape: Shape, recipe: Recipe) -> Weak {
        Weak { default, shape, halves: [OnceLock::new(), OnceLock::new()], recipe }
    }

    /// The array in a float type, where that takes no trace.
    pub(crate) fn made(&self, dtype: DType, location: Loc) -> Option<&Array> {
        let half = &self.halves[place(dtype)];
        match &self.recipe {
            Recipe::Pair => half.get(),
            Recipe::Written => Some(half.get_or_init(|| {
                let wide = self.halves[1].get().map(Array::to_vec::<f64>);
                let narrow = wide.unwrap_or_else(|| Ok(Vec::new())).and_then(|wide| {
                    let narrow: Vec<f32> = wide.into_iter().map(|v| v as f32).collect();
                    Value::from_elements(&narrow, &self.shape)
                });
                match narrow {
                    Ok(value) => Array::concrete(value, location),
                    Err(error) => Array::invalid(error, location),
                }
            })),
            // In a trace it is recorded where it is used, as a broadcast.
            Recipe::Full(_) if is_tracing() => None,
            Recipe::Full(fill) => Some(half.get_or_init(|| self.filled(*fill, dtype, location))),
            Recipe::Argument { .. } => None,
        }
    }

    fn filled(&self, fill: Scalar, dtype: DType, location: Loc) -> Array {
        let scalar = Array::concrete(Value::scalar(fill, dtype), location);
        if self.shape.is_empty() {
            return scalar;
        }
        let op = Op::Broadcast { shape: self.shape.clone(), axes: Default::default() };
        with_location(location, || one(op, &scalar))
    }

    fn in_dtype(&self, dtype: DType, location: Loc) -> Array {
        if let Recipe::Argument { trace, index } = self.recipe {
            return if dtype.is_float() || self.default.is_integer() && dtype.is_integer() {
                ask(trace, index, dtype, location)
            } else {
                let own = ask(trace, index, self.default, location);
                with_location(location, || converted(&own, dtype))
            };
        }
        if !dtype.is_float() {
            let own = self.in_dtype(self.default, location);
            return with_location(location, || converted(&own, dtype));
        }
        match (self.made(dtype, location), &self.recipe) {
            (Some(array), _) => {
                let mut array = array.clone();
                array.location = location;
                array
            }
            (None, Recipe::Full(fill)) => self.filled(*fill, dtype, location),
            (None, _) => {
                Array::invalid(Error::new(ErrorKind::Internal, "a lost constant"), location)
            }
        }
    }
}

impl Array {
    fn weak(weak: Weak, location: Loc) -> Array {
        Array { repr: Repr::Weak(Arc::new(weak)), location }
    }

    /// Numbers as written, in `f64`.
    pub(crate) fn written(value: Value, location: Loc) -> Array {
        let shape = value.ty().shape.clone();
        let weak = Weak::new(default_float(), shape, Recipe::Written);
        // A new cell is empty.
        let _ = weak.halves[1].set(Array::concrete(value, location));
        Array::weak(weak, location)
    }

    /// One float everywhere.
    pub(crate) fn filled(fill: Scalar, default: DType, shape: Shape, location: Loc) -> Array {
        Array::weak(Weak::new(default, shape, Recipe::Full(fill)), location)
    }

    /// What is handed into a trace.
    pub(crate) fn argument(
        (trace, index): (TraceId, usize),
        default: DType,
        shape: Shape,
        location: Loc,
    ) -> Array {
        Array::weak(Weak::new(default, shape, Recipe::Argument { trace, index }), location)
    }

    /// The same value in both float types; each array has its own.
    pub(crate) fn pair(narrow: Array, wide: Array, default: DType, location: Loc) -> Array {
        if let Some(error) = narrow.error().or(wide.error()) {
            return Array::invalid(error.clone(), location);
        }
        note_pair();
        let weak = Weak::new(default, narrow.shape().into(), Recipe::Pair);
        // New cells are empty.
        let _ = (weak.halves[0].set(narrow), weak.halves[1].set(wide));
        Array::weak(weak, location)
    }

    /// A constant of no type, by what makes it in each.
    #[track_caller]
    pub(crate) fn undecided(make: impl Fn(DType) -> Array) -> Array {
        let location = here();
        with_location(location, || {
            Array::pair(make(DType::F32), make(DType::F64), default_float(), location)
        })
    }

    /// An array whose type nobody has named in the given one, as it was written; any other array
    /// as it is. A literal that the type does not hold is an error.
    #[track_caller]
    pub fn in_dtype(&self, dtype: DType) -> Array {
        match &self.repr {
            Repr::Literal(scalar) if scalar.fits(dtype) => {
                Array::concrete(Value::scalar(*scalar, dtype), self.location)
            }
            Repr::Literal(scalar) => {
                let message = format!("the literal {scalar} does not fit an array of {dtype}");
                let error = Error::new(ErrorKind::DType, message)
                    .help("convert with `.cast(..)`, or write a literal of its element type");
                Array::invalid(error, self.location)
            }
            Repr::Weak(weak) => weak.in_dtype(dtype, self.location),
            Repr::Concrete(_) | Repr::Traced(_) | Repr::Invalid(_) => self.clone(),
        }
    }

    /// The value of a constant in a float type without copying the handle, where the array holds
    /// it; none for literals, which are made into one.
    #[inline]
    pub fn value_ref_in(&self, dtype: DType) -> Option<&Value> {
        match &self.repr {
            Repr::Weak(weak) if dtype.is_float() => {
                weak.made(dtype, self.location).and_then(Array::value_ref)
            }
            _ => None,
        }
    }

    /// The value of [`Array::in_dtype`].
    #[track_caller]
    pub fn value_in(&self, dtype: DType) -> Result<Value> {
        match &self.repr {
            Repr::Literal(scalar) if scalar.fits(dtype) => Ok(Value::scalar(*scalar, dtype)),
            _ => match self.value_ref_in(dtype) {
                Some(value) => Ok(value.clone()),
                None => self.in_dtype(dtype).value(),
            },
        }
    }

    /// The value, where there is one without recording anything: of a number or an array whose
    /// type nobody has named that in `f64`, the same each time for an array. None of a traced
    /// array, and in a trace of one that was filled with a number.
    pub fn known(&self) -> Option<Value> {
        match &self.repr {
            Repr::Concrete(value) => Some(value.clone()),
            Repr::Literal(scalar @ Scalar::Float(_)) => Some(Value::scalar(*scalar, DType::F64)),
            Repr::Literal(scalar) => Some(Value::scalar(*scalar, literal_dtype(*scalar))),
            Repr::Weak(weak) => weak.made(DType::F64, self.location)?.value_ref().cloned(),
            Repr::Traced(_) | Repr::Invalid(_) => None,
        }
    }

    /// The array with an element type: that of [`Array::dtype`] where nobody has named one.
    #[track_caller]
    pub fn decided(&self) -> Array {
        if self.is_weak() { self.in_dtype(self.dtype()) } else { self.clone() }
    }

    /// Integers and truth values as floats of a type that is still to be decided.
    #[track_caller]
    pub(crate) fn to_float(&self) -> Array {
        let location = here();
        match &self.repr {
            Repr::Literal(scalar) => {
                Array { repr: Repr::Literal(Scalar::Float(scalar.as_f64())), location }
            }
            Repr::Concrete(_) | Repr::Traced(_) if !self.dtype().is_float() => {
                Array::undecided(|dtype| converted(self, dtype))
            }
            Repr::Weak(weak) if !weak.default.is_float() => {
                Array::undecided(|dtype| self.in_dtype(dtype))
            }
            _ => self.clone(),
        }
    }
}

/// The type that undecided floats take by themselves: the wider of their defaults.
pub(crate) fn default_of(arrays: &[&Array]) -> DType {
    let wide = arrays.iter().any(|a| a.is_weak_float() && a.dtype() == DType::F64);
    if wide { DType::F64 } else { DType::F32 }
}

/// The float type that an operand decides.
pub(crate) fn decision<'a>(operands: impl IntoIterator<Item = &'a &'a Array>) -> Option<DType> {
    operands
        .into_iter()
        .filter(|a| !a.is_weak() && a.error().is_none())
        .map(|a| a.dtype())
        .find(|dtype| dtype.is_float())
}

/// One result in each type: undecided if it is a float, that of the default type otherwise.
pub(crate) fn joined(narrow: Array, wide: Array, default: DType, location: Loc) -> Array {
    match (narrow.dtype(), wide.dtype()) {
        (DType::F32, DType::F64) => Array::pair(narrow, wide, default, location),
        _ if default == DType::F64 => wide,
        _ => narrow,
    }
}

/// The element types of the operands of an op that has them written down.
fn declared(op: &Op, count: usize) -> Option<Vec<DType>> {
    let types = |graph: &Graph| graph.input_types().map(|ty| ty.dtype).collect();
    if let Op::Callback(callback) = op {
        return Some(callback.inputs.iter().map(|ty| ty.dtype).collect());
    }
    let declared: Vec<DType> = match op.nested()? {
        Nested::Call(graph) | Nested::Checkpoint(graph) => types(graph),
        Nested::Custom(custom) => types(&custom.graph),
        Nested::Scan(scan) => types(&scan.body),
        Nested::Switch(switch) => {
            let rest = switch.branches.first().map_or_else(Vec::new, |branch| types(branch));
            std::iter::once(DType::I32).chain(rest).collect()
        }
        Nested::While(w) => {
            let mut all: Vec<DType> = types(&w.cond);
            all.truncate(w.cond_consts);
            all.extend(types(&w.body));
            all
        }
    };
    Some(declared).filter(|types| types.len() == count)
}

/// Whether the results are floats of the operands' type.
fn keeps_type(op: &Op) -> bool {
    !matches!(op, Op::Compare(_) | Op::Cast(_) | Op::Bitcast(_) | Op::Unary(UnaryOp::IsFinite))
        && op.graphs().is_empty()
        && !matches!(op, Op::Callback(_))
}

/// [`apply`] with operands of which some floats have no type.
#[track_caller]
pub(crate) fn bind(op: Op, inputs: &[&Array]) -> Outputs {
    let location = here();
    let typed = |of: &dyn Fn(usize, &Array) -> DType| -> Vec<Array> {
        inputs.iter().enumerate().map(|(i, a)| a.in_dtype(of(i, a))).collect()
    };
    let run = |op: Op, operands: Vec<Array>| {
        with_location(location, || apply(op, &operands.iter().collect::<Vec<_>>()))
    };
    if let Op::Cast(dtype) = op
        && dtype.is_float()
        && let [x] = inputs
    {
        return smallvec::smallvec![x.in_dtype(dtype)];
    }
    if let Some(types) = declared(&op, inputs.len()) {
        return run(op, typed(&|i, _| types[i]));
    }
    let floats =
        |dtype: DType| typed(&|_, a: &Array| if a.is_weak_float() { dtype } else { a.dtype() });
    if let Some(dtype) = decision(inputs) {
        return run(op, floats(dtype));
    }
    let default = default_of(inputs);
    if !keeps_type(&op) || !inputs.iter().any(|a| a.is_weak_float()) {
        return run(op, floats(default));
    }
    if let [x] = inputs
        && let Some(filled) = refilled(&op, x, default, location)
    {
        return smallvec::smallvec![filled];
    }
    let (narrow, wide) = (run(op.clone(), floats(DType::F32)), run(op, floats(DType::F64)));
    narrow.into_iter().zip(wide).map(|(n, w)| joined(n, w, default, location)).collect()
}

/// Moving the elements of a constant that has one number everywhere gives another such.
fn refilled(op: &Op, x: &Array, default: DType, location: Loc) -> Option<Array> {
    let moves = matches!(
        op,
        Op::Broadcast { .. } | Op::Reshape { .. } | Op::Transpose { .. } | Op::Slice { .. }
    );
    let fill = match &x.repr {
        Repr::Literal(scalar) => *scalar,
        Repr::Weak(weak) => match weak.recipe {
            Recipe::Full(scalar) => scalar,
            _ => return None,
        },
        _ => return None,
    };
    let ty = ArrayType::new(default, x.shape());
    let result = if moves { infer(op, &[&ty]).ok()? } else { return None };
    Some(Array::filled(fill, default, result[0].shape.clone(), location))
}
