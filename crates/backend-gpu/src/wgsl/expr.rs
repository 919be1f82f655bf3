//! Scalar expressions as WGSL: one `let` per expression, since naga's parser recurses and its
//! passes are quickest on flat code. Functions whose built-in forms are loose, or do not follow
//! the interpreter at NaN, infinity or overflow, come from `kernels/wgsl/math.wgsl`.

use super::memory::Memory;
use super::register::Register;
use super::{Text, Uses, double, wide};
use probpipe_lowering::{BufferId, Expr, ExprId, IndexMap, Kernel};
use probpipe_trace::op::{BinaryInstruction, UnaryInstruction};
use probpipe_trace::{BinaryOp, CompareOp, DType, ReduceOp, Scalar, SpecialOp, UnaryOp};
use rustc_hash::FxHashMap;

/// Where the values of a kernel's axes are, while its expressions are emitted. The indices of loops
/// are variables of their names.
pub(super) struct Scope<'a> {
    pub memory: &'a Memory,
    pub kernel: &'a Kernel,
    pub axes: Vec<At>,
    /// Buffers that live in variables instead of memory.
    pub registers: &'a FxHashMap<BufferId, Register>,
    /// The axis that registers leave out, because each invocation has its own.
    pub lane: Option<usize>,
}

/// Where along an axis of a kernel a point is.
#[derive(Clone, Debug)]
pub(super) enum At {
    /// At the value of a variable.
    Named(String),
    /// At a place that is known: the first of one, or that of a point that is written out.
    Fixed(usize),
}

/// What a shader compiler would let cancel.
enum Cancels {
    /// An operand and the other.
    Itself,
    /// An operand and a part of the other.
    Part,
}

/// The WGSL type of a value in an expression.
pub(super) fn value_type(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "f32",
        DType::F64 => "f64",
        DType::I32 => "i32",
        DType::Bool => "bool",
        DType::I64 | DType::U64 => wide::TYPE,
        _ => "u32",
    }
}

/// An `i32` literal; the least one cannot be written as such.
fn int(v: i64) -> String {
    match v as i32 {
        i32::MIN => "bitcast<i32>(0x80000000u)".into(),
        v => format!("{v}"),
    }
}

/// A literal of an element type.
pub(super) fn literal(scalar: Scalar, dtype: DType) -> String {
    match dtype {
        DType::F32 => float(scalar.as_f64() as f32),
        DType::F64 => double::literal(scalar.as_f64()),
        DType::I32 => match scalar.as_i128() as i32 {
            i32::MIN => "bitcast<i32>(0x80000000u)".into(),
            v => format!("{v}i"),
        },
        DType::Bool => format!("{}", scalar.as_f64() != 0.0),
        DType::U8 => format!("{}u", scalar.as_i128() as u8),
        DType::I64 | DType::U64 => wide::literal(scalar.as_i128()),
        _ => format!("{}u", scalar.as_i128() as u32),
    }
}

/// WGSL refuses infinities and NaN, and may flush subnormal literals: those go by their bits.
fn float(v: f32) -> String {
    let a = v.abs();
    if v.to_bits() == 0 || (1e-5..1e9).contains(&a) {
        format!("{v:?}f")
    } else {
        format!("bitcast<f32>(0x{:08x}u)", v.to_bits())
    }
}

/// A number that shader compilers do not see. To those that do, and to whom no number is infinite
/// or NaN, `0 x` is 0, `x / 0` is `x` (Mesa 22.3.6) and `(x + 1) - 1` is `x`.
pub(super) fn unseen(scalar: Scalar, dtype: DType) -> String {
    match dtype {
        DType::F64 => double::unseen(scalar.as_f64().to_bits()),
        _ => unseen_bits((scalar.as_f64() as f32).to_bits()),
    }
}

fn unseen_bits(bits: u32) -> String {
    format!("bitcast<f32>(0x{bits:08x}u ^ pp_zero)")
}

/// What a reduction starts from.
pub(super) fn identity(op: ReduceOp, dtype: DType) -> String {
    let (least, most) = match dtype {
        _ if dtype.is_float() => (Scalar::Float(f64::NEG_INFINITY), Scalar::Float(f64::INFINITY)),
        DType::I32 => (Scalar::Int(i128::from(i32::MIN)), Scalar::Int(i128::from(i32::MAX))),
        DType::U8 => (Scalar::Int(0), Scalar::Int(i128::from(u8::MAX))),
        DType::I64 | DType::U64 => wide::range(dtype).map(Scalar::Int).into(),
        _ => (Scalar::Int(0), Scalar::Int(i128::from(u32::MAX))),
    };
    let scalar = match op {
        ReduceOp::Sum => Scalar::Int(0),
        ReduceOp::Prod => Scalar::Int(1),
        ReduceOp::Max => least,
        ReduceOp::Min => most,
        ReduceOp::And => Scalar::Bool(true),
        ReduceOp::Or => Scalar::Bool(false),
    };
    literal(scalar, dtype)
}

