//! One shader per kernel: an invocation per parallel point, which loops over the reduced axes.
//! A large reduction over few points runs in passes: strided partial results by many
//! invocations, then a kernel that reduces those. No workgroup memory and no barriers (software
//! devices are slow at them), and the order of combination depends on shapes only.

use super::budget::cut_in_workgroup;
use super::expr::{self, At, Scope};
use super::needed::Needed;
use super::region::accesses_of;
use super::register::Register;
use super::task::{Task, Work};
use super::{Emitter, Target, Text, Uses};
use probpipe_lowering::{BufferId, Expr, ExprId, IndexMap, Kernel, Store};
use probpipe_trace::{ArrayType, DType, ReduceOp, Result, Scalar, row_major_strides};
use rustc_hash::FxHashMap;
use smallvec::smallvec;

/// Elements that one accumulator of a float sum takes before it is added to the next: the
/// rounding error of a sum grows with the longest chain of additions, here 32 + 32 + n / 1024,
/// and unlike compensation this survives compilers that reassociate.
const BLOCK: usize = 32;

/// A reduction in flight: the store it feeds and its accumulator.
struct Accumulator<'a> {
    store: &'a Store,
    op: ReduceOp,
    dtype: DType,
    name: String,
    levels: usize,
}

/// Which of the reduced elements of a point are visited, and how.
pub(super) enum Visit<'a> {
    /// All, in a loop.
    All,
    /// All, one after the other.
    WrittenOut,
    /// Only every so many-th from `lane` on, into buffers of partial results.
    Cut(usize, &'a [BufferId]),
}

/// One parallel point of a kernel, as its shader sees it.
pub(super) struct Point<'a> {
    /// Where along each parallel axis it is.
    pub axes: Vec<At>,
    /// The axis that runs across invocations that keep their own registers.
    pub lane: Option<usize>,
    /// Buffers that live in variables.
    pub registers: &'a FxHashMap<BufferId, Register>,
    pub visit: Visit<'a>,
}

/// How a reduction is cut: `lanes` invocations per point take every `lanes`-th element.
fn cut(points: usize, size: usize, target: &Target) -> Option<usize> {
    let (least, per_lane, invocations) =
        if target.software { (2048, 256, 256) } else { (512, 64, 1 << 16) };
    let lanes = (size / per_lane).min(invocations / points.max(1));
    let lanes = lanes.max(size.div_ceil(target.rounds));
    (size >= least && lanes >= 2).then_some(lanes)
}

