//! The program: what a graph is lowered to, for any device. Statements over linear buffers; loops
//! are counted; every index is affine but for loads that say so. It names no instruction set, no
//! shader and no thread.
//!
//! Evaluation model. Statements run in order. A [`Kernel`] visits every point of its iteration
//! space (parallel axes, then reduced axes), evaluates its expressions there and does its stores;
//! its points are independent but for reductions, and it may read a buffer that it also writes
//! only at the very element that the same point writes. A [`Loop`] runs its body `length` times
//! with its index counting from 0. A [`While`] runs condition and body in turn until the condition
//! writes false; a [`Branch`] runs one of its lists.

use probpipe_trace::eval::IndexedDims;
use probpipe_trace::{
    ArrayType, BinaryOp, Callback, CompareOp, CumulativeOp, DType, LinalgOp, Loc, ReduceOp, Scalar,
    ScatterOp, SpecialOp, UnaryOp, Value,
};
use smallvec::SmallVec;
use std::fmt;
use std::sync::Arc;

/// A lowered program.
#[derive(Clone, Debug)]
pub struct Program {
    /// All memory, by [`BufferId`].
    pub buffers: Vec<Buffer>,
    /// Number of inputs; their buffers have [`Place::Input`].
    pub inputs: usize,
    /// Types of the outputs; their buffers have [`Place::Output`].
    pub outputs: Vec<ArrayType>,
    /// What to do.
    pub body: Vec<Stmt>,
    /// Size of the arena that holds all intermediate buffers.
    pub arena_bytes: usize,
    /// Number of loops; [`LoopId`]s are below it.
    pub loops: usize,
}

/// Names a buffer; prints as `b3`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// Names a loop; its index prints as `t0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopId(pub u32);

/// Names an expression of a kernel; prints as `e3`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub u32);

/// Contiguous memory for one array in row-major order.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// Element type and shape.
    pub ty: ArrayType,
    /// Where it lies.
    pub place: Place,
}

/// Where a buffer lies.
#[derive(Clone, Debug)]
pub enum Place {
    /// The caller's array, read only.
    Input(usize),
    /// A result that this call allocates.
    Output(usize),
    /// Data of the program, read only.
    Const(Value),
    /// Scratch memory at this byte offset of the arena, aligned as the options ask.
    Arena(usize),
}

/// One statement.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// A fused loop nest.
    Kernel(Kernel),
    /// A call of dense linear algebra.
    Library(Box<Library>),
    /// A counted loop.
    Loop(Loop),
    /// A loop that runs as long as a condition holds.
    While(While),
    /// One of several lists of statements.
    Branch(Branch),
}

/// A counted loop over statements.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Its index, for index maps in the body.
    pub id: LoopId,
    /// Number of iterations; may be zero.
    pub length: usize,
    /// What each iteration does.
    pub body: Vec<Stmt>,
    /// No iteration reads what another has written.
    pub apart: bool,
    /// The user's line.
    pub location: Loc,
}

/// A loop over statements that runs as long as a condition holds.
#[derive(Clone, Debug)]
pub struct While {
    /// Runs before every iteration and writes `test`.
    pub cond: Vec<Stmt>,
    /// A buffer of one `bool`: whether to run another iteration.
    pub test: BufferId,
    /// What each iteration does.
    pub body: Vec<Stmt>,
    /// The user's line.
    pub location: Loc,
}

/// Lists of statements of which one runs.
#[derive(Clone, Debug)]
pub struct Branch {
    /// A buffer of one `i32`: which list, clamped to those that there are.
    pub index: BufferId,
    /// At least one.
    pub branches: Vec<Vec<Stmt>>,
    /// The user's line.
    pub location: Loc,
}

/// A fused loop nest: one scalar expression graph at every point of an iteration space.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Extents of the parallel axes, outermost first.
    pub parallel: SmallVec<[usize; 4]>,
    /// Extents of the reduced axes, outermost first; they follow the parallel axes in index maps.
    pub reduce: SmallVec<[usize; 4]>,
    /// Expressions, each after its operands.
    pub exprs: Vec<Expr>,
    /// Element type of each expression.
    pub types: Vec<DType>,
    /// What is written.
    pub stores: Vec<Store>,
    /// The user's line of the last fused operation.
    pub location: Loc,
    /// The user's lines of all fused operations, each once.
    pub lines: SmallVec<[Loc; 4]>,
}