/// The combination of two partial results.
pub(super) fn combine(op: ReduceOp, dtype: DType, a: &str, b: &str, uses: &mut Uses) -> String {
    let float = dtype == DType::F32;
    match op {
        _ if wide::is_pair(dtype) => wide::combine(op, dtype, a, b, uses),
        _ if dtype == DType::F64 => double::combine(op, a, b, uses),
        ReduceOp::Sum => wrapped(format!("{a} + {b}"), dtype),
        ReduceOp::Prod => wrapped(format!("{a} * {b}"), dtype),
        ReduceOp::Max if float => uses.call("pp_max", &[a, b]),
        ReduceOp::Min if float => uses.call("pp_min", &[a, b]),
        ReduceOp::Max => format!("max({a}, {b})"),
        ReduceOp::Min => format!("min({a}, {b})"),
        ReduceOp::And => format!("{a} & {b}"),
        ReduceOp::Or => format!("{a} | {b}"),
    }
}

/// A value of one byte after an operation on words: what overflows is cut off.
fn wrapped(value: String, dtype: DType) -> String {
    if dtype == DType::U8 { format!("({value}) & 0xffu") } else { value }
}

impl Scope<'_> {
    /// An index as an `i32` expression.
    pub fn index(&self, map: &IndexMap) -> String {
        let mut terms = Vec::new();
        let mut term = |name: &str, step: i64| match step {
            0 => {}
            1 => terms.push(name.to_string()),
            _ => terms.push(format!("{name} * {}", int(step))),
        };
        for (id, step) in &map.loops {
            term(&id.to_string(), *step);
        }
        let mut offset = map.offset;
        for (at, step) in self.axes.iter().zip(&map.axes) {
            match at {
                At::Named(name) => term(name, *step),
                At::Fixed(place) => offset += *place as i64 * step,
            }
        }
        if terms.is_empty() {
            return int(offset);
        }
        if offset != 0 {
            terms.push(int(offset));
        }
        terms.join(" + ")
    }

    /// What holds a buffer, and where in it an element lies, or the first word of one.
    fn place(&self, buffer: BufferId, index: &IndexMap, uses: &mut Uses) -> (String, String) {
        let span = self.memory.span(buffer);
        uses.slots.extend(std::iter::repeat_n(span.slot, span.step()));
        let name = span.slot.name();
        let Some((id, count)) = span.copies else {
            if span.is_in_pairs() {
                return (name, self.bounded(&wide::doubled(index, span.start), i64::MAX));
            }
            let start = IndexMap { offset: index.offset + span.start as i64, ..index.clone() };
            return (name, self.bounded(&start, i64::MAX));
        };
        let of_one = self.bounded(index, span.size as i64);
        if span.is_in_pairs() {
            return (name, format!("(({of_one}) * {count} + {id}) * 2 + {}", span.start));
        }
        (name, format!("({of_one}) * {count} + {id} + {}", span.start))
    }

    /// An index for a subscript. WGSL refuses constants out of bounds, also behind a guard that
    /// is never true; such a load may read anything.
    fn bounded(&self, map: &IndexMap, size: i64) -> String {
        let text = self.index(map);
        match text.parse::<i64>() {
            Ok(constant) if constant < 0 || constant >= size => "0".into(),
            _ => text,
        }
    }

    /// Reads an element of a buffer, wherever it lives.
    pub fn load(&self, buffer: BufferId, index: &IndexMap, uses: &mut Uses) -> String {
        if let Some(register) = self.registers.get(&buffer) {
            return register.read(&self.local(register, index));
        }
        if let Some(number) = self.known(buffer, index) {
            return number;
        }
        self.read(buffer, index, uses)
    }

    /// Which element of a register an index means.
    fn local(&self, register: &Register, index: &IndexMap) -> String {
        self.bounded(&register.local(index, self.lane), register.size as i64)
    }

    /// An element of a constant, where it is known which.
    fn known(&self, buffer: BufferId, index: &IndexMap) -> Option<String> {
        let span = self.memory.span(buffer);
        let place = self.bounded(index, span.size as i64).parse().ok()?;
        let words = self.memory.constant(buffer, place)?;
        let word = *words.first()?;
        Some(match span.dtype {
            dtype if wide::is_wide(dtype) => {
                let bits = u64::from(*words.get(1)?) << 32 | u64::from(word);
                match dtype {
                    DType::F64 => double::unseen(bits),
                    _ => literal(Scalar::Int(i128::from(bits)), dtype),
                }
            }
            DType::F32 => unseen_bits(word),
            DType::Bool => format!("{}", word != 0),
            DType::I32 => literal(Scalar::Int(i128::from(word as i32)), DType::I32),
            dtype => literal(Scalar::Int(i128::from(word)), dtype),
        })
    }

    /// The value of the element at a place.
    fn decoded(&self, buffer: BufferId, name: &str, at: &str, uses: &mut Uses) -> String {
        let span = self.memory.span(buffer);
        let (dtype, element) = match span.is_in_pairs() {
            true => (span.dtype, wide::load(name, at)),
            false => (span.dtype, format!("{name}[{at}]")),
        };
        match dtype {
            DType::F64 => double::of_words(&element, uses),
            _ if span.is_in_pairs() => element,
            DType::Bool => format!("{element} != 0u"),
            DType::F32 | DType::I32 if span.slot.untyped() => {
                format!("bitcast<{}>({element})", value_type(dtype))
            }
            _ => element,
        }
    }

    /// Reads an element of a buffer in memory.
    pub fn read(&self, buffer: BufferId, index: &IndexMap, uses: &mut Uses) -> String {
        let (name, at) = self.place(buffer, index, uses);
        self.decoded(buffer, &name, &at, uses)
    }

    /// Assigns an element of a buffer, in memory.
    pub fn write(
        &self,
        buffer: BufferId,
        index: &IndexMap,
        value: &str,
        text: &mut Text,
        uses: &mut Uses,
    ) {
        let span = self.memory.span(buffer);
        let (name, at) = self.place(buffer, index, uses);
        let value = match span.dtype {
            DType::F64 => &double::words(value, uses),
            _ => value,
        };
        if span.is_in_pairs() {
            return text.line(format_args!("{}", wide::store(&name, &at, value)));
        }
        let element = format!("{name}[{at}]");
        match span.dtype {
            DType::Bool => text.line(format_args!("{element} = select(0u, 1u, {value});")),
            DType::F32 | DType::I32 if span.slot.untyped() => {
                text.line(format_args!("{element} = bitcast<u32>({value});"));
            }
            // Whatever a function made of words is a byte in memory.
            DType::U8 => text.line(format_args!("{element} = ({value}) & 0xffu;")),
            _ => text.line(format_args!("{element} = {value};")),
        }
    }

    /// Assigns an element of a buffer, wherever it lives.
    pub fn store(
        &self,
        buffer: BufferId,
        index: &IndexMap,
        value: &str,
        text: &mut Text,
        uses: &mut Uses,
    ) {
        match self.registers.get(&buffer) {
            Some(register) => {
                let value = wrapped(value.to_string(), self.memory.span(buffer).dtype);
                register.write(&self.local(register, index), &value, text);
            }
            None => self.write(buffer, index, value, text, uses),
        }
    }

    /// Emits one expression as `let eN = ...`.
    pub fn expr(&self, id: ExprId, text: &mut Text, uses: &mut Uses) {
        let kernel = self.kernel;
        let ty = kernel.ty(id);
        let name = |e: &ExprId| format!("{e}");
        let value = match kernel.expr(id) {
            Expr::Literal(scalar) if ty.is_float() => unseen(*scalar, ty),
            Expr::Literal(scalar) => literal(*scalar, ty),
            Expr::Load { buffer, index, guard: None } => self.load(*buffer, index, uses),
            Expr::Load { buffer, index, guard: Some(guard) } => {
                let loaded = self.load(*buffer, index, uses);
                text.line(format_args!("var {id} = {};", literal(Scalar::Int(0), ty)));
                text.line(format_args!("if ({guard}) {{ {id} = {loaded}; }}"));
                return;
            }
            Expr::LoadAt { buffer, index, at } => match self.registers.get(buffer) {
                Some(register) => {
                    let first = self.index(&register.local(index, self.lane));
                    register.read(&format!("{first}{}", computed(at, 1)))
                }
                None => {
                    let (name, first) = self.place(*buffer, index, uses);
                    let span = self.memory.span(*buffer);
                    let step = span.copies.map_or(1, |(_, count)| count) * span.step();
                    let at = format!("{first}{}", computed(at, step));
                    self.decoded(*buffer, &name, &at, uses)
                }
            },
            Expr::Index(map) => {
                let index = format!("i32({})", self.index(map));
                convert(&index, DType::I32, ty, uses)
            }
            Expr::Unary(op, x) => wrapped(unary(*op, &name(x), kernel.ty(*x), uses), ty),
            Expr::Binary(op, x, y) => {
                let double = kernel.ty(*y) == DType::F64;
                // Of two exclusive ors nothing is left, and literals have one.
                let literal = matches!(kernel.expr(*y), Expr::Literal(_));
                let other = match self.cancels(*op, *x, *y) {
                    Some(_) if double => double::apart(&name(y), uses),
                    Some(Cancels::Part) if !literal => {
                        format!("bitcast<f32>(bitcast<u32>({y}) ^ pp_zero)")
                    }
                    // Not as above, or those would cancel.
                    Some(_) => format!("bitcast<f32>(bitcast<u32>({y}) + pp_zero)"),
                    None => name(y),
                };
                let value = match self.shift(*op, *y) {
                    Some(shift) => format!("{x} {shift}"),
                    None => binary(*op, &name(x), &other, ty, uses),
                };
                wrapped(value, ty)
            }
            // Of programs that contract, which those for GPUs do not.
            Expr::MulAdd { factors: [x, y], addend, minus } => {
                let sign = |minus: bool| if minus { "-" } else { "" };
                let (p, a) = (sign(minus[0]), sign(minus[1]));
                format!("fma({p}{}, {}, {a}{})", name(x), name(y), name(addend))
            }
            Expr::Summand(x, y) => format!("{} * {}", name(x), name(y)),
            Expr::Compare(op, x, y) if wide::is_pair(kernel.ty(*x)) => {
                wide::compare(*op, &name(x), &name(y), kernel.ty(*x), uses)
            }
            Expr::Compare(op, x, y) => {
                let checked = |e: &ExprId| {
                    kernel.ty(*e).is_float() && !matches!(kernel.expr(*e), Expr::Literal(_))
                };
                let function = match kernel.ty(*x) {
                    DType::F64 => "pp_is_nan_f64",
                    _ => "pp_is_nan",
                };
                let mut is_nan = |e: &ExprId| uses.call(function, &[&name(e)]);
                let nan = match (checked(x), checked(y)) {
                    (false, false) => None,
                    (true, false) => Some(is_nan(x)),
                    (false, true) => Some(is_nan(y)),
                    (true, true) => Some(format!("({} | {})", is_nan(x), is_nan(y))),
                };
                let nan = if self.is_nan_literal(*x) || self.is_nan_literal(*y) {
                    Some("true".to_string())
                } else {
                    nan
                };
                compare(*op, &name(x), &name(y), nan)
            }
            Expr::Select(c, x, y) => format!("select({y}, {x}, {c})"),
            Expr::Special(op, operands) => special(*op, operands, ty, uses),
            Expr::Cast(x) => convert(&name(x), kernel.ty(*x), ty, uses),
            Expr::Bitcast(x) if kernel.ty(*x) == ty => name(x),
            Expr::Bitcast(x) if ty == DType::F64 => double::of_words(&name(x), uses),
            Expr::Bitcast(x) if kernel.ty(*x) == DType::F64 => double::words(&name(x), uses),
            Expr::Bitcast(x) if wide::is_pair(ty) => name(x),
            Expr::Bitcast(x) => format!("bitcast<{}>({x})", value_type(ty)),
        };
        text.line(format_args!("let {id} = {value};"));
    }

    /// What cancels of two floats but for rounding, infinities and NaN, as in `(a + b) - b`, which
    /// is how sums keep what they lose: shader compilers let it.
    fn cancels(&self, op: BinaryOp, x: ExprId, y: ExprId) -> Option<Cancels> {
        let sums = |op: BinaryOp| matches!(op, BinaryOp::Add | BinaryOp::Sub);
        let products = |op: BinaryOp| matches!(op, BinaryOp::Mul | BinaryOp::Div);
        let kernel = self.kernel;
        let plain = |mut e: ExprId| {
            while let Expr::Unary(UnaryOp::Neg, inner) = *kernel.expr(e) {
                e = inner;
            }
            e
        };
        if !kernel.ty(x).is_float() || !sums(op) && !products(op) {
            return None;
        }
        let itself = match op {
            BinaryOp::Add => x != y,
            BinaryOp::Mul => false,
            _ => true,
        };
        let (x, y) = (plain(x), plain(y));
        if x == y {
            return itself.then_some(Cancels::Itself);
        }
        let has = |of: ExprId, part: ExprId| match *kernel.expr(of) {
            Expr::Binary(inner, a, b)
                if sums(op) == sums(inner) && products(op) == products(inner) =>
            {
                plain(a) == part || plain(b) == part
            }
            _ => false,
        };
        (has(x, y) || has(y, x)).then_some(Cancels::Part)
    }

    /// A shift by fewer places than there are bits, which needs no care.
    fn shift(&self, op: BinaryOp, places: ExprId) -> Option<String> {
        let Expr::Literal(scalar) = self.kernel.expr(places) else { return None };
        Some(self.kernel.ty(places)).filter(|dtype| !wide::is_pair(*dtype))?;
        let places = Some(scalar.as_i128()).filter(|places| (0..32).contains(places))?;
        match op.instruction()? {
            BinaryInstruction::Shl => Some(format!("<< {places}u")),
            BinaryInstruction::Shr => Some(format!(">> {places}u")),
            _ => None,
        }
    }

    fn is_nan_literal(&self, id: ExprId) -> bool {
        matches!(self.kernel.expr(id), Expr::Literal(Scalar::Float(v)) if v.is_nan())
    }
}