impl Emitter<'_> {
    pub(super) fn kernel(&mut self, kernel: &Kernel, tasks: &mut Vec<Task>) -> Result<()> {
        let mut scratch = 0;
        self.kernel_pass(kernel, &mut scratch, tasks)
    }

    fn kernel_pass(
        &mut self,
        kernel: &Kernel,
        scratch: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let (points, size) = (kernel.parallel_size(), kernel.reduce_size());
        if points == 0 {
            return Ok(());
        }
        if size > i32::MAX as usize {
            return Err(super::too_large(
                "the points of a reduction",
                size as u64 * 4,
                self.target,
            )
            .at(kernel.location));
        }
        let reduces = kernel.stores.iter().any(|s| s.reduce.is_some());
        let cut = match self.together {
            None => cut(points, size, self.target),
            Some(width) => cut_in_workgroup(points, size, width),
        };
        match cut.filter(|_| reduces) {
            None => {
                tasks.push(Task::Work(self.point_work(kernel)));
                Ok(())
            }
            Some(lanes) => self.passes(kernel, lanes, scratch, tasks),
        }
    }

    /// A point of the work for each of the kernel, or one for all.
    pub(super) fn point_work(&self, kernel: &Kernel) -> Work {
        let mut text = Text { depth: 1, ..Text::default() };
        let mut uses = Uses::default();
        let registers = &self.registers;
        let written_out = self.is_written_out(kernel, None, registers);
        let points = if written_out {
            self.written_out(kernel, None, registers, &mut text, &mut uses);
            1
        } else {
            let axes = decompose("point", "i", &kernel.parallel, &mut text);
            let point = Point { axes, lane: None, registers, visit: Visit::All };
            self.body(kernel, point, &mut text, &mut uses);
            kernel.parallel_size()
        };
        let touched = accesses_of(kernel).map(|access| (access.buffer, access.store)).collect();
        let touched = Some(touched);
        Work { touched, ..Work::new(text, uses, points, kernel.location) }
    }

    /// Memory for the time of a statement.
    pub(super) fn scratch_buffer(&mut self, ty: &ArrayType, used: &mut usize) -> BufferId {
        let buffer = self.memory.scratch(ty, used);
        self.make_own(buffer);
        buffer
    }

    /// Partial reductions by `lanes` invocations per point, then a kernel that combines them.
    fn passes(
        &mut self,
        kernel: &Kernel,
        lanes: usize,
        scratch: &mut usize,
        tasks: &mut Vec<Task>,
    ) -> Result<()> {
        let points = kernel.parallel_size();
        let mut partials = Vec::new();
        for store in kernel.stores.iter().filter(|s| s.reduce.is_some()) {
            let ty = ArrayType::new(kernel.ty(store.value), [lanes, points]);
            partials.push(self.scratch_buffer(&ty, scratch));
        }
        let mut text = Text { depth: 1, ..Text::default() };
        let mut uses = Uses::default();
        text.line(format_args!("let lane = point / {points};"));
        text.line(format_args!("let at = point % {points};"));
        let axes = decompose("at", "i", &kernel.parallel, &mut text);
        let visit = Visit::Cut(lanes, &partials);
        let point = Point { axes, lane: None, registers: &self.registers, visit };
        self.body(kernel, point, &mut text, &mut uses);
        tasks.push(Task::Work(Work::new(text, uses, points * lanes, kernel.location)));

        let mut axes: smallvec::SmallVec<[i64; 4]> =
            row_major_strides(&kernel.parallel).iter().map(|&s| s as i64).collect();
        axes.push(points as i64);
        let reduced = kernel.stores.iter().filter(|s| s.reduce.is_some());
        let mut rest = Kernel {
            parallel: kernel.parallel.clone(),
            reduce: smallvec![lanes],
            lines: kernel.lines.clone(),
            ..Kernel::empty(kernel.location)
        };
        for (i, (store, &buffer)) in reduced.zip(&partials).enumerate() {
            let index = IndexMap { axes: axes.clone(), ..IndexMap::default() };
            rest.exprs.push(Expr::Load { buffer, index, guard: None });
            rest.types.push(kernel.ty(store.value));
            let mut index = store.index.clone();
            index.axes.truncate(kernel.parallel.len());
            rest.stores.push(Store { index, value: ExprId(i as u32), ..store.clone() });
        }
        self.kernel_pass(&rest, scratch, tasks)
    }

    /// The work of one parallel point.
    pub(super) fn body(&self, kernel: &Kernel, point: Point<'_>, text: &mut Text, uses: &mut Uses) {
        let Point { axes, lane, registers, visit } = point;
        let size = kernel.reduce_size();
        let needed = Needed::new(kernel);
        let parallel_axes = axes.len();
        let mut scope = Scope { memory: &self.memory, kernel, axes, registers, lane };
        let at_first = kernel.reduce.iter().map(|_| At::Fixed(0));
        scope.axes.extend(at_first.clone());
        needed.fixed(&scope, text, uses);
        // What follows the length of the chain decides how many levels a sum needs.
        let chain = match visit {
            Visit::All | Visit::WrittenOut => size,
            Visit::Cut(lanes, _) => size.div_ceil(lanes),
        };
        let accumulators: Vec<Accumulator<'_>> = (kernel.stores.iter().enumerate())
            .filter_map(|(i, store)| {
                let op = store.reduce?;
                let dtype = kernel.ty(store.value);
                let sums = op == ReduceOp::Sum && dtype.is_float();
                let levels = match chain {
                    _ if !sums => 1,
                    0..=64 => 1,
                    65..=2048 => 2,
                    _ => 3,
                };
                Some(Accumulator { store, op, dtype, name: format!("r{i}"), levels })
            })
            .collect();
        for a in &accumulators {
            let start = match a.op {
                // What nothing is added to.
                ReduceOp::Sum if a.dtype.is_float() => expr::unseen(Scalar::Int(0), a.dtype),
                op => expr::identity(op, a.dtype),
            };
            for level in 0..a.levels {
                text.line(format_args!("var {}_{level} = {start};", a.name));
            }
        }
        match visit {
            // An empty reduction visits no point: only its identities are stored.
            _ if size == 0 => {}
            Visit::All | Visit::WrittenOut if size == 1 => {
                visited(&scope, &needed, &accumulators, text, uses)
            }
            Visit::WrittenOut => {
                for place in places(&kernel.reduce) {
                    text.open(format_args!("{{"));
                    scope.axes.truncate(parallel_axes);
                    scope.axes.extend(place.into_iter().map(At::Fixed));
                    visited(&scope, &needed, &accumulators, text, uses);
                    text.close();
                }
            }
            Visit::All | Visit::Cut(..) => {
                let (first, step) = match visit {
                    Visit::Cut(lanes, _) => ("lane", lanes),
                    _ => ("0", 1),
                };
                let opaque = self.target.opaque();
                text.open(format_args!(
                    "for (var r: i32 = {first}; r < {size}{opaque}; r = r + {step}) {{"
                ));
                let reduced = decompose("r", "j", &kernel.reduce, text);
                scope.axes.truncate(parallel_axes);
                scope.axes.extend(reduced);
                visited(&scope, &needed, &accumulators, text, uses);
                // With a cut, `r` runs in steps of `lanes`: count those.
                let count = match visit {
                    Visit::Cut(lanes, _) => format!("(r / {lanes})"),
                    _ => "r".into(),
                };
                carry_up(&accumulators, &count, text);
                text.close();
            }
        }
        scope.axes.truncate(parallel_axes);
        scope.axes.extend(at_first);
        for (i, a) in accumulators.iter().enumerate() {
            let total = (0..a.levels).map(|l| format!("{}_{l}", a.name)).collect::<Vec<_>>();
            let total = total.join(" + ");
            match visit {
                // Partial results lie as (lane, point), which is how `point` counts.
                Visit::Cut(_, partials) => {
                    let index = IndexMap { axes: smallvec![1], ..IndexMap::default() };
                    let axes = vec![At::Named("point".into())];
                    let scope = Scope { memory: &self.memory, kernel, axes, registers, lane: None };
                    scope.write(partials[i], &index, &total, text, uses);
                }
                Visit::All | Visit::WrittenOut => {
                    scope.store(a.store.buffer, &a.store.index, &total, text, uses)
                }
            }
        }
    }
}