/// A scalar expression at one point of the iteration space.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A number of the expression's type.
    Literal(Scalar),
    /// An element of a buffer. With a guard, read only where the guard is true and zero
    /// elsewhere, where the index may be out of bounds.
    Load {
        /// The buffer.
        buffer: BufferId,
        /// Which element.
        index: IndexMap,
        /// A `bool` expression.
        guard: Option<ExprId>,
    },
    /// The element at the affine index plus `step` times the value of each `i32` expression of
    /// `at`, which is always inside the buffer.
    LoadAt {
        /// The buffer; the kernel does not write it.
        buffer: BufferId,
        /// The affine part.
        index: IndexMap,
        /// The computed part.
        at: SmallVec<[(ExprId, i64); 2]>,
    },
    /// The value of an index, converted to the expression's type (wrapping).
    Index(IndexMap),
    /// An elementwise op.
    Unary(UnaryOp, ExprId),
    /// An elementwise op.
    Binary(BinaryOp, ExprId, ExprId),
    /// The product of two floats plus a third, rounded once. Of programs that contract.
    MulAdd {
        /// What is multiplied.
        factors: [ExprId; 2],
        /// What is added.
        addend: ExprId,
        /// Whether the product, and whether the addend, is taken with the other sign.
        minus: [bool; 2],
    },
    /// The product of two floats, which only sums over reduced axes take: it may be rounded with
    /// them. Of programs that contract.
    Summand(ExprId, ExprId),
    /// A comparison; the operands' type is theirs, the result is `bool`.
    Compare(CompareOp, ExprId, ExprId),
    /// `condition ? on_true : on_false`.
    Select(ExprId, ExprId, ExprId),
    /// A special function, for backends that ask for it in kernels: see `Options::special_inline`.
    Special(SpecialOp, SmallVec<[ExprId; 3]>),
    /// Conversion to the expression's type, as `Op::Cast`.
    Cast(ExprId),
    /// The same bits as the expression's type, of equal width.
    Bitcast(ExprId),
}

impl Expr {
    /// The expressions that this one reads.
    pub fn operands(&self) -> SmallVec<[ExprId; 3]> {
        match *self {
            Expr::Literal(_) | Expr::Index(_) => SmallVec::new(),
            Expr::Load { guard, .. } => guard.into_iter().collect(),
            Expr::LoadAt { ref at, .. } => at.iter().map(|(place, _)| *place).collect(),
            Expr::Unary(_, x) | Expr::Cast(x) | Expr::Bitcast(x) => smallvec::smallvec![x],
            Expr::Binary(_, x, y) | Expr::Compare(_, x, y) | Expr::Summand(x, y) => {
                smallvec::smallvec![x, y]
            }
            Expr::MulAdd { factors: [x, y], addend, .. } => smallvec::smallvec![x, y, addend],
            Expr::Select(c, x, y) => smallvec::smallvec![c, x, y],
            Expr::Special(_, ref operands) => operands.clone(),
        }
    }

    /// The expressions that this one reads, to be renumbered.
    pub fn operands_mut(&mut self) -> SmallVec<[&mut ExprId; 3]> {
        match self {
            Expr::Literal(_) | Expr::Index(_) => SmallVec::new(),
            Expr::Load { guard, .. } => guard.iter_mut().collect(),
            Expr::LoadAt { at, .. } => at.iter_mut().map(|(place, _)| place).collect(),
            Expr::Unary(_, x) | Expr::Cast(x) | Expr::Bitcast(x) => smallvec::smallvec![x],
            Expr::Binary(_, x, y) | Expr::Compare(_, x, y) | Expr::Summand(x, y) => {
                smallvec::smallvec![x, y]
            }
            Expr::MulAdd { factors: [x, y], addend, .. } => smallvec::smallvec![x, y, addend],
            Expr::Select(c, x, y) => smallvec::smallvec![c, x, y],
            Expr::Special(_, operands) => operands.iter_mut().collect(),
        }
    }
}

/// An affine index: `offset + sum(axes[i] * i-th axis) + sum(step * loop index)`, in elements.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct IndexMap {
    /// The constant part.
    pub offset: i64,
    /// Steps along the parallel axes, then the reduced axes.
    pub axes: SmallVec<[i64; 4]>,
    /// Steps with the indices of enclosing loops.
    pub loops: SmallVec<[(LoopId, i64); 2]>,
}

