//! Of several generative functions one runs. Each is traced once; what it records is put among the
//! choices of all, of which those that it does not make are zeros and count nothing.

use super::{Alternatives, Branch};
use crate::generative::GenerativeFunction;
use crate::generative::census::Strangers;
use crate::generative::source::Source;
use crate::generative::subtrace::Subtrace;
use crate::generative::union::{nothing, owned, placed, union};
use probpipe_trace::{
    Array, ArrayType, DType, Error, ErrorKind, Flat, Graph, Loc, Op, Result, Traced, Tree, bind,
    full_typed, here, inline, trace, trace_with, with_location,
};
use std::sync::Arc;

/// See [`Alternatives::switch`].
#[derive(Clone, Copy, Debug)]
pub struct Switch<B> {
    pub(in crate::generative) branches: B,
}

impl<B: Alternatives> GenerativeFunction for Switch<B> {
    type Args = (Array, B::Args);
    type Value = B::Value;

    #[track_caller]
    fn trace(&self, source: Source, (index, args): Self::Args) -> (Subtrace, B::Value) {
        let list: Vec<Option<&dyn Branch<B::Args, B::Value>>> =
            self.branches.list().into_iter().map(Some).collect();
        run(here(), source, index, args, &list)
    }

    fn settled(&self) -> bool {
        self.branches.list().iter().all(|branch| branch.settled())
    }
}

/// See [`GenerativeFunction::masked`].
#[derive(Clone, Copy, Debug)]
pub struct Masked<G> {
    pub(in crate::generative) function: G,
}

impl<G: GenerativeFunction> GenerativeFunction for Masked<G> {
    type Args = (Array, G::Args);
    type Value = G::Value;

    #[track_caller]
    fn trace(&self, source: Source, (flag, args): Self::Args) -> (Subtrace, G::Value) {
        run(here(), source, flag, args, &[None, Some(&self.function)])
    }

    fn settled(&self) -> bool {
        self.function.settled()
    }
}

/// See [`GenerativeFunction::or_else`].
#[derive(Clone, Copy, Debug)]
pub struct OrElse<G, H> {
    pub(in crate::generative) yes: G,
    pub(in crate::generative) no: H,
}

impl<G, H> GenerativeFunction for OrElse<G, H>
where
    G: GenerativeFunction,
    H: GenerativeFunction<Args = G::Args, Value = G::Value>,
{
    type Args = (Array, G::Args);
    type Value = G::Value;

    #[track_caller]
    fn trace(&self, source: Source, (flag, args): Self::Args) -> (Subtrace, G::Value) {
        run(here(), source, flag, args, &[Some(&self.no), Some(&self.yes)])
    }

    fn settled(&self) -> bool {
        self.yes.settled() && self.no.settled()
    }
}

/// A branch as it was traced: what it records and gives, with zeros in the place of numbers.
struct Ran {
    traced: Traced,
    record: Subtrace,
    value: Flat,
}

/// One of the branches; of those that are none, nothing, which gives zeros.
fn run<A: Tree + Clone, R: Tree + Clone>(
    location: Loc,
    source: Source,
    index: Array,
    args: A,
    branches: &[Option<&dyn Branch<A, R>>],
) -> (Subtrace, R) {
    let outer = source.context.strangers.clone();
    let operands = Flat::of(&(source, args)).typed();
    let strangers: Vec<Strangers> = branches.iter().map(|_| Strangers::default()).collect();
    let on_flat = |k: usize, branch: &dyn Branch<A, R>, x: Flat| {
        let (source, args): (Source, A) = x.tree(location)?;
        let source = source.branch(k, &strangers[k]);
        let (record, value) = with_location(location, || branch.run(source, args));
        Ok((record, value))
    };
    let flat = |k: usize, branch: &dyn Branch<A, R>, x: Flat| -> Result<(Subtrace, Flat)> {
        on_flat(k, branch, x).map(|(record, value)| (record, Flat::of(&value)))
    };
    let ran = branches.iter().enumerate().map(|(k, branch)| match branch {
        Some(branch) => ran(location, &operands, &|x| flat(k, *branch, x)).map(Some),
        None => Ok(None),
    });
    let ran: Result<Vec<Option<Ran>>> = ran.collect();
    let ran = ran.and_then(|ran| {
        let lists = strangers.iter().zip(&ran).filter(|(_, ran)| ran.is_some());
        refuse(lists.map(|(notes, _)| notes.list()).collect(), outer).map(|()| ran)
    });
    let result =
        ran.and_then(|ran| with_location(location, || joined(location, &index, &operands, ran)));
    let result = result.and_then(|(record, value)| Ok((record, value.tree::<R>(location)?)));
    let error = match result {
        Ok(result) => return result,
        Err(error) => error.at(location),
    };
    // The form of a value comes of a branch itself, with nothing but the error to work on.
    let first = branches.iter().enumerate().find_map(|(k, branch)| Some((k, (*branch)?)));
    let poisoned =
        operands.spoiled(&error, location).map(|_| Array::invalid(error.clone(), location));
    let form = first.map(|(k, branch)| on_flat(k, branch, poisoned));
    let spoil = |a: &Array| Array::invalid(error.clone(), a.location());
    match form {
        Some(Ok((record, value))) => (record.map(spoil), value.map(spoil)),
        _ => probpipe_trace::last_resort(&error),
    }
}

/// Refuses what was given to no branch, or leaves that to the branches around these.
fn refuse(lists: Vec<Vec<(String, Error)>>, outer: Option<Strangers>) -> Result<()> {
    let Some((first, others)) = lists.split_first() else { return Ok(()) };
    let everywhere =
        |address: &String| others.iter().all(|list| list.iter().any(|(other, _)| other == address));
    for (address, error) in first.iter().filter(|(address, _)| everywhere(address)) {
        match &outer {
            Some(outer) => outer.note((address.clone(), error.clone())),
            None => return Err(error.clone()),
        }
    }
    Ok(())
}

