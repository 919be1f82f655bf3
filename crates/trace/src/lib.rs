//! Arrays, typed graphs and tracing: the ground floor of probpipe.
//!
//! [`Array`] is the one value users hold. Its operations compute at once, on the reference
//! interpreter or, large ones, on the backend that made itself known, or are recorded in a
//! [`Graph`] while a trace is open. The crate knows no
//! transform, no backend and no device; [`Backend`] and [`Executable`] say what it expects of them.

#![forbid(unsafe_code)]

mod array;
mod asked;
mod backend;
mod builder;
mod callback;
mod caps;
mod containers;
mod context;
mod control;
mod dtype;
mod eager;
mod error;
pub mod eval;
mod flat;
mod frames;
mod handle;
mod into_tree;
mod key;
mod lanes;
mod memory;
pub mod op;
mod open;
mod parse;
mod profile;
mod promotion;
mod text;
mod token;
mod tracing;
pub mod tree;
mod tree_map;
mod types;
mod value;
mod var;
mod verify;
mod weak;

pub use array::*;
pub use backend::{Backend, Executable, Interpreter, zero_value};
pub use builder::GraphBuilder;
pub use callback::{pure_callback, pure_callback_vectorized};
pub use caps::{Caps, LaneForm};
pub use context::{
    Rounding, Subnormals, default_float, here, rounding, subnormals, with_default_float,
    with_location, with_rounding, with_subnormals, without_location,
};
pub use control::{
    Branches, ScanOptions, associative_scan, cond, fori_loop, fori_loop_dynamic, map, scan, scan_n,
    scan_reverse, switch, while_loop,
};
pub use dtype::{DType, Element, Scalar};
pub use eager::{compute_large_on, with_interpreted};
pub use error::{Error, ErrorKind, Result};
pub use flat::{Flat, Shell, last_resort, on_flat, through};
pub use frames::is_tracing;
pub use handle::{Array, Outputs};
pub use into_tree::IntoTree;
pub use key::{
    Key, RandomLayout, normal, normal_of, symmetric_uniform_of, uniform, uniform_of, uniform_range,
};
pub use lanes::KeyLanes;
pub use memory::{Line, keep_lines, release_memory, spare_lines};
pub use op::graph::{Eqn, Graph};
pub use op::{
    BinaryOp, Callback, CompareOp, CumulativeOp, Custom, CustomRule, DotAxes, HostFn, Lane,
    LinalgOp, Op, ReduceOp, Scan, ScatterOp, Sparse, SpecialOp, Switch, UnaryOp, Vectors, While,
};
pub use open::{Argument, Asked, Open, Traced, one_of, trace_open};
pub use parse::parse;
pub use probpipe_trace_derive::Tree;
pub use profile::{Placement, Profile, Region, RegionKind};
pub use promotion::{promote_literal, promote_types};
pub use tracing::{bind, bind1, inline, trace, trace_with};
pub use tree::{Flatten, Nest, Rebuild, Structure, Token, Tree, nest_by_path};
pub use tree_map::{tree_map, tree_map3};
pub use types::{
    ArrayType, Axes, Extents, IntoExtents, IntoShape, Loc, Shape, ShapeDisplay, broadcast_shapes,
    other_axes, row_major_strides,
};
pub use value::{DeviceBuffer, Given, HostBuffer, Storage, Value, Values};
pub use var::VarId;
pub use verify::{Verified, VerifyError, verify};
