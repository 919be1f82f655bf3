//! Recorded formulas as WGSL text: one `let` for each operation.
//!
//! Shader compilers take floating-point numbers for real ones: they cancel `(x + y) - x` to `y`,
//! add literals to each other, take common factors out and sum in other orders, which undoes every
//! sum that recovers what rounding lost, and makes results worse elsewhere. So a summand that is a
//! sum itself, or a product that might give a factor away, is hidden from its sum by
//! `pp_apart_f64`.

use super::{Id, Node, Op, Recording};
use std::fmt::Write;

/// A formula, and which of its values are hidden.
struct Printer<'a> {
    nodes: &'a [Node],
    /// Hidden where they are computed.
    hidden: Vec<bool>,
    /// The multiply-adds whose summand is hidden in them alone.
    hidden_there: Vec<bool>,
}

impl Printer<'_> {
    /// What a value is but for its sign.
    fn magnitude(&self, id: Id) -> Id {
        let Node { op, args } = &self.nodes[id as usize];
        if *op == Op::Neg { self.magnitude(args[0]) } else { id }
    }

    fn op(&self, id: Id) -> Op {
        self.nodes[self.magnitude(id) as usize].op
    }

    fn hide(&mut self, id: Id) {
        let id = self.magnitude(id);
        self.hidden[id as usize] = true;
    }

    fn hide_if_sum(&mut self, id: Id) {
        // What the argument is depends on who calls.
        let sums = matches!(self.op(id), Op::Add | Op::Sub | Op::Fma | Op::FmaExact);
        if sums || matches!(self.op(id), Op::ProductError | Op::Argument(_)) {
            self.hide(id);
        }
    }

    /// What may be taken out of a sum with the value.
    fn factors(&self, id: Id) -> Vec<Id> {
        let id = self.magnitude(id);
        let Node { op, args } = &self.nodes[id as usize];
        if *op == Op::Mul && !self.hidden[id as usize] { self.of_product(args) } else { vec![id] }
    }

    fn of_product(&self, args: &[Id]) -> Vec<Id> {
        let list = args.iter().map(|&arg| self.magnitude(arg));
        list.filter(|&id| !matches!(self.op(id), Op::Literal(_))).collect()
    }

    /// Hides what the sum, if the node is one, must not see.
    fn visit(&mut self, id: Id) {
        let Node { op, args } = &self.nodes[id as usize];
        let share = |a: &[Id], b: &[Id]| a.iter().any(|x| b.contains(x));
        match op {
            Op::Add | Op::Sub => {
                self.hide_if_sum(args[0]);
                self.hide_if_sum(args[1]);
                if share(&self.factors(args[0]), &self.factors(args[1])) {
                    let first = self.op(args[0]) == Op::Mul;
                    self.hide(args[usize::from(!first)]);
                }
            }
            Op::Fma => {
                self.hide_if_sum(args[2]);
                // It may be a factor itself, which hiding it everywhere would not change.
                self.hidden_there[id as usize] =
                    share(&self.of_product(&args[..2]), &self.factors(args[2]));
            }
            Op::FmaExact => self.hide_if_sum(args[2]),
            // Else the product might be rounded only with a sum that takes it.
            Op::ProductError => self.hide(args[2]),
            _ => {}
        }
    }

    /// The operation in terms of its arguments `{0}`, `{1}`, `{2}`.
    fn template(&self, id: Id) -> String {
        let node = &self.nodes[id as usize];
        let text = match node.op {
            Op::Argument(k) => ["x", "y", "z"][usize::from(k)],
            Op::Literal(bits) => return literal(bits),
            Op::Int(n) => return format!("({n})"),
            Op::Known(value) => return value.to_string(),
            Op::Add => "{0} + {1}",
            Op::Sub => "{0} - {1}",
            Op::Mul => "{0} * {1}",
            Op::Div => "{0} / {1}",
            Op::Neg => "-{0}",
            Op::Fma if self.hidden_there[id as usize] => "fma({0}, {1}, pp_apart_f64({2}))",
            Op::Fma => "fma({0}, {1}, {2})",
            Op::FmaExact => "pp_fma_exact_f64({0}, {1}, {2})",
            Op::ProductError => "pp_two_product_f64({0}, {1}).y",
            // Its square is not what stands under the root.
            Op::Sqrt => "pp_apart_f64(sqrt({0}))",
            Op::Abs => "pp_abs_f64({0})",
            Op::Copysign => "pp_copysign_f64({0}, {1})",
            Op::Round => "pp_nearest_f64({0})",
            Op::RoundInt => "pp_nearest_int_f64({0})",
            Op::Exp2Int => "pp_exp2_int_f64({0})",
            Op::ScaleExponent => "pp_scale_exponent_f64({0}, {1})",
            Op::Mantissa => "pp_mantissa_f64({0})",
            Op::Exponent => "f64(pp_biased_exponent_f64({0}) - 1023)",
            Op::BiasedExponent => "pp_biased_exponent_f64({0})",
            Op::LiftSubnormal => "pp_lift_subnormal_f64({0})",
            Op::Exp2MinusBiased => "pp_exp2_int_f64(1023 - {0})",
            Op::Bits => "pp_low_bits_f64({0})",
            Op::IntAdd => "{0} + {1}",
            Op::IntNeg => "-{0}",
            Op::IntBit(bit) => return format!("((bitcast<u32>({{0}}) >> {bit}u) & 1u) != 0u"),
            Op::Lt => "{0} < {1}",
            Op::Le => "{0} <= {1}",
            Op::Equals => "{0} == {1}",
            Op::IsNan => "pp_is_nan_f64({0})",
            Op::IsNegative => "pp_is_negative_f64({0})",
            Op::And => "{0} & {1}",
            Op::Or => "{0} | {1}",
            Op::Xor => "{0} != {1}",
            Op::Not => "!{0}",
            Op::Select | Op::IntSelect => "select({2}, {1}, {0})",
            Op::Library(name) => return format!("pp_{name}_f64({{0}})"),
        };
        text.to_owned()
    }

    /// How a node is written where it is used.
    fn name(&self, id: Id, user: Op, names: &[String]) -> String {
        let arithmetic =
            matches!(user, Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Fma | Op::FmaExact);
        match self.nodes[id as usize].op {
            // Sums with zero keep no sign, products with zero no NaN, unless the zero is hidden.
            Op::Literal(bits) if arithmetic && is_special(bits) => {
                format!("pp_apart_f64({})", literal(bits))
            }
            Op::Literal(bits) => literal(bits),
            _ => names[id as usize].clone(),
        }
    }
}