fn ran(
    location: Loc,
    operands: &Flat,
    branch: &dyn Fn(Flat) -> Result<(Subtrace, Flat)>,
) -> Result<Ran> {
    let types: Vec<ArrayType> = operands.leaves.iter().map(Array::ty).collect::<Result<_>>()?;
    let (traced, forms) = trace_with(location, &types, |leaves| {
        let x = Flat { leaves: leaves.to_vec(), structure: operands.structure.clone() };
        match branch(x) {
            Ok((record, value)) => {
                let (record, value) = (Flat::of(&record).typed(), value.typed());
                let leaves = record.leaves.iter().chain(&value.leaves).cloned().collect();
                (leaves, Ok((record.structure, value.structure)))
            }
            Err(error) => (Vec::new(), Err(error)),
        }
    });
    let (record, value) = forms?;
    let traced = traced?;
    let zeros: Vec<Array> = traced.graph.output_types().map(|ty| full_typed(ty, 0)).collect();
    let (own, rest) = zeros.split_at(record.num_leaves());
    let record = record.build(own.to_vec())?;
    Ok(Ran { traced, record, value: Flat::new(value, rest.to_vec(), location) })
}

/// The branches as one operation.
fn joined(
    location: Loc,
    index: &Array,
    operands: &Flat,
    ran: Vec<Option<Ran>>,
) -> Result<(Subtrace, Flat)> {
    let index = number(index, location)?;
    let empty = nothing();
    let records: Vec<&Subtrace> =
        ran.iter().map(|ran| ran.as_ref().map_or(&empty, |ran| &ran.record)).collect();
    let fault = |message: String| {
        Error::new(ErrorKind::Value, message)
            .at(location)
            .help("what branches share must be alike; give what differs an address of its own")
    };
    let mut all = records[0].clone();
    for record in &records[1..] {
        all = union(&all, record, "").map_err(fault)?;
    }
    let Some(value) = ran.iter().flatten().map(|ran| ran.value.clone()).next() else {
        return Err(fault("a switch of no branches".to_string()));
    };
    for other in ran.iter().flatten().map(|ran| &ran.value) {
        let pairs = value.leaves.iter().zip(&other.leaves);
        let unlike = pairs.map(|(a, b)| (a.ty(), b.ty())).find_map(|pair| match pair {
            (Ok(a), Ok(b)) if a != b => Some(format!("one branch gives {a}, another {b}")),
            _ => None,
        });
        if let Some(message) = unlike {
            return Err(fault(message));
        }
        if value.structure != other.structure {
            return Err(fault("branches give trees of different structures".to_string()));
        }
    }
    let mut inputs = operands.leaves.clone();
    inputs.extend(ran.iter().flatten().flat_map(|ran| ran.traced.captures.iter().cloned()));
    let types: Vec<ArrayType> = inputs.iter().map(Array::ty).collect::<Result<_>>()?;
    let mut next = operands.leaves.len();
    let mut graphs: Vec<Arc<Graph>> = Vec::new();
    for ran in &ran {
        let body = |x: &[Array]| match ran {
            Some(ran) => {
                let own = &x[next..next + ran.traced.captures.len()];
                let taken: Vec<Array> =
                    x[..operands.leaves.len()].iter().chain(own).cloned().collect();
                let mut out = inline(&ran.traced.graph, &taken);
                let given = out.split_off(ran.record.leaves().len());
                let record = Flat::new(ran.record.structure(), out, location);
                let mut leaves = match record.tree::<Subtrace>(location) {
                    Ok(record) => placed(&blank(&all), &record).leaves(),
                    Err(error) => vec![Array::invalid(error, location)],
                };
                leaves.extend(given);
                leaves
            }
            None => blank(&(all.clone(), value.leaves.clone())).leaves(),
        };
        graphs.push(Arc::new(trace(&types, body)?.graph));
        next += ran.as_ref().map_or(0, |ran| ran.traced.captures.len());
    }
    let op = Op::Switch(probpipe_trace::Switch { branches: graphs });
    let operands: Vec<&Array> = std::iter::once(&index).chain(&inputs).collect();
    let mut out: Vec<Array> = bind(op, &operands).into_iter().collect();
    if let Some(error) = out.iter().find_map(Array::error) {
        return Err(error.clone());
    }
    let given = out.split_off(all.leaves().len());
    let record: Subtrace = Flat::new(all.structure(), out, location).tree(location)?;
    let (owners, score) = (records.iter().map(|r| owned(r)).collect(), record.score().clone());
    let record = Subtrace::Branches { index, owners, runs: vec![record], score };
    Ok((record, Flat::new(value.structure, given, location)))
}

/// A tree of zeros of the same types, which belong to the trace that is open.
fn blank<T: Tree + Clone>(tree: &T) -> T {
    tree.clone().map(|array| match array.ty() {
        Ok(ty) => full_typed(&ty, 0),
        Err(error) => Array::invalid(error, array.location()),
    })
}

/// What chooses the branch as an `i32`.
fn number(index: &Array, location: Loc) -> Result<Array> {
    let ty = index.ty()?;
    if ty.rank() > 0 || ty.dtype.is_float() {
        return Err(Error::new(
            ErrorKind::Value,
            format!("a branch is chosen by one integer, not by {ty}"),
        )
        .at(location)
        .note("the index was made", Some(index.location()))
        .help("give an integer scalar or a bool; `mapped` runs once for each of an array"));
    }
    index.clone().decided().cast(DType::I32).checked()
}