/// The computed part of an index, in elements of so many words.
fn computed(at: &[(ExprId, i64)], words: usize) -> String {
    let term = |(place, step): &(ExprId, i64)| format!(" + {place} * {}", int(step * words as i64));
    at.iter().map(term).collect()
}

fn unary(op: UnaryOp, x: &str, ty: DType, uses: &mut Uses) -> String {
    let float = ty == DType::F32;
    let Some(instruction) = op.instruction() else {
        uses.special += usize::from(op.is_special());
        return uses.call(&named(op.spec().name, ty), &[x]);
    };
    match instruction {
        _ if wide::is_pair(ty) => wide::unary(instruction, x, ty, uses),
        _ if ty == DType::F64 => double::unary(instruction, x, uses),
        // The sign of zero and of NaN turns too; `0 - x` would lose it.
        UnaryInstruction::Neg if float => format!("bitcast<f32>(bitcast<u32>({x}) ^ 0x80000000u)"),
        UnaryInstruction::Neg => format!("0 - {x}"),
        UnaryInstruction::Abs if float => format!("bitcast<f32>(bitcast<u32>({x}) & 0x7fffffffu)"),
        UnaryInstruction::Abs if ty == DType::I32 => format!("select({x}, 0 - {x}, {x} < 0)"),
        UnaryInstruction::Abs => x.to_string(),
        UnaryInstruction::Sign if float => {
            uses.functions.insert("pp_is_nan".into());
            uses.functions.insert("pp_copysign".into());
            format!(
                "select(pp_copysign(1.0f, {x}), {x}, pp_is_nan({x}) | ((bitcast<u32>({x}) & 0x7fffffffu) == 0u))"
            )
        }
        UnaryInstruction::Sign if ty == DType::I32 => format!("clamp({x}, -1, 1)"),
        UnaryInstruction::Sign => format!("min({x}, 1u)"),
        UnaryInstruction::Floor => format!("floor({x})"),
        UnaryInstruction::Ceil => format!("ceil({x})"),
        UnaryInstruction::Sqrt => {
            uses.functions.insert("pp_nan".into());
            format!("select(sqrt({x}), pp_nan(), {x} < 0.0f)")
        }
        UnaryInstruction::Not if ty == DType::Bool => format!("!{x}"),
        UnaryInstruction::Not => format!("~{x}"),
        UnaryInstruction::IsFinite => format!("(bitcast<u32>({x}) & 0x7f800000u) != 0x7f800000u"),
        UnaryInstruction::Round => uses.call("pp_round_even", &[x]),
    }
}