/// What is done with a reduced element, or with the one of a point.
fn visited(
    scope: &Scope<'_>,
    needed: &Needed,
    accumulators: &[Accumulator<'_>],
    text: &mut Text,
    uses: &mut Uses,
) {
    needed.varying(scope, text, uses);
    for store in scope.kernel.stores.iter().filter(|s| s.reduce.is_none()) {
        scope.store(store.buffer, &store.index, &store.value.to_string(), text, uses);
    }
    for a in accumulators {
        let name = format!("{}_0", a.name);
        let next = expr::combine(a.op, a.dtype, &name, &a.store.value.to_string(), uses);
        text.line(format_args!("{name} = {next};"));
    }
}

/// Adds each full block to the next level.
fn carry_up(accumulators: &[Accumulator<'_>], count: &str, text: &mut Text) {
    let levels = accumulators.iter().map(|a| a.levels).max().unwrap_or(1);
    for level in 1..levels {
        let mask = BLOCK.pow(level as u32) - 1;
        text.open(format_args!("if (({count} & {mask}) == {mask}) {{"));
        for a in accumulators.iter().filter(|a| a.levels > level) {
            let (name, below) = (&a.name, level - 1);
            text.line(format_args!("{name}_{level} = {name}_{level} + {name}_{below};"));
            let zero = expr::literal(Scalar::Int(0), a.dtype);
            text.line(format_args!("{name}_{below} = {zero};"));
        }
        text.close();
    }
}

/// Splits a linear index into axis indices `{prefix}0, {prefix}1, ...`, outermost first; axes of
/// extent 1 need none.
pub(super) fn decompose(linear: &str, prefix: &str, extents: &[usize], text: &mut Text) -> Vec<At> {
    let mut axes = vec![At::Fixed(0); extents.len()];
    let strides = row_major_strides(extents);
    let real: Vec<usize> = (0..extents.len()).filter(|&a| extents[a] != 1).collect();
    for (i, &axis) in real.iter().enumerate() {
        let name = format!("{prefix}{axis}");
        let divided = match strides[axis] {
            1 => linear.to_string(),
            stride => format!("{linear} / {stride}"),
        };
        match i {
            0 => text.line(format_args!("let {name} = {divided};")),
            _ => text.line(format_args!("let {name} = ({divided}) % {};", extents[axis])),
        }
        axes[axis] = At::Named(name);
    }
    axes
}

/// All places of some extents, in order.
pub(super) fn places(extents: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let strides = row_major_strides(extents);
    (0..extents.iter().product()).map(move |i: usize| {
        extents.iter().zip(&strides).map(|(extent, stride)| i / stride % extent).collect()
    })
}
