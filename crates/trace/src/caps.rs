//! What a backend can run, and the check of a graph against it, for every backend in one place: an
//! op that is new cannot be forgotten here. How it is run is the backend's own.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::op::graph::Graph;
use crate::op::{LinalgOp, Op};
use crate::types::ArrayType;

/// How lanes run that have loops of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LaneForm {
    /// In step: each waits for the others, over arrays of all of them.
    #[default]
    InStep,
    /// In groups that fill vectors and stay in the nearest cache, and each by itself where loops
    /// hold loops or branches that lanes would wait in.
    Grouped,
    /// Each by itself where it may stop apart from others; in step where all loops are counted.
    Apart,
    /// As it was written, for a backend that hands programs on to others.
    AsWritten,
}

/// What a backend can run. Elementwise ops, reductions, products, movements of elements, reading at
/// computed places, Cholesky's factorisation, triangular systems and loops with a fixed number of
/// steps are asked of all.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// The name of the backend, for messages.
    pub backend: &'static str,
    /// The element types that arrays may have.
    pub dtypes: &'static [DType],
    /// Special functions, which are called point by point.
    pub special: bool,
    /// Scatters, running reductions and sorts, which take elements in an order.
    pub serial: bool,
    /// Factorisations other than Cholesky's, and solving by them.
    pub factors: bool,
    /// Branches and conditional loops.
    pub conditions: bool,
    /// Functions of the host.
    pub callbacks: bool,
    /// How lanes with branches and loops of their own run.
    pub lanes: LaneForm,
}

impl Caps {
    /// All that there is.
    pub const fn everything(backend: &'static str) -> Caps {
        Caps {
            backend,
            dtypes: &DType::ALL,
            special: true,
            serial: true,
            factors: true,
            conditions: true,
            callbacks: true,
            lanes: LaneForm::InStep,
        }
    }

    /// Nothing, for a device that is not there.
    pub const fn nothing(backend: &'static str) -> Caps {
        Caps {
            backend,
            dtypes: &[],
            special: false,
            serial: false,
            factors: false,
            conditions: false,
            callbacks: false,
            lanes: LaneForm::InStep,
        }
    }

    /// Whether the backend can run a graph.
    ///
    /// # Errors
    /// Names the first op or type that it lacks, the user's line, and what to do.
    pub fn check(&self, graph: &Graph) -> Result<()> {
        for eqn in graph.eqns() {
            let has = self.check_op(&eqn.op).map_err(|error| error.at(eqn.location));
            // Of these no type is looked at: others would not do either.
            if matches!(eqn.op, Op::Switch(_) | Op::While(_) | Op::Callback(_)) {
                has.clone()?;
            }
            for body in eqn.op.graphs() {
                self.check(body)?;
            }
            let name = eqn.op.name();
            let results = eqn.outputs.iter().map(|v| ("the result", v));
            for (role, v) in results.chain(eqn.inputs.iter().map(|v| ("an operand", v))) {
                self.check_type(graph.ty(*v), || format!("{role} of `{name}`"))
                    .map_err(|error| error.at(eqn.location))?;
            }
            has?;
        }
        for (i, ty) in graph.input_types().enumerate() {
            self.check_type(ty, || format!("argument {i}"))?;
        }
        for (i, ty) in graph.output_types().enumerate() {
            self.check_type(ty, || format!("result {i}"))?;
        }
        Ok(())
    }

    /// Whether arrays of a type can lie on the device; `what` is which array that is.
    ///
    /// # Errors
    /// Names the array and the types that there are.
    pub fn check_type(&self, ty: &ArrayType, what: impl FnOnce() -> String) -> Result<()> {
        if self.dtypes.contains(&ty.dtype) {
            return Ok(());
        }
        let (backend, what) = (self.backend, what());
        let message = format!("the {backend} backend has no {}: {what} is {ty}", ty.dtype);
        let help = if ty.dtype == DType::F64 {
            "use f32, for example with `.cast(DType::F32)`, or run on the CPU"
        } else {
            "use i32 or u32, or run on the CPU"
        };
        let error = Error::new(ErrorKind::Backend, message).help(help);
        let names: Vec<String> = self.dtypes.iter().map(DType::to_string).collect();
        Err(match names.split_last() {
            Some((last, others)) if !others.is_empty() => {
                error.note(format!("it computes with {} and {last}", others.join(", ")), None)
            }
            _ => error,
        })
    }

    /// Whether the backend has an op, its graphs apart.
    fn check_op(&self, op: &Op) -> Result<()> {
        let has = match op {
            Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select => true,
            Op::Cast(_) | Op::Bitcast(_) | Op::Threefry2x32 | Op::Iota { .. } => true,
            Op::Reduce { .. } | Op::Dot(_) => true,
            Op::Broadcast { .. } | Op::Reshape { .. } | Op::Transpose { .. } => true,
            Op::Slice { .. } | Op::Pad { .. } | Op::Concat { .. } | Op::Reverse { .. } => true,
            Op::Gather { .. } => true,
            Op::Call { .. } | Op::Checkpoint { .. } | Op::Custom(_) | Op::Scan(_) => true,
            Op::Special(_) => self.special,
            Op::Scatter { .. } | Op::Cumulative { .. } | Op::Sort { .. } => self.serial,
            Op::Linalg(op) => match op {
                LinalgOp::Cholesky | LinalgOp::TriangularSolve { .. } => true,
                LinalgOp::Lu | LinalgOp::LuDet | LinalgOp::LuSolve { .. } => self.factors,
                LinalgOp::Qr { .. } | LinalgOp::Eigh { .. } | LinalgOp::Svd { .. } => self.factors,
            },
            Op::Switch(_) | Op::While(_) => self.conditions,
            Op::Callback(_) => self.callbacks,
        };
        if has { Ok(()) } else { Err(self.refuse(op)) }
    }

    fn refuse(&self, op: &Op) -> Error {
        let (backend, name) = (self.backend, op.name());
        let (message, help) = if let Op::Callback(callback) = op {
            let name = &callback.name;
            (
                format!("the {backend} backend cannot call the host: `{name}` is a callback"),
                "leave it out of the compiled function, or compile for the CPU",
            )
        } else if matches!(op, Op::Switch(_) | Op::While(_)) {
            (
                format!("the {backend} backend has no `{name}` yet"),
                "use `select` and `fori_loop` there, or run on the CPU",
            )
        } else {
            (format!("the {backend} backend does not run `{name}`"), "run the program on the CPU")
        };
        Error::new(ErrorKind::Backend, message).help(help)
    }
}