/// The function of `kernels/wgsl` for an operation on floats of a type.
fn named(operation: &str, dtype: DType) -> String {
    match dtype {
        DType::F64 => format!("pp_{operation}_f64"),
        _ => format!("pp_{operation}"),
    }
}

/// A special function: those with orders of derivatives have a form that takes them, beside that of
/// the value.
fn special(op: SpecialOp, operands: &[ExprId], dtype: DType, uses: &mut Uses) -> String {
    let mut arguments: Vec<String> = operands.iter().map(ExprId::to_string).collect();
    let mut function = op.name().to_string();
    let orders = op.orders().unwrap_or_default();
    if orders.iter().any(|&order| order > 0) {
        function.push_str("_derivative");
        arguments.extend(orders.iter().map(|order| format!("{order}i")));
    }
    let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
    uses.special += 1;
    uses.call(&named(&function, dtype), &arguments)
}

fn binary(op: BinaryOp, x: &str, y: &str, ty: DType, uses: &mut Uses) -> String {
    let Some(instruction) = op.instruction() else {
        return uses.call(&named(op.spec().name, ty), &[x, y]);
    };
    let function = match (instruction, ty) {
        _ if wide::is_pair(ty) => return wide::binary(instruction, x, y, ty, uses),
        (_, DType::F64) => return double::binary(instruction, x, y, uses),
        (BinaryInstruction::Add, _) => return format!("{x} + {y}"),
        (BinaryInstruction::Sub, _) => return format!("{x} - {y}"),
        (BinaryInstruction::Mul, _) => return format!("{x} * {y}"),
        (BinaryInstruction::Div, DType::F32) => return format!("{x} / {y}"),
        (BinaryInstruction::And, _) => return format!("{x} & {y}"),
        (BinaryInstruction::Or, _) => return format!("{x} | {y}"),
        (BinaryInstruction::Xor, DType::Bool) => return format!("{x} != {y}"),
        (BinaryInstruction::Xor, _) => return format!("{x} ^ {y}"),
        (BinaryInstruction::Max, DType::F32) => "pp_max",
        (BinaryInstruction::Min, DType::F32) => "pp_min",
        (BinaryInstruction::Max, _) => "max",
        (BinaryInstruction::Min, _) => "min",
        (BinaryInstruction::Rem, DType::F32) => "pp_rem",
        (BinaryInstruction::Div, DType::I32) => "pp_idiv_i32",
        (BinaryInstruction::Div, _) => "pp_idiv_u32",
        (BinaryInstruction::Rem, DType::I32) => "pp_irem_i32",
        (BinaryInstruction::Rem, _) => "pp_irem_u32",
        (BinaryInstruction::Shl, DType::I32) => "pp_shift_left_i32",
        (BinaryInstruction::Shl, _) => "pp_shift_left_u32",
        (BinaryInstruction::Shr, DType::I32) => "pp_shift_right_arithmetic_i32",
        (BinaryInstruction::Shr, _) => "pp_shift_right_logical_u32",
    };
    if function.starts_with("pp_") {
        return uses.call(function, &[x, y]);
    }
    format!("{function}({x}, {y})")
}

