//! Reads the text form of graphs that `text.rs` prints, and gives back an equal graph. A small
//! hand-written descent: tokens, then statements. What it accepts is well formed: the result has
//! passed [`verify`]. It is safe on any input: work and memory are bounded by the text's length.

use crate::dtype::{DType, Element, for_dtype};
use crate::error::{Error, ErrorKind, Result};
use crate::op::Op;
use crate::op::control::{Lane, Scan, Switch, While};
use crate::op::elementwise::{BinaryOp, CompareOp, UnaryOp};
use crate::op::graph::{Eqn, Graph};
use crate::op::indexing::{CumulativeOp, ScatterOp};
use crate::op::linalg::LinalgOp;
use crate::op::special::SpecialOp;
use crate::op::structural::{DotAxes, ReduceOp};
use crate::text::in_word;
use crate::types::{ArrayType, Axes, Loc, Shape};
use crate::value::Value;
use crate::var::VarId;
use crate::verify::{fits_in_memory, verify};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

/// Graphs nested deeper are refused, so that no text exhausts the stack.
const MAX_DEPTH: usize = 64;
/// Most entries of an extent or axis list; the rules for those may take quadratic time.
const MAX_LIST: usize = 64;
/// Most distinct names of calls that the process keeps, and their length.
const MAX_NAMES: usize = 1024;

/// Reads a graph from its text form. The error says the line and what was expected there, or
/// lists the faults of a graph that reads well but is not well formed.
///
/// ```
/// let text = "graph (%0:f32[2]) {\n  %1:f32[2] = exp %0\n  return %1\n}";
/// let graph = probpipe_trace::parse(text)?;
/// assert_eq!(graph.to_string(), text);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn parse(text: &str) -> Result<Graph> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, location: Location::caller() };
    let graph = parser.graph(0)?;
    if parser.peek() != Token::End {
        return Err(parser.expected("the end of the text"));
    }
    verify(&graph).map_err(|faults| Error::new(ErrorKind::Parse, faults.to_string()))?;
    Ok(graph)
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Token<'t> {
    Var(VarId),
    /// Names, keywords and numbers.
    Word(&'t str),
    Sign(char),
    End,
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Var(var) => write!(f, "`{var}`"),
            Token::Word(word) => write!(f, "`{}`", word.chars().take(40).collect::<String>()),
            Token::Sign(sign) => write!(f, "`{sign}`"),
            Token::End => f.write_str("the end of the text"),
        }
    }
}

fn error(line: usize, message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Parse, format!("line {line}: {message}"))
}

/// The tokens with their lines, and an end mark.
fn tokens(text: &str) -> Result<Vec<(Token<'_>, usize)>> {
    let mut list = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            '\n' => line += 1,
            ';' => length = rest.find('\n').unwrap_or(rest.len()),
            '%' => {
                length += rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1);
                let id = rest[1..length].parse().map_err(|_| {
                    error(line, "expected a variable as `%` and a number below 2^32")
                })?;
                list.push((Token::Var(VarId(id)), line));
            }
            '(' | ')' | '{' | '}' | '[' | ']' | ',' | ':' | '=' => {
                list.push((Token::Sign(c), line));
            }
            _ if in_word(c) => {
                length = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
                list.push((Token::Word(&rest[..length]), line));
            }
            _ if c.is_whitespace() => {}
            _ => return Err(error(line, format!("unexpected character {c:?}"))),
        }
        rest = &rest[length..];
    }
    list.push((Token::End, line));
    Ok(list)
}

struct Parser<'t> {
    tokens: Vec<(Token<'t>, usize)>,
    at: usize,
    location: Loc,
}

/// A definition as written: `%3:f32[2]`.
type Definition = (VarId, ArrayType);

