//! How running reductions and scatters combine elements: the state that they keep, and where
//! states lie between phases. Floats keep more than a number; see `kernels/wgsl/states.wgsl`.

use super::super::Emitter;
use super::super::expr::value_type;
use super::super::wide::is_pair;
use super::filling::Filling;
use probpipe_lowering::View;
use probpipe_trace::{CumulativeOp, DType, ScatterOp};

/// What becomes of two elements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    Last,
    Sum,
    Product,
    Min,
    Max,
}

impl From<CumulativeOp> for Join {
    fn from(op: CumulativeOp) -> Join {
        match op {
            CumulativeOp::Sum => Join::Sum,
            CumulativeOp::Prod => Join::Product,
            CumulativeOp::Max => Join::Max,
            CumulativeOp::Min => Join::Min,
        }
    }
}

impl From<ScatterOp> for Join {
    fn from(op: ScatterOp) -> Join {
        match op {
            ScatterOp::Set => Join::Last,
            ScatterOp::Add => Join::Sum,
            ScatterOp::Mul => Join::Product,
            ScatterOp::Min => Join::Min,
            ScatterOp::Max => Join::Max,
        }
    }
}

/// How elements of a type join.
#[derive(Clone, Copy)]
pub(super) struct Joining {
    join: Join,
    dtype: DType,
    wide: bool,
}

/// Where states lie: one array per part.
pub(super) struct States(Vec<View>);

impl Joining {
    /// `wide`: sums and products of floats keep more than the type holds.
    pub fn new(join: Join, dtype: DType, wide: bool) -> Joining {
        let open = matches!(join, Join::Sum | Join::Product) && dtype.is_float();
        Joining { join, dtype, wide: wide && open }
    }

    /// The WGSL type of a state.
    pub fn state(&self) -> &'static str {
        match self.dtype {
            DType::F64 if self.wide => "vec2<f64>",
            _ if self.wide => "vec2<f32>",
            dtype => value_type(dtype),
        }
    }

    /// How 64-bit integers become one.
    fn of_pairs(&self) -> &'static str {
        match (self.join, self.dtype) {
            (Join::Last, _) => "b",
            (Join::Sum, _) => "pp_long_add(a, b)",
            (Join::Product, _) => "pp_long_mul(a, b)",
            (Join::Min, DType::I64) => "pp_long_min_i64(a, b)",
            (Join::Max, DType::I64) => "pp_long_max_i64(a, b)",
            (Join::Min, _) => "pp_long_min_u64(a, b)",
            (Join::Max, _) => "pp_long_max_u64(a, b)",
        }
    }

    /// Adds `pp_join(a, b)`, `pp_wide(x)` and `pp_narrow(state)`.
    pub fn functions(&self, filling: &mut Filling) {
        let (state, ty) = (self.state(), value_type(self.dtype));
        let float = self.dtype == DType::F32;
        let double = self.dtype == DType::F64;
        let (join, wide, narrow) = match self.join {
            Join::Product if self.wide && double => {
                ("pp_join_product_f64(a, b)", "pp_wide_product_f64(x)", "pp_narrow_product_f64(a)")
            }
            Join::Sum if self.wide && double => {
                ("pp_join_sum_f64(a, b)", "pp_wide_sum_f64(x)", "pp_narrow_sum_f64(a)")
            }
            Join::Sum if self.wide => ("pp_join_sum(a, b)", "pp_wide_sum(x)", "pp_narrow_sum(a)"),
            Join::Product if self.wide => {
                ("pp_join_product(a, b)", "pp_wide_product(x)", "pp_narrow_product(a)")
            }
            Join::Last => ("b", "x", "a"),
            _ if is_pair(self.dtype) => (self.of_pairs(), "x", "a"),
            Join::Sum => ("a + b", "x", "a"),
            Join::Product => ("a * b", "x", "a"),
            Join::Min if double => ("pp_min_f64(a, b)", "x", "a"),
            Join::Max if double => ("pp_max_f64(a, b)", "x", "a"),
            Join::Min if float => ("pp_min(a, b)", "x", "a"),
            Join::Max if float => ("pp_max(a, b)", "x", "a"),
            Join::Min => ("min(a, b)", "x", "a"),
            Join::Max => ("max(a, b)", "x", "a"),
        };
        let code = format!("fn pp_join(a: {state}, b: {state}) -> {state} {{ return {join}; }}\n");
        filling.function("pp_join", code);
        let code = format!("fn pp_wide(x: {ty}) -> {state} {{ return {wide}; }}\n");
        filling.function("pp_wide", code);
        let code = format!("fn pp_narrow(a: {state}) -> {ty} {{ return {narrow}; }}\n");
        filling.function("pp_narrow", code);
    }

    /// Memory for states.
    pub fn states(&self, cx: &mut Emitter<'_>, size: usize, used: &mut usize) -> States {
        let parts = if self.wide { 2 } else { 1 };
        States((0..parts).map(|_| cx.scratch(self.dtype, size, used)).collect())
    }

    /// Adds `name(i)`, the state at a place.
    pub fn read(&self, filling: &mut Filling, cx: &Emitter<'_>, name: &str, states: &States) {
        let mut parts = Vec::new();
        for (k, view) in states.0.iter().enumerate() {
            filling.read(cx, &format!("{name}_{k}"), view);
            parts.push(format!("{name}_{k}(i)"));
        }
        let state = self.state();
        let value = format!("{state}({})", parts.join(", "));
        let code = format!("fn {name}(i: i32) -> {state} {{ return {value}; }}\n");
        filling.function(name, code);
    }

    /// Adds `name(i, state)`, which keeps a state.
    pub fn write(&self, filling: &mut Filling, cx: &Emitter<'_>, name: &str, states: &States) {
        let mut lines = String::new();
        for (k, (view, part)) in states.0.iter().zip([".x", ".y"]).enumerate() {
            filling.write(cx, &format!("{name}_{k}"), view);
            let part = if self.wide { part } else { "" };
            lines += &format!(" {name}_{k}(i, state{part});");
        }
        let code = format!("fn {name}(i: i32, state: {}) {{{lines} }}\n", self.state());
        filling.function(name, code);
    }
}