/// Shader compilers may assume that there is no NaN, for example turn `!(x < y)` into `x >= y`:
/// the test by bits keeps comparisons right whatever they do.
fn compare(op: CompareOp, x: &str, y: &str, nan: Option<String>) -> String {
    let symbol = match op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
    };
    match nan {
        None => format!("{x} {symbol} {y}"),
        Some(nan) if op == CompareOp::Ne => format!("({x} != {y}) | {nan}"),
        Some(nan) => format!("({x} {symbol} {y}) & !{nan}"),
    }
}

fn convert(x: &str, from: DType, to: DType, uses: &mut Uses) -> String {
    match (from, to) {
        _ if from == to => x.to_string(),
        _ if from == DType::F64 || to == DType::F64 => double::convert(x, from, to, uses),
        _ if wide::is_pair(from) || wide::is_pair(to) => wide::convert(x, from, to, uses),
        (DType::Bool, _) => {
            let (zero, one) = (literal(Scalar::Int(0), to), literal(Scalar::Int(1), to));
            format!("select({zero}, {one}, {x})")
        }
        (DType::F32, DType::Bool) => format!("(bitcast<u32>({x}) & 0x7fffffffu) != 0u"),
        (_, DType::Bool) => format!("{x} != {}", literal(Scalar::Int(0), from)),
        (DType::F32, DType::I32) => uses.call("pp_f32_to_i32", &[x]),
        (DType::F32, DType::U8) => format!("min({}, 255u)", uses.call("pp_f32_to_u32", &[x])),
        (DType::F32, _) => uses.call("pp_f32_to_u32", &[x]),
        (_, DType::F32) => format!("f32({x})"),
        (_, DType::U8) => format!("bitcast<u32>({x}) & 0xffu"),
        _ => format!("bitcast<{}>({x})", value_type(to)),
    }
}