impl<'t> Parser<'t> {
    /// The token `ahead` places on; the end mark repeats.
    fn ahead(&self, ahead: usize) -> Token<'t> {
        self.tokens.get(self.at + ahead).map_or(Token::End, |t| t.0)
    }

    fn peek(&self) -> Token<'t> {
        self.ahead(0)
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |t| t.1)
    }

    fn expected(&self, what: impl fmt::Display) -> Error {
        error(self.line(), format!("expected {what}, found {}", self.peek()))
    }

    /// Steps over `token` if it is next.
    fn skip(&mut self, token: Token<'_>) -> bool {
        let found = self.peek() == token;
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: char) -> Result<()> {
        if self.skip(Token::Sign(sign)) { Ok(()) } else { Err(self.expected(format!("`{sign}`"))) }
    }

    fn word(&mut self, what: &str) -> Result<&'t str> {
        match self.peek() {
            Token::Word(word) => {
                self.at += 1;
                Ok(word)
            }
            Token::Var(_) | Token::Sign(_) | Token::End => Err(self.expected(what)),
        }
    }

    fn keyword(&mut self, keyword: &str) -> Result<()> {
        if self.skip(Token::Word(keyword)) {
            Ok(())
        } else {
            Err(self.expected(format!("`{keyword}`")))
        }
    }

    /// `graph (definitions) { statements return outputs }`.
    fn graph(&mut self, depth: usize) -> Result<Graph> {
        if depth > MAX_DEPTH {
            return Err(error(self.line(), format!("graphs nest deeper than {MAX_DEPTH}")));
        }
        let mut types = FxHashMap::default();
        let mut graph = Graph {
            types: Vec::new(),
            inputs: Vec::new(),
            consts: Vec::new(),
            eqns: Vec::new(),
            outputs: Vec::new(),
        };
        // The first type stands; `verify` reports that the variable is defined twice.
        let mut define = |(var, ty): Definition| {
            types.entry(var).or_insert(ty);
            var
        };
        self.keyword("graph")?;
        self.sign('(')?;
        while !self.skip(Token::Sign(')')) {
            if !graph.inputs.is_empty() {
                self.sign(',')?;
            }
            graph.inputs.push(define(self.definition()?));
        }
        self.sign('{')?;
        while self.peek() != Token::Word("return") {
            let mut results: SmallVec<[Definition; 1]> = SmallVec::new();
            while let Token::Var(_) = self.peek() {
                results.push(self.definition()?);
            }
            self.sign('=')?;
            let line = self.line();
            let name = self.word("the name of an op, or `const`")?;
            if name == "const" {
                let [(_, ty)] = results.as_slice() else {
                    return Err(error(line, "a constant defines one variable"));
                };
                let value = self.constant(ty)?;
                graph.consts.extend(results.into_iter().map(|r| (define(r), value.clone())));
            } else {
                let (op, inputs) = self.application(name, line, &results, depth)?;
                let outputs = results.into_iter().map(&mut define).collect();
                graph.eqns.push(Eqn { op, inputs, outputs, location: self.location });
            }
        }
        self.keyword("return")?;
        while let Token::Var(var) = self.peek() {
            self.at += 1;
            graph.outputs.push(var);
            if !self.skip(Token::Sign(',')) {
                break;
            }
        }
        let line = self.line();
        self.sign('}')?;
        graph.types = table(types, line)?;
        Ok(graph)
    }

    fn definition(&mut self) -> Result<Definition> {
        let Token::Var(var) = self.peek() else {
            return Err(self.expected("a variable and its type, such as `%0:f32[3]`"));
        };
        self.at += 1;
        self.sign(':')?;
        let Token::Word(name) = self.peek() else {
            return Err(self.expected("an element type"));
        };
        let dtype: DType = name.parse().map_err(|_| self.expected("an element type"))?;
        self.at += 1;
        Ok((var, ArrayType { dtype, shape: self.list()? }))
    }

    /// `[1,2,3]`.
    fn list(&mut self) -> Result<Shape> {
        let mut list = Shape::new();
        self.sign('[')?;
        while !self.skip(Token::Sign(']')) {
            if !list.is_empty() {
                self.sign(',')?;
            }
            list.push(self.number()?);
            if list.len() > MAX_LIST {
                return Err(error(self.line(), format!("a list has more than {MAX_LIST} entries")));
            }
        }
        Ok(list)
    }

    /// A count, with room to add a few of them without overflow.
    fn number(&mut self) -> Result<usize> {
        let Token::Word(word) = self.peek() else {
            return Err(self.expected("a number"));
        };
        match word.parse() {
            Ok(n) if n <= isize::MAX as usize => {
                self.at += 1;
                Ok(n)
            }
            _ => Err(self.expected("a whole number below 2^63")),
        }
    }

    /// A bare number for a scalar, else a flat list.
    fn constant(&mut self, ty: &ArrayType) -> Result<Value> {
        let line = self.line();
        if !fits_in_memory(ty) {
            return Err(error(line, format!("{ty} does not fit in memory")));
        }
        for_dtype!(ty.dtype, T => {
            let mut data: Vec<T> = Vec::new();
            if ty.rank() == 0 {
                data.push(self.element()?);
            } else {
                self.sign('[')?;
                while !self.skip(Token::Sign(']')) {
                    if !data.is_empty() {
                        self.sign(',')?;
                    }
                    data.push(self.element()?);
                }
            }
            Value::from_elements(&data, &ty.shape).map_err(|e| error(line, e.message()))
        })
    }

    fn element<T: Element + std::str::FromStr>(&mut self) -> Result<T> {
        if let Token::Word(word) = self.peek()
            && let Ok(v) = word.parse()
        {
            self.at += 1;
            return Ok(v);
        }
        Err(self.expected(format!("a number of type {}", T::DTYPE)))
    }

    /// What stands right of `=`: the op `name`, its operands and its parameters.
    fn application(
        &mut self,
        name: &str,
        line: usize,
        results: &[Definition],
        depth: usize,
    ) -> Result<(Op, SmallVec<[VarId; 3]>)> {
        let mut inputs = SmallVec::new();
        while let (Token::Var(var), next) = (self.peek(), self.ahead(1))
            && next != Token::Sign(':')
        {
            self.at += 1;
            inputs.push(var);
        }
        let mut parameters = Parameters { op: name.to_string(), line, list: vec![] };
        while let (Token::Word(key), Token::Sign('=')) = (self.peek(), self.ahead(1)) {
            self.at += 2;
            let line = self.line();
            let value = match self.peek() {
                Token::Sign('[') => Parameter::List(self.list()?),
                Token::Word("graph") if key != "name" => Parameter::Graph(self.graph(depth + 1)?),
                Token::Word(word) => {
                    self.at += 1;
                    Parameter::Word(word)
                }
                Token::Var(_) | Token::Sign(_) | Token::End => {
                    return Err(self.expected("a number, a list, a name or a graph"));
                }
            };
            if parameters.list.iter().any(|p| p.0 == key) {
                return Err(error(line, format!("parameter `{key}` is given twice")));
            }
            parameters.list.push((key, value));
        }
        let op = operation(name, results, &mut parameters)?;
        match parameters.list.first() {
            None => Ok((op, inputs)),
            Some((key, _)) => {
                let message = format!("`{name}` has no parameter `{key}`");
                Err(error(parameters.line, message))
            }
        }
    }
}