/// Whether arithmetic with the number has rules of its own.
fn is_special(bits: u64) -> bool {
    let x = f64::from_bits(bits);
    x == 0.0 || !x.is_finite()
}

fn literal(bits: u64) -> String {
    let x = f64::from_bits(bits);
    match x {
        _ if x.is_nan() => "pp_nan_f64()".to_owned(),
        f64::INFINITY => "pp_inf_f64()".to_owned(),
        f64::NEG_INFINITY => "pp_neg_f64(pp_inf_f64())".to_owned(),
        _ if bits >> 63 == 0 => format!("{x:?}lf"),
        _ if x == 0.0 => "pp_neg_f64(0.0lf)".to_owned(),
        _ => format!("({x:?}lf)"),
    }
}

/// The operations of the formula as statements, and what its result is called.
pub fn statements(recording: &Recording) -> (String, String) {
    let nodes = &recording.nodes[..];
    let mut printer =
        Printer { nodes, hidden: vec![false; nodes.len()], hidden_there: vec![false; nodes.len()] };
    let mut needed = vec![false; nodes.len()];
    needed[recording.result as usize] = true;
    for id in (0..nodes.len()).rev().filter(|&id| id <= recording.result as usize) {
        if needed[id] {
            nodes[id].args.iter().for_each(|&arg| needed[arg as usize] = true);
        }
    }
    let list = || (0..nodes.len() as Id).filter(|&id| needed[id as usize]);
    list().for_each(|id| printer.visit(id));
    // Nor does the caller see into it.
    printer.hide_if_sum(recording.result);

    let mut names = vec![String::new(); nodes.len()];
    let (mut text, mut count) = (String::new(), 0);
    for id in list() {
        let Node { op, args } = &nodes[id as usize];
        let hidden = printer.hidden[id as usize];
        let mut value = printer.template(id);
        for (k, &arg) in args.iter().enumerate() {
            value = value.replace(&format!("{{{k}}}"), &printer.name(arg, *op, &names));
        }
        let inline = matches!(op, Op::Argument(_) | Op::Literal(_) | Op::Int(_) | Op::Known(_));
        if inline && !hidden {
            names[id as usize] = value;
            continue;
        }
        let value = if hidden { format!("pp_apart_f64({value})") } else { value };
        names[id as usize] = format!("e{count}");
        count += 1;
        // A string takes everything.
        let _ = writeln!(text, "    let {} = {value};", names[id as usize]);
    }
    let result = printer.name(recording.result, Op::Select, &names);
    (text, result)
}
