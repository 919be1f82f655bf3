//! Arrays, typed graphs and tracing: the ground floor of probpipe.
//!
//! [`Array`] is the one value users hold. Its operations compute at once on the reference
//! interpreter, or are recorded in a [`Graph`] while a trace is open. The crate knows no
//! transform, no backend and no device; [`Backend`] and [`Executable`] say what it expects of them.

#![forbid(unsafe_code)]

mod array;
mod backend;
mod callback;
mod containers;
mod control;
mod dtype;
mod error;
pub mod eval;
mod graph;
mod key;
pub mod op;
mod parse;
mod profile;
mod spare;
mod text;
mod tracing;
mod tree;
mod types;
mod value;
mod verify;

pub use array::*;
pub use backend::{Backend, Executable, Given, Interpreter, Values, zero_value};
pub use callback::{pure_callback, pure_callback_vectorized};
pub use control::{
    Branches, ScanOptions, associative_scan, cond, fori_loop, fori_loop_dynamic, map, scan,
    scan_reverse, switch, while_loop,
};
pub use dtype::{DType, Element, Scalar, promote_literal, promote_types};
pub use error::{Error, ErrorKind, Result};
pub use graph::{Eqn, Graph, GraphBuilder, VarId};
pub use key::{Key, RandomLayout, normal, normal_of, uniform, uniform_of, uniform_range};
pub use op::{
    BinaryOp, Callback, CompareOp, CumulativeOp, Custom, CustomRule, DotAxes, HostFn, LinalgOp, Op,
    ReduceOp, Scan, ScatterOp, Sparse, SpecialOp, Switch, UnaryOp, Vectors, While,
};
pub use parse::parse;
pub use probpipe_trace_derive::Tree;
pub use profile::{Profile, Region, RegionKind};
pub use spare::{keep_lines, release_memory, spare_lines};
pub use tracing::{
    Outputs, Traced, bind, bind1, default_float, here, inline, is_tracing, trace, trace_with,
    with_default_float, with_location, without_location,
};
pub use tree::{Flatten, Nest, Rebuild, Structure, Token, Tree, nest_by_path, tree_map};
pub use types::{
    ArrayType, Axes, Extents, IntoExtents, IntoShape, Loc, Shape, ShapeDisplay, broadcast_shapes, other_axes,
    row_major_strides,
};
pub use value::{DeviceBuffer, HostBuffer, Line, Storage, Value};
pub use verify::{VerifyError, verify};