/// The table of variables; ids must count from zero without gaps.
fn table(mut types: FxHashMap<VarId, ArrayType>, line: usize) -> Result<Vec<ArrayType>> {
    let count = types.len();
    (0..count)
        .map(|i| {
            types.remove(&VarId(i as u32)).ok_or_else(|| {
                let message = format!("the graph defines {count} variables, but not %{i}");
                error(line, message).help("number variables from %0 on without gaps")
            })
        })
        .collect()
}

enum Parameter<'t> {
    Word(&'t str),
    List(Shape),
    Graph(Graph),
}

struct Parameters<'t> {
    op: String,
    line: usize,
    list: Vec<(&'t str, Parameter<'t>)>,
}

impl<'t> Parameters<'t> {
    fn wrong(&self, key: &str, what: &str) -> Error {
        error(self.line, format!("`{}` needs the parameter `{key}=` and {what}", self.op))
    }

    fn take(&mut self, key: &str, what: &str) -> Result<Parameter<'t>> {
        match self.list.iter().position(|p| p.0 == key) {
            Some(at) => Ok(self.list.remove(at).1),
            None => Err(self.wrong(key, what)),
        }
    }

    fn has(&self, key: &str) -> bool {
        self.list.iter().any(|p| p.0 == key)
    }

    fn list(&mut self, key: &str) -> Result<Axes> {
        let what = "a list, such as `[0,1]`";
        match self.take(key, what)? {
            Parameter::List(list) => Ok(list),
            Parameter::Word(_) | Parameter::Graph(_) => Err(self.wrong(key, what)),
        }
    }

    fn word<T: std::str::FromStr>(&mut self, key: &str, what: &str) -> Result<T> {
        if let Parameter::Word(word) = self.take(key, what)?
            && let Ok(v) = word.parse()
        {
            return Ok(v);
        }
        Err(self.wrong(key, what))
    }

    fn number(&mut self, key: &str) -> Result<usize> {
        let what = "a whole number below 2^63";
        let n = self.word(key, what)?;
        if n > isize::MAX as usize { Err(self.wrong(key, what)) } else { Ok(n) }
    }

    fn flag(&mut self, key: &str) -> Result<bool> {
        self.word(key, "`true` or `false`")
    }

    fn graph(&mut self, key: &str) -> Result<Arc<Graph>> {
        match self.take(key, "a graph")? {
            Parameter::Graph(graph) => Ok(Arc::new(graph)),
            Parameter::Word(_) | Parameter::List(_) => Err(self.wrong(key, "a graph")),
        }
    }
}