/// A write of a kernel.
#[derive(Clone, Debug)]
pub struct Store {
    /// The buffer.
    pub buffer: BufferId,
    /// Which element; steps along reduced axes are zero if `reduce` is given.
    pub index: IndexMap,
    /// What is written, or combined.
    pub value: ExprId,
    /// How the points along the reduced axes combine. Without it every point writes.
    pub reduce: Option<ReduceOp>,
}

/// A call of dense linear algebra on whole arrays.
#[derive(Clone, Debug)]
pub struct Library {
    /// What is called.
    pub call: LibraryCall,
    /// The user's line.
    pub location: Loc,
}

/// What programs call on whole arrays: dense linear algebra, and the loops of which each step
/// needs the one before. Views of the latter and of decompositions have one axis of step 1: their
/// arrays are row-major.
#[derive(Clone, Debug)]
pub enum LibraryCall {
    /// `out[b, i, j] = sum_k lhs[b, i, k] * rhs[b, k, j]`; operands have axes (batch, row, column).
    Matmul {
        /// Batch extent; 1 when there is none.
        batch: usize,
        /// Rows of the result.
        m: usize,
        /// Columns of the result.
        n: usize,
        /// Contracted extent.
        k: usize,
        /// The left operand, three steps.
        lhs: View,
        /// The right operand, three steps.
        rhs: View,
        /// The result, three steps.
        out: View,
    },
    /// Lower Cholesky factors, zeros above the diagonal, NaN for a matrix that is not positive
    /// definite. Operands have axes (batch, row, column).
    Cholesky {
        /// Number of matrices.
        batch: usize,
        /// Rows of each.
        n: usize,
        /// The matrices; only the lower triangles are read.
        input: View,
        /// The factors.
        out: View,
    },
    /// `op(a) X = b`. Operands have axes (batch, row, column).
    TriangularSolve {
        /// Number of systems.
        batch: usize,
        /// Unknowns of each.
        n: usize,
        /// Right sides of each.
        columns: usize,
        /// Reads the lower triangle of `a`, else the upper.
        lower: bool,
        /// Solves with the transpose of `a`.
        transpose: bool,
        /// Takes the diagonal as ones.
        unit_diagonal: bool,
        /// The triangular matrices.
        a: View,
        /// The right sides.
        b: View,
        /// The solutions; never overlaps `a`, may be `b` exactly.
        out: View,
    },
    /// A decomposition, or what is made of one, matrix by matrix; see [`LinalgOp`]. All arrays are
    /// row-major. A matrix on which it fails gives NaN.
    Factors {
        /// What is computed: any but a Cholesky factor and a triangular solve.
        op: LinalgOp,
        /// The operands and their types.
        inputs: Vec<(View, ArrayType)>,
        /// The results; overlap nothing.
        outputs: Vec<(View, ArrayType)>,
    },
    /// `out = input`, then updates combined into it in order; see `Op::Scatter`. Where both are one
    /// view, as where a step of a loop writes into its carry, nothing is copied.
    Scatter {
        /// How they combine.
        op: ScatterOp,
        /// Extents.
        dims: IndexedDims,
        /// The array.
        input: View,
        /// One `i32` array per indexed axis.
        indices: Vec<View>,
        /// The updates.
        updates: View,
        /// The result; overlaps nothing.
        out: View,
    },
    /// Running reductions along the middle axis; see `Op::Cumulative`.
    Cumulative {
        /// How elements combine.
        op: CumulativeOp,
        /// Extents before, of and after the axis.
        extents: [usize; 3],
        /// From the last element to the first.
        reverse: bool,
        /// The array.
        input: View,
        /// The result; overlaps nothing.
        out: View,
    },
    /// A special function of each point; see `Op::Special`.
    Special {
        /// The function.
        op: SpecialOp,
        /// The number of points.
        size: usize,
        /// One array per operand.
        inputs: Vec<View>,
        /// The result; overlaps nothing.
        out: View,
    },
    /// Arrays sorted together along the middle axis; see `Op::Sort`.
    Sort {
        /// Extents before, of and after the axis.
        extents: [usize; 3],
        /// How many of the arrays are compared.
        num_keys: usize,
        /// The arrays.
        inputs: Vec<View>,
        /// The results; overlap nothing.
        outputs: Vec<View>,
    },
    /// A function of the host.
    Callback {
        /// What is called.
        callback: Arc<Callback>,
        /// Its operands.
        inputs: Vec<View>,
        /// Its results; overlap nothing.
        outputs: Vec<View>,
    },
}

