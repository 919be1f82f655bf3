//! The text form of graphs. [`crate::parse`] reads it back. Nothing here judges a graph: broken
//! ones print too, because the faults that `verify` finds are shown with it.
//!
//! ```text
//! graph (%0:f32[3]) {
//!   %1:f32[] = const 2.0
//!   %2:f32[3] = broadcast %1 shape=[3] axes=[]
//!   %3:f32[3] = mul %0 %2
//!   return %3
//! }
//! ```
//!
//! Constants come first, then the equations. Numbers have the fewest digits that give back the same
//! bits; a NaN loses its payload. Ops that run graphs hold them as `body=graph ...`, `cond=`,
//! `branch0=`. Parameters that the result's type repeats (of `cast`, `bitcast`, `reshape`, the type
//! of `iota`) are not printed. `custom` and `callback` hold Rust code, of which the name is
//! printed; they are not read back. A comment runs from `;` to the end of its line.

use crate::dtype::for_dtype;
use crate::op::Op;
use crate::op::graph::{Eqn, Graph};
use crate::op::linalg::LinalgOp;
use crate::types::ShapeDisplay;
use crate::value::Value;
use crate::var::VarId;
use std::fmt::{self, Write};

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        graph(f, self, 0)
    }
}

/// A variable where it is defined: `%3:f32[2]`.
struct Definition<'a>(&'a Graph, VarId);

impl fmt::Display for Definition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.types.get(self.1.index()) {
            Some(ty) => write!(f, "{}:{ty}", self.1),
            None => write!(f, "{}:?", self.1),
        }
    }
}

fn graph(f: &mut dyn Write, graph: &Graph, depth: usize) -> fmt::Result {
    f.write_str("graph (")?;
    for (i, &var) in graph.inputs.iter().enumerate() {
        let comma = if i > 0 { ", " } else { "" };
        write!(f, "{comma}{}", Definition(graph, var))?;
    }
    f.write_str(") {\n")?;
    let indent = 2 * (depth + 1);
    for (var, value) in &graph.consts {
        write!(f, "{:indent$}{} = const ", "", Definition(graph, *var))?;
        constant(f, value)?;
        f.write_str("\n")?;
    }
    for eqn in &graph.eqns {
        write!(f, "{:indent$}", "")?;
        equation(f, graph, eqn, Some(depth))?;
        f.write_str("\n")?;
    }
    write!(f, "{:indent$}return", "")?;
    for (i, var) in graph.outputs.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        write!(f, "{comma} {var}")?;
    }
    write!(f, "\n{:1$}}}", "", 2 * depth)
}

/// The elements: a scalar bare, an array as a flat list in brackets.
fn constant(f: &mut dyn Write, value: &Value) -> fmt::Result {
    for_dtype!(value.ty().dtype, T => {
        let Ok(elements) = value.to_vec::<T>() else {
            return f.write_str("?");
        };
        if value.ty().rank() == 0 {
            return elements.iter().try_for_each(|v| number(f, v));
        }
        f.write_str("[")?;
        for (i, v) in elements.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            number(f, v)?;
        }
        f.write_str("]")
    })
}

/// `Debug` of Rust's numbers is the shortest text that reads back as the same number.
fn number(f: &mut dyn Write, v: &impl fmt::Debug) -> fmt::Result {
    let text = format!("{v:?}");
    f.write_str(if text == "NaN" { "nan" } else { &text })
}

/// One equation, on one line but for the bodies of loops and calls; without `depth` those are
/// left out.
fn equation(f: &mut dyn Write, graph: &Graph, eqn: &Eqn, depth: Option<usize>) -> fmt::Result {
    for &var in &eqn.outputs {
        write!(f, "{} ", Definition(graph, var))?;
    }
    write!(f, "= {}", eqn.op.name())?;
    for var in &eqn.inputs {
        write!(f, " {var}")?;
    }
    parameters(f, &eqn.op, depth)
}

/// An equation on one line, for messages; long ones are cut.
pub(crate) fn equation_line(graph: &Graph, eqn: &Eqn) -> String {
    let mut line = Line(String::new());
    if equation(&mut line, graph, eqn, None).is_err() {
        line.0.push_str(" ...");
    }
    line.0
}

