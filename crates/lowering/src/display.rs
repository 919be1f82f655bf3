//! The text of a program, for dumps and golden tests. It is not parsed back.

use crate::program::*;
use probpipe_trace::{ArrayType, ShapeDisplay};
use std::fmt;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "program inputs={} arena={}", self.inputs, self.arena_bytes)?;
        for (i, buffer) in self.buffers.iter().enumerate() {
            match &buffer.place {
                Place::Input(k) => writeln!(f, "  b{i}: {} = input {k}", buffer.ty)?,
                Place::Output(k) => writeln!(f, "  b{i}: {} = output {k}", buffer.ty)?,
                Place::Const(_) => writeln!(f, "  b{i}: {} = const", buffer.ty)?,
                Place::Arena(at) => writeln!(f, "  b{i}: {} = arena {at}", buffer.ty)?,
            }
        }
        statements(f, &self.body, 1)
    }
}

fn statements(f: &mut fmt::Formatter<'_>, body: &[Stmt], depth: usize) -> fmt::Result {
    let pad = "  ".repeat(depth);
    for stmt in body {
        match stmt {
            Stmt::Kernel(kernel) => show_kernel(f, kernel, &pad)?,
            Stmt::Library(library) => match &library.call {
                LibraryCall::Factors { op, inputs, outputs } => {
                    writeln!(f, "{pad}{op:?} {} -> {}", arrays(inputs), arrays(outputs))?;
                }
                call => writeln!(f, "{pad}{call:?}")?,
            },
            Stmt::Loop(l) => {
                writeln!(f, "{pad}for {} in 0..{} {{", l.id, l.length)?;
                statements(f, &l.body, depth + 1)?;
                writeln!(f, "{pad}}}")?;
            }
            Stmt::While(w) => {
                writeln!(f, "{pad}while {{")?;
                statements(f, &w.cond, depth + 1)?;
                writeln!(f, "{pad}}} {} {{", w.test)?;
                statements(f, &w.body, depth + 1)?;
                writeln!(f, "{pad}}}")?;
            }
            Stmt::Branch(branch) => {
                writeln!(f, "{pad}switch {} {{", branch.index)?;
                for (i, body) in branch.branches.iter().enumerate() {
                    writeln!(f, "{pad}{i}:")?;
                    statements(f, body, depth + 1)?;
                }
                writeln!(f, "{pad}}}")?;
            }
        }
    }
    Ok(())
}

/// Row-major arrays with where they start.
fn arrays(list: &[(View, ArrayType)]) -> String {
    let show = |(view, ty): &(View, ArrayType)| format!("{}[{}]: {ty}", view.buffer, view.index);
    list.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn show_kernel(f: &mut fmt::Formatter<'_>, kernel: &Kernel, pad: &str) -> fmt::Result {
    write!(f, "{pad}kernel {}", ShapeDisplay(&kernel.parallel))?;
    if !kernel.reduce.is_empty() {
        write!(f, " reduce {}", ShapeDisplay(&kernel.reduce))?;
    }
    writeln!(f, " {{")?;
    for (i, (expr, ty)) in kernel.exprs.iter().zip(&kernel.types).enumerate() {
        write!(f, "{pad}  e{i}: {ty} = ")?;
        match expr {
            Expr::Literal(s) => write!(f, "{s}")?,
            Expr::Load { buffer, index, guard } => {
                write!(f, "{buffer}[{index}]")?;
                if let Some(guard) = guard {
                    write!(f, " if {guard}")?;
                }
            }
            Expr::LoadAt { buffer, index, at } => {
                write!(f, "{buffer}[{index}")?;
                for (place, step) in at {
                    write!(f, " + {step}*{place}")?;
                }
                write!(f, "]")?;
            }
            Expr::Index(index) => write!(f, "index {index}")?,
            Expr::Unary(op, x) => write!(f, "{} {x}", op.spec().name)?,
            Expr::Binary(op, x, y) => write!(f, "{} {x} {y}", op.spec().name)?,
            Expr::MulAdd { factors: [x, y], addend, minus } => {
                let sign = |minus: bool| if minus { "-" } else { "" };
                write!(f, "mul_add {}{x} {y} {}{addend}", sign(minus[0]), sign(minus[1]))?;
            }
            Expr::Summand(x, y) => write!(f, "summand {x} {y}")?,
            Expr::Compare(op, x, y) => write!(f, "{} {x} {y}", op.spec().name)?,
            Expr::Select(c, x, y) => write!(f, "select {c} {x} {y}")?,
            Expr::Special(op, operands) => {
                write!(f, "{}", op.name())?;
                if let Some(orders) = op.orders() {
                    write!(f, "{orders:?}")?;
                }
                operands.iter().try_for_each(|x| write!(f, " {x}"))?;
            }
            Expr::Cast(x) => write!(f, "cast {x}")?,
            Expr::Bitcast(x) => write!(f, "bitcast {x}")?,
        }
        writeln!(f)?;
    }
    for store in &kernel.stores {
        write!(f, "{pad}  {}[{}] = ", store.buffer, store.index)?;
        if let Some(op) = store.reduce {
            write!(f, "{} ", op.name())?;
        }
        writeln!(f, "{}", store.value)?;
    }
    writeln!(f, "{pad}}}")
}

impl fmt::Display for IndexMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        let mut term = |f: &mut fmt::Formatter<'_>, step: i64, name: String| {
            if step == 0 {
                return Ok(());
            }
            let sign = if first { "" } else { " + " };
            first = false;
            match step {
                1 => write!(f, "{sign}{name}"),
                _ => write!(f, "{sign}{step}*{name}"),
            }
        };
        for (id, step) in &self.loops {
            term(f, *step, id.to_string())?;
        }
        for (axis, step) in self.axes.iter().enumerate() {
            term(f, *step, format!("i{axis}"))?;
        }
        if first {
            write!(f, "{}", self.offset)
        } else if self.offset != 0 {
            write!(f, " + {}", self.offset)
        } else {
            Ok(())
        }
    }
}