/// The op called `name`, from its parameters and, where those repeat them, its result types.
fn operation(name: &str, results: &[Definition], p: &mut Parameters<'_>) -> Result<Op> {
    if let Some(op) = UnaryOp::by_name(name) {
        return Ok(Op::Unary(op));
    }
    if let Some(op) = BinaryOp::by_name(name) {
        return Ok(Op::Binary(op));
    }
    if let Some(op) = CompareOp::by_name(name) {
        return Ok(Op::Compare(op));
    }
    if let Some(op) = SpecialOp::ALL.iter().find(|op| op.name() == name) {
        let orders = if op.orders().is_some() { p.list("orders")? } else { Axes::new() };
        let op = SpecialOp::by_name(name, &orders);
        return op
            .map(Op::Special)
            .ok_or_else(|| p.wrong("orders", "one small number per parameter"));
    }
    if let Some(op) = ReduceOp::ALL.into_iter().find(|op| op.name() == name) {
        return Ok(Op::Reduce { op, axes: p.list("axes")? });
    }
    if let Some(op) = ScatterOp::ALL.into_iter().find(|op| op.name() == name) {
        return Ok(Op::Scatter { op, batch: p.number("batch")? });
    }
    if let Some(op) = CumulativeOp::ALL.into_iter().find(|op| op.name() == name) {
        return Ok(Op::Cumulative { op, axis: p.number("axis")?, reverse: p.flag("reverse")? });
    }
    let line = p.line;
    let result = || match results {
        [(_, ty)] => Ok(ty.clone()),
        _ => Err(error(line, format!("`{name}` has one result, not {}", results.len()))),
    };
    Ok(match name {
        "select" => Op::Select,
        "cast" => Op::Cast(result()?.dtype),
        "bitcast" => Op::Bitcast(result()?.dtype),
        "threefry2x32" => Op::Threefry2x32,
        "broadcast" => Op::Broadcast { shape: p.list("shape")?, axes: p.list("axes")? },
        "reshape" => Op::Reshape { shape: result()?.shape },
        "transpose" => Op::Transpose { permutation: p.list("permutation")? },
        "slice" => Op::Slice {
            start: p.list("start")?,
            limit: p.list("limit")?,
            stride: p.list("stride")?,
        },
        "pad" => {
            Op::Pad { low: p.list("low")?, high: p.list("high")?, interior: p.list("interior")? }
        }
        "concat" => Op::Concat { axis: p.number("axis")? },
        "reverse" => Op::Reverse { axes: p.list("axes")? },
        "iota" => Op::Iota { ty: result()?, axis: p.number("axis")? },
        "gather" => Op::Gather { batch: p.number("batch")? },
        "sort" => Op::Sort { axis: p.number("axis")?, num_keys: p.number("num_keys")? },
        "dot" => Op::Dot(DotAxes {
            lhs_contract: p.list("lhs_contract")?,
            rhs_contract: p.list("rhs_contract")?,
            lhs_batch: p.list("lhs_batch")?,
            rhs_batch: p.list("rhs_batch")?,
        }),
        "cholesky" => Op::Linalg(LinalgOp::Cholesky),
        "triangular_solve" => Op::Linalg(LinalgOp::TriangularSolve {
            lower: p.flag("lower")?,
            transpose: p.flag("transpose")?,
            unit_diagonal: p.flag("unit_diagonal")?,
        }),
        "lu" => Op::Linalg(LinalgOp::Lu),
        "lu_solve" => Op::Linalg(LinalgOp::LuSolve { transpose: p.flag("transpose")? }),
        "lu_det" => Op::Linalg(LinalgOp::LuDet),
        "qr" => Op::Linalg(LinalgOp::Qr { full: p.flag("full")? }),
        "eigh" => Op::Linalg(LinalgOp::Eigh { vectors: p.flag("vectors")? }),
        "svd" => {
            let vectors = p.word("vectors", "`none`, `thin` or `full`")?;
            Op::Linalg(LinalgOp::Svd { vectors })
        }
        "call" => {
            let name: String = p.word("name", "a name")?;
            let graph = p.graph("body")?;
            let lane = match p.has("lanes") {
                true => Some(Arc::new(Lane {
                    count: p.number("lanes")?,
                    inputs: p.list("of")?.iter().map(|&flag| flag != 0).collect(),
                    outputs: p.list("to")?.iter().map(|&flag| flag != 0).collect(),
                    graph: p.graph("lane")?,
                })),
                false => None,
            };
            Op::Call { graph, name: keep(&name, line)?, lane }
        }
        "scan" => Op::Scan(Scan {
            consts: p.number("consts")?,
            carries: p.number("carries")?,
            length: p.number("length")?,
            reverse: p.flag("reverse")?,
            body: p.graph("body")?,
        }),
        "checkpoint" => Op::Checkpoint { graph: p.graph("body")? },
        "custom" | "callback" => {
            let message = "it holds Rust code, which a text cannot bring back";
            return Err(error(line, format!("`{name}` cannot be read: {message}")));
        }
        "switch" => Op::Switch(Switch {
            // A missing branch ends this, so the number needs no limit.
            branches: (0..p.number("branches")?)
                .map(|i| p.graph(&format!("branch{i}")))
                .collect::<Result<_>>()?,
        }),
        "while" => Op::While(While {
            cond_consts: p.number("cond_consts")?,
            body_consts: p.number("body_consts")?,
            cond: p.graph("cond")?,
            body: p.graph("body")?,
        }),
        _ => {
            let name: String = name.chars().take(40).collect();
            return Err(error(line, format!("expected the name of an op, found `{name}`")));
        }
    })
}

/// The name of a call as a `'static` string: each distinct name is leaked once, and few are kept.
fn keep(name: &str, line: usize) -> Result<&'static str> {
    static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.iter().find(|known| **known == name) {
        return Ok(known);
    }
    if names.len() >= MAX_NAMES || name.len() > MAX_LIST {
        return Err(error(line, "the name of a call is too long, or there are too many of them"));
    }
    let name: &'static str = Box::leak(name.into());
    names.push(name);
    Ok(name)
}