/// A strided array of a library call.
#[derive(Clone, Debug)]
pub struct View {
    /// The buffer.
    pub buffer: BufferId,
    /// Steps along (batch, row, column) in `axes`.
    pub index: IndexMap,
}

impl Stmt {
    /// Whether it is such a statement, or has one inside it.
    pub fn has(&self, wanted: fn(&Stmt) -> bool) -> bool {
        wanted(self) || self.bodies().into_iter().flatten().any(|stmt| stmt.has(wanted))
    }

    /// The statements inside it.
    pub fn bodies(&self) -> SmallVec<[&[Stmt]; 2]> {
        match self {
            Stmt::Kernel(_) | Stmt::Library(_) => SmallVec::new(),
            Stmt::Loop(l) => smallvec::smallvec![&l.body[..]],
            Stmt::While(w) => smallvec::smallvec![&w.cond[..], &w.body[..]],
            Stmt::Branch(branch) => branch.branches.iter().map(Vec::as_slice).collect(),
        }
    }

    /// The user's line.
    pub fn location(&self) -> Loc {
        match self {
            Stmt::Kernel(kernel) => kernel.location,
            Stmt::Library(library) => library.location,
            Stmt::Loop(l) => l.location,
            Stmt::While(w) => w.location,
            Stmt::Branch(branch) => branch.location,
        }
    }
}

impl Program {
    /// The buffer's declaration.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }
}

impl LibraryCall {
    /// The arrays of the call, results last.
    pub fn views(&self) -> SmallVec<[&View; 3]> {
        match self {
            LibraryCall::Matmul { lhs, rhs, out, .. } => smallvec::smallvec![lhs, rhs, out],
            LibraryCall::Cholesky { input, out, .. } => smallvec::smallvec![input, out],
            LibraryCall::TriangularSolve { a, b, out, .. } => smallvec::smallvec![a, b, out],
            LibraryCall::Factors { inputs, outputs, .. } => {
                inputs.iter().chain(outputs).map(|(view, _)| view).collect()
            }
            LibraryCall::Scatter { input, indices, updates, out, .. } => {
                std::iter::once(input).chain(indices).chain([updates, out]).collect()
            }
            LibraryCall::Cumulative { input, out, .. } => smallvec::smallvec![input, out],
            LibraryCall::Special { inputs, out, .. } => inputs.iter().chain([out]).collect(),
            LibraryCall::Sort { inputs, outputs, .. }
            | LibraryCall::Callback { inputs, outputs, .. } => {
                inputs.iter().chain(outputs).collect()
            }
        }
    }
}

impl LibraryCall {
    /// The arrays that the call writes.
    pub fn results(&self) -> SmallVec<[&View; 2]> {
        match self {
            LibraryCall::Matmul { out, .. }
            | LibraryCall::Cholesky { out, .. }
            | LibraryCall::TriangularSolve { out, .. }
            | LibraryCall::Scatter { out, .. }
            | LibraryCall::Cumulative { out, .. }
            | LibraryCall::Special { out, .. } => smallvec::smallvec![out],
            LibraryCall::Factors { outputs, .. } => outputs.iter().map(|(view, _)| view).collect(),
            LibraryCall::Sort { outputs, .. } | LibraryCall::Callback { outputs, .. } => {
                outputs.iter().collect()
            }
        }
    }
}

impl Kernel {
    /// One point, where nothing is done.
    pub fn empty(location: Loc) -> Kernel {
        Kernel {
            parallel: SmallVec::new(),
            reduce: SmallVec::new(),
            exprs: Vec::new(),
            types: Vec::new(),
            stores: Vec::new(),
            location,
            lines: smallvec::smallvec![location],
        }
    }

    /// The element type of an expression.
    pub fn ty(&self, id: ExprId) -> DType {
        self.types[id.0 as usize]
    }

    /// The expression.
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }

    /// Number of points that run in parallel.
    pub fn parallel_size(&self) -> usize {
        self.parallel.iter().product()
    }

    /// Number of points that each reduction combines; 1 without reduced axes.
    pub fn reduce_size(&self) -> usize {
        self.reduce.iter().product()
    }
}

impl IndexMap {
    /// True if the index is the same at every point of the iteration space.
    pub fn is_uniform(&self) -> bool {
        self.axes.iter().all(|&step| step == 0)
    }
}

macro_rules! id_display {
    ($($Id:ident $prefix:literal;)*) => {$(
        impl fmt::Display for $Id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
        impl fmt::Debug for $Id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
id_display! { BufferId "b"; LoopId "t"; ExprId "e"; }