/// A line that refuses more text once it is long.
struct Line(String);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() > 160 {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn parameters(f: &mut dyn Write, op: &Op, depth: Option<usize>) -> fmt::Result {
    let list = ShapeDisplay;
    match op {
        Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Select => Ok(()),
        Op::Cast(_) | Op::Bitcast(_) | Op::Threefry2x32 | Op::Reshape { .. } => Ok(()),
        Op::Special(op) => match op.orders() {
            Some(orders) => {
                let orders: Vec<usize> = orders.into_iter().map(usize::from).collect();
                write!(f, " orders={}", list(&orders))
            }
            None => Ok(()),
        },
        Op::Linalg(LinalgOp::Cholesky | LinalgOp::Lu | LinalgOp::LuDet) => Ok(()),
        Op::Reduce { op: _, axes } | Op::Reverse { axes } => write!(f, " axes={}", list(axes)),
        Op::Broadcast { shape, axes } => {
            write!(f, " shape={} axes={}", list(shape), list(axes))
        }
        Op::Transpose { permutation } => write!(f, " permutation={}", list(permutation)),
        Op::Slice { start, limit, stride } => {
            write!(f, " start={} limit={} stride={}", list(start), list(limit), list(stride))
        }
        Op::Pad { low, high, interior } => {
            write!(f, " low={} high={} interior={}", list(low), list(high), list(interior))
        }
        Op::Concat { axis } | Op::Iota { ty: _, axis } => write!(f, " axis={axis}"),
        Op::Gather { batch } | Op::Scatter { op: _, batch } => write!(f, " batch={batch}"),
        Op::Cumulative { op: _, axis, reverse } => write!(f, " axis={axis} reverse={reverse}"),
        Op::Sort { axis, num_keys } => write!(f, " axis={axis} num_keys={num_keys}"),
        Op::Dot(axes) => write!(
            f,
            " lhs_contract={} rhs_contract={} lhs_batch={} rhs_batch={}",
            list(&axes.lhs_contract),
            list(&axes.rhs_contract),
            list(&axes.lhs_batch),
            list(&axes.rhs_batch)
        ),
        Op::Linalg(LinalgOp::TriangularSolve { lower, transpose, unit_diagonal }) => {
            write!(f, " lower={lower} transpose={transpose} unit_diagonal={unit_diagonal}")
        }
        Op::Linalg(LinalgOp::LuSolve { transpose }) => write!(f, " transpose={transpose}"),
        Op::Linalg(LinalgOp::Qr { full }) => write!(f, " full={full}"),
        Op::Linalg(LinalgOp::Eigh { vectors }) => write!(f, " vectors={vectors}"),
        Op::Linalg(LinalgOp::Svd { vectors }) => write!(f, " vectors={}", vectors.name()),
        Op::Call { graph, name, lane } => {
            write!(f, " name={}", word(name))?;
            nested(f, "body", graph, depth)?;
            let Some(lane) = lane else { return Ok(()) };
            let flags = |flags: &[bool]| -> Vec<usize> {
                flags.iter().map(|&flag| usize::from(flag)).collect()
            };
            let (inputs, outputs) = (flags(&lane.inputs), flags(&lane.outputs));
            write!(f, " lanes={} of={} to={}", lane.count, list(&inputs), list(&outputs))?;
            nested(f, "lane", &lane.graph, depth)
        }
        Op::Scan(scan) => {
            write!(
                f,
                " consts={} carries={} length={} reverse={}",
                scan.consts, scan.carries, scan.length, scan.reverse
            )?;
            nested(f, "body", &scan.body, depth)
        }
        Op::Switch(switch) => {
            write!(f, " branches={}", switch.branches.len())?;
            let mut branches = switch.branches.iter().enumerate();
            branches.try_for_each(|(i, branch)| nested(f, &format!("branch{i}"), branch, depth))
        }
        Op::While(w) => {
            write!(f, " cond_consts={} body_consts={}", w.cond_consts, w.body_consts)?;
            nested(f, "cond", &w.cond, depth)?;
            nested(f, "body", &w.body, depth)
        }
        Op::Checkpoint { graph } => nested(f, "body", graph, depth),
        Op::Custom(custom) => {
            write!(f, " name={}", word(custom.rule.name()))?;
            nested(f, "body", &custom.graph, depth)
        }
        Op::Callback(callback) => {
            write!(f, " name={} vectorized={}", word(&callback.name), callback.vectorized)
        }
    }
}

fn nested(f: &mut dyn Write, key: &str, inner: &Graph, depth: Option<usize>) -> fmt::Result {
    write!(f, " {key}=")?;
    match depth {
        Some(depth) => graph(f, inner, depth + 1),
        None => f.write_str("graph (..) {..}"),
    }
}

/// The characters of names and numbers in the text form.
pub(crate) fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-')
}

/// A name as one word; characters that have no place there become `_`.
fn word(name: &str) -> String {
    if name.is_empty() {
        return "_".to_string();
    }
    name.chars().map(|c| if in_word(c) { c } else { '_' }).collect()
}
